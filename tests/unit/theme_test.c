// SPDX-License-Identifier: GPL-3.0-or-later
/* theme - what the user's file says about colours. */
#include "ui/theme.h"

#include <check.h>
#include <stdio.h>

#include "base/err.h"
#include "tests/unit/suites.h"

enum { RED = 1, YELLOW = 3 };

START_TEST(a_line_gives_one_role_its_look_and_leaves_the_others)
{
	struct theme t = *theme_find("dark");
	char err[ERR_TEXT];

	ck_assert_int_eq(theme_change(&t, "bad yellow on  red\tbold", err), 0);
	ck_assert_int_eq(t.looks[ROLE_BAD].fg, YELLOW);
	ck_assert_int_eq(t.looks[ROLE_BAD].bg, RED);
	ck_assert(t.looks[ROLE_BAD].bold && !t.looks[ROLE_BAD].underline);
	ck_assert_int_eq(theme_change(&t, "bad default underline", err), 0);
	ck_assert_int_eq(t.looks[ROLE_BAD].fg, COLOUR_DEFAULT);
	ck_assert_int_eq(t.looks[ROLE_BAD].bg, COLOUR_DEFAULT);
	ck_assert(t.looks[ROLE_BAD].underline && !t.looks[ROLE_BAD].bold);
	ck_assert_int_eq(t.looks[ROLE_WARN].fg, theme_find("dark")->looks[ROLE_WARN].fg);
}
END_TEST

START_TEST(a_theme_gives_all_roles_their_look)
{
	struct theme t = *theme_find("dark");
	const struct theme *light = theme_find("light");
	char err[ERR_TEXT];

	ck_assert_int_eq(theme_change(&t, "theme light", err), 0);
	for (int i = 0; i < ROLE_MAX; i++) {
		ck_assert_int_eq(t.looks[i].fg, light->looks[i].fg);
		ck_assert_int_eq(t.looks[i].bg, light->looks[i].bg);
	}
}
END_TEST

START_TEST(every_role_has_a_name)
{
	static const char *const names[ROLE_MAX] = { "text",   "dim",   "head",  "bar",  "key",
		                                     "cursor", "mark",  "match", "good", "warn",
		                                     "bad",    "chart", "prompt" };
	char line[32], err[ERR_TEXT];

	for (int i = 0; i < ROLE_MAX; i++) {
		struct theme t = *theme_find("mono");

		snprintf(line, sizeof(line), "%s yellow", names[i]);
		ck_assert_int_eq(theme_change(&t, line, err), 0);
		ck_assert_int_eq(t.looks[i].fg, YELLOW);
	}
}
END_TEST

START_TEST(a_wrong_line_changes_nothing_and_is_refused_in_words)
{
	static const char *const wrong[] = { "theme",      "theme blue",      "bad pink", "bad on",
		                             "bad red on", "bad red on pink", "worse red" };
	static const char *const nothing[] = { "", "  \t", "# bad red", "#" };

	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		struct theme t = *theme_find("dark"), before = t;
		char err[ERR_TEXT] = "";

		ck_assert_int_lt(theme_change(&t, wrong[i], err), 0);
		ck_assert_msg(strstr(err, "there are"), "%s: %s", wrong[i], err);
		ck_assert(!memcmp(&t, &before, sizeof(t)));
	}
	for (size_t i = 0; i < sizeof(nothing) / sizeof(*nothing); i++) {
		struct theme t = *theme_find("dark"), before = t;

		ck_assert_int_eq(theme_change(&t, nothing[i], NULL), 0);
		ck_assert(!memcmp(&t, &before, sizeof(t)));
	}
}
END_TEST

Suite *theme_suite(void)
{
	Suite *s = suite_create("theme");
	TCase *t = tcase_create("theme");

	tcase_add_test(t, a_line_gives_one_role_its_look_and_leaves_the_others);
	tcase_add_test(t, a_theme_gives_all_roles_their_look);
	tcase_add_test(t, every_role_has_a_name);
	tcase_add_test(t, a_wrong_line_changes_nothing_and_is_refused_in_words);
	suite_add_tcase(s, t);
	return s;
}
