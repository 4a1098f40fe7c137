// SPDX-License-Identifier: GPL-3.0-or-later
/* postgres_req - what the client of a PostgreSQL connection sends. */
#include "proto/postgres.h"

enum {
	STARTUP_MAX = 10000,
	VERSION_3 = 3,
	CODE_CANCEL = 0x04d2162e,
	CODE_TLS = 0x04d2162f,
	CODE_GSS = 0x04d21630,
};

/* A request of the group under way. */
static void open_request(struct pg *s, struct msg *out)
{
	/* Who waits for each answer cannot have an old group open: its end was missed. */
	if (s->sent != s->answered && s->doubt && !s->pipelines) {
		s->answered = s->sent;
		s->done = s->reqs;
		s->held = false;
	} else if (s->sent != s->answered) {
		s->pipelines = true;
	}
	s->doubt = s->doubt && s->pipelines;
	out->kind = MSG_REQ;
	out->id = s->sent + 1;
	s->reqs++;
}

static void end_group(struct pg *s, bool simple)
{
	uint64_t slot = ++s->sent % PG_GROUPS, bit = (uint64_t)1 << (slot % 64);

	s->end[slot] = s->reqs;
	if (simple)
		s->simple[slot / 64] |= bit;
	else
		s->simple[slot / 64] &= ~bit;
}

/* ---- start of a session ---- */

static void startup_parameters(struct cur *c, struct msg *out)
{
	struct str user = STR(""), db = STR("");

	for (;;) {
		struct str key = cur_cstr(c), value = cur_cstr(c);

		if (c->over || !key.len)
			break;
		if (str_is(key, "user"))
			user = value;
		else if (str_is(key, "database"))
			db = value;
	}
	out->db = db.len ? db : user;
	if (out->db.len)
		out->flags |= MSG_F_NEWDB;
	if (user.len)
		msg_attr(out, ATTR_DB_USER, user);
}

static enum parse startup(struct pg *s, struct cur *in, struct msg *out)
{
	struct cur c = *in, body;
	uint32_t len = cur_be32(&c), code = cur_be32(&c);

	if (c.over)
		return PARSE_MORE;
	if (len < 8 || len > STARTUP_MAX)
		return PARSE_BAD;
	if (code == CODE_TLS || code == CODE_GSS) {
		if (len != 8)
			return PARSE_BAD;
		s->asked_tls = true;
		*in = c;
		return PARSE_OK;
	}
	if (code != CODE_CANCEL && code >> 16 != VERSION_3)
		return PARSE_BAD;
	body = cur_of(c.p, cur_left(&c) < len - 8 ? cur_left(&c) : len - 8);
	if (cur_left(&body) < len - 8 && !in->cut)
		return PARSE_MORE;
	out->flags |= cur_left(&body) < len - 8 ? MSG_F_CUT : 0;
	out->skip = len - 8 - cur_left(&body);
	in->p = body.end;
	if (code == CODE_CANCEL) {
		out->kind = MSG_ONEWAY;
		out->op = STR("CANCEL");
		return PARSE_OK;
	}
	open_request(s, out);
	end_group(s, true);
	out->op = STR("CONNECT");
	startup_parameters(&body, out);
	return PARSE_OK;
}

/* ---- statements ---- */

/* The text of a statement: up to its NUL, or what can be seen of it. */
static bool text(struct pg_frame *f, struct msg *out)
{
	const uint8_t *nul = memchr(f->body.p, 0, cur_left(&f->body));

	if (!nul && f->whole)
		return false;
	out->target = cur_str(&f->body, nul ? (size_t)(nul - f->body.p) : cur_left(&f->body));
	if (nul)
		cur_take(&f->body, 1);
	out->traceparent = sql_traceparent(out->target, SQL_POSTGRESQL);
	return true;
}

static enum parse simple_query(struct pg *s, struct cur *in, struct pg_frame *f, struct msg *out)
{
	if (!text(f, out) || (f->whole && cur_left(&f->body)))
		return PARSE_BAD;
	out->op = sql_op(out->target, SQL_POSTGRESQL);
	open_request(s, out);
	end_group(s, true);
	return pg_take_head(in, f, out);
}

/* A request of its own, which vanishes when the statement is run in the same group. */
static enum parse prepare(struct pg *s, struct cur *in, struct pg_frame *f, struct msg *out)
{
	struct str name = cur_cstr(&f->body);

