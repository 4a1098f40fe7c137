// SPDX-License-Identifier: GPL-3.0-or-later
/* obi top - which service, endpoint, query or peer is slow or failing, live or from a recording. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "cmd/live.h"
#include "cmd/map_edges.h"
#include "cmd/page.h"
#include "cmd/suggest.h"
#include "cmd/table.h"
#include "cmd/tui.h"
#include "store/rank.h"

/* A recording is counted whole; it may take more room than a live capture. */
static const size_t recording_bytes = (size_t)4 << 30;
static const int64_t minute = 60000000000LL;
static const int64_t once_ns = 5000000000LL, refresh_ns = 5000000000LL;

enum {
	SLICE_MS = 200,
	CELL = 64,
	SHOWN = RANK_WINDOW + 1, /* columns of numbers that are printed */
	TEXT_GROUPS = 20,
};

struct top {
	struct live live;
	const struct options *o;
	const char *by[AGG_BY];
	unsigned int nby;
	char sort[RANK_NAME];
	struct rank_spec spec;
	struct rank_columns columns;
	struct rank_expr *fail_if;
	struct agg_view *view;
	struct table_out *out;
	bool whole;       /* one table of everything, at the end */
	bool held;        /* --fail-if */
	int64_t began;    /* Unix ns */
	int64_t next_ns;  /* when the next table is due */
	uint64_t *alerts; /* groups that --alert marked last */
	size_t nalerts;
	int status;
};

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

/* ---- what is asked for ---- */

/* The names that were given, or what fits the protocols. */
static int choose_by(struct top *t)
{
	const struct options *o = t->o;
	static const char said[] = "cannot group by ";
	char err[ERR_TEXT] = "", text[SUGGEST_TEXT];
	struct suggest s = { 0 };
	const char *names = tui_by(o);
	char word[RANK_NAME] = "";
	int n = rank_by(names, t->by, err);

	if (n > 0) {
		t->nby = (unsigned int)n;
		return 0;
	}
	if (!strncmp(err, said, strlen(said)))
		snprintf(word, sizeof(word), "%.*s", (int)strcspn(err + strlen(said), ";"),
		         err + strlen(said));
	s.word = word;
	for (size_t i = 0; agg_column(i); i++)
		suggest_offer(&s, agg_column(i)->name);
	return usage_error("top", "%s.%s", err, suggest_text(&s, "", text));
}

static bool for_scripts(const struct top *t)
{
	return t->o->form == FORM_JSON || t->o->form == FORM_CSV;
}

/* Those of --columns, over the ones that are shown without it. */
static int choose_columns(struct top *t)
{
	char err[ERR_TEXT];

	for (unsigned int i = 0; i < SHOWN; i++)
		if (for_scripts(t) || i != RANK_WINDOW)
			t->columns.col[t->columns.n++] = (enum rank_col)i;
	if (!t->o->columns || !rank_columns(t->o->columns, t->by, &t->columns, err))
		return 0;
	return usage_error("top", "--columns: %s; --columns help lists them.", err);
}

/* --columns help */
static int list_columns(void)
{
	for (size_t i = 0; agg_column(i); i++)
		printf("%-16s %s\n", agg_column(i)->name, agg_column(i)->help);
	for (unsigned int i = 0; i < RANK_COLS; i++)
		printf("%-16s %s\n", rank_column((enum rank_col)i)->name,
		       rank_column((enum rank_col)i)->help);
	return STATUS_OK;
}

static int choose(struct top *t)
{
	const struct options *o = t->o;
	char err[ERR_TEXT];
	int status = choose_by(t);

	if (status)
		return status;
	if (o->export && !map_knows(o->export))
		return usage_error("top", "%s: unknown ending; use .svg, .dot, .html", o->export);
	if (o->form == FORM_OTLP)
		return usage_error("top", "-o otlp: groups are no spans; obi trace -o otlp.");
	if (o->sort && rank_sort(o->sort, t->by, t->sort, &t->spec, err))
		return usage_error("top", "%s.", err);
	if (o->alert)
		t->spec.alert = rank_expr_new(o->alert, t->by, err);
	if (o->alert && !t->spec.alert)
		return usage_error("top", "--alert: %s.", err);
	if (o->fail_if)
		t->fail_if = rank_expr_new(o->fail_if, t->by, err);
	if (o->fail_if && !t->fail_if)
		return usage_error("top", "--fail-if: %s.", err);
	t->spec.top = o->top                                        ? o->top
	              : o->form == FORM_JSON || o->form == FORM_CSV ? 0
	                                                            : TEXT_GROUPS;
	t->whole = o->once || o->read.n;
	return tui_wanted(o) ? 0 : choose_columns(t);
}

