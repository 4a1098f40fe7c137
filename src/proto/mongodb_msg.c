// SPDX-License-Identifier: GPL-3.0-or-later
/* mongodb_msg - requests and answers of MongoDB. */
#include <stdio.h>

#include "proto/mongodb.h"

enum {
	QUERY_FLAGS = 0xff,
	REPLY_FLAGS = 0x0f,
	CURSOR_NOT_FOUND = 1 << 0,
	QUERY_FAILURE = 1 << 1,
	CODE_CURSOR_NOT_FOUND = 43,
	COMPRESSORS = 4,
	WORD_MAX = 64,
	ERROR_BYTES = 256,
};

/* ---- commands ---- */

enum first_value { NOTHING, COLLECTION, QUERY, FIELD, NAMESPACE };

static const struct command {
	const char *name;
	enum first_value value;
} commands[] = {
#define MONGODB_COMMAND(name, value, how) { #name, value },
#include "proto/mongodb_commands.def"
#undef MONGODB_COMMAND
};

static bool is_word(struct str s)
{
	for (size_t i = 0; i < s.len; i++) {
		char c = s.s[i];

		if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && c != '_' && c != '$' &&
		    !(i && c >= '0' && c <= '9'))
			return false;
	}
	return s.len && s.len < WORD_MAX;
}

/* By its name, in any case: drivers say ismaster, findandmodify. */
static const struct command *command_of(struct str name)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++)
		if (str_iis(name, commands[i].name))
			return &commands[i];
	return NULL;
}

/* ---- what is asked ---- */

struct asked {
	const struct command *command; /* NULL: none that is known */
	struct str op, collection, db;
	struct str list;        /* a sequence of documents beside the command: its name */
	struct cur body, first; /* the command; the first of that sequence */
	int64_t batch;          /* documents of it, or of the like array; -1: unknown */
	bool has_body, has_first;
};

/* "shop.orders" */
static void take_namespace(struct str ns, struct asked *a)
{
	const char *dot = ns.len ? memchr(ns.s, '.', ns.len) : NULL;

	if (!dot)
		return;
	a->db = (struct str){ ns.s, (size_t)(dot - ns.s) };
	a->collection = (struct str){ dot + 1, ns.len - a->db.len - 1 };
}

static void take_command(const struct bson *e, struct asked *a)
{
	struct str text = bson_text(e);

	a->command = command_of(e->name);
	a->op = a->command ? str_of(a->command->name) : is_word(e->name) ? e->name : STR("_OTHER");
	if (!a->command || !text.s)
		return;
	if (a->command->value == COLLECTION || a->command->value == QUERY)
		a->collection = text;
	else if (a->command->value == NAMESPACE)
		take_namespace(text, a);
}

static bool is_list(struct str name)
{
	return str_is(name, "documents") || str_is(name, "updates") || str_is(name, "deletes");
}

/* The document of a command. False where it is none. */
static bool take_body(struct cur doc, struct asked *a)
{
	struct cur in;
	struct bson e;
	bool bad, first = true;

	a->body = doc;
	a->has_body = true;
	for (; bson_next(&doc, &e, &bad); first = false) {
		if (first)
			take_command(&e, a);
		else if (str_is(e.name, "$db"))
			a->db = bson_text(&e);
		else if (a->command && a->command->value == FIELD && str_is(e.name, "collection"))
			a->collection = bson_text(&e);
		else if (e.type == BSON_ARRAY && is_list(e.name) && bson_enter(&e, &in))
			a->batch = bson_count(in);
	}
	return !bad && !(first && !doc.cut);
}

/* A sequence of documents: its size, its name, the documents. */
static bool take_sequence(struct cur *c, struct asked *a)
{
	struct cur in = *c, doc;
	uint64_t size = cur_le(&in, 4);
	int64_t n = 0;

	if (in.over) {
		c->over = true;
		return true;
	}
	if (size < 6 || size > MONGODB_LENGTH_MAX)
		return false;
	in.cut = size > cur_left(c);
	if (!in.cut)
		in.end = c->p + size;
	c->p = in.end;
	a->list = cur_cstr(&in);
	if (in.over) {
		a->list = STR_NULL;
		return in.cut;
	}
	while (cur_left(&in)) {
		if (!bson_open(&in, &doc) || (!in.cut && (in.over || doc.cut)))
			return false;
		if (in.over)
			break;
		if (!n++)
			a->first = doc;
		a->has_first = true;
	}
	a->batch = in.cut ? -1 : n;
	return true;
}

