// SPDX-License-Identifier: GPL-3.0-or-later
/* mongodb_answer - answers of MongoDB: errors, cursors, which request they are for. */
#include <stdio.h>

#include "proto/mongodb.h"

enum {
	REPLY_FLAGS = 0x0f,
	CURSOR_NOT_FOUND = 1 << 0,
	QUERY_FAILURE = 1 << 1,
	CODE_CURSOR_NOT_FOUND = 43,
	ERROR_BYTES = 256,
};

struct told {
	int64_t ok, code, rows, cursor;
	struct str name, message;
	bool has_ok, failed, has_code, has_cursor;
};

static void take_error(struct cur doc, struct told *t)
{
	struct bson e;
	bool bad;

	t->failed = true;
	while (bson_next(&doc, &e, &bad)) {
		if (str_is(e.name, "code"))
			t->has_code |= bson_number(&e, &t->code);
		else if (str_is(e.name, "codeName"))
			t->name = bson_text(&e);
		else if (str_is(e.name, "errmsg"))
			t->message = bson_text(&e);
	}
}

static void take_cursor(struct cur doc, struct told *t)
{
	struct cur in;
	struct bson e;
	bool bad;

	t->has_cursor = true;
	while (bson_next(&doc, &e, &bad)) {
		if (str_is(e.name, "id"))
			bson_number(&e, &t->cursor);
		else if ((str_is(e.name, "firstBatch") || str_is(e.name, "nextBatch")) &&
		         bson_enter(&e, &in))
			t->rows = bson_count(in);
	}
}

/* The first of the errors of single writes. */
static void take_errors(struct cur list, struct told *t)
{
	struct cur in;
	struct bson e;
	bool bad;

	if (bson_next(&list, &e, &bad) && bson_enter(&e, &in))
		take_error(in, t);
}

static bool take_answer(struct cur doc, struct told *t)
{
	struct cur in;
	struct bson e;
	bool bad;

	while (bson_next(&doc, &e, &bad)) {
		if (str_is(e.name, "ok"))
			t->has_ok |= bson_number(&e, &t->ok);
		else if (str_is(e.name, "errmsg") || str_is(e.name, "$err"))
			t->message = bson_text(&e);
		else if (str_is(e.name, "code"))
			t->has_code |= bson_number(&e, &t->code);
		else if (str_is(e.name, "codeName"))
			t->name = bson_text(&e);
		else if (str_is(e.name, "cursor") && bson_enter(&e, &in))
			take_cursor(in, t);
		else if (str_is(e.name, "writeErrors") && bson_enter(&e, &in))
			take_errors(in, t);
		else if (str_is(e.name, "writeConcernError") && bson_enter(&e, &in))
			take_error(in, t);
	}
	t->failed |= t->has_ok && !t->ok;
	return !bad;
}

/* Codes that come without their names: those of single writes. */
static struct str name_of(int64_t code)
{
	return code == 11000                   ? STR("DuplicateKey")
	       : code == 121                   ? STR("DocumentValidationFailure")
	       : code == 13                    ? STR("Unauthorized")
	       : code == CODE_CURSOR_NOT_FOUND ? STR("CursorNotFound")
	                                       : STR_NULL;
}

static void tell_error(struct mongodb *s, const struct told *t, struct msg *out)
{
	out->error = out->server_error = true;
	if (t->has_code) {
		int n = snprintf(s->code, sizeof(s->code), "%d", (int)t->code);

		out->code = (int32_t)t->code;
		out->status = (struct str){ s->code, (size_t)n };
	}
	out->error_type = t->name.len          ? t->name
	                  : name_of(t->code).s ? name_of(t->code)
	                  : t->has_code        ? out->status
	                                       : STR("_OTHER");
	if (t->message.len)
		msg_attr(out, ATTR_ERROR_MESSAGE, str_head(t->message, ERROR_BYTES));
}

static void tell_answer(struct mongodb *s, const struct told *t, struct msg *out)
{
	out->rows = t->rows;
	if (t->cursor)
		msg_attr_num(out, ATTR_MONGODB_CURSOR, t->cursor);
	if (t->failed)
		tell_error(s, t, out);
	else if (!t->has_ok && !t->has_cursor)
		out->flags |= MSG_F_NOSTATUS | MSG_F_CUT;
}

/*
 * Which request it is for. Of several answers each names the one before; a server
 * that goes on without a cursor tells its state (hello): the first one counts.
 */
static void place(struct mongodb *s, const struct mongodb_head *h, bool more, bool cursor,
                  struct msg *out)
{
	bool goes_on = s->last_answer && h->to == s->last_answer;
	uint64_t asked = goes_on ? s->asked : (uint64_t)h->to + 1;

	out->id = asked;
	out->kind = goes_on && !asked ? MSG_PUSH : more && cursor ? MSG_INTERIM : MSG_RESP;
	if (!more && !goes_on)
		return;
	s->last_answer = more ? h->id : 0;
	s->asked = more && cursor ? asked : 0;
}

static enum parse answer_msg(struct mongodb *s, const struct mongodb_head *h, struct cur *c,
                             struct msg *out)
{
	struct told t = { .rows = -1 };
	struct mongodb_asked a = { .batch = -1 };
	uint32_t flags = (uint32_t)cur_le(c, 4);

	if (c->over || !mongodb_sections(c, flags, &a) || (a.has_body && !take_answer(a.body, &t)))
		return PARSE_BAD;
	place(s, h, flags & MONGODB_MORE_TO_COME, t.has_cursor, out);
	tell_answer(s, &t, out);
	return PARSE_OK;
}

static enum parse answer_reply(struct mongodb *s, const struct mongodb_head *h, struct cur *c,
                               struct msg *out)
{
	uint32_t flags = (uint32_t)cur_le(c, 4), n;
	struct told t = { .rows = -1, .cursor = (int64_t)cur_le(c, 8) };
	struct cur doc;

	cur_take(c, 4);
	n = (uint32_t)cur_le(c, 4);
	if (c->over || flags & ~(uint32_t)REPLY_FLAGS)
		return PARSE_BAD;
	if (cur_left(c) && (!bson_open(c, &doc) || (!c->over && !take_answer(doc, &t))))
		return PARSE_BAD;
	if (flags & QUERY_FAILURE)
		t.failed = true;
	else if (flags & CURSOR_NOT_FOUND)
		t.failed = t.has_code = true, t.code = CODE_CURSOR_NOT_FOUND;
	else if (!t.has_ok)
		t.rows = n, t.has_ok = true;
	place(s, h, false, false, out);
	tell_answer(s, &t, out);
	return PARSE_OK;
}

enum parse mongodb_answer(struct mongodb *s, const struct mongodb_head *h, struct cur *c,
                          struct msg *out)
{
	switch (h->opcode) {
	case MONGODB_MSG:
		return answer_msg(s, h, c, out);
	case MONGODB_REPLY:
		return answer_reply(s, h, c, out);
	case MONGODB_COMPRESSED:
		out->kind = MSG_RESP;
		out->id = (uint64_t)h->to + 1;
		out->flags |= MSG_F_NOSTATUS;
		return mongodb_packed(c, out);
	default:
		return PARSE_BAD;
	}
}
