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

/* Newline: an expression may end in a comment. */
static void statement(struct buf *sql, enum table t, const char *expr, const char *also)
{
	buf_fmt(sql, "SELECT rowid FROM %s", tables[t].name);
	if (expr || also)
		buf_z(sql, " WHERE ");
	if (expr)
		buf_fmt(sql, "(%s\n)", expr);
	if (also)
		buf_fmt(sql, "%s(%s)", expr ? " AND " : "", also);
	buf_ch(sql, '\0');
}

int expr_prepare(sqlite3 *db, enum table t, const char *expr, const char *also,
                 const char *const *denied, sqlite3_stmt **st, char *err)
{
	struct buf sql = { 0 };
	int rc;

	statement(&sql, t, expr, also);
	rc = sql.failed ? SQLITE_NOMEM
	                : sqlite3_prepare_v3(db, sql.p, -1, SQLITE_PREPARE_PERSISTENT, st, NULL);
	buf_free(&sql);
	if (!rc)
		return 0;
	if (*denied)
		return err_set(err, EPERM, "%s is not allowed in a filter", *denied);
	/* The parenthesis it complains of is ours: the expression ends too early. */
	if (expr && strstr(sqlite3_errmsg(db), "near \")\""))
		return err_set(err, EINVAL, "the expression ends too early: %.*s",
		               (int)strcspn(expr + (*expr == '('), "\n"), expr + (*expr == '('));
	hint_message(sqlite3_errmsg(db), expr ? expr : "", t, err);
	return -EINVAL;
}
