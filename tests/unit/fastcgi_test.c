// SPDX-License-Identifier: GPL-3.0-or-later
/* fastcgi_test - FastCGI beyond its corpus: detection, lost bytes. */
#include <check.h>

#include "proto/proto.h"
#include "tests/unit/guard.h"
#include "tests/unit/suites.h"

#define BEGIN "\1\1\0\1\0\10\0\0\0\1\1\0\0\0\0\0"
#define OUT   "\1\6\0\1\0\2\6\0"

static const struct proto *fastcgi(void)
{
	return proto_by_id(PROTO_FASTCGI);
}

/* clang-format off */
static const struct {
	const char *what, *req; size_t req_len; const char *resp; size_t resp_len; enum sure want;
} firsts[] = {
	{ "a request", BYTES(BEGIN), BYTES(""), SURE_YES },
	{ "a request and its answer", BYTES(BEGIN), BYTES(OUT), SURE_YES },
	{ "half a request", BYTES("\1\1\0\1\0\10"), BYTES(""), SURE_MAYBE },
	{ "nothing", BYTES(""), BYTES(""), SURE_MAYBE },
	{ "another answer", BYTES(BEGIN), BYTES("HTTP/1.1 200 OK\r\n"), SURE_NO },
	{ "a role that is none", BYTES("\1\1\0\1\0\10\0\0\0\11\1\0\0\0\0\0"), BYTES(""), SURE_NO },
	{ "bytes that are kept free", BYTES("\1\1\0\1\0\10\0\0\0\1\1\0\0\0\0\1"), BYTES(""), SURE_NO },
	{ "text", BYTES("GET / HTTP/1.1\r\n"), BYTES(""), SURE_NO },
};
/* clang-format on */

START_TEST(is_as_sure_as_the_bytes_allow)
{
	struct first f = { .messages = 4, .from_start = true };

	f.req = cur_of(firsts[_i].req, firsts[_i].req_len);
	f.resp = cur_of(guarded(firsts[_i].resp, firsts[_i].resp_len), firsts[_i].resp_len);
	ck_assert_msg(fastcgi()->detect(&f) == firsts[_i].want, "%s: %d", firsts[_i].what,
	              fastcgi()->detect(&f));
}
END_TEST

static ptrdiff_t found_at(enum dir dir, const char *bytes, size_t n)
{
	uint64_t state[8] = { 0 };
	struct cur in = cur_of(guarded(bytes, n), n);
	const uint8_t *p;

	ck_assert_uint_le(fastcgi()->state_size, sizeof(state));
	p = fastcgi()->resync(state, dir, in);
	return p ? p - in.p : -1;
}

START_TEST(finds_the_next_record_after_lost_bytes)
{
	ck_assert_int_eq(found_at(DIR_REQ, BYTES("body" BEGIN)), 4);
	ck_assert_int_eq(found_at(DIR_REQ, BYTES("body" OUT "hi\0\0\0\0\0\0")), -1);
	ck_assert_int_eq(found_at(DIR_RESP, BYTES("abc" OUT)), 3);
	ck_assert_int_eq(found_at(DIR_RESP, BYTES("abc" BEGIN)), -1);
}
END_TEST

Suite *fastcgi_suite(void)
{
	Suite *s = suite_create("fastcgi");
	TCase *t = tcase_create("fastcgi");

	tcase_add_loop_test(t, is_as_sure_as_the_bytes_allow, 0, sizeof(firsts) / sizeof(*firsts));
	tcase_add_test(t, finds_the_next_record_after_lost_bytes);
	suite_add_tcase(s, t);
	return s;
}
