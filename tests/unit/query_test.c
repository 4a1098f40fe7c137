// SPDX-License-Identifier: GPL-3.0-or-later
/* query - SQL over the store: what is answered, refused, and said. */
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/unit/ask.h"
#include "tests/unit/suites.h"

static struct store *five_spans(void)
{
	static const char *const statuses[] = { "200", "200", "500", "404", NULL };
	struct store *s = store_new(1 << 20);
	struct batch *b = ask_batch(10);

	for (int i = 0; i < 5; i++) {
		struct span *sp = batch_add(b, TABLE_SPANS);

		sp->start_ns = 1700000000000000000 + i * 1000000000LL;
		sp->dur_ns = (i + 1) * 1000000;
		sp->status = batch_text(b, str_of(statuses[i]));
		sp->code = statuses[i] ? strtol(statuses[i], NULL, 10) : COL_NULL;
		sp->error = sp->code == COL_NULL ? COL_NULL : sp->code >= 500;
		sp->service = i % 2 ? STR("cart") : STR("shop");
		sp->peer_ip = i ? STR("10.1.2.3") : STR("/run/x.sock");
		sp->trace_id[15] = (uint8_t)(i + 1);
	}
	store_add(s, b);
	ask_batch_free(b);
	return s;
}

static const struct {
	const char *sql, *want;
} answers[] = {
	{ "SELECT status, code, error FROM spans",
	  "200|200|0\n200|200|0\n500|500|1\n404|404|0\n-|-|-\n" },
	{ "SELECT time FROM spans LIMIT 1", "2023-11-14T22:13:20.000000000Z\n" },
	{ "SELECT dur_ms, dur_ns, trace_id FROM spans WHERE code = 404",
	  "4.0|4000000|00000000000000000000000000000004\n" },
	{ "SELECT flags, parent_span_id, attrs FROM spans LIMIT 1", "|-|-\n" },
	{ "SELECT service, count(*) FROM spans GROUP BY 1", "cart|2\nshop|3\n" },
	{ "SELECT 1; SELECT 2 -- two", "1\n2\n" },
	{ "-- nothing", "" },
	{ "SELECT percentile(dur_ms, 50), p50(dur_ms), median(dur_ms), p99(dur_ms), "
	  "percentile(dur_ms, 0), percentile(dur_ms, 100) FROM spans",
	  "3.0|3.0|3.0|4.96|1.0|5.0\n" },
	{ "SELECT p50(dur_ms), p50(code) FROM spans WHERE code IS NULL", "5.0|-\n" },
	{ "SELECT p95(dur_ms), hist(dur_ms), sparkline(dur_ms) FROM spans WHERE 0", "-|-|-\n" },
	{ "SELECT hist(dur_ms), sparkline(dur_ms) FROM spans", "█     █   █  █ █|▁▃▅▇█\n" },
	{ "SELECT span_secs(), rate(), rate(dur_ms) FROM spans", "4.0|1.25|3.75\n" },
	{ "SELECT dur(999), dur(1234567), dur(5e9), dur(NULL), dur('x')",
	  "999ns|1.23ms|5.00s|-|-\n" },
	{ "SELECT bytes(0), bytes(1023), bytes(4096), bytes(150000000)", "0|1023|4.00K|143M\n" },
	{ "SELECT ts(1), ts(NULL)", "1970-01-01T00:00:00.000000001Z|-\n" },
	{ "SELECT hexid(x'00ff'), hex(unhex('00fF')), unhex('0'), unhex('zz'), hexid(NULL)",
	  "00ff|00FF|-|-|-\n" },
	{ "SELECT cidr_match('10.1.2.3', '10.0.0.0/8'), cidr_match('11.1.2.3', '10.0.0.0/8'), "
	  "cidr_match('fe80::1', 'fe80::/10'), cidr_match('10.0.0.1', '::/0'), "
	  "cidr_match('10.0.0.1', '10.0.0.1'), cidr_match(NULL, '::/0')",
	  "1|0|1|1|1|-\n" },
	{ "SELECT count(*) FROM spans WHERE cidr_match(peer_ip, '10.1.0.0/16')", "4\n" },
	{ "SELECT count(*) FROM spans WHERE status = '500'", "1\n" },
	{ "SELECT count(*) FROM spans WHERE status > '4' AND code < 500", "1\n" },
	{ "SELECT * FROM (SELECT service, count(*) AS status FROM spans GROUP BY 1) "
	  "WHERE status > 2",
	  "shop|3\n" },
	{ "SELECT count(*) FROM spans WHERE cast(status AS int) > 400", "2\n" },
	{ "SELECT name, type FROM pragma_table_info('spans') LIMIT 3",
	  "time|TEXT\nstart_ns|INTEGER\ndur_ms|REAL\n" },
	{ "SELECT value FROM json_each('[1,2]')", "1\n2\n" },
	{ "SELECT name FROM sqlite_master", "spans\nconnections\nprocesses\ncapture\n" },
	{ "SELECT instr(sql, 'dur_ms REAL, -- duration in ms, first byte') > 0 FROM sqlite_master "
	  "WHERE name = 'spans'",
	  "1\n" },
	{ "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5) "
	  "SELECT sum(i) FROM n",
	  "15\n" },
};

