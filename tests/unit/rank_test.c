// SPDX-License-Identifier: GPL-3.0-or-later
/* rank - groups in an order, with the rest, a baseline, alerts; names and texts. */
#include "store/rank.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/unit/ask.h"
#include "tests/unit/suites.h"

#define SECOND 1000000000ll
#define START  (1700000000 * SECOND)

/* Group i of 40 has i + 1 requests of i + 1 ms, one a second; every fifth group fails. */
enum { GROUPS = 40, TOP = 5 };

struct world {
	struct store *store;
	struct agg *agg;
	struct agg_view *view;
	const char *by[AGG_BY];
};

static void add(struct batch *b, unsigned int group, unsigned int second, int64_t ms)
{
	struct span *s = batch_add(b, TABLE_SPANS);
	char z[16];

	snprintf(z, sizeof(z), "/r%02u", group);
	s->route = batch_text(b, str_of(z));
	s->service = STR("it's");
	s->start_ns = START + second * SECOND;
	s->dur_ns = ms * 1000000;
	s->error = group % 5 == 0;
	s->req_bytes = 10;
}

static struct world world_new(int64_t slower)
{
	struct world w = { .store = store_new(16 << 20), .by = { "route", "service" } };
	struct agg_query q = { .by = { "route", "service" }, .spark = 12 };
	struct batch *b = ask_batch(GROUPS * (GROUPS + 1) / 2);
	char err[ERR_TEXT] = "";

	w.agg = agg_new(w.store, 16 << 20);
	for (unsigned int g = 0; g < GROUPS; g++)
		for (unsigned int i = 0; i <= g; i++)
			add(b, g, i, (g + 1) * slower);
	ck_assert_int_eq(store_add(w.store, b), 0);
	ck_assert_int_eq(agg_add(w.agg, b), 0);
	ask_batch_free(b);
	w.view = agg_view(w.agg, &q, err);
	ck_assert_msg(w.view, "%s", err);
	return w;
}

static void world_free(struct world *w)
{
	agg_view_free(w->view);
	agg_free(w->agg);
	store_free(w->store);
}

static struct rank take(struct world *w, const struct rank_spec *spec)
{
	struct agg_answer a;
	struct rank r;

	ck_assert_int_eq(agg_view_ask(w->view, 1000, &a, NULL), 0);
	ck_assert_int_eq(rank_take(&r, w->view, &a, w->by, spec), 0);
	return r;
}

START_TEST(the_rest_makes_columns_whole)
{
	struct world w = world_new(1);
	struct rank r = take(&w, &(struct rank_spec){ .top = TOP });
	uint64_t count = 0, errors = 0, bytes = 0, spark = 0;
	int64_t sum = 0;

	ck_assert_uint_eq(r.n, TOP + 1);
	for (size_t i = 0; i < r.n; i++) {
		const struct agg_row *row = &r.rows[i].row;

		ck_assert_int_eq(r.rows[i].rest, i == TOP);
		count += row->count;
		errors += row->errors;
		bytes += row->req_bytes;
		sum += row->sum_ns;
		for (unsigned int p = 0; p < r.answer.spark; p++)
			spark += row->spark[p];
	}
	ck_assert_uint_eq(count, r.answer.total.count);
	ck_assert_uint_eq(count, GROUPS * (GROUPS + 1) / 2);
	ck_assert_uint_eq(spark, count);
	ck_assert_uint_eq(errors, r.answer.total.errors);
	ck_assert_uint_eq(bytes, 10 * count);
	ck_assert_int_eq(sum, r.answer.total.sum_ns);
	rank_free(&r);
	world_free(&w);
}
END_TEST

/* Within the stated error of the value that is in the middle of all sorted ones. */
static void is_near(double got, double want)
{
	ck_assert_msg(fabs(got - want) <= 0.011 * want, "%g, not %g", got, want);
}

