// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * cql - the native protocol of Apache Cassandra, versions 3 to 5.
 *
 * Frames carry the id of a stream, by which answers find their requests in
 * whatever order they come. From version 5 on what follows the login stands in
 * segments: a header with its own CRC, one or more whole frames or a part of one,
 * and the CRC of them. Which of the two a direction is in tells each header by
 * itself, since a CRC does not fit by chance; nothing has to be remembered of the
 * login. What is in compressed segments is not read.
 *
 * A statement is known by the id that PREPARE gave it, on every connection: the
 * server makes it of the text.
 */
#include "proto/cql.h"

enum mode { M_START, M_FRAMES, M_SEGMENTS, M_PACKED };

struct side {
	uint64_t id;         /* of the frame that goes on in the next segment */
	uint32_t frame_left; /* bytes of it still to come */
	uint32_t seg_left;   /* of the segment: frames still to come */
	uint8_t mode, last;  /* last: kind of the message when the frame is complete */
};

struct cql {
	struct side side[2];
	char text[12]; /* what the last message's status points to */
};

static uint64_t id_of(const struct cql_frame *f)
{
	return f->stream < 0 ? 0 : (uint64_t)f->stream + 1;
}

/* ----- segments ----- */

/* At the beginning of a frame or segment: PARSE_OK with s->mode and s->seg_left set. */
static enum parse enter(struct side *s, struct cur *c)
{
	int32_t len;

	if (s->mode == M_PACKED || s->seg_left)
		return PARSE_OK;
	if (cur_left(c) < CQL_HEADER)
		return PARSE_MORE;
	len = cql_segment(*c);
	if (len >= 0) {
		s->mode = M_SEGMENTS;
		s->seg_left = (uint32_t)len;
		cur_take(c, CQL_SEGMENT);
		return PARSE_OK;
	}
	if (s->mode != M_SEGMENTS && cql_is_packed(*c))
		s->mode = M_PACKED;
	else if (s->mode == M_SEGMENTS)
		return PARSE_BAD;
	else if (s->mode == M_START)
		s->mode = M_FRAMES;
	return PARSE_OK;
}

/* The segment's last byte is passed together with its CRC. */
static void leave(struct side *s, uint32_t n, struct msg *out)
{
	if (s->mode != M_SEGMENTS)
		return;
	s->seg_left -= n;
	if (!s->seg_left)
		out->skip += CQL_TRAILER;
}

/* More of a frame that did not fit into a segment. */
static void go_on(struct side *s, struct msg *out)
{
	uint32_t n = s->frame_left < s->seg_left ? s->frame_left : s->seg_left;

	s->frame_left -= n;
	out->id = s->id;
	out->skip = n;
	out->kind = s->frame_left ? MSG_NONE : (enum msg_kind)s->last;
	leave(s, n, out);
}

/* ----- frames ----- */

static enum parse frame(struct cql *q, enum dir dir, struct cur *c, const uint8_t *begin,
                        struct msg *out)
{
	struct side *s = &q->side[dir];
	size_t room = PROTO_HEAD - (size_t)(c->p - begin) - CQL_HEADER;
	uint32_t here;
	struct cql_frame f;
	struct cur body;

	if (cur_left(c) < CQL_HEADER)
		return PARSE_MORE;
	if (!cql_frame(c, dir, &f) || (s->mode == M_SEGMENTS && s->seg_left < CQL_HEADER))
		return PARSE_BAD;
	here = f.len;
	if (s->mode == M_SEGMENTS && here > s->seg_left - CQL_HEADER)
		here = s->seg_left - CQL_HEADER;
	if (cur_left(c) < here && cur_left(c) < room && !c->cut)
		return PARSE_MORE;
	body = *c;
	body.cut = false;
	if (cur_left(c) > here)
		body.end = c->p + here;
	if (!cql_plausible(&f, body) && cur_left(&body) == here)
		return PARSE_BAD;
	if (dir == DIR_REQ)
		cql_request(&f, body, out);
	else
		cql_answer(&f, body, q->text, out);
	if (cur_left(&body) < here && c->cut)
		out->flags |= MSG_F_CUT;
	out->id = id_of(&f);
	out->skip = here - cur_left(&body);
	c->p = body.end;
	leave(s, CQL_HEADER + here, out);
	s->frame_left = f.len - here;
	if (s->frame_left) {
		s->id = out->id;
		s->last = dir == DIR_REQ ? MSG_NONE : (uint8_t)out->kind;
		if (out->kind == MSG_RESP)
			out->kind = MSG_INTERIM;
	}
	return PARSE_OK;
}

static enum parse one(struct cql *q, enum dir dir, struct cur *c, struct msg *out)
{
	struct side *s = &q->side[dir];
	const uint8_t *begin = c->p;
	enum parse r = enter(s, c);

	if (r != PARSE_OK)
		return r;
	if (s->mode == M_PACKED) {
		out->skip = UINT64_MAX;
		c->p++;
	} else if (s->mode == M_SEGMENTS && !s->seg_left) {
		out->skip = CQL_TRAILER; /* an empty one */
	} else if (s->frame_left && c->p > begin) {
		go_on(s, out);
	} else {
		return frame(q, dir, c, begin, out);
	}
	return PARSE_OK;
}

static enum parse cql_parse(void *state, enum dir dir, struct cur *in, struct msg *out)
{
	struct cql *q = state, was = *q; /* in place: messages point into it */
	struct msg m = MSG_INIT;
	struct cur c = *in;
	enum parse r;

	if (!cur_left(&c))
		return PARSE_MORE;
	if (cur_left(&c) > PROTO_HEAD) {
		c.end = c.p + PROTO_HEAD;
		c.cut = false;
	}
	r = one(q, dir, &c, &m);
	if (r != PARSE_OK) {
		*q = was;
		return r == PARSE_MORE && in->cut ? PARSE_BAD : r;
	}
	*out = m;
	in->p = c.p;
	return PARSE_OK;
}

