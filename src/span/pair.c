// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * pair - messages to spans.
 *
 * Most protocols answer in the order of the requests: a queue a connection is
 * enough. When bytes are lost, nobody can tell which requests were inside;
 * then every open request of the connection is broken, rather than given the
 * answer of another.
 */
#include "span/pair.h"

#include <errno.h>
#include <stdlib.h>

#include "span/body.h"
#include "span/late.h"
#include "span/queue.h"
#include "span/take.h"

enum { MAX_OPEN = 262144 };

/* ---- rows ---- */

void *pair_row(struct pairs *p, enum table t, struct batch **in)
{
	void *row;

	for (int i = 0; i < 2; i++) {
		if (!p->batch)
			p->batch = batch_get(p->opts.pool, -1);
		if (!p->batch)
			return NULL;
		row = batch_add(p->batch, t);
		if (row) {
			*in = p->batch;
			p->stats.rows++;
			return row;
		}
		pair_flush(p);
	}
	return NULL;
}

void pair_flush(struct pairs *p)
{
	struct batch *b = p->batch;

	if (!b)
		return;
	p->batch = NULL;
	b->seq = p->seq;
	if (b->n)
		p->opts.emit(p->opts.ctx, b);
	else
		batch_put(b);
}

void pair_set_seq(struct pairs *p, uint64_t seq)
{
	p->seq = seq;
}

/* ---- messages ---- */

static bool is_sent(const struct conn *c, enum dir d)
{
	return (c->side == SIDE_CLIENT) == (d == DIR_REQ);
}

/* When a moment counts: a send from where it began, if that is known; a receive where it ended. */
static uint64_t when(const struct conn *c, enum dir d, const struct moment *at)
{
	return is_sent(c, d) && at->enter_ns ? at->enter_ns : at->ts_ns;
}

static struct req *on_request(struct pairs *p, struct conn *c, enum dir d, const struct msg *m,
                              const struct moment *first, uint64_t bytes)
{
	struct talk *k = c->pairs;
	struct req *r;

	if (late_again(c, k, m, first, bytes))
		return NULL;
	if (p->open >= (p->opts.max_open ? p->opts.max_open : MAX_OPEN) && k->head)
		queue_give_up(p, c, k->head, SPAN_F_GAP);
	r = queue_add(p);
	if (!r)
		return NULL;
	p->stats.started++;
	if (d == DIR_REQ && k->lead.ts_ns)
		first = &k->lead;
	r->start_ns = when(c, d, first);
	r->pid = first->pid;
	r->tid = first->tid;
	r->req_bytes = bytes + (d == DIR_REQ ? k->prelude_bytes : 0);
	r->serial = p->stats.started;
	r->does = m->does;
	if (c->proto->family == FAMILY_MESSAGING)
		r->rows = m->rows;
	r->id = m->id;
	r->peer = c->peer;
	r->proto = (uint16_t)m->proto;
	r->prepare = m->flags & MSG_F_PREPARE;
	r->def_id = m->def_id;
	r->flags = (m->flags & MSG_F_CUT ? SPAN_F_CUT : 0) |
	           (c->flags & CONN_F_JOINED_MID ? SPAN_F_JOINED_MID : 0) |
	           (c->sure == SURE_LIKELY ? SPAN_F_GUESSED_PROTO : 0) |
	           (m->flags & MSG_F_GUESSED ? SPAN_F_GUESSED_PARENT : 0) |
	           (is_sent(c, d) && !first->enter_ns ? SPAN_F_BLOCKED : 0);
	if (d == DIR_REQ) {
		k->prelude_bytes = 0;
		k->lead.ts_ns = 0;
		k->alone = k->leads = false;
	}
	take_texts(p, c, k, r, m);
	*(k->tail ? &k->tail->next : &k->head) = r;
	k->tail = r;
	k->n++;
	p->open++;
	return r;
}

/* The request that an answer belongs to. */
static struct req *answered_by(const struct conn *c, const struct talk *k, const struct msg *m)
{
	return c->proto->in_order ? k->head : late_by_id(c, k, m->id);
}

