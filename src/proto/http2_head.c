// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * http2_head - header blocks to requests and answers (RFC 9113, 8).
 *
 * A block is one HEADERS frame and the CONTINUATIONs behind it, which nothing may
 * come between. It is read when it is whole. One longer than PROTO_HEAD, or with
 * bytes missing, is read as far as it goes; what it would have added to the table
 * is not known then, so nothing older is used from there on.
 */
#include "proto/http2.h"

#include <stddef.h>

#include "proto/http1_head.h"
#include "proto/level.h"

enum { MESSAGE_MOST = 256 };

/* What the fields of a block say. */
struct head {
	struct http1_head http;
	struct str grpc_status, grpc_message, scheme, length;
	unsigned int unknown; /* fields whose name or value is not known */
	bool pseudo;          /* there are fields like :method */
	bool cut;             /* not all of it, or of a text, was kept */
	bool guessed;         /* traceparent, by how it looks */
	size_t lines;         /* bytes of them in h->lines */
};

/* Fields of interest, where they go, and how much of them is kept. */
static const struct {
	const char *name;
	size_t to;
	uint16_t most;
} wanted[] = {
#define TO(member) offsetof(struct head, member)
	{ ":method", TO(http.method), 64 },
	{ ":path", TO(http.target), 1536 },
	{ ":authority", TO(http.host), 256 },
	{ ":scheme", TO(scheme), 32 },
	{ ":status", TO(http.status), 3 },
	{ "host", TO(http.host), 256 },
	{ "content-type", TO(http.type), 128 },
	{ "content-length", TO(length), 20 },
	{ "user-agent", TO(http.agent), 256 },
	{ "traceparent", TO(http.traceparent), 64 },
	{ "tracestate", TO(http.tracestate), 512 },
	{ "baggage", TO(http.baggage), 512 },
	{ "forwarded", TO(http.forwarded), 256 },
	{ "x-forwarded-for", TO(http.forwarded_for), 256 },
	{ "x-forwarded-proto", TO(http.scheme), 32 },
	{ "mcp-session-id", TO(http.mcp_session), 128 },
	{ "mcp-protocol-version", TO(http.mcp_version), 32 },
	{ "grpc-status", TO(grpc_status), 10 },
	{ "grpc-message", TO(grpc_message), MESSAGE_MOST },
#undef TO
};

static int hex(char c)
{
	char low = (char)(c | 0x20);

	return c >= '0' && c <= '9' ? c - '0' : low >= 'a' && low <= 'f' ? low - 'a' + 10 : -1;
}

/* A copy that lives as long as the message. */
static struct str copy(struct http2 *h, size_t *used, struct str s, size_t most)
{
	size_t room = HTTP2_TEXT - *used, n = s.len < most ? s.len : most;
	char *to = h->text + *used;

	if (n > room)
		n = room;
	memcpy(to, s.s, n);
	*used += n;
	return (struct str){ to, n };
}

/* "00-<32 hex>-<16 hex>-01": hardly anything else looks like this. */
static bool is_context(struct str s)
{
	static const char form[] = "00-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx-xxxxxxxxxxxxxxxx-xx";

	if (s.len != sizeof(form) - 1)
		return false;
	for (size_t i = 0; i < s.len; i++)
		if (form[i] == 'x' ? hex(s.s[i]) < 0 : s.s[i] != form[i])
			return false;
	return true;
}

/* A field whose name stands in the table since before it was seen. */
static void keep_nameless(struct http2 *h, size_t *used, struct str value, struct head *d)
{
	if (d->http.traceparent.s || !is_context(value))
		return;
	d->http.traceparent = copy(h, used, value, value.len);
	d->guessed = true;
}

/* "name: value", for who has asked for header fields. */
static void keep_line(struct http2 *h, const struct hpack_field *f, struct head *d)
{
	size_t n = f->name.len + f->value.len + 3;
	char *to = h->lines + d->lines;

	if (!f->name.len || *f->name.s == ':' || memchr(f->name.s, ':', f->name.len))
		return;
	if (n > PROTO_ROOM - d->lines) {
		d->cut = true;
		return;
	}
	memcpy(to, f->name.s, f->name.len);
	memcpy(to + f->name.len, ": ", 2);
	memcpy(to + f->name.len + 2, f->value.s, f->value.len);
	/* a line end inside would make two lines of it */
	for (size_t i = 0; i < n - 1; i++)
		if (to[i] == '\n' || to[i] == '\r')
			to[i] = ' ';
	to[n - 1] = '\n';
	d->lines += n;
}

