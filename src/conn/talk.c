// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * talk - which protocol a connection speaks, and its messages.
 *
 * An answer can overtake its request: a thread that reads may report before the
 * thread that wrote has returned from its call (seen in 0.65% of loopback
 * receives). So an answer that meets no open request waits ("stalls") in its
 * stream until the request has been parsed; its parser ran on a copy of the
 * state, which is thrown away.
 *
 * After a hole, or on a connection that was open before tracing began, the
 * first answers belong to requests that nobody saw: c->unpaired is set and they
 * are counted as orphans instead.
 */
#include "conn/table.h"

#include <stdlib.h>

enum { MAX_BAD = 8, MAX_UNLEARNED = 3, DETECT_BYTES = 64 * 1024, STALL_NS = 100 * 1000 * 1000 };

void talk_interest(struct conns *t, struct conn *c, enum ev_level level)
{
	if (c->level == level)
		return;
	c->level = (uint8_t)level;
	if (t->opts.interest)
		t->opts.interest(t->opts.interest_ctx, c->id, level);
}

void talk_give_up(struct conns *t, struct conn *c, enum why why)
{
	c->why = why;
	t->stats.undecoded++;
	for (int d = 0; d < 2; d++) {
		c->unparsed_bytes += stream_len(&c->dir[d]);
		t->stats.unparsed_bytes += stream_len(&c->dir[d]);
		stream_drop(&c->dir[d], stream_len(&c->dir[d]), &t->held);
		c->dir[d].stalled = false;
	}
	talk_interest(t, c, EV_LEVEL_MUTE);
}

void talk_set_proto(struct conns *t, struct conn *c, const struct proto *p)
{
	free(c->state);
	c->state = NULL;
	if (p && p->state_size) {
		c->state = calloc(1, p->state_size);
		if (!c->state)
			p = NULL;
		else if (p->room && t->room)
			p->room(c->state, t->room);
	}
	c->proto = p;
	c->bad = 0;
	for (int d = 0; d < 2; d++) {
		c->dir[d].skip = 0;
		c->dir[d].in_skip = false;
		c->dir[d].stalled = false;
		c->dir[d].synced = p && !(c->flags & CONN_F_JOINED_MID);
	}
	if (p && p->timeout_ms)
		conns_timed(t, c);
	if (p)
		talk_interest(t, c, p->full_payload ? EV_LEVEL_ALL : EV_LEVEL_FULL);
	t->sink->verdict(t->sink->ctx, c);
}

bool talk_detect(struct conns *t, struct conn *c)
{
	struct cur say[2];
	struct verdict v;
	int sender_is_client;

	conns_side(t, c); /* a listener may have become known since */
	sender_is_client = c->side == SIDE_UNKNOWN ? -1 : c->side == SIDE_CLIENT;
	for (int d = 0; d < 2; d++) {
		struct stream *s = &c->dir[d];

		say[d] = stream_len(s) ? cur_of(s->pend->bytes, s->pend->len) : cur_of("", 0);
	}
	v = proto_detect(say[EV_SEND], say[EV_RECV], sender_is_client, (enum proto_id)c->class,
	                 c->turns, !(c->flags & CONN_F_JOINED_MID), c->info.lport, c->info.rport);
	if (v.sure >= SURE_LIKELY) {
		c->sure = v.sure;
		c->why = WHY_NONE;
		if (c->side == SIDE_UNKNOWN)
			c->side = v.swapped ? SIDE_SERVER : SIDE_CLIENT;
		talk_set_proto(t, c, proto_by_id(v.id));
		return c->proto != NULL;
	}
	if (stream_len(&c->dir[0]) + stream_len(&c->dir[1]) >= DETECT_BYTES)
		talk_give_up(t, c, WHY_UNKNOWN);
	return false;
}

/* Too many errors: the verdict was wrong. Another one may be found in later bytes. */
void talk_unlearn(struct conns *t, struct conn *c)
{
	t->stats.unlearned++;
	c->unlearned++;
	c->unpaired = true;
	c->flags |= CONN_F_JOINED_MID;
	if (!c->have_info || !c->listed)
		c->side = SIDE_UNKNOWN;
	talk_set_proto(t, c, NULL);
	if (c->unlearned > MAX_UNLEARNED)
		talk_give_up(t, c, WHY_ERRORS);
}

/* Finds the next message after a hole or an error; false: not in these bytes. */
static bool resync(struct conns *t, struct conn *c, enum ev_dir d, struct cur *in)
{
	const uint8_t *p = NULL;
	size_t gone;

	if (c->proto->resync)
		p = c->proto->resync(c->state, conn_role(c, d), *in);
	gone = p ? (size_t)(p - in->p) : cur_left(in);
	c->unparsed_bytes += gone;
	t->stats.unparsed_bytes += gone;
	in->p += gone;
	if (!p)
		return false;
	t->stats.resyncs++;
	c->dir[d].synced = true;
	return true;
}