/* An answer's times and bytes, or those of the requester's word that it waits no longer. */
static void take_times(const struct conn *c, struct req *r, enum dir d, const struct msg *m,
                       const struct moment *first, const struct moment *last, uint64_t bytes)
{
	r->end_ns = when(c, d, last);
	if (!r->peer.known)
		r->peer = c->peer;
	if (m->flags & MSG_F_GIVEUP) {
		r->req_bytes += bytes;
		r->no_answer |= !r->ttfb_ns;
		return;
	}
	if (!r->ttfb_ns)
		r->ttfb_ns = when(c, d, first);
	r->resp_bytes += bytes;
}

static void on_answer(struct pairs *p, struct conn *c, enum dir d, const struct msg *m,
                      const struct moment *first, const struct moment *last, uint64_t bytes)
{
	struct talk *k = c->pairs;
	struct req *r = answered_by(c, k, m);

	k->part[d] = r;
	if (!r)
		return;
	take_times(c, r, d, m, first, last, bytes);
	if (m->proto)
		r->proto = (uint16_t)m->proto;
	if (m->flags & MSG_F_NOSTATUS)
		r->no_status = true;
	if (m->flags & MSG_F_GUESSED)
		r->flags |= SPAN_F_GUESSED_PROTO;
	take_status(c, r, m);
	if (m->rows >= 0)
		r->rows = r->rows < 0 ? m->rows : r->rows + m->rows;
	if (m->flags & MSG_F_CUT)
		r->flags |= SPAN_F_CUT;
	take_trace(r, m);
	if (c->proto->family == FAMILY_MESSAGING)
		take_topic(p, k, r, m);
	take_attrs(p, r, DIR_RESP, m);
	if (m->flags & MSG_F_DEFINE)
		queue_define(take_defs(p, k, m), m->def_id,
		             m->def.s ? m->def : req_get(r, r->target));
	if (m->kind != MSG_RESP)
		return;
	if (m->skip || m->flags & MSG_F_CLOSES)
		k->body = r; /* over when the rest has passed */
	else
		queue_finish(p, c, r);
}

/* Requests that the server has refused without a word to each. */
static void on_refusal(struct pairs *p, struct conn *c, const struct msg *m,
                       const struct moment *at)
{
	struct talk *k = c->pairs;
	struct req *next;

	for (struct req *r = k->head; r; r = next) {
		next = r->next;
		if (r->id <= m->id)
			continue;
		r->no_answer = !r->ttfb_ns;
		r->end_ns = when(c, DIR_RESP, at);
		r->error = true;
		r->error_type = req_text(r, m->error_type);
		queue_finish(p, c, r);
	}
}

/* Requests that the server threw away: those of the group, still unanswered. */
static void on_barrier(struct pairs *p, struct conn *c, const struct msg *m,
                       const struct moment *at)
{
	struct talk *k = c->pairs;

	if (m->flags & MSG_F_ABOVE) {
		on_refusal(p, c, m, at);
		return;
	}
	while (k->head && (m->flags & MSG_F_BYORDER || k->head->id <= m->id)) {
		struct req *r = k->head;

		queue_unlink(p, k, r);
		p->stats.skipped++;
		queue_recycle(p, r);
	}
}

/* An answer whose end was cut off: the next request shows that it is over. */
static void close_cut(struct pairs *p, struct conn *c)
{
	struct talk *k = c->pairs;

	if (!c->proto->answers && k->n == 1 && k->head->ttfb_ns && k->head->flags & SPAN_F_CUT &&
	    k->body != k->head)
		queue_finish(p, c, k->head);
}

/* A part of the request before it, or of the one that it leads. */
static void on_part(struct talk *k, const struct msg *m, const struct moment *first, uint64_t bytes)
{
	k->leads = m->flags & MSG_F_LEADS;
	if (k->tail && m->rows > 0 && k->tail->rows >= 0)
		k->tail->rows += m->rows;
	if (k->leads && !k->lead.ts_ns)
		k->lead = *first;
	if (!k->leads && k->tail) {
		/* What was led has not come. */
		k->tail->req_bytes += bytes + k->prelude_bytes;
		k->prelude_bytes = 0;
	} else {
		k->prelude_bytes += bytes;
	}
	if (!k->leads)
		k->lead.ts_ns = 0;
}

