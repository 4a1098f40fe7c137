// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * ldap - LDAP 3 (RFC 4511): requests with an id, answers in any order.
 *
 * A search is answered by entries, then by how it went; each entry counts, none is
 * read. Abandon has no answer: it ends the request that it names, and what still
 * comes for that one is let pass. Behind a bind by SASL both directions may be
 * wrapped, and behind StartTLS there is TLS.
 *
 * Values stay where they are: of what is added or changed only the types are told.
 */
#include "proto/ldap.h"

enum { LENGTH_MAX = 1 << 28, IN_PROGRESS = 14 };

/* PARSE_MORE: too few bytes to tell. */
static enum parse read_head(struct cur *c, struct ldap_head *h)
{
	struct cur begin;
	uint8_t tag;
	uint32_t len;
	size_t used;

	if (!ber_head(c, &tag, &len) || tag != BER_SEQUENCE || len > LENGTH_MAX)
		return c->over && tag == BER_SEQUENCE ? PARSE_MORE : PARSE_BAD;
	begin = *c;
	if (!ber_number(c, BER_INTEGER, &h->id)) {
		struct cur d = begin;
		uint8_t t = cur_u8(&d), n = cur_u8(&d);

		return (d.over || n <= 4) && (!cur_left(&begin) || t == BER_INTEGER) &&
		                       cur_left(&begin) < 6
		               ? PARSE_MORE
		               : PARSE_BAD;
	}
	if (!ber_head(c, &h->op, &h->len))
		return c->over ? PARSE_MORE : PARSE_BAD;
	used = (size_t)(c->p - begin.p);
	if (used > len || h->len > len - used)
		return PARSE_BAD;
	h->rest = len - (uint32_t)used;
	return PARSE_OK;
}

static bool is_answer(uint8_t op)
{
	switch (op) {
	case LDAP_BIND_RESULT:
	case LDAP_ENTRY:
	case LDAP_SEARCH_RESULT:
	case LDAP_MODIFY_RESULT:
	case LDAP_ADD_RESULT:
	case LDAP_DELETE_RESULT:
	case LDAP_RENAME_RESULT:
	case LDAP_COMPARE_RESULT:
	case LDAP_REFERENCE:
	case LDAP_EXTENDED_RESULT:
	case LDAP_INTERMEDIATE:
		return true;
	}
	return false;
}

/* ----- answers ----- */

static bool is_gone(const struct ldap *s, uint32_t id)
{
	for (size_t i = 0; i < LDAP_GONE; i++)
		if (id && s->gone[i] == id)
			return true;
	return false;
}

static struct str code_name(uint32_t code)
{
	switch (code) {
#define CODE(NUM, name) \
	case NUM:       \
		return STR(name);
#include "proto/ldap_codes.def"
#undef CODE
	}
	return STR("unknown");
}

/* It went well, or will go on, or is answered by yes or no. */
static bool is_fine(uint32_t code)
{
	return !code || code == 5 || code == 6 || code == 10 || code == IN_PROGRESS;
}

/* operationsError, timeLimitExceeded, busy, unavailable, loopDetect, other */
static bool is_servers(uint32_t code)
{
	return code == 1 || code == 3 || code == 51 || code == 52 || code == 54 || code == 80;
}

static bool result(struct cur c, uint32_t *code, struct msg *out)
{
	struct str matched, text;

	if (!ber_number(&c, BER_ENUM, code) || !ber_text(&c, BER_OCTETS, &matched) ||
	    !ber_text(&c, BER_OCTETS, &text))
		return false;
	out->status = code_name(*code);
	out->code = (int32_t)*code;
	if (is_fine(*code))
		return true;
	out->error = true;
	out->server_error = is_servers(*code);
	out->error_type = out->status;
	if (text.len)
		msg_attr(out, ATTR_ERROR_MESSAGE, str_head(text, 256));
	return true;
}

/* What an answer means for the bytes that follow it. */
static void settle(struct ldap *s, const struct ldap_head *h, uint32_t code, struct msg *out)
{
	if (h->id == s->tls) {
		s->tls = 0;
		if (!code)
			out->next = PROTO_TLS;
	}
	if (h->id == s->sasl) {
		s->sasl = 0;
		s->wraps |= !code;
	}
}

static bool answer(struct ldap *s, struct cur c, const struct ldap_head *h, struct msg *out)
{
	uint32_t code;

	out->id = h->id;
	out->kind = MSG_INTERIM;
	if (h->op == LDAP_ENTRY)
		out->rows = 1;
	if (h->op != LDAP_ENTRY && h->op != LDAP_REFERENCE && h->op != LDAP_INTERMEDIATE) {
		out->kind = MSG_RESP;
		if (h->op == LDAP_SEARCH_RESULT)
			out->rows = 0;
		if (!result(c, &code, out))
			return false;
		settle(s, h, code, out);
	}
	if (!h->id) /* the server is about to hang up */
		out->kind = MSG_PUSH;
	else if (is_gone(s, h->id))
		out->kind = MSG_NONE;
	return true;
}

