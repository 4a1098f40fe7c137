// SPDX-License-Identifier: GPL-3.0-or-later
/* ldap_filter - elements of BER; a filter of LDAP as text (RFC 4515). */
#include "proto/ldap.h"

/* ----- elements ----- */

bool ber_head(struct cur *c, uint8_t *tag, uint32_t *len)
{
	unsigned int n;

	*tag = cur_u8(c);
	n = cur_u8(c);
	*len = n;
	if (n & 0x80) {
		n &= 0x7f;
		if (!n || n > 4)
			return false;
		*len = (uint32_t)cur_be(c, n);
	}
	return !c->over && *len <= INT32_MAX;
}

bool ber_take(struct cur *c, struct ber *e)
{
	struct str s;

	if (!ber_head(c, &e->tag, &e->len))
		return false;
	s = cur_rest(c, e->len);
	e->in = cur_of(s.s, s.len);
	return true;
}

bool ber_want(struct cur *c, uint8_t tag, struct cur *in)
{
	struct ber e;

	if (!ber_take(c, &e) || e.tag != tag || cur_left(&e.in) != e.len)
		return false;
	*in = e.in;
	return true;
}

bool ber_text(struct cur *c, uint8_t tag, struct str *text)
{
	struct cur in;

	if (!ber_want(c, tag, &in))
		return false;
	*text = cur_rest(&in, cur_left(&in));
	return true;
}

bool ber_number(struct cur *c, uint8_t tag, uint32_t *n)
{
	struct cur in;
	size_t len;

	if (!ber_want(c, tag, &in))
		return false;
	len = cur_left(&in);
	if (!len || len > 4 || *in.p & 0x80)
		return false;
	*n = (uint32_t)cur_be(&in, len);
	return true;
}

/* ----- filters ----- */

enum { DEPTH = 24, DOTS = 3 };

enum filter {
	AND = 0xa0,
	OR = 0xa1,
	NOT = 0xa2,
	EQUAL = 0xa3,
	SUBSTRINGS = 0xa4,
	GREATER = 0xa5,
	LESS = 0xa6,
	PRESENT = 0x87,
	APPROX = 0xa8,
	EXTENSIBLE = 0xa9,
};

struct text {
	char *p;
	size_t n, room;
	bool full;
};

static void put(struct text *t, char ch)
{
	if (t->n + DOTS < t->room)
		t->p[t->n++] = ch;
	else
		t->full = true;
}

static void put_text(struct text *t, struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		put(t, s.s[i]);
}

/* A value; what would be read as something else is written as \28. */
static void put_value(struct text *t, struct str s)
{
	static const char hex[] = "0123456789abcdef";

	for (size_t i = 0; i < s.len; i++) {
		uint8_t ch = (uint8_t)s.s[i];

		if (ch >= ' ' && ch != 0x7f && !strchr("()*\\", ch)) {
			put(t, (char)ch);
			continue;
		}
		put(t, '\\');
		put(t, hex[ch >> 4]);
		put(t, hex[ch & 15]);
	}
}

/* "cn=ann", "age>=3" */
static bool comparison(struct cur c, const char *sign, struct text *t)
{
	struct str type, value;

	if (!ber_text(&c, BER_OCTETS, &type) || !ber_text(&c, BER_OCTETS, &value))
		return false;
	put_value(t, type);
	put_text(t, str_of(sign));
	put_value(t, value);
	return true;
}

/* "cn=a*b*c": [0] stands at the start, [2] at the end */
static bool substrings(struct cur c, struct text *t)
{
	struct str type;
	struct cur list;
	uint8_t tag = BER_CONTEXT;

	if (!ber_text(&c, BER_OCTETS, &type) || !ber_want(&c, BER_SEQUENCE, &list))
		return false;
	put_value(t, type);
	put(t, '=');
	while (cur_left(&list)) {
		struct ber e;

		if (!ber_take(&list, &e) || e.tag < BER_CONTEXT || e.tag > BER_CONTEXT + 2)
			return false;
		tag = e.tag;
		if (tag != BER_CONTEXT)
			put(t, '*');
		put_value(t, cur_rest(&e.in, e.len));
	}
	if (tag != BER_CONTEXT + 2)
		put(t, '*');
	return true;
}

/* "cn:dn:2.4.6:=value" */
static bool extensible(struct cur c, struct text *t)
{
	struct str part[5] = { [3] = { "", 0 } };
	struct ber e;

	while (cur_left(&c)) {
		if (!ber_take(&c, &e) || e.tag <= BER_CONTEXT || e.tag > BER_CONTEXT + 4)
			return false;
		part[e.tag - BER_CONTEXT] = cur_rest(&e.in, e.len);
	}
	put_value(t, part[2]);
	if (part[4].len && part[4].s[0])
		put_text(t, STR(":dn"));
	if (part[1].len)
		put(t, ':');
	put_value(t, part[1]);
	put_text(t, STR(":="));
	put_value(t, part[3]);
	return true;
}

static bool filter(struct cur *c, struct text *t, int depth);

static bool filters(struct cur c, char sign, struct text *t, int depth)
{
	put(t, sign);
	while (cur_left(&c))
		if (!filter(&c, t, depth + 1))
			return false;
	return true;
}

static bool filter(struct cur *c, struct text *t, int depth)
{
	bool ok = false;
	struct ber e;

	if (depth > DEPTH || !ber_take(c, &e))
		return false;
	put(t, '(');
	switch (e.tag) {
	case AND:
	case OR:
	case NOT:
		ok = filters(e.in, e.tag == AND ? '&' : e.tag == OR ? '|' : '!', t, depth);
		break;
	case EQUAL:
		ok = comparison(e.in, "=", t);
		break;
	case GREATER:
		ok = comparison(e.in, ">=", t);
		break;
	case LESS:
		ok = comparison(e.in, "<=", t);
		break;
	case APPROX:
		ok = comparison(e.in, "~=", t);
		break;
	case SUBSTRINGS:
		ok = substrings(e.in, t);
		break;
	case PRESENT:
		put_value(t, cur_rest(&e.in, e.len));
		put_text(t, STR("=*"));
		ok = true;
		break;
	case EXTENSIBLE:
		ok = extensible(e.in, t);
		break;
	}
	put(t, ')');
	return ok && cur_left(&e.in) <= e.len;
}

size_t ldap_filter(struct cur *c, char *to, size_t room)
{
	struct text t = { .p = to, .room = room };

	if (!filter(c, &t, 0))
		return 0;
	if (t.full) {
		memcpy(t.p + t.n, "...", DOTS);
		t.n += DOTS;
	}
	return t.n;
}
