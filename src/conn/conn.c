// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * conn - the table of connections and their life.
 *
 * Connections are ordered by their last use; when there are too many, the one
 * unused for longest goes, and is counted. Offsets come from the records; a
 * hole before a record is split into what the kernel counted as lost and what
 * no probe saw.
 */
#include "conn/table.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>

enum { MAX_CONNS = 65536, MAX_PENDING = 16 << 20, LEAST_PENDING = 1 << 20 };

struct conns *conns_new(const struct conns_opts *o, const struct conn_sink *sink)
{
	struct conns *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->opts = *o;
	if (!t->opts.max)
		t->opts.max = MAX_CONNS;
	if (!t->opts.pending_max)
		t->opts.pending_max = MAX_PENDING;
	if (t->opts.pending_max < LEAST_PENDING)
		t->opts.pending_max = LEAST_PENDING;
	t->sink = sink;
	t->trial = malloc(PROTO_STATE);
	t->room = o->headers ? malloc(PROTO_ROOM) : NULL;
	if (!t->trial || (o->headers && !t->room)) {
		free(t->room);
		free(t->trial);
		free(t);
		errno = ENOMEM;
		return NULL;
	}
	return t;
}

static void unlink_conn(struct conns *t, struct conn *c)
{
	*(c->older ? &c->older->newer : &t->oldest) = c->newer;
	*(c->newer ? &c->newer->older : &t->newest) = c->older;
	c->older = c->newer = NULL;
}

static void link_newest(struct conns *t, struct conn *c)
{
	c->older = t->newest;
	*(t->newest ? &t->newest->newer : &t->oldest) = c;
	t->newest = c;
}

/* What the parser still has to say, at the moment at which the connection ended. */
static void last_word(struct conns *t, struct conn *c, const struct moment *at)
{
	struct moment end = *at;
	struct msg m = MSG_INIT;

	if (!c->proto || !c->proto->finish || !c->proto->finish(c->state, c->end_ns != 0, &m))
		return;
	if (c->end_ns > end.ts_ns)
		end = (struct moment){ .ts_ns = c->end_ns, .pid = at->pid, .tid = at->tid };
	t->sink->message(t->sink->ctx, c, DIR_RESP, &m, &end, &end, 0);
}

static void forget(struct conns *t, struct conn *c, const struct moment *at)
{
	for (int d = 0; d < 2; d++)
		feed_end(t, c, (enum ev_dir)d, at);
	last_word(t, c, at);
	if (c->why == WHY_WAITING && !c->nfirst && !c->lost_bytes &&
	    c->dir[0].total + c->dir[1].total)
		c->why = WHY_NO_BYTES;
	if (c->dgram)
		dgram_forget(t, c);
	t->sink->closed(t->sink->ctx, c, at);
	t->timed -= c->timed;
	unlink_conn(t, c);
	ends_drop(t, c);
	hash_del(&t->by_id, c->id);
	free(c->state);
	free(c);
	t->n--;
}

void conns_timed(struct conns *t, struct conn *c)
{
	t->timed += !c->timed;
	c->timed = true;
}

void conns_forget(struct conns *t, struct conn *c)
{
	struct moment at = c->dir[c->last_dir & 1].last;

	c->end_ns = at.ts_ns;
	forget(t, c, &at);
}

static uint64_t listen_key(uint32_t netns, uint16_t port)
{
	return (uint64_t)netns << 16 | port | 1ull << 63;
}

static struct conn *add(struct conns *t, uint64_t id, uint64_t ts_ns)
{
	struct conn *c;

	if (t->n >= t->opts.max) {
		struct moment at = t->oldest->dir[t->oldest->last_dir & 1].last;

		t->stats.evicted++;
		forget(t, t->oldest, &at);
	}
	c = calloc(1, sizeof(*c));
	if (!c)
		return NULL;
	c->id = id;
	c->first_ns = ts_ns;
	c->last_dir = 0xff;
	c->why = WHY_WAITING;
	if (hash_set(&t->by_id, id, c)) {
		free(c);
		return NULL;
	}
	link_newest(t, c);
	t->n++;
	t->stats.conns++;
	return c;
}

/* Loopback, or both ends with one address: the other end is on this host, in this namespace. */
static bool is_local(const struct ev_conn *e)
{
	static const uint8_t loopback[16] = { [15] = 1 };
	size_t n = e->family == AF_INET ? 4 : 16;

	return !memcmp(e->laddr, e->raddr, n) ||
	       (e->family == AF_INET ? e->raddr[0] == 127 : !memcmp(e->raddr, loopback, n));
}

