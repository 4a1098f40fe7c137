// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * ssh - SSH 2 (RFC 4253) up to the point where it is encrypted.
 *
 * A connection is one request: the handshake, from the client's version to the later
 * one of both NEWKEYS. A server may say its version first; it is kept until there is
 * a request that it can be said of.
 */
#include "proto/proto.h"

enum message {
	DISCONNECT = 1,
	DEBUG = 4,
	KEXINIT = 20,
	NEWKEYS = 21,
	KEX_FIRST = 30,
	KEX_LAST = 49,
};

enum { LINE_LEN = 1024, PACKET_MIN = 5, PACKET_MAX = 35000, VERSION_LEN = 255 };

struct ssh {
	bool version[2], keys[2], begun, answered, told, done;
	uint8_t server_len;
	char server[VERSION_LEN];
};

/* ----- the end of the handshake ----- */

static void end(struct ssh *s, enum dir dir, struct msg *out)
{
	s->done = true;
	out->kind = MSG_RESP;
	out->flags |= MSG_F_MUTE | (dir == DIR_REQ ? MSG_F_GIVEUP : 0);
}

static void fail(struct ssh *s, enum dir dir, struct str why, struct msg *out)
{
	end(s, dir, out);
	out->error = out->server_error = true;
	out->error_type = why;
}

/* RFC 4250 4.2.2 */
static struct str reason_name(unsigned int n)
{
	static const char *const names[] = {
		NULL,
		"host_not_allowed_to_connect",
		"protocol_error",
		"key_exchange_failed",
		"reserved",
		"mac_error",
		"compression_error",
		"service_not_available",
		"protocol_version_not_supported",
		"host_key_not_verifiable",
		"connection_lost",
		"by_application",
		"too_many_connections",
		"auth_cancelled_by_user",
		"no_more_auth_methods_available",
		"illegal_user_name",
	};

	return n && n < sizeof(names) / sizeof(*names) ? str_of(names[n]) : STR("unknown");
}

static void disconnect(struct ssh *s, enum dir dir, struct cur c, struct msg *out)
{
	uint32_t reason = cur_be32(&c);
	struct str text = cur_str(&c, cur_be32(&c));

	fail(s, dir, reason_name(reason), out);
	if (c.over)
		return;
	out->status = out->error_type;
	out->code = (int32_t)(reason & INT32_MAX);
	if (text.len)
		msg_attr(out, ATTR_ERROR_MESSAGE, str_head(text, 256));
}

/* ----- parse ----- */

/* What the server is, as soon as there is a request that it can be said of. */
static void tell_server(struct ssh *s, struct msg *out)
{
	if (s->told || !s->server_len || !s->begun)
		return;
	msg_attr(out, ATTR_SSH_SERVER, (struct str){ s->server, s->server_len });
	s->told = true;
}

/* A server may say other lines before its version. */
static enum parse version(struct ssh *s, enum dir dir, struct cur *c, struct msg *out)
{
	size_t have = cur_left(c);
	struct str line = cur_line(c);

	if (c->over)
		return have < LINE_LEN ? PARSE_MORE : PARSE_BAD;
	if (!str_starts(line, "SSH-"))
		return dir == DIR_RESP && line.len < LINE_LEN ? PARSE_OK : PARSE_BAD;
	line = str_head(line, VERSION_LEN);
	s->version[dir] = true;
	if (dir == DIR_RESP) {
		memcpy(s->server, line.s, line.len);
		s->server_len = (uint8_t)line.len;
		return PARSE_OK;
	}
	s->begun = true;
	out->kind = MSG_REQ;
	out->op = STR("handshake");
	msg_attr(out, ATTR_SSH_CLIENT, line);
	tell_server(s, out);
	return PARSE_OK;
}

static bool is_message(unsigned int type)
{
	return (type >= DISCONNECT && type <= DEBUG) || type == KEXINIT || type == NEWKEYS ||
	       (type >= KEX_FIRST && type <= KEX_LAST);
}

static enum parse packet(struct ssh *s, enum dir dir, struct cur *c, struct msg *out)
{
	uint32_t len = cur_be32(c), want;
	unsigned int padding = cur_u8(c), type = cur_u8(c);
	struct str body;

