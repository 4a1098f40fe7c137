// SPDX-License-Identifier: GPL-3.0-or-later
/* body - what --body keeps of bodies, by framing, cut and order; conn/ and span/ together. */
#include "suites.h"

#include <sys/socket.h>

#include "base/json.h"
#include "tests/unit/rig.h"

enum { MOST = 16 };

static void rig_init(struct rig *r)
{
	struct ev_conn c = { .lport = 80, .rport = 4000, .flags = EV_C_FROM_START };

	rig_open(r, (struct pair_opts){ .body = MOST }, (struct conns_opts){ .skip = rig_skip }, c);
}

/* One call of `len` bytes, of which the front was captured. */
static void move(struct rig *r, enum ev_dir d, const void *front, size_t n, size_t len)
{
	rig_move(r, d, front, n, len, "");
}

static struct str attrs_of(struct rig *r, unsigned int i)
{
	const struct span *s = span_at(r, i);

	return s ? s->attrs : STR_NULL;
}

/* The JSON text of an attribute; "" where it is not there. */
static struct str attr(struct rig *r, unsigned int i, const char *key)
{
	struct json j = json_of(attrs_of(r, i));

	ck_assert_int_eq(json_next(&j), JSON_OBJ);
	while (json_next(&j) == JSON_KEY) {
		bool is = str_is(j.text, key);
		const char *from = j.p;

		ck_assert(json_skip(&j));
		if (is)
			return (struct str){ from, (size_t)(j.p - from) };
	}
	return STR("");
}

#define REQ       "http.request.body.content"
#define RESP      "http.response.body.content"
#define REQ_LEFT  "obi.http.request.body.left_out"
#define RESP_LEFT "obi.http.response.body.left_out"

#define ASSERT_ATTR(r, i, key, want)                                              \
	ck_assert_msg(str_is(attr((r), (i), (key)), (want)), "%s is %.*s", (key), \
	              STR_ARG(attr((r), (i), (key))))

static const struct {
	const char *what, *asked, *answer, *request, *request_left, *response, *response_left;
} talks[] = {
	{ "bodies of known length", "POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello",
	  "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nanswer", "\"hello\"", "", "\"answer\"", "" },
	{ "chunks put together",
	  "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
	  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n2\r\nyz\r\n0\r\n\r\n",
	  "\"abcde\"", "", "\"xyz\"", "" },
	{ "no more than was asked for",
	  "POST / HTTP/1.1\r\nContent-Length: 20\r\n\r\n0123456789abcdefghij",
	  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
	  "c\r\n0123456789ab\r\n8\r\ncdefghij\r\n0\r\n\r\n",
	  "\"0123456789abcdef\"", "4", "\"0123456789abcdef\"", "4" },
	{ "no bodies", "GET / HTTP/1.1\r\n\r\n", "HTTP/1.1 204 No Content\r\n\r\n", "", "", "",
	  "" },
	{ "bytes that are no text", "POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\n\x1f\x8b\x01",
	  "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\na\x1b[", "\"\\\\x1f\\\\x8b\\\\x01\"", "",
	  "\"a\\\\x1b[\"", "" },
	{ "a character that was cut",
	  "POST / HTTP/1.1\r\nContent-Length: 17\r\n\r\n0123456789abcde\xc3\xa4",
	  "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n\xc3\xa4", "\"0123456789abcde\"", "1",
	  "\"\xc3\xa4\"", "" },
	{ "a body that waits for its continue",
	  "POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\nhello",
	  "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
	  "\"hello\"", "", "\"ok\"", "" },
};

/* step: bytes a call; 0: each side in one. */
static void check_talk(int i, size_t step)
{
	const char *said[2] = { talks[i].asked, talks[i].answer };
	struct rig r;

	rig_init(&r);
	for (int side = 0; side < 2; side++)
		for (size_t at = 0, n = strlen(said[side]); at < n; at += step ? step : n) {
			size_t most = step && step < n - at ? step : n - at;

			move(&r, side ? EV_SEND : EV_RECV, said[side] + at, most, most);
		}
	ASSERT_ATTR(&r, 0, REQ, talks[i].request);
	ASSERT_ATTR(&r, 0, REQ_LEFT, talks[i].request_left);
	ASSERT_ATTR(&r, 0, RESP, talks[i].response);
	ASSERT_ATTR(&r, 0, RESP_LEFT, talks[i].response_left);
	rig_fini(&r);
}

START_TEST(bodies_are_kept_however_they_are_framed_and_split)
{
	check_talk(_i, 0);
	check_talk(_i, 1);
	check_talk(_i, 7);
}
END_TEST

