// SPDX-License-Identifier: GPL-3.0-or-later
/* amqp_method - frames, methods and messages of AMQP 0-9-1. */
#include "proto/amqp.h"

enum {
	CONNECTION = 10,
	CHANNEL = 20,
	BASIC = 60,
	OPEN_OK = 41,
	CLOSE = 50,
	CHANNEL_CLOSE = 40,
	GET = 70,
	NACK = 120,
	SUCCESS = 200,
	ERROR_BYTES = 256,
	ID_CONNECT = 1,
};

/* ---- the table ---- */

#define WRONG     AMQP_WRONG
#define REQUEST   AMQP_REQUEST
#define ANSWER(n) (AMQP_ANSWER | (n) << 8)
#define ONEWAY    AMQP_ONEWAY
#define PART      AMQP_PART
#define PUSH      AMQP_PUSH

static const struct amqp_method methods[] = {
#define AMQP_METHOD(class, method, name, client, server, fields, how) \
	{ name, class, method, (server) >> 8, { (client)&255, (server)&255 }, fields },
#include "proto/amqp_methods.def"
#undef AMQP_METHOD
};

const struct amqp_method *amqp_method(uint16_t class, uint16_t method)
{
	for (size_t i = 0; i < sizeof(methods) / sizeof(*methods); i++)
		if (methods[i].class == class && methods[i].method == method)
			return &methods[i];
	return NULL;
}

/* ---- frames ---- */

bool amqp_frame(struct cur *c, struct amqp_frame *f)
{
	bool known;

	f->type = cur_u8(c);
	f->channel = cur_be16(c);
	f->size = cur_be32(c);
	known = f->type == AMQP_METHOD_FRAME || f->type == AMQP_HEADER || f->type == AMQP_BODY ||
	        f->type == AMQP_HEARTBEAT;
	if (c->over)
		return true;
	if (!known || f->size > AMQP_FRAME_MAX ||
	    (f->type == AMQP_HEARTBEAT ? f->size || f->channel : !f->size))
		return false;
	f->payload = *c;
	f->payload.cut = f->size >= cur_left(c);
	f->payload.end = f->payload.cut ? c->end : c->p + f->size;
	if (!f->payload.cut && *f->payload.end != AMQP_END &&
	    (f->type == AMQP_METHOD_FRAME || f->type == AMQP_HEARTBEAT))
		return false;
	c->p = f->payload.cut ? c->end : f->payload.end + 1;
	return true;
}

const struct amqp_method *amqp_said(const struct amqp_frame *f, enum dir dir)
{
	struct cur c = f->payload;
	uint16_t class = cur_be16(&c), method = cur_be16(&c);
	const struct amqp_method *m = c.over ? NULL : amqp_method(class, method);

	return m && m->role[dir] != AMQP_WRONG ? m : NULL;
}

/* ---- the fields of a method ---- */

struct fields {
	struct str name, exchange, key, text;
	uint64_t tag;
	uint16_t code, class, method;
	bool has_tag, no_wait;
};

static void take_field(struct cur *c, char kind, struct fields *f)
{
	switch (kind) {
	case 'w':
		cur_take(c, 2);
		break;
	case 'b':
		cur_take(c, 1);
		break;
	case 'x':
		amqp_text(c);
		break;
	case 'n':
		f->name = amqp_text(c);
		break;
	case 'E':
		f->exchange = amqp_text(c);
		break;
	case 'K':
		f->key = amqp_text(c);
		break;
	case 'T':
		f->tag = cur_be(c, 8);
		f->has_tag = !c->over;
		break;
	case 'c':
		f->code = cur_be16(c);
		break;
	case 'm':
		f->text = amqp_text(c);
		break;
	case 'k':
		f->class = cur_be16(c);
		f->method = cur_be16(c);
		break;
	default:
		f->no_wait = cur_u8(c) >> (kind - '0') & 1;
	}
}

static struct fields take_fields(const struct amqp_method *m, struct cur *c)
{
	struct fields f = { .name = STR_NULL };

	for (const char *p = m->fields; *p && !c->over; p++)
		take_field(c, *p, &f);
	return f;
}

/* ---- methods ---- */

static uint64_t id_of(uint16_t channel, uint16_t class, uint16_t method)
{
	return (uint64_t)channel << 32 | (uint64_t) class << 16 | method;
}