/* A part of the request or answer with its id. */
static void on_stream(struct talk *k, const struct conn *c, enum dir d, const struct msg *m,
                      const struct moment *last, uint64_t bytes)
{
	struct req *r = late_by_id(c, k, m->id);

	k->part[d] = r;
	if (r && m->level)
		take_level(r, m);
	if (r && d == DIR_REQ) {
		r->req_bytes += bytes;
	} else if (r && r->ttfb_ns) {
		r->resp_bytes += bytes;
		r->end_ns = when(c, d, last);
	}
}

static void on_none(struct talk *k, const struct conn *c, enum dir d, const struct msg *m,
                    const struct moment *first, const struct moment *last, uint64_t bytes)
{
	/* More of a message that went out alone; its row is made. */
	if (d == DIR_REQ && k->alone && c->proto->family == FAMILY_MESSAGING)
		return;
	if (d == DIR_REQ)
		k->alone = false;
	if (c->proto->answers) {
		on_stream(k, c, d, m, last, bytes);
	} else if (d == DIR_REQ) {
		on_part(k, m, first, bytes);
	} else if (k->head && k->head->ttfb_ns) {
		k->head->resp_bytes += bytes;
		k->head->end_ns = when(c, d, last);
		take_first(k->head, m);
	}
}

/* The beginning of a session was not seen: its answer has begun already. */
static void join(const struct conn *c, enum dir d, struct req *r, const struct moment *last)
{
	r->ttfb_ns = r->start_ns;
	r->end_ns = when(c, d, last);
	r->no_answer = true; /* when the first byte of the answer came is not known */
	if (d == DIR_RESP) {
		r->resp_bytes = r->req_bytes;
		r->req_bytes = 0;
	}
}

static void pair_message(void *ctx, struct conn *c, enum dir d, const struct msg *m,
                         const struct moment *first, const struct moment *last, uint64_t bytes)
{
	struct pairs *p = ctx;
	struct talk *k = queue_of(c);
	struct req *r;

	if (!k)
		return;
	take_current(k, m);
	if (m->flags & MSG_F_FORGET)
		queue_forget(take_defs(p, k, m), m->def_id);
	if (m->flags & MSG_F_DEFINE && d == DIR_REQ)
		queue_define(take_defs(p, k, m), m->def_id, m->def.s ? m->def : m->target);
	switch (m->flags & MSG_F_JOINS && k->head ? MSG_NONE : m->kind) {
	case MSG_REQ:
		close_cut(p, c);
		k->part[d] = on_request(p, c, d, m, first, bytes);
		if (m->flags & MSG_F_JOINS && k->part[d])
			join(c, d, k->part[d], last);
		break;
	case MSG_ONEWAY:
		r = on_request(p, c, d, m, first, bytes);
		if (r) {
			take_status(c, r, m);
			k->alone = d == DIR_REQ;
			r->req_bytes += m->skip;
			r->no_answer = true;
			r->end_ns = when(c, d, last);
			queue_finish(p, c, r);
		}
		break;
	case MSG_INTERIM:
	case MSG_RESP:
		on_answer(p, c, d, m, first, last, bytes);
		break;
	case MSG_PUSH:
		k->part[d] = NULL;
		p->stats.pushes++;
		break;
	case MSG_BARRIER:
		k->part[d] = NULL;
		on_barrier(p, c, m, last);
		break;
	case MSG_NONE:
		on_none(k, c, d, m, first, last, bytes);
		break;
	}
}

