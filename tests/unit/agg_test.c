// SPDX-License-Identifier: GPL-3.0-or-later
/* agg - rates, errors and durations of groups, against SQL and exact sorts. */
#include "store/agg.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/unit/ask.h"
#include "tests/unit/suites.h"

#define SECOND 1000000000ll
#define START  (1700000000 * SECOND)

static void again(struct batch *b)
{
	arena_reset(&b->arena);
	b->n = 0;
}

static uint64_t mixed(uint64_t i)
{
	i = (i ^ i >> 31) * 0x9e3779b97f4a7c15;
	return i ^ i >> 29;
}

static struct str text(struct batch *b, const char *fmt, unsigned int n)
{
	char z[64];

	snprintf(z, sizeof(z), fmt, n);
	return batch_text(b, str_of(z));
}

/* Span i of a run of many that begin `step` ns apart. */
static struct span *add_span(struct batch *b, uint64_t i, int64_t step)
{
	struct span *s = batch_add(b, TABLE_SPANS);
	uint64_t r = mixed(i);

	s->start_ns = START + (int64_t)i * step;
	s->dur_ns = r % 31 ? (int64_t)exp2(10 + (double)(r % 1000) / 50) : COL_NULL;
	s->kind = r % 2 ? STR("server") : STR("client");
	s->proto = STR("http");
	s->op = STR("GET");
	s->service = r % 17 ? text(b, "shop%u", (unsigned int)(r >> 8) % 3) : STR_NULL;
	s->route = text(b, "/r/%u", (unsigned int)(r >> 12) % 40);
	s->status = r % 10 ? STR("200") : STR("503");
	s->code = r % 10 ? 200 : 503;
	s->error = r % 10 == 0;
	s->conn = text(b, "c%u", (unsigned int)(r >> 20) % 100);
	s->pid = (int64_t)(r >> 30) % 4;
	s->process = text(b, "shop[%u]", (unsigned int)(r >> 30) % 4);
	s->req_bytes = 10;
	return s;
}

struct world {
	struct store *store;
	struct agg *agg;
	struct batch *b;
};

static struct world world_new(size_t store_bytes, size_t agg_bytes)
{
	struct world w = { .store = store_new(store_bytes), .b = ask_batch(500) };

	w.agg = agg_new(w.store, agg_bytes);
	ck_assert_ptr_nonnull(w.agg);
	return w;
}

static void world_free(struct world *w)
{
	agg_free(w->agg);
	store_free(w->store);
	ask_batch_free(w->b);
}

static void flush(struct world *w)
{
	ck_assert_int_eq(store_add(w->store, w->b), 0);
	ck_assert_int_eq(agg_add(w->agg, w->b), 0);
	again(w->b);
}

static void add_spans(struct world *w, uint64_t first, uint64_t n, int64_t step)
{
	for (uint64_t i = first; i < first + n; i++) {
		add_span(w->b, i, step);
		if (w->b->n == w->b->cap)
			flush(w);
	}
	flush(w);
}

static struct agg_answer answer_of(struct agg_view *v)
{
	struct agg_answer a;
	char err[ERR_TEXT] = "";
	int more;

	while ((more = agg_view_ask(v, 1, &a, err)) == 1) {
		ck_assert_uint_lt(a.percent, 100);
		agg_answer_free(&a);
	}
	ck_assert_msg(!more, "%s", err);
	ck_assert_uint_eq(a.percent, 100);
	return a;
}

static struct agg_view *view_of(struct agg *a, const struct agg_query *q)
{
	char err[ERR_TEXT] = "";
	struct agg_view *v = agg_view(a, q, err);

