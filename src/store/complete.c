// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * complete - what may stand at the cursor of a statement.
 *
 * Behind FROM and JOIN stand tables; elsewhere columns, of the tables that the
 * statement names and else of all, functions and words of SQL. "s." is one of
 * its tables by alias. Nothing is offered inside a text or a comment.
 */
#include "store/complete.h"

#include <stdlib.h>

#include "span/span.h"

enum { ALL_TABLES = (1u << TABLE_MAX) - 1 };

static const char *const keywords[] = {
	"and",   "as",     "asc",      "between",   "by",        "case",   "cast",      "collate",
	"cross", "desc",   "distinct", "else",      "end",       "except", "exists",    "explain",
	"from",  "glob",   "group",    "having",    "in",        "inner",  "intersect", "is",
	"join",  "left",   "like",     "limit",     "not",       "null",   "offset",    "on",
	"or",    "order",  "over",     "partition", "recursive", "select", "then",      "union",
	"using", "values", "when",     "where",     "window",    "with",
};

/* ---- the list ---- */

bool complete_fits(const char *name, struct str with)
{
	return strlen(name) >= with.len && !strncasecmp(name, with.s, with.len);
}

void complete_offer(struct completions *l, struct str before, const char *name, const char *behind)
{
	struct buf b = { 0 };

	if (l->n == l->cap) {
		size_t cap = l->cap ? l->cap * 2 : 64;
		char **v = reallocarray(l->v, cap, sizeof(*v));

		if (!v)
			return;
		l->v = v;
		l->cap = cap;
	}
	buf_str(&b, before);
	buf_z(&b, name);
	buf_z(&b, behind);
	buf_ch(&b, 0);
	l->v[l->n] = b.failed ? NULL : b.p;
	l->n += !b.failed;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

void complete_sort(struct completions *l)
{
	size_t kept = 0;

	if (l->n)
		qsort(l->v, l->n, sizeof(*l->v), by_name);
	for (size_t i = 0; i < l->n; i++)
		if (kept && !strcmp(l->v[kept - 1], l->v[i]))
			free(l->v[i]);
		else
			l->v[kept++] = l->v[i];
	l->n = kept;
}

void complete_free(struct completions *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->v[i]);
	free(l->v);
	*l = (struct completions){ 0 };
}

/* ---- the statement ---- */

static bool is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_' || (unsigned char)c >= 0x80;
}

size_t complete_word(const char *text, size_t at)
{
	while (at && (is_word(text[at - 1]) || text[at - 1] == '.'))
		at--;
	return at;
}

/*
 * The next word or sign from *p, comments, texts and blanks passed over; in
 * *open whether a text or a comment goes on to the end. s == NULL: the end.
 */
static struct str next_token(const char **p, const char *end, bool *open)
{
	const char *s = *p, *start;
	char quote;

	for (;;) {
		while (s < end && strchr(" \t\r\n", *s))
			s++;
		if (end - s >= 2 && s[0] == '-' && s[1] == '-') {
			while (s < end && *s != '\n')
				s++;
			*open = s == end;
		} else if (end - s >= 2 && s[0] == '/' && s[1] == '*') {
			start = memmem(s + 2, (size_t)(end - s - 2), "*/", 2);
			*open = !start;
			s = start ? start + 2 : end;
		} else if (s < end && (*s == '\'' || *s == '"')) {
			quote = *s;
			start = memchr(s + 1, quote, (size_t)(end - s - 1));
			*open = !start;
			s = start ? start + 1 : end;
		} else {
			break;
		}
	}
	start = s;
	while (s < end && is_word(*s))
		s++;
	s += s == start && s < end;
	*p = s;
	return start < end ? (struct str){ start, (size_t)(s - start) } : STR_NULL;
}

static int table_of(struct str name)
{
	for (int t = 0; t < TABLE_MAX; t++)
		if (str_iis(name, tables[t].name))
			return t;
	return -1;
}

