// SPDX-License-Identifier: GPL-3.0-or-later
/* http1_body - where the bodies of HTTP/1 end (RFC 9112, 6 and 7). */
#include "proto/http1.h"
#include "proto/level.h"

/* ----- where bodies end ----- */

static void until_close(struct msg *out)
{
	out->flags |= MSG_F_CLOSES;
	out->skip = UINT64_MAX;
}

void http1_request_body(struct side *s, struct msg *out)
{
	const struct http1_frame *f = &s->frame;

	if (f->flags & FRAME_CHUNKED)
		s->mode = AT_SIZE;
	else if (f->flags & (FRAME_CODED | FRAME_DOUBT))
		until_close(out); /* the server refuses it and closes */
	else if (f->length && f->flags & FRAME_EXPECT)
		s->mode = AT_EXPECTED;
	else
		out->skip = f->length;
}

/* RFC 9112 6.3 */
void http1_answer_body(struct http1 *h, struct side *s, struct msg *out)
{
	const struct http1_frame *f = &s->frame;
	enum asked kind;

	out->kind = MSG_INTERIM;
	if (s->code < 200 && s->code != 101)
		return;
	kind = http1_pop(&h->queue);
	h->events = (struct http1_sse){ .events = 0 };
	if (s->code == 101 && f->flags & FRAME_H2C) {
		out->next = PROTO_HTTP2; /* which answers on stream 1 */
		out->nattrs = 0;
		out->lines = STR_NULL;
		return;
	}
	if (s->code == 101 && f->flags & FRAME_WEBSOCKET) {
		out->next = out->proto = PROTO_WEBSOCKET; /* the request lasts until it is closed */
		return;
	}
	out->kind = MSG_RESP;
	if (s->code == 101 || (kind == ASKED_CONNECT && s->code < 300)) {
		out->next = PROTO_NEXT_DETECT;
		return;
	}
	if (kind == ASKED_HEAD || s->code == 204 || s->code == 304)
		return;
	if (f->flags & FRAME_CHUNKED) {
		out->kind = MSG_INTERIM;
		s->mode = AT_SIZE;
	} else if (f->flags & FRAME_EVENTS && !(f->flags & ~(FRAME_EVENTS | FRAME_WEBSOCKET))) {
		out->kind = MSG_INTERIM;
		s->mode = AT_EVENTS;
		h->left = UINT64_MAX;
	} else if (f->flags & (FRAME_CODED | FRAME_DOUBT) || !(f->flags & FRAME_LENGTH)) {
		until_close(out);
	} else {
		out->skip = f->length;
		http1_fill_size(f, ATTR_HTTP_RESPONSE_BODY_SIZE, out);
	}
	if (out->skip || out->kind == MSG_INTERIM)
		out->flags |= MSG_F_BODY;
}

/* ----- what is spoken over HTTP ----- */

static bool is_of_interest(const struct http1 *h, enum dir dir, const struct http1_head *d)
{
	enum asked kind = http1_front(&h->queue);

	if (d->frame.flags & (FRAME_DOUBT | FRAME_EXPECT))
		return false;
	if (dir == DIR_REQ)
		return level_hints(d);
	return level_reads(kind == ASKED_ERRORS    ? LEVEL_ANY
	                   : kind == ASKED_FAILURE ? LEVEL_FAILED
	                                           : LEVEL_NONE,
	                   d->code, d->type);
}

bool http1_peek(const struct http1 *h, enum dir dir, const struct http1_head *d, struct cur c,
                bool more, struct str *body)
{
	uint64_t size = d->frame.length, want;

	if (!is_of_interest(h, dir, d))
		return true;
	if (d->frame.flags & FRAME_CHUNKED) {
		struct str line = cur_line(&c);

		if (c.over)
			return !more;
		if (!http1_chunk_size(line, &size))
			return true;
	} else if (d->frame.flags & FRAME_CODED) {
		return true;
	}
	want = size < LEVEL_BODY ? size : LEVEL_BODY;
	if (more && cur_left(&c) < want)
		return false;
	*body = cur_rest(&c, (size_t)want);
	return true;
}

/* ----- parts ----- */

/* The rest of a line that did not fit; the line end belongs to it. */
static enum parse parse_long_line(struct side *s, struct cur *in, bool full, struct msg *out)
{
	const uint8_t *nl = memchr(in->p, '\n', cur_left(in));

	if (!nl && !full)
		return in->cut ? PARSE_BAD : PARSE_MORE;
	*out = MSG_INIT;
	s->in_line = !nl;
	in->p = nl ? nl + 1 : in->end;
	return PARSE_OK;
}

static void fill_events(const struct http1 *h, struct msg *out)
{
	if (h->side[DIR_RESP].frame.flags & FRAME_EVENTS && !h->events.lost)
		msg_attr_num(out, ATTR_SSE_EVENTS, h->events.events);
}

static void end_of_chunks(struct http1 *h, enum dir dir, struct msg *out)
{
	if (dir == DIR_REQ)
		return;
	out->kind = MSG_RESP;
	fill_events(h, out);
}

