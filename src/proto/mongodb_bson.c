// SPDX-License-Identifier: GPL-3.0-or-later
/* mongodb_bson - documents of BSON, walked where they lie, and their shape as text. */
#include "proto/mongodb.h"

enum { DEPTH = 8, WIDTH = 32, DOCUMENT_MIN = 5 };

/* ---- documents ---- */

bool bson_open(struct cur *c, struct cur *doc)
{
	uint32_t len = (uint32_t)cur_le(c, 4);

	*doc = cur_of(c->p, 0);
	if (c->over)
		return true;
	if (len < DOCUMENT_MIN || len > MONGODB_LENGTH_MAX)
		return false;
	len -= 4;
	doc->cut = len > cur_left(c);
	doc->end = doc->cut ? c->end : c->p + len - 1;
	if (!doc->cut && *doc->end)
		return false;
	c->p = doc->cut ? c->end : doc->end + 1;
	return true;
}

/* Bytes of a value; UINT64_MAX where there is no such type. v.over where too few tell it. */
static uint64_t size_of(uint8_t type, struct cur *v)
{
	switch (type) {
	case 0x06: /* undefined, null, min, max */
	case 0x0a:
	case 0x7f:
	case 0xff:
		return 0;
	case BSON_BOOL:
		return 1;
	case BSON_INT32:
		return 4;
	case BSON_DOUBLE:
	case 0x09: /* date, timestamp */
	case 0x11:
	case BSON_INT64:
		return 8;
	case 0x07: /* object id */
		return 12;
	case 0x13: /* decimal */
		return 16;
	case BSON_DOCUMENT:
	case BSON_ARRAY:
	case 0x0f: /* code with scope */
		return cur_le(v, 4);
	case BSON_STRING:
	case 0x0d: /* code, symbol */
	case 0x0e:
		return cur_le(v, 4) + 4;
	case 0x05: /* binary */
		return cur_le(v, 4) + 5;
	case 0x0c: /* pointer */
		return cur_le(v, 4) + 16;
	case 0x0b: { /* regular expression */
		struct str a = cur_cstr(v), b = cur_cstr(v);

		return a.len + b.len + 2;
	}
	default:
		return UINT64_MAX;
	}
}

bool bson_next(struct cur *doc, struct bson *e, bool *bad)
{
	struct cur v;
	uint64_t n;

	*bad = false;
	if (!cur_left(doc))
		return false;
	e->type = cur_u8(doc);
	e->name = cur_cstr(doc);
	v = *doc;
	n = v.over ? 0 : size_of(e->type, &v);
	if (n > MONGODB_LENGTH_MAX || (v.over && !doc->cut)) {
		*bad = true;
		return false;
	}
	if (doc->over) { /* the name is cut off */
		doc->p = doc->end;
		return false;
	}
	e->value = *doc;
	e->value.over = false;
	e->value.cut = v.over || n > cur_left(doc);
	if (e->value.cut && !doc->cut) {
		*bad = true;
		return false;
	}
	e->value.end = e->value.cut ? doc->end : doc->p + n;
	doc->p = e->value.end;
	return true;
}

struct str bson_text(const struct bson *e)
{
	struct cur v = e->value;
	size_t n;

	if (e->type != BSON_STRING || v.cut)
		return STR_NULL;
	n = (size_t)cur_le(&v, 4);
	return n && n == cur_left(&v) ? cur_str(&v, n - 1) : STR_NULL;
}

bool bson_number(const struct bson *e, int64_t *out)
{
	struct cur v = e->value;
	uint64_t bits;
	double d;

	if (v.cut)
		return false;
	switch (e->type) {
	case BSON_DOUBLE:
		bits = cur_le(&v, 8);
		memcpy(&d, &bits, sizeof(d));
		if (!(d > -1e15 && d < 1e15))
			return false;
		*out = d > 0 && d < 1 ? 1 : (int64_t)d;
		return true;
	case BSON_BOOL:
		*out = cur_u8(&v);
		return true;
	case BSON_INT32:
		*out = (int32_t)cur_le(&v, 4);
		return true;
	case BSON_INT64:
		*out = (int64_t)cur_le(&v, 8);
		return true;
	default:
		return false;
	}
}

