// SPDX-License-Identifier: GPL-3.0-or-later
/* header - which header fields --header takes, and what they become. */
#include "span/header.h"
#include "suites.h"

#include <stdlib.h>

#include "tests/unit/guard.h"

static const struct {
	const char *names, *name;
	bool want;
} asked[] = {
	{ "host", "Host", true },
	{ "HOST", "host", true },
	{ "host", "hosts", false },
	{ "host,x-*", "X-Request-Id", true },
	{ "host, accept", "Accept", true },
	{ "x-?", "x-ab", false },
	{ "*", "anything", true },
	{ "*-id", "x-b3-trace-id", true },
	{ "x-*-id-*", "x-b3-id-id-", true },
	{ "x-*-id-*", "x-b3-id", false },
	{ "", "host", false },
	{ ",", "host", false },
	{ ",host", "host", true },
	{ "**", "h", true },
};

START_TEST(names_are_taken_in_any_case_and_with_stars)
{
	struct header_names names = { &asked[_i].names, 1 };

	ck_assert_msg(header_wanted(&names, str_of(asked[_i].name)) == asked[_i].want, "%s: %s",
	              asked[_i].names, asked[_i].name);
}
END_TEST

static const struct {
	const char *what, *names, *lines, *want;
	enum proto_id proto;
	enum dir dir;
} heads[] = {
	{ "one of several", "accept", "Host: a\r\nAccept: */*\r\n\r\n",
	  "\"http.request.header.accept\":[\"*/*\"]", PROTO_UNKNOWN, DIR_REQ },
	{ "all of a name in their order", "set-cookie",
	  "Set-Cookie: a\r\nX: 1\r\nset-cookie: b\r\n",
	  "\"http.response.header.set-cookie\":[\"a\",\"b\"]", PROTO_UNKNOWN, DIR_RESP },
	{ "several names", "x-*", "X-A: 1\r\nx-b: 2\r\nx-a: 3\r\n",
	  "\"http.request.header.x-a\":[\"1\",\"3\"],\"http.request.header.x-b\":[\"2\"]",
	  PROTO_UNKNOWN, DIR_REQ },
	{ "an empty value", "x", "X:\r\n", "\"http.request.header.x\":[\"\"]", PROTO_UNKNOWN,
	  DIR_REQ },
	{ "a value in two lines", "x", "X: a\r\n  b\r\nY: c\r\n",
	  "\"http.request.header.x\":[\"a\\r\\n  b\"]", PROTO_UNKNOWN, DIR_REQ },
	{ "metadata of a call", "x-*", "x-user: 7\n", "\"rpc.request.metadata.x-user\":[\"7\"]",
	  PROTO_GRPC, DIR_REQ },
	{ "metadata of its answer", "*", "x-user: 7\n", "\"rpc.response.metadata.x-user\":[\"7\"]",
	  PROTO_GRPC, DIR_RESP },
	{ "quotes and bytes that are no text", "*", "a\"b: \"\xff\r\n",
	  "\"http.request.header.a\\\"b\":[\"\\\"\xef\xbf\xbd\"]", PROTO_UNKNOWN, DIR_REQ },
	{ "lines that are no fields", "*", "no field\r\n: x\r\n\r\n", "", PROTO_UNKNOWN, DIR_REQ },
	{ "a line without its end", "*", "x: 1\r\ny: 2",
	  "\"http.request.header.x\":[\"1\"],\"http.request.header.y\":[\"2\"]", PROTO_UNKNOWN,
	  DIR_REQ },
	{ "nothing", "*", "", "", PROTO_UNKNOWN, DIR_REQ },
};

static void req_fini(struct req *r)
{
	buf_free(&r->attrs);
	buf_free(&r->text);
}