/* The sections of an OP_MSG. c->over where they are cut off. */
static bool take_sections(struct cur *c, uint32_t flags, struct asked *a)
{
	struct cur doc;

	if (flags & MONGODB_CHECKSUM && !c->cut && cur_left(c) >= 4)
		c->end -= 4;
	while (cur_left(c) && !c->over) {
		uint8_t kind = cur_u8(c);

		if (kind > 1 || (kind == 0 && (a->has_body || !bson_open(c, &doc))))
			return false;
		if (c->over)
			break;
		if (kind == 0 ? !take_body(doc, a) : !take_sequence(c, a))
			return false;
	}
	return a->has_body || c->cut;
}

/* ---- requests ---- */

/* What is asked for, its values masked: of commands that look for documents. */
static struct str query_of(struct mongodb *s, const struct asked *a)
{
	struct mongodb_shape t = { .p = s->text, .room = sizeof(s->text) };

	if (!a->has_body || !a->command || a->command->value != QUERY)
		return STR_NULL;
	mongodb_shape(&t, a->body, true);
	if (a->list.len && a->has_first && !t.full && t.n > 2) {
		t.n--;
		mongodb_shape_put(&t, STR(",\""));
		mongodb_shape_put(&t, a->list);
		mongodb_shape_put(&t, STR("\":["));
		if (str_is(a->list, "documents"))
			mongodb_shape_put(&t, STR("\"?\""));
		else
			mongodb_shape(&t, a->first, false);
		mongodb_shape_put(&t, STR("]}"));
	}
	return (struct str){ t.p, t.n };
}

/* {"find": "orders", "filter": ...} of what was asked before there were commands. */
static struct str old_query(struct mongodb *s, const struct asked *a)
{
	struct mongodb_shape t = { .p = s->text, .room = sizeof(s->text) };

	mongodb_shape_put(&t, STR("{\"find\":\""));
	mongodb_shape_put(&t, a->collection);
	mongodb_shape_put(&t, STR("\",\"filter\":"));
	mongodb_shape(&t, a->body, false);
	mongodb_shape_put(&t, STR("}"));
	return (struct str){ t.p, t.n };
}

static void tell_request(const struct asked *a, struct str query, struct msg *out)
{
	out->op = a->op;
	out->target = a->collection;
	out->query = query;
	out->flags |= MSG_F_NEWDB | (a->op.s ? 0 : MSG_F_CUT);
	out->db = a->db;
	if (a->op.s)
		msg_attr(out, ATTR_DB_OPERATION_NAME, a->op);
	if (a->collection.len)
		msg_attr(out, ATTR_DB_COLLECTION, a->collection);
	if (a->batch > 1)
		msg_attr_num(out, ATTR_DB_BATCH_SIZE, a->batch);
}

static struct asked nothing(void)
{
	return (struct asked){ .batch = -1 };
}

static enum parse ask_msg(struct mongodb *s, struct cur *c, struct msg *out)
{
	struct asked a = nothing();
	uint32_t flags = (uint32_t)cur_le(c, 4);

	if (c->over || !take_sections(c, flags, &a))
		return PARSE_BAD;
	if (!a.op.s && is_list(a.list))
		a.op = str_of(*a.list.s == 'd' && a.list.s[1] == 'o' ? "insert"
		              : *a.list.s == 'u'                     ? "update"
		                                                     : "delete");
	out->kind = flags & MONGODB_MORE_TO_COME ? MSG_ONEWAY : MSG_REQ;
	tell_request(&a, query_of(s, &a), out);
	return PARSE_OK;
}

/* A command by the old way may have its own in {"$query": ...}. */
static bool unwrap(struct cur *doc)
{
	struct cur in = *doc, inner;
	struct bson e;
	bool bad;

	if (!bson_next(&in, &e, &bad) || !(str_is(e.name, "$query") || str_is(e.name, "query")) ||
	    !bson_enter(&e, &inner))
		return false;
	*doc = inner;
	return true;
}

static enum parse ask_query(struct mongodb *s, struct cur *c, struct msg *out)
{
	uint32_t flags = (uint32_t)cur_le(c, 4);
	struct str ns = cur_cstr(c), query = STR_NULL;
	struct asked a = nothing();
	struct cur doc;

	cur_take(c, 8); /* how many to skip and to return */
	if (c->over || flags & ~(uint32_t)QUERY_FLAGS)
		return PARSE_BAD;
	take_namespace(ns, &a);
	if (!bson_open(c, &doc))
		return PARSE_BAD;
	if (!c->over) {
		unwrap(&doc);
		if (str_is(a.collection, "$cmd")) {
			a.collection = STR_NULL;
			if (!take_body(doc, &a))
				return PARSE_BAD;
			query = query_of(s, &a);
		} else {
			a.op = STR("find");
			a.body = doc;
			query = old_query(s, &a);
		}
	}
	out->kind = MSG_REQ;
	tell_request(&a, query, out);
	return PARSE_OK;
}

