// SPDX-License-Identifier: GPL-3.0-or-later
/* json - one pull reader and one writer. */
#include "base/json.h"

#include <math.h>
#include <stdlib.h>

enum { EXPECT_VALUE, EXPECT_ITEM, EXPECT_KEY, EXPECT_NEXT, EXPECT_NEXT_KEY, EXPECT_NOTHING };

struct json json_of(struct str text)
{
	const char *p = text.s ? text.s : "";

	return (struct json){ .p = p, .end = p + (text.s ? text.len : 0), .expect = EXPECT_VALUE };
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static enum json_tok stop(struct json *j, enum json_tok tok)
{
	return j->tok = tok;
}

static bool in_object(const struct json *j)
{
	return j->depth && (j->objects >> (j->depth - 1) & 1);
}

/* A value has ended: what may follow it. */
static enum json_tok ended(struct json *j, enum json_tok tok)
{
	j->expect = j->depth ? EXPECT_NEXT : EXPECT_NOTHING;
	return j->tok = tok;
}

static enum json_tok open_level(struct json *j, bool object)
{
	uint64_t bit = 1ull << j->depth;

	if (j->depth == JSON_DEPTH - 1)
		return stop(j, JSON_BAD);
	j->objects = object ? j->objects | bit : j->objects & ~bit;
	j->depth++;
	j->p++;
	j->expect = object ? EXPECT_KEY : EXPECT_ITEM;
	return j->tok = object ? JSON_OBJ : JSON_ARR;
}

static enum json_tok close_level(struct json *j, bool object)
{
	if (!j->depth || in_object(j) != object)
		return stop(j, JSON_BAD);
	j->depth--;
	j->p++;
	return ended(j, object ? JSON_OBJ_END : JSON_ARR_END);
}

static bool is_hex(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* Bytes of the escape at p (a backslash), 0: cut, -1: bad. */
static int escape_len(const char *p, const char *end)
{
	if (end - p < 2)
		return 0;
	if (p[1] != 'u')
		return p[1] && strchr("\"\\/bfnrt", p[1]) ? 2 : -1;
	for (int i = 2; i < 6; i++) {
		if (p + i == end)
			return 0;
		if (!is_hex(p[i]))
			return -1;
	}
	return 6;
}

/* Bytes of v that are zero, as high bits; exact about whether there is one. */
static uint64_t zero_bytes(uint64_t v)
{
	return (v - 0x0101010101010101) & ~v & 0x8080808080808080;
}

const char *json_plain_end(const char *p, const char *end)
{
	const uint64_t ones = 0x0101010101010101;

	while (end - p >= 8) {
		uint64_t v, controls;

		memcpy(&v, p, sizeof(v));
		controls = (v - ones * 0x20) & ~v & ones * 0x80;
		if (controls | zero_bytes(v ^ ones * '"') | zero_bytes(v ^ ones * '\\'))
			break;
		p += 8;
	}
	while (p < end && *p != '"' && *p != '\\' && (unsigned char)*p >= 0x20)
		p++;
	return p;
}

/* From the quote at j->p: sets text, moves behind the closing quote. */
static enum json_tok take_string(struct json *j, enum json_tok tok)
{
	const char *start = j->p + 1, *p = start;

	j->escaped = false;
	for (p = json_plain_end(p, j->end); p < j->end && *p != '"';
	     p = json_plain_end(p, j->end)) {
		int n;

		if (*p != '\\')
			return stop(j, JSON_BAD);
		j->escaped = true;
		n = escape_len(p, j->end);
		if (n <= 0)
			return stop(j, n ? JSON_BAD : JSON_CUT);
		p += n;
	}
	if (p - start > JSON_STRING)
		return stop(j, JSON_BAD);
	if (p == j->end)
		return stop(j, JSON_CUT);
	j->text = (struct str){ start, (size_t)(p - start) };
	j->p = p + 1;
	return j->tok = tok;
}

static const char *digits(const char *p, const char *end)
{
	while (p < end && is_digit(*p))
		p++;
	return p;
}

/* The end of the number at p; NULL where it is none; sets *cut where more is needed. */
static const char *number_end(const char *p, const char *end, bool *cut)
{
	const char *q;

	p += p < end && *p == '-';
	q = digits(p, end);
	*cut = q == end;
	if (q == p || (q - p > 1 && *p == '0'))
		return NULL;
	if (q < end && *q == '.') {
		p = q + 1;
		q = digits(p, end);
		*cut = q == end;
		if (q == p)
			return NULL;
	}
	if (q < end && (*q == 'e' || *q == 'E')) {
		p = q + 1;
		p += p < end && (*p == '+' || *p == '-');
		q = digits(p, end);
		*cut = q == end;
		if (q == p)
			return NULL;
	}
	return q;
}

static enum json_tok take_number(struct json *j)
{
	bool cut;
	const char *q = number_end(j->p, j->end, &cut);

	if (cut && (j->depth || !q)) /* more digits might have followed */
		return stop(j, JSON_CUT);
	if (!q)
		return stop(j, JSON_BAD);
	j->text = (struct str){ j->p, (size_t)(q - j->p) };
	j->p = q;
	return ended(j, JSON_NUM);
}

static enum json_tok take_word(struct json *j, const char *word, enum json_tok tok)
{
	size_t n = strlen(word), left = (size_t)(j->end - j->p);

	if (memcmp(j->p, word, left < n ? left : n))
		return stop(j, JSON_BAD);
	if (left < n)
		return stop(j, JSON_CUT);
	j->p += n;
	return ended(j, tok);
}

static enum json_tok take_value(struct json *j)
{
	switch (*j->p) {
	case '{':
		return open_level(j, true);
	case '[':
		return open_level(j, false);
	case '"':
		return take_string(j, JSON_STR) == JSON_STR ? ended(j, JSON_STR) : j->tok;
	case 't':
		return take_word(j, "true", JSON_TRUE);
	case 'f':
		return take_word(j, "false", JSON_FALSE);
	case 'n':
		return take_word(j, "null", JSON_NULL);
	default:
		return take_number(j);
	}
}

static void skip_blanks(struct json *j)
{
	while (j->p < j->end && is_blank(*j->p))
		j->p++;
}

/* At the quote of a key: takes it and its colon. */
static enum json_tok take_key(struct json *j)
{
	if (*j->p != '"')
		return stop(j, JSON_BAD);
	if (take_string(j, JSON_KEY) != JSON_KEY)
		return j->tok;
	skip_blanks(j);
	if (j->p == j->end)
		return stop(j, JSON_CUT);
	if (*j->p != ':')
		return stop(j, JSON_BAD);
	j->p++;
	j->expect = EXPECT_VALUE;
	return j->tok;
}

enum json_tok json_next(struct json *j)
{
	if (j->tok == JSON_CUT || j->tok == JSON_BAD)
		return j->tok;
	if (j->expect == EXPECT_NOTHING)
		return j->tok = JSON_DONE;
	skip_blanks(j);
	if (j->p == j->end)
		return stop(j, JSON_CUT);
	if (j->expect == EXPECT_NEXT && *j->p == ',') {
		j->p++;
		j->expect = in_object(j) ? EXPECT_NEXT_KEY : EXPECT_VALUE;
		skip_blanks(j);
		if (j->p == j->end)
			return stop(j, JSON_CUT);
	} else if (j->expect == EXPECT_NEXT && *j->p != '}' && *j->p != ']') {
		return stop(j, JSON_BAD);
	}
	if (*j->p == '}' && (j->expect == EXPECT_KEY || j->expect == EXPECT_NEXT))
		return close_level(j, true);
	if (*j->p == ']' && (j->expect == EXPECT_ITEM || j->expect == EXPECT_NEXT))
		return close_level(j, false);
	if (j->expect == EXPECT_KEY || j->expect == EXPECT_NEXT_KEY)
		return take_key(j);
	return take_value(j);
}

bool json_rest(struct json *j)
{
	unsigned int depth = j->depth;

	while (json_next(j) > JSON_DONE)
		if (j->depth < depth)
			return true;
	return false;
}

bool json_skip(struct json *j)
{
	enum json_tok tok = j->tok;

	if (tok == JSON_OBJ || tok == JSON_ARR)
		return json_rest(j);
	tok = json_next(j);
	if (tok == JSON_OBJ || tok == JSON_ARR)
		return json_rest(j);
	return tok > JSON_DONE;
}

static void add_utf8(struct buf *b, uint32_t cp)
{
	unsigned int n = cp < 0x80 ? 1 : cp < 0x800 ? 2 : cp < 0x10000 ? 3 : 4;
	static const uint8_t lead[] = { 0, 0, 0xc0, 0xe0, 0xf0 };

	buf_ch(b, (char)(lead[n] | cp >> (6 * (n - 1))));
	while (--n)
		buf_ch(b, (char)(0x80 | (cp >> (6 * (n - 1)) & 0x3f)));
}

static uint32_t hex4(const char *p)
{
	uint32_t v = 0;

	for (int i = 0; i < 4; i++)
		v = v << 4 | (uint32_t)(is_digit(p[i]) ? p[i] - '0' : (p[i] | 0x20) - 'a' + 10);
	return v;
}

/* The \u escape at p, or the two that make one character; returns the bytes taken. */
static size_t add_escape_u(struct buf *b, const char *p, const char *end)
{
	uint32_t cp = hex4(p + 2), low;

	if (cp >= 0xd800 && cp < 0xdc00 && escape_len(p + 6, end) == 6 && p[6] == '\\' &&
	    p[7] == 'u') {
		low = hex4(p + 8);
		if (low >= 0xdc00 && low < 0xe000) {
			add_utf8(b, 0x10000 + ((cp - 0xd800) << 10) + (low - 0xdc00));
			return 12;
		}
	}
	add_utf8(b, cp >= 0xd800 && cp < 0xe000 ? 0xfffd : cp);
	return 6;
}

void json_decode(struct str raw, struct buf *out)
{
	static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";
	const char *p = raw.s, *end = raw.s + raw.len;

	while (p < end) {
		const char *back = memchr(p, '\\', (size_t)(end - p));
		const char *named;

		buf_add(out, p, (size_t)((back ? back : end) - p));
		if (!back)
			return;
		p = back;
		if (escape_len(p, end) <= 0)
			return;
		if (p[1] == 'u') {
			p += add_escape_u(out, p, end);
			continue;
		}
		named = strchr(from, p[1]);
		buf_ch(out, named ? to[named - from] : p[1]);
		p += 2;
	}
}

struct str json_text(const struct json *j, struct arena *a)
{
	struct buf tmp = { 0 };
	struct str s;

	if (!j->escaped)
		return j->text;
	buf_ch(&tmp, ' '); /* so that an empty text is not taken for NULL */
	json_decode(j->text, &tmp);
	s = tmp.failed ? STR_NULL : arena_str(a, (struct str){ tmp.p + 1, tmp.len - 1 });
	buf_free(&tmp);
	return s;
}

bool json_is_int(struct str num)
{
	for (size_t i = 0; i < num.len; i++)
		if (!is_digit(num.s[i]) && num.s[i] != '-')
			return false;
	return num.len > 0;
}

bool json_f64(struct str num, double *out)
{
	char tmp[512];
	char *end;

	if (!num.len || num.len >= sizeof(tmp) || (num.s[0] != '-' && !is_digit(num.s[0])))
		return false;
	memcpy(tmp, num.s, num.len);
	tmp[num.len] = 0;
	if (tmp[num.s[0] == '-'] < '0' || tmp[num.s[0] == '-'] > '9' || strchr(tmp, 'x'))
		return false;
	*out = strtod(tmp, &end);
	return end == tmp + num.len;
}

bool json_i64(struct str num, int64_t *out)
{
	bool minus = num.len && num.s[0] == '-';
	struct str digit = { num.s + minus, num.len - minus };
	uint64_t u;
	double d;

	if (str_u64(digit, &u)) {
		if (u > (uint64_t)INT64_MAX + minus)
			return false;
		*out = minus ? (int64_t)-u : (int64_t)u;
		return true;
	}
	if (json_is_int(num) || !json_f64(num, &d) || d != trunc(d) || fabs(d) >= 0x1p63)
		return false;
	*out = (int64_t)d;
	return true;
}
