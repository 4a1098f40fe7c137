// SPDX-License-Identifier: GPL-3.0-or-later
/* proxy_test - the PROXY protocol beyond its corpus: detection. */
#include <check.h>

#include "proto/proto.h"
#include "tests/unit/guard.h"
#include "tests/unit/suites.h"

#define V2 "\r\n\r\n\0\r\nQUIT\n"

static const struct proto *proxy(void)
{
	return proto_by_id(PROTO_PROXY);
}

/* clang-format off */
static const struct {
	const char *what, *req; size_t len; bool from_start; enum sure want;
} firsts[] = {
	{ "nothing", BYTES(""), true, SURE_MAYBE },
	{ "half a word", BYTES("PRO"), true, SURE_MAYBE },
	{ "version 1", BYTES("PROXY TCP4 1"), true, SURE_YES },
	{ "without addresses", BYTES("PROXY UNKNOWN\r\n"), true, SURE_YES },
	{ "of nothing known", BYTES("PROXY UDP4 1"), true, SURE_NO },
	{ "a method of HTTP", BYTES("PROXY / HTTP/1.1\r\n"), true, SURE_NO },
	{ "a signature", BYTES(V2), true, SURE_MAYBE },
	{ "half a signature", BYTES("\r\n\r\n"), true, SURE_MAYBE },
	{ "version 2", BYTES(V2 "\x21"), true, SURE_YES },
	{ "version 3", BYTES(V2 "\x31"), true, SURE_NO },
	{ "not at the start", BYTES(V2 "\x21"), false, SURE_NO },
	{ "blank lines", BYTES("\r\n\r\nGET /"), true, SURE_NO },
};
/* clang-format on */

START_TEST(is_as_sure_as_the_bytes_allow)
{
	struct first f = { .messages = 4, .from_start = firsts[_i].from_start };

	f.resp = cur_of("", 0);
	f.req = cur_of(guarded(firsts[_i].req, firsts[_i].len), firsts[_i].len);
	ck_assert_msg(proxy()->detect(&f) == firsts[_i].want, "%s: %d", firsts[_i].what,
	              proxy()->detect(&f));
}
END_TEST

START_TEST(is_nowhere_but_at_the_start)
{
	uint64_t state[16] = { 0 };

	ck_assert_uint_le(proxy()->state_size, sizeof(state));
	ck_assert_ptr_null(proxy()->resync(state, DIR_REQ, cur_of("PROXY TCP4 ", 11)));
}
END_TEST

Suite *proxy_suite(void)
{
	Suite *s = suite_create("proxy");
	TCase *t = tcase_create("proxy");

	tcase_add_loop_test(t, is_as_sure_as_the_bytes_allow, 0, sizeof(firsts) / sizeof(*firsts));
	tcase_add_test(t, is_nowhere_but_at_the_start);
	suite_add_tcase(s, t);
	return s;
}