	if (c->over)
		return PARSE_MORE;
	if (len < PACKET_MIN || len > PACKET_MAX || padding < 4 || padding + 2 > len ||
	    !is_message(type))
		return PARSE_BAD;
	len -= 2; /* of which the padding's length and the type are read */
	want = len < PROTO_HEAD - 6 ? len : PROTO_HEAD - 6;
	if (cur_left(c) < want && !c->cut)
		return PARSE_MORE;
	body = cur_rest(c, want);
	out->skip = len - body.len;
	if (dir == DIR_RESP && s->begun && !s->answered) {
		s->answered = true;
		out->kind = MSG_INTERIM;
		tell_server(s, out);
	}
	if (type == DISCONNECT) {
		disconnect(s, dir, cur_of(body.s, body.len), out);
	} else if (type == NEWKEYS) {
		s->keys[dir] = true;
		if (s->keys[!dir])
			end(s, dir, out);
	}
	return PARSE_OK;
}

static enum parse ssh_parse(void *state, enum dir dir, struct cur *in, struct msg *out)
{
	struct ssh *s = state, was = *s;
	struct msg m = MSG_INIT;
	struct cur c = *in;
	enum parse r;

	if (!cur_left(in))
		return in->cut ? PARSE_BAD : PARSE_MORE;
	if (s->done || s->keys[dir]) { /* encrypted */
		m.skip = UINT64_MAX;
		c.p++;
		r = PARSE_OK;
	} else {
		r = s->version[dir] ? packet(s, dir, &c, &m) : version(s, dir, &c, &m);
	}
	if (r != PARSE_OK) {
		*s = was;
		return r == PARSE_MORE && in->cut ? PARSE_BAD : r;
	}
	*out = m;
	in->p = c.p;
	return PARSE_OK;
}

/* A connection that ends during its handshake has failed. */
static bool ssh_finish(void *state, bool over, struct msg *out)
{
	struct ssh *s = state;

	if (!s->begun || s->done || !over)
		return false;
	*out = MSG_INIT;
	fail(s, DIR_REQ, STR("closed"), out);
	tell_server(s, out);
	return true;
}

/* ----- detection, and the place after lost bytes ----- */

/* "SSH-2.0-OpenSSH_9.2", or what there is of it. */
static enum sure is_version(struct cur c)
{
	static const char *const versions[] = { "SSH-2.0-", "SSH-1.99-", "SSH-1.5-" };
	struct str s = { (const char *)c.p, cur_left(&c) };

	for (size_t i = 0; i < sizeof(versions) / sizeof(*versions); i++) {
		size_t n = strlen(versions[i]);

		if (s.len > n && str_starts(s, versions[i]))
			return s.s[n] > ' ' && s.s[n] < 0x7f ? SURE_YES : SURE_NO;
		if (s.len <= n && !memcmp(s.s, versions[i], s.len))
			return SURE_MAYBE;
	}
	return SURE_NO;
}

static enum sure ssh_detect(const struct first *f)
{
	enum sure req = is_version(f->req), resp = is_version(f->resp);

	if (req == SURE_NO || resp == SURE_NO)
		return SURE_NO;
	return req == SURE_YES || resp == SURE_YES ? SURE_YES : SURE_MAYBE;
}

/* A packet that ends where the bytes end, or another version: all else is encrypted. */
static const uint8_t *ssh_resync(void *state, enum dir dir, struct cur in)
{
	const struct ssh *s = state;

	for (; cur_left(&in); in.p++) {
		struct cur c = in;
		uint32_t len = cur_be32(&c);
		unsigned int padding = cur_u8(&c), type = cur_u8(&c);

		if (s->done || s->keys[dir] || (!s->version[dir] && is_version(in) == SURE_YES))
			return in.p;
		if (s->version[dir] && !c.over && len == cur_left(&in) - 4 && padding >= 4 &&
		    is_message(type))
			return in.p;
	}
	return NULL;
}

static const struct proto_op ops[] = {
	{ "version of both sides", OP_PARSED },
	{ "SSH_MSG_NEWKEYS", OP_PARSED },
	{ "SSH_MSG_DISCONNECT during the handshake", OP_PARSED },
	{ "SSH_MSG_KEXINIT", OP_NAMED },
	{ "key exchange", OP_NAMED },
	{ "everything behind it", OP_UNKNOWN },
	{ NULL, OP_UNKNOWN },
};

const struct proto proto_ssh = {
	.name = "ssh",
	.title = "SSH: the handshake (RFC 4253)",
	.family = FAMILY_NAMED,
	.limits =
		"what is encrypted is counted, not read; a connection that was open before is not "
		"recognised",
	.ops = ops,
	.rules = { { .len = 4, .value = "SSH-", .mask = { 255, 255, 255, 255 } } },
	.ports = { 22 },
	.state_size = sizeof(struct ssh),
	.in_order = true,
	.detect = ssh_detect,
	.parse = ssh_parse,
	.resync = ssh_resync,
	.finish = ssh_finish,
};
