// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * mssql - Tabular Data Stream of Microsoft SQL Server, versions 7.0 to 7.4:
 * detection, and the place after lost bytes.
 *
 * A message is one or more packets; a request is a message, and so is its answer,
 * in order. TLS begins inside of packets and goes on without them: for the login
 * alone, or for all that follows. Names, attributes and errors: OpenTelemetry
 * semantic conventions 1.44, database and its page on Microsoft SQL Server.
 */
#include "proto/mssql.h"

/* ---- detection ---- */

/* A login: its length, a version that there is, places behind its fixed part. */
static bool is_login(const struct mssql_packet *p, struct cur c)
{
	uint64_t len = cur_le(&c, 4), version;

	version = cur_le(&c, 4);
	return !c.over && len + MSSQL_HEADER >= p->len && len < MSSQL_PACKET &&
	       ((version & 0xf8ffff00) == 0x70000000 || version >> 24 == 0x72 ||
	        version >> 24 == 0x73 || version == 0x74000004 || version == 0x08000000);
}

/* Text in UTF-16 as statements are: what begins them is ASCII. */
static bool is_statement(struct cur c)
{
	unsigned int n = 0;

	for (; n < 16 && cur_left(&c) >= 2; n++) {
		uint8_t low = cur_u8(&c), high = cur_u8(&c);

		if (high || low > 0x7e || (low < ' ' && low != '\t' && low != '\r' && low != '\n'))
			return false;
	}
	return n >= 4;
}

/* What is there of a payload; SURE_MAYBE: it may be. */
static enum sure asks(const struct mssql_packet *p, struct cur c, bool from_start)
{
	size_t here = cur_left(&c), len = p->len - (size_t)MSSQL_HEADER;
	struct str activity;
	uint8_t encryption;

	if (here > len)
		c.end = c.p + len;
	switch (p->type) {
	case MSSQL_PRELOGIN:
		if (from_start && *c.p)
			return SURE_NO;
		if (mssql_prelogin(c, &encryption))
			return SURE_YES;
		return here < len ? SURE_MAYBE : from_start ? SURE_NO : SURE_MAYBE;
	case MSSQL_LOGIN:
		return is_login(p, c) ? SURE_YES : here < 8 ? SURE_MAYBE : SURE_NO;
	case MSSQL_BATCH:
	case MSSQL_RPC:
	case MSSQL_TRANSACTION:
		if (mssql_headers(c, &activity))
			return SURE_YES;
		if (p->type == MSSQL_BATCH && is_statement(c))
			return SURE_LIKELY;
		return here < 22 && here < len ? SURE_MAYBE : SURE_NO;
	default:
		return SURE_MAYBE;
	}
}

/* Whole packets up to one that tells. */
static enum sure requests(struct cur c, bool from_start)
{
	while (cur_left(&c)) {
		struct mssql_packet p;
		struct cur h = c;
		enum sure sure;

		if (mssql_is_record(c) && !from_start)
			return SURE_MAYBE;
		if (cur_left(&c) < MSSQL_HEADER)
			return SURE_MAYBE;
		if (!mssql_packet(&h, DIR_REQ, &p))
			return SURE_NO;
		if (p.len > MSSQL_HEADER && !cur_left(&h))
			return SURE_MAYBE;
		sure = asks(&p, h, from_start);
		if (sure != SURE_MAYBE)
			return sure;
		cur_take(&c, p.len);
		if (c.over)
			break;
	}
	return SURE_MAYBE;
}

/* A whole message of one packet that ends as answers do. */
static enum sure answers(struct cur c)
{
	struct mssql_packet p;
	struct mssql unused = { 0 };
	size_t len;

	if (cur_left(&c) < MSSQL_HEADER)
		return SURE_MAYBE;
	if (!mssql_packet(&c, DIR_RESP, &p))
		return SURE_NO;
	len = p.len - (size_t)MSSQL_HEADER;
	if (!cur_left(&c) || !len)
		return SURE_MAYBE;
	if (p.type == MSSQL_PRELOGIN || !*c.p)
		return SURE_MAYBE;
	if (!mssql_is_token(*c.p))
		return SURE_NO;
	if (cur_left(&c) < len || !(p.status & MSSQL_EOM) || len < MSSQL_TAIL)
		return SURE_MAYBE;
	return mssql_done(&unused, c.p + len - MSSQL_TAIL, MSSQL_TAIL) ? SURE_YES : SURE_MAYBE;
}

