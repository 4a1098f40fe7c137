// SPDX-License-Identifier: GPL-3.0-or-later
/* postgres_test - what conversations do not show: detection, lost bytes, many groups. */
#include <check.h>

#include "proto/proto.h"
#include "tests/unit/guard.h"

Suite *postgres_suite(void);

#define BYTES(lit) lit, sizeof(lit) - 1

#define STARTUP "\0\0\0\x15\0\3\0\0user\0me\0\0\0\0\0"
#define QUERY   "Q\0\0\0\x0dSELECT 1\0"
#define SYNC    "S\0\0\0\4"
#define EXECUTE "E\0\0\0\x09\0\0\0\0\0"
#define DONE    "C\0\0\0\x0dSELECT 1\0"
#define READY   "Z\0\0\0\5I"
#define ROW     "D\0\0\0\x0b\0\1\0\0\0\1x"
#define FAILED  "E\0\0\0\x13SERROR\0C42601\0\0"

/* clang-format off */
static const struct {
	const char *what;
	const char *req; size_t req_len;
	const char *resp; size_t resp_len;
	bool from_start;
	enum sure want;
} detected[] = {
	{ "nothing", BYTES(""), BYTES(""), true, SURE_MAYBE },
	{ "a start", BYTES(STARTUP), BYTES(""), true, SURE_YES },
	{ "a start without a byte of its name", BYTES("\0\0\0\x15\0\3\0\0"), BYTES(""), true, SURE_MAYBE },
	{ "a start of four bytes", BYTES("\0\0\0\x15"), BYTES(""), true, SURE_MAYBE },
	{ "a start that is answered", BYTES(STARTUP), BYTES("R\0\0\0\x08"), true, SURE_YES },
	{ "a start that another protocol answers", BYTES(STARTUP), BYTES("HTTP/1.1"), true, SURE_NO },
	{ "a start that zeroes answer", BYTES(STARTUP), BYTES("\0\0"), true, SURE_NO },
	{ "a request for metadata of Kafka", BYTES("\0\0\0\x15\0\3\0\0\0\0\0\1\0\4kcat\0"), BYTES(""), true, SURE_NO },
	{ "protocol 2", BYTES("\0\0\1\x28\0\2\0\0postgres"), BYTES(""), true, SURE_NO },
	{ "a request for TLS", BYTES("\0\0\0\x08\x04\xd2\x16\x2f"), BYTES(""), true, SURE_YES },
	{ "a request for TLS that is too long", BYTES("\0\0\0\x09\x04\xd2\x16\x2f"), BYTES(""), true, SURE_NO },
	{ "a cancel", BYTES("\0\0\0\x10\x04\xd2\x16\x2e\0\0\0\0\0\0\0\0"), BYTES(""), true, SURE_YES },
	{ "a cancel that is too short", BYTES("\0\0\0\x08\x04\xd2\x16\x2e"), BYTES(""), true, SURE_NO },
	{ "a query", BYTES(QUERY), BYTES(""), false, SURE_MAYBE },
	{ "two queries", BYTES(QUERY QUERY), BYTES(""), false, SURE_LIKELY },
	{ "a query and its answer", BYTES(QUERY), BYTES(DONE READY), false, SURE_YES },
	{ "an answer", BYTES(""), BYTES(ROW DONE READY), false, SURE_LIKELY },
	{ "queries, and the middle of an answer", BYTES(QUERY QUERY), BYTES("xxx" DONE READY), false, SURE_LIKELY },
	{ "a query, and the middle of an answer", BYTES(QUERY), BYTES("xxx" DONE READY), false, SURE_MAYBE },
	{ "queries, and the middle of an answer at the start", BYTES(QUERY QUERY), BYTES("xxx"), true, SURE_NO },
	{ "an HTTP request", BYTES("POST / HTTP/1.1\r\n\r\n"), BYTES(""), false, SURE_NO },
	{ "an inline command of Redis", BYTES("PING\r\n"), BYTES("+PONG\r\n"), false, SURE_NO },
	{ "a part of a header", BYTES("Q\0\0"), BYTES("T\0"), false, SURE_MAYBE },
	{ "a part of something else", BYTES("!\0\0"), BYTES(""), false, SURE_NO },
	{ "no text in a query", BYTES("Q\0\0\0\x08\1\2\3\0"), BYTES(""), false, SURE_NO },
	{ "a tag in small letters", BYTES(QUERY), BYTES("C\0\0\0\x0dselect 1\0"), true, SURE_NO },
	{ "too many columns", BYTES(QUERY), BYTES("T\0\0\0\6\xff\xff"), true, SURE_NO },
	{ "a parameter without text", BYTES(QUERY), BYTES("S\0\0\0\6\1\0"), true, SURE_NO },
	{ "an error without severity", BYTES(QUERY), BYTES("E\0\0\0\6X\0"), true, SURE_NO },
	{ "no such description", BYTES("D\0\0\0\6X\0"), BYTES(""), true, SURE_NO },
};

