// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * dgram - datagrams: each is whole, and read by itself.
 *
 * A socket for datagrams is one connection, whoever it talks to; the other end
 * belongs to the datagram. Offsets count bytes, so that holes tell what was
 * lost, but threads that share a socket may report in another order: what comes
 * late was taken for missing. Nothing tells of the end of such a socket: it is
 * over when it has been quiet for QUIET_NS and no request is open.
 */
#include <netinet/in.h>
#include <stdlib.h>

#include "conn/table.h"

enum { TRIES = 16, MAX_BAD = 8, MAX_HELD = 8, HOLD_NS = 100 * 1000 * 1000 };
#define SWEEP_NS 500000000ull
#define QUIET_NS 8000000000ull

/* An answer that came before its request. */
struct held {
	struct held *next;
	struct moment at;
	struct conn_peer peer;
	uint32_t len;
	enum ev_dir dir;
	uint8_t bytes[];
};

/* ---- the other end ---- */

/* As IPv6 shows it, so that one address has one form. */
static struct conn_peer peer_of(const struct ev_data *e)
{
	struct conn_peer p = { 0 };
	struct ev_peer at;

	if (!(e->flags & EV_F_PEER))
		return p;
	memcpy(&at, e->bytes + e->head_len + e->tail_len, sizeof(at));
	p.port = (uint16_t)(at.port[0] << 8 | at.port[1]);
	if (at.family == AF_INET6) {
		memcpy(p.addr, at.v6, 16);
	} else if (at.family == AF_INET) {
		p.addr[10] = p.addr[11] = 0xff;
		memcpy(p.addr + 12, at.v4, 4);
	} else {
		return p;
	}
	p.known = true;
	return p;
}

static void note_peer(struct conn *c, const struct ev_data *e)
{
	c->peer = peer_of(e);
	if (!c->peer.known || c->many_peers)
		return;
	if (c->only.known && memcmp(&c->only, &c->peer, sizeof(c->only)))
		c->many_peers = true;
	c->only = c->peer;
}

/* ---- bytes ---- */

/* What is missing before a datagram: left out on purpose, lost in the ring, or seen by no probe. */
static void hole(struct conns *t, struct conn *c, enum ev_dir d, const struct ev_data *e)
{
	struct stream *s = &c->dir[d];
	uint64_t n = e->off - s->next, lost = e->lost_bytes < n ? e->lost_bytes : n;
	bool muted = e->level == EV_LEVEL_MUTE;

	c->lost_bytes += lost;
	t->stats.lost_bytes += lost;
	*(muted ? &c->cut_bytes : &c->unseen_bytes) += n - lost;
	*(muted ? &t->stats.cut_bytes : &t->stats.unseen_bytes) += n - lost;
	t->stats.moved_bytes += n;
	s->total += n;
	s->next = e->off;
	if (muted || !n)
		return;
	c->flags |= CONN_F_GAP;
	c->unpaired = true;
	if (c->proto && conn_role(c, d) == DIR_RESP)
		t->sink->gap(t->sink->ctx, c, DIR_RESP, n, true);
}

static void account(struct conns *t, struct conn *c, enum ev_dir d, const struct ev_data *e)
{
	struct stream *s = &c->dir[d];
	uint32_t seen = e->head_len + e->tail_len;

	if (e->off > s->next) {
		hole(t, c, d, e);
	} else if (e->off < s->next) {
		t->stats.late++;
		if (c->unseen_bytes >= e->len) {
			c->unseen_bytes -= e->len;
			t->stats.unseen_bytes -= e->len;
			t->stats.moved_bytes -= e->len;
			s->total -= e->len;
		}
	}
	if (e->off + e->len > s->next)
		s->next = e->off + e->len;
	s->total += e->len;
	t->stats.moved_bytes += e->len;
	c->seen_bytes += seen;
	t->stats.seen_bytes += seen;
	c->cut_bytes += e->len - seen;
	t->stats.cut_bytes += e->len - seen;
}

static void unparsed(struct conns *t, struct conn *c, size_t n)
{
	c->unparsed_bytes += n;
	t->stats.unparsed_bytes += n;
}

/* ---- messages ---- */

static void detect(struct conns *t, struct conn *c, enum ev_dir d, struct cur in)
{
	struct verdict v = proto_detect_datagram(in, c->info.lport, c->info.rport);

	if (v.sure >= SURE_LIKELY) {
		c->sure = v.sure;
		c->why = WHY_NONE;
		c->side = v.swapped == (d == EV_RECV) ? SIDE_CLIENT : SIDE_SERVER;
		talk_set_proto(t, c, proto_by_id(v.id));
	} else if (++c->datagrams >= TRIES) {
		talk_give_up(t, c, WHY_UNKNOWN);
	}
}

