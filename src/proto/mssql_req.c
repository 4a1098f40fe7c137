// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * mssql_req - what a request says: login, batches, calls of procedures,
 * transactions, bulk load, attention.
 *
 * Statements are UTF-16 on the wire; what messages point to is kept in the state.
 * The password of a login is stepped over.
 */
#include "proto/mssql.h"

#include "proto/sql.h"

enum { HEADERS_MAX = 512 };

/* ---- ALL_HEADERS ---- */

const uint8_t *mssql_headers(struct cur c, struct str *activity)
{
	enum { NOTIFICATIONS = 1, TRANSACTION = 2, TRACE = 3, GUID = 16 };
	uint64_t all = cur_le(&c, 4);

	*activity = STR_NULL;
	if (c.over || all < 4 || all > HEADERS_MAX || all - 4 > cur_left(&c))
		return NULL;
	c.end = c.p + all - 4;
	while (cur_left(&c)) {
		uint64_t len = cur_le(&c, 4), type = cur_le(&c, 2);
		struct str data = cur_str(&c, len < 6 ? HEADERS_MAX : (size_t)len - 6);

		if (c.over || type < NOTIFICATIONS || type > TRACE ||
		    (type == TRANSACTION && len != 18))
			return NULL;
		if (type == TRACE && data.len >= GUID)
			*activity = (struct str){ data.s, GUID };
	}
	return c.end;
}

/* Of the 8 KiB for texts the last few are for what is no statement. */
static struct str guid(struct mssql *s, struct str id)
{
	static const uint8_t order[16] = { 3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15 };
	static const char hex[] = "0123456789abcdef";
	char *out = s->text + MSSQL_TEXT - 36;
	size_t n = 0;

	for (size_t i = 0; i < sizeof(order); i++) {
		uint8_t byte = (uint8_t)id.s[order[i]];

		if (i == 4 || i == 6 || i == 8 || i == 10)
			out[n++] = '-';
		out[n++] = hex[byte >> 4];
		out[n++] = hex[byte & 15];
	}
	return (struct str){ out, n };
}

enum { ROOM = MSSQL_TEXT - 64 };

/* Goes behind ALL_HEADERS; false where there should be some. */
static bool headers(struct mssql *s, struct cur *c, struct msg *out)
{
	struct str activity;
	const uint8_t *p = mssql_headers(*c, &activity);

	if (!p) {
		s->old = !s->modern;
		return s->old;
	}
	s->old = false;
	s->modern = true;
	c->p = p;
	if (activity.s)
		msg_attr(out, ATTR_MSSQL_ACTIVITY, guid(s, activity));
	return true;
}

/* ---- texts ---- */

static void statement(struct mssql *s, const uint8_t *p, size_t n, struct msg *out)
{
	size_t len = mssql_utf8(p, n, s->text, ROOM);
	struct str op;

	out->target = (struct str){ s->text, len };
	if (len > ROOM - 4)
		out->flags |= MSG_F_CUT;
	out->traceparent = sql_traceparent(out->target, SQL_MSSQL);
	op = sql_op(out->target, SQL_MSSQL);
	if (!out->op.s)
		out->op = op.len ? op : STR("BATCH");
}

/* ---- calls ---- */

enum { DEFINES = 1, USES = 2, FORGETS = 4, CURSOR = MSSQL_CURSOR };

static const struct proc {
	const char *name, *op; /* op: NULL, the statement's verb */
	uint8_t text;          /* which parameter is the statement, from 1; 0: none */
	uint8_t does;
} procs[] = {
	[1] = { "sp_cursor", "CURSOR", 0, USES | CURSOR },
	[2] = { "sp_cursoropen", NULL, 2, DEFINES | CURSOR },
	[3] = { "sp_cursorprepare", "PREPARE", 3, DEFINES },
	[4] = { "sp_cursorexecute", "EXECUTE", 0, USES },
	[5] = { "sp_cursorprepexec", NULL, 4, DEFINES },
	[6] = { "sp_cursorunprepare", "UNPREPARE", 0, FORGETS },
	[7] = { "sp_cursorfetch", "FETCH", 0, USES | CURSOR },
	[8] = { "sp_cursoroption", "CURSOR", 0, USES | CURSOR },
	[9] = { "sp_cursorclose", "CLOSE", 0, FORGETS | CURSOR },
	[10] = { "sp_executesql", NULL, 1, 0 },
	[11] = { "sp_prepare", "PREPARE", 3, DEFINES },
	[12] = { "sp_execute", "EXECUTE", 0, USES },
	[13] = { "sp_prepexec", NULL, 3, DEFINES },
	[14] = { "sp_prepexecrpc", NULL, 2, DEFINES },
	[15] = { "sp_unprepare", "UNPREPARE", 0, FORGETS },
};

enum { PROCS = sizeof(procs) / sizeof(*procs) };

