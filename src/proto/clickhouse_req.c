// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * clickhouse_req - what clients send.
 *
 * A query says who asks, settings, and its text, in a layout that differs from
 * revision to revision. Where the server's hello has not been seen each of them is
 * tried, the newest first: a layout that is not the right one leads to texts that
 * cannot be printed or numbers that there are not.
 */
#include "proto/clickhouse.h"
#include "proto/sql.h"

enum { FROM_TCP = 1, FROM_HTTP = 2 };
enum { MAX_SETTINGS = 1024, STAGES = 5 };

/* One revision of each layout. */
static const uint32_t layouts[] = {
	CH_REV_MAX,       CH_REV_JWT - 1,      CH_REV_LINES - 1,      CH_REV_ROLES - 1,
	CH_REV_ADDENDUM,  CH_REV_REPLICAS - 1, CH_REV_START_TIME - 1, CH_REV_DEPTH - 1,
	CH_REV_TRACE - 1, CH_REV_SECRET - 1,   CH_REV_SETTINGS - 1,   CH_REV_PATCH - 1,
};

enum { LAYOUTS = sizeof(layouts) / sizeof(*layouts) };

struct query {
	struct str id, text, state;
	uint64_t text_len;
	uint32_t revision, client; /* layout; what the client says of itself */
	bool bad, compressed, traced;
	uint8_t trace[16], span[8], flags;
};

/* ----- who asks ----- */

/* Numbers of eight bytes each, their last byte first. */
static void backwards(struct cur *c, uint8_t *to, size_t n)
{
	const uint8_t *p = cur_take(c, n);

	for (size_t i = 0; p && i < n; i++)
		to[i] = p[(i & ~(size_t)7) + 7 - (i & 7)];
}

static void trace(struct cur *c, struct query *q)
{
	uint8_t has = cur_u8(c);

	q->bad |= has > 1;
	if (!has || q->bad)
		return;
	backwards(c, q->trace, sizeof(q->trace));
	backwards(c, q->span, sizeof(q->span));
	q->state = clickhouse_word(c, CH_NAME, &q->bad);
	q->flags = cur_u8(c);
	q->traced = !c->over;
}

/* The program that asks, where it speaks this protocol itself; else the one that asked it. */
static void program(struct cur *c, struct query *q, uint8_t by)
{
	uint64_t revision;

	if (by == FROM_HTTP) {
		cur_u8(c); /* method */
		clickhouse_word(c, CH_NAME, &q->bad);
		if (q->revision >= CH_REV_FORWARDED)
			clickhouse_word(c, CH_NAME, &q->bad);
		if (q->revision >= CH_REV_REFERER)
			clickhouse_word(c, CH_NAME, &q->bad);
		return;
	}
	for (int i = 0; i < 3; i++) /* user, host, program */
		clickhouse_word(c, CH_NAME, &q->bad);
	q->bad |= cur_varint(c) > 9999;
	q->bad |= cur_varint(c) > 9999;
	revision = cur_varint(c);
	q->bad |= !c->over && (revision < CH_REV_MIN || revision > CH_REV_LIMIT);
	q->client = (uint32_t)revision;
}

static void client_info(struct cur *c, struct query *q)
{
	uint8_t kind = cur_u8(c), by;
	struct str from;

	q->bad |= kind > 2;
	if (!kind)
		return;
	clickhouse_word(c, CH_NAME, &q->bad); /* first user, his query's id */
	clickhouse_word(c, CH_NAME, &q->bad);
	from = clickhouse_word(c, CH_NAME, &q->bad);
	q->bad |= !c->over && from.len && !memchr(from.s, ':', from.len);
	if (q->revision >= CH_REV_START_TIME)
		cur_take(c, 8);
	by = cur_u8(c);
	q->bad |= !c->over && by != FROM_TCP && by != FROM_HTTP;
	if (q->bad)
		return;
	program(c, q, by);
	if (q->revision >= CH_REV_QUOTA_KEY)
		clickhouse_word(c, CH_NAME, &q->bad);
	if (q->revision >= CH_REV_DEPTH)
		q->bad |= cur_varint(c) > 255;
	if (q->revision >= CH_REV_PATCH && by == FROM_TCP)
		cur_varint(c);
	if (q->revision >= CH_REV_TRACE)
		trace(c, q);
	for (int i = 0; i < 3 && q->revision >= CH_REV_REPLICAS; i++)
		cur_varint(c);
	for (int i = 0; i < 2 && q->revision >= CH_REV_LINES; i++)
		cur_varint(c);
	if (q->revision >= CH_REV_JWT) {
		uint8_t has = cur_u8(c);

		q->bad |= has > 1;
		if (has)
			clickhouse_word(c, PROTO_HEAD / 2, &q->bad);
	}
}