static void keep(struct http2 *h, size_t *used, const struct hpack_field *f, struct head *d)
{
	d->pseudo |= f->name.len && *f->name.s == ':';
	d->unknown += !f->name.s || !f->value.s;
	if (!f->name.s)
		keep_nameless(h, used, f->value, d);
	if (!f->name.s || !f->value.s)
		return;
	if (h->lines)
		keep_line(h, f, d);
	for (size_t i = 0; i < sizeof(wanted) / sizeof(*wanted); i++) {
		struct str *to = (struct str *)(void *)((char *)d + wanted[i].to);

		if (to->s || !str_is(f->name, wanted[i].name))
			continue;
		*to = copy(h, used, f->value, wanted[i].most);
		d->cut |= f->cut || to->len < f->value.len;
		return;
	}
}

/* ---- blocks ---- */

struct block {
	struct cur fields;
	bool whole;
	bool open;          /* CONTINUATIONs follow */
	const uint8_t *end; /* what has been taken */
	uint64_t skip;      /* the rest of its frame */
};

/* Without padding, priority, and the stream that PUSH_PROMISE names; false: malformed. */
static bool strip(const struct http2_frame *f, struct cur *c, uint32_t missing)
{
	uint32_t pad = f->flags & HTTP2_PADDED ? cur_u8(c) : 0;

	if (f->type == HTTP2_PUSH_PROMISE)
		cur_take(c, 4);
	else if (f->flags & HTTP2_PRIORITISED)
		cur_take(c, 5);
	if (c->over)
		return missing;
	if (pad > cur_left(c) + missing)
		return false;
	c->end -= pad > missing ? pad - missing : 0;
	return true;
}

/* Appends a frame's part to what there is; the first one is used where it lies. */
static void append(struct block *b, struct cur part, uint8_t *buf, bool alone)
{
	size_t n = cur_left(&part), len = cur_left(&b->fields);

	if (part.over)
		n = 0;
	if (alone) {
		b->fields = cur_of(part.p, n);
		return;
	}
	memcpy(buf + len, part.p, n);
	b->fields = cur_of(buf, len + n);
}

/* The next frame's header, which must be a CONTINUATION of the same block. */
static enum parse next_frame(struct cur *c, struct http2_frame *f, enum dir dir)
{
	uint32_t stream = f->stream;

	*f = http2_frame(c);
	if (c->over)
		return PARSE_MORE;
	return f->type == HTTP2_CONTINUATION && f->stream == stream && http2_fits(f, dir)
	               ? PARSE_OK
	               : PARSE_BAD;
}

/* Puts the block together in `buf`, PROTO_HEAD bytes; `start` is that of the first frame. */
static enum parse gather(enum dir dir, struct http2_frame f, struct cur c, const uint8_t *start,
                         uint8_t *buf, struct block *b)
{
	bool full = c.end - start >= PROTO_HEAD, first = true;
	enum parse r;

	*b = (struct block){ .fields = cur_of(buf, 0) };
	for (;; first = false) {
		size_t left = (size_t)(start + PROTO_HEAD - c.p);
		uint32_t n = f.len, room = (uint32_t)(full ? left : cur_left(&c));
		struct cur part;

		if (n > room && !c.cut && !full)
			return PARSE_MORE;
		n = n < room ? n : room;
		part = cur_of(c.p, n);
		if (first && !strip(&f, &part, f.len - n))
			return PARSE_BAD;
		b->open = !(f.flags & HTTP2_END_HEADERS);
		append(b, part, buf, first && !b->open);
		c.p += n;
		b->end = c.p;
		b->skip = f.len - n;
		b->whole = !b->skip && !b->open;
		if (b->skip || !b->open || start + PROTO_HEAD - c.p < HTTP2_FRAME)
			return PARSE_OK;
		r = next_frame(&c, &f, dir);
		if (r != PARSE_OK)
			return r == PARSE_MORE && c.cut ? PARSE_OK : r;
	}
}

