// SPDX-License-Identifier: GPL-3.0-or-later
/* mssql_packet - packets of TDS, and the TLS records that may stand between them. */
#include "proto/mssql.h"

enum { STATUS = 0x1f };

bool mssql_packet(struct cur *c, enum dir dir, struct mssql_packet *p)
{
	p->type = cur_u8(c);
	p->status = cur_u8(c);
	p->len = cur_be16(c);
	cur_be16(c); /* number of the server's process */
	p->number = cur_u8(c);
	if (cur_u8(c) || c->over || p->len < MSSQL_HEADER || p->len > MSSQL_PACKET ||
	    p->status & ~STATUS)
		return false;
	if (dir == DIR_RESP)
		return (p->type == MSSQL_ANSWER || p->type == MSSQL_PRELOGIN) &&
		       p->status <= MSSQL_EOM;
	switch (p->type) {
	case MSSQL_BATCH:
	case MSSQL_RPC:
	case MSSQL_BULK:
	case MSSQL_FEDAUTH:
	case MSSQL_TRANSACTION:
	case MSSQL_LOGIN:
	case MSSQL_SSPI:
	case MSSQL_PRELOGIN:
		return true;
	case MSSQL_ATTENTION:
		return p->len == MSSQL_HEADER && p->status & MSSQL_EOM;
	default:
		return false;
	}
}

bool mssql_is_record(struct cur c)
{
	uint8_t type = cur_u8(&c), major = cur_u8(&c), minor = cur_u8(&c);

	return type >= 0x14 && type <= 0x17 && (c.over || (major == 3 && minor <= 4));
}

void mssql_load(struct cur c, enum dir dir, struct mssql_side side, struct mssql_load *l)
{
	l->n = 0;
	l->bad = false;
	for (;;) {
		struct mssql_packet p;
		struct cur h = c;
		struct str s;

		s = cur_rest(&c, side.left);
		memcpy(l->bytes + l->n, s.s, s.len);
		l->n += s.len;
		side.left = (uint16_t)(side.left - s.len);
		if (side.left || (side.inside && side.last))
			break;
		h = c;
		if (cur_left(&h) < MSSQL_HEADER)
			break;
		l->bad = !mssql_packet(&h, dir, &p);
		if (l->bad)
			break;
		c.p = h.p;
		side.inside = true;
		side.left = (uint16_t)(p.len - MSSQL_HEADER);
		side.last = p.status & MSSQL_EOM;
	}
	l->side = side;
	l->end = c.p;
	l->whole = side.inside && side.last && !side.left;
}

void mssql_pass(struct cur *c, struct mssql_side *side, size_t n)
{
	for (;;) {
		size_t here = n < side->left ? n : side->left;
		uint8_t status;

		cur_take(c, here);
		side->left = (uint16_t)(side->left - here);
		n -= here;
		if (!n)
			return;
		cur_u8(c);
		status = cur_u8(c);
		side->left = (uint16_t)(cur_be16(c) - MSSQL_HEADER);
		side->last = status & MSSQL_EOM;
		cur_take(c, MSSQL_HEADER - 4);
	}
}

/*
 * Where only the login is hidden, it is the first record with data: that it is
 * sent is all there is to know. Its answer comes in the clear.
 */
enum parse mssql_record(struct mssql *s, enum dir dir, struct cur *in, struct msg *out)
{
	struct cur c = *in;
	uint8_t type = cur_u8(&c);
	uint16_t len;

	cur_be16(&c);
	len = cur_be16(&c);
	if (c.over)
		return in->cut ? PARSE_BAD : PARSE_MORE;
	out->skip = len;
	if (dir == DIR_REQ && type == 0x17 && s->hidden == MSSQL_HIDDEN_LOGIN && !s->tried) {
		s->tried = s->open = true;
		out->kind = MSG_REQ;
		out->op = STR("LOGIN");
		msg_attr(out, ATTR_DB_ENCRYPTED, STR("login"));
	}
	in->p = c.p;
	return PARSE_OK;
}
