// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * scgi - the Simple Common Gateway Interface, version 1.
 *
 * A request is a netstring, "LENGTH:NAME\0VALUE\0...,", of the variables of CGI,
 * CONTENT_LENGTH first and SCGI=1 among them, and as many bytes of body. The answer
 * is that of CGI; the connection ends with it (https://python.ca/scgi/protocol.txt).
 */
#include "proto/cgi.h"

#include <ctype.h>

enum { DIGITS = 6 };

#define FIRST "CONTENT_LENGTH"

/* "LENGTH:" and the name of the first variable; c->over where they are not whole. */
static bool take_head(struct cur *c, uint32_t *size)
{
	size_t digits = 0;
	struct cur part;
	struct str name;

	for (*size = 0; cur_left(c) && isdigit(*c->p); digits++)
		*size = *size * 10 + (uint32_t)(*c->p++ - '0');
	if (!cur_left(c)) {
		c->over = true;
		return digits <= DIGITS;
	}
	if (!digits || digits > DIGITS || *c->p != ':' || *size <= sizeof(FIRST))
		return false;
	c->p++;
	part = *c;
	name = cur_rest(&part, sizeof(FIRST));
	c->over = name.len < sizeof(FIRST);
	return !memcmp(name.s, FIRST, name.len);
}

/* Names and values; false where the last one is torn. */
static bool take_vars(struct cur c, struct cgi_vars *v)
{
	while (cur_left(&c)) {
		struct str name = cur_cstr(&c), value = cur_cstr(&c);
		struct str *out = c.over ? NULL : cgi_var(v, name);

		if (c.over)
			return false;
		if (out)
			*out = value;
	}
	return true;
}

static enum parse request(struct cgi_conn *s, struct cur *in, struct msg *out)
{
	bool full = cur_left(in) >= PROTO_HEAD || in->cut, whole;
	struct cgi_vars v = { .method = STR_NULL };
	struct msg m = MSG_INIT;
	struct cur c = *in, vars;
	uint32_t size;

	if (!cur_left(in) || !take_head(&c, &size))
		return cur_left(in) || in->cut ? PARSE_BAD : PARSE_MORE;
	if (c.over)
		return in->cut ? PARSE_BAD : PARSE_MORE;
	vars = c;
	whole = cur_left(&c) > size;
	if (!whole && !full)
		return PARSE_MORE;
	if (whole) {
		vars.end = vars.p + size;
		if (*vars.end != ',')
			return PARSE_BAD;
	}
	if (!take_vars(vars, &v) && whole)
		return PARSE_BAD;
	m.skip = whole ? 0 : size + 1 - cur_left(&c);
	cgi_request(s, &v, !whole, &m);
	*out = m;
	in->p = whole ? vars.end + 1 : vars.end;
	return PARSE_OK;
}

static enum parse scgi_parse(void *state, enum dir dir, struct cur *in, struct msg *out)
{
	return dir == DIR_REQ ? request(state, in, out) : cgi_answer(state, in, out);
}

/* ----- detection, and the place after lost bytes ----- */

static enum sure begins(struct cur c)
{
	uint32_t size;

	if (!take_head(&c, &size))
		return SURE_NO;
	return c.over ? SURE_MAYBE : SURE_YES;
}

static enum sure scgi_detect(const struct first *f)
{
	enum sure asks = begins(f->req), answers = cgi_answers(f->resp);

	if (asks == SURE_NO || answers == SURE_NO)
		return SURE_NO;
	return asks; /* an answer alone may be that of CGI anywhere */
}

static const uint8_t *scgi_resync(void *state, enum dir dir, struct cur in)
{
	(void)state;
	if (dir == DIR_RESP)
		return cgi_resync_answer(in);
	for (; cur_left(&in); in.p++)
		if (begins(in) == SURE_YES)
			return in.p;
	return NULL;
}

static const struct proto_op ops[] = {
	{ "request", OP_PARSED },
	{ "answer", OP_PARSED },
	{ NULL, OP_UNKNOWN },
};

#define ALL "\xff\xff\xff\xff\xff\xff\xff\xff"

const struct proto proto_scgi = {
	.name = "scgi",
	.title = "SCGI 1",
	.family = FAMILY_HTTP,
	.limits = "bodies are not read; variables beyond 16 KiB are left out",
	.ops = ops,
	/* a length of two to four digits, and the first variable */
	.rules = { { .off = 2, .len = 8, .value = ":CONTENT", .mask = ALL },
	           { .off = 3, .len = 8, .value = ":CONTENT", .mask = ALL },
	           { .off = 4, .len = 8, .value = ":CONTENT", .mask = ALL } },
	.ports = { 4000 },
	.state_size = sizeof(struct cgi_conn),
	.in_order = true,
	.detect = scgi_detect,
	.parse = scgi_parse,
	.resync = scgi_resync,
};
