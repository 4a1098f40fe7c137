// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * routes_word - what in a path is an identifier.
 *
 * Strict rules first: digits, UUID, hexadecimal, e-mail. What is left is told by
 * its digits: words that people choose for routes have few ("v2", "oauth2",
 * "sha256"), identifiers that programs make have many.
 */
#include "enrich/routes.h"

enum { HEX_MIN = 8, RANDOM_MIN = 12, WORD_MAX = 64, DIGITS_RUN = 4, EXTENSION_MAX = 5 };

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_hex(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

static bool is_upper(char c)
{
	return c >= 'A' && c <= 'Z';
}

static bool is_lower(char c)
{
	return c >= 'a' && c <= 'z';
}

struct shape {
	size_t digits, hex, upper, lower, other, run; /* run: longest one of digits */
};

static struct shape shape_of(struct str w)
{
	struct shape s = { 0 };
	size_t run = 0;

	for (size_t i = 0; i < w.len; i++) {
		char c = w.s[i];

		run = is_digit(c) ? run + 1 : 0;
		s.run = run > s.run ? run : s.run;
		s.digits += is_digit(c);
		s.hex += is_hex(c);
		s.upper += is_upper(c);
		s.lower += is_lower(c);
		s.other += !is_digit(c) && !is_upper(c) && !is_lower(c);
	}
	return s;
}

/* 8-4-4-4-12 */
static bool is_uuid(struct str w)
{
	if (w.len != 36)
		return false;
	for (size_t i = 0; i < w.len; i++) {
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;

		if (dash ? w.s[i] != '-' : !is_hex(w.s[i]))
			return false;
	}
	return true;
}

static bool is_email(struct str w)
{
	const char *at = memchr(w.s, '@', w.len);

	if (!at)
		at = memmem(w.s, w.len, "%40", 3);
	return at && at > w.s && memchr(at, '.', (size_t)(w.s + w.len - at));
}

static bool is_id(struct str w)
{
	struct shape s = shape_of(w);

	if (!w.len)
		return false;
	if (w.len > WORD_MAX || is_uuid(w) || is_email(w))
		return true;
	/* Numbers, negative ones, dates, versions of four digits and more. */
	if (s.digits && s.digits + s.other == w.len)
		return true;
	if (s.hex == w.len && ((w.len >= HEX_MIN && s.digits) || w.len >= 2 * HEX_MIN))
		return true;
	if (s.run >= DIGITS_RUN)
		return true;
	/* base64 and the like: digits among letters, or cases mixed without a pattern. */
	return w.len >= RANDOM_MIN && s.digits >= 2 && s.upper + s.lower >= 2 &&
	       (s.digits * 5 >= w.len || (s.upper >= 3 && s.lower >= 3));
}

/* "logo.png": a name, a dot, a few letters. */
static bool is_extension(struct str w)
{
	struct shape s = shape_of(w);

	return w.len && w.len <= EXTENSION_MAX && s.lower + s.digits == w.len && s.lower;
}

static void add_part(struct buf *out, struct str part)
{
	if (is_id(part))
		buf_z(out, "{id}");
	else
		buf_str(out, part);
}

/* "main.3f2a9c81": a name may have an identifier between its dots; a version it keeps. */
static void add_name(struct buf *out, struct str name)
{
	bool parts = memchr(name.s, '.', name.len);

	for (const char *p = name.s, *end, *last = name.s + name.len; p <= last; p = end + 1) {
		struct str part;

		end = memchr(p, '.', (size_t)(last - p));
		end = end ? end : last;
		part = (struct str){ p, (size_t)(end - p) };
		if (parts && part.len < DIGITS_RUN)
			buf_str(out, part);
		else
			add_part(out, part);
		if (end < last)
			buf_ch(out, '.');
	}
}

void routes_word(struct buf *out, struct str word)
{
	const char *semi = memchr(word.s, ';', word.len), *dot;

	if (semi) /* parameters: "cart;jsessionid=..." */
		word.len = (size_t)(semi - word.s);
	dot = word.len ? memrchr(word.s, '.', word.len) : NULL;
	if (!dot || is_email(word) ||
	    !is_extension((struct str){ dot + 1, (size_t)(word.s + word.len - dot - 1) })) {
		add_part(out, word);
		return;
	}
	add_name(out, (struct str){ word.s, (size_t)(dot - word.s) });
	buf_str(out, (struct str){ dot, (size_t)(word.s + word.len - dot) });
}

struct str routes_path(struct str target)
{
	const char *p, *end;

	if (!target.s || !target.len)
		return STR_NULL;
	p = memmem(target.s, target.len, "://", 3);
	if (p && target.s[0] != '/') {
		size_t skip = (size_t)(p - target.s) + 3;

		p = memchr(target.s + skip, '/', target.len - skip);
		if (!p)
			return STR("/");
		target = (struct str){ p, (size_t)(target.s + target.len - p) };
	}
	if (target.s[0] != '/')
		return STR_NULL; /* "*" of OPTIONS, "host:port" of CONNECT */
	for (end = target.s; end < target.s + target.len && *end != '?' && *end != '#'; end++)
		;
	return (struct str){ target.s, (size_t)(end - target.s) };
}

/* ---- patterns ---- */

/* The part up to the next slash; moves behind it. */
static struct str next_word(struct str *path)
{
	const char *slash = path->len ? memchr(path->s, '/', path->len) : NULL;
	struct str word = { path->s, slash ? (size_t)(slash - path->s) : path->len };
	size_t used = word.len + (slash != NULL);

	*path = (struct str){ path->s + used, path->len - used };
	return word;
}

static bool word_fits(struct str pattern, struct str word)
{
	if (str_is(pattern, "*") || (pattern.len && pattern.s[0] == ':') ||
	    (pattern.len > 1 && pattern.s[0] == '{' && pattern.s[pattern.len - 1] == '}'))
		return word.len > 0;
	return str_eq(pattern, word);
}

bool routes_fits(const char *pattern, struct str path)
{
	struct str rest = str_of(pattern);

	while (rest.len && path.len) {
		struct str p = next_word(&rest);

		if (str_is(p, "**"))
			return true;
		if (!word_fits(p, next_word(&path)))
			return false;
	}
	return !rest.len == !path.len || str_is(rest, "**");
}