START_TEST(percentiles_of_the_rest_are_those_of_its_requests)
{
	struct world w = world_new(1);
	struct rank r = take(&w, &(struct rank_spec){ .top = TOP });
	const struct rank_row *rest = &r.rows[TOP];
	unsigned int below = 0, n = (GROUPS - TOP) * (GROUPS - TOP + 1) / 2, p50 = 0, p95 = 0;

	/* Groups 0 .. 34 are left: that of g has g + 1 requests of g + 1 ms. */
	ck_assert_uint_eq(rest->row.groups, GROUPS - TOP);
	ck_assert_uint_eq(rest->row.count, n);
	for (unsigned int ms = 1; ms <= GROUPS - TOP; ms++) {
		below += ms;
		p50 = !p50 && below * 100 >= n * 50 ? ms : p50;
		p95 = !p95 && below * 100 >= n * 95 ? ms : p95;
	}
	is_near(rank_value(&r, rest, RANK_P50), p50);
	is_near(rank_value(&r, rest, RANK_P95), p95);
	is_near(rank_value(&r, rest, RANK_MAX), GROUPS - TOP);
	rank_free(&r);
	world_free(&w);
}
END_TEST

/* What is asked; the rest is asked a second time by a filter that leaves out what is kept. */
static const struct {
	const char *by[AGG_BY], *filter;
} rests[] = {
	{ { "route" }, NULL },
	{ { "route", "service" }, "route >= '/r10' or route is null" },
	{ { "service", "route" }, "dur_ms > 3" }, /* from rows of the store */
	{ { "route" }, "dur_ms > 3 and route is not null" },
};

static void leave_out(const struct rank *r, struct buf *where)
{
	for (size_t i = 0; i < TOP; i++) {
		buf_z(where, " and not (");
		ck_assert(rank_where(r, &r->rows[i], where));
		buf_ch(where, ')');
	}
	buf_ch(where, 0);
}

static struct agg_row asked_again(struct world *w, const char *where)
{
	struct agg_query q = { .filter = where };
	char err[ERR_TEXT] = "";
	struct agg_view *v = agg_view(w->agg, &q, err);
	struct agg_answer a;
	struct agg_row total;

	ck_assert_msg(v, "%s: %s", where, err);
	ck_assert_int_eq(agg_view_ask(v, 1000, &a, err), 0);
	total = a.total;
	agg_answer_free(&a);
	agg_view_free(v);
	return total;
}

START_TEST(the_rest_is_what_a_filter_without_the_kept_groups_finds)
{
	const char *filter = rests[_i].filter;
	struct agg_query q = { .filter = filter };
	struct world w = world_new(1);
	struct buf where = { 0 };
	char err[ERR_TEXT] = "";
	struct agg_row want, got;
	struct rank r;

	agg_view_free(w.view);
	memcpy(q.by, rests[_i].by, sizeof(q.by));
	memcpy(w.by, rests[_i].by, sizeof(w.by));
	w.view = agg_view(w.agg, &q, err);
	ck_assert_msg(w.view, "%s", err);
	r = take(&w, &(struct rank_spec){ .sort = "count", .top = TOP });
	ck_assert_uint_eq(r.n, TOP + 1);
	buf_fmt(&where, "(%s)", filter ? filter : "1");
	leave_out(&r, &where);
	want = asked_again(&w, where.p);
	got = r.rows[TOP].row;
	ck_assert_uint_gt(want.count, 0);
	ck_assert_uint_eq(got.count, want.count);
	ck_assert_uint_eq(got.errors, want.errors);
	ck_assert_int_eq(got.sum_ns, want.sum_ns);
	ck_assert_int_eq(got.max_ns, want.max_ns);
	ck_assert_int_eq(got.p50_ns, want.p50_ns);
	ck_assert_int_eq(got.p95_ns, want.p95_ns);
	ck_assert_int_eq(got.p99_ns, want.p99_ns);
	buf_free(&where);
	rank_free(&r);
	world_free(&w);
}
END_TEST

