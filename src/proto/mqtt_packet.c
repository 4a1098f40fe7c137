// SPDX-License-Identifier: GPL-3.0-or-later
/* mqtt_packet - the pieces of MQTT packets. */
#include "proto/mqtt.h"

/* Properties of 5.0 that are read (2.2.2.2). */
enum { TOPIC_ALIAS = 0x23, USER_PROPERTY = 0x26 };

/* 2.2.3; false where the fifth byte would be needed. */
static bool take_varint(struct cur *c, uint32_t *out)
{
	uint32_t v = 0;

	for (unsigned int i = 0; i < 4; i++) {
		uint8_t b = cur_u8(c);

		v |= (uint32_t)(b & 0x7f) << 7 * i;
		if (!(b & 0x80)) {
			*out = v;
			return true;
		}
	}
	return false;
}

struct str mqtt_text(struct cur *c)
{
	return cur_str(c, cur_be16(c));
}

/* Flags are fixed but for PUBLISH (2.1.3). */
static bool flags_fit(enum type type, uint8_t flags)
{
	if (type == PUBLISH)
		return (flags & 6) != 6;
	return flags == (type == PUBREL || type == SUBSCRIBE || type == UNSUBSCRIBE ? 2 : 0);
}

bool mqtt_head(struct cur *c, struct packet *p)
{
	uint8_t first = cur_u8(c);

	p->type = (enum type)(first >> 4);
	p->flags = first & 15;
	p->length = 0;
	if (p->type < CONNECT || !flags_fit(p->type, p->flags) || !take_varint(c, &p->length))
		return false;
	p->p = c->p;
	return true;
}

/* Size of a property's value by its identifier, apart from those that say it themselves. */
static bool skip_value(struct cur *c, uint32_t id)
{
	static const uint8_t one[] = { 0x01, 0x17, 0x19, 0x24, 0x25, 0x28, 0x29, 0x2a };
	static const uint8_t two[] = { 0x13, 0x21, 0x22, TOPIC_ALIAS };
	static const uint8_t four[] = { 0x02, 0x11, 0x18, 0x27 };
	static const uint8_t text[] = { 0x03, 0x08, 0x09, 0x12, 0x15, 0x16, 0x1a, 0x1c, 0x1f };
	uint32_t v;

	if (id > 0xff)
		return false;
	if (memchr(one, (int)id, sizeof(one)))
		cur_take(c, 1);
	else if (memchr(two, (int)id, sizeof(two)))
		cur_take(c, 2);
	else if (memchr(four, (int)id, sizeof(four)))
		cur_take(c, 4);
	else if (memchr(text, (int)id, sizeof(text)))
		mqtt_text(c);
	else
		return id == 0x0b && take_varint(c, &v);
	return true;
}

/* The properties of a packet; false where they are none. Unknown where their end is cut off. */
bool mqtt_properties(struct cur *c, struct msg *out, uint16_t *alias)
{
	uint32_t n = 0, id = 0;
	struct cur in;

	if (!take_varint(c, &n) || c->over)
		return c->over;
	in = *c;
	if (!cur_take(c, n))
		return true;
	in.end = c->p;
	while (cur_left(&in)) {
		if (!take_varint(&in, &id))
			return false;
		if (id == USER_PROPERTY) {
			struct str name = mqtt_text(&in), value = mqtt_text(&in);

			if (str_iis(name, "traceparent"))
				out->traceparent = value;
			else if (str_iis(name, "tracestate"))
				out->tracestate = value;
			else if (str_iis(name, "baggage"))
				msg_baggage(out, value);
		} else if (id == TOPIC_ALIAS && alias) {
			*alias = cur_be16(&in);
		} else if (!skip_value(&in, id)) {
			return false;
		}
		if (in.over)
			return false;
	}
	return true;
}

static struct str reason(uint8_t code)
{
	switch (code) {
#define REASON(n, name) \
	case n:         \
		return STR(name);
#include "proto/mqtt_reasons.def"
#undef REASON
	default:
		return STR("UNKNOWN");
	}
}

void mqtt_fail(struct msg *out, uint8_t code, struct str why)
{
	out->status = out->error_type = why;
	out->code = code;
	out->error = true;
	out->server_error = code == 0x80 || code == 0x83 || (code >= 0x88 && code <= 0x8b);
}

void mqtt_status(struct msg *out, uint8_t code)
{
	if (code >= MQTT_FAILED)
		mqtt_fail(out, code, reason(code));
	else
		out->code = code;
}
