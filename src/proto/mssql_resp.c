// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * mssql_resp - answers: packets of tokens up to the last DONE.
 *
 * Where a token is not known, or bytes were lost, the rest of the message is
 * passed packet by packet, and the DONE at its end tells count and success.
 */
#include "proto/mssql.h"

static struct str decimal(struct mssql *s, int32_t number)
{
	size_t at = sizeof(s->digits);
	uint32_t n = number < 0 ? 0 - (uint32_t)number : (uint32_t)number;

	do
		s->digits[--at] = (char)('0' + n % 10);
	while (n /= 10);
	if (number < 0)
		s->digits[--at] = '-';
	return (struct str){ s->digits + at, sizeof(s->digits) - at };
}

static void failure(struct mssql *s, struct msg *out)
{
	out->error = out->server_error = true;
	if (!s->number)
		return;
	out->code = s->number;
	out->status = out->error_type = decimal(s, s->number);
	msg_attr_num(out, ATTR_MSSQL_STATE, s->state);
	msg_attr_num(out, ATTR_MSSQL_CLASS, s->class);
	if (s->message_len)
		msg_attr(out, ATTR_ERROR_MESSAGE, (struct str){ s->message, s->message_len });
}

/* The message has ended: all that was gathered. */
static void answer(struct mssql *s, struct msg *out)
{
	s->side[DIR_RESP].inside = false;
	if (s->stopped) {
		s->stops = false;
		if (!s->open) /* the answer was complete already */
			return;
	}
	out->kind = MSG_RESP;
	out->rows = s->rows;
	if (s->failed)
		failure(s, out);
	if (s->stopped && !s->failed) {
		out->error = true;
		out->error_type = STR("cancelled");
	}
	if (s->new_db) {
		out->db = (struct str){ s->db, s->db_len };
		out->flags |= MSG_F_NEWDB;
	}
	if (s->awaits && s->handle && !s->failed) {
		out->flags |= MSG_F_DEFINE;
		out->def_id = (s->awaits & MSSQL_CURSOR ? (uint64_t)1 << 32 : 0) | s->handle;
	}
	s->open = false;
	s->awaits = 0;
}

/* A part of an answer; what only says that there was nothing to stop is none. */
static enum parse part(const struct mssql *s, struct msg *out)
{
	out->kind = s->stops && !s->open ? MSG_NONE : MSG_INTERIM;
	out->flags |= MSG_F_BODY | MSG_F_RUN;
	return PARSE_OK;
}

/* ---- the end alone ---- */

static enum parse tail(struct mssql *s, struct cur *in, struct msg *out)
{
	struct mssql_side *side = &s->side[DIR_RESP];
	const uint8_t *p = in->p;
	size_t n = side->left;

	if (cur_left(in) < n && !in->cut)
		return PARSE_MORE;
	if (cur_left(in) < n ||
	    !((n == MSSQL_TAIL && mssql_done(s, p, n)) || (n >= 9 && mssql_done(s, p + n - 9, 9))))
		out->flags |= MSG_F_NOSTATUS;
	out->skip = n - (cur_left(in) < n ? cur_left(in) : n);
	in->p += n - out->skip;
	side->left = 0;
	answer(s, out);
	return PARSE_OK;
}

static enum parse blind(struct mssql *s, struct cur *in, struct msg *out)
{
	struct mssql_side *side = &s->side[DIR_RESP];
	struct mssql_packet p;
	struct cur c = *in;
	uint16_t keep;

	if (!side->left) {
		if (cur_left(&c) < MSSQL_HEADER)
			return in->cut ? PARSE_BAD : PARSE_MORE;
		if (!mssql_packet(&c, DIR_RESP, &p))
			return PARSE_BAD;
		side->left = (uint16_t)(p.len - MSSQL_HEADER);
		side->last = p.status & MSSQL_EOM;
	}
	keep = !side->last ? 0 : side->left < MSSQL_TAIL ? side->left : MSSQL_TAIL;
	if (c.p == in->p && side->left == keep)
		return tail(s, in, out);
	out->skip = side->left - (uint64_t)keep;
	if (c.p == in->p)
		out->skip -= cur_rest(&c, (size_t)out->skip).len;
	side->left = keep;
	in->p = c.p;
	if (!side->last || keep)
		return part(s, out);
	out->flags |= MSG_F_NOSTATUS;
	answer(s, out);
	return PARSE_OK;
}

/* ---- all of it ---- */

