// SPDX-License-Identifier: GPL-3.0-or-later
/* routes - paths of low cardinality, harvested or given. */
#include "enrich/routes.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "tests/unit/ask.h"
#include "tests/unit/suites.h"

static const struct {
	const char *word, *want;
} words[] = {
	{ "users", "users" },
	{ "42", "{id}" },
	{ "-7", "{id}" },
	{ "v2", "v2" },
	{ "oauth2", "oauth2" },
	{ "sha256", "sha256" },
	{ "iphone-15", "iphone-15" },
	{ "facade", "facade" },
	{ "decade", "decade" },
	{ "2026-11-21", "{id}" },
	{ "2026-11-21T10:00:00Z", "{id}" },
	{ "order-12345", "{id}" },
	{ "3f2a9c81", "{id}" },
	{ "deadbeefdeadbeef", "{id}" },
	{ "123e4567-e89b-12d3-a456-426614174000", "{id}" },
	{ "01ARZ3NDEKTSV4RRFFQ69G5FAV", "{id}" },
	{ "dQw4w9WgXcQ_x9", "{id}" },
	{ "me@example.com", "{id}" },
	{ "me%40example.com", "{id}" },
	{ "cart;jsessionid=77", "cart" },
	{ "logo.png", "logo.png" },
	{ "12345.jpg", "{id}.jpg" },
	{ "main.3f2a9c81.js", "main.{id}.js" },
	{ "jquery-3.6.0.min.js", "jquery-3.6.0.min.js" },
	{ "shopping-cart-items", "shopping-cart-items" },
	{ "getUserPreferences", "getUserPreferences" },
	{ "", "" },
	{ ".well-known", ".well-known" },
};

START_TEST(a_word_that_looks_like_an_identifier_is_one)
{
	struct buf out = { 0 };

	routes_word(&out, str_of(words[_i].word));
	buf_ch(&out, '\0');
	ck_assert_str_eq(out.p, words[_i].want);
	buf_free(&out);
}
END_TEST

static const struct {
	const char *target, *want;
} paths[] = {
	{ "/a/b?c=/d", "/a/b" },
	{ "/a#x", "/a" },
	{ "http://host:80/a/b?c", "/a/b" },
	{ "http://host", "/" },
	{ "/?u=http://x/y", "/" },
	{ "*", NULL },
	{ "host:443", NULL },
	{ "", NULL },
	{ "/", "/" },
};

START_TEST(the_path_of_a_target_is_without_host_and_query)
{
	struct str got = routes_path(str_of(paths[_i].target));

	ck_assert_msg(paths[_i].want ? str_is(got, paths[_i].want) : !got.s, "%.*s", STR_ARG(got));
}
END_TEST

static const struct {
	const char *pattern, *path;
	bool want;
} patterns[] = {
	{ "/users/{id}", "/users/42", true },
	{ "/users/:id", "/users/ann", true },
	{ "/users/{id}", "/users/42/x", false },
	{ "/users/{id}", "/users", false },
	{ "/users/*/x", "/users/42/x", true },
	{ "/static/**", "/static/a/b/c", true },
	{ "/static/**", "/static", true },
	{ "/**", "/anything/at/all", true },
	{ "/health", "/healthz", false },
	{ "/users/{id}", "/users/", false },
	{ "/", "/", true },
};

START_TEST(a_pattern_fits_word_by_word)
{
	ck_assert_int_eq(routes_fits(patterns[_i].pattern, str_of(patterns[_i].path)),
	                 patterns[_i].want);
}
END_TEST

static struct routes *open_routes(const struct routes_opts *o)
{
	char err[ERR_TEXT] = "";
	struct routes *r = routes_new(o, err);

	ck_assert_msg(r, "%s", err);
	return r;
}

static struct span *request(struct batch *b, const char *target, int64_t code)
{
	struct span *s;

	arena_reset(&b->arena);
	b->n = 0;
	s = batch_add(b, TABLE_SPANS);
	s->proto = STR("http");
	s->kind = STR("server");
	s->service = STR("shop");
	s->op = s->name = STR("GET");
	s->target = batch_text(b, str_of(target));
	s->code = code;
	return s;
}

static void check(struct routes *r, struct batch *b, const char *target, int64_t code,
                  const char *want)
{
	struct span *s = request(b, target, code);

	ck_assert(routes_span(r, s, b));
	ck_assert_msg(str_is(s->route, want), "%s: %.*s, not %s", target, STR_ARG(s->route), want);
	ck_assert(str_starts(s->name, "GET ") && s->name.len == 4 + s->route.len);
}

START_TEST(a_place_with_too_many_words_keeps_the_frequent_ones)
{
	struct routes *r = open_routes(&(struct routes_opts){ 0 });
	struct batch *b = ask_batch(4);
	struct routes_stats st;
	char path[64];

	for (int i = 0; i < 50; i++) {
		check(r, b, "/shop/cart", 200, "/shop/cart");
		check(r, b, "/shop/cart/9", 200, "/shop/cart/{id}");
	}
	for (int i = 0; i < 200; i++) {
		struct span *s;

		snprintf(path, sizeof(path), "/shop/some%c%c/edit", 'a' + i % 26, 'a' + i / 26);
		s = request(b, path, 200);
		ck_assert(routes_span(r, s, b));
		ck_assert(str_is(s->route, path) || str_is(s->route, "/shop/*/edit"));
		if (i > ROUTES_SIBLINGS)
			ck_assert(str_is(s->route, "/shop/*/edit"));
	}
	check(r, b, "/shop/cart", 200, "/shop/cart");
	check(r, b, "/shop/cart/9?q=1", 200, "/shop/cart/{id}");
	routes_stats(r, &st);
	ck_assert_uint_eq(st.folded, 1);
	ck_assert_uint_eq(st.refused, 0);
	routes_free(r);
	ask_batch_free(b);
}
END_TEST

