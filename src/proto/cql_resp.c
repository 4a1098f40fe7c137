// SPDX-License-Identifier: GPL-3.0-or-later
/* cql_resp - what an answer of CQL says: the kind of the result, rows, errors. */
#include "proto/cql.h"

enum result { R_VOID = 1, R_ROWS, R_SET_KEYSPACE, R_PREPARED, R_SCHEMA_CHANGE };

/* Of <metadata>. */
enum { M_GLOBAL = 1, M_MORE_PAGES = 2, M_NONE = 4, M_CHANGED = 8 };

enum type {
	T_CUSTOM = 0x00,
	T_LIST = 0x20,
	T_MAP = 0x21,
	T_SET = 0x22,
	T_UDT = 0x30,
	T_TUPLE = 0x31
};
enum { DEEPEST = 16 };

/* Passes the type of a column; c->over where it is none, or not all there. */
static void type(struct cur *c, unsigned int depth)
{
	unsigned int id = cur_be16(c), n = 0;

	if (depth == DEEPEST) {
		c->over = true;
		return;
	}
	switch (id) {
	case T_CUSTOM:
		cql_string(c);
		return;
	case T_UDT:
		cql_string(c);
		cql_string(c);
		n = cur_be16(c);
		break;
	case T_TUPLE:
		n = cur_be16(c);
		break;
	case T_MAP:
		n = 2;
		break;
	case T_LIST:
	case T_SET:
		n = 1;
		break;
	default:
		return;
	}
	for (; n && !c->over; n--) {
		if (id == T_UDT)
			cql_string(c);
		type(c, depth + 1);
	}
}

static void metadata(struct cur *c)
{
	uint32_t flags = cur_be32(c), columns = cur_be32(c);

	if (flags & M_MORE_PAGES)
		cql_bytes(c);
	if (flags & M_CHANGED)
		cql_string(c);
	if (flags & M_NONE)
		return;
	if (flags & M_GLOBAL) {
		cql_string(c);
		cql_string(c);
	}
	for (; columns && !c->over; columns--) {
		if (!(flags & M_GLOBAL)) {
			cql_string(c);
			cql_string(c);
		}
		cql_string(c);
		type(c, 0);
	}
}

static void result(struct cur *c, struct msg *out)
{
	struct str id;

	switch (cur_be32(c)) {
	case R_ROWS:
		metadata(c);
		out->rows = cur_be32(c);
		if (c->over)
			out->rows = -1;
		break;
	case R_SET_KEYSPACE:
		out->db = cql_string(c);
		if (!c->over)
			out->flags |= MSG_F_NEWDB;
		break;
	case R_PREPARED:
		id = cql_string(c);
		if (c->over || !id.len)
			break;
		out->flags |= MSG_F_DEFINE | MSG_F_WIDE;
		out->def_id = str_hash(id.s, id.len);
		break;
	}
}

static struct str decimal(char *text, uint32_t n)
{
	size_t at = 12;

	do
		text[--at] = (char)('0' + n % 10);
	while (n /= 10);
	return (struct str){ text + at, 12 - at };
}

static void error(struct cur *c, char *text, struct msg *out)
{
	uint32_t code = cur_be32(c), len;
	struct str why;

	out->error = out->server_error = true;
	if (c->over)
		return;
	out->code = (int32_t)code;
	out->status = out->error_type = decimal(text, code);
	len = cur_be16(c);
	why = cur_rest(c, len < 256 ? len : 256);
	if (why.len)
		msg_attr(out, ATTR_ERROR_MESSAGE, why);
}

/* What stands before the body: id of a trace, warnings, what servers add. */
static void prelude(const struct cql_frame *f, struct cur *c)
{
	if (f->flags & CQL_F_TRACING)
		cur_take(c, 16);
	if (f->flags & CQL_F_WARNING)
		for (unsigned int n = cur_be16(c); n && !c->over; n--)
			cql_string(c);
	if (f->flags & CQL_F_PAYLOAD) {
		for (unsigned int n = cur_be16(c); n && !c->over; n--) {
			cql_string(c);
			cql_bytes(c);
		}
	}
}

void cql_answer(const struct cql_frame *f, struct cur c, char *text, struct msg *out)
{
	if (f->opcode == CQL_EVENT || f->stream < 0) {
		out->kind = MSG_PUSH;
		return;
	}
	out->kind = MSG_RESP;
	if (f->flags & CQL_F_PACKED) {
		out->error = out->server_error = f->opcode == CQL_ERROR;
		return;
	}
	prelude(f, &c);
	if (f->opcode == CQL_RESULT)
		result(&c, out);
	else if (f->opcode == CQL_ERROR)
		error(&c, text, out);
}
