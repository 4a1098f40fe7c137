// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * dns - the Domain Name System, over UDP and TCP.
 *
 * RFC 1035; over TCP each message stands behind its length (4.2.2). Whose answer
 * it is tell the id and the question together: ids are short, and some clients
 * use one for all. An answer without question (some servers, when they refuse)
 * belongs to the newest question with its id.
 *
 * Multicast DNS (RFC 6762) has id 0 and wants no recursion; its questions are
 * asked of all and answered by some, so that nothing is paired there.
 *
 * Span and attributes: OpenTelemetry semantic conventions 1.44, "DNS".
 */
#include "proto/dns.h"

#include <stdio.h>

enum { LENGTH = 2, ID_SHIFT = 48, ROOM = 64 };

/* ---- what a message says ---- */

static unsigned int opcode(const struct dns_message *m)
{
	return m->head.flags >> 11 & 15;
}

static bool is_answer(const struct dns_message *m)
{
	return m->head.flags & DNS_QR;
}

/* Multicast DNS. */
static bool is_multicast(const struct dns_message *m)
{
	return !m->head.id && !(m->head.flags & DNS_RD) && opcode(m) == DNS_QUERY &&
	       (!is_answer(m) || !m->head.count[DNS_QUESTION]);
}

static uint8_t lower(uint8_t ch)
{
	return ch >= 'A' && ch <= 'Z' ? ch | 0x20 : ch;
}

/* Id and question as one number; 0 where there is no question. */
static uint64_t id_of(struct str msg, const struct dns_message *m)
{
	uint8_t text[ROOM];
	uint64_t hash = (uint64_t)m->question.type << 16 | m->question.class;
	size_t at = m->question.name, n = 0;

	if (!at)
		return 0;
	for (; at < msg.len; at++) {
		text[n++] = lower((uint8_t)msg.s[at]);
		if (n < sizeof(text) && msg.s[at])
			continue;
		hash = hash * 31 + str_hash(text, n);
		n = 0;
		if (!msg.s[at])
			break;
	}
	return (uint64_t)m->head.id << ID_SHIFT | (hash & ((1ull << ID_SHIFT) - 1)) | 1;
}

/* The newest question with this id. */
static uint64_t recent(const struct dns *s, uint16_t id)
{
	for (uint32_t i = 1; i <= DNS_RECENT && i <= s->asked; i++) {
		uint64_t asked = s->recent[(s->asked - i) % DNS_RECENT];

		if (asked >> ID_SHIFT == id)
			return asked;
	}
	return (uint64_t)id << ID_SHIFT | 1;
}

/* ---- is it one? ---- */

static bool plausible_name(struct str msg, size_t at)
{
	while (at < msg.len && msg.s[at]) {
		uint8_t n = (uint8_t)msg.s[at++];

		if (n >= 0xc0 || n > msg.len - at)
			return false;
		for (; n; n--, at++)
			if ((uint8_t)msg.s[at] <= ' ' || (uint8_t)msg.s[at] >= 0x7f)
				return false;
	}
	return true;
}

static bool plausible_class(unsigned int class)
{
	class &= 0x7fff; /* of multicast DNS: answer me alone */
	return (class >= 1 && class <= 4) || class == 254 || class == 255;
}

/* A message of which every bit makes sense. */
static bool plausible(struct str msg, struct dns_message *m)
{
	unsigned int op;

	if (!dns_walk(msg, m) || !m->question.name)
		return m->head.count[DNS_ANSWER] && !m->partial && is_multicast(m) && is_answer(m);
	op = opcode(m);
	if (!plausible_class(m->question.class) || !plausible_name(msg, m->question.name) ||
	    (m->head.count[DNS_QUESTION] != 1 && !is_multicast(m)))
		return false;
	if (is_answer(m))
		return dns_rcode_name(m->rcode);
	if (op != DNS_UPDATE && !is_multicast(m) &&
	    (m->head.count[DNS_ANSWER] > 1 || m->head.count[DNS_AUTHORITY] > 1))
		return false;
	return !(m->head.flags & (15 | DNS_TC | DNS_RA)) && m->head.count[DNS_ADDITIONAL] < 8;
}