/* The procedure that is called; by name those above count like their numbers. */
static const struct proc *procedure(struct mssql *s, struct cur *c, struct msg *out)
{
	static const struct str exec = { "EXEC ", 5 };
	uint64_t len = cur_le(c, 2);
	struct str name, raw;

	if (len == 0xffff) {
		len = cur_le(c, 2);
		return len && len < PROCS ? &procs[len] : NULL;
	}
	raw = cur_str(c, 2 * (size_t)len);
	if (c->over || !raw.len)
		return NULL;
	memcpy(s->text, exec.s, exec.len);
	name.s = s->text + exec.len;
	name.len = mssql_utf8((const uint8_t *)raw.s, raw.len, s->text + exec.len, ROOM / 2);
	for (size_t i = 1; i < PROCS; i++)
		if (str_iis(name, procs[i].name))
			return &procs[i];
	out->op = STR("EXEC");
	out->target = (struct str){ s->text, exec.len + name.len };
	msg_attr(out, ATTR_DB_STORED_PROCEDURE, name);
	return NULL;
}

static uint64_t handle_id(uint8_t does, uint32_t handle)
{
	return (does & CURSOR ? (uint64_t)1 << 32 : 0) | handle;
}

static void handle(struct mssql *s, const struct proc *p, struct cur value, struct msg *out)
{
	uint32_t number = (uint32_t)cur_le(&value, 4);

	if (p->does & DEFINES) {
		s->awaits = p->does & (DEFINES | CURSOR);
		return;
	}
	if (value.over)
		return;
	msg_attr_num(out, ATTR_DB_STATEMENT_NAME, number);
	if (p->does & USES) {
		out->flags |= MSG_F_USE;
		out->use_id = handle_id(p->does, number);
	} else {
		out->flags |= MSG_F_FORGET;
		out->def_id = handle_id(p->does, number);
	}
}

/* One parameter: name, flags, type, value. */
static void parameter(struct mssql *s, struct cur *c, const struct proc *p, unsigned int n,
                      struct msg *out)
{
	const uint8_t *value;
	enum mssql_kind kind;
	struct cur number;
	size_t len;

	cur_take(c, 2 * (size_t)cur_u8(c));
	cur_u8(c);
	kind = mssql_type(c, true);
	value = mssql_value(c, kind, &len);
	number = value ? cur_of(value, len) : cur_of("", 0);
	if (p && value && n == p->text && !out->target.s)
		statement(s, value, len, out);
	else if (p && n == 1 && p->does)
		handle(s, p, number, out);
}

/* The next call of a batch of them begins with such a byte. */
static bool is_flag(uint8_t byte)
{
	return byte == 0x80 || byte == 0xff || byte == 0xfe;
}

static void pass_name(struct cur *c)
{
	uint64_t len = cur_le(c, 2);

	cur_take(c, len == 0xffff ? 2 : 2 * (size_t)len);
}

/* Of several calls the first, and their number. */
static void calls(struct mssql *s, struct cur *c, struct msg *out)
{
	unsigned int count = 0;

	s->awaits = 0;
	while (cur_left(c) && !c->over) {
		struct msg more = MSG_INIT;
		const struct proc *p;

		if (count) {
			cur_u8(c);
			pass_name(c);
			p = NULL;
		} else {
			p = procedure(s, c, out);
		}
		cur_le(c, 2); /* options */
		if (c->over)
			break;
		if (p && p->op)
			out->op = str_of(p->op);
		for (unsigned int n = 1; cur_left(c) && !c->over && !is_flag(*c->p); n++)
			parameter(s, c, p, n, count ? &more : out);
		count++;
	}
	if (count > 1 && !c->over)
		msg_attr_num(out, ATTR_DB_BATCH_SIZE, count);
	if (!out->op.s)
		out->op = STR("EXEC");
}

/* ---- the others ---- */

static struct str login_text(struct cur c, size_t at, char *out, size_t cap)
{
	struct cur f = c;
	uint16_t offset, len;
	const uint8_t *p;

	cur_take(&f, at);
	offset = (uint16_t)cur_le(&f, 2);
	len = (uint16_t)cur_le(&f, 2);
	cur_take(&c, offset);
	p = cur_take(&c, 2 * (size_t)len);
	if (f.over || !p || !len || len > 128)
		return STR_NULL;
	return (struct str){ out, mssql_utf8(p, 2 * (size_t)len, out, cap) };
}

static void login(struct mssql *s, struct cur c, struct msg *out)
{
	enum { USER = 40, DATABASE = 68 };
	struct cur v = c;
	struct str user = login_text(c, USER, s->text, ROOM / 2);
	struct str db = login_text(c, DATABASE, s->text + ROOM / 2, ROOM / 2);

	cur_le(&v, 7);
	s->old = cur_u8(&v) < 0x72;
	s->modern = !s->old;
	out->op = STR("LOGIN");
	msg_attr(out, ATTR_DB_USER, user);
	if (db.len) {
		out->db = db;
		out->flags |= MSG_F_NEWDB_OK;
	}
}

