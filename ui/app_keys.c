// SPDX-License-Identifier: GPL-3.0-or-later
/* app_keys - what a key does: what is typed, the keys of all views, those of the view on top. */
#include "ui/app_int.h"

#include <errno.h>
#include <stdio.h>

#include "base/err.h"

static const int64_t window_lengths[] = { 10000000000LL, 60000000000LL, 300000000000LL, 0 };

static void next_window(struct app *a)
{
	size_t n = sizeof(window_lengths) / sizeof(*window_lengths), i = 0;
	struct buf text = { 0 };

	while (i < n && window_lengths[i] != a->window_ns)
		i++;
	a->window_ns = window_lengths[i + 1 < n ? i + 1 : i == n ? 0 : i + 1 - n];
	a->window_back_ns = 0;
	app_window_text(a, 0, &text);
	app_say(a, "window: %.*s", STR_ARG(buf_slice(&text)));
	buf_free(&text);
}

static void move_window(struct app *a, int by)
{
	int64_t step = a->window_ns > 0 ? a->window_ns : 60000000000LL;
	struct buf text = { 0 };

	if (a->window_ns <= 0)
		a->window_ns = step;
	a->window_back_ns += by * step;
	if (a->window_back_ns < 0)
		a->window_back_ns = 0;
	app_window_text(a, 0, &text);
	app_say(a, "window: %.*s", STR_ARG(buf_slice(&text)));
	buf_free(&text);
}

static void pause_screen(struct app *a)
{
	a->paused = !a->paused;
	a->paused_seen = a->counts->tally.shown;
	a->more = !a->paused;
	app_say(a, a->paused ? "paused: the capture goes on" : "going on");
}

static int run_command(struct pane *p, const char *text, char *err)
{
	return p ? app_command(p->app, text, err) : -EAGAIN;
}

static void command_line(struct app *a)
{
	struct prompt_spec spec = { .label = ":", .done = run_command, .word = app_command_word };

	app_prompt(a, &spec);
}

static void sql_over(struct app *a, struct pane *p)
{
	char err[ERR_TEXT] = "";
	struct buf sql = { 0 };

	if (p->view->sql)
		p->view->sql(p, &sql);
	buf_ch(&sql, 0);
	if (sql.failed || app_open(a, "sql", sql.p, "sql", err))
		app_say(a, "%s", err);
	buf_free(&sql);
}

static void copy(struct app *a, struct pane *p)
{
	struct buf text = { 0 };

	if (p->view->copy)
		p->view->copy(p, &text);
	if (text.len) {
		app_copy(a, buf_slice(&text));
		app_say(a, "%zu bytes to the clipboard of the terminal", text.len);
	} else {
		app_say(a, "nothing to copy here");
	}
	buf_free(&text);
}

static void numbered(struct app *a, int number)
{
	char err[ERR_TEXT] = "";

	for (unsigned int i = 0; app_view(i); i++)
		if (app_view(i)->number == number) {
			if (app_show(a, i, err))
				app_say(a, "%s", err);
			return;
		}
	app_say(a, "view %d is not in this version", number);
}

static void mouse_on(struct app *a)
{
	a->mouse = !a->mouse;
	if (a->screen)
		screen_mouse(a->screen, a->mouse);
	app_say(a, a->mouse ? "mouse on: hold Shift to select text"
	                    : "mouse off: the terminal selects text");
}

static void record(struct app *a)
{
	char err[ERR_TEXT] = "";

	if (app_record(a, NULL, err))
		app_say(a, "%s", err);
}

/* What is the same in every view. */
static bool global(struct app *a, struct pane *p, enum action act)
{
	switch (act) {
	case ACT_VIEW_1:
	case ACT_VIEW_2:
		numbered(a, act == ACT_VIEW_1 ? 1 : 2);
		return true;
	case ACT_VIEW_7:
	case ACT_VIEW_8:
		numbered(a, act == ACT_VIEW_7 ? 7 : 8);
		return true;
	case ACT_QUIT:
	case ACT_BACK:
		if (act == ACT_QUIT || a->stacks[a->current].n > 1)
			app_back(a);
		return true;
	case ACT_INTERRUPT:
		a->quit = true;
		return true;
	case ACT_HELP:
		a->help = 1;
		return true;
	case ACT_PAUSE:
		pause_screen(a);
		return true;
	case ACT_WINDOW:
		next_window(a);
		return true;
	case ACT_WINDOW_BACK:
		move_window(a, 1);
		return true;
	case ACT_WINDOW_FORWARD:
		move_window(a, -1);
		return true;
	case ACT_COPY:
		copy(a, p);
		return true;
	case ACT_RECORD:
		record(a);
		return true;
	case ACT_COMMAND:
		command_line(a);
		return true;
	case ACT_SQL:
		sql_over(a, p);
		return true;
	case ACT_MOUSE:
		mouse_on(a);
		return true;
	case ACT_REDRAW:
		if (a->screen)
			screen_redraw(a->screen);
		return true;
	case ACT_SUSPEND:
		if (a->screen)
			screen_suspend(a->screen);
		return true;
	default:
		return false;
	}
}

static bool is_mouse(const struct key *k)
{
	return !strcmp(k->name, "<Click>") || !strncmp(k->name, "<Wheel", 6);
}

static void to_view(struct app *a, struct pane *p, const struct key *k, enum action act)
{
	enum handled h = UI_IGNORED;

	if (is_mouse(k))
		h = p->view->mouse ? p->view->mouse(p, k) : UI_IGNORED;
	else if (p->view->act)
		h = p->view->act(p, act, k->name);
	if (!h && !is_mouse(k) && !global(a, p, act) && act)
		app_say(a, "%s: not in this view", keymap_help(act));
	if (h & UI_REFRESH)
		a->more = true;
	if (h & UI_QUIT)
		app_back(a);
	/* The view has heard of the window by its own act(); all ask again. */
	if (act == ACT_WINDOW || act == ACT_WINDOW_BACK || act == ACT_WINDOW_FORWARD)
		a->more = true;
}

void app_key(struct app *a, const struct key *k)
{
	enum action act = keymap_action(a->keys, k->name);
	struct pane *p = app_top(a);

	a->dirty = true;
	a->said[0] = 0;
	if (a->prompt.open) {
		enum handled h = prompt_key(&a->prompt, k);

		a->more = a->more || (h & UI_REFRESH);
	} else if (a->menu.open) {
		a->more = (menu_key(&a->menu, k, act) & UI_REFRESH) || a->more;
	} else if (a->help) {
		help_key(a, act);
	} else if (p && a->grid.w >= APP_LEAST_W && a->grid.h >= APP_LEAST_H) {
		to_view(a, p, k, act);
	} else if (act == ACT_QUIT || act == ACT_INTERRUPT) {
		a->quit = true;
	}
}