/* ---- one table ---- */

static int ask(struct top *t, struct rank *r)
{
	struct agg *agg = session_agg(t->live.session);
	struct agg_query q = { 0 };
	struct agg_answer a = { 0 };
	struct agg_stats st;
	char err[ERR_TEXT] = "";
	int64_t now = now_ns();
	int e = 1;

	agg_stats(agg, &st);
	memcpy(q.by, t->by, sizeof(q.by));
	if (!t->view)
		t->view = agg_view(agg, &q, err);
	if (!t->view) {
		warn(LEVEL_ERROR, "%s", err);
		return -EINVAL;
	}
	if (!t->whole)
		agg_view_window(t->view, now - minute, now);
	while (e == 1) {
		agg_answer_free(&a);
		e = agg_view_ask(t->view, SLICE_MS, &a, err);
	}
	t->spec.first_ns = t->o->read.n ? st.first_ns : t->began;
	t->spec.end_ns = t->o->read.n ? st.last_ns : now;
	return e < 0 ? e : rank_take(r, t->view, &a, t->by, &t->spec);
}

/* Cells of one row for a table; valid until the next. */
struct cells {
	const char *names[AGG_BY + RANK_COLS + 2], *texts[AGG_BY + RANK_COLS + 2];
	int lens[AGG_BY + RANK_COLS + 2], types[AGG_BY + RANK_COLS + 2], n;
	struct buf text[AGG_BY + RANK_COLS + 2];
};

enum { TYPE_INTEGER = 1, TYPE_FLOAT = 2, TYPE_TEXT = 3, TYPE_NULL = 5 };

static void add_cell(struct cells *c, const char *name, int type)
{
	struct buf *b = &c->text[c->n];

	c->names[c->n] = name;
	c->texts[c->n] = type == TYPE_NULL ? NULL : buf_slice(b).s;
	c->lens[c->n] = (int)b->len;
	c->types[c->n++] = type;
}

static void name_cell(struct top *t, struct cells *c, const struct rank_row *row, unsigned int i)
{
	struct buf *b = &c->text[c->n];

	buf_clear(b);
	if (!for_scripts(t))
		rank_name(row, i, b);
	else if (row->rest)
		buf_z(b, "(other)");
	else
		buf_str(b, row->row.by[i]);
	add_cell(c, t->by[i],
	         !row->rest && !row->row.by[i].s && for_scripts(t) ? TYPE_NULL : TYPE_TEXT);
}

static void number_cell(struct top *t, struct cells *c, const struct rank *r,
                        const struct rank_row *row, enum rank_col col)
{
	const struct rank_column *def = rank_column(col);
	double v = rank_value(r, row, col);
	struct buf *b = &c->text[c->n];

	buf_clear(b);
	if (!for_scripts(t))
		rank_text(col, v, b);
	else if (def->whole)
		buf_u64(b, (uint64_t)v);
	else if (!isnan(v))
		buf_fmt(b, "%.9g", v);
	add_cell(c, for_scripts(t) ? def->name : def->title,
	         isnan(v) && for_scripts(t) ? TYPE_NULL
	         : def->whole               ? TYPE_INTEGER
	                                    : TYPE_FLOAT);
}

static void fill(struct top *t, struct cells *c, const struct rank *r, const struct rank_row *row)
{
	c->n = 0;
	for (unsigned int i = 0; i < t->nby; i++)
		name_cell(t, c, row, i);
	for (unsigned int i = 0; i < t->columns.n; i++)
		number_cell(t, c, r, row, t->columns.col[i]);
	if (t->spec.alert && !for_scripts(t)) {
		buf_clear(&c->text[c->n]);
		buf_z(&c->text[c->n], row->alert ? "!" : "-");
		add_cell(c, "ALERT", TYPE_TEXT);
	}
}