/* ----- parse ----- */

/* Entries are not read; of all else as much as is kept of a message. */
static uint32_t wanted(const struct ldap_head *h, size_t used)
{
	uint32_t room = PROTO_HEAD - (uint32_t)used;

	if (h->op == LDAP_ENTRY || h->op == LDAP_REFERENCE || h->op == LDAP_INTERMEDIATE)
		return 0;
	return h->rest < room ? h->rest : room;
}

static enum parse message(struct ldap *s, enum dir dir, struct cur *c, struct msg *out)
{
	const uint8_t *begin = c->p;
	struct ldap_head h = { .op = 0 };
	enum parse r = read_head(c, &h);
	struct str body;
	uint32_t want;
	bool ok;

	if (r != PARSE_OK)
		return r;
	if (dir == DIR_REQ ? !ldap_request_name(h.op) : !is_answer(h.op))
		return PARSE_BAD;
	want = wanted(&h, (size_t)(c->p - begin));
	if (cur_left(c) < want && !c->cut)
		return PARSE_MORE;
	body = cur_rest(c, want);
	out->skip = h.rest - body.len;
	if (body.len > h.len)
		body.len = h.len;
	ok = dir == DIR_REQ ? ldap_request(s, cur_of(body.s, body.len), &h, out)
	                    : answer(s, cur_of(body.s, body.len), &h, out);
	if (!ok && out->skip)
		out->flags |= MSG_F_CUT | (dir == DIR_RESP ? MSG_F_NOSTATUS : 0);
	return ok || out->skip ? PARSE_OK : PARSE_BAD;
}

/* Bytes behind a bind by SASL: four of length, then what only the two ends can read. */
static bool is_wrapped(const struct ldap *s, const struct cur *c)
{
	return s->wraps && *c->p != BER_SEQUENCE;
}

static enum parse ldap_parse(void *state, enum dir dir, struct cur *in, struct msg *out)
{
	struct ldap *s = state;
	struct msg m = MSG_INIT;
	struct cur c = *in;
	enum parse r = PARSE_OK;

	if (!cur_left(in))
		return in->cut ? PARSE_BAD : PARSE_MORE;
	if (is_wrapped(s, &c)) {
		c.p++;
		m.skip = UINT64_MAX;
		m.flags = MSG_F_MUTE;
	} else {
		struct ldap was = *s;

		if (cur_left(in) > PROTO_HEAD)
			c.end = c.p + PROTO_HEAD;
		r = message(s, dir, &c, &m);
		if (r != PARSE_OK)
			*s = was;
	}
	if (r != PARSE_OK)
		return r == PARSE_MORE && in->cut ? PARSE_BAD : r;
	*out = m;
	in->p = c.p;
	return PARSE_OK;
}

static uint64_t ldap_answers(const void *state, struct cur in)
{
	const struct ldap *s = state;
	struct ldap_head h = { .op = 0 };

	if (!cur_left(&in) || is_wrapped(s, &in) || read_head(&in, &h) != PARSE_OK ||
	    !is_answer(h.op) || is_gone(s, h.id))
		return 0;
	return h.id;
}

/* ----- detection, and the place after lost bytes ----- */

/* The first elements of an operation that takes so many bytes, as far as they are here. */
static enum sure fits(struct cur c, const struct ldap_head *h, struct msg *out)
{
	static const char oid[] = "0123456789.";
	struct ldap s = { .tls = 0 };
	struct ber name, rest;
	uint32_t n;

