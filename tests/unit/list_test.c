// SPDX-License-Identifier: GPL-3.0-or-later
/* list - rows that fit, in order, kept up with the store. */
#include "store/list.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "tests/unit/ask.h"
#include "tests/unit/suites.h"

static void again(struct batch *b)
{
	arena_reset(&b->arena);
	b->n = 0;
}

/* Spans first .. first + n - 1, a little out of order, with ties and unknown values. */
static void add_spans(struct store *s, struct batch *b, int64_t first, int64_t n)
{
	for (int64_t i = first; i < first + n;) {
		again(b);
		for (; b->n < b->cap && i < first + n; i++) {
			uint64_t r = (uint64_t)i * 6364136223846793005u >> 20;
			struct span *sp = batch_add(b, TABLE_SPANS);
			char name[32];

			snprintf(name, sizeof(name), "/%d", (int)(r % 50));
			sp->start_ns = 1000000 + i * 10 - (int64_t)(r % 3000);
			sp->dur_ns = i % 9 ? (int64_t)(r >> 7) % 1000 * 1000 : COL_NULL;
			sp->code = i % 7 ? 200 : 500;
			sp->route = i % 13 ? batch_text(b, str_of(name)) : STR_NULL;
			sp->proto = i % 3 ? STR("http") : STR("redis");
			memcpy(sp->span_id, &r, 8);
		}
		ck_assert_int_eq(store_add(s, b), 0);
	}
}

static void add_conns(struct store *s, struct batch *b, int64_t requests)
{
	again(b);
	for (int k = 0; k < 50; k++) {
		struct conn_row *c = batch_add(b, TABLE_CONNECTIONS);
		char name[16];

		snprintf(name, sizeof(name), "c%d", k);
		c->conn = batch_text(b, str_of(name));
		c->start_ns = 1000 + k * 37 % 50;
		c->requests = requests * 50 + k;
	}
	ck_assert_int_eq(store_add(s, b), 0);
}

static struct list *open_list(struct store *s, const struct list_spec *spec)
{
	char err[ERR_TEXT] = "";
	struct list *l = list_new(s, spec, err);

	ck_assert_msg(l, "%s", err);
	return l;
}

static void finish(struct list *l)
{
	char err[ERR_TEXT] = "";
	int more;

	while ((more = list_update(l, 1, err)) == 1)
		;
	ck_assert_msg(!more, "%s", err);
}

static char *ids_of(const struct list *l)
{
	struct buf b = { 0 };
	struct list_state st;

	list_state(l, &st);
	for (size_t i = 0; i < st.n; i++) {
		size_t at = 0;

		buf_u64(&b, list_id(l, i));
		buf_ch(&b, '\n');
		if (i % 101)
			continue;
		ck_assert(list_find(l, list_id(l, i), &at));
		ck_assert_uint_eq(at, i);
	}
	buf_ch(&b, '\0');
	return b.p;
}

/* A list, and the statement that must give the same rows. */
static const struct {
	struct list_spec spec;
	const char *sql;
} cases[] = {
	{ { .table = TABLE_SPANS }, "SELECT rowid FROM spans ORDER BY +start_ns, +rowid" },
	{ { .table = TABLE_SPANS, .desc = true },
	  "SELECT rowid FROM spans ORDER BY +start_ns DESC, +rowid DESC" },
	{ { .table = TABLE_SPANS, .order = "dur_ms", .desc = true },
	  "SELECT rowid FROM spans ORDER BY +dur_ns DESC, +rowid DESC" },
	{ { .table = TABLE_SPANS, .order = "route" },
	  "SELECT rowid FROM spans ORDER BY +route, +rowid" },
	{ { .table = TABLE_SPANS, .order = "span_id" },
	  "SELECT rowid FROM spans ORDER BY +span_id, +rowid" },
	{ { .table = TABLE_SPANS, .order = "time", .from_ns = 1040000, .to_ns = 1090000 },
	  "SELECT rowid FROM spans WHERE +start_ns >= 1040000 AND +start_ns < 1090000 "
	  "ORDER BY +start_ns, +rowid" },
	{ { .table = TABLE_SPANS,
	    .order = "time",
	    .from_ns = 1040000,
	    .to_ns = 1490000,
	    .answered = true },
	  "SELECT rowid FROM spans WHERE +start_ns + coalesce(max(dur_ns, 0), 0) >= 1040000 "
	  "AND +start_ns + coalesce(max(dur_ns, 0), 0) < 1490000 ORDER BY +start_ns, +rowid" },
	{ { .table = TABLE_SPANS, .where = "code >= 500 and dur_ms > 0.5 -- slow", .desc = true },
	  "SELECT rowid FROM spans WHERE +code >= 500 AND +dur_ms > 0.5 "
	  "ORDER BY +start_ns DESC, +rowid DESC" },
	{ { .table = TABLE_SPANS, .where = "route like '/1%' or proto = 'redis'", .order = "code" },
	  "SELECT rowid FROM spans WHERE route LIKE '/1%' OR proto = 'redis' "
	  "ORDER BY +code, +rowid" },
	{ { .table = TABLE_SPANS, .where = "code = 500", .to_ns = 1050000 },
	  "SELECT rowid FROM spans WHERE +code = 500 AND +start_ns < 1050000 "
	  "ORDER BY +start_ns, +rowid" },
	{ { .table = TABLE_CONNECTIONS,
	    .order = "requests",
	    .desc = true,
	    .where = "requests > 20" },
	  NULL },
};

