// SPDX-License-Identifier: GPL-3.0-or-later
/* mysql_test - MySQL beyond its corpus: long packets, pipelines, lost bytes, detection. */
#include <check.h>

#include "proto/mysql.h"
#include "tests/unit/guard.h"
#include "tests/unit/suites.h"

extern const struct proto proto_mysql;

static struct mysql state;
static struct msg msg;

static enum parse give_cut(enum dir dir, const char *bytes, size_t len, bool cut, size_t *took)
{
	struct cur in = cur_of(guarded(bytes, len), len);
	const uint8_t *begin = in.p;
	enum parse r;

	in.cut = cut;
	r = proto_mysql.parse(&state, dir, &in, &msg);
	*took = (size_t)(in.p - begin);
	return r;
}

static enum parse give(enum dir dir, const char *bytes, size_t len)
{
	size_t took;

	return give_cut(dir, bytes, len, false, &took);
}

static void fresh(void)
{
	memset(&state, 0, sizeof(state));
}

/* ----- single packets ----- */

/* clang-format off */
static const struct {
	const char *what; enum dir dir; const char *in; size_t len; enum parse want; const char *op;
} cases[] = {
	{ "a query", DIR_REQ, BYTES("\x09\0\0\0\3SELECT 1"), PARSE_OK, "SELECT" },
	{ "a header alone", DIR_REQ, BYTES("\x09\0\0"), PARSE_MORE, NULL },
	{ "half a query", DIR_REQ, BYTES("\x09\0\0\0\3SELE"), PARSE_MORE, NULL },
	{ "no payload", DIR_REQ, BYTES("\0\0\0\0"), PARSE_BAD, NULL },
	{ "a command of no server", DIR_REQ, BYTES("\1\0\0\0\x55"), PARSE_BAD, NULL },
	{ "PING with text", DIR_REQ, BYTES("\5\0\0\0\x0epong"), PARSE_BAD, NULL },
	{ "another protocol", DIR_REQ, BYTES("GET / HTTP/1.1\r\n"), PARSE_MORE, NULL },
	{ "USE without a name", DIR_REQ, BYTES("\4\0\0\0\3use"), PARSE_OK, "USE" },
	{ "USE with an open quote", DIR_REQ, BYTES("\7\0\0\0\3use `d"), PARSE_OK, "USE" },
	{ "blanks around USE", DIR_REQ, BYTES("\x0b\0\0\0\3 use\t d ; "), PARSE_OK, "USE" },
	{ "no statement", DIR_REQ, BYTES("\3\0\0\0\3  "), PARSE_OK, "" },
	{ "a table's fields", DIR_REQ, BYTES("\4\0\0\0\4t\0%"), PARSE_OK, "FIELD_LIST" },
	{ "nobody's answer", DIR_RESP, BYTES("\5\0\0\3\xfe\0\0\2\0"), PARSE_OK, "" },
	{ "an empty answer", DIR_RESP, BYTES("\0\0\0\1"), PARSE_BAD, NULL },
};
/* clang-format on */

START_TEST(parses_each_case)
{
	fresh();
	ck_assert_msg(give(cases[_i].dir, cases[_i].in, cases[_i].len) == cases[_i].want, "%s",
	              cases[_i].what);
	if (cases[_i].op)
		ck_assert_msg(str_eq(msg.op, str_of(cases[_i].op)), "%s: %.*s", cases[_i].what,
		              STR_ARG(msg.op));
}
END_TEST

/* ----- packets that go on in the next one ----- */

static char long_head[PROTO_HEAD];

