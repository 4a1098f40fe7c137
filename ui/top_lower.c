// SPDX-License-Identifier: GPL-3.0-or-later
/* top_lower - the group of the cursor: durations, who calls, what fails, the slowest calls. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "ui/top.h"
#include "ui/trace.h"

static const int64_t second = 1000000000LL;

enum { WIDE = 120 };

/* ---- what is asked ---- */

static void drop(struct top_lower *l)
{
	agg_view_free(l->callers_view);
	agg_view_free(l->errors_view);
	list_free(l->list);
	free(l->where);
	l->callers_view = l->errors_view = NULL;
	l->list = NULL;
	l->where = NULL;
	l->ncallers = l->nerrors = l->ncalls = 0;
	l->has_detail = false;
}

void top_lower_free(struct top_lower *l)
{
	drop(l);
}

/* Another group, or another way to group: its questions. */
static void choose(struct top *t, const struct rank_row *row)
{
	struct agg *agg = session_agg(app_session(t->pane->app));
	struct agg_query callers = { .by = { "caller" } };
	struct agg_query errors = { .by = { "error_type", "status" } };
	struct top_lower *l = &t->lower;
	struct buf cond = { 0 }, name = { 0 };
	char err[ERR_TEXT], *failed = NULL;

	drop(l);
	l->id = rank_id(&t->rank, row);
	l->call = 0;
	for (unsigned int i = 0; i < t->rank.nby; i++) {
		buf_z(&name, i ? "  " : "");
		rank_name(row, i, &name);
	}
	snprintf(l->name, sizeof(l->name), "%.*s", STR_ARG(buf_slice(&name)));
	buf_free(&name);
	if (!rank_where(&t->rank, row, &cond)) {
		buf_free(&cond);
		return;
	}
	buf_ch(&cond, 0);
	l->where = cond.failed ? NULL : top_where(t, cond.p);
	buf_free(&cond);
	if (!l->where || asprintf(&failed, "%s and error", l->where) < 0)
		return;
	callers.filter = l->where;
	errors.filter = failed;
	l->callers_view = agg_view(agg, &callers, err);
	l->errors_view = agg_view(agg, &errors, err);
	free(failed);
}

static struct str caller(const struct agg_row *r)
{
	return r->by[0].s ? r->by[0] : STR("unknown");
}

static struct str error_name(const struct agg_row *r)
{
	return r->by[0].s ? r->by[0] : r->by[1].s ? r->by[1] : STR("unknown");
}

static int more_first(const void *a, const void *b)
{
	const struct top_part *x = a, *y = b;

	return x->count != y->count ? (x->count < y->count ? 1 : -1) : strcmp(x->name, y->name);
}

/* Rows of the same name in one part; the greatest TOP_PARTS. */
static unsigned int parts(const struct agg_answer *a, struct str (*name)(const struct agg_row *r),
                          struct top_part *out)
{
	struct top_part *all = calloc(a->n + 1, sizeof(*all));
	size_t n = 0;

	for (size_t i = 0; i < a->n && all; i++) {
		struct str s = name(&a->rows[i]);
		size_t at = 0;
		char z[sizeof(all->name)];

		snprintf(z, sizeof(z), "%.*s", STR_ARG(s));
		while (at < n && strcmp(all[at].name, z) != 0)
			at++;
		if (at == n)
			memcpy(all[n++].name, z, sizeof(z));
		all[at].count += a->rows[i].count;
		all[at].errors += a->rows[i].errors;
	}
	if (n)
		qsort(all, n, sizeof(*all), more_first);
	n = n < TOP_PARTS ? n : TOP_PARTS;
	if (n)
		memcpy(out, all, n * sizeof(*all));
	free(all);
	return (unsigned int)n;
}

static int ask_parts(struct top *t, int budget_ms, char *err)
{
	const struct agg_answer *now = &t->rank.answer;
	struct top_lower *l = &t->lower;
	struct agg_answer a;
	int more = 0, e;

	if (l->callers_view) {
		agg_view_window(l->callers_view, now->from_ns, now->to_ns);
		e = agg_view_ask(l->callers_view, budget_ms, &a, err);
		more += e > 0;
		l->called = e >= 0 ? a.total.count : 0;
		l->ncallers = e >= 0 ? parts(&a, caller, l->callers) : 0;
		agg_answer_free(&a);
	}
	if (l->errors_view) {
		agg_view_window(l->errors_view, now->from_ns, now->to_ns);
		e = agg_view_ask(l->errors_view, budget_ms, &a, err);
		more += e > 0;
		l->nerrors = e >= 0 ? parts(&a, error_name, l->errors) : 0;
		agg_answer_free(&a);
	}
	return more;
}

