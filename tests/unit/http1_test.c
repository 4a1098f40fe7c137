// SPDX-License-Identifier: GPL-3.0-or-later
/* http1_test - what the corpus cannot say: detection, resynchronisation, hostile sizes. */
#include <check.h>
#include <stdlib.h>

#include "proto/proto.h"
#include "tests/unit/feed.h"
#include "tests/unit/guard.h"

#include "tests/unit/suites.h"

static const struct proto *http(void)
{
	return proto_by_id(PROTO_HTTP);
}

/* clang-format off */
static const struct {
	const char *req, *resp;
	bool from_start;
	enum sure want;
} firsts[] = {
	{ "GET / HTTP/1.1\r\n", "", true, SURE_YES },
	{ "\r\nGET / HTTP/1.0\n", "", true, SURE_YES },
	{ "PROPFIND /x HTTP/1.1\r\n", "", true, SURE_YES },
	{ "", "HTTP/1.1 200 OK\r\n", true, SURE_YES },
	{ "", "HTTP/1.1 200 O", true, SURE_YES },
	{ "", "HTTP/1.1 20", true, SURE_MAYBE },
	{ "GE", "", true, SURE_MAYBE },
	{ "GET /index", "", true, SURE_MAYBE },
	{ "GET /index", "HTTP/1.1 200 OK\r\n", true, SURE_YES },
	{ "", "", true, SURE_MAYBE },
	{ "GET / HTTP/2.0\r\n", "", true, SURE_NO },
	{ "PRI * HTTP/2.0\r\n", "", true, SURE_NO },
	{ "OPTIONS rtsp://h/ RTSP/1.0\r\n", "", true, SURE_NO },
	{ "GET /\r\n", "", true, SURE_NO },
	{ "PING\r\n", "+PONG\r\n", true, SURE_NO },
	{ "\x16\x03\x01", "", true, SURE_NO },
	{ " GET / HTTP/1.1\r\n", "", true, SURE_NO },
	{ "GET / HTTP/1.1\r\n", "220 smtp ready\r\n", true, SURE_NO },
	{ "middle of a body\n", "HTTP/1.1 200 OK\r\n", false, SURE_YES },
	{ "GET / HTTP/1.1\r\n", "middle of a body\n", false, SURE_YES },
	{ "middle of a body\n", "HTTP/1.1 200 OK\r\n", true, SURE_NO },
	{ "middle of a body\n", "and another\n", false, SURE_NO },
};
/* clang-format on */

START_TEST(is_as_sure_as_the_first_bytes_allow)
{
	struct first f = { .req = cur_of(firsts[_i].req, strlen(firsts[_i].req)),
		           .resp = cur_of(firsts[_i].resp, strlen(firsts[_i].resp)),
		           .from_start = firsts[_i].from_start };

	ck_assert_msg(http()->detect(&f) == firsts[_i].want, "\"%s\" / \"%s\": %d", firsts[_i].req,
	              firsts[_i].resp, http()->detect(&f));
}
END_TEST

START_TEST(knows_a_request_line_too_long_to_be_seen_whole)
{
	char line[2048] = "GET /";
	struct first f = { .resp = cur_of("", 0), .from_start = true };

	memset(line + 5, 'a', sizeof(line) - 5);
	f.req = cur_of(line, sizeof(line));
	ck_assert_int_eq(http()->detect(&f), SURE_YES);
	f.req = cur_of(line, 100);
	ck_assert_int_eq(http()->detect(&f), SURE_MAYBE);
}
END_TEST

/* clang-format off */
static const struct {
	enum dir dir;
	const char *in;
	int want; /* offset of the next start; -1: none */
} gaps[] = {
	{ DIR_REQ, "GET / HTTP/1.1\r\n\r\n", 0 },
	{ DIR_REQ, "of it\r\nGET / HTTP/1.1\r\n\r\n", 7 },
	{ DIR_REQ, "say GET / HTTP/1.1\r\n", -1 },
	{ DIR_REQ, "x\nFOO / HTTP/1.1\r\n", -1 },
	{ DIR_REQ, "x\nGET / HTTP/2.0\r\n", -1 },
	{ DIR_REQ, "x\nGET /ab", 2 },
	{ DIR_REQ, "x\nDELE", 2 },
	{ DIR_REQ, "x\nthe cat", -1 },
	{ DIR_REQ, "x\nlower", -1 },
	{ DIR_REQ, "no line end", -1 },
	{ DIR_REQ, "", -1 },
	{ DIR_RESP, "HTTP/1.1 200 OK\r\n", 0 },
	{ DIR_RESP, "tail of a body\nHTTP/1.0 404\r\n", 15 },
	{ DIR_RESP, "x\nHTTP/1.1 2", 2 },
	{ DIR_RESP, "x\nHTTP/1.1 OK\r\n", -1 },
	{ DIR_RESP, "x HTTP/1.1 200 OK\r\n", -1 },
	{ DIR_RESP, "GET / HTTP/1.1\r\n", -1 },
};
/* clang-format on */

