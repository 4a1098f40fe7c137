// SPDX-License-Identifier: GPL-3.0-or-later
/* hpack - header compression of HTTP/2 (RFC 7541). */
#include "proto/hpack.h"

#include "proto/hpack_huffman.h"

/* RFC 7541, Appendix A; 1 is the first index. */
static const struct {
	const char *name, *value;
} fixed[] = {
	{ "", "" },
	{ ":authority", "" },
	{ ":method", "GET" },
	{ ":method", "POST" },
	{ ":path", "/" },
	{ ":path", "/index.html" },
	{ ":scheme", "http" },
	{ ":scheme", "https" },
	{ ":status", "200" },
	{ ":status", "204" },
	{ ":status", "206" },
	{ ":status", "304" },
	{ ":status", "400" },
	{ ":status", "404" },
	{ ":status", "500" },
	{ "accept-charset", "" },
	{ "accept-encoding", "gzip, deflate" },
	{ "accept-language", "" },
	{ "accept-ranges", "" },
	{ "accept", "" },
	{ "access-control-allow-origin", "" },
	{ "age", "" },
	{ "allow", "" },
	{ "authorization", "" },
	{ "cache-control", "" },
	{ "content-disposition", "" },
	{ "content-encoding", "" },
	{ "content-language", "" },
	{ "content-length", "" },
	{ "content-location", "" },
	{ "content-range", "" },
	{ "content-type", "" },
	{ "cookie", "" },
	{ "date", "" },
	{ "etag", "" },
	{ "expect", "" },
	{ "expires", "" },
	{ "from", "" },
	{ "host", "" },
	{ "if-match", "" },
	{ "if-modified-since", "" },
	{ "if-none-match", "" },
	{ "if-range", "" },
	{ "if-unmodified-since", "" },
	{ "last-modified", "" },
	{ "link", "" },
	{ "location", "" },
	{ "max-forwards", "" },
	{ "proxy-authenticate", "" },
	{ "proxy-authorization", "" },
	{ "range", "" },
	{ "referer", "" },
	{ "refresh", "" },
	{ "retry-after", "" },
	{ "server", "" },
	{ "set-cookie", "" },
	{ "strict-transport-security", "" },
	{ "transfer-encoding", "" },
	{ "user-agent", "" },
	{ "vary", "" },
	{ "via", "" },
	{ "www-authenticate", "" },
};

enum { FIXED = sizeof(fixed) / sizeof(*fixed), INT_BYTES = 5 };

/* ---- primitives (RFC 7541, 5) ---- */

/* An integer whose first part is the lower `bits` of `first`; ->over where it is none. */
static uint32_t integer(struct cur *c, uint8_t first, unsigned int bits)
{
	uint32_t max = (1u << bits) - 1, v = first & max;
	uint8_t b = 0x80;

	if (v < max)
		return v;
	for (unsigned int i = 0; i < INT_BYTES && b & 0x80; i++) {
		b = cur_u8(c);
		if (i == INT_BYTES - 1 && b > 0x07)
			c->over = true;
		v += (uint32_t)(b & 0x7f) << 7 * i;
	}
	if (b & 0x80 || v > INT32_MAX)
		c->over = true;
	return v;
}

struct text {
	struct str raw;
	bool huffman;
};

static struct text text(struct cur *c)
{
	uint8_t first = cur_u8(c);
	uint32_t len = integer(c, first, 7);

	return (struct text){ cur_str(c, len), first & 0x80 };
}

/* The text itself; unknown where its code is malformed. */
static struct str decoded(struct text t, char *room, bool *cut)
{
	size_t len = t.raw.len;

	if (t.huffman) {
		len = hpack_huffman(t.raw, room, HPACK_TEXT);
		if (len == SIZE_MAX)
			return STR_NULL;
		t.raw.s = room;
	}
	*cut = len > HPACK_TEXT;
	return (struct str){ t.raw.s, len > HPACK_TEXT ? HPACK_TEXT : len };
}

/* ---- the table ---- */

/* The bytes at `at`, which may go round the end. */
static struct str stored(const struct hpack *t, uint32_t at, size_t len, char *room)
{
	size_t from = at % HPACK_BYTES, first = HPACK_BYTES - from;

	if (first >= len)
		return (struct str){ (const char *)t->bytes + from, len };
	memcpy(room, t->bytes + from, first);
	memcpy(room + first, t->bytes, len - first);
	return (struct str){ room, len };
}

