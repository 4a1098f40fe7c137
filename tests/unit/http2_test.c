// SPDX-License-Identifier: GPL-3.0-or-later
/* http2_test - what conversations do not show: detection, lost bytes, answers that come first. */
#include "suites.h"

#include "proto/grpc.h"
#include "proto/http2.h"
#include "tests/unit/feed.h"
#include "tests/unit/guard.h"

#define PREFACE  "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
#define SETTINGS "\0\0\6\4\0\0\0\0\0\0\3\0\0\0\x64"
#define ACK      "\0\0\0\4\1\0\0\0\0"
#define WINDOW   "\0\0\4\x08\0\0\0\0\0\0\0\1\0"
#define GET_1    "\0\0\3\1\5\0\0\0\1\x82\x86\x84"
#define GET_3    "\0\0\3\1\5\0\0\0\3\x82\x86\x84"
#define POST_3   "\0\0\3\1\4\0\0\0\3\x83\x86\x84"
#define OK_1     "\0\0\1\1\5\0\0\0\1\x88"
#define OK_3     "\0\0\1\1\4\0\0\0\3\x88"
#define DATA_3   "\0\0\5\0\1\0\0\0\3hello"

/* clang-format off */
static const struct {
	const char *what;
	const char *req; size_t req_len;
	const char *resp; size_t resp_len;
	bool from_start;
	enum sure want;
} detected[] = {
	{ "nothing", BYTES(""), BYTES(""), true, SURE_MAYBE },
	{ "a preface", BYTES(PREFACE), BYTES(""), true, SURE_YES },
	{ "the first half of a preface", BYTES("PRI * HTTP/2"), BYTES(""), true, SURE_MAYBE },
	{ "the first letter of a preface", BYTES("P"), BYTES(""), true, SURE_MAYBE },
	{ "another method", BYTES("PRY * HTTP/2.0"), BYTES(""), true, SURE_NO },
	{ "a preface and settings", BYTES(PREFACE SETTINGS), BYTES(SETTINGS), true, SURE_YES },
	{ "a preface that HTTP/1 answers", BYTES(PREFACE SETTINGS), BYTES("HTTP/1.1 400 Bad"), true, SURE_NO },
	{ "settings of the server alone", BYTES(""), BYTES(SETTINGS), true, SURE_MAYBE },
	{ "settings of both sides", BYTES(SETTINGS), BYTES(SETTINGS), true, SURE_NO },
	{ "a part of a frame", BYTES(""), BYTES("\0\0\6"), true, SURE_MAYBE },
	{ "frames without a preface", BYTES(GET_1 GET_3), BYTES(OK_1 OK_3), true, SURE_NO },
	{ "requests and answers in the middle", BYTES(GET_1 GET_3), BYTES(OK_1 OK_3), false, SURE_YES },
	{ "a request and its answer in the middle", BYTES(GET_3), BYTES(OK_3 DATA_3), false, SURE_YES },
	{ "one frame each", BYTES(GET_3), BYTES(OK_3), false, SURE_MAYBE },
	{ "a request, and other frames", BYTES(GET_3 WINDOW), BYTES(DATA_3 ACK), false, SURE_LIKELY },
	{ "no request", BYTES(WINDOW WINDOW), BYTES(DATA_3 DATA_3), false, SURE_LIKELY },
	{ "too few of them", BYTES(WINDOW), BYTES(DATA_3 DATA_3), false, SURE_MAYBE },
	{ "no head on either side", BYTES(DATA_3 DATA_3), BYTES(DATA_3 DATA_3), false, SURE_MAYBE },
	{ "one side", BYTES(GET_1 GET_3 WINDOW), BYTES(""), false, SURE_MAYBE },
	{ "one side that says much", BYTES(GET_1 GET_3 WINDOW WINDOW), BYTES(""), false, SURE_YES },
	{ "a head that only names fields of the table", BYTES("\0\0\3\1\5\0\0\0\1\xbe\xbf\x86" WINDOW), BYTES("\0\0\2\1\5\0\0\0\1\xbe\x88" ACK), false, SURE_YES },
	{ "an answer cut in the middle", BYTES(GET_1 GET_3), BYTES(OK_1 "\0\0\5\0\1\0\0\0\3he"), false, SURE_YES },
	{ "exchanged roles: requests on even streams", BYTES("\0\0\3\1\5\0\0\0\2\x82\x86\x84" WINDOW), BYTES(OK_1 OK_3), false, SURE_MAYBE },
	{ "a block that is malformed", BYTES("\0\0\3\1\5\0\0\0\1\x82\x86\x80"), BYTES(OK_1 OK_3), false, SURE_NO },
	{ "a block whose Huffman code is", BYTES("\0\0\6\1\5\0\0\0\1\x82\x04\x83\xff\xff\xff"), BYTES(OK_1 OK_3), false, SURE_NO },
	{ "an empty block", BYTES("\0\0\0\1\5\0\0\0\1"), BYTES(OK_1 OK_3), false, SURE_NO },
	{ "padding that is longer than its frame", BYTES("\0\0\3\1\x0d\0\0\0\1\x09\x86\x84"), BYTES(OK_1 OK_3), false, SURE_NO },
	{ "a length beyond all measure", BYTES(GET_1 "\x50\0\0\0\1\0\0\0\3"), BYTES(OK_1 OK_3), false, SURE_NO },
	{ "exchanged roles", BYTES(OK_1 OK_3), BYTES(GET_1 GET_3), false, SURE_NO },
	{ "the middle of a body, then frames", BYTES(GET_1 GET_3), BYTES("hello" OK_1 OK_3), false, SURE_YES },
	{ "the middle of both", BYTES("hello" GET_1 GET_3), BYTES("hello" OK_1 OK_3), false, SURE_NO },
	{ "the middle of a body, and nothing else", BYTES(GET_1 GET_3), BYTES("hello, hello"), false, SURE_NO },
	{ "a stream that only goes on", BYTES(WINDOW WINDOW), BYTES("hello" DATA_3 DATA_3), false, SURE_LIKELY },
	{ "bytes of no frame against one", BYTES("hello, hello"), BYTES(DATA_3 DATA_3), false, SURE_NO },
	{ "a message of MySQL", BYTES("\x0e\0\0\0\3select 1 + 1 "), BYTES("\1\0\0\1\1"), false, SURE_NO },
	{ "zeroes", BYTES("\0\0\0\0\0\0\0\0\0\0\0\0"), BYTES("\0\0\0\0\0\0\0\0\0\0\0\0"), false, SURE_NO },
};

