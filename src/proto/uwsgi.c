// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * uwsgi - the protocol of uWSGI, as web servers speak it to applications in
 * Python, Ruby, Perl and more.
 *
 * A request is one packet: modifier1, the size of what follows in 16 bits, the
 * lowest first, modifier2, then the variables of CGI, each name and value with its
 * length in front, and the request's body. The answer is one of HTTP, as it stands
 * (https://uwsgi-docs.readthedocs.io/en/latest/Protocol.html).
 */
#include "proto/cgi.h"

#include <ctype.h>

enum { HEAD = 4, NAME_BYTES = 256, PAIRS_SURE = 3 };

/* modifier1 of a request to an application, by language (Protocol.html): WSGI is 0. */
static bool is_request(uint8_t modifier1)
{
	static const uint8_t known[] = { 0, 5, 6, 7, 8, 9, 14, 15, 18, 25, 26, 30 };

	return memchr(known, modifier1, sizeof(known));
}

/* As far as there are bytes, the name of a variable. */
static bool is_name(struct str s)
{
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.s[i];

		if (!isupper(c) && !isdigit(c) && c != '_' && !(i && islower(c)))
			return false;
	}
	return true;
}

/* Name and value; c->over where they are not whole, false where they are none. */
static bool take_pair(struct cur *c, struct str *name, struct str *value)
{
	uint16_t len = (uint16_t)cur_le(c, 2);
	struct cur part = *c;

	if (!c->over && (!len || len > NAME_BYTES || !is_name(cur_rest(&part, len))))
		return false;
	*name = cur_str(c, len);
	*value = cur_str(c, cur_le(c, 2));
	return true;
}

/* The variables; 0: all there are here, 1: the last is not whole, -1: they are none. */
static int take_vars(struct cur c, struct cgi_vars *v, unsigned int *pairs)
{
	struct str name, value, *out;

	for (*pairs = 0; cur_left(&c); ++*pairs) {
		if (!take_pair(&c, &name, &value))
			return -1;
		if (c.over)
			return 1;
		out = cgi_var(v, name);
		if (out)
			*out = value;
	}
	return 0;
}

/* A packet's head and the first `full` of its bytes; false where it is none. */
static bool take_head(struct cur *c, uint16_t *size)
{
	uint8_t modifier1 = cur_u8(c);

	*size = (uint16_t)cur_le(c, 2);
	return !cur_u8(c) && is_request(modifier1) && (c->over || *size > 4);
}

static enum parse request(struct cgi_conn *s, struct cur *in, struct msg *out)
{
	bool full = cur_left(in) >= PROTO_HEAD || in->cut, whole;
	struct cgi_vars v = { .method = STR_NULL };
	struct msg m = MSG_INIT;
	struct cur c = *in, vars;
	unsigned int pairs;
	uint16_t size;
	int r;

	if (!take_head(&c, &size))
		return PARSE_BAD;
	if (c.over)
		return in->cut ? PARSE_BAD : PARSE_MORE;
	vars = c;
	whole = cur_left(&c) >= size;
	vars.end = whole ? vars.p + size : vars.end;
	r = take_vars(vars, &v, &pairs);
	if (r < 0 || (r && whole) || (!whole && full && !v.method.len))
		return PARSE_BAD;
	if (!whole && !full)
		return PARSE_MORE;
	m.skip = whole ? 0 : size - cur_left(&c);
	cgi_request(s, &v, !whole, &m);
	*out = m;
	in->p = vars.end;
	return PARSE_OK;
}

static enum parse uwsgi_parse(void *state, enum dir dir, struct cur *in, struct msg *out)
{
	return dir == DIR_REQ ? request(state, in, out) : cgi_answer(state, in, out);
}

/* ----- detection, and the place after lost bytes ----- */

/* Three variables, or all there are with a method among them. */
static enum sure begins(struct cur c)
{
	struct cgi_vars v = { .method = STR_NULL };
	unsigned int pairs;
	uint16_t size;
	bool whole;
	int r;

	if (!take_head(&c, &size))
		return SURE_NO;
	if (c.over)
		return SURE_MAYBE;
	whole = cur_left(&c) >= size;
	if (whole)
		c.end = c.p + size;
	r = take_vars(c, &v, &pairs);
	if (r < 0 || (whole && (r || !v.method.len)))
		return SURE_NO;
	return pairs >= PAIRS_SURE || whole ? SURE_YES : SURE_MAYBE;
}

static enum sure uwsgi_detect(const struct first *f)
{
	enum sure asks = begins(f->req), answers = cgi_answers(f->resp);

	if (asks == SURE_NO || answers == SURE_NO)
		return SURE_NO;
	return asks; /* an answer alone is one of HTTP */
}

static const uint8_t *uwsgi_resync(void *state, enum dir dir, struct cur in)
{
	(void)state;
	if (dir == DIR_RESP)
		return cgi_resync_answer(in);
	for (; cur_left(&in) > HEAD; in.p++)
		if (begins(in) == SURE_YES)
			return in.p;
	return NULL;
}

static const struct proto_op ops[] = {
	{ "request to an application", OP_PARSED },
	{ "answer", OP_PARSED },
	{ "other modifiers", OP_UNKNOWN },
	{ NULL, OP_UNKNOWN },
};

const struct proto proto_uwsgi = {
	.name = "uwsgi",
	.title = "uwsgi, the protocol of uWSGI",
	.family = FAMILY_HTTP,
	.limits = "requests to applications only: no spooler, cache, signals or subscriptions;"
		  " variables beyond 16 KiB are left out",
	.ops = ops,
	/* modifiers 0, a first variable named QUERY_STRING or REQUEST_METHOD */
	.rules = { { .off = 4,
	             .len = 8,
	             .value = "\x0c\0QUERY_",
	             .mask = "\xff\xff\xff\xff\xff\xff\xff\xff" },
	           { .off = 4,
	             .len = 8,
	             .value = "\x0e\0REQUES",
	             .mask = "\xff\xff\xff\xff\xff\xff\xff\xff" } },
	.ports = { 3031, 9000 },
	.state_size = sizeof(struct cgi_conn),
	.in_order = true,
	.detect = uwsgi_detect,
	.parse = uwsgi_parse,
	.resync = uwsgi_resync,
};
