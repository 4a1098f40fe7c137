// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * mysql_login - greeting, TLS request, handshake response, change of user.
 *
 * Passwords, scrambles and keys stand in these packets; nothing of them leaves
 * this file.
 */
#include "proto/mysql.h"

/* 5.5.5-10.11.19-MariaDB, 8.0.36, 11.4: digits, dots, then what may stand in a version. */
static bool plausible_version(struct str v)
{
	bool dot = false;

	if (v.len < 3 || v.len > 120)
		return false;
	for (size_t i = 0; i < v.len; i++) {
		char c = v.s[i];

		if (c < 0x21 || c > 0x7e)
			return false;
		dot |= i && c == '.';
	}
	return dot && v.s[0] >= '0' && v.s[0] <= '9';
}

bool mysql_login_is_greeting(struct cur body)
{
	uint8_t protocol = cur_u8(&body);
	struct str version = cur_cstr(&body);

	cur_take(&body, 12); /* thread, first part of the scramble */
	return protocol == 10 && cur_u8(&body) == 0 && !body.over && plausible_version(version);
}

static bool contains(struct str s, struct str what)
{
	return memmem(s.s, s.len, what.s, what.len) != NULL;
}

enum parse mysql_login_greeting(struct mysql *s, struct mysql_packet *p, struct msg *out)
{
	struct cur c = p->body;
	struct str version;

	if (!mysql_login_is_greeting(c))
		return PARSE_BAD;
	cur_u8(&c);
	version = cur_cstr(&c);
	s->not_mariadb = !contains(version, STR("MariaDB"));
	cur_take(&c, 13);
	s->caps = cur_le(&c, 2);
	cur_take(&c, 3); /* charset, status */
	s->caps |= cur_le(&c, 2) << 16;
	cur_take(&c, 7);
	if (!(s->caps & MYSQL_CAP_LONG_PASSWORD))
		s->caps |= cur_le(&c, 4) << 32;
	s->phase = MYSQL_GREETED;
	out->kind = MSG_NONE;
	return PARSE_OK;
}

/* Capabilities, size, charset, and filler that is zero up to MariaDB's own capabilities. */
bool mysql_login_is_response(struct cur body)
{
	uint64_t caps = cur_le(&body, 4);
	const uint8_t *zero;

	cur_take(&body, 5);
	zero = cur_take(&body, 19);
	cur_take(&body, 4);
	for (size_t i = 0; zero && i < 19; i++)
		if (zero[i])
			return false;
	return !body.over && caps & MYSQL_CAP_PROTOCOL_41;
}

/* The secret of the login, stepped over. */
static void skip_auth(struct cur *c, uint64_t caps)
{
	if (caps & MYSQL_CAP_AUTH_LENENC)
		cur_take(c, mysql_lenenc(c));
	else if (caps & MYSQL_CAP_SECURE)
		cur_take(c, cur_u8(c));
	else
		cur_cstr(c);
}

static void use_db(struct msg *out, struct str db, unsigned int flag)
{
	if (!db.len)
		return;
	out->db = db;
	out->flags |= flag;
}

/* What both sides can do is what counts from here on. */
static void agree(struct mysql *s, uint64_t caps)
{
	if (s->phase == MYSQL_GREETED)
		caps &= s->caps | MYSQL_CAP_LONG_PASSWORD;
	s->caps = caps;
	s->eof = caps & MYSQL_CAP_DEPRECATE_EOF ? MYSQL_EOF_DROPPED : MYSQL_EOF_KEPT;
	s->phase = MYSQL_LOGIN;
}

/* The login of servers before 4.1: capabilities (2), size (3), user, secret, database. */
static void old_login(struct mysql *s, struct cur c, struct msg *out)
{
	uint64_t caps = cur_le(&c, 2);
	struct str user;

	cur_take(&c, 3);
	user = cur_cstr(&c);
	if (c.over)
		return;
	msg_attr(out, ATTR_DB_USER, user);
	if (caps & MYSQL_CAP_CONNECT_WITH_DB) {
		cur_cstr(&c);
		use_db(out, cur_cstr(&c), MSG_F_NEWDB);
	}
	agree(s, caps);
}

static void new_login(struct mysql *s, struct cur c, struct msg *out)
{
	uint64_t caps = cur_le(&c, 4);
	struct str user;

	cur_take(&c, 24);
	if (!(caps & MYSQL_CAP_LONG_PASSWORD))
		caps |= cur_le(&c, 4) << 32;
	else
		cur_take(&c, 4);
	user = cur_cstr(&c);
	agree(s, caps);
	if (c.over)
		return;
	msg_attr(out, ATTR_DB_USER, user);
	skip_auth(&c, caps);
	if (caps & MYSQL_CAP_CONNECT_WITH_DB)
		use_db(out, cur_cstr(&c), MSG_F_NEWDB);
}

/*
 * TLS: the packet ends before the user, and what follows is no longer ours. The
 * same login then comes once more inside, with the next number.
 */
enum parse mysql_login_request(struct mysql *s, struct mysql_packet *p, struct msg *out)
{
	struct cur c = p->body;
	uint64_t caps = cur_le(&c, 4);

	out->kind = MSG_NONE;
	if (caps & MYSQL_CAP_SSL && p->len <= 32 && p->len >= 4 && !c.over) {
		out->next = PROTO_NEXT_DETECT;
		return PARSE_OK;
	}
	if (mysql_login_is_response(p->body))
		new_login(s, p->body, out);
	else if (s->phase == MYSQL_GREETED && p->len >= 6 && !(caps & MYSQL_CAP_PROTOCOL_41))
		old_login(s, p->body, out);
	else
		return s->phase == MYSQL_GREETED ? PARSE_BAD : PARSE_OK;
	out->kind = MSG_REQ;
	out->op = STR("CONNECT");
	mysql_push(s, MYSQL_CONNECT);
	s->phase = MYSQL_LOGIN;
	return PARSE_OK;
}

void mysql_login_change(const struct mysql *s, struct mysql_packet *p, struct msg *out)
{
	struct cur c = p->body;
	struct str user = cur_cstr(&c);

	if (c.over)
		return;
	msg_attr(out, ATTR_DB_USER, user);
	if (s->caps & MYSQL_CAP_SECURE || !s->caps)
		cur_take(&c, cur_u8(&c));
	else
		cur_cstr(&c);
	use_db(out, cur_cstr(&c), MSG_F_NEWDB_OK);
}
