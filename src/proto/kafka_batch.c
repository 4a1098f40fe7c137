// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * kafka_batch - batches of records: how many, how compressed, and the trace
 * context of the first.
 *
 * https://kafka.apache.org/documentation/#messageformat
 */
#include "proto/kafka.h"

enum {
	LOG_OVERHEAD = 12, /* offset and length, which are not counted in it */
	MAGIC_AT = 16,
	BATCH_HEAD = 61,
	OLD_HEAD = 18, /* up to the attributes of a message of before 0.11 */
	CODEC = 7,
	CONTROL = 1 << 5,
	CONTEXT = 55, /* bytes of a traceparent */
};

static struct str codec_name(unsigned int codec)
{
	static const char *const names[] = { NULL, "gzip", "snappy", "lz4", "zstd" };

	return str_of(codec < sizeof(names) / sizeof(*names) ? names[codec] : "_OTHER");
}

/* A length in front of so many bytes; -1 is null. */
static struct str sized(struct cur *c)
{
	int64_t n = cur_zigzag(c);

	if (n < 0)
		return STR_NULL;
	return cur_str(c, (uint64_t)n > SIZE_MAX ? SIZE_MAX : (size_t)n);
}

/* The headers `traceparent` and `baggage` of the record at c. */
static void context(struct cur c, struct kafka_found *f)
{
	int64_t n;

	cur_zigzag(&c); /* length */
	cur_take(&c, 1);
	cur_zigzag(&c); /* since the time and the offset of the batch */
	cur_zigzag(&c);
	sized(&c); /* key, value */
	sized(&c);
	n = cur_zigzag(&c);
	for (int64_t i = 0; i < n && !c.over; i++) {
		struct str key = sized(&c), value = sized(&c);

		if (c.over)
			return;
		if (str_is(key, "traceparent") && value.len == CONTEXT && !f->context.s)
			f->context = value;
		else if (str_is(key, "baggage") && !f->baggage.s)
			f->baggage = value;
	}
}

struct batch_head {
	uint64_t base, size; /* with LOG_OVERHEAD */
	unsigned int attributes;
	uint32_t count;
	bool old;
};

/* Leaves c behind the head; ->over where it is not whole. */
static bool read_head(struct cur *c, struct batch_head *h)
{
	struct cur p = *c;
	uint8_t magic;

	h->base = cur_be(&p, 8);
	h->size = (uint64_t)cur_be32(&p) + LOG_OVERHEAD;
	cur_take(&p, MAGIC_AT - LOG_OVERHEAD);
	magic = cur_u8(&p);
	h->old = magic < 2;
	if (h->old) {
		h->attributes = cur_u8(&p);
		h->count = 1;
	} else {
		cur_take(&p, 4); /* check sum */
		h->attributes = cur_be16(&p);
		cur_take(&p, BATCH_HEAD - 4 - 23);
		h->count = cur_be32(&p);
	}
	*c = p;
	return p.over || (magic <= 2 && h->size <= KAFKA_LENGTH_MAX && h->count <= h->size &&
	                  h->size >= (h->old ? OLD_HEAD : BATCH_HEAD));
}

static void found(struct kafka_walk *w, const struct batch_head *h, struct cur records,
                  struct kafka_found *f)
{
	unsigned int codec = h->attributes & CODEC;
	bool first = f->rows <= 0;

	if (h->old && codec)
		w->old = true;
	if (!h->old && h->attributes & CONTROL) /* marks of transactions */
		return;
	f->rows = (f->rows < 0 ? 0 : f->rows) + h->count;
	if (f->base < 0)
		f->base = (int64_t)h->base;
	if (!f->codec.s)
		f->codec = codec_name(codec);
	if (first && !codec && !h->old && h->count)
		context(records, f);
}

bool kafka_batch(struct kafka_walk *w, struct cur *c, struct kafka_found *f, uint64_t *skip)
{
	struct batch_head h = { 0 };
	struct cur p = *c;
	uint64_t n;

	*skip = 0;
	/* A broker cuts the last batch where the client's limit is. */
	if (w->records > MAGIC_AT + 1 && !read_head(&p, &h))
		return false;
	if (p.over && cur_left(c) < w->records) {
		c->over = true;
		return true;
	}
	n = p.over || !h.size || h.size > w->records ? w->records : h.size;
	if (h.size && h.size <= w->records) {
		struct cur rest = p;

		if (h.size - (uint64_t)(p.p - c->p) < cur_left(&rest))
			rest.end = p.p + (h.size - (uint64_t)(p.p - c->p));
		found(w, &h, rest, f);
	}
	w->records -= (uint32_t)n;
	*skip = n > cur_left(c) ? n - cur_left(c) : 0;
	c->p += n - *skip;
	return true;
}
