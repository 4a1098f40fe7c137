/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_BASE_PB_H
#define OBI_BASE_PB_H

/*
 * pb - the protobuf wire format without a schema: a field reader over a cursor
 * and a writer that appends to a buffer.
 *
 * https://protobuf.dev/programming-guides/encoding/
 */

#include "base/cur.h"

enum pb_type { PB_VARINT = 0, PB_I64 = 1, PB_LEN = 2, PB_I32 = 5 };

struct pb_field {
	uint32_t num;
	enum pb_type type;
	uint64_t u;   /* VARINT, I64, I32 */
	struct str s; /* LEN: slice of the input */
};

/*
 * The next field. False at the end, and where the bytes are no field: then
 * c->over is set. Groups, which OTLP never had, are no field.
 */
bool pb_next(struct cur *c, struct pb_field *f);
static inline struct cur pb_inside(const struct pb_field *f)
{
	return cur_of(f->s.s, f->s.len);
}
double pb_f64(uint64_t bits);

/* ---- writer ---- */

void pb_varint(struct buf *b, uint64_t v);
void pb_uint(struct buf *b, uint32_t num, uint64_t v); /* field of type VARINT */
void pb_fixed64(struct buf *b, uint32_t num, uint64_t v);
void pb_fixed32(struct buf *b, uint32_t num, uint32_t v);
void pb_real(struct buf *b, uint32_t num, double v);
void pb_bytes(struct buf *b, uint32_t num, struct str s); /* string, bytes, packed */

/*
 * A message inside a message whose length is not known yet: room for a length
 * of `width` bytes is left, and moved where it was guessed wrong.
 */
size_t pb_open(struct buf *b, uint32_t num, unsigned int width);
void pb_close(struct buf *b, size_t mark, unsigned int width);
static inline size_t pb_varint_len(uint64_t v)
{
	return (70u - (unsigned int)__builtin_clzll(v | 1)) / 7;
}

/* Into room that is there (10 bytes at most); the end. */
static inline char *pb_put_varint(char *p, uint64_t v)
{
	while (v >= 0x80) {
		*p++ = (char)(v | 0x80);
		v >>= 7;
	}
	*p++ = (char)v;
	return p;
}

#endif
