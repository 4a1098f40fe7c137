// SPDX-License-Identifier: GPL-3.0-or-later
/* mysql_req - what the client of a MySQL connection sends: login and commands. */
#include "proto/mysql.h"

#include "proto/sql.h"

enum { LAST_PREPARED = 0xffffffff }; /* MariaDB: the statement that was prepared last */

/* ----- which commands there are ----- */

struct limits {
	uint32_t min, max;
};

static struct limits limits_of(uint8_t command)
{
	switch (command) {
#define X(number, NAME, min, max, how) \
	case number:                   \
		return (struct limits){ min, max };
		MYSQL_COMMANDS(X)
#undef X
	default:
		return (struct limits){ 1, 0 };
	}
}

static struct str name_of(uint8_t command)
{
	switch (command) {
#define X(number, NAME, min, max, how) \
	case number:                   \
		return STR(#NAME);
		MYSQL_COMMANDS(X)
#undef X
	default:
		return STR("");
	}
}

/* A verb, a comment or a bracket, then text; behind query attributes not looked for. */
static bool plausible_sql(struct str text)
{
	struct str op;

	for (size_t i = 0; i < text.len && i < 64; i++)
		if ((unsigned char)text.s[i] < 0x20 && !strchr("\t\r\n", text.s[i]))
			return false;
	op = sql_op(text, SQL_MYSQL);
	return op.len && !str_is(op, "OTHER");
}

/*
 * Strict, for connections that were joined in the middle: commands that could
 * be anything (PING is one byte) do not count.
 */
bool mysql_req_plausible(struct cur body, uint32_t len)
{
	uint8_t command = cur_u8(&body);
	struct limits l = limits_of(command);
	struct str text = cur_rest(&body, SIZE_MAX);
	struct cur c = cur_of(text.s, text.len);

	if (len < l.min || len > l.max)
		return false;
	if (command == MYSQL_EXECUTE) {
		cur_take(&c, 5);
		return cur_le(&c, 4) == 1 && !c.over;
	}
	if (command != MYSQL_QUERY && command != MYSQL_PREPARE)
		return false;
	if (text.len > 2 && !text.s[0] && text.s[1] == 1) { /* no query attributes */
		text.s += 2;
		text.len -= 2;
	}
	return plausible_sql(text);
}

/* ----- query attributes ----- */

/* The value of a parameter of this type, as text where it is text. */
static struct str attr_value(struct cur *c, unsigned int type)
{
	static const uint8_t sizes[] = {
		[1] = 1, [2] = 2, [3] = 4, [4] = 4, [5] = 8, [8] = 8, [9] = 4, [13] = 2
	};

	type &= 0xff;
	if (type == 6) /* NULL */
		return STR("");
	if (type == 7 || type == 10 || type == 11 || type == 12) { /* times: a length, then that */
		cur_take(c, cur_u8(c));
		return STR("");
	}
	if (type < sizeof(sizes) && sizes[type]) {
		cur_take(c, sizes[type]);
		return STR("");
	}
	return mysql_lenstr(c);
}

/*
 * What stands before the text where CLIENT_QUERY_ATTRIBUTES is in use: a number
 * n, 1, and for n > 0 a bitmap of nulls, 1, n types and names, n values. A
 * parameter named traceparent carries the trace context.
 */
static void query_attributes(struct cur *c, struct msg *out)
{
	uint64_t n = mysql_lenenc(c);
	const uint8_t *nulls;
	struct cur names;

	mysql_lenenc(c);
	if (!n)
		return;
	nulls = n <= 65535 ? cur_take(c, (n + 7) / 8) : cur_take(c, SIZE_MAX);
	cur_u8(c);
	names = *c;
	for (uint64_t i = 0; i < n && !c->over; i++) {
		cur_take(c, 2);
		mysql_lenstr(c);
	}
	for (uint64_t i = 0; i < n && !c->over; i++) {
		unsigned int type = (unsigned int)cur_le(&names, 2);
		struct str name = mysql_lenstr(&names), value;

		if (nulls[i / 8] & 1 << i % 8)
			continue;
		value = attr_value(c, type);
		if (!c->over && str_is(name, "traceparent"))
			out->traceparent = value;
		else if (!c->over && str_is(name, "tracestate"))
			out->tracestate = value;
	}
}

/* ----- commands with text ----- */

/* USE db, USE `db`: the name, without its quotes; "" where the statement is another. */
static struct str used_db(struct str text)
{
	struct str db = text;
	size_t n = 0;

