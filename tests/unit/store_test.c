// SPDX-License-Identifier: GPL-3.0-or-later
/* store - rows in memory: what is kept, what goes, what readers see. */
#include "store/store.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/unit/ask.h"
#include "tests/unit/suites.h"

static struct span *add_span(struct batch *b, int64_t start, const char *target)
{
	struct span *s = batch_add(b, TABLE_SPANS);

	s->start_ns = start;
	s->dur_ns = 1000;
	s->target = batch_text(b, str_of(target));
	return s;
}

static void again(struct batch *b)
{
	arena_reset(&b->arena);
	b->n = 0;
}

START_TEST(rows_are_kept_until_the_budget_is_spent_then_the_oldest_go)
{
	struct store *s = store_new(1 << 20);
	struct batch *b = ask_batch(100);
	struct store_stats st;
	char target[600];
	int64_t i = 0;

	memset(target, 'x', sizeof(target));
	while (i < 20000) {
		again(b);
		for (int k = 0; k < 100; k++, i++) {
			snprintf(target + 500, 90, "%lld", (long long)i);
			add_span(b, i, target);
		}
		ck_assert_int_eq(store_add(s, b), 0);
		store_stats(s, &st);
		ck_assert_uint_le(st.bytes, 1 << 20);
	}
	ck_assert_uint_gt(st.evicted[TABLE_SPANS], 1000);
	ck_assert_uint_eq(st.rows[TABLE_SPANS] + st.evicted[TABLE_SPANS], 20000);
	ck_assert_uint_gt(st.rows[TABLE_SPANS], 1000);
	snprintf(target, sizeof(target), "%u|19999\n", (unsigned int)st.evicted[TABLE_SPANS]);
	ck_assert_str_eq(ask_store(s, "SELECT min(start_ns), max(start_ns) FROM spans"), target);
	ask_batch_free(b);
	store_free(s);
}
END_TEST

START_TEST(a_flood_of_spans_leaves_connections_alone)
{
	struct store *s = store_new(1 << 20);
	struct batch *b = ask_batch(100);
	struct conn_row *c = batch_add(b, TABLE_CONNECTIONS);

	c->conn = STR("c1");
	c->requests = 1;
	store_add(s, b);
	for (int64_t i = 0; i < 30000;) {
		again(b);
		for (int k = 0; k < 100; k++, i++)
			add_span(b, i, "/some/longer/path/that/takes/some/room");
		store_add(s, b);
	}
	ck_assert_str_eq(ask_store(s, "SELECT conn, requests FROM connections"), "c1|1\n");
	ask_batch_free(b);
	store_free(s);
}
END_TEST

START_TEST(the_newest_row_of_a_connection_replaces_the_older_ones)
{
	struct store *s = store_new(4 << 20);
	struct batch *b = ask_batch(100);
	struct store_stats st;

	for (int64_t round = 0; round < 300; round++) {
		again(b);
		for (int k = 0; k < 100; k++) {
			struct conn_row *c = batch_add(b, TABLE_CONNECTIONS);
			char name[16];

			snprintf(name, sizeof(name), "c%d", k);
			c->conn = batch_text(b, str_of(name));
			c->requests = round;
		}
		ck_assert_int_eq(store_add(s, b), 0);
	}
	ck_assert_str_eq(ask_store(s, "SELECT count(*), count(DISTINCT conn), min(requests), "
	                              "max(requests) FROM connections"),
	                 "100|100|299|299\n");
	ck_assert_str_eq(ask_store(s, "SELECT requests FROM connections WHERE conn = 'c7'"),
	                 "299\n");
	store_stats(s, &st);
	ck_assert_uint_eq(st.rows[TABLE_CONNECTIONS], 100);
	ck_assert_uint_eq(st.evicted[TABLE_CONNECTIONS], 0);
	ck_assert_uint_lt(st.segments, 5);
	ask_batch_free(b);
	store_free(s);
}
END_TEST

