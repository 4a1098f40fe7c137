// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * socks - SOCKS 4, 4a and 5 (RFC 1928, user and password: 1929): one span for the
 * request, whose target is host and port; behind it the connection speaks whatever
 * the two ends speak, which is detected anew.
 *
 * Version 5 begins with the methods of the client and the choice of the server; what
 * comes before the request belongs to it.
 */
#include "proto/proto.h"

#include <arpa/inet.h>

enum {
	V4 = 4,
	V5 = 5,
	V4_HEAD = 8,
	V4_TEXT = 512, /* user, host */
	V4_GRANTED = 90,
	CONNECT = 1,
	BIND = 2,
	ASSOCIATE = 3,
	PASSWORD = 2,
	NO_METHOD = 0xff,
};

enum stage { GREETING, METHOD, LOGIN, LOGIN_REPLY, REQUEST, REPLY, OVER };

struct socks {
	uint8_t stage, version, command, method;
	bool begun;
	char target[256 + 8];
};

/* ----- addresses ----- */

static struct str with_port(struct socks *s, size_t n, uint16_t port)
{
	char digits[6];
	size_t from = sizeof(digits);

	do
		digits[--from] = (char)('0' + port % 10);
	while (port /= 10);
	digits[--from] = ':';
	memcpy(s->target + n, digits + from, sizeof(digits) - from);
	return (struct str){ s->target, n + sizeof(digits) - from };
}

static struct str numeric(struct socks *s, int family, const uint8_t *addr, uint16_t port)
{
	size_t n = family == AF_INET6;

	s->target[0] = '[';
	if (!inet_ntop(family, addr, s->target + n, sizeof(s->target) - 16))
		return STR_NULL;
	n = strlen(s->target);
	if (family == AF_INET6)
		s->target[n++] = ']';
	return with_port(s, n, port);
}

static struct str named(struct socks *s, struct str host, uint16_t port)
{
	host = str_head(host, 255);
	memcpy(s->target, host.s, host.len);
	return with_port(s, host.len, port);
}

/* Type, address, port of version 5; false: of no type. */
static bool address(struct socks *s, struct cur *c, struct str *target)
{
	unsigned int type = cur_u8(c);
	const uint8_t *p;
	struct str host;
	uint16_t port;

	if (type == 3) {
		host = cur_str(c, cur_u8(c));
		port = cur_be16(c);
		*target = named(s, host, port);
		return true;
	}
	if (type != 1 && type != 4)
		return c->over;
	p = cur_take(c, type == 1 ? 4 : 16);
	port = cur_be16(c);
	*target = p ? numeric(s, type == 1 ? AF_INET : AF_INET6, p, port) : STR_NULL;
	return true;
}

/* ----- what the client says ----- */

static struct str command_name(unsigned int n)
{
	return n == CONNECT ? STR("CONNECT") : n == BIND ? STR("BIND") : STR("UDP ASSOCIATE");
}

static struct str method_name(unsigned int n)
{
	return !n ? STR("none") : n == PASSWORD ? STR("password") : STR("other");
}

static void begin(struct socks *s, unsigned int command, struct str target, struct msg *out)
{
	s->command = (uint8_t)command;
	s->stage = REPLY;
	s->begun = true;
	out->kind = MSG_REQ;
	out->op = command_name(command);
	out->target = target;
	msg_attr(out, ATTR_SOCKS_VERSION, s->version == V4 ? STR("4") : STR("5"));
	if (s->version == V5)
		msg_attr(out, ATTR_SOCKS_METHOD, method_name(s->method));
}

/* Version, command, port, address, user; with 0.0.0.x the name of the host (4a). */
static enum parse request_v4(struct socks *s, struct cur *c, struct msg *out)
{
	size_t have = cur_left(c);
	unsigned int version = cur_u8(c), command = cur_u8(c);
	uint16_t port = cur_be16(c);
	const uint8_t *ip = cur_take(c, 4);
	bool by_name = ip && !ip[0] && !ip[1] && !ip[2] && ip[3];
	struct str host = STR_NULL;

	cur_cstr(c);
	if (by_name)
		host = cur_cstr(c);
	if (version != V4 || (have > 1 && command != CONNECT && command != BIND))
		return PARSE_BAD;
	if (c->over)
		return have < V4_TEXT ? PARSE_MORE : PARSE_BAD;
	s->version = V4;
	begin(s, command, by_name ? named(s, host, port) : numeric(s, AF_INET, ip, port), out);
	return PARSE_OK;
}

