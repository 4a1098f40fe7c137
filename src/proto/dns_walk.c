// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * dns_walk - the parts of a DNS message: header, questions, records, names.
 *
 * RFC 1035, 4.1. A name is labels up to an empty one, or up to a pointer to a
 * name that stands before: each pointer has to go back, so that no chain of
 * them is endless.
 */
#include "proto/dns.h"

enum { LABEL_MAX = 63, WIRE_MAX = 255, RECORDS_MAX = 8192, POINTER = 0xc0 };

/* ---- names ---- */

/* Moves past a name as it stands; false where it breaks the rules. */
static bool skip_name(struct cur *c)
{
	size_t wire = 0;

	for (;;) {
		uint8_t n = cur_u8(c);

		if (c->over || !n)
			return true;
		if ((n & POINTER) == POINTER) {
			cur_u8(c);
			return true;
		}
		wire += n + 1u;
		if (n > LABEL_MAX || wire > WIRE_MAX)
			return false;
		cur_take(c, n);
	}
}

static void put_label(struct str label, struct dns_out *o)
{
	for (size_t i = 0; i < label.len; i++) {
		uint8_t ch = (uint8_t)label.s[i];

		if (ch <= ' ' || ch >= 0x7f)
			dns_put(o, "\\%03u", ch);
		else if (strchr(".\\\"();@$", ch))
			dns_put(o, "\\%c", ch);
		else
			dns_put(o, "%c", ch);
	}
}

void dns_name(struct str msg, size_t at, struct dns_out *o)
{
	size_t wire = 0;
	bool any = false;

	while (at < msg.len && wire <= WIRE_MAX) {
		struct cur c = cur_of(msg.s + at, msg.len - at);
		uint8_t n = cur_u8(&c);
		size_t to;

		if ((n & POINTER) == POINTER) {
			to = (size_t)(n & ~POINTER) << 8 | cur_u8(&c);
			if (c.over || to >= at)
				break;
			at = to;
			continue;
		}
		wire += n + 1u;
		if (!n || n > LABEL_MAX || n > cur_left(&c))
			break;
		dns_put(o, "%s", any ? "." : "");
		put_label(cur_str(&c, n), o);
		any = true;
		at += n + 1u;
	}
	if (!any)
		dns_put(o, ".");
}

/* ---- records ---- */

bool dns_record(struct cur *c, struct str msg, bool question, struct dns_record *out)
{
	struct dns_record r = { .name = (size_t)(c->p - (const uint8_t *)msg.s) };

	if (!skip_name(c))
		return false;
	r.type = cur_be16(c);
	r.class = cur_be16(c);
	if (!question) {
		r.ttl = cur_be32(c);
		r.len = cur_be16(c);
		r.data = (size_t)(c->p - (const uint8_t *)msg.s);
		cur_take(c, r.len);
	}
	if (!c->over)
		*out = r;
	return true;
}

static bool known_opcode(unsigned int opcode)
{
	return opcode == DNS_QUERY || opcode == DNS_STATUS || opcode == DNS_NOTIFY ||
	       opcode == DNS_UPDATE;
}

static bool take_head(struct cur *c, struct dns_head *h)
{
	h->id = cur_be16(c);
	h->flags = cur_be16(c);
	for (int i = 0; i < DNS_SECTIONS; i++)
		h->count[i] = cur_be16(c);
	return !c->over && known_opcode(h->flags >> 11 & 15) && !(h->flags & DNS_Z);
}

/* The records of a section; false where one breaks the rules. */
static bool take_section(struct cur *c, struct str msg, int section, struct dns_message *m)
{
	for (unsigned int i = 0; i < m->head.count[section]; i++) {
		struct dns_record r = { 0 };

		if (i == RECORDS_MAX || !dns_record(c, msg, section == DNS_QUESTION, &r))
			return false;
		if (c->over)
			return true;
		if (section == DNS_QUESTION && !i)
			m->question = r;
		else if (section == DNS_ANSWER)
			m->nanswers++;
		else if (section == DNS_ADDITIONAL && r.type == DNS_OPT)
			m->rcode |= r.ttl >> 24 << 4;
	}
	return true;
}

bool dns_walk(struct str msg, struct dns_message *out)
{
	struct cur c = cur_of(msg.s, msg.len);
	struct dns_message m = { 0 };

	if (!take_head(&c, &m.head))
		return false;
	m.rcode = m.head.flags & 15;
	for (int i = 0; i < DNS_SECTIONS && !c.over; i++) {
		if (i == DNS_ANSWER)
			m.answers = (size_t)(c.p - (const uint8_t *)msg.s);
		if (!take_section(&c, msg, i, &m))
			return false;
	}
	m.partial = c.over;
	if (!c.over && cur_left(&c))
		return false;
	*out = m;
	return true;
}