START_TEST(a_list_holds_what_sql_would_answer)
{
	struct store *s = store_new(64 << 20);
	struct batch *b = ask_batch(300);
	struct list *l = open_list(s, &cases[_i].spec);
	const char *want;
	char *got;

	for (int64_t i = 0; i < 12000; i += 3000) {
		add_spans(s, b, i, 3000);
		add_conns(s, b, i);
		if (i == 3000 || i == 6000)
			finish(l);
	}
	finish(l);
	if (cases[_i].sql) {
		got = ids_of(l);
		want = ask_store(s, cases[_i].sql);
		ck_assert_msg(strlen(want) > 100 && !strcmp(got, want), "%.200s\n--\n%.200s", got,
		              want);
		free(got);
	}
	list_free(l);
	ask_batch_free(b);
	store_free(s);
}
END_TEST

START_TEST(the_first_page_does_not_wait_for_all_rows)
{
	struct store *s = store_new((size_t)256 << 20);
	struct batch *b = ask_batch(1000);
	struct list *l = open_list(
		s,
		&(struct list_spec){ .table = TABLE_SPANS, .where = "code = 500", .desc = true });
	char err[ERR_TEXT] = "";
	struct list_state st;
	struct span row;
	struct arena a = { 0 };

	add_spans(s, b, 0, 60000);
	ck_assert_int_eq(list_update(l, 0, err), 1);
	list_state(l, &st);
	ck_assert_uint_eq(st.total, 60000);
	ck_assert_uint_gt(st.seen, 0);
	ck_assert_uint_lt(st.seen, 10000);
	ck_assert_uint_gt(st.n, 50);
	ck_assert_int_eq(list_get(l, 0, &a, &row), 0);
	ck_assert_int_gt(row.start_ns, 1000000 + 59000 * 10);
	ck_assert_int_eq(row.code, 500);
	ck_assert(str_is(row.proto, "http") || str_is(row.proto, "redis"));
	finish(l);
	list_state(l, &st);
	ck_assert_uint_eq(st.seen, 60000);
	ck_assert_uint_eq(st.n, 8572);
	arena_free(&a);
	list_free(l);
	ask_batch_free(b);
	store_free(s);
}
END_TEST

START_TEST(an_update_with_nothing_new_costs_nothing)
{
	struct store *s = store_new((size_t)256 << 20);
	struct batch *b = ask_batch(1000);
	struct list *l = open_list(s, &(struct list_spec){ .table = TABLE_SPANS });
	uint64_t from;

	add_spans(s, b, 0, 50000);
	finish(l);
	from = clock_ns();
	for (int i = 0; i < 1000; i++)
		finish(l);
	ck_assert_uint_lt(clock_ns() - from, 20000000);
	list_free(l);
	ask_batch_free(b);
	store_free(s);
}
END_TEST

START_TEST(evicted_rows_leave_the_list_and_are_counted)
{
	struct store *s = store_new(1 << 20);
	struct batch *b = ask_batch(100);
	struct list *l =
		open_list(s, &(struct list_spec){ .table = TABLE_SPANS, .order = "route" });
	struct list_state st;
	struct store_stats ss;
	struct arena a = { 0 };
	struct span row;
	uint64_t id;
	size_t at;

	add_spans(s, b, 0, 1000);
	finish(l);
	id = list_id(l, 3);
	add_spans(s, b, 1000, 1000);
	finish(l);
	ck_assert(list_find(l, id, &at));
	for (int64_t i = 2000; i < 30000; i += 1000) {
		add_spans(s, b, i, 1000);
		finish(l);
	}
	store_stats(s, &ss);
	list_state(l, &st);
	ck_assert_uint_gt(ss.evicted[TABLE_SPANS], 1000);
	ck_assert_uint_eq(st.n, ss.rows[TABLE_SPANS]);
	ck_assert_uint_eq(st.gone, ss.evicted[TABLE_SPANS]);
	ck_assert(!list_find(l, id, &at));
	ck_assert_int_eq(list_get(l, 0, &a, &row), 0);
	add_spans(s, b, 30000, 30000);
	ck_assert_int_eq(list_get(l, 0, &a, &row), -ESTALE);
	ck_assert_uint_gt(list_id(l, 0), 0);
	arena_free(&a);
	list_free(l);
	ask_batch_free(b);
	store_free(s);
}
END_TEST

