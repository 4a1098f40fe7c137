// SPDX-License-Identifier: GPL-3.0-or-later
/* clock - times, durations, sizes, and how people write them. */
#include "base/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <time.h>

static const int64_t second_ns = 1000000000;

/* ---- clocks ---- */

static int64_t read_clock(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (int64_t)t.tv_sec * second_ns + t.tv_nsec;
}

uint64_t clock_ns(void)
{
	return (uint64_t)read_clock(CLOCK_MONOTONIC);
}

/* Taken between two looks at the other clock; the closest pair of a few wins. */
int64_t clock_wall_offset(void)
{
	int64_t best = INT64_MAX, offset = 0;

	for (int i = 0; i < 8; i++) {
		int64_t before = read_clock(CLOCK_MONOTONIC);
		int64_t wall = read_clock(CLOCK_REALTIME);
		int64_t took = read_clock(CLOCK_MONOTONIC) - before;

		if (took < best) {
			best = took;
			offset = wall - (before + took / 2);
		}
	}
	return offset;
}

/* ---- RFC 3339 ---- */

void clock_rfc3339(int64_t unix_ns, char out[CLOCK_RFC3339])
{
	int64_t ns = unix_ns % second_ns;
	time_t s = (time_t)(unix_ns / second_ns);
	struct tm t;

	if (ns < 0) {
		ns += second_ns;
		s--;
	}
	gmtime_r(&s, &t);
	/* 64 bits of ns reach from 1677 to 2262: two and four digits always do */
	snprintf(out, CLOCK_RFC3339, "%04u-%02u-%02uT%02u:%02u:%02u.%09uZ",
	         (unsigned int)(t.tm_year + 1900) % 10000u, (unsigned int)(t.tm_mon + 1) % 100u,
	         (unsigned int)t.tm_mday % 100u, (unsigned int)t.tm_hour % 100u,
	         (unsigned int)t.tm_min % 100u, (unsigned int)t.tm_sec % 100u, (unsigned int)ns);
}

/* n digits followed by `end` ('\0': anything). */
static bool digits(struct str *s, size_t n, char end, int *out)
{
	uint64_t v;

	if (s->len < n + !!end || !str_u64((struct str){ s->s, n }, &v) || (end && s->s[n] != end))
		return false;
	*out = (int)v;
	s->s += n + !!end;
	s->len -= n + !!end;
	return true;
}

static bool fraction(struct str *s, int64_t *ns)
{
	int64_t unit = second_ns;
	size_t n = 0;

	*ns = 0;
	if (!s->len || *s->s != '.')
		return true;
	s->s++, s->len--;
	for (; n < s->len && s->s[n] >= '0' && s->s[n] <= '9'; n++) {
		unit /= 10;
		*ns += (s->s[n] - '0') * unit;
	}
	s->s += n, s->len -= n;
	return n > 0;
}

static bool zone(struct str s, int64_t *offset_s)
{
	char sign = s.len ? *s.s : 0;
	int hours, minutes;

	*offset_s = 0;
	if (s.len == 1 && (sign == 'Z' || sign == 'z'))
		return true;
	if (s.len != 6 || (sign != '+' && sign != '-'))
		return false;
	s.s++, s.len--;
	if (!digits(&s, 2, ':', &hours) || !digits(&s, 2, 0, &minutes))
		return false;
	*offset_s = (sign == '-' ? -60 : 60) * (hours * 60 + minutes);
	return hours < 24 && minutes < 60;
}

bool clock_parse_rfc3339(struct str s, int64_t *unix_ns)
{
	struct tm t = { 0 };
	int64_t ns, offset_s, seconds;

	if (!digits(&s, 4, '-', &t.tm_year) || !digits(&s, 2, '-', &t.tm_mon) ||
	    !digits(&s, 2, 0, &t.tm_mday) || !s.len || (*s.s != 'T' && *s.s != 't' && *s.s != ' '))
		return false;
	s.s++, s.len--;
	if (!digits(&s, 2, ':', &t.tm_hour) || !digits(&s, 2, ':', &t.tm_min) ||
	    !digits(&s, 2, 0, &t.tm_sec) || !fraction(&s, &ns) || !zone(s, &offset_s))
		return false;
	if (t.tm_mon < 1 || t.tm_mon > 12 || t.tm_mday < 1 || t.tm_mday > 31 || t.tm_hour > 23 ||
	    t.tm_min > 59 || t.tm_sec > 60)
		return false;
	t.tm_year -= 1900;
	t.tm_mon--;
	seconds = timegm(&t) - offset_s;
	return !__builtin_mul_overflow(seconds, second_ns, &seconds) &&
	       !__builtin_add_overflow(seconds, ns, unix_ns);
}

