// SPDX-License-Identifier: GPL-3.0-or-later
/* rig - one socket through conn/ and span/. */
#include "tests/unit/rig.h"

#include <check.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>

static void take(void *ctx, struct batch *b)
{
	struct rig *r = ctx;

	ck_assert_uint_lt(r->nout, RIG_ROWS);
	r->out[r->nout++] = b;
}

void rig_interest(void *ctx, uint64_t conn, enum ev_level level)
{
	(void)conn;
	((struct rig *)ctx)->level = level;
}

void rig_skip(void *ctx, uint64_t conn, int dir, uint64_t until)
{
	(void)conn, (void)dir;
	((struct rig *)ctx)->skipped = until;
}

void rig_open(struct rig *r, struct pair_opts po, struct conns_opts co, struct ev_conn c)
{
	*r = (struct rig){ .pool = batch_pool_new(RIG_ROWS, 32), .now = 1000 * MS };
	po.pool = r->pool;
	po.emit = take;
	po.ctx = r;
	po.seed = 1;
	co.interest_ctx = r;
	r->pairs = pair_new(&po);
	r->conns = conns_new(&co, pair_sink(r->pairs));
	ck_assert(r->pool && r->pairs && r->conns);
	c.h = (struct ev_head){
		.ts_ns = r->now, .pid = 7, .tid = 7, .kind = EV_CONN, .size = sizeof(c)
	};
	c.conn = 5;
	c.family = AF_INET;
	r->off[0] = c.off[0];
	r->off[1] = c.off[1];
	conns_record(r->conns, &c.h, sizeof(c));
}

void rig_fini(struct rig *r)
{
	conns_free(r->conns);
	pair_flush(r->pairs);
	for (unsigned int i = 0; i < r->nout; i++)
		batch_put(r->out[i]);
	pair_free(r->pairs);
	batch_pool_free(r->pool);
}

/* A record with room for n bytes of a call that moved `len`. */
static struct ev_data *data(struct rig *r, enum ev_dir d, size_t n, size_t len)
{
	struct ev_data *e = calloc(1, sizeof(*e) + n);

	ck_assert_ptr_nonnull(e);
	r->now += MS;
	e->h = (struct ev_head){ .ts_ns = r->now, .pid = 7, .tid = 8, .kind = EV_DATA };
	e->h.size = (__u32)(sizeof(*e) + n);
	e->conn = 5;
	e->ts_enter_ns = r->began;
	e->off = r->off[d];
	e->len = (__u32)len;
	e->dir = d;
	return e;
}

static void record(struct rig *r, struct ev_data *e)
{
	conns_record(r->conns, &e->h, e->h.size);
	r->off[e->dir] += e->len;
	free(e);
}

void rig_move(struct rig *r, enum ev_dir d, const void *front, size_t n, size_t len,
              const char *tail)
{
	size_t m = strlen(tail);
	struct ev_data *e = data(r, d, n + m, len);

	e->head_len = (__u32)n;
	e->tail_len = (__u32)m;
	memcpy(e->bytes, front, n);
	memcpy(e->bytes + n, tail, m);
	record(r, e);
}

void rig_say(struct rig *r, enum ev_dir d, const char *text)
{
	rig_move(r, d, text, strlen(text), strlen(text), "");
}

void rig_datagram(struct rig *r, enum ev_dir d, const void *bytes, size_t n, uint8_t host,
                  uint16_t port)
{
	struct ev_peer peer = { .family = AF_INET };
	uint8_t from[] = { 10, 0, 0, host };
	struct ev_data *e = data(r, d, n + (host ? sizeof(peer) : 0), n);

	peer.port[0] = (__u8)(port >> 8);
	peer.port[1] = (__u8)port;
	memcpy(peer.v4, from, sizeof(from));
	e->head_len = (__u32)n;
	e->level = EV_LEVEL_FULL;
	e->flags = EV_F_DGRAM | (host ? EV_F_PEER : 0);
	memcpy(e->bytes, bytes, n);
	if (host)
		memcpy(e->bytes + n, &peer, sizeof(peer));
	record(r, e);
}

const void *rig_row(struct rig *r, enum table t, unsigned int i)
{
	pair_flush(r->pairs);
	for (unsigned int b = 0; b < r->nout; b++)
		for (unsigned int k = 0; k < r->out[b]->n; k++)
			if (r->out[b]->items[k].table == t && !i--)
				return r->out[b]->items[k].row;
	return NULL;
}

const void *rig_last(struct rig *r, enum table t)
{
	const void *row, *last = NULL;

	for (unsigned int i = 0; (row = rig_row(r, t, i)); i++)
		last = row;
	return last;
}