static void hold(struct conns *t, struct conn *c, enum ev_dir d, struct cur in,
                 const struct moment *at)
{
	struct held **to = &c->held, *h;
	unsigned int n = 0;

	for (; *to; to = &(*to)->next)
		n++;
	h = n < MAX_HELD ? malloc(sizeof(*h) + cur_left(&in)) : NULL;
	if (!h) {
		t->stats.orphans++;
		return;
	}
	*h = (struct held){ .at = *at, .peer = c->peer, .len = (uint32_t)cur_left(&in), .dir = d };
	memcpy(h->bytes, in.p, h->len);
	*to = h;
}

/* An answer without a request: false where the request may still come. */
static bool orphan(struct conns *t, const struct conn *c, const struct msg *m)
{
	if (m->kind != MSG_RESP && m->kind != MSG_INTERIM)
		return false;
	return !t->sink->awaits(t->sink->ctx, c, m->id);
}

/* One datagram; false: an answer whose request has still to come. */
static bool take(struct conns *t, struct conn *c, enum ev_dir d, struct cur in,
                 const struct moment *at, bool last)
{
	enum dir role = conn_role(c, d);
	size_t n = cur_left(&in), size = c->proto->state_size;
	struct msg m = MSG_INIT;

	memcpy(t->trial, c->state, size);
	if (c->proto->datagram(t->trial, role, &in, &m) != PARSE_OK) {
		t->stats.parse_errors++;
		unparsed(t, c, n);
		if (++c->bad >= MAX_BAD)
			talk_unlearn(t, c);
		return true;
	}
	if (orphan(t, c, &m)) {
		if (!last && !c->unpaired)
			return false;
		t->stats.orphans++;
		return true;
	}
	memcpy(c->state, t->trial, size);
	if (c->bad)
		c->bad--;
	if (m.kind == MSG_REQ)
		c->unpaired = false;
	t->sink->message(t->sink->ctx, c, role, &m, at, at, n);
	return true;
}

/* Answers that wait for their request: there it is, or it will not come any more. */
static void retry(struct conns *t, struct conn *c, uint64_t now)
{
	struct held **at = &c->held;

	while (*at && c->proto) {
		struct held *h = *at;

		c->peer = h->peer;
		if (!take(t, c, h->dir, cur_of(h->bytes, h->len), &h->at,
		          now > h->at.ts_ns + HOLD_NS)) {
			at = &h->next;
			continue;
		}
		*at = h->next;
		free(h);
	}
}

void dgram_forget(struct conns *t, struct conn *c)
{
	if (c->proto)
		retry(t, c, UINT64_MAX);
	while (c->held) {
		struct held *h = c->held;

		c->held = h->next;
		free(h);
	}
}

void dgram_data(struct conns *t, struct conn *c, const struct ev_data *e, const struct moment *at)
{
	enum ev_dir d = (enum ev_dir)(e->dir & 1);
	struct cur in = cur_of(e->bytes, e->head_len);

	conns_timed(t, c);
	c->dgram = true;
	account(t, c, d, e);
	note_peer(c, e);
	if (c->why != WHY_NONE && c->why != WHY_WAITING) {
		unparsed(t, c, e->head_len + e->tail_len);
		return;
	}
	in.cut = e->head_len < e->len;
	if (!c->proto && e->head_len)
		detect(t, c, d, in);
	if (c->proto &&
	    !c->proto->datagram) { /* a recording says that the socket was for a stream */
		unparsed(t, c, e->head_len + e->tail_len);
		return;
	}
	unparsed(t, c, c->proto ? e->tail_len : e->head_len + e->tail_len);
	if (!c->proto || !e->head_len)
		return;
	if (!take(t, c, d, in, at, false))
		hold(t, c, d, in, at);
	else if (c->held)
		retry(t, c, at->ts_ns);
}

/* ---- time ---- */

static bool is_over(const struct conns *t, const struct conn *c, uint64_t now)
{
	uint64_t last = c->dir[c->last_dir & 1].last.ts_ns;

	return c->dgram && now > last + QUIET_NS && !t->sink->open(t->sink->ctx, c);
}

void conns_time(struct conns *t, uint64_t now)
{
	struct conn *next;

	if (!t->timed || now < t->swept_ns + SWEEP_NS)
		return;
	t->swept_ns = now;
	for (struct conn *c = t->oldest; c; c = next) {
		next = c->newer;
		if (!c->timed)
			continue;
		if (c->held)
			retry(t, c, now);
		t->sink->expire(t->sink->ctx, c, now, false);
		if (is_over(t, c, now))
			conns_forget(t, c);
	}
}
