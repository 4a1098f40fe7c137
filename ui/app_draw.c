// SPDX-License-Identifier: GPL-3.0-or-later
/* app_draw - a frame: three lines of header, the view, the line of keys. */
#include "ui/app_int.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/own.h"

static void clock_text(struct buf *b, double seconds)
{
	int s = seconds > 0 ? (int)seconds : 0;

	buf_fmt(b, "%02d:%02d:%02d", s / 3600, s / 60 % 60, s % 60);
}

static void state(struct app *a, struct buf *b)
{
	if (a->paused)
		buf_z(b, "PAUSED");
	else if (a->opts.replay)
		buf_z(b, a->over ? "REPLAY" : "READING");
	else
		buf_z(b, a->starting       ? "ATTACHING"
		         : a->over         ? "ENDED"
		         : a->targets_gone ? "TARGET GONE"
		                           : "LIVE");
	app_record_sign(a, b);
	buf_z(b, "  ");
	if (a->opts.replay)
		clock_duration(b, a->last_ns - a->first_ns);
	else if (a->opts.keys)
		clock_text(b, 0); /* scripts give the same screen each time */
	else
		clock_text(b, app_clock() - a->begun);
	buf_z(b, "  [?]");
}

static void line_one(struct app *a, struct grid *g)
{
	struct pane *p = app_top(a);
	struct buf right = { 0 };
	int w, n;

	state(a, &right);
	w = g->w - grid_width(g, buf_slice(&right)) - 1;
	n = grid_textf(g, 0, 0, w, ROLE_BAR, "obi %s  %s", p ? p->view->name : a->opts.view,
	               a->opts.target ? a->opts.target : "");
	if (!a->opts.replay && !a->opts.keys && n + 3 < w)
		grid_textf(g, n + 2, 0, w - n - 2, ROLE_DIM, "%s", a->host);
	grid_right(g, 0, 0, g->w, ROLE_BAR, buf_slice(&right));
	buf_free(&right);
}

static void quantile(struct buf *b, const char *label, int64_t ns)
{
	if (ns != COL_NULL && ns >= 0)
		buf_fmt(b, "%s%.3g", label, (double)ns / 1e6);
	else
		buf_fmt(b, "%s-", label);
}

static void rates(const struct app *a, struct buf *b)
{
	double rate = a->total_s > 0 ? (double)a->total.count / a->total_s : 0;

	buf_fmt(b, "req/s %.*f", rate > 0 && rate < 10 ? 1 : 0, rate);
}

static void latencies(const struct app *a, struct buf *b)
{
	const struct agg_row *t = &a->total;

	buf_fmt(b, "err %.1f%%", t->count ? 100.0 * (double)t->errors / (double)t->count : 0);
	quantile(b, " p50 ", t->timed ? t->p50_ns : COL_NULL);
	quantile(b, " p95 ", t->timed ? t->p95_ns : COL_NULL);
	quantile(b, " p99 ", t->timed ? t->p99_ns : COL_NULL);
	buf_z(b, " ms");
}

static uint64_t lost(const struct session_counts *c)
{
	return c->capture.lost + c->lost_output + c->store.evicted[TABLE_SPANS];
}

/* Which buffer lost rows. */
static const char *loser(const struct session_counts *c)
{
	return c->capture.lost                 ? " (ring)"
	       : c->lost_output                ? " (output)"
	       : c->store.evicted[TABLE_SPANS] ? " (store)"
	                                       : "";
}

static void totals(struct app *a, struct buf *b)
{
	const struct session_counts *c = a->counts;

	buf_z(b, "seen ");
	app_count(b, c->tally.seen);
	buf_z(b, " shown ");
	app_count(b, c->tally.shown);
}

