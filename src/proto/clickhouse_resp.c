// SPDX-License-Identifier: GPL-3.0-or-later
/* clickhouse_resp - what servers answer: blocks, figures, exceptions. */
#include "proto/clickhouse.h"

enum { MAX_TABLES = 4096, MAX_FIELDS = 7, MESSAGE = 256, LOOK_AHEAD = 2 };

static struct str decimal(char *text, uint32_t n)
{
	size_t at = 12;

	do
		text[--at] = (char)('0' + n % 10);
	while (n /= 10);
	return (struct str){ text + at, 12 - at };
}

/* ----- the end of an answer ----- */

static struct str method_name(uint8_t method)
{
	switch (method) {
	case 0x02:
		return STR("none");
	case 0x82:
		return STR("lz4");
	case 0x90:
		return STR("zstd");
	default:
		return STR("qpl");
	}
}

static int64_t rows(const struct ch_totals *sum)
{
	uint64_t n = sum->rows;

	if (sum->inserts) {
		n = sum->sent;
		if (!n || sum->unsent)
			n = sum->written;
		return n ? (int64_t)(n & INT64_MAX) : -1;
	}
	if (!sum->blocks)
		return -1;
	if (sum->unread) {
		if (!sum->profiled)
			return -1;
		n = sum->profile;
	}
	return (int64_t)(n & INT64_MAX);
}

static void end(struct clickhouse *s, struct msg *out)
{
	struct ch_totals *sum = &s->sum;

	out->kind = MSG_RESP;
	out->id = s->serial;
	if (!out->error)
		out->rows = rows(sum);
	if (sum->progress) {
		msg_attr_num(out, ATTR_CLICKHOUSE_READ_ROWS, (int64_t)(sum->read_rows & INT64_MAX));
		msg_attr_num(out, ATTR_CLICKHOUSE_READ_BYTES,
		             (int64_t)(sum->read_bytes & INT64_MAX));
	}
	if (sum->method)
		msg_attr(out, ATTR_DB_COMPRESSED, method_name(sum->method));
	if (*s->type)
		msg_attr(out, ATTR_CLICKHOUSE_UNREAD, str_of(s->type));
	*sum = (struct ch_totals){ 0 };
}

/* ----- exceptions ----- */

/* Code, class, message, where it was thrown; whether there is another one behind it. */
static bool exception(struct cur *c, uint32_t *code, struct str *message)
{
	bool bad = false;
	struct str name;
	struct cur at;

	*code = (uint32_t)cur_le(c, 4);
	name = clickhouse_word(c, 256, &bad);
	bad |= !c->over && (!name.len || *code > 1 << 20);
	at = *c;
	*message = cur_rest(&at, MESSAGE + 10); /* one that is not all there */
	if (message->len > 0) {
		struct cur text = cur_of(message->s, message->len);
		uint64_t len = cur_varint(&text);

		*message = cur_rest(&text, len < MESSAGE ? (size_t)len : MESSAGE);
	}
	clickhouse_str(c, CH_LIMIT);
	clickhouse_str(c, CH_LIMIT);
	return !bad;
}

static enum ch_step thrown(struct clickhouse *s, struct ch_in *in, struct cur c, struct msg *out)
{
	struct str message, inner;
	uint32_t code = 0, other;
	bool nested;

	if (!exception(&c, &code, &message))
		return CH_WRONG;
	while ((nested = cur_u8(&c) && !c.over))
		if (!exception(&c, &other, &inner))
			return CH_WRONG;
	if (c.over && (!in->full || !message.len))
		return CH_MORE;
	if (c.over) { /* too long to be seen at once */
		c.over = false;
		c.p = c.end;
		out->flags |= MSG_F_CUT;
		s->side[DIR_RESP].phase = CH_LOST;
	}
	out->error = out->server_error = true;
	out->code = (int32_t)code;
	out->status = out->error_type = decimal(s->text, code);
	msg_attr(out, ATTR_ERROR_MESSAGE, message);
	in->c.p = c.p;
	end(s, out);
	return CH_DONE;
}

