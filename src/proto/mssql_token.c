// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * mssql_token - the tokens of an answer: columns, rows, errors, counts.
 *
 * Values are passed by what their column's type says, so that the next token is
 * found behind a row. One call takes one token, or one value of a row.
 */
#include "proto/mssql.h"

enum token {
	T_RETURNSTATUS = 0x79,
	T_COLMETADATA = 0x81,
	T_TABNAME = 0xa4,
	T_COLINFO = 0xa5,
	T_ORDER = 0xa9,
	T_ERROR = 0xaa,
	T_INFO = 0xab,
	T_RETURNVALUE = 0xac,
	T_LOGINACK = 0xad,
	T_FEATUREEXTACK = 0xae,
	T_ROW = 0xd1,
	T_NBCROW = 0xd2,
	T_ENVCHANGE = 0xe3,
	T_SESSIONSTATE = 0xe4,
	T_SSPI = 0xed,
	T_FEDAUTHINFO = 0xee,
	T_DONE = 0xfd,
	T_DONEPROC = 0xfe,
	T_DONEINPROC = 0xff,
};

/* Of DONE. */
enum { D_MORE = 1, D_ERROR = 2, D_COUNT = 0x10, D_ATTENTION = 0x20, D_SERVER_ERROR = 0x100 };
enum { D_KNOWN = 0x1ff };

enum { INT_N = 0x26, NO_METADATA = 0xffff };

bool mssql_is_token(uint8_t token)
{
	switch (token) {
	case T_RETURNSTATUS:
	case T_COLMETADATA:
	case T_TABNAME:
	case T_COLINFO:
	case T_ORDER:
	case T_ERROR:
	case T_INFO:
	case T_RETURNVALUE:
	case T_LOGINACK:
	case T_FEATUREEXTACK:
	case T_ENVCHANGE:
	case T_SESSIONSTATE:
	case T_SSPI:
	case T_FEDAUTHINFO:
	case T_DONE:
	case T_DONEPROC:
	case T_DONEINPROC:
		return true;
	default:
		return false;
	}
}

/* ---- columns ---- */

static enum mssql_step columns(struct mssql *s, struct cur *c)
{
	uint8_t kinds[MSSQL_COLUMNS];
	unsigned int n = cur_le(c, 2) & 0xffff;

	if (c->over)
		return MSSQL_MORE;
	if (n == NO_METADATA)
		return MSSQL_DONE;
	if (n > MSSQL_COLUMNS)
		return MSSQL_LOST;
	for (unsigned int i = 0; i < n; i++) {
		cur_take(c, s->old ? 4 : 6); /* the user's own type, flags */
		kinds[i] = (uint8_t)mssql_type(c, false);
		if (c->over)
			return MSSQL_MORE;
		if (kinds[i] == MSSQL_UNKNOWN)
			return MSSQL_LOST;
		if (kinds[i] == MSSQL_TEXTPTR)
			for (unsigned int part = s->old ? 1 : cur_u8(c); part && !c->over; part--)
				cur_take(c, 2 * (size_t)cur_le(c, 2));
		cur_take(c, 2 * (size_t)cur_u8(c));
	}
	if (c->over)
		return MSSQL_MORE;
	memcpy(s->cols, kinds, n);
	s->ncols = (uint16_t)n;
	return MSSQL_DONE;
}

/* On to a column that has bytes in this row. */
static void pass_nulls(struct mssql *s)
{
	while (s->col < s->ncols &&
	       (s->cols[s->col] == MSSQL_FIXED_0 || s->nulls[s->col / 8] & 1u << s->col % 8))
		s->col++;
	s->in_row = s->col < s->ncols;
}

static enum mssql_step row(struct mssql *s, struct cur *c, bool has_nulls)
{
	size_t n = has_nulls ? (s->ncols + 7u) / 8 : 0;
	const uint8_t *nulls = cur_take(c, n);

	if (c->over)
		return MSSQL_MORE;
	if (!s->ncols)
		return MSSQL_LOST;
	memset(s->nulls, 0, sizeof(s->nulls));
	if (n)
		memcpy(s->nulls, nulls, n);
	s->col = 0;
	pass_nulls(s);
	return MSSQL_DONE;
}

