// SPDX-License-Identifier: GPL-3.0-or-later
/* app_work - what goes on without keys: start, counters, the views' data. */
#include "ui/app_int.h"

#include <errno.h>
#include <stdio.h>
#include <time.h>

#include "base/err.h"

static const double counts_every = 0.5;

double app_clock(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* The thread that makes the session is done: views can open. */
static void take_session(struct app *a)
{
	char err[ERR_TEXT] = "";
	int e = a->started;

	if (!a->starting || !e)
		return;
	pthread_join(a->starter, NULL);
	a->starting = false;
	a->session = a->made;
	if (e > 0)
		e = app_show(a, a->current, err);
	if (e < 0) {
		a->quit = true;
		a->status = e;
		snprintf(a->err, ERR_TEXT, "%s", a->start_err[0] ? a->start_err : err);
	}
	a->dirty = true;
}

/* Rates and durations of the header: of the last minute, or of the whole recording. */
static void ask_totals(struct app *a)
{
	static const int64_t minute = 60000000000LL;
	struct agg_query q = { .spark = APP_SPARK };
	struct agg *agg = session_agg(a->session);
	struct agg_answer out;
	char err[ERR_TEXT];
	int64_t now;

	if (!agg)
		return;
	if (!a->totals)
		a->totals = agg_view(agg, &q, err);
	if (!a->totals)
		return;
	now = app_now(a);
	if (!a->opts.replay)
		agg_view_window(a->totals, now - minute, now);
	if (agg_view_ask(a->totals, 4, &out, err) >= 0) {
		a->total = out.total;
		memset(a->total.by, 0, sizeof(a->total.by)); /* texts go with the answer */
		a->npoints = out.spark;
		a->total_s = (double)(a->opts.replay ? a->last_ns - a->first_ns : minute) / 1e9;
		if (!a->opts.replay && app_clock() - a->begun < a->total_s)
			a->total_s = app_clock() - a->begun;
	}
	agg_answer_free(&out);
}

static void sample(struct app *a, double now)
{
	struct agg_stats st = { 0 };

	if (session_agg(a->session))
		agg_stats(session_agg(a->session), &st);
	a->first_ns = st.first_ns;
	a->last_ns = st.last_ns;
	if (now - a->rate_at < 1 && !a->opts.keys)
		return;
	if (!a->opts.replay || !a->over || !a->total.count || a->total.count != st.spans)
		ask_totals(a);
	a->cpu_share = 100 * (a->counts->cpu_seconds - a->cpu_before) / (now - a->rate_at);
	a->cpu_before = a->counts->cpu_seconds;
	a->rate_at = now;
}

static int take_exit(void *ctx, int n, const char *const *texts, const int *lens, const int *types)
{
	struct app *a = ctx;

	(void)lens, (void)types;
	if (n == 3)
		app_say(a, "%s has exited with %s %s; what it did stays here",
		        texts[0] ? texts[0] : "the target",
		        texts[1]   ? "status"
		        : texts[2] ? "signal"
		                   : "a status that was not seen",
		        texts[1]   ? texts[1]
		        : texts[2] ? texts[2]
		                   : "");
	return 0;
}

/* With which status the one that ended last went. */
static void say_exit(struct app *a)
{
	static const char sql[] = "select comm || '[' || pid || ']', exit_code, exit_signal"
				  " from processes where end_ns is not null"
				  " order by end_ns desc limit 1";
	struct sql_sink sink = { .row = take_exit, .ctx = a };
	struct sqlh *q = sql_open(session_store(a->session), NULL);
	char err[ERR_TEXT];

	app_say(a, "the target is gone; what it did stays here");
	if (q)
		(void)sql_run(q, sql, &sink, err);
	sql_close(q);
}

/* A process that was named is gone; one that fits may come. */
static void watch_targets(struct app *a)
{
	bool gone = a->opts.targets && !a->over && !session_targets(a->session);

	if (gone == a->targets_gone)
		return;
	a->targets_gone = gone;
	if (gone)
		say_exit(a);
	else
		app_say(a, "the target is back");
}

static void count(struct app *a, double now)
{
	bool over;

	if (!a->session || now - a->counts_at < counts_every)
		return;
	a->counts_at = now;
	over = session_poll(a->session, 0) == 1;
	session_counts(a->session, a->counts);
	if (over && !a->over)
		a->more = true; /* the last rows */
	a->over = over;
	sample(a, now);
	watch_targets(a);
	a->dirty = true;
}

static void hear(struct app *a)
{
	pthread_mutex_lock(&a->lock);
	if (a->has_heard) {
		snprintf(a->said, sizeof(a->said), "%s", a->heard);
		a->has_heard = false;
		a->dirty = true;
	}
	pthread_mutex_unlock(&a->lock);
}

static void ask(struct app *a, double now)
{
	struct pane *p = app_top(a);
	char err[ERR_TEXT] = "";
	int every, e;

	if (!p || !p->view->ask || (a->paused && !a->more)) /* a key may want more even then */
		return;
	every = p->view->every_ms ? p->view->every_ms : a->opts.interval_ms;
	if (!a->more && now < a->ask_at)
		return;
	e = p->view->ask(p, APP_BUDGET, err);
	if (e < 0)
		app_say(a, "%s", err[0] ? err : "cannot read the rows");
	a->more = e == 1;
	a->ask_at = app_clock() + every / 1e3;
}

void app_tick(struct app *a)
{
	double now = app_clock();

	take_session(a);
	if (a->opts.over && a->opts.over(a->opts.ctx))
		a->quit = true;
	hear(a);
	count(a, now);
	ask(a, now);
}

void app_settle(struct app *a, int limit_ms)
{
	double end = app_clock() + limit_ms / 1e3;

	do {
		a->counts_at = a->ask_at = 0;
		app_tick(a);
	} while (!a->quit && (a->starting || a->more) && app_clock() < end);
}