/* ----- settings ----- */

static bool is_name(struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.",
		            s.s[i]) ||
		    !s.s[i])
			return false;
	return s.len > 0;
}

/* Behind a setting stands another one, or none and the way to a text. */
static enum sure goes_on(struct cur c)
{
	bool bad = false;
	struct str key = clickhouse_word(&c, CH_NAME, &bad);

	if (key.len)
		bad |= !is_name(key) || key.len < 3;
	else
		bad |= cur_varint(&c) >= STAGES || cur_varint(&c) > 1 ||
		       (!cur_varint(&c) && !c.over);
	return bad ? SURE_NO : c.over ? SURE_MAYBE : SURE_YES;
}

/* Before 54429 only the setting's name tells whether it is a number or a text. */
static void untyped(struct cur *c, struct query *q)
{
	struct cur number = *c;
	enum sure is;

	cur_varint(&number);
	is = number.over ? SURE_MAYBE : goes_on(number);
	if (is == SURE_NO)
		clickhouse_word(c, CH_NAME, &q->bad);
	else
		*c = number;
	c->over |= is == SURE_MAYBE;
}

static bool is_text(struct str s)
{
	for (size_t i = 0; i < s.len && i < 32; i++)
		if ((uint8_t)s.s[i] < ' ' && !strchr("\n\r\t", s.s[i]))
			return false;
	return s.len > 0;
}

static void value(struct cur *c, struct query *q)
{
	uint64_t len = cur_varint(c);
	struct cur at = *c;

	q->bad |= len > PROTO_HEAD || (len && !is_text(cur_rest(&at, (size_t)len)) && cur_left(c));
	cur_take(c, q->bad ? 0 : (size_t)len);
}

static void settings(struct cur *c, struct query *q, bool typed)
{
	for (unsigned int i = 0; !c->over && !q->bad; i++) {
		struct str key = clickhouse_word(c, CH_NAME, &q->bad);

		if (!key.len)
			return;
		q->bad |= !is_name(key) || i == MAX_SETTINGS;
		if (typed) {
			q->bad |= cur_varint(c) > 255;
			value(c, q);
		} else {
			untyped(c, q);
		}
	}
}

/* ----- a query ----- */

/* Up to the text, or as far as it is there. */
static void read_query(struct cur *c, struct query *q)
{
	q->id = clickhouse_word(c, CH_NAME, &q->bad);
	client_info(c, q);
	if (q->bad || c->over)
		return;
	settings(c, q, q->revision >= CH_REV_SETTINGS);
	if (q->revision >= CH_REV_ROLES)
		clickhouse_str(c, CH_NAME);
	if (q->revision >= CH_REV_SECRET)
		clickhouse_str(c, 64);
	q->bad |= cur_varint(c) >= STAGES;
	q->compressed = cur_u8(c);
	q->bad |= !c->over && c->p[-1] > 1;
	q->text_len = cur_varint(c);
	q->bad |= !c->over && (!q->text_len || q->text_len > CH_LIMIT);
	if (c->over || q->bad)
		return;
	q->text = cur_rest(c, (size_t)q->text_len);
	q->bad |= q->text.len && !is_text(q->text);
}