struct scene {
	unsigned int tables;   /* that the statement names */
	unsigned int by_alias; /* of the word before the dot */
	bool wants_table;      /* behind FROM, JOIN, or a comma among tables */
	bool closed;           /* inside a text or a comment: nothing to offer */
};

/* Tables and their aliases, over the whole text: "from spans s", "join connections as c". */
static void find_tables(const char *text, struct str alias, struct scene *sc)
{
	const char *p = text, *end = text + strlen(text);
	int last = -1;
	bool open;
	struct str t;

	while ((t = next_token(&p, end, &open)).s) {
		int table = table_of(t);

		if (table >= 0) {
			sc->tables |= 1u << table;
			if (alias.len && str_ieq(alias, t))
				sc->by_alias |= 1u << table;
		} else if (str_iis(t, "as")) {
			continue;
		} else if (last >= 0 && alias.len && str_ieq(alias, t)) {
			sc->by_alias |= 1u << last;
		}
		last = table;
	}
}

/* What stands before the word decides between tables and the rest. */
static void look_before(const char *text, size_t from, struct scene *sc)
{
	const char *p = text;
	bool among = false; /* behind FROM, before WHERE and the like */
	struct str t, last = STR_NULL;

	while ((t = next_token(&p, text + from, &sc->closed)).s) {
		if (str_iis(t, "from") || str_iis(t, "join"))
			among = true;
		else if (str_iis(t, "where") || str_iis(t, "group") || str_iis(t, "order") ||
		         str_iis(t, "select") || str_iis(t, "on") || str_is(t, "("))
			among = false;
		last = t;
	}
	sc->wants_table = among &&
	                  (str_iis(last, "from") || str_iis(last, "join") || str_is(last, ","));
}

void complete_tables(struct completions *l, struct str word)
{
	for (int t = 0; t < TABLE_MAX; t++)
		if (complete_fits(tables[t].name, word))
			complete_offer(l, STR(""), tables[t].name, "");
}

static void offer_columns(struct completions *l, struct str before, struct str word,
                          unsigned int of)
{
	for (unsigned int t = 0; t < TABLE_MAX; t++)
		for (unsigned int i = 0; of & 1u << t && i < tables[t].ncolumns; i++)
			if (complete_fits(tables[t].columns[i].name, word))
				complete_offer(l, before, tables[t].columns[i].name, "");
}

static void offer_words(const struct complete_names *names, struct completions *l, struct str word)
{
	bool upper = word.len && word.s[0] >= 'A' && word.s[0] <= 'Z';

	if (!word.len)
		return; /* too many to be of help */
	for (size_t i = 0; i < names->n_functions; i++)
		if (complete_fits(names->functions[i], word))
			complete_offer(l, STR(""), names->functions[i], "(");
	for (size_t i = 0; i < sizeof(keywords) / sizeof(keywords[0]); i++) {
		char text[16] = "";

		for (size_t k = 0; keywords[i][k]; k++)
			text[k] = (char)(upper ? keywords[i][k] & ~32 : keywords[i][k]);
		if (complete_fits(text, word))
			complete_offer(l, STR(""), text, "");
	}
}

void complete_sql(const struct complete_names *names, const char *text, size_t from, size_t at,
                  struct completions *l)
{
	struct str word = { text + from, at - from }, before = STR("");
	const char *dot = memrchr(word.s, '.', word.len);
	struct scene sc = { 0 };

	look_before(text, from, &sc);
	if (sc.closed)
		return;
	if (dot) {
		before = (struct str){ word.s, (size_t)(dot + 1 - word.s) };
		word = (struct str){ dot + 1, word.len - before.len };
	}
	find_tables(text, dot ? str_head(before, before.len - 1) : STR(""), &sc);
	if (dot) {
		offer_columns(l, before, word, sc.by_alias);
	} else if (sc.wants_table) {
		complete_tables(l, word);
	} else {
		offer_columns(l, before, word, sc.tables ? sc.tables : ALL_TABLES);
		complete_tables(l, word);
		offer_words(names, l, word);
	}
}