static void tell_error(uint16_t code, struct str text, struct msg *out)
{
	static const struct {
		uint16_t code;
		struct str number, name;
	} codes[] = {
#define AMQP_CODE(n, name) { n, STR(#n), STR(name) },
#include "proto/amqp_codes.def"
#undef AMQP_CODE
	};

	if (code == SUCCESS)
		return;
	out->code = code;
	out->error = true;
	out->server_error = code >= 500 || code == 320;
	out->error_type = STR("_OTHER");
	for (size_t i = 0; i < sizeof(codes) / sizeof(*codes); i++) {
		if (codes[i].code == code) {
			out->status = codes[i].number;
			out->error_type = codes[i].name;
		}
	}
	if (text.len)
		msg_attr(out, ATTR_ERROR_MESSAGE, str_head(text, ERROR_BYTES));
}

/* "exchange:key"; what is empty is left out. The default exchange has no name. */
static void tell_topic(struct amqp *s, const struct fields *f, struct msg *out)
{
	size_t n = f->exchange.len;

	if (f->name.len)
		out->topic = out->target = f->name;
	if (!n || !f->key.len) {
		if (n || f->key.len)
			out->topic = out->target = n ? f->exchange : f->key;
	} else {
		memcpy(s->topic, f->exchange.s, n);
		s->topic[n++] = ':';
		memcpy(s->topic + n, f->key.s, f->key.len);
		out->topic = out->target = (struct str){ s->topic, n + f->key.len };
	}
	if (f->key.len)
		msg_attr(out, ATTR_RABBITMQ_KEY, f->key);
	if (f->has_tag)
		msg_attr_num(out, ATTR_RABBITMQ_TAG, (int64_t)f->tag);
}

static enum messaging does(const struct amqp_method *m, enum dir dir)
{
	if (m->class != BASIC)
		return MESSAGING_NONE;
	switch (m->method) {
	case 40:
		return MESSAGING_SEND;
	case 60:
		return MESSAGING_PROCESS;
	case GET:
		return MESSAGING_RECEIVE;
	case 80:
	case 90:
	case NACK:
		return dir == DIR_REQ ? MESSAGING_SETTLE : MESSAGING_NONE;
	default:
		return MESSAGING_NONE;
	}
}

/* "publish", "queue.declare": methods of the class basic by themselves. */
static struct str op_of(const struct amqp_method *m)
{
	return str_of(m->class == BASIC ? m->name + 6 : m->name);
}

/*
 * The broker closes a channel, or all: the answer to the method that failed, if
 * that wanted one. Of what wants none it tells by itself.
 */
static void on_close(struct amqp *s, const struct amqp_method *m, const struct fields *f,
                     uint16_t channel, struct msg *out)
{
	const struct amqp_method *failed = amqp_method(f->class, f->method);

	if (m->class == CONNECTION && s->connecting) {
		s->connecting = false;
		out->kind = MSG_RESP;
		out->id = ID_CONNECT;
	} else if (m->class == CHANNEL && failed && failed->role[DIR_REQ] == AMQP_REQUEST) {
		out->kind = MSG_RESP;
		out->id = id_of(channel, f->class, f->method);
	} else {
		out->kind = MSG_ONEWAY;
		out->op = op_of(m);
	}
	tell_error(f->code, f->text, out);
}

static void on_answer(struct amqp *s, const struct amqp_method *m, uint16_t channel,
                      struct msg *out)
{
	out->kind = MSG_RESP;
	if (m->class == CONNECTION && m->method == OPEN_OK) {
		out->id = ID_CONNECT;
		s->connecting = false;
		return;
	}
	out->id = id_of(channel, m->class, m->answers);
	if (m->class == BASIC && m->answers == GET)
		out->rows = m->method == GET + 1;
}

static void on_request(const struct amqp_method *m, enum dir dir, uint16_t channel, bool oneway,
                       struct msg *out)
{
	out->op = op_of(m);
	out->does = does(m, dir);
	out->kind = oneway ? MSG_ONEWAY : MSG_REQ;
	out->id = oneway ? 0 : id_of(channel, m->class, m->method);
	if (out->does == MESSAGING_SEND || out->does == MESSAGING_PROCESS)
		out->rows = 1;
}

static bool carries(const struct amqp_method *m)
{
	return m->class == BASIC &&
	       (m->method == 40 || m->method == 50 || m->method == 60 || m->method == GET + 1);
}