/* An answer that leaves the question out. */
static bool is_bare(struct str msg)
{
	struct dns_message m = { 0 };

	return msg.len == DNS_HEAD && dns_walk(msg, &m) && is_answer(&m) && !m.partial;
}

/* The first message of a side over TCP: SURE_NO, SURE_MAYBE (too few bytes), SURE_YES. */
static enum sure first_of(struct cur in, bool answer)
{
	size_t len = cur_be16(&in), have = cur_left(&in);
	struct dns_message m = { 0 };
	struct str msg = cur_rest(&in, len);

	if (have < DNS_HEAD)
		return SURE_MAYBE;
	if (len < DNS_HEAD)
		return SURE_NO;
	if (answer && is_bare(msg))
		return SURE_MAYBE;
	if (!plausible(msg, &m) || is_answer(&m) != answer || is_multicast(&m))
		return SURE_NO;
	if (m.partial && have >= len)
		return SURE_NO;
	return m.partial && !m.answers ? SURE_MAYBE : SURE_YES;
}

static enum sure dns_detect(const struct first *f)
{
	enum sure req = cur_left(&f->req) ? first_of(f->req, false) : SURE_MAYBE;
	enum sure resp = cur_left(&f->resp) ? first_of(f->resp, true) : SURE_MAYBE;

	if (!req || !resp)
		return SURE_NO;
	return req > resp ? req : resp;
}

static enum sure dns_is_datagram(struct cur in, enum dir *sender)
{
	struct str msg = cur_rest(&in, cur_left(&in));
	struct dns_message m = { 0 };

	if (msg.len < DNS_HEAD || !plausible(msg, &m) || (m.partial && !in.cut))
		return SURE_NO;
	*sender = is_answer(&m) ? DIR_RESP : DIR_REQ;
	return SURE_YES;
}

/* ---- messages ---- */

static struct str text_of(const struct dns_out *o)
{
	return (struct str){ o->p, o->len };
}

/* Type and name of the question. */
static void take_question(struct dns *s, struct str msg, const struct dns_message *m,
                          struct msg *out)
{
	struct dns_out name = { .p = s->name, .cap = sizeof(s->name) };
	const char *type = dns_type_name(m->question.type);

	if (type)
		snprintf(s->type, sizeof(s->type), "%s", type);
	else
		snprintf(s->type, sizeof(s->type), "TYPE%u", m->question.type);
	dns_name(msg, m->question.name, &name);
	out->op = opcode(m) == DNS_NOTIFY   ? STR("NOTIFY")
	          : opcode(m) == DNS_UPDATE ? STR("UPDATE")
	          : opcode(m) == DNS_STATUS ? STR("STATUS")
	                                    : str_of(s->type);
	out->target = text_of(&name);
	msg_attr(out, ATTR_DNS_QUESTION, out->target);
	msg_attr(out, ATTR_DNS_TYPE, str_of(s->type));
	if ((m->question.class & 0x7fff) == DNS_IN)
		return;
	snprintf(s->class, sizeof(s->class), "%u", m->question.class & 0x7fffu);
	msg_attr(out, ATTR_DNS_CLASS, str_of(s->class));
}

/* The answers, one a line, as many as fit; the lowest time to live. */
static void take_answers(struct dns *s, struct str msg, const struct dns_message *m,
                         struct msg *out)
{
	struct dns_out text = { .p = s->text, .cap = sizeof(s->text) };
	struct cur c = cur_of(msg.s + m->answers, msg.len - m->answers);
	uint32_t ttl = UINT32_MAX;