void conns_side(struct conns *t, struct conn *c)
{
	const struct ev_conn *e = &c->info;

	if (c->side != SIDE_UNKNOWN || !c->have_info || e->family == AF_UNIX ||
	    e->type == SOCK_DGRAM)
		return;
	if (hash_get(&t->listens, listen_key(e->netns, e->lport)))
		c->side = SIDE_SERVER;
	else if (is_local(e) && hash_get(&t->listens, listen_key(e->netns, e->rport)))
		c->side = SIDE_CLIENT;
	c->listed = c->side != SIDE_UNKNOWN;
}

static void on_conn(struct conns *t, const struct ev_conn *e)
{
	struct conn *c = hash_get(&t->by_id, e->conn);

	if (!c)
		c = add(t, e->conn, e->h.ts_ns);
	if (!c || c->have_info)
		return;
	c->info = *e;
	c->have_info = true;
	if (e->state != TCP_CLOSE) /* at the end any task may run the probe */
		c->pid = e->h.pid;
	if (!(e->flags & EV_C_FROM_START)) {
		c->flags |= CONN_F_JOINED_MID;
		c->unpaired = true;
	}
	if (e->flags & EV_C_CONNECTED) {
		c->side = SIDE_CLIENT;
		c->listed = true;
	}
	conns_side(t, c);
	ends_add(t, c);
	for (int d = 0; d < 2; d++) {
		if (c->dir[d].started)
			continue;
		c->dir[d].next = e->off[d];
		c->dir[d].started = true;
		c->dir[d].synced = true;
	}
}

/* The hole before a record at offset off: lost in the ring, muted, or never seen by a probe. */
static void hole_before(struct conns *t, struct conn *c, enum ev_dir d, uint64_t off, uint64_t lost,
                        const struct moment *at)
{
	uint64_t n = off - c->dir[d].next;
	bool muted = c->level == EV_LEVEL_MUTE;

	if (lost > n)
		lost = n;
	c->lost_bytes += lost;
	*(muted ? &c->cut_bytes : &c->unseen_bytes) += n - lost;
	t->stats.lost_bytes += lost;
	*(muted ? &t->stats.cut_bytes : &t->stats.unseen_bytes) += n - lost;
	t->stats.moved_bytes += n;
	c->dir[d].total += n;
	if (lost || !muted)
		c->flags |= CONN_F_GAP;
	feed_hole(t, c, d, n, true, at);
}

static void count_seen(struct conns *t, struct conn *c, size_t n)
{
	c->seen_bytes += n;
	t->stats.seen_bytes += n;
}

static void note_first(struct conn *c, const uint8_t *p, size_t n)
{
	size_t room = sizeof(c->first) - c->nfirst;

	if (c->proto || !room)
		return;
	memcpy(c->first + c->nfirst, p, n < room ? n : room);
	c->nfirst += (uint8_t)(n < room ? n : room);
}

/* The payload: its front, what was left out of it, its end. */
static void feed_payload(struct conns *t, struct conn *c, const struct ev_data *e, uint32_t skip,
                         const struct moment *at)
{
	enum ev_dir d = (enum ev_dir)(e->dir & 1);
	uint32_t head = e->head_len, tail = e->tail_len, middle = e->len - head - tail;

	if (skip < head) {
		count_seen(t, c, head - skip);
		feed_bytes(t, c, d, e->bytes + skip, head - skip, at);
	}
	skip = skip > head ? skip - head : 0;
	if (middle > skip) {
		c->cut_bytes += middle - skip;
		t->stats.cut_bytes += middle - skip;
		feed_hole(t, c, d, middle - skip, false, at);
	}
	skip = skip > middle ? skip - middle : 0;
	if (tail > skip) {
		count_seen(t, c, tail - skip);
		feed_bytes(t, c, d, e->bytes + head + skip, tail - skip, at);
	}
}

static void touch(struct conns *t, struct conn *c, const struct ev_data *e, const struct moment *at)
{
	if (t->newest != c) {
		unlink_conn(t, c);
		link_newest(t, c);
	}
	if (c->last_dir != e->dir && c->turns < UINT16_MAX)
		c->turns++;
	c->last_dir = e->dir & 1;
	if (c->pid != e->h.pid) {
		c->pid = e->h.pid;
		ends_pid(c);
	}
	c->dir[e->dir & 1].last = *at;
	if (e->class)
		c->class = e->class;
}