/* Where frames begin, -1: nowhere. */
static const struct {
	const char *what;
	enum dir dir;
	const char *in; size_t len;
	int at;
} synced[] = {
	{ "nothing", DIR_REQ, BYTES(""), -1 },
	{ "a preface", DIR_REQ, BYTES(PREFACE SETTINGS), 0 },
	{ "a frame at the start", DIR_REQ, BYTES(GET_1), 0 },
	{ "the start of a frame at the start", DIR_RESP, BYTES("\0\0\5\0\1\0\0\0\3he"), 0 },
	{ "a frame inside", DIR_REQ, BYTES("hello" GET_1), 5 },
	{ "a frame of a fixed length inside", DIR_RESP, BYTES("hello" WINDOW), 5 },
	{ "two frames inside", DIR_RESP, BYTES("hello" DATA_3 DATA_3), 5 },
	{ "one frame inside that many could be", DIR_RESP, BYTES("hello" DATA_3), -1 },
	{ "text", DIR_RESP, BYTES("no frames at all, only text"), -1 },
	{ "a request that a server would send", DIR_REQ, BYTES("\0\0\3\1\5\0\0\0\2\x82\x86\x84"), -1 },
	{ "part of a header", DIR_REQ, BYTES("\0\0\3\1\5"), -1 },
};
/* clang-format on */

START_TEST(tells_its_own_from_others)
{
	struct first f = { .messages = 4,
		           .from_start = detected[_i].from_start,
		           .roles_known = true };
	char req[256];

	memcpy(req, detected[_i].req, detected[_i].req_len);
	f.req = cur_of(req, detected[_i].req_len);
	f.resp = cur_of(guarded(detected[_i].resp, detected[_i].resp_len), detected[_i].resp_len);
	ck_assert_msg(http2_detect(&f) == detected[_i].want, "%s: %d", detected[_i].what,
	              http2_detect(&f));
}
END_TEST

START_TEST(wants_a_head_where_nobody_knows_who_asks)
{
	struct first f = { .messages = 4 };

	f.req = cur_of(BYTES(WINDOW WINDOW));
	f.resp = cur_of(BYTES(DATA_3 DATA_3));
	ck_assert_int_eq(http2_detect(&f), SURE_MAYBE);
	f.resp = cur_of(BYTES(OK_3 DATA_3));
	ck_assert_int_eq(http2_detect(&f), SURE_LIKELY);
	f.req = f.resp;
	f.resp = cur_of(BYTES(WINDOW WINDOW));
	ck_assert_int_eq(http2_detect(&f), SURE_NO);
}
END_TEST