START_TEST(rows_without_a_key_replace_nothing)
{
	struct store *s = store_new(1 << 20);
	struct batch *b = ask_batch(10);

	for (int i = 0; i < 3; i++) {
		struct proc_row *p = batch_add(b, TABLE_PROCESSES);

		p->pid = i ? COL_NULL : 7;
		p->start_ns = 5;
		((struct conn_row *)batch_add(b, TABLE_CONNECTIONS))->requests = i;
	}
	store_add(s, b);
	ck_assert_str_eq(ask_store(s, "SELECT count(*) FROM processes"), "3\n");
	ck_assert_str_eq(ask_store(s, "SELECT count(*) FROM connections"), "3\n");
	ask_batch_free(b);
	store_free(s);
}
END_TEST

START_TEST(long_empty_and_strange_texts_stay_as_they_are)
{
	struct store *s = store_new(64 << 20);
	struct batch *b = ask_batch(10);
	char *big = malloc(5 << 20);

	memset(big, 'a', 5 << 20);
	add_span(b, 1, "")->op = STR("nul\0in");
	add_span(b, 2, "x")->target = (struct str){ big, 5 << 20 };
	add_span(b, 3, "x")->target = STR_NULL;
	ck_assert_int_eq(store_add(s, b), 0);
	ck_assert_str_eq(ask_store(s, "SELECT start_ns, length(target), typeof(target), "
	                              "length(cast(op AS blob)) FROM spans ORDER BY start_ns"),
	                 "1|0|text|6\n2|5242880|text|-\n3|-|null|-\n");
	free(big);
	ask_batch_free(b);
	store_free(s);
}
END_TEST

START_TEST(a_row_larger_than_the_budget_is_counted_and_does_no_harm)
{
	struct store *s = store_new(1 << 20);
	struct batch *b = ask_batch(10);
	struct store_stats st;
	char *big = calloc(1, 2 << 20);

	add_span(b, 1, "a");
	add_span(b, 2, "b")->target = (struct str){ big, 2 << 20 };
	add_span(b, 3, "c");
	ck_assert_int_eq(store_add(s, b), 0);
	store_stats(s, &st);
	ck_assert_uint_eq(st.rows[TABLE_SPANS], 2);
	ck_assert_uint_eq(st.evicted[TABLE_SPANS], 1);
	ck_assert_str_eq(ask_store(s, "SELECT target FROM spans"), "a\nc\n");
	free(big);
	ask_batch_free(b);
	store_free(s);
}
END_TEST

/* Out of order by a few hundred, over several segments, with ties and unknown times. */
static struct store *shuffled(int64_t rows)
{
	struct store *s = store_new(64 << 20);
	struct batch *b = ask_batch(512);
	uint64_t r = 1;

	for (int64_t i = 0; i < rows;) {
		again(b);
		for (int k = 0; k < 512 && i < rows; k++, i++) {
			char name[32];
			struct span *sp;

			r = r * 6364136223846793005 + 1442695040888963407;
			snprintf(name, sizeof(name), "/%d", (int)(r >> 40) % 50);
			sp = add_span(b, i % 1000 ? i * 10 - (int64_t)(r >> 33) % 9000 : COL_NULL,
			              name);
			sp->dur_ns = (int64_t)(r >> 34) % 1000000;
			sp->code = i % 7 ? 200 : 500;
			sp->trace_id[0] = (uint8_t)(i % 251 + 1);
			sp->proto = i % 3 ? STR("http") : STR("redis");
			sp->pid = i % 11;
		}
		ck_assert_int_eq(store_add(s, b), 0);
	}
	ask_batch_free(b);
	return s;
}

