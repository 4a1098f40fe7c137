// SPDX-License-Identifier: GPL-3.0-or-later
/* table - rows of a query in every form, and fitted to a screen. */
#include "cmd/table.h"

#include <check.h>
#include <locale.h>
#include <stdlib.h>

#include "cmd/table_text.h"
#include "tests/unit/ask.h"
#include "tests/unit/suites.h"

struct form {
	enum table_mode mode;
	int screen;
	bool no_heads;
	int widths[3];
};

/* What a statement shows; lives until the next call. */
static const char *shown(struct form form, const char *sql, struct table_count *count)
{
	static char *text;
	size_t len = 0;
	FILE *f;
	struct store *s = store_new(1 << 20);
	struct sqlh *q = sql_open(s, NULL);
	struct table_out *t;
	char err[ERR_TEXT] = "";

	free(text);
	text = NULL;
	f = open_memstream(&text, &len);
	t = table_new(f, form.mode);
	table_heads(t, !form.no_heads);
	table_fit(t, form.screen);
	ck_assert_int_eq(table_widths(t, form.widths, 3), 0);
	ck_assert_msg(!sql_run(q, sql, table_sink(t), err), "%s", err);
	ck_assert_int_eq(table_end(t), 0);
	if (count)
		*count = table_count(t);
	table_free(t);
	fclose(f);
	sql_close(q);
	store_free(s);
	return text;
}

static const char two[] = "SELECT 'a|b' AS t, 1 AS n UNION ALL SELECT 'c\"d,' || char(10), NULL";

static const struct {
	struct form form;
	const char *want;
} forms[] = {
	{ { .mode = TABLE_TEXT }, "t       n\na|b     1\nc\"d,\\n  -\n" },
	{ { .mode = TABLE_TEXT, .no_heads = true }, "a|b     1\nc\"d,\\n  -\n" },
	{ { .mode = TABLE_JSON }, "{\"t\":\"a|b\",\"n\":1}\n{\"t\":\"c\\\"d,\\n\",\"n\":null}\n" },
	{ { .mode = TABLE_CSV }, "t,n\na|b,1\n\"c\"\"d,\\n\",\n" },
	{ { .mode = TABLE_CSV, .no_heads = true }, "a|b,1\n\"c\"\"d,\\n\",\n" },
	{ { .mode = TABLE_TABS }, "t\tn\na|b\t1\nc\"d,\\n\t\n" },
	{ { .mode = TABLE_LINE }, "t = a|b\nn = 1\n\nt = c\"d,\\n\nn = -\n" },
	{ { .mode = TABLE_MARKDOWN },
	  "| t | n |\n| --- | --- |\n| a\\|b | 1 |\n| c\"d,\\n |  |\n" },
	{ { .mode = TABLE_TEXT, .widths = { 3 } }, "t    n\na|b  1\nc..  -\n" },
};

START_TEST(each_form_shows_the_same_rows)
{
	struct table_count c;

	ck_assert_str_eq(shown(forms[_i].form, two, &c), forms[_i].want);
	ck_assert_uint_eq(c.rows, 2);
	ck_assert_int_eq(c.columns, 2);
	ck_assert_int_eq(c.hidden, 0);
}
END_TEST

START_TEST(the_widest_text_gives_way_first)
{
	struct form form = { .mode = TABLE_TEXT, .screen = 40 };

	ck_assert_str_eq(shown(form,
	                       "SELECT 'short' AS a, 'a text that is much too long for this' AS b,"
	                       " 123456789 AS c",
	                       NULL),
	                 "a      b                               c\n"
	                 "-----  ----------------------  ---------\n"
	                 "short  a text that is much ..  123456789\n" +
	                         0);
}
END_TEST

START_TEST(columns_without_room_are_left_out_and_counted)
{
	struct form form = { .mode = TABLE_TEXT, .screen = 29 };
	struct table_count c;

	ck_assert_str_eq(
		shown(form, "SELECT 1234567890123 AS a, 'twelve chars' AS b, 'x' AS c", &c),
		"            a  b >\n"
		"-------------  ------------\n"
		"1234567890123  twelve chars\n");
	ck_assert_int_eq(c.hidden, 1);
}
END_TEST

START_TEST(nothing_runs_past_any_screen)
{
	struct form form = { .mode = TABLE_TEXT, .screen = _i };
	const char *text = shown(form,
	                         "SELECT printf('%.*c', value, 'x') AS col1, 'y' AS c2,"
	                         " printf('%.*c', 30 - value, 'z') AS c3 FROM"
	                         " json_each('[1,5,9,13,17,21,25,29]')",
	                         NULL);

	while (*text) {
		size_t n = strcspn(text, "\n");

		ck_assert_uint_le(n, (size_t)_i);
		text += n + 1;
	}
}
END_TEST

START_TEST(width_counts_cells)
{
	ck_assert_int_eq(table_text_width(""), 0);
	ck_assert_int_eq(table_text_width("abc"), 3);
	ck_assert_int_eq(table_text_width("\xc3\xa4\xc3\xb6"), 2);
	ck_assert_uint_eq(table_text_fits("a\xc3\xa4"
	                                  "b",
	                                  2),
	                  3);
	ck_assert_uint_eq(table_text_fits("abc", 0), 0);
}
END_TEST

START_TEST(modes_have_names)
{
	ck_assert_int_eq(table_mode_of("csv"), TABLE_CSV);
	ck_assert_int_eq(table_mode_of("text"), TABLE_TEXT);
	ck_assert_int_eq(table_mode_of("nothing"), TABLE_MODES);
	ck_assert_str_eq(table_mode_name(TABLE_LINE), "line");
	ck_assert_ptr_null(table_mode_name(TABLE_MODES));
}
END_TEST

Suite *table_suite(void)
{
	Suite *s = suite_create("table");
	TCase *tc = tcase_create("table");

	tcase_add_loop_test(tc, each_form_shows_the_same_rows, 0, sizeof(forms) / sizeof(forms[0]));
	tcase_add_test(tc, the_widest_text_gives_way_first);
	tcase_add_test(tc, columns_without_room_are_left_out_and_counted);
	tcase_add_loop_test(tc, nothing_runs_past_any_screen, 20, 90);
	tcase_add_test(tc, width_counts_cells);
	tcase_add_test(tc, modes_have_names);
	suite_add_tcase(s, tc);
	return s;
}