/* What is no longer in use since 5.1: by name and collection. */
static enum parse ask_old(uint32_t opcode, struct cur *c, struct msg *out)
{
	struct asked a = nothing();

	cur_take(c, 4);
	if (opcode != MONGODB_KILL_CURSORS)
		take_namespace(cur_cstr(c), &a);
	if (c->over)
		return PARSE_BAD;
	a.op = str_of(opcode == MONGODB_GET_MORE ? "getMore"
	              : opcode == MONGODB_INSERT ? "insert"
	              : opcode == MONGODB_UPDATE ? "update"
	              : opcode == MONGODB_DELETE ? "delete"
	                                         : "killCursors");
	out->kind = opcode == MONGODB_GET_MORE ? MSG_REQ : MSG_ONEWAY;
	tell_request(&a, STR_NULL, out);
	return PARSE_OK;
}

/* ---- compressed messages ---- */

static enum parse packed(struct cur *c, struct msg *out)
{
	static const char *const names[COMPRESSORS] = { "noop", "snappy", "zlib", "zstd" };
	uint8_t with;

	cur_take(c, 8); /* opcode and size of what is in it */
	with = cur_u8(c);
	if (c->over || with >= COMPRESSORS)
		return PARSE_BAD;
	msg_attr(out, ATTR_DB_COMPRESSED, str_of(names[with]));
	return PARSE_OK;
}

/* ---- answers ---- */

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
	struct asked a = nothing();
	uint32_t flags = (uint32_t)cur_le(c, 4);

	if (c->over || !take_sections(c, flags, &a) || (a.has_body && !take_answer(a.body, &t)))
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

/* ---- both ---- */

static enum parse request(struct mongodb *s, const struct mongodb_head *h, struct cur *c,
                          struct msg *out)
{
	out->id = (uint64_t)h->id + 1;
	switch (h->opcode) {
	case MONGODB_MSG:
		return ask_msg(s, c, out);
	case MONGODB_QUERY:
		return ask_query(s, c, out);
	case MONGODB_COMPRESSED:
		out->kind = MSG_REQ;
		out->op = STR("OP_COMPRESSED");
		out->flags |= MSG_F_NEWDB;
		return packed(c, out);
	case MONGODB_INSERT:
	case MONGODB_UPDATE:
	case MONGODB_DELETE:
	case MONGODB_GET_MORE:
	case MONGODB_KILL_CURSORS:
		return ask_old(h->opcode, c, out);
	default:
		return PARSE_BAD;
	}
}

static enum parse answer(struct mongodb *s, const struct mongodb_head *h, struct cur *c,
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
		return packed(c, out);
	default:
		return PARSE_BAD;
	}
}

static struct mongodb_head head_of(struct cur *c)
{
	struct mongodb_head h = { .length = (uint32_t)cur_le(c, 4) };

	h.id = (uint32_t)cur_le(c, 4);
	h.to = (uint32_t)cur_le(c, 4);
	h.opcode = (uint32_t)cur_le(c, 4);
	return h;
}

enum parse mongodb_parse(void *state, enum dir dir, struct cur *in, struct msg *out)
{
	struct cur c = *in, body;
	struct msg m = MSG_INIT;
	struct mongodb_head h;
	size_t want;
	enum parse r;

	if (cur_left(&c) > PROTO_HEAD) { /* a message is the same however much stands behind it */
		c.end = c.p + PROTO_HEAD;
		c.cut = false;
	}
	body = c;
	h = head_of(&body);
	if (body.over)
		return c.cut ? PARSE_BAD : PARSE_MORE;
	if (h.length < MONGODB_HEAD + 1 || h.length > MONGODB_LENGTH_MAX)
		return PARSE_BAD;
	want = h.length < PROTO_HEAD ? h.length : PROTO_HEAD;
	if (cur_left(&c) < want && !c.cut)
		return PARSE_MORE;
	body.cut = h.length > cur_left(&c);
	if (!body.cut)
		body.end = c.p + h.length;
	m.flags = c.cut && body.cut ? MSG_F_CUT : 0;
	c.p = body.end;
	m.skip = h.length - (size_t)(body.end - in->p);
	r = dir == DIR_REQ ? request(state, &h, &body, &m) : answer(state, &h, &body, &m);
	if (r != PARSE_OK)
		return r;
	*out = m;
	in->p = c.p;
	return PARSE_OK;
}