START_TEST(fields_become_lists_by_name)
{
	struct req r = { .proto = (uint16_t)heads[_i].proto };
	struct header_names names = { &heads[_i].names, 1 };
	size_t n = strlen(heads[_i].lines);

	header_attrs(&r, &names, heads[_i].dir, (struct str){ guarded(heads[_i].lines, n), n });
	ck_assert_msg(str_is(buf_slice(&r.attrs), heads[_i].want), "%s: %.*s", heads[_i].what,
	              STR_ARG(buf_slice(&r.attrs)));
	req_fini(&r);
}
END_TEST

START_TEST(a_name_that_is_there_keeps_its_values)
{
	static const char *const all = "*";
	struct header_names names = { &all, 1 };
	struct req r = { .proto = PROTO_GRPC };

	header_attrs(&r, &names, DIR_RESP, STR("a: 1\n"));
	header_attrs(&r, &names, DIR_RESP, STR("a: 2\nb: 3\n"));
	ck_assert(str_is(buf_slice(&r.attrs), "\"rpc.response.metadata.a\":[\"1\"],"
	                                      "\"rpc.response.metadata.b\":[\"3\"]"));
	req_fini(&r);
}
END_TEST

START_TEST(what_is_too_much_is_counted)
{
	static const char *const all = "*";
	struct header_names names = { &all, 1 };
	struct buf lines = { 0 };
	struct req r = { 0 };

	for (int i = 0; i < 1000; i++)
		buf_fmt(&lines, "x%d: 1\r\n", i);
	header_attrs(&r, &names, DIR_REQ, buf_slice(&lines));
	ck_assert_uint_eq(r.headers_left_out, 1000 - 128);
	buf_free(&lines);
	req_fini(&r);
}
END_TEST

START_TEST(http1_hands_over_its_lines)
{
	static const char text[] = "GET / HTTP/1.1\r\nHost: a\r\nX: 1\r\n\r\n";
	struct cur in = cur_of(text, sizeof(text) - 1);
	void *state = calloc(1, proto_by_id(PROTO_HTTP)->state_size);
	struct msg m = MSG_INIT;

	ck_assert_int_eq(proto_by_id(PROTO_HTTP)->parse(state, DIR_REQ, &in, &m), PARSE_OK);
	ck_assert(str_is(m.lines, "Host: a\r\nX: 1\r\n"));
	free(state);
}
END_TEST

/* :method GET, :path /, "x: 1", "y: a<newline>b" */
static const uint8_t head[] = { 0, 0,   14, 1,   4, 0, 0,   0, 1,   0x82, 0x84, 0,
	                        1, 'x', 1,  '1', 0, 1, 'y', 3, 'a', '\n', 'b' };

START_TEST(http2_hands_over_lines_where_there_is_room)
{
	const struct proto *p = proto_by_id(PROTO_HTTP2);

	for (int room = 0; room < 2; room++) {
		struct cur in = cur_of(head, sizeof(head));
		void *state = calloc(1, p->state_size);
		char *text = malloc(PROTO_ROOM);
		struct msg m = MSG_INIT;

		if (room)
			p->room(state, text);
		ck_assert_int_eq(p->parse(state, DIR_REQ, &in, &m), PARSE_OK);
		ck_assert_int_eq(m.kind, MSG_REQ);
		ck_assert(str_eq(m.lines, room ? STR("x: 1\ny: a b\n") : STR("")));
		free(text);
		free(state);
	}
}
END_TEST

Suite *header_suite(void)
{
	Suite *s = suite_create("header");
	TCase *t = tcase_create("header");

	tcase_add_loop_test(t, names_are_taken_in_any_case_and_with_stars, 0,
	                    sizeof(asked) / sizeof(*asked));
	tcase_add_loop_test(t, fields_become_lists_by_name, 0, sizeof(heads) / sizeof(*heads));
	tcase_add_test(t, a_name_that_is_there_keeps_its_values);
	tcase_add_test(t, what_is_too_much_is_counted);
	tcase_add_test(t, http1_hands_over_its_lines);
	tcase_add_test(t, http2_hands_over_lines_where_there_is_room);
	suite_add_tcase(s, t);
	return s;
}
