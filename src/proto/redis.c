// SPDX-License-Identifier: GPL-3.0-or-later
/* redis - Redis and its kin (RESP2, RESP3): detection, and the place after lost bytes. */
#include "proto/redis.h"

_Static_assert(sizeof(struct redis) <= 512, "state of an idle connection");

static enum parse redis_parse(void *state, enum dir dir, struct cur *in, struct msg *out)
{
	struct redis *s = state;
	struct msg m = MSG_INIT;
	struct cur c = *in;
	enum parse r;

	if (!cur_left(&c))
		return c.cut ? PARSE_BAD : PARSE_MORE;
	if (cur_left(&c) > PROTO_HEAD) { /* a message is the same however much stands behind it */
		c.end = c.p + PROTO_HEAD;
		c.cut = false;
	}
	if (s->opaque) {
		m.skip = UINT64_MAX;
		*out = m;
		in->p = c.p + 1;
		return PARSE_OK;
	}
	r = dir == DIR_REQ ? redis_req_command(s, &c, &m) : redis_resp_reply(s, &c, &m);
	if (r == PARSE_MORE && c.cut)
		return PARSE_BAD;
	if (r != PARSE_OK)
		return r;
	*out = m;
	in->p = c.p;
	return PARSE_OK;
}

/* ----- detection ----- */

enum fit { FIT_NO, FIT_SHORT, FIT_FORM, FIT_NAME };

/* A type byte of this set, then a number in its line. */
static enum fit header(struct cur *c, const char *types, int64_t *n)
{
	uint8_t type;
	enum parse r;

	if (!cur_left(c))
		return FIT_SHORT;
	type = cur_u8(c);
	if (!type || !strchr(types, type))
		return FIT_NO;
	r = redis_number(c, n);
	return r == PARSE_OK ? FIT_FORM : r == PARSE_MORE ? FIT_SHORT : FIT_NO;
}

/*
 * The arguments after the name: strings, in a command; a reply that begins with
 * a word like a command's ("subscribe") goes on with something else.
 */
static bool only_strings(struct cur c, int64_t n)
{
	int64_t len = 0;

	cur_take(&c, 2);
	for (int64_t i = 0; i < n && i < 16 && cur_left(&c) && !c.over; i++) {
		enum fit f = header(&c, "$", &len);

		if (f != FIT_FORM || len < 0)
			return f == FIT_SHORT;
		cur_take(&c, (size_t)len + 2);
	}
	return true;
}

/* *n, $len, and a word that begins with a letter; FIT_NAME where it is a known command. */
static enum fit command(struct cur c)
{
	int64_t n = 0, len = 0;
	struct str name;
	enum fit f = header(&c, "*", &n);

	if (f != FIT_FORM || n < 1)
		return f == FIT_SHORT ? f : FIT_NO;
	f = header(&c, "$", &len);
	if (f != FIT_FORM || len < 1 || len > 64)
		return f == FIT_SHORT ? f : FIT_NO;
	if (cur_left(&c) < (size_t)len)
		return FIT_SHORT;
	name = cur_str(&c, (size_t)len);
	if (!only_strings(c, n - 1))
		return FIT_NO;
	if (redis_text_find(name))
		return FIT_NAME;
	for (size_t i = 0; i < name.len; i++)
		if (name.s[i] < '-' || name.s[i] > 'z')
			return FIT_NO;
	return (name.s[0] | 0x20) >= 'a' ? FIT_FORM : FIT_NO;
}

static bool text_line(struct cur c)
{
	struct str s = cur_line(&c);

	if (c.over || (const uint8_t *)s.s + s.len + 2 != c.p)
		return false;
	for (size_t i = 0; i < s.len; i++)
		if ((unsigned char)s.s[i] < ' ')
			return false;
	return true;
}

