// SPDX-License-Identifier: GPL-3.0-or-later
/* Datagrams through conn/ and span/: records of one socket in, rows out. */
#include "suites.h"
#include <linux/types.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "conn/conn.h"
#include "span/guess.h"
#include "span/pair.h"

enum { ROWS = 64, MS = 1000000 };

struct rig {
	struct batch_pool *pool;
	struct pairs *pairs;
	struct conns *conns;
	struct batch *out[ROWS];
	unsigned int nout;
	uint64_t off[2], now;
	enum ev_level level; /* the last answer to the kernel */
};

static void take(void *ctx, struct batch *b)
{
	struct rig *r = ctx;

	ck_assert_uint_lt(r->nout, ROWS);
	r->out[r->nout++] = b;
}

static void interest(void *ctx, uint64_t conn, enum ev_level level)
{
	(void)conn;
	((struct rig *)ctx)->level = level;
}

static void rig_init(struct rig *r, uint8_t flags, uint16_t rport)
{
	struct pair_opts po = { .emit = take, .ctx = r, .seed = 1 };
	struct conns_opts co = { .interest = interest, .interest_ctx = r };
	struct ev_conn c = { 0 };

	*r = (struct rig){ .pool = batch_pool_new(ROWS, 32), .now = 1000 * MS };
	po.pool = r->pool;
	r->pairs = pair_new(&po);
	r->conns = conns_new(&co, pair_sink(r->pairs));
	ck_assert(r->pool && r->pairs && r->conns);
	c.h = (struct ev_head){
		.ts_ns = r->now, .pid = 7, .tid = 7, .kind = EV_CONN, .size = sizeof(c)
	};
	c.conn = 5;
	c.family = AF_INET;
	c.type = SOCK_DGRAM;
	c.lport = 4000;
	c.rport = rport;
	c.flags = flags;
	conns_record(r->conns, &c.h, sizeof(c));
}

static void rig_fini(struct rig *r)
{
	conns_free(r->conns);
	pair_flush(r->pairs);
	for (unsigned int i = 0; i < r->nout; i++)
		batch_put(r->out[i]);
	pair_free(r->pairs);
	batch_pool_free(r->pool);
}

/* One datagram, to or from 10.0.0.HOST port 53; host 0: nobody says. */
static void move(struct rig *r, enum ev_dir d, const void *bytes, size_t n, uint8_t host)
{
	struct ev_peer peer = { AF_INET, { 0, 53 }, { 10, 0, 0, host }, { 0 }, { 0 } };
	size_t size = sizeof(struct ev_data) + n + (host ? sizeof(peer) : 0);
	struct ev_data *e = calloc(1, size);

	ck_assert_ptr_nonnull(e);
	r->now += MS;
	e->h = (struct ev_head){ .ts_ns = r->now, .pid = 7, .tid = 8, .kind = EV_DATA };
	e->h.size = (__u32)size;
	e->conn = 5;
	e->off = r->off[d];
	e->len = e->head_len = (__u32)n;
	e->dir = d;
	e->level = EV_LEVEL_FULL;
	e->flags = EV_F_DGRAM | (host ? EV_F_PEER : 0);
	memcpy(e->bytes, bytes, n);
	if (host)
		memcpy(e->bytes + n, &peer, sizeof(peer));
	conns_record(r->conns, &e->h, size);
	r->off[d] += n;
	free(e);
}

/* The last row of the table. */
static const void *last(struct rig *r, enum table t)
{
	const void *row = NULL;

	pair_flush(r->pairs);
	for (unsigned int b = 0; b < r->nout; b++)
		for (unsigned int k = 0; k < r->out[b]->n; k++)
			if (r->out[b]->items[k].table == t)
				row = r->out[b]->items[k].row;
	return row;
}

#define ASSERT_STR(s, z) ck_assert_msg(str_is((s), z), "%.*s is not %s", STR_ARG(s), z)

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
	row = last(&r, TABLE_CONNECTIONS);
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
	row = last(&r, TABLE_CONNECTIONS);
	ck_assert_ptr_null(row->peer_ip.s);
	ck_assert_int_eq(row->peer_port, COL_NULL);
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
	row = last(&r, TABLE_CONNECTIONS);
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
	ck_assert_ptr_null(last(&r, TABLE_CONNECTIONS));
	conns_time(r.conns, r.now + 9000ull * MS);
	row = last(&r, TABLE_CONNECTIONS);
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
	tcase_add_test(t, every_byte_is_accounted_for);
	tcase_add_test(t, a_socket_that_went_quiet_is_over);
	tcase_add_test(t, a_record_without_room_for_its_peer_is_no_record);
	tcase_add_loop_test(t, guesses_by_the_first_bytes, 0,
	                    (int)(sizeof(guesses) / sizeof(*guesses)));
	suite_add_tcase(s, t);
	return s;
}