static void line_two(struct app *a, struct grid *g)
{
	struct buf left = { 0 }, more = { 0 }, right = { 0 }, gone = { 0 };
	int x, w, spark;

	rates(a, &left);
	latencies(a, &more);
	totals(a, &right);
	buf_z(&gone, " lost ");
	app_count(&gone, lost(a->counts));
	buf_z(&gone, loser(a->counts));
	if (!a->opts.replay && !a->opts.keys)
		buf_fmt(&gone, " | cpu %.1f%%", a->cpu_share);
	w = grid_width(g, buf_slice(&right)) + grid_width(g, buf_slice(&gone));
	x = grid_text(g, 0, 1, g->w - w - 1, ROLE_BAR, buf_slice(&left)) + 1;
	spark = g->w - w - x - grid_width(g, buf_slice(&more)) - 4;
	if (a->npoints && spark >= 8)
		x += grid_spark(g, x, 1, spark < APP_SPARK ? spark : APP_SPARK, ROLE_CHART,
		                a->total.spark, a->npoints) +
		     1;
	if (x < g->w - w - 8)
		grid_text(g, x, 1, g->w - w - x - 2, ROLE_BAR, buf_slice(&more));
	x = g->w - w;
	x += grid_text(g, x, 1, w, ROLE_BAR, buf_slice(&right));
	grid_text(g, x, 1, g->w - x, lost(a->counts) ? ROLE_CURSOR : ROLE_BAR, buf_slice(&gone));
	buf_free(&left), buf_free(&more), buf_free(&right), buf_free(&gone);
}

static void line_three(struct app *a, struct grid *g)
{
	struct stack *s = &a->stacks[a->current];
	struct buf left = { 0 }, right = { 0 };
	struct pane *p = app_top(a);
	int w;

	for (unsigned int i = 0; i < s->n && s->n > 1; i++)
		buf_fmt(&left, "%s%s", i ? " > " : "",
		        s->panes[i]->crumb ? s->panes[i]->crumb : s->panes[i]->view->name);
	if (left.len)
		buf_z(&left, "  ");
	if (p && p->view->status)
		p->view->status(p, &left, &right);
	if (a->paused) {
		buf_z(&right, "  paused, +");
		app_count(&right, a->counts->tally.shown - a->paused_seen);
		buf_z(&right, " new");
	}
	w = grid_width(g, buf_slice(&right));
	grid_text(g, 0, 2, g->w - w - 1, ROLE_DIM, buf_slice(&left));
	grid_right(g, g->w - w, 2, w, a->paused ? ROLE_WARN : ROLE_DIM, buf_slice(&right));
	buf_free(&left), buf_free(&right);
}

/* ---- the last line ---- */

static const char *label_of(enum action act)
{
	static const char *const labels[ACT_MAX] = {
		[ACT_HELP] = "Help",        [ACT_SEARCH] = "Search",  [ACT_FILTER] = "Filter",
		[ACT_SORT] = "Sort",        [ACT_MARK] = "Mark",      [ACT_PAUSE] = "Pause",
		[ACT_RECORD] = "Rec",       [ACT_COMMAND] = "Cmd",    [ACT_SQL] = "SQL",
		[ACT_QUIT] = "Quit",        [ACT_GROUP] = "Group",    [ACT_BASELINE] = "Base",
		[ACT_WINDOW] = "Window",    [ACT_FOLLOW] = "Follow",  [ACT_COLUMNS] = "Columns",
		[ACT_NEXT_ERROR] = "Error", [ACT_WHY] = "Why",        [ACT_PAYLOAD] = "Payload",
		[ACT_COPY] = "Copy",        [ACT_NEXT_PANE] = "Pane", [ACT_BACK] = "Up",
		[ACT_ENTER] = "Open",
	};

	return labels[act];
}

static int put_key(struct grid *g, int x, const char *key, const char *label)
{
	int y = g->h - 1, n = (int)(strlen(key) + strlen(label));

	if (x + n >= g->w)
		return x;
	x += grid_text(g, x, y, g->w - x, ROLE_KEY, str_of(key));
	x += grid_text(g, x, y, g->w - x, ROLE_BAR, str_of(label));
	return x + 1;
}

