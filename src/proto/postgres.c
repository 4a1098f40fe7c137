// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * postgres - PostgreSQL's frontend/backend protocol, version 3.
 *
 * A message is a type byte, a length that counts itself, and a body; only those
 * that start a session have no type. See the chapter "Frontend/Backend Protocol"
 * of the PostgreSQL manual.
 */
#include "proto/postgres.h"

enum {
	SMALL = 10000,
	CHAIN = 4,              /* messages in a row are proof */
	CHAIN_LARGE = 64 << 20, /* no length made of printable characters is as short */
};

/* Lengths of the body that a type of message can have. */
/* clang-format off */
static const struct shape {
	bool known;
	uint32_t min, max;
} shapes[2][128] = {
	[DIR_REQ] = {
		['Q'] = { true, 1, PG_LARGE }, ['P'] = { true, 4, PG_LARGE }, ['B'] = { true, 8, PG_LARGE },
		['E'] = { true, 5, SMALL }, ['S'] = { true, 0, 0 }, ['D'] = { true, 2, SMALL },
		['C'] = { true, 2, SMALL }, ['H'] = { true, 0, 0 }, ['d'] = { true, 0, PG_LARGE },
		['c'] = { true, 0, 0 }, ['f'] = { true, 1, SMALL }, ['F'] = { true, 10, PG_LARGE },
		['p'] = { true, 0, 65535 }, ['X'] = { true, 0, 0 },
	},
	[DIR_RESP] = {
		['D'] = { true, 2, PG_LARGE }, ['C'] = { true, 1, 64 }, ['Z'] = { true, 1, 1 },
		['T'] = { true, 2, PG_LARGE }, ['1'] = { true, 0, 0 }, ['2'] = { true, 0, 0 },
		['3'] = { true, 0, 0 }, ['n'] = { true, 0, 0 }, ['s'] = { true, 0, 0 },
		['I'] = { true, 0, 0 }, ['t'] = { true, 2, 262142 }, ['E'] = { true, 1, PG_LARGE },
		['N'] = { true, 1, PG_LARGE }, ['A'] = { true, 6, SMALL }, ['S'] = { true, 2, PG_LARGE },
		['R'] = { true, 4, 65535 }, ['K'] = { true, 8, 260 }, ['v'] = { true, 8, SMALL },
		['d'] = { true, 0, PG_LARGE }, ['c'] = { true, 0, 0 }, ['G'] = { true, 3, 65535 },
		['H'] = { true, 3, 65535 }, ['W'] = { true, 3, 65535 }, ['V'] = { true, 4, PG_LARGE },
	},
};
/* clang-format on */

static bool is_type(enum dir dir, uint8_t type)
{
	return type < 128 && shapes[dir][type].known;
}

bool pg_length_fits(enum dir dir, uint8_t type, uint32_t len)
{
	const struct shape *s = &shapes[dir][type & 127];

	return is_type(dir, type) && len >= s->min && len <= s->max;
}

enum parse pg_frame(const struct cur *in, enum dir dir, struct pg_frame *f)
{
	struct cur c = *in;
	uint8_t type = cur_u8(&c);
	uint32_t len = cur_be32(&c);
	size_t room = PROTO_HEAD - PG_HEADER;

	if (c.over)
		return PARSE_MORE;
	if (len < 4 || !pg_length_fits(dir, type, len - 4))
		return PARSE_BAD;
	*f = (struct pg_frame){ .type = type, .len = len - 4 };
	room = room < f->len ? room : f->len;
	f->ready = cur_left(&c) >= room || in->cut;
	f->body = cur_of(c.p, cur_left(&c) < room ? cur_left(&c) : room);
	f->whole = cur_left(&f->body) == f->len;
	return PARSE_OK;
}

/* A row costs a few instructions here, and a call of the parser elsewhere. */
enum parse pg_take_run(struct cur *in, uint8_t type, uint32_t *count, struct msg *out)
{
	uint32_t n = 0;

