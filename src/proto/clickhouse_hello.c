// SPDX-License-Identifier: GPL-3.0-or-later
/* clickhouse_hello - how a connection begins: who is there, which revision both know. */
#include "proto/clickhouse.h"

enum { MAX_RULES = 64, MAX_SETTINGS = 4096 };

struct str clickhouse_str(struct cur *c, size_t limit)
{
	uint64_t len = cur_varint(c);

	if (len > limit)
		c->over = true;
	return cur_str(c, len > limit ? 0 : (size_t)len);
}

struct str clickhouse_word(struct cur *c, size_t limit, bool *bad)
{
	uint64_t len = cur_varint(c);
	struct cur at = *c;
	struct str s = cur_rest(&at, len < limit ? (size_t)len : limit);

	*bad |= len > limit;
	for (size_t i = 0; i < s.len && !*bad; i++)
		*bad = (uint8_t)s.s[i] < ' ' || s.s[i] == 0x7f;
	return cur_str(c, *bad ? 0 : (size_t)len);
}

static uint32_t version(struct cur *c, bool *bad)
{
	uint64_t revision;

	*bad |= cur_varint(c) > 9999; /* major, minor */
	*bad |= cur_varint(c) > 9999;
	revision = cur_varint(c);
	*bad |= !c->over && (revision < CH_REV_MIN || revision > CH_REV_LIMIT);
	return (uint32_t)revision;
}

bool clickhouse_client_hello(struct cur *c, uint32_t *revision, struct msg *out)
{
	bool bad = false;
	struct str name = clickhouse_word(c, 256, &bad), user;

	bad |= !c->over && (!name.len || str_is(name, "ClickHouse"));
	*revision = version(c, &bad);
	out->db = clickhouse_word(c, CH_NAME, &bad);
	user = clickhouse_word(c, CH_NAME, &bad);
	clickhouse_str(c, CH_NAME); /* password */
	if (c->over || bad)
		return !bad;
	out->kind = MSG_REQ;
	out->op = STR("HELLO");
	if (out->db.len)
		out->flags |= MSG_F_NEWDB_OK;
	else
		out->db = STR_NULL;
	if (user.len)
		msg_attr(out, ATTR_DB_USER, user);
	return true;
}

/* What has come with the revisions since 54461. */
static void newer(struct cur *c, uint32_t revision, bool *bad)
{
	if (revision >= CH_REV_PASSWORD_RULES) {
		uint64_t n = cur_varint(c);

		*bad |= n > MAX_RULES;
		for (; n && !*bad && !c->over; n--) {
			clickhouse_word(c, CH_NAME, bad);
			clickhouse_word(c, CH_NAME, bad);
		}
	}
	if (revision >= CH_REV_NONCE)
		cur_take(c, 8);
	for (unsigned int i = 0; revision >= CH_REV_SERVER_SETTINGS && !*bad && !c->over; i++) {
		if (!clickhouse_word(c, CH_NAME, bad).len)
			break;
		cur_varint(c);
		clickhouse_str(c, CH_NAME);
		*bad |= i == MAX_SETTINGS;
	}
	if (revision >= CH_REV_PLAN)
		cur_varint(c);
	if (revision >= CH_REV_CLUSTER)
		cur_varint(c);
}

/* The server says no more than the client knows. */
bool clickhouse_server_hello(struct clickhouse *s, struct cur *c, uint32_t *revision)
{
	bool bad = false;
	struct str name = clickhouse_word(c, 256, &bad);
	uint32_t both;

	*revision = both = version(c, &bad);
	bad |= !c->over && !name.len;
	if (s->client && s->client < both)
		both = s->client;
	if (both >= CH_REV_REPLICAS_VERSION)
		cur_varint(c);
	if (both >= CH_REV_TIMEZONE)
		clickhouse_word(c, 256, &bad);
	if (both >= CH_REV_DISPLAY_NAME)
		clickhouse_word(c, 256, &bad);
	if (both >= CH_REV_PATCH)
		cur_varint(c);
	if (both >= CH_REV_CHUNKED) {
		clickhouse_word(c, 32, &bad);
		clickhouse_word(c, 32, &bad);
	}
	newer(c, both, &bad);
	return !bad;
}

enum ch_step clickhouse_addendum(struct clickhouse *s, struct ch_in *in)
{
	uint32_t both = s->revision ? s->revision : s->client;
	struct cur c = in->c;
	bool bad = false;
	struct str sends = STR_NULL, reads = STR_NULL;

	s->side[DIR_REQ].phase = CH_PACKET;
	if (!cur_left(&c))
		return CH_MORE;
	if (both < CH_REV_ADDENDUM || (!s->revision && *c.p))
		return CH_ON;
	clickhouse_word(&c, CH_NAME, &bad); /* key of a quota */
	if (both >= CH_REV_CHUNKED) {
		sends = clickhouse_word(&c, 32, &bad);
		reads = clickhouse_word(&c, 32, &bad);
	}
	if (both >= CH_REV_REPLICAS_VERSION)
		cur_varint(&c);
	if (bad)
		return CH_WRONG;
	if (c.over)
		return CH_MORE;
	if (str_is(sends, "chunked"))
		s->side[DIR_REQ].phase = CH_OPAQUE;
	if (str_is(reads, "chunked"))
		s->side[DIR_RESP].phase = CH_OPAQUE;
	in->c = c;
	return CH_DONE;
}
