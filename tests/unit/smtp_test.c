// SPDX-License-Identifier: GPL-3.0-or-later
/* smtp_test - SMTP beyond its corpus: detection, lost bytes, credentials. */
#include <check.h>

#include "proto/proto.h"
#include "tests/unit/guard.h"
#include "tests/unit/suites.h"

#define HELLO "220 mx.example.org ESMTP\r\n"
#define MAIL  "MAIL FROM:<a@b>\r\n"

static const struct proto *smtp(void)
{
	return proto_by_id(PROTO_SMTP);
}

/* clang-format off */
static const struct {
	const char *what, *req, *resp; bool from_start; enum sure want;
} firsts[] = {
	{ "nothing", "", "", true, SURE_MAYBE },
	{ "a greeting", "", HELLO, true, SURE_YES },
	{ "a greeting that does not say whose", "", "220 ready\r\n", true, SURE_MAYBE },
	{ "the same, then EHLO", "EHLO me\r\n", "220 ready\r\n", true, SURE_YES },
	{ "the same, then HELO", "helo me\r\n", "220 ready\r\n", true, SURE_YES },
	{ "the same, then FTP", "USER anonymous\r\n", "220 ready\r\n", true, SURE_NO },
	{ "commands that FTP has too", "NOOP\r\nQUIT\r\n", "220 ready\r\n200 ok\r\n", true, SURE_MAYBE },
	{ "EHLO without a name", "EHLO\r\n", "220 ready\r\n", true, SURE_MAYBE },
	{ "half a command", "EHL", "", true, SURE_MAYBE },
	{ "POP3", "", "+OK ready\r\n", true, SURE_NO },
	{ "NNTP", "GROUP x\r\n", "200 news\r\n", true, SURE_NO },
	{ "LMTP", "LHLO me\r\n", "220 mx LMTP\r\n", true, SURE_NO },
	{ "a code that is none", "", "620 x\r\n", true, SURE_NO },
	{ "joined at a command", MAIL, "", false, SURE_YES },
	{ "joined in a message", "the end\r\n.\r\n" MAIL, "250 ok\r\n", false, SURE_YES },
	{ "a mail that HTTP carries", "x\r\n" MAIL, "HTTP/1.1 200 OK\r\n", false, SURE_NO },
	{ "a greeting in the middle", "", HELLO, false, SURE_MAYBE },
	{ "no address", "MAIL FROM:<a\r\n", "250 ok\r\n", false, SURE_MAYBE },
};
/* clang-format on */

START_TEST(is_as_sure_as_the_bytes_allow)
{
	struct first f = { .messages = 4, .from_start = firsts[_i].from_start };
	size_t n = strlen(firsts[_i].resp);

	f.req = cur_of(firsts[_i].req, strlen(firsts[_i].req));
	f.resp = cur_of(guarded(firsts[_i].resp, n), n);
	ck_assert_msg(smtp()->detect(&f) == firsts[_i].want, "%s: %d", firsts[_i].what,
	              smtp()->detect(&f));
}
END_TEST

/* The last of the messages in these bytes. */
static struct msg feed(void *state, enum dir dir, const char *text)
{
	struct cur in = cur_of(guarded(text, strlen(text)), strlen(text));
	struct msg m = MSG_INIT;

	while (cur_left(&in))
		ck_assert_int_eq(smtp()->parse(state, dir, &in, &m), PARSE_OK);
	return m;
}

/* How far into the text the next message begins; -1: nowhere. */
static long at(void *state, enum dir dir, const char *text)
{
	const uint8_t *p = guarded(text, strlen(text));
	const uint8_t *found = smtp()->resync(state, dir, cur_of(p, strlen(text)));

	return found ? found - p : -1;
}

START_TEST(finds_a_line_of_its_own_after_lost_bytes)
{
	uint64_t state[16] = { 0 };

	ck_assert_uint_le(smtp()->state_size, sizeof(state));
	ck_assert_int_eq(at(state, DIR_REQ, "Mail me\r\nDATA is\r\nHelp\r\n" MAIL), 24);
	ck_assert_int_eq(at(state, DIR_REQ, "Mail me\r\nDATA is\r\nTurn left\r\n"), -1);
	ck_assert_int_eq(at(state, DIR_RESP, "-more\r\n250"), -1);
	ck_assert_int_eq(at(state, DIR_RESP, "-more\r\n250 ok\r\n"), 7);
}
END_TEST

START_TEST(a_message_with_a_hole_has_no_size)
{
	uint64_t state[16] = { 0 };
	struct msg m;

	feed(state, DIR_RESP, HELLO);
	feed(state, DIR_REQ, "DATA\r\n");
	feed(state, DIR_RESP, "354 go\r\n");
	feed(state, DIR_REQ, "text\r\n");
	ck_assert_int_eq(at(state, DIR_REQ, "QUIT\r\nno end"), -1);
	ck_assert_int_eq(at(state, DIR_REQ, "QUIT\r\n.\r\n"), 4);
	feed(state, DIR_REQ, "\r\n.\r\n");
	m = feed(state, DIR_RESP, "250 2.0.0 ok\r\n");
	ck_assert_int_eq(m.kind, MSG_RESP);
	ck_assert_uint_eq(m.nattrs, 1);
	ck_assert_int_eq(m.attrs[0].key, ATTR_SMTP_ENHANCED);
}
END_TEST

START_TEST(an_answer_ends_a_message_whose_end_was_lost)
{
	uint64_t state[16] = { 0 };

	feed(state, DIR_REQ, "DATA\r\n");
	feed(state, DIR_RESP, "354 go\r\n");
	feed(state, DIR_REQ, "text\r\n");
	ck_assert_int_eq(at(state, DIR_REQ, "more\r\n"), -1);
	feed(state, DIR_RESP, "250 ok\r\n");
	ck_assert_int_eq(at(state, DIR_REQ, MAIL), 0);
	ck_assert_int_eq(feed(state, DIR_REQ, MAIL).kind, MSG_REQ);
}
END_TEST

START_TEST(a_message_whose_beginning_was_not_seen_is_no_command)
{
	uint64_t state[16] = { 0 };
	struct msg m;

	ck_assert_int_eq(feed(state, DIR_RESP, "354 go\r\n").kind, MSG_INTERIM);
	ck_assert_int_eq(feed(state, DIR_REQ, "QUIT\r\n.\r\n").kind, MSG_NONE);
	m = feed(state, DIR_REQ, "QUIT\r\n");
	ck_assert(m.kind == MSG_REQ && str_is(m.op, "QUIT"));
}
END_TEST

Suite *smtp_suite(void)
{
	Suite *s = suite_create("smtp");
	TCase *t = tcase_create("smtp");

	tcase_add_loop_test(t, is_as_sure_as_the_bytes_allow, 0, sizeof(firsts) / sizeof(*firsts));
	tcase_add_test(t, finds_a_line_of_its_own_after_lost_bytes);
	tcase_add_test(t, a_message_with_a_hole_has_no_size);
	tcase_add_test(t, an_answer_ends_a_message_whose_end_was_lost);
	tcase_add_test(t, a_message_whose_beginning_was_not_seen_is_no_command);
	suite_add_tcase(s, t);
	return s;
}
