// SPDX-License-Identifier: GPL-3.0-or-later
/* view_trace - requests as they come: a list, and all that is known of one of them. */
#include <errno.h>
#include <stdlib.h>

#include "base/err.h"
#include "ui/top.h"
#include "ui/trace.h"

enum { WIDE = 160 /* from here on the detail stands at the right */ };

static int trace_open(struct pane *p, char *err)
{
	struct trace *t = p->state;
	const struct ui_opts *o = app_opts(p->app);
	int e;

	t->pane = p;
	tbl_init(&t->table, trace_columns, &trace_source, t);
	t->table.sort = "start_ns";
	t->table.follow = !o->replay;
	/* --columns is of the view that was started. */
	e = tbl_columns(&t->table, !strcmp(o->view, "trace") ? o->columns : NULL, err);
	return e ? e : trace_requery(t, err);
}

static void trace_close(struct pane *p)
{
	struct trace *t = p->state;

	list_free(t->list);
	list_free(t->trial);
	detail_free(&t->detail);
	arena_free(&t->mem);
	arena_free(&t->detail_mem);
	free(t->where);
}

/* ---- the detail ---- */

/* The detail follows the cursor; once its row has made room for newer ones, it stays. */
static void fill_detail(struct trace *t, bool anew)
{
	struct arena mem = { 0 };
	struct span s;

	if (!t->table.has_id || (!anew && t->open_id == t->table.cursor_id))
		return;
	if (list_get(t->list, t->table.cursor, &mem, &s)) {
		arena_free(&mem);
		return;
	}
	arena_free(&t->detail_mem);
	t->detail_mem = mem;
	t->open = s;
	if (t->open_id != t->table.cursor_id)
		t->detail.cursor = t->detail.top = 0;
	t->open_id = t->table.cursor_id;
	trace_detail(t);
}

static enum handled show_detail(struct trace *t, bool focus)
{
	if (!t->table.has_id)
		return UI_HANDLED;
	t->detailed = true;
	t->in_detail = focus;
	t->full = focus;
	t->table.follow = false;
	fill_detail(t, true);
	return UI_HANDLED | UI_REDRAW;
}

static enum handled hide_detail(struct trace *t)
{
	t->detailed = t->in_detail = t->full = t->why = t->tree = false;
	t->detail.search[0] = 0;
	return UI_HANDLED | UI_REDRAW;
}

static int trace_view_ask(struct pane *p, int budget_ms, char *err)
{
	int e = trace_ask(p->state, budget_ms, err);

	if (trace_arrived(p->state))
		show_detail(p->state, true);
	return e;
}

/* The group of the row, among its like. */
static enum handled to_top(struct trace *t)
{
	char err[ERR_TEXT] = "";

	if (!t->table.has_id || !trace_source.load(t, t->table.cursor))
		return UI_HANDLED;
	if (top_open_at(t->pane->app, &t->span, err))
		app_say(t->pane->app, "%s", err);
	return UI_HANDLED | UI_REFRESH;
}

/* ---- frame ---- */

static void draw_both(struct trace *t, struct grid *g, struct rect r)
{
	struct rect list = r, detail = r;

	if (r.w >= WIDE) {
		list.w = r.w / 2;
		detail.x = r.x + list.w + 2;
		detail.w = r.w - list.w - 2;
		grid_vline(g, r.x + list.w, r.y, r.h, ROLE_DIM);
	} else {
		list.h = r.h / 2;
		detail.y = r.y + list.h + 1;
		detail.h = r.h - list.h - 1;
		grid_hline(g, r.x, r.y + list.h, r.w, ROLE_DIM);
	}
	tbl_draw(&t->table, g, list);
	fill_detail(t, false);
	detail_draw(&t->detail, g, detail, t->in_detail);
}

static void trace_draw(struct pane *p, struct grid *g, struct rect r)
{
	struct trace *t = p->state;

	if (t->detailed && t->full) {
		tbl_sync(&t->table);
		detail_draw(&t->detail, g, r, true);
	} else if (t->detailed) {
		draw_both(t, g, r);
	} else {
		tbl_draw(&t->table, g, r);
		if (!trace_source.count(t))
			trace_empty(t, g, r);
	}
}

