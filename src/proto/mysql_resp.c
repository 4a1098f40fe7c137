// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * mysql_resp - what the server of a MySQL connection answers.
 *
 * An answer is walked packet by packet, as many as one call finds, and becomes
 * one message when it ends there; a longer one becomes MSG_INTERIM parts of up
 * to PROTO_HEAD bytes and a MSG_RESP. How a result set ends depends on the
 * login, which may not have been seen: the old EOF packet has 5 bytes, the OK
 * that took its place at least 7, so the first of either tells.
 */
#include "proto/mysql.h"

enum {
	OK_PACKET = 0x00,
	AUTH_MORE = 0x01,
	INFILE_PACKET = 0xfb,
	EOF_PACKET = 0xfe,
	ERR_PACKET = 0xff,
};

enum {
	STATUS_MORE_RESULTS = 1 << 3,
	STATUS_CURSOR = 1 << 6,
	STATUS_STATE_CHANGED = 1 << 14,
	TRACK_SCHEMA = 1,
	PROGRESS = 0xffff, /* error number of MariaDB's progress reports */
};

/* What one packet means for the message. */
enum mean {
	GO_ON, /* the answer goes on */
	PART,  /* likewise, and the client has to be heard first */
	DONE,  /* the answer is complete */
	ALONE, /* the packet is a message of its own; out->kind is set */
	BAD,
};

static uint8_t first_byte(const struct mysql_packet *p)
{
	return cur_left(&p->body) ? *p->body.p : 0;
}

/* ----- the ends of answers ----- */

static enum mean ended(struct mysql *s, unsigned int status, struct msg *out)
{
	s->step = MYSQL_FIRST;
	if (status & STATUS_MORE_RESULTS)
		return GO_ON;
	out->rows = s->rows < INT64_MAX ? (int64_t)s->rows : INT64_MAX;
	return DONE;
}

/* A list of changes of the session: type, length-encoded data. */
static void session_changes(struct cur c, struct msg *out)
{
	while (cur_left(&c) && !c.over) {
		uint8_t type = cur_u8(&c);
		struct str data = mysql_lenstr(&c);
		struct cur d = cur_of(data.s, data.len);

		if (type != TRACK_SCHEMA || c.over)
			continue;
		out->db = mysql_lenstr(&d);
		out->flags |= MSG_F_NEWDB;
	}
}

/* OK: header, rows changed, last id, status, warnings, text and changes. */
static enum mean ok(struct mysql *s, struct mysql_packet *p, struct msg *out)
{
	struct cur c = p->body;
	unsigned int status;

	cur_u8(&c);
	s->rows += mysql_lenenc(&c);
	mysql_lenenc(&c);
	status = (unsigned int)cur_le(&c, 2);
	cur_take(&c, 2);
	if (s->caps & MYSQL_CAP_SESSION_TRACK && status & STATUS_STATE_CHANGED) {
		struct str changes;

		mysql_lenstr(&c);
		changes = mysql_lenstr(&c);
		session_changes(cur_of(changes.s, changes.len), out);
	}
	return ended(s, status, out);
}

/* EOF: header, warnings, status. */
static unsigned int eof_status(const struct mysql_packet *p)
{
	struct cur c = p->body;

	cur_take(&c, 3);
	return (unsigned int)cur_le(&c, 2);
}

/* ERR: header, number, since 4.1 # and SQLSTATE, message. */
static enum mean error(struct mysql *s, struct mysql_packet *p, struct msg *out)
{
	struct cur c = p->body;
	uint32_t number;

	cur_u8(&c);
	number = (uint32_t)cur_le(&c, 2);
	if (number == PROGRESS)
		return GO_ON;
	if (cur_left(&c) >= 6 && *c.p == '#') {
		cur_u8(&c);
		msg_attr(out, ATTR_DB_SQLSTATE, cur_str(&c, 5));
	}
	out->error = out->server_error = true;
	if (!c.over) {
		out->code = (int32_t)number;
		out->status = out->error_type = mysql_number(s, number);
		msg_attr(out, ATTR_ERROR_MESSAGE, cur_rest(&c, 256));
	}
	s->step = MYSQL_FIRST;
	return DONE;
}

/* ----- result sets ----- */

static bool old_eof(const struct mysql_packet *p)
{
	return p->len == 5 && first_byte(p) == EOF_PACKET;
}

static enum mean row(struct mysql *s, struct mysql_packet *p, struct msg *out)
{
	uint8_t first = first_byte(p);