	if (f->whole && f->body.over)
		return PARSE_BAD;
	if (!f->body.over) {
		out->flags |= MSG_F_DEFINE;
		out->def_id = str_hash(name.s, name.len);
	}
	if (!text(f, out))
		return PARSE_BAD;
	open_request(s, out);
	out->flags |= MSG_F_PREPARE;
	out->op = STR("PREPARE");
	if (name.len)
		msg_attr(out, ATTR_DB_STATEMENT_NAME, name);
	if (out->traceparent.len == PG_TRACEPARENT) {
		memcpy(s->traceparent, out->traceparent.s, PG_TRACEPARENT);
		s->traced_group = out->id;
	}
	return pg_take_head(in, f, out);
}

static struct pg_portal *find_portal(struct pg *s, uint64_t portal)
{
	for (size_t i = 0; i < PG_PORTALS; i++)
		if (s->portals[i].portal == portal)
			return &s->portals[i];
	return NULL;
}

/* Which statement a portal runs. Only the names at the front are read. */
static enum parse bind(struct pg *s, struct cur *in, struct pg_frame *f, struct msg *out)
{
	struct cur c = f->body;
	struct str portal = cur_cstr(&c), statement = cur_cstr(&c);
	struct pg_portal *slot;
	uint64_t id;

	if (c.over && f->whole)
		return PARSE_BAD;
	if (c.over)
		return f->ready ? pg_take_head(in, f, out) : PARSE_MORE;
	id = str_hash(portal.s, portal.len);
	slot = find_portal(s, id);
	if (!slot)
		slot = &s->portals[s->next_portal++ % PG_PORTALS];
	*slot = (struct pg_portal){ id, str_hash(statement.s, statement.len) };
	/* The server may fail here already, before it has read the Execute. */
	out->flags |= MSG_F_LEADS;
	return pg_take(in, f, (size_t)(c.p - f->body.p), out);
}

static enum parse execute(struct pg *s, struct cur *in, struct pg_frame *f, struct msg *out)
{
	struct str portal = cur_cstr(&f->body);
	const struct pg_portal *p;

	cur_be32(&f->body); /* row limit */
	if (f->whole && (f->body.over || cur_left(&f->body)))
		return PARSE_BAD;
	p = find_portal(s, str_hash(portal.s, portal.len));
	open_request(s, out);
	out->op = STR("EXECUTE");
	out->flags |= MSG_F_USE;
	out->use_id = p ? p->statement : 0;
	if (s->traced_group == out->id)
		out->traceparent = (struct str){ s->traceparent, PG_TRACEPARENT };
	return pg_take_head(in, f, out);
}

static enum parse close_name(struct pg *s, struct cur *in, struct pg_frame *f, struct msg *out)
{
	uint8_t what = cur_u8(&f->body);
	struct str name = cur_cstr(&f->body);
	struct pg_portal *p;
	uint64_t id;

	if (f->whole && (f->body.over || cur_left(&f->body) || (what != 'S' && what != 'P')))
		return PARSE_BAD;
	id = str_hash(name.s, name.len);
	p = find_portal(s, id);
	if (what == 'S' && f->whole) {
		out->flags |= MSG_F_FORGET;
		out->def_id = id;
	} else if (p && f->whole) {
		*p = (struct pg_portal){ 0 };
	}
	return pg_take_head(in, f, out);
}

/* ---- all of them ---- */

static enum parse by_type(struct pg *s, struct cur *in, struct pg_frame *f, struct msg *out)
{
	switch (f->type) {
	case 'Q':
		return simple_query(s, in, f, out);
	case 'P':
		return prepare(s, in, f, out);
	case 'E':
		return execute(s, in, f, out);
	case 'C':
		return close_name(s, in, f, out);
	case 'S':
		end_group(s, false);
		return pg_take(in, f, 0, out);
	case 'D':
		out->flags |= MSG_F_LEADS;
		return pg_take(in, f, 0, out);
	case 'F':
		out->op = STR("FUNCTION");
		open_request(s, out);
		end_group(s, true);
		return pg_take(in, f, 0, out);
	default: /* Flush, Terminate, passwords, the end of a copy */
		return pg_take(in, f, 0, out);
	}
}

enum parse pg_request(struct pg *s, struct cur *in, struct msg *out)
{
	struct pg_frame f;
	enum parse r;

	/* Only the messages that start a session have no type: their length comes first. */
	if (!*in->p)
		return startup(s, in, out);
	r = pg_frame(in, DIR_REQ, &f);
	if (r != PARSE_OK)
		return r;
	if (f.type == 'd')
		return pg_take_run(in, 'd', NULL, out);
	if (f.type == 'B')
		return bind(s, in, &f, out);
	if (!f.ready && strchr("QPEC", f.type))
		return PARSE_MORE;
	return by_type(s, in, &f, out);
}
