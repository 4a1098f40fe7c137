/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_BASE_CUR_H
#define OBI_BASE_CUR_H

/*
 * cur - a bounded read cursor over bytes that someone else owns.
 *
 * Reading past the end touches no memory: it sets ->over and yields zeroes.
 * A parser therefore reads straight down the message and asks once, at the
 * end, whether it had enough bytes. ->over never clears; take a copy first.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/str.h"

struct cur {
	const uint8_t *p;
	const uint8_t *end;
	bool over; /* sticky: something asked for more than there was */
	bool cut;  /* set by the owner: no byte will ever follow ->end (a gap begins there) */
};

static inline struct cur cur_of(const void *buf, size_t len)
{
	return (struct cur){ .p = buf, .end = (const uint8_t *)buf + len };
}

static inline size_t cur_left(const struct cur *c)
{
	return (size_t)(c->end - c->p);
}

/* The one place where bounds are checked; a miss yields NULL and zeroes upward. */
static inline const uint8_t *cur_take(struct cur *c, size_t n)
{
	const uint8_t *p = c->p;

	if (c->over || n > cur_left(c)) {
		c->over = true;
		return NULL;
	}
	c->p += n;
	return p;
}

static inline uint8_t cur_u8(struct cur *c)
{
	const uint8_t *p = cur_take(c, 1);

	return p ? *p : 0;
}

/* Little-endian and big-endian integers of n bytes, n <= 8. */
static inline uint64_t cur_le(struct cur *c, size_t n)
{
	const uint8_t *p = cur_take(c, n);
	uint64_t v = 0;

	for (size_t i = n; p && i > 0; i--)
		v = v << 8 | p[i - 1];
	return v;
}

static inline uint64_t cur_be(struct cur *c, size_t n)
{
	const uint8_t *p = cur_take(c, n);
	uint64_t v = 0;

	for (size_t i = 0; p && i < n; i++)
		v = v << 8 | p[i];
	return v;
}

static inline uint32_t cur_be32(struct cur *c)
{
	return (uint32_t)cur_be(c, 4);
}

static inline uint16_t cur_be16(struct cur *c)
{
	return (uint16_t)cur_be(c, 2);
}

static inline struct str cur_str(struct cur *c, size_t n)
{
	const uint8_t *p = cur_take(c, n);

	return p ? (struct str){ (const char *)p, n } : (struct str){ "", 0 };
}

/* Seven bits a byte, the lowest first, at most 64 in all; ->over where there is none. */
static inline uint64_t cur_varint(struct cur *c)
{
	uint64_t v = 0;

	for (unsigned int shift = 0; shift < 70; shift += 7) {
		uint8_t byte = cur_u8(c);

		if (c->over)
			return 0;
		if (shift == 63 && byte > 1)
			break; /* more than 64 bits */
		v |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80))
			return v;
	}
	c->over = true;
	return 0;
}

/* Likewise, with the sign in the lowest bit (protobuf's sint, Kafka). */
static inline int64_t cur_zigzag(struct cur *c)
{
	uint64_t v = cur_varint(c);

	return (int64_t)(v >> 1 ^ -(v & 1));
}

/* The text up to a NUL, which is taken too; ->over if there is none. */
static inline struct str cur_cstr(struct cur *c)
{
	const uint8_t *nul = c->over ? NULL : memchr(c->p, 0, cur_left(c));
	struct str s = { "", 0 };

	if (!nul) {
		c->over = true;
		return s;
	}
	s = (struct str){ (const char *)c->p, (size_t)(nul - c->p) };
	c->p = nul + 1;
	return s;
}

/*
 * The text up to CR LF (or a bare LF), which is taken too; ->over if there is
 * none.
 */
static inline struct str cur_line(struct cur *c)
{
	const uint8_t *nl = c->over ? NULL : memchr(c->p, '\n', cur_left(c));
	struct str s = { "", 0 };

	if (!nl) {
		c->over = true;
		return s;
	}
	s = (struct str){ (const char *)c->p, (size_t)(nl - c->p) };
	if (s.len && s.s[s.len - 1] == '\r')
		s.len--;
	c->p = nl + 1;
	return s;
}

/* Whatever is left, at most n bytes; never sets ->over. */
static inline struct str cur_rest(struct cur *c, size_t n)
{
	size_t left = c->over ? 0 : cur_left(c);

	return cur_str(c, n < left ? n : left);
}

#endif
