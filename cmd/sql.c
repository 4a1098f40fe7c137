// SPDX-License-Identifier: GPL-3.0-or-later
/* obi sql - questions in SQL, to a recording or to what is being captured. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "cmd/live.h"
#include "cmd/shell.h"
#include "cmd/tui.h"

/* A recording is read whole before it is asked; it may take more room than a live capture. */
static const size_t recording_bytes = (size_t)4 << 30;

enum { PATIENCE_MS = 60000 }; /* at a prompt someone can press Ctrl-C */

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

/* ---- one answer ---- */

/* `--recipe help`: nothing is captured or read for it. */
static int list_recipes(void)
{
	char *dir = user_queries();
	struct recipes *recipes = recipes_load(dir);

	if (recipes)
		shell_recipes(&(struct shell){ .recipes = recipes }, "");
	recipes_free(recipes);
	free(dir);
	return recipes ? STATUS_OK : STATUS_ERROR;
}

static int ask_recipe(struct shell *sh, const struct options *o)
{
	const struct recipe *r;
	const char *bad;

	r = recipe_find(sh->recipes, o->recipe);
	if (!r)
		return usage_error("sql", "no recipe %s; --recipe help lists them", o->recipe);
	bad = shell_params(sh, r, o->defines.v, o->defines.n);
	if (bad)
		return usage_error("sql", "%s: %s has no such parameter", bad, r->name);
	return shell_statement(sh, r->sql) ? STATUS_ERROR : STATUS_OK;
}

static int ask_statements(struct shell *sh, const struct options *o)
{
	int status = STATUS_OK, e;

	for (size_t i = 0; i < o->args.n; i++) {
		e = shell_statement(sh, o->args.v[i]);
		if (e == -EPIPE)
			return STATUS_OK;
		status = e ? STATUS_ERROR : status;
	}
	return status;
}

/* ---- the shell ---- */

/* Whether the message lines of the capture go above the prompt. */
static bool prompting;

static void say(void *ctx, enum level level, const char *text)
{
	const struct options *o = ctx;

	if (level == LEVEL_DEBUG ? !o->verbose : level != LEVEL_ERROR && o->quiet)
		return;
	if (__atomic_load_n(&prompting, __ATOMIC_RELAXED))
		shell_line_say(text);
	else
		fprintf(stderr, "obi: %s\n", text);
}

static int at_prompt(struct shell *sh)
{
	struct live *l = sh->tick_ctx;

	switch (live_check(l, 0)) {
	case LIVE_STOPPED:
		return 1;
	case LIVE_ENDED:
		if (!l->explained && !l->opts.nrecordings)
			shell_line_say("the target is gone; what it did is still here");
		l->explained = true;
		break;
	case LIVE_RUNS:
		break;
	}
	return 0;
}

static void name_source(const struct options *o, struct buf *out)
{
	const char *slash = o->read.n ? strrchr(o->read.v[0], '/') : NULL;

	if (!o->read.n)
		buf_z(out, o->duration_ns || o->command ? "captured" : "live");
	else
		buf_z(out, slash ? slash + 1 : o->read.v[0]);
	if (o->read.n > 1)
		buf_fmt(out, " and %zu more", o->read.n - 1);
	buf_ch(out, 0);
}

/* .view: the rows as a table of the interface; back to the prompt when it is left. */
static int view(struct shell *sh, const char *sql, char *err)
{
	struct live *l = sh->view_ctx;
	const char *params[2 * SHELL_PARAMS];
	int e;

	for (size_t i = 0; i < sh->nparams; i++) {
		params[2 * i] = sh->params[i].name;
		params[2 * i + 1] = sh->params[i].value;
	}
	shell_catch(false);
	e = tui_rows(l, sql, params, sh->nparams, err);
	shell_catch(true);
	err_set_sink(say, (void *)(uintptr_t)l->o);
	return e;
}

