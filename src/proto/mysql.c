// SPDX-License-Identifier: GPL-3.0-or-later
/* mysql - MySQL and MariaDB: packets, detection, and the place after lost bytes. */
#include "proto/mysql.h"

/* ----- packets and the queue of commands ----- */

enum parse mysql_packet(struct cur *c, const uint8_t *head, struct mysql_packet *p)
{
	struct cur at = *c;
	size_t have, room;

	p->len = (uint32_t)cur_le(&at, 3);
	p->seq = cur_u8(&at);
	if (at.over)
		return PARSE_MORE;
	have = cur_left(&at);
	room = PROTO_HEAD - (size_t)(at.p - head);
	if (have < p->len && have < room && !c->cut)
		return PARSE_MORE;
	p->body = at;
	if (have > p->len)
		p->body.end = at.p + p->len;
	p->beyond = p->len - cur_left(&p->body);
	c->p = p->body.end;
	return PARSE_OK;
}

uint64_t mysql_lenenc(struct cur *c)
{
	uint8_t first = cur_u8(c);

	switch (first) {
	case 0xfb:
		return 0;
	case 0xfc:
		return cur_le(c, 2);
	case 0xfd:
		return cur_le(c, 3);
	case 0xfe:
		return cur_le(c, 8);
	case 0xff:
		c->over = true;
		return 0;
	default:
		return first;
	}
}

struct str mysql_lenstr(struct cur *c)
{
	return cur_str(c, mysql_lenenc(c));
}

void mysql_push(struct mysql *s, uint8_t command)
{
	if (s->over || s->count == MYSQL_QUEUE) {
		s->over += s->over < UINT32_MAX;
		return;
	}
	s->queue[(s->head + s->count++) % MYSQL_QUEUE] = command;
}

uint8_t mysql_oldest(const struct mysql *s)
{
	return s->count ? s->queue[s->head] : MYSQL_QUERY;
}

void mysql_pop(struct mysql *s)
{
	if (s->count) {
		s->head = (uint8_t)((s->head + 1) % MYSQL_QUEUE);
		s->count--;
	} else if (s->over) {
		s->over--;
	}
}

struct str mysql_number(struct mysql *s, uint32_t n)
{
	size_t at = sizeof(s->text);

	do
		s->text[--at] = (char)('0' + n % 10);
	while (n /= 10);
	return (struct str){ s->text + at, sizeof(s->text) - at };
}

/* ----- parse ----- */

static enum parse request(struct mysql *s, struct cur *c, struct msg *out)
{
	struct mysql_packet p;
	enum parse r = mysql_packet(c, c->p, &p);

	if (r == PARSE_OK)
		r = mysql_req_packet(s, &p, out);
	if (r != PARSE_OK)
		return r;
	out->skip = p.beyond;
	if (p.body.cut && p.beyond)
		out->flags |= MSG_F_CUT;
	return PARSE_OK;
}

static enum parse mysql_parse(void *state, enum dir dir, struct cur *in, struct msg *out)
{
	struct mysql *s = state, was = *s; /* in place: messages point into it */
	struct msg m = MSG_INIT;
	struct cur c = *in;
	enum parse r;

	if (!cur_left(&c))
		return c.cut ? PARSE_BAD : PARSE_MORE;
	if (cur_left(&c) > PROTO_HEAD) { /* a message is the same however much stands behind it */
		c.end = c.p + PROTO_HEAD;
		c.cut = false;
	}
	if (s->phase == MYSQL_OPAQUE) {
		m.skip = UINT64_MAX;
		*out = m;
		in->p = c.p + 1;
		return PARSE_OK;
	}
	r = dir == DIR_REQ ? request(s, &c, &m) : mysql_resp_answer(s, &c, &m);
	if (r != PARSE_OK) {
		*s = was;
		return r == PARSE_MORE && c.cut ? PARSE_BAD : r;
	}
	*out = m;
	in->p = c.p;
	return PARSE_OK;
}

/* ----- detection ----- */

struct peek {
	uint32_t len;
	uint8_t seq;
	bool whole;      /* all of it is there */
	struct cur body; /* what is there */
};

static struct peek peek(struct cur *c)
{
	struct peek k = { .len = (uint32_t)cur_le(c, 3), .seq = cur_u8(c), .body = *c };

	k.whole = !c->over && k.len <= cur_left(c);
	if (k.whole)
		k.body.end = c->p + k.len;
	c->p = k.body.end;
	return k;
}

/* The first packet of an answer, as servers write it. */
static bool answers(struct cur c)
{
	struct peek k = peek(&c);
	struct cur b = k.body;
	uint8_t first = cur_u8(&b);

	if (!k.len || k.seq != 1 || b.over)
		return false;
	if (first == 0 || first == 0xfe)
		return k.len >= 5 && k.len < 1024;
	if (first == 0xff)
		return k.len >= 9 && k.len < 1024 && cur_left(&b) > 2 && b.p[2] == '#';
	if (k.len > 3 || first == 0xfb)
		return false;
	k = peek(&c); /* a number of columns: their definitions follow, catalog "def" first */
	return !cur_left(&k.body) || (k.seq == 2 && k.len > 4 &&
	                              (cur_left(&k.body) < 4 || !memcmp(k.body.p, "\3def", 4)));
}

