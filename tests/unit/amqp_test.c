// SPDX-License-Identifier: GPL-3.0-or-later
/* amqp_test - AMQP 0-9-1 beyond its corpus: detection, lost bytes. */
#include <check.h>

#include "proto/proto.h"
#include "tests/unit/guard.h"
#include "tests/unit/suites.h"

#define HELLO   "AMQP\0\0\11\1"
#define OPEN    "\1\0\1\0\0\0\5\0\x14\0\x0a\0\xce"
#define OPEN_OK "\1\0\1\0\0\0\10\0\x14\0\x0b\0\0\0\0\xce"
#define ACK     "\1\0\1\0\0\0\15\0\x3c\0\x50\0\0\0\0\0\0\0\1\0\xce"
#define BEAT    "\10\0\0\0\0\0\0\xce"
#define BODY    "\3\0\1\0\0\0\3abc\xce"

static const struct proto *amqp(void)
{
	return proto_by_id(PROTO_AMQP);
}

/* clang-format off */
static const struct {
	const char *what, *req; size_t req_len; const char *resp; size_t resp_len;
	bool from_start; enum sure want;
} firsts[] = {
	{ "nothing", BYTES(""), BYTES(""), true, SURE_MAYBE },
	{ "a client begins", BYTES(HELLO), BYTES(""), true, SURE_YES },
	{ "half a beginning", BYTES("AMQP\0"), BYTES(""), true, SURE_MAYBE },
	{ "AMQP 1.0", BYTES("AMQP\0\1\0\0"), BYTES(""), true, SURE_NO },
	{ "a frame first", BYTES(OPEN), BYTES(""), true, SURE_NO },
	{ "a server first", BYTES(""), BYTES(OPEN_OK), true, SURE_NO },
	{ "joined: a method", BYTES(OPEN), BYTES(""), false, SURE_YES },
	{ "joined: an answer", BYTES(""), BYTES(OPEN_OK), false, SURE_YES },
	{ "joined: roles exchanged", BYTES(OPEN_OK), BYTES(""), false, SURE_NO },
	{ "joined: what both sides say", BYTES(ACK), BYTES(BEAT), false, SURE_MAYBE },
	{ "joined: inside of a message", BYTES("body\xce" OPEN), BYTES(""), false, SURE_YES },
	{ "joined: inside of what is delivered", BYTES(ACK), BYTES("body\xce" OPEN_OK), false, SURE_YES },
	{ "joined: another end", BYTES("\3\0\1\0\0\0\3abcd"), BYTES(""), false, SURE_NO },
	{ "joined: another method", BYTES("\1\0\1\0\0\0\4\0\x14\0\x63\xce"), BYTES(""), false, SURE_NO },
	{ "joined: another protocol", BYTES("GET / HTTP/1.1\r\n\r\n"), BYTES(""), false, SURE_NO },
};
/* clang-format on */

START_TEST(is_as_sure_as_the_bytes_allow)
{
	struct first f = { .messages = 4, .from_start = firsts[_i].from_start };

	f.req = cur_of(firsts[_i].req, firsts[_i].req_len);
	f.resp = cur_of(guarded(firsts[_i].resp, firsts[_i].resp_len), firsts[_i].resp_len);
	ck_assert_msg(amqp()->detect(&f) == firsts[_i].want, "%s: %d", firsts[_i].what,
	              amqp()->detect(&f));
}
END_TEST

static ptrdiff_t found_at(enum dir dir, const char *bytes, size_t n)
{
	uint64_t state[128] = { 0 };
	struct cur in = cur_of(guarded(bytes, n), n);
	const uint8_t *p;

	ck_assert_uint_le(amqp()->state_size, sizeof(state));
	p = amqp()->resync(state, dir, in);
	return p ? p - in.p : -1;
}

START_TEST(finds_the_next_frame_after_lost_bytes)
{
	ck_assert_int_eq(found_at(DIR_REQ, BYTES("body\xce" OPEN)), 5);
	ck_assert_int_eq(found_at(DIR_REQ, BYTES("body\xce" OPEN_OK)), -1);
	ck_assert_int_eq(found_at(DIR_RESP, BYTES("body\xce" OPEN_OK)), 5);
	ck_assert_int_eq(found_at(DIR_RESP, BYTES("body\xce" ACK BODY)), 5);
	ck_assert_int_eq(found_at(DIR_RESP, BYTES("bodybodybodybody")), -1);
}
END_TEST

START_TEST(a_head_may_be_read_by_itself)
{
	ck_assert_int_eq(found_at(DIR_RESP, BYTES("\1\0\1\0\0\0\10")), 0);
	ck_assert_int_eq(found_at(DIR_RESP, BYTES("\1\0\1\0")), 0);
	ck_assert_int_eq(found_at(DIR_REQ, BYTES("AMQ")), 0);
	ck_assert_int_eq(found_at(DIR_REQ, BYTES("A frame")), -1);
}
END_TEST

Suite *amqp_suite(void)
{
	Suite *s = suite_create("amqp");
	TCase *t = tcase_create("amqp");

	tcase_add_loop_test(t, is_as_sure_as_the_bytes_allow, 0, sizeof(firsts) / sizeof(*firsts));
	tcase_add_test(t, finds_the_next_frame_after_lost_bytes);
	tcase_add_test(t, a_head_may_be_read_by_itself);
	suite_add_tcase(s, t);
	return s;
}