/* ---- requests ---- */

static void fill_unknown(const struct head *d, struct msg *out)
{
	if (d->unknown)
		msg_attr_num(out, ATTR_HPACK_UNKNOWN, d->unknown);
	if (d->cut)
		out->flags |= MSG_F_CUT;
}

static void fill_request(struct head *d, struct msg *out)
{
	d->http.version = STR("2");
	if (!d->http.scheme.s)
		d->http.scheme = d->scheme;
	if (str_u64(d->length, &d->http.frame.length))
		d->http.frame.flags = FRAME_LENGTH;
	if (grpc_kind_of(d->http.type) == GRPC_NO) {
		http1_fill_request(&d->http, out);
		return;
	}
	out->proto = PROTO_GRPC;
	out->op = d->http.method;
	out->target = d->http.target;
	out->lines = d->http.lines;
	http1_fill_server(d->http.host, out);
	if (d->http.agent.len)
		msg_attr(out, ATTR_USER_AGENT, d->http.agent);
	http1_fill_context(&d->http, out);
}

/* The type of the body; where that was sent before tracing began it may be any. */
static struct str body_type(const struct head *d)
{
	return !d->http.type.s && d->unknown ? STR("json") : d->http.type;
}

/* What is spoken over it. */
static void find_level(struct http2_stream *s, const struct head *d, struct msg *out)
{
	struct http1_head h = d->http;

	h.type = body_type(d);
	s->hints = (uint8_t)level_hints(&h);
	level_head(&d->http, out);
	s->errors = (uint8_t)level_errors(out);
}

static void request(struct http2 *h, uint32_t id, struct head *d, struct msg *out)
{
	struct http2_stream *s = http2_find(h, id);
	bool old = s || id <= h->last;

	out->id = id;
	if (id > h->last)
		h->last = id;
	if (old || (!d->pseudo && !d->unknown && !d->cut))
		return; /* trailers */
	s = http2_add(h, id);
	s->kind = (uint8_t)grpc_kind_of(d->http.type);
	if (d->unknown && !d->http.type.s && (!d->http.method.s || str_is(d->http.method, "POST")))
		s->kind = GRPC_MAYBE;
	s->unknown = d->unknown;
	out->kind = MSG_REQ;
	out->flags = d->guessed ? MSG_F_GUESSED : 0;
	fill_request(d, out);
	if (!out->proto)
		find_level(s, d, out);
	fill_unknown(d, out);
}

/* ---- answers ---- */

/* "no%20cart", in place: the texts of the message are the parser's own. */
static struct str unescape(struct http2 *h, struct str s)
{
	char *to = h->text + (s.s - h->text);
	size_t n = 0;

	for (size_t i = 0; i < s.len; i++) {
		bool coded = s.s[i] == '%' && s.len - i > 2 && hex(s.s[i + 1]) >= 0 &&
		             hex(s.s[i + 2]) >= 0;

		to[n++] = (char)(coded ? hex(s.s[i + 1]) << 4 | hex(s.s[i + 2]) : s.s[i]);
		i += coded ? 2 : 0;
	}
	return (struct str){ to, n };
}

/* The status of a call that is over. */
static void end_call(struct http2 *h, struct http2_stream *s, const struct head *d, struct msg *out)
{
	uint64_t code;

	out->proto = PROTO_GRPC;
	http2_fill_messages(s, out);
	if (str_u64(d->grpc_status, &code) && code < GRPC_CODES) {
		grpc_fill_status((uint32_t)code, out);
		if (d->grpc_message.len)
			msg_attr(out, ATTR_ERROR_MESSAGE, unescape(h, d->grpc_message));
	} else if (d->unknown || s->unknown) {
		out->flags |= MSG_F_NOSTATUS;
	} else {
		grpc_fill_status(grpc_from_http(s->code), out);
	}
}

/* The answer's Content-Type, where the request's is not known. */
static void decide(struct http2_stream *s, const struct head *d)
{
	enum grpc_kind kind = grpc_kind_of(d->http.type);

	if (s->kind == GRPC_MAYBE && (d->http.type.s || !d->unknown))
		s->kind = (uint8_t)kind;
	if (s->kind != GRPC_NO || kind == GRPC_NO)
		return;
	s->kind = (uint8_t)kind;
	s->lost[DIR_REQ] = true; /* what has passed was not counted */
}

