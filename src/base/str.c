// SPDX-License-Identifier: GPL-3.0-or-later
/* str - slices and the growing buffer. */
#include "base/str.h"

#include <stdio.h>
#include <stdlib.h>

bool str_ieq(struct str a, struct str b)
{
	if (a.len != b.len)
		return false;
	for (size_t i = 0; i < a.len; i++)
		if (str_lower(a.s[i]) != str_lower(b.s[i]))
			return false;
	return true;
}

bool str_iis(struct str a, const char *z)
{
	return a.s && str_ieq(a, str_of(z));
}

bool str_istarts(struct str a, const char *z)
{
	struct str head = str_of(z);

	return a.len >= head.len && str_ieq((struct str){ a.s, head.len }, head);
}

struct str str_trim(struct str a)
{
	while (a.len && (*a.s == ' ' || *a.s == '\t'))
		a.s++, a.len--;
	while (a.len && (a.s[a.len - 1] == ' ' || a.s[a.len - 1] == '\t'))
		a.len--;
	return a;
}

bool str_u64(struct str a, uint64_t *out)
{
	uint64_t v = 0;

	if (!a.len)
		return false;
	for (size_t i = 0; i < a.len; i++) {
		unsigned int digit = (unsigned char)a.s[i] - '0';

		if (digit > 9 || __builtin_mul_overflow(v, 10, &v) ||
		    __builtin_add_overflow(v, digit, &v))
			return false;
	}
	*out = v;
	return true;
}

size_t str_utf8_len(const uint8_t *s, size_t left, uint32_t *cp)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t n = s[0] < 0x80       ? 1
	           : s[0] >> 5 == 6  ? 2
	           : s[0] >> 4 == 14 ? 3
	           : s[0] >> 3 == 30 ? 4
	                             : 0;

	if (!n || n > left)
		return 0;
	*cp = n == 1 ? s[0] : s[0] & (0x7fu >> n);
	for (size_t i = 1; i < n; i++) {
		if (s[i] >> 6 != 2)
			return 0;
		*cp = *cp << 6 | (s[i] & 0x3f);
	}
	if (*cp < least[n] || *cp > 0x10ffff || (*cp >= 0xd800 && *cp < 0xe000))
		return 0;
	return n;
}

bool str_is_utf8(struct str a)
{
	const uint8_t *p = (const uint8_t *)a.s;
	size_t i = 0;

	while (i < a.len) {
		uint64_t eight;
		uint32_t cp;
		size_t n;

		if (a.len - i >= sizeof(eight)) {
			memcpy(&eight, p + i, sizeof(eight));
			if (!(eight & 0x8080808080808080)) {
				i += sizeof(eight);
				continue;
			}
		}
		n = p[i] < 0x80 ? 1 : str_utf8_len(p + i, a.len - i, &cp);
		if (!n)
			return false;
		i += n;
	}
	return true;
}

uint64_t str_hash(const void *p, size_t len)
{
	const uint8_t *b = p;
	uint64_t h = 0xcbf29ce484222325;

	for (size_t i = 0; i < len; i++)
		h = (h ^ b[i]) * 0x100000001b3;
	h ^= h >> 32;
	h *= 0xd6e8feb86659fd93;
	h ^= h >> 32;
	return h ? h : 1;
}

static __attribute__((noinline)) bool buf_more(struct buf *b, size_t n)
{
	size_t cap = b->cap ? b->cap : 256;
	char *p;

	if (b->failed)
		return false;
	while (cap - b->len < n)
		cap *= 2;
	p = realloc(b->p, cap);
	if (!p) {
		b->failed = true;
		return false;
	}
	b->p = p;
	b->cap = cap;
	return true;
}

/* Room for n more bytes; that there is room already is by far the most frequent. */
static inline bool buf_grow(struct buf *b, size_t n)
{
	return b->cap - b->len >= n ? !b->failed : buf_more(b, n);
}

char *buf_room(struct buf *b, size_t n)
{
	return buf_grow(b, n) ? b->p + b->len : NULL;
}

void buf_add(struct buf *b, const void *p, size_t n)
{
	if (!n || !buf_grow(b, n))
		return;
	memcpy(b->p + b->len, p, n);
	b->len += n;
}

