// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * http2_data - DATA frames: how long they are, and where the messages of gRPC
 * begin inside.
 *
 * Contents pass by unparsed. Of a call only the five bytes before each message are
 * read (compressed or not, length), wherever the frames happen to cut them; for
 * gRPC-Web also the last message, whose contents are the trailers.
 */
#include "proto/http2.h"

#include "proto/level.h"

enum { PREFIX = 5, WEB_TRAILER = 0x80, TRAILER_MOST = 4096 };

/* Whether the body has messages that can be followed. */
static bool has_messages(const struct http2_stream *s, enum dir dir)
{
	return s && s->kind != GRPC_NO && s->kind != GRPC_WEB_TEXT && !s->lost[dir];
}

/* The answer is complete with this frame. */
static void end_answer(struct http2 *h, struct http2_stream *s, struct msg *out)
{
	out->kind = MSG_RESP;
	if (!s)
		return;
	if (s->kind == GRPC_MAYBE) {
		http2_fill_code(h, s, out); /* a call ends with trailers */
	} else if (s->kind != GRPC_NO) {
		out->proto = PROTO_GRPC;
		http2_fill_messages(s, out);
		if (s->web_status >= 0)
			grpc_fill_status((uint32_t)s->web_status, out);
		else if (s->kind != GRPC_PLAIN || s->unknown)
			out->flags |= MSG_F_NOSTATUS;
		else
			grpc_fill_status(grpc_from_http(s->code), out);
	}
	http2_remove(h, s);
}

/* What a frame, or a part of it, is to the request or answer it belongs to. */
static void emit(struct http2 *h, enum dir dir, struct http2_stream *s, struct msg *out)
{
	struct http2_part *d = &h->side[dir].part;
	bool last = d->mode == HTTP2_AT_FRAME && d->flags & HTTP2_END_STREAM;

	out->id = d->stream;
	out->kind = MSG_NONE;
	if (dir == DIR_REQ || d->stream % 2 == 0)
		return;
	out->kind = MSG_INTERIM;
	if (!s)
		out->flags |= MSG_F_ORPHAN;
	if (last)
		end_answer(h, s, out);
}

/* A gRPC-Web trailer that is all there; PARSE_MORE where it will be, PARSE_BAD where not. */
static enum parse web_trailer(struct http2_stream *s, enum dir dir, uint32_t *left, struct cur *c)
{
	struct str message = STR_NULL, text;
	uint32_t n = s->left[dir];

	if (n > *left || n > TRAILER_MOST)
		return PARSE_BAD;
	text = cur_str(c, n);
	if (c->over)
		return PARSE_MORE;
	s->web_status = (int8_t)grpc_web_status(text, &message);
	s->left[dir] = 0;
	*left -= n;
	return PARSE_OK;
}

/* Takes the prefix of a message, or what this frame has of it. */
static enum parse prefix(struct http2_stream *s, enum dir dir, uint32_t *left, struct cur *c)
{
	uint32_t n = PREFIX - s->have[dir], lowest = s->kind == GRPC_WEB ? WEB_TRAILER : 0;
	const uint8_t *p;

	if (n > *left)
		n = *left;
	p = cur_take(c, n);
	if (!p)
		return PARSE_MORE;
	memcpy(s->prefix[dir] + s->have[dir], p, n);
	s->have[dir] = (uint8_t)(s->have[dir] + n);
	*left -= n;
	if (s->have[dir] < PREFIX)
		return PARSE_OK;
	s->have[dir] = 0;
	if (s->prefix[dir][0] & ~(lowest | 1)) {
		s->lost[dir] = true;
		return PARSE_OK;
	}
	p = s->prefix[dir];
	s->left[dir] = (uint32_t)p[1] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 8 | p[4];
	if (*p & WEB_TRAILER)
		return web_trailer(s, dir, left, c) == PARSE_MORE ? PARSE_MORE : PARSE_OK;
	s->messages[dir]++;
	return PARSE_OK;
}

enum parse http2_more_data(struct http2 *h, enum dir dir, struct cur *c, struct msg *out)
{
	struct http2_part *d = &h->side[dir].part;
	struct http2_stream *s = http2_find(h, d->stream), was;
	bool inside = d->mode == HTTP2_IN_DATA;
	const uint8_t *start = c->p;
	uint32_t left = d->left, n = left;

	if (has_messages(s, dir)) {
		was = *s;
		if (!was.left[dir] && left && prefix(&was, dir, &left, c) != PARSE_OK)
			return PARSE_MORE;
		*s = was;
		n = s->lost[dir] || s->left[dir] > left ? left : s->left[dir];
		s->left[dir] -= s->lost[dir] ? s->left[dir] : n;
	}
	/* the stream has ended meanwhile: nothing is read, but one byte has to be taken */
	if (inside && c->p == start && cur_take(c, 1))
		left--, n--;
	d->left = left - n;
	d->mode = d->left ? HTTP2_IN_DATA : HTTP2_AT_FRAME;
	*out = MSG_INIT;
	out->skip = n + (d->left ? 0 : d->pad);
	out->body = s && s->kind == GRPC_NO ? n : 0;
	emit(h, dir, s, out);
	return PARSE_OK;
}

/* The first bytes of a body where they tell what is spoken; false: they have yet to come. */
static bool peek(struct http2_stream *s, enum dir dir, uint32_t left, struct cur c,
                 struct str *body)
{
	uint32_t want = left < LEVEL_BODY ? left : LEVEL_BODY;

	if (!s || !left || (s->lost[dir] && s->kind != GRPC_MAYBE) ||
	    !(dir == DIR_REQ ? s->hints : s->errors))
		return true;
	if (cur_left(&c) < want && !c.cut)
		return false;
	*body = cur_rest(&c, want);
	return true;
}

static void fill_level(struct http2 *h, enum dir dir, uint32_t id, unsigned int hints, int32_t code,
                       struct str body, struct msg *out)
{
	struct http2_stream *s = http2_find(h, id);

	if (dir == DIR_REQ)
		level_body(hints, body, out);
	else
		level_answer(code, body, out);
	if (s && dir == DIR_REQ) {
		s->hints = 0;
		if (out->level)
			s->errors = (uint8_t)level_errors(out);
	} else if (s) {
		s->told |= out->error_type.len > 0;
		s->errors = LEVEL_NONE;
	}
}

enum parse http2_data(struct http2 *h, enum dir dir, const struct http2_frame *f, struct cur *c,
                      struct msg *out)
{
	struct http2_part *d = &h->side[dir].part;
	uint32_t before = f->flags & HTTP2_PADDED ? 1 : 0;
	uint32_t pad = before ? cur_u8(c) : 0;
	struct http2_part was = *d;
	struct http2_stream *s = http2_find(h, f->stream);
	unsigned int hints = s ? s->hints : 0;
	int32_t code = s ? s->code : 0;
	struct str body = STR_NULL;
	enum parse r;

	if (c->over)
		return PARSE_MORE;
	if (f->len < before + pad)
		return PARSE_BAD;
	if (!peek(s, dir, f->len - before - pad, *c, &body))
		return PARSE_MORE;
	*d = (struct http2_part){
		.stream = f->stream, .left = f->len - before - pad, .pad = pad, .flags = f->flags
	};
	r = http2_more_data(h, dir, c, out);
	if (r != PARSE_OK)
		*d = was;
	else if (f->len > before + pad)
		fill_level(h, dir, f->stream, hints, code, body, out);
	return r;
}
