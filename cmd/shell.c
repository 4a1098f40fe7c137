// SPDX-License-Identifier: GPL-3.0-or-later
/* shell - statements from standard input. */
#include "cmd/shell.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <readline/history.h>
#include <readline/readline.h>

#include "base/err.h"
#include "span/span.h"

/* Whose statement Ctrl-C stops; a signal handler can be told in no other way. */
static struct sqlh *volatile running;

static void on_interrupt(int sig)
{
	(void)sig;
	if (running)
		sql_cancel(running);
}

int shell_statement(struct shell *s, const char *sql)
{
	struct sigaction act = { .sa_handler = on_interrupt }, old;
	char err[ERR_TEXT] = "";
	int e;

	running = s->sql;
	sigaction(SIGINT, &act, &old);
	e = sql_run(s->sql, sql, table_sink(s->out), err);
	sigaction(SIGINT, &old, NULL);
	running = NULL;
	if (table_end(s->out))
		return -EPIPE;
	if (e)
		fprintf(stderr, "obi: %s\n", err[0] ? err : strerror(-e));
	return e;
}

static void show_tables(void)
{
	for (int t = 0; t < TABLE_MAX; t++)
		printf("%s\n", tables[t].name);
}

/* `.schema [TABLE]`: each column with what it means. */
static void show_schema(const char *name)
{
	for (int t = 0; t < TABLE_MAX; t++) {
		if (*name && strcmp(name, tables[t].name) != 0)
			continue;
		printf("%s\n", tables[t].name);
		for (unsigned int i = 0; i < tables[t].ncolumns; i++)
			printf("  %-16s %s\n", tables[t].columns[i].name,
			       tables[t].columns[i].help);
	}
}

static void show_recipes(const struct recipes *r)
{
	const struct recipe *q;

	for (size_t i = 0; (q = recipe_at(r, i)); i++)
		printf("%-16s %s\n", q->name, q->title);
}

static int run_recipe(struct shell *s, const char *name)
{
	const struct recipe *q = recipe_find(s->recipes, name);

	if (!q) {
		fprintf(stderr, "obi: no recipe %s; see .recipes\n", name);
		return -ENOENT;
	}
	for (size_t i = 0; i < q->nparams; i++)
		(void)sql_param(s->sql, q->params[i].name, q->params[i].def);
	return shell_statement(s, q->sql);
}

static const char help_text[] = ".tables          the tables\n"
				".schema [TABLE]  their columns and what they mean\n"
				".recipes         ready queries\n"
				".run NAME        runs one\n"
				".quit            or Ctrl-D\n"
				"A statement ends with ; and may have several lines.\n";

/* A line that begins with a dot. 1: the shell ends. */
static int dot_command(struct shell *s, char *line)
{
	char *arg = line + strcspn(line, " \t");
	size_t len;

	if (*arg)
		*arg++ = 0;
	arg += strspn(arg, " \t");
	len = strlen(arg);
	while (len && strchr(" \t;", arg[len - 1]))
		arg[--len] = 0;
	if (!strcmp(line, ".quit") || !strcmp(line, ".exit"))
		return 1;
	if (!strcmp(line, ".help"))
		fputs(help_text, stdout);
	else if (!strcmp(line, ".tables"))
		show_tables();
	else if (!strcmp(line, ".schema"))
		show_schema(arg);
	else if (!strcmp(line, ".recipes"))
		show_recipes(s->recipes);
	else if (!strcmp(line, ".run"))
		(void)run_recipe(s, arg);
	else
		fprintf(stderr, "obi: no such command: %s; try .help\n", line);
	fflush(stdout);
	return 0;
}

/* The next line without its newline; NULL at the end. Freed by the caller. */
static char *next_line(struct shell *s, FILE *in, bool more)
{
	char *line = NULL;
	size_t cap = 0;
	ssize_t n;

	if (s->prompt) {
		line = readline(more ? "  -> " : "obi> ");
		if (line && *line)
			add_history(line);
		return line;
	}
	n = getline(&line, &cap, in);
	if (n < 0) {
		free(line);
		return NULL;
	}
	line[strcspn(line, "\n")] = 0;
	return line;
}

int shell_run(struct shell *s, FILE *in)
{
	struct buf text = { 0 };
	char *line;
	int e, last = 0;

	while ((line = next_line(s, in, text.len > 0))) {
		if (!text.len && line[0] == '.') {
			e = dot_command(s, line);
			free(line);
			if (e)
				break;
			continue;
		}
		buf_z(&text, line);
		buf_add(&text, "\n\0", 2); /* a NUL behind it: sql_complete() wants one */
		text.len--;
		free(line);
		if (!sql_complete(text.p))
			continue;
		e = shell_statement(s, text.p);
		last = e ? e : last;
		buf_clear(&text);
		if (e == -EPIPE)
			break;
	}
	if (text.len > 1 && last != -EPIPE) {
		e = shell_statement(s, text.p);
		last = e ? e : last;
	}
	buf_free(&text);
	return last;
}