/* ----- figures ----- */

static unsigned int fields_of(uint32_t revision)
{
	return revision >= CH_REV_TOTAL_BYTES ? 7
	       : revision >= CH_REV_ELAPSED   ? 6
	       : revision >= CH_REV_WRITTEN   ? 5
	                                      : 3;
}

/* Rows and bytes read since the last one, rows in all, and more with each revision. */
static void progress(struct cur *c, unsigned int fields, uint64_t *n)
{
	for (unsigned int i = 0; i < fields; i++)
		n[i] = cur_varint(c);
}

/* Where the revision is a guess: what follows has to be a packet. */
static enum sure learn_fields(struct clickhouse *s, struct cur c)
{
	static const uint8_t others[] = { 3, 5, 6, 7 };
	unsigned int first = fields_of(s->revision);
	bool maybe = false;

	for (int i = -1; i < 4; i++) {
		unsigned int fields = i < 0 ? first : others[i];
		uint64_t n[MAX_FIELDS];
		struct cur at = c;
		enum sure is;

		progress(&at, fields, n);
		is = at.over ? SURE_MAYBE : clickhouse_is_answer(at, LOOK_AHEAD);
		if (is == SURE_YES || is == SURE_LIKELY) {
			s->fields = (uint8_t)fields;
			return SURE_YES;
		}
		maybe |= is == SURE_MAYBE;
	}
	return maybe ? SURE_MAYBE : SURE_NO;
}

static enum ch_step progressed(struct clickhouse *s, struct ch_in *in, struct cur c)
{
	uint64_t n[MAX_FIELDS] = { 0 };
	unsigned int fields = fields_of(s->revision);

	if (s->guessed && !s->fields) {
		enum sure is = learn_fields(s, c);

		if (is != SURE_YES)
			return is == SURE_MAYBE ? CH_MORE : CH_WRONG;
	}
	if (s->fields)
		fields = s->fields;
	progress(&c, fields, n);
	if (c.over)
		return CH_MORE;
	s->sum.progress = true;
	s->sum.read_rows += n[0];
	s->sum.read_bytes += n[1];
	if (fields >= 5)
		s->sum.written += n[fields == 7 ? 4 : 3];
	in->c = c;
	return CH_ON;
}

/* False: no figures of that kind. */
static bool profile(struct cur *c, uint32_t revision, uint64_t *n)
{
	bool bad;

	*n = cur_varint(c);
	cur_varint(c); /* blocks, bytes */
	cur_varint(c);
	bad = cur_u8(c) >
	      1; /* whether a limit was applied; rows before it; whether they were counted */
	cur_varint(c);
	bad |= cur_u8(c) > 1;
	if (revision >= CH_REV_AGGREGATION) {
		bad |= cur_u8(c) > 1;
		cur_varint(c);
	}
	return !bad;
}

static enum ch_step profiled(struct clickhouse *s, struct ch_in *in, struct cur c)
{
	uint64_t n;

	if (!profile(&c, s->revision, &n))
		return CH_WRONG;
	if (c.over)
		return CH_MORE;
	s->sum.profiled = true;
	s->sum.profile += n;
	in->c = c;
	return CH_ON;
}

/* ----- other packets ----- */

static enum ch_step welcome(struct clickhouse *s, struct ch_in *in, struct cur c, struct msg *out)
{
	if (!clickhouse_server_hello(s, &c, &s->server))
		return CH_WRONG;
	if (c.over)
		return CH_MORE;
	s->revision = s->client && s->client < s->server ? s->client : s->server;
	s->guessed = false;
	in->c = c;
	end(s, out);
	return CH_DONE;
}

/* Texts, of which nothing is kept. */
static enum ch_step texts(struct ch_in *in, struct cur c, unsigned int n)
{
	bool bad = false;
	size_t used;

