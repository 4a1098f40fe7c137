// SPDX-License-Identifier: GPL-3.0-or-later
/* http1_head - start lines and header fields of HTTP/1. */
#include "proto/http1_head.h"

enum { TRACEPARENT_LEN = 55 };

static struct str after(struct str s, size_t n)
{
	return (struct str){ s.s + n, s.len - n };
}

/* Where c stands in s, or s.len. */
static size_t find(struct str s, char c)
{
	const char *at = s.len ? memchr(s.s, c, s.len) : NULL;

	return at ? (size_t)(at - s.s) : s.len;
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Blanks at both ends, and the line ends that a continued field has inside. */
static struct str trim(struct str s)
{
	while (s.len && is_space(s.s[0]))
		s = after(s, 1);
	while (s.len && is_space(s.s[s.len - 1]))
		s.len--;
	return s;
}

/* ----- header fields ----- */

/* "5", or "5, 5": equal lengths are one, different ones none. */
static void add_length(struct http1_frame *f, struct str v)
{
	do {
		size_t n = find(v, ',');
		uint64_t len;

		if (!str_u64(str_trim((struct str){ v.s, n }), &len) ||
		    (f->flags & FRAME_LENGTH && f->length != len)) {
			f->flags |= FRAME_DOUBT;
			return;
		}
		f->flags |= FRAME_LENGTH;
		f->length = len;
		v = after(v, n < v.len ? n + 1 : n);
	} while (v.len);
}

static void add_coding(struct http1_frame *f, struct str v)
{
	size_t n;

	while ((n = find(v, ',')) < v.len)
		v = after(v, n + 1);
	v = str_trim(v);
	f->flags &= (uint8_t)~FRAME_CHUNKED;
	if (str_iis(v, "identity"))
		return;
	f->flags |= FRAME_CODED;
	if (str_iis(v, "chunked"))
		f->flags |= FRAME_CHUNKED;
}

static void first_of(struct str *to, struct str v)
{
	if (!to->s)
		*to = v;
}

/* A word, alone or in a list (RFC 9110 7.8). */
static bool has_word(struct str v, const char *word)
{
	while (v.len) {
		size_t n = find(v, ',');

		if (str_iis(str_trim((struct str){ v.s, n }), word))
			return true;
		v = after(v, n < v.len ? n + 1 : n);
	}
	return false;
}

/* One letter tells most names of a length apart, without a call. */
static bool is_name(struct str name, struct str want)
{
	return (name.s[0] | 0x20) == want.s[0] && str_ieq(name, want);
}

/* Fields of one service, "x-amz-..." and the like; `name` has 12 characters at least. */
static void keep_service(struct http1_head *h, struct str name, struct str v)
{
	if (is_name(name, STR("x-amz-target")))
		first_of(&h->amz_target, v);
	else if (is_name(name, STR("x-amz-copy-source")))
		first_of(&h->amz_copy, v);
	else if (is_name(name, STR("x-amzn-requestid")) || is_name(name, STR("x-amz-request-id")) ||
	         is_name(name, STR("x-amzn-request-id")))
		first_of(&h->aws_request, v);
	else if (is_name(name, STR("x-clickhouse-user")) ||
	         is_name(name, STR("x-clickhouse-key")) ||
	         is_name(name, STR("x-clickhouse-database")) ||
	         is_name(name, STR("x-clickhouse-format")))
		first_of(&h->clickhouse, v);
	if (is_name(name, STR("x-clickhouse-database")))
		first_of(&h->clickhouse_db, v);
}

/* The names of more than 14 characters among them. */
static void keep_long(struct http1_head *h, struct str name, struct str v)
{
	if ((name.s[0] | 0x20) == 'x' && name.s[1] == '-' && (name.s[2] | 0x20) != 'f')
		keep_service(h, name, v);
	switch (name.len) {
	case 15:
		if (is_name(name, STR("x-forwarded-for")))
			first_of(&h->forwarded_for, v);
		break;
	case 17:
		if (is_name(name, STR("transfer-encoding")))
			add_coding(&h->frame, v);
		else if (is_name(name, STR("x-forwarded-proto")))
			first_of(&h->scheme, v);
		break;
	case 20:
		if (is_name(name, STR("mcp-protocol-version")))
			first_of(&h->mcp_version, v);
		break;
	case 22:
		if (is_name(name, STR("sec-websocket-protocol")))
			first_of(&h->ws_protocol, v);
		break;
	case 24:
		if (is_name(name, STR("sec-websocket-extensions")))
			first_of(&h->ws_extensions, v);
		break;
	}
}

/* Keeps what is of use; the length of a name tells most of them apart. */
static void keep(struct http1_head *h, struct str name, struct str v)
{
	switch (name.len) {
	case 4:
		if (is_name(name, STR("host")))
			first_of(&h->host, v);
		break;
	case 6:
		if (is_name(name, STR("expect")) && str_iis(v, "100-continue"))
			h->frame.flags |= FRAME_EXPECT;
		break;
	case 7:
		if (is_name(name, STR("baggage")))
			first_of(&h->baggage, v);
		if (!is_name(name, STR("upgrade")))
			break;
		if (has_word(v, "h2c"))
			h->frame.flags |= FRAME_H2C;
		if (has_word(v, "websocket"))
			h->frame.flags |= FRAME_WEBSOCKET;
		break;
	case 9:
		if (is_name(name, STR("forwarded")))
			first_of(&h->forwarded, v);
		break;
	case 10:
		if (is_name(name, STR("user-agent")))
			first_of(&h->agent, v);
		else if (is_name(name, STR("tracestate")))
			first_of(&h->tracestate, v);
		break;
	case 11:
		if (is_name(name, STR("traceparent")))
			first_of(&h->traceparent, v);
		break;
	case 12:
		if (name.s[0] == 'x' || name.s[0] == 'X')
			keep_service(h, name, v);
		if (!is_name(name, STR("content-type")))
			break;
		first_of(&h->type, v);
		if (str_istarts(v, "text/event-stream"))
			h->frame.flags |= FRAME_EVENTS;
		break;
	case 13:
		if (is_name(name, STR("authorization")))
			first_of(&h->authorization, v);
		break;
	case 14:
		if (is_name(name, STR("content-length")))
			add_length(&h->frame, v);
		else if (is_name(name, STR("mcp-session-id")))
			first_of(&h->mcp_session, v);
		break;
	default:
		if (name.len > 14)
			keep_long(h, name, v);
		break;
	}
}

int http1_field(struct http1_head *h, struct cur *in)
{
	struct cur c = *in;
	struct str line = cur_line(&c);
	size_t colon;

	if (c.over)
		return -1;
	if (!line.len) {
		*in = c;
		return 0;
	}
	/* obs-fold: a line that begins with a blank goes on with the one before */
	while (!c.over && cur_left(&c) && (*c.p == ' ' || *c.p == '\t'))
		cur_line(&c);
	if (c.over || !cur_left(&c))
		return -1;
	line.len = (size_t)((const char *)c.p - line.s);
	colon = find(line, ':');
	if (colon < line.len)
		keep(h, str_trim((struct str){ line.s, colon }), trim(after(line, colon + 1)));
	if (!h->lines.s)
		h->lines.s = line.s;
	h->lines.len = (size_t)((const char *)c.p - h->lines.s);
	*in = c;
	return 1;
}

/* ----- chunks ----- */

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

size_t http1_chunk_size(struct str s, uint64_t *size)
{
	size_t n = 0;
	char end;

	*size = 0;
	while (n < s.len && hex_digit(s.s[n]) >= 0) {
		if (*size >> 59)
			return 0;
		*size = *size << 4 | (uint64_t)hex_digit(s.s[n++]);
	}
	end = n < s.len ? s.s[n] : ';';
	return strchr("; \t\r\n", end) && end ? n : 0;
}

/* ----- heads to messages ----- */

/* "host", "host:80", "[::1]:80" */
static void split_host(struct str s, struct str *host, uint64_t *port)
{
	size_t end = s.len && s.s[0] == '[' ? find(s, ']') : find(s, ':');
	size_t colon = s.len && s.s[0] == '[' ? end + 1 : end;

	*port = 0;
	*host = s;
	if (end == s.len)
		return;
	if (colon < s.len && s.s[colon] == ':') {
		if (s.s[0] != '[' && find(after(s, colon + 1), ':') + colon + 1 < s.len)
			return; /* an IPv6 address without brackets */
		if (!str_u64(after(s, colon + 1), port) || *port > UINT16_MAX)
			*port = 0;
	}
	*host = s.s[0] == '[' ? (struct str){ s.s + 1, end - 1 } : (struct str){ s.s, end };
}

/* The first "for" of a Forwarded field (RFC 7239). */
static struct str forwarded_for(struct str v)
{
	struct str s;

	while (v.len) {
		size_t n = 0;

		while (n < v.len && v.s[n] != ';' && v.s[n] != ',')
			n++;
		s = str_trim((struct str){ v.s, n });
		if (str_istarts(s, "for=")) {
			s = after(s, 4);
			if (s.len >= 2 && s.s[0] == '"' && s.s[s.len - 1] == '"')
				s = (struct str){ s.s + 1, s.len - 2 };
			return s;
		}
		v = after(v, n < v.len ? n + 1 : n);
	}
	return STR_NULL;
}

static void fill_client(const struct http1_head *h, struct msg *out)
{
	struct str from = forwarded_for(h->forwarded), host;
	uint64_t port;

	if (!from.s && h->forwarded_for.s)
		from = str_trim(str_head(h->forwarded_for, find(h->forwarded_for, ',')));
	if (!from.len)
		return;
	split_host(from, &host, &port);
	msg_attr(out, ATTR_CLIENT_ADDRESS, host);
}

void http1_fill_server(struct str authority, struct msg *out)
{
	struct str host;
	uint64_t port;

	if (!authority.len)
		return;
	split_host(authority, &host, &port);
	msg_attr(out, ATTR_SERVER_ADDRESS, host);
	if (port)
		msg_attr_num(out, ATTR_SERVER_PORT, (int64_t)port);
}

/*
 * The four forms of a target (RFC 9112 3.2): "/path?query", "http://host/path",
 * "host:port" of CONNECT, "*". The host it names goes before the Host field.
 */
static void fill_target(const struct http1_head *h, struct msg *out)
{
	struct str t = h->target, authority = h->host, scheme = STR("http");
	size_t colon = find(t, ':');

	if (h->scheme.s && (str_iis(h->scheme, "https") || str_iis(h->scheme, "http")))
		scheme = h->scheme;
	if (!t.s) {
		/* CONNECT in HTTP/2, and what is not known */
	} else if (str_is(h->method, "CONNECT")) {
		authority = t;
	} else if (t.s[0] != '/' && str_starts(after(t, colon), "://")) {
		size_t n = 0;

		scheme = str_head(t, colon);
		authority = after(t, colon + 3);
		while (n < authority.len && authority.s[n] != '/' && authority.s[n] != '?')
			n++;
		t = n < authority.len ? after(authority, n) : STR("/");
		authority.len = n;
		n = find(authority, '@');
		if (n < authority.len)
			authority = after(authority, n + 1);
	}
	out->target = t;
	if (t.s && !str_is(h->method, "CONNECT")) {
		size_t q = find(t, '?');

		msg_attr(out, ATTR_URL_PATH, q ? str_head(t, q) : STR("/"));
		if (q < t.len)
			msg_attr(out, ATTR_URL_QUERY, after(t, q + 1));
		msg_attr(out, ATTR_URL_SCHEME, scheme);
	}
	http1_fill_server(authority, out);
}

void http1_fill_size(const struct http1_frame *f, enum attr key, struct msg *out)
{
	if ((f->flags & (FRAME_LENGTH | FRAME_DOUBT | FRAME_CODED)) == FRAME_LENGTH)
		msg_attr_num(out, key, f->length > INT64_MAX ? INT64_MAX : (int64_t)f->length);
}

void http1_fill_context(const struct http1_head *h, struct msg *out)
{
	const char *tp = h->traceparent.s;

	msg_baggage(out, h->baggage);
	if (h->traceparent.len < TRACEPARENT_LEN || tp[2] != '-' || tp[35] != '-' || tp[52] != '-')
		return;
	out->traceparent = h->traceparent;
	out->tracestate = h->tracestate;
}

void http1_fill_request(const struct http1_head *h, struct msg *out)
{
	out->op = h->method;
	out->lines = h->lines;
	if (!h->method.s) {
		/* not known: HTTP/2 joined in the middle */
	} else if (http1_known_method(h->method)) {
		msg_attr(out, ATTR_HTTP_METHOD, h->method);
	} else {
		msg_attr(out, ATTR_HTTP_METHOD, STR("_OTHER"));
		msg_attr(out, ATTR_HTTP_METHOD_ORIGINAL, h->method);
	}
	fill_target(h, out);
	if (h->version.s)
		msg_attr(out, ATTR_HTTP_VERSION, h->version);
	fill_client(h, out);
	if (h->agent.len)
		msg_attr(out, ATTR_USER_AGENT, h->agent);
	http1_fill_size(&h->frame, ATTR_HTTP_REQUEST_BODY_SIZE, out);
	http1_fill_context(h, out);
}

void http1_fill_answer(const struct http1_head *h, struct msg *out)
{
	out->status = h->status;
	out->code = h->code;
	out->error = h->code >= 400;
	out->server_error = h->code >= 500;
	if (out->error)
		out->error_type = h->status;
	if (h->code >= 200 || h->code == 101) { /* the final one; the first of a key is kept */
		msg_attr_num(out, ATTR_HTTP_STATUS, h->code);
		out->lines = h->lines;
	}
	if (h->type.len)
		msg_attr(out, ATTR_HTTP_CONTENT_TYPE, h->type);
	if (h->aws_request.len)
		msg_attr(out, ATTR_AWS_REQUEST, h->aws_request);
	if (h->ws_protocol.len)
		msg_attr(out, ATTR_WS_PROTOCOL, h->ws_protocol);
	if (h->ws_extensions.len)
		msg_attr(out, ATTR_WS_EXTENSIONS, h->ws_extensions);
}
