// SPDX-License-Identifier: GPL-3.0-or-later
/* view_top - groups of requests: what is slow or fails, and why. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "ui/top.h"

enum { LOWER_LEAST = 16 /* lines of the view, from here on it has a lower half */ };

/* --columns is of the view that was started. */
static const char *own_columns(const struct ui_opts *o)
{
	return o->columns && !strcmp(o->view, "top") ? o->columns : "";
}

static int top_open(struct pane *p, char *err)
{
	const struct ui_opts *o = app_opts(p->app);
	struct top *t = p->state;
	struct rank_spec spec = { 0 };
	const char *by[AGG_BY];
	int e;

	t->pane = p;
	t->depth = 1;
	snprintf(t->levels[0].by, TOP_NAMES, "%s", o->by ? o->by : "service,name");
	e = rank_by(t->levels[0].by, by, err);
	if (e > 0 && o->sort) {
		e = rank_sort(o->sort, by, t->levels[0].sort, &spec, err);
		t->levels[0].asc = spec.asc;
	}
	snprintf(t->columns, sizeof(t->columns), "%s", own_columns(o));
	e = e < 0 ? e : top_regroup(t, err);
	return e ? e : top_show(t, t->columns, err);
}

static void top_close(struct pane *p)
{
	struct top *t = p->state;

	top_lower_free(&t->lower);
	agg_view_free(t->view);
	agg_view_free(t->trial);
	rank_expr_free(t->alert);
	rank_free(&t->rank);
	rank_free(&t->base);
	for (unsigned int i = 0; i < t->depth; i++)
		free(t->levels[i].where);
	free(t->where);
}

static int top_view_ask(struct pane *p, int budget_ms, char *err)
{
	return top_ask(p->state, budget_ms, err);
}

/* ---- frame ---- */

static void say_empty(struct top *t, struct grid *g, struct rect r)
{
	const char *filter = t->where && *t->where ? t->where : app_opts(t->pane->app)->filter;

	if (r.h < 4)
		return;
	grid_textf(g, r.x + 4, r.y + 2, r.w - 4, ROLE_TEXT, "%s",
	           app_over(t->pane->app) ? "No requests in this window."
	                                  : "Waiting for requests.");
	if (filter && *filter)
		grid_textf(g, r.x + 4, r.y + 3, r.w - 4, ROLE_DIM, "Filter: %s", filter);
}

static void top_draw(struct pane *p, struct grid *g, struct rect r)
{
	struct top *t = p->state;
	struct rect list = r, lower = r;

	t->ascii = g->ascii;
	if (r.h >= LOWER_LEAST) {
		list.h = r.h * 45 / 100;
		lower.y = r.y + list.h;
		lower.h = r.h - list.h;
		top_lower_draw(t, g, lower);
	}
	tbl_draw(&t->table, g, list);
	if (!t->rank.n)
		say_empty(t, g, list);
}

static void top_status(struct pane *p, struct buf *left, struct buf *right)
{
	struct top *t = p->state;

	buf_z(left, "Group: ");
	for (unsigned int i = 0; i < t->depth; i++)
		buf_fmt(left, "%s%s", i ? " > " : "", t->levels[i].by);
	if (t->where && *t->where)
		buf_fmt(left, "  Filter: %s", t->where);
	else if (app_opts(p->app)->filter)
		buf_fmt(left, "  Filter: %s", app_opts(p->app)->filter);
	app_count(right, t->rank.answer.n);
	buf_fmt(right, " groups  sort: %s  ", top_level(t)->sort);
	if (t->percent < 100)
		buf_fmt(right, "partial %u%%  ", t->percent);
	if (t->evicted)
		buf_fmt(right, "%llu evicted  ", (unsigned long long)t->evicted);
	if (t->table.hidden)
		buf_fmt(right, "+%u col  ", t->table.hidden);
	app_window_text(p->app, app_opts(p->app)->replay ? 0 : 60000000000LL, right);
}

/* ---- keys ---- */

static enum handled next_pane(struct top *t, int step)
{
	t->focus = (enum top_focus)((t->focus + TOP_PANES + (unsigned int)step) % TOP_PANES);
	return UI_HANDLED | UI_REDRAW;
}

static enum handled in_calls(struct top *t, enum action a)
{
	struct top_lower *l = &t->lower;

	switch (a) {
	case ACT_UP:
		l->call -= l->call > 0;
		return UI_HANDLED | UI_REDRAW;
	case ACT_DOWN:
		l->call += l->call + 1 < l->ncalls;
		return UI_HANDLED | UI_REDRAW;
	case ACT_FIRST:
		l->call = 0;
		return UI_HANDLED | UI_REDRAW;
	case ACT_LAST:
		l->call = l->ncalls ? l->ncalls - 1 : 0;
		return UI_HANDLED | UI_REDRAW;
	case ACT_ENTER:
		return top_to_call(t);
	default:
		return UI_IGNORED;
	}
}

static enum handled column_menu(struct top *t);

