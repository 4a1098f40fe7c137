/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_STORE_VTAB_H
#define OBI_STORE_VTAB_H

/*
 * vtab - the tables of columns.def as SQLite virtual tables, over the segments
 * of a store or over the rows of one batch.
 */

#include <sqlite3.h>

#include "span/batch.h"
#include "store/snapshot.h"

/* What the tables of one connection show. Exactly one of store and batch is set. */
struct vtab_source {
	struct store *store;
	struct snapshot snap; /* of the running statement */
	bool pinned;          /* snap is taken: every scan of the statement shares it */
	const struct batch *batch;
	bool (*stop)(void *ctx); /* asked during long scans; may be NULL */
	void *ctx;
	uint64_t rows_read; /* that the tables gave, after the conditions they look at themselves */
	struct layout layouts[TABLE_MAX];
};

/* Creates all tables in db; src must outlive it. An SQLite result. */
int vtab_create(sqlite3 *db, struct vtab_source *src);
/* After a statement has ended. */
void vtab_unpin(struct vtab_source *src);

/* Pins the store if no scan has; for functions that look at the capture as a whole. */
int vtab_pin(struct vtab_source *src);

#endif