	for (unsigned int i = 0; i < m->nanswers; i++) {
		struct dns_record r = { 0 };
		size_t before = text.len;

		if (!dns_record(&c, msg, false, &r) || c.over)
			break;
		if (r.ttl < ttl)
			ttl = r.ttl;
		if (text.full)
			continue;
		dns_put(&text, "%s", before ? "\n" : "");
		dns_data(msg, &r, &text);
		if (text.full)
			text.len = before;
	}
	if (text.len)
		msg_attr(out, ATTR_DNS_ANSWERS, text_of(&text));
	msg_attr_num(out, ATTR_DNS_COUNT, m->head.count[DNS_ANSWER]);
	if (m->nanswers)
		msg_attr_num(out, ATTR_DNS_TTL, ttl);
}

static void take_flags(struct dns *s, const struct dns_message *m, struct msg *out)
{
	static const struct {
		uint16_t bit;
		char name[4];
	} bits[] = { { DNS_AA, "aa" }, { DNS_TC, "tc" }, { DNS_RD, "rd" },
		     { DNS_RA, "ra" }, { DNS_AD, "ad" }, { DNS_CD, "cd" } };
	struct dns_out text = { .p = s->flags, .cap = sizeof(s->flags) };

	for (size_t i = 0; i < sizeof(bits) / sizeof(*bits); i++)
		if (m->head.flags & bits[i].bit)
			dns_put(&text, "%s%s", text.len ? " " : "", bits[i].name);
	if (text.len)
		msg_attr(out, ATTR_DNS_FLAGS, text_of(&text));
}

/* What the server made of it. That a name does not exist is no failure of the server. */
static void take_rcode(struct dns *s, const struct dns_message *m, struct msg *out)
{
	const char *name = dns_rcode_name(m->rcode);

	if (!name)
		snprintf(s->rcode, sizeof(s->rcode), "RCODE%u", m->rcode);
	out->status = str_of(name ? name : s->rcode);
	out->code = (int32_t)m->rcode;
	msg_attr(out, ATTR_DNS_RCODE, out->status);
	out->error = m->rcode != 0;
	out->server_error = m->rcode == 2;
	if (out->error)
		out->error_type = out->status;
}

static void take(struct dns *s, enum dir dir, struct str msg, const struct dns_message *m,
                 struct msg *out)
{
	bool several = is_multicast(m);

	out->id = id_of(msg, m);
	if (m->partial)
		out->flags |= MSG_F_CUT;
	if (m->question.name)
		take_question(s, msg, m, out);
	if (several) {
		out->kind = dir == DIR_REQ && !is_answer(m) ? MSG_ONEWAY : MSG_PUSH;
		return;
	}
	if (!is_answer(m)) {
		out->kind = MSG_REQ;
		s->recent[s->asked++ % DNS_RECENT] = out->id;
		return;
	}
	out->kind = MSG_RESP;
	if (!out->id)
		out->id = recent(s, m->head.id);
	take_rcode(s, m, out);
	take_answers(s, msg, m, out);
	take_flags(s, m, out);
}

/* Nothing in it speaks against a message of this side. */
static bool fits(struct str msg, enum dir dir, struct dns_message *m)
{
	if (!dns_walk(msg, m) || (is_answer(m) != (dir == DIR_RESP) && !is_multicast(m)))
		return false;
	return m->question.name || is_answer(m) || m->partial;
}

/* A message that is as good as all there will be of it. */
static enum parse message(struct dns *s, enum dir dir, struct str msg, struct msg *out)
{
	struct dns_message m = { 0 };

	if (!fits(msg, dir, &m) || (!m.question.name && !is_answer(&m)))
		return PARSE_BAD;
	take(s, dir, msg, &m, out);
	return PARSE_OK;
}

static enum parse dns_datagram(void *state, enum dir dir, struct cur *in, struct msg *out)
{
	enum parse r = message(state, dir, (struct str){ (const char *)in->p, cur_left(in) }, out);

	if (r == PARSE_OK)
		in->p = in->end;
	return r;
}

static enum parse dns_parse(void *state, enum dir dir, struct cur *in, struct msg *out)
{
	struct cur c = *in;
	size_t len = cur_be16(&c), have;
	struct dns_message m = { 0 };
	struct str msg;
	enum parse r;