static void take_call(struct top_call *c, const struct span *s)
{
	struct buf b = { 0 };

	c->start_ns = s->start_ns;
	c->dur_ns = s->dur_ns;
	buf_str(&b, s->status.s ? s->status : s->error == 1 ? STR("error") : STR("ok"));
	buf_ch(&b, ' ');
	trace_peer(&b, s);
	snprintf(c->what, sizeof(c->what), "%.*s", STR_ARG(buf_slice(&b)));
	buf_free(&b);
}

static int begin_list(struct top *t, int64_t from, int64_t to, char *err)
{
	struct top_lower *l = &t->lower;
	struct list_spec spec = {
		.table = TABLE_SPANS,
		.where = l->where,
		.order = "dur_ns",
		.desc = true,
		.from_ns = from,
		.to_ns = to,
		.answered = true,
	};

	list_free(l->list);
	l->list = list_new(app_store(t->pane->app), &spec, err);
	l->from_ns = from;
	l->to_ns = to;
	l->ncalls = 0;
	return l->list ? 0 : -EINVAL;
}

/* The window may have moved on since the list began. */
static bool in_window(const struct agg_answer *a, const struct span *s)
{
	int64_t at = s->start_ns;

	if (s->dur_ns > 0 && __builtin_add_overflow(at, s->dur_ns, &at))
		at = INT64_MAX;
	return at >= a->from_ns;
}

/* The list takes up new rows by itself; where the window moves it begins anew, now and then. */
static int ask_calls(struct top *t, int budget_ms, char *err)
{
	struct top_lower *l = &t->lower;
	int64_t from, to, moved;
	struct list_state st;
	int e = 0;

	if (!l->where)
		return 0;
	app_window(t->pane->app, app_opts(t->pane->app)->replay ? 0 : 60 * second, &from, &to);
	from = t->rank.answer.from_ns; /* whole seconds, as what is counted */
	to = to ? t->rank.answer.to_ns : 0;
	moved = from > l->from_ns ? from - l->from_ns : l->from_ns - from;
	if (!l->list || to != l->to_ns || moved > 10 * second)
		e = begin_list(t, from, to, err);
	e = e ? e : list_update(l->list, budget_ms, err);
	if (e < 0)
		return e;
	list_state(l->list, &st);
	l->ncalls = 0;
	for (size_t i = 0; i < st.n && l->ncalls < TOP_SLOWEST; i++) {
		struct arena mem = { 0 };
		struct span s;

		if (!list_get(l->list, i, &mem, &s) && in_window(&t->rank.answer, &s)) {
			struct top_call *c = &l->calls[l->ncalls++];

			c->id = list_id(l->list, i);
			take_call(c, &s);
		}
		arena_free(&mem);
	}
	return e;
}

int top_lower_ask(struct top *t, int budget_ms, char *err)
{
	const struct rank_row *row = top_row(t);
	struct top_lower *l = &t->lower;
	int more, e;

	if (!row) {
		drop(l);
		l->id = 0;
		return 0;
	}
	if (rank_id(&t->rank, row) != l->id || t->lower.again) {
		bool another = rank_id(&t->rank, row) != l->id || !l->where;
		char *where = NULL;
		struct buf cond = { 0 };

		if (!another && rank_where(&t->rank, row, &cond)) {
			buf_ch(&cond, 0);
			where = top_where(t, cond.p);
			another = !where || strcmp(where, l->where) != 0;
		}
		buf_free(&cond);
		free(where);
		if (another)
			choose(t, row);
		l->has_detail = l->where && !agg_view_detail(t->view, row->row.by, &l->detail);
		l->again = false;
		app_touch(t->pane->app);
	} else if (app_paused(t->pane->app) && l->ncalls) {
		return 0;
	}
	more = ask_parts(t, budget_ms / 2, err);
	e = ask_calls(t, budget_ms / 2, err);
	if (e > 0 || more)
		app_touch(t->pane->app);
	return e < 0 ? e : e || more;
}

/* ---- drawn ---- */

static void head(struct grid *g, struct rect *r, const char *title)
{
	grid_text(g, r->x, r->y, r->w, ROLE_HEAD, str_of(title));
	r->y++;
	r->h--;
}

