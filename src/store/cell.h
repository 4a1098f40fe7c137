/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_STORE_CELL_H
#define OBI_STORE_CELL_H

/*
 * cell - counts, sums and durations of the spans of some seconds; and the sum of
 * many cells. A cell is small: of its histogram only the buckets that hold
 * something are kept.
 */

#include "base/exphist.h"
#include "span/span.h"

enum { CELL_INLINE = 2 };

struct cell_sparse {
	uint32_t at;   /* its first second, Unix time */
	uint16_t secs; /* how many */
	uint16_t nbins, cap;
	uint32_t count, errors, timed; /* timed: those with a duration */
	int64_t sum_ns, max_ns;
	uint64_t req_bytes, resp_bytes;
	union {
		uint32_t in[CELL_INLINE]; /* while cap is CELL_INLINE */
		uint32_t *p;
	} bins; /* sorted: bucket << 21 | count; a bucket may come more than once */
};

void cell_init(struct cell_sparse *c, uint32_t at, uint16_t secs);
void cell_fini(struct cell_sparse *c);
/* False on ENOMEM: nothing was added. *bytes grows by what it allocates. */
bool cell_add(struct cell_sparse *c, const struct span *s, size_t *bytes);
/* b into a; false on ENOMEM or where the counts do not fit: nothing was merged. */
bool cell_merge(struct cell_sparse *a, const struct cell_sparse *b, size_t *bytes);
size_t cell_bytes(const struct cell_sparse *c); /* that it allocated */

/* Sum of cells; zeroed with cell_sum_clear(), which costs what was used. */
struct cell_sum {
	uint64_t count, errors, timed;
	int64_t sum_ns, max_ns;
	uint64_t req_bytes, resp_bytes;
	unsigned int lo, hi; /* buckets that are not 0 lie in lo .. hi - 1 */
	uint64_t bucket[EXPHIST_BUCKETS];
};

void cell_sum_clear(struct cell_sum *s);
void cell_sum_add(struct cell_sum *s, const struct cell_sparse *c);
void cell_sum_join(struct cell_sum *s, const struct cell_sum *other);
/* The duration that a share q of all does not exceed; COL_NULL where there is none. */
int64_t cell_sum_quantile(const struct cell_sum *s, double q);
/* fn(ctx, bucket, count) for each bucket of a cell. */
void cell_bins(const struct cell_sparse *c, void (*fn)(void *ctx, unsigned int bucket, uint32_t n),
               void *ctx);

#endif
