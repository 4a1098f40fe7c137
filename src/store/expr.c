// SPDX-License-Identifier: GPL-3.0-or-later
/* expr - a boolean SQL expression over the columns of one table, checked and prepared. */
#include "store/expr.h"

#include <errno.h>

#include "base/err.h"
#include "store/hint.h"
#include "store/lex.h"

/* What would change the statement around the expression, or ask for more than a row. */
static int check_tokens(const char *expr, char *err)
{
	struct token t;
	unsigned int depth = 0, n = 0;

	while ((t = lex_next(&expr)).kind != TOKEN_END) {
		n++;
		if (t.kind == TOKEN_BAD)
			return err_set(err, EINVAL, "a quote or a comment does not end");
		if (t.kind == TOKEN_PARAM)
			return err_set(err, EINVAL, "a filter has no parameters: %.*s",
			               STR_ARG(t.text));
		if (token_word(t, "select") || token_word(t, "with") || token_word(t, "values"))
			return err_set(err, EPERM, "a filter looks at one span: no sub-selects");
		if (token_op(t, ";"))
			return err_set(err, EINVAL, "a filter is one expression: no semicolon");
		depth += token_op(t, "(");
		if (token_op(t, ")") && !depth--)
			return err_set(err, EINVAL, "a closing parenthesis without an opening one");
	}
	if (depth)
		return err_set(err, EINVAL, "a parenthesis is not closed");
	return n ? 0 : err_set(err, EINVAL, "the filter is empty");
}

int expr_check(const char *expr, enum table t, char *err)
{
	int e = check_tokens(expr, err);

	return e ? e : hint_check(expr, t, err);
}

int expr_prepare(sqlite3 *db, enum table t, const char *expr, const char *const *denied,
                 sqlite3_stmt **st, char *err)
{
	struct buf sql = { 0 };
	int rc;

	/* Newline: the expression may end in a comment. */
	buf_fmt(&sql, "SELECT rowid FROM %s WHERE (%s\n)", tables[t].name, expr);
	buf_ch(&sql, '\0');
	rc = sql.failed ? SQLITE_NOMEM
	                : sqlite3_prepare_v3(db, sql.p, -1, SQLITE_PREPARE_PERSISTENT, st, NULL);
	buf_free(&sql);
	if (!rc)
		return 0;
	if (*denied)
		return err_set(err, EPERM, "%s is not allowed in a filter", *denied);
	/* The parenthesis it complains of is ours: the expression ends too early. */
	if (strstr(sqlite3_errmsg(db), "near \")\""))
		return err_set(err, EINVAL, "the expression ends too early: %.*s",
		               (int)strcspn(expr + (*expr == '('), "\n"), expr + (*expr == '('));
	hint_message(sqlite3_errmsg(db), expr, t, err);
	return -EINVAL;
}

struct reader {
	enum table table;
	bool *reads;
	unsigned int rowids;
};

/* The rowid that the statement itself asks for comes first. */
static int on_read(void *ctx, int action, const char *table, const char *column, const char *db,
                   const char *trigger)
{
	struct reader *r = ctx;
	int i = action == SQLITE_READ && column ? column_find(r->table, str_of(column)) : -1;

	(void)table, (void)db, (void)trigger;
	if (i >= 0)
		r->reads[i] = true;
	else if (action == SQLITE_READ)
		r->rowids++;
	return SQLITE_OK;
}

int expr_reads(const char *expr, enum table t, bool *reads, bool *all, char *err)
{
	struct vtab_source none = { 0 };
	struct reader r = { .table = t, .reads = reads };
	const char *denied = NULL;
	sqlite3_stmt *st = NULL;
	sqlite3 *db;
	int e = expr_check(expr, t, err);

	if (e)
		return e;
	db = query_open(&none, &denied);
	if (!db)
		return err_set(err, ENOMEM, "out of memory");
	e = expr_prepare(db, t, expr, &denied, &st, err);
	if (!e) {
		sqlite3_finalize(st);
		sqlite3_set_authorizer(db, on_read, &r);
		e = expr_prepare(db, t, expr, &denied, &st, err);
	}
	*all = r.rowids <= 1;
	sqlite3_finalize(st);
	sqlite3_close(db);
	return e;
}