START_TEST(answers_each_question)
{
	struct store *s = five_spans();
	const char *got = ask_store(s, answers[_i].sql);

	ck_assert_msg(!strcmp(got, answers[_i].want), "%s\n%s\n-- wanted\n%s", answers[_i].sql, got,
	              answers[_i].want);
	store_free(s);
}
END_TEST

/* What SQL is told that cannot be, and what the message must hold. */
static const struct {
	const char *sql;
	int error;
	const char *says;
} refusals[] = {
	{ "SELECT * FROM spans WHERE status = 500", EINVAL,
	  "status is text: write status = '500' or code = 500" },
	{ "SELECT * FROM spans WHERE status >= 500", EINVAL, "status = '500' or code = 500" },
	{ "SELECT * FROM spans s WHERE s.status > 400", EINVAL, "status is text" },
	{ "SELECT * FROM spans WHERE 400 < status", EINVAL, "status is text" },
	{ "SELECT * FROM spans WHERE status IN (500, 502)", EINVAL, "status is text" },
	{ "SELECT * FROM spans WHERE status NOT IN (500)", EINVAL, "status is text" },
	{ "SELECT * FROM spans WHERE status BETWEEN 400 AND 499", EINVAL, "status is text" },
	{ "SELECT * FROM spans WHERE \"status\" <> -1", EINVAL, "status is text" },
	{ "SELECT * FROM spans WHERE status = 400 + 100", EINVAL, "status is text" },
	{ "SELECT * FROM spans WHERE status = (SELECT 500)", EINVAL, "status is text" },
	{ "SELECT * FROM spans WHERE op = 5", EINVAL, "op is text: write op = '5'" },
	{ "SELECT * FROM spans WHERE time > 17", EINVAL, "compare start_ns" },
	{ "SELECT durms FROM spans", EINVAL, "no such column: durms (did you mean dur_ms?)" },
	{ "SELECT s.servce FROM spans s", EINVAL, "did you mean service?" },
	{ "SELECT ms FROM spans", EINVAL, "_ms?)" },
	{ "SELECT zzzzzzzz FROM spans", EINVAL, "no such column: zzzzzzzz" },
	{ "SELECT * FROM span", EINVAL, "did you mean spans?" },
	{ "SELECT * FROM xyzzy", EINVAL, "there are spans, connections, processes, capture" },
	{ "SELECT percentil(1, 2)", EINVAL, "did you mean percentile?" },
	{ "SELECT * FROM spans WHERE service = \"cart\"", EINVAL, "'cart'" },
	{ "SELEC 1", EINVAL, "syntax error" },
	{ "SELECT percentile(1, 101)", EINVAL, "0 to 100" },
	{ "SELECT cidr_match('1.2.3.4', 'x')", EINVAL, "10.0.0.0/8" },
	{ "SELECT :nope", EINVAL, ":nope has no value" },
	{ "DELETE FROM spans", EPERM, "only reading" },
	{ "INSERT INTO spans(op) VALUES('x')", EPERM, "only reading" },
	{ "CREATE TABLE t(a)", EPERM, "only reading" },
	{ "CREATE TEMP TABLE t(a)", EPERM, "only reading" },
	{ "DROP TABLE spans", EPERM, "only reading" },
	{ "ATTACH '/tmp/obi-no-such.db' AS x", EPERM, "ATTACH" },
	{ "VACUUM INTO '/tmp/obi-no-such.db'", EPERM, "ATTACH" },
	{ "PRAGMA query_only = 0", EPERM, "PRAGMA" },
	{ "PRAGMA writable_schema = 1", EPERM, "PRAGMA" },
	{ "SELECT load_extension('x')", EPERM, "load_extension" },
	{ "BEGIN", EPERM, "only reading" },
	{ "SELECT length(zeroblob(1000000000))", ENOMEM, "too long" },
};

START_TEST(refuses_and_says_why)
{
	struct store *s = five_spans();
	const char *got = ask_store(s, refusals[_i].sql);
	char want[32];

	snprintf(want, sizeof(want), "error %d: ", refusals[_i].error);
	ck_assert_msg(!strncmp(got, want, strlen(want)) && strstr(got, refusals[_i].says),
	              "%s\n%s\n-- wanted\n%s%s", refusals[_i].sql, got, want, refusals[_i].says);
	ck_assert_int_ne(access("/tmp/obi-no-such.db", F_OK), 0);
	store_free(s);
}
END_TEST

static const char endless[] = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) "
			      "SELECT count(*) FROM n";

START_TEST(a_statement_ends_when_its_time_is_over)
{
	struct store *s = five_spans();
	struct sqlh *q = sql_open(s, &(struct sql_limits){ .timeout_ms = 50 });

	ck_assert_ptr_nonnull(strstr(ask(q, endless), "stopped after 50 ms"));
	ck_assert_str_eq(ask(q, "SELECT count(*) FROM spans"), "5\n");
	sql_close(q);
	store_free(s);
}
END_TEST