START_TEST(finds_the_next_start_after_a_gap)
{
	_Alignas(8) char state[512] = { 0 };
	size_t len = strlen(gaps[_i].in);
	struct cur in = cur_of(guarded(gaps[_i].in, len), len);
	const uint8_t *p = http()->resync(state, gaps[_i].dir, in);

	ck_assert_msg((p ? (int)(p - in.p) : -1) == gaps[_i].want, "\"%s\": %d", gaps[_i].in,
	              p ? (int)(p - in.p) : -1);
}
END_TEST

/* One message of a direction; the bytes that were taken. */
static size_t take(void *state, enum dir dir, const char *bytes, size_t len, struct msg *m)
{
	struct cur in = cur_of(guarded(bytes, len), len);
	const uint8_t *start = in.p;

	*m = MSG_INIT;
	ck_assert_int_eq(http()->parse(state, dir, &in, m), PARSE_OK);
	return (size_t)(in.p - start);
}

START_TEST(finds_the_end_of_a_chunked_body_after_a_gap)
{
	static const char head[] = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
	static const char tail[] = "chunks\r\n0\r\n\r\nin it\r\n0\r\n\r\nHTTP/1.1 200 OK\r\n";
	_Alignas(8) char state[512] = { 0 };
	struct msg m;
	struct cur in = cur_of(tail, sizeof(tail) - 1);

	take(state, DIR_RESP, BYTES(head), &m);
	ck_assert_int_eq(m.kind, MSG_INTERIM);
	in.p = http()->resync(state, DIR_RESP, in);
	ck_assert_int_eq(in.p - (const uint8_t *)tail, 18);
	ck_assert_int_eq(http()->parse(state, DIR_RESP, &in, &m), PARSE_OK);
	ck_assert_int_eq(m.kind, MSG_NONE);
	ck_assert_int_eq(http()->parse(state, DIR_RESP, &in, &m), PARSE_OK);
	ck_assert_int_eq(m.kind, MSG_RESP);
	ck_assert(!memcmp(in.p, "HTTP/1.1", 8));
}
END_TEST

START_TEST(forgets_all_but_the_newest_request_at_a_gap)
{
	static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n";
	_Alignas(8) char state[512] = { 0 };
	struct msg m;

	take(state, DIR_REQ, BYTES("HEAD /1 HTTP/1.1\r\n\r\n"), &m);
	take(state, DIR_REQ, BYTES("GET /2 HTTP/1.1\r\n\r\n"), &m);
	ck_assert_ptr_nonnull(http()->resync(state, DIR_RESP, cur_of(BYTES(answer))));
	take(state, DIR_RESP, BYTES(answer), &m);
	ck_assert_uint_eq(m.skip, 5);
}
END_TEST

START_TEST(needs_no_memory_for_a_head_without_end)
{
	enum { BLOCK = 1 << 20 };
	char *block = calloc(1, BLOCK);
	struct feed f;

	ck_assert_ptr_nonnull(block);
	for (size_t i = 0; i < BLOCK; i += 64)
		memcpy(block + i,
		       i % 4096
		               ? "X-Header-That-Goes-On: and on and on and on and on and on and o\n"
		               : " a continuation line ,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,,\r\n",
		       64);
	feed_init(&f, http());
	feed_push(&f, DIR_REQ, BYTES("GET / HTTP/1.1\r\n"));
	for (int i = 0; i < 4; i++) {
		for (size_t off = 0; off < BLOCK; off += PROTO_HEAD)
			feed_push(&f, DIR_REQ, block + off, PROTO_HEAD);
		ck_assert_uint_le(f.side[DIR_REQ].len, PROTO_HEAD);
	}
	feed_push(&f, DIR_REQ, BYTES("Content-Length: 3\r\n\r\nabcGET /2 HTTP/1.1\r\n\r\n"));
	ck_assert_msg(!f.broken && !f.nbad && f.nopen == 2, "%s, %u bad, %zu open", f.broken,
	              f.nbad, f.nopen);
	feed_free(&f);
	free(block);
}
END_TEST

