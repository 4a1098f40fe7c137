/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_STORE_AGG_TABLE_H
#define OBI_STORE_AGG_TABLE_H

/* agg_table - what a question asks for is a walk over keys of a cube: group, sum, row. */

#include "store/agg.h"
#include "store/cube.h"

/* Seconds that are asked for: from <= t < to, whole cells. */
struct agg_window {
	uint32_t from, to;
	int64_t from_ns, to_ns; /* the same, as the answer says it */
	unsigned int points;
};
void agg_window(const struct cube *c, int64_t from_ns, int64_t to_ns, unsigned int spark,
                struct agg_window *out);
/* The point of a cell in the window. */
unsigned int agg_point(const struct agg_window *w, const struct cell_sparse *c);
/* The cells of k in the window are cells[*first .. end). */
uint32_t agg_cells(const struct agg_window *w, const struct cube_key *k, uint32_t *first);

/* Keys in groups. */
struct agg_entry {
	uint64_t group; /* equal for keys of the same group */
	struct cube_key *key;
};
struct agg_group {
	size_t first, n; /* of entries */
	uint64_t count;  /* spans of all time */
};

struct agg_table {
	/* set by the caller */
	unsigned int by[AGG_BY], nby; /* columns of the cube */
	/* private */
	struct agg_entry *entries;
	size_t nentries, cap;
	struct agg_group *groups;
	size_t ngroups, next;
	struct agg_row *rows; /* texts are those of the cube */
	size_t nrows;
	struct cell_sum sum, total;
	uint32_t spark[AGG_SPARK];
};

void agg_table_reset(struct agg_table *t);
void agg_table_free(struct agg_table *t);
/* 0 or -ENOMEM. */
int agg_table_key(struct agg_table *t, struct cube_key *k);
/* After the last key. 0 or -ENOMEM. */
int agg_table_group(struct agg_table *t);
/* Sums the next group, the most frequent first; false after the last. */
bool agg_table_sum(struct agg_table *t, const struct cube *c, const struct agg_window *w);
/* 0 or -ENOMEM. */
int agg_table_answer(struct agg_table *t, const struct agg_window *w, struct agg_answer *out);

#endif
