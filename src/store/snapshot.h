/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_STORE_SNAPSHOT_H
#define OBI_STORE_SNAPSHOT_H

/* snapshot - what a reader sees of the store while one statement runs. */

#include "store/segment.h"

struct pinned {
	struct segment *seg;
	unsigned int first, n; /* rows of it that belong to the snapshot: first .. n-1 */
	bool sealed;
};

struct snapshot {
	uint64_t seq;                   /* number of the newest row in it */
	struct pinned *pins[TABLE_MAX]; /* oldest segment first; NULL: not taken */
	unsigned int npins[TABLE_MAX];
};

struct store;
/* Zero-initialised before. 0 or -ENOMEM. */
int snapshot_take(struct snapshot *v, struct store *s);
void snapshot_drop(struct snapshot *v);

/* Rows of a table now, for the query planner. */
uint64_t store_rows(struct store *s, enum table t);
/* Number of the newest row that readers may see, of all tables. */
uint64_t store_seq(struct store *s);

/*
 * The segment of this number with a reference (segment_put()); *seq as of now.
 * NULL where it is gone.
 */
struct segment *store_segment(struct store *s, enum table t, uint64_t number, uint64_t *seq);

#endif
