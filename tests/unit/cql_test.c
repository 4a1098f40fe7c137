// SPDX-License-Identifier: GPL-3.0-or-later
/* cql_test - CQL beyond its corpus: detection, segments, lost bytes. */
#include <check.h>

#include "proto/cql.h"
#include "tests/unit/guard.h"
#include "tests/unit/suites.h"

static const struct proto *cassandra(void)
{
	return proto_by_id(PROTO_CASSANDRA);
}

#define BYTES(lit) (lit), sizeof(lit) - 1
#define ASK        "\x04\0\0\1\x07\0\0\0\x0f\0\0\0\x08SELECT 1\0\1\0"
#define VOID       "\x84\0\0\1\x08\0\0\0\4\0\0\0\1"
#define OPTIONS    "\x04\0\0\1\x05\0\0\0\0"
/* clang-format off */
static const struct {
	const char *what; const char *req; size_t req_len; const char *resp; size_t resp_len;
	bool from_start; enum sure want;
} firsts[] = {
	{ "OPTIONS", BYTES(OPTIONS), BYTES(""), true, SURE_LIKELY },
	{ "a query", BYTES(ASK), BYTES(""), true, SURE_YES },
	{ "a query and its answer", BYTES(ASK), BYTES(VOID), false, SURE_YES },
	{ "an answer alone", BYTES(""), BYTES(VOID), false, SURE_MAYBE },
	{ "half a header", BYTES("\x04\0\0"), BYTES(""), true, SURE_MAYBE },
	{ "half a query", BYTES("\x04\0\0\1\x07\0\0\0\x0f\0\0"), BYTES(""), true, SURE_MAYBE },
	{ "another version", BYTES("\x02\0\0\1\x07\0\0\0\x0f"), BYTES(""), true, SURE_NO },
	{ "a flag that there is not", BYTES("\x04\x40\0\1\x05\0\0\0\0"), BYTES(""), true, SURE_NO },
	{ "what servers say", BYTES(VOID), BYTES(""), true, SURE_NO },
	{ "OPTIONS with a body", BYTES("\x04\0\0\1\x05\0\0\0\1x"), BYTES(""), true, SURE_NO },
	{ "text", BYTES("GET / HTTP/1.1\r\n"), BYTES(""), true, SURE_NO },
	{ "nothing", BYTES(""), BYTES(""), true, SURE_MAYBE },
};
/* clang-format on */

START_TEST(is_as_sure_as_the_bytes_allow)
{
	struct first f = { .messages = 4, .from_start = firsts[_i].from_start };

	f.req = cur_of(guarded(firsts[_i].req, firsts[_i].req_len), firsts[_i].req_len);
	ck_assert_int_ge(cassandra()->detect(&f), SURE_NO);
	f.req = cur_of(firsts[_i].req, firsts[_i].req_len);
	f.resp = cur_of(guarded(firsts[_i].resp, firsts[_i].resp_len), firsts[_i].resp_len);
	ck_assert_msg(cassandra()->detect(&f) == firsts[_i].want, "%s: %d", firsts[_i].what,
	              cassandra()->detect(&f));
}
END_TEST

START_TEST(finds_the_next_frame_after_lost_bytes)
{
	static const char query[] = "of it. " ASK, nothing[] = "nothing of the kind in here";
	uint64_t state[16] = { 0 };
	struct cur in = cur_of(guarded(BYTES(query)), sizeof(query) - 1);

	ck_assert_uint_le(cassandra()->state_size, sizeof(state));
	ck_assert_ptr_eq(cassandra()->resync(state, DIR_REQ, in), in.p + 7);
	in = cur_of(guarded(BYTES(nothing)), sizeof(nothing) - 1);
	ck_assert_ptr_null(cassandra()->resync(state, DIR_RESP, in));
}
END_TEST

START_TEST(an_answer_names_the_request_that_it_is_for)
{
	uint64_t state[16] = { 0 };

	ck_assert_uint_eq(cassandra()->answers(state, cur_of(guarded(BYTES(VOID)), 13)), 2);
	ck_assert_uint_eq(cassandra()->answers(state, cur_of(guarded(BYTES(VOID)), 5)), 0);
	ck_assert_uint_eq(
		cassandra()->answers(state, cur_of("\x84\0\xff\xff\x0c\0\0\0\4\0\2UP", 13)), 0);
}
END_TEST

START_TEST(opcodes_have_names)
{
	ck_assert_str_eq(cql_name(CQL_QUERY), "QUERY");
	ck_assert_ptr_null(cql_name(0x77));
}
END_TEST

Suite *cql_suite(void)
{
	Suite *s = suite_create("cql");
	TCase *t = tcase_create("cql");

	tcase_add_loop_test(t, is_as_sure_as_the_bytes_allow, 0, sizeof(firsts) / sizeof(*firsts));
	tcase_add_test(t, finds_the_next_frame_after_lost_bytes);
	tcase_add_test(t, an_answer_names_the_request_that_it_is_for);
	tcase_add_test(t, opcodes_have_names);
	suite_add_tcase(s, t);
	return s;
}
