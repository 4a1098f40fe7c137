// SPDX-License-Identifier: GPL-3.0-or-later
/* socks_test - SOCKS beyond its corpus: detection. */
#include <check.h>

#include "proto/proto.h"
#include "tests/unit/guard.h"
#include "tests/unit/suites.h"

#define GREETING "\x05\x02\0\x02"
#define CONNECT  "\x05\x01\0\x01\x7f\0\0\x01\0P"
#define V4       "\x04\x01\0P\x7f\0\0\x01\0"

static const struct proto *socks(void)
{
	return proto_by_id(PROTO_SOCKS);
}

/* clang-format off */
static const struct {
	const char *what, *req; size_t req_len; const char *resp; size_t resp_len; bool from_start; enum sure want;
} firsts[] = {
	{ "nothing", BYTES(""), BYTES(""), true, SURE_MAYBE },
	{ "a greeting", BYTES(GREETING), BYTES(""), true, SURE_MAYBE },
	{ "a greeting and its answer", BYTES(GREETING), BYTES("\x05\0"), true, SURE_MAYBE },
	{ "a request", BYTES(GREETING CONNECT), BYTES("\x05\0"), true, SURE_YES },
	{ "half a request", BYTES(GREETING "\x05\x01"), BYTES("\x05\0"), true, SURE_MAYBE },
	{ "a method that was not offered", BYTES(GREETING CONNECT), BYTES("\x05\x01"), true, SURE_NO },
	{ "no method at all", BYTES("\x05\0\x05"), BYTES("\x05\0"), true, SURE_NO },
	{ "methods that nobody has", BYTES("\x05\x01\x40"), BYTES("\x05\x40"), true, SURE_NO },
	{ "a server that speaks first", BYTES(""), BYTES("\x05\0"), true, SURE_NO },
	{ "not from the start", BYTES(GREETING CONNECT), BYTES("\x05\0"), false, SURE_NO },
	{ "a password", BYTES(GREETING "\x01\x01" "a\x01" "b"), BYTES("\x05\x02\x01\0"), true, SURE_YES },
	{ "a password without an answer", BYTES(GREETING "\x01\x01" "a\x01" "b"), BYTES("\x05\x02"), true, SURE_MAYBE },
	{ "version 4", BYTES(V4), BYTES(""), true, SURE_MAYBE },
	{ "version 4 and its answer", BYTES(V4), BYTES("\0Z\0\0\0\0\0\0"), true, SURE_YES },
	{ "version 4 and another answer", BYTES(V4), BYTES("\x84\0\0\0"), true, SURE_NO },
	{ "version 4 and more", BYTES(V4 "more"), BYTES(""), true, SURE_NO },
	{ "Cassandra", BYTES("\x04\0\0\0\x05\0\0\0\0"), BYTES(""), true, SURE_NO },
};
/* clang-format on */

START_TEST(is_as_sure_as_the_bytes_allow)
{
	struct first f = { .messages = 4, .from_start = firsts[_i].from_start };

	f.resp = cur_of(firsts[_i].resp, firsts[_i].resp_len);
	f.req = cur_of(guarded(firsts[_i].req, firsts[_i].req_len), firsts[_i].req_len);
	ck_assert_msg(socks()->detect(&f) == firsts[_i].want, "%s: %d", firsts[_i].what,
	              socks()->detect(&f));
}
END_TEST

START_TEST(is_nowhere_but_at_the_start)
{
	uint64_t state[64] = { 0 };

	ck_assert_uint_le(socks()->state_size, sizeof(state));
	ck_assert_ptr_null(socks()->resync(state, DIR_REQ, cur_of(CONNECT, 10)));
}
END_TEST

Suite *socks_suite(void)
{
	Suite *s = suite_create("socks");
	TCase *t = tcase_create("socks");

	tcase_add_loop_test(t, is_as_sure_as_the_bytes_allow, 0, sizeof(firsts) / sizeof(*firsts));
	tcase_add_test(t, is_nowhere_but_at_the_start);
	suite_add_tcase(s, t);
	return s;
}
