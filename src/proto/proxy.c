// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * proxy - the PROXY protocol, versions 1 and 2 (haproxy.org/download/2.9/doc/proxy-protocol.txt):
 * a header in front of whatever follows, by which a proxy says who its client is.
 *
 * It is no request. Whom it names is kept for every request of the connection.
 */
#include "proto/proto.h"

#include <arpa/inet.h>

enum {
	LINE_LEN = 107,
	SIGNATURE_LEN = 12,
	HEAD_LEN = 16,
	FAMILY_INET = 1,
	FAMILY_INET6 = 2,
	COMMAND_PROXY = 1,
	FIELD_AUTHORITY = 2,
	FIELD_ID = 5,
};

static const char signature[] = "\r\n\r\n\0\r\nQUIT\n";

struct proxy {
	char client[INET6_ADDRSTRLEN], server[INET6_ADDRSTRLEN + 8];
};

/* "192.0.2.1:80", "[2001:db8::1]:80" */
static struct str join(struct proxy *s, struct str addr, uint64_t port)
{
	bool six = memchr(addr.s, ':', addr.len);
	char digits[6];
	size_t n = 0, from = sizeof(digits);

	addr = str_head(addr, INET6_ADDRSTRLEN - 1);
	if (six)
		s->server[n++] = '[';
	memcpy(s->server + n, addr.s, addr.len);
	n += addr.len;
	if (six)
		s->server[n++] = ']';
	do
		digits[--from] = (char)('0' + port % 10);
	while (port /= 10);
	digits[--from] = ':';
	memcpy(s->server + n, digits + from, sizeof(digits) - from);
	return (struct str){ s->server, n + sizeof(digits) - from };
}

static void tell(struct proxy *s, struct str client, uint64_t port, struct str server,
                 uint64_t server_port, struct msg *out)
{
	msg_attr(out, ATTR_CLIENT_ADDRESS, client);
	msg_attr_num(out, ATTR_CLIENT_PORT, (int64_t)port);
	msg_attr(out, ATTR_PROXY_DESTINATION, join(s, server, server_port));
}

static struct str next_word(struct str *s)
{
	const char *blank = memchr(s->s, ' ', s->len);
	struct str word = { s->s, blank ? (size_t)(blank - s->s) : s->len };

	*s = blank ? (struct str){ blank + 1, s->len - word.len - 1 } : STR("");
	return word;
}

/* Digits, dots, colons: an address, as far as that matters here. */
static bool is_address(struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		if (!s.s[i] || !strchr("0123456789abcdefABCDEF.:", s.s[i]))
			return false;
	return s.len && s.len < INET6_ADDRSTRLEN;
}

/* "PROXY TCP4 192.0.2.1 198.51.100.1 56324 443" */
static enum parse line(struct proxy *s, struct cur *c, struct msg *out)
{
	size_t have = cur_left(c);
	struct str rest = cur_line(c), kind, client, server;
	uint64_t port, server_port;

	if (c->over)
		return have < LINE_LEN ? PARSE_MORE : PARSE_BAD;
	if (!str_is(next_word(&rest), "PROXY"))
		return PARSE_BAD;
	kind = next_word(&rest);
	if (str_is(kind, "UNKNOWN"))
		return PARSE_OK;
	client = next_word(&rest);
	server = next_word(&rest);
	if ((!str_is(kind, "TCP4") && !str_is(kind, "TCP6")) || !is_address(client) ||
	    !is_address(server) || !str_u64(next_word(&rest), &port) || port > UINT16_MAX ||
	    !str_u64(next_word(&rest), &server_port) || server_port > UINT16_MAX)
		return PARSE_BAD;
	tell(s, client, port, server, server_port, out);
	return PARSE_OK;
}

/* What the proxy knows beside: type, length, value. */
static void fields(struct cur c, struct msg *out)
{
	while (cur_left(&c)) {
		unsigned int type = cur_u8(&c);
		struct str value = cur_str(&c, cur_be16(&c));

		if (c.over)
			return;
		if (type == FIELD_AUTHORITY)
			msg_attr(out, ATTR_PROXY_AUTHORITY, str_head(value, 255));
		else if (type == FIELD_ID)
			msg_attr(out, ATTR_PROXY_ID, str_head(value, 128));
	}
}

static void addresses(struct proxy *s, int family, struct cur c, struct msg *out)
{
	size_t n = family == AF_INET ? 4 : 16;
	const uint8_t *from = cur_take(&c, n), *to = cur_take(&c, n);
	uint16_t port = cur_be16(&c), server_port = cur_be16(&c);
	char server[INET6_ADDRSTRLEN];

	if (c.over || !inet_ntop(family, from, s->client, sizeof(s->client)) ||
	    !inet_ntop(family, to, server, sizeof(server)))
		return;
	tell(s, str_of(s->client), port, str_of(server), server_port, out);
	fields(c, out);
}

