// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * http2 - HTTP/2 in clear text (RFC 9113), and what gRPC needs of it.
 *
 * Every frame is a message that names its stream; requests and answers are
 * paired by it. An answer ends with END_STREAM, be it on HEADERS (trailers
 * included) or DATA, or with RST_STREAM from either side. Times, sizes and
 * states are the stream's own, many streams may be open at once.
 *
 * Streams that are open are remembered, HTTP2_STREAMS of them. One that has to
 * make room is still paired; only what needs memory is lost for it: how many
 * messages a call had, and that it was one where only its request said so.
 */
#include "proto/http2.h"

/* ----- streams ----- */

struct http2_stream *http2_find(struct http2 *h, uint32_t id)
{
	for (uint32_t i = h->nstreams; i-- > 0;)
		if (h->streams[i].id == id)
			return &h->streams[i];
	return NULL;
}

void http2_remove(struct http2 *h, struct http2_stream *s)
{
	*s = h->streams[--h->nstreams];
}

static struct http2_stream *oldest(struct http2 *h)
{
	struct http2_stream *s = h->streams;

	for (uint32_t i = 1; i < h->nstreams; i++)
		if (h->streams[i].id < s->id)
			s = &h->streams[i];
	return s;
}

struct http2_stream *http2_add(struct http2 *h, uint32_t id)
{
	struct http2_stream *s;

	if (h->nstreams == HTTP2_STREAMS) {
		h->beyond++;
		http2_remove(h, oldest(h));
	}
	s = &h->streams[h->nstreams++];
	*s = (struct http2_stream){ .id = id, .web_status = -1 };
	return s;
}

void http2_fill_code(struct http2 *h, const struct http2_stream *s, struct msg *out)
{
	if (!s->code) {
		out->flags |= MSG_F_NOSTATUS;
		return;
	}
	for (int i = 2, code = s->code; i >= 0; i--, code /= 10)
		h->text[i] = (char)('0' + code % 10);
	out->status = (struct str){ h->text, 3 };
	out->code = s->code;
	out->error = s->code >= 400;
	out->server_error = s->code >= 500;
	if (out->error && !s->told)
		out->error_type = out->status;
	msg_attr_num(out, ATTR_HTTP_STATUS, s->code);
}

void http2_fill_messages(const struct http2_stream *s, struct msg *out)
{
	if (s->kind != GRPC_PLAIN && s->kind != GRPC_WEB)
		return;
	if (!s->lost[DIR_REQ])
		msg_attr_num(out, ATTR_RPC_REQUESTS, s->messages[DIR_REQ]);
	if (!s->lost[DIR_RESP])
		msg_attr_num(out, ATTR_RPC_ANSWERS, s->messages[DIR_RESP]);
}

/* ----- frames that are no part of a message ----- */

static struct str error_name(uint32_t code)
{
	static const char *const names[] = {
		"NO_ERROR",
		"PROTOCOL_ERROR",
		"INTERNAL_ERROR",
		"FLOW_CONTROL_ERROR",
		"SETTINGS_TIMEOUT",
		"STREAM_CLOSED",
		"FRAME_SIZE_ERROR",
		"REFUSED_STREAM",
		"CANCEL",
		"COMPRESSION_ERROR",
		"CONNECT_ERROR",
		"ENHANCE_YOUR_CALM",
		"INADEQUATE_SECURITY",
		"HTTP_1_1_REQUIRED",
	};

	return code < sizeof(names) / sizeof(*names) ? str_of(names[code]) : STR("_OTHER");
}

enum { RESET_NO_ERROR = 0x0, RESET_CANCEL = 0x8 };

/*
 * Either side ends a stream. A client that has lost interest is no error of HTTP,
 * but gRPC has a status for it.
 */
static enum parse reset(struct http2 *h, enum dir dir, const struct http2_frame *f, struct cur *c,
                        struct msg *out)
{
	struct http2_stream *s = http2_find(h, f->stream);
	uint32_t code = cur_be32(c);

	if (c->over)
		return PARSE_MORE;
	*out = MSG_INIT;
	out->id = f->stream;
	if (f->stream % 2 == 0 || (!s && f->stream > h->last))
		return PARSE_OK;
	out->kind = MSG_RESP;
	if (!s)
		out->flags |= MSG_F_ORPHAN;
	if (dir == DIR_REQ)
		out->flags |= MSG_F_GIVEUP;
	msg_attr(out, ATTR_HTTP2_RESET, error_name(code));
	if (s && s->kind != GRPC_NO && s->kind != GRPC_MAYBE) {
		out->proto = PROTO_GRPC;
		grpc_fill_status(grpc_from_reset(code), out);
		http2_fill_messages(s, out);
	} else if (dir == DIR_RESP || (code != RESET_NO_ERROR && code != RESET_CANCEL)) {
		out->error = true;
		out->server_error = dir == DIR_RESP;
		out->error_type = error_name(code);
	}
	if (s)
		http2_remove(h, s);
	return PARSE_OK;
}

/* The server takes no stream beyond the one it names: what was asked there, it has not seen. */
static enum parse goaway(struct http2 *h, enum dir dir, const struct http2_frame *f, struct cur *c,
                         struct msg *out)
{
	uint32_t last = cur_be32(c) & INT32_MAX, code = cur_be32(c);

	if (c->over)
		return PARSE_MORE;
	*out = MSG_INIT;
	out->skip = f->len - 8;
	if (dir == DIR_REQ || last >= h->last)
		return PARSE_OK;
	out->kind = MSG_BARRIER;
	out->flags = MSG_F_ABOVE;
	out->id = last;
	out->error_type = code ? error_name(code) : STR("REFUSED_STREAM");
	for (uint32_t i = h->nstreams; i-- > 0;)
		if (h->streams[i].id > last)
			http2_remove(h, &h->streams[i]);
	return PARSE_OK;
}