static void trace_status(struct pane *p, struct buf *left, struct buf *right)
{
	struct trace *t = p->state;
	struct list_state st = { 0 };

	list_state(t->list, &st);
	buf_z(left, "Filter: ");
	buf_z(left, t->where && *t->where      ? t->where
	            : app_opts(p->app)->filter ? app_opts(p->app)->filter
	                                       : "none");
	app_count(right, st.n ? t->table.cursor + 1 : 0);
	buf_ch(right, '/');
	app_count(right, st.n);
	if (st.seen < st.total)
		buf_fmt(right, " partial %llu%%", (unsigned long long)(st.seen * 100 / st.total));
	if (t->table.hidden)
		buf_fmt(right, "  +%u col", t->table.hidden);
	if (t->table.nmarks)
		buf_fmt(right, "  %zu marked", t->table.nmarks);
	if (t->from_ns || t->to_ns) {
		buf_z(right, "  ");
		app_window_text(p->app, 0, right);
	}
	if (t->table.follow)
		buf_z(right, "  follow");
}

/* ---- keys ---- */

static enum handled own_key(struct trace *t, const char *key)
{
	if (!strcmp(key, "o")) {
		if (t->detailed)
			return hide_detail(t);
		return show_detail(t, false) & ~0
		               ? (t->full = t->in_detail = false, UI_HANDLED | UI_REDRAW)
		               : UI_HANDLED;
	}
	if (!strcmp(key, "t") || !strcmp(key, "<F5>")) {
		t->tree = !t->tree;
		return t->detailed ? (fill_detail(t, true), UI_HANDLED | UI_REDRAW)
		                   : show_detail(t, true);
	}
	return !strcmp(key, "T") ? to_top(t) : UI_IGNORED;
}

static enum handled next_payload(struct trace *t)
{
	t->payload = (t->payload + 1) % PAYLOAD_MODES;
	if (!t->detailed)
		show_detail(t, true);
	else
		fill_detail(t, true);
	for (size_t i = 0; i < t->detail.n; i++) /* to its section, at the end */
		if (t->detail.lines[i].head)
			t->detail.cursor = i;
	return UI_HANDLED | UI_REDRAW;
}

static enum handled show_why(struct trace *t)
{
	t->why = !t->why || !t->detailed;
	if (!t->detailed)
		return show_detail(t, true);
	fill_detail(t, true);
	t->detail.cursor = t->detail.top = 0;
	return UI_HANDLED | UI_REDRAW;
}

static enum handled refresh_window(struct trace *t)
{
	t->from_ns = -1; /* ask() begins a new list */
	return UI_IGNORED;
}

/* Of the list, wherever the keys are. */
static enum handled list_action(struct trace *t, enum action a)
{
	switch (a) {
	case ACT_FILTER:
		trace_filter_prompt(t);
		return UI_HANDLED;
	case ACT_SEARCH:
		trace_search_prompt(t);
		return UI_HANDLED;
	case ACT_SORT:
		trace_sort_menu(t);
		return UI_HANDLED;
	case ACT_COLUMNS:
		trace_column_menu(t);
		return UI_HANDLED;
	case ACT_SORT_PREV:
	case ACT_SORT_NEXT:
		return trace_sort(t, tbl_sort_by(&t->table, a == ACT_SORT_NEXT ? 1 : -1), false);
	case ACT_INVERT:
		return trace_sort(t, NULL, true);
	case ACT_NEXT_ERROR:
	case ACT_PREV_ERROR:
		return trace_next_error(t, a == ACT_NEXT_ERROR);
	case ACT_WHY:
		return show_why(t);
	case ACT_PAYLOAD:
		return next_payload(t);
	case ACT_WINDOW:
	case ACT_WINDOW_BACK:
	case ACT_WINDOW_FORWARD:
		return refresh_window(t);
	case ACT_NEXT_PANE:
	case ACT_PREV_PANE:
		if (!t->detailed || t->full)
			return UI_HANDLED;
		t->in_detail = !t->in_detail;
		return UI_HANDLED | UI_REDRAW;
	default:
		return UI_IGNORED;
	}
}

