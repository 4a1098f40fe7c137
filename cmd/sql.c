// SPDX-License-Identifier: GPL-3.0-or-later
/* obi sql - questions in SQL, to a recording or to what is being captured. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/live.h"
#include "cmd/shell.h"

/* A recording is read whole before it is asked; it may take more room than a live capture. */
static const size_t recording_bytes = (size_t)4 << 30;

static enum table_mode mode_of(const struct options *o)
{
	return o->form == FORM_JSON ? TABLE_JSON : o->form == FORM_CSV ? TABLE_CSV : TABLE_TEXT;
}

/* $XDG_CONFIG_HOME/obi/queries or ~/.config/obi/queries; NULL: no home. */
static char *user_queries(void)
{
	const char *base = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
	char *path = NULL;

	if (base && *base)
		return asprintf(&path, "%s/obi/queries", base) < 0 ? NULL : path;
	if (home)
		return asprintf(&path, "%s/.config/obi/queries", home) < 0 ? NULL : path;
	return NULL;
}

static int set_params(struct shell *sh, const struct recipe *r, const struct options *o)
{
	for (size_t i = 0; i < r->nparams; i++)
		if (sql_param(sh->sql, r->params[i].name, r->params[i].def))
			return STATUS_ERROR;
	for (size_t i = 0; i < o->defines.n; i++) {
		const char *eq = strchr(o->defines.v[i], '=');
		char *name = eq ? strndup(o->defines.v[i], (size_t)(eq - o->defines.v[i])) : NULL;
		bool known = false;

		for (size_t k = 0; name && k < r->nparams; k++)
			known = known || !strcmp(r->params[k].name, name);
		if (known && !sql_param(sh->sql, name, eq + 1)) {
			free(name);
			continue;
		}
		free(name);
		return usage_error("sql", "%s: %s has no such parameter", o->defines.v[i], r->name);
	}
	return 0;
}

static int ask_recipe(struct shell *sh, const struct options *o)
{
	const struct recipe *r;
	int status;

	if (!strcmp(o->recipe, "help")) {
		for (size_t i = 0; (r = recipe_at(sh->recipes, i)); i++)
			printf("%-16s %s\n", r->name, r->title);
		return 0;
	}
	r = recipe_find(sh->recipes, o->recipe);
	if (!r)
		return usage_error("sql", "no recipe %s; --recipe help lists them", o->recipe);
	status = set_params(sh, r, o);
	return status ? status : shell_statement(sh, r->sql) ? STATUS_ERROR : 0;
}

static int ask(struct shell *sh, const struct options *o)
{
	int status = 0, e;

	if (o->recipe)
		return ask_recipe(sh, o);
	for (size_t i = 0; i < o->args.n; i++) {
		e = shell_statement(sh, o->args.v[i]);
		if (e == -EPIPE)
			return STATUS_OK;
		status = e ? STATUS_ERROR : status;
	}
	if (o->args.n)
		return status;
	sh->prompt = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
	if (sh->prompt)
		printf("Statements end with ;   .help for help, Ctrl-D to leave\n");
	e = shell_run(sh, stdin);
	return e && e != -EPIPE ? STATUS_ERROR : STATUS_OK;
}

/* With a statement given, a live capture is asked at its end; a prompt asks at once. */
static void gather(struct live *l, const struct options *o)
{
	bool prompt = !o->args.n && !o->recipe && !o->read.n && !o->duration_ns;

	if (!prompt)
		live_run(l, NULL);
}

static int with_shell(struct live *l, const struct options *o)
{
	struct sql_limits limits = { 0 };
	char *dir = user_queries();
	struct shell sh = { 0 };
	int status = STATUS_ERROR;

	sh.recipes = recipes_load(dir);
	sh.sql = sql_open(session_store(l->session), &limits);
	sh.out = table_new(stdout, mode_of(o));
	if (sh.recipes && sh.sql && sh.out)
		status = ask(&sh, o);
	table_free(sh.out);
	sql_close(sh.sql);
	recipes_free((struct recipes *)(uintptr_t)sh.recipes);
	free(dir);
	return status;
}

static int sql_command(const struct options *o)
{
	struct live l;
	int status, stopped;

	live_init(&l, o);
	l.silent = true;
	l.opts.store = true;
	if (o->read.n && !o->mem_bytes)
		l.opts.mem_bytes = recording_bytes;
	status = live_start(&l);
	if (!status) {
		gather(&l, o);
		if (o->read.n || o->args.n || o->recipe) {
			stopped = live_stop(&l, NULL);
			status = with_shell(&l, o);
		} else {
			status = with_shell(&l, o);
			stopped = live_stop(&l, NULL);
		}
		status = status ? status : stopped;
	}
	live_free(&l);
	return status;
}

const struct cmd cmd_sql = {
	.name = "sql",
	.args = "[TARGET | -r FILE] [STATEMENT...]",
	.brief = "ask what was captured, in SQL",
	.examples = {
		{ "obi sql -r run.otlp 'select count(*) from spans'", "one question" },
		{ "obi sql -r run.otlp --recipe red", "rates, errors, durations" },
		{ "obi sql -r run.otlp --recipe slow -D limit=5", "with a parameter" },
		{ "obi sql -r run.otlp < script.sql", "statements of a file" },
		{ "obi sql -p 4242", "a prompt, live" },
		{ "obi sql -p 4242 -d 10s 'select op, p95(dur_ms) from spans group by 1'",
		  "ten seconds, then one answer" },
	},
	.takes_args = true,
	.run = sql_command,
};