static void store(struct hpack *t, struct str s)
{
	size_t from = t->written % HPACK_BYTES, first = HPACK_BYTES - from;

	if (first > s.len)
		first = s.len;
	memcpy(t->bytes + from, s.s, first);
	memcpy(t->bytes, s.s + first, s.len - first);
	t->written += (uint32_t)s.len;
}

static void look_up(const struct hpack *t, uint32_t index, struct hpack_room *room,
                    struct hpack_field *out)
{
	const struct hpack_entry *e;

	*out = (struct hpack_field){ .name = STR_NULL, .value = STR_NULL };
	if (index < FIXED) {
		out->name = str_of(fixed[index].name);
		out->value = str_of(fixed[index].value);
		return;
	}
	index -= FIXED;
	if (index >= t->known || index >= HPACK_ENTRIES)
		return;
	e = &t->entries[(t->added - 1 - index) % HPACK_ENTRIES];
	if (t->written - e->at > HPACK_BYTES)
		return;
	if (e->known & HPACK_NAME)
		out->name = stored(t, e->at, e->name, room->name);
	if (e->known & HPACK_VALUE)
		out->value = stored(t, e->at + e->name, e->value, room->value);
}

static void add(struct hpack *t, const struct hpack_field *f)
{
	struct hpack_entry *e = &t->entries[t->added++ % HPACK_ENTRIES];
	struct str value = f->cut ? STR_NULL : f->value;

	t->known += t->known < HPACK_ENTRIES;
	*e = (struct hpack_entry){ .at = t->written };
	if (f->name.len + value.len > HPACK_BYTES)
		value = STR_NULL;
	e->known = (uint8_t)((f->name.s ? HPACK_NAME : 0) | (value.s ? HPACK_VALUE : 0));
	e->name = (uint16_t)f->name.len;
	e->value = (uint16_t)value.len;
	if (f->name.len)
		store(t, f->name);
	if (value.len)
		store(t, value);
}

void hpack_forget(struct hpack *t)
{
	t->known = 0;
}

/* ---- blocks (RFC 7541, 6) ---- */

/* What stands at the beginning of a field. */
struct form {
	uint32_t index; /* of the field, or of its name; 0: the name is written out */
	bool indexed, adds, resizes;
	struct text name, value;
};

static bool form(struct cur *c, struct form *f)
{
	uint8_t first = cur_u8(c);

	*f = (struct form){ .indexed = first & 0x80 };
	f->adds = (first & 0xc0) == 0x40;
	f->resizes = (first & 0xe0) == 0x20;
	f->index = integer(c, first, f->indexed ? 7 : f->adds ? 6 : f->resizes ? 5 : 4);
	if (f->indexed)
		return !c->over && f->index;
	if (f->resizes)
		return !c->over;
	if (!f->index)
		f->name = text(c);
	f->value = text(c);
	return !c->over;
}

int hpack_next(struct hpack *t, struct cur *block, struct hpack_room *room, struct hpack_field *out)
{
	bool cut_name = false;
	struct form f;

	do {
		struct cur c = *block;

		if (!cur_left(&c))
			return 0;
		if (!form(&c, &f))
			return -1;
		block->p = c.p;
	} while (f.resizes);
	if (f.index)
		look_up(t, f.index, room, out);
	else
		out->name = decoded(f.name, room->name, &cut_name);
	if (cut_name)
		out->name = STR_NULL;
	if (f.indexed)
		return 1;
	out->cut = false;
	out->value = decoded(f.value, room->value, &out->cut);
	if (f.adds) {
		/* its own bytes may be overwritten by what is stored now */
		if (out->name.s && f.index >= FIXED) {
			memmove(room->name, out->name.s, out->name.len);
			out->name.s = room->name;
		}
		add(t, out);
	}
	return 1;
}

bool hpack_check(struct cur block, bool texts)
{
	struct form f;

	while (cur_left(&block)) {
		if (!form(&block, &f))
			return false;
		if (!texts)
			continue;
		if ((f.name.huffman && hpack_huffman(f.name.raw, NULL, 0) == SIZE_MAX) ||
		    (f.value.huffman && hpack_huffman(f.value.raw, NULL, 0) == SIZE_MAX))
			return false;
	}
	return true;
}

int hpack_asks(struct cur block)
{
	enum { REQUEST_LAST = 7, STATUS_LAST = 14 }; /* :authority to :scheme, :status */
	struct form f;

	while (cur_left(&block) && form(&block, &f)) {
		if (!f.resizes && f.index && f.index <= STATUS_LAST)
			return f.index <= REQUEST_LAST ? 1 : -1;
	}
	return 0;
}