/* SURE_NO: not in this layout; SURE_MAYBE: not all there. */
static enum sure fits(struct cur *c, uint32_t revision, bool alone, bool full, struct query *q)
{
	*q = (struct query){ .revision = revision };
	read_query(c, q);
	if (q->bad)
		return SURE_NO;
	if (c->over)
		return SURE_MAYBE;
	if (q->text.len < q->text_len)
		return full ? SURE_YES : SURE_MAYBE;
	if (revision >= CH_REV_PARAMETERS)
		settings(c, q, true);
	if (q->bad)
		return SURE_NO;
	if (c->over && !full)
		return SURE_MAYBE;
	if (!alone || c->over)
		return SURE_YES;
	/* what tells layouts apart: a query is always followed by a block */
	if (!cur_left(c))
		return full ? SURE_YES : SURE_MAYBE;
	return *c->p == CH_C_DATA ? SURE_YES : SURE_NO;
}

/* The newest layout that fits. */
static enum sure guess(struct cur *c, bool full, struct query *q)
{
	bool maybe = false;

	for (size_t i = 0; i < LAYOUTS; i++) {
		struct cur at = *c;
		enum sure is = fits(&at, layouts[i], true, full, q);

		maybe |= is == SURE_MAYBE;
		if (is != SURE_YES)
			continue;
		*c = at;
		return SURE_YES;
	}
	return maybe ? SURE_MAYBE : SURE_NO;
}

enum sure clickhouse_is_query(struct cur c)
{
	struct cur at = c;
	struct query q;
	bool bad = false;

	/* what is alike in every layout first: most places in other bytes go no further */
	clickhouse_word(&at, CH_NAME, &bad);
	if (bad || (!at.over && cur_left(&at) && *at.p > 2))
		return SURE_NO;
	return guess(&c, cur_left(&c) >= PROTO_HEAD - 1, &q);
}

static void put_hex(char *to, const uint8_t *from, size_t n)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < n; i++) {
		*to++ = digits[from[i] >> 4];
		*to++ = digits[from[i] & 15];
	}
}

static void put_trace(struct clickhouse *s, const struct query *q, struct msg *out)
{
	char *p = s->trace;

	memcpy(p, "00-", 3);
	put_hex(p + 3, q->trace, 16);
	p[35] = '-';
	put_hex(p + 36, q->span, 8);
	p[52] = '-';
	put_hex(p + 53, &q->flags, 1);
	out->traceparent = (struct str){ p, CH_TRACE };
	out->tracestate = q->state;
}

/* A request: what was known of the one before is forgotten. */
static void begin(struct clickhouse *s, struct str op, struct msg *out)
{
	out->kind = MSG_REQ;
	out->op = op;
	out->id = ++s->serial;
	s->sum = (struct ch_totals){ 0 };
	*s->type = 0;
}

static void say(struct clickhouse *s, const struct query *q, struct msg *out)
{
	struct str op = sql_op(q->text, SQL_CLICKHOUSE);

	begin(s, op.len ? op : STR("QUERY"), out);
	out->target = q->text;
	if (q->id.len)
		msg_attr(out, ATTR_CLICKHOUSE_QUERY_ID, q->id);
	if (q->traced)
		put_trace(s, q, out);
	else
		out->traceparent = sql_traceparent(q->text, SQL_CLICKHOUSE);
	s->sum.inserts = str_is(op, "INSERT");
	s->side[DIR_REQ].packet = CH_C_QUERY;
}

/* Layouts that differ in settings alone look the same where there are none: until they do not. */
static void learn(struct clickhouse *s, const struct query *q)
{
	s->revision = q->client && q->client < q->revision ? q->client : q->revision;
	s->guessed = true;
}

static enum ch_step query(struct clickhouse *s, struct ch_in *in, struct cur c, struct msg *out)
{
	struct query q;
	struct cur at = c;
	enum sure is = SURE_NO;

	if (s->revision)
		is = fits(&at, s->revision, s->guessed, in->full, &q);
	if (is == SURE_NO && (s->guessed || !s->revision)) {
		at = c;
		is = guess(&at, in->full, &q);
		if (is == SURE_YES)
			learn(s, &q);
	}
	if (is != SURE_YES)
		return is == SURE_MAYBE ? CH_MORE : CH_WRONG;
	say(s, &q, out);
	in->c.p = at.p;
	if (q.text.len < q.text_len) {
		out->flags |= MSG_F_CUT;
		in->skip = q.text_len - q.text.len;
		if (q.revision >= CH_REV_PARAMETERS)
			s->side[DIR_REQ].phase = CH_PARAMETERS;
	}
	return CH_DONE;
}