/* What a table does by itself must not change any answer: + hides a term from it. */
static const struct {
	const char *quick, *plain;
} same[] = {
	{ "SELECT start_ns, rowid FROM spans ORDER BY start_ns DESC LIMIT 300",
	  "SELECT start_ns, rowid FROM spans ORDER BY +start_ns DESC, +rowid DESC LIMIT 300" },
	{ "SELECT start_ns FROM spans ORDER BY start_ns LIMIT 300",
	  "SELECT start_ns FROM spans ORDER BY +start_ns LIMIT 300" },
	{ "SELECT time FROM spans ORDER BY time DESC",
	  "SELECT time FROM spans ORDER BY +time DESC" },
	{ "SELECT count(*), sum(start_ns) FROM spans WHERE start_ns > 50000 AND start_ns <= 90000",
	  "SELECT count(*), sum(start_ns) FROM spans WHERE +start_ns > 50000 AND +start_ns <= 90000" },
	{ "SELECT count(*) FROM spans WHERE start_ns < 50000.5",
	  "SELECT count(*) FROM spans WHERE +start_ns < 50000.5" },
	{ "SELECT count(*) FROM spans WHERE dur_ms > 0.5 AND dur_ns < 900000",
	  "SELECT count(*) FROM spans WHERE +dur_ms > 0.5 AND +dur_ns < 900000" },
	{ "SELECT count(*) FROM spans WHERE dur_ms = 0.25",
	  "SELECT count(*) FROM spans WHERE +dur_ms = 0.25" },
	{ "SELECT count(*) FROM spans WHERE proto = 'redis' AND code = 500",
	  "SELECT count(*) FROM spans WHERE +proto = 'redis' AND +code = 500" },
	{ "SELECT count(*) FROM spans WHERE code = '500'",
	  "SELECT count(*) FROM spans WHERE +code = 500" },
	{ "SELECT count(*) FROM spans WHERE proto = 'REDIS' COLLATE nocase",
	  "SELECT count(*) FROM spans WHERE lower(proto) = 'redis'" },
	{ "SELECT count(*) FROM spans WHERE trace_id = '07000000000000000000000000000000'",
	  "SELECT count(*) FROM spans WHERE +trace_id = '07000000000000000000000000000000'" },
	{ "SELECT count(*) FROM spans WHERE trace_id = 'FF'",
	  "SELECT count(*) FROM spans WHERE +trace_id = 'FF'" },
	{ "SELECT count(*) FROM spans WHERE trace_id IN ('07000000000000000000000000000000', "
	  "'08000000000000000000000000000000') AND pid = 3",
	  "SELECT count(*) FROM spans WHERE substr(trace_id, 1, 2) IN ('07', '08') AND +pid = 3" },
	{ "SELECT count(*) FROM spans WHERE start_ns IS NULL AND code = NULL", "SELECT 0" },
	{ "SELECT count(*) FROM spans WHERE time >= '1970-01-01T00:00:00.00005' AND time < "
	  "'1970-01-01T00:00:00.00009Z'",
	  "SELECT count(*) FROM spans WHERE +time >= '1970-01-01T00:00:00.00005' AND +time < "
	  "'1970-01-01T00:00:00.00009Z'" },
	{ "SELECT target, count(*), sum(dur_ns), min(code) FROM spans GROUP BY target ORDER BY 1",
	  "SELECT +target, count(*), sum(dur_ns), min(code) FROM spans GROUP BY +target ORDER BY 1" },
	{ "SELECT proto, code, count(*) FROM spans WHERE pid > 3 GROUP BY proto, code ORDER BY 1, 2",
	  "SELECT +proto, +code, count(*) FROM spans WHERE +pid > 3 GROUP BY +proto, +code "
	  "ORDER BY 1, 2" },
	{ "SELECT target, code, count(*) FROM spans GROUP BY 1, 2 ORDER BY 1 DESC, 2",
	  "SELECT +target, +code, count(*) FROM spans GROUP BY 1, 2 ORDER BY 1 DESC, 2" },
	{ "SELECT trace_id, max(dur_ms) FROM spans GROUP BY 1 ORDER BY 1",
	  "SELECT +trace_id, max(dur_ms) FROM spans GROUP BY 1 ORDER BY 1" },
	{ "SELECT DISTINCT pid FROM spans WHERE code = 500 ORDER BY 1",
	  "SELECT DISTINCT +pid FROM spans WHERE +code = 500 ORDER BY 1" },
	{ "SELECT start_ns, count(*) FROM spans GROUP BY start_ns ORDER BY 1",
	  "SELECT +start_ns, count(*) FROM spans GROUP BY +start_ns ORDER BY 1" },
	{ "SELECT a.rowid, b.rowid FROM spans a JOIN spans b ON b.trace_id = a.trace_id AND "
	  "b.start_ns > a.start_ns WHERE a.start_ns BETWEEN 60000 AND 60100 ORDER BY 1, 2",
	  "SELECT a.rowid, b.rowid FROM spans a JOIN spans b ON +b.trace_id = a.trace_id AND "
	  "+b.start_ns > a.start_ns WHERE +a.start_ns BETWEEN 60000 AND 60100 ORDER BY 1, 2" },
};

