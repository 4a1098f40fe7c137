// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * http1 - HTTP/1.0 and 1.1 (RFC 9110, 9112).
 *
 * A head becomes a message as soon as it is whole; bodies are left by msg.skip,
 * chunk by chunk. Where a body ends depends on the request (HEAD, CONNECT), so the
 * state keeps what kind each request was that has no answer yet, in order.
 *
 * Where the head makes it likely that another language is spoken over HTTP (level.h),
 * the message waits for the first bytes of the body; they are looked at and left.
 *
 * A head longer than PROTO_HEAD is answered with what stands in its first part.
 * The rest is read field by field and dropped, because the length of the body may
 * still come; this takes no memory however long it gets.
 *
 * A body announced with "Expect: 100-continue" may never be sent: what follows
 * such a head is its body unless the final answer has been seen and it begins
 * like a request.
 */
#include "proto/http1.h"
#include "proto/level.h"

enum { H2C_STREAM = 1 };

/* ----- heads ----- */

/* Everything up to the blank line; false where it is not there yet. */
static bool fields(struct http1_head *d, struct cur *c)
{
	int r;

	while ((r = http1_field(d, c)) > 0)
		;
	return r == 0;
}

static enum asked asked_by(struct str method)
{
	return str_is(method, "HEAD")      ? ASKED_HEAD
	       : str_is(method, "CONNECT") ? ASKED_CONNECT
	                                   : ASKED_OTHER;
}

static void emit_request(struct http1 *h, const struct http1_head *d, struct str body,
                         struct msg *out)
{
	enum asked kind;

	out->kind = MSG_REQ;
	http1_fill_request(d, out);
	out->id = d->frame.flags & FRAME_H2C ? H2C_STREAM : 0;
	level_head(d, out);
	level_body(level_hints(d), body, out);
	kind = asked_by(d->method);
	if (kind == ASKED_OTHER && level_errors(out))
		kind = level_errors(out) == LEVEL_ANY ? ASKED_ERRORS : ASKED_FAILURE;
	http1_push(&h->queue, kind);
}

/* The message of a head of which *d is what could be read; of the body, what is of interest. */
static void emit_head(struct http1 *h, enum dir dir, const struct http1_head *d, struct str body,
                      struct msg *out)
{
	struct side *s = &h->side[dir];

	*out = MSG_INIT;
	*s = (struct side){ .frame = d->frame, .code = (uint16_t)d->code };
	if (dir == DIR_REQ) {
		emit_request(h, d, body, out);
		return;
	}
	http1_fill_answer(d, out);
	level_answer(d->code, body, out);
}

/*
 * A head without its end. Where it is too long its fields go on in the next
 * bytes; where no byte follows, the stream looks for the next start itself.
 */
static void cut_head(struct http1 *h, enum dir dir, bool too_long, struct msg *out)
{
	struct side *s = &h->side[dir];

	if (too_long) {
		out->kind = dir == DIR_REQ ? MSG_REQ : MSG_INTERIM;
		out->flags = dir == DIR_REQ ? 0 : MSG_F_BODY;
		s->mode = AT_FIELD;
	} else if (dir == DIR_RESP) {
		http1_answer_body(h, s, out);
		out->kind = s->code < 200 && s->code != 101 ? MSG_INTERIM : MSG_RESP;
		out->flags = 0;
		out->skip = 0;
		s->mode = AT_START;
	}
	out->flags |= MSG_F_CUT;
}

/* The start line; PARSE_OK with c->over where only its first part will be seen. */
static enum parse read_start(struct http1_head *d, enum dir dir, struct cur *c, bool more)
{
	struct cur rest = *c;
	struct str line = cur_line(c);

	if (!c->over)
		return http1_line(d, dir, line) ? PARSE_OK : PARSE_BAD;
	line = cur_rest(&rest, PROTO_HEAD);
	if (!http1_begins(dir, line))
		return PARSE_BAD;
	if (more)
		return PARSE_MORE;
	return http1_line_cut(d, dir, line) ? PARSE_OK : PARSE_BAD;
}

static enum parse parse_head(struct http1 *h, enum dir dir, struct cur *in, bool full,
                             struct msg *out)
{
	struct http1_head d = { .code = 0 };
	struct side *s = &h->side[dir];
	bool more = !full && !in->cut, whole;
	struct str body = STR_NULL;
	struct cur c = *in;
	enum parse r;

	http1_skip_blank_lines(&c);
	if (in->cut && !cur_left(&c)) {
		*out = MSG_INIT;
		in->p = c.end;
		return PARSE_OK;
	}
	r = read_start(&d, dir, &c, more);
	if (r != PARSE_OK)
		return r;
	whole = !c.over && fields(&d, &c);
	if (!whole && more)
		return PARSE_MORE;
	if (whole && !http1_peek(h, dir, &d, c, more, &body))
		return PARSE_MORE;
	emit_head(h, dir, &d, body, out);
	if (!whole)
		cut_head(h, dir, full, out);
	else if (dir == DIR_REQ)
		http1_request_body(s, out);
	else
		http1_answer_body(h, s, out);
	s->in_line = full && c.over;
	in->p = !whole && (c.over || !full) ? c.end : c.p;
	return PARSE_OK;
}

/*
 * Whether what follows a head that expected "100 Continue" is the next request:
 * SURE_MAYBE while too little of it is there.
 */
static enum sure refused_body(const struct http1 *h, struct cur in)
{
	const struct side *s = &h->side[DIR_REQ];
	struct str word = cur_rest(&in, sizeof("OPTIONS ") - 1);
	const char *sp = memchr(word.s, ' ', word.len);

