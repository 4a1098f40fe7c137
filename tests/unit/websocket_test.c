// SPDX-License-Identifier: GPL-3.0-or-later
/* websocket_test - WebSocket beyond its corpus: detection, lost bytes, the end of the connection. */
#include <check.h>

#include "proto/proto.h"
#include "tests/unit/guard.h"
#include "tests/unit/suites.h"

static const struct proto *websocket(void)
{
	return proto_by_id(PROTO_WEBSOCKET);
}

#define BYTES(lit) (lit), sizeof(lit) - 1
#define HI         "\x81\x82\x00\x00\x00\x00hi" /* from the client, with a key of zeroes */
#define YO         "\x81\x02yo"
#define BIN        "\x82\x82\x11\x22\x33\x44\x00\xff"

/* clang-format off */
static const struct {
	const char *what; const char *req; size_t req_len; const char *resp; size_t resp_len;
	bool from_start; enum sure want;
} firsts[] = {
	{ "it never begins a connection", BYTES(HI HI HI), BYTES(YO YO), true, SURE_NO },
	{ "a question and an answer", BYTES(HI), BYTES(YO), false, SURE_MAYBE },
	{ "two questions and an answer", BYTES(HI HI), BYTES(YO), false, SURE_LIKELY },
	{ "two and two", BYTES(HI HI), BYTES(YO YO), false, SURE_YES },
	{ "binary one way", BYTES(BIN BIN BIN BIN), BYTES(""), false, SURE_YES },
	{ "binary both ways, too few", BYTES(BIN), BYTES("\x82\x01x\x82\x01y"), false, SURE_MAYBE },
	{ "only the server speaks", BYTES(""), BYTES(YO YO YO YO YO YO), false, SURE_YES },
	{ "only the server speaks, too little", BYTES(""), BYTES(YO YO YO), false, SURE_MAYBE },
	{ "a character that is cut", BYTES("\x81\x84\0\0\0\0\xe2\x82"), BYTES(YO), false, SURE_MAYBE },
	{ "text that is none", BYTES(HI HI "\x81\x82\0\0\0\0\x01\x02"), BYTES(YO), false, SURE_NO },
	{ "UTF-8 that is none", BYTES(HI HI "\x81\x86\0\0\0\0ab\xffggg"), BYTES(YO), false, SURE_NO },
	{ "not masked", BYTES(YO YO YO), BYTES(YO), false, SURE_NO },
	{ "a continuation of nothing", BYTES(HI HI), BYTES("\x80\x01x"), false, SURE_NO },
	{ "fragments", BYTES(HI "\x01\x82\0\0\0\0hi\x80\x82\0\0\0\0hi"), BYTES(YO), false, SURE_LIKELY },
	{ "nothing", BYTES(""), BYTES(""), false, SURE_MAYBE },
};
/* clang-format on */

START_TEST(is_as_sure_as_the_bytes_allow)
{
	struct first f = { .messages = 4, .from_start = firsts[_i].from_start };

	f.req = cur_of(firsts[_i].req, firsts[_i].req_len);
	f.resp = cur_of(guarded(firsts[_i].resp, firsts[_i].resp_len), firsts[_i].resp_len);
	ck_assert_msg(websocket()->detect(&f) == firsts[_i].want, "%s: %d", firsts[_i].what,
	              websocket()->detect(&f));
}
END_TEST

enum { STATE = 2048 };

static void parse_all(void *state, enum dir dir, const char *bytes, size_t len)
{
	struct cur in = cur_of(bytes, len);
	struct msg m;

	while (cur_left(&in)) {
		ck_assert_int_eq(websocket()->parse(state, dir, &in, &m), PARSE_OK);
		in.p += m.skip;
	}
}

static int64_t number(const struct msg *m, enum attr key)
{
	for (unsigned int i = 0; i < m->nattrs; i++)
		if (m->attrs[i].key == key)
			return m->attrs[i].num;
	return -1;
}

START_TEST(says_what_there_was_when_the_connection_ends)
{
	_Alignas(16) uint8_t state[STATE] = { 0 };
	struct msg m;

	ck_assert_uint_le(websocket()->state_size, sizeof(state));
	parse_all(state, DIR_REQ, BYTES(HI BIN "\x89\x80\0\0\0\0"));
	parse_all(state, DIR_RESP, BYTES(YO));
	ck_assert(websocket()->finish(state, true, &m));
	ck_assert_int_eq(m.kind, MSG_RESP);
	ck_assert(m.error && m.server_error && str_is(m.error_type, "1006"));
	ck_assert_int_eq(number(&m, ATTR_WS_CLOSE_CODE), 1006);
	ck_assert_int_eq(number(&m, ATTR_WS_REQ_FRAMES), 3);
	ck_assert_int_eq(number(&m, ATTR_WS_REQ_MESSAGES), 2);
	ck_assert_int_eq(number(&m, ATTR_WS_REQ_BYTES), 4);
	ck_assert_int_eq(number(&m, ATTR_WS_RESP_FRAMES), 1);
	ck_assert(!websocket()->finish(state, true, &m));
}
END_TEST

START_TEST(is_no_error_while_it_goes_on)
{
	_Alignas(16) uint8_t state[STATE] = { 0 };
	struct msg m;

	parse_all(state, DIR_RESP, BYTES(YO));
	ck_assert(websocket()->finish(state, false, &m));
	ck_assert(m.kind == MSG_INTERIM && !m.error);
	ck_assert_int_eq(number(&m, ATTR_WS_CLOSE_CODE), -1);
	ck_assert_int_eq(number(&m, ATTR_WS_RESP_FRAMES), 1);
}
END_TEST

START_TEST(counts_nothing_where_frames_were_lost)
{
	static const char after[] = "st of it" HI HI;
	_Alignas(16) uint8_t state[STATE] = { 0 };
	struct cur in = cur_of(guarded(BYTES(after)), sizeof(after) - 1);
	struct msg m;

	parse_all(state, DIR_REQ, BYTES(HI));
	parse_all(state, DIR_RESP, BYTES(YO));
	ck_assert_ptr_eq(websocket()->resync(state, DIR_REQ, in), in.p + 8);
	ck_assert(websocket()->finish(state, true, &m));
	ck_assert_int_eq(number(&m, ATTR_WS_REQ_FRAMES), -1);
	ck_assert_int_eq(number(&m, ATTR_WS_RESP_FRAMES), 1);
	in = cur_of(guarded(BYTES("no frame in here")), 16);
	ck_assert_ptr_null(websocket()->resync(state, DIR_RESP, in));
}
END_TEST

Suite *websocket_suite(void)
{
	Suite *s = suite_create("websocket");
	TCase *t = tcase_create("websocket");

	tcase_add_loop_test(t, is_as_sure_as_the_bytes_allow, 0, sizeof(firsts) / sizeof(*firsts));
	tcase_add_test(t, says_what_there_was_when_the_connection_ends);
	tcase_add_test(t, is_no_error_while_it_goes_on);
	tcase_add_test(t, counts_nothing_where_frames_were_lost);
	suite_add_tcase(s, t);
	return s;
}
