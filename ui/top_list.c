// SPDX-License-Identifier: GPL-3.0-or-later
/* top_list - which groups: the question, its answers, the baseline, alerts. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/err.h"
#include "ui/top.h"

static const int64_t minute = 60000000000LL;

static void add_where(struct buf *b, const char *expr)
{
	if (!expr || !*expr)
		return;
	buf_fmt(b, "%s(%s)", b->len ? " and " : "", expr);
}

char *top_where(const struct top *t, const char *more)
{
	struct buf b = { 0 };

	add_where(&b, t->pane->filter);
	add_where(&b, t->levels[t->depth - 1].where);
	add_where(&b, t->filter);
	add_where(&b, more);
	buf_ch(&b, 0);
	return b.failed ? (buf_free(&b), NULL) : b.p;
}

static void forget_answer(struct top *t)
{
	rank_free(&t->rank);
	t->has_rank = false;
	t->percent = 0;
}

static void forget_baseline(struct top *t)
{
	if (t->has_base)
		forget_answer(t); /* its rows know rows of the baseline */
	rank_free(&t->base);
	t->has_base = false;
}

static int64_t window_length(const struct top *t)
{
	return app_opts(t->pane->app)->replay ? 0 : minute;
}

static void sort_default(struct top_level *l)
{
	if (!l->sort[0])
		snprintf(l->sort, sizeof(l->sort), "%s", rank_column(RANK_TOTAL_PCT)->name);
}

int top_regroup(struct top *t, char *err)
{
	const struct ui_opts *o = app_opts(t->pane->app);
	struct agg *agg = session_agg(app_session(t->pane->app));
	struct agg_query q = { .spark = TOP_SPARK };
	struct rank_expr *alert = NULL;
	char *where = top_where(t, NULL), ignored[ERR_TEXT];
	const char *by[AGG_BY];
	struct agg_view *v;
	int n = rank_by(top_level(t)->by, by, err);

	if (n < 0 || !where || !agg) {
		free(where);
		return n < 0 ? n : err_set(err, ENOMEM, "nothing is counted here");
	}
	memcpy(q.by, by, sizeof(q.by));
	q.filter = *where ? where : NULL;
	app_window(t->pane->app, window_length(t), &q.from_ns, &q.to_ns);
	v = agg_view(agg, &q, err);
	if (!v) {
		free(where);
		return -EINVAL;
	}
	/* An alert over columns that this grouping lacks marks nothing. */
	if (o->alert)
		alert = rank_expr_new(o->alert, by, ignored);
	forget_baseline(t);
	forget_answer(t);
	rank_expr_free(t->alert);
	agg_view_free(t->view);
	free(t->where);
	t->alert = alert;
	t->view = v;
	t->where = where;
	memcpy(t->by, by, sizeof(t->by));
	sort_default(top_level(t));
	top_columns(t);
	t->again = t->lower.again = true;
	return 0;
}

const struct rank_row *top_row(const struct top *t)
{
	return t->table.cursor < t->rank.n ? &t->rank.rows[t->table.cursor] : NULL;
}

/* ---- answers ---- */

static void say_alert(struct top *t, const struct rank_row *row, size_t nth)
{
	struct buf name = { 0 };

	for (unsigned int i = 0; i < t->rank.nby; i++) {
		buf_z(&name, i ? " " : "");
		rank_name(row, i, &name);
	}
	if (nth == 1)
		app_say(t->pane->app, "alert: %s: %.*s", app_opts(t->pane->app)->alert,
		        STR_ARG(buf_slice(&name)));
	else
		app_say(t->pane->app, "alert: %s: %zu groups", app_opts(t->pane->app)->alert, nth);
	buf_free(&name);
}

/* Groups where the alert did not hold before. */
static void ring(struct top *t)
{
	uint64_t ids[TOP_ALERTS];
	size_t n = 0, fresh = 0;

	for (size_t i = 0; i < t->rank.n && n < TOP_ALERTS; i++) {
		size_t at = 0;

		if (!t->rank.rows[i].alert)
			continue;
		ids[n] = rank_id(&t->rank, &t->rank.rows[i]);
		while (at < t->nalerts && t->alerts[at] != ids[n])
			at++;
		if (at == t->nalerts) {
			fresh++;
			say_alert(t, &t->rank.rows[i], fresh);
		}
		n++;
	}
	if (fresh) /* once, however many begin at the same time */
		app_bell(t->pane->app);
	memcpy(t->alerts, ids, n * sizeof(*ids));
	t->nalerts = n;
}

static struct rank_spec spec_of(struct top *t)
{
	const struct ui_opts *o = app_opts(t->pane->app);
	int64_t now = app_now(t->pane->app);
	struct agg_stats st;
	struct rank_spec s = {
		.sort = top_level(t)->sort,
		.asc = top_level(t)->asc,
		.top = o->top ? o->top : TOP_ROWS,
		.end_ns = now,
		.base = t->has_base ? &t->base : NULL,
		.alert = t->alert,
	};

