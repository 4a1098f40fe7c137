// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * tls - the handshake of TLS 1.0 to 1.3 and SSL 3.0; what follows is encrypted.
 *
 * A connection is one request: the handshake, from the ClientHello to the first
 * encrypted record of the side that ends it. With 1.3 that is the client's Finished
 * (RFC 8446 2), up to 1.2 the later one of both (RFC 5246 7.3). Application data of
 * the client that comes before the ServerHello is early data.
 *
 * With 1.3 the certificate, what ALPN chose and the alerts of a client that does not
 * trust are encrypted; that there was an alert shows in the length of the record.
 */
#include "proto/tls.h"

enum {
	RECORD_MAX = 16384 + 2048,
	ALERT_LEN = 2,
	ALERT_LEN_13 = 2 + 1 + 16, /* level, what; type; tag */
	LEVEL_FATAL = 2,
	WALK = 4,
};

/* ----- records ----- */

struct record {
	uint8_t type;
	uint16_t len;
};

static enum parse read_head(struct cur *c, struct record *r)
{
	size_t have = cur_left(c);
	uint8_t type = cur_u8(c), major = cur_u8(c), minor = cur_u8(c);

	*r = (struct record){ type, cur_be16(c) };
	if (!have)
		return PARSE_MORE;
	if (type < TLS_CHANGE_CIPHER || type > TLS_DATA || (have > 1 && major != 3) ||
	    (have > 2 && minor > 4))
		return PARSE_BAD;
	if (c->over)
		return PARSE_MORE;
	if (r->len > RECORD_MAX || (!r->len && type != TLS_DATA))
		return PARSE_BAD;
	return PARSE_OK;
}

/* ----- the end of the handshake ----- */

static void end(struct tls *s, enum dir dir, struct msg *out)
{
	s->done = true;
	out->kind = MSG_RESP;
	out->flags |= MSG_F_MUTE | (dir == DIR_REQ ? MSG_F_GIVEUP : 0);
}

static void fail(struct tls *s, enum dir dir, struct str why, struct msg *out)
{
	end(s, dir, out);
	out->error = out->server_error = true;
	out->error_type = why;
}

static const struct {
	uint8_t number;
	const char *name;
} alerts[] = {
#define TLS_ALERT(number, name) { number, #name },
#include "proto/tls_alerts.def"
#undef TLS_ALERT
};

static struct str alert_name(unsigned int n)
{
	for (size_t i = 0; i < sizeof(alerts) / sizeof(*alerts); i++)
		if (alerts[i].number == n)
			return str_of(alerts[i].name);
	return STR("unknown_alert");
}

/* A warning goes by, unless it says that nothing follows. */
static void alert(struct tls *s, enum dir dir, const struct record *r, struct cur c,
                  struct msg *out)
{
	unsigned int level = cur_u8(&c), what = cur_u8(&c);

	if (r->len != ALERT_LEN) {
		fail(s, dir, STR("encrypted_alert"), out);
		return;
	}
	if (c.over || (level != LEVEL_FATAL && what))
		return;
	fail(s, dir, alert_name(what), out);
	out->status = out->error_type;
	out->code = (int32_t)what;
	msg_attr(out, ATTR_TLS_ALERT_BY, dir == DIR_REQ ? STR("client") : STR("server"));
}

/* ----- parse ----- */

/* Messages of one record; c is what there is of its `len` bytes. */
static enum parse messages(struct tls *s, enum dir dir, struct cur c, size_t len, struct msg *out)
{
	size_t gone = len - cur_left(&c); /* bytes that are not here */

	if (s->left[dir]) {
		size_t n = s->left[dir] < cur_left(&c) ? s->left[dir] : cur_left(&c);

		c.p += n;
		if (s->left[dir] != UINT32_MAX)
			s->left[dir] -= (uint32_t)n;
	}
	while (cur_left(&c)) {
		unsigned int type = cur_u8(&c);
		size_t want = (size_t)cur_be(&c, 3), have;
		enum parse r;

		if (c.over) { /* the head of a message in two records */
			s->left[dir] = UINT32_MAX;
			break;
		}
		have = want < cur_left(&c) ? want : cur_left(&c);
		r = tls_message(s, dir, type, cur_of(c.p, have), out);
		if (r != PARSE_OK)
			return r;
		c.p += have;
		if (want > have + gone)
			s->left[dir] = (uint32_t)(want - have - gone);
	}
	return PARSE_OK;
}

