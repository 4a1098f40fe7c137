// SPDX-License-Identifier: GPL-3.0-or-later
/* DNS in datagrams: whole, cut, asked again, never answered, overtaken. The corpus has TCP. */
#include "suites.h"
#include <sys/socket.h>

#include "proto/dns.h"
#include "tests/unit/rig.h"

#define HEAD(id, flags, an) "\0" id flags "\0\1\0" an "\0\0\0\0"
#define NAME                "\1a\4test\0\0\1\0\1"
#define ANSWER              "\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\xc0\0\2\1"

static const char query[] = HEAD("\7", "\1\0", "\0") NAME;
static const char reply[] = HEAD("\7", "\x81\x80", "\1") NAME ANSWER;
static const char denied[] = HEAD("\7", "\x81\x83", "\0") NAME;
static const char other[] = HEAD("\7", "\1\0", "\0") "\1b\4test\0\0\x1c\0\1";
static const char mdns[] = HEAD("\0", "\0\0", "\0") "\1a\5local\0\0\x0c\x80\1";

/* ---- the parser ---- */

static const struct {
	const char *what, *bytes;
	size_t len;
	bool cut;
	enum sure sure;
	enum dir sender;
} datagrams[] = {
	{ "a query", BYTES(query), false, SURE_YES, DIR_REQ },
	{ "an answer", BYTES(reply), false, SURE_YES, DIR_RESP },
	{ "multicast", BYTES(mdns), false, SURE_YES, DIR_REQ },
	{ "a query with a byte too much", query, sizeof(query), false, SURE_NO, DIR_REQ },
	{ "half an answer", reply, sizeof(reply) - 9, false, SURE_NO, DIR_REQ },
	{ "half an answer, the rest left out", reply, sizeof(reply) - 9, true, SURE_YES, DIR_RESP },
	{ "a header", query, 12, false, SURE_NO, DIR_REQ },
	{ "text", BYTES("page.views:1|c and some more"), false, SURE_NO, DIR_REQ },
	{ "nothing", query, 0, false, SURE_NO, DIR_REQ },
};

START_TEST(tells_datagrams_of_dns)
{
	struct cur in = cur_of(datagrams[_i].bytes, datagrams[_i].len);
	enum dir sender = DIR_REQ;

	in.cut = datagrams[_i].cut;
	ck_assert_msg(proto_by_id(PROTO_DNS)->is_datagram(in, &sender) == datagrams[_i].sure, "%s",
	              datagrams[_i].what);
	ck_assert_msg(sender == datagrams[_i].sender, "%s", datagrams[_i].what);
}
END_TEST

/* ---- through conn/ and span/ ---- */

static void rig_init(struct rig *r, uint8_t flags)
{
	struct ev_conn c = { .type = SOCK_DGRAM, .lport = 4000, .flags = flags };

	rig_open(r, (struct pair_opts){ 0 }, (struct conns_opts){ 0 }, c);
}

static void move(struct rig *r, enum ev_dir d, const void *bytes, size_t n, uint8_t host)
{
	rig_datagram(r, d, bytes, n, host, 5300);
}

START_TEST(a_client_asks_and_is_answered)
{
	const struct span *s;
	struct rig r;

	rig_init(&r, EV_C_FROM_START);
	move(&r, EV_SEND, BYTES(query), 1);
	move(&r, EV_RECV, BYTES(reply), 0);
	s = span_at(&r, 0);
	ck_assert_ptr_nonnull(s);
	ASSERT_STR(s->kind, "client");
	ASSERT_STR(s->name, "DNS A");
	ASSERT_STR(s->target, "a.test");
	ASSERT_STR(s->status, "NOERROR");
	ASSERT_STR(s->peer_ip, "10.0.0.1");
	ck_assert_int_eq(s->peer_port, 5300);
	ck_assert_int_eq(s->error, 0);
	ck_assert_int_eq(s->dur_ns, MS);
	ck_assert_int_eq(s->resp_bytes, sizeof(reply) - 1);
	ASSERT_STR(s->attrs, "{\"dns.question.name\":\"a.test\",\"obi.dns.question.type\":\"A\","
	                     "\"obi.dns.rcode\":\"NOERROR\",\"dns.answers\":[\"192.0.2.1\"],"
	                     "\"obi.dns.answer.count\":1,\"obi.dns.ttl\":60,"
	                     "\"obi.dns.flags\":\"rd ra\",\"network.transport\":\"udp\"}");
	rig_fini(&r);
}
END_TEST

START_TEST(a_server_answers_each_client_its_own)
{
	struct rig r;

	rig_init(&r, EV_C_FROM_START);
	move(&r, EV_RECV, BYTES(query), 1);
	move(&r, EV_RECV, BYTES(query), 2);
	move(&r, EV_SEND, BYTES(denied), 2);
	move(&r, EV_SEND, BYTES(reply), 1);
	ASSERT_STR(span_at(&r, 0)->kind, "server");
	ASSERT_STR(span_at(&r, 0)->peer_ip, "10.0.0.2");
	ASSERT_STR(span_at(&r, 0)->status, "NXDOMAIN");
	ck_assert_int_eq(span_at(&r, 0)->error, 0);
	ASSERT_STR(span_at(&r, 1)->peer_ip, "10.0.0.1");
	ASSERT_STR(span_at(&r, 1)->status, "NOERROR");
	rig_fini(&r);
}
END_TEST

