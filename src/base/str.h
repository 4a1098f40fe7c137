/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_BASE_STR_H
#define OBI_BASE_STR_H

/*
 * str - a slice of text or bytes that someone else owns, and buf, a growing
 * buffer that owns its bytes.
 *
 * A slice is not NUL-terminated and may hold any byte. s == NULL means
 * "unknown" (SQL NULL, JSON null), which is not the same as "" (len 0).
 */

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct str {
	const char *s;
	size_t len;
};

/* A slice of a string literal. */
#define STR(lit) ((struct str){ (lit), sizeof(lit) - 1 })
#define STR_NULL ((struct str){ NULL, 0 })

/* printf("%.*s", STR_ARG(s)) */
#define STR_ARG(x) (int)(x).len, (x).s ? (x).s : ""

static inline struct str str_of(const char *z)
{
	return z ? (struct str){ z, strlen(z) } : STR_NULL;
}

static inline bool str_eq(struct str a, struct str b)
{
	return a.len == b.len && (!a.len || !memcmp(a.s, b.s, a.len));
}

static inline bool str_is(struct str a, const char *z)
{
	return a.s && a.len == strlen(z) && !memcmp(a.s, z, a.len);
}

/* ASCII only. */
static inline char str_lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

static inline bool str_starts(struct str a, const char *z)
{
	size_t n = strlen(z);

	return a.len >= n && !memcmp(a.s, z, n);
}

/* ASCII case folded, whatever the locale. */
bool str_ieq(struct str a, struct str b);
bool str_iis(struct str a, const char *z);
bool str_istarts(struct str a, const char *z);
static inline struct str str_head(struct str a, size_t n)
{
	return a.len > n ? (struct str){ a.s, n } : a;
}
struct str str_trim(struct str a); /* without blanks and tabs at both ends */

/* Whole of a as a decimal number without sign; false where it is none or does not fit. */
bool str_u64(struct str a, uint64_t *out);

/* Length of the UTF-8 sequence at s (RFC 3629), 0 where it is none; its code point in *cp. left > 0. */
size_t str_utf8_len(const uint8_t *s, size_t left, uint32_t *cp);
/* Whether all of a is valid UTF-8. */
bool str_is_utf8(struct str a);
/* Characters that change what a terminal shows elsewhere: C0, DEL, C1, bidirectional marks. */
bool str_is_control(uint32_t cp);

/* A 64-bit hash of bytes (FNV-1a with a final mix); never 0. */
uint64_t str_hash(const void *p, size_t len);

/*
 * struct buf: zero-initialise, add, then buf_free(). Adding never fails in a
 * way the caller must check: on ENOMEM ->failed is set, what was added before
 * stays, and later additions do nothing.
 */
struct buf {
	char *p;
	size_t len, cap;
	bool failed;
};

void buf_add(struct buf *b, const void *p, size_t n);
void buf_str(struct buf *b, struct str s);
void buf_z(struct buf *b, const char *z);
void buf_ch(struct buf *b, char c);
void buf_fmt(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void buf_u64(struct buf *b, uint64_t v); /* decimal, fast */
void buf_i64(struct buf *b, int64_t v);
void buf_hex(struct buf *b, const void *p, size_t n); /* lower case */
void buf_free(struct buf *b);
/* Room for n more bytes at p + len, which the caller fills and counts; NULL on ENOMEM. */
char *buf_room(struct buf *b, size_t n);
static inline void buf_clear(struct buf *b)
{
	b->len = 0;
	b->failed = false;
}
static inline struct str buf_slice(const struct buf *b)
{
	return (struct str){ b->p ? b->p : "", b->len };
}

/*
 * Text for a terminal: valid printable UTF-8 as it is; control characters (C0,
 * DEL, C1), bidirectional overrides and invalid bytes as \n, \t, \xNN.
 */
void buf_escape(struct buf *b, struct str s);

/* A field of comma-separated values (RFC 4180), escaped so too; an empty one is quoted. */
void buf_csv(struct buf *b, struct str s);

#endif