	switch (h->op) {
	case LDAP_BIND:
		if (!ber_number(&c, BER_INTEGER, &n))
			return c.over ? SURE_MAYBE : SURE_NO;
		if (n < 2 || n > 3 || (cur_left(&c) && *c.p != BER_OCTETS))
			return SURE_NO;
		return cur_left(&c) ? SURE_YES : SURE_MAYBE;
	case LDAP_SEARCH:
		if (ldap_search(&s, c, out))
			return SURE_YES;
		return cur_left(&c) < h->len && (!cur_left(&c) || *c.p == BER_OCTETS) ? SURE_MAYBE
		                                                                      : SURE_NO;
	case LDAP_EXTENDED:
		if (!ber_take(&c, &name) || !cur_left(&name.in))
			return c.over ? SURE_MAYBE : SURE_NO;
		for (; cur_left(&name.in); name.in.p++)
			if (!*name.in.p || !strchr(oid, *name.in.p))
				return SURE_NO;
		return SURE_YES;
	case LDAP_ADD:
	case LDAP_MODIFY:
	case LDAP_COMPARE:
	case LDAP_RENAME:
	case LDAP_ENTRY:
		if (!ber_take(&c, &name) || !ber_take(&c, &rest))
			return c.over ? SURE_MAYBE : SURE_NO;
		if (name.tag != BER_OCTETS ||
		    rest.tag != (h->op == LDAP_RENAME ? BER_OCTETS : BER_SEQUENCE))
			return SURE_NO;
		n = (uint32_t)(rest.in.p - name.in.p) + rest.len;
		return h->len < n || (h->op != LDAP_RENAME && h->len > n + 6) ? SURE_NO : SURE_YES;
	case LDAP_UNBIND:
		return h->len ? SURE_NO : SURE_LIKELY;
	case LDAP_ABANDON:
		return h->len && h->len <= 4 ? SURE_LIKELY : SURE_NO;
	case LDAP_DELETE:
	case LDAP_REFERENCE:
	case LDAP_INTERMEDIATE:
		return SURE_LIKELY;
	default:
		if (!result(c, &n, out))
			return cur_left(&c) < h->len ? SURE_MAYBE : SURE_NO;
		return str_is(out->status, "unknown") ? SURE_NO : SURE_YES;
	}
}

static enum sure is_message(struct cur c, enum dir dir)
{
	struct ldap_head h = { .op = 0 };
	struct msg m = MSG_INIT;
	bool none = !cur_left(&c);
	enum parse r = read_head(&c, &h);
	struct str body;

	if (r != PARSE_OK)
		return r == PARSE_MORE || none ? SURE_MAYBE : SURE_NO;
	if (dir == DIR_REQ ? !ldap_request_name(h.op) : !is_answer(h.op))
		return SURE_NO;
	body = cur_rest(&c, h.len);
	if (cur_left(&c) && h.rest > h.len && *c.p != BER_CONSTRUCTED) /* controls */
		return SURE_NO;
	return fits(cur_of(body.s, body.len), &h, &m);
}

static enum sure ldap_detect(const struct first *f)
{
	enum sure req = is_message(f->req, DIR_REQ), resp = is_message(f->resp, DIR_RESP);

	if (req == SURE_YES && !f->from_start) /* in the middle of an answer, maybe */
		return SURE_YES;
	if (req == SURE_NO || resp == SURE_NO)
		return SURE_NO;
	if (req == SURE_YES || resp == SURE_YES)
		return SURE_YES;
	return req == SURE_LIKELY && resp == SURE_LIKELY ? SURE_LIKELY : SURE_MAYBE;
}

/* Where the bytes begin a message may begin too that is not here yet: heads are read alone. */
static const uint8_t *ldap_resync(void *state, enum dir dir, struct cur in)
{
	const uint8_t *begin = in.p;

	(void)state;
	for (; cur_left(&in); in.p++)
		if (*in.p == BER_SEQUENCE &&
		    is_message(in, dir) >= (in.p == begin ? SURE_MAYBE : SURE_LIKELY))
			return in.p;
	return NULL;
}

static const struct proto_op ops[] = {
	{ "bind", OP_PARSED },     { "unbind", OP_PARSED },    { "search", OP_PARSED },
	{ "modify", OP_PARSED },   { "add", OP_PARSED },       { "delete", OP_PARSED },
	{ "modifyDN", OP_PARSED }, { "compare", OP_PARSED },   { "abandon", OP_PARSED },
	{ "extended", OP_NAMED },  { "controls", OP_UNKNOWN }, { NULL, OP_UNKNOWN },
};

/* The id of the first messages has one byte, and so has their length. */
#define FIRST(OP)                                                                                 \
	{                                                                                         \
		.len = 6, .value = { 0x30, 0, 2, 1, 0, OP }, .mask = { 255, 0, 255, 255, 0, 255 } \
	}

const struct proto proto_ldap = {
	.name = "ldap",
	.title = "LDAP 3 (RFC 4511)",
	.system = "ldap",
	.family = FAMILY_NAMED,
	.limits = "entries are counted, not read; no CLDAP; what SASL wraps is not read",
	.ops = ops,
	.rules = { FIRST(0x60), FIRST(0x63), FIRST(0x77) },
	.ports = { 389 },
	.state_size = sizeof(struct ldap),
	.detect = ldap_detect,
	.parse = ldap_parse,
	.resync = ldap_resync,
	.answers = ldap_answers,
};
