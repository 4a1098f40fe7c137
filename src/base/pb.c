// SPDX-License-Identifier: GPL-3.0-or-later
/* pb - the protobuf wire format without a schema. */
#include "base/pb.h"

static void take_len(struct cur *c, struct pb_field *f)
{
	uint64_t len = cur_varint(c);

	if (len > cur_left(c)) {
		c->over = true;
		return;
	}
	f->s = cur_str(c, (size_t)len);
}

bool pb_next(struct cur *c, struct pb_field *f)
{
	uint64_t tag;

	*f = (struct pb_field){ .s = { "", 0 } };
	if (c->over || !cur_left(c))
		return false;
	tag = cur_varint(c);
	f->num = (uint32_t)(tag >> 3);
	f->type = (enum pb_type)(tag & 7);
	if (!f->num || tag >> 32)
		c->over = true;
	switch (f->type) {
	case PB_VARINT:
		f->u = cur_varint(c);
		break;
	case PB_I64:
		f->u = cur_le(c, 8);
		break;
	case PB_LEN:
		take_len(c, f);
		break;
	case PB_I32:
		f->u = cur_le(c, 4);
		break;
	default:
		c->over = true;
	}
	return !c->over;
}

double pb_f64(uint64_t bits)
{
	double d;

	memcpy(&d, &bits, sizeof(d));
	return d;
}

static char *put_le(char *p, uint64_t v, unsigned int n)
{
	while (n--) {
		*p++ = (char)v;
		v >>= 8;
	}
	return p;
}

static char *put_tag(char *p, uint32_t num, enum pb_type type)
{
	return pb_put_varint(p, (uint64_t)num << 3 | type);
}

void pb_varint(struct buf *b, uint64_t v)
{
	char *p = buf_room(b, 10);

	if (p)
		b->len = (size_t)(pb_put_varint(p, v) - b->p);
}

void pb_uint(struct buf *b, uint32_t num, uint64_t v)
{
	char *p = buf_room(b, 20);

	if (p)
		b->len = (size_t)(pb_put_varint(put_tag(p, num, PB_VARINT), v) - b->p);
}

void pb_fixed64(struct buf *b, uint32_t num, uint64_t v)
{
	char *p = buf_room(b, 18);

	if (p)
		b->len = (size_t)(put_le(put_tag(p, num, PB_I64), v, 8) - b->p);
}

void pb_fixed32(struct buf *b, uint32_t num, uint32_t v)
{
	char *p = buf_room(b, 14);

	if (p)
		b->len = (size_t)(put_le(put_tag(p, num, PB_I32), v, 4) - b->p);
}

void pb_real(struct buf *b, uint32_t num, double v)
{
	uint64_t bits;

	memcpy(&bits, &v, sizeof(bits));
	pb_fixed64(b, num, bits);
}

void pb_bytes(struct buf *b, uint32_t num, struct str s)
{
	char *p = buf_room(b, 20 + s.len);

	if (!p)
		return;
	p = pb_put_varint(put_tag(p, num, PB_LEN), s.len);
	if (s.len)
		memcpy(p, s.s, s.len);
	b->len = (size_t)(p - b->p) + s.len;
}

size_t pb_open(struct buf *b, uint32_t num, unsigned int width)
{
	char *p = buf_room(b, 20);

	if (p)
		b->len = (size_t)(put_tag(p, num, PB_LEN) - b->p) + width;
	return b->len;
}

void pb_close(struct buf *b, size_t mark, unsigned int width)
{
	size_t body, need;

	if (b->failed)
		return;
	body = b->len - mark;
	need = pb_varint_len(body);
	if (need != width) {
		if (need > width && !buf_room(b, need - width))
			return;
		memmove(b->p + mark - width + need, b->p + mark, body);
		b->len = mark - width + need + body;
	}
	pb_put_varint(b->p + mark - width, body);
}