static const struct {
	const char *what;
	enum dir dir;
	const char *in; size_t len;
	int want; /* -1: nowhere */
} synced[] = {
	{ "at a message", DIR_REQ, BYTES(QUERY), 0 },
	{ "at a message that goes on", DIR_RESP, BYTES("D\0\0\1\0\0\1"), 0 },
	{ "at a part of a header", DIR_RESP, BYTES("D\0\0"), 0 },
	{ "behind the rest of a text", DIR_REQ, BYTES("ECT 1\0" QUERY), 6 },
	{ "behind the rest of a row", DIR_RESP, BYTES("D\0\0\0\x05xx" ROW ROW), 7 },
	{ "at the end of an answer", DIR_RESP, BYTES("rest of a long row" READY), 18 },
	{ "nowhere in a row", DIR_RESP, BYTES("x\0\0\0\1D\0\0\0\5hello\0\0\0\1"), -1 },
	{ "behind text that begins like a message", DIR_RESP, BYTES("S        " READY), 9 },
	{ "nowhere in zeroes", DIR_REQ, BYTES("\0\0\0\0\0\0\0\0"), -1 },
	{ "nowhere", DIR_REQ, BYTES(""), -1 },
};
/* clang-format on */

static const struct proto *postgres(void)
{
	return proto_by_id(PROTO_POSTGRESQL);
}

START_TEST(sessions_are_detected)
{
	struct first f = { .from_start = detected[_i].from_start };
	enum sure got;

	f.req = cur_of(detected[_i].req, detected[_i].req_len);
	f.resp = cur_of(detected[_i].resp, detected[_i].resp_len);
	got = postgres()->detect(&f);
	ck_assert_msg(got == detected[_i].want, "%s: %d", detected[_i].what, got);
}
END_TEST

START_TEST(the_next_message_is_found_after_a_gap)
{
	const uint8_t *in = guarded(synced[_i].in, synced[_i].len), *p;
	uint64_t state[64] = { 0 };

	p = postgres()->resync(state, synced[_i].dir, cur_of(in, synced[_i].len));
	ck_assert_msg(p == (synced[_i].want < 0 ? NULL : in + synced[_i].want), "%s: at %td",
	              synced[_i].what, p ? p - in : -1);
}
END_TEST

/* A session of which a test sends both sides. */
struct session {
	uint64_t state[64];
	struct msg m;
};

static struct msg *say(struct session *s, enum dir dir, const char *bytes, size_t len)
{
	struct cur in = cur_of(bytes, len);

	s->m = MSG_INIT;
	ck_assert_int_eq(postgres()->parse(s->state, dir, &in, &s->m), PARSE_OK);
	ck_assert_uint_eq(cur_left(&in) - s->m.skip, 0);
	return &s->m;
}

#define SAY(s, dir, lit, KIND) ck_assert_int_eq(say(s, dir, BYTES(lit))->kind, KIND)

START_TEST(more_groups_than_are_remembered_stay_in_order)
{
	struct session s = { 0 };

	for (int i = 0; i < 1000; i++) {
		SAY(&s, DIR_REQ, EXECUTE, MSG_REQ);
		ck_assert_uint_eq(s.m.id, (uint64_t)i + 1);
		SAY(&s, DIR_REQ, SYNC, MSG_NONE);
	}
	for (int i = 0; i < 1000; i++) {
		bool known = i >= 1000 - 128;

		SAY(&s, DIR_RESP, DONE, known ? MSG_INTERIM : MSG_RESP);
		SAY(&s, DIR_RESP, READY, known ? MSG_RESP : MSG_BARRIER);
	}
	SAY(&s, DIR_REQ, QUERY, MSG_REQ);
	ck_assert_uint_eq(s.m.id, 1001);
	SAY(&s, DIR_RESP, DONE, MSG_INTERIM);
	SAY(&s, DIR_RESP, READY, MSG_RESP);
}
END_TEST

