// SPDX-License-Identifier: GPL-3.0-or-later
/* mongodb_test - MongoDB beyond its corpus: detection, lost bytes. */
#include <check.h>

#include "proto/proto.h"
#include "tests/unit/guard.h"
#include "tests/unit/suites.h"

#define DOC      "\x0c\0\0\0\x10p\0\1\0\0\0\0"
#define ASK      "\x21\0\0\0\1\0\0\0\0\0\0\0\xdd\7\0\0\0\0\0\0\0" DOC
#define ANSWER   "\x21\0\0\0\x5a\0\0\0\1\0\0\0\xdd\7\0\0\0\0\0\0\0" DOC
#define OLD_HEAD "\x33\0\0\0\1\0\0\0\0\0\0\0\xd4\7\0\0\4\0\0\0"
#define OLD      OLD_HEAD "admin.$cmd\0\0\0\0\0\1\0\0\0" DOC
#define REPLY    "\x30\0\0\0\x5a\0\0\0\1\0\0\0\1\0\0\0\x08\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\0\0\0" DOC
#define PACKED   "\x1e\0\0\0\1\0\0\0\0\0\0\0\xdc\7\0\0\xdd\7\0\0\5\0\0\0\2abcde"

static const struct proto *mongodb(void)
{
	return proto_by_id(PROTO_MONGODB);
}

/* clang-format off */
static const struct {
	const char *what, *req; size_t req_len; const char *resp; size_t resp_len;
	bool from_start; enum sure want;
} firsts[] = {
	{ "nothing", BYTES(""), BYTES(""), true, SURE_MAYBE },
	{ "a command", BYTES(ASK), BYTES(""), true, SURE_YES },
	{ "an old query", BYTES(OLD), BYTES(""), true, SURE_YES },
	{ "a compressed one", BYTES(PACKED), BYTES(""), true, SURE_YES },
	{ "half a head", BYTES("\x21\0\0\0\1\0\0\0"), BYTES(""), true, SURE_MAYBE },
	{ "a head alone", BYTES("\x21\0\0\0\1\0\0\0\0\0\0\0\xdd\7\0\0"), BYTES(""), true, SURE_MAYBE },
	{ "an answer's head", BYTES("\x21\0\0\0\1\0\0\0\1\0\0\0\xdd\7\0\0"), BYTES(""), true, SURE_NO },
	{ "another opcode", BYTES("\x21\0\0\0\1\0\0\0\0\0\0\0\xde\7\0\0\0\0\0\0\0" DOC), BYTES(""), true, SURE_NO },
	{ "a flag that is none", BYTES("\x21\0\0\0\1\0\0\0\0\0\0\0\xdd\7\0\0\4\0\0\0\0" DOC), BYTES(""), true, SURE_NO },
	{ "a section that is none", BYTES("\x21\0\0\0\1\0\0\0\0\0\0\0\xdd\7\0\0\0\0\0\0\2" DOC), BYTES(""), true, SURE_NO },
	{ "a document too long", BYTES("\x21\0\0\0\1\0\0\0\0\0\0\0\xdd\7\0\0\0\0\0\0\0\x0d\0\0\0\x10p\0\1\0\0\0\0"), BYTES(""), true, SURE_NO },
	{ "a type that is none", BYTES("\x21\0\0\0\1\0\0\0\0\0\0\0\xdd\7\0\0\0\0\0\0\0\x0c\0\0\0\x44p\0\1\0\0\0\0"), BYTES(""), true, SURE_NO },
	{ "a name that is none", BYTES("\x21\0\0\0\1\0\0\0\0\0\0\0\xdd\7\0\0\0\0\0\0\0\x0c\0\0\0\x10\1\0\1\0\0\0\0"), BYTES(""), true, SURE_NO },
	{ "no database", BYTES(OLD_HEAD "admincommand\0\0\0\0\0\1\0\0\0" DOC), BYTES(""), true, SURE_NO },
	{ "another protocol", BYTES("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), BYTES(""), true, SURE_NO },
	{ "joined: an answer", BYTES(""), BYTES(ANSWER), false, SURE_YES },
	{ "joined: an old answer alone", BYTES(""), BYTES(REPLY), false, SURE_MAYBE },
	{ "joined: an old answer to a query", BYTES(OLD), BYTES(REPLY), false, SURE_YES },
	{ "joined: inside of an answer", BYTES(""), BYTES("a document's end" ANSWER), false, SURE_YES },
	{ "joined: inside of both", BYTES("values" ASK), BYTES("values" ANSWER), false, SURE_YES },
	{ "joined: roles exchanged", BYTES("values" ANSWER), BYTES("values" ASK), false, SURE_NO },
	{ "inside, from the start", BYTES("values" ASK), BYTES(""), true, SURE_NO },
	{ "joined: another protocol", BYTES("GET / HTTP/1.1\r\nHost: x\r\n\r\n"), BYTES(""), false, SURE_NO },
};
/* clang-format on */

START_TEST(is_as_sure_as_the_bytes_allow)
{
	struct first f = { .messages = 4, .from_start = firsts[_i].from_start };

	f.req = cur_of(firsts[_i].req, firsts[_i].req_len);
	f.resp = cur_of(guarded(firsts[_i].resp, firsts[_i].resp_len), firsts[_i].resp_len);
	ck_assert_msg(mongodb()->detect(&f) == firsts[_i].want, "%s: %d", firsts[_i].what,
	              mongodb()->detect(&f));
}
END_TEST

static ptrdiff_t found_at(enum dir dir, const char *bytes, size_t n)
{
	uint64_t state[128] = { 0 };
	struct cur in = cur_of(guarded(bytes, n), n);
	const uint8_t *p;

	ck_assert_uint_le(mongodb()->state_size, sizeof(state));
	p = mongodb()->resync(state, dir, in);
	return p ? p - in.p : -1;
}

START_TEST(finds_the_next_message_after_lost_bytes)
{
	ck_assert_int_eq(found_at(DIR_REQ, BYTES("body" ASK)), 4);
	ck_assert_int_eq(found_at(DIR_REQ, BYTES("body" ANSWER)), -1);
	ck_assert_int_eq(found_at(DIR_RESP, BYTES("body" ANSWER)), 4);
	ck_assert_int_eq(found_at(DIR_RESP, BYTES("body" ANSWER ANSWER)), 4);
	ck_assert_int_eq(found_at(DIR_RESP, BYTES("bodybodybodybodybodybody")), -1);
}
END_TEST

START_TEST(a_head_may_be_read_by_itself)
{
	ck_assert_int_eq(found_at(DIR_RESP, BYTES("\x21\0\0\0")), 0);
	ck_assert_int_eq(found_at(DIR_RESP, BYTES("\x21\0\0\0\x5a\0\0\0\1\0\0\0\xdd\7\0\0")), 0);
	ck_assert_int_eq(found_at(DIR_RESP, BYTES("body")), -1);
}
END_TEST

Suite *mongodb_suite(void)
{
	Suite *s = suite_create("mongodb");
	TCase *t = tcase_create("mongodb");

	tcase_add_loop_test(t, is_as_sure_as_the_bytes_allow, 0, sizeof(firsts) / sizeof(*firsts));
	tcase_add_test(t, finds_the_next_message_after_lost_bytes);
	tcase_add_test(t, a_head_may_be_read_by_itself);
	suite_add_tcase(s, t);
	return s;
}