static void print_head(struct top *t, const struct rank *r)
{
	struct rank_row all = { .row = r->answer.total };
	struct session_counts *c = malloc(sizeof(*c));
	struct buf b = { 0 };
	time_t at = (time_t)(t->spec.end_ns / 1000000000);
	struct tm tm;

	if (!c || !localtime_r(&at, &tm)) {
		free(c);
		return;
	}
	session_counts(t->live.session, c);
	buf_fmt(&b, "%02d:%02d:%02d  ", tm.tm_hour, tm.tm_min, tm.tm_sec);
	rank_text(RANK_COUNT, rank_value(r, &all, RANK_COUNT), &b);
	buf_z(&b, " requests, ");
	rank_text(RANK_RATE, rank_value(r, &all, RANK_RATE), &b);
	buf_z(&b, "/s  err ");
	rank_text(RANK_ERROR_PCT, rank_value(r, &all, RANK_ERROR_PCT), &b);
	buf_z(&b, "%  p50 ");
	rank_text(RANK_P50, rank_value(r, &all, RANK_P50), &b);
	buf_z(&b, " p95 ");
	rank_text(RANK_P95, rank_value(r, &all, RANK_P95), &b);
	buf_z(&b, " p99 ");
	rank_text(RANK_P99, rank_value(r, &all, RANK_P99), &b);
	buf_z(&b, " ms  window ");
	rank_text(RANK_WINDOW, rank_value(r, &all, RANK_WINDOW), &b);
	buf_fmt(&b, " s  lost %llu\n", (unsigned long long)(c->capture.lost + c->lost_output));
	fwrite(b.p, 1, b.len, stdout);
	buf_free(&b);
	free(c);
}

static void print_rows(struct top *t, const struct rank *r)
{
	const struct sql_sink *sink = table_sink(t->out);
	struct rank_row none = { 0 };
	struct cells c = { 0 };
	int e;

	if (!for_scripts(t))
		print_head(t, r);
	fill(t, &c, r, r->n ? &r->rows[0] : &none);
	e = sink->head(sink->ctx, c.n, c.names);
	for (size_t i = 0; i < r->n && !e; i++) {
		fill(t, &c, r, &r->rows[i]);
		e = sink->row(sink->ctx, c.n, c.texts, c.lens, c.types);
	}
	e = e ? e : table_end(t->out);
	if (!for_scripts(t) && !t->whole)
		fputc('\n', stdout);
	if (e || fflush(stdout))
		t->status = -EPIPE;
	table_heads(t->out, t->o->form != FORM_CSV);
	for (size_t i = 0; i < sizeof(c.text) / sizeof(c.text[0]); i++)
		buf_free(&c.text[i]);
}

/* ---- what holds ---- */

static bool was_marked(const struct top *t, uint64_t id)
{
	for (size_t i = 0; i < t->nalerts; i++)
		if (t->alerts[i] == id)
			return true;
	return false;
}

static void say_alert(struct top *t, const struct rank *r, const struct rank_row *row)
{
	const struct sql_sink *sink;
	struct cells c = { 0 };
	struct buf b = { 0 };

	fill(t, &c, r, row);
	if (t->o->form == FORM_JSON) {
		const char *names[AGG_BY + RANK_COLS + 4] = { "event", "expr" };
		const char *texts[AGG_BY + RANK_COLS + 4] = { "alert", t->o->alert };
		int lens[AGG_BY + RANK_COLS + 4] = { 5, (int)strlen(t->o->alert) };
		int types[AGG_BY + RANK_COLS + 4] = { TYPE_TEXT, TYPE_TEXT };
		struct table_out *out = table_new(stdout, TABLE_JSON);

		memcpy(names + 2, c.names, (size_t)c.n * sizeof(*names));
		memcpy(texts + 2, c.texts, (size_t)c.n * sizeof(*texts));
		memcpy(lens + 2, c.lens, (size_t)c.n * sizeof(*lens));
		memcpy(types + 2, c.types, (size_t)c.n * sizeof(*types));
		sink = out ? table_sink(out) : NULL;
		if (sink && !sink->head(sink->ctx, c.n + 2, names))
			(void)sink->row(sink->ctx, c.n + 2, texts, lens, types);
		if (out)
			(void)table_end(out);
		table_free(out);
	} else {
		for (unsigned int i = 0; i < t->nby; i++) {
			buf_z(&b, i ? ", " : "");
			rank_name(row, i, &b);
		}
		warn(LEVEL_WARN, "alert: %s: %.*s", t->o->alert, STR_ARG(buf_slice(&b)));
		buf_free(&b);
	}
	for (size_t i = 0; i < sizeof(c.text) / sizeof(c.text[0]); i++)
		buf_free(&c.text[i]);
}