START_TEST(an_answer_that_has_not_changed_says_so)
{
	struct world w = world_new(1);
	struct batch *b = ask_batch(1);
	struct agg_answer a[4];

	ck_assert_int_eq(agg_view_ask(w.view, 1000, &a[0], NULL), 0);
	ck_assert_int_eq(agg_view_ask(w.view, 1000, &a[1], NULL), 0);
	add(b, 0, 3, 500);
	ck_assert_int_eq(agg_add(w.agg, b), 0);
	ck_assert_int_eq(agg_view_ask(w.view, 1000, &a[2], NULL), 0);
	agg_view_window(w.view, START, START + 2 * SECOND);
	ck_assert_int_eq(agg_view_ask(w.view, 1000, &a[3], NULL), 0);
	ck_assert_uint_eq(a[0].serial, a[1].serial);
	ck_assert_uint_ne(a[1].serial, a[2].serial);
	ck_assert_uint_ne(a[2].serial, a[3].serial);
	ck_assert_uint_eq(a[2].total.count, a[0].total.count + 1);
	for (int i = 0; i < 4; i++)
		agg_answer_free(&a[i]);
	ask_batch_free(b);
	world_free(&w);
}
END_TEST

START_TEST(the_capture_lasts_from_the_first_start_to_the_last_answer)
{
	struct world w = world_new(1);
	struct batch *b = ask_batch(2);
	struct agg_stats st;

	agg_stats(w.agg, &st);
	ck_assert_int_eq(st.first_ns, START);
	ck_assert_int_eq(st.last_ns, START + (GROUPS - 1) * SECOND + GROUPS * SECOND / 1000);
	ck_assert_uint_eq(st.spans, GROUPS * (GROUPS + 1) / 2);
	/* Answered last, begun first; then one that nobody has answered. */
	add(b, 0, 0, 90000);
	((struct span *)b->items[0].row)->start_ns -= 2 * SECOND;
	add(b, 1, 80, 0);
	((struct span *)b->items[1].row)->dur_ns = COL_NULL;
	ck_assert_int_eq(agg_add(w.agg, b), 0);
	agg_stats(w.agg, &st);
	ck_assert_int_eq(st.first_ns, START - 2 * SECOND);
	ck_assert_int_eq(st.last_ns, START + 88 * SECOND);
	ask_batch_free(b);
	world_free(&w);
}
END_TEST

START_TEST(the_order_is_by_any_column_and_by_names)
{
	static const struct {
		const char *sort;
		bool asc;
		const char *first;
	} cases[] = {
		{ NULL, false, "/r39" },        { "total_pct", true, "/r00" },
		{ "count", false, "/r39" },     { "p50_ms", true, "/r00" },
		{ "error_pct", false, "/r35" }, { "route", true, "/r00" },
		{ "route", false, "/r39" },     { "rate", true, "/r00" },
	};
	struct world w = world_new(1);

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct rank r =
			take(&w, &(struct rank_spec){ .sort = cases[i].sort, .asc = cases[i].asc });

		ck_assert_uint_eq(r.n, GROUPS);
		ck_assert_msg(str_is(r.rows[0].row.by[0], cases[i].first), "%zu: %.*s", i,
		              STR_ARG(r.rows[0].row.by[0]));
		rank_free(&r);
	}
	world_free(&w);
}
END_TEST

START_TEST(rates_are_over_the_capture_where_the_window_is_longer)
{
	struct world w = world_new(1);
	struct rank_spec spec = { .first_ns = START, .end_ns = START + 40 * SECOND, .top = 1 };
	struct rank r = take(&w, &spec);

	is_near(rank_value(&r, &r.rows[0], RANK_RATE), 1); /* 40 in 40 s */
	is_near(rank_value(&r, &r.rows[0], RANK_WINDOW), 40);
	rank_free(&r);
	world_free(&w);
}
END_TEST