/* Signature, version and command, family and transport, length; addresses, then more. */
static enum parse binary(struct proxy *s, struct cur *c, struct msg *out)
{
	unsigned int command, family;
	struct str body;
	size_t len, want;

	cur_take(c, SIGNATURE_LEN);
	command = cur_u8(c);
	family = cur_u8(c) >> 4;
	len = cur_be16(c);
	if (c->over)
		return PARSE_MORE;
	if (command >> 4 != 2 || (command & 15) > COMMAND_PROXY)
		return PARSE_BAD;
	want = len < PROTO_HEAD - HEAD_LEN ? len : PROTO_HEAD - HEAD_LEN;
	if (cur_left(c) < want && !c->cut)
		return PARSE_MORE;
	body = cur_rest(c, want);
	out->skip = len - body.len;
	if (command & 15 && (family == FAMILY_INET || family == FAMILY_INET6))
		addresses(s, family == FAMILY_INET ? AF_INET : AF_INET6, cur_of(body.s, body.len),
		          out);
	return PARSE_OK;
}

static enum parse proxy_parse(void *state, enum dir dir, struct cur *in, struct msg *out)
{
	struct proxy *s = state, was = *s;
	struct msg m = MSG_INIT;
	struct cur c = *in;
	enum parse r;

	if (!cur_left(in))
		return in->cut ? PARSE_BAD : PARSE_MORE;
	if (dir == DIR_RESP) /* a server that speaks first: read when the header is */
		return in->cut || cur_left(in) >= PROTO_HEAD ? PARSE_BAD : PARSE_MORE;
	r = *c.p == 'P' ? line(s, &c, &m) : *c.p == '\r' ? binary(s, &c, &m) : PARSE_BAD;
	if (r != PARSE_OK) {
		*s = was;
		return r == PARSE_MORE && in->cut ? PARSE_BAD : r;
	}
	m.flags |= MSG_F_KEEP;
	m.next = PROTO_NEXT_DETECT;
	*out = m;
	in->p = c.p;
	return PARSE_OK;
}

static enum sure is_header(struct cur c)
{
	static const char *const lines[] = { "PROXY TCP4 ", "PROXY TCP6 ", "PROXY UNKNOWN" };
	size_t have = cur_left(&c);

	if (have > SIGNATURE_LEN && !memcmp(c.p, signature, SIGNATURE_LEN))
		return c.p[SIGNATURE_LEN] >> 4 == 2 ? SURE_YES : SURE_NO;
	if (have <= SIGNATURE_LEN && !memcmp(c.p, signature, have))
		return SURE_MAYBE;
	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
		size_t n = strlen(lines[i]);

		if (!memcmp(c.p, lines[i], have < n ? have : n))
			return have < n ? SURE_MAYBE : SURE_YES;
	}
	return SURE_NO;
}

static enum sure proxy_detect(const struct first *f)
{
	return f->from_start ? is_header(f->req) : SURE_NO;
}

/* It is at the beginning, or nowhere. */
static const uint8_t *proxy_resync(void *state, enum dir dir, struct cur in)
{
	(void)state, (void)dir, (void)in;
	return NULL;
}

static const struct proto_op ops[] = {
	{ "version 1: TCP4, TCP6", OP_PARSED },
	{ "version 1: UNKNOWN", OP_NAMED },
	{ "version 2: PROXY of IPv4, IPv6", OP_PARSED },
	{ "version 2: LOCAL, Unix sockets", OP_NAMED },
	{ "version 2: authority, unique id", OP_PARSED },
	{ "version 2: other fields", OP_UNKNOWN },
	{ NULL, OP_UNKNOWN },
};

const struct proto proto_proxy = {
	.name = "proxy",
	.title = "PROXY protocol, versions 1 and 2",
	.limits =
		"no span of its own: client.address, client.port and obi.proxy.destination of what "
		"follows",
	.ops = ops,
	.rules = { { .len = 6, .value = "PROXY ", .mask = { 255, 255, 255, 255, 255, 255 } },
	           { .len = 8,
	             .value = "\r\n\r\n\0\r\nQ",
	             .mask = { 255, 255, 255, 255, 255, 255, 255, 255 } } },
	.state_size = sizeof(struct proxy),
	.in_order = true,
	.detect = proxy_detect,
	.parse = proxy_parse,
	.resync = proxy_resync,
};
