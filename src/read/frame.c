// SPDX-License-Identifier: GPL-3.0-or-later
/* frame - one message after the other out of an input. */
#include "read/frame.h"

/* Where a scan for the end of a JSON value stands. */
struct scan {
	size_t at; /* bytes looked at */
	unsigned int depth;
	bool text, escaped;
};

/* Takes what stands between values; false at the end of the input. */
static bool skip_between(struct input *in)
{
	for (;;) {
		struct str s = input_view(in, 1);
		size_t n = 0;

		while (n < s.len && strchr(" \t\r\n,[]\xef\xbb\xbf", s.s[n]) && s.s[n])
			n++;
		input_take(in, n);
		if (n < s.len)
			return true;
		if (in->end)
			return false;
	}
}

/* Takes the rest of this line. */
static void skip_line(struct input *in)
{
	for (;;) {
		struct str s = input_view(in, 1);
		const char *nl = memchr(s.s, '\n', s.len);

		input_take(in, nl ? (size_t)(nl - s.s) + 1 : s.len);
		if (nl || in->end)
			return;
	}
}

enum scanned { SCAN_MORE, SCAN_VALUE, SCAN_BROKEN };

/* A new line inside a value: is it the start of another one? SCAN_VALUE: no. */
static enum scanned at_newline(const struct scan *sc, struct str s, bool end)
{
	static const char fresh[] = "{\"resource";
	struct str line = { s.s + sc->at, s.len - sc->at };

	if (sc->text || str_starts(line, fresh))
		return SCAN_BROKEN;
	return line.len >= sizeof(fresh) - 1 || end || memcmp(line.s, fresh, line.len) ? SCAN_VALUE
	                                                                               : SCAN_MORE;
}

/* Says nothing about where a text ends. */
static bool is_plain(char c)
{
	return c != '"' && c != '\\' && c != '\n';
}

/* One character inside a value; true where it ends the value. */
static bool scan_char(struct scan *sc, char c)
{
	if (sc->text) {
		if (sc->escaped)
			sc->escaped = false;
		else if (c == '\\')
			sc->escaped = true;
		else if (c == '"')
			sc->text = false;
		return false;
	}
	if (c == '"')
		sc->text = true;
	else if (c == '{' || c == '[')
		sc->depth++;
	else if (c == '}' || c == ']')
		return --sc->depth == 0;
	return false;
}

/* To the end of the value, or of a text that is broken, or of what is there. */
static enum scanned scan_some(struct scan *sc, struct str s, bool end)
{
	while (sc->at < s.len) {
		char c;

		while (sc->text && sc->at < s.len && is_plain(s.s[sc->at])) {
			sc->escaped = false;
			sc->at++;
		}
		if (sc->at == s.len)
			break;
		c = s.s[sc->at++];

		if (c == '\n') {
			enum scanned line = at_newline(sc, s, end);

			if (line == SCAN_MORE)
				sc->at--;
			if (line != SCAN_VALUE)
				return line;
		} else if (scan_char(sc, c)) {
			return SCAN_VALUE;
		}
	}
	return SCAN_MORE;
}

enum frame frame_json(struct input *in, struct str *out, uint64_t *at)
{
	struct scan sc = { 0 };
	enum scanned scanned;
	struct str s;

	*out = STR("");
	if (!skip_between(in))
		return FRAME_END;
	*at = in->taken;
	s = input_view(in, 1);
	if (*s.s != '{') {
		skip_line(in);
		return FRAME_BAD;
	}
	for (;; s = input_view(in, s.len + 1)) {
		scanned = scan_some(&sc, s, in->end);
		if (scanned != SCAN_MORE) {
			*out = str_head(s, sc.at);
			input_take(in, sc.at);
			return scanned == SCAN_VALUE ? FRAME_WHOLE : FRAME_BAD;
		}
		if (in->end) {
			*out = s;
			input_take(in, s.len);
			return FRAME_CUT;
		}
		if (sc.at > FRAME_MAX) {
			input_take(in, sc.at);
			skip_line(in);
			return FRAME_BAD;
		}
	}
}

enum frame frame_pb(struct input *in, struct str *out, uint64_t *at)
{
	struct str s = input_view(in, 4);
	uint32_t len = 0;

	*out = STR("");
	*at = in->taken;
	if (!s.len)
		return FRAME_END;
	for (unsigned int i = 0; i < 4 && i < s.len; i++)
		len = len << 8 | (uint8_t)s.s[i];
	if (s.len < 4) {
		input_take(in, s.len);
		return FRAME_CUT;
	}
	if (len > FRAME_MAX) { /* no length, or of something else: nothing after it can be found */
		input_take(in, s.len);
		in->pos = in->data.len;
		in->end = true;
		return FRAME_BAD;
	}
	s = input_view(in, 4 + (size_t)len);
	if (s.len < 4 + (size_t)len) {
		input_take(in, s.len);
		return FRAME_CUT;
	}
	*out = (struct str){ s.s + 4, len };
	input_take(in, 4 + (size_t)len);
	return FRAME_WHOLE;
}

enum frame frame_all(struct input *in, struct str *out, uint64_t *at)
{
	struct str s = input_view(in, FRAME_MAX);

	*at = in->taken;
	*out = s;
	if (!s.len)
		return FRAME_END;
	input_take(in, s.len);
	if (in->end)
		return FRAME_WHOLE;
	*out = STR("");
	in->end = true;
	return FRAME_BAD;
}
