// SPDX-License-Identifier: GPL-3.0-or-later
/* shell_show - what there is to ask: tables, columns, recipes; the first lines of the shell. */
#include <errno.h>
#include <stdlib.h>

#include "base/err.h"
#include "cmd/shell.h"
#include "cmd/suggest.h"
#include "span/span.h"

static const char *const about[TABLE_MAX] = {
	[TABLE_SPANS] = "requests",
	[TABLE_CONNECTIONS] = "connections, decoded or not",
	[TABLE_PROCESSES] = "who was seen",
	[TABLE_CAPTURE] = "what was seen and lost, by stage",
};

/* The first row of an answer, as text. */
struct first {
	char cells[8][64];
};

static int first_row(void *ctx, int n, const char *const *texts, const int *lens, const int *types)
{
	struct first *f = ctx;

	(void)types;
	for (int i = 0; i < n && i < 8; i++)
		snprintf(f->cells[i], sizeof(f->cells[i]), "%.*s", texts[i] ? lens[i] : 0,
		         texts[i] ? texts[i] : "");
	return 0;
}

static struct first ask(struct shell *s, const char *sql)
{
	struct first f = { 0 };
	struct sql_sink sink = { .row = first_row, .ctx = &f };

	(void)sql_run(s->sql, sql, &sink, NULL);
	return f;
}

static void count_rows(struct shell *s, enum table t, char out[64])
{
	char sql[128];

	snprintf(sql, sizeof(sql), "SELECT printf('%%,d', count(*)) FROM %s", tables[t].name);
	memcpy(out, ask(s, sql).cells[0], 64);
}

int shell_tables(struct shell *s)
{
	char rows[64];

	for (unsigned int t = 0; t < TABLE_MAX; t++) {
		count_rows(s, (enum table)t, rows);
		printf("%-12s %10s rows  %s\n", tables[t].name, rows, about[t] ? about[t] : "");
	}
	return 0;
}

/* ---- columns ---- */

static const char *type_of(enum col_type t)
{
	switch (t) {
	case COL_I:
	case COL_V:
		return "INTEGER";
	case COL_B:
		return "BOOLEAN";
	case COL_MS:
		return "REAL";
	default:
		return "TEXT";
	}
}

static void show_table(const struct table_def *t)
{
	int widest = 0;

	for (unsigned int i = 0; i < t->ncolumns; i++)
		widest = (int)strlen(t->columns[i].name) > widest ? (int)strlen(t->columns[i].name)
		                                                  : widest;
	printf("CREATE TABLE %s (\n", t->name);
	for (unsigned int i = 0; i < t->ncolumns; i++) {
		const struct column *c = &t->columns[i];
		const char *comma = i + 1 == t->ncolumns ? "" : ",";

		printf("  %-*s %s%s%*s -- %s\n", widest, c->name, type_of(c->type), comma,
		       (int)(8 - strlen(type_of(c->type)) - strlen(comma)), "", c->help);
	}
	printf(");\n");
}

int shell_schema(const char *name)
{
	struct suggest g = { .word = name ? name : "" };
	char text[SUGGEST_TEXT];
	bool found = false;

	for (int t = 0; t < TABLE_MAX; t++) {
		suggest_offer(&g, tables[t].name);
		if (name && strcasecmp(name, tables[t].name) != 0)
			continue;
		show_table(&tables[t]);
		found = true;
	}
	if (found)
		return 0;
	fprintf(stderr, "obi: no table %s; .tables lists them.%s\n", name,
	        suggest_text(&g, "", text));
	return -ENOENT;
}

/* ---- recipes ---- */

/* One of the user's own hides the built-in one of its name. */
static bool hidden(const struct shell *s, const struct recipe *r)
{
	return recipe_find(s->recipes, r->name) != r;
}

void shell_recipes(const struct shell *s, const char *part)
{
	const struct recipe *r;

	for (size_t i = 0; (r = recipe_at(s->recipes, i)); i++)
		if (!hidden(s, r) && (strcasestr(r->name, part) || strcasestr(r->title, part)))
			printf("%-20s %s\n", r->name, r->title);
}

void shell_recipe_help(const struct recipe *r)
{
	printf("%s: %s\n", r->name, r->title);
	for (size_t i = 0; i < r->nparams; i++) {
		const struct recipe_param *p = &r->params[i];

		printf("  %s=%s  %s, %s\n", p->name, p->def ? p->def : "...", p->type, p->help);
	}
	printf("\n%s", r->sql);
}

/* ---- banner ---- */

void shell_banner(struct shell *s, const char *source)
{
	struct first f = ask(s, "SELECT sqlite_version(),"
	                        " substr(min(time), 12, 8),"
	                        " printf('%02d:%02d:%02d', span_secs() / 3600,"
	                        "        span_secs() / 60 % 60, span_secs() % 60)"
	                        " FROM spans");
	char rows[64];

	printf("obi %s  SQLite %s  %s\n", OBI_VERSION, f.cells[0], source);
	for (unsigned int t = 0; t < TABLE_MAX; t++) {
		count_rows(s, (enum table)t, rows);
		if (t != TABLE_CAPTURE && (t == TABLE_SPANS || strcmp(rows, "0") != 0))
			printf("%s%s %s", t ? ", " : "", rows, tables[t].name);
	}
	if (f.cells[1][0])
		printf("; %s from %s UTC", f.cells[2], f.cells[1]);
	putchar('\n');
	printf("Statements end with ;   .tables  .schema spans  .recipes  .help   Ctrl-D leaves\n");
}