#define EVENTS "HTTP/1.0 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"

START_TEST(a_stream_of_events_ends_with_the_connection)
{
	_Alignas(8) char state[512] = { 0 };
	struct msg m;

	take(state, DIR_REQ, BYTES("GET / HTTP/1.0\r\n\r\n"), &m);
	ck_assert(!http()->finish(state, true, &m));
	take(state, DIR_RESP, BYTES(EVENTS), &m);
	take(state, DIR_RESP, BYTES("data: 1\n\n"), &m);
	ck_assert_uint_eq(m.flags, MSG_F_FIRST);
	take(state, DIR_RESP, BYTES("data: 2\n\ndata: 3"), &m);
	ck_assert(http()->finish(state, false, &m));
	ck_assert_int_eq(m.kind, MSG_INTERIM);
	ck_assert(http()->finish(state, true, &m));
	ck_assert_int_eq(m.kind, MSG_RESP);
	ck_assert_uint_eq(m.nattrs, 1);
	ck_assert_int_eq(m.attrs[0].key, ATTR_SSE_EVENTS);
	ck_assert_int_eq(m.attrs[0].num, 2);
}
END_TEST

START_TEST(counts_no_events_behind_a_gap)
{
	_Alignas(8) char state[512] = { 0 };
	struct msg m;
	struct cur in = cur_of("a: 2\n\n", 7);

	take(state, DIR_REQ, BYTES("GET / HTTP/1.0\r\n\r\n"), &m);
	take(state, DIR_RESP, BYTES(EVENTS), &m);
	ck_assert_ptr_eq(http()->resync(state, DIR_RESP, in), in.p);
	take(state, DIR_RESP, BYTES("a: 2\n\ndata: 3\n\n"), &m);
	ck_assert_uint_eq(m.flags, MSG_F_RUN);
	ck_assert(http()->finish(state, true, &m));
	ck_assert_int_eq(m.kind, MSG_RESP);
	ck_assert_uint_eq(m.nattrs, 0);
}
END_TEST

/* Whether a rule of stage 1 takes these first bytes. */
static bool ruled(const char *bytes)
{
	for (size_t i = 0; i < PROTO_RULES && http()->rules[i].len; i++) {
		const struct proto_rule *r = &http()->rules[i];

		if (!strncmp(bytes + r->off, (const char *)r->value, r->len))
			return true;
	}
	return false;
}

START_TEST(lets_the_kernel_tell_it_by_its_first_bytes)
{
	ck_assert(ruled("GET / HTTP/1.1") && ruled("HTTP/1.0 200") && ruled("OPTIONS *"));
	ck_assert(!ruled("GETS") && !ruled("HTTP/2") && !ruled("*1\r\n"));
}
END_TEST

Suite *http1_suite(void)
{
	Suite *s = suite_create("http1");
	TCase *t = tcase_create("http1");

	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, is_as_sure_as_the_first_bytes_allow, 0,
	                    sizeof(firsts) / sizeof(*firsts));
	tcase_add_test(t, knows_a_request_line_too_long_to_be_seen_whole);
	tcase_add_loop_test(t, finds_the_next_start_after_a_gap, 0, sizeof(gaps) / sizeof(*gaps));
	tcase_add_test(t, finds_the_end_of_a_chunked_body_after_a_gap);
	tcase_add_test(t, forgets_all_but_the_newest_request_at_a_gap);
	tcase_add_test(t, needs_no_memory_for_a_head_without_end);
	tcase_add_test(t, a_stream_of_events_ends_with_the_connection);
	tcase_add_test(t, counts_no_events_behind_a_gap);
	tcase_add_test(t, lets_the_kernel_tell_it_by_its_first_bytes);
	suite_add_tcase(s, t);
	return s;
}