static void on_data(struct conns *t, const struct ev_data *e)
{
	struct conn *c = hash_get(&t->by_id, e->conn);
	struct moment at = { e->h.ts_ns, e->ts_enter_ns, e->h.task, e->h.pid, e->h.tid };
	enum ev_dir d = (enum ev_dir)(e->dir & 1);
	struct stream *s;
	uint32_t skip = 0;

	if (!c)
		c = add(t, e->conn, e->h.ts_ns);
	if (!c)
		return;
	touch(t, c, e, &at);
	s = &c->dir[d];
	note_first(c, e->bytes, e->head_len);
	if (!s->started) {
		/* Its EV_CONN was lost: nothing is known of what was before. */
		c->flags |= CONN_F_JOINED_MID;
		c->unpaired = true;
		s->started = true;
		s->next = e->off;
	}
	if (e->flags & EV_F_DGRAM) {
		dgram_data(t, c, e, &at);
		return;
	}
	if (e->off > s->next)
		hole_before(t, c, d, e->off, e->lost_bytes, &at);
	else if (e->off < s->next)
		t->stats.late++, skip = (uint32_t)(s->next - e->off);
	t->stats.moved_bytes += e->len > skip ? e->len - skip : 0;
	s->total += e->len > skip ? e->len - skip : 0;
	if (skip < e->len)
		feed_payload(t, c, e, skip, &at);
	if (e->flags & EV_F_EOF)
		feed_end(t, c, d, &at);
}

static void on_close(struct conns *t, const struct ev_close *e)
{
	struct conn *c = hash_get(&t->by_id, e->conn);
	struct moment at = { .ts_ns = e->h.ts_ns };

	if (!c)
		return;
	for (int d = 0; d < 2; d++) {
		struct stream *s = &c->dir[d];
		uint64_t n = s->started && e->off[d] > s->next ? e->off[d] - s->next : 0;

		/* A FIN that was sent counts as one byte of the sequence. */
		if (d == EV_SEND && n)
			n--;
		if (n)
			hole_before(t, c, (enum ev_dir)d, s->next + n, e->lost_bytes[d], &at);
	}
	c->end_ns = e->h.ts_ns;
	c->srtt_us = e->srtt_us;
	c->retransmits = e->retransmits;
	at = c->dir[c->last_dir & 1].last;
	forget(t, c, &at);
}

static bool whole(const struct ev_head *rec, size_t size)
{
	const struct ev_data *e = (const void *)rec;

	switch (rec->kind) {
	case EV_CONN:
	case EV_LISTEN:
		return size >= sizeof(struct ev_conn);
	case EV_CLOSE:
		return size >= sizeof(struct ev_close);
	case EV_DATA:
		return size >= sizeof(*e) && e->head_len <= e->len &&
		       e->tail_len <= e->len - e->head_len &&
		       size - sizeof(*e) >=
		               (size_t)e->head_len + e->tail_len +
		                       (e->flags & EV_F_PEER ? sizeof(struct ev_peer) : 0);
	default:
		return false;
	}
}

void conns_record(struct conns *t, const struct ev_head *rec, size_t size)
{
	const struct ev_conn *listen = (const void *)rec;

	if (!whole(rec, size))
		return;
	t->stats.records++;
	conns_time(t, rec->ts_ns);
	switch (rec->kind) {
	case EV_CONN:
		on_conn(t, listen);
		break;
	case EV_LISTEN:
		/* Full or not: a listener that is not remembered costs a hint, nothing more. */
		(void)hash_set(&t->listens, listen_key(listen->netns, listen->lport), t);
		break;
	case EV_DATA:
		on_data(t, (const void *)rec);
		break;
	case EV_CLOSE:
		on_close(t, (const void *)rec);
		break;
	}
}

void conns_exit(struct conns *t, uint32_t pid, uint64_t ts_ns)
{
	struct conn *next;

	for (struct conn *c = t->oldest; c; c = next) {
		struct moment at = c->dir[c->last_dir & 1].last;

		next = c->newer;
		if (c->pid != pid || (c->info.family != AF_UNIX && !c->dgram))
			continue;
		if (c->dgram)
			t->sink->expire(t->sink->ctx, c, ts_ns, true);
		c->end_ns = ts_ns;
		forget(t, c, &at);
	}
}

void conns_finish(struct conns *t)
{
	while (t->oldest) {
		struct moment at = t->oldest->dir[t->oldest->last_dir & 1].last;

		forget(t, t->oldest, &at);
	}
}

void conns_stats(const struct conns *t, struct conn_stats *out)
{
	*out = t->stats;
	out->pending_bytes = t->held;
}

void conns_free(struct conns *t)
{
	if (!t)
		return;
	conns_finish(t);
	hash_free(&t->by_id);
	hash_free(&t->listens);
	hash_free(&t->ends);
	free(t->room);
	free(t->trial);
	free(t);
}

const char *conn_why(const struct conn *c)
{
	switch (c->why) {
	case WHY_ENCRYPTED:
		return "encrypted: the plaintext is not read in this version";
	case WHY_UNKNOWN:
		return c->dgram ? "no known protocol in the first 16 datagrams"
		                : "no known protocol in the first 64 KiB";
	case WHY_ERRORS:
		return "looked like a known protocol, but could not be parsed";
	case WHY_NO_BYTES:
		return "bytes moved where no probe can copy them (sendfile, splice, io_uring)";
	case WHY_WAITING:
		return "too few bytes to tell";
	case WHY_NONE:
		break;
	}
	return NULL;
}