static enum parse handshake(struct tls *s, enum dir dir, struct cur c, size_t len, struct msg *out)
{
	if (!s->changed[dir])
		return messages(s, dir, c, len, out);
	s->finished[dir] = true;
	if (s->finished[!dir] && s->hello)
		end(s, dir, out);
	return PARSE_OK;
}

/* Encrypted: the client's Finished of 1.3, or a connection that was open before. */
static void data(struct tls *s, enum dir dir, size_t len, struct msg *out)
{
	if (!s->hello) {
		s->done = true;
		out->flags |= MSG_F_MUTE;
	} else if (s->answered && dir == DIR_REQ) {
		end(s, dir, out);
		if (len == ALERT_LEN_13)
			fail(s, dir, STR("encrypted_alert"), out);
	} else if (s->answered && s->version < TLS_VERSION_13) {
		end(s, dir, out); /* something in between was not seen */
	}
}

static enum parse take(struct tls *s, enum dir dir, struct cur *c, struct msg *out)
{
	size_t room = PROTO_HEAD - TLS_HEAD;
	struct record rec;
	enum parse r = read_head(c, &rec);
	struct str body;

	if (r != PARSE_OK)
		return r;
	if (cur_left(c) < (rec.len < room ? rec.len : room) && !c->cut)
		return PARSE_MORE;
	body = cur_rest(c, rec.len < room ? rec.len : room);
	out->skip = rec.len - body.len;
	switch (rec.type) {
	case TLS_CHANGE_CIPHER:
		s->changed[dir] = s->answered && s->version < TLS_VERSION_13;
		break;
	case TLS_ALERTS:
		alert(s, dir, &rec, cur_of(body.s, body.len), out);
		break;
	case TLS_HANDSHAKE:
		r = handshake(s, dir, cur_of(body.s, body.len), rec.len, out);
		break;
	default:
		data(s, dir, rec.len, out);
	}
	return r;
}

/* Nobody reads the rest, and after the end of a connection nothing follows. */
static enum parse rest(struct cur *in, struct msg *out)
{
	*out = MSG_INIT;
	out->skip = UINT64_MAX;
	in->p++;
	return PARSE_OK;
}

/* The server speaks something else: an answer of a server without TLS. */
static enum parse no_tls(struct tls *s, struct cur *in, struct msg *out)
{
	*out = MSG_INIT;
	fail(s, DIR_RESP, STR("no_tls"), out);
	in->p++;
	return PARSE_OK;
}

static enum parse tls_parse(void *state, enum dir dir, struct cur *in, struct msg *out)
{
	struct tls *s = state, was = *s;
	struct msg m = MSG_INIT;
	struct cur c = *in;
	enum parse r;

	if (!cur_left(in))
		return in->cut ? PARSE_BAD : PARSE_MORE;
	if (s->done)
		return rest(in, out);
	r = take(s, dir, &c, &m);
	if (r == PARSE_OK) {
		*out = m;
		in->p = c.p;
		return r;
	}
	*s = was;
	if (r == PARSE_BAD && dir == DIR_RESP && s->hello && !s->answered && !s->retried)
		return no_tls(s, in, out);
	return r == PARSE_MORE && in->cut ? PARSE_BAD : r;
}

/* A connection that ends during its handshake has failed. */
static bool tls_finish(void *state, bool over, struct msg *out)
{
	struct tls *s = state;

	if (!s->hello || s->done || !over)
		return false;
	*out = MSG_INIT;
	fail(s, DIR_REQ, STR("closed"), out);
	return true;
}

/* ----- detection, and the place after lost bytes ----- */

