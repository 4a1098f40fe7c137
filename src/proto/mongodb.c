// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * mongodb - MongoDB's wire protocol and what speaks it: detection, and the place
 * after lost bytes.
 *
 * https://www.mongodb.com/docs/manual/reference/mongodb-wire-protocol/ and the
 * specification of OP_MSG. Names, attributes and errors of spans: OpenTelemetry
 * semantic conventions 1.44, database clients and their page on MongoDB.
 */
#include "proto/mongodb.h"

enum { NAME_BYTES = 128, DOCUMENTS_MAX = 1 << 20 };

/* ---- whether a message begins here ---- */

/* As far as they are here, the bytes are a document whose first name is text. */
static bool document_begins(struct cur c, uint32_t room)
{
	uint32_t len = (uint32_t)cur_le(&c, 4);
	uint8_t type = cur_u8(&c);

	if (c.over)
		return true;
	if (len < 5 || len > room || (type > 0x13 && type != 0x7f && type != 0xff))
		return false;
	if (!type)
		return len == 5;
	for (size_t i = 0; i < NAME_BYTES; i++) {
		uint8_t ch = cur_u8(&c);

		if (c.over || !ch)
			return i || c.over;
		if (ch < ' ' || ch >= 0x7f)
			return false;
	}
	return false;
}

static bool sections_begin(struct cur c, enum dir dir, uint32_t room)
{
	uint32_t flags = (uint32_t)cur_le(&c, 4);
	uint8_t kind = cur_u8(&c);

	if (c.over)
		return true;
	if (flags & ~(uint32_t)(MONGODB_CHECKSUM | MONGODB_MORE_TO_COME | MONGODB_EXHAUST_ALLOWED))
		return false;
	if (kind == 1 && dir == DIR_REQ)
		return true;
	return !kind && document_begins(c, room - 5);
}

/* "shop.orders", whole or its beginning. */
static bool namespace_begins(struct cur *c)
{
	bool dot = false;

	for (size_t i = 0; i < NAME_BYTES; i++) {
		uint8_t ch = cur_u8(c);

		if (c->over || !ch)
			return c->over || (i && dot);
		if (ch < ' ' || ch == 0x7f)
			return false;
		dot |= ch == '.';
	}
	return false;
}

static bool query_begins(struct cur c, uint32_t room)
{
	uint32_t flags = (uint32_t)cur_le(&c, 4);

	if (c.over)
		return true;
	if (flags & 0xffffff01 || !namespace_begins(&c))
		return false;
	cur_take(&c, 8);
	return c.over || document_begins(c, room);
}

static bool reply_begins(struct cur c, uint32_t room)
{
	uint32_t flags = (uint32_t)cur_le(&c, 4), from, n;

	cur_take(&c, 8);
	from = (uint32_t)cur_le(&c, 4);
	n = (uint32_t)cur_le(&c, 4);
	if (c.over)
		return flags <= 15;
	return flags <= 15 && from < INT32_MAX && n <= DOCUMENTS_MAX &&
	       (!n || document_begins(c, room));
}

static bool packed_begins(struct cur c)
{
	uint32_t opcode = (uint32_t)cur_le(&c, 4), size = (uint32_t)cur_le(&c, 4);
	uint8_t with = cur_u8(&c);

	return c.over ||
	       ((opcode == MONGODB_MSG || opcode == MONGODB_QUERY || opcode == MONGODB_REPLY) &&
	        size <= MONGODB_LENGTH_MAX && with <= 3);
}

static bool body_begins(struct cur c, enum dir dir, uint32_t opcode, uint32_t room)
{
	switch (opcode) {
	case MONGODB_MSG:
		return sections_begin(c, dir, room);
	case MONGODB_COMPRESSED:
		return packed_begins(c);
	case MONGODB_QUERY:
		return dir == DIR_REQ && query_begins(c, room);
	case MONGODB_REPLY:
		return dir == DIR_RESP && reply_begins(c, room);
	case MONGODB_INSERT:
	case MONGODB_UPDATE:
	case MONGODB_DELETE:
	case MONGODB_GET_MORE:
		cur_take(&c, 4);
		return dir == DIR_REQ && (c.over || namespace_begins(&c));
	default:
		return false;
	}
}

