// SPDX-License-Identifier: GPL-3.0-or-later
/* Datagrams through conn/ and span/: records of one socket in, rows out. */
#include "suites.h"
#include <sys/socket.h>

#include "span/guess.h"
#include "tests/unit/rig.h"

static void rig_init(struct rig *r, uint8_t flags, uint16_t rport)
{
	struct ev_conn c = { .type = SOCK_DGRAM, .lport = 4000, .rport = rport, .flags = flags };

	rig_open(r, (struct pair_opts){ 0 }, (struct conns_opts){ .interest = rig_interest }, c);
}

/* One datagram, to or from port 53. */
static void move(struct rig *r, enum ev_dir d, const void *bytes, size_t n, uint8_t host)
{
	rig_datagram(r, d, bytes, n, host, 53);
}

START_TEST(datagrams_that_nobody_knows_are_a_row_and_muted_soon)
{
	const struct conn_row *row;
	struct rig r;

	rig_init(&r, EV_C_FROM_START, 0);
	for (int i = 0; i < 15; i++)
		move(&r, EV_SEND, "hello", 5, 1);
	ck_assert_int_eq(r.level, EV_LEVEL_DEFAULT);
	move(&r, EV_RECV, "hello", 5, 0);
	ck_assert_int_eq(r.level, EV_LEVEL_MUTE);
	conns_finish(r.conns);
	row = rig_last(&r, TABLE_CONNECTIONS);
	ck_assert_ptr_nonnull(row);
	ASSERT_STR(row->transport, "udp");
	ASSERT_STR(row->proto, "udp");
	ASSERT_STR(row->why, "no known protocol in the first 16 datagrams");
	ASSERT_STR(row->peer_ip, "10.0.0.1");
	ck_assert_int_eq(row->peer_port, 53);
	ck_assert_int_eq(row->tx_bytes, 75);
	ck_assert_int_eq(row->rx_bytes, 5);
	ck_assert_int_eq(row->unparsed_bytes, 80);
	rig_fini(&r);
}
END_TEST

START_TEST(a_socket_that_talks_to_many_has_no_peer)
{
	const struct conn_row *row;
	struct rig r;

	rig_init(&r, EV_C_FROM_START, 0);
	move(&r, EV_SEND, "one", 3, 1);
	move(&r, EV_SEND, "two", 3, 2);
	move(&r, EV_SEND, "one", 3, 1);
	conns_finish(r.conns);
	row = rig_last(&r, TABLE_CONNECTIONS);
	ck_assert_ptr_null(row->peer_ip.s);
	ck_assert_int_eq(row->peer_port, COL_NULL);
	rig_fini(&r);
}
END_TEST