static void check(struct top *t, const struct rank *r)
{
	uint64_t *ids = calloc(r->n + 1, sizeof(*ids));
	size_t n = 0;

	for (size_t i = 0; i < r->n; i++) {
		if (t->fail_if && rank_expr_run(t->fail_if, r, &r->rows[i]) > 0)
			t->held = true;
		if (!r->rows[i].alert || !ids)
			continue;
		ids[n++] = rank_id(r, &r->rows[i]);
		if (!was_marked(t, ids[n - 1]))
			say_alert(t, r, &r->rows[i]);
	}
	free(t->alerts);
	t->alerts = ids;
	t->nalerts = ids ? n : 0;
}

static void refresh(struct top *t)
{
	struct rank r = { 0 };
	int e = ask(t, &r);

	if (e < 0)
		t->status = e;
	else
		print_rows(t, &r);
	if (e >= 0 && !t->status)
		check(t, &r);
	rank_free(&r);
}

static void tick(struct top *t)
{
	int64_t now = now_ns(), every = t->o->interval_ns ? (int64_t)t->o->interval_ns : refresh_ns;

	if (t->whole || t->status || now < t->next_ns)
		return;
	t->next_ns += every;
	if (t->next_ns < now) /* the machine slept */
		t->next_ns = now + every;
	refresh(t);
}

/* ---- the command ---- */

/* --export: the picture, no table. */
static void export(struct top *t)
{
	char err[ERR_TEXT] = "", title[128];
	int e;

	live_target(&t->live, title, sizeof(title));
	e = map_edges_export(session_store(t->live.session), t->o->export, title, err);
	if (e)
		warn(LEVEL_ERROR, "%s", err);
	t->status = e;
}

static int as_text(struct top *t)
{
	struct live *l = &t->live;
	enum table_mode mode = t->o->form == FORM_JSON  ? TABLE_JSON
	                       : t->o->form == FORM_CSV ? TABLE_CSV
	                                                : TABLE_TEXT;
	int status = live_start(l);

	if (status)
		return status;
	t->began = now_ns();
	t->next_ns = t->began + (t->o->interval_ns ? (int64_t)t->o->interval_ns : refresh_ns);
	t->out = table_new(stdout, mode);
	if (isatty(STDOUT_FILENO) || getenv("COLUMNS"))
		table_fit(t->out, page_size().columns);
	while (!t->status && !live_over(l) && live_check(l, 100) == LIVE_RUNS)
		tick(t);
	status = live_stop(l, NULL);
	if (!t->status && t->o->export)
		export(t);
	else if (!t->status && (t->whole || t->o->duration_ns))
		refresh(t);
	if (t->status && t->status != -EPIPE)
		status = STATUS_ERROR;
	return status ? status : t->held ? STATUS_HELD : STATUS_OK;
}

static void release(struct top *t)
{
	agg_view_free(t->view);
	rank_expr_free(t->spec.alert);
	rank_expr_free(t->fail_if);
	table_free(t->out);
	free(t->alerts);
	live_free(&t->live);
}

static int top_run(const struct options *o)
{
	struct options mine = *o;
	struct top t = { .o = &mine };
	int status;

	if (o->columns && !strcmp(o->columns, "help"))
		return list_columns();
	mine.once = o->once || o->export;
	if (mine.once && !o->duration_ns && !o->read.n)
		mine.duration_ns = (uint64_t)once_ns;
	live_init(&t.live, &mine);
	t.live.opts.store = true;
	t.live.opts.agg = true;
	if (o->read.n && !o->mem_bytes)
		t.live.opts.mem_bytes = recording_bytes;
	status = choose(&t);
	if (!status)
		status = tui_wanted(o) && !mine.once && !o->fail_if ? tui_run(&t.live, "top", NULL)
		                                                    : as_text(&t);
	release(&t);
	return status;
}

const struct cmd cmd_top = {
	.name = "top",
	.args = "[TARGET] [FILTER] [OUTPUT] [-- CMD ARGS]",
	.brief = "what is slow or fails: rates, errors, durations of groups",
	.examples = {
		{ "obi top -p 4242", "what a process asks and answers" },
		{ "obi top --proto mysql", "statements, by the time they take" },
		{ "obi top -a --by peer,name -s p99_ms", "calls to each peer, slowest first" },
		{ "obi top -r run.otlp --by route --errors", "failed routes of a recording" },
		{ "obi top -r run.otlp --once -o json", "for scripts" },
		{ "obi top -r run.otlp --fail-if 'p99_ms > 60000'", "exit with 7 where that holds" },
	},
	.takes_cmd = true,
	.run = top_run,
};