/* 26: the shortest that has a document; what is longer is read as far as it is here. */
int mongodb_begins(struct cur c, enum dir dir)
{
	enum { ENOUGH = 26 };
	size_t have = cur_left(&c);
	uint32_t length = (uint32_t)cur_le(&c, 4), to, opcode;

	if (have >= 4 && (length < ENOUGH || length > MONGODB_LENGTH_MAX))
		return -1;
	cur_take(&c, 4);
	to = (uint32_t)cur_le(&c, 4);
	if (!c.over && (dir == DIR_REQ) != !to)
		return -1;
	opcode = (uint32_t)cur_le(&c, 4);
	if (c.over)
		return 0;
	if (!body_begins(c, dir, opcode, length - MONGODB_HEAD))
		return -1;
	return have < ENOUGH ? 0 : 1;
}

/* ---- detection ---- */

/* The first place in the bytes where a message begins for sure. */
static const uint8_t *find(struct cur in, enum dir dir, uint8_t low)
{
	for (; cur_left(&in) > MONGODB_HEAD; in.p++) {
		/* high bytes of the opcode; the highest of the length */
		if (!in.p[14] && !in.p[15] && in.p[13] <= 7 && in.p[13] >= low && in.p[3] <= 2 &&
		    mongodb_begins(in, dir) > 0)
			return in.p;
	}
	return NULL;
}

/* OP_REPLY, 1, at the front: with a length and an id it is like many bytes of anything. */
static bool is_reply(struct cur c)
{
	cur_take(&c, 12);
	return cur_le(&c, 4) == MONGODB_REPLY;
}

static enum sure mongodb_detect(const struct first *f)
{
	int asks = mongodb_begins(f->req, DIR_REQ), answers = mongodb_begins(f->resp, DIR_RESP);

	if (asks < 0 || answers < 0) {
		if (f->from_start)
			return SURE_NO;
		/* tracing began inside of a message */
		asks = asks < 0 && find(f->req, DIR_REQ, 7) ? 1 : asks;
		answers = answers < 0 && find(f->resp, DIR_RESP, 7) ? 1 : answers;
	}
	if (!f->from_start && asks <= 0 && answers > 0 && is_reply(f->resp))
		answers = 0;
	if (asks > 0 || answers > 0)
		return SURE_YES;
	return asks < 0 || answers < 0 ? SURE_NO : SURE_MAYBE;
}

/* At once where one may begin here (heads are read by themselves), else where one does for sure. */
static const uint8_t *mongodb_resync(void *state, enum dir dir, struct cur in)
{
	struct mongodb *s = state;

	s->last_answer = 0;
	return mongodb_begins(in, dir) >= 0 ? in.p : find(in, dir, 0);
}

/* ---- the table ---- */

static const struct proto_op ops[] = {
#define MONGODB_COMMAND(name, value, how) { #name, how },
#include "proto/mongodb_commands.def"
#undef MONGODB_COMMAND
	{ "OP_MSG", OP_PARSED },       { "OP_QUERY", OP_PARSED },   { "OP_REPLY", OP_PARSED },
	{ "OP_COMPRESSED", OP_NAMED }, { "OP_INSERT", OP_NAMED },   { "OP_UPDATE", OP_NAMED },
	{ "OP_DELETE", OP_NAMED },     { "OP_GET_MORE", OP_NAMED }, { "OP_KILL_CURSORS", OP_NAMED },
	{ NULL, OP_UNKNOWN },
};

const struct proto proto_mongodb = {
	.name = "mongodb",
	.title = "MongoDB wire protocol (OP_MSG, and what was before it)",
	.system = "mongodb",
	.limits =
		"compressed messages are paired, not read; documents of an answer beyond its first "
		"16 KiB are not counted",
	.ops = ops,
	.family = FAMILY_DOCUMENTS,
	/* OP_MSG with no flags but known ones */
	.rules = { { .off = 12,
	             .len = 8,
	             .value = { 0xdd, 0x07 },
	             .mask = { 255, 255, 255, 255, 0xfc, 255, 0xfe, 255 } } },
	.ports = { 27017, 27018, 27019 },
	.state_size = sizeof(struct mongodb),
	.full_payload = true,
	.detect = mongodb_detect,
	.parse = mongodb_parse,
	.resync = mongodb_resync,
};
