// SPDX-License-Identifier: GPL-3.0-or-later
/* conn/ and span/ together: records of one connection in, rows out. */
#include "suites.h"
#include <linux/types.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "tests/unit/rig.h"

static void rig_init(struct rig *r, uint8_t flags)
{
	struct ev_conn c = { .lport = 80, .rport = 4000, .flags = flags, .off = { 1000, 5000 } };

	rig_open(r, (struct pair_opts){ 0 }, (struct conns_opts){ .pending_max = 2 << 20 }, c);
}

static void move(struct rig *r, enum ev_dir d, const char *head, size_t len, const char *tail)
{
	rig_move(r, d, head, strlen(head), len, tail);
}

static void move_bytes(struct rig *r, enum ev_dir d, const char *bytes, size_t n)
{
	rig_move(r, d, bytes, n, n, "");
}

START_TEST(a_server_answers_two_requests)
{
	struct rig r;

	rig_init(&r, EV_C_FROM_START);
	rig_say(&r, EV_RECV, "GET /a HTTP/1.1\r\nHost: x\r\n\r\n");
	rig_say(&r, EV_SEND, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi");
	rig_say(&r, EV_RECV, "GET /b HTTP/1.1\r\nHost: x\r\n\r\n");
	r.now += 5 * MS;
	rig_say(&r, EV_SEND, "HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n");
	ASSERT_STR(span_at(&r, 0)->target, "/a");
	ASSERT_STR(span_at(&r, 0)->status, "200");
	ASSERT_STR(span_at(&r, 0)->kind, "server");
	ck_assert_int_eq(span_at(&r, 0)->dur_ns, MS);
	ck_assert_int_eq(span_at(&r, 0)->error, 0);
	ck_assert_int_eq(span_at(&r, 1)->dur_ns, 6 * MS);
	ck_assert_int_eq(span_at(&r, 1)->error, 1);
	ck_assert_int_eq(span_at(&r, 1)->code, 500);
	ck_assert_ptr_null(span_at(&r, 2));
	rig_fini(&r);
}
END_TEST

static void ends(struct rig *r)
{
	struct ev_close c = { .conn = 5 };

	r->now += MS;
	c.h = (struct ev_head){
		.ts_ns = r->now, .pid = 7, .tid = 8, .kind = EV_CLOSE, .size = sizeof(c)
	};
	c.off[0] = r->off[0];
	c.off[1] = r->off[1];
	conns_record(r->conns, &c.h, sizeof(c));
}

START_TEST(a_stream_of_events_says_when_the_first_one_was_there)
{
	struct rig r;

	rig_init(&r, EV_C_FROM_START);
	rig_say(&r, EV_RECV, "GET /events HTTP/1.1\r\n\r\n");
	rig_say(&r, EV_SEND, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n");
	rig_say(&r, EV_SEND, "data: 1\n");
	rig_say(&r, EV_SEND, "\ndata: 2\n\n");
	rig_say(&r, EV_SEND, "data: 3\n\n");
	ck_assert_ptr_null(span_at(&r, 0));
	ends(&r);
	ck_assert_int_eq(span_at(&r, 0)->ttfb_ns, MS);
	ck_assert_int_eq(span_at(&r, 0)->dur_ns, 5 * MS);
	ck_assert_ptr_nonnull(strstr(span_at(&r, 0)->attrs.s, "\"obi.sse.events\":3"));
	ck_assert_ptr_nonnull(
		strstr(span_at(&r, 0)->attrs.s, "\"obi.sse.time_to_first_event\":3000"));
	rig_fini(&r);
}
END_TEST

START_TEST(a_stream_of_events_may_be_left_by_its_client)
{
	static const char head[] = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
				   "Transfer-Encoding: chunked\r\n\r\n";
	static const struct {
		const char *chunk;
		bool answered;
	} cases[] = {
		{ "9\r\ndata: 1\n\n\r\n", true },
		{ "9\r\ndata: 1\n\n", true },
		{ "9\r\ndata: 1\n\n\r\n0\r", true },
		{ "9\r\ndata: 1\n\n\r\n8\r\ndata: 2\n", false },
		{ "8\r\ndata: 1\n\r\n", false },
		{ "", false },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct rig r;

		rig_init(&r, EV_C_FROM_START);
		rig_say(&r, EV_RECV, "GET /events HTTP/1.1\r\n\r\n");
		rig_say(&r, EV_SEND, head);
		if (*cases[i].chunk)
			rig_say(&r, EV_SEND, cases[i].chunk);
		ends(&r);
		ck_assert_msg((span_at(&r, 0)->dur_ns != COL_NULL) == cases[i].answered, "case %zu",
		              i);
		rig_fini(&r);
	}
}
END_TEST

START_TEST(what_is_spoken_over_http_gives_the_span_its_name)
{
	struct rig r;

	rig_init(&r, EV_C_FROM_START);
	rig_say(&r, EV_RECV,
	        "POST /mcp HTTP/1.1\r\nContent-Type: application/json\r\n"
	        "Mcp-Session-Id: s\r\nContent-Length: 71\r\n\r\n");
	rig_say(&r, EV_RECV,
	        "{\"method\":\"tools/call\",\"params\":{\"name\":\"echo\"},\"jsonrpc\":\"2.0\",\"id\":5}");
	rig_say(&r, EV_SEND,
	        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 36\r\n\r\n");
	rig_say(&r, EV_SEND, "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":7}}");
	ASSERT_STR(span_at(&r, 0)->proto, "http");
	ASSERT_STR(span_at(&r, 0)->level, "mcp");
	ASSERT_STR(span_at(&r, 0)->op, "tools/call");
	ASSERT_STR(span_at(&r, 0)->name, "tools/call echo");
	ASSERT_STR(span_at(&r, 0)->target, "/mcp");
	ASSERT_STR(span_at(&r, 0)->error_type, "7");
	ck_assert_int_eq(span_at(&r, 0)->error, 1);
	ck_assert_int_eq(span_at(&r, 0)->ttfb_ns, 2 * MS);
	ck_assert_int_eq(span_at(&r, 0)->dur_ns, 3 * MS);
	rig_fini(&r);
}
END_TEST

START_TEST(a_call_of_aws_is_called_by_service_and_operation)
{
	struct rig r;

	rig_init(&r, EV_C_FROM_START);
	rig_say(&r, EV_RECV,
	        "POST / HTTP/1.1\r\nX-Amz-Target: AmazonSQS.SendMessage\r\n"
	        "Authorization: AWS4-HMAC-SHA256 Credential=K/20250830/eu-west-1/sqs/aws4_request\r\n"
	        "Content-Type: application/x-amz-json-1.0\r\nContent-Length: 33\r\n\r\n");
	rig_say(&r, EV_RECV, "{\"QueueUrl\": \"http://a/1/orders\"}");
	rig_say(&r, EV_SEND, "HTTP/1.1 500 Oh\r\nContent-Type: application/x-amz-json-1.0\r\n");
	rig_say(&r, EV_SEND, "Content-Length: 17\r\n\r\n{\"__type\":\"a#Up\"}");
	ASSERT_STR(span_at(&r, 0)->level, "aws");
	ASSERT_STR(span_at(&r, 0)->op, "SendMessage");
	ASSERT_STR(span_at(&r, 0)->name, "SQS.SendMessage");
	ASSERT_STR(span_at(&r, 0)->topic, "orders");
	ASSERT_STR(span_at(&r, 0)->error_type, "Up");
	ck_assert_ptr_nonnull(
		strstr(span_at(&r, 0)->attrs.s, "\"rpc.method\":\"SQS/SendMessage\""));
	rig_fini(&r);
}
END_TEST

START_TEST(a_statement_over_http_is_named_like_any_other)
{
	static const struct {
		const char *request, *level, *op, *name, *query;
	} cases[] = {
		{ "GET /?query=SELECT+a%2Cb%20FROM%20orders%20WHERE%20id%3d7 HTTP/1.1\r\n\r\n",
		  "clickhouse", "SELECT", "SELECT orders", "SELECT a,b FROM orders WHERE id=?" },
		{ "POST /query/service HTTP/1.1\r\nContent-Type: application/json\r\n"
		  "Content-Length: 47\r\n\r\n{\"statement\":\"DELETE FROM `t` WHERE n = \\\"x\\\"\"}",
		  "couchbase", "DELETE", "DELETE `t`", "DELETE FROM `t` WHERE n = ?" },
		{ "POST /query/service HTTP/1.1\r\nContent-Type: application/json\r\n"
		  "Content-Length: 16\r\n\r\n{\"prepared\":\"p\"}",
		  "couchbase", "EXECUTE", "EXECUTE", NULL },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct rig r;

		rig_init(&r, EV_C_FROM_START);
		rig_say(&r, EV_RECV, cases[i].request);
		rig_say(&r, EV_SEND, "HTTP/1.1 204 No Content\r\n\r\n");
		ASSERT_STR(span_at(&r, 0)->level, cases[i].level);
		ASSERT_STR(span_at(&r, 0)->op, cases[i].op);
		ASSERT_STR(span_at(&r, 0)->name, cases[i].name);
		if (cases[i].query)
			ASSERT_STR(span_at(&r, 0)->query, cases[i].query);
		else
			ck_assert_ptr_null(span_at(&r, 0)->query.s);
		rig_fini(&r);
	}
}
END_TEST

START_TEST(a_body_that_nobody_sees_takes_no_request_along)
{
	struct rig r;

	rig_init(&r, EV_C_FROM_START);
	rig_say(&r, EV_RECV,
	        "POST /rpc HTTP/1.1\r\nContent-Type: application/json\r\n"
	        "Content-Length: 500\r\n\r\n");
	move(&r, EV_RECV, "", 500, "");
	rig_say(&r, EV_SEND, "HTTP/1.1 204 No Content\r\n\r\n");
	ASSERT_STR(span_at(&r, 0)->op, "POST");
	ck_assert_int_eq(span_at(&r, 0)->code, 204);
	ck_assert_int_eq(span_at(&r, 0)->flags & SPAN_F_GAP, 0);
	rig_fini(&r);
}
END_TEST

START_TEST(a_start_of_which_only_the_end_was_seen_says_so)
{
	struct rig r;

	rig_init(&r, EV_C_FROM_START | EV_C_CONNECTED);
	rig_say(&r, EV_SEND, "GET /a HTTP/1.1\r\n\r\n");
	rig_say(&r, EV_RECV, "HTTP/1.1 204 No\r\n\r\n");
	ck_assert_int_ne(span_at(&r, 0)->flags & SPAN_F_BLOCKED, 0);
	ck_assert_int_eq(span_at(&r, 0)->dur_ns, MS);
	r.began = r.now + MS / 4;
	rig_say(&r, EV_SEND, "GET /a HTTP/1.1\r\n\r\n");
	r.began = 0;
	rig_say(&r, EV_RECV, "HTTP/1.1 204 No\r\n\r\n");
	ck_assert_int_eq(span_at(&r, 1)->flags & SPAN_F_BLOCKED, 0);
	ck_assert_int_eq(span_at(&r, 1)->dur_ns, MS + 3 * MS / 4);
	rig_fini(&r);
	/* A server's request begins when the read that brought it ends. */
	rig_init(&r, EV_C_FROM_START);
	rig_say(&r, EV_RECV, "GET /a HTTP/1.1\r\n\r\n");
	rig_say(&r, EV_SEND, "HTTP/1.1 204 No\r\n\r\n");
	ck_assert_int_eq(span_at(&r, 0)->flags & SPAN_F_BLOCKED, 0);
	rig_fini(&r);
}
END_TEST

/* A server may answer before it has read the last message of a request. */
START_TEST(a_request_begins_with_the_message_that_leads_it)
{
	static const char login[] = "\0\0\0\x11\0\3\0\0user\0me\0";
	struct rig r;

	rig_init(&r, EV_C_FROM_START);
	move_bytes(&r, EV_RECV, login, sizeof(login));
	move_bytes(&r, EV_SEND, "R\0\0\0\x08\0\0\0\0Z\0\0\0\5I", 15);
	move_bytes(&r, EV_RECV, "P\0\0\0\x10\0SELECT 1\0\0\0", 17);
	move_bytes(&r, EV_RECV, "B\0\0\0\x0c\0\0\0\0\0\0\0\0", 13);
	r.now += 3 * MS;
	move_bytes(&r, EV_SEND,
	           "1\0\0\0\4E\0\0\0\x0c"
	           "C22012\0\0",
	           18);
	move_bytes(&r, EV_RECV, "E\0\0\0\x09\0\0\0\0\0S\0\0\0\4", 15);
	move_bytes(&r, EV_SEND, "Z\0\0\0\5I", 6);
	ASSERT_STR(span_at(&r, 0)->op, "CONNECT");
	ASSERT_STR(span_at(&r, 1)->op, "PREPARE");
	ASSERT_STR(span_at(&r, 2)->op, "SELECT");
	ASSERT_STR(span_at(&r, 2)->status, "22012");
	ck_assert_int_eq(span_at(&r, 2)->ttfb_ns, 4 * MS);
	ck_assert_int_eq(span_at(&r, 2)->dur_ns, 6 * MS);
	ck_assert_int_eq(span_at(&r, 2)->flags & SPAN_F_CLAMPED, 0);
	ck_assert_int_eq(span_at(&r, 2)->req_bytes, 13 + 10 + 5);
	rig_fini(&r);
}
END_TEST

START_TEST(an_answer_that_overtook_its_request_waits_for_it)
{
	struct rig r;

	rig_init(&r, EV_C_FROM_START | EV_C_CONNECTED);
	rig_say(&r, EV_SEND, "GET /a HTTP/1.1\r\n\r\n");
	rig_say(&r, EV_RECV, "HTTP/1.1 204 No\r\n\r\n");
	rig_say(&r, EV_RECV, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
	ck_assert_ptr_null(span_at(&r, 1));
	rig_say(&r, EV_SEND, "HEAD /b HTTP/1.1\r\n\r\n");
	ASSERT_STR(span_at(&r, 1)->target, "/b");
	ASSERT_STR(span_at(&r, 1)->status, "404");
	ck_assert_uint_ne(span_at(&r, 1)->flags & SPAN_F_CLAMPED, 0);
	ck_assert_int_eq(span_at(&r, 1)->dur_ns, 0);
	rig_fini(&r);
}
END_TEST

START_TEST(a_body_that_is_not_copied_still_ends_its_request)
{
	struct rig r;

	rig_init(&r, EV_C_FROM_START);
	rig_say(&r, EV_RECV, "GET /big HTTP/1.1\r\n\r\n");
	move(&r, EV_SEND, "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\nxx", 60000, "yy");
	ck_assert_ptr_null(span_at(&r, 0));
	move(&r, EV_SEND, "zz", 40043, "");
	ASSERT_STR(span_at(&r, 0)->status, "200");
	ck_assert_int_eq(span_at(&r, 0)->dur_ns, 2 * MS);
	ck_assert_int_eq(span_at(&r, 0)->ttfb_ns, MS);
	ck_assert_int_eq(span_at(&r, 0)->resp_bytes, 100043);
	rig_fini(&r);
}
END_TEST

START_TEST(lost_bytes_break_what_was_open_and_nothing_else)
{
	struct rig r;
	struct pair_stats st;

	rig_init(&r, EV_C_FROM_START);
	rig_say(&r, EV_RECV, "GET /a HTTP/1.1\r\n\r\n");
	r.off[EV_SEND] += 500; /* its answer was lost */
	r.off[EV_RECV] += 100; /* and the next requests */
	rig_say(&r, EV_RECV, "GET /c HTTP/1.1\r\n\r\n");
	rig_say(&r, EV_SEND, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
	ASSERT_STR(span_at(&r, 0)->target, "/a");
	ck_assert_uint_ne(span_at(&r, 0)->flags & SPAN_F_GAP, 0);
	ck_assert_int_eq(span_at(&r, 0)->dur_ns, COL_NULL);
	pair_stats(r.pairs, &st);
	ck_assert_uint_eq(st.started, st.ended + st.open + st.broken + st.skipped);
	rig_fini(&r);
}
END_TEST

START_TEST(answers_behind_a_body_that_was_cut_are_given_to_no_wrong_request)
{
	struct pair_stats st;
	struct rig r;

	rig_init(&r, EV_C_FROM_START);
	rig_say(&r, EV_RECV,
	        "GET /a HTTP/1.1\r\n\r\nGET /b HTTP/1.1\r\n\r\nGET /c HTTP/1.1\r\n\r\n");
	/* the end of the body, and the answers to /b and /c, were cut away */
	move(&r, EV_SEND, "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n", 900, "\r\n\r\n");
	rig_say(&r, EV_RECV, "GET /d HTTP/1.1\r\n\r\n");
	rig_say(&r, EV_SEND, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n");
	conns_finish(r.conns);
	pair_stats(r.pairs, &st);
	ck_assert_uint_eq(st.started, 4);
	ck_assert_uint_eq(st.broken, 2);
	for (unsigned int i = 0; i < 4; i++) {
		const struct span *row = span_at(&r, i);
		char which = row->target.s[1];
		bool known = which == 'a' || which == 'd';

		ck_assert_int_eq(!(row->flags & SPAN_F_GAP), known);
		ck_assert_int_eq(row->status.len > 0, known);
		if (known)
			ASSERT_STR(row->status, which == 'a' ? "200" : "404");
	}
	rig_fini(&r);
}
END_TEST

/* The last row of the connection; there are some while it is open. */
static const struct conn_row *conn_at_end(struct rig *r)
{
	conns_finish(r->conns);
	return rig_last(r, TABLE_CONNECTIONS);
}

START_TEST(bytes_that_moved_are_seen_cut_lost_or_unseen)
{
	struct rig r;
	struct conn_stats st;
	const struct conn_row *c;

	rig_init(&r, EV_C_FROM_START);
	rig_say(&r, EV_RECV, "GET /a HTTP/1.1\r\n\r\n");
	move(&r, EV_SEND, "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n", 600, "end");
	r.off[EV_SEND] -= 2; /* comes again, in part */
	move(&r, EV_SEND, "nd+", 3, "");
	r.off[EV_RECV] += 100;
	rig_say(&r, EV_RECV, "GET /c HTTP/1.1\r\n\r\n");
	c = conn_at_end(&r);
	ck_assert_ptr_nonnull(c);
	ck_assert_int_eq(c->rx_bytes, 19 + 100 + 19);
	ck_assert_int_eq(c->tx_bytes, 601);
	ck_assert_int_eq(c->seen_bytes, 19 + 19 + 40 + 3 + 1);
	ck_assert_int_eq(c->cut_bytes, 600 - 43);
	ck_assert_int_eq(c->lost_bytes + c->unseen_bytes, 100);
	conns_stats(r.conns, &st);
	ck_assert_uint_eq(st.moved_bytes, (uint64_t)(c->tx_bytes + c->rx_bytes));
	ck_assert_uint_eq(st.seen_bytes, (uint64_t)c->seen_bytes);
	rig_fini(&r);
}
END_TEST

/* On connection `id`: the record that it is there, or bytes of it from offset `off` on. */
static void half_open(struct rig *r, uint64_t id, uint64_t off, const char *text, size_t n)
{
	union {
		struct ev_conn c;
		struct ev_data d;
		uint8_t room[sizeof(struct ev_data) + 16384];
	} e = { .c = { .h = { .ts_ns = ++r->now, .pid = 7, .tid = 7, .kind = EV_CONN } } };

	if (!off) {
		e.c.h.size = sizeof(e.c);
		e.c.conn = id;
		e.c.family = AF_INET;
		e.c.lport = 80;
		e.c.flags = EV_C_FROM_START;
		conns_record(r->conns, &e.c.h, sizeof(e.c));
	}
	memset(&e.d, 0, sizeof(e.d));
	e.d.h = (struct ev_head){ .ts_ns = ++r->now, .pid = 7, .tid = 7, .kind = EV_DATA };
	e.d.h.size = (__u32)(sizeof(e.d) + n);
	e.d.conn = id;
	e.d.off = off;
	e.d.len = e.d.head_len = (__u32)n;
	e.d.dir = EV_RECV;
	memcpy(e.d.bytes, text, n);
	conns_record(r->conns, &e.d.h, e.d.h.size);
}

START_TEST(many_that_never_finish_a_request_cost_bounded_memory)
{
	enum { CONNS = 500, LONG = 12000 };
	static char head[LONG] = "GET / HTTP/1.1\r\nHost: x\r\nX: ";
	unsigned int spans = 0;
	struct conn_stats st;
	struct rig r;

	memset(head + strlen(head), 'a', LONG - strlen(head));
	rig_init(&r, EV_C_FROM_START);
	for (uint64_t id = 100; id < 100 + CONNS; id++) {
		half_open(&r, id, 0, head, LONG);
		conns_stats(r.conns, &st);
		ck_assert_uint_le(st.pending_bytes, (2 << 20) + (64 << 10));
	}
	ck_assert_uint_gt(st.pending_bytes, 1 << 20);
	ck_assert_uint_ge(st.shed_bytes, (uint64_t)CONNS * LONG - (2 << 20));
	ck_assert_uint_eq(st.shed_bytes, st.unparsed_bytes);
	half_open(&r, 100 + CONNS - 1, LONG, "\r\n\r\n", 4); /* the newest was kept */
	half_open(&r, 100, LONG, "\r\n\r\nGET /next HTTP/1.1\r\n\r\n", 26);
	conns_finish(r.conns);
	conns_stats(r.conns, &st);
	ck_assert_uint_eq(st.pending_bytes, 0);
	while (span_at(&r, spans))
		spans++;
	ck_assert_uint_lt(spans, (2 << 20) / LONG + 2); /* of those that were kept */
	ASSERT_STR(span_at(&r, spans - 1)->target, "/next");
	rig_fini(&r);
}
END_TEST

START_TEST(a_connection_joined_in_the_middle_starts_at_its_next_request)
{
	struct rig r;

	rig_init(&r, 0);
	rig_say(&r, EV_SEND, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
	rig_say(&r, EV_RECV, "GET /n HTTP/1.1\r\n\r\n");
	rig_say(&r, EV_SEND, "HTTP/1.1 201 Made\r\nContent-Length: 0\r\n\r\n");
	ASSERT_STR(span_at(&r, 0)->target, "/n");
	ASSERT_STR(span_at(&r, 0)->status, "201");
	ck_assert_uint_ne(span_at(&r, 0)->flags & SPAN_F_JOINED_MID, 0);
	ck_assert_ptr_null(span_at(&r, 1));
	rig_fini(&r);
}
END_TEST

START_TEST(a_request_without_an_answer_is_open_at_the_end)
{
	struct rig r;
	struct pair_stats st;

	rig_init(&r, EV_C_FROM_START);
	rig_say(&r, EV_RECV, "GET /wait HTTP/1.1\r\n\r\n");
	conns_finish(r.conns);
	ASSERT_STR(span_at(&r, 0)->target, "/wait");
	ck_assert_uint_ne(span_at(&r, 0)->flags & SPAN_F_OPEN, 0);
	ck_assert_int_eq(span_at(&r, 0)->dur_ns, COL_NULL);
	pair_stats(r.pairs, &st);
	ck_assert_uint_eq(st.open, 1);
	rig_fini(&r);
}
END_TEST

START_TEST(every_split_of_a_conversation_gives_the_same_rows)
{
	static const char req[] = "GET /a HTTP/1.1\r\n\r\nGET /b HTTP/1.1\r\n\r\n";
	static const char resp[] = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc"
				   "HTTP/1.1 404 No\r\nContent-Length: 1\r\n\r\nd";
	size_t at = (size_t)_i % sizeof(req), to = (size_t)_i % sizeof(resp);
	char part[256];
	struct rig r;

	rig_init(&r, EV_C_FROM_START);
	snprintf(part, sizeof(part), "%.*s", (int)at, req);
	rig_say(&r, EV_RECV, part);
	rig_say(&r, EV_RECV, req + at);
	snprintf(part, sizeof(part), "%.*s", (int)to, resp);
	rig_say(&r, EV_SEND, part);
	rig_say(&r, EV_SEND, resp + to);
	ASSERT_STR(span_at(&r, 0)->status, "200");
	ASSERT_STR(span_at(&r, 1)->status, "404");
	ck_assert_ptr_null(span_at(&r, 2));
	rig_fini(&r);
}
END_TEST

#define BYTES(lit) (lit), sizeof(lit) - 1
#define UUID       "0123456789abcdef"

/* Kafka: Metadata names a topic, and a request has only its id. */
START_TEST(a_message_is_sent_to_a_topic_that_is_known_by_its_id)
{
	static const char *const want[] = {
		"\"messaging.system\":\"kafka\"",
		"\"messaging.operation.name\":\"Produce\"",
		"\"messaging.operation.type\":\"send\"",
		"\"messaging.destination.partition.id\":\"3\"",
		"\"messaging.batch.message_count\":0",
	};
	const struct span *row;
	struct rig r;

	rig_init(&r, EV_C_FROM_START | EV_C_CONNECTED);
	move_bytes(&r, EV_SEND, BYTES("\0\0\0\x11\0\3\0\x0c\0\0\0\1\0\2me\0\0\1\0\0"));
	move_bytes(&r, EV_RECV,
	           BYTES("\0\0\0\x2e\0\0\0\1\0\0\0\0\0\1\0\0\0\0\1\2\0\0\4"
	                 "foo" UUID "\0\1\0\0\0\0\0\0"));
	move_bytes(&r, EV_SEND,
	           BYTES("\0\0\0\x2e\0\0\0\x0d\0\0\0\2\0\2me\0\0\0\1\0\0\1\0\2" UUID
	                 "\2\0\0\0\3\1\0\0\0"));
	move_bytes(&r, EV_RECV,
	           BYTES("\0\0\0\x3e\0\0\0\2\0\2" UUID "\2\0\0\0\3\0\0\0\0\0\0\0\0\0\7\0\0"
	                 "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\0"));
	row = span_at(&r, 0);
	ck_assert_ptr_nonnull(row);
	ASSERT_STR(row->kind, "client");
	ASSERT_STR(row->name, "Metadata");
	ck_assert_ptr_null(row->topic.s);
	row = span_at(&r, 1);
	ck_assert_ptr_nonnull(row);
	ASSERT_STR(row->kind, "producer");
	ASSERT_STR(row->topic, "foo");
	ASSERT_STR(row->name, "Produce foo");
	for (size_t i = 0; i < sizeof(want) / sizeof(*want); i++)
		ck_assert_msg(memmem(row->attrs.s, row->attrs.len, want[i], strlen(want[i])),
		              "%s is not in %.*s", want[i], STR_ARG(row->attrs));
	rig_fini(&r);
}
END_TEST

Suite *pair_suite(void)
{
	Suite *s = suite_create("pair");
	TCase *t = tcase_create("rows");

	tcase_add_test(t, a_server_answers_two_requests);
	tcase_add_test(t, a_stream_of_events_says_when_the_first_one_was_there);
	tcase_add_test(t, a_stream_of_events_may_be_left_by_its_client);
	tcase_add_test(t, what_is_spoken_over_http_gives_the_span_its_name);
	tcase_add_test(t, a_call_of_aws_is_called_by_service_and_operation);
	tcase_add_test(t, a_statement_over_http_is_named_like_any_other);
	tcase_add_test(t, a_body_that_nobody_sees_takes_no_request_along);
	tcase_add_test(t, a_start_of_which_only_the_end_was_seen_says_so);
	tcase_add_test(t, a_request_begins_with_the_message_that_leads_it);
	tcase_add_test(t, an_answer_that_overtook_its_request_waits_for_it);
	tcase_add_test(t, a_body_that_is_not_copied_still_ends_its_request);
	tcase_add_test(t, lost_bytes_break_what_was_open_and_nothing_else);
	tcase_add_test(t, many_that_never_finish_a_request_cost_bounded_memory);
	tcase_add_test(t, answers_behind_a_body_that_was_cut_are_given_to_no_wrong_request);
	tcase_add_test(t, bytes_that_moved_are_seen_cut_lost_or_unseen);
	tcase_add_test(t, a_connection_joined_in_the_middle_starts_at_its_next_request);
	tcase_add_test(t, a_request_without_an_answer_is_open_at_the_end);
	tcase_add_test(t, a_message_is_sent_to_a_topic_that_is_known_by_its_id);
	tcase_add_loop_test(t, every_split_of_a_conversation_gives_the_same_rows, 1, 120);
	suite_add_tcase(s, t);
	return s;
}