	if (!(s->frame.flags & FRAME_EXPECT) || (s->mode != AT_SIZE && s->mode != AT_EXPECTED) ||
	    http1_asked(&h->queue))
		return SURE_NO;
	if (sp)
		return http1_known_method(str_head(word, (size_t)(sp - word.s))) ? SURE_YES
		                                                                 : SURE_NO;
	return !in.cut && word.len < sizeof("OPTIONS ") - 1 && http1_begins(DIR_REQ, word)
	               ? SURE_MAYBE
	               : SURE_NO;
}

static enum parse http1_parse(void *state, enum dir dir, struct cur *in, struct msg *out)
{
	struct http1 *h = state;
	struct side *s = &h->side[dir];
	bool full = cur_left(in) >= PROTO_HEAD;
	struct cur c = *in;
	enum sure refused;
	enum parse r;

	if (!cur_left(in))
		return PARSE_MORE;
	if (full)
		c.end = c.p + PROTO_HEAD;
	c.cut = in->cut && c.end == in->end;
	refused = dir == DIR_REQ ? refused_body(h, c) : SURE_NO;
	if (refused == SURE_MAYBE)
		return PARSE_MORE;
	/* a frame of WebSocket may be heard of before the answer that allows it */
	if (s->frame.flags & FRAME_WEBSOCKET && http1_asked(&h->queue) && *c.p & 0x80 && !full &&
	    !c.cut)
		return PARSE_MORE;
	if (s->mode == AT_START || refused == SURE_YES)
		r = parse_head(h, dir, &c, full, out);
	else
		r = http1_parse_part(h, dir, &c, full, out);
	if (r == PARSE_OK) {
		in->p = c.p;
		out->body = out->skip;
	}
	return r;
}

/* ----- detection and resynchronisation ----- */

static enum sure http1_detect(const struct first *f)
{
	enum sure req = http1_sure(DIR_REQ, f->req), resp = http1_sure(DIR_RESP, f->resp);

	/* joined in the middle, one side may begin inside a body */
	if (f->from_start && (req == SURE_NO || resp == SURE_NO))
		return SURE_NO;
	if (req == SURE_YES || resp == SURE_YES)
		return SURE_YES;
	return req == SURE_NO || resp == SURE_NO ? SURE_NO : SURE_MAYBE;
}

/* The last chunk, where nothing or the next answer follows it. */
static const uint8_t *last_chunk(struct cur in)
{
	static const char end[] = "\r\n0\r\n\r\n";
	enum { LEN = sizeof(end) - 1 };
	const uint8_t *p = memmem(in.p, cur_left(&in), end, LEN);

	while (p) {
		struct cur rest = { .p = p + LEN, .end = in.end };

		if (!cur_left(&rest) || http1_begins(DIR_RESP, cur_rest(&rest, PROTO_HEAD)))
			return p;
		p = memmem(p + 1, (size_t)(in.end - p - 1), end, LEN);
	}
	return NULL;
}

static const uint8_t *http1_resync(void *state, enum dir dir, struct cur in)
{
	struct http1 *h = state;
	struct side *s = &h->side[dir];
	bool chunks = s->mode == AT_NEXT || s->mode == AT_SIZE || s->mode == AT_EVENTS;
	const uint8_t *end = chunks ? last_chunk(in) : NULL, *nl;

	h->events.lost |= s->mode == AT_EVENTS || s->frame.flags & FRAME_EVENTS;
	if (s->mode == AT_EVENTS && h->left == UINT64_MAX)
		return in.p;
	if (end) {
		s->mode = AT_NEXT;
		return end;
	}
	while (cur_left(&in) && !http1_starts(dir, in)) {
		nl = memchr(in.p, '\n', cur_left(&in));
		in.p = nl ? nl + 1 : in.end;
	}
	if (!cur_left(&in))
		return NULL;
	*s = (struct side){ .mode = AT_START };
	http1_keep_newest(&h->queue);
	return in.p;
}

static const struct proto_op ops[] = {
	{ "GET", OP_PARSED },
	{ "HEAD", OP_PARSED },
	{ "POST", OP_PARSED },
	{ "PUT", OP_PARSED },
	{ "DELETE", OP_PARSED },
	{ "PATCH", OP_PARSED },
	{ "OPTIONS", OP_PARSED },
	{ "TRACE", OP_PARSED },
	{ "CONNECT", OP_PARSED },
	{ "QUERY", OP_PARSED },
	{ "text/event-stream", OP_PARSED },
	{ "extension methods (PROPFIND, ...)", OP_NAMED },
	{ "HTTP/0.9", OP_UNKNOWN },
	{ NULL, OP_UNKNOWN },
};

#define BEGINS(text)                                                     \
	{                                                                \
		.len = sizeof(text) - 1, .value = text, .mask = ALL_ONES \
	}
#define ALL_ONES                                               \
	{                                                      \
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff \
	}

const struct proto proto_http1 = {
	.name = "http",
	.title = "HTTP/1.0 and 1.1 (RFC 9110, 9112)",
	.limits = "bodies are kept with --body, not decoded; of streams of events the events are "
		  "counted; HTTP/0.9 is not known",
	.ops = ops,
	.rules = { BEGINS("GET "), BEGINS("POST "), BEGINS("PUT "), BEGINS("HEAD "),
	           BEGINS("DELETE "), BEGINS("PATCH "), BEGINS("OPTIONS "), BEGINS("TRACE "),
	           BEGINS("CONNECT "), BEGINS("QUERY "), BEGINS("PROPFIND"), BEGINS("HTTP/1.") },
	.ports = { 80, 8080, 8000, 3000 },
	.family = FAMILY_HTTP,
	.state_size = sizeof(struct http1),
	.in_order = true,
	.detect = http1_detect,
	.parse = http1_parse,
	.resync = http1_resync,
	.finish = http1_finish,
};
