// SPDX-License-Identifier: GPL-3.0-or-later
/* filter - live filters mean what the same words mean in SQL. */
#include <errno.h>
#include <stdio.h>

#include "tests/unit/ask.h"
#include "tests/unit/rows.h"
#include "tests/unit/suites.h"

/* Which of four spans stay: 1 500 2ms cart, 2 200 60ms cart, 3 unknown, 4 404 1s shop. */
static struct batch *four_spans(void)
{
	struct batch *b = ask_batch(8);
	struct span *s[4];

	for (int i = 0; i < 4; i++) {
		s[i] = batch_add(b, TABLE_SPANS);
		if (i == 1)
			batch_add(b, TABLE_CONNECTIONS);
	}
	s[0]->status = STR("500"), s[0]->code = 500, s[0]->dur_ns = 2000000;
	s[1]->status = STR("200"), s[1]->code = 200, s[1]->dur_ns = 60000000;
	s[3]->status = STR("404"), s[3]->code = 404, s[3]->dur_ns = 1000000000;
	s[0]->service = s[1]->service = STR("cart");
	s[3]->service = STR("shop");
	s[0]->flags = SPAN_F_CUT;
	return b;
}

static const struct {
	const char *expr, *keep;
} cases[] = {
	{ "1", "1111" },
	{ "0", "0000" },
	{ "NULL", "0000" },
	{ "code >= 500", "1000" },
	{ "code >= 400 or dur_ms > 50", "1101" },
	{ "not (code >= 400)", "0100" },
	{ "code is null", "0010" },
	{ "status = '404'", "0001" },
	{ "status like '4__'", "0001" },
	{ "service = 'cart' -- a comment", "1100" },
	{ "service in ('cart', 'shop') and dur_ms between 50 and 70", "0100" },
	{ "flags like '%cut%'", "1000" },
	{ "upper(service) = 'SHOP'", "0001" },
	{ "dur_ns = 2000000", "1000" },
	{ "spans.code = 200", "0100" },
	{ "case when code then 1 else 0 end", "1101" },
	{ "(code) = (500)", "1000" },
};

START_TEST(keeps_what_sql_would)
{
	struct batch *b = four_spans();
	struct filter *f;
	char err[ERR_TEXT] = "", got[5] = "";
	bool keep[8];

	f = filter_new(cases[_i].expr, err);
	ck_assert_msg(f != NULL, "%s: %s", cases[_i].expr, err);
	for (int round = 0; round < 2; round++) {
		int n = 0;

		ck_assert_int_eq(filter_run(f, b, keep), 0);
		for (unsigned int i = 0; i < b->n; i++)
			if (b->items[i].table == TABLE_SPANS)
				got[n++] = keep[i] ? '1' : '0';
			else
				ck_assert(keep[i]);
		ck_assert_msg(!strcmp(got, cases[_i].keep), "%s: %s", cases[_i].expr, got);
	}
	filter_free(f);
	ask_batch_free(b);
}
END_TEST

static const struct {
	const char *expr;
	int error;
	const char *says;
} bad[] = {
	{ "", EINVAL, "empty" },
	{ "-- only a comment", EINVAL, "empty" },
	{ "status = 500", EINVAL, "status is text: write status = '500' or code = 500" },
	{ "code >= 500 and status > 1", EINVAL, "status is text" },
	{ "durms > 5", EINVAL, "did you mean dur_ms?" },
	{ "code = ", EINVAL, "ends too early: code =" },
	{ "1) or (1", EINVAL, "parenthesis" },
	{ "(1", EINVAL, "not closed" },
	{ "1; delete from spans", EINVAL, "semicolon" },
	{ "1 /* open", EINVAL, "does not end" },
	{ "op = 'open", EINVAL, "does not end" },
	{ "code = (select max(code) from spans)", EPERM, "sub-select" },
	{ "exists (with x as (values (1)) table x)", EPERM, "sub-select" },
	{ "count(*) > 1", EINVAL, "aggregate" },
	{ "code = :x", EINVAL, "parameters" },
	{ "service = \"cart\"", EINVAL, "'cart'" },
	{ "load_extension('x')", EPERM, "not allowed" },
};

START_TEST(says_what_is_wrong_with_an_expression)
{
	char err[ERR_TEXT] = "";
	struct filter *f = filter_new(bad[_i].expr, err);

	ck_assert_int_eq(errno, bad[_i].error);
	ck_assert_ptr_null(f);
	ck_assert_msg(strstr(err, bad[_i].says) != NULL, "%s: %s", bad[_i].expr, err);
}
END_TEST

START_TEST(agrees_with_the_store_on_random_rows)
{
	static const char *const exprs[] = {
		"dur_ms > 0",     "code < local_port or error",
		"op = 'GET'",     "length(target) > 5 and attrs like '%n%'",
		"time < '2023'",  "trace_id > 'a'",
		"ttfb_ms is null"
	};

	for (size_t e = 0; e < sizeof(exprs) / sizeof(exprs[0]); e++) {
		struct batch *b = ask_batch(300);
		struct store *s = store_new(8 << 20);
		struct filter *f = filter_new(exprs[e], NULL);
		char sql[128], want[32];
		bool keep[300];
		int n = 0;

		rows_fill(b, (unsigned int)e + 1, false);
		ck_assert_int_eq(filter_run(f, b, keep), 0);
		for (unsigned int i = 0; i < b->n; i++)
			n += keep[i] && b->items[i].table == TABLE_SPANS;
		store_add(s, b);
		snprintf(sql, sizeof(sql), "SELECT count(*) FROM spans WHERE %s", exprs[e]);
		snprintf(want, sizeof(want), "%d\n", n);
		ck_assert_str_eq(ask_store(s, sql), want);
		filter_free(f);
		store_free(s);
		ask_batch_free(b);
	}
}
END_TEST

Suite *filter_suite(void)
{
	Suite *s = suite_create("filter");
	TCase *t = tcase_create("filter");

	tcase_add_loop_test(t, keeps_what_sql_would, 0, sizeof(cases) / sizeof(cases[0]));
	tcase_add_loop_test(t, says_what_is_wrong_with_an_expression, 0,
	                    sizeof(bad) / sizeof(bad[0]));
	tcase_add_test(t, agrees_with_the_store_on_random_rows);
	suite_add_tcase(s, t);
	return s;
}
