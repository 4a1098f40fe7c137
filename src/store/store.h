/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_STORE_STORE_H
#define OBI_STORE_STORE_H

/*
 * store - the capture in memory, and SQL over it.
 *
 * Rows live in append-only segments that one thread fills (store_add); when
 * the budget is spent the oldest segment goes. Readers open a query handle
 * each: an in-memory SQLite database whose virtual tables show the segments.
 * A handle pins the segments it sees while a statement runs, so that no query
 * stops the capture and no capture a query.
 */

#include "span/batch.h"

struct store;
struct store *store_new(size_t budget_bytes); /* NULL with errno */
void store_free(struct store *s);             /* after every handle is closed */

/* Appends all rows of b (copies them). Returns 0 or -errno. One thread only. */
int store_add(struct store *s, const struct batch *b);

struct store_stats {
	uint64_t rows[TABLE_MAX];    /* held now */
	uint64_t evicted[TABLE_MAX]; /* gone because the budget was spent */
	uint64_t bytes;
	unsigned int segments;
};
void store_stats(struct store *s, struct store_stats *out); /* any thread */

/* ---- queries ---- */

struct sqlh; /* one reader's connection; one thread at a time, store_cancel() from any */

struct sql_limits {
	int timeout_ms;    /* of one statement; 0: 5000 */
	size_t heap_bytes; /* 0: 64 MiB */
};

/* Read-only handle over s. NULL with errno. */
struct sqlh *sql_open(struct store *s, const struct sql_limits *limits);
void sql_close(struct sqlh *q);
void sql_cancel(struct sqlh *q); /* the running statement ends with -ECANCELED */

/*
 * Runs every statement of `sql`. For each row `row` is called with the texts of
 * the columns (NULL: SQL NULL) and their SQLite types (SQLITE_INTEGER 1,
 * SQLITE_FLOAT 2, SQLITE_TEXT 3, SQLITE_BLOB 4, SQLITE_NULL 5); before the
 * first row of each statement `head` with the names. Nonzero from either stops
 * with -ECANCELED. Returns 0 or -errno (EINVAL: SQL is wrong, EPERM: not
 * allowed, ETIME: took too long, ENOMEM, ECANCELED) with a message, "did you
 * mean" included, in err (ERR_TEXT bytes).
 */
struct sql_sink {
	int (*head)(void *ctx, int n, const char *const *names);
	int (*row)(void *ctx, int n, const char *const *texts, const int *lens, const int *types);
	void *ctx;
};
int sql_run(struct sqlh *q, const char *sql, const struct sql_sink *sink, char *err);

/* Rows that the last sql_run() took from the tables. */
uint64_t sql_rows_read(const struct sqlh *q);

/* Parameters :name of the next sql_run(), as text; replaces older ones. 0 or -ENOMEM. */
int sql_param(struct sqlh *q, const char *name, const char *value);

/* True when sql ends in a complete statement (the shell asks for more lines else). */
bool sql_complete(const char *sql);

/* ---- live filter: exactly SQL's meaning over the rows of one batch ---- */

struct filter;
/*
 * A boolean expression over the columns of spans; no sub-selects. NULL with a
 * message (ERR_TEXT bytes) where it is wrong; comparing a text column with a number
 * is wrong too, with a hint.
 */
struct filter *filter_new(const char *expr, char *err);
/* Sets keep[i] for every item of b: spans by the expression, other tables always true. 0 or -errno. */
int filter_run(struct filter *f, const struct batch *b, bool *keep);
const char *filter_why(const struct filter *f); /* words for the last failure of filter_run() */
void filter_free(struct filter *f);

/* ---- named queries ---- */

struct recipe_param {
	const char *name, *type, *def, *help;
};
struct recipe {
	const char *name, *title, *sql;
	const struct recipe_param *params;
	size_t nparams;
};
/* Built-in ones (queries/) first, then those of the user's folder. Owned by the list. */
struct recipes;
struct recipes *recipes_load(const char *user_dir); /* user_dir may be NULL */
const struct recipe *recipe_find(const struct recipes *r, const char *name);
const struct recipe *recipe_at(const struct recipes *r, size_t i); /* NULL past the end */
void recipes_free(struct recipes *r);

/* ---- SQLite files (-w x.db, -r x.db) ---- see writer_db in store/db.c */

#endif
