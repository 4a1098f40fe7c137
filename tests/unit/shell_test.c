// SPDX-License-Identifier: GPL-3.0-or-later
/* shell - what Tab offers, how command lines are split, what the history keeps. */
#include "cmd/shell.h"

#include <check.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd/shell_complete.h"
#include "tests/unit/suites.h"

static const char *const functions[] = { "p50", "p95", "sparkline", "substr", "sum" };

/* What is offered at the ^, with spaces between; lives until the next call. */
static const char *offered(const char *with_cursor, bool *files)
{
	static char out[4096];
	static struct recipes *recipes;
	struct shell_names names = { { functions, sizeof(functions) / sizeof(functions[0]) },
		                     NULL };
	struct completions l;
	char text[512];
	size_t at = strcspn(with_cursor, "^"), len = 0;

	if (!recipes)
		recipes = recipes_load(NULL);
	names.recipes = recipes;
	snprintf(text, sizeof(text), "%.*s%s", (int)at, with_cursor, with_cursor + at + 1);
	shell_complete_at(&names, text, shell_complete_word(text, at), at, &l);
	out[0] = 0;
	for (size_t i = 0; i < l.n; i++)
		len += (size_t)snprintf(out + len, sizeof(out) - len, "%s%s", i ? " " : "", l.v[i]);
	if (files)
		*files = l.files;
	complete_free(&l);
	return out;
}

static const struct {
	const char *text, *want;
} completions[] = {
	{ "select * from s^", "spans" },
	{ "select * from spans join conn^", "connections" },
	{ "select * from spans, conn^", "connections" },
	{ "select * from spans where ttf^", "ttfb_ms" },
	{ "select ttf^ from spans", "ttfb_ms" },
	{ "select ttf^ from connections", "" },
	{ "select lost^ from connections", "lost_bytes" },
	{ "select a, lost^", "lost_bytes" },
	{ "select s.ttf^ from spans s", "s.ttfb_ms" },
	{ "select s.ttf^ from spans as s", "s.ttfb_ms" },
	{ "select S.TTF^ from spans s", "S.ttfb_ms" },
	{ "select c.lost^ from spans s join connections c", "c.lost_bytes" },
	{ "select s.lost^ from spans s join connections c", "" },
	{ "select x.^ from spans s", "" },
	{ "select spark^ from spans", "sparkline(" },
	{ "select p9^", "p95(" },
	{ "SELECT a FROM spans GROU^", "GROUP" },
	{ "select a from spans grou^", "group" },
	{ "select 'p9^", "" },
	{ "select 'it is' || p9^", "p95(" },
	{ "select 1 -- p9^", "" },
	{ "select 1 -- x\n, p9^", "p95(" },
	{ "select /* p9^", "" },
	{ "select /* x */ p9^", "p95(" },
	{ "select \"p9^", "" },
	{ ".sch^", ".schema" },
	{ "  .sch^", ".schema" },
	{ ".schema conn^", "connections" },
	{ ".run slow^", "slow slow_peers slow_sql" },
	{ ".run slow ^", "limit= min_ms= service=" },
	{ ".run slow limit=3 ser^", "service=" },
	{ ".run nothing l^", "" },
	{ ".mode c^", "csv" },
	{ ".timer o^", "off on" },
	{ ".nothing x^", "" },
	{ "^", "" },
};

START_TEST(completes_by_what_stands_around)
{
	const char *got;

	if (!strcmp(completions[_i].text, "^")) { /* names, not functions and words */
		got = offered("^", NULL);
		ck_assert_ptr_nonnull(strstr(got, "spans"));
		ck_assert_ptr_nonnull(strstr(got, "trace_id"));
		ck_assert_ptr_null(strstr(got, "sparkline"));
		return;
	}
	got = offered(completions[_i].text, NULL);
	ck_assert_msg(!strcmp(got, completions[_i].want), "%s: %s", completions[_i].text, got);
}
END_TEST

START_TEST(asks_for_files_where_a_file_belongs)
{
	bool files;

	ck_assert_str_eq(offered(".export /tmp/x^", &files), "");
	ck_assert(files);
	offered(".read ^", &files);
	ck_assert(files);
	offered(".schema s^", &files);
	ck_assert(!files);
	offered("select 1^", &files);
	ck_assert(!files);
}
END_TEST

START_TEST(any_text_can_be_completed_at_any_place)
{
	const char *const text = completions[_i].text;
	char with_cursor[512];

	for (size_t at = 0; at <= strlen(text); at++) {
		snprintf(with_cursor, sizeof(with_cursor), "%.*s^%s", (int)at, text, text + at);
		offered(with_cursor, NULL);
	}
}
END_TEST

