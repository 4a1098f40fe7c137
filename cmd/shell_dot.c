// SPDX-License-Identifier: GPL-3.0-or-later
/* shell_dot - the commands that begin with a dot. */
#include <errno.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/own.h"
#include "cmd/shell.h"
#include "cmd/suggest.h"

enum { WORDS = 32, WIDTHS = 64 };

struct args {
	char **v;
	size_t n;
};

struct dot {
	const char *name, *args, *help;
	/* 0, 1: the shell ends, or -errno, said on stderr */
	int (*run)(struct shell *s, struct args a);
};

static int wrong(const char *what, const char *hint)
{
	fprintf(stderr, "obi: %s%s\n", what, hint);
	return -EINVAL;
}

static int usage(const char *text)
{
	fprintf(stderr, "obi: usage: %s\n", text);
	return -EINVAL;
}

/* A switch: on or off; without a word the other way round. */
static int turn(bool *what, struct args a, const char *text)
{
	if (a.n && strcmp(a.v[0], "on") != 0 && strcmp(a.v[0], "off") != 0)
		return usage(text);
	*what = a.n ? !strcmp(a.v[0], "on") : !*what;
	return 0;
}

/* ---- what there is ---- */

static int do_tables(struct shell *s, struct args a)
{
	(void)a;
	return shell_tables(s);
}

static int do_schema(struct shell *s, struct args a)
{
	(void)s;
	return shell_schema(a.n ? a.v[0] : NULL);
}

static int do_recipes(struct shell *s, struct args a)
{
	const struct recipe *r = a.n ? recipe_find(s->recipes, a.v[0]) : NULL;

	if (r)
		shell_recipe_help(r);
	else
		shell_recipes(s, a.n ? a.v[0] : "");
	return 0;
}

static int no_recipe(const struct shell *s, const char *name)
{
	struct suggest g = { .word = name };
	char text[SUGGEST_TEXT];
	const struct recipe *r;

	for (size_t i = 0; (r = recipe_at(s->recipes, i)); i++)
		suggest_offer(&g, r->name);
	fprintf(stderr, "obi: no recipe %s; .recipes lists them.%s\n", name,
	        suggest_text(&g, "", text));
	return -ENOENT;
}

static int do_run(struct shell *s, struct args a)
{
	const struct recipe *r;
	const char *bad;

	if (!a.n)
		return usage(".run NAME [PARAMETER=VALUE ...]");
	r = recipe_find(s->recipes, a.v[0]);
	if (!r)
		return no_recipe(s, a.v[0]);
	bad = shell_params(s, r, (const char *const *)a.v + 1, a.n - 1);
	if (!bad)
		return shell_statement(s, r->sql);
	fprintf(stderr, "obi: %s: %s has no such parameter\n", bad, r->name);
	for (size_t i = 0; i < r->nparams; i++)
		fprintf(stderr, "  %s=%s  %s\n", r->params[i].name,
		        r->params[i].def ? r->params[i].def : "", r->params[i].help);
	return -EINVAL;
}

/* ---- how it is shown ---- */

static int do_mode(struct shell *s, struct args a)
{
	struct suggest g = { .word = a.n ? a.v[0] : "" };
	char text[SUGGEST_TEXT];
	enum table_mode m;

	if (!a.n) {
		printf("%s\n", table_mode_name(s->mode));
		return 0;
	}
	m = table_mode_of(a.v[0]);
	if (m < TABLE_MODES) {
		s->mode = m;
		return 0;
	}
	fprintf(stderr, "obi: no mode %s; there are", a.v[0]);
	for (unsigned int i = 0; table_mode_name(i); i++) {
		fprintf(stderr, "%s %s", i ? "," : "", table_mode_name(i));
		suggest_offer(&g, table_mode_name(i));
	}
	fprintf(stderr, ".%s\n", suggest_text(&g, "", text));
	return -EINVAL;
}

static int do_headers(struct shell *s, struct args a)
{
	if (!a.n || turn(&s->no_heads, a, ""))
		return usage(".headers on|off");
	s->no_heads = !s->no_heads;
	table_heads(s->out, !s->no_heads);
	return 0;
}

static int do_timer(struct shell *s, struct args a)
{
	return turn(&s->timer, a, ".timer on|off");
}

