// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * shell_complete - what may stand at the cursor.
 *
 * Behind FROM and JOIN stand tables; elsewhere columns, of the tables that the
 * statement names and else of all, functions and words of SQL. "s." is one of
 * its tables by alias. Nothing is offered inside a text or a comment.
 */
#include "cmd/shell_complete.h"

#include <stdlib.h>

#include "cmd/shell.h"
#include "span/span.h"

enum { ALL_TABLES = (1u << TABLE_MAX) - 1, ARGS = 16 };

static const char *const keywords[] = {
	"and",   "as",     "asc",      "between",   "by",        "case",   "cast",      "collate",
	"cross", "desc",   "distinct", "else",      "end",       "except", "exists",    "explain",
	"from",  "glob",   "group",    "having",    "in",        "inner",  "intersect", "is",
	"join",  "left",   "like",     "limit",     "not",       "null",   "offset",    "on",
	"or",    "order",  "over",     "partition", "recursive", "select", "then",      "union",
	"using", "values", "when",     "where",     "window",    "with",
};

/* ---- the list ---- */

static bool begins(const char *name, struct str with)
{
	return strlen(name) >= with.len && !strncasecmp(name, with.s, with.len);
}

static void offer(struct shell_completions *l, struct str before, const char *name,
                  const char *behind)
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

static void sort(struct shell_completions *l)
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

void shell_complete_free(struct shell_completions *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->v[i]);
	free(l->v);
	*l = (struct shell_completions){ 0 };
}

/* ---- the statement ---- */

static bool is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_' || (unsigned char)c >= 0x80;
}

size_t shell_complete_word(const char *text, size_t at)
{
	bool command = text[strspn(text, " \t")] == '.';

	while (at && (is_word(text[at - 1]) || text[at - 1] == '.' ||
	              (command && !strchr(" \t\"'", text[at - 1]))))
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

static void offer_tables(struct shell_completions *l, struct str word)
{
	for (int t = 0; t < TABLE_MAX; t++)
		if (begins(tables[t].name, word))
			offer(l, STR(""), tables[t].name, "");
}

static void offer_columns(struct shell_completions *l, struct str before, struct str word,
                          unsigned int of)
{
	for (unsigned int t = 0; t < TABLE_MAX; t++)
		for (unsigned int i = 0; of & 1u << t && i < tables[t].ncolumns; i++)
			if (begins(tables[t].columns[i].name, word))
				offer(l, before, tables[t].columns[i].name, "");
}

static void offer_words(const struct shell_names *names, struct shell_completions *l,
                        struct str word)
{
	bool upper = word.len && word.s[0] >= 'A' && word.s[0] <= 'Z';

	if (!word.len)
		return; /* too many to be of help */
	for (size_t i = 0; i < names->n_functions; i++)
		if (begins(names->functions[i], word))
			offer(l, STR(""), names->functions[i], "(");
	for (size_t i = 0; i < sizeof(keywords) / sizeof(keywords[0]); i++) {
		char text[16] = "";

		for (size_t k = 0; keywords[i][k]; k++)
			text[k] = (char)(upper ? keywords[i][k] & ~32 : keywords[i][k]);
		if (begins(text, word))
			offer(l, STR(""), text, "");
	}
}

static void statement(const struct shell_names *names, const char *text, size_t from, size_t at,
                      struct shell_completions *l)
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
		offer_tables(l, word);
	} else {
		offer_columns(l, before, word, sc.tables ? sc.tables : ALL_TABLES);
		offer_tables(l, word);
		offer_words(names, l, word);
	}
}

/* ---- dot commands ---- */

static void offer_recipes(const struct shell_names *names, struct shell_completions *l,
                          struct str word)
{
	const struct recipe *r;

	for (size_t i = 0; names->recipes && (r = recipe_at(names->recipes, i)); i++)
		if (begins(r->name, word))
			offer(l, STR(""), r->name, "");
}

static void offer_params(const struct shell_names *names, struct shell_completions *l,
                         const char *recipe, struct str word)
{
	const struct recipe *r = names->recipes ? recipe_find(names->recipes, recipe) : NULL;

	for (size_t i = 0; r && i < r->nparams; i++)
		if (begins(r->params[i].name, word))
			offer(l, STR(""), r->params[i].name, "=");
}

static void argument(const struct shell_names *names, char **words, size_t n, struct str word,
                     struct shell_completions *l)
{
	static const char *const switches[] = { "on", "off" };
	const char *cmd = words[0];

	if (!strcmp(cmd, ".schema")) {
		offer_tables(l, word);
	} else if (!strcmp(cmd, ".run") && n > 1) {
		offer_params(names, l, words[1], word);
	} else if (!strcmp(cmd, ".run") || !strcmp(cmd, ".recipes")) {
		offer_recipes(names, l, word);
	} else if (!strcmp(cmd, ".mode")) {
		for (unsigned int i = 0; table_mode_name(i); i++)
			if (begins(table_mode_name(i), word))
				offer(l, STR(""), table_mode_name(i), "");
	} else if (!strcmp(cmd, ".headers") || !strcmp(cmd, ".timer")) {
		for (size_t i = 0; i < 2; i++)
			if (begins(switches[i], word))
				offer(l, STR(""), switches[i], "");
	} else {
		l->files = !strcmp(cmd, ".export") || !strcmp(cmd, ".output") ||
		           !strcmp(cmd, ".read");
	}
}

static void command(const struct shell_names *names, const char *text, size_t from, size_t at,
                    struct shell_completions *l)
{
	struct str word = { text + from, at - from };
	char *before = strndup(text, from), *words[ARGS];
	const char *name;
	size_t n = before ? shell_words(before, words, ARGS) : 0;

	for (size_t i = 0; !n && (name = shell_dot_name(i)); i++)
		if (begins(name, word))
			offer(l, STR(""), name, "");
	if (n)
		argument(names, words, n, word, l);
	free(before);
}

void shell_complete_at(const struct shell_names *names, const char *text, size_t from, size_t at,
                       struct shell_completions *out)
{
	*out = (struct shell_completions){ 0 };
	if (text[strspn(text, " \t")] == '.')
		command(names, text, from, at, out);
	else
		statement(names, text, from, at, out);
	sort(out);
}
