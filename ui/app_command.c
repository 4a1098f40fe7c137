// SPDX-License-Identifier: GPL-3.0-or-later
/* app_command - the commands of `:`. */
#include "ui/app_int.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"

static int need_pane(struct app *a, const void *fn, char *err)
{
	return app_top(a) && fn ? 0 : err_set(err, ENOTSUP, "not in this view");
}

static int cmd_write(struct app *a, const char *arg, char *err)
{
	struct pane *p = app_top(a);

	if (!*arg)
		return err_set(err, EINVAL, "say where to: :write FILE.csv, FILE.json");
	return p && p->view->write ? p->view->write(p, arg, err) : need_pane(a, NULL, err);
}

static int cmd_columns(struct app *a, const char *arg, char *err)
{
	struct pane *p = app_top(a);

	return p && p->view->columns ? p->view->columns(p, *arg ? arg : NULL, err)
	                             : need_pane(a, NULL, err);
}

static int cmd_record(struct app *a, const char *arg, char *err)
{
	return app_record(a, *arg ? arg : NULL, err);
}

static int cmd_screen(struct app *a, const char *arg, char *err)
{
	if (!*arg)
		return err_set(err, EINVAL, "say where to: :screen FILE");
	snprintf(a->screen_to, sizeof(a->screen_to), "%s", arg);
	return 0;
}

/* A query of queries/ or of the user's folder: NAME, and parameters behind. */
static int named_query(struct app *a, const char *arg, char *err)
{
	char name[64];

	snprintf(name, sizeof(name), "%.*s", (int)strcspn(arg, " "), arg);
	if (!app_recipes(a) || !recipe_find(app_recipes(a), name))
		return err_set(err, ENOENT, "no view \"%s\"; Tab lists them", name);
	return app_open(a, "query", arg, name, err);
}

static int cmd_view(struct app *a, const char *arg, char *err)
{
	for (unsigned int i = 0; app_view(i); i++)
		if (!strcmp(app_view(i)->name, arg))
			return app_show(a, i, err);
	return named_query(a, arg, err);
}

static int cmd_pipeline(struct app *a, const char *arg, char *err)
{
	struct buf b = { 0 };

	(void)arg;
	if (!a->session)
		return err_set(err, EAGAIN, "nothing runs yet");
	session_describe(a->session, &b);
	for (size_t i = 0; i < b.len; i++)
		b.p[i] = b.p[i] == '\n' ? ';' : b.p[i];
	app_say(a, "%.*s", STR_ARG(buf_slice(&b)));
	buf_free(&b);
	return 0;
}

static int cmd_quit(struct app *a, const char *arg, char *err)
{
	(void)arg, (void)err;
	a->quit = true;
	return 0;
}

static int cmd_help(struct app *a, const char *arg, char *err)
{
	(void)arg, (void)err;
	a->help = 1;
	return 0;
}

static int set_theme(struct app *a, const char *name, char *err)
{
	const struct theme *t = theme_find(name);

	if (!t)
		return err_set(err, EINVAL, "no theme \"%s\"; there are dark, light, mono, cb",
		               name);
	a->theme = t;
	if (a->screen)
		screen_theme(a->screen, t);
	return 0;
}

static int set_ascii(struct app *a, const char *value, char *err)
{
	bool on = strcmp(value, "off") != 0;

	if (!on && !screen_utf8())
		return err_set(err, EINVAL, "the locale shows ASCII only");
	a->grid.ascii = on;
	return 0;
}

static int cmd_set(struct app *a, const char *arg, char *err)
{
	char name[16], value[32] = "";

	if (sscanf(arg, "%15s %31s", name, value) < 1)
		return err_set(err, EINVAL, ":set theme dark|light|mono|cb, :set ascii on|off");
	if (!strcmp(name, "theme"))
		return set_theme(a, value, err);
	if (!strcmp(name, "ascii"))
		return set_ascii(a, value, err);
	return err_set(err, EINVAL, "no setting \"%s\"; there are theme, ascii", name);
}

static const struct {
	const char *name, *usage, *help;
	int (*run)(struct app *a, const char *arg, char *err);
} commands[] = {
	{ "write", ":write FILE", "marked rows, or all, to FILE.csv, .json, .otlp, .db",
	  cmd_write },
	{ "columns", ":columns a,b,+c,-d", "columns; without: the default", cmd_columns },
	{ "record", ":record [FILE]", "record into FILE from now on; without: on, off",
	  cmd_record },
	{ "set", ":set theme mono", "theme dark|light|mono|cb, ascii on|off", cmd_set },
	{ "view", ":view NAME [limit=9]", "another view, or a ready query", cmd_view },
	{ "screen", ":screen FILE", "this screen as text", cmd_screen },
	{ "pipeline", ":pipeline", "nodes and queues: fill, high water, drops", cmd_pipeline },
	{ "help", ":help", "keys", cmd_help },
	{ "quit", ":quit", "quit", cmd_quit },
};

enum { NCOMMANDS = sizeof(commands) / sizeof(*commands) };

static size_t count_views(void)
{
	size_t n = 0;

	while (app_view(n))
		n++;
	return n;
}

const char *app_command_word(struct pane *p, size_t i)
{
	static const char *const more[] = { "theme", "dark", "light", "mono", "cb", "ascii" };

	const struct recipe *r;

	if (i < NCOMMANDS)
		return commands[i].name;
	i -= NCOMMANDS;
	if (i < sizeof(more) / sizeof(*more))
		return more[i];
	i -= sizeof(more) / sizeof(*more);
	if (i < count_views())
		return app_view(i)->name;
	r = p && app_recipes(p->app) ? recipe_at(app_recipes(p->app), i - count_views()) : NULL;
	return r ? r->name : NULL;
}

void app_command_help(size_t i, const char **usage, const char **help)
{
	*usage = i < NCOMMANDS ? commands[i].usage : NULL;
	*help = i < NCOMMANDS ? commands[i].help : NULL;
}

/* By the whole name, or the beginning of just one; :q is :quit. */
int app_command(struct app *a, const char *line, char *err)
{
	size_t n;

	line += strspn(line, " ");
	n = strcspn(line, " ");
	if (!n)
		return 0;
	for (size_t i = 0; i < NCOMMANDS; i++)
		if (!strncmp(commands[i].name, line, n)) {
			const char *arg = line + n;

			return commands[i].run(a, arg + strspn(arg, " "), err);
		}
	return err_set(err, EINVAL, "no command \"%.*s\"; Tab lists them", (int)n, line);
}