START_TEST(changes_are_against_the_baseline_by_name)
{
	struct world w = world_new(1), slow = world_new(2);
	struct rank_spec spec = { 0 };
	struct rank base = take(&w, &spec), r;
	struct rank_row unknown;

	spec.base = &base;
	spec.sort = "p95_change";
	spec.top = TOP;
	r = take(&slow, &spec);
	for (size_t i = 0; i < TOP; i++) {
		ck_assert_ptr_nonnull(r.rows[i].base);
		ck_assert(str_eq(r.rows[i].base->by[0], r.rows[i].row.by[0]));
		ck_assert(fabs(rank_value(&r, &r.rows[i], RANK_P95_CHANGE) - 100) < 3);
		ck_assert(rank_value(&r, &r.rows[i], RANK_ERROR_CHANGE) == 0);
	}
	ck_assert(isnan(rank_value(&r, &r.rows[TOP], RANK_P95_CHANGE)));
	unknown = r.rows[0];
	unknown.base = NULL; /* a group that was not there before */
	ck_assert(isnan(rank_value(&r, &unknown, RANK_P50_CHANGE)));
	rank_free(&r);
	rank_free(&base);
	world_free(&w);
	world_free(&slow);
}
END_TEST

START_TEST(an_expression_marks_the_groups_where_it_holds)
{
	struct world w = world_new(1);
	char err[ERR_TEXT] = "";
	struct rank_expr *e = rank_expr_new("p50_ms > 35 and route <> '/r39'", w.by, err);
	struct rank r;

	ck_assert_msg(e, "%s", err);
	r = take(&w, &(struct rank_spec){ .alert = e });
	for (size_t i = 0; i < r.n; i++) {
		double p50 = rank_value(&r, &r.rows[i], RANK_P50);

		ck_assert_int_eq(r.rows[i].alert, p50 > 35 && !str_is(r.rows[i].row.by[0], "/r39"));
	}
	rank_free(&r);
	rank_expr_free(e);
	ck_assert_ptr_null(rank_expr_new("nosuch > 1", w.by, err));
	ck_assert_msg(strstr(err, "nosuch"), "%s", err);
	world_free(&w);
}
END_TEST

START_TEST(a_group_is_found_again_by_sql)
{
	struct world w = world_new(1);
	struct rank r = take(&w, &(struct rank_spec){ .top = TOP });
	struct buf sql = { 0 };

	buf_z(&sql, "select count(*) from spans where ");
	ck_assert(rank_where(&r, &r.rows[0], &sql));
	buf_ch(&sql, 0);
	ck_assert_str_eq(sql.p, "select count(*) from spans where "
	                        "route = '/r39' and service = 'it''s'");
	ck_assert_str_eq(ask_store(w.store, sql.p), "40\n");
	ck_assert(!rank_where(&r, &r.rows[TOP], &sql));
	ck_assert_uint_ne(rank_id(&r, &r.rows[0]), rank_id(&r, &r.rows[1]));
	ck_assert_uint_eq(rank_id(&r, &r.rows[TOP]), 2);
	buf_free(&sql);
	rank_free(&r);
	world_free(&w);
}
END_TEST

