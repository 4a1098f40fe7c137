// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * clickhouse - ClickHouse's native protocol over TCP.
 *
 * One query at a time on a connection: a client sends Hello, then Query and the
 * blocks of an INSERT, each followed by an empty block; the server answers with
 * blocks and figures up to EndOfStream or an Exception. Packets have no length, so
 * that all of each is passed, columns by their types. Behind a type that is not known
 * the next block is looked for: the answer is paired, its rows are those that the
 * server's own figures tell.
 *
 * What is on the wire depends on the revision that both sides know. Where their
 * hello was not seen it is told from the layout of the first query.
 */
#include "proto/clickhouse.h"

/* ----- messages ----- */

static enum ch_step steps(struct clickhouse *s, enum dir dir, struct ch_in *in, struct msg *out)
{
	const uint8_t *begin = in->c.p;
	enum ch_step r = CH_ON;

	if (s->side[dir].phase == CH_OPAQUE) {
		in->c.p++;
		in->skip = UINT64_MAX;
		return CH_DONE;
	}
	while (r == CH_ON && !in->skip) {
		r = dir == DIR_REQ ? clickhouse_request(s, in, out) : clickhouse_answer(s, in, out);
		if (r == CH_DONE && in->c.p == begin)
			r = CH_ON; /* the end of what the last call passed */
	}
	return r;
}

/* An answer, or as much of it as can be seen at once; requests a packet at a time. */
static enum parse clickhouse_parse(void *state, enum dir dir, struct cur *in, struct msg *out)
{
	struct clickhouse *s = state, was = *s; /* in place: messages point into it */
	struct msg m = MSG_INIT;
	struct ch_in i = { .c = *in };
	enum ch_step r;

	if (!cur_left(in))
		return PARSE_MORE;
	if (cur_left(in) > PROTO_HEAD) {
		i.c.end = i.c.p + PROTO_HEAD;
		i.c.cut = false;
	}
	i.full = cur_left(&i.c) == PROTO_HEAD || i.c.cut;
	r = steps(s, dir, &i, &m);
	if (r == CH_WRONG || (r == CH_MORE && (!i.full || i.c.p == in->p))) {
		*s = was;
		return r == CH_WRONG || i.full ? PARSE_BAD : PARSE_MORE;
	}
	if (r != CH_DONE && dir == DIR_RESP) {
		m.kind = MSG_INTERIM;
		m.flags |= MSG_F_BODY | MSG_F_RUN;
		m.id = s->serial;
	}
	m.skip = i.skip;
	*out = m;
	in->p = i.c.p;
	return PARSE_OK;
}

/* ----- detection, and the place after lost bytes ----- */

static enum sure is_hello(struct cur c)
{
	struct msg m = MSG_INIT;
	uint32_t revision;

	if (!clickhouse_client_hello(&c, &revision, &m))
		return SURE_NO;
	return c.over ? SURE_MAYBE : SURE_YES;
}

/* Whether a packet of the client begins here; SURE_MAYBE: too few bytes to tell. */
static enum sure is_request(struct cur c)
{
	bool bad = false;
	uint8_t type;

	while (cur_left(&c) > 1 && (*c.p == CH_C_PING || *c.p == CH_C_CANCEL))
		c.p++;
	if (clickhouse_next_block(
		    DIR_REQ, (struct cur){ .p = c.p,
	                                   .end = c.p + (cur_left(&c) < CH_ANCHOR ? cur_left(&c)
	                                                                          : CH_ANCHOR) }))
		return SURE_YES;
	type = cur_u8(&c);
	if (c.over)
		return SURE_MAYBE;
	switch (type) {
	case CH_C_HELLO:
		return is_hello(c);
	case CH_C_QUERY:
		return clickhouse_is_query(c);
	case CH_C_DATA:
		clickhouse_word(&c, CH_NAME, &bad);
		if (bad)
			return SURE_NO;
		return !c.over && clickhouse_is_block(c) == SURE_YES ? SURE_LIKELY : SURE_MAYBE;
	case CH_C_PING:
	case CH_C_CANCEL:
		return SURE_MAYBE;
	default:
		return SURE_NO;
	}
}

/* Likewise of the server. */
static enum sure is_response(struct cur c)
{
	struct cur head;
	enum sure is;

	while (cur_left(&c) > 1 && *c.p == CH_S_PONG)
		c.p++;
	is = clickhouse_is_answer(c, 3);
	head = c;
	if (cur_left(&head) > CH_ANCHOR)
		head.end = head.p + CH_ANCHOR;
	if (is < SURE_YES || *c.p == CH_S_EXCEPTION || *c.p == CH_S_TABLE_COLUMNS)
		return is;
	return clickhouse_next_block(DIR_RESP, head) ? SURE_YES : SURE_LIKELY;
}

