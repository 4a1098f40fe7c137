// SPDX-License-Identifier: GPL-3.0-or-later
/* ends - which process is at the other end of a connection, and when that is not known. */
#include <arpa/inet.h>
#include <linux/types.h>
#include <sys/socket.h>

#include "conn/conn.h"
#include "suites.h"

enum { SIDES = 8, NETNS = 40 };

struct rig {
	struct conns *conns;
	uint32_t peer[SIDES]; /* by id, when the connection ended */
};

static void on_message(void *ctx, struct conn *c, enum dir d, const struct msg *m,
                       const struct moment *first, const struct moment *last, uint64_t bytes)
{
	(void)ctx, (void)c, (void)d, (void)m, (void)first, (void)last, (void)bytes;
}

static void on_passed(void *ctx, struct conn *c, enum dir d, uint64_t n, bool done,
                      const struct moment *at)
{
	(void)ctx, (void)c, (void)d, (void)n, (void)done, (void)at;
}

static void on_gap(void *ctx, struct conn *c, enum dir d, uint64_t n, bool lost)
{
	(void)ctx, (void)c, (void)d, (void)n, (void)lost;
}

static unsigned int on_open(void *ctx, const struct conn *c)
{
	(void)ctx, (void)c;
	return 0;
}

static bool on_awaits(void *ctx, const struct conn *c, uint64_t id)
{
	(void)ctx, (void)c, (void)id;
	return false;
}

static void on_verdict(void *ctx, struct conn *c)
{
	(void)ctx, (void)c;
}

static void on_closed(void *ctx, struct conn *c, const struct moment *at)
{
	(void)at;
	((struct rig *)ctx)->peer[c->id] = c->peer_pid;
}

static struct conn_sink sink;

static void rig_init(struct rig *r, unsigned int max)
{
	*r = (struct rig){ 0 };
	sink = (struct conn_sink){
		.ctx = r,
		.message = on_message,
		.passed = on_passed,
		.gap = on_gap,
		.open = on_open,
		.awaits = on_awaits,
		.verdict = on_verdict,
		.closed = on_closed,
	};
	r->conns = conns_new(&(struct conns_opts){ .max = max }, &sink);
	ck_assert_ptr_nonnull(r->conns);
}

static void rig_fini(struct rig *r)
{
	conns_free(r->conns);
	r->conns = NULL;
}

static void announce(struct rig *r, struct ev_conn *e)
{
	e->h.kind = EV_CONN;
	e->h.size = sizeof(*e);
	e->type = e->type ? e->type : SOCK_STREAM;
	e->state = 1;
	conns_record(r->conns, &e->h, sizeof(*e));
}

static void address(const char *text, uint16_t *family, uint8_t out[16])
{
	*family = strchr(text, ':') ? AF_INET6 : AF_INET;
	ck_assert_int_eq(inet_pton(*family, text, out), 1);
}

struct at {
	const char *ip;
	uint16_t port;
};

/* The process `pid` uses socket `id`. */
static void tcp(struct rig *r, uint64_t id, uint32_t pid, uint32_t netns, struct at here,
                struct at there)
{
	struct ev_conn e = { .conn = id, .netns = netns, .lport = here.port, .rport = there.port };

	e.h.pid = pid;
	address(here.ip, &e.family, e.laddr);
	address(there.ip, &e.family, e.raddr);
	announce(r, &e);
}

static void unix_socket(struct rig *r, uint64_t id, uint32_t pid, uint64_t sock, uint64_t peer)
{
	struct ev_conn e = { .conn = id, .sock = sock, .peer = peer, .family = AF_UNIX };

	e.h.pid = pid;
	announce(r, &e);
}

static void uses(struct rig *r, uint64_t id, uint32_t pid)
{
	struct ev_data e = { .conn = id, .h = { .kind = EV_DATA, .size = sizeof(e), .pid = pid } };

	conns_record(r->conns, &e.h, sizeof(e));
}

static void closes(struct rig *r, uint64_t id)
{
	struct ev_close e = { .conn = id, .h = { .kind = EV_CLOSE, .size = sizeof(e) } };

	conns_record(r->conns, &e.h, sizeof(e));
}

static const struct {
	const char *what;
	uint32_t netns[2];
	struct at a[2], b[2]; /* here and there, as each of the two sees it */
	bool found;
} pairs[] = {
	{ "loopback",
	  { 1, 1 },
	  { { "127.0.0.1", 4000 }, { "127.0.0.1", 80 } },
	  { { "127.0.0.1", 80 }, { "127.0.0.1", 4000 } },
	  true },
	{ "loopback of another namespace",
	  { 1, 2 },
	  { { "127.0.0.1", 4000 }, { "127.0.0.1", 80 } },
	  { { "127.0.0.1", 80 }, { "127.0.0.1", 4000 } },
	  false },
	{ "IPv6 loopback of another namespace",
	  { 1, 2 },
	  { { "::1", 4000 }, { "::1", 80 } },
	  { { "::1", 80 }, { "::1", 4000 } },
	  false },
	{ "two containers",
	  { 1, 2 },
	  { { "172.17.0.2", 4000 }, { "172.17.0.3", 80 } },
	  { { "172.17.0.3", 80 }, { "172.17.0.2", 4000 } },
	  true },
	{ "IPv4 to a socket of both",
	  { 1, 1 },
	  { { "127.0.0.1", 4000 }, { "127.0.0.1", 80 } },
	  { { "::ffff:127.0.0.1", 80 }, { "::ffff:127.0.0.1", 4000 } },
	  true },
	{ "another port",
	  { 1, 1 },
	  { { "127.0.0.1", 4000 }, { "127.0.0.1", 80 } },
	  { { "127.0.0.1", 80 }, { "127.0.0.1", 4001 } },
	  false },
	{ "another address",
	  { 1, 1 },
	  { { "10.0.0.1", 4000 }, { "10.0.0.2", 80 } },
	  { { "10.0.0.2", 80 }, { "10.0.0.3", 4000 } },
	  false },
	{ "the same direction",
	  { 1, 1 },
	  { { "10.0.0.1", 4000 }, { "10.0.0.2", 80 } },
	  { { "10.0.0.1", 4000 }, { "10.0.0.2", 80 } },
	  false },
	{ "without a peer",
	  { 1, 1 },
	  { { "0.0.0.0", 4000 }, { "0.0.0.0", 0 } },
	  { { "0.0.0.0", 0 }, { "0.0.0.0", 4000 } },
	  false },
};

