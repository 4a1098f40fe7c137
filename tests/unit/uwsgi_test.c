// SPDX-License-Identifier: GPL-3.0-or-later
/* uwsgi_test - uwsgi and SCGI beyond their corpora: detection, lost bytes. */
#include <check.h>

#include "proto/proto.h"
#include "tests/unit/guard.h"
#include "tests/unit/suites.h"

#define VARS  "\x0e\0REQUEST_METHOD\3\0GET\x0b\0REQUEST_URI\2\0/a\x09\0HTTP_HOST\1\0x"
#define UWSGI "\0\x34\0\0" VARS
#define SCGI  "24:CONTENT_LENGTH\0000\0SCGI\0001\0,"
#define HTTP  "HTTP/1.1 200 OK\r\n\r\n"
#define CGI   "Status: 200 OK\r\n\r\n"

/* clang-format off */
static const struct {
	enum proto_id id; const char *what, *req; size_t req_len; const char *resp; size_t resp_len;
	enum sure want;
} firsts[] = {
	{ PROTO_UWSGI, "a request", BYTES(UWSGI), BYTES(""), SURE_YES },
	{ PROTO_UWSGI, "and its answer", BYTES(UWSGI), BYTES(HTTP), SURE_YES },
	{ PROTO_UWSGI, "an answer of fields", BYTES(UWSGI), BYTES(CGI), SURE_YES },
	{ PROTO_UWSGI, "another answer", BYTES(UWSGI), BYTES("\1\2\3\4"), SURE_NO },
	{ PROTO_UWSGI, "a head", BYTES("\0\x34\0\0"), BYTES(""), SURE_MAYBE },
	{ PROTO_UWSGI, "one variable of more", BYTES("\0\x34\0\0\x0e\0REQUEST_METHOD\3\0GET"), BYTES(""), SURE_MAYBE },
	{ PROTO_UWSGI, "no method", BYTES("\0\x0e\0\0\x09\0HTTP_HOST\1\0x"), BYTES(""), SURE_NO },
	{ PROTO_UWSGI, "another modifier", BYTES("\x42\x34\0\0" VARS), BYTES(""), SURE_NO },
	{ PROTO_UWSGI, "nothing", BYTES(""), BYTES(""), SURE_MAYBE },
	{ PROTO_UWSGI, "an answer alone", BYTES(""), BYTES(HTTP), SURE_MAYBE },
	{ PROTO_UWSGI, "text", BYTES("GET / HTTP/1.1\r\n"), BYTES(""), SURE_NO },
	{ PROTO_SCGI, "a request", BYTES(SCGI), BYTES(""), SURE_YES },
	{ PROTO_SCGI, "and its answer", BYTES(SCGI), BYTES(CGI), SURE_YES },
	{ PROTO_SCGI, "another answer", BYTES(SCGI), BYTES("\1\2\3\4"), SURE_NO },
	{ PROTO_SCGI, "digits", BYTES("24"), BYTES(""), SURE_MAYBE },
	{ PROTO_SCGI, "another first variable", BYTES("24:REQUEST_METHOD\0"), BYTES(""), SURE_NO },
	{ PROTO_SCGI, "too short for its first variable", BYTES("9:CONTENT_LENGTH\0"), BYTES(""), SURE_NO },
	{ PROTO_SCGI, "nothing", BYTES(""), BYTES(""), SURE_MAYBE },
};
/* clang-format on */

START_TEST(is_as_sure_as_the_bytes_allow)
{
	struct first f = { .messages = 4, .from_start = true };
	enum sure got;

	f.req = cur_of(firsts[_i].req, firsts[_i].req_len);
	f.resp = cur_of(guarded(firsts[_i].resp, firsts[_i].resp_len), firsts[_i].resp_len);
	got = proto_by_id(firsts[_i].id)->detect(&f);
	ck_assert_msg(got == firsts[_i].want, "%s: %d", firsts[_i].what, got);
}
END_TEST

static ptrdiff_t found_at(enum proto_id id, enum dir dir, const char *bytes, size_t n)
{
	uint64_t state[8] = { 0 };
	struct cur in = cur_of(guarded(bytes, n), n);
	const uint8_t *p;

	ck_assert_uint_le(proto_by_id(id)->state_size, sizeof(state));
	p = proto_by_id(id)->resync(state, dir, in);
	return p ? p - in.p : -1;
}

START_TEST(finds_the_next_request_after_lost_bytes)
{
	ck_assert_int_eq(found_at(PROTO_UWSGI, DIR_REQ, BYTES("body" UWSGI)), 4);
	ck_assert_int_eq(found_at(PROTO_UWSGI, DIR_REQ, BYTES("body and no request")), -1);
	ck_assert_int_eq(found_at(PROTO_UWSGI, DIR_RESP, BYTES(HTTP)), 0);
	ck_assert_int_eq(found_at(PROTO_UWSGI, DIR_RESP, BYTES("inside of a body")), -1);
	ck_assert_int_eq(found_at(PROTO_SCGI, DIR_REQ, BYTES("body" SCGI)), 4);
	ck_assert_int_eq(found_at(PROTO_SCGI, DIR_REQ, BYTES("body and no request")), -1);
	ck_assert_int_eq(found_at(PROTO_SCGI, DIR_RESP, BYTES(CGI)), 0);
}
END_TEST

Suite *uwsgi_suite(void)
{
	Suite *s = suite_create("uwsgi");
	TCase *t = tcase_create("uwsgi");

	tcase_add_loop_test(t, is_as_sure_as_the_bytes_allow, 0, sizeof(firsts) / sizeof(*firsts));
	tcase_add_test(t, finds_the_next_request_after_lost_bytes);
	suite_add_tcase(s, t);
	return s;
}
