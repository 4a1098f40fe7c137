// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * filter - a boolean SQL expression over the rows of one batch.
 *
 * The expression becomes the WHERE of a statement over the virtual table
 * `spans`, which shows the spans of the batch at hand. It is prepared once; a
 * batch costs one pass.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/err.h"

#include "store/expr.h"
#include "store/store.h"

struct filter {
	sqlite3 *db;
	sqlite3_stmt *st;
	struct vtab_source src;
	const char *denied;
	char why[ERR_TEXT]; /* the last failure */
};

struct filter *filter_new(const char *expr, char *err)
{
	struct filter *f;
	int e = expr_check(expr, TABLE_SPANS, err);

	if (e) {
		errno = -e;
		return NULL;
	}
	f = calloc(1, sizeof(*f));
	if (f)
		f->db = query_open(&f->src, &f->denied);
	e = f && f->db ? expr_prepare(f->db, TABLE_SPANS, expr, &f->denied, &f->st, err)
	               : err_set(err, ENOMEM, "out of memory");
	if (!e)
		return f;
	filter_free(f);
	errno = -e;
	return NULL;
}

int filter_run(struct filter *f, const struct batch *b, bool *keep)
{
	int rc;

	for (unsigned int i = 0; i < b->n; i++)
		keep[i] = b->items[i].table != TABLE_SPANS;
	f->src.batch = b;
	while ((rc = sqlite3_step(f->st)) == SQLITE_ROW)
		keep[sqlite3_column_int64(f->st, 0)] = true;
	if (rc != SQLITE_DONE)
		err_set(f->why, EINVAL, "%s", sqlite3_errmsg(f->db));
	sqlite3_reset(f->st);
	f->src.batch = NULL;
	return rc == SQLITE_DONE ? 0 : rc == SQLITE_NOMEM ? -ENOMEM : -EINVAL;
}

const char *filter_why(const struct filter *f)
{
	return f->why;
}

void filter_free(struct filter *f)
{
	if (!f)
		return;
	sqlite3_finalize(f->st);
	sqlite3_close(f->db);
	free(f);
}