static bool asks(struct cur c, bool *whole)
{
	struct peek k = peek(&c);

	*whole = k.whole && !cur_left(&c);
	return k.len && !k.seq && cur_left(&k.body) && mysql_req_plausible(k.body, k.len);
}

/* The server refuses before it greets: ERR 1040 (too many connections), 1129, 1130 (host). */
static bool refuses(struct cur c)
{
	struct peek k = peek(&c);
	unsigned int number;

	if (cur_u8(&k.body) != 0xff || k.seq || k.len > 512)
		return false;
	number = (unsigned int)cur_le(&k.body, 2);
	return !k.body.over && (number == 1040 || number == 1129 || number == 1130);
}

/* What there is of the server's first packet may still become a greeting. */
static bool begins_greeting(const struct peek *p, size_t have)
{
	if (have < MYSQL_HEADER)
		return true;
	return !p->whole && !p->seq && p->len < 512 && (!cur_left(&p->body) || *p->body.p == 10);
}

static enum sure detect_joined(const struct first *f)
{
	bool whole = false, req = asks(f->req, &whole), resp = answers(f->resp);

	if (cur_left(&f->req) && !req)
		return SURE_NO;
	if (!cur_left(&f->req))
		return resp ? SURE_MAYBE : SURE_NO;
	return resp || whole ? SURE_LIKELY : SURE_MAYBE;
}

static enum sure mysql_detect(const struct first *f)
{
	struct cur req = f->req, resp = f->resp;
	struct peek q = peek(&req), p = peek(&resp);
	bool login = q.seq && q.seq < 8 && mysql_login_is_response(q.body);

	if (!p.seq && mysql_login_is_greeting(p.body))
		return !cur_left(&f->req) || q.seq == 1 ? SURE_YES : SURE_NO;
	if (login) /* the greeting was plain, this is what TLS hid */
		return SURE_YES;
	if (!cur_left(&f->req) && refuses(f->resp))
		return SURE_LIKELY;
	if (!cur_left(&f->req) && begins_greeting(&p, cur_left(&f->resp)))
		return SURE_MAYBE;
	return f->from_start ? SURE_NO : detect_joined(f);
}

/* ----- after lost bytes ----- */

static const uint8_t *mysql_resync(void *state, enum dir dir, struct cur in)
{
	struct mysql *s = state;

	s->more[dir] = false;
	if (s->phase == MYSQL_OPAQUE)
		return cur_left(&in) ? in.p : NULL;
	if (dir == DIR_RESP) {
		/* Which commands were answered in the gap is not known; the newest is left. */
		bool begun = s->step != MYSQL_FIRST;

		while (s->count + s->over > (begun ? 0u : 1u))
			mysql_pop(s);
		s->step = MYSQL_FIRST;
		s->rows = 0;
	} else {
		s->infile = false;
	}
	for (; cur_left(&in) > MYSQL_HEADER; in.p++) {
		bool whole;

		if (dir == DIR_REQ ? asks(in, &whole) : answers(in))
			return in.p;
	}
	return NULL;
}

/* ----- the protocol ----- */

static const struct proto_op ops[] = {
#define X(number, NAME, min, max, how) { #NAME, how },
	MYSQL_COMMANDS(X)
#undef X
		{ NULL, OP_UNKNOWN },
};

/* The greeting: at most 255 bytes, number 0, protocol 10, a version. */
#define GREETING(v0, m0, v1, m1)                                                  \
	{                                                                         \
		.off = 1, .len = 6, .value = { 0, 0, 0, 0x0a, v0, v1 }, .mask = { \
			0xff,                                                     \
			0xff,                                                     \
			0xff,                                                     \
			0xff,                                                     \
			m0,                                                       \
			m1                                                        \
		}                                                                 \
	}

const struct proto proto_mysql = {
	.name = "mysql",
	.title = "MySQL and MariaDB client/server protocol, version 10",
	.family = FAMILY_SQL,
	.system = "mysql",
	.limits = "compressed connections and replication streams are named, not read; "
		  "parameters of prepared statements are not shown",
	.ops = ops,
	.rules = { GREETING('5', 0xff, '.', 0xff), GREETING('8', 0xff, '.', 0xff),
	           GREETING('9', 0xff, '.', 0xff), GREETING('1', 0xff, '0', 0xf0) },
	.ports = { 3306 },
	.state_size = sizeof(struct mysql),
	.in_order = true,
	.full_payload = true,
	.detect = mysql_detect,
	.parse = mysql_parse,
	.resync = mysql_resync,
};
