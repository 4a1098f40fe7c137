/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_SPAN_BATCH_H
#define OBI_SPAN_BATCH_H

/*
 * batch - rows on their way from the parsers to the subscribers of the fan-out.
 *
 * One thread fills a batch; from then on it is read-only, shared, and returned
 * to its pool by the last batch_put(). Rows of all tables travel together and
 * in order, so that replay is deterministic.
 */

#include "base/arena.h"
#include "span/span.h"

struct item {
	enum table table;
	void *row; /* struct span, conn_row ... by table; lives in the batch's arena */
};

struct batch {
	struct item *items; /* batch_cap() of them */
	unsigned int n, cap;
	unsigned int
		left_out;   /* items behind the n: spans that were sampled out, for counts alone */
	struct arena arena; /* rows and their texts */
	uint64_t seq;       /* number of the last ring record that is in it */
	bool last;          /* nothing follows */
	/*
	 * What the resource of rows from a recording says beside their columns (its
	 * host, and what other programs say), as members of a JSON object; s == NULL:
	 * they are of this run.
	 */
	struct str resource;
	unsigned int refs; /* atomic */
	struct batch_pool *pool;
};

struct batch_pool;
struct batch_pool *batch_pool_new(unsigned int batches, unsigned int items);
void batch_pool_free(struct batch_pool *p);

/*
 * An empty batch with one reference. Waits until one is returned when all are
 * out, at most timeout_ms (-1: for ever): then NULL with ETIMEDOUT.
 */
struct batch *batch_get(struct batch_pool *p, int timeout_ms);
void batch_ref(struct batch *b);
void batch_put(struct batch *b); /* NULL is fine */

/* A new row of table t with all fields unknown; NULL when the batch is full. */
void *batch_add(struct batch *b, enum table t);
/* A copy of s that lives as long as the batch; STR_NULL stays STR_NULL. */
struct str batch_text(struct batch *b, struct str s);

#endif
