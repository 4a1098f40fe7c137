// SPDX-License-Identifier: GPL-3.0-or-later
/* rank_expr - a SQL expression over the columns of a group. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "base/err.h"
#include "store/expr.h"
#include "store/query.h"
#include "store/rank.h"

struct rank_expr {
	sqlite3 *db;
	sqlite3_stmt *st;
	struct vtab_source none;
	const char *denied;
	const char *by[AGG_BY];
	unsigned int nby;
};

static void put_columns(const struct rank_expr *e, struct buf *out, const char *fmt,
                        const char *between)
{
	for (unsigned int i = 0; i < e->nby + RANK_COLS; i++) {
		buf_z(out, i ? between : "");
		buf_fmt(out, fmt,
		        i < e->nby ? e->by[i] : rank_column((enum rank_col)(i - e->nby))->name);
	}
}

/* What SQLite says, and the names there are where one is wrong. */
static int explain(const struct rank_expr *e, char *err)
{
	const char *said = sqlite3_errmsg(e->db);
	struct buf names = { 0 };

	if (e->denied)
		return err_set(err, EINVAL, "%s is not allowed here", e->denied);
	if (strstr(said, "near \")\""))
		return err_set(err, EINVAL, "the expression ends too early");
	if (!strstr(said, "no such column"))
		return err_set(err, EINVAL, "%s", said);
	put_columns(e, &names, "%s", ", ");
	err_set(err, EINVAL, "%s; a group has %.*s", said, STR_ARG(buf_slice(&names)));
	buf_free(&names);
	return -EINVAL;
}

static int prepare(struct rank_expr *e, const char *expr, char *err)
{
	struct buf sql = { 0 };
	int rc = SQLITE_NOMEM;

	buf_z(&sql, "SELECT 1 FROM (SELECT ");
	put_columns(e, &sql, "? AS \"%s\"", ", ");
	/* Newline: the expression may end in a comment. */
	buf_fmt(&sql, ") WHERE (%s\n)", expr);
	buf_ch(&sql, 0);
	if (!sql.failed)
		rc = sqlite3_prepare_v3(e->db, sql.p, -1, SQLITE_PREPARE_PERSISTENT, &e->st, NULL);
	buf_free(&sql);
	return rc ? explain(e, err) : 0;
}

struct rank_expr *rank_expr_new(const char *expr, const char *const *by, char *err)
{
	struct rank_expr *e = calloc(1, sizeof(*e));
	int failed = expr_check(expr, TABLE_SPANS, err);

	if (!failed && e)
		e->db = query_open(&e->none, &e->denied);
	if (!failed && (!e || !e->db))
		failed = err_set(err, ENOMEM, "out of memory");
	while (!failed && e->nby < AGG_BY && by[e->nby]) {
		e->by[e->nby] = by[e->nby];
		e->nby++;
	}
	if (!failed)
		failed = prepare(e, expr, err);
	if (!failed)
		return e;
	rank_expr_free(e);
	errno = -failed;
	return NULL;
}

static void bind(struct rank_expr *e, const struct rank *r, const struct rank_row *row)
{
	for (unsigned int i = 0; i < e->nby; i++) {
		struct str s = row->row.by[i];

		if (s.s)
			sqlite3_bind_text(e->st, (int)i + 1, s.s, (int)s.len, SQLITE_STATIC);
		else
			sqlite3_bind_null(e->st, (int)i + 1);
	}
	for (unsigned int i = 0; i < RANK_COLS; i++) {
		double v = rank_value(r, row, (enum rank_col)i);
		int at = (int)(e->nby + i) + 1;

		if (isnan(v))
			sqlite3_bind_null(e->st, at);
		else if (rank_column((enum rank_col)i)->whole)
			sqlite3_bind_int64(e->st, at, (int64_t)v);
		else
			sqlite3_bind_double(e->st, at, v);
	}
}

int rank_expr_run(struct rank_expr *e, const struct rank *r, const struct rank_row *row)
{
	int rc;

	bind(e, r, row);
	rc = sqlite3_step(e->st);
	sqlite3_reset(e->st);
	sqlite3_clear_bindings(e->st);
	return rc == SQLITE_ROW     ? 1
	       : rc == SQLITE_DONE  ? 0
	       : rc == SQLITE_NOMEM ? -ENOMEM
	                            : -EINVAL;
}

void rank_expr_free(struct rank_expr *e)
{
	if (!e)
		return;
	sqlite3_finalize(e->st);
	sqlite3_close(e->db);
	free(e);
}