	out->flags |= MSG_F_BODY | MSG_F_RUN;
	while (cur_left(in) >= PG_HEADER && *in->p == type) {
		struct cur c = { .p = in->p + 1, .end = in->end };
		uint64_t len = cur_be32(&c), left = cur_left(in) - 1;

		if (n && (len < 4 || len - 4 > PG_LARGE))
			break; /* the next call says that it is bad */
		n++;
		in->p += 1 + (len < left ? len : left);
		out->skip = len < left ? 0 : len - left;
	}
	if (count)
		*count += n;
	return PARSE_OK;
}

/* The halves write to the state only once nothing can go wrong any more. */
static enum parse postgres_parse(void *state, enum dir dir, struct cur *in, struct msg *out)
{
	struct cur c = *in;
	enum parse r;

	if (!cur_left(in))
		return PARSE_MORE;
	r = dir == DIR_REQ ? pg_request(state, &c, out) : pg_response(state, &c, out);
	if (r == PARSE_OK)
		*in = c;
	else
		*out = MSG_INIT;
	return r;
}

/* ---- is this a message? ---- */

/* Text that a person or a driver wrote: no control characters but blanks. */
static bool looks_like_text(const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n && i < 16 && p[i]; i++)
		if (p[i] < ' ' && p[i] != '\t' && p[i] != '\n' && p[i] != '\r')
			return false;
	return true;
}

static bool is_column_count(struct cur c)
{
	return cur_be16(&c) <= 1664 || c.over;
}

/* Whether the body of a message, as far as it is there, goes with its type. */
static bool body_fits(enum dir dir, uint8_t type, uint32_t len, struct cur body)
{
	size_t n = cur_left(&body);
	bool whole = n == len;

	if (!n)
		return true;
	if (dir == DIR_REQ && (type == 'Q' || type == 'P'))
		return looks_like_text(body.p, n) && (!whole || type == 'P' || !body.end[-1]);
	if (dir == DIR_REQ)
		return (type != 'D' && type != 'C') || *body.p == 'S' || *body.p == 'P';
	if (type == 'Z')
		return memchr("ITE", *body.p, 3);
	if (type == 'C')
		return *body.p >= 'A' && *body.p <= 'Z' && (!whole || !body.end[-1]);
	if (type == 'E' || type == 'N')
		return *body.p == 'S' && (!whole || !body.end[-1]);
	if (type == 'D' || type == 'T')
		return is_column_count(body);
	if (type == 'S')
		return looks_like_text(body.p, n) && (!whole || !body.end[-1]);
	return true;
}

struct chain {
	unsigned int whole; /* messages that fit, complete */
	bool strong;        /* of a kind that is no chance: a statement, ReadyForQuery */
	bool bad;           /* then comes something else */
};

/* How many messages in a row begin at c, at most CHAIN. */
static struct chain chain(enum dir dir, struct cur c)
{
	struct chain found = { 0 };

	while (cur_left(&c) && found.whole < CHAIN && !found.bad) {
		uint8_t type = cur_u8(&c);
		uint32_t len = cur_be32(&c) - 4;
		size_t seen = len < cur_left(&c) ? len : cur_left(&c);

		if (c.over) {
			found.bad = !is_type(dir, type);
			break;
		}
		found.bad = len > CHAIN_LARGE || !pg_length_fits(dir, type, len) ||
		            !body_fits(dir, type, len, cur_of(c.p, seen));
		if (found.bad || seen < len)
			break;
		found.whole++;
		if (dir == DIR_REQ ? type == 'Q' || type == 'P' || type == 'B' : type == 'Z')
			found.strong = true;
		cur_take(&c, len);
	}
	return found;
}

/* ---- detection ---- */

/* The first message of a session. */
static enum sure detect_startup(struct cur c)
{
	size_t n = cur_left(&c);
	uint32_t len = cur_be32(&c), code = cur_be32(&c);
	uint8_t first = cur_u8(&c);

	if (n < 8)
		return SURE_MAYBE;
	if (code == 0x04d2162f || code == 0x04d21630)
		return len == 8 ? SURE_YES : SURE_NO;
	if (code == 0x04d2162e)
		return len >= 16 && len <= 268 ? SURE_YES : SURE_NO;
	if (code >> 16 != 3 || len < 9 || len > SMALL)
		return SURE_NO;
	if (n < 9)
		return SURE_MAYBE;
	/* Kafka's requests may have the same first eight bytes, but no name here. */
	return (first >= 'a' && first <= 'z') || first == '_' || (!first && len == 9) ? SURE_YES
	                                                                              : SURE_NO;
}