static enum parse request_v5(struct socks *s, struct cur *c, struct msg *out)
{
	size_t have = cur_left(c);
	unsigned int version = cur_u8(c), command = cur_u8(c), reserved = cur_u8(c);
	struct str target = STR_NULL;

	if (version != V5 || (have > 1 && (command < CONNECT || command > ASSOCIATE)) || reserved)
		return PARSE_BAD;
	if (!address(s, c, &target))
		return PARSE_BAD;
	if (c->over)
		return PARSE_MORE;
	begin(s, command, target, out);
	return PARSE_OK;
}

static enum parse client(struct socks *s, struct cur *c, struct msg *out)
{
	uint8_t version = *c->p;

	switch (s->stage) {
	case GREETING:
		if (version == V4)
			return request_v4(s, c, out);
		if (version != V5)
			return PARSE_BAD;
		cur_u8(c);
		cur_take(c, cur_u8(c));
		s->version = V5;
		s->stage = METHOD;
		break;
	case LOGIN:
		if (version != 1)
			return PARSE_BAD;
		cur_u8(c);
		cur_take(c, cur_u8(c)); /* user, password: never shown */
		cur_take(c, cur_u8(c));
		s->stage = LOGIN_REPLY;
		break;
	case REQUEST:
		return request_v5(s, c, out);
	default: /* said before the answer has come: it is read behind it */
		return PARSE_MORE;
	}
	out->flags = MSG_F_LEADS;
	return c->over ? PARSE_MORE : PARSE_OK;
}

/* ----- what the server says ----- */

static struct str reply_name(unsigned int n)
{
	static const char *const names[] = {
		"succeeded",           "general_failure",       "not_allowed",
		"network_unreachable", "host_unreachable",      "connection_refused",
		"ttl_expired",         "command_not_supported", "address_type_not_supported",
	};
	static const char *const v4[] = { "granted", "rejected", "no_identd", "wrong_user" };

	if (n >= V4_GRANTED && n < V4_GRANTED + 4)
		return str_of(v4[n - V4_GRANTED]);
	return n < sizeof(names) / sizeof(*names) ? str_of(names[n]) : STR("unknown");
}

/* It could not reach whom the client asked for; all else is the client's doing. */
static bool is_servers(unsigned int code)
{
	return code == V4_GRANTED + 1 || code == 1 || (code >= 3 && code <= 6);
}

static void result(struct socks *s, unsigned int code, bool ok, struct msg *out)
{
	s->stage = OVER;
	out->kind = MSG_RESP;
	out->status = reply_name(code);
	out->code = (int32_t)code;
	out->error = !ok;
	out->server_error = !ok && is_servers(code);
	if (!ok)
		out->error_type = out->status;
	else if (s->command == CONNECT)
		out->next = PROTO_NEXT_DETECT;
}

static enum parse reply(struct socks *s, struct cur *c, struct msg *out)
{
	unsigned int version = cur_u8(c), code = cur_u8(c);
	struct str bound;

	if (s->version == V4) {
		cur_take(c, V4_HEAD - 2);
		if (version || (!c->over && (code < V4_GRANTED || code > V4_GRANTED + 3)))
			return PARSE_BAD;
		if (!c->over)
			result(s, code, code == V4_GRANTED, out);
		return c->over ? PARSE_MORE : PARSE_OK;
	}
	if (version != V5 || cur_u8(c))
		return PARSE_BAD;
	if (c->over)
		return PARSE_MORE;
	if (!address(s, c, &bound))
		return PARSE_BAD;
	if (!c->over) {
		result(s, code, !code, out);
		if (!code)
			msg_attr(out, ATTR_SOCKS_BOUND, bound);
	}
	return c->over ? PARSE_MORE : PARSE_OK;
}

/* No method, or no entrance: there will be no request. */
static void refused(struct socks *s, struct msg *out)
{
	s->stage = OVER;
	out->kind = MSG_PUSH;
}

static enum parse server(struct socks *s, struct cur *c, struct msg *out)
{
	unsigned int version, code;

	if (s->stage == REPLY)
		return reply(s, c, out);
	if (s->stage != METHOD && s->stage != LOGIN_REPLY)
		return s->stage == OVER ? PARSE_BAD : PARSE_MORE;
	version = cur_u8(c);
	code = cur_u8(c);
	if (version != (s->stage == METHOD ? V5 : 1))
		return PARSE_BAD;
	if (c->over)
		return PARSE_MORE;
	if (s->stage == METHOD) {
		s->method = (uint8_t)code;
		s->stage = code == PASSWORD ? LOGIN : REQUEST;
		if (code == NO_METHOD)
			refused(s, out);
	} else {
		s->stage = REQUEST;
		if (code)
			refused(s, out);
	}
	return PARSE_OK;
}

