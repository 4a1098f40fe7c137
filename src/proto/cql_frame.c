// SPDX-License-Identifier: GPL-3.0-or-later
/* cql_frame - headers of frames and, since version 5, of the segments around them. */
#include "proto/cql.h"

enum { VERSION_MIN = 3, VERSION_MAX = 5, ANSWER = 0x80, FLAGS = 0x1f };
enum { CRC24_INIT = 0x875060, CRC24_POLY = 0x1974f0b };

const char *cql_name(unsigned int opcode)
{
	switch (opcode) {
#define X(number, NAME, dir) \
	case number:         \
		return #NAME;
		CQL_OPCODES(X)
#undef X
	default:
		return NULL;
	}
}

static bool sent_by(unsigned int opcode, enum dir dir)
{
	switch (opcode) {
#define X(number, NAME, by) \
	case number:        \
		return (by) == dir;
		CQL_OPCODES(X)
#undef X
	default:
		return false;
	}
}

bool cql_frame(struct cur *c, enum dir dir, struct cql_frame *f)
{
	uint8_t version = cur_u8(c);

	f->version = version & (ANSWER - 1);
	f->flags = cur_u8(c);
	f->stream = (int16_t)cur_be16(c);
	f->opcode = cur_u8(c);
	f->len = cur_be32(c);
	return !c->over && f->version >= VERSION_MIN && f->version <= VERSION_MAX &&
	       !!(version & ANSWER) == (dir == DIR_RESP) && !(f->flags & ~FLAGS) &&
	       sent_by(f->opcode, dir) && f->len <= CQL_LONGEST &&
	       (f->stream >= 0 || f->opcode == CQL_EVENT || f->opcode == CQL_ERROR);
}

static uint32_t crc24(const uint8_t *p, size_t n)
{
	uint32_t crc = CRC24_INIT;

	while (n--) {
		crc ^= (uint32_t)*p++ << 16;
		for (int bit = 0; bit < 8; bit++) {
			crc <<= 1;
			if (crc & 0x1000000)
				crc ^= CRC24_POLY;
		}
	}
	return crc;
}

/* n bytes with their CRC behind them. */
static bool checked(struct cur c, size_t n, uint64_t *bits)
{
	const uint8_t *p = c.p;

	*bits = cur_le(&c, n);
	return cur_le(&c, 3) == crc24(p, c.over ? 0 : n) && !c.over;
}

int32_t cql_segment(struct cur c)
{
	uint64_t bits;

	return checked(c, 3, &bits) && !(bits >> 18) ? (int32_t)(bits & 0x1ffff) : -1;
}

bool cql_is_packed(struct cur c)
{
	uint64_t bits;

	return checked(c, 5, &bits) && !(bits >> 35);
}

struct str cql_string(struct cur *c)
{
	return cur_str(c, cur_be16(c));
}

struct str cql_long_string(struct cur *c)
{
	return cur_str(c, cur_be32(c));
}

struct str cql_bytes(struct cur *c)
{
	uint32_t len = cur_be32(c);

	return cur_str(c, len > INT32_MAX ? 0 : len);
}

/* A statement: text that is text, as far as it is there. */
static bool is_statement(struct cur c, uint32_t limit)
{
	uint32_t len = cur_be32(&c);
	struct str s = cur_rest(&c, len);

	if (len < 3 || len > limit)
		return false;
	for (size_t i = 0; i < s.len && i < 64; i++)
		if ((uint8_t)s.s[i] < ' ' && s.s[i] != '\n' && s.s[i] != '\r' && s.s[i] != '\t')
			return false;
	return s.len > 0;
}

bool cql_plausible(const struct cql_frame *f, struct cur body)
{
	uint32_t n;

	if (f->flags & (CQL_F_PACKED | CQL_F_TRACING | CQL_F_PAYLOAD | CQL_F_WARNING))
		return f->len > 2;
	switch (f->opcode) {
	case CQL_OPTIONS:
	case CQL_READY:
		return !f->len;
	case CQL_QUERY:
	case CQL_PREPARE:
		return f->len > 6 && is_statement(body, f->len);
	case CQL_EXECUTE:
		return f->len > 20 && cur_be16(&body) == 16;
	case CQL_BATCH:
		return f->len >= 6 && cur_u8(&body) <= 2;
	case CQL_STARTUP:
	case CQL_SUPPORTED:
	case CQL_REGISTER:
		n = cur_be16(&body);
		return f->len > 6 && n && n < 64;
	case CQL_RESULT:
		n = cur_be32(&body);
		return f->len >= 4 && n >= 1 && n <= 5;
	case CQL_ERROR:
		n = cur_be32(&body);
		return f->len >= 6 && n <= 0x2500;
	case CQL_EVENT:
	case CQL_AUTHENTICATE:
		n = cur_be16(&body);
		return n && n < 256 && n + 2u <= f->len;
	default:
		return true;
	}
}