static bool is_answer(const struct msg *m)
{
	return m->kind == MSG_RESP || m->kind == MSG_INTERIM;
}

enum step { STEP_OK, STEP_MORE, STEP_BAD, STEP_STALL, STEP_ORPHAN };

/* Whether an answer begins here whose request has still to come. */
static bool overtakes(const struct conns *t, const struct conn *c, enum dir role, struct cur in)
{
	uint64_t id = 0;

	if (role == DIR_RESP && c->proto->answers && !c->unpaired)
		id = c->proto->answers(c->state, in);
	return id && !t->sink->awaits(t->sink->ctx, c, id);
}

/* One message. With no request open, an answer is tried on a copy of the state. */
static enum step step(struct conns *t, struct conn *c, enum ev_dir d, struct cur *in, struct msg *m)
{
	enum dir role = conn_role(c, d);
	bool trial = role == DIR_RESP && !c->proto->answers && !t->sink->open(t->sink->ctx, c);
	size_t size = c->proto->state_size;
	struct cur before = *in;
	void *state = c->state;
	enum parse r;

	if (overtakes(t, c, role, *in))
		return STEP_STALL;
	if (trial && size) {
		memcpy(t->trial, c->state, size);
		state = t->trial;
	}
	*m = MSG_INIT;
	r = c->proto->parse(state, role, in, m);
	if (r != PARSE_OK)
		return r == PARSE_MORE ? STEP_MORE : STEP_BAD;
	if (trial && is_answer(m) && !c->unpaired) {
		*in = before;
		return STEP_STALL;
	}
	if (trial && size)
		memcpy(c->state, t->trial, size);
	if (m->flags & MSG_F_ORPHAN && !t->sink->awaits(t->sink->ctx, c, m->id))
		return STEP_ORPHAN;
	return trial && is_answer(m) ? STEP_ORPHAN : STEP_OK;
}

static void on_bad(struct conns *t, struct conn *c, enum ev_dir d, struct cur *in)
{
	t->stats.parse_errors++;
	c->bad++;
	c->unparsed_bytes++;
	t->stats.unparsed_bytes++;
	in->p++;
	c->dir[d].synced = false;
	c->unpaired = true;
	t->sink->gap(t->sink->ctx, c, conn_role(c, d), 0, true);
	if (c->bad >= MAX_BAD)
		talk_unlearn(t, c);
}

/* What a message means for the connection, after the sink has it. */
static void after(struct conns *t, struct conn *c, enum ev_dir d, const struct msg *m)
{
	struct stream *s = &c->dir[d];

	if (c->bad)
		c->bad--;
	if (m->kind == MSG_REQ)
		c->unpaired = false;
	/* The heads of later messages lie inside long runs of bytes: pipelines, chunked bodies. */
	if ((m->kind == MSG_REQ && t->sink->open(t->sink->ctx, c) > 1) ||
	    (m->kind == MSG_INTERIM && m->flags & MSG_F_BODY && !m->skip))
		talk_interest(t, c, EV_LEVEL_ALL);
	s->skip = m->flags & MSG_F_CLOSES ? UINT64_MAX : m->skip;
	s->in_skip = s->skip != 0;
	s->body = t->sink->body ? m->body : 0;
	s->unwanted = false;
	if (m->content.len && t->sink->body)
		t->sink->body(t->sink->ctx, c, conn_role(c, d), (const uint8_t *)m->content.s,
		              m->content.len);
	if (m->flags & MSG_F_MUTE) {
		c->why = WHY_ENCRYPTED;
		talk_interest(t, c, EV_LEVEL_MUTE);
	}
	if (!m->next)
		return;
	c->flags &= ~CONN_F_JOINED_MID; /* the next protocol is seen from its first byte */
	talk_set_proto(t, c, m->next == PROTO_NEXT_DETECT ? NULL : proto_by_id(m->next));
	c->turns = 0;
}

enum { SKIP_BYTES = 32 * 1024 };

/* A long body follows that nobody reads, `left` bytes of it are here: the kernel need not copy the rest. */
static void tell_skip(struct conns *t, struct conn *c, enum ev_dir d, uint64_t off, size_t left)
{
	const struct stream *s = &c->dir[d];

	if (!t->opts.skip || !s->in_skip || (s->body && !s->unwanted) ||
	    s->skip < left + SKIP_BYTES)
		return;
	t->opts.skip(t->opts.interest_ctx, c->id, d,
	             off + (s->skip == UINT64_MAX ? UINT64_MAX / 4 : s->skip));
}

void talk_body(struct conns *t, struct conn *c, enum ev_dir d, const uint8_t *p, uint64_t n,
               uint64_t off)
{
	struct stream *s = &c->dir[d];
	uint64_t take = s->body < n ? s->body : n;

	if (!take)
		return;
	if (s->body != UINT64_MAX)
		s->body -= take;
	if (t->sink->body(t->sink->ctx, c, conn_role(c, d), p, take) || s->unwanted)
		return;
	s->unwanted = true; /* what follows is but counted */
	tell_skip(t, c, d, off, n);
}

