// SPDX-License-Identifier: GPL-3.0-or-later
/* recipes - every built-in query runs, and the user's own are read. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/ask.h"
#include "tests/unit/rows.h"
#include "tests/unit/suites.h"

START_TEST(every_built_in_query_runs_with_its_defaults)
{
	struct recipes *r = recipes_load(NULL);
	struct store *s = store_new(16 << 20);
	struct batch *b = ask_batch(2000);
	const struct recipe *q;
	size_t i;

	rows_fill(b, 1, false);
	store_add(s, b);
	for (i = 0; (q = recipe_at(r, i)); i++) {
		struct sqlh *h = sql_open(s, NULL);
		const char *got;

		for (size_t k = 0; k < q->nparams; k++) {
			ck_assert_msg(q->params[k].def != NULL, "%s", q->name);
			sql_param(h, q->params[k].name, q->params[k].def);
		}
		got = ask(h, q->sql);
		ck_assert_msg(strncmp(got, "error", 5), "%s: %s", q->name, got);
		ck_assert_uint_gt(strlen(q->title), 0);
		ck_assert_ptr_eq(recipe_find(r, q->name), q);
		sql_close(h);
	}
	ck_assert_uint_ge(i, 6);
	ask_batch_free(b);
	store_free(s);
	recipes_free(r);
}
END_TEST

START_TEST(parameters_have_type_default_and_help)
{
	struct recipes *r = recipes_load(NULL);
	const struct recipe *q = recipe_find(r, "slow");

	ck_assert_str_eq(q->title, "the slowest requests");
	ck_assert_uint_eq(q->nparams, 3);
	ck_assert_str_eq(q->params[0].name, "service");
	ck_assert_str_eq(q->params[0].type, "text");
	ck_assert_str_eq(q->params[0].def, "%");
	ck_assert_str_eq(q->params[0].help, "only this service (LIKE)");
	ck_assert_str_eq(q->params[2].name, "limit");
	ck_assert_str_eq(q->params[2].type, "int");
	ck_assert_str_eq(q->params[2].def, "20");
	ck_assert_ptr_null(recipe_find(r, "no such recipe"));
	recipes_free(r);
}
END_TEST

static void put(const char *dir, const char *name, const char *text)
{
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "w");
	ck_assert_ptr_nonnull(f);
	fputs(text, f);
	fclose(f);
}

START_TEST(a_file_of_the_user_hides_a_built_in_one)
{
	char dir[] = "/tmp/obi-recipes-XXXXXX";
	char cmd[64];
	const struct recipe *q;
	struct recipes *r;

	ck_assert_ptr_nonnull(mkdtemp(dir));
	put(dir, "slow.sql",
	    "-- mine\n-- :must text   has no default\n-- :word text = 'a b'  help\n"
	    "SELECT 1");
	put(dir, "other.sql", "SELECT 2");
	put(dir, "empty.sql", "");
	put(dir, "notes.txt", "SELECT 3");
	put(dir, ".hidden.sql", "SELECT 4");
	r = recipes_load(dir);
	q = recipe_find(r, "slow");
	ck_assert_str_eq(q->title, "mine");
	ck_assert_uint_eq(q->nparams, 2);
	ck_assert_ptr_null(q->params[0].def);
	ck_assert_str_eq(q->params[0].help, "has no default");
	ck_assert_str_eq(q->params[1].def, "a b");
	ck_assert_str_eq(recipe_find(r, "other")->sql, "SELECT 2");
	ck_assert_ptr_nonnull(recipe_find(r, "empty"));
	ck_assert_ptr_null(recipe_find(r, "notes"));
	ck_assert_ptr_null(recipe_find(r, ".hidden"));
	recipes_free(r);
	snprintf(cmd, sizeof(cmd), "rm -r %s", dir);
	ck_assert_int_eq(system(cmd), 0);
}
END_TEST

START_TEST(a_folder_that_is_not_there_is_no_error)
{
	struct recipes *r = recipes_load("/no/such/folder");

	ck_assert_ptr_nonnull(recipe_find(r, "red"));
	recipes_free(r);
}
END_TEST

Suite *recipes_suite(void)
{
	Suite *s = suite_create("recipes");
	TCase *t = tcase_create("recipes");

	tcase_add_test(t, every_built_in_query_runs_with_its_defaults);
	tcase_add_test(t, parameters_have_type_default_and_help);
	tcase_add_test(t, a_file_of_the_user_hides_a_built_in_one);
	tcase_add_test(t, a_folder_that_is_not_there_is_no_error);
	suite_add_tcase(s, t);
	return s;
}