START_TEST(a_narrowed_scan_answers_as_a_full_one)
{
	struct store *s = shuffled(15000);
	struct sqlh *q = sql_open(s, NULL);
	char *quick = strdup(ask(q, same[_i].quick));
	const char *plain = ask(q, same[_i].plain);

	ck_assert_msg(strncmp(quick, "error", 5), "%s: %s", same[_i].quick, quick);
	if (_i) /* ties are in any order */
		ck_assert_msg(!strcmp(quick, plain), "%s\n%.300s\n--\n%.300s", same[_i].quick,
		              quick, plain);
	ck_assert_uint_eq(strlen(quick) > 0, strlen(plain) > 0);
	free(quick);
	sql_close(q);
	store_free(s);
}
END_TEST

START_TEST(the_newest_rows_come_without_a_sort)
{
	struct store *s = shuffled(2000);
	const char *plan = ask_store(s,
	                             "EXPLAIN QUERY PLAN SELECT time FROM spans WHERE code = 500 "
	                             "ORDER BY start_ns DESC LIMIT 5");

	ck_assert_ptr_null(strstr(plan, "TEMP B-TREE"));
	store_free(s);
}
END_TEST

struct writer_thread {
	struct store *store;
	int rounds;
	bool done; /* atomic */
};

/* Each connection comes again in every batch, with the number of the batch. */
static void *write_rows(void *ctx)
{
	struct writer_thread *w = ctx;
	struct batch *b = ask_batch(200);

	for (int round = 0; round < w->rounds; round++) {
		again(b);
		for (int k = 0; k < 100; k++) {
			struct conn_row *c = batch_add(b, TABLE_CONNECTIONS);
			char name[16];

			snprintf(name, sizeof(name), "c%d", k);
			c->conn = batch_text(b, str_of(name));
			c->requests = round;
			add_span(b, round * 100 + k, name);
		}
		store_add(w->store, b);
	}
	ask_batch_free(b);
	__atomic_store_n(&w->done, true, __ATOMIC_RELEASE);
	return NULL;
}

START_TEST(a_reader_sees_whole_batches_while_another_thread_writes)
{
	struct writer_thread w = { .store = store_new(2 << 20), .rounds = 1500 };
	struct sqlh *q = sql_open(w.store, NULL);
	pthread_t t;

	pthread_create(&t, NULL, write_rows, &w);
	while (!__atomic_load_n(&w.done, __ATOMIC_ACQUIRE)) {
		const char *a = ask(q, "SELECT count(*) IN (0, 100), count(DISTINCT requests) <= 1 "
		                       "FROM connections");

		ck_assert_str_eq(a, "1|1\n");
		a = ask(q, "SELECT count(*) % 100 = 0 OR max(start_ns) > 5000 FROM spans");
		ck_assert_str_eq(a, "1\n");
		a = ask(q, "SELECT (SELECT max(start_ns) / 100 FROM spans) IS "
		           "(SELECT max(requests) FROM connections)");
		ck_assert_str_eq(a, "1\n");
	}
	pthread_join(t, NULL);
	sql_close(q);
	store_free(w.store);
}
END_TEST

Suite *store_suite(void)
{
	Suite *s = suite_create("store");
	TCase *t = tcase_create("store");

	tcase_set_timeout(t, 60);
	tcase_add_test(t, rows_are_kept_until_the_budget_is_spent_then_the_oldest_go);
	tcase_add_test(t, a_flood_of_spans_leaves_connections_alone);
	tcase_add_test(t, the_newest_row_of_a_connection_replaces_the_older_ones);
	tcase_add_test(t, rows_without_a_key_replace_nothing);
	tcase_add_test(t, long_empty_and_strange_texts_stay_as_they_are);
	tcase_add_test(t, a_row_larger_than_the_budget_is_counted_and_does_no_harm);
	tcase_add_loop_test(t, a_narrowed_scan_answers_as_a_full_one, 0,
	                    sizeof(same) / sizeof(same[0]));
	tcase_add_test(t, the_newest_rows_come_without_a_sort);
	tcase_add_test(t, a_reader_sees_whole_batches_while_another_thread_writes);
	suite_add_tcase(s, t);
	return s;
}