START_TEST(finds_frames_after_a_gap)
{
	const uint8_t *p = guarded(synced[_i].in, synced[_i].len);
	const uint8_t *at = http2_sync(synced[_i].dir, cur_of(p, synced[_i].len));

	ck_assert_msg((at ? at - p : -1) == synced[_i].at, "%s: %d", synced[_i].what,
	              at ? (int)(at - p) : -1);
}
END_TEST

START_TEST(names_the_request_that_an_answer_waits_for)
{
	struct http2 h = { .last = 1 };
	const struct proto *p = proto_by_id(PROTO_HTTP2);

	ck_assert_int_eq(p->answers(&h, cur_of(OK_1, sizeof(OK_1) - 1)), 0);
	ck_assert_int_eq(p->answers(&h, cur_of(OK_3, sizeof(OK_3) - 1)), 3);
	ck_assert_int_eq(p->answers(&h, cur_of(OK_3, 8)), 0);
	ck_assert_int_eq(p->answers(&h, cur_of(ACK, sizeof(ACK) - 1)), 0);
	ck_assert_int_eq(p->answers(&h, cur_of("\0\0\4\3\0\0\0\0\5\0\0\0\1", 13)), 5);
	ck_assert_int_eq(p->answers(&h, cur_of("\0\0\4\x08\0\0\0\0\5\0\0\0\1", 13)), 0);
	ck_assert_int_eq(p->answers(&h, cur_of("\0\0\1\1\5\0\0\0\6\x88", 10)), 0);
	h.side[DIR_RESP].part.mode = HTTP2_IN_DATA;
	ck_assert_int_eq(p->answers(&h, cur_of(OK_3, sizeof(OK_3) - 1)), 0);
}
END_TEST

START_TEST(forgets_the_table_of_a_direction_with_a_gap)
{
	static const char named[] = "\0\0\x0a\1\5\0\0\0\1\x82\x86\x44\2/a\x41\2h1";
	static const char again[] = "\0\0\4\1\5\0\0\0\3\x82\x86\xbf\xbe";
	static const char later[] = "\0\0\4\1\5\0\0\0\5\x82\x86\xbf\xbe";
	struct feed f;

	feed_init(&f, proto_by_id(PROTO_HTTP2));
	f.resyncs = true;
	feed_push(&f, DIR_REQ, named, sizeof(named) - 1);
	feed_push(&f, DIR_REQ, again, sizeof(again) - 1);
	feed_lose(&f, DIR_REQ, 40);
	feed_push(&f, DIR_REQ, later, sizeof(later) - 1);
	buf_ch(&f.out, 0);
	ck_assert_ptr_null(f.broken);
	ck_assert_ptr_nonnull(strstr(f.out.p, "target=\"/a\" id=1"));
	ck_assert_ptr_nonnull(strstr(f.out.p, "target=\"/a\" id=3"));
	ck_assert_ptr_nonnull(
		strstr(f.out.p, "op=\"GET\" id=5 http.request.method=\"GET\" network"));
	feed_free(&f);
}
END_TEST

START_TEST(knows_the_statuses_of_grpc)
{
	struct msg m = MSG_INIT;

	for (uint32_t i = 0; i < GRPC_CODES; i++) {
		char text[8];

		snprintf(text, sizeof(text), "%u", i);
		m = MSG_INIT;
		grpc_fill_status(i, &m);
		ck_assert(str_is(m.status, text) && m.code == (int32_t)i && m.error == (i != 0));
		ck_assert(str_eq(m.attrs[0].text, str_of(grpc_status_name(i))));
	}
	ck_assert_ptr_null(grpc_status_name(GRPC_CODES));
	m = MSG_INIT;
	grpc_fill_status(GRPC_CODES, &m);
	ck_assert(!m.status.s && !m.nattrs);
	ck_assert_str_eq(grpc_status_name(16), "UNAUTHENTICATED");
}
END_TEST

START_TEST(keeps_its_state_within_bounds)
{
	ck_assert_uint_le(proto_by_id(PROTO_HTTP2)->state_size, 24 * 1024);
}
END_TEST

Suite *http2_suite(void)
{
	Suite *s = suite_create("http2");
	TCase *t = tcase_create("http2");

	tcase_add_loop_test(t, tells_its_own_from_others, 0, sizeof(detected) / sizeof(*detected));
	tcase_add_test(t, wants_a_head_where_nobody_knows_who_asks);
	tcase_add_loop_test(t, finds_frames_after_a_gap, 0, sizeof(synced) / sizeof(*synced));
	tcase_add_test(t, names_the_request_that_an_answer_waits_for);
	tcase_add_test(t, forgets_the_table_of_a_direction_with_a_gap);
	tcase_add_test(t, knows_the_statuses_of_grpc);
	tcase_add_test(t, keeps_its_state_within_bounds);
	suite_add_tcase(s, t);
	return s;
}