/* In the middle of a session: messages in a row, best in both directions. */
static enum sure detect_running(const struct first *f)
{
	struct chain req = chain(DIR_REQ, f->req), resp = chain(DIR_RESP, f->resp);

	if (req.bad || (resp.bad && f->from_start))
		return SURE_NO;
	if (resp.bad) /* tracing began inside of an answer */
		return req.strong && req.whole > 1 ? SURE_LIKELY : SURE_MAYBE;
	if (req.strong && resp.whole > 1)
		return SURE_YES;
	if (req.strong && (req.whole > 1 || resp.whole))
		return SURE_LIKELY;
	return resp.strong && resp.whole > 1 ? SURE_LIKELY : SURE_MAYBE;
}

static enum sure postgres_detect(const struct first *f)
{
	if (!cur_left(&f->req) && !cur_left(&f->resp))
		return SURE_MAYBE;
	if (cur_left(&f->req) && !*f->req.p) {
		if (cur_left(&f->resp) && !memchr("RENSGv", *f->resp.p, 6))
			return SURE_NO;
		return detect_startup(f->req);
	}
	return detect_running(f);
}

/* ---- after lost bytes ---- */

/* Whether a message starts at c: it and what follows must fit. */
static bool starts(enum dir dir, struct cur c, bool first)
{
	struct chain found = chain(dir, c);

	/* A header alone proves little: values in rows look like that too. */
	return !found.bad && (first || found.whole > 1 || (found.whole && found.strong));
}

static const uint8_t *postgres_resync(void *state, enum dir dir, struct cur in)
{
	struct pg *s = state;

	if (dir == DIR_RESP)
		s->doubt = true;
	for (const uint8_t *p = in.p; p < in.end; p++)
		if (is_type(dir, *p) && starts(dir, cur_of(p, (size_t)(in.end - p)), p == in.p))
			return p;
	return NULL;
}

/* ---- the table ---- */

static const struct proto_op ops[] = {
	{ "SELECT, INSERT, UPDATE, DELETE ...: the verb of a simple query", OP_PARSED },
	{ "EXECUTE", OP_PARSED },
	{ "PREPARE", OP_PARSED },
	{ "COPY", OP_PARSED },
	{ "CONNECT", OP_PARSED },
	{ "CANCEL", OP_PARSED },
	{ "FUNCTION", OP_NAMED },
	{ "START_REPLICATION", OP_NAMED },
	{ NULL, OP_UNKNOWN },
};

/* clang-format off */
const struct proto proto_postgres = {
	.name = "postgresql",
	.title = "PostgreSQL frontend/backend protocol 3",
	.system = "postgresql",
	.limits = "protocol 2 is unknown; parameters and rows are not read; "
	          "statements prepared before tracing began are unknown",
	.ops = ops,
	.family = FAMILY_SQL,
	.rules = {
		{ 0, 8, { 0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f }, { 255, 255, 255, 255, 255, 255, 255, 255 } },
		{ 0, 8, { 0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x30 }, { 255, 255, 255, 255, 255, 255, 255, 255 } },
		{ 0, 8, { 0, 0, 0, 16, 0x04, 0xd2, 0x16, 0x2e }, { 255, 255, 255, 255, 255, 255, 255, 255 } },
		{ 0, 8, { 0, 0, 0, 0, 0, 3, 0, 0 }, { 255, 255, 0, 0, 255, 255, 255, 255 } },
		{ 0, 8, { 0, 0, 0, 0, 0, 3, 0, 2 }, { 255, 255, 0, 0, 255, 255, 255, 255 } },
	},
	.ports = { 5432, 6432 },
	.state_size = sizeof(struct pg),
	.in_order = true,
	.full_payload = true,
	.detect = postgres_detect,
	.parse = postgres_parse,
	.resync = postgres_resync,
};
/* clang-format on */