static int do_width(struct shell *s, struct args a)
{
	int widths[WIDTHS] = { 0 };
	uint64_t n;

	s->wide = a.n == 1 && !strcmp(a.v[0], "off");
	if (s->wide)
		return table_widths(s->out, widths, 0);
	for (size_t i = 0; i < a.n; i++) {
		if (!str_u64(str_of(a.v[i]), &n) || n > 10000 || a.n > WIDTHS)
			return usage(".width [off | WIDTH ...]");
		widths[i] = (int)n;
	}
	return table_widths(s->out, widths, a.n);
}

/* ---- where it goes ---- */

static FILE *create(const char *path)
{
	int fd = own_create(path);
	FILE *f = fd < 0 ? NULL : fdopen(fd, "w");

	if (!f)
		fprintf(stderr, "obi: cannot write %s: %s\n", path, strerror(fd < 0 ? -fd : errno));
	return f;
}

static int do_output(struct shell *s, struct args a)
{
	FILE *f = NULL;
	int e = 0;

	if (a.n && !(f = create(a.v[0])))
		return -EIO;
	if (s->to && fclose(s->to)) {
		e = -errno;
		fprintf(stderr, "obi: cannot write %s: %s\n", s->to_path, strerror(-e));
	}
	free(s->to_path);
	s->to = f;
	s->to_path = f ? strdup(a.v[0]) : NULL;
	return e;
}

/* By the name of the file; CSV where it says nothing. */
static enum table_mode mode_by_name(const char *path)
{
	static const struct {
		const char *end;
		enum table_mode mode;
	} list[] = { { ".json", TABLE_JSON },
		     { ".jsonl", TABLE_JSON },
		     { ".tsv", TABLE_TABS },
		     { ".md", TABLE_MARKDOWN },
		     { ".txt", TABLE_TEXT } };
	const char *dot = strrchr(path, '.');

	for (size_t i = 0; dot && i < sizeof(list) / sizeof(list[0]); i++)
		if (!strcmp(dot, list[i].end))
			return list[i].mode;
	return TABLE_CSV;
}

static int do_export(struct shell *s, struct args a)
{
	uint64_t rows = 0;
	FILE *f;
	int e;

	if (a.n != 1)
		return usage(".export FILE.csv|.json|.tsv|.md|.txt");
	if (!s->last)
		return wrong("there is no statement to export; ask something first", "");
	f = create(a.v[0]);
	if (!f)
		return -EIO;
	e = shell_again(s, f, mode_by_name(a.v[0]), &rows);
	if (fclose(f) && !e) {
		e = -errno;
		fprintf(stderr, "obi: cannot write %s: %s\n", a.v[0], strerror(-e));
	}
	if (!e)
		printf("wrote %llu row%s to %s\n", (unsigned long long)rows, rows == 1 ? "" : "s",
		       a.v[0]);
	return e;
}

static int do_watch(struct shell *s, struct args a)
{
	char *end = NULL;
	double seconds = a.n ? strtod(a.v[0], &end) : 2;

	if ((end && *end) || !(seconds >= 0.1 && seconds <= 86400))
		return usage(".watch SECONDS, at least 0.1");
	shell_watch(s, seconds);
	return 0;
}

static int do_view(struct shell *s, struct args a)
{
	char err[ERR_TEXT] = "";
	int e;

	(void)a;
	if (!s->view || !s->last) {
		shell_page_again(s);
		return 0;
	}
	e = s->view(s, s->last, err);
	if (e)
		fprintf(stderr, "obi: %s\n", err[0] ? err : strerror(-e));
	return e;
}

/* ---- the rest ---- */

static int do_read(struct shell *s, struct args a)
{
	FILE *f;
	int e;

	if (a.n != 1)
		return usage(".read FILE");
	if (s->depth > 8)
		return wrong("files that read files, too deep: ", a.v[0]);
	f = fopen(a.v[0], "re");
	if (!f) {
		fprintf(stderr, "obi: cannot read %s: %s\n", a.v[0], strerror(errno));
		return -ENOENT;
	}
	s->depth++;
	e = shell_run(s, f);
	s->depth--;
	fclose(f);
	return e;
}

static int do_quit(struct shell *s, struct args a)
{
	(void)s, (void)a;
	return 1;
}