static void transaction(struct mssql *s, struct cur c, struct msg *out)
{
	static const char *const names[] = {
		"GET_DTC_ADDRESS", "PROPAGATE", NULL,     NULL,       NULL,
		"BEGIN",           "PROMOTE",   "COMMIT", "ROLLBACK", "SAVE"
	};
	uint64_t type;

	headers(s, &c, out);
	type = cur_le(&c, 2);
	out->op = !c.over && type < sizeof(names) / sizeof(*names) && names[type]
	                  ? str_of(names[type])
	                  : STR("TRANSACTION");
}

bool mssql_prelogin(struct cur c, uint8_t *encryption)
{
	enum { END = 0xff, VERSION = 0, ENCRYPTION = 1 };
	struct cur all = c;
	bool version = false;

	*encryption = 0xff;
	for (unsigned int n = 0; n < 16; n++) {
		struct cur value = all;
		uint8_t token = cur_u8(&c);
		uint16_t offset, len;

		if (token == END)
			return version && !c.over;
		offset = cur_be16(&c);
		len = cur_be16(&c);
		if (c.over || offset < 6 || offset + len > MSSQL_PACKET ||
		    (token == VERSION) != !n || (token == VERSION && len != 6))
			return false;
		version = true;
		cur_take(&value, offset);
		if (token == ENCRYPTION && len == 1)
			*encryption = cur_u8(&value);
	}
	return false;
}

static void prelogin(struct mssql *s, struct cur c, struct msg *out)
{
	uint8_t asked;

	if (!mssql_prelogin(c, &asked)) { /* a handshake of TLS */
		out->kind = MSG_NONE;
		return;
	}
	s->asked = asked;
	out->op = STR("PRELOGIN");
}

/* ---- a message ---- */

/* False where the message began before what is here. */
static bool read_message(struct mssql *s, uint8_t type, struct cur c, struct msg *out)
{
	out->kind = MSG_REQ;
	switch (type) {
	case MSSQL_BATCH:
		if (!headers(s, &c, out))
			return false;
		statement(s, c.p, cur_left(&c), out);
		break;
	case MSSQL_RPC:
		if (!headers(s, &c, out))
			return false;
		calls(s, &c, out);
		break;
	case MSSQL_TRANSACTION:
		transaction(s, c, out);
		break;
	case MSSQL_LOGIN:
		login(s, c, out);
		break;
	case MSSQL_PRELOGIN:
		prelogin(s, c, out);
		break;
	case MSSQL_BULK:
		out->op = STR("BULK");
		break;
	default:
		out->op = type == MSSQL_SSPI ? STR("SSPI") : STR("FEDAUTH");
	}
	return true;
}

/* What follows the first window of a long message. */
static enum parse go_on(struct mssql_side *side, struct cur *in, struct msg *out)
{
	struct mssql_packet p;
	struct cur c = *in;

	if (cur_left(&c) < MSSQL_HEADER)
		return in->cut ? PARSE_BAD : PARSE_MORE;
	if (!mssql_packet(&c, DIR_REQ, &p))
		return PARSE_BAD;
	out->skip = (uint64_t)(p.len - MSSQL_HEADER);
	side->inside = !(p.status & MSSQL_EOM);
	in->p = c.p;
	return PARSE_OK;
}

static enum parse attention(struct mssql *s, struct cur *in)
{
	s->stops = true;
	cur_take(in, MSSQL_HEADER);
	return PARSE_OK;
}

enum parse mssql_request(struct mssql *s, struct cur *in, struct msg *out)
{
	struct mssql_side *side = &s->side[DIR_REQ];
	struct mssql_load load;
	struct mssql_packet p;
	struct cur c = *in;

	if (mssql_is_record(*in))
		return mssql_record(s, DIR_REQ, in, out);
	if (cur_left(in) < MSSQL_HEADER)
		return in->cut ? PARSE_BAD : PARSE_MORE;
	if (!mssql_packet(&c, DIR_REQ, &p))
		return PARSE_BAD;
	if (p.type == MSSQL_ATTENTION)
		return attention(s, in);
	if (side->inside)
		return go_on(side, in, out);
	mssql_load(*in, DIR_REQ, (struct mssql_side){ 0 }, &load);
	if (!load.whole && !load.bad && p.type != MSSQL_BULK && !in->cut &&
	    cur_left(in) < PROTO_HEAD)
		return PARSE_MORE;
	if (p.type == MSSQL_BULK) { /* rows: as many as there are */
		load.end = c.p;
		load.side = (struct mssql_side){ .left = (uint16_t)(p.len - MSSQL_HEADER),
			                         .last = p.status & MSSQL_EOM };
	}
	if (!read_message(s, p.type, cur_of(load.bytes, load.n), out))
		*out = MSG_INIT;
	if (out->kind == MSG_REQ)
		s->open = true;
	if (load.side.left && in->cut)
		out->flags |= MSG_F_CUT;
	out->skip = load.side.left;
	side->inside = !load.side.last;
	in->p = load.end;
	return PARSE_OK;
}