START_TEST(a_connection_keeps_its_number_when_a_newer_row_replaces_it)
{
	struct store *s = store_new(1 << 20);
	struct batch *b = ask_batch(100);
	struct list *l = open_list(
		s, &(struct list_spec){ .table = TABLE_CONNECTIONS, .order = "requests" });
	struct list_state st;
	struct arena a = { 0 };
	struct conn_row row;
	uint64_t id;
	size_t at;

	add_conns(s, b, 0);
	finish(l);
	id = list_id(l, 7);
	for (int i = 1; i < 400; i++) {
		add_conns(s, b, i);
		if (i % 10 == 0)
			finish(l);
	}
	finish(l);
	list_state(l, &st);
	ck_assert_uint_eq(st.n, 50);
	ck_assert(list_find(l, id, &at));
	ck_assert_uint_eq(at, 7);
	ck_assert_uint_eq(list_id(l, at), id);
	ck_assert_int_eq(list_get(l, at, &a, &row), 0);
	ck_assert(str_is(row.conn, "c7"));
	ck_assert_int_eq(row.requests, 399 * 50 + 7);
	arena_free(&a);
	list_free(l);
	ask_batch_free(b);
	store_free(s);
}
END_TEST

START_TEST(a_row_that_no_longer_fits_leaves_when_it_is_replaced)
{
	struct store *s = store_new(1 << 20);
	struct batch *b = ask_batch(100);
	struct list *l = open_list(
		s, &(struct list_spec){ .table = TABLE_CONNECTIONS, .where = "requests < 50" });
	struct list_state st;

	add_conns(s, b, 0);
	finish(l);
	list_state(l, &st);
	ck_assert_uint_eq(st.n, 50);
	add_conns(s, b, 1);
	finish(l);
	list_state(l, &st);
	ck_assert_uint_eq(st.n, 0);
	list_free(l);
	ask_batch_free(b);
	store_free(s);
}
END_TEST

START_TEST(a_canceled_update_goes_on_later)
{
	struct store *s = store_new(64 << 20);
	struct batch *b = ask_batch(1000);
	struct list *l =
		open_list(s, &(struct list_spec){ .table = TABLE_SPANS, .where = "code = 500" });
	char err[ERR_TEXT] = "";
	struct list_state st;

	add_spans(s, b, 0, 10000);
	list_cancel(l);
	ck_assert_int_eq(list_update(l, 100, err), -ECANCELED);
	finish(l);
	list_state(l, &st);
	ck_assert_uint_eq(st.n, 1429);
	list_free(l);
	ask_batch_free(b);
	store_free(s);
}
END_TEST

static const struct {
	struct list_spec spec;
	const char *says;
} wrong[] = {
	{ { .table = TABLE_SPANS, .where = "status = 500" }, "status = '500' or code = 500" },
	{ { .table = TABLE_SPANS, .where = "durms > 5" }, "did you mean dur_ms" },
	{ { .table = TABLE_SPANS, .where = "code in (select 1)" }, "no sub-selects" },
	{ { .table = TABLE_SPANS, .where = "code > " }, "ends too early" },
	{ { .table = TABLE_CONNECTIONS, .where = "code > 5" }, "no such column: code" },
	{ { .table = TABLE_CONNECTIONS, .order = "code" }, "has no column code" },
};

START_TEST(a_wrong_expression_or_column_is_refused_in_words)
{
	struct store *s = store_new(1 << 20);
	char err[ERR_TEXT] = "";

	ck_assert_ptr_null(list_new(s, &wrong[_i].spec, err));
	ck_assert_msg(strstr(err, wrong[_i].says), "%s", err);
	store_free(s);
}
END_TEST

Suite *list_suite(void)
{
	Suite *s = suite_create("list");
	TCase *t = tcase_create("list");

	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, a_list_holds_what_sql_would_answer, 0,
	                    sizeof(cases) / sizeof(cases[0]));
	tcase_add_test(t, the_first_page_does_not_wait_for_all_rows);
	tcase_add_test(t, an_update_with_nothing_new_costs_nothing);
	tcase_add_test(t, evicted_rows_leave_the_list_and_are_counted);
	tcase_add_test(t, a_connection_keeps_its_number_when_a_newer_row_replaces_it);
	tcase_add_test(t, a_row_that_no_longer_fits_leaves_when_it_is_replaced);
	tcase_add_test(t, a_canceled_update_goes_on_later);
	tcase_add_loop_test(t, a_wrong_expression_or_column_is_refused_in_words, 0,
	                    sizeof(wrong) / sizeof(wrong[0]));
	suite_add_tcase(s, t);
	return s;
}