START_TEST(two_sockets_are_one_connection_where_their_addresses_say_so)
{
	struct rig r;

	rig_init(&r, 0);
	tcp(&r, 1, 71, pairs[_i].netns[0], pairs[_i].a[0], pairs[_i].a[1]);
	tcp(&r, 2, 72, pairs[_i].netns[1], pairs[_i].b[0], pairs[_i].b[1]);
	rig_fini(&r);
	ck_assert_msg(r.peer[1] == (pairs[_i].found ? 72u : 0), "%s: %u", pairs[_i].what,
	              r.peer[1]);
	ck_assert_msg(r.peer[2] == (pairs[_i].found ? 71u : 0), "%s: %u", pairs[_i].what,
	              r.peer[2]);
}
END_TEST

static const struct at client = { "127.0.0.1", 4000 }, server = { "127.0.0.1", 80 };

START_TEST(a_process_that_takes_a_connection_over_is_the_peer_from_then_on)
{
	struct rig r;

	rig_init(&r, 0);
	tcp(&r, 1, 71, NETNS, client, server);
	tcp(&r, 2, 72, NETNS, server, client);
	uses(&r, 2, 73); /* a child that serves what its parent accepted */
	closes(&r, 1);
	rig_fini(&r);
	ck_assert_uint_eq(r.peer[1], 73);
}
END_TEST

START_TEST(the_peer_is_still_known_after_its_end_is_closed)
{
	struct rig r;

	rig_init(&r, 0);
	tcp(&r, 1, 71, NETNS, client, server);
	tcp(&r, 2, 72, NETNS, server, client);
	closes(&r, 1);
	uses(&r, 2, 72); /* reads the last request */
	rig_fini(&r);
	ck_assert_uint_eq(r.peer[2], 71);
}
END_TEST

START_TEST(addresses_that_are_used_again_do_not_name_who_had_them_before)
{
	struct rig r;

	rig_init(&r, 0);
	tcp(&r, 1, 71, NETNS, client, server);
	tcp(&r, 2, 72, NETNS, server, client);
	/* Both went without a word. */
	tcp(&r, 4, 74, NETNS, server, client);
	closes(&r, 4);
	ck_assert_uint_eq(r.peer[4], 0);
	tcp(&r, 3, 73, NETNS, client, server);
	tcp(&r, 5, 75, NETNS, server, client);
	rig_fini(&r);
	ck_assert_uint_eq(r.peer[3], 75);
	ck_assert_uint_eq(r.peer[5], 73);
	ck_assert_uint_eq(r.peer[1], 72);
}
END_TEST

START_TEST(unix_sockets_know_their_other_end)
{
	struct rig r;

	rig_init(&r, 0);
	unix_socket(&r, 1, 71, 0x1000, 0x2000);
	unix_socket(&r, 2, 72, 0x2000, 0x1000);
	unix_socket(&r, 3, 73, 0x3000, 0x2000); /* says so, but that one is somebody else's */
	unix_socket(&r, 4, 74, 0x4000, 0);
	unix_socket(&r, 5, 75, 0, 0x4000);
	rig_fini(&r);
	ck_assert_uint_eq(r.peer[1], 72);
	ck_assert_uint_eq(r.peer[2], 71);
	ck_assert_uint_eq(r.peer[3], 0);
	ck_assert_uint_eq(r.peer[4], 0);
	ck_assert_uint_eq(r.peer[5], 0);
}
END_TEST

START_TEST(connections_that_make_room_leave_nothing_behind)
{
	struct rig r;

	rig_init(&r, 1);
	for (unsigned int i = 0; i < 100; i++) {
		tcp(&r, 1 + i % 2, 71 + i % 2, NETNS, i % 2 ? server : client,
		    i % 2 ? client : server);
		ck_assert_uint_eq(r.peer[1], 0);
		ck_assert_uint_eq(r.peer[2], 0);
	}
	rig_fini(&r);
}
END_TEST

Suite *ends_suite(void)
{
	Suite *s = suite_create("ends");
	TCase *t = tcase_create("peers");

	tcase_add_loop_test(t, two_sockets_are_one_connection_where_their_addresses_say_so, 0,
	                    sizeof(pairs) / sizeof(*pairs));
	tcase_add_test(t, a_process_that_takes_a_connection_over_is_the_peer_from_then_on);
	tcase_add_test(t, the_peer_is_still_known_after_its_end_is_closed);
	tcase_add_test(t, addresses_that_are_used_again_do_not_name_who_had_them_before);
	tcase_add_test(t, unix_sockets_know_their_other_end);
	tcase_add_test(t, connections_that_make_room_leave_nothing_behind);
	suite_add_tcase(s, t);
	return s;
}
