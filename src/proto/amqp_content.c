// SPDX-License-Identifier: GPL-3.0-or-later
/* amqp_content - the frames behind a method of AMQP 0-9-1 that carries a message. */
#include "proto/amqp.h"

enum { PROPERTIES = 14 };

/* Size of a value of a table; UINT64_MAX where there is no such type. */
static uint64_t size_of(uint8_t type, struct cur *c)
{
	switch (type) {
	case 'V':
		return 0;
	case 't':
	case 'b':
	case 'B':
		return 1;
	case 's': /* RabbitMQ's; a short text in the specification */
	case 'U':
	case 'u':
		return 2;
	case 'I':
	case 'i':
	case 'f':
		return 4;
	case 'D':
		return 5;
	case 'l':
	case 'L':
	case 'd':
	case 'T':
		return 8;
	case 'S':
	case 'x':
	case 'A':
	case 'F':
		return cur_be32(c);
	default:
		return UINT64_MAX;
	}
}

static void take_headers(struct cur *c, struct msg *out)
{
	uint32_t len = cur_be32(c);
	struct cur in = *c;

	in.over = in.over || len > cur_left(&in);
	if (!in.over)
		in.end = in.p + len;
	while (!in.over && cur_left(&in)) {
		struct str name = amqp_text(&in), value;
		uint8_t type = cur_u8(&in);
		uint64_t n = size_of(type, &in);

		if (n > cur_left(&in))
			break;
		value = cur_str(&in, (size_t)n);
		if (in.over || type != 'S')
			continue;
		if (str_iis(name, "traceparent"))
			out->traceparent = value;
		else if (str_iis(name, "tracestate"))
			out->tracestate = value;
		else if (str_iis(name, "baggage"))
			msg_baggage(out, value);
	}
	cur_take(c, len);
}

/* In their order, by the bits from the highest: 's' text, 'h' headers, '1', '8' bytes. */
static void take_properties(struct cur *c, struct msg *out)
{
	static const char kinds[PROPERTIES + 1] = "ssh11ssss8ssss";
	uint16_t flags = cur_be16(c), more = flags;

	while (more & 1 && !c->over)
		more = cur_be16(c);
	for (unsigned int i = 0; i < PROPERTIES && !c->over; i++) {
		struct str text = STR_NULL;

		if (!(flags >> (15 - i) & 1))
			continue;
		if (kinds[i] == 'h')
			take_headers(c, out);
		else if (kinds[i] == 's')
			text = amqp_text(c);
		else
			cur_take(c, (size_t)(kinds[i] - '0'));
		if (c->over || !text.len)
			continue;
		if (i == 5)
			msg_attr(out, ATTR_MESSAGING_CONVERSATION, text);
		else if (i == 8)
			msg_attr(out, ATTR_MESSAGING_MESSAGE_ID, text);
	}
}

bool amqp_content(uint16_t channel, struct cur *c, bool full, struct msg *out)
{
	struct cur at = *c, in;
	struct amqp_frame f;
	uint64_t size;

	if (!amqp_frame(&at, &f) || at.over || f.type != AMQP_HEADER || f.channel != channel) {
		out->flags |= at.over || !cur_left(c) ? MSG_F_CUT : 0;
		return full || !at.over;
	}
	if (f.payload.cut && !full)
		return false;
	in = f.payload;
	cur_take(&in, 4);
	size = cur_be(&in, 8);
	take_properties(&in, out);
	if (f.payload.cut) {
		out->flags |= MSG_F_CUT;
		out->skip = f.size + 1 - (uint64_t)(at.p - f.payload.p);
	}
	*c = at;
	if (in.over && f.payload.cut)
		return true;
	msg_attr_num(out, ATTR_MESSAGING_BODY_SIZE, (int64_t)(size & INT64_MAX));
	if (f.payload.cut || !size)
		return true;
	if (!amqp_frame(&at, &f) || at.over)
		return full || !at.over;
	if (f.type == AMQP_BODY && f.channel == channel) {
		c->p = f.payload.p;
		out->skip = (uint64_t)f.size + 1;
	}
	return true;
}
