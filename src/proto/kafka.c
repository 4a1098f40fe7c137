// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * kafka - Apache Kafka's protocol and what speaks it: detection, and the place
 * after lost bytes.
 *
 * https://kafka.apache.org/protocol.html; the fields are in kafka_apis.def.
 * Names, attributes and errors of spans: OpenTelemetry semantic conventions 1.44,
 * messaging and its page on Kafka.
 */
#include "proto/kafka.h"

enum {
	PLENTY = 64 << 20, /* longer messages are no first evidence */
	SOME = 4,          /* messages in a row are proof */
	HEAD = 8,          /* length and id, or key and version */
	TRIES = 64,        /* places that may be looked at closely */
	NEAR = 4096,       /* ids that may have been given before tracing began */
	BIG_ID = 0xffff,   /* no length and no count is as large by chance */
};

/* ---- messages in a row ---- */

struct chain {
	unsigned int whole; /* requests, complete */
	unsigned int begun; /* with the one that is cut off */
	uint32_t low, high; /* ids: a client hands them out before it knows when they are sent */
	bool named;         /* one says its client */
	bool bad;
};

static bool take_id(struct chain *found, uint32_t id)
{
	if (found->begun++ && id - found->low + NEAR > 2 * NEAR)
		return false;
	found->low = found->begun == 1 || id < found->low ? id : found->low;
	found->high = found->begun == 1 || id > found->high ? id : found->high;
	return true;
}

static struct chain requests(struct cur c)
{
	struct chain found = { 0 };

	while (cur_left(&c) && found.whole < SOME && !found.bad) {
		struct kafka_head h;
		struct cur p = c;
		enum parse r = kafka_head(&p, &h, true);

		if (r == PARSE_MORE)
			break;
		found.bad = r == PARSE_BAD || h.len > PLENTY || !take_id(&found, (uint32_t)h.id);
		if (found.bad)
			break;
		cur_take(&c, (size_t)h.len + 4);
		found.named |= h.client.len > 0;
		found.whole += !c.over;
		if (c.over)
			break;
	}
	return found;
}

enum fit { FIT_NO, FIT_SHORT, FIT_OPEN, FIT_YES };

/*
 * Whether an answer to one of these requests is among those at c. FIT_OPEN: they
 * may be answers to requests of before, and end inside of one.
 */
static enum fit answers(struct cur c, const struct chain *asked, bool from_start)
{
	enum fit fit = FIT_SHORT;

	while (cur_left(&c) >= HEAD) {
		uint32_t len = cur_be32(&c), id = cur_be32(&c);

		if (len < 4 || len > PLENTY)
			return FIT_NO;
		if (id - asked->low <= asked->high - asked->low)
			return FIT_YES;
		if (from_start || asked->low - id > NEAR)
			return FIT_NO;
		fit = FIT_OPEN;
		if (len - 4 > cur_left(&c))
			break;
		cur_take(&c, len - 4);
	}
	return fit;
}

/* ---- detection ---- */

/* A request that is all there, and nothing else behind it. */
static bool stands(struct cur c)
{
	struct chain found = requests(c);
	struct kafka_head h;

	return found.whole && !found.bad && kafka_head(&c, &h, true) == PARSE_OK && h.client.len;
}

/* The request that the answer at the front of resp belongs to, anywhere in req. */
static bool asked_inside(struct cur req, struct cur resp)
{
	const uint8_t *id = cur_left(&resp) >= HEAD ? resp.p + 4 : NULL;
	const uint8_t *p = req.p;

	/* The first id of a connection is 0 with most, as are many bytes of anything. */
	if (!id || cur_be32(&resp) > PLENTY || !cur_be32(&resp))
		return false;
	if (cur_left(&req) > PROTO_HEAD)
		req.end = req.p + PROTO_HEAD;
	for (int i = 0; i < TRIES && (p = memmem(p, (size_t)(req.end - p), id, 4)); i++) {
		if (p - req.p >= HEAD && stands((struct cur){ .p = p - 8, .end = req.end }))
			return true;
		p++;
	}
	return false;
}

static enum sure kafka_detect(const struct first *f)
{
	bool asked = cur_left(&f->req), replied = cur_left(&f->resp);
	struct chain req = requests(f->req);
	enum fit fit;

	if (!asked)
		return replied ? SURE_NO : SURE_MAYBE;
	if (!req.begun && !req.bad)
		return SURE_MAYBE;
	if (!req.begun) /* tracing began inside of a request */
		return !f->from_start && asked_inside(f->req, f->resp) ? SURE_YES : SURE_NO;
	fit = replied ? answers(f->resp, &req, f->from_start) : FIT_SHORT;
	if (fit != FIT_YES && (req.bad || (fit == FIT_NO && f->from_start)))
		return SURE_NO;
	/* small numbers between zeroes, as anything may have them, are such requests too */
	if (!req.named && (fit != FIT_YES || !req.high || !f->from_start))
		return SURE_MAYBE;
	if (fit == FIT_YES)
		return SURE_YES;
	return req.whole > 2 ? SURE_LIKELY : SURE_MAYBE;
}

/* ---- after lost bytes ---- */

/* Whether the message of `dir` at c is one: what follows it must be one too. */
static bool begins(struct kafka *s, enum dir dir, struct cur c, bool first)
{
	struct kafka_head h = { 0 };
	struct cur p = c;
	bool fits;

	if (dir == DIR_REQ) {
		fits = kafka_head(&p, &h, true) == PARSE_OK;
		first |= h.client.len > 0;
	} else {
		h.len = cur_be32(&p);
		h.id = (int32_t)cur_be32(&p);
		fits = !p.over && h.len >= 4 && kafka_asked(s, (uint32_t)h.id);
		first |= (uint32_t)h.id > BIG_ID;
	}
	if (!fits || h.len > PLENTY)
		return false;
	if (h.len + 4 > cur_left(&c))
		return first;
	cur_take(&c, h.len + 4);
	return first || !cur_left(&c) ||
	       (cur_left(&c) >= HEAD && cur_be32(&c) <= PLENTY &&
	        (dir == DIR_REQ || cur_be32(&c) - (uint32_t)h.id + NEAR <= 2 * NEAR));
}

static const uint8_t *kafka_resync(void *state, enum dir dir, struct cur in)
{
	struct kafka *s = state;

	s->body[dir].left = 0;
	for (const uint8_t *p = in.p; in.end - p >= HEAD; p++) {
		/* high bytes of the length, the key and the version */
		if (*p > PLENTY >> 24 || (dir == DIR_REQ && (p[4] || p[6])))
			continue;
		if (begins(s, dir, (struct cur){ .p = p, .end = in.end }, p == in.p))
			return p;
	}
	return NULL;
}

/* ---- the table ---- */

static const struct proto_op ops[] = {
#define KAFKA_API(num, api, last, flex, how, fields, answer) { #api, how },
#include "proto/kafka_apis.def"
#undef KAFKA_API
	{ NULL, OP_UNKNOWN },
};

const struct proto proto_kafka = {
	.name = "kafka",
	.title = "Apache Kafka (requests as of 4.1)",
	.system = "kafka",
	.limits =
		"keys, values and compressed records are not read; what a broker sends from its "
		"files is not counted on its side; SASL before 1.0 (GSSAPI tokens without heads) is "
		"not read",
	.ops = ops,
	.family = FAMILY_MESSAGING,
	.ports = { 9092, 9093, 9094, 29092 },
	.state_size = sizeof(struct kafka),
	.full_payload = true,
	.detect = kafka_detect,
	.parse = kafka_parse,
	.resync = kafka_resync,
};