/* ----- others ----- */

static enum ch_step hello(struct clickhouse *s, struct ch_in *in, struct cur c, struct msg *out)
{
	if (!clickhouse_client_hello(&c, &s->client, out))
		return CH_WRONG;
	if (c.over)
		return CH_MORE;
	s->revision = 0;
	s->server = 0;
	s->side[DIR_REQ].phase = CH_ADDENDUM;
	begin(s, STR("HELLO"), out);
	in->c = c;
	return CH_DONE;
}

static enum ch_step tables(struct clickhouse *s, struct ch_in *in, struct cur c, struct msg *out)
{
	uint64_t n = cur_varint(&c);
	bool bad = n > CH_NAME;

	for (; n && !bad && !c.over; n--) {
		clickhouse_word(&c, CH_NAME, &bad);
		clickhouse_word(&c, CH_NAME, &bad);
	}
	if (bad)
		return CH_WRONG;
	if (c.over)
		return CH_MORE;
	begin(s, STR("TABLES_STATUS"), out);
	in->c = c;
	return CH_DONE;
}

static enum ch_step ping(struct clickhouse *s, struct ch_in *in, struct msg *out)
{
	begin(s, STR("PING"), out);
	in->c.p++;
	return CH_DONE;
}

/* Ends the answer to the query sooner; has none itself. */
static enum ch_step cancel(struct ch_in *in, struct msg *out)
{
	out->kind = MSG_ONEWAY;
	out->op = STR("CANCEL");
	in->c.p++;
	return CH_DONE;
}

static enum ch_step data(struct ch_side *side, struct ch_in *in, struct cur c)
{
	bool bad = false;
	struct str table = clickhouse_word(&c, CH_NAME, &bad);

	if (bad)
		return CH_WRONG;
	if (c.over)
		return CH_MORE;
	side->counts = side->packet == CH_C_DATA && !table.len;
	side->phase = CH_BLOCK;
	in->c = c;
	return CH_ON;
}

static enum ch_step packet(struct clickhouse *s, struct ch_in *in, struct msg *out)
{
	struct cur c = in->c;
	uint8_t type = cur_u8(&c);

	if (c.over)
		return CH_MORE;
	switch (type) {
	case CH_C_HELLO:
		return hello(s, in, c, out);
	case CH_C_QUERY:
		return query(s, in, c, out);
	case CH_C_DATA:
	case CH_C_SCALAR:
		s->side[DIR_REQ].packet = type;
		return data(&s->side[DIR_REQ], in, c);
	case CH_C_CANCEL:
		return cancel(in, out);
	case CH_C_PING:
		return ping(s, in, out);
	case CH_C_TABLES_STATUS:
		return tables(s, in, c, out);
	default:
		return CH_WRONG;
	}
}

/* What stands behind a text that was too long to be seen at once. */
static enum ch_step parameters(struct clickhouse *s, struct ch_in *in)
{
	struct query q = { .revision = s->revision };
	struct cur c = in->c;

	settings(&c, &q, true);
	if (q.bad)
		return CH_WRONG;
	if (c.over)
		return CH_MORE;
	s->side[DIR_REQ].phase = CH_PACKET;
	in->c = c;
	return CH_DONE;
}

enum ch_step clickhouse_request(struct clickhouse *s, struct ch_in *in, struct msg *out)
{
	struct ch_side *side = &s->side[DIR_REQ];

	switch (side->phase) {
	case CH_PACKET:
		return packet(s, in, out);
	case CH_ADDENDUM:
		return clickhouse_addendum(s, in);
	case CH_PARAMETERS:
		return parameters(s, in);
	case CH_LOST:
		return clickhouse_pass_lost(side, DIR_REQ, in);
	default:
		return clickhouse_block(s, DIR_REQ, in);
	}
}
