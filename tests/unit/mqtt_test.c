// SPDX-License-Identifier: GPL-3.0-or-later
/* mqtt_test - MQTT beyond its corpus: detection, lost bytes. */
#include <check.h>

#include "proto/proto.h"
#include "tests/unit/guard.h"
#include "tests/unit/suites.h"

#define CONNECT_4  "\x10\15\0\4MQTT\4\2\0\74\0\1c"
#define PUBLISH_AB "\x32\10\0\3a/bxyz"
#define PUBACK_2   "\x40\2\170\171"

static const struct proto *mqtt(void)
{
	return proto_by_id(PROTO_MQTT);
}

/* clang-format off */
static const struct {
	const char *what, *req; size_t req_len; const char *resp; size_t resp_len;
	bool from_start; enum sure want;
} firsts[] = {
	{ "a client begins", BYTES(CONNECT_4), BYTES(""), true, SURE_YES },
	{ "half a beginning", BYTES("\x10\15\0\4MQ"), BYTES(""), true, SURE_MAYBE },
	{ "another beginning", BYTES("\x10\15\0\4HTTP"), BYTES(""), true, SURE_NO },
	{ "nothing", BYTES(""), BYTES(""), true, SURE_MAYBE },
	{ "a message first", BYTES(PUBLISH_AB), BYTES(""), true, SURE_NO },
	{ "joined: one message", BYTES(PUBLISH_AB), BYTES(""), false, SURE_MAYBE },
	{ "joined: three packets", BYTES(PUBLISH_AB PUBLISH_AB), BYTES(PUBACK_2), false, SURE_LIKELY },
	{ "joined: eight of one side",
	  BYTES(PUBLISH_AB PUBLISH_AB PUBLISH_AB PUBLISH_AB PUBLISH_AB PUBLISH_AB PUBLISH_AB PUBLISH_AB),
	  BYTES(""), false, SURE_YES },
	{ "joined: no packets", BYTES("GET / HTTP/1.1\r\n"), BYTES(""), false, SURE_NO },
	{ "joined: half a packet", BYTES("\x32\10\0\3a/"), BYTES(""), false, SURE_MAYBE },
};
/* clang-format on */

START_TEST(is_as_sure_as_the_bytes_allow)
{
	struct first f = { .messages = 4, .from_start = firsts[_i].from_start };

	f.req = cur_of(firsts[_i].req, firsts[_i].req_len);
	f.resp = cur_of(guarded(firsts[_i].resp, firsts[_i].resp_len), firsts[_i].resp_len);
	ck_assert_msg(mqtt()->detect(&f) == firsts[_i].want, "%s: %d", firsts[_i].what,
	              mqtt()->detect(&f));
}
END_TEST

static ptrdiff_t found_at(enum dir dir, const char *bytes, size_t n)
{
	uint64_t state[8] = { 0 };
	struct cur in = cur_of(guarded(bytes, n), n);
	const uint8_t *p;

	ck_assert_uint_le(mqtt()->state_size, sizeof(state));
	p = mqtt()->resync(state, dir, in);
	return p ? p - in.p : -1;
}

START_TEST(finds_the_next_packet_after_lost_bytes)
{
	ck_assert_int_eq(found_at(DIR_REQ, BYTES("body" PUBLISH_AB)), 4);
	ck_assert_int_eq(found_at(DIR_REQ, BYTES("bodybody")), -1);
	ck_assert_int_eq(found_at(DIR_RESP, BYTES("zz" PUBACK_2 PUBLISH_AB)), 2);
}
END_TEST

START_TEST(a_client_may_read_byte_by_byte)
{
	ck_assert_int_eq(found_at(DIR_RESP, BYTES("\x32")), 0);
	ck_assert_int_eq(found_at(DIR_RESP, BYTES("\x32\10\0\3a/")), 0);
	ck_assert_int_eq(found_at(DIR_RESP, BYTES("\x32\10\0\3a\1")), -1);
	ck_assert_int_eq(found_at(DIR_RESP, BYTES("x")), -1);
}
END_TEST

Suite *mqtt_suite(void)
{
	Suite *s = suite_create("mqtt");
	TCase *t = tcase_create("mqtt");

	tcase_add_loop_test(t, is_as_sure_as_the_bytes_allow, 0, sizeof(firsts) / sizeof(*firsts));
	tcase_add_test(t, finds_the_next_packet_after_lost_bytes);
	tcase_add_test(t, a_client_may_read_byte_by_byte);
	suite_add_tcase(s, t);
	return s;
}