/* Records of application data that follow upon each other; *exact: to the end. */
static unsigned int walk(struct cur c, bool *exact)
{
	struct record r;
	unsigned int n = 0;

	*exact = false;
	while (n < WALK && cur_left(&c) >= TLS_HEAD && c.p[0] == TLS_DATA && c.p[1] == 3 &&
	       c.p[2] == 3 && read_head(&c, &r) == PARSE_OK && r.len > 16 &&
	       cur_left(&c) >= r.len) {
		c.p += r.len;
		n++;
	}
	*exact = n && !cur_left(&c);
	return n;
}

/* Where encrypted records begin; NULL: nowhere. */
static const uint8_t *records(struct cur in)
{
	for (; cur_left(&in) >= TLS_HEAD; in.p++) {
		bool exact;
		unsigned int n;

		if (in.p[0] != TLS_DATA || in.p[1] != 3 || in.p[2] != 3)
			continue;
		n = walk(in, &exact);
		if (n >= WALK || (n >= 2 && exact))
			return in.p;
	}
	return NULL;
}

static enum sure tls_detect(const struct first *f)
{
	enum sure req = cur_left(&f->req) ? tls_is_hello(f->req, TLS_CLIENT_HELLO) : SURE_MAYBE;
	enum sure resp = cur_left(&f->resp) ? tls_is_hello(f->resp, TLS_SERVER_HELLO) : SURE_MAYBE;

	if (req == SURE_YES)
		return SURE_YES;
	if (resp == SURE_YES && (req == SURE_MAYBE || !f->from_start))
		return SURE_YES;
	if (f->from_start)
		return req < resp ? req : resp;
	if (records(f->req) || records(f->resp))
		return SURE_YES;
	return SURE_MAYBE;
}

static const uint8_t *tls_resync(void *state, enum dir dir, struct cur in)
{
	const struct tls *s = state;

	if (s->done)
		return cur_left(&in) ? in.p : NULL;
	for (struct cur c = in; cur_left(&c); c.p++) {
		struct cur at = c;
		struct record r;

		if (tls_is_hello(c, dir == DIR_REQ ? TLS_CLIENT_HELLO : TLS_SERVER_HELLO) ==
		    SURE_YES)
			return c.p;
		/* after the hello of this connection any record will do that ends where the bytes end */
		if (s->hello && c.p[0] >= TLS_CHANGE_CIPHER && c.p[0] <= TLS_DATA &&
		    read_head(&at, &r) == PARSE_OK && cur_left(&at) == r.len)
			return c.p;
	}
	return records(in);
}

static const struct proto_op ops[] = {
	{ "handshake (client_hello, server_hello)", OP_PARSED },
	{ "certificate up to TLS 1.2", OP_PARSED },
	{ "server_key_exchange", OP_PARSED },
	{ "change_cipher_spec", OP_PARSED },
	{ "finished", OP_PARSED },
	{ "alert during the handshake", OP_PARSED },
	{ "certificate of TLS 1.3", OP_UNKNOWN },
	{ "application_data", OP_NAMED },
	{ "early data", OP_NAMED },
	{ NULL, OP_UNKNOWN },
};

#define HELLO(type)                                                               \
	{                                                                         \
		.len = 6, .value = { TLS_HANDSHAKE, 3, 0, 0, 0, type }, .mask = { \
			255,                                                      \
			255,                                                      \
			0xfc,                                                     \
			0,                                                        \
			0,                                                        \
			255                                                       \
		}                                                                 \
	}

const struct proto proto_tls = {
	.name = "tls",
	.title = "TLS 1.0 to 1.3, SSL 3.0: the handshake (RFC 8446, 5246)",
	.family = FAMILY_NAMED,
	.limits =
		"what is encrypted is counted, not read: with 1.3 also the certificate, what ALPN "
		"chose and most alerts; no DTLS, no handshake of SSL 2.0; a renegotiation is not "
		"shown",
	.ops = ops,
	.rules = { HELLO(TLS_CLIENT_HELLO), HELLO(TLS_SERVER_HELLO) },
	.ports = { 443, 8443, 465, 636 },
	.state_size = sizeof(struct tls),
	.in_order = true,
	.detect = tls_detect,
	.parse = tls_parse,
	.resync = tls_resync,
	.finish = tls_finish,
};