/* A chunked body is complete, or the head that was too long. */
static void end_of_fields(struct http1 *h, enum dir dir, struct msg *out)
{
	struct side *s = &h->side[dir];
	bool trailer = s->mode == AT_TRAILER;

	s->mode = AT_START;
	if (trailer)
		end_of_chunks(h, dir, out);
	else if (dir == DIR_RESP)
		http1_answer_body(h, s, out);
	else
		http1_request_body(s, out);
}

static enum parse parse_field(struct http1 *h, enum dir dir, struct cur *in, bool full,
                              struct msg *out)
{
	struct side *s = &h->side[dir];
	struct http1_head d = { .frame = s->frame };
	struct cur c = *in;
	int r;

	if (s->in_line)
		return parse_long_line(s, in, full, out);
	r = http1_field(&d, &c);
	if (r < 0 && !full)
		return in->cut ? PARSE_BAD : PARSE_MORE;
	*out = MSG_INIT;
	if (r < 0) {
		s->in_line = true;
		c.p = c.end;
	} else if (s->mode == AT_FIELD) {
		s->frame = d.frame;
	}
	if (!r)
		end_of_fields(h, dir, out);
	in->p = c.p;
	return PARSE_OK;
}

static enum parse parse_chunk(struct http1 *h, enum dir dir, struct cur *in, bool full,
                              struct msg *out)
{
	struct side *s = &h->side[dir];
	struct cur c = *in;
	struct str line;
	uint64_t size;

	if (s->mode == AT_NEXT) {
		if (*c.p == '\r')
			c.p++;
		if (cur_left(&c) && *c.p++ != '\n')
			return PARSE_BAD;
	}
	if (cur_left(&c)) {
		struct cur rest = c;

		if (!http1_chunk_size(cur_rest(&rest, PROTO_HEAD), &size))
			return PARSE_BAD;
	}
	line = cur_line(&c);
	if (c.over && in->cut && dir == DIR_RESP && s->frame.flags & FRAME_EVENTS) {
		*out = MSG_INIT; /* the client has left it */
		in->p = in->end;
		return PARSE_OK;
	}
	if (c.over)
		return full || in->cut ? PARSE_BAD : PARSE_MORE;
	if (!http1_chunk_size(line, &size))
		return PARSE_BAD;
	*out = MSG_INIT;
	s->mode = size ? AT_NEXT : AT_TRAILER;
	if (size && dir == DIR_RESP && s->frame.flags & FRAME_EVENTS) {
		s->mode = AT_EVENTS;
		h->left = size;
	} else {
		out->skip = size;
	}
	s->frame.flags &= (uint8_t)~FRAME_EXPECT;
	in->p = c.p;
	return PARSE_OK;
}

/* The first event is taken by itself, for its time; then what there is. */
static enum parse parse_events(struct http1 *h, struct cur *in, bool full, struct msg *out)
{
	size_t n = cur_left(in) < h->left ? cur_left(in) : (size_t)h->left, took;
	struct http1_sse s = h->events;
	bool first;

	took = http1_count_events(&s, in->p, n);
	first = !h->events.events && s.events;
	if (!s.events && n < h->left && !full && !in->cut)
		return PARSE_MORE;
	*out = MSG_INIT;
	out->flags = first && !s.lost ? MSG_F_FIRST : MSG_F_RUN;
	h->events = s;
	if (h->left != UINT64_MAX)
		h->left -= took;
	if (!h->left)
		h->side[DIR_RESP].mode = AT_NEXT;
	out->content = cur_str(in, took);
	return PARSE_OK;
}

/*
 * A stream of events without a length ends with the connection. One in chunks is left by
 * many a client when the event has come that it waited for: that is an answer too, where
 * no event is under way.
 */
static bool is_left(const struct http1 *h)
{
	const struct side *s = &h->side[DIR_RESP];

	if (s->mode == AT_EVENTS && h->left == UINT64_MAX)
		return true;
	return h->events.events && !h->events.lost && !h->events.data && !h->events.match &&
	       (s->mode == AT_EVENTS || s->mode == AT_SIZE || s->mode == AT_NEXT);
}

bool http1_finish(void *state, bool over, struct msg *out)
{
	struct http1 *h = state;
	const struct side *s = &h->side[DIR_RESP];

	if (s->mode == AT_START || !(s->frame.flags & FRAME_EVENTS))
		return false;
	*out = MSG_INIT;
	out->kind = over && is_left(h) ? MSG_RESP : MSG_INTERIM;
	fill_events(h, out);
	return true;
}

static enum parse parse_expected(struct side *s, struct cur *in, struct msg *out)
{
	*out = MSG_INIT;
	out->content = cur_str(in, 1);
	out->skip = s->frame.length - 1;
	s->mode = AT_START;
	return PARSE_OK;
}

enum parse http1_parse_part(struct http1 *h, enum dir dir, struct cur *in, bool full,
                            struct msg *out)
{
	struct side *s = &h->side[dir];

	switch (s->mode) {
	case AT_FIELD:
	case AT_TRAILER:
		return parse_field(h, dir, in, full, out);
	case AT_EVENTS:
		return parse_events(h, in, full, out);
	case AT_EXPECTED:
		return parse_expected(s, in, out);
	default:
		return parse_chunk(h, dir, in, full, out);
	}
}