bool bson_enter(const struct bson *e, struct cur *doc)
{
	struct cur v = e->value;

	return (e->type == BSON_DOCUMENT || e->type == BSON_ARRAY) && bson_open(&v, doc) && !v.over;
}

int64_t bson_count(struct cur doc)
{
	struct bson e;
	int64_t n = 0;
	bool bad;

	while (bson_next(&doc, &e, &bad))
		n++;
	return bad || doc.cut ? -1 : n;
}

/* ---- shapes ---- */

void mongodb_shape_put(struct mongodb_shape *t, struct str s)
{
	t->full |= s.len > t->room - t->n;
	if (t->full || !s.len)
		return;
	memcpy(t->p + t->n, s.s, s.len);
	t->n += s.len;
}

/* In quotes; a character that JSON would escape becomes a "_". */
static void put_name(struct mongodb_shape *t, struct str s)
{
	mongodb_shape_put(t, STR("\""));
	for (size_t i = 0; i < s.len && !t->full; i++) {
		bool plain = (uint8_t)s.s[i] >= ' ' && s.s[i] != '"' && s.s[i] != '\\';

		mongodb_shape_put(t, plain ? (struct str){ s.s + i, 1 } : STR("_"));
	}
	mongodb_shape_put(t, STR("\""));
}

/* What drivers add to every command. */
static bool of_session(struct str name)
{
	static const char *const names[] = {
		"lsid",         "$db",
		"$clusterTime", "$readPreference",
		"txnNumber",    "comment",
		"autocommit",   "startTransaction",
		"readConcern",  "writeConcern",
		"apiStrict",    "apiVersion",
		"maxTimeMS",    "apiDeprecationErrors",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (str_is(name, names[i]))
			return true;
	return false;
}

struct level {
	struct cur doc;
	unsigned int n; /* elements that were written */
	bool array, scalar;
};

/* One value; true where it is to be gone into. */
static bool put_value(struct mongodb_shape *t, const struct bson *e, unsigned int depth,
                      struct level *in)
{
	*in = (struct level){ .array = e->type == BSON_ARRAY };
	if (depth + 1 < DEPTH && bson_enter(e, &in->doc)) {
		mongodb_shape_put(t, in->array ? STR("[") : STR("{"));
		return true;
	}
	mongodb_shape_put(t, STR("\"?\""));
	return false;
}

/* Whether an element of this level is written at all. */
static bool wanted(const struct level *at, const struct bson *e, unsigned int depth, bool top)
{
	bool inner = e->type == BSON_DOCUMENT || e->type == BSON_ARRAY;

	if (at->n >= WIDTH || (at->array && at->scalar && !inner))
		return false;
	return depth || !top || !of_session(e->name);
}

void mongodb_shape(struct mongodb_shape *t, struct cur doc, bool top)
{
	struct level at[DEPTH + 1] = { { .doc = doc } };
	unsigned int depth = 0;
	struct bson e;
	bool bad;

	mongodb_shape_put(t, STR("{"));
	while (!t->full) {
		struct level *l = &at[depth];

		if (!bson_next(&l->doc, &e, &bad)) {
			mongodb_shape_put(t, l->array ? STR("]") : STR("}"));
			if (!depth--)
				return;
			continue;
		}
		if (!wanted(l, &e, depth, top))
			continue;
		if (l->n++)
			mongodb_shape_put(t, STR(","));
		if (!l->array) {
			put_name(t, e.name);
			mongodb_shape_put(t, STR(":"));
		}
		if (top && !depth && l->n == 1 && bson_text(&e).s)
			put_name(t, bson_text(&e));
		else if (top && !depth && str_is(e.name, "documents"))
			mongodb_shape_put(t, STR("[\"?\"]"));
		else if (put_value(t, &e, depth, &at[depth + 1]))
			depth++;
		else
			l->scalar = true;
	}
}
