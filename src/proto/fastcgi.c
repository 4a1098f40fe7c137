// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * fastcgi - FastCGI 1.0, what a web server says to php-fpm and the like.
 *
 * Records of eight bytes of head, content and padding; both lengths stand in the
 * head (https://fastcgi-archives.github.io/FastCGI_Specification.html, 3.3). A
 * request is BEGIN_REQUEST and its PARAMS up to an empty one: the CGI variables
 * (RFC 3875), of which method, URI and a few more are read. Its answer is STDOUT,
 * which begins with CGI header fields, and ends with END_REQUEST.
 *
 * Requests are told apart by the id in each record: what is read of an answer's
 * head belongs to the id of its record. A variable that is torn by the border of
 * two records is passed over, and the request flagged cut.
 */
#include "proto/cgi.h"

enum type {
	BEGIN_REQUEST = 1,
	ABORT_REQUEST,
	END_REQUEST,
	PARAMS,
	STDIN,
	STDOUT,
	STDERR,
	DATA,
	GET_VALUES,
	GET_VALUES_RESULT,
	UNKNOWN_TYPE,
};

enum { HEAD = 8, BEGIN_BODY = 8, END_BODY = 8, VERSION = 1, IDS = 64, ERROR_BYTES = 256 };

struct fastcgi {
	uint64_t answered; /* one bit an id (modulo IDS): its status is known */
};

struct record {
	enum type type;
	uint16_t id;
	uint32_t length, padding;
};

/* ----- records ----- */

/* A head; false where it is none (or not whole: c->over). */
static bool take_head(struct cur *c, struct record *r)
{
	uint8_t version = cur_u8(c);
	uint8_t type = cur_u8(c);

	r->type = (enum type)type;
	r->id = cur_be16(c);
	r->length = cur_be16(c);
	r->padding = cur_u8(c);
	cur_u8(c);
	return version == VERSION && type >= BEGIN_REQUEST && type <= UNKNOWN_TYPE &&
	       (r->type >= GET_VALUES) == !r->id;
}

/* Type, id and length of a type that `dir` sends, as far as there are bytes. */
static bool is_head(struct cur c, enum dir dir)
{
	struct record r;
	bool answer;

	if (!take_head(&c, &r) || c.over)
		return false;
	answer = r.type == STDOUT || r.type == STDERR || r.type == END_REQUEST ||
	         r.type == GET_VALUES_RESULT || r.type == UNKNOWN_TYPE;
	if (r.type == BEGIN_REQUEST || r.type == END_REQUEST)
		return r.length == BEGIN_BODY && answer == (dir == DIR_RESP);
	return answer == (dir == DIR_RESP);
}

/* ----- the variables of a request ----- */

/* One byte, or four with the highest bit set (3.4). */
static uint32_t take_size(struct cur *c)
{
	uint8_t first = cur_u8(c);

	return first < 128 ? first : (uint32_t)(first & 127) << 24 | (uint32_t)cur_be(c, 3);
}

/* Name-value pairs of one record; false where the last one is torn. */
static bool take_vars(struct cur c, struct cgi_vars *v)
{
	while (cur_left(&c)) {
		uint32_t name_len = take_size(&c), value_len = take_size(&c);
		struct str name = cur_str(&c, name_len), value = cur_str(&c, value_len);
		struct str *out = c.over ? NULL : cgi_var(v, name);

		if (c.over)
			return false;
		if (out)
			*out = value;
	}
	return true;
}

/* ----- what the web server says ----- */

/*
 * BEGIN_REQUEST, then PARAMS up to the empty one. What does not fit in the head
 * of a message is left by skip, and the request flagged.
 */
static enum parse begin(struct fastcgi *s, struct cur *c, bool full, struct msg *out)
{
	const uint8_t *id = c->p;
	struct cgi_vars v = { .method = STR_NULL };
	struct record r;

	cur_take(c, BEGIN_BODY);
	if (c->over)
		return PARSE_MORE;
	out->id = (uint64_t)(id[-6] << 8 | id[-5]);
	s->answered &= ~(1ull << out->id % IDS);
	do {
		struct cur at = *c, body;

		if (!take_head(&at, &r) && !at.over)
			return PARSE_BAD;
		if (!at.over && r.type != PARAMS)
			return PARSE_BAD;
		body = at;
		cur_take(&at, r.length + r.padding);
		if (at.over && !full)
			return PARSE_MORE;
		if (body.over) { /* not even its head: the next bytes begin with it */
			out->flags |= MSG_F_CUT;
			break;
		}
		body.end = at.over ? body.end : body.p + r.length;
		if (!take_vars(body, &v) || at.over)
			out->flags |= MSG_F_CUT;
		if (at.over)
			out->skip = r.length + r.padding - cur_left(&body);
		c->p = at.over ? body.end : at.p;
	} while (r.length && !out->skip);
	out->kind = MSG_REQ;
	cgi_fill_request(&v, out);
	return PARSE_OK;
}

static enum parse request(struct fastcgi *s, struct cur *c, bool full, struct msg *out)
{
	struct record r;

	if (!take_head(c, &r) || c->over)
		return c->over ? PARSE_MORE : PARSE_BAD;
	out->id = r.id;
	out->skip = r.length + r.padding;
	switch (r.type) {
	case BEGIN_REQUEST:
		out->skip = 0;
		return r.length == BEGIN_BODY && !r.padding ? begin(s, c, full, out) : PARSE_BAD;
	case GET_VALUES:
		out->kind = MSG_REQ;
		out->op = out->target = STR("GET_VALUES");
		return PARSE_OK;
	case ABORT_REQUEST:
	case PARAMS: /* of a request whose beginning was not seen, or too long */
	case STDIN:
	case DATA:
		return PARSE_OK;
	default:
		return PARSE_BAD;
	}
}

/* ----- what the application says ----- */

static enum parse end_request(struct cur *c, struct msg *out)
{
	static const struct str why[] = { STR(""), STR("CANT_MPX_CONN"), STR("OVERLOADED"),
		                          STR("UNKNOWN_ROLE") };
	uint8_t refused;

	cur_be32(c); /* exit status of the application: HTTP has its own */
	refused = cur_u8(c);
	cur_take(c, 3);
	if (c->over)
		return PARSE_MORE;
	if (refused > 3)
		return PARSE_BAD;
	out->kind = MSG_RESP;
	if (refused) {
		out->status = out->error_type = why[refused];
		out->error = out->server_error = true;
	}
	return PARSE_OK;
}

static enum parse complaint(struct cur body, const struct record *r, bool full, struct msg *out)
{
	uint32_t n = r->length < ERROR_BYTES ? r->length : ERROR_BYTES;

	if (cur_left(&body) < n && !full)
		return PARSE_MORE;
	if (n)
		msg_attr(out, ATTR_ERROR_MESSAGE, cur_rest(&body, n));
	return PARSE_OK;
}

/* The first STDOUT of an answer is waited for up to the blank line behind its fields. */
static enum parse output(struct fastcgi *s, struct cur *c, const struct record *r, bool full,
                         struct msg *out)
{
	uint64_t bit = 1ull << r->id % IDS, total = r->length + r->padding;
	struct cur body = *c;
	bool whole;

	out->kind = MSG_INTERIM;
	out->flags |= MSG_F_BODY;
	out->skip = total;
	if (r->type == STDERR)
		return complaint(body, r, full, out);
	if (s->answered & bit || !r->length)
		return PARSE_OK;
	whole = cur_left(&body) >= r->length;
	if (whole)
		body.end = body.p + r->length;
	if (!whole && !full && !memmem(body.p, cur_left(&body), "\n\r\n", 3) &&
	    !memmem(body.p, cur_left(&body), "\n\n", 2))
		return PARSE_MORE;
	(void)cgi_fill_answer(body, out, NULL); /* behind lost bytes it begins inside a body */
	s->answered |= bit;
	return PARSE_OK;
}

static enum parse answer(struct fastcgi *s, struct cur *c, bool full, struct msg *out)
{
	struct record r;

	if (!take_head(c, &r) || c->over)
		return c->over ? PARSE_MORE : PARSE_BAD;
	out->id = r.id;
	switch (r.type) {
	case STDOUT:
	case STDERR:
		return output(s, c, &r, full, out);
	case END_REQUEST:
		return r.length == END_BODY && !r.padding ? end_request(c, out) : PARSE_BAD;
	case GET_VALUES_RESULT:
	case UNKNOWN_TYPE:
		out->kind = r.type == UNKNOWN_TYPE ? MSG_NONE : MSG_RESP;
		out->skip = r.length + r.padding;
		return PARSE_OK;
	default:
		return PARSE_BAD;
	}
}

static enum parse fastcgi_parse(void *state, enum dir dir, struct cur *in, struct msg *out)
{
	struct fastcgi *s = state, was = *s;
	struct msg m = MSG_INIT;
	struct cur c = *in;
	bool full = cur_left(in) >= PROTO_HEAD || in->cut;
	enum parse r;

	if (!cur_left(in))
		return in->cut ? PARSE_BAD : PARSE_MORE;
	if (cur_left(in) > PROTO_HEAD)
		c.end = c.p + PROTO_HEAD;
	r = dir == DIR_REQ ? request(s, &c, full, &m) : answer(s, &c, full, &m);
	if (r != PARSE_OK) {
		*s = was;
		return r == PARSE_MORE && full ? PARSE_BAD : r;
	}
	*out = m;
	in->p = c.p;
	return PARSE_OK;
}

/* ----- detection, and the place after lost bytes ----- */

static bool begins(struct cur c)
{
	struct record r;
	uint16_t role;
	uint8_t flags;

	if (!take_head(&c, &r) || r.type != BEGIN_REQUEST || r.length != BEGIN_BODY || r.padding)
		return false;
	role = cur_be16(&c);
	flags = cur_u8(&c);
	return role >= 1 && role <= 3 && flags <= 1 && !cur_be(&c, 5) && !c.over;
}

static enum sure fastcgi_detect(const struct first *f)
{
	static const uint8_t start[] = { VERSION, BEGIN_REQUEST };
	size_t n = cur_left(&f->req), m = cur_left(&f->resp);

	if (m >= HEAD && !is_head(f->resp, DIR_RESP))
		return SURE_NO;
	if (n >= HEAD + BEGIN_BODY)
		return begins(f->req) ? SURE_YES : SURE_NO;
	return memcmp(f->req.p ? f->req.p : start, start, n < 2 ? n : 2) != 0 ? SURE_NO
	                                                                      : SURE_MAYBE;
}

static const uint8_t *fastcgi_resync(void *state, enum dir dir, struct cur in)
{
	struct fastcgi *s = state;

	if (dir == DIR_RESP)
		s->answered = 0;
	for (; cur_left(&in) >= HEAD; in.p++)
		if (dir == DIR_REQ ? begins(in) : is_head(in, dir))
			return in.p;
	return NULL;
}

static const struct proto_op ops[] = {
	{ "BEGIN_REQUEST", OP_PARSED }, { "PARAMS", OP_PARSED },
	{ "STDIN", OP_PARSED },         { "STDOUT", OP_PARSED },
	{ "STDERR", OP_PARSED },        { "END_REQUEST", OP_PARSED },
	{ "ABORT_REQUEST", OP_NAMED },  { "DATA", OP_NAMED },
	{ "GET_VALUES", OP_NAMED },     { "GET_VALUES_RESULT", OP_NAMED },
	{ "UNKNOWN_TYPE", OP_NAMED },   { NULL, OP_UNKNOWN },
};

const struct proto proto_fastcgi = {
	.name = "fastcgi",
	.title = "FastCGI 1.0",
	.family = FAMILY_HTTP,
	.limits = "bodies are not read; a variable torn by the border of two records is left out",
	.ops = ops,
	/* version 1, BEGIN_REQUEST, any id, eight bytes without padding */
	.rules = { { .len = 7,
	             .value = { VERSION, BEGIN_REQUEST, 0, 0, 0, BEGIN_BODY, 0 },
	             .mask = { 255, 255, 0, 0, 255, 255, 255 } } },
	.ports = { 9000 },
	.state_size = sizeof(struct fastcgi),
	.detect = fastcgi_detect,
	.parse = fastcgi_parse,
	.resync = fastcgi_resync,
};