static enum sure clickhouse_detect(const struct first *f)
{
	enum sure req = is_request(f->req), resp = is_response(f->resp);

	if (f->from_start) {
		if (cur_left(&f->req) && *f->req.p != CH_C_HELLO)
			return SURE_NO;
		if (cur_left(&f->resp) && *f->resp.p != CH_S_HELLO && *f->resp.p != CH_S_EXCEPTION)
			return SURE_NO;
	}
	if (req == SURE_NO || (resp == SURE_NO && (f->from_start || req < SURE_YES)))
		return SURE_NO;
	if (req == SURE_YES || (resp == SURE_YES && cur_left(&f->req)))
		return SURE_YES;
	return req == SURE_LIKELY || resp >= SURE_LIKELY ? SURE_LIKELY : SURE_MAYBE;
}

/* What ends an answer is a byte, with nothing behind it. */
static bool is_end(enum dir dir, struct cur c)
{
	return dir == DIR_RESP && cur_left(&c) == 1 &&
	       (*c.p == CH_S_PONG || *c.p == CH_S_END_OF_STREAM);
}

/* What a connection in use goes on with may be no more than a byte: the first one is believed. */
static const uint8_t *clickhouse_resync(void *state, enum dir dir, struct cur in)
{
	struct clickhouse *s = state;
	const uint8_t *begin = in.p;

	if (s->side[dir].phase == CH_OPAQUE)
		return cur_left(&in) ? in.p : NULL;
	s->side[dir].phase = CH_PACKET;
	if (dir == DIR_REQ)
		s->sum.unsent = true;
	else
		s->sum.unread = true;
	for (; cur_left(&in); in.p++) {
		enum sure is = dir == DIR_REQ ? is_request(in) : is_response(in);

		if (is > SURE_MAYBE || (is == SURE_MAYBE && (in.p == begin || is_end(dir, in))))
			return in.p;
	}
	return NULL;
}

static const struct proto_op ops[] = {
	{ "Hello", OP_PARSED },
	{ "Query", OP_PARSED },
	{ "Data", OP_PARSED },
	{ "Cancel", OP_PARSED },
	{ "Ping", OP_PARSED },
	{ "Exception", OP_PARSED },
	{ "Progress", OP_PARSED },
	{ "Pong", OP_PARSED },
	{ "EndOfStream", OP_PARSED },
	{ "ProfileInfo", OP_PARSED },
	{ "Totals", OP_NAMED },
	{ "Extremes", OP_NAMED },
	{ "Log", OP_NAMED },
	{ "TableColumns", OP_NAMED },
	{ "ProfileEvents", OP_NAMED },
	{ "TablesStatusRequest", OP_NAMED },
	{ "TablesStatusResponse", OP_NAMED },
	{ "PartUUIDs", OP_NAMED },
	{ "ReadTaskRequest", OP_NAMED },
	{ "TimezoneUpdate", OP_NAMED },
	{ "Scalar", OP_NAMED },
	{ "SSHChallenge", OP_UNKNOWN },
	{ "MergeTreeReadTask", OP_UNKNOWN },
	{ "QueryPlan", OP_UNKNOWN },
	{ NULL, OP_UNKNOWN },
};

const struct proto proto_clickhouse = {
	.name = "clickhouse",
	.title = "ClickHouse native protocol, revisions 54032 to 54484",
	.system = "clickhouse",
	.limits = "revisions above 54412 are read by the specification alone: no server newer than "
		  "18.16 was there to test with; "
		  "of packed blocks the sizes are read, and rows where LZ4 leaves them readable; "
		  "behind a column of AggregateFunction, Dynamic, Variant, JSON or Object the next "
		  "block is looked for; chunked packets, secrets between servers and newer "
		  "revisions are not known",
	.ops = ops,
	/* Hello by anything called ClickHouse, clickhouse-go, ... */
	.rules = { { .len = 8,
	             .value = { 0, 0, 'C', 'l', 'i', 'c', 'k', 'H' },
	             .mask = { 0xff, 0, 0xdf, 0xff, 0xff, 0xff, 0xff, 0xdf } } },
	.ports = { 9000 },
	.family = FAMILY_SQL,
	.state_size = sizeof(struct clickhouse),
	.full_payload = true,
	.detect = clickhouse_detect,
	.parse = clickhouse_parse,
	.resync = clickhouse_resync,
};