START_TEST(what_was_not_found_teaches_nothing)
{
	struct routes *r = open_routes(&(struct routes_opts){ 0 });
	struct batch *b = ask_batch(4);
	char path[64];

	check(r, b, "/login", 200, "/login");
	for (int i = 0; i < 100; i++) {
		snprintf(path, sizeof(path), "/wp-%c%c/admin", 'a' + i % 26, 'a' + i / 26);
		check(r, b, path, 404, "/*/*");
	}
	check(r, b, "/login", 404, "/login");
	check(r, b, "/new", 200, "/new");
	check(r, b, "/", 404, "/");
	routes_free(r);
	ask_batch_free(b);
}
END_TEST

START_TEST(given_routes_win_and_ignored_ones_leave)
{
	const char *given[] = { "/u/{name}" }, *ignored[] = { "/health", "/metrics/**" };
	struct routes *r = open_routes(&(struct routes_opts){ given, 1, ignored, 2 });
	struct batch *b = ask_batch(4);
	struct routes_stats st;
	struct span *s;

	check(r, b, "/u/ann", 200, "/u/{name}");
	check(r, b, "/u/ann", 404, "/u/{name}");
	s = request(b, "/u/bob", 200);
	s->route = STR("/u/bob");
	s->name = STR("GET /u/bob");
	ck_assert(routes_span(r, s, b));
	ck_assert(str_is(s->route, "/u/{name}") && str_is(s->name, "GET /u/{name}"));
	ck_assert(!routes_span(r, request(b, "/health?full=1", 200), b));
	ck_assert(!routes_span(r, request(b, "/metrics/cpu/0", 200), b));
	check(r, b, "/healthy", 200, "/healthy");
	routes_stats(r, &st);
	ck_assert_uint_eq(st.ignored, 2);
	routes_free(r);
	ask_batch_free(b);
}
END_TEST

START_TEST(rows_that_have_a_route_or_no_path_stay_as_they_are)
{
	struct routes *r = open_routes(&(struct routes_opts){ 0 });
	struct batch *b = ask_batch(4);
	struct span *s = request(b, "/a/1", 200);

	s->route = STR("/a/:b");
	s->name = STR("custom");
	ck_assert(routes_span(r, s, b));
	ck_assert(str_is(s->route, "/a/:b") && str_is(s->name, "custom"));
	s = request(b, "*", 200);
	ck_assert(routes_span(r, s, b) && !s->route.s && str_is(s->name, "GET"));
	s = request(b, "SELECT 1", 200);
	s->proto = STR("mysql");
	ck_assert(routes_span(r, s, b) && !s->route.s);
	s = request(b, "/a/1", 200);
	s->flags = SPAN_F_FOREIGN;
	ck_assert(routes_span(r, s, b) && !s->route.s);
	routes_free(r);
	ask_batch_free(b);
}
END_TEST

START_TEST(the_tree_is_bounded_whatever_comes)
{
	struct routes *r = open_routes(&(struct routes_opts){ 0 });
	struct batch *b = ask_batch(4);
	struct routes_stats st;
	char path[200], service[32];

	for (int i = 0; i < 40000; i++) {
		struct span *s;

		snprintf(path, sizeof(path), "/a%c/b%c/c%c//d/e/f/g/h/i/j/k/l/m/n", 'a' + i % 26,
		         'a' + i / 26 % 26, 'a' + i / 676 % 26);
		s = request(b, path, 200);
		snprintf(service, sizeof(service), "s%d", i % 100);
		s->service = batch_text(b, str_of(service));
		ck_assert(routes_span(r, s, b));
		ck_assert(s->route.s && s->route.len < 100);
	}
	routes_stats(r, &st);
	ck_assert_uint_gt(st.refused, 0);
	routes_free(r);
	ask_batch_free(b);
}
END_TEST

START_TEST(a_pattern_that_is_no_path_is_refused)
{
	const char *given[] = { "users/{id}" };
	char err[ERR_TEXT] = "";

	ck_assert_ptr_null(routes_new(&(struct routes_opts){ given, 1, NULL, 0 }, err));
	ck_assert_str_eq(err, "--route users/{id}: a route begins with /");
}
END_TEST

Suite *routes_suite(void)
{
	Suite *s = suite_create("routes");
	TCase *t = tcase_create("routes");

	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, a_word_that_looks_like_an_identifier_is_one, 0,
	                    sizeof(words) / sizeof(words[0]));
	tcase_add_loop_test(t, the_path_of_a_target_is_without_host_and_query, 0,
	                    sizeof(paths) / sizeof(paths[0]));
	tcase_add_loop_test(t, a_pattern_fits_word_by_word, 0,
	                    sizeof(patterns) / sizeof(patterns[0]));
	tcase_add_test(t, a_place_with_too_many_words_keeps_the_frequent_ones);
	tcase_add_test(t, what_was_not_found_teaches_nothing);
	tcase_add_test(t, given_routes_win_and_ignored_ones_leave);
	tcase_add_test(t, rows_that_have_a_route_or_no_path_stay_as_they_are);
	tcase_add_test(t, the_tree_is_bounded_whatever_comes);
	tcase_add_test(t, a_pattern_that_is_no_path_is_refused);
	suite_add_tcase(s, t);
	return s;
}