	if (first == ERR_PACKET)
		return error(s, p, out);
	if (first == EOF_PACKET && p->len < (s->eof == MYSQL_EOF_KEPT ? 9 : MYSQL_FULL)) {
		if (p->len == 5)
			return ended(s, eof_status(p), out);
		return ok(s, p, out);
	}
	if (mysql_oldest(s) != MYSQL_FIELD_LIST)
		s->rows++;
	return GO_ON;
}

/* After the last definition: the old EOF, or a row already. */
static enum mean after_defs(struct mysql *s, struct mysql_packet *p, struct msg *out)
{
	s->step = MYSQL_ROWS;
	if (!old_eof(p)) {
		if (s->eof == MYSQL_EOF_UNKNOWN)
			s->eof = MYSQL_EOF_DROPPED;
		return row(s, p, out);
	}
	s->eof = MYSQL_EOF_KEPT;
	/* With a cursor there are no rows here: FETCH asks for them. */
	if (eof_status(p) & STATUS_CURSOR && mysql_oldest(s) == MYSQL_EXECUTE)
		return ended(s, eof_status(p), out);
	return GO_ON;
}

static void defs_end(struct mysql *s)
{
	s->step = s->eof == MYSQL_EOF_DROPPED ? MYSQL_ROWS : MYSQL_DEFS_EOF;
}

static enum mean column_count(struct mysql *s, struct mysql_packet *p)
{
	struct cur c = p->body;
	bool defs = true;

	if (s->caps & MYSQL_CAP_OPTIONAL_METADATA)
		defs = cur_u8(&c);
	s->left = mysql_lenenc(&c);
	if (s->caps & MYSQL_CAP_CACHE_METADATA)
		defs = cur_u8(&c);
	if (c.over || !s->left || s->left > 65535 || cur_left(&c) || p->beyond)
		return BAD;
	s->step = MYSQL_DEFS;
	if (!defs)
		defs_end(s);
	return GO_ON;
}

static enum mean result(struct mysql *s, struct mysql_packet *p, struct msg *out)
{
	switch (first_byte(p)) {
	case ERR_PACKET:
		return error(s, p, out);
	case OK_PACKET:
		return s->caps & MYSQL_CAP_OPTIONAL_METADATA && p->len < 5 ? column_count(s, p)
		                                                           : ok(s, p, out);
	case EOF_PACKET:
		return p->len == 5 ? ended(s, eof_status(p), out) : ok(s, p, out);
	case INFILE_PACKET: /* LOCAL INFILE: the client now sends the file */
		s->infile = true;
		return PART;
	default:
		return column_count(s, p);
	}
}

/* ----- prepared statements ----- */

/* OK: number, columns, parameters; definitions of the latter, then of the former. */
static enum mean prepared(struct mysql *s, struct mysql_packet *p, struct msg *out)
{
	struct cur c = p->body;
	uint64_t columns, params;

	if (first_byte(p) == ERR_PACKET)
		return error(s, p, out);
	cur_u8(&c);
	out->def_id = cur_le(&c, 4);
	columns = cur_le(&c, 2);
	params = cur_le(&c, 2);
	cur_take(&c, 3); /* filler, warnings */
	if (c.over || first_byte(p) != OK_PACKET)
		return BAD;
	if (s->caps & MYSQL_CAP_OPTIONAL_METADATA && cur_left(&c) && !cur_u8(&c))
		columns = params = 0;
	s->left = columns + params;
	s->eofs = s->eof == MYSQL_EOF_KEPT ? (uint8_t)(!!columns + !!params) : 0;
	s->step = MYSQL_PREPARED;
	out->flags |= MSG_F_DEFINE;
	return GO_ON;
}

static enum mean prepared_def(struct mysql *s, const struct mysql_packet *p)
{
	if (!old_eof(p)) {
		s->left -= s->left > 0;
	} else if (s->eof != MYSQL_EOF_KEPT) {
		s->eof = MYSQL_EOF_KEPT;
		s->eofs = s->left > 0;
	} else if (s->eofs) {
		s->eofs--;
	}
	return GO_ON;
}

/* Where the login is unknown, the last definition ends it; an EOF after it is dropped. */
static enum mean prepared_end(struct mysql *s, enum mean m)
{
	if (m != GO_ON || s->step != MYSQL_PREPARED || s->left || s->eofs)
		return m;
	s->step = MYSQL_FIRST;
	return DONE;
}

/* ----- login ----- */

static enum mean login(struct mysql *s, struct mysql_packet *p, struct msg *out)
{
	bool first = s->phase == MYSQL_LOGIN;