START_TEST(takes_a_statement_of_many_packets_as_one)
{
	size_t took;

	fresh();
	memset(long_head, 'x', sizeof(long_head));
	memcpy(long_head, "\xff\xff\xff\0\3SELECT '", 13);
	ck_assert_int_eq(give(DIR_REQ, long_head, 1000), PARSE_MORE);
	ck_assert_int_eq(give_cut(DIR_REQ, long_head, sizeof(long_head), false, &took), PARSE_OK);
	ck_assert_int_eq(msg.kind, MSG_REQ);
	ck_assert_uint_eq(took + msg.skip, MYSQL_HEADER + MYSQL_FULL);
	ck_assert_int_eq(give(DIR_REQ, BYTES("\2\0\0\1y'")), PARSE_OK);
	ck_assert_int_eq(msg.kind, MSG_NONE);
	ck_assert_int_eq(give(DIR_RESP, BYTES("\7\0\0\1\0\0\0\2\0\0\0")), PARSE_OK);
	ck_assert_int_eq(msg.kind, MSG_RESP);
	ck_assert_int_eq(give(DIR_REQ, BYTES("\1\0\0\0\x0e")), PARSE_OK);
	ck_assert_int_eq(msg.kind, MSG_REQ);
}
END_TEST

START_TEST(counts_a_row_of_many_packets_once)
{
	fresh();
	give(DIR_REQ, BYTES("\7\0\0\0\3SELECT"));
	state.eof = MYSQL_EOF_DROPPED;
	state.step = MYSQL_ROWS;
	memcpy(long_head, "\xff\xff\xff\5\xfe\0\0\0\1\0\0\0\0", 13);
	ck_assert_int_eq(give(DIR_RESP, long_head, sizeof(long_head)), PARSE_OK);
	ck_assert_int_eq(msg.kind, MSG_INTERIM);
	ck_assert_uint_eq(msg.skip, MYSQL_HEADER + MYSQL_FULL - sizeof(long_head));
	ck_assert_int_eq(give(DIR_RESP, BYTES("\3\0\0\6\xfe\0\0\7\0\0\7\xfe\0\0\2\0\0\0")),
	                 PARSE_OK);
	ck_assert_int_eq(msg.kind, MSG_RESP);
	ck_assert_int_eq(msg.rows, 1);
}
END_TEST

START_TEST(ends_a_file_at_the_empty_packet_only)
{
	fresh();
	give(DIR_REQ, BYTES("\x05\0\0\0\3LOAD"));
	give(DIR_RESP, BYTES("\2\0\0\1\373f"));
	ck_assert_int_eq(msg.kind, MSG_INTERIM);
	ck_assert(state.infile);
	memcpy(long_head, "\xff\xff\xff\2", 4);
	give(DIR_REQ, long_head, sizeof(long_head));
	give(DIR_REQ, BYTES("\0\0\0\3"));
	ck_assert(state.infile);
	give(DIR_REQ, BYTES("\1\0\0\0\1"));
	ck_assert(state.infile);
	give(DIR_REQ, BYTES("\0\0\0\1"));
	ck_assert(!state.infile);
}
END_TEST

/* ----- pipelines ----- */

START_TEST(answers_more_commands_than_the_queue_holds)
{
	enum { MANY = MYSQL_QUEUE * 2 + 3 };

	fresh();
	for (int i = 0; i < MANY; i++)
		ck_assert_int_eq(give(DIR_REQ, BYTES("\5\0\0\0\3DO 1")), PARSE_OK);
	for (int i = 0; i < MANY; i++) {
		ck_assert_int_eq(give(DIR_RESP, BYTES("\7\0\0\1\0\1\0\2\0\0\0")), PARSE_OK);
		ck_assert_int_eq(msg.kind, MSG_RESP);
		ck_assert_int_eq(msg.rows, 1);
	}
	ck_assert_uint_eq(state.count + state.over, 0);
}
END_TEST

/* ----- bytes left out ----- */

