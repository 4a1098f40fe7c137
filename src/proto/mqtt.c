// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * mqtt - MQTT 3.1, 3.1.1 and 5.0 (OASIS standards).
 *
 * Packets: a byte of type and flags, the length of the rest in one to four bytes
 * of seven bits, the rest. PUBLISH goes both ways; the side that it reaches
 * acknowledges it by its packet identifier, as its quality of service asks: not
 * at all (0), by PUBACK (1), by PUBREC, PUBREL and PUBCOMP (2). The identifiers
 * of the two sides are apart, so the lowest bit of an id says whose it is.
 *
 * A topic may be named by an alias of its direction (5.0, 3.3.2.3.4). Which
 * version is spoken says CONNECT; joined later, 3.1.1 is assumed until something
 * shows that it cannot be.
 */
#include "proto/mqtt.h"

enum { ID_CONNECT = 1 << 20, ID_PING = 1 << 21, ID_AUTH = 1 << 22 };

struct mqtt {
	uint8_t version; /* 0: not known */
};

/* ----- packets of both sides ----- */

static uint64_t id_of(uint16_t packet, enum dir owner)
{
	return (uint64_t)packet << 1 | (owner == DIR_RESP) | 1u << 17;
}

static bool is_topic(struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		if ((uint8_t)s.s[i] < ' ' || s.s[i] == 0x7f || s.s[i] == '+' || s.s[i] == '#')
			return false;
	return true;
}

/* The alias of a direction: defined together with its topic, used without. */
static void use_alias(enum dir dir, uint16_t alias, struct msg *out)
{
	uint64_t id = (uint64_t)alias << 1 | dir;

	if (!alias)
		return;
	if (out->topic.len) {
		out->flags |= MSG_F_DEFINE;
		out->def_id = id;
		out->def = out->topic;
	} else {
		out->flags |= MSG_F_USE;
		out->use_id = id;
		out->topic = out->target = STR_NULL;
	}
}

static enum parse publish(struct mqtt *s, enum dir dir, const struct packet *p, struct cur *c,
                          struct msg *out)
{
	unsigned int qos = p->flags >> 1 & 3;
	uint16_t alias = 0;

	out->topic = out->target = mqtt_text(c);
	if (qos)
		out->id = id_of(cur_be16(c), dir);
	if (c->over)
		return PARSE_MORE;
	if (!is_topic(out->topic))
		return PARSE_BAD;
	if (!out->topic.len)
		s->version = MQTT_V5; /* only with an alias */
	if (s->version == MQTT_V5 && !mqtt_properties(c, out, &alias))
		return PARSE_BAD;
	use_alias(dir, alias, out);
	out->kind = qos ? MSG_REQ : MSG_ONEWAY;
	out->op = dir == DIR_REQ ? STR("publish") : STR("process");
	out->does = dir == DIR_REQ ? MESSAGING_SEND : MESSAGING_PROCESS;
	out->rows = 1;
	if (!c->over && p->length >= (size_t)(c->p - p->p))
		msg_attr_num(out, ATTR_MESSAGING_BODY_SIZE,
		             (int64_t)(p->length - (size_t)(c->p - p->p)));
	return PARSE_OK;
}

/* PUBACK, PUBREC and PUBCOMP, of what the other side published. */
static enum parse acknowledge(enum dir dir, const struct packet *p, struct cur *c, struct msg *out)
{
	uint8_t code = 0;

	out->id = id_of(cur_be16(c), dir == DIR_REQ ? DIR_RESP : DIR_REQ);
	if (p->length > 2)
		code = cur_u8(c);
	if (c->over)
		return PARSE_MORE;
	mqtt_status(out, code);
	/* A PUBREC that refuses ends the exchange (5.0, 4.3.3). */
	out->kind = p->type == PUBREC && code < MQTT_FAILED ? MSG_INTERIM : MSG_RESP;
	return PARSE_OK;
}

/* PUBREL, between PUBREC and PUBCOMP: an id; in 5.0 a code and properties, which fill it. */
static enum parse release(const struct packet *p, struct cur *c)
{
	uint8_t room;

	if (p->length < 2)
		return PARSE_BAD;
	if (p->length < 4)
		return PARSE_OK;
	cur_take(c, 3);
	room = cur_u8(c);
	if (c->over)
		return PARSE_MORE;
	return room >= 0x80 || room + 4u == p->length ? PARSE_OK : PARSE_BAD;
}