START_TEST(a_lost_end_of_an_answer_disturbs_no_later_one)
{
	struct session s = { 0 };

	SAY(&s, DIR_REQ, QUERY, MSG_REQ);
	SAY(&s, DIR_RESP, ROW, MSG_INTERIM);
	ck_assert_ptr_nonnull(postgres()->resync(s.state, DIR_RESP, cur_of(BYTES(READY))));
	SAY(&s, DIR_REQ, EXECUTE, MSG_REQ);
	SAY(&s, DIR_REQ, SYNC, MSG_NONE);
	SAY(&s, DIR_RESP, DONE, MSG_INTERIM);
	SAY(&s, DIR_RESP, READY, MSG_RESP);
	SAY(&s, DIR_RESP, READY, MSG_NONE);
	SAY(&s, DIR_REQ, QUERY, MSG_REQ);
	SAY(&s, DIR_RESP, FAILED, MSG_INTERIM);
	SAY(&s, DIR_RESP, READY, MSG_RESP);
}
END_TEST

START_TEST(a_sync_that_is_never_answered_is_passed_over)
{
	struct session s = { 0 };

	SAY(&s, DIR_REQ, EXECUTE, MSG_REQ);
	SAY(&s, DIR_REQ, SYNC, MSG_NONE);
	SAY(&s, DIR_REQ, SYNC, MSG_NONE);
	SAY(&s, DIR_RESP, DONE, MSG_INTERIM);
	SAY(&s, DIR_RESP, READY, MSG_RESP);
	SAY(&s, DIR_REQ, QUERY, MSG_REQ);
	SAY(&s, DIR_RESP, FAILED, MSG_INTERIM);
	SAY(&s, DIR_RESP, READY, MSG_RESP);
}
END_TEST

START_TEST(what_was_thrown_away_is_told_by_the_barrier)
{
	struct session s = { 0 };

	SAY(&s, DIR_REQ, EXECUTE, MSG_REQ);
	SAY(&s, DIR_REQ, EXECUTE, MSG_REQ);
	SAY(&s, DIR_REQ, SYNC, MSG_NONE);
	SAY(&s, DIR_REQ, EXECUTE, MSG_REQ);
	ck_assert_uint_eq(s.m.id, 2);
	SAY(&s, DIR_REQ, SYNC, MSG_NONE);
	SAY(&s, DIR_RESP, FAILED, MSG_RESP);
	SAY(&s, DIR_RESP, READY, MSG_BARRIER);
	ck_assert_uint_eq(s.m.id, 1);
	SAY(&s, DIR_RESP, DONE, MSG_INTERIM);
	SAY(&s, DIR_RESP, READY, MSG_RESP);
}
END_TEST

START_TEST(rows_are_taken_many_at_a_time)
{
	static const char rows[] = ROW ROW ROW ROW "D\0\0\0\xff\0\1";
	struct session s = { 0 };
	struct cur in = cur_of(BYTES(rows));
	struct msg m = MSG_INIT;

	ck_assert_int_eq(postgres()->parse(s.state, DIR_RESP, &in, &m), PARSE_OK);
	ck_assert_uint_eq(cur_left(&in), 0);
	ck_assert_uint_eq(m.skip, 0xff + 1 - 7);
	ck_assert_uint_eq(m.flags, MSG_F_BODY | MSG_F_RUN);
}
END_TEST

Suite *postgres_suite(void)
{
	Suite *s = suite_create("postgres");
	TCase *t = tcase_create("postgres");

	tcase_add_loop_test(t, sessions_are_detected, 0, sizeof(detected) / sizeof(*detected));
	tcase_add_loop_test(t, the_next_message_is_found_after_a_gap, 0,
	                    sizeof(synced) / sizeof(*synced));
	tcase_add_test(t, more_groups_than_are_remembered_stay_in_order);
	tcase_add_test(t, a_lost_end_of_an_answer_disturbs_no_later_one);
	tcase_add_test(t, a_sync_that_is_never_answered_is_passed_over);
	tcase_add_test(t, what_was_thrown_away_is_told_by_the_barrier);
	tcase_add_test(t, rows_are_taken_many_at_a_time);
	suite_add_tcase(s, t);
	return s;
}
