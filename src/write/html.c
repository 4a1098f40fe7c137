// SPDX-License-Identifier: GPL-3.0-or-later
/* html - captured text inside HTML, SVG and DOT: nothing in it is markup. */
#include "write/html.h"

static const char *entity(uint32_t cp)
{
	switch (cp) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	case '\'':
		return "&#39;";
	}
	return NULL;
}

/* One character off the front of s; the bytes to write for it in *out. */
static struct str next(struct str *s)
{
	static const char unknown[] = "\xef\xbf\xbd";
	uint32_t cp = 0;
	size_t n = str_utf8_len((const uint8_t *)s->s, s->len, &cp);
	struct str one = { s->s, n ? n : 1 };

	s->s += one.len;
	s->len -= one.len;
	if (!n || (str_is_control(cp) && cp != '\n' && cp != '\t'))
		return STR(unknown);
	return entity(cp) ? str_of(entity(cp)) : one;
}

void html_text(struct buf *b, struct str s)
{
	while (s.len)
		buf_str(b, next(&s));
}

void html_short(struct buf *b, struct str s, size_t max)
{
	for (size_t i = 0; s.len && i < max; i++)
		buf_str(b, next(&s));
	if (s.len)
		buf_z(b, "\xe2\x80\xa6");
}

void html_dot(struct buf *b, struct str s)
{
	buf_ch(b, '"');
	while (s.len) {
		uint32_t cp = 0;
		size_t n = str_utf8_len((const uint8_t *)s.s, s.len, &cp);

		if (!n || str_is_control(cp))
			buf_z(b, "\xef\xbf\xbd");
		else {
			if (cp == '"' || cp == '\\')
				buf_ch(b, '\\');
			buf_add(b, s.s, n);
		}
		n = n ? n : 1;
		s.s += n;
		s.len -= n;
	}
	buf_ch(b, '"');
}