/* ---- values ---- */

/* What a value needs before its bytes; *pass: how many these are. */
static enum mssql_step begin_value(struct mssql *s, struct cur *c, unsigned int kind,
                                   uint64_t *pass)
{
	uint64_t len = kind;

	if (kind == MSSQL_LEN_8) {
		len = cur_u8(c);
	} else if (kind == MSSQL_LEN_16) {
		len = cur_le(c, 2);
		len = len == 0xffff ? 0 : len;
	} else if (kind == MSSQL_LEN_32) {
		len = cur_le(c, 4);
		len = len == UINT32_MAX ? 0 : len;
	} else if (kind == MSSQL_TEXTPTR) {
		uint8_t pointer = cur_u8(c);

		cur_take(c, pointer ? pointer + 8u : 0);
		len = pointer ? cur_le(c, 4) : 0;
	} else if (kind == MSSQL_PLP) {
		s->chunks = cur_le(c, 8) != UINT64_MAX && !c->over;
		len = 0;
	}
	*pass = len;
	return c->over ? MSSQL_MORE : MSSQL_DONE;
}

static enum mssql_step chunk(struct mssql *s, struct cur *c)
{
	uint64_t len = cur_le(c, 4);

	if (c->over)
		return MSSQL_MORE;
	s->pass = (uint32_t)len;
	s->chunks = len != 0;
	return MSSQL_DONE;
}

static enum mssql_step value(struct mssql *s, struct cur *c)
{
	unsigned int kind = s->lone ? s->kind : s->cols[s->col];
	uint64_t pass;

	if (begin_value(s, c, kind, &pass) == MSSQL_MORE)
		return MSSQL_MORE;
	s->pass = (uint32_t)pass;
	if (s->lone) {
		s->lone = false;
		return MSSQL_DONE;
	}
	s->col++;
	pass_nulls(s);
	return MSSQL_DONE;
}

/* What a procedure gives back; a statement that it prepared is an int. */
static enum mssql_step return_value(struct mssql *s, struct cur *c)
{
	enum mssql_kind kind;
	struct cur type;

	cur_le(c, 2);
	cur_take(c, 2 * (size_t)cur_u8(c));
	cur_u8(c);
	cur_take(c, s->old ? 4 : 6);
	type = *c;
	kind = mssql_type(c, true);
	if (c->over)
		return MSSQL_MORE;
	if (kind == MSSQL_UNKNOWN)
		return MSSQL_LOST;
	if (*type.p == INT_N) {
		struct cur v = *c;
		bool four = cur_u8(&v) == 4;
		uint32_t number = (uint32_t)cur_le(&v, 4);

		if (v.over && (cur_left(c) < 1 || four))
			return MSSQL_MORE;
		if (four && !s->handle)
			s->handle = number;
	}
	s->lone = kind != MSSQL_FIXED_0;
	s->kind = (uint8_t)kind;
	return MSSQL_DONE;
}

/* ---- what is said about the request ---- */

static void error(struct mssql *s, struct cur c)
{
	int32_t number = (int32_t)cur_le(&c, 4);
	uint8_t state = cur_u8(&c), class = cur_u8(&c);
	uint64_t len = 2 * cur_le(&c, 2);
	struct str text = cur_rest(&c, (size_t)len);

	s->failed = true;
	if (c.over || s->number)
		return; /* the first one counts */
	s->number = number;
	s->state = state;
	s->class = class;
	s->message_len = (uint16_t)mssql_utf8((const uint8_t *)text.s, text.len, s->message,
	                                      sizeof(s->message));
}

static void environment(struct mssql *s, struct cur c)
{
	enum { DATABASE = 1 };
	uint8_t type = cur_u8(&c);
	struct str name = cur_str(&c, 2 * (size_t)cur_u8(&c));

	if (c.over || type != DATABASE || !name.len)
		return;
	s->db_len = (uint16_t)mssql_utf8((const uint8_t *)name.s, name.len, s->db, sizeof(s->db));
	s->new_db = true;
}

