// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * amqp - AMQP 0-9-1 with RabbitMQ's additions, and what speaks it: detection, and
 * the place after lost bytes.
 *
 * https://www.rabbitmq.com/amqp-0-9-1-reference. The handshake is one request,
 * from the client's first bytes to the broker's open-ok. Published messages and
 * acknowledgements are answered by nobody; synchronous methods are paired by channel
 * and method, and what closes the channel is the answer to the one that failed.
 * Names, attributes and errors: OpenTelemetry semantic conventions 1.44, messaging
 * and its page on RabbitMQ.
 */
#include "proto/amqp.h"

enum { SOME = 64 };

static const char hello[] = "AMQP\0\0\11\1";

/* ---- detection ---- */

struct run {
	unsigned int frames; /* whole ones */
	bool told;           /* a method that only this side says */
	bool bad;
};

/* Methods that both sides say tell nothing of who is who. */
static bool tells(const struct amqp_frame *f, enum dir dir)
{
	const struct amqp_method *m = amqp_said(f, dir);

	return m && m->role[!dir] == AMQP_WRONG;
}

static struct run run_of(struct cur c, enum dir dir, unsigned int most)
{
	struct run r = { 0 };
	struct amqp_frame f;

	while (cur_left(&c) && r.frames < most) {
		if (!amqp_frame(&c, &f)) {
			r.bad = true;
			break;
		}
		if (c.over || f.payload.cut)
			break;
		r.bad |= *f.payload.end != AMQP_END;
		r.frames++;
		r.told |= f.type == AMQP_METHOD_FRAME && tells(&f, dir);
		r.bad |= f.type == AMQP_METHOD_FRAME && !amqp_said(&f, dir);
	}
	return r;
}

/* 1: the client begins, 0: it may, -1: this is something else. */
static int greets(struct cur c)
{
	size_t n = cur_left(&c) < sizeof(hello) - 1 ? cur_left(&c) : sizeof(hello) - 1;

	return memcmp(c.p, hello, n) ? -1 : n == sizeof(hello) - 1;
}

/* The first whole frame of a method that only `dir` says. */
static const uint8_t *find(struct cur in, enum dir dir)
{
	for (; cur_left(&in) > AMQP_HEAD; in.p++) {
		struct cur c = in;
		struct amqp_frame f;

		if (*in.p == AMQP_METHOD_FRAME && amqp_frame(&c, &f) && !c.over && !f.payload.cut &&
		    tells(&f, dir))
			return in.p;
	}
	return NULL;
}

static enum sure amqp_detect(const struct first *f)
{
	int first = greets(f->req);
	struct run req, resp;

	if (first > 0)
		return SURE_YES;
	if (f->from_start)
		return first < 0 || cur_left(&f->resp) ? SURE_NO : SURE_MAYBE;
	req = run_of(f->req, DIR_REQ, SOME);
	resp = run_of(f->resp, DIR_RESP, SOME);
	/* tracing began inside of a message */
	if (req.bad && !req.frames)
		req = (struct run){ .told = find(f->req, DIR_REQ), .bad = true };
	if (resp.bad && !resp.frames)
		resp = (struct run){ .told = find(f->resp, DIR_RESP), .bad = true };
	if ((req.bad && !req.told) || (resp.bad && !resp.told))
		return SURE_NO;
	return req.told || resp.told ? SURE_YES : SURE_MAYBE;
}

/* ---- after lost bytes ---- */

/* As far as it can be seen a frame begins here, and what it holds is said by `dir`. */
static bool begins(struct cur c, enum dir dir)
{
	struct amqp_frame f;

	if (*c.p == 'A')
		return greets(c) >= 0;
	if (!amqp_frame(&c, &f))
		return false;
	return c.over || f.type != AMQP_METHOD_FRAME || cur_left(&f.payload) < 4 ||
	       amqp_said(&f, dir);
}

/* At once where one may begin here (heads are read by themselves), else at a whole frame with one behind it. */
static const uint8_t *amqp_resync(void *state, enum dir dir, struct cur in)
{
	if (cur_left(&in) && begins(in, dir))
		return in.p;
	((struct amqp *)state)->connecting = false;
	for (; cur_left(&in) > AMQP_HEAD; in.p++) {
		struct run r;

		if (*in.p != AMQP_METHOD_FRAME && *in.p != AMQP_HEARTBEAT && *in.p != AMQP_BODY)
			continue;
		r = run_of(in, dir, 2);
		if (!r.bad && (r.told || r.frames == 2))
			return in.p;
	}
	return NULL;
}

/* ---- the table ---- */

static const struct proto_op ops[] = {
#define AMQP_METHOD(class, method, name, client, server, fields, how) { name, how },
#include "proto/amqp_methods.def"
#undef AMQP_METHOD
	{ NULL, OP_UNKNOWN },
};

const struct proto proto_amqp = {
	.name = "amqp",
	.title = "AMQP 0-9-1 (RabbitMQ)",
	.system = "rabbitmq",
	.limits =
		"a published message is not paired with its confirmation, a delivered one not with "
		"its acknowledgement; the queue of a delivered message is not told; AMQP 1.0 is "
		"another protocol",
	.ops = ops,
	.family = FAMILY_MESSAGING,
	.rules = { { .len = 8,
	             .value = { 'A', 'M', 'Q', 'P', 0, 0, 9, 1 },
	             .mask = { 255, 255, 255, 255, 255, 255, 255, 255 } } },
	.ports = { 5672 },
	.state_size = sizeof(struct amqp),
	.full_payload = true,
	.detect = amqp_detect,
	.parse = amqp_parse,
	.resync = amqp_resync,
};