/* Whether the other side said something before the byte at `off` that is not read yet. */
static bool is_out_of_turn(const struct conn *c, enum ev_dir d, uint64_t off)
{
	const struct pending *other = c->dir[!d].pend;

	return c->dir[d].in_turn && other &&
	       other->marks[0].at.ts_ns < stream_moment(&c->dir[d], off)->ts_ns;
}

size_t talk_consume(struct conns *t, struct conn *c, enum ev_dir d, struct cur in, uint64_t off,
                    const struct moment *direct)
{
	struct stream *s = &c->dir[d];
	const uint8_t *start = in.p;
	const struct moment *first, *last;
	struct msg m;

	while (c->proto && cur_left(&in) && !s->stalled) {
		const uint8_t *at = in.p;
		enum step r;

		if (is_out_of_turn(c, d, off + (uint64_t)(at - start)) ||
		    (!s->synced && !resync(t, c, d, &in)))
			break;
		at = in.p;
		r = step(t, c, d, &in, &m);
		if (r == STEP_MORE)
			break;
		if (r == STEP_STALL) {
			s->stalled = true;
			break;
		}
		if (r == STEP_BAD) {
			on_bad(t, c, d, &in);
			continue;
		}
		first = direct ? direct : stream_moment(s, off + (uint64_t)(at - start));
		last = direct ? direct : stream_moment(s, off + (uint64_t)(in.p - start) - 1);
		if (r == STEP_ORPHAN) /* its body is nobody's */
			m.body = m.content.len = 0,
			t->stats.orphans += m.kind == MSG_RESP || !(m.flags & MSG_F_ORPHAN);
		else
			t->sink->message(t->sink->ctx, c, conn_role(c, d), &m, first, last,
			                 (uint64_t)(in.p - at));
		after(t, c, d, &m);
		tell_skip(t, c, d, off + (uint64_t)(in.p - start), cur_left(&in));
		if (s->in_skip) {
			uint64_t n = s->skip < cur_left(&in) ? s->skip : cur_left(&in);

			if (n) {
				uint64_t end = off + (uint64_t)(in.p - start) + n - 1;

				talk_body(t, c, d, in.p, n, end + 1 - n);
				in.p += n;
				if (s->skip != UINT64_MAX)
					s->skip -= n;
				s->in_skip = s->skip != 0;
				t->sink->passed(t->sink->ctx, c, conn_role(c, d), n, !s->in_skip,
				                direct ? direct : stream_moment(s, end));
			}
		}
	}
	return (size_t)(in.p - start);
}

/* An answer that has waited too long belongs to no request that will still come. */
static void check_stall(struct conns *t, struct conn *c, enum ev_dir d)
{
	struct stream *s = &c->dir[d];

	if (!s->stalled)
		return;
	if (!c->proto->answers && t->sink->open(t->sink->ctx, c)) {
		s->stalled = false;
	} else if (c->dir[!d].last.ts_ns > s->pend->marks[0].at.ts_ns + STALL_NS ||
	           stream_len(s) > STREAM_MAX / 2) {
		s->stalled = false;
		c->unpaired = true;
	} else if (c->proto->answers) {
		s->stalled = false; /* and tried again */
	}
}

/* Takes what it can from one direction's pending bytes. True if anything moved. */
static bool pump(struct conns *t, struct conn *c, enum ev_dir d, bool in_turn)
{
	struct stream *s = &c->dir[d];
	size_t done;

	if (!stream_len(s) || !c->proto)
		return false;
	s->in_turn = in_turn;
	check_stall(t, c, d);
	done = talk_consume(t, c, d, cur_of(s->pend->bytes, s->pend->len), s->next - s->pend->len,
	                    NULL);
	s->in_turn = false;
	stream_drop(s, done, &t->held);
	return done > 0;
}

/* The direction whose pending bytes are older: what was said first is read first. */
static enum ev_dir older(const struct conn *c)
{
	const struct pending *in = c->dir[EV_RECV].pend, *out = c->dir[EV_SEND].pend;

	if (!in || !out)
		return in ? EV_RECV : EV_SEND;
	return out->marks[0].at.ts_ns < in->marks[0].at.ts_ns ? EV_SEND : EV_RECV;
}

void talk_pump(struct conns *t, struct conn *c)
{
	bool moved = true;

	while (moved && (stream_len(&c->dir[0]) || stream_len(&c->dir[1]))) {
		enum ev_dir first = older(c);

		if (!c->proto && !talk_detect(t, c))
			return;
		moved = pump(t, c, first, true);
		moved = pump(t, c, !first, true) || moved;
		/* What is torn, or waits for its request, must not hold up the rest. */
		if (!moved) {
			moved = pump(t, c, first, false);
			moved = pump(t, c, !first, false) || moved;
		}
	}
}
