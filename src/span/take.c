// SPDX-License-Identifier: GPL-3.0-or-later
/* take - the texts that a request keeps of its messages. */
#include "span/take.h"

#include <stdlib.h>

#include "base/json.h"
#include "proto/sql.h"
#include "span/header.h"

/* An execution is called by what it executes. */
static struct str op_of(const struct conn *c, const struct msg *m, struct str target)
{
	enum sql_dialect dialect = sql_dialect(str_of(c->proto->name));

	if (c->proto->family != FAMILY_SQL || !str_is(m->op, "EXECUTE") || !target.len)
		return m->op;
	return sql_op(target, dialect);
}

struct hash *take_defs(struct pairs *p, struct talk *k, const struct msg *m)
{
	return m->flags & MSG_F_WIDE ? &p->defs : &k->defs;
}

/* The topic: as the message has it, or as it was called when its id was learnt. */
void take_topic(struct pairs *p, struct talk *k, struct req *r, const struct msg *m)
{
	struct str topic = m->topic;

	if (!topic.s && m->flags & MSG_F_USE)
		topic = str_of(hash_get(take_defs(p, k, m), m->use_id));
	if (topic.s && !r->topic.known)
		r->topic = req_text(r, topic);
	r->temporary |= !!(m->flags & MSG_F_TEMPORARY);
}

void take_trace(struct req *r, const struct msg *m)
{
	if (!m->traceparent.len || r->traceparent.known)
		return;
	r->traceparent = req_text(r, m->traceparent);
	if (m->tracestate.len)
		r->tracestate = req_text(r, m->tracestate);
}

static void take_target(struct pairs *p, const struct conn *c, struct talk *k, struct req *r,
                        const struct msg *m)
{
	struct str target = m->target;

	if (m->flags & MSG_F_USE && c->proto->family != FAMILY_MESSAGING) {
		const char *text = hash_get(take_defs(p, k, m), m->use_id);

		target = text ? str_of(text) : m->target.len ? m->target : STR_NULL;
	}
	r->op = req_text(r, op_of(c, m, target));
	r->target = req_text(r, target);
}

void take_attrs(const struct pairs *p, struct req *r, enum dir d, const struct msg *m)
{
	req_attrs(r, m);
	if (p->opts.headers.n && m->lines.len)
		header_attrs(r, &p->opts.headers, d, m->lines);
}

static int hex_digit(char c)
{
	c |= 0x20;
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* "SELECT+1%3B" (application/x-www-form-urlencoded) */
static void url_decode(struct str s, struct buf *out)
{
	for (size_t i = 0; i < s.len; i++) {
		bool coded = s.s[i] == '%' && s.len - i > 2 && hex_digit(s.s[i + 1]) >= 0 &&
		             hex_digit(s.s[i + 2]) >= 0;

		if (coded)
			buf_ch(out, (char)(hex_digit(s.s[i + 1]) << 4 | hex_digit(s.s[i + 2])));
		else
			buf_ch(out, s.s[i] == '+' ? ' ' : s.s[i]);
		i += coded ? 2 : 0;
	}
}

/* A statement that HTTP carries, and its verb as the operation. */
static void take_statement(struct req *r, const struct msg *m)
{
	enum sql_dialect dialect = sql_dialect(str_of(m->level));
	struct buf plain = { 0 };
	struct str op;

	if (m->coding == CODING_URL)
		url_decode(m->query, &plain);
	else if (m->coding == CODING_JSON)
		json_decode(m->query, &plain);
	else
		buf_str(&plain, m->query);
	r->query = req_text(r, buf_slice(&plain));
	op = sql_op(buf_slice(&plain), dialect);
	if (op.len) {
		struct msg named = MSG_INIT;

		r->op = req_text(r, op);
		msg_attr(&named, ATTR_DB_OPERATION_NAME, op);
		req_attrs(r, &named);
	}
	buf_free(&plain);
}

void take_level(struct req *r, const struct msg *m)
{
	r->level = m->level;
	r->dotted |= !!(m->flags & MSG_F_DOTTED);
	if (m->op.s)
		r->op = req_text(r, m->op);
	if (m->subject.s)
		r->subject = req_text(r, m->subject);
	if (m->topic.s)
		r->topic = req_text(r, m->topic);
	if (m->query.s)
		take_statement(r, m);
	req_attrs(r, m);
}

static void take_kept(struct talk *k, const struct msg *m)
{
	struct req r = { .attrs = { 0 } };

	req_attrs(&r, m);
	k->kept = k->kept ? k->kept : calloc(1, sizeof(*k->kept));
	if (!k->kept) {
		buf_free(&r.attrs);
		return;
	}
	buf_free(&k->kept->attrs);
	k->kept->attrs = r.attrs;
	memcpy(k->kept->has, r.has, sizeof(r.has));
}

void take_texts(struct pairs *p, const struct conn *c, struct talk *k, struct req *r,
                const struct msg *m)
{
	take_target(p, c, k, r, m);
	if (c->proto->family == FAMILY_MESSAGING)
		take_topic(p, k, r, m);
	if (m->query.s)
		r->query = req_text(r, m->query);
	r->db = req_text(r, k->db ? str_of(k->db) : STR_NULL);
	take_trace(r, m);
	if (m->level)
		take_level(r, m);
	if (m->flags & MSG_F_NEWDB_OK) {
		r->newdb = req_text(r, m->db);
		r->newdb_ok = true;
	}
	if (k->kept) {
		buf_str(&r->attrs, buf_slice(&k->kept->attrs));
		memcpy(r->has, k->kept->has, sizeof(r->has));
	}
	take_attrs(p, r, DIR_REQ, m);
}

void take_status(const struct conn *c, struct req *r, const struct msg *m)
{
	if (m->status.s && m->status.len)
		r->status = req_text(r, m->status);
	if (m->error_type.len)
		r->error_type = req_text(r, m->error_type);
	if (m->code != MSG_NO_CODE)
		r->code = m->code;
	r->error |= c->side == SIDE_SERVER ? m->server_error : m->error;
}

void take_first(struct req *r, const struct msg *part)
{
	uint64_t ns = r->end_ns > r->start_ns ? r->end_ns - r->start_ns : 0;
	struct msg m = MSG_INIT;

	if (!(part->flags & MSG_F_FIRST))
		return;
	msg_attr_num(&m, ATTR_SSE_FIRST, (int64_t)(ns / 1000));
	req_attrs(r, &m);
}

void take_current(struct talk *k, const struct msg *m)
{
	if (m->flags & MSG_F_NEWDB)
		queue_db(k, m->db);
	if (m->flags & MSG_F_KEEP)
		take_kept(k, m);
}
