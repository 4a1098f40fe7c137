// SPDX-License-Identifier: GPL-3.0-or-later
/* memcached_test - Memcached beyond its corpus: detection, lost bytes, long lines. */
#include <check.h>

#include "proto/proto.h"
#include "tests/unit/guard.h"
#include "tests/unit/suites.h"

static const struct proto *memcached(void)
{
	return proto_by_id(PROTO_MEMCACHED);
}

/* clang-format off */
static const struct {
	const char *what, *req, *resp; enum sure want;
} firsts[] = {
	{ "a store command", "set k 0 0 5\r\nabcde\r\n", "", SURE_YES },
	{ "a get and its value", "get k\r\n", "VALUE k 0 1\r\nx\r\nEND\r\n", SURE_YES },
	{ "a get alone", "get k\r\n", "", SURE_MAYBE },
	{ "half a get", "get", "", SURE_MAYBE },
	{ "nothing", "", "", SURE_MAYBE },
	{ "redis", "get k\r\n", "$-1\r\n", SURE_NO },
	{ "a number may be anything's", "incr k 1\r\n", "5\r\n", SURE_NO },
	{ "upper case", "GET k\r\n", "END\r\n", SURE_NO },
	{ "too few words", "set k\r\n", "ERROR\r\n", SURE_NO },
	{ "mail", "quit now\r\n", "221 bye\r\n", SURE_NO },
};
/* clang-format on */

START_TEST(is_as_sure_as_the_bytes_allow)
{
	struct first f = { .messages = 4, .from_start = true };

	f.req = cur_of(firsts[_i].req, strlen(firsts[_i].req));
	f.resp = cur_of(guarded(firsts[_i].resp, strlen(firsts[_i].resp)), strlen(firsts[_i].resp));
	ck_assert_msg(memcached()->detect(&f) == firsts[_i].want, "%s: %d", firsts[_i].what,
	              memcached()->detect(&f));
}
END_TEST

static ptrdiff_t found_at(enum dir dir, const char *text)
{
	uint64_t state[32] = { 0 };
	struct cur in = cur_of(guarded(text, strlen(text)), strlen(text));
	const uint8_t *p;

	ck_assert_uint_le(memcached()->state_size, sizeof(state));
	p = memcached()->resync(state, dir, in);
	return p ? p - in.p : -1;
}

START_TEST(finds_the_next_line_after_lost_bytes)
{
	ck_assert_int_eq(found_at(DIR_REQ, "data\r\nget k\r\n"), 6);
	ck_assert_int_eq(found_at(DIR_REQ, "data\r\nbring k\r\n"), -1);
	ck_assert_int_eq(found_at(DIR_RESP, "data\r\nVALUE k 0 1\r\nx\r\n"), 6);
	ck_assert_int_eq(found_at(DIR_RESP, "data\r\n5\r\n"), -1);
}
END_TEST

START_TEST(gives_up_on_a_line_without_end)
{
	static char line[PROTO_HEAD];
	uint64_t state[32] = { 0 };
	struct msg m;

	memset(line, 'x', sizeof(line));
	for (size_t n = 4000; n <= sizeof(line); n += 4192) {
		struct cur in = cur_of(guarded(line, n), n);
		enum parse want = n < 8192 ? PARSE_MORE : PARSE_BAD;

		ck_assert_int_eq(memcached()->parse(state, DIR_REQ, &in, &m), want);
	}
}
END_TEST

Suite *memcached_suite(void)
{
	Suite *s = suite_create("memcached");
	TCase *t = tcase_create("memcached");

	tcase_add_loop_test(t, is_as_sure_as_the_bytes_allow, 0, sizeof(firsts) / sizeof(*firsts));
	tcase_add_test(t, finds_the_next_line_after_lost_bytes);
	tcase_add_test(t, gives_up_on_a_line_without_end);
	suite_add_tcase(s, t);
	return s;
}