/*
 * Bodies of nothing but whole messages, trailers behind the answer's or a head of
 * which not all is known in its place: gRPC looks like that.
 */
static bool looks_like_call(const struct http2_stream *s, bool trailers)
{
	for (int d = 0; d < 2; d++)
		if (s->lost[d] || s->left[d] || s->have[d])
			return false;
	if (trailers)
		return s->messages[DIR_REQ] + s->messages[DIR_RESP];
	return s->messages[DIR_REQ] && s->unknown && s->code == 200;
}

static void fill_head(struct http2_stream *s, const struct head *d, struct msg *out)
{
	if (s)
		decide(s, d);
	if (s) {
		s->answered = true;
		s->code = (int16_t)d->http.code;
		s->unknown = d->unknown;
		if (!level_reads(s->errors, d->http.code, body_type(d)))
			s->errors = LEVEL_NONE;
	}
	if (s && s->kind == GRPC_MAYBE)
		return; /* told at the end */
	if (s && s->kind != GRPC_NO)
		out->proto = PROTO_GRPC;
	else if (d->http.code)
		http1_fill_answer(&d->http, out);
	else
		out->flags |= MSG_F_NOSTATUS;
}

static int32_t code_of(struct str status)
{
	uint64_t code;

	return status.len == 3 && str_u64(status, &code) && code >= 100 ? (int32_t)code : 0;
}

static void end_answer(struct http2 *h, struct http2_stream *s, const struct head *d, bool trailers,
                       struct msg *out)
{
	if (s->kind == GRPC_MAYBE && (looks_like_call(s, trailers) || d->grpc_status.s)) {
		s->kind = GRPC_PLAIN;
		out->flags |= d->grpc_status.s ? 0 : MSG_F_GUESSED;
	}
	if (s->kind == GRPC_MAYBE)
		http2_fill_code(h, s, out);
	else if (s->kind != GRPC_NO)
		end_call(h, s, d, out);
}

static void answer(struct http2 *h, const struct http2_frame *f, struct head *d, struct msg *out)
{
	struct http2_stream *s = http2_find(h, f->stream);
	bool end = f->flags & HTTP2_END_STREAM, trailers;

	out->id = f->stream;
	if (f->stream % 2 == 0)
		return; /* of a push */
	d->http.code = code_of(d->http.status);
	out->kind = end ? MSG_RESP : MSG_INTERIM;
	if (!s)
		out->flags |= MSG_F_ORPHAN;
	fill_unknown(d, out);
	trailers = s ? s->answered : !d->pseudo;
	if (!end && d->http.code && d->http.code < 200)
		return;
	out->lines = d->http.lines;
	if (!trailers)
		fill_head(s, d, out);
	if (s && end)
		end_answer(h, s, d, trailers, out);
	if (s && end)
		http2_remove(h, s);
}

enum parse http2_head(struct http2 *h, enum dir dir, const struct http2_frame *f, struct cur *c,
                      const uint8_t *start, struct msg *out)
{
	struct http2_side *side = &h->side[dir];
	struct hpack_room room;
	struct hpack_field field;
	struct head d = { .unknown = 0 };
	uint8_t buf[PROTO_HEAD];
	size_t used = 0;
	struct block b;
	enum parse r = gather(dir, *f, *c, start, buf, &b);

	if (r != PARSE_OK)
		return r;
	if (b.whole && !hpack_check(b.fields, false))
		return PARSE_BAD;
	while (hpack_next(&side->table, &b.fields, &room, &field) > 0)
		keep(h, &used, &field, &d);
	if (!b.whole)
		hpack_forget(&side->table);
	d.cut |= !b.whole;
	*out = MSG_INIT;
	d.http.lines = (struct str){ h->lines, d.lines };
	if (f->type == HTTP2_PUSH_PROMISE)
		out->kind = MSG_PUSH;
	else if (dir == DIR_REQ)
		request(h, f->stream, &d, out);
	else
		answer(h, f, &d, out);
	out->skip = b.skip;
	if (b.open && !b.whole) {
		side->part.mode = HTTP2_IN_HEAD;
		side->part.stream = f->stream;
	}
	c->p = b.end;
	return PARSE_OK;
}
