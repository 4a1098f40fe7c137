// SPDX-License-Identifier: GPL-3.0-or-later
/* cql_req - what a request of CQL says. */
#include "proto/cql.h"

#include "proto/sql.h"

/* Of <query_parameters>; version 5 has four bytes of flags. */
enum { Q_VALUES = 0x01, Q_PAGE_SIZE = 0x04, Q_NAMES = 0x40 };

static struct str consistency(unsigned int level)
{
	static const char *const names[] = {
		"any",          "one",         "two",    "three",        "quorum",    "all",
		"local_quorum", "each_quorum", "serial", "local_serial", "local_one",
	};

	return level < sizeof(names) / sizeof(*names) ? str_of(names[level]) : STR_NULL;
}

/* What a statement is run with: consistency, flags, values, rows of a page. */
static void parameters(const struct cql_frame *f, struct cur *c, struct msg *out)
{
	struct str level = consistency(cur_be16(c));
	uint32_t flags, page;

	if (c->over)
		return;
	msg_attr(out, ATTR_CASSANDRA_CONSISTENCY, level);
	flags = (uint32_t)cur_be(c, f->version >= 5 ? 4 : 1);
	if (flags & Q_VALUES) {
		for (unsigned int n = cur_be16(c); n && !c->over; n--) {
			if (flags & Q_NAMES)
				cql_string(c);
			cql_bytes(c);
		}
	}
	page = flags & Q_PAGE_SIZE ? cur_be32(c) : 0;
	if (page && !c->over)
		msg_attr_num(out, ATTR_CASSANDRA_PAGE_SIZE, page);
}

/* The text, or what there is of it. */
static void statement(struct cur *c, struct msg *out)
{
	uint32_t len = cur_be32(c);
	struct str text = cur_rest(c, len);

	if (c->over)
		return;
	out->target = text;
	if (text.len < len)
		out->flags |= MSG_F_CUT;
	out->traceparent = sql_traceparent(text, SQL_POSTGRESQL);
}

/* The id that PREPARE gave; it is made of the text, so that it means the same everywhere. */
static void prepared(struct cur *c, struct msg *out)
{
	struct str id = cql_string(c);

	if (c->over || !id.len)
		return;
	out->flags |= MSG_F_USE | MSG_F_WIDE;
	out->use_id = str_hash(id.s, id.len);
}

static void query(const struct cql_frame *f, struct cur *c, struct msg *out)
{
	struct str op;

	statement(c, out);
	op = sql_op(out->target, SQL_POSTGRESQL);
	if (op.len)
		out->op = op;
	parameters(f, c, out);
}

static void execute(const struct cql_frame *f, struct cur *c, struct msg *out)
{
	prepared(c, out);
	if (f->version >= 5)
		cql_string(c); /* which columns the result is expected to have */
	parameters(f, c, out);
}

/* Of its statements the first, and their number. */
static void batch(struct cur *c, struct msg *out)
{
	uint8_t kind;
	unsigned int n;

	cur_u8(c); /* logged, unlogged, counter */
	n = cur_be16(c);
	kind = cur_u8(c);
	if (c->over)
		return;
	if (n != 1)
		msg_attr_num(out, ATTR_DB_BATCH_SIZE, n);
	if (kind)
		prepared(c, out);
	else
		statement(c, out);
}

static void startup(struct cur *c, struct msg *out)
{
	for (unsigned int n = cur_be16(c); n && !c->over; n--) {
		struct str key = cql_string(c), value = cql_string(c);

		if (!c->over && str_is(key, "COMPRESSION"))
			msg_attr(out, ATTR_DB_COMPRESSED, value);
	}
}

/* SASL PLAIN (RFC 4616): [whom] NUL user NUL password. */
static void auth(struct cur *c, struct msg *out)
{
	struct str token = cql_bytes(c);
	struct cur t = cur_of(token.s, token.len);
	struct str user;

	cur_cstr(&t);
	user = cur_cstr(&t);
	if (!c->over && !t.over && user.len)
		msg_attr(out, ATTR_DB_USER, user);
}

static void custom_payload(struct cur *c, struct msg *out)
{
	for (unsigned int n = cur_be16(c); n && !c->over; n--) {
		struct str key = cql_string(c), value = cql_bytes(c);

		if (!c->over && str_is(key, "traceparent"))
			out->traceparent = value;
	}
}

void cql_request(const struct cql_frame *f, struct cur c, struct msg *out)
{
	struct str sent = STR_NULL;

	out->kind = MSG_REQ;
	out->op = str_of(cql_name(f->opcode));
	if (f->flags & CQL_F_PACKED) {
		msg_attr(out, ATTR_DB_COMPRESSED, STR("body"));
		return;
	}
	if (f->flags & CQL_F_PAYLOAD) {
		custom_payload(&c, out);
		sent = out->traceparent;
	}
	if (f->opcode == CQL_QUERY)
		query(f, &c, out);
	else if (f->opcode == CQL_PREPARE)
		statement(&c, out);
	else if (f->opcode == CQL_EXECUTE)
		execute(f, &c, out);
	else if (f->opcode == CQL_BATCH)
		batch(&c, out);
	else if (f->opcode == CQL_STARTUP)
		startup(&c, out);
	else if (f->opcode == CQL_AUTH_RESPONSE)
		auth(&c, out);
	if (sent.len)
		out->traceparent = sent;
}