/* As only a recording that is broken on purpose has it. */
START_TEST(a_datagram_on_a_stream_is_counted_and_not_read)
{
	const struct conn_row *row;
	struct rig r;

	rig_init(&r, EV_C_FROM_START, 0);
	rig_say(&r, EV_SEND, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
	move(&r, EV_SEND, "hello", 5, 1);
	conns_finish(r.conns);
	row = rig_last(&r, TABLE_CONNECTIONS);
	ASSERT_STR(row->proto, "http");
	ck_assert_int_eq(row->unparsed_bytes, 5);
	rig_fini(&r);
}
END_TEST

/* A record without bytes, of a socket that is muted; or after records that were lost. */
static void tell(struct rig *r, uint64_t off, uint32_t len, uint32_t lost, enum ev_level level)
{
	struct ev_data e = { .conn = 5, .off = off, .len = len, .lost_bytes = lost };

	r->now += MS;
	e.h = (struct ev_head){ .ts_ns = r->now, .pid = 7, .kind = EV_DATA, .size = sizeof(e) };
	e.dir = EV_SEND;
	e.flags = EV_F_DGRAM;
	e.level = (__u8)level;
	conns_record(r->conns, &e.h, sizeof(e));
}

START_TEST(every_byte_is_accounted_for)
{
	const struct conn_row *row;
	struct rig r;

	rig_init(&r, EV_C_FROM_START, 53);
	move(&r, EV_SEND, "hello", 5, 1);
	tell(&r, 105, 10, 0, EV_LEVEL_MUTE); /* 100 and 10 were not wanted */
	tell(&r, 200, 10, 60,
	     EV_LEVEL_FULL);                 /* 60 were lost, 25 no probe saw, 10 were not copied */
	tell(&r, 180, 10, 0, EV_LEVEL_FULL); /* of these 25, 10 come late */
	conns_finish(r.conns);
	row = rig_last(&r, TABLE_CONNECTIONS);
	ck_assert_int_eq(row->tx_bytes, 210);
	ck_assert_int_eq(row->seen_bytes, 5);
	ck_assert_int_eq(row->lost_bytes, 60);
	ck_assert_int_eq(row->unseen_bytes, 15);
	ck_assert_int_eq(row->cut_bytes, 130);
	rig_fini(&r);
}
END_TEST

START_TEST(a_socket_that_went_quiet_is_over)
{
	const struct conn_row *row;
	struct rig r;

	rig_init(&r, EV_C_FROM_START, 53);
	move(&r, EV_SEND, "hello", 5, 1);
	conns_time(r.conns, r.now + 7000ull * MS);
	ck_assert_ptr_null(rig_last(&r, TABLE_CONNECTIONS));
	conns_time(r.conns, r.now + 9000ull * MS);
	row = rig_last(&r, TABLE_CONNECTIONS);
	ck_assert_ptr_nonnull(row);
	ASSERT_STR(row->state, "closed");
	ck_assert_int_eq(row->end_ns, (int64_t)r.now);
	rig_fini(&r);
}
END_TEST

START_TEST(a_record_without_room_for_its_peer_is_no_record)
{
	struct ev_data e = { .conn = 5, .len = 0, .flags = EV_F_DGRAM | EV_F_PEER };
	struct conn_stats st;
	struct rig r;

	rig_init(&r, EV_C_FROM_START, 53);
	e.h = (struct ev_head){ .ts_ns = r.now, .kind = EV_DATA, .size = sizeof(e) };
	conns_record(r.conns, &e.h, sizeof(e));
	conns_stats(r.conns, &st);
	ck_assert_uint_eq(st.records, 1); /* the socket's own */
	rig_fini(&r);
}
END_TEST

static const struct {
	const char *bytes;
	size_t n;
	const char *what;
} guesses[] = {
	{ "\xc3\0\0\0\1\x08", 6, "quic?" },
	{ "\x16\xfe\xfd\0\0\0\0\0\0\0\0\0\x10", 13, "dtls?" },
	{ "\0\1\0\0\x21\x12\xa4\x42\0\0\0\0\0\0\0\0\0\0\0\0", 20, "stun?" },
	{ "\x23\0\6\xec\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
	  "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
	  48, "ntp?" },
	{ "<34>1 2026", 10, "syslog?" },
	{ "page.views:1|c", 14, "statsd?" },
	{ "page views:1|c", 14, NULL },
	{ "hello", 5, NULL },
	{ "", 0, NULL },
};

START_TEST(guesses_by_the_first_bytes)
{
	const char *got = guess_datagram((const uint8_t *)guesses[_i].bytes, guesses[_i].n);

	ck_assert_pstr_eq(got, guesses[_i].what);
}
END_TEST

Suite *dgram_suite(void);

Suite *dgram_suite(void)
{
	Suite *s = suite_create("dgram");
	TCase *t = tcase_create("dgram");

	tcase_add_test(t, datagrams_that_nobody_knows_are_a_row_and_muted_soon);
	tcase_add_test(t, a_socket_that_talks_to_many_has_no_peer);
	tcase_add_test(t, a_datagram_on_a_stream_is_counted_and_not_read);
	tcase_add_test(t, every_byte_is_accounted_for);
	tcase_add_test(t, a_socket_that_went_quiet_is_over);
	tcase_add_test(t, a_record_without_room_for_its_peer_is_no_record);
	tcase_add_loop_test(t, guesses_by_the_first_bytes, 0,
	                    (int)(sizeof(guesses) / sizeof(*guesses)));
	suite_add_tcase(s, t);
	return s;
}