static enum handled list_action(struct top *t, enum action a)
{
	switch (a) {
	case ACT_FILTER:
		top_filter_prompt(t);
		return UI_HANDLED;
	case ACT_SEARCH:
		top_search_prompt(t);
		return UI_HANDLED;
	case ACT_SORT:
		top_sort_menu(t);
		return UI_HANDLED;
	case ACT_GROUP:
		top_group_menu(t);
		return UI_HANDLED;
	case ACT_COLUMNS:
		return column_menu(t);
	case ACT_SORT_PREV:
	case ACT_SORT_NEXT:
		return top_sort(t, tbl_sort_by(&t->table, a == ACT_SORT_NEXT ? 1 : -1), false);
	case ACT_INVERT:
		return top_sort(t, NULL, true);
	case ACT_BASELINE:
		return top_baseline(t);
	case ACT_NEXT_PANE:
	case ACT_PREV_PANE:
		return next_pane(t, a == ACT_NEXT_PANE ? 1 : -1);
	case ACT_WINDOW:
	case ACT_WINDOW_BACK:
	case ACT_WINDOW_FORWARD:
		t->again = true;
		return UI_IGNORED;
	default:
		return UI_IGNORED;
	}
}

static enum handled back(struct top *t)
{
	if (t->focus != TOP_GROUPS) {
		t->focus = TOP_GROUPS;
		return UI_HANDLED | UI_REDRAW;
	}
	return top_out(t) ? UI_HANDLED | UI_REDRAW | UI_REFRESH : UI_IGNORED;
}

static enum handled top_act(struct pane *p, enum action a, const char *key)
{
	struct top *t = p->state;
	enum handled h;

	(void)key;
	if (!a)
		return UI_IGNORED;
	h = t->focus == TOP_CALLS ? in_calls(t, a) : UI_IGNORED;
	h = h ? h : list_action(t, a);
	if (h)
		return h;
	if (a == ACT_BACK || a == ACT_QUIT)
		return back(t);
	if (a == ACT_ENTER)
		return top_into(t);
	h = tbl_act(&t->table, a);
	if (h & UI_REDRAW) {
		t->moved = true;
		h |= UI_REFRESH;
	}
	return h;
}

static enum handled top_mouse(struct pane *p, const struct key *k)
{
	struct top *t = p->state;
	const struct tbl_col *sort;
	enum handled h = tbl_mouse(&t->table, k, &sort);

	if (sort)
		return top_sort(t, sort, false);
	if (h & UI_REDRAW) {
		t->moved = true;
		h |= UI_REFRESH;
	}
	return h;
}

static void column_chosen(struct pane *p, struct menu_item *item)
{
	struct top *t = p->state;

	for (unsigned int i = 0; i < t->table.ncols; i++)
		if (!strcmp(t->cols[i].name, item->name))
			t->table.shown[i] = item->on;
}

static enum handled column_menu(struct top *t)
{
	struct menu_spec spec = { .title = "Columns", .chosen = column_chosen, .switches = true };

	for (unsigned int i = 0; i < t->table.ncols && spec.n < MENU_ITEMS; i++)
		spec.items[spec.n++] = (struct menu_item){
			.name = t->cols[i].name,
			.help = t->cols[i].help,
			.on = t->table.shown[i],
		};
	app_menu(t->pane->app, &spec);
	return UI_HANDLED;
}

/* ---- what is asked from outside ---- */

static void top_sql(struct pane *p, struct buf *out)
{
	struct top *t = p->state;

	buf_fmt(out,
	        "select %s, count(*) as count, sum(error) as errors, p50(dur_ms) as p50_ms,"
	        " p95(dur_ms) as p95_ms, p99(dur_ms) as p99_ms, max(dur_ms) as max_ms from spans",
	        top_level(t)->by);
	if (t->where && *t->where)
		buf_fmt(out, " where %s", t->where);
	buf_fmt(out, " group by %s order by sum(dur_ms) desc", top_level(t)->by);
}

static void top_copy(struct pane *p, struct buf *out)
{
	struct top *t = p->state;

	if (top_row(t))
		tbl_copy(&t->table, t->table.cursor, out);
}

static int top_view_columns(struct pane *p, const char *spec, char *err)
{
	struct top *t = p->state;
	int e = top_show(t, spec ? spec : "", err);

	if (!e)
		snprintf(t->columns, sizeof(t->columns), "%s", spec ? spec : "");
	return e;
}

static int top_view_write(struct pane *p, const char *path, char *err)
{
	return top_write(p->state, path, err);
}

const struct view view_top = {
	.name = "top",
	.title = "What is slow or fails",
	.number = 2,
	.legend = "TOTAL%: share of the time of all requests   ERR%: share that failed\n"
		  "P50 P95 P99 MAX: durations in ms, of a histogram: off by 1.1% at most\n"
		  "(other: N groups): the sum of those that are not in the list\n"
		  "! an alert holds   +% against the baseline   new: not in it\n"
		  "Enter: into the group   Tab: slowest calls, latency over time\n",
	.offers = { ACT_GROUP, ACT_FILTER, ACT_SORT, ACT_WINDOW, ACT_BASELINE, ACT_SEARCH,
	            ACT_PAUSE, ACT_RECORD, ACT_COMMAND, ACT_COPY, ACT_COLUMNS },
	.state_size = sizeof(struct top),
	.open = top_open,
	.close = top_close,
	.ask = top_view_ask,
	.draw = top_draw,
	.act = top_act,
	.mouse = top_mouse,
	.status = top_status,
	.sql = top_sql,
	.copy = top_copy,
	.write = top_view_write,
	.columns = top_view_columns,
};
