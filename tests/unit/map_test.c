// SPDX-License-Identifier: GPL-3.0-or-later
/* map - the service map as a picture: nothing over anything else, no markup out of names. */
#include "write/map.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "tests/unit/suites.h"
#include "write/html.h"
#include "write/map_layout.h"

static struct map_edge call(const char *from, const char *to)
{
	return (struct map_edge){ .from = str_of(from),
		                  .to = str_of(to),
		                  .proto = STR("http"),
		                  .count = 100,
		                  .errors = 3,
		                  .rate = 12.5,
		                  .p50_ms = 1.25,
		                  .p95_ms = 88 };
}

/* Ten services of a shop: a long call, a circle, a call to itself. */
static size_t shop(struct map_edge *e)
{
	static const char *const calls[][2] = {
		{ "web", "checkout" },     { "web", "catalog" },    { "checkout", "payments" },
		{ "checkout", "mysql-0" }, { "checkout", "redis" }, { "catalog", "redis" },
		{ "catalog", "search" },   { "payments", "bank" },  { "payments", "mysql-0" },
		{ "search", "elastic" },   { "web", "mysql-0" },    { "payments", "checkout" },
		{ "search", "search" },    { "cron", "catalog" },
	};
	size_t n = sizeof(calls) / sizeof(*calls);

	for (size_t i = 0; i < n; i++)
		e[i] = call(calls[i][0], calls[i][1]);
	return n;
}

START_TEST(no_box_and_no_label_lies_over_another)
{
	struct map_edge e[32];
	struct map_layout l;

	ck_assert_int_eq(map_layout(&l, e, shop(e)), 0);
	ck_assert_uint_eq(l.services, 10);
	for (size_t i = 0; i < l.services; i++) {
		const struct map_node *a = &l.nodes[i];

		ck_assert(a->x >= 0 && a->x + MAP_BOX_W <= l.width);
		ck_assert(a->y - MAP_BOX_H / 2.0 >= 0 && a->y + MAP_BOX_H / 2.0 <= l.height);
		for (size_t k = 0; k < i; k++)
			ck_assert(fabs(a->x - l.nodes[k].x) >= MAP_BOX_W ||
			          fabs(a->y - l.nodes[k].y) >= MAP_BOX_H);
	}
	for (size_t i = 0; i < l.nlines; i++)
		for (size_t k = 0; k < i; k++)
			ck_assert_msg(fabs(l.lines[i].label_x - l.lines[k].label_x) > 10 ||
			                      fabs(l.lines[i].label_y - l.lines[k].label_y) >= 25,
			              "labels %zu and %zu", i, k);
	map_layout_free(&l);
}
END_TEST

START_TEST(who_calls_stands_left_of_whom_it_calls)
{
	struct map_edge e[32];
	struct map_layout l;
	unsigned int back = 0;

	ck_assert_int_eq(map_layout(&l, e, shop(e)), 0);
	for (size_t i = 0; i < l.nlines; i++) {
		const struct map_line *line = &l.lines[i];

		back += line->back;
		ck_assert(line->back || l.nodes[line->from].x < l.nodes[line->to].x);
	}
	ck_assert_uint_eq(back, 2); /* the circle and the call to itself */
	map_layout_free(&l);
}
END_TEST

START_TEST(more_services_than_there_is_room_for_are_said)
{
	static char names[MAP_NODES + 50][16];
	struct map_edge *e = calloc(MAP_NODES + 50, sizeof(*e));
	struct buf out = { 0 };

	for (int i = 0; i < MAP_NODES + 50; i++) {
		snprintf(names[i], sizeof(names[i]), "s%d", i);
		e[i] = call("web", names[i]);
	}
	map_svg(&out, e, MAP_NODES + 50, "many");
	buf_ch(&out, 0);
	ck_assert_ptr_nonnull(strstr(out.p, "(51 calls have no room here)"));
	buf_free(&out);
	free(e);
}
END_TEST

START_TEST(names_are_never_markup)
{
	static const char evil[] = "</text><script>alert(1)</script>\"'&\x1b[2J\xff";
	struct map_edge e = call(evil, "b\"];x[label=\"");
	struct buf out = { 0 };

	e.proto = str_of(evil);
	map_html(&out, &e, 1, evil);
	map_svg(&out, &e, 1, evil);
	buf_ch(&out, 0);
	ck_assert(!out.failed);
	ck_assert_ptr_null(strstr(out.p, "<script"));
	ck_assert_ptr_null(strstr(out.p, "\x1b"));
	ck_assert_ptr_null(strstr(out.p, "\xff"));
	ck_assert_ptr_nonnull(strstr(out.p, "&lt;script&gt;"));
	buf_clear(&out);
	map_dot(&out, &e, 1, evil);
	buf_ch(&out, 0);
	ck_assert_ptr_nonnull(strstr(out.p, "\"b\\\"];x[label=\\\"\""));
	buf_free(&out);
}
END_TEST

START_TEST(a_map_of_nothing_is_a_picture)
{
	struct buf out = { 0 };

	map_svg(&out, NULL, 0, "");
	ck_assert(!out.failed && out.len > 100);
	buf_free(&out);
}
END_TEST

START_TEST(an_unknown_ending_says_which_there_are)
{
	char err[ERR_TEXT];

	ck_assert_int_lt(map_export("/tmp/map.png", NULL, 0, "", err), 0);
	ck_assert_ptr_nonnull(strstr(err, ".svg, .dot, .html"));
}
END_TEST

Suite *map_suite(void)
{
	Suite *s = suite_create("map");
	TCase *tc = tcase_create("map");

	tcase_add_test(tc, no_box_and_no_label_lies_over_another);
	tcase_add_test(tc, who_calls_stands_left_of_whom_it_calls);
	tcase_add_test(tc, more_services_than_there_is_room_for_are_said);
	tcase_add_test(tc, names_are_never_markup);
	tcase_add_test(tc, a_map_of_nothing_is_a_picture);
	tcase_add_test(tc, an_unknown_ending_says_which_there_are);
	suite_add_tcase(s, tc);
	return s;
}
