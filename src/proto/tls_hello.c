// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * tls_hello - messages of the handshake of TLS (RFC 8446, RFC 5246): what the client
 * offers, what the server chose.
 */
#include "proto/tls.h"

enum {
	EXT_SERVER_NAME = 0,
	EXT_ALPN = 16,
	EXT_PSK = 41,
	EXT_VERSIONS = 43,
	EXT_KEY_SHARE = 51,
	NAMED_CURVE = 3,
};

static const struct {
	uint16_t number;
	const char *name;
} ciphers[] = {
#define TLS_CIPHER(number, name) { number, #name },
#include "proto/tls_ciphers.def"
#undef TLS_CIPHER
},
  curves[] = {
	  { 23, "secp256r1" },
	  { 24, "secp384r1" },
	  { 25, "secp521r1" },
	  { 29, "x25519" },
	  { 30, "x448" },
	  { 256, "ffdhe2048" },
	  { 257, "ffdhe3072" },
	  { 258, "ffdhe4096" },
	  { 4587, "SecP256r1MLKEM768" },
	  { 4588, "X25519MLKEM768" },
	  { 4589, "SecP384r1MLKEM1024" },
	  { 25497, "X25519Kyber768Draft00" },
  };

/* "0x1A2B" */
static struct str hex(unsigned int n, char to[8])
{
	static const char digits[] = "0123456789ABCDEF";

	memcpy(to, "0x", 2);
	for (int i = 0; i < 4; i++)
		to[2 + i] = digits[n >> (12 - 4 * i) & 15];
	return (struct str){ to, 6 };
}

static struct str cipher_name(struct tls *s, unsigned int n)
{
	for (size_t i = 0; i < sizeof(ciphers) / sizeof(*ciphers); i++)
		if (ciphers[i].number == n)
			return str_of(ciphers[i].name);
	return hex(n, s->cipher);
}

static struct str curve_name(struct tls *s, unsigned int n)
{
	for (size_t i = 0; i < sizeof(curves) / sizeof(*curves); i++)
		if (curves[i].number == n)
			return str_of(curves[i].name);
	return hex(n, s->curve);
}

static struct str version_name(unsigned int v)
{
	static const char *const names[] = { "3.0", "1.0", "1.1", "1.2", "1.3" };

	return v >> 8 == 3 && (v & 0xff) < 5 ? str_of(names[v & 0xff]) : STR_NULL;
}

static struct cur part(struct cur *c, size_t n)
{
	struct str s = cur_rest(c, n);

	return cur_of(s.s, s.len);
}

/* The next extension; false: none, or not all of it is there. */
static bool extension(struct cur *list, unsigned int *type, struct cur *body)
{
	size_t len;

	if (!cur_left(list))
		return false;
	*type = cur_be16(list);
	len = cur_be16(list);
	if (list->over || cur_left(list) < len)
		return false;
	*body = part(list, len);
	return true;
}

/* ----- ClientHello ----- */

static void server_name(struct cur c, struct msg *out)
{
	struct str name;

	cur_be16(&c);
	if (cur_u8(&c)) /* of a host: the only kind that there is */
		return;
	name = cur_str(&c, cur_be16(&c));
	if (c.over || !name.len)
		return;
	out->target = name;
	msg_attr(out, ATTR_SERVER_ADDRESS, name);
}

/* "h2,http/1.1" */
static void offered(struct tls *s, struct cur c, struct msg *out)
{
	size_t n = 0;

	cur_be16(&c);
	while (cur_left(&c)) {
		struct str name = cur_str(&c, cur_u8(&c));

		if (c.over || n + name.len + 1 > sizeof(s->offered))
			break;
		if (n)
			s->offered[n++] = ',';
		memcpy(s->offered + n, name.s, name.len);
		n += name.len;
	}
	if (n)
		msg_attr(out, ATTR_TLS_OFFERED, (struct str){ s->offered, n });
}

static void client_hello(struct tls *s, struct cur c, struct msg *out)
{
	struct str session;
	struct cur list, body;
	unsigned int type;

	cur_take(&c, 2 + TLS_RANDOM);
	session = cur_str(&c, cur_u8(&c));
	s->session = session.len ? str_hash(session.s, session.len) : 0;
	cur_take(&c, cur_be16(&c));
	cur_take(&c, cur_u8(&c));
	list = part(&c, cur_be16(&c));
	while (extension(&list, &type, &body)) {
		if (type == EXT_SERVER_NAME)
			server_name(body, out);
		else if (type == EXT_ALPN)
			offered(s, body, out);
	}
	out->op = STR("handshake");
	if (c.over)
		out->flags |= MSG_F_CUT;
}

/* ----- ServerHello ----- */