static void accepted(struct mssql *s, struct cur c)
{
	uint8_t version;

	cur_u8(&c);
	version = cur_u8(&c);
	if (c.over)
		return;
	s->old = version < 0x72;
	s->modern = !s->old;
}

/* A token with its length; what is told by it stands in its first bytes. */
static enum mssql_step sized(struct mssql *s, struct cur *c, uint8_t token, size_t width)
{
	enum { WANT = 1024 };
	uint64_t len = cur_le(c, width);
	struct cur body = *c;

	if (c->over || (cur_left(c) < len && cur_left(c) < WANT))
		return MSSQL_MORE;
	if (cur_left(&body) > len)
		body.end = body.p + len;
	if (token == T_ERROR)
		error(s, body);
	else if (token == T_ENVCHANGE)
		environment(s, body);
	else if (token == T_LOGINACK)
		accepted(s, body);
	s->pass = (uint32_t)len;
	return MSSQL_DONE;
}

static enum mssql_step features(struct cur *c)
{
	enum { END = 0xff };

	while (!c->over && cur_u8(c) != END)
		cur_take(c, (size_t)cur_le(c, 4));
	return c->over ? MSSQL_MORE : MSSQL_DONE;
}

bool mssql_done(struct mssql *s, const uint8_t *p, size_t n)
{
	struct cur c = cur_of(p, n);
	uint8_t token = cur_u8(&c);
	unsigned int status = cur_le(&c, 2) & 0xffff;
	uint64_t rows;

	cur_le(&c, 2); /* which command */
	rows = cur_le(&c, cur_left(&c) >= 8 ? 8 : 4);
	if (c.over || token < T_DONE || status & ~(unsigned int)D_KNOWN || rows > INT64_MAX / 2)
		return false;
	if (status & D_COUNT)
		s->rows = (s->rows < 0 ? 0 : s->rows) + (int64_t)rows;
	if (s->rows > INT64_MAX / 2)
		s->rows = INT64_MAX / 2;
	s->failed |= !!(status & (D_ERROR | D_SERVER_ERROR));
	s->stopped |= !!(status & D_ATTENTION);
	return true;
}

static enum mssql_step done(struct mssql *s, struct cur *c, const uint8_t *p)
{
	size_t n = s->old ? 9 : 13;

	cur_take(c, n - 1);
	if (c->over)
		return MSSQL_MORE;
	return mssql_done(s, p, n) ? MSSQL_DONE : MSSQL_LOST;
}

/* ---- one step ---- */

static enum mssql_step one(struct mssql *s, struct cur *c)
{
	const uint8_t *begin = c->p;
	uint8_t token = cur_u8(c);

	if (c->over)
		return MSSQL_MORE;
	switch (token) {
	case T_COLMETADATA:
		return columns(s, c);
	case T_ROW:
	case T_NBCROW:
		return row(s, c, token == T_NBCROW);
	case T_DONE:
	case T_DONEPROC:
	case T_DONEINPROC:
		return done(s, c, begin);
	case T_RETURNVALUE:
		return return_value(s, c);
	case T_RETURNSTATUS:
		return cur_take(c, 4) ? MSSQL_DONE : MSSQL_MORE;
	case T_FEATUREEXTACK:
		return features(c);
	case T_SESSIONSTATE:
	case T_FEDAUTHINFO:
		return sized(s, c, token, 4);
	default:
		return mssql_is_token(token) ? sized(s, c, token, 2) : MSSQL_LOST;
	}
}

enum mssql_step mssql_token(struct mssql *s, struct cur *c)
{
	struct cur was = *c;
	enum mssql_step r;

	if (s->pass) {
		size_t n = cur_left(c) < s->pass ? cur_left(c) : s->pass;

		if (!n)
			return MSSQL_MORE;
		s->pass -= (uint32_t)n;
		c->p += n;
		return MSSQL_DONE;
	}
	if (s->chunks)
		r = chunk(s, c);
	else if (s->lone || s->in_row)
		r = value(s, c);
	else
		r = one(s, c);
	if (r != MSSQL_DONE)
		*c = was;
	return r;
}