	for (; n; n--) {
		uint64_t len = cur_varint(&c);

		bad |= len > CH_LIMIT;
		used = (size_t)(c.p - in->c.p);
		if (n == 1 && !c.over && !bad && in->full && len > cur_left(&c) &&
		    used < PROTO_HEAD) {
			in->skip = len - cur_left(&c);
			in->c.p = c.end;
			return CH_ON;
		}
		cur_take(&c, bad ? 0 : (size_t)len);
	}
	if (bad)
		return CH_WRONG;
	if (c.over)
		return CH_MORE;
	in->c = c;
	return CH_ON;
}

static enum ch_step tables(struct clickhouse *s, struct ch_in *in, struct cur c, struct msg *out)
{
	uint64_t n = cur_varint(&c);
	bool bad = n > MAX_TABLES;

	for (; n && !bad && !c.over; n--) {
		uint8_t replicated;

		clickhouse_word(&c, CH_NAME, &bad);
		clickhouse_word(&c, CH_NAME, &bad);
		replicated = cur_u8(&c);
		bad |= replicated > 1;
		if (!replicated)
			continue;
		cur_varint(&c); /* by how much it is late */
		if (s->revision >= CH_REV_READ_ONLY)
			cur_varint(&c);
	}
	if (bad)
		return CH_WRONG;
	if (c.over)
		return CH_MORE;
	in->c = c;
	end(s, out);
	out->rows = -1;
	return CH_DONE;
}

static enum ch_step parts(struct ch_in *in, struct cur c)
{
	uint64_t n = cur_varint(&c);

	if (n > CH_NAME)
		return CH_WRONG;
	cur_take(&c, 16 * (size_t)n);
	if (c.over)
		return CH_MORE;
	in->c = c;
	return CH_ON;
}

static enum ch_step block(struct ch_side *side, struct ch_in *in, struct cur c)
{
	bool bad = false;

	clickhouse_word(&c, CH_NAME, &bad);
	if (bad)
		return CH_WRONG;
	if (c.over)
		return CH_MORE;
	side->counts = side->packet == CH_S_DATA;
	side->phase = CH_BLOCK;
	in->c = c;
	return CH_ON;
}

static enum ch_step ended(struct clickhouse *s, struct ch_in *in, bool pong, struct msg *out)
{
	in->c.p++;
	end(s, out);
	if (pong)
		out->rows = -1;
	return CH_DONE;
}

static enum ch_step packet(struct clickhouse *s, struct ch_in *in, struct msg *out)
{
	struct ch_side *side = &s->side[DIR_RESP];
	struct cur c = in->c;

	side->packet = cur_u8(&c);
	if (c.over)
		return CH_MORE;
	switch (side->packet) {
	case CH_S_HELLO:
		return welcome(s, in, c, out);
	case CH_S_DATA:
	case CH_S_TOTALS:
	case CH_S_EXTREMES:
	case CH_S_LOG:
	case CH_S_PROFILE_EVENTS:
		return block(side, in, c);
	case CH_S_EXCEPTION:
		return thrown(s, in, c, out);
	case CH_S_PROGRESS:
		return progressed(s, in, c);
	case CH_S_PONG:
	case CH_S_END_OF_STREAM:
		return ended(s, in, side->packet == CH_S_PONG, out);
	case CH_S_PROFILE_INFO:
		return profiled(s, in, c);
	case CH_S_TABLES_STATUS:
		return tables(s, in, c, out);
	case CH_S_TABLE_COLUMNS:
		return texts(in, c, 2);
	case CH_S_PART_UUIDS:
		return parts(in, c);
	case CH_S_TIMEZONE:
		return texts(in, c, 1);
	case CH_S_READ_TASK:
		in->c = c;
		return CH_ON;
	default:
		return CH_WRONG;
	}
}