static void pair_passed(void *ctx, struct conn *c, enum dir d, uint64_t n, bool done,
                        const struct moment *at)
{
	struct talk *k = queue_of(c);
	struct req *r;

	if (!k)
		return;
	r = c->proto->answers ? k->part[d] : k->head;
	if (d == DIR_REQ) {
		if (c->proto->answers && r)
			r->req_bytes += n;
		if (!c->proto->answers && !k->alone)
			*(k->tail && !k->leads ? &k->tail->req_bytes : &k->prelude_bytes) += n;
		return;
	}
	r = k->body ? k->body : r;
	if (!r || !r->ttfb_ns)
		return;
	r->resp_bytes += n;
	if (n)
		r->end_ns = when(c, d, at);
	if (done && k->body == r)
		queue_finish(ctx, c, r);
}

static void pair_gap(void *ctx, struct conn *c, enum dir d, uint64_t n, bool lost)
{
	struct talk *k = c->pairs;
	bool streams = c->proto && c->proto->answers;
	bool session = c->proto && c->proto->session;

	(void)n;
	if (!k)
		return;
	k->body = NULL;
	k->part[d] = NULL;
	/* Answers that come by id are given to no wrong request, whatever is missing. */
	if ((!lost && (d == DIR_RESP || streams)) || session) {
		for (struct req *r = k->head; r; r = streams ? r->next : NULL)
			r->flags |= SPAN_F_CUT;
		return;
	}
	k->lead.ts_ns = 0;
	k->leads = false;
	while (k->head)
		queue_give_up(ctx, c, k->head, SPAN_F_GAP);
}

static unsigned int pair_open(void *ctx, const struct conn *c)
{
	const struct talk *k = c->pairs;

	(void)ctx;
	return k ? k->n : 0;
}

static bool pair_awaits(void *ctx, const struct conn *c, uint64_t id)
{
	(void)ctx;
	return c->pairs && late_by_id(c, c->pairs, id);
}

static void conn_row(struct pairs *p, struct conn *c)
{
	bool skip = p->opts.unread_only && c->proto && c->why != WHY_ENCRYPTED;
	struct batch *b;
	struct conn_row *row = skip ? NULL : pair_row(p, TABLE_CONNECTIONS, &b);

	if (!row)
		return;
	conn_build(c, &p->opts, row, b);
	if (p->opts.who_conn)
		p->opts.who_conn(p->opts.ctx, row, b);
}

static void pair_verdict(void *ctx, struct conn *c)
{
	struct talk *k = c->pairs;

	/* A verdict that is taken back takes its open requests along. */
	while (!c->proto && k && k->head)
		queue_give_up(ctx, c, k->head, SPAN_F_GAP);
	if (c->proto)
		conn_row(ctx, c);
}

static void pair_closed(void *ctx, struct conn *c, const struct moment *at)
{
	struct pairs *p = ctx;
	struct talk *k = c->pairs;

	(void)at;
	while (k && k->head) {
		struct req *r = k->head;

		/* The answer had begun and its end was cut off: it ended with what was seen. */
		if (r->ttfb_ns && (r->flags & SPAN_F_CUT || k->body == r) &&
		    !(c->proto && c->proto->session)) {
			r->flags |= SPAN_F_CUT;
			queue_finish(p, c, r);
		} else {
			queue_give_up(p, c, r, SPAN_F_OPEN);
		}
	}
	conn_row(p, c);
	if (!k)
		return;
	queue_fini(k);
	free(k);
	c->pairs = NULL;
}

struct pairs *pair_new(const struct pair_opts *o)
{
	struct pairs *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->opts = *o;
	p->sink = (struct conn_sink){
		.ctx = p,
		.message = pair_message,
		.passed = pair_passed,
		.body = o->body ? body_part : NULL,
		.gap = pair_gap,
		.open = pair_open,
		.awaits = pair_awaits,
		.expire = late_expire,
		.verdict = pair_verdict,
		.closed = pair_closed,
	};
	return p;
}

const struct conn_sink *pair_sink(struct pairs *p)
{
	return &p->sink;
}

void pair_stats(const struct pairs *p, struct pair_stats *out)
{
	*out = p->stats;
}

void pair_free(struct pairs *p)
{
	if (!p)
		return;
	batch_put(p->batch);
	queue_forget_all(&p->defs);
	queue_free(p);
	free(p);
}