START_TEST(pipelined_requests_keep_their_own)
{
	struct rig r;

	rig_init(&r);
	rig_say(&r, EV_RECV,
	        "POST /a HTTP/1.1\r\nContent-Length: 1\r\n\r\nA"
	        "POST /b HTTP/1.1\r\nContent-Length: 1\r\n\r\nB");
	rig_say(&r, EV_SEND,
	        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\naa"
	        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nbb");
	ASSERT_ATTR(&r, 0, REQ, "\"A\"");
	ASSERT_ATTR(&r, 0, RESP, "\"aa\"");
	ASSERT_ATTR(&r, 1, REQ, "\"B\"");
	ASSERT_ATTR(&r, 1, RESP, "\"bb\"");
	rig_fini(&r);
}
END_TEST

START_TEST(a_body_ends_where_bytes_are_missing)
{
	static const char head[] = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc";
	struct rig r;

	rig_init(&r);
	rig_say(&r, EV_RECV, "GET / HTTP/1.1\r\n\r\n");
	move(&r, EV_SEND, head, sizeof(head) - 1, sizeof(head) - 1 + 3);
	rig_say(&r, EV_SEND, "ghij");
	ASSERT_ATTR(&r, 0, RESP, "\"abc\"");
	ASSERT_ATTR(&r, 0, RESP_LEFT, "7");
	rig_fini(&r);
}
END_TEST

START_TEST(a_body_that_no_probe_saw_is_counted)
{
	struct rig r;

	rig_init(&r);
	rig_say(&r, EV_RECV, "GET / HTTP/1.1\r\n\r\n");
	rig_say(&r, EV_SEND, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n");
	r.off[EV_SEND] += 10; /* splice */
	rig_say(&r, EV_RECV, "GET / HTTP/1.1\r\n\r\n");
	rig_say(&r, EV_SEND, "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx");
	ASSERT_ATTR(&r, 0, RESP, "");
	ASSERT_ATTR(&r, 0, RESP_LEFT, "10");
	ASSERT_ATTR(&r, 1, RESP, "\"x\"");
	rig_fini(&r);
}
END_TEST

START_TEST(the_kernel_copies_no_more_than_is_kept)
{
	struct rig r;

	rig_init(&r);
	rig_say(&r, EV_RECV, "GET / HTTP/1.1\r\n\r\n");
	rig_say(&r, EV_SEND, "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n");
	ck_assert_uint_eq(r.skipped, 0);
	rig_say(&r, EV_SEND, "0123456789abcdef0");
	ck_assert_uint_eq(r.skipped, r.off[EV_SEND] - 17 + 100000);
	rig_fini(&r);
}
END_TEST

/* GET / on stream 1 and 3; the answers' DATA in turns. */
START_TEST(streams_of_http2_keep_their_own)
{
	static const char asked[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
				    "\0\0\0\4\0\0\0\0\0"
				    "\0\0\3\1\4\0\0\0\1\x83\x86\x84"
				    "\0\0\3\1\5\0\0\0\3\x82\x86\x84"
				    "\0\0\2\0\1\0\0\0\1up";
	static const char answer[] = "\0\0\0\4\0\0\0\0\0"
				     "\0\0\1\1\4\0\0\0\1\x88"
				     "\0\0\1\1\4\0\0\0\3\x88"
				     "\0\0\2\0\0\0\0\0\1ab"
				     "\0\0\2\0\0\0\0\0\3AB"
				     "\0\0\4\0\11\0\0\0\1\2c\0\0"
				     "\0\0\1\0\1\0\0\0\3C";
	struct rig r;

	rig_init(&r);
	move(&r, EV_RECV, asked, sizeof(asked) - 1, sizeof(asked) - 1);
	move(&r, EV_SEND, answer, sizeof(answer) - 1, sizeof(answer) - 1);
	ASSERT_ATTR(&r, 0, REQ, "\"up\"");
	ASSERT_ATTR(&r, 0, RESP, "\"abc\"");
	ASSERT_ATTR(&r, 1, REQ, "");
	ASSERT_ATTR(&r, 1, RESP, "\"ABC\"");
	rig_fini(&r);
}
END_TEST

Suite *body_suite(void)
{
	Suite *s = suite_create("body");
	TCase *t = tcase_create("body");

	tcase_add_loop_test(t, bodies_are_kept_however_they_are_framed_and_split, 0,
	                    sizeof(talks) / sizeof(*talks));
	tcase_add_test(t, pipelined_requests_keep_their_own);
	tcase_add_test(t, a_body_ends_where_bytes_are_missing);
	tcase_add_test(t, a_body_that_no_probe_saw_is_counted);
	tcase_add_test(t, the_kernel_copies_no_more_than_is_kept);
	tcase_add_test(t, streams_of_http2_keep_their_own);
	suite_add_tcase(s, t);
	return s;
}