/* The first packet in `in` that tells. */
static const uint8_t *find(struct cur in, enum dir dir, enum sure least)
{
	for (; cur_left(&in) > MSSQL_HEADER; in.p++) {
		enum sure sure;

		if (in.p[7] || in.p[1] > 0x1f || (in.p[2] & 0x80 && in.p[2] != 0x80))
			continue;
		sure = dir == DIR_REQ ? requests(in, false) : answers(in);
		if (sure >= least)
			return in.p;
	}
	return NULL;
}

static enum sure mssql_detect(const struct first *f)
{
	enum sure req = requests(f->req, f->from_start);
	enum sure resp = answers(f->resp);

	/* tracing began inside of a message */
	if (req == SURE_NO && !f->from_start)
		req = find(f->req, DIR_REQ, SURE_YES) ? SURE_LIKELY : SURE_NO;
	else if (resp == SURE_NO && !f->from_start)
		resp = find(f->resp, DIR_RESP, SURE_YES) ? SURE_YES : SURE_NO;
	if (req == SURE_NO || resp == SURE_NO)
		return SURE_NO;
	if (req == SURE_YES || resp == SURE_YES || (req == SURE_LIKELY && cur_left(&f->resp)))
		return SURE_YES;
	return SURE_MAYBE;
}

/* ---- the parser ---- */

static enum parse mssql_parse(void *state, enum dir dir, struct cur *in, struct msg *out)
{
	struct mssql *s = state;
	struct cur c = *in;
	enum parse r;

	if (!cur_left(in))
		return PARSE_MORE;
	if (cur_left(&c) > PROTO_HEAD) {
		c.end = c.p + PROTO_HEAD;
		c.cut = false;
	}
	*out = MSG_INIT;
	r = dir == DIR_REQ ? mssql_request(s, &c, out) : mssql_response(s, &c, out);
	if (r == PARSE_OK)
		in->p = c.p;
	else
		*out = MSG_INIT;
	return r;
}

static const uint8_t *mssql_resync(void *state, enum dir dir, struct cur in)
{
	struct mssql *s = state;
	struct mssql_packet p;
	struct cur c = in;

	s->side[dir] = (struct mssql_side){ 0 };
	if (dir == DIR_REQ)
		s->open = false;
	if (mssql_packet(&c, dir, &p) || mssql_is_record(in))
		return in.p;
	return find(in, dir, dir == DIR_REQ ? SURE_LIKELY : SURE_YES);
}

static const struct proto_op ops[] = {
	{ "PRELOGIN", OP_PARSED },
	{ "LOGIN", OP_PARSED },
	{ "SQL batch: SELECT, INSERT ...", OP_PARSED },
	{ "EXEC: a procedure by its name", OP_PARSED },
	{ "sp_executesql", OP_PARSED },
	{ "sp_prepare", OP_PARSED },
	{ "sp_prepexec", OP_PARSED },
	{ "sp_execute", OP_PARSED },
	{ "sp_unprepare", OP_PARSED },
	{ "sp_cursoropen", OP_PARSED },
	{ "sp_cursorprepexec", OP_PARSED },
	{ "sp_cursorfetch", OP_PARSED },
	{ "sp_cursorclose", OP_PARSED },
	{ "BEGIN", OP_PARSED },
	{ "COMMIT", OP_PARSED },
	{ "ROLLBACK", OP_PARSED },
	{ "SAVE", OP_PARSED },
	{ "attention", OP_PARSED },
	{ "BULK", OP_NAMED },
	{ "SSPI", OP_NAMED },
	{ "FEDAUTH", OP_NAMED },
	{ "MARS", OP_UNKNOWN },
	{ NULL, OP_UNKNOWN },
};

const struct proto proto_mssql = {
	.name = "mssql",
	.title = "Microsoft SQL Server, Tabular Data Stream 7.0 to 7.4",
	.system = "microsoft.sql_server",
	.limits =
		"a connection that is encrypted as a whole is named, not read; where only the login "
		"is, its user is unknown; several sessions in one connection (MARS) are not read; of "
		"a batch of calls the first; rows that are loaded in bulk are not counted before the "
		"answer; a text in double quotes is taken for a name, as ANSI has it; versions "
		"before 7.0 (Sybase) and 8.0 (TLS first) are others; tested with another server that "
		"speaks it, not with Microsoft's",
	.ops = ops,
	.family = FAMILY_SQL,
	.rules = { { .len = 8,
	             .value = { MSSQL_PRELOGIN, MSSQL_EOM, 0, 0, 0, 0, 0, 0 },
	             .mask = { 255, 255, 255, 0, 255, 255, 0, 255 } } },
	.ports = { 1433 },
	.state_size = sizeof(struct mssql),
	.in_order = true,
	.full_payload = true,
	.detect = mssql_detect,
	.parse = mssql_parse,
	.resync = mssql_resync,
};
