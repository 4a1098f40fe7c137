// SPDX-License-Identifier: GPL-3.0-or-later
/* mssql_type - TYPE_INFO: how values of a type are laid out; UTF-16 to UTF-8. */
#include "proto/mssql.h"

enum { COLLATION = 5, MAX_LEN = 0xffff };

/* The two lengths of XML and UDT names: in bytes of UTF-16, behind 8 or 16 bits of a count. */
static void name(struct cur *c, size_t width)
{
	cur_take(c, 2 * (size_t)cur_le(c, width));
}

static enum mssql_kind xml(struct cur *c)
{
	if (cur_u8(c)) {
		name(c, 1);
		name(c, 1);
		name(c, 2);
	}
	return MSSQL_PLP;
}

static enum mssql_kind udt(struct cur *c, bool parameter)
{
	if (!parameter)
		cur_le(c, 2);
	name(c, 1);
	name(c, 1);
	name(c, 1);
	if (!parameter)
		name(c, 2);
	return MSSQL_PLP;
}

static enum mssql_kind big(struct cur *c, bool text)
{
	uint64_t longest = cur_le(c, 2);

	if (text)
		cur_take(c, COLLATION);
	return longest == MAX_LEN ? MSSQL_PLP : MSSQL_LEN_16;
}

static enum mssql_kind blob(struct cur *c, bool text, bool parameter)
{
	cur_le(c, 4);
	if (text)
		cur_take(c, COLLATION);
	return parameter ? MSSQL_LEN_32 : MSSQL_TEXTPTR;
}

static enum mssql_kind after(struct cur *c, size_t n)
{
	cur_take(c, n);
	return MSSQL_LEN_8;
}

/* clang-format off */
enum mssql_kind mssql_type(struct cur *c, bool parameter)
{
	uint8_t type = cur_u8(c);

	switch (type) {
	case 0x1f: return MSSQL_FIXED_0;
	case 0x30: case 0x32: return MSSQL_FIXED_0 + 1;
	case 0x34: return MSSQL_FIXED_0 + 2;
	case 0x38: case 0x3a: case 0x3b: case 0x7a: return MSSQL_FIXED_0 + 4;
	case 0x3c: case 0x3d: case 0x3e: case 0x7f: return MSSQL_FIXED_0 + 8;
	case 0x28: return MSSQL_LEN_8; /* date */
	case 0x29: case 0x2a: case 0x2b: /* time, datetime2, datetimeoffset */
	case 0x24: case 0x26: case 0x68: case 0x6d: case 0x6e: case 0x6f:
	case 0x25: case 0x27: case 0x2d: case 0x2f: return after(c, 1);
	case 0x37: case 0x3f: case 0x6a: case 0x6c: return after(c, 3); /* decimals */
	case 0xa5: case 0xad: return big(c, false);
	case 0xa7: case 0xaf: case 0xe7: case 0xef: return big(c, true);
	case 0x22: return blob(c, false, parameter);
	case 0x23: case 0x63: return blob(c, true, parameter);
	case 0x62: cur_le(c, 4); return MSSQL_LEN_32; /* sql_variant */
	case 0xf0: return udt(c, parameter);
	case 0xf1: return xml(c);
	default: return MSSQL_UNKNOWN;
	}
}
/* clang-format on */

/* The first chunk; the others are passed. */
static const uint8_t *chunks(struct cur *c, size_t *n)
{
	const uint8_t *first = NULL;
	uint64_t all = cur_le(c, 8);

	if (all == UINT64_MAX)
		return NULL;
	while (!c->over) {
		uint32_t len = (uint32_t)cur_le(c, 4);
		struct str here;

		if (!len)
			break;
		here = cur_rest(c, len);
		if (!first && !c->over) {
			first = (const uint8_t *)here.s;
			*n = here.len;
		}
		if (here.len < len)
			c->over = true;
	}
	return first;
}

const uint8_t *mssql_value(struct cur *c, enum mssql_kind kind, size_t *n)
{
	size_t len = kind;
	struct str s;

	*n = 0;
	if (kind == MSSQL_PLP)
		return chunks(c, n);
	if (kind == MSSQL_LEN_8)
		len = cur_u8(c);
	else if (kind == MSSQL_LEN_16)
		len = (size_t)cur_le(c, 2);
	else if (kind == MSSQL_LEN_32)
		len = (size_t)cur_le(c, 4);
	else if (kind > MSSQL_FIXED_0 + 8)
		c->over = true;
	if (c->over || (kind == MSSQL_LEN_16 && len == MAX_LEN) ||
	    (kind == MSSQL_LEN_32 && len == UINT32_MAX))
		return NULL;
	s = cur_rest(c, len);
	*n = s.len;
	if (s.len < len)
		c->over = true;
	return (const uint8_t *)s.s;
}

size_t mssql_utf8(const uint8_t *p, size_t n, char *out, size_t cap)
{
	size_t len = 0;

	for (size_t i = 0; i + 1 < n; i += 2) {
		uint32_t u = (uint32_t)(p[i] | p[i + 1] << 8);
		size_t need;

		if (u >= 0xd800 && u < 0xdc00 && i + 3 < n && (p[i + 3] & 0xfc) == 0xdc) {
			u = 0x10000 +
			    ((u & 0x3ff) << 10 | (uint32_t)(p[i + 2] | (p[i + 3] & 3) << 8));
			i += 2;
		} else if (u >= 0xd800 && u < 0xe000) {
			u = 0xfffd;
		}
		need = u < 0x80 ? 1 : u < 0x800 ? 2 : u < 0x10000 ? 3 : 4;
		if (need > cap - len)
			break;
		for (size_t k = need; k-- > 1; u >>= 6)
			out[len + k] = (char)(0x80 | (u & 0x3f));
		out[len] = (char)(need == 1 ? u : u | (0xf00u >> need & 0xff));
		len += need;
	}
	return len;
}