	ck_assert_msg(v, "%s", err);
	return v;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Sorted lines "by|by|count|errors|timed|max|bytes". */
static char *lines_of(const struct agg_answer *a, unsigned int nby)
{
	char **lines = calloc(a->n + 1, sizeof(*lines));
	struct buf all = { 0 };

	for (size_t i = 0; i < a->n; i++) {
		const struct agg_row *r = &a->rows[i];
		struct buf line = { 0 };

		for (unsigned int j = 0; j < nby; j++)
			buf_fmt(&line, "%.*s|", STR_ARG(r->by[j].s ? r->by[j] : STR("-")));
		buf_fmt(&line, "%d|%d|%d|", (int)r->count, (int)r->errors, (int)r->timed);
		if (r->max_ns == COL_NULL)
			buf_z(&line, "-");
		else
			buf_i64(&line, r->max_ns);
		buf_fmt(&line, "|%d\n", (int)r->req_bytes);
		buf_ch(&line, '\0');
		lines[i] = line.p;
	}
	qsort(lines, a->n, sizeof(*lines), by_text);
	for (size_t i = 0; i < a->n; i++) {
		buf_z(&all, lines[i]);
		free(lines[i]);
	}
	free(lines);
	buf_ch(&all, '\0');
	return all.p;
}

static char *sorted_lines(const char *text_of_sql)
{
	char *copy = strdup(text_of_sql), *save = NULL, **lines = calloc(100000, sizeof(*lines));
	struct buf all = { 0 };
	size_t n = 0;

	for (char *l = strtok_r(copy, "\n", &save); l; l = strtok_r(NULL, "\n", &save)) {
		struct buf line = { 0 };

		buf_fmt(&line, "%s\n", l);
		buf_ch(&line, '\0');
		lines[n++] = line.p;
	}
	qsort(lines, n, sizeof(*lines), by_text);
	for (size_t i = 0; i < n; i++) {
		buf_z(&all, lines[i]);
		free(lines[i]);
	}
	free(lines);
	free(copy);
	buf_ch(&all, '\0');
	return all.p;
}

static const struct {
	struct agg_query q;
	const char *by, *where;
	bool from_store;
} cases[] = {
	{ { .by = { NULL } }, "", "1", false },
	{ { .by = { "route" } }, "route,", "1", false },
	{ { .by = { "service", "status" } }, "service,status,", "1", false },
	{ { .by = { "process", "kind", "route" }, .filter = "error = 1 and kind = 'client'" },
	  "process,kind,route,",
	  "error = 1 AND kind = 'client'",
	  false },
	{ { .by = { "service" }, .filter = "code >= 500 and pid in (1, 2)" },
	  "service,",
	  "code >= 500 AND pid IN (1, 2)",
	  false },
	{ { .by = { "service" }, .filter = "service is null or route like '%3'" },
	  "service,",
	  "service IS NULL OR route LIKE '%3'",
	  false },
	{ { .by = { "conn" } }, "conn,", "1", true },
	{ { .by = { "service", "conn" }, .filter = "dur_ms > 0.2" },
	  "service,conn,",
	  "dur_ms > 0.2",
	  true },
	{ { .by = { "route" }, .filter = "rowid % 2 = 0" }, "route,", "rowid % 2 = 0", true },
	{ { .by = { "route" }, .from_ns = START + 2 * SECOND, .to_ns = START + 5 * SECOND },
	  "route,",
	  "(start_ns + ifnull(dur_ns, 0)) / 1000000000 BETWEEN 1700000002 AND 1700000004",
	  false },
	{ { .by = { "conn" }, .from_ns = START + 2 * SECOND, .to_ns = START + 5 * SECOND },
	  "conn,",
	  "(start_ns + ifnull(dur_ns, 0)) / 1000000000 BETWEEN 1700000002 AND 1700000004",
	  true },
};

START_TEST(groups_are_those_of_sql)
{
	struct world w = world_new(64 << 20, 16 << 20);
	struct agg_view *v;
	struct agg_answer a;
	struct buf sql = { 0 };
	char *got, *want;
	unsigned int nby = 0;

	while (nby < AGG_BY && cases[_i].q.by[nby])
		nby++;
	add_spans(&w, 0, 10000, SECOND / 2000);
	v = view_of(w.agg, &cases[_i].q);
	a = answer_of(v);
	agg_answer_free(&a);
	add_spans(&w, 10000, 10000, SECOND / 2000);
	a = answer_of(v);
	ck_assert_int_eq(a.from_store, cases[_i].from_store);
	got = lines_of(&a, nby);
	buf_fmt(&sql,
	        "SELECT %s count(*), sum(error), count(dur_ns), max(dur_ns), sum(req_bytes) "
	        "FROM spans WHERE %s GROUP BY %s 1=1",
	        cases[_i].by, cases[_i].where, cases[_i].by);
	buf_ch(&sql, '\0');
	want = sorted_lines(ask_store(w.store, sql.p));
	ck_assert_msg(strlen(want) > 8 && !strcmp(got, want), "%s\n%.400s\n--\n%.400s", sql.p, got,
	              want);
	free(got);
	free(want);
	buf_free(&sql);
	agg_answer_free(&a);
	agg_view_free(v);
	world_free(&w);
}
END_TEST

static int by_value(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static void check_quantile(const int64_t *sorted, size_t n, double q, int64_t got)
{
	int64_t exact = sorted[(size_t)ceil(q * (double)n) - 1];

	ck_assert_msg(fabs((double)(got - exact)) <= 0.011 * (double)exact, "p%.0f: %lld, not %lld",
	              q * 100, (long long)got, (long long)exact);
}

START_TEST(percentiles_are_off_by_little_whatever_was_merged)
{
	struct world w = world_new(16 << 20, 16 << 20);
	struct agg_view *v = view_of(w.agg, &(struct agg_query){ .by = { "route", "service" } });
	struct agg_answer a;
	int64_t *all = calloc(50000, sizeof(*all));
	size_t n = 0;

	/* Over a day: cells of all lengths. */
	for (uint64_t i = 0; i < 50000; i++) {
		struct span *s = add_span(w.b, i, 2 * SECOND);

		if (s->dur_ns != COL_NULL)
			all[n++] = s->dur_ns;
		if (w.b->n == w.b->cap)
			flush(&w);
	}
	qsort(all, n, sizeof(*all), by_value);
	a = answer_of(v);
	ck_assert_uint_eq(a.total.count, 50000);
	ck_assert_uint_eq(a.total.timed, n);
	ck_assert_int_eq(a.total.max_ns, all[n - 1]);
	check_quantile(all, n, 0.50, a.total.p50_ns);
	check_quantile(all, n, 0.95, a.total.p95_ns);
	check_quantile(all, n, 0.99, a.total.p99_ns);
	agg_answer_free(&a);
	agg_view_free(v);
	free(all);
	world_free(&w);
}
END_TEST

START_TEST(counts_stay_exact_when_the_store_has_evicted)
{
	struct world w = world_new(1 << 20, 4 << 20);
	struct agg_view *v = view_of(w.agg, &(struct agg_query){ .by = { "status" } });
	struct agg_view *rows = view_of(w.agg, &(struct agg_query){ .by = { "conn" } });
	struct store_stats st;
	struct agg_answer a;
	uint64_t errors = 0;

	for (uint64_t i = 0; i < 60000; i++)
		errors += mixed(i) % 10 == 0;
	add_spans(&w, 0, 60000, SECOND / 1000);
	store_stats(w.store, &st);
	ck_assert_uint_gt(st.evicted[TABLE_SPANS], 30000);
	a = answer_of(v);
	ck_assert_uint_eq(a.n, 2);
	ck_assert_uint_eq(a.total.count, 60000);
	ck_assert_uint_eq(a.total.errors, errors);
	ck_assert(!a.from_store && !a.evicted);
	agg_answer_free(&a);
	a = answer_of(rows);
	ck_assert(a.from_store);
	ck_assert_uint_eq(a.total.count + a.evicted, 60000);
	agg_answer_free(&a);
	agg_view_free(rows);
	agg_view_free(v);
	world_free(&w);
}
END_TEST

START_TEST(a_window_that_scrolls_back_finds_what_was_merged)
{
	struct world w = world_new(16 << 20, 16 << 20);
	struct agg_view *v = view_of(w.agg, &(struct agg_query){ .by = { "kind" }, .spark = 60 });
	struct agg_answer a;
	uint64_t sum = 0;

	add_spans(&w, 0, 20000, SECOND / 2); /* 10000 s */
	for (int64_t from = 0; from < 10800; from += 600) {
		agg_view_window(v, START + from * SECOND, START + (from + 600) * SECOND);
		a = answer_of(v);
		if (from % 3600 == 0 && from < 9000) {
			uint64_t points = 0;

			ck_assert_uint_ge(a.spark, 9);
			for (unsigned int i = 0; i < AGG_SPARK; i++)
				points += a.total.spark[i];
			ck_assert_uint_eq(points, a.total.count);
		}
		ck_assert_int_le(a.from_ns, START + from * SECOND);
		ck_assert_int_ge(a.to_ns, START + (from + 600) * SECOND);
		sum += a.total.count;
		agg_answer_free(&a);
	}
	/* START is no multiple of a minute: whole minutes may be in two windows. */
	ck_assert_uint_ge(sum, 20000);
	ck_assert_uint_le(sum, 20000 + 18 * 120);
	agg_view_window(v, START + 9990 * SECOND, 0);
	a = answer_of(v);
	ck_assert_uint_ge(a.total.count, 19);
	ck_assert_uint_le(a.total.count, 22);
	ck_assert_int_eq(a.from_ns, START + 9990 * SECOND);
	agg_answer_free(&a);
	agg_view_free(v);
	world_free(&w);
}
END_TEST

START_TEST(what_does_not_fit_becomes_other_and_sums_stay_whole)
{
	struct world w = world_new(1 << 20, 8 << 20);
	struct agg_view *by_peer = view_of(w.agg, &(struct agg_query){ .by = { "peer" } });
	struct agg_view *by_route = view_of(w.agg, &(struct agg_query){ .by = { "route" } });
	struct agg_view *by_value_of =
		view_of(w.agg, &(struct agg_query){ .filter = "peer = 'rare'" });
	struct agg_answer a;
	struct agg_stats st;
	uint64_t other = 0, groups = 0, busy = 0;

	for (uint64_t i = 0; i < 100000; i++) {
		struct span *s = add_span(w.b, i, SECOND / 5000);

		s->peer = i % 2 ? STR("busy") : text(w.b, "10.%u", (unsigned int)i);
		if (w.b->n == w.b->cap)
			flush(&w);
	}
	agg_stats(w.agg, &st);
	ck_assert_uint_le(st.bytes, 8 << 20);
	ck_assert_uint_eq(st.spans, 100000);
	ck_assert_uint_gt(st.other_spans, 10000);
	a = answer_of(by_peer);
	ck_assert_uint_eq(a.total.count, 100000);
	for (size_t i = 0; i < a.n; i++) {
		busy += str_is(a.rows[i].by[0], "busy") ? a.rows[i].count : 0;
		other += a.rows[i].other ? a.rows[i].count : 0;
		groups += a.rows[i].groups;
	}
	ck_assert_uint_eq(busy, 50000);
	ck_assert_uint_gt(other, 10000);
	ck_assert_uint_gt(groups, 47000);
	ck_assert_uint_lt(groups, 53000);
	agg_answer_free(&a);
	a = answer_of(by_route);
	ck_assert_uint_eq(a.n, 40);
	ck_assert_uint_eq(a.total.count, 100000);
	for (size_t i = 0; i < a.n; i++)
		ck_assert(!a.rows[i].other);
	agg_answer_free(&a);
	/* "(other)" may hide it: only rows can tell. */
	a = answer_of(by_value_of);
	ck_assert(a.from_store);
	agg_answer_free(&a);
	agg_view_free(by_value_of);
	agg_view_free(by_route);
	agg_view_free(by_peer);
	world_free(&w);
}
END_TEST

START_TEST(memory_is_kept_when_time_makes_the_cells)
{
	struct world w = world_new(1 << 20, 1 << 20);
	struct agg_view *v = view_of(w.agg, &(struct agg_query){ .by = { "route" } });
	struct agg_answer a;
	struct agg_stats st;

	add_spans(&w, 0, 100000, SECOND / 20);
	agg_stats(w.agg, &st);
	ck_assert_uint_le(st.bytes, 1 << 20);
	a = answer_of(v);
	ck_assert_uint_eq(a.total.count, 100000);
	agg_answer_free(&a);
	agg_view_free(v);
	world_free(&w);
}
END_TEST

START_TEST(the_detail_of_a_group_adds_up)
{
	struct world w = world_new(16 << 20, 4 << 20);
	struct agg_view *v = view_of(
		w.agg, &(struct agg_query){ .by = { "service", "route" }, .filter = "error = 0" });
	struct agg_answer a;
	struct agg_detail *d = malloc(sizeof(*d));

	add_spans(&w, 0, 20000, SECOND / 1000);
	a = answer_of(v);
	for (size_t i = 0; i < a.n; i++) {
		uint64_t bins = 0, heat = 0;

		ck_assert_int_eq(agg_view_detail(v, a.rows[i].by, d), 0);
		ck_assert_uint_gt(d->points, 10);
		for (unsigned int k = 0; k < AGG_BINS; k++) {
			bins += d->bins[k];
			for (unsigned int p = 0; p < AGG_SPARK; p++)
				heat += d->heat[p][k];
		}
		ck_assert_uint_eq(bins, a.rows[i].timed);
		ck_assert_uint_eq(heat, a.rows[i].timed);
	}
	ck_assert_int_eq(agg_bin_ns(0), 0);
	ck_assert_int_eq(agg_bin_ns(5), 1000000);
	agg_answer_free(&a);
	agg_view_free(v);
	free(d);
	world_free(&w);
}
END_TEST

START_TEST(strange_times_and_durations_do_no_harm)
{
	static const int64_t odd[] = { COL_NULL, 0, -5, INT64_MAX, INT64_MIN + 1, START };
	struct world w = world_new(16 << 20, 4 << 20);
	struct agg_view *v = view_of(w.agg, &(struct agg_query){ .spark = 60 });
	struct agg_answer a;

	for (int i = 0; i < 36; i++) {
		struct span *s = add_span(w.b, 1, 1);

		s->start_ns = odd[i / 6];
		s->dur_ns = odd[i % 6];
		s->req_bytes = odd[i % 6];
	}
	flush(&w);
	a = answer_of(v);
	ck_assert_uint_eq(a.total.count, 36);
	agg_answer_free(&a);
	agg_view_window(v, INT64_MAX - 5, INT64_MAX);
	a = answer_of(v);
	agg_answer_free(&a);
	agg_view_free(v);
	world_free(&w);
}
END_TEST

static const struct {
	struct agg_query q;
	const char *says;
} wrong[] = {
	{ { .by = { "dur_ms" } }, "cannot group by dur_ms" },
	{ { .by = { "route" }, .filter = "routte = 'x'" }, "did you mean route" },
	{ { .filter = "status = 500" }, "status = '500'" },
};

START_TEST(a_wrong_question_is_refused_in_words)
{
	struct world w = world_new(1 << 20, 1 << 20);
	char err[ERR_TEXT] = "";

	ck_assert_ptr_null(agg_view(w.agg, &wrong[_i].q, err));
	ck_assert_msg(strstr(err, wrong[_i].says), "%s", err);
	world_free(&w);
}
END_TEST

START_TEST(every_column_can_be_grouped_by)
{
	struct world w = world_new(4 << 20, 4 << 20);

	add_spans(&w, 0, 1000, SECOND / 100);
	for (size_t i = 0; agg_column(i); i++) {
		struct agg_view *v =
			view_of(w.agg, &(struct agg_query){ .by = { agg_column(i)->name } });
		struct agg_answer a = answer_of(v);

		ck_assert_uint_eq(a.total.count, 1000);
		ck_assert_int_eq(a.from_store, agg_column(i)->stored);
		agg_answer_free(&a);
		agg_view_free(v);
	}
	world_free(&w);
}
END_TEST

static void *add_many(void *ctx)
{
	struct world *w = ctx;

	for (uint64_t i = 0; i < 40; i++)
		add_spans(w, i * 1000, 1000, SECOND / 1000);
	return NULL;
}

START_TEST(any_thread_may_ask_while_one_adds)
{
	struct world w = world_new(1 << 20, 1 << 20);
	struct agg_view *v[2] = { view_of(w.agg, &(struct agg_query){ .by = { "route" } }),
		                  view_of(w.agg, &(struct agg_query){ .by = { "conn" } }) };
	struct agg_answer a;
	uint64_t last = 0;
	pthread_t t;

	pthread_create(&t, NULL, add_many, &w);
	while (last < 40000) {
		a = answer_of(v[0]);
		ck_assert_uint_ge(a.total.count, last);
		last = a.total.count;
		agg_answer_free(&a);
		a = answer_of(v[1]);
		agg_answer_free(&a);
	}
	pthread_join(t, NULL);
	agg_view_free(v[0]);
	agg_view_free(v[1]);
	world_free(&w);
}
END_TEST

Suite *agg_suite(void)
{
	Suite *s = suite_create("agg");
	TCase *t = tcase_create("agg");

	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, groups_are_those_of_sql, 0, sizeof(cases) / sizeof(cases[0]));
	tcase_add_test(t, percentiles_are_off_by_little_whatever_was_merged);
	tcase_add_test(t, counts_stay_exact_when_the_store_has_evicted);
	tcase_add_test(t, a_window_that_scrolls_back_finds_what_was_merged);
	tcase_add_test(t, what_does_not_fit_becomes_other_and_sums_stay_whole);
	tcase_add_test(t, memory_is_kept_when_time_makes_the_cells);
	tcase_add_test(t, the_detail_of_a_group_adds_up);
	tcase_add_test(t, strange_times_and_durations_do_no_harm);
	tcase_add_test(t, every_column_can_be_grouped_by);
	tcase_add_test(t, any_thread_may_ask_while_one_adds);
	tcase_add_loop_test(t, a_wrong_question_is_refused_in_words, 0,
	                    sizeof(wrong) / sizeof(wrong[0]));
	suite_add_tcase(s, t);
	return s;
}