/* ----- what the client says ----- */

static enum parse connect(struct mqtt *s, struct cur *c, struct msg *out)
{
	struct str name = mqtt_text(c), client;
	uint8_t version = cur_u8(c);

	cur_u8(c);
	cur_be16(c);
	if (c->over)
		return PARSE_MORE;
	if (!(str_is(name, "MQTT") && (version == 4 || version == 5)) &&
	    !(str_is(name, "MQIsdp") && version == 3))
		return PARSE_BAD;
	s->version = version;
	if (version == MQTT_V5 && !mqtt_properties(c, out, NULL))
		return PARSE_BAD;
	client = mqtt_text(c);
	if (c->over)
		return PARSE_MORE;
	out->kind = MSG_REQ;
	out->op = STR("connect");
	out->id = ID_CONNECT;
	if (client.len)
		msg_attr(out, ATTR_MESSAGING_CLIENT, client);
	return PARSE_OK;
}

/* SUBSCRIBE and UNSUBSCRIBE: the first filter, and how many there are. */
static enum parse subscribe(struct mqtt *s, const struct packet *p, struct cur *c, struct msg *out)
{
	struct cur end;
	int64_t n = 0;

	out->id = id_of(cur_be16(c), DIR_REQ);
	if (s->version == MQTT_V5 && !mqtt_properties(c, out, NULL))
		return PARSE_BAD;
	end = *c;
	out->topic = out->target = mqtt_text(c);
	if (c->over)
		return PARSE_MORE;
	while (!end.over && (size_t)(end.p - p->p) < p->length) {
		mqtt_text(&end);
		if (p->type == SUBSCRIBE)
			cur_u8(&end);
		n += !end.over;
	}
	if (n > 1)
		msg_attr_num(out, ATTR_MESSAGING_DESTINATIONS, n);
	out->kind = MSG_REQ;
	out->op = p->type == SUBSCRIBE ? STR("subscribe") : STR("unsubscribe");
	return PARSE_OK;
}

static enum parse request(struct mqtt *s, const struct packet *p, struct cur *c, struct msg *out)
{
	switch (p->type) {
	case CONNECT:
		return connect(s, c, out);
	case SUBSCRIBE:
	case UNSUBSCRIBE:
		return subscribe(s, p, c, out);
	case PINGREQ:
		out->kind = MSG_REQ;
		out->op = STR("ping");
		out->id = ID_PING;
		return p->length ? PARSE_BAD : PARSE_OK;
	case DISCONNECT:
		out->kind = MSG_ONEWAY;
		out->op = STR("disconnect");
		if (p->length)
			mqtt_status(out, cur_u8(c));
		return c->over ? PARSE_MORE : PARSE_OK;
	case AUTH:
		out->kind = MSG_REQ;
		out->op = STR("auth");
		out->id = ID_AUTH;
		return PARSE_OK;
	default:
		return PARSE_BAD;
	}
}

/* ----- what the server says ----- */

static enum parse connack(const struct mqtt *s, struct cur *c, struct msg *out)
{
	static const struct str refused[] = { STR_NULL,
		                              STR("UNACCEPTABLE_PROTOCOL_VERSION"),
		                              STR("IDENTIFIER_REJECTED"),
		                              STR("SERVER_UNAVAILABLE"),
		                              STR("BAD_USER_NAME_OR_PASSWORD"),
		                              STR("NOT_AUTHORIZED") };
	uint8_t code;

	if (cur_u8(c) > 1)
		return PARSE_BAD;
	code = cur_u8(c);
	if (c->over)
		return PARSE_MORE;
	if (s->version != MQTT_V5 && code >= 1 && code <= 5)
		mqtt_fail(out, code, refused[code]);
	else
		mqtt_status(out, code);
	out->kind = MSG_RESP;
	out->id = ID_CONNECT;
	return PARSE_OK;
}

/* SUBACK and UNSUBACK: the first code that is a failure counts. */
static enum parse suback(const struct mqtt *s, const struct packet *p, struct cur *c,
                         struct msg *out)
{
	uint8_t code = 0;

	out->id = id_of(cur_be16(c), DIR_REQ);
	if (s->version == MQTT_V5 && !mqtt_properties(c, out, NULL))
		return PARSE_BAD;
	while (!c->over && (size_t)(c->p - p->p) < p->length && code < MQTT_FAILED)
		code = cur_u8(c);
	if (c->over)
		return PARSE_MORE;
	mqtt_status(out, code);
	out->kind = MSG_RESP;
	return PARSE_OK;
}

