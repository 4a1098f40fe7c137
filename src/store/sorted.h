/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_STORE_SORTED_H
#define OBI_STORE_SORTED_H

/*
 * sorted - numbers of rows in the order of a key. Rows come in bunches; a bunch
 * that belongs at one of the two ends moves nothing but what it overlaps.
 */

#include "base/arena.h"
#include "base/hash.h"

struct sorted_row {
	int64_t key; /* a number, or a text of sorted_text() */
	uint64_t id;
};

struct sorted {
	struct sorted_row *rows; /* n of them begin at rows + off */
	size_t off, n, cap;
	bool texts; /* keys are texts; set by the caller */
	struct hash known;
	struct arena arena;
};

/* Less than, equal to, greater than 0; by id where the keys are equal. */
int sorted_cmp(const struct sorted *s, const struct sorted_row *a, const struct sorted_row *b);
/* The key that a text has here, kept until sorted_free(). False on ENOMEM. */
bool sorted_text(struct sorted *s, struct str text, int64_t *key);
/* Sorts the m rows at `more` and merges them in. 0 or -ENOMEM. */
int sorted_merge(struct sorted *s, struct sorted_row *more, size_t m);
/* Place of the first row that is not less than r. */
size_t sorted_find(const struct sorted *s, const struct sorted_row *r);
/* Takes out all rows for which gone() holds; how many. */
size_t sorted_drop(struct sorted *s, bool (*gone)(void *ctx, uint64_t id), void *ctx);
void sorted_free(struct sorted *s);

static inline const struct sorted_row *sorted_at(const struct sorted *s, size_t i)
{
	return &s->rows[s->off + i];
}

#endif
