/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_STORE_FOLLOW_H
#define OBI_STORE_FOLLOW_H

/*
 * follow - each row of a table that fits an expression, once: newest first what
 * there is, then what comes. Work is done in slices; a slice is a segment, or
 * what came to the open one since.
 */

#include "store/vtab.h"

struct follow {
	/* set by the caller */
	/* A row that fits; 0 or -errno, which ends the update. */
	int (*row)(void *ctx, struct segment *seg, unsigned int row);
	/* A slice is done: its rows count. */
	void (*done)(void *ctx);
	/* Segments that need not be looked at now; NULL: none. */
	bool (*skip)(void *ctx, const struct pinned *p);
	/* With the new snapshot, before any row. */
	void (*begin)(void *ctx);
	/* A slice failed: rows since the last done() do not count, they come again. */
	void (*undo)(void *ctx);
	void *ctx;
	/* to be read: of the last update */
	struct vtab_source src;
	enum table table;
	uint64_t seen, total; /* rows looked at or skipped, of those that there are */
	uint64_t left;        /* rows that were looked at and evicted since */
	bool complete;
	uint64_t seq; /* newest row, of any table */
	/* private */
	sqlite3 *db; /* NULL: all rows */
	sqlite3_stmt *st;
	const char *denied;
	struct follow_place *looked;
	unsigned int nlooked;
	bool cancel; /* atomic */
};

/* The fields for the caller are set; where NULL: all rows. 0 or -errno with words in err. */
int follow_init(struct follow *f, struct store *s, enum table t, const char *where, char *err);
void follow_fini(struct follow *f);
/* About budget_ms, at least a slice. 0: complete, 1: there is more, -errno with words in err. */
int follow_update(struct follow *f, int budget_ms, char *err);
void follow_cancel(struct follow *f); /* any thread; -ECANCELED, the next update goes on */

#endif
