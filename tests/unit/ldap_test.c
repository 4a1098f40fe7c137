// SPDX-License-Identifier: GPL-3.0-or-later
/* ldap_test - LDAP beyond its corpus: detection, whose answer begins, lost bytes. */
#include <check.h>

#include "proto/proto.h"
#include "tests/unit/guard.h"
#include "tests/unit/suites.h"

#define BIND "0\x0c\x02\x01\x01`\x07\x02\x01\x03\x04\0\x80\0"
#define BOUND               \
	"0\x0c\x02\x01\x01" \
	"a\x07\x0a\x01\0\x04\0\x04\0"
#define UNBIND              \
	"0\x05\x02\x01\x03" \
	"B\0"
#define DELETE              \
	"0\x0b\x02\x01\x04" \
	"J\x06"             \
	"dc=a,b"
#define DONE "0\x0c\x02\x01\x04k\x07\x0a\x01\0\x04\0\x04\0"
#define ENTRY               \
	"0\x0d\x02\x01\x02" \
	"d\x08\x04\x04"     \
	"dc=a0\0"

static const struct proto *ldap(void)
{
	return proto_by_id(PROTO_LDAP);
}

/* clang-format off */
static const struct {
	const char *what, *req; size_t req_len; const char *resp; size_t resp_len; bool from_start; enum sure want;
} firsts[] = {
	{ "nothing", BYTES(""), BYTES(""), true, SURE_MAYBE },
	{ "a bind", BYTES(BIND), BYTES(""), true, SURE_YES },
	{ "half a bind", BYTES("0\x0c\x02\x01\x01`\x07\x02"), BYTES(""), true, SURE_MAYBE },
	{ "its answer", BYTES(""), BYTES(BOUND), true, SURE_YES },
	{ "an entry", BYTES(""), BYTES(ENTRY), false, SURE_YES },
	{ "an unbind alone", BYTES(UNBIND), BYTES(""), true, SURE_MAYBE },
	{ "a deletion", BYTES(DELETE), BYTES(DONE), false, SURE_YES },
	{ "another answer", BYTES(BIND), BYTES("HTTP/1.1 400\r\n"), true, SURE_NO },
	{ "in the middle of an answer", BYTES(BIND), BYTES("entry" BOUND), false, SURE_YES },
	{ "SNMP", BYTES("0\x0c\x02\x01\0\x04\x06public\xa0"), BYTES(""), true, SURE_NO },
	{ "version 9", BYTES("0\x0c\x02\x01\x01`\x07\x02\x01\x09\x04\0\x80\0"), BYTES(""), true, SURE_NO },
	{ "a certificate", BYTES("0\x82\x03\x10" "0\x82\x02\xb9\x02\x01"), BYTES(""), true, SURE_NO },
	{ "a code that is none", BYTES(""), BYTES("0\x0c\x02\x01\x01" "a\x07\x0a\x01\x63\x04\0\x04\0"), true, SURE_NO },
	{ "what follows the operation is no control", BYTES("0\x0e\x02\x01\x01`\x07\x02\x01\x03\x04\0\x80\0" "0\0"), BYTES(""), true, SURE_NO },
};
/* clang-format on */

START_TEST(is_as_sure_as_the_bytes_allow)
{
	struct first f = { .messages = 4, .from_start = firsts[_i].from_start };
	bool req = firsts[_i].req_len;

	f.req = cur_of(firsts[_i].req, firsts[_i].req_len);
	f.resp = cur_of(firsts[_i].resp, firsts[_i].resp_len);
	*(req ? &f.req : &f.resp) =
		req ? cur_of(guarded(f.req.p, cur_left(&f.req)), cur_left(&f.req))
		    : cur_of(guarded(f.resp.p, cur_left(&f.resp)), cur_left(&f.resp));
	ck_assert_msg(ldap()->detect(&f) == firsts[_i].want, "%s: %d", firsts[_i].what,
	              ldap()->detect(&f));
}
END_TEST

static uint64_t state[256];

START_TEST(says_whose_answer_begins)
{
	struct cur abandon = cur_of("0\x06\x02\x01\x09P\x01\x04", 8);
	struct msg m = MSG_INIT;

	ck_assert_uint_le(ldap()->state_size, sizeof(state));
	ck_assert_uint_eq(ldap()->answers(state, cur_of(guarded(DONE, 14), 14)), 4);
	ck_assert_uint_eq(ldap()->answers(state, cur_of(guarded(DONE, 4), 4)), 0);
	ck_assert_uint_eq(ldap()->answers(state, cur_of(guarded(BIND, 14), 14)), 0);
	ck_assert_uint_eq(ldap()->answers(state, cur_of("", 0)), 0);
	ck_assert_int_eq(ldap()->parse(state, DIR_REQ, &abandon, &m), PARSE_OK);
	ck_assert_uint_eq(ldap()->answers(state, cur_of(guarded(DONE, 14), 14)), 0);
}
END_TEST

START_TEST(finds_a_message_after_lost_bytes)
{
	struct cur in = cur_of(guarded("00\x0c" BOUND, 17), 17);

	ck_assert_ptr_eq(ldap()->resync(state, DIR_RESP, in), in.p + 3);
	ck_assert_ptr_null(ldap()->resync(state, DIR_REQ, in));
	in = cur_of(guarded(BOUND, 8), 8);
	ck_assert_ptr_eq(ldap()->resync(state, DIR_RESP, in), in.p);
	in = cur_of(guarded("0" BOUND, 9), 9);
	ck_assert_ptr_null(ldap()->resync(state, DIR_RESP, in));
	in = cur_of(guarded("B\0" UNBIND, 9), 9);
	ck_assert_ptr_eq(ldap()->resync(state, DIR_REQ, in), in.p + 2);
}
END_TEST

Suite *ldap_suite(void)
{
	Suite *s = suite_create("ldap");
	TCase *t = tcase_create("ldap");

	tcase_add_loop_test(t, is_as_sure_as_the_bytes_allow, 0, sizeof(firsts) / sizeof(*firsts));
	tcase_add_test(t, says_whose_answer_begins);
	tcase_add_test(t, finds_a_message_after_lost_bytes);
	suite_add_tcase(s, t);
	return s;
}