enum ch_step clickhouse_answer(struct clickhouse *s, struct ch_in *in, struct msg *out)
{
	struct ch_side *side = &s->side[DIR_RESP];
	enum ch_step r;

	if (side->phase == CH_PACKET)
		return packet(s, in, out);
	if (side->phase == CH_LOST)
		return clickhouse_pass_lost(side, DIR_RESP, in);
	r = clickhouse_block(s, DIR_RESP, in);
	return r == CH_DONE ? CH_ON : r;
}

/* ----- detection ----- */

static enum sure is_exception(struct cur c)
{
	bool bad = false;
	uint32_t code = (uint32_t)cur_le(&c, 4);
	struct str name = clickhouse_word(&c, 256, &bad);

	if (bad || (!c.over && (code > 1 << 20 || !str_starts(name, "DB::"))))
		return !bad && !c.over && memmem(name.s, name.len, "xception", 8) ? SURE_LIKELY
		                                                                  : SURE_NO;
	return c.over ? SURE_MAYBE : SURE_YES;
}

static enum sure with_next(struct cur c, unsigned int depth)
{
	return c.over ? SURE_MAYBE : clickhouse_is_answer(c, depth);
}

static enum sure is_progress(struct cur c, unsigned int depth)
{
	static const uint8_t fields[] = { 3, 5, 6, 7 };
	bool maybe = false;

	for (int i = 0; i < 4; i++) {
		uint64_t n[MAX_FIELDS];
		struct cur at = c;
		enum sure is;

		progress(&at, fields[i], n);
		is = with_next(at, depth);
		if (is > SURE_MAYBE)
			return is;
		maybe |= is == SURE_MAYBE;
	}
	return maybe ? SURE_MAYBE : SURE_NO;
}

static enum sure is_profile(struct cur c, unsigned int depth)
{
	struct cur at = c;
	uint64_t n;
	enum sure is = profile(&at, CH_REV_MIN, &n) ? with_next(at, depth) : SURE_NO;

	if (is != SURE_NO)
		return is;
	return profile(&c, CH_REV_MAX, &n) ? with_next(c, depth) : SURE_NO;
}

static enum sure is_columns(struct cur c)
{
	bool bad = false;
	struct str what;

	clickhouse_word(&c, CH_NAME, &bad);
	cur_varint(&c);
	what = cur_rest(&c, 8);
	if (bad || (what.len == 8 && memcmp(what.s, "columns ", 8)))
		return SURE_NO;
	return what.len == 8 ? SURE_YES : SURE_MAYBE;
}

enum sure clickhouse_is_answer(struct cur c, unsigned int depth)
{
	struct clickhouse s = { 0 };
	uint32_t revision;
	bool bad = false;
	uint8_t type = cur_u8(&c);

	if (c.over || !depth)
		return SURE_MAYBE;
	switch (type) {
	case CH_S_HELLO:
		if (!clickhouse_server_hello(&s, &c, &revision))
			return SURE_NO;
		return SURE_MAYBE;
	case CH_S_DATA:
	case CH_S_TOTALS:
	case CH_S_EXTREMES:
	case CH_S_LOG:
	case CH_S_PROFILE_EVENTS:
		clickhouse_word(&c, CH_NAME, &bad);
		return bad ? SURE_NO : c.over ? SURE_MAYBE : clickhouse_is_block(c);
	case CH_S_EXCEPTION:
		return is_exception(c);
	case CH_S_PROGRESS:
		return is_progress(c, depth - 1);
	case CH_S_PROFILE_INFO:
		return is_profile(c, depth - 1);
	case CH_S_TABLE_COLUMNS:
		return is_columns(c);
	case CH_S_PONG:
	case CH_S_END_OF_STREAM:
		return cur_left(&c) ? SURE_NO : SURE_MAYBE;
	case CH_S_TIMEZONE:
		clickhouse_word(&c, 256, &bad);
		return bad ? SURE_NO : with_next(c, depth - 1);
	default:
		return SURE_NO;
	}
}