	agg_stats(session_agg(app_session(t->pane->app)), &st);
	s.first_ns = st.first_ns;
	if (!o->replay)
		s.first_ns = now - (int64_t)(app_seconds(t->pane->app) * 1e9);
	else
		s.end_ns = st.last_ns;
	return s;
}

/* The cursor goes where it is wanted, and stays on the first row until someone moves it. */
static void place_cursor(struct top *t)
{
	size_t at, top = t->table.top, page = t->table.page > 0 ? (size_t)t->table.page : 1;

	if (t->want && top_source.find(t, t->want, &at)) {
		tbl_go(&t->table, at);
		t->moved = true;
		t->want = 0;
	} else if (!t->moved && t->rank.n) {
		tbl_go(&t->table, 0);
	}
	tbl_sync(&t->table);
	/* A new order moves the cursor's row, not the list: what comes first stays in sight. */
	if (t->table.cursor < top)
		top = t->table.cursor;
	if (t->table.cursor >= top + page)
		top = t->table.cursor - page + 1;
	t->table.top = top;
}

/* `anew`: order, baseline, columns have changed. */
static int take(struct top *t, struct agg_answer *a, bool anew, char *err)
{
	struct rank_spec spec = spec_of(t);
	struct rank old = t->rank;
	int e;

	/* With an alert all is judged again: rates sink while nothing comes. */
	if (t->has_rank && !anew && !t->alert && t->percent == 100 && a->percent == 100 &&
	    a->serial == old.answer.serial) {
		rank_time(&t->rank, &spec);
		app_touch(t->pane->app);
		return 0;
	}
	t->percent = a->percent;
	t->evicted = a->from_store ? a->evicted : 0;
	e = rank_take(&t->rank, t->view, a, t->by, &spec);
	rank_free(&old);
	t->has_rank = !e;
	t->lower.again = true;
	if (e) {
		rank_free(&t->rank);
		return err_set(err, -e, "cannot rank the groups");
	}
	place_cursor(t);
	ring(t);
	app_touch(t->pane->app);
	return 0;
}

static bool is_due(const struct top *t)
{
	const struct ui_opts *o = app_opts(t->pane->app);

	if (t->again || t->percent < 100)
		return true;
	return !app_paused(t->pane->app) && (o->replay || app_seconds(t->pane->app) >= t->due);
}

static int ask_groups(struct top *t, int budget_ms, char *err)
{
	struct agg_answer a;
	bool anew = t->again;
	int64_t from, to;
	int e;

	if (!is_due(t))
		return 0;
	if (t->again || t->percent == 100) { /* a moving window waits for its answer */
		app_window(t->pane->app, window_length(t), &from, &to);
		agg_view_window(t->view, from, to);
	}
	t->again = false;
	t->due = app_seconds(t->pane->app) + app_opts(t->pane->app)->interval_ms / 1e3;
	e = agg_view_ask(t->view, budget_ms, &a, err);
	if (e >= 0 && take(t, &a, anew, err))
		e = -EIO;
	agg_answer_free(&a);
	return e;
}

int top_ask(struct top *t, int budget_ms, char *err)
{
	int e = ask_groups(t, budget_ms, err), more;

	if (e < 0)
		return e;
	if (t->trial)
		app_touch(t->pane->app);
	more = top_lower_ask(t, budget_ms, err);
	return more < 0 ? more : e || more;
}

/* ---- baseline ---- */

enum handled top_baseline(struct top *t)
{
	struct top_level *l = top_level(t);

	if (t->has_base) {
		forget_baseline(t);
		snprintf(l->sort, sizeof(l->sort), "%s", rank_column(RANK_TOTAL_PCT)->name);
		app_say(t->pane->app, "baseline cleared");
	} else if (!t->has_rank || t->percent < 100) {
		app_say(t->pane->app, "nothing is counted to the end yet");
		return UI_HANDLED;
	} else {
		time_t at = (time_t)(app_now(t->pane->app) / 1000000000);
		struct tm tm;

		t->base = t->rank;
		t->base.base = NULL;
		t->rank = (struct rank){ 0 };
		t->has_base = true;
		forget_answer(t);
		snprintf(l->sort, sizeof(l->sort), "%s", rank_column(RANK_P95_CHANGE)->name);
		if (localtime_r(&at, &tm))
			app_say(t->pane->app, "baseline set, %02d:%02d:%02d: what got worse first",
			        tm.tm_hour, tm.tm_min, tm.tm_sec);
	}
	l->asc = false;
	top_columns(t);
	t->again = true;
	return UI_HANDLED | UI_REDRAW | UI_REFRESH;
}