static enum parse answer(const struct mqtt *s, const struct packet *p, struct cur *c,
                         struct msg *out)
{
	switch (p->type) {
	case CONNACK:
		return connack(s, c, out);
	case SUBACK:
	case UNSUBACK:
		return suback(s, p, c, out);
	case PINGRESP:
		out->kind = MSG_RESP;
		out->id = ID_PING;
		return p->length ? PARSE_BAD : PARSE_OK;
	case DISCONNECT:
		out->kind = MSG_PUSH;
		if (p->length)
			mqtt_status(out, cur_u8(c));
		return c->over ? PARSE_MORE : PARSE_OK;
	case AUTH:
		out->kind = MSG_RESP;
		out->id = ID_AUTH;
		return PARSE_OK;
	default:
		return PARSE_BAD;
	}
}

/* ----- the parser ----- */

static enum parse one(struct mqtt *s, enum dir dir, const struct packet *p, struct cur *c,
                      struct msg *out)
{
	switch (p->type) {
	case PUBLISH:
		return publish(s, dir, p, c, out);
	case PUBACK:
	case PUBREC:
	case PUBCOMP:
		return acknowledge(dir, p, c, out);
	case PUBREL:
		return release(p, c);
	default:
		return dir == DIR_REQ ? request(s, p, c, out) : answer(s, p, c, out);
	}
}

/*
 * A packet is read from as much of it as fits in a head: `c` ends where it ends.
 * What a field needs beyond that is bad in a whole packet, and cut in a long one.
 */
static enum parse mqtt_parse(void *state, enum dir dir, struct cur *in, struct msg *out)
{
	struct mqtt *s = state, was = *s;
	bool full = cur_left(in) >= PROTO_HEAD || in->cut;
	struct msg m = MSG_INIT;
	struct cur c = *in, body;
	struct packet p;
	enum parse r;

	if (!cur_left(in))
		return in->cut ? PARSE_BAD : PARSE_MORE;
	if (cur_left(in) > PROTO_HEAD)
		c.end = c.p + PROTO_HEAD;
	if (!mqtt_head(&c, &p))
		return PARSE_BAD;
	if (c.over)
		return full ? PARSE_BAD : PARSE_MORE;
	body = c;
	if (p.length < cur_left(&c))
		body.end = c.p + p.length;
	/* Of a message the body is left; of others all is read, as far as a head goes. */
	if (p.type != PUBLISH && cur_left(&body) < p.length && !full)
		return PARSE_MORE;
	r = one(s, dir, &p, &body, &m);
	if (body.over && r != PARSE_BAD)
		r = cur_left(&c) >= p.length || (r == PARSE_MORE && full) ? PARSE_BAD
		    : full                                                ? PARSE_OK
		                                                          : PARSE_MORE;
	if (r != PARSE_OK) {
		*s = was;
		return r;
	}
	if (body.over)
		m.flags |= MSG_F_CUT;
	in->p = p.type == PUBLISH && !body.over ? body.p : body.end;
	m.skip = p.length - (size_t)(in->p - p.p);
	*out = m;
	return PARSE_OK;
}

/* ----- detection, and the place after lost bytes ----- */

/* 1: a CONNECT, 0: may become one, -1: none. */
static int connects(struct cur c)
{
	static const char name[] = "\0\4MQTT", old[] = "\0\6MQIsdp";
	struct packet p;
	size_t n;

	if (!cur_left(&c))
		return 0;
	if (!mqtt_head(&c, &p) || p.type != CONNECT)
		return -1;
	n = cur_left(&c);
	if (c.over || n < sizeof(name) - 1)
		return c.over || !memcmp(c.p, name, n) || !memcmp(c.p, old, n) ? 0 : -1;
	return !memcmp(c.p, name, sizeof(name) - 1) ||
	                       !memcmp(c.p, old, n < sizeof(old) - 1 ? n : sizeof(old) - 1)
	               ? 1
	               : -1;
}

enum { ENOUGH = 3, MANY = 8, LIKELY_LENGTH = 1024, ACK_LENGTH = 32 };