START_TEST(two_questions_with_one_id_are_two)
{
	struct rig r;

	rig_init(&r, EV_C_FROM_START);
	move(&r, EV_SEND, BYTES(other), 1);
	move(&r, EV_SEND, BYTES(query), 1);
	move(&r, EV_RECV, BYTES(denied), 1);
	ASSERT_STR(span_at(&r, 0)->target, "a.test");
	ASSERT_STR(span_at(&r, 0)->error_type, "NXDOMAIN");
	ck_assert_int_eq(span_at(&r, 0)->error, 1);
	ck_assert_ptr_null(span_at(&r, 1));
	rig_fini(&r);
}
END_TEST

START_TEST(what_is_asked_again_is_one_request_and_fails_after_the_last)
{
	const struct span *s;
	struct rig r;

	rig_init(&r, EV_C_FROM_START);
	move(&r, EV_SEND, BYTES(query), 1);
	r.now += 5000ull * MS;
	move(&r, EV_SEND, BYTES(query), 1);
	conns_time(r.conns, r.now + 9000ull * MS);
	ck_assert_ptr_null(span_at(&r, 0));
	conns_time(r.conns, r.now + 10001ull * MS);
	s = span_at(&r, 0);
	ck_assert_ptr_nonnull(s);
	ASSERT_STR(s->error_type, "timeout");
	ck_assert_int_eq(s->error, 1);
	ck_assert_int_eq(s->dur_ns, 15001ll * MS);
	ck_assert_int_eq(s->ttfb_ns, COL_NULL);
	ck_assert_ptr_nonnull(strstr(s->attrs.s, "\"obi.retransmits\":1"));
	rig_fini(&r);
}
END_TEST

START_TEST(who_leaves_without_an_answer_has_failed)
{
	struct rig r;

	rig_init(&r, EV_C_FROM_START);
	move(&r, EV_SEND, BYTES(query), 1);
	conns_exit(r.conns, 7, r.now + 2000ull * MS);
	ASSERT_STR(span_at(&r, 0)->error_type, "timeout");
	ck_assert_int_eq(span_at(&r, 0)->dur_ns, 2000ll * MS);
	rig_fini(&r);
}
END_TEST

START_TEST(an_answer_that_comes_first_waits_for_its_request)
{
	struct rig r;

	rig_init(&r, EV_C_FROM_START);
	move(&r, EV_RECV, BYTES(reply), 0);
	ck_assert_ptr_null(span_at(&r, 0));
	move(&r, EV_SEND, BYTES(query), 1);
	ASSERT_STR(span_at(&r, 0)->status, "NOERROR");
	rig_fini(&r);
}
END_TEST

START_TEST(an_answer_to_nobody_is_counted)
{
	struct conn_stats st;
	struct rig r;

	rig_init(&r, 0); /* was there before: nothing to wait for */
	move(&r, EV_RECV, BYTES(reply), 0);
	conns_stats(r.conns, &st);
	ck_assert_uint_eq(st.orphans, 1);
	rig_fini(&r);
	rig_init(&r, EV_C_FROM_START);
	move(&r, EV_RECV, BYTES(reply), 0);
	conns_finish(r.conns);
	conns_stats(r.conns, &st);
	ck_assert_uint_eq(st.orphans, 1);
	rig_fini(&r);
}
END_TEST

START_TEST(what_is_no_dns_is_counted_and_at_last_unlearned)
{
	struct conn_stats st;
	struct rig r;

	rig_init(&r, EV_C_FROM_START);
	move(&r, EV_SEND, BYTES(query), 1);
	for (int i = 0; i < 8; i++)
		move(&r, EV_SEND, BYTES("no such thing"), 1);
	conns_stats(r.conns, &st);
	ck_assert_uint_eq(st.parse_errors, 8);
	ck_assert_uint_eq(st.unparsed_bytes, 8 * 13);
	ck_assert_uint_eq(st.unlearned, 1);
	rig_fini(&r);
}
END_TEST

START_TEST(multicast_is_asked_of_all_and_waits_for_none)
{
	struct rig r;

	rig_init(&r, EV_C_FROM_START);
	move(&r, EV_SEND, BYTES(mdns), 1);
	ASSERT_STR(span_at(&r, 0)->name, "DNS PTR");
	ck_assert_int_eq(span_at(&r, 0)->error, 0);
	rig_fini(&r);
}
END_TEST

Suite *dns_suite(void);

Suite *dns_suite(void)
{
	Suite *s = suite_create("dns");
	TCase *t = tcase_create("dns");

	tcase_add_loop_test(t, tells_datagrams_of_dns, 0,
	                    (int)(sizeof(datagrams) / sizeof(*datagrams)));
	tcase_add_test(t, a_client_asks_and_is_answered);
	tcase_add_test(t, a_server_answers_each_client_its_own);
	tcase_add_test(t, two_questions_with_one_id_are_two);
	tcase_add_test(t, what_is_asked_again_is_one_request_and_fails_after_the_last);
	tcase_add_test(t, who_leaves_without_an_answer_has_failed);
	tcase_add_test(t, an_answer_that_comes_first_waits_for_its_request);
	tcase_add_test(t, an_answer_to_nobody_is_counted);
	tcase_add_test(t, what_is_no_dns_is_counted_and_at_last_unlearned);
	tcase_add_test(t, multicast_is_asked_of_all_and_waits_for_none);
	suite_add_tcase(s, t);
	return s;
}