static uint64_t cql_answers(const void *state, struct cur in)
{
	const struct cql *q = state;
	struct side s = q->side[DIR_RESP];
	struct cql_frame f;

	if (s.frame_left || enter(&s, &in) != PARSE_OK || s.mode == M_PACKED ||
	    !cql_frame(&in, DIR_RESP, &f) || f.opcode == CQL_EVENT)
		return 0;
	return id_of(&f);
}

/* ----- detection, and the place after lost bytes ----- */

/* A frame begins here, alone or in a segment; SURE_MAYBE: too few bytes to tell. */
static enum sure begins(struct cur c, enum dir dir, bool frames, bool segments)
{
	struct cql_frame f;

	if (cur_left(&c) < CQL_HEADER)
		return SURE_MAYBE;
	if (segments && cql_is_packed(c))
		return SURE_YES;
	if (segments && cql_segment(c) >= 0) {
		cur_take(&c, CQL_SEGMENT);
		if (cur_left(&c) < CQL_HEADER)
			return SURE_MAYBE;
		return cql_frame(&c, dir, &f) ? SURE_YES : SURE_NO;
	}
	if (!frames || !cql_frame(&c, dir, &f))
		return SURE_NO;
	if (!f.len)
		return f.opcode == CQL_OPTIONS || f.opcode == CQL_READY ? SURE_LIKELY : SURE_NO;
	if (cur_left(&c) < 8 && cur_left(&c) < f.len)
		return SURE_MAYBE;
	if (!cql_plausible(&f, c))
		return SURE_NO;
	if (f.opcode == CQL_QUERY || f.opcode == CQL_PREPARE || f.opcode == CQL_EXECUTE ||
	    f.opcode == CQL_SUPPORTED)
		return SURE_YES;
	return f.opcode == CQL_STARTUP && memmem(c.p, cur_left(&c), "CQL_VERSION", 11)
	               ? SURE_YES
	               : SURE_LIKELY;
}

static enum sure cql_detect(const struct first *f)
{
	enum sure req = begins(f->req, DIR_REQ, true, !f->from_start);
	enum sure resp = begins(f->resp, DIR_RESP, true, !f->from_start);

	/* the first byte that is there has to fit already */
	if (cur_left(&f->req) && req == SURE_MAYBE && f->from_start &&
	    (*f->req.p < 3 || *f->req.p > 5))
		return SURE_NO;
	if (req == SURE_NO || resp == SURE_NO)
		return SURE_NO;
	if (req == SURE_YES || resp == SURE_YES || (req == SURE_LIKELY && resp == SURE_LIKELY))
		return SURE_YES;
	return req == SURE_LIKELY && cur_left(&f->req) == CQL_HEADER ? SURE_LIKELY : SURE_MAYBE;
}

static const uint8_t *cql_resync(void *state, enum dir dir, struct cur in)
{
	struct cql *q = state;
	struct side *s = &q->side[dir];

	s->frame_left = s->seg_left = 0;
	for (; cur_left(&in); in.p++)
		if (s->mode == M_PACKED ||
		    begins(in, dir, s->mode != M_SEGMENTS, s->mode != M_FRAMES) > SURE_MAYBE)
			return in.p;
	return NULL;
}

static const struct proto_op ops[] = {
	{ "STARTUP", OP_PARSED },
	{ "OPTIONS", OP_PARSED },
	{ "AUTH_RESPONSE", OP_PARSED },
	{ "QUERY", OP_PARSED },
	{ "PREPARE", OP_PARSED },
	{ "EXECUTE", OP_PARSED },
	{ "BATCH", OP_PARSED },
	{ "REGISTER", OP_PARSED },
	{ "READY", OP_PARSED },
	{ "AUTHENTICATE", OP_PARSED },
	{ "AUTH_CHALLENGE", OP_PARSED },
	{ "AUTH_SUCCESS", OP_PARSED },
	{ "SUPPORTED", OP_PARSED },
	{ "RESULT", OP_PARSED },
	{ "ERROR", OP_PARSED },
	{ "EVENT", OP_NAMED },
	{ "versions 1 and 2", OP_UNKNOWN },
	{ NULL, OP_UNKNOWN },
};

/* OPTIONS and STARTUP of any stream; short enough for two bytes of length. */
#define OPENS(version, opcode, same)                                                \
	{                                                                           \
		.len = 8, .value = { version, 0, 0, 0, opcode, 0, 0, 0 }, .mask = { \
			same,                                                       \
			0xe0,                                                       \
			0,                                                          \
			0,                                                          \
			0xff,                                                       \
			0xff,                                                       \
			0xff,                                                       \
			0xfe                                                        \
		}                                                                   \
	}

const struct proto proto_cql = {
	.name = "cassandra",
	.title = "Cassandra CQL native protocol, versions 3 to 5",
	.system = "cassandra",
	.limits =
		"what is compressed is not read: bodies of versions 3 and 4, of 5 all that follows "
		"the login; of a batch the first statement; the CRC of segments' contents is not "
		"checked; versions 1 and 2 are not known",
	.ops = ops,
	.rules = { OPENS(3, 5, 0xff), OPENS(4, 5, 0xfe), OPENS(3, 1, 0xff), OPENS(4, 1, 0xfe) },
	.ports = { 9042 },
	.family = FAMILY_SQL,
	.state_size = sizeof(struct cql),
	.full_payload = true,
	.detect = cql_detect,
	.parse = cql_parse,
	.resync = cql_resync,
	.answers = cql_answers,
};