static void tell_method(struct amqp *s, enum dir dir, const struct amqp_method *m,
                        const struct fields *f, uint16_t channel, struct msg *out)
{
	bool closes = (m->class == CONNECTION && m->method == CLOSE) ||
	              (m->class == CHANNEL && m->method == CHANNEL_CLOSE);
	uint8_t role = m->role[dir];

	if (role == AMQP_PUSH || role == AMQP_PART) {
		out->kind = role == AMQP_PUSH ? MSG_PUSH : MSG_NONE;
		return;
	}
	if (closes && dir == DIR_RESP) {
		on_close(s, m, f, channel, out);
		return;
	}
	if (role == AMQP_ANSWER)
		on_answer(s, m, channel, out);
	else
		on_request(m, dir, channel, role == AMQP_ONEWAY || f->no_wait, out);
	tell_topic(s, f, out);
	if (m->class == BASIC && dir == DIR_RESP && m->method == 50)
		tell_error(f->code, f->text, out);
	if (m->class == BASIC && dir == DIR_RESP && m->method == NACK) {
		out->error = out->server_error = true;
		out->error_type = STR("NACK");
	}
}

static enum parse method(struct amqp *s, enum dir dir, const struct amqp_frame *f, struct cur *c,
                         bool full, struct msg *out)
{
	const struct amqp_method *m = amqp_said(f, dir);
	struct cur in = f->payload;
	struct fields found;

	if (!m)
		return PARSE_BAD;
	cur_take(&in, 4);
	found = take_fields(m, &in);
	if (in.over && !f->payload.cut)
		return PARSE_BAD;
	if (f->payload.cut) {
		out->flags |= MSG_F_CUT;
		out->skip = f->size + 1 - (uint64_t)(c->p - f->payload.p);
	} else if (carries(m) && !amqp_content(f->channel, c, full, out)) {
		return PARSE_MORE;
	}
	tell_method(s, dir, m, &found, f->channel, out);
	if (out->kind == MSG_RESP && out->skip)
		out->flags |= MSG_F_BODY;
	return PARSE_OK;
}

/* ---- the parser ---- */

/* "AMQP" 0 0 9 1: the client begins; of a broker that it wants no other version. */
static enum parse greeting(struct amqp *s, enum dir dir, struct cur *c, struct msg *out)
{
	static const char want[] = "AMQP\0\0\11\1";
	struct str got = cur_rest(c, sizeof(want) - 1);

	if (memcmp(got.s, want, got.len))
		return PARSE_BAD;
	if (got.len < sizeof(want) - 1)
		return PARSE_MORE;
	s->connecting = dir == DIR_REQ;
	out->id = ID_CONNECT;
	if (dir == DIR_REQ) {
		out->kind = MSG_REQ;
		out->op = STR("connect");
		return PARSE_OK;
	}
	out->kind = MSG_RESP;
	out->error = true;
	out->error_type = STR("PROTOCOL_VERSION");
	return PARSE_OK;
}

static enum parse one(struct amqp *s, enum dir dir, struct cur *c, bool full, struct msg *out)
{
	struct amqp_frame f;

	if (*c->p == 'A')
		return greeting(s, dir, c, out);
	if (!amqp_frame(c, &f))
		return PARSE_BAD;
	if (c->over)
		return PARSE_MORE;
	if (f.payload.cut && !full && (f.type == AMQP_METHOD_FRAME || f.type == AMQP_HEARTBEAT))
		return PARSE_MORE;
	if (f.type == AMQP_METHOD_FRAME)
		return method(s, dir, &f, c, full, out);
	/* Of a message whose method went by, or between two of its frames. */
	c->p = f.payload.p;
	out->skip = (uint64_t)f.size + 1;
	return PARSE_OK;
}

enum parse amqp_parse(void *state, enum dir dir, struct cur *in, struct msg *out)
{
	bool full = cur_left(in) >= PROTO_HEAD || in->cut;
	struct amqp *s = state;
	bool connecting = s->connecting;
	struct msg m = MSG_INIT;
	struct cur c = *in;
	enum parse r;

	if (!cur_left(in))
		return in->cut ? PARSE_BAD : PARSE_MORE;
	if (cur_left(in) > PROTO_HEAD)
		c.end = c.p + PROTO_HEAD;
	r = one(s, dir, &c, full, &m);
	if (r != PARSE_OK) {
		s->connecting = connecting;
		return r == PARSE_MORE && full ? PARSE_BAD : r;
	}
	*out = m;
	in->p = c.p;
	return PARSE_OK;
}