	switch (first_byte(p)) {
	case ERR_PACKET:
		return error(s, p, out);
	case OK_PACKET:
		ok(s, p, out);
		out->rows = -1;
		s->phase = MYSQL_READY;
		if (first && s->caps & (MYSQL_CAP_COMPRESS | MYSQL_CAP_ZSTD)) {
			bool zlib = s->caps & MYSQL_CAP_COMPRESS;

			msg_attr(out, ATTR_DB_COMPRESSED, zlib ? STR("zlib") : STR("zstd"));
			s->phase = MYSQL_OPAQUE;
		}
		return DONE;
	default: /* another method, more data, a key: the client speaks next */
		return PART;
	}
}

/* ----- one packet ----- */

static enum mean first_packet(struct mysql *s, struct mysql_packet *p, struct msg *out)
{
	switch (mysql_oldest(s)) {
	case MYSQL_CONNECT:
	case MYSQL_CHANGE_USER:
		return login(s, p, out);
	case MYSQL_STATISTICS:
		return first_byte(p) == ERR_PACKET ? error(s, p, out) : DONE;
	case MYSQL_PREPARE:
		return prepared(s, p, out);
	case MYSQL_FIELD_LIST:
	case MYSQL_FETCH:
		s->step = MYSQL_ROWS;
		return row(s, p, out);
	case MYSQL_BINLOG_DUMP:
	case MYSQL_BINLOG_DUMP_GTID:
	case MYSQL_TABLE_DUMP:
	case MYSQL_CLONE:
		if (first_byte(p) == ERR_PACKET)
			return error(s, p, out);
		s->phase = MYSQL_OPAQUE;
		return DONE;
	default:
		return result(s, p, out);
	}
}

/* Packets that answer no command: the greeting, a refusal, leftovers of what was not seen. */
static enum mean unasked(struct mysql *s, struct mysql_packet *p, struct msg *out)
{
	enum mean m = ALONE;

	if (s->phase == MYSQL_START && !p->seq && first_byte(p) == 10)
		return mysql_login_greeting(s, p, out) == PARSE_OK ? ALONE : BAD;
	if (first_byte(p) == ERR_PACKET && !p->seq) {
		m = error(s, p, out) == DONE ? ALONE : BAD;
		out->kind = MSG_PUSH;
	} else if (old_eof(p) && s->eof == MYSQL_EOF_UNKNOWN) {
		s->eof = MYSQL_EOF_KEPT;
	}
	return m;
}

static enum mean packet(struct mysql *s, struct mysql_packet *p, struct msg *out)
{
	bool goes_on = s->more[DIR_RESP], asked = s->count || s->over;

	s->more[DIR_RESP] = p->len == MYSQL_FULL;
	if (goes_on)
		return GO_ON;
	if (!p->len)
		return BAD;
	if (!cur_left(&p->body)) /* cut right after the header */
		return BAD;
	switch (s->step) {
	case MYSQL_FIRST:
		if (!asked && p->seq != 1)
			return unasked(s, p, out);
		/* The EOF after PREPARE's definitions, where the login is unknown. */
		if (p->seq > 1 && old_eof(p) && s->eof == MYSQL_EOF_UNKNOWN)
			return unasked(s, p, out);
		return prepared_end(s, first_packet(s, p, out));
	case MYSQL_DEFS:
		if (first_byte(p) == ERR_PACKET)
			return error(s, p, out);
		if (!--s->left)
			defs_end(s);
		return GO_ON;
	case MYSQL_DEFS_EOF:
		return after_defs(s, p, out);
	case MYSQL_PREPARED:
		return prepared_end(s, prepared_def(s, p));
	default:
		return row(s, p, out);
	}
}

/* ----- the answer ----- */

static void finish(struct mysql *s, enum mean m, struct msg *out)
{
	if (m == ALONE)
		return;
	if (m == DONE) {
		out->kind = MSG_RESP;
		mysql_pop(s);
		s->rows = 0;
		return;
	}
	out->kind = MSG_INTERIM;
	if (m == GO_ON)
		out->flags |= MSG_F_BODY;
}

enum parse mysql_resp_answer(struct mysql *s, struct cur *c, struct msg *out)
{
	const uint8_t *head = c->p;
	bool full = cur_left(c) >= PROTO_HEAD || c->cut;
	enum mean m = GO_ON;

	while (m == GO_ON) {
		struct cur at = *c;
		struct mysql_packet p;
		enum parse r = mysql_packet(&at, head, &p);

		if (r == PARSE_OK && p.beyond && c->p != head)
			r = PARSE_MORE; /* it begins the next call */
		if (r != PARSE_OK) {
			if (!full || c->p == head)
				return PARSE_MORE;
			break;
		}
		m = packet(s, &p, out);
		if (m == BAD)
			return PARSE_BAD;
		*c = at;
		out->skip = p.beyond;
		if (p.beyond)
			break;
	}
	finish(s, m, out);
	return PARSE_OK;
}