static int do_help(struct shell *s, struct args a);

static const struct dot dots[] = {
	{ ".tables", "", "the tables and how many rows they hold", do_tables },
	{ ".schema", "[TABLE]", "their columns and what they mean", do_schema },
	{ ".recipes", "[NAME]", "ready queries; of one, its parameters", do_recipes },
	{ ".run", "NAME [P=VALUE ...]", "runs one", do_run },
	{ ".mode", "table|json|csv|tabs|line|markdown", "form of the rows", do_mode },
	{ ".headers", "on|off", "names of the columns", do_headers },
	{ ".width", "[off | N ...]", "widths of columns, 0: as needed; off: nothing is cut",
	  do_width },
	{ ".timer", "on|off", "rows, time and rows read below a result", do_timer },
	{ ".watch", "[SECONDS]", "the last statement again and again; Ctrl-C ends it", do_watch },
	{ ".view", "", "its rows to look around in", do_view },
	{ ".export", "FILE", "its rows to a file: .csv .json .tsv .md .txt", do_export },
	{ ".output", "[FILE]", "all rows to a file from here on; without one: here", do_output },
	{ ".read", "FILE", "statements of a file", do_read },
	{ ".help", "", "this list", do_help },
	{ ".quit", "", "or Ctrl-D", do_quit },
};

enum { DOTS = sizeof(dots) / sizeof(dots[0]) };

static int do_help(struct shell *s, struct args a)
{
	(void)s, (void)a;
	for (size_t i = 0; i < DOTS; i++) {
		int n = printf("%s %s", dots[i].name, dots[i].args);

		printf("%*s%s\n", n < 27 ? 28 - n : 2, "", dots[i].help);
	}
	printf("A statement ends with ; and may have several lines. Tab completes names.\n"
	       "Ctrl-C stops a statement, at the prompt it clears the line; a statement that\n"
	       "begins with a space is not kept in the history.\n");
	return 0;
}

const char *shell_dot_name(size_t i)
{
	return i < DOTS ? dots[i].name : NULL;
}

size_t shell_words(char *line, char **words, size_t max)
{
	size_t n = 0;

	while (n < max) {
		char *out;
		char quote = 0;

		line += strspn(line, " \t\n");
		if (!*line)
			break;
		words[n++] = out = line;
		for (; *line && (quote || !strchr(" \t\n", *line)); line++) {
			if (quote ? *line == quote : *line == '"' || *line == '\'')
				quote = quote ? 0 : *line;
			else
				*out++ = *line;
		}
		line += *line != 0;
		*out = 0;
	}
	return n;
}

/* `.tab` is enough where only one command begins so. */
static const struct dot *find(const char *name)
{
	const struct dot *found = NULL;
	size_t len = strlen(name);

	if (!strcmp(name, ".exit"))
		name = ".quit";
	for (size_t i = 0; i < DOTS; i++)
		if (!strcmp(dots[i].name, name))
			return &dots[i];
	for (size_t i = 0; i < DOTS; i++) {
		if (len < 2 || strncmp(dots[i].name, name, len) != 0)
			continue;
		if (found)
			return NULL;
		found = &dots[i];
	}
	return found;
}

static int unknown(const char *name)
{
	struct suggest g = { .word = name };
	char text[SUGGEST_TEXT];

	for (size_t i = 0; i < DOTS; i++)
		suggest_offer(&g, dots[i].name);
	fprintf(stderr, "obi: no such command: %s; .help lists them.%s\n", name,
	        suggest_text(&g, "", text));
	return -ENOENT;
}

int shell_dot(struct shell *s, const char *line)
{
	char *copy = strdup(line), *words[WORDS];
	const struct dot *d;
	size_t n;
	int e;

	if (!copy)
		return -ENOMEM;
	n = strlen(copy);
	while (n && strchr(" \t;", copy[n - 1])) /* out of habit */
		copy[--n] = 0;
	n = shell_words(copy, words, WORDS);
	d = n ? find(words[0]) : NULL;
	if (d)
		e = d->run(s, (struct args){ words + 1, n - 1 });
	else
		e = unknown(n ? words[0] : ".");
	free(copy);
	fflush(stdout);
	return e;
}
