// SPDX-License-Identifier: GPL-3.0-or-later
/* hint - SQL that would be answered wrongly, and messages that say what to do. */
#include "store/hint.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>

#include "base/err.h"
#include "store/functions.h"
#include "store/lex.h"

char *hint_text_column(const char *column, const char *value)
{
	if (!strcmp(column, "status"))
		return sqlite3_mprintf("status is text: write status = '%s' or code = %s", value,
		                       value);
	if (!strcmp(column, "time"))
		return sqlite3_mprintf("time is text: compare start_ns with a number, or write "
		                       "time > '2026-01-31T10:00'");
	return sqlite3_mprintf("%s is text: write %s = '%s'", column, column, value);
}

/* Tables that the statement names, as bits; all where it names none. */
static unsigned int tables_in(const char *sql, enum table only)
{
	unsigned int found = 0;
	struct token t;

	if (only != TABLE_MAX)
		return 1u << only;
	while ((t = lex_next(&sql)).kind != TOKEN_END && t.kind != TOKEN_BAD)
		for (unsigned int i = 0; i < TABLE_MAX; i++)
			if ((t.kind == TOKEN_WORD || t.kind == TOKEN_QUOTED) &&
			    str_iis(t.text, tables[i].name))
				found |= 1u << i;
	return found;
}

static bool is_number(enum col_type t)
{
	return t == COL_I || t == COL_B || t == COL_MS || t == COL_V;
}

static const struct column *find_column(enum table t, struct str name)
{
	for (unsigned int i = 0; i < tables[t].ncolumns; i++)
		if (str_iis(name, tables[t].columns[i].name))
			return &tables[t].columns[i];
	return NULL;
}

/* The text column of this name; NULL where it is a number in some table, or nothing of ours. */
static const struct column *text_column(struct token t, unsigned int where)
{
	const struct column *found = NULL;

	if (t.kind != TOKEN_WORD && t.kind != TOKEN_QUOTED)
		return NULL;
	for (unsigned int i = 0; i < TABLE_MAX; i++) {
		const struct column *c = where & 1u << i ? find_column((enum table)i, t.text)
		                                         : NULL;

		if (c && is_number(c->type))
			return NULL;
		if (c)
			found = c;
	}
	return found;
}

static bool named_with_as(const char *sql, struct str name)
{
	struct token before = { 0 }, t;

	while ((t = lex_next(&sql)).kind != TOKEN_END && t.kind != TOKEN_BAD) {
		if (token_word(before, "as") && str_ieq(t.text, name))
			return true;
		before = t;
	}
	return false;
}

static bool compares(struct token t)
{
	static const char *const ops[] = { "=", "==", "<", "<=", ">", ">=", "<>", "!=" };

	for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++)
		if (token_op(t, ops[i]))
			return true;
	return token_word(t, "is") || token_word(t, "between") || token_word(t, "in");
}

/* After a name: it is part of an expression, or no column at all. */
static bool calculates(struct token t)
{
	return t.kind == TOKEN_OP && t.text.len && strchr("+-*/%|&.(", t.text.s[0]);
}

/* Before a name: likewise; "alias.name" and "(name" are the name alone. */
static bool calculates_before(struct token t)
{
	return t.kind == TOKEN_OP && t.text.len && strchr("+-*/%|&~", t.text.s[0]);
}

/* The number that stands at p, after a sign, NOT or an opening parenthesis. */
static struct token number_at(const char *p)
{
	struct token t = lex_next(&p);

	while (token_op(t, "-") || token_op(t, "+") || token_op(t, "(") || token_word(t, "not"))
		t = lex_next(&p);
	return t;
}

/* The column that stands at p, "alias." before it passed over, if nothing is done with it. */
static const struct column *column_at(const char *p, unsigned int where)
{
	struct token name = lex_next(&p), after = lex_next(&p);

	if (token_op(after, ".")) {
		name = lex_next(&p);
		after = lex_next(&p);
	}
	if (calculates(after) || token_op(after, "->") || token_op(after, "->>"))
		return NULL;
	return text_column(name, where);
}

static int refuse(const struct column *c, struct token number, const char *sql, char *err)
{
	char value[64], *text;

	if (named_with_as(sql, str_of(c->name)))
		return 0;
	snprintf(value, sizeof(value), "%.*s", STR_ARG(number.text));
	text = hint_text_column(c->name, value);
	err_set(err, EINVAL, "%s", text ? text : "a text column is compared with a number");
	sqlite3_free(text);
	return -EINVAL;
}

int hint_check(const char *sql, enum table only, char *err)
{
	unsigned int where = tables_in(sql, only);
	struct token t[3] = { 0 }; /* two before, one before, at hand */
	const struct column *c;
	const char *p = sql;

	while ((t[2] = lex_next(&p)).kind != TOKEN_END && t[2].kind != TOKEN_BAD) {
		if (token_word(t[2], "not"))
			continue; /* status NOT IN (...) is as status IN (...) */
		if (compares(t[2]) && !calculates_before(t[0]) && (c = text_column(t[1], where)) &&
		    number_at(p).kind == TOKEN_NUMBER && refuse(c, number_at(p), sql, err))
			return -EINVAL;
		if (compares(t[2]) && t[1].kind == TOKEN_NUMBER && (c = column_at(p, where)) &&
		    refuse(c, t[1], sql, err))
			return -EINVAL;
		t[0] = t[1];
		t[1] = t[2];
	}
	return 0;
}

/* ---- did you mean ---- */

static unsigned int min3(unsigned int a, unsigned int b, unsigned int c)
{
	return a < b ? (a < c ? a : c) : (b < c ? b : c);
}

enum { NAME_MAX_LEN = 40 };

