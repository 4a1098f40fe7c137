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

#include "store/hint.h"
#include "store/lex.h"
#include "store/query.h"
#include "store/store.h"

struct filter {
	sqlite3 *db;
	sqlite3_stmt *st;
	struct vtab_source src;
	const char *denied;
};

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

static int prepare(struct filter *f, const char *expr, char *err)
{
	struct buf sql = { 0 };
	int rc;

	/* Newline: the expression may end in a comment. */
	buf_fmt(&sql, "SELECT rowid FROM spans WHERE (%s\n)", expr);
	buf_ch(&sql, '\0');
	rc = sql.failed ? SQLITE_NOMEM
	                : sqlite3_prepare_v3(f->db, sql.p, -1, SQLITE_PREPARE_PERSISTENT, &f->st,
	                                     NULL);
	buf_free(&sql);
	if (!rc)
		return 0;
	if (f->denied)
		return err_set(err, EPERM, "%s is not allowed in a filter", f->denied);
	/* The parenthesis it complains of is ours: the expression ends too early. */
	if (strstr(sqlite3_errmsg(f->db), "near \")\""))
		return err_set(err, EINVAL, "the expression ends too early: %.*s",
		               (int)strcspn(expr + (*expr == '('), "\n"), expr + (*expr == '('));
	hint_message(sqlite3_errmsg(f->db), expr, TABLE_SPANS, err);
	return -EINVAL;
}

struct filter *filter_new(const char *expr, char *err)
{
	struct filter *f;
	int e = check_tokens(expr, err);

	e = e ? e : hint_check(expr, TABLE_SPANS, err);
	if (e) {
		errno = -e;
		return NULL;
	}
	f = calloc(1, sizeof(*f));
	if (f)
		f->db = query_open(&f->src, &f->denied);
	e = f && f->db ? prepare(f, expr, err) : err_set(err, ENOMEM, "out of memory");
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
	sqlite3_reset(f->st);
	f->src.batch = NULL;
	return rc == SQLITE_DONE ? 0 : rc == SQLITE_NOMEM ? -ENOMEM : -EINVAL;
}

void filter_free(struct filter *f)
{
	if (!f)
		return;
	sqlite3_finalize(f->st);
	sqlite3_close(f->db);
	free(f);
}