static enum handled trace_act(struct pane *p, enum action a, const char *key)
{
	struct trace *t = p->state;
	enum handled h = a ? list_action(t, a) : own_key(t, key);

	if (h & UI_HANDLED && t->detailed && t->full &&
	    (a == ACT_NEXT_ERROR || a == ACT_PREV_ERROR))
		fill_detail(t, false);
	if (h)
		return h;
	if (a == ACT_BACK && t->detailed)
		return hide_detail(t);
	if (a == ACT_QUIT && t->detailed && t->full)
		return hide_detail(t);
	if (a == ACT_ENTER && !t->in_detail)
		return show_detail(t, true);
	return t->in_detail ? detail_act(&t->detail, a) : tbl_act(&t->table, a);
}

static enum handled trace_mouse(struct pane *p, const struct key *k)
{
	struct trace *t = p->state;
	const struct tbl_col *sort;
	enum handled h;

	if (t->detailed && t->full) {
		enum action a = !strcmp(k->name, "<WheelUp>")     ? ACT_UP
		                : !strcmp(k->name, "<WheelDown>") ? ACT_DOWN
		                                                  : ACT_NONE;

		return detail_act(&t->detail, a);
	}
	h = tbl_mouse(&t->table, k, &sort);
	return sort ? trace_sort(t, sort, false) : h;
}

static void trace_sql(struct pane *p, struct buf *out)
{
	struct trace *t = p->state;

	buf_z(out,
	      "select time, proto, process, peer_ip, peer_port, name, target, status, dur_ms from spans");
	if (t->where && *t->where)
		buf_fmt(out, " where %s", t->where);
	buf_fmt(out, " order by %s%s", t->table.sort, t->table.desc ? " desc" : "");
}

static void trace_copy(struct pane *p, struct buf *out)
{
	struct trace *t = p->state;

	if (t->in_detail)
		buf_str(out, buf_slice(&t->detail.text));
	else if (t->table.has_id)
		tbl_copy(&t->table, t->table.cursor, out);
}

static int trace_view_write(struct pane *p, const char *path, char *err)
{
	return trace_write(p->state, path, err);
}

static int trace_view_columns(struct pane *p, const char *spec, char *err)
{
	struct trace *t = p->state;

	return tbl_columns(&t->table, spec, err);
}

const struct view view_trace = {
	.name = "trace",
	.title = "Requests, as they come",
	.number = 1,
	.legend = "p > peer: p is the client; < p: the server\n"
		  "ST: the protocol's own code; ... no answer yet\n"
		  "* marked   > the row of the cursor   +2 col: no room for them\n"
		  "- unknown   DUR first byte asked to last byte answered\n",
	.keys = {
		{ "o", "Split", "the detail beside the list, or below" },
		{ "t", "Tree", "the spans of the trace as a tree" },
		{ "<F5>", NULL, "the same" },
		{ "T", "Top", "the group of the row, in top" },
	},
	.offers = { ACT_SEARCH, ACT_FILTER, ACT_SORT, ACT_MARK, ACT_PAUSE, ACT_RECORD, ACT_COMMAND, ACT_WHY,
	            ACT_COPY, ACT_FOLLOW, ACT_COLUMNS, ACT_NEXT_ERROR, ACT_WINDOW },
	.state_size = sizeof(struct trace),
	.every_ms = 100,
	.open = trace_open,
	.close = trace_close,
	.ask = trace_view_ask,
	.draw = trace_draw,
	.act = trace_act,
	.mouse = trace_mouse,
	.status = trace_status,
	.sql = trace_sql,
	.copy = trace_copy,
	.write = trace_view_write,
	.columns = trace_view_columns,
};
