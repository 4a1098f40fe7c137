// SPDX-License-Identifier: GPL-3.0-or-later
/* mongodb_msg - messages of MongoDB, and what requests ask for. */
#include "proto/mongodb.h"

enum {
	QUERY_FLAGS = 0xff,
	COMPRESSORS = 4,
	WORD_MAX = 64,
};

/* ---- commands ---- */

enum first_value { NOTHING, COLLECTION, QUERY, FIELD, NAMESPACE };

static const struct mongodb_command {
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
static const struct mongodb_command *command_of(struct str name)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++)
		if (str_iis(name, commands[i].name))
			return &commands[i];
	return NULL;
}

/* ---- what is asked ---- */

/* "shop.orders" */
static void take_namespace(struct str ns, struct mongodb_asked *a)
{
	const char *dot = ns.len ? memchr(ns.s, '.', ns.len) : NULL;

	if (!dot)
		return;
	a->db = (struct str){ ns.s, (size_t)(dot - ns.s) };
	a->collection = (struct str){ dot + 1, ns.len - a->db.len - 1 };
}

static void take_command(const struct bson *e, struct mongodb_asked *a)
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
static bool take_body(struct cur doc, struct mongodb_asked *a)
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
static bool take_sequence(struct cur *c, struct mongodb_asked *a)
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
bool mongodb_sections(struct cur *c, uint32_t flags, struct mongodb_asked *a)
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
static struct str query_of(struct mongodb *s, const struct mongodb_asked *a)
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
static struct str old_query(struct mongodb *s, const struct mongodb_asked *a)
{
	struct mongodb_shape t = { .p = s->text, .room = sizeof(s->text) };

	mongodb_shape_put(&t, STR("{\"find\":\""));
	mongodb_shape_put(&t, a->collection);
	mongodb_shape_put(&t, STR("\",\"filter\":"));
	mongodb_shape(&t, a->body, false);
	mongodb_shape_put(&t, STR("}"));
	return (struct str){ t.p, t.n };
}

static void tell_request(const struct mongodb_asked *a, struct str query, struct msg *out)
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

static enum parse ask_msg(struct mongodb *s, struct cur *c, struct msg *out)
{
	struct mongodb_asked a = { .batch = -1 };
	uint32_t flags = (uint32_t)cur_le(c, 4);

	if (c->over || !mongodb_sections(c, flags, &a))
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
	struct mongodb_asked a = { .batch = -1 };
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
	struct mongodb_asked a = { .batch = -1 };

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

enum parse mongodb_packed(struct cur *c, struct msg *out)
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
		return mongodb_packed(c, out);
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
	r = dir == DIR_REQ ? request(state, &h, &body, &m) : mongodb_answer(state, &h, &body, &m);
	if (r != PARSE_OK)
		return r;
	*out = m;
	in->p = c.p;
	return PARSE_OK;
}