/* ----- one frame ----- */

enum { UNKNOWN_MOST = 1 << 16 };

static enum parse whole(const struct http2_frame *f, struct msg *out)
{
	*out = MSG_INIT;
	out->skip = f->len;
	return PARSE_OK;
}

static enum parse parse_frame(struct http2 *h, enum dir dir, struct cur *c, struct msg *out)
{
	const uint8_t *start = c->p;
	struct http2_frame f = http2_frame(c);

	if (c->over)
		return PARSE_MORE;
	/* types that are not known are to be ignored (RFC 9113, 4.1) */
	if (f.type >= HTTP2_TYPES)
		return f.len <= UNKNOWN_MOST ? whole(&f, out) : PARSE_BAD;
	if (!http2_fits(&f, dir))
		return PARSE_BAD;
	switch (f.type) {
	case HTTP2_DATA:
		return http2_data(h, dir, &f, c, out);
	case HTTP2_HEADERS:
	case HTTP2_PUSH_PROMISE:
		return http2_head(h, dir, &f, c, start, out);
	case HTTP2_RST_STREAM:
		return reset(h, dir, &f, c, out);
	case HTTP2_GOAWAY:
		return goaway(h, dir, &f, c, out);
	case HTTP2_CONTINUATION:
		return PARSE_BAD;
	default:
		return whole(&f, out);
	}
}

/* The rest of a head that was too long. */
static enum parse parse_rest(struct http2 *h, enum dir dir, struct cur *c, struct msg *out)
{
	struct http2_part *s = &h->side[dir].part;
	struct http2_frame f = http2_frame(c);

	if (c->over)
		return PARSE_MORE;
	if (f.type != HTTP2_CONTINUATION || f.stream != s->stream || !http2_fits(&f, dir))
		return PARSE_BAD;
	whole(&f, out);
	out->id = f.stream;
	if (f.flags & HTTP2_END_HEADERS)
		s->mode = HTTP2_AT_FRAME;
	return PARSE_OK;
}

static enum parse http2_parse(void *state, enum dir dir, struct cur *in, struct msg *out)
{
	struct http2 *h = state;
	struct cur c = *in;
	enum parse r;

	if (!cur_left(&c))
		return PARSE_MORE;
	if (h->side[dir].part.mode == HTTP2_IN_DATA) {
		r = http2_more_data(h, dir, &c, out);
	} else if (h->side[dir].part.mode == HTTP2_IN_HEAD) {
		r = parse_rest(h, dir, &c, out);
	} else if (dir == DIR_REQ && http2_preface(c) != SURE_NO) {
		r = cur_take(&c, HTTP2_PREFACE_LEN) ? PARSE_OK : PARSE_MORE;
		if (r == PARSE_OK)
			*out = MSG_INIT;
	} else {
		r = parse_frame(h, dir, &c, out);
	}
	if (r == PARSE_MORE && in->cut)
		return PARSE_BAD;
	if (r == PARSE_OK)
		in->p = c.p;
	return r;
}

static void http2_room(void *state, char *text)
{
	((struct http2 *)state)->lines = text;
}

/* Frames that answer a request which has not been seen: its stream. */
static uint64_t http2_answers(const void *state, struct cur in)
{
	const struct http2 *h = state;
	struct http2_frame f = http2_frame(&in);

	if (in.over || h->side[DIR_RESP].part.mode != HTTP2_AT_FRAME || f.stream <= h->last ||
	    f.stream % 2 == 0)
		return 0;
	return f.type == HTTP2_HEADERS || f.type == HTTP2_DATA || f.type == HTTP2_RST_STREAM
	               ? f.stream
	               : 0;
}

/* What was lost may have held anything: fields for the table, the ends of messages. */
static const uint8_t *http2_resync(void *state, enum dir dir, struct cur in)
{
	struct http2 *h = state;

	h->side[dir].part.mode = HTTP2_AT_FRAME;
	hpack_forget(&h->side[dir].table);
	for (uint32_t i = 0; i < h->nstreams; i++)
		h->streams[i].lost[dir] = true;
	return http2_sync(dir, in);
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
	{ "DATA", OP_PARSED },
	{ "HEADERS", OP_PARSED },
	{ "CONTINUATION", OP_PARSED },
	{ "RST_STREAM", OP_PARSED },
	{ "GOAWAY", OP_PARSED },
	{ "Upgrade: h2c", OP_PARSED },
	{ "PUSH_PROMISE", OP_NAMED },
	{ "PRIORITY", OP_NAMED },
	{ "SETTINGS", OP_NAMED },
	{ "PING", OP_NAMED },
	{ "WINDOW_UPDATE", OP_NAMED },
	{ "extension methods (PROPFIND, ...)", OP_NAMED },
	{ "extension frames", OP_UNKNOWN },
	{ NULL, OP_UNKNOWN },
};

const struct proto proto_http2 = {
	.name = "http2",
	.title = "HTTP/2 in clear text (RFC 9113, 7541)",
	.limits =
		"bodies are kept with --body, not decoded; fields that an older connection had put into its table "
		"before it was seen are unknown until they are sent again; pushed answers are "
		"not shown",
	.ops = ops,
	.rules = { { .len = 8,
	             .value = "PRI * HT",
	             .mask = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff } } },
	.family = FAMILY_HTTP,
	.state_size = sizeof(struct http2),
	.full_payload = true,
	.detect = http2_detect,
	.parse = http2_parse,
	.resync = http2_resync,
	.room = http2_room,
	.answers = http2_answers,
};