static enum parse socks_parse(void *state, enum dir dir, struct cur *in, struct msg *out)
{
	bool full = in->cut || cur_left(in) >= PROTO_HEAD;
	struct socks *s = state, was = *s;
	struct msg m = MSG_INIT;
	struct cur c = *in;
	enum parse r;

	if (!cur_left(in))
		return in->cut ? PARSE_BAD : PARSE_MORE;
	if (s->stage == OVER) { /* refused: what follows means nothing */
		m.skip = UINT64_MAX;
		c.p++;
		r = PARSE_OK;
	} else {
		r = dir == DIR_REQ ? client(s, &c, &m) : server(s, &c, &m);
	}
	if (r != PARSE_OK) {
		*s = was;
		return r == PARSE_MORE && full ? PARSE_BAD : r;
	}
	*out = m;
	in->p = c.p;
	return PARSE_OK;
}

/* ----- detection ----- */

/* Greeting, answer, and the request or the login that follows. */
static enum sure is_v5(struct cur req, struct cur resp)
{
	unsigned int n, method;
	const uint8_t *methods;
	bool offered = false;

	cur_u8(&req);
	n = cur_u8(&req);
	if (!n && !req.over)
		return SURE_NO;
	methods = cur_take(&req, n);
	if (!methods)
		return n < 16 ? SURE_MAYBE : SURE_NO;
	if (cur_left(&resp) && *resp.p != V5)
		return SURE_NO;
	cur_u8(&resp);
	method = cur_u8(&resp);
	for (unsigned int i = 0; i < n; i++) {
		offered |= methods[i] == method;
		if (methods[i] > 9 && methods[i] < 0x80)
			return SURE_NO;
	}
	if (resp.over)
		return cur_left(&req) ? SURE_NO : SURE_MAYBE;
	if (!offered)
		return method == NO_METHOD ? SURE_MAYBE : SURE_NO;
	if (cur_left(&req) < 4)
		return SURE_MAYBE;
	if (method == PASSWORD)
		return *req.p == 1 && cur_left(&resp) >= 2 && *resp.p == 1 ? SURE_YES : SURE_MAYBE;
	return req.p[0] == V5 && req.p[1] >= CONNECT && req.p[1] <= ASSOCIATE && !req.p[2] &&
	                       (req.p[3] == 1 || req.p[3] == 3 || req.p[3] == 4)
	               ? SURE_YES
	               : SURE_NO;
}

/* A whole request, and its whole answer. */
static enum sure is_v4(struct cur req, struct cur resp)
{
	struct socks s = { .stage = GREETING };
	struct msg m = MSG_INIT;
	enum parse r = request_v4(&s, &req, &m);

	if (r != PARSE_OK)
		return r == PARSE_MORE ? SURE_MAYBE : SURE_NO;
	if (!cur_left(&resp))
		return cur_left(&req) ? SURE_NO : SURE_MAYBE;
	r = reply(&s, &resp, &m);
	return r == PARSE_OK ? SURE_YES : r == PARSE_MORE ? SURE_MAYBE : SURE_NO;
}

static enum sure socks_detect(const struct first *f)
{
	if (!f->from_start)
		return SURE_NO;
	if (!cur_left(&f->req))
		return cur_left(&f->resp) ? SURE_NO : SURE_MAYBE;
	if (*f->req.p == V4)
		return is_v4(f->req, f->resp);
	return *f->req.p == V5 ? is_v5(f->req, f->resp) : SURE_NO;
}

/* It is at the beginning, or nowhere. */
static const uint8_t *socks_resync(void *state, enum dir dir, struct cur in)
{
	(void)state, (void)dir, (void)in;
	return NULL;
}

static const struct proto_op ops[] = {
	{ "CONNECT", OP_PARSED },          { "BIND", OP_NAMED },     { "UDP ASSOCIATE", OP_NAMED },
	{ "user and password", OP_NAMED }, { "GSSAPI", OP_UNKNOWN }, { NULL, OP_UNKNOWN },
};

const struct proto proto_socks = {
	.name = "socks",
	.title = "SOCKS 4, 4a and 5 (RFC 1928)",
	.family = FAMILY_NAMED,
	.limits =
		"what is relayed is decoded behind CONNECT only; no methods but none and password",
	.ops = ops,
	.ports = { 1080 },
	.state_size = sizeof(struct socks),
	.in_order = true,
	.detect = socks_detect,
	.parse = socks_parse,
	.resync = socks_resync,
};