/* Letters to add, drop or change to make b of a. */
static unsigned int distance(struct str a, struct str b)
{
	unsigned int row[NAME_MAX_LEN + 1], up, old;

	if (a.len > NAME_MAX_LEN || b.len > NAME_MAX_LEN)
		return NAME_MAX_LEN;
	for (unsigned int j = 0; j <= b.len; j++)
		row[j] = j;
	for (unsigned int i = 1; i <= a.len; i++) {
		up = row[0];
		row[0] = i;
		for (unsigned int j = 1; j <= b.len; j++) {
			bool differ = (a.s[i - 1] | 32) != (b.s[j - 1] | 32);

			old = row[j];
			row[j] = min3(row[j] + 1, row[j - 1] + 1, up + differ);
			up = old;
		}
	}
	return row[b.len];
}

struct guess {
	struct str wrong;
	const char *best;
	unsigned int score;
};

static void consider(struct guess *g, const char *name)
{
	struct str n = str_of(name);
	unsigned int d = distance(g->wrong, n);
	bool part = g->wrong.len >= 2 && memmem(n.s, n.len, g->wrong.s, g->wrong.len);

	/* A part of a name ("ms", "bytes") is a good guess too. */
	if (part && d > 3)
		d = 3;
	if (d < g->score && d < n.len && (part || d <= 1 + g->wrong.len / 4)) {
		g->score = d;
		g->best = name;
	}
}

static void guess_column(struct guess *g, unsigned int where)
{
	for (unsigned int t = 0; t < TABLE_MAX; t++)
		for (unsigned int i = 0; where & 1u << t && i < tables[t].ncolumns; i++)
			consider(g, tables[t].columns[i].name);
}

static void guess_function(struct guess *g)
{
	static const char *const common[] = { "count", "sum",    "avg",      "min",
		                              "max",   "round",  "length",   "lower",
		                              "upper", "substr", "coalesce", "replace" };
	const char *name;

	for (unsigned int i = 0; (name = functions_name(i)); i++)
		consider(g, name);
	for (size_t i = 0; i < sizeof(common) / sizeof(common[0]); i++)
		consider(g, common[i]);
}

static struct str after(const char *message, const char *prefix)
{
	size_t n = strlen(prefix);

	return strncmp(message, prefix, n) ? STR_NULL : str_of(message + n);
}

static void guess_keyword(struct guess *g)
{
	static const char *const words[] = { "select", "from",  "where", "group", "order",
		                             "having", "limit", "join",  "with",  "explain" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (!str_iis(g->wrong, words[i]))
			consider(g, words[i]);
}

/* The word before the first one that is `name`: SQLite often complains a word late. */
static struct str word_before(const char *sql, struct str name)
{
	struct str before = STR_NULL;
	struct token t;

	while ((t = lex_next(&sql)).kind != TOKEN_END && t.kind != TOKEN_BAD) {
		if (str_ieq(t.text, name))
			return before;
		before = t.kind == TOKEN_WORD ? t.text : STR_NULL;
	}
	return STR_NULL;
}

/* near "selct": syntax error; in *g the word that was meant, true: it is the one before */
static bool syntax(struct guess *g, const char *message, const char *sql)
{
	struct str near = after(message, "near \"");
	const char *end = near.s ? memchr(near.s, '"', near.len) : NULL;

	if (!end || !strstr(end, "syntax error"))
		return false;
	g->wrong = (struct str){ near.s, (size_t)(end - near.s) };
	guess_keyword(g);
	if (g->best)
		return false;
	g->wrong = word_before(sql, g->wrong);
	if (g->wrong.s)
		guess_keyword(g);
	return g->best;
}

static bool quoted_in(const char *sql, struct str name)
{
	struct token t;

	while ((t = lex_next(&sql)).kind != TOKEN_END && t.kind != TOKEN_BAD)
		if (t.kind == TOKEN_QUOTED && str_eq(t.text, name))
			return true;
	return false;
}

/* Without "alias." before it. */
static struct str last_part(struct str s)
{
	const char *dot = s.s ? memrchr(s.s, '.', s.len) : NULL;

	return dot ? (struct str){ dot + 1, (size_t)(s.s + s.len - dot - 1) } : s;
}

static void no_table(const char *message, char *err)
{
	struct buf b = { 0 };

	for (unsigned int t = 0; t < TABLE_MAX; t++)
		buf_fmt(&b, "%s%s", t ? ", " : "", tables[t].name);
	err_set(err, 0, "%s (there are %.*s)", message, (int)b.len, b.p ? b.p : "");
	buf_free(&b);
}

void hint_message(const char *message, const char *sql, enum table only, char *err)
{
	struct str column = last_part(after(message, "no such column: "));
	struct str table = last_part(after(message, "no such table: "));
	struct str function = after(message, "no such function: ");
	struct guess g = { .score = NAME_MAX_LEN };
	bool late = false;

	g.wrong = column.s ? column : table.s ? table : function;
	if (column.s)
		guess_column(&g, tables_in(sql, only));
	for (unsigned int t = 0; table.s && t < TABLE_MAX; t++)
		consider(&g, tables[t].name);
	if (function.s)
		guess_function(&g);
	if (!g.wrong.s)
		late = syntax(&g, message, sql);
	if (column.s && quoted_in(sql, column))
		err_set(err, 0, "%s (a text stands in single quotes: '%.*s')", message,
		        STR_ARG(column));
	else if (g.best && late)
		err_set(err, 0, "%s (%.*s: did you mean %s?)", message, STR_ARG(g.wrong), g.best);
	else if (g.best)
		err_set(err, 0, "%s (did you mean %s?)", message, g.best);
	else if (table.s)
		no_table(message, err);
	else
		err_set(err, 0, "%s", message);
}