static int prompt(struct shell *sh, const struct options *o)
{
	char *history = shell_history_path();
	struct buf source = { 0 };
	int e;

	name_source(o, &source);
	sh->history = history;
	shell_line_open(sh);
	__atomic_store_n(&prompting, true, __ATOMIC_RELAXED);
	shell_banner(sh, source.p ? source.p : "");
	e = shell_run(sh, stdin);
	__atomic_store_n(&prompting, false, __ATOMIC_RELAXED);
	shell_line_close(sh);
	buf_free(&source);
	free(history);
	return e == -ENOMEM ? STATUS_ERROR
	                    : STATUS_OK; /* what was mistyped is no error of the run */
}

static int ask(struct shell *sh, const struct options *o)
{
	int e;

	if (o->recipe)
		return ask_recipe(sh, o);
	if (o->args.n)
		return ask_statements(sh, o);
	if (sh->prompt)
		return prompt(sh, o);
	e = shell_run(sh, stdin);
	return e && e != -EPIPE ? STATUS_ERROR : STATUS_OK;
}

/* ---- the command ---- */

static int with_shell(struct live *l, const struct options *o, bool prompts)
{
	struct sql_limits limits = { .timeout_ms = prompts ? PATIENCE_MS : 0 };
	char *dir = user_queries();
	struct shell sh = { .prompt = prompts, .tick = at_prompt, .tick_ctx = l };
	struct recipes *recipes = recipes_load(dir);
	int status = STATUS_ERROR;

	if (prompts) {
		sh.view = view;
		sh.view_ctx = l;
	}
	sh.recipes = recipes;
	sh.sql = sql_open(session_store(l->session), &limits);
	sh.out = table_new(stdout, mode_of(o));
	shell_open(&sh, mode_of(o));
	if (sh.recipes && sh.sql && sh.out)
		status = ask(&sh, o);
	shell_close(&sh);
	table_free(sh.out);
	sql_close(sh.sql);
	recipes_free(recipes);
	free(dir);
	return status;
}

/*
 * A statement is asked when the capture has ended, and so is everything where
 * that end is known; a shell asks at once, while rows come in.
 */
static int gather_and_ask(struct live *l, const struct options *o)
{
	bool asks = !o->args.n && !o->recipe;
	bool prompts = asks && isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
	bool ends = o->read.n || o->duration_ns || o->command || !asks;
	int status, stopped;

	if (ends) {
		live_run(l, NULL);
		stopped = live_stop(l, NULL);
		l->explained = true;
		live_forget_stop();
		status = with_shell(l, o, prompts);
	} else {
		status = with_shell(l, o, prompts);
		l->silent = !prompts;
		stopped = live_stop(l, NULL);
	}
	return status ? status : stopped;
}

static int sql_command(const struct options *o)
{
	struct live l;
	int status;

	if (o->recipe && !strcmp(o->recipe, "help"))
		return list_recipes();
	live_init(&l, o);
	err_set_sink(say, (void *)(uintptr_t)o);
	l.silent = true;
	l.opts.store = true;
	if (o->read.n && !o->mem_bytes)
		l.opts.mem_bytes = recording_bytes;
	status = live_start(&l);
	if (!status)
		status = gather_and_ask(&l, o);
	live_free(&l);
	return status;
}

const struct cmd cmd_sql = {
	.name = "sql",
	.args = "[TARGET | -r FILE] [STATEMENT...] [-- CMD]",
	.brief = "ask what was captured, in SQL",
	.examples = {
		{ "obi sql -r run.otlp 'select count(*) from spans'", "one question" },
		{ "obi sql -r run.otlp --recipe red", "rates, errors, durations" },
		{ "obi sql -r run.otlp --recipe n_plus_one -D more_than=5", "with a parameter" },
		{ "obi sql -r run.otlp < script.sql", "statements of a file" },
		{ "obi sql -p 4242", "a prompt, live" },
		{ "obi sql -p 4242 -d 10s 'select op, p95(dur_ms) from spans group by 1'",
		  "ten seconds, then one answer" },
	},
	.takes_args = true,
	.takes_cmd = true,
	.run = sql_command,
};