void buf_str(struct buf *b, struct str s)
{
	buf_add(b, s.s, s.len);
}

void buf_z(struct buf *b, const char *z)
{
	buf_add(b, z, strlen(z));
}

void buf_ch(struct buf *b, char c)
{
	if (buf_grow(b, 1))
		b->p[b->len++] = c;
}

void buf_fmt(struct buf *b, const char *fmt, ...)
{
	va_list ap;
	int n;

	if (!buf_grow(b, 64))
		return;
	va_start(ap, fmt);
	n = vsnprintf(b->p + b->len, b->cap - b->len, fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	if ((size_t)n >= b->cap - b->len) {
		if (!buf_grow(b, (size_t)n + 1))
			return;
		va_start(ap, fmt);
		vsnprintf(b->p + b->len, b->cap - b->len, fmt, ap);
		va_end(ap);
	}
	b->len += (size_t)n;
}

void buf_u64(struct buf *b, uint64_t v)
{
	char tmp[20];
	size_t i = sizeof(tmp);

	do {
		tmp[--i] = (char)('0' + v % 10);
		v /= 10;
	} while (v);
	buf_add(b, tmp + i, sizeof(tmp) - i);
}

void buf_i64(struct buf *b, int64_t v)
{
	if (v < 0)
		buf_ch(b, '-');
	buf_u64(b, v < 0 ? -(uint64_t)v : (uint64_t)v);
}

void buf_hex(struct buf *b, const void *p, size_t n)
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t *s = p;

	if (!buf_grow(b, 2 * n))
		return;
	for (size_t i = 0; i < n; i++) {
		b->p[b->len++] = digits[s[i] >> 4];
		b->p[b->len++] = digits[s[i] & 15];
	}
}

void buf_free(struct buf *b)
{
	free(b->p);
	*b = (struct buf){ 0 };
}

/* Characters that change what a terminal shows elsewhere. */
bool str_is_control(uint32_t cp)
{
	return cp < 0x20 || (cp >= 0x7f && cp < 0xa0) || (cp >= 0x200e && cp <= 0x200f) ||
	       (cp >= 0x2028 && cp <= 0x202e) || (cp >= 0x2066 && cp <= 0x2069) || cp == 0xfeff;
}

/* How many plain characters of ASCII s begins with. */
static size_t plain_len(struct str s)
{
	size_t n = 0;

	while (n < s.len && s.s[n] >= ' ' && s.s[n] < 0x7f)
		n++;
	return n;
}

void buf_escape(struct buf *b, struct str s)
{
	for (size_t i = 0; i < s.len;) {
		size_t n = plain_len((struct str){ s.s + i, s.len - i });
		const uint8_t *p = (const uint8_t *)s.s + i + n;
		uint32_t cp = 0;

		buf_add(b, s.s + i, n);
		i += n;
		if (i == s.len)
			break;
		n = str_utf8_len(p, s.len - i, &cp);
		if (n && !str_is_control(cp)) {
			buf_add(b, p, n);
			i += n;
			continue;
		}
		n = n ? n : 1;
		for (size_t j = 0; j < n; j++) {
			if (p[j] == '\n' || p[j] == '\r' || p[j] == '\t')
				buf_fmt(b, "\\%c", p[j] == '\n' ? 'n' : p[j] == '\r' ? 'r' : 't');
			else
				buf_fmt(b, "\\x%02x", p[j]);
		}
		i += n;
	}
}

void buf_csv(struct buf *b, struct str s)
{
	struct buf text = { 0 };
	bool quote = !s.len;

	buf_escape(&text, s);
	for (size_t i = 0; i < text.len && !quote; i++)
		quote = strchr(",\"\r\n", text.p[i]) && text.p[i];
	if (quote)
		buf_ch(b, '"');
	for (size_t i = 0; i < text.len; i++) {
		if (text.p[i] == '"')
			buf_ch(b, '"');
		buf_ch(b, text.p[i]);
	}
	if (quote)
		buf_ch(b, '"');
	b->failed |= text.failed;
	buf_free(&text);
}
