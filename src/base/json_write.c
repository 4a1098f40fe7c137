// SPDX-License-Identifier: GPL-3.0-or-later
/* json_write - the writer half of json.h. */
#include "base/json.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static void add_escaped(struct buf *b, uint8_t c)
{
	static const char from[] = "\"\\\b\f\n\r\t", to[] = "\"\\bfnrt";
	const char *named = c ? strchr(from, c) : NULL;

	if (named) {
		buf_ch(b, '\\');
		buf_ch(b, to[named - from]);
	} else {
		buf_z(b, "\\u00");
		buf_hex(b, &c, 1);
	}
}

/* Text beyond ASCII: what is wrong in it is replaced, what a terminal obeys is escaped. */
static void add_clean(struct buf *b, const uint8_t *p, size_t len)
{
	for (size_t i = 0; i < len;) {
		uint32_t cp;
		size_t n = str_utf8_len(p + i, len - i, &cp);

		if (n && str_is_control(cp))
			buf_fmt(b, "\\u%04x", cp);
		else if (n)
			buf_add(b, p + i, n);
		else
			buf_z(b, "\xef\xbf\xbd");
		i += n ? n : 1;
	}
}

static bool is_plain(const char *p, size_t n)
{
	uint8_t odd = 0;

	for (size_t i = 0; i < n; i++)
		odd |= (uint8_t)((uint8_t)p[i] > 0x7e);
	return !odd;
}

void json_str(struct buf *b, struct str s)
{
	const char *p = s.s ? s.s : "", *end = p + (s.s ? s.len : 0);

	buf_ch(b, '"');
	while (p < end) {
		const char *q = json_plain_end(p, end);
		size_t n = (size_t)(q - p);

		if (is_plain(p, n))
			buf_add(b, p, n);
		else
			add_clean(b, (const uint8_t *)p, n);
		p = q;
		if (p < end)
			add_escaped(b, (uint8_t)*p++);
	}
	buf_ch(b, '"');
}

void json_num(struct buf *b, double v)
{
	char tmp[48];
	int n = 0, digit = 15;

	if (!isfinite(v)) {
		buf_z(b, "null");
		return;
	}
	for (; digit <= 17; digit++) {
		n = snprintf(tmp, sizeof(tmp), "%.*g", digit, v);
		if (strtod(tmp, NULL) == v)
			break;
	}
	if (fabs(v) < 1e-4 && fabs(v) >= 1e-9) { /* as people write it: 0.000001 */
		n = snprintf(tmp, sizeof(tmp), "%.*f", digit - 1 - (int)floor(log10(fabs(v))), v);
		while (tmp[n - 1] == '0')
			n--;
	}
	buf_add(b, tmp, (size_t)n);
	if (!strpbrk(tmp, ".e"))
		buf_z(b, ".0"); /* stays a real number for who reads it */
}

void json_ms(struct buf *b, int64_t ns)
{
	uint64_t u = ns < 0 ? -(uint64_t)ns : (uint64_t)ns;
	uint32_t rest = (uint32_t)(u % 1000000);
	char tmp[8];
	int n = 6;

	if (ns < 0)
		buf_ch(b, '-');
	buf_u64(b, u / 1000000);
	if (!rest)
		return;
	snprintf(tmp, sizeof(tmp), "%06u", rest);
	while (tmp[n - 1] == '0')
		n--;
	buf_ch(b, '.');
	buf_add(b, tmp, (size_t)n);
}

/* One token of a value that is being copied, with the comma before it. */
static void copy_token(struct buf *b, const struct json *j, bool *comma)
{
	static const char *const words[] = {
		[JSON_OBJ] = "{",     [JSON_OBJ_END] = "}", [JSON_ARR] = "[",
		[JSON_ARR_END] = "]", [JSON_TRUE] = "true", [JSON_FALSE] = "false",
		[JSON_NULL] = "null"
	};

	if (*comma && j->tok != JSON_OBJ_END && j->tok != JSON_ARR_END)
		buf_ch(b, ',');
	*comma = j->tok != JSON_OBJ && j->tok != JSON_ARR && j->tok != JSON_KEY;
	if (j->tok == JSON_KEY || j->tok == JSON_STR) {
		buf_ch(b, '"');
		if (str_is_utf8(j->text)) {
			buf_str(b, j->text);
		} else {
			struct buf tmp = { 0 };

			json_decode(j->text, &tmp);
			b->len--;
			json_str(b, buf_slice(&tmp));
			b->len--;
			buf_free(&tmp);
		}
		buf_z(b, j->tok == JSON_KEY ? "\":" : "\"");
	} else if (j->tok == JSON_NUM) {
		buf_str(b, j->text);
	} else {
		buf_z(b, words[j->tok]);
	}
}

void json_value(struct buf *b, struct str text)
{
	struct json j = json_of(text);
	size_t start = b->len;
	bool comma = false;

	if (!text.s) {
		buf_z(b, "null");
		return;
	}
	while (json_next(&j) > JSON_DONE)
		copy_token(b, &j, &comma);
	while (j.p < j.end && strchr(" \n\r\t", *j.p) && *j.p)
		j.p++;
	if (j.tok == JSON_DONE && j.p == j.end && !b->failed)
		return;
	b->len = b->failed ? b->len : start;
	buf_z(b, "null");
}

void json_clean(struct buf *b, struct str s)
{
	struct buf quoted = { 0 };

	json_str(&quoted, s);
	if (!quoted.failed)
		json_decode((struct str){ quoted.p + 1, quoted.len - 2 }, b);
	b->failed |= quoted.failed;
	buf_free(&quoted);
}

void json_lines(struct buf *b, struct str lines)
{
	char sep = '[';

	while (lines.len) {
		const char *nl = memchr(lines.s, '\n', lines.len);
		size_t n = nl ? (size_t)(nl - lines.s) : lines.len;

		buf_ch(b, sep);
		json_str(b, (struct str){ lines.s, n });
		sep = ',';
		n += nl != NULL;
		lines = (struct str){ lines.s + n, lines.len - n };
	}
	buf_z(b, sep == '[' ? "[]" : "]");
}