static enum parse walk(struct mssql *s, struct cur *in, struct msg *out)
{
	struct mssql_side *side = &s->side[DIR_RESP];
	struct mssql_load load;
	enum mssql_step r = MSSQL_DONE;
	struct cur c;
	size_t n;

	mssql_load(*in, DIR_RESP, *side, &load);
	c = cur_of(load.bytes, load.n);
	while (r == MSSQL_DONE && cur_left(&c))
		r = mssql_token(s, &c);
	n = load.n - cur_left(&c);
	if (n == load.n && load.end > in->p) {
		*side = load.side;
		in->p = load.end;
		if (!load.whole)
			return part(s, out);
		answer(s, out);
		return PARSE_OK;
	}
	if (n) {
		mssql_pass(in, side, n);
		return part(s, out);
	}
	if (r == MSSQL_LOST || load.whole || load.bad || cur_left(in) == PROTO_HEAD || in->cut) {
		enum parse end = blind(s, in, out);

		s->blind = end == PARSE_OK;
		return end;
	}
	return PARSE_MORE;
}

/* The options that the server chose; or TLS. */
static enum parse prelogin(struct mssql *s, struct cur *in, struct msg *out)
{
	static const char *const names[] = { "", "login", "all" };
	enum { ON = 1, NOT_SUPPORTED = 2, REQUIRED = 3 };
	struct mssql_load load;
	uint8_t chosen;

	mssql_load(*in, DIR_RESP, (struct mssql_side){ 0 }, &load);
	if (!load.whole && !load.bad && !in->cut && cur_left(in) < PROTO_HEAD)
		return PARSE_MORE;
	out->skip = load.side.left;
	s->side[DIR_RESP].inside = !load.side.last;
	in->p = load.end;
	if (!mssql_prelogin(cur_of(load.bytes, load.n), &chosen))
		return PARSE_OK;
	if (chosen == ON || chosen == REQUIRED || s->asked == ON || s->asked == REQUIRED)
		s->hidden = MSSQL_HIDDEN_ALL;
	else if (chosen != 0 || s->asked == NOT_SUPPORTED)
		s->hidden = MSSQL_CLEAR;
	else
		s->hidden = MSSQL_HIDDEN_LOGIN;
	if (s->hidden)
		msg_attr(out, ATTR_DB_ENCRYPTED, str_of(names[s->hidden]));
	out->kind = MSG_RESP;
	s->open = false;
	return PARSE_OK;
}

/* The first packet's head; what was gathered of the last answer is forgotten. */
static enum parse begin(struct mssql *s, struct cur *in, struct msg *out)
{
	struct mssql_side *side = &s->side[DIR_RESP];
	struct mssql_packet p;
	struct cur c = *in;

	if (cur_left(&c) < MSSQL_HEADER)
		return in->cut ? PARSE_BAD : PARSE_MORE;
	if (!mssql_packet(&c, DIR_RESP, &p))
		return PARSE_BAD;
	if (p.len > MSSQL_HEADER && !cur_left(&c) && !in->cut)
		return PARSE_MORE;
	if (p.type == MSSQL_PRELOGIN || (p.len > MSSQL_HEADER && cur_left(&c) && !*c.p))
		return prelogin(s, in, out);
	s->blind = s->failed = s->in_row = s->lone = s->chunks = s->new_db = s->stopped = false;
	s->ncols = 0;
	s->pass = 0;
	s->number = 0;
	s->handle = 0;
	s->rows = -1;
	s->message_len = 0;
	if (p.len > MSSQL_HEADER && !(cur_left(&c) && mssql_is_token(*c.p)))
		s->blind = true; /* in the middle of one */
	side->inside = true;
	side->left = (uint16_t)(p.len - MSSQL_HEADER);
	side->last = p.status & MSSQL_EOM;
	in->p = c.p;
	if (side->left || !side->last)
		return part(s, out);
	out->flags |= MSG_F_NOSTATUS;
	answer(s, out);
	return PARSE_OK;
}

enum parse mssql_response(struct mssql *s, struct cur *in, struct msg *out)
{
	struct mssql_side *side = &s->side[DIR_RESP];

	if (!side->inside || (!side->left && mssql_is_record(*in)))
		return mssql_is_record(*in) ? mssql_record(s, DIR_RESP, in, out)
		                            : begin(s, in, out);
	return s->blind ? blind(s, in, out) : walk(s, in, out);
}