START_TEST(places_the_end_of_what_was_cut)
{
	size_t took;

	fresh();
	ck_assert_int_eq(give_cut(DIR_REQ, BYTES("\x40\0\0\0\3SELECT 1"), true, &took), PARSE_OK);
	ck_assert(msg.flags & MSG_F_CUT);
	ck_assert_uint_eq(took + msg.skip, 68);
	ck_assert_int_eq(give_cut(DIR_REQ, BYTES("\x40\0"), true, &took), PARSE_BAD);
	ck_assert_int_eq(give_cut(DIR_REQ, BYTES("\x40\0\0\0"), true, &took), PARSE_BAD);
	ck_assert_int_eq(give_cut(DIR_RESP, BYTES("\x40\0\0\1"), true, &took), PARSE_BAD);
	ck_assert_int_eq(give_cut(DIR_RESP, "", 0, true, &took), PARSE_BAD);
	ck_assert_int_eq(give_cut(DIR_RESP, "", 0, false, &took), PARSE_MORE);
	ck_assert_int_eq(give_cut(DIR_RESP, BYTES("\x40\0\0\1\xff\x7a\4#42S02Tab"), true, &took),
	                 PARSE_OK);
	ck_assert_int_eq(msg.code, 1146);
	ck_assert_uint_eq(took + msg.skip, 68);
}
END_TEST

/* ----- after lost bytes ----- */

static ptrdiff_t found_at(enum dir dir, const char *bytes, size_t len)
{
	struct cur in = cur_of(guarded(bytes, len), len);
	const uint8_t *p = proto_mysql.resync(&state, dir, in);

	return p ? p - in.p : -1;
}

START_TEST(finds_the_next_command_and_its_answer)
{
	fresh();
	ck_assert_int_eq(found_at(DIR_REQ, BYTES("1, 2)\0\0\x09\0\0\0\3SELECT 1")), 7);
	ck_assert_int_eq(found_at(DIR_REQ, BYTES("xyz\x0b\0\0\0\x17\1\0\0\0\0\1\0\0\0\0")), 3);
	ck_assert_int_eq(found_at(DIR_REQ, BYTES("xyz\x0b\0\0\0\3no query")), -1);
	ck_assert_int_eq(found_at(DIR_RESP, BYTES("rows\7\0\0\1\0\0\0\2\0\0\0")), 4);
	ck_assert_int_eq(found_at(DIR_RESP, BYTES("rows\x0b\0\0\1\xff\x7a\4#42S02No")), 4);
	ck_assert_int_eq(found_at(DIR_RESP, BYTES("rows\1\0\0\1\1\5\0\0\2\3def.")), 4);
	ck_assert_int_eq(found_at(DIR_RESP, BYTES("rows\1\0\0\1\1\5\0\0\3\3dex.")), -1);
	ck_assert_int_eq(found_at(DIR_RESP, BYTES("rows")), -1);
	state.phase = MYSQL_OPAQUE;
	ck_assert_int_eq(found_at(DIR_RESP, BYTES("anything")), 0);
	ck_assert_int_eq(found_at(DIR_RESP, "", 0), -1);
}
END_TEST

START_TEST(keeps_the_newest_command_when_answers_were_lost)
{
	fresh();
	give(DIR_REQ, BYTES("\5\0\0\0\3DO 1"));
	give(DIR_REQ, BYTES("\2\0\0\0\x16x"));
	found_at(DIR_RESP, BYTES("rows"));
	ck_assert_uint_eq(state.count, 1);
	ck_assert_uint_eq(mysql_oldest(&state), MYSQL_PREPARE);
	state.step = MYSQL_ROWS;
	found_at(DIR_RESP, BYTES("rows"));
	ck_assert_uint_eq(state.count, 0);
	ck_assert_uint_eq(mysql_oldest(&state), MYSQL_QUERY);
}
END_TEST

/* ----- detection ----- */

#define HELLO                                            \
	"\x2e\0\0\0\x0a"                                 \
	"8.0.36\0"                                       \
	"\1\0\0\0abcdefgh\0\xff\xff\x2d\2\0\xff\xff\x15" \
	"0123456789012345"
#define ANSWER "\7\0\0\1\0\0\0\2\0\0\0"