START_TEST(names_of_columns_are_checked)
{
	struct rank_spec spec = { 0 };
	const char *by[AGG_BY];
	char name[RANK_NAME], err[ERR_TEXT] = "";

	ck_assert_int_eq(rank_by("route,service", by, err), 2);
	ck_assert_str_eq(by[1], "service");
	ck_assert_ptr_null(by[2]);
	ck_assert_int_eq(rank_by("", by, err), -EINVAL);
	ck_assert_int_eq(rank_by("route,nosuch", by, err), -EINVAL);
	ck_assert_msg(strstr(err, "nosuch; there are service"), "%s", err);
	ck_assert_int_eq(rank_by("route,service,name,op,peer", by, err), -EINVAL);
	ck_assert_int_eq(rank_by("route", by, err), 1);
	ck_assert_int_eq(rank_sort("p99_ms:asc", by, name, &spec, err), 0);
	ck_assert(spec.asc && !strcmp(spec.sort, "p99_ms"));
	ck_assert_int_eq(rank_sort("route", by, name, &spec, err), 0);
	ck_assert(spec.asc); /* texts begin with a */
	ck_assert_int_eq(rank_sort("p99_ms:up", by, name, &spec, err), -EINVAL);
	ck_assert_int_eq(rank_sort("service", by, name, &spec, err), -EINVAL);
}
END_TEST

START_TEST(columns_are_chosen_by_name)
{
	const char *by[AGG_BY] = { "route" };
	struct rank_columns c = { .col = { RANK_COUNT, RANK_P50 }, .n = 2 };
	char err[ERR_TEXT] = "";

	ck_assert_int_eq(rank_columns("+max_ms,-count", by, &c, err), 0);
	ck_assert(c.n == 2 && c.col[0] == RANK_P50 && c.col[1] == RANK_MAX);
	ck_assert_int_eq(rank_columns("route,rate,rate", by, &c, err), 0);
	ck_assert(c.n == 1 && c.col[0] == RANK_RATE);
	ck_assert_int_eq(rank_columns("rate,nosuch", by, &c, err), -EINVAL);
	ck_assert_str_eq(err, "no column nosuch");
}
END_TEST

START_TEST(figures_are_as_people_read_them)
{
	static const struct {
		enum rank_col col;
		double value;
		const char *want;
	} cases[] = {
		{ RANK_COUNT, 1234567, "1,234,567" }, { RANK_RATE, 0.25, "0.25" },
		{ RANK_RATE, 2.34, "2.3" },           { RANK_RATE, 2318.4, "2,318" },
		{ RANK_P50, 412.66, "412.7" },        { RANK_P50, 4.1, "4.10" },
		{ RANK_P50, 0.1449, "0.145" },        { RANK_P50, NAN, "-" },
		{ RANK_P95_CHANGE, 411.6, "+412" },   { RANK_ERROR_CHANGE, -0.25, "-0.2" },
		{ RANK_TOTAL_PCT, 58, "58.0" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct buf b = { 0 };

		rank_text(cases[i].col, cases[i].value, &b);
		ck_assert_msg(str_is(buf_slice(&b), cases[i].want), "%.*s, not %s",
		              STR_ARG(buf_slice(&b)), cases[i].want);
		buf_free(&b);
	}
}
END_TEST

Suite *rank_suite(void)
{
	Suite *s = suite_create("rank");
	TCase *t = tcase_create("rank");

	tcase_add_test(t, the_rest_makes_columns_whole);
	tcase_add_test(t, percentiles_of_the_rest_are_those_of_its_requests);
	tcase_add_loop_test(t, the_rest_is_what_a_filter_without_the_kept_groups_finds, 0,
	                    sizeof(rests) / sizeof(rests[0]));
	tcase_add_test(t, an_answer_that_has_not_changed_says_so);
	tcase_add_test(t, the_capture_lasts_from_the_first_start_to_the_last_answer);
	tcase_add_test(t, the_order_is_by_any_column_and_by_names);
	tcase_add_test(t, rates_are_over_the_capture_where_the_window_is_longer);
	tcase_add_test(t, changes_are_against_the_baseline_by_name);
	tcase_add_test(t, an_expression_marks_the_groups_where_it_holds);
	tcase_add_test(t, a_group_is_found_again_by_sql);
	tcase_add_test(t, names_of_columns_are_checked);
	tcase_add_test(t, columns_are_chosen_by_name);
	tcase_add_test(t, figures_are_as_people_read_them);
	suite_add_tcase(s, t);
	return s;
}