/* ---- numbers with a unit ---- */

struct unit {
	const char *name;
	uint64_t factor;
};

/* A decimal number, a unit of the list; the product, exact where it is whole. */
static bool with_unit(struct str s, const struct unit *units, uint64_t *out)
{
	uint64_t whole = 0, part = 0, scale = 1, product;
	size_t i = 0, n, start;

	for (; i < s.len && s.s[i] >= '0' && s.s[i] <= '9'; i++)
		if (__builtin_mul_overflow(whole, 10, &whole) ||
		    __builtin_add_overflow(whole, (uint64_t)(s.s[i] - '0'), &whole))
			return false;
	n = i;
	if (i < s.len && s.s[i] == '.') {
		for (start = ++i; i < s.len && s.s[i] >= '0' && s.s[i] <= '9'; i++) {
			if (scale >= 1000000000)
				continue; /* finer than anybody means */
			part = part * 10 + (uint64_t)(s.s[i] - '0');
			scale *= 10;
		}
		n += i - start;
	}
	if (!n)
		return false;
	s.s += i, s.len -= i;
	for (; units->name; units++) {
		if (!str_iis(s, units->name))
			continue;
		if (__builtin_mul_overflow(whole, units->factor, &product))
			return false;
		part = (uint64_t)((double)part / (double)scale * (double)units->factor + 0.5);
		return !__builtin_add_overflow(product, part, out);
	}
	return false;
}

bool clock_parse_duration(struct str s, uint64_t *ns)
{
	static const struct unit units[] = {
		{ "", 1000000000 },      { "s", 1000000000 },    { "ms", 1000000 },
		{ "us", 1000 },          { "\xc2\xb5s", 1000 },  { "ns", 1 },
		{ "m", 60000000000 },    { "min", 60000000000 }, { "h", 3600000000000 },
		{ "d", 86400000000000 }, { "sec", 1000000000 },  { NULL, 0 },
	};
	uint64_t v;

	if (!with_unit(s, units, &v) || v > INT64_MAX)
		return false;
	*ns = v;
	return true;
}

bool clock_parse_size(struct str s, uint64_t *bytes)
{
	static const struct unit units[] = {
		{ "", 1 },
		{ "B", 1 },
		{ "K", 1 << 10 },
		{ "KB", 1 << 10 },
		{ "KiB", 1 << 10 },
		{ "M", 1 << 20 },
		{ "MB", 1 << 20 },
		{ "MiB", 1 << 20 },
		{ "G", 1 << 30 },
		{ "GB", 1 << 30 },
		{ "GiB", 1 << 30 },
		{ "T", 1ull << 40 },
		{ "TB", 1ull << 40 },
		{ "TiB", 1ull << 40 },
		{ NULL, 0 },
	};

	return with_unit(s, units, bytes);
}

/* ---- for people ---- */

static void three_digits(struct buf *b, double v, const char *unit)
{
	buf_fmt(b, "%.*f%s", v < 9.995 ? 2 : v < 99.95 ? 1 : 0, v, unit);
}

void clock_duration(struct buf *b, int64_t ns)
{
	double v = (double)ns;

	if (ns < 0) {
		buf_ch(b, '-');
		v = -v;
	}
	if (v < 1e3)
		buf_fmt(b, "%.0fns", v);
	else if (v < 999.5e3)
		three_digits(b, v / 1e3, "us");
	else if (v < 999.5e6)
		three_digits(b, v / 1e6, "ms");
	else if (v < 59.95e9)
		three_digits(b, v / 1e9, "s");
	else if (v < 3600e9)
		buf_fmt(b, "%dm%02ds", (int)(v / 60e9), (int)(v / 1e9) % 60);
	else
		buf_fmt(b, "%.0fh%02dm", (double)(int64_t)(v / 3600e9), (int)(v / 60e9) % 60);
}

void clock_size(struct buf *b, uint64_t bytes)
{
	static const char *const units[] = { " KiB", " MiB", " GiB", " TiB", " PiB", " EiB" };
	double v = (double)bytes;
	size_t i = 0;

	if (bytes < 1024) {
		buf_fmt(b, "%" PRIu64 " B", bytes);
		return;
	}
	for (v /= 1024; v >= 1023.5 && i < 5; i++)
		v /= 1024;
	buf_fmt(b, "%.*f%s", v < 99.95 ? 1 : 0, v, units[i]);
}
