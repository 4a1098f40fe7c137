// SPDX-License-Identifier: GPL-3.0-or-later
/* sql - a lexer for SQL, and statements without their literals. */
#include "proto/sql.h"

#include "proto/sql_lex.h"

/* Words that stand for a value in a list. */
static const char *const value_words[] = { "NULL", "DEFAULT", "TRUE",      "FALSE",
	                                   "DATE", "TIME",    "TIMESTAMP", "INTERVAL" };

static bool is_word(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_' || c == '$' || c >= 0x80;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_space(char c)
{
	return (unsigned char)c <= ' ' || c == 0x7f;
}

/* The character n places on, 0 behind the end. */
static char peek(const struct sql_lex *l, size_t n)
{
	return (size_t)(l->end - l->p) > n ? l->p[n] : 0;
}

/* Behind the closing quote of what was opened before p, or the end. */
static const char *skip_quoted(const char *p, const char *end, char quote, bool backslash)
{
	while (p < end) {
		char c = *p++;

		if (c == '\\' && backslash && p < end)
			p++;
		else if (c == quote && p < end && *p == quote)
			p++;
		else if (c == quote)
			return p;
	}
	return end;
}

static const char *skip_block_comment(const struct sql_lex *l)
{
	bool nests = l->dialect != SQL_MYSQL;
	unsigned int depth = 1;
	const char *p = l->p + 2;

	for (; p + 1 < l->end; p++) {
		if (p[0] == '*' && p[1] == '/') {
			if (!--depth)
				return p + 2;
			p++;
		} else if (nests && p[0] == '/' && p[1] == '*') {
			depth++;
			p++;
		}
	}
	return l->end;
}

/* ClickHouse knows #! and "# " alone; where # is neither, it is an error: no name is lost. */
static bool is_line_comment(const struct sql_lex *l)
{
	char c = peek(l, 0), d = peek(l, 1);

	if (c == '#')
		return l->dialect == SQL_MYSQL || l->dialect == SQL_CLICKHOUSE;
	if (l->dialect == SQL_MYSQL)
		return c == '-' && d == '-' && l->end - l->p > 2 && is_space(l->p[2]);
	return c == '-' && d == '-';
}

/* The comment at l->p, NULL where there is none. */
static const char *skip_comment(struct sql_lex *l)
{
	const char *nl;
	char c = peek(l, 0), d = peek(l, 1);
	bool mysql = l->dialect == SQL_MYSQL;

	if (is_line_comment(l)) {
		nl = memchr(l->p, '\n', (size_t)(l->end - l->p));
		return nl ? nl + 1 : l->end;
	}
	if (c == '*' && d == '/' && l->conditional) {
		l->conditional = false;
		return l->p + 2;
	}
	if (c != '/' || d != '*')
		return NULL;
	if (mysql && (peek(l, 2) == '!' || (peek(l, 2) == 'M' && peek(l, 3) == '!'))) {
		const char *p = l->p + (peek(l, 2) == '!' ? 3 : 4);

		while (p < l->end && is_digit(*p)) /* what follows the version is run */
			p++;
		l->conditional = true;
		return p;
	}
	return skip_block_comment(l);
}

/* Everything that hangs together with a number, so that no part of it stays behind. */
static const char *skip_number(const struct sql_lex *l)
{
	const char *p = l->p;
	bool decimal = true;

	for (; p < l->end && (is_word((unsigned char)*p) || *p == '.'); p++) {
		bool exponent = (*p == 'e' || *p == 'E') && decimal;

		if (exponent && l->end - p > 2 && (p[1] == '+' || p[1] == '-') && is_digit(p[2]))
			p++;
		decimal = decimal && (is_digit(*p) || *p == '.');
	}
	return p;
}

/* $tag$ ... $tag$; NULL where l->p opens none. */
static const char *skip_dollar_quoted(const struct sql_lex *l)
{
	const char *p = l->p + 1, *close;
	size_t tag;

	while (p < l->end && is_word((unsigned char)*p) && *p != '$')
		p++;
	if (p == l->end || *p != '$' || is_digit(l->p[1]))
		return NULL;
	tag = (size_t)(++p - l->p);
	close = memmem(p, (size_t)(l->end - p), l->p, tag);
	return close ? close + tag : l->end;
}

static struct sql_token token(struct sql_lex *l, enum sql_kind kind, const char *to)
{
	struct sql_token t = { .kind = kind, .text = { l->p, (size_t)(to - l->p) } };

	l->p = to;
	return t;
}

static struct sql_token lex_dollar(struct sql_lex *l)
{
	const char *p = l->p + 1;

	if (l->dialect == SQL_MSSQL && is_digit(peek(l, 1))) /* an amount of money */
		return token(l, SQL_NUMBER,
		             skip_number(&(struct sql_lex){ .p = p, .end = l->end }));
	if (is_digit(peek(l, 1))) {
		while (p < l->end && is_digit(*p))
			p++;
		return token(l, SQL_PARAM, p);
	}
	if (l->dialect == SQL_POSTGRESQL || l->dialect == SQL_CLICKHOUSE) {
		const char *quoted = skip_dollar_quoted(l);

		return token(l, quoted ? SQL_STRING : SQL_PUNCT, quoted ? quoted : p);
	}
	while (p < l->end && is_word((unsigned char)*p))
		p++;
	return token(l, SQL_WORD, p);
}

static struct sql_token lex_word(struct sql_lex *l)
{
	bool backslash = l->dialect == SQL_MYSQL || l->dialect == SQL_CLICKHOUSE;
	const char *p = l->p;

	if (peek(l, 1) == '\'' && strchr("eEbBxXnN", *p))
		return token(l, SQL_STRING,
		             skip_quoted(p + 2, l->end, '\'', backslash || *p == 'e' || *p == 'E'));
	while (p < l->end && is_word((unsigned char)*p))
		p++;
	return token(l, SQL_WORD, p);
}

/* #kept, ##kept and @@rowcount are names, @a is a parameter. */
static struct sql_token lex_sigil(struct sql_lex *l)
{
	bool param = *l->p == '@' && peek(l, 1) != '@';
	const char *p = l->p + 1;

	while (p < l->end && (is_word((unsigned char)*p) || *p == '#' || *p == '@'))
		p++;
	return token(l, param ? SQL_PARAM : SQL_WORD, p);
}

struct sql_token sql_lex(struct sql_lex *l)
{
	bool mysql = l->dialect == SQL_MYSQL, clickhouse = l->dialect == SQL_CLICKHOUSE;
	const char *p = l->p;

	if (p == l->end)
		return (struct sql_token){ .kind = SQL_END, .text = { p, 0 } };
	if (is_space(*p)) {
		while (p < l->end && is_space(*p))
			p++;
		return token(l, SQL_SPACE, p);
	}
	if (*p == '\'' || (*p == '"' && mysql))
		return token(l, SQL_STRING, skip_quoted(p + 1, l->end, *p, mysql || clickhouse));
	if (*p == '"' || (*p == '`' && (mysql || clickhouse)))
		return token(l, SQL_NAME, skip_quoted(p + 1, l->end, *p, clickhouse));
	if ((*p == '#' || *p == '@') && l->dialect == SQL_MSSQL)
		return lex_sigil(l);
	if (*p == '[' && l->dialect == SQL_MSSQL)
		return token(l, SQL_NAME, skip_quoted(p + 1, l->end, ']', false));
	if (is_digit(*p) || (*p == '.' && is_digit(peek(l, 1)) &&
	                     (p == l->start || !is_word((unsigned char)p[-1]))))
		return token(l, SQL_NUMBER, skip_number(l));
	if (*p == '$')
		return lex_dollar(l);
	if (is_word((unsigned char)*p))
		return lex_word(l);
	if (*p == '?')
		return token(l, SQL_PARAM, p + 1);
	p = skip_comment(l);
	return p ? token(l, SQL_COMMENT, p) : token(l, SQL_PUNCT, l->p + 1);
}

struct sql_token sql_next(struct sql_lex *l)
{
	struct sql_token t;
	bool spaced = false;

	for (;;) {
		t = sql_lex(l);
		t.spaced = spaced;
		if (t.kind != SQL_SPACE && t.kind != SQL_COMMENT)
			return t;
		spaced = true;
	}
}

struct writer {
	char *out;
	size_t cap, len;
	bool full;
	bool mysql;
	/* A list that is not only of values: it must not look like one when it is cut. */
	bool marked;
	size_t mark; /* where it begins in out */
	unsigned int depth;
};

static void mark(struct writer *w)
{
	if (w->marked)
		return;
	w->marked = true;
	w->mark = w->len;
	w->depth = 0;
}

/* Follows the brackets of such a list up to its end. */
static void track(struct writer *w, struct sql_token t)
{
	if (sql_is(t, '(') || sql_is(t, '['))
		w->depth++;
	else if ((sql_is(t, ')') || sql_is(t, ']')) && w->depth && !--w->depth)
		w->marked = false;
}

static void put(struct writer *w, bool spaced, struct str s)
{
	/* MySQL reads "-- " as a comment, "--/ * * /" not: do not turn one into the other. */
	bool minus = w->mysql && w->len > 1 && !memcmp(w->out + w->len - 2, "--", 2);
	size_t blank = spaced && w->len && !minus;

	if (w->full || s.len + blank > w->cap - w->len) {
		w->full = true;
		return;
	}
	if (blank)
		w->out[w->len++] = ' ';
	memcpy(w->out + w->len, s.s, s.len);
	w->len += s.len;
}

static bool is_value(struct sql_token t)
{
	if (t.kind == SQL_STRING || t.kind == SQL_NUMBER || t.kind == SQL_PARAM)
		return true;
	for (size_t i = 0; t.kind == SQL_WORD && i < sizeof(value_words) / sizeof(*value_words);
	     i++)
		if (str_iis(t.text, value_words[i]))
			return true;
	return false;
}

/*
 * Goes behind the list of which the bracket was just read, if there is nothing
 * but values in it (with signs, casts and brackets of their own). A list that
 * is cut counts too; *closed tells.
 */
static bool skip_values(struct sql_lex *l, bool *closed)
{
	struct sql_lex at = *l;
	unsigned int depth = 1;
	bool any = false, cast = false;

	while (depth) {
		struct sql_token t = sql_next(&at);
		char c = t.kind == SQL_PUNCT ? *t.text.s : 0;

		if (t.kind == SQL_END)
			break;
		if (is_value(t))
			any = true;
		else if (c == '(' || c == '[')
			depth++;
		else if (c == ')' || c == ']')
			depth--;
		else if (!(c && strchr(",+-:", c)) && !(cast && t.kind == SQL_WORD))
			return false;
		cast = c == ':';
	}
	if (!any)
		return false;
	*closed = !depth;
	*l = at;
	return true;
}

/* The further rows of VALUES (..), (..). */
static void skip_rows(struct writer *w, struct sql_lex *l)
{
	bool closed = true;

	while (closed) {
		struct sql_lex at = *l;

		if (!sql_is(sql_next(&at), ',') || !sql_is(sql_next(&at), '('))
			return;
		if (!skip_values(&at, &closed)) {
			mark(w);
			return;
		}
		*l = at;
	}
}

/* The list that t opens, behind the word prev: true if it was written as one. */
static bool put_list(struct writer *w, struct sql_lex *l, struct sql_token prev, struct sql_token t)
{
	bool array = sql_is(t, '['), values = sql_word(prev, "VALUES") || sql_word(prev, "VALUE");
	bool closed;

	if (array ? !sql_word(prev, "ARRAY")
	          : !sql_is(t, '(') || (!values && !sql_word(prev, "IN")))
		return false;
	if (!skip_values(l, &closed)) {
		mark(w);
		return false;
	}
	put(w, t.spaced, t.text);
	put(w, false, STR("?"));
	if (!closed)
		return true;
	put(w, false, array ? STR("]") : STR(")"));
	if (values)
		skip_rows(w, l);
	return true;
}

/* Whether t is the sign of the number behind it, and not an operator between two values. */
static bool is_sign(const struct sql_lex *l, struct sql_token prev, struct sql_token t)
{
	struct sql_lex at = *l;

	if (!sql_is(t, '-') && !sql_is(t, '+'))
		return false;
	if (prev.kind != SQL_PUNCT || strchr(")].", *prev.text.s))
		return false;
	return sql_lex(&at).kind == SQL_NUMBER;
}

static bool is_literal(struct sql_token prev, struct sql_token t)
{
	if (t.kind == SQL_STRING || t.kind == SQL_NUMBER)
		return true;
	return (sql_word(t, "TRUE") || sql_word(t, "FALSE")) && !sql_word(prev, "IS") &&
	       !sql_word(prev, "NOT");
}

size_t sql_normalise(struct str text, enum sql_dialect dialect, char *out, size_t cap)
{
	struct writer w = { .out = out, .cap = cap, .mysql = dialect == SQL_MYSQL };
	struct sql_lex l = sql_lex_of(text, dialect);
	struct sql_token t, prev = { .kind = SQL_END };

	for (t = sql_next(&l); t.kind != SQL_END && !w.full; prev = t, t = sql_next(&l)) {
		if (put_list(&w, &l, prev, t)) {
			t.kind = SQL_PARAM;
			continue;
		}
		if (is_sign(&l, prev, t)) {
			put(&w, t.spaced, STR("?"));
			t = sql_next(&l);
			continue;
		}
		put(&w, t.spaced, is_literal(prev, t) ? STR("?") : t.text);
		track(&w, t);
	}
	return w.full && w.marked ? w.mark : w.len;
}

struct str sql_traceparent(struct str text, enum sql_dialect dialect)
{
	static const char key[] = "traceparent='";
	enum { KEY = sizeof(key) - 1, VALUE = 55 };
	struct sql_lex l = sql_lex_of(text, dialect);
	struct sql_token t;
	const char *p;

	if (!text.len || !memmem(text.s, text.len, key, KEY))
		return (struct str){ "", 0 };
	for (t = sql_lex(&l); t.kind != SQL_END; t = sql_lex(&l)) {
		if (t.kind != SQL_COMMENT)
			continue;
		p = memmem(t.text.s, t.text.len, key, KEY);
		if (p && t.text.s + t.text.len - p > KEY + VALUE && p[KEY + VALUE] == '\'')
			return (struct str){ p + KEY, VALUE };
	}
	return (struct str){ "", 0 };
}