/* clang-format off */
static const struct {
	const char *what, *req; size_t nreq; const char *resp; size_t nresp; bool start;
	enum sure want;
} firsts[] = {
	{ "a greeting", BYTES(""), BYTES(HELLO), true, SURE_YES },
	{ "a greeting and a command", BYTES("\2\0\0\0\3x"), BYTES(HELLO), true, SURE_NO },
	{ "half a greeting", BYTES(""), "\x2e\0\0\0\x0a" "8.0", 8, true, SURE_MAYBE },
	{ "a header", BYTES(""), BYTES("\x2e\0\0\0"), true, SURE_MAYBE },
	{ "nothing", BYTES(""), BYTES(""), true, SURE_MAYBE },
	{ "a statement first", BYTES("\x09\0\0\0\3SELECT 1"), BYTES(""), true, SURE_NO },
	{ "a statement", BYTES("\x09\0\0\0\3SELECT 1"), BYTES(""), false, SURE_LIKELY },
	{ "half a statement", BYTES("\x19\0\0\0\3SELECT 1"), BYTES(""), false, SURE_MAYBE },
	{ "half of it, answered", BYTES("\x19\0\0\0\3SELECT 1"), BYTES(ANSWER), false, SURE_LIKELY },
	{ "two statements, no answer", BYTES("\x09\0\0\0\3SELECT 1\x09\0\0\0\3SELECT 1"),
	  BYTES("x"), false, SURE_MAYBE },
	{ "control characters", BYTES("\x09\0\0\0\3SELECT\1\1"), BYTES(ANSWER), false, SURE_NO },
	{ "no verb", BYTES("\x09\0\0\0\3abcdefgh"), BYTES(ANSWER), false, SURE_NO },
	{ "an answer alone", BYTES(""), BYTES(ANSWER), false, SURE_MAYBE },
	{ "no answer", BYTES(""), BYTES("\7\0\0\1\xfb\0\0\2\0\0\0"), false, SURE_NO },
	{ "a page", BYTES("GET / HTTP/1.1\r\n\r\n"), BYTES("HTTP/1.1 200 OK\r\n"), false, SURE_NO },
	{ "no version", BYTES(""), BYTES("\x0f\0\0\0\x0a" "abc\0" "0123456789"), true, SURE_NO },
	{ "a blank in the version", BYTES(""),
	  BYTES("\x1a\0\0\0\x0a" "8. 0\0" "0123456789ab\0" "0123456"), true, SURE_NO },
};
/* clang-format on */

START_TEST(is_as_sure_as_the_bytes_allow)
{
	struct first f = { .messages = 4, .from_start = firsts[_i].start };

	f.req = cur_of(firsts[_i].req, firsts[_i].nreq);
	f.resp = cur_of(guarded(firsts[_i].resp, firsts[_i].nresp), firsts[_i].nresp);
	ck_assert_msg(proto_mysql.detect(&f) == firsts[_i].want, "%s: %d", firsts[_i].what,
	              proto_mysql.detect(&f));
}
END_TEST

Suite *mysql_suite(void)
{
	Suite *s = suite_create("mysql");
	TCase *t = tcase_create("mysql");

	tcase_add_loop_test(t, parses_each_case, 0, sizeof(cases) / sizeof(*cases));
	tcase_add_test(t, takes_a_statement_of_many_packets_as_one);
	tcase_add_test(t, counts_a_row_of_many_packets_once);
	tcase_add_test(t, ends_a_file_at_the_empty_packet_only);
	tcase_add_test(t, answers_more_commands_than_the_queue_holds);
	tcase_add_test(t, places_the_end_of_what_was_cut);
	tcase_add_test(t, finds_the_next_command_and_its_answer);
	tcase_add_test(t, keeps_the_newest_command_when_answers_were_lost);
	tcase_add_loop_test(t, is_as_sure_as_the_bytes_allow, 0, sizeof(firsts) / sizeof(*firsts));
	suite_add_tcase(s, t);
	return s;
}