START_TEST(a_statement_ends_when_it_takes_too_much_memory)
{
	struct store *s = five_spans();
	struct sqlh *q = sql_open(s, &(struct sql_limits){ .heap_bytes = 4 << 20 });
	const char *got = ask(q, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n "
	                         "LIMIT 1000000) SELECT group_concat(i) FROM n GROUP BY i % 10000");

	ck_assert_msg(!strncmp(got, "error 12:", 9) && strstr(got, "4 MiB"), "%s", got);
	ck_assert_str_eq(ask(q, "SELECT count(*) FROM spans"), "5\n");
	sql_close(q);
	store_free(s);
}
END_TEST

static void *cancel_later(void *q)
{
	usleep(30000);
	sql_cancel(q);
	return NULL;
}

START_TEST(another_thread_can_cancel)
{
	struct store *s = five_spans();
	struct sqlh *q = sql_open(s, NULL);
	pthread_t t;

	pthread_create(&t, NULL, cancel_later, q);
	ck_assert_str_eq(ask(q, endless), "error 125: canceled");
	pthread_join(t, NULL);
	sql_close(q);
	store_free(s);
}
END_TEST

static int names(void *ctx, int n, const char *const *head)
{
	for (int i = 0; i < n; i++)
		buf_fmt(ctx, "%s,", head[i]);
	return 0;
}

static int stop(void *ctx, int n, const char *const *texts, const int *lens, const int *types)
{
	(void)n, (void)texts, (void)lens, (void)types;
	buf_ch(ctx, '.');
	return 1;
}

START_TEST(a_sink_hears_names_first_and_may_stop)
{
	struct store *s = five_spans();
	struct sqlh *q = sql_open(s, NULL);
	struct buf b = { 0 };
	struct sql_sink sink = { .head = names, .row = stop, .ctx = &b };
	char err[ERR_TEXT];

	ck_assert_int_eq(sql_run(q, "SELECT op, pid AS p FROM spans", &sink, err), -ECANCELED);
	ck_assert(str_is(buf_slice(&b), "op,p,."));
	buf_clear(&b);
	ck_assert_int_eq(sql_run(q, "SELECT tid FROM spans WHERE 0", &sink, err), 0);
	ck_assert(str_is(buf_slice(&b), "tid,"));
	buf_free(&b);
	sql_close(q);
	store_free(s);
}
END_TEST

START_TEST(parameters_hold_for_one_run)
{
	struct store *s = five_spans();
	struct sqlh *q = sql_open(s, NULL);

	sql_param(q, "c", "400");
	sql_param(q, "n", "1");
	sql_param(q, "c", "404");
	ck_assert_str_eq(ask(q, "SELECT code FROM spans WHERE code >= :c ORDER BY 1 LIMIT :n"),
	                 "404\n");
	sql_param(q, "s", "500");
	ck_assert_str_eq(ask(q, "SELECT dur_ns FROM spans WHERE status = $s"), "3000000\n");
	sql_param(q, "m", "4");
	ck_assert_str_eq(ask(q, "SELECT count(*) FROM spans WHERE dur_ms >= @m"), "2\n");
	ck_assert_ptr_nonnull(strstr(ask(q, "SELECT :m"), "has no value"));
	sql_close(q);
	store_free(s);
}
END_TEST

START_TEST(an_estimate_of_very_many_values_is_close)
{
	struct store *s = five_spans();
	struct sqlh *q = sql_open(s, &(struct sql_limits){ .timeout_ms = 30000 });
	const char *got = ask(q, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n "
	                         "LIMIT 1200000), p(a, b) AS (SELECT p50(i), p99(i) FROM n) "
	                         "SELECT abs(a / 600000 - 1) < 0.011, abs(b / 1188000 - 1) < 0.011 "
	                         "FROM p");

	ck_assert_str_eq(got, "1|1\n");
	sql_close(q);
	store_free(s);
}
END_TEST

START_TEST(the_shell_knows_when_a_statement_is_complete)
{
	ck_assert(sql_complete("SELECT 1;"));
	ck_assert(!sql_complete("SELECT 1"));
	ck_assert(!sql_complete("SELECT ';"));
}
END_TEST

Suite *query_suite(void)
{
	Suite *s = suite_create("query");
	TCase *t = tcase_create("query");

	tcase_set_timeout(t, 30);
	tcase_add_loop_test(t, answers_each_question, 0, sizeof(answers) / sizeof(answers[0]));
	tcase_add_loop_test(t, refuses_and_says_why, 0, sizeof(refusals) / sizeof(refusals[0]));
	tcase_add_test(t, a_statement_ends_when_its_time_is_over);
	tcase_add_test(t, a_statement_ends_when_it_takes_too_much_memory);
	tcase_add_test(t, another_thread_can_cancel);
	tcase_add_test(t, a_sink_hears_names_first_and_may_stop);
	tcase_add_test(t, parameters_hold_for_one_run);
	tcase_add_test(t, an_estimate_of_very_many_values_is_close);
	tcase_add_test(t, the_shell_knows_when_a_statement_is_complete);
	suite_add_tcase(s, t);
	return s;
}
