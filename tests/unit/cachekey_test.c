// SPDX-License-Identifier: GPL-3.0-or-later
/* cachekey - patterns of the keys of caches, and of commands with them. */
#include "enrich/cachekey.h"

#include "tests/unit/ask.h"
#include "tests/unit/suites.h"

static const struct {
	const char *op, *query, *key, *want_key, *want_query;
} cases[] = {
	{ "GET", "GET product:42", "product:42", "product:{id}", "GET product:{id}" },
	{ "SETEX", "SETEX product:42 2 ?", "product:42", "product:{id}", "SETEX product:{id} ?" },
	{ "MGET", "MGET p:1 p:2 p:3", "p:1", "p:{id}", "MGET p:{id}" },
	{ "MGET", "MGET p:1 total q:2", "p:1", "p:{id}", "MGET p:{id} total q:{id}" },
	{ "HGETALL", "HGETALL cart", "cart", "cart", "HGETALL cart" },
	{ "CONFIG GET", "CONFIG GET maxmemory", "maxmemory", "maxmemory", "CONFIG GET maxmemory" },
	{ "GET", "GET v2:user-42:order_12345", "v2:user-42:order_12345", "v2:user-{id}:order_{id}",
	  "GET v2:user-{id}:order_{id}" },
	{ "GET", "GET s:123e4567-e89b-12d3-a456-426614174000",
	  "s:123e4567-e89b-12d3-a456-426614174000", "s:{id}", "GET s:{id}" },
	{ "GET", "GET mail:me@example.com", "mail:me@example.com", "mail:{id}", "GET mail:{id}" },
	{ "GET", "GET p:{id}", "p:{id}", "p:{id}", "GET p:{id}" },
	{ "GET", "GET ::", "::", "::", "GET ::" },
	{ "GET", "GET 42", "42", "{id}", "GET {id}" },
	{ "GET", "another text", "product:42", "product:{id}", "another text" },
	{ "GET", "GET", "product:42", "product:{id}", "GET" },
};

START_TEST(a_key_has_a_pattern_and_so_has_its_command)
{
	struct batch *b = ask_batch(1);
	struct span *s = batch_add(b, TABLE_SPANS);

	s->op = str_of(cases[_i].op);
	s->query = str_of(cases[_i].query);
	s->key = str_of(cases[_i].key);
	cachekey_fill(s, b);
	ck_assert_msg(str_is(s->key, cases[_i].want_key), "%.*s", STR_ARG(s->key));
	ck_assert_msg(str_is(s->query, cases[_i].want_query), "%.*s", STR_ARG(s->query));
	ask_batch_free(b);
}
END_TEST

START_TEST(without_a_key_nothing_changes)
{
	struct batch *b = ask_batch(1);
	struct span *s = batch_add(b, TABLE_SPANS);

	s->query = STR("select 42");
	cachekey_fill(s, b);
	ck_assert(!s->key.s);
	ck_assert(str_is(s->query, "select 42"));
	ask_batch_free(b);
}
END_TEST

Suite *cachekey_suite(void)
{
	Suite *s = suite_create("cachekey");
	TCase *t = tcase_create("cachekey");

	tcase_add_loop_test(t, a_key_has_a_pattern_and_so_has_its_command, 0,
	                    sizeof(cases) / sizeof(*cases));
	tcase_add_test(t, without_a_key_nothing_changes);
	suite_add_tcase(s, t);
	return s;
}