static int draw_parts(struct grid *g, struct rect r, const char *title, const struct top_part *p,
                      unsigned int n, uint64_t whole, enum role role)
{
	int rows = 0, most = r.h - 1;
	struct buf b = { 0 };

	if (r.h < 1)
		return 0;
	head(g, &r, title);
	if (!n)
		grid_text(g, r.x, r.y, most > 0 ? r.w : 0, ROLE_DIM, STR("none"));
	for (unsigned int i = 0; i < n && rows < most; i++, rows++) {
		buf_clear(&b);
		if (whole)
			buf_fmt(&b, "%.1f%%", 100.0 * (double)p[i].count / (double)whole);
		else
			app_count(&b, p[i].count);
		grid_text(g, r.x, r.y + rows, r.w - 8, role, str_of(p[i].name));
		grid_right(g, r.x, r.y + rows, r.w, ROLE_TEXT, buf_slice(&b));
	}
	buf_free(&b);
	return 1 + (rows ? rows : 1);
}

static void draw_calls(struct top *t, struct grid *g, struct rect r)
{
	const struct top_lower *l = &t->lower;
	bool focused = t->focus == TOP_CALLS;
	struct buf b = { 0 };

	head(g, &r, focused ? "slowest calls: Enter opens" : "slowest calls (Tab)");
	if (!l->ncalls)
		grid_text(g, r.x, r.y, r.w, ROLE_DIM, l->where ? STR("none in memory") : STR("-"));
	for (unsigned int i = 0; i < l->ncalls && (int)i < r.h; i++) {
		bool here = focused && i == l->call;
		int y = r.y + (int)i;

		buf_clear(&b);
		app_ms(&b, l->calls[i].dur_ns);
		grid_right(g, r.x, y, 9, ROLE_TEXT, buf_slice(&b));
		buf_clear(&b);
		trace_time(&b, l->calls[i].start_ns, 3);
		buf_fmt(&b, "  %s", l->calls[i].what);
		grid_text(g, r.x + 11, y, r.w - 11, ROLE_TEXT, buf_slice(&b));
		if (here) {
			grid_fill(g, (struct rect){ r.x, y, r.w, 1 }, ROLE_CURSOR);
			grid_text(g, r.x, y, 1, ROLE_CURSOR, STR(">"));
		}
	}
	buf_free(&b);
}

static void draw_middle(const struct top_lower *l, struct grid *g, struct rect r)
{
	struct rect low = r;
	int used;

	r.h = r.h - 3 > r.h / 2 ? r.h / 2 : r.h - 3;
	used = draw_parts(g, r, "callers", l->callers, l->ncallers, l->called, ROLE_TEXT);
	low.y += used + (low.h > 8);
	low.h -= used + (low.h > 8);
	draw_parts(g, low, "errors", l->errors, l->nerrors, 0, ROLE_BAD);
}

static void draw_parts_beside(const struct top_lower *l, struct grid *g, struct rect r)
{
	struct rect left = r, right = r;

	left.w = r.w / 2 - 1;
	right.x = r.x + left.w + 2;
	right.w = r.w - left.w - 2;
	draw_parts(g, left, "callers", l->callers, l->ncallers, l->called, ROLE_TEXT);
	draw_parts(g, right, "errors", l->errors, l->nerrors, 0, ROLE_BAD);
}

void top_lower_draw(struct top *t, struct grid *g, struct rect r)
{
	struct top_lower *l = &t->lower;
	struct rect bars, middle, calls;

	grid_hline(g, r.x, r.y, r.w, ROLE_DIM);
	grid_textf(g, r.x + 1, r.y + 1, r.w - 1, ROLE_TEXT, "%s%s", l->id ? "Selected: " : "",
	           l->id ? l->name : "");
	r.x++, r.w--, r.y += 2, r.h -= 2;
	if (!l->id || r.h < 2)
		return;
	if (t->focus == TOP_HEAT) {
		top_heat_draw(t, g, r);
		return;
	}
	bars = middle = calls = r;
	bars.w = r.w * 32 / 100;
	middle.x = r.x + bars.w + 2;
	middle.w = r.w * (r.w >= WIDE ? 34 : 26) / 100;
	calls.x = middle.x + middle.w + 2;
	calls.w = r.x + r.w - calls.x;
	top_bars_draw(t, g, bars);
	if (r.w >= WIDE)
		draw_parts_beside(l, g, middle);
	else
		draw_middle(l, g, middle);
	draw_calls(t, g, calls);
}