	if (c.over)
		return in->cut ? PARSE_BAD : PARSE_MORE;
	have = cur_left(&c) < len ? cur_left(&c) : len;
	if (len < DNS_HEAD)
		return PARSE_BAD;
	msg = cur_rest(&c, have);
	if (have < len && !in->cut && cur_left(in) < PROTO_HEAD)
		return have < DNS_HEAD || fits(msg, dir, &m) ? PARSE_MORE : PARSE_BAD;
	r = message(state, dir, msg, out);
	if (r != PARSE_OK)
		return r;
	out->skip = len - have;
	in->p = c.p;
	return PARSE_OK;
}

/* ---- the way back after an error ---- */

static const uint8_t *dns_resync(void *state, enum dir dir, struct cur in)
{
	(void)state;
	/* Length and message may come one after the other. */
	if (cur_left(&in) < LENGTH + DNS_HEAD)
		return in.p;
	for (; cur_left(&in) >= LENGTH + DNS_HEAD; in.p++)
		if (first_of(in, dir == DIR_RESP) == SURE_YES)
			return in.p;
	return NULL;
}

static uint64_t dns_answers(const void *state, struct cur in)
{
	size_t len = cur_be16(&in), have = cur_left(&in);
	struct str msg = cur_rest(&in, len);
	struct dns_message m = { 0 };

	if (have < len || !dns_walk(msg, &m) || !is_answer(&m) || is_multicast(&m))
		return 0;
	return m.question.name ? id_of(msg, &m) : recent(state, m.head.id);
}

static const struct proto_op ops[] = {
	{ "A", OP_PARSED },     { "AAAA", OP_PARSED },   { "CAA", OP_PARSED },
	{ "CNAME", OP_PARSED }, { "DNAME", OP_PARSED },  { "HTTPS", OP_PARSED },
	{ "MX", OP_PARSED },    { "NS", OP_PARSED },     { "PTR", OP_PARSED },
	{ "SOA", OP_PARSED },   { "SPF", OP_PARSED },    { "SRV", OP_PARSED },
	{ "SVCB", OP_PARSED },  { "TXT", OP_PARSED },    { "ANY", OP_PARSED },
	{ "AXFR", OP_NAMED },   { "CDNSKEY", OP_NAMED }, { "CDS", OP_NAMED },
	{ "DNSKEY", OP_NAMED }, { "DS", OP_NAMED },      { "HINFO", OP_NAMED },
	{ "IXFR", OP_NAMED },   { "LOC", OP_NAMED },     { "NAPTR", OP_NAMED },
	{ "NSEC", OP_NAMED },   { "NSEC3", OP_NAMED },   { "OPENPGPKEY", OP_NAMED },
	{ "RRSIG", OP_NAMED },  { "SMIMEA", OP_NAMED },  { "SSHFP", OP_NAMED },
	{ "TLSA", OP_NAMED },   { "TSIG", OP_NAMED },    { "URI", OP_NAMED },
	{ "ZONEMD", OP_NAMED }, { "NOTIFY", OP_NAMED },  { "UPDATE", OP_NAMED },
	{ "STATUS", OP_NAMED }, { NULL, OP_UNKNOWN },
};

const struct proto proto_dns = {
	.name = "dns",
	.title = "DNS over UDP and TCP (RFC 1035)",
	.family = FAMILY_NAMED,
	.limits = "of a zone transfer the first message; multicast DNS is not paired; other types "
		  "have the name TYPE and their number; a query without an answer has failed "
		  "after 10 s",
	.ops = ops,
	.ports = { 53, 5353, 5355 },
	.state_size = sizeof(struct dns),
	.full_payload = true,
	.detect = dns_detect,
	.parse = dns_parse,
	.resync = dns_resync,
	.answers = dns_answers,
	.is_datagram = dns_is_datagram,
	.datagram = dns_datagram,
	.timeout_ms = 10000,
};