static const struct {
	const char *line;
	size_t n;
	const char *words[4];
} lines[] = {
	{ "", 0, { NULL } },
	{ "  \t ", 0, { NULL } },
	{ ".run slow  limit=3", 3, { ".run", "slow", "limit=3" } },
	{ ".export 'a b.csv'", 2, { ".export", "a b.csv" } },
	{ ".run x a=\"1 2\"'3'", 3, { ".run", "x", "a=1 23" } },
	{ ".x \"it's\"", 2, { ".x", "it's" } },
	{ ".x ''", 2, { ".x", "" } },
	{ ".x 'open end", 2, { ".x", "open end" } },
	{ "a b c d e f", 4, { "a", "b", "c", "d" } },
};

START_TEST(splits_a_command_into_words)
{
	char *copy = strdup(lines[_i].line), *words[4];
	size_t n = shell_words(copy, words, 4);

	ck_assert_uint_eq(n, lines[_i].n);
	for (size_t i = 0; i < n; i++)
		ck_assert_str_eq(words[i], lines[_i].words[i]);
	free(copy);
}
END_TEST

static char loaded[8192];
static size_t nloaded;

static void take(const char *text)
{
	snprintf(loaded + strlen(loaded), sizeof(loaded) - strlen(loaded), "[%s]", text);
	nloaded++;
}

START_TEST(the_history_is_kept_without_secrets_and_not_without_end)
{
	char dir[] = "/tmp/obi-history-XXXXXX", path[64], text[64];
	struct stat st;

	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/a/b/history", dir);
	unsetenv("SUDO_UID");
	ck_assert_int_eq(shell_history_add(path, "select 1,\n2;\n"), 0);
	ck_assert_int_eq(shell_history_add(path, "select 'x' as password;"), 0);
	ck_assert_int_eq(shell_history_add(path, ".tables"), 0);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_int_eq(st.st_mode & 0777, 0600);
	loaded[0] = 0;
	nloaded = 0;
	ck_assert_int_eq(shell_history_load(path, take), 0);
	ck_assert_str_eq(loaded, "[select 1,\n2;][.tables]");
	for (int i = 0; i < 2500; i++) {
		snprintf(text, sizeof(text), "select %d;", i);
		ck_assert_int_eq(shell_history_add(path, text), 0);
	}
	ck_assert_int_eq(shell_history_load(path, take), 0);
	nloaded = 0;
	loaded[0] = 0;
	ck_assert_int_eq(shell_history_load(path, take), 0);
	ck_assert_uint_eq(nloaded, 1000);
	ck_assert_int_eq(strncmp(loaded, "[select 1500;]", 14), 0);
	snprintf(text, sizeof(text), "rm -r %s", dir);
	ck_assert_int_eq(system(text), 0);
}
END_TEST

START_TEST(a_link_is_not_followed_for_the_history)
{
	char dir[] = "/tmp/obi-history-XXXXXX", path[64], target[64];

	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/history", dir);
	snprintf(target, sizeof(target), "%s/other", dir);
	ck_assert_int_eq(symlink(target, path), 0);
	ck_assert_int_lt(shell_history_add(path, "select 1;"), 0);
	ck_assert_int_ne(access(target, F_OK), 0);
	unlink(path);
	rmdir(dir);
}
END_TEST

START_TEST(parameters_are_those_of_the_recipe)
{
	struct recipes *list = recipes_load(NULL);
	const struct recipe *r = recipe_find(list, "slow");
	const char *const good[] = { "limit=3", "service=a=b" };
	const char *const bad[] = { "limit=3", "nothing=1" }, *const none[] = { "limit" };
	struct shell s = { 0 };

	ck_assert_ptr_null(shell_params(&s, r, good, 2));
	ck_assert_uint_eq(s.nparams, 3);
	for (size_t i = 0; i < s.nparams; i++)
		if (!strcmp(s.params[i].name, "service"))
			ck_assert_str_eq(s.params[i].value, "a=b");
	ck_assert_str_eq(shell_params(&s, r, bad, 2), "nothing=1");
	ck_assert_str_eq(shell_params(&s, r, none, 1), "limit");
	shell_close(&s);
	recipes_free(list);
}
END_TEST

Suite *shell_suite(void)
{
	const int n = sizeof(completions) / sizeof(completions[0]);
	Suite *s = suite_create("shell");
	TCase *tc = tcase_create("shell");

	tcase_add_loop_test(tc, completes_by_what_stands_around, 0, n);
	tcase_add_test(tc, asks_for_files_where_a_file_belongs);
	tcase_add_loop_test(tc, any_text_can_be_completed_at_any_place, 0, n);
	tcase_add_loop_test(tc, splits_a_command_into_words, 0, sizeof(lines) / sizeof(lines[0]));
	tcase_add_test(tc, the_history_is_kept_without_secrets_and_not_without_end);
	tcase_add_test(tc, a_link_is_not_followed_for_the_history);
	tcase_add_test(tc, parameters_are_those_of_the_recipe);
	suite_add_tcase(s, tc);
	return s;
}