/* SHA-256 of "HelloRetryRequest", in the place of the random bytes. */
static bool is_retry(const uint8_t *random)
{
	static const uint8_t retry[TLS_RANDOM] = {
		0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c,
		0x02, 0x1e, 0x65, 0xb8, 0x91, 0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb,
		0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
	};

	return random && !memcmp(random, retry, TLS_RANDOM);
}

static void chosen(struct tls *s, unsigned int type, struct cur c, bool *psk, struct msg *out)
{
	switch (type) {
	case EXT_VERSIONS:
		s->version = cur_be16(&c);
		break;
	case EXT_KEY_SHARE:
		msg_attr(out, ATTR_TLS_CURVE, curve_name(s, cur_be16(&c)));
		break;
	case EXT_ALPN:
		cur_be16(&c);
		msg_attr(out, ATTR_TLS_ALPN, cur_str(&c, cur_u8(&c)));
		break;
	case EXT_PSK:
		*psk = true;
		break;
	default:
		break;
	}
}

static void server_hello(struct tls *s, struct cur c, struct msg *out)
{
	unsigned int version = cur_be16(&c), type, cipher;
	const uint8_t *random = cur_take(&c, TLS_RANDOM);
	struct str session = cur_str(&c, cur_u8(&c));
	struct cur list, body;
	bool resumed = false;

	if (is_retry(random)) {
		s->retried = true;
		return;
	}
	s->version = (uint16_t)version;
	cipher = cur_be16(&c);
	cur_u8(&c); /* compression */
	if (c.over) {
		out->flags |= MSG_F_CUT;
		return;
	}
	list = part(&c, cur_be16(&c));
	while (extension(&list, &type, &body))
		chosen(s, type, body, &resumed, out);
	if (s->version != TLS_VERSION_13)
		resumed = s->session && session.len &&
		          s->session == str_hash(session.s, session.len);
	s->answered = true;
	out->kind = MSG_INTERIM;
	msg_attr(out, ATTR_TLS_PROTOCOL, s->version > 0x0300 ? STR("tls") : STR("ssl"));
	msg_attr(out, ATTR_TLS_VERSION, version_name(s->version));
	msg_attr(out, ATTR_TLS_CIPHER, cipher_name(s, cipher));
	msg_attr_num(out, ATTR_TLS_RESUMED, resumed);
}

/* ----- messages ----- */

enum parse tls_message(struct tls *s, enum dir dir, unsigned int type, struct cur in,
                       struct msg *out)
{
	switch (type) {
	case TLS_CLIENT_HELLO:
		if (dir == DIR_RESP)
			return PARSE_BAD;
		if (s->hello)
			break; /* the second, which the server has asked for */
		s->hello = true;
		out->kind = MSG_REQ;
		client_hello(s, in, out);
		break;
	case TLS_SERVER_HELLO:
		if (dir == DIR_REQ)
			return PARSE_BAD;
		if (!s->answered)
			server_hello(s, in, out);
		break;
	case TLS_CERTIFICATE:
		if (dir == DIR_RESP && s->answered && s->version < TLS_VERSION_13) {
			out->kind = MSG_INTERIM;
			tls_certificate(s, in, out);
		}
		break;
	case TLS_SERVER_KEY:
		if (dir == DIR_RESP && cur_u8(&in) == NAMED_CURVE && cur_left(&in) >= 2) {
			out->kind = MSG_INTERIM;
			msg_attr(out, ATTR_TLS_CURVE, curve_name(s, cur_be16(&in)));
		}
		break;
	default:
		break;
	}
	return PARSE_OK;
}

/* ----- detection ----- */

/* Whether what there is of the message says SSL 3.0 to TLS 1.3. */
enum sure tls_is_hello(struct cur in, enum tls_message type)
{
	uint8_t record = cur_u8(&in), major = cur_u8(&in), minor = cur_u8(&in);
	uint64_t len = cur_be16(&in), rest, session, suites;

	if (!in.over && (minor > 3 || len < 4 || len > 16384))
		return SURE_NO;
	if (record != TLS_HANDSHAKE || (major != 3 && !in.over))
		return SURE_NO;
	record = cur_u8(&in);
	rest = cur_be(&in, 3);
	major = cur_u8(&in);
	minor = cur_u8(&in);
	if (in.over)
		return SURE_MAYBE;
	if (record != type || rest < 2 + TLS_RANDOM + 1 || rest > UINT16_MAX || major != 3 ||
	    minor > 3)
		return SURE_NO;
	cur_take(&in, TLS_RANDOM);
	session = cur_u8(&in);
	if (!in.over && session > 32)
		return SURE_NO;
	cur_take(&in, (size_t)session);
	suites = cur_be16(&in);
	if (in.over)
		return SURE_MAYBE;
	if (type == TLS_CLIENT_HELLO && (!suites || suites & 1 || suites > rest))
		return SURE_NO;
	return SURE_YES;
}