/* The head of a reply: whole lines only. */
static bool replies(struct cur c)
{
	int64_t n = 0;
	char type = cur_left(&c) ? (char)*c.p : 0;
	struct cur rest = c;

	switch (type) {
	case '+':
		c.p++;
		return text_line(c) && c.p[0] > ' ';
	case '-': /* an error begins with its kind, ERR, say */
		c.p++;
		return text_line(c) && c.p[0] >= 'A' && c.p[0] <= 'Z';
	case ':':
		return header(&c, ":", &n) == FIT_FORM;
	case '_':
		return cur_left(&c) >= 3 && !memcmp(c.p, "_\r\n", 3);
	case '$':
	case '=':
		return header(&c, "$=", &n) == FIT_FORM && n >= -1;
	case '*':
	case '~':
	case '%':
	case '>':
		if (header(&rest, "*~%>", &n) != FIT_FORM || n < -1)
			return false;
		return n < 1 || !cur_left(&rest) || memchr("+-:$*_#,(=~%", *rest.p, 12);
	default:
		return false;
	}
}

/* An inline command of a known name, as people type it. */
static bool types(struct cur c)
{
	struct str s = cur_line(&c);
	size_t n = 0;

	while (n < s.len && s.s[n] > ' ' && s.s[n] <= 'z')
		n++;
	if (s.len > 9 && !memcmp(s.s + s.len - 9, " HTTP/1.", 8))
		return false;
	return !c.over && n && (n == s.len || s.s[n] == ' ') && n < REDIS_NAME &&
	       redis_text_find(str_head(s, n)) &&
	       text_line((struct cur){ .p = (const uint8_t *)s.s, .end = c.p });
}

static enum sure redis_detect(const struct first *f)
{
	enum fit req = command(f->req);
	bool asked = cur_left(&f->req), replied = cur_left(&f->resp);

	/* A subscriber that was joined in the middle may say nothing for hours. */
	if (!asked)
		return replied && !f->from_start && replies(f->resp) ? SURE_MAYBE : SURE_NO;
	if (req == FIT_NAME)
		return replied && command(f->resp) == FIT_NAME ? SURE_LIKELY : SURE_YES;
	if (req == FIT_SHORT)
		return SURE_MAYBE;
	if (req == FIT_FORM)
		return replied && replies(f->resp) ? SURE_YES : SURE_MAYBE;
	return replied && types(f->req) && replies(f->resp) ? SURE_LIKELY : SURE_NO;
}

/* ----- after lost bytes ----- */

static void forget(struct redis *s, enum dir dir)
{
	if (dir == DIR_REQ) {
		s->args = 0;
		s->in_line = false;
		return;
	}
	s->left = 0;
	s->depth = 0;
	s->in_push = false;
	s->waiting = 0;
	s->count = 0;
}

static const uint8_t *redis_resync(void *state, enum dir dir, struct cur in)
{
	struct redis *s = state;
	const uint8_t *begin = in.p;

	if (s->opaque)
		return cur_left(&in) ? in.p : NULL;
	forget(s, dir);
	for (; cur_left(&in); in.p++) {
		bool line = in.p == begin || in.p[-1] == '\n';

		if (line && (dir == DIR_REQ ? command(in) >= FIT_FORM : replies(in)))
			return in.p;
	}
	return NULL;
}

/* ----- the protocol ----- */

static const struct proto_op ops[] = {
#define REDIS_COMMAND(name, shape, n, act) { name, OP_PARSED },
#include "proto/redis_commands.def"
#undef REDIS_COMMAND
	{ NULL, OP_UNKNOWN },
};

/* clang-format off */
const struct proto proto_redis = {
	.name = "redis",
	.title = "Redis, Valkey and their kin: RESP2, RESP3, inline commands",
	.family = FAMILY_KV,
	.system = "redis",
	.limits = "replication streams are named, not read; values are never kept; commands of "
	          "modules show their first argument only",
	.ops = ops,
	.rules = {
		{ .off = 0, .len = 5, .value = "*0\r\n$", .mask = { 255, 0xf0, 255, 255, 255 } },
		{ .off = 0, .len = 6, .value = "*00\r\n$", .mask = { 255, 0xf0, 0xf0, 255, 255, 255 } },
		{ .off = 0, .len = 7, .value = "*000\r\n$",
		  .mask = { 255, 0xf0, 0xf0, 0xf0, 255, 255, 255 } },
	},
	.ports = { 6379 },
	.state_size = sizeof(struct redis),
	.in_order = true,
	.full_payload = true,
	.detect = redis_detect,
	.parse = redis_parse,
	.resync = redis_resync,
};
/* clang-format on */