static int put_action(struct app *a, struct grid *g, int x, enum action act)
{
	struct buf key = { 0 };

	if (act == ACT_RECORD && a->opts.replay)
		return x; /* there it can only say why not */
	keymap_label(a->keys, act, &key);
	buf_ch(&key, 0);
	if (!key.failed && key.len > 1 && label_of(act))
		x = put_key(g, x, key.p, label_of(act));
	buf_free(&key);
	return x;
}

static void key_line(struct app *a, struct grid *g)
{
	struct pane *p = app_top(a);
	int x = put_action(a, g, 0, ACT_HELP), end;

	/* How to get out is always there. */
	end = g->w - 8;
	for (int i = 0; p && i < VIEW_OFFERS && p->view->offers[i] && x < end - 8; i++)
		x = put_action(a, g, x, p->view->offers[i]);
	for (int i = 0; p && i < VIEW_KEYS && p->view->keys[i].key && x < end - 8; i++)
		if (p->view->keys[i].label)
			x = put_key(g, x, p->view->keys[i].key, p->view->keys[i].label);
	put_action(a, g, x < end ? x : end, ACT_QUIT);
}

static void last_line(struct app *a, struct grid *g, int *cx, int *cy)
{
	if (a->prompt.open)
		prompt_draw(&a->prompt, g, (struct rect){ 0, g->h - 2, g->w, 2 }, cx, cy);
	else if (a->said[0])
		grid_text(g, 0, g->h - 1, g->w, ROLE_WARN, str_of(a->said));
	else
		key_line(a, g);
}

static void attaching(struct app *a, struct grid *g)
{
	struct buf t = { 0 };

	if (a->opts.progress && a->opts.progress->probes)
		buf_fmt(&t, "%u/%u, ", a->opts.progress->attached, a->opts.progress->probes);
	clock_text(&t, app_clock() - a->begun);
	grid_textf(g, 2, APP_HEAD + 2, g->w - 4, ROLE_TEXT, "%s (%.*s)",
	           a->opts.replay ? "opening the recording" : "attaching probes",
	           STR_ARG(buf_slice(&t)));
	buf_free(&t);
}

static void write_screen(struct app *a)
{
	int fd = own_create(a->screen_to);
	struct buf out = { 0 };

	grid_print(&a->grid, &out);
	if (fd < 0 || out.failed || write(fd, out.p, out.len) != (ssize_t)out.len)
		app_say(a, "cannot write %s", a->screen_to);
	if (fd >= 0)
		close(fd);
	buf_free(&out);
	a->screen_to[0] = 0;
}

static void draw_view(struct app *a, struct grid *g, int *cx, int *cy)
{
	struct rect r = { 0, APP_HEAD, g->w, g->h - APP_HEAD - 1 };
	struct pane *p = app_top(a);

	line_one(a, g);
	line_two(a, g);
	line_three(a, g);
	if (!p)
		attaching(a, g);
	else if (a->help)
		help_draw(a, r);
	else
		p->view->draw(p, g, r);
	if (a->menu.open)
		menu_draw(&a->menu, g, r);
	last_line(a, g, cx, cy);
}

void app_draw(struct app *a)
{
	struct grid *g = &a->grid;
	int cx = -1, cy = 0;

	grid_clear(g, (struct rect){ 0, 0, g->w, g->h });
	if (g->w < APP_LEAST_W || g->h < APP_LEAST_H)
		grid_textf(g, 0, 0, g->w, ROLE_WARN, "obi needs %dx%d, this is %dx%d", APP_LEAST_W,
		           APP_LEAST_H, g->w, g->h);
	else
		draw_view(a, g, &cx, &cy);
	if (a->screen_to[0])
		write_screen(a);
	if (a->screen)
		screen_show(a->screen, g, cx, cy);
}