	while (db.len && strchr(" \t\r\n", *db.s))
		db.s++, db.len--;
	if (db.len < 5 || !str_istarts(db, "use") || !strchr(" \t\r\n`", db.s[3]))
		return STR("");
	db = (struct str){ db.s + 3, db.len - 3 };
	while (db.len && strchr(" \t\r\n", *db.s))
		db.s++, db.len--;
	if (db.len && *db.s == '`') {
		const char *end = memchr(db.s + 1, '`', db.len - 1);

		return end ? (struct str){ db.s + 1, (size_t)(end - db.s - 1) } : STR("");
	}
	while (n < db.len && !strchr(" \t\r\n;", db.s[n]))
		n++;
	return str_head(db, n);
}

/* The text of a statement, which the head may not hold whole. */
static void statement(struct mysql_packet *p, struct msg *out)
{
	out->target = cur_rest(&p->body, SIZE_MAX);
	if (p->beyond)
		out->flags |= MSG_F_CUT;
	if (!out->traceparent.len)
		out->traceparent = sql_traceparent(out->target, SQL_MYSQL);
}

static void query(const struct mysql *s, struct mysql_packet *p, struct msg *out)
{
	struct cur c = p->body;

	if (s->caps & MYSQL_CAP_QUERY_ATTRIBUTES)
		query_attributes(&c, out);
	else if (!s->caps && cur_left(&c) > 2 && !c.p[0] && c.p[1] == 1)
		cur_take(&c, 2); /* joined in the middle: no statement begins like this */
	if (!c.over)
		p->body = c;
	statement(p, out);
	out->op = sql_op(out->target, SQL_MYSQL);
	out->db = used_db(out->target);
	if (out->db.len)
		out->flags |= MSG_F_NEWDB_OK;
}

/*
 * The number of the statement comes with the answer. MariaDB's connectors do
 * not wait for it and execute number -1 at once. That stays two requests: the
 * server answers the first before it reads the second, and logs both.
 */
static void prepare(const struct mysql *s, struct mysql_packet *p, struct msg *out)
{
	statement(p, out);
	if (s->not_mariadb)
		return;
	out->flags |= MSG_F_DEFINE;
	out->def_id = LAST_PREPARED;
	out->def = out->target;
}

static void named(struct mysql *s, struct mysql_packet *p, struct msg *out)
{
	uint32_t id = (uint32_t)cur_le(&p->body, 4);

	if (p->body.over)
		return;
	out->flags |= MSG_F_USE;
	out->use_id = id;
	if (id != LAST_PREPARED)
		msg_attr(out, ATTR_DB_STATEMENT_NAME, mysql_number(s, id));
}

/* ----- commands ----- */

/* What the command says beyond its name. */
static void details(struct mysql *s, uint8_t command, struct mysql_packet *p, struct msg *out)
{
	switch (command) {
	case MYSQL_QUERY:
		query(s, p, out);
		break;
	case MYSQL_PREPARE:
		prepare(s, p, out);
		break;
	case MYSQL_EXECUTE:
	case MYSQL_BULK_EXECUTE:
	case MYSQL_FETCH:
	case MYSQL_STMT_RESET:
		named(s, p, out);
		break;
	case MYSQL_INIT_DB:
		out->db = cur_rest(&p->body, SIZE_MAX);
		out->target = out->db;
		out->flags |= MSG_F_NEWDB_OK;
		break;
	case MYSQL_CREATE_DB:
	case MYSQL_DROP_DB:
		out->target = cur_rest(&p->body, SIZE_MAX);
		break;
	case MYSQL_FIELD_LIST:
		out->target = cur_cstr(&p->body);
		break;
	case MYSQL_CHANGE_USER:
		mysql_login_change(s, p, out);
		break;
	default:
		break;
	}
}

static enum parse command(struct mysql *s, struct mysql_packet *p, struct msg *out)
{
	uint8_t number = cur_u8(&p->body);
	struct limits l = limits_of(number);

	if (p->body.over)
		return PARSE_BAD;
	if (p->len < l.min || p->len > l.max)
		return PARSE_BAD;
	s->phase = MYSQL_READY;
	switch (number) {
	case MYSQL_SEND_LONG_DATA: /* a parameter of the EXECUTE that follows */
		out->kind = MSG_NONE;
		return PARSE_OK;
	case MYSQL_STMT_CLOSE:
		out->kind = MSG_NONE;
		out->def_id = cur_le(&p->body, 4);
		out->flags |= p->body.over ? 0 : MSG_F_FORGET;
		return PARSE_OK;
	case MYSQL_QUIT:
		out->kind = MSG_ONEWAY;
		out->op = name_of(number);
		return PARSE_OK;
	default:
		break;
	}
	out->kind = MSG_REQ;
	out->op = name_of(number);
	details(s, number, p, out);
	mysql_push(s, number);
	return PARSE_OK;
}

enum parse mysql_req_packet(struct mysql *s, struct mysql_packet *p, struct msg *out)
{
	bool goes_on = s->more[DIR_REQ];

	s->more[DIR_REQ] = p->len == MYSQL_FULL;
	if (s->infile) {
		s->infile = p->len || goes_on;
		return PARSE_OK;
	}
	if (goes_on)
		return PARSE_OK;
	if (p->seq && (s->phase == MYSQL_START || s->phase == MYSQL_GREETED))
		return mysql_login_request(s, p, out);
	/* Anything else with a number is a part: a secret of the login, a file's end. */
	if (p->seq)
		return PARSE_OK;
	return command(s, p, out);
}