/* Packets from here on that are whole, MANY at most; *torn: the next one may be, later. */
static unsigned int run_of(struct cur c, enum dir dir, bool *torn)
{
	struct mqtt s = { .version = 0 };
	unsigned int n = 0;

	*torn = false;
	while (n < MANY && cur_left(&c)) {
		struct msg m;
		enum parse r = mqtt_parse(&s, dir, &c, &m);

		*torn = r == PARSE_MORE || (r == PARSE_OK && m.skip > cur_left(&c));
		if (r != PARSE_OK || *torn)
			return *torn ? n : 0;
		c.p += m.skip;
		n++;
	}
	return n;
}

/* A packet whose end is not here: as far as it can be seen, it is small, or has a topic. */
static bool may_begin(struct cur c)
{
	struct packet p;
	struct str topic;
	uint16_t n;

	if (!cur_left(&c) || !mqtt_head(&c, &p))
		return false;
	if (c.over || p.type != PUBLISH)
		return c.over ||
		       p.length <= (p.type > PUBLISH && p.type < SUBSCRIBE ? ACK_LENGTH
		                                                           : LIKELY_LENGTH);
	n = cur_be16(&c);
	topic = cur_rest(&c, n);
	return c.over || (n && n + 2u <= p.length && is_topic(topic));
}

/* Nothing but packets, the last one perhaps torn; *n: how many. */
static bool packets(struct cur c, enum dir dir, unsigned int *n)
{
	bool torn;

	*n = run_of(c, dir, &torn);
	*n += *n < MANY && torn && may_begin(c);
	return *n || torn || !cur_left(&c);
}

static enum sure mqtt_detect(const struct first *f)
{
	int first = connects(f->req);
	unsigned int req, resp;

	if (first > 0)
		return SURE_YES;
	if (f->from_start)
		return first < 0 ? SURE_NO : SURE_MAYBE;
	if (!packets(f->req, DIR_REQ, &req) || !packets(f->resp, DIR_RESP, &resp))
		return SURE_NO;
	if (req >= MANY || resp >= MANY)
		return SURE_YES;
	return req + resp >= ENOUGH ? SURE_LIKELY : SURE_MAYBE;
}

/*
 * Where packets follow each other: at once if that is here (a connection that was
 * silent when tracing began), else three of them, or all up to the end.
 */
static const uint8_t *mqtt_resync(void *state, enum dir dir, struct cur in)
{
	const uint8_t *begin = in.p;

	(void)state;
	for (; cur_left(&in); in.p++) {
		bool torn;
		unsigned int n = run_of(in, dir, &torn);

		if (n >= ENOUGH || (n && !torn) ||
		    (in.p == begin && (n || (torn && may_begin(in)))))
			return in.p;
	}
	return NULL;
}

static const struct proto_op ops[] = {
	{ "CONNECT", OP_PARSED },     { "CONNACK", OP_PARSED },    { "PUBLISH", OP_PARSED },
	{ "PUBACK", OP_PARSED },      { "PUBREC", OP_PARSED },     { "PUBREL", OP_PARSED },
	{ "PUBCOMP", OP_PARSED },     { "SUBSCRIBE", OP_PARSED },  { "SUBACK", OP_PARSED },
	{ "UNSUBSCRIBE", OP_PARSED }, { "UNSUBACK", OP_PARSED },   { "PINGREQ", OP_PARSED },
	{ "PINGRESP", OP_PARSED },    { "DISCONNECT", OP_PARSED }, { "AUTH", OP_NAMED },
	{ NULL, OP_UNKNOWN },
};

const struct proto proto_mqtt = {
	.name = "mqtt",
	.title = "MQTT 3.1, 3.1.1 and 5.0",
	.family = FAMILY_MESSAGING,
	.system = "mqtt",
	.limits =
		"joined in the middle, 3.1.1 is assumed: user properties of 5.0 are not seen then; "
		"over WebSocket not found",
	.ops = ops,
	/* CONNECT with a length of one or two bytes */
	.rules = { { .len = 8,
	             .value = { 0x10, 0, 0, 4, 'M', 'Q', 'T', 'T' },
	             .mask = { 255, 0, 255, 255, 255, 255, 255, 255 } },
	           { .len = 8,
	             .value = { 0x10, 0, 0, 0, 4, 'M', 'Q', 'T' },
	             .mask = { 255, 0, 0, 255, 255, 255, 255, 255 } } },
	.ports = { 1883 },
	.state_size = sizeof(struct mqtt),
	.full_payload = true,
	.detect = mqtt_detect,
	.parse = mqtt_parse,
	.resync = mqtt_resync,
};
