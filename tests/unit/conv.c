// SPDX-License-Identifier: GPL-3.0-or-later
/* conv - reads a .conv file; the format is described in tests/corpus/README. */
#include "tests/unit/feed.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

int conv_slurp(struct buf *b, const char *path)
{
	FILE *f = fopen(path, "re");
	char chunk[4096];
	size_t n;

	if (!f)
		return -errno;
	while ((n = fread(chunk, 1, sizeof(chunk), f)))
		buf_add(b, chunk, n);
	fclose(f);
	return b->failed ? -ENOMEM : 0;
}

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* One escape after the backslash; the bytes it took, or 0 where it is none. */
static size_t unescape(struct buf *b, struct str s)
{
	static const char from[] = "rnt0\\\"", to[] = "\r\n\t\0\\\"";
	const char *at;

	if (s.len >= 3 && s.s[0] == 'x' && hex(s.s[1]) >= 0 && hex(s.s[2]) >= 0) {
		buf_ch(b, (char)(hex(s.s[1]) << 4 | hex(s.s[2])));
		return 3;
	}
	at = s.len ? memchr(from, s.s[0], sizeof(from) - 1) : NULL;
	if (!at)
		return 0;
	buf_ch(b, to[at - from]);
	return 1;
}

static int add_bytes(struct buf *b, struct str s)
{
	size_t i = 0;

	while (i < s.len) {
		size_t n;

		if (s.s[i] != '\\') {
			buf_ch(b, s.s[i++]);
			continue;
		}
		n = unescape(b, (struct str){ s.s + i + 1, s.len - i - 1 });
		if (!n)
			return -EINVAL;
		i += n + 1;
	}
	return 0;
}

static int add_seg(struct conv *c, struct conv_seg seg)
{
	struct conv_seg *p = realloc(c->segs, (c->nsegs + 1) * sizeof(*p));

	if (!p)
		return -ENOMEM;
	c->segs = p;
	p[c->nsegs++] = seg;
	if (seg.len > c->longest)
		c->longest = seg.len;
	return 0;
}

static int directive(struct conv *c, struct str s)
{
	if (str_is(s, "! nodetect")) {
		c->nodetect = true;
		return 0;
	}
	if (str_is(s, "! cut >") || str_is(s, "! cut <"))
		return add_seg(c, (struct conv_seg){ .dir = s.s[6] == '>' ? DIR_REQ : DIR_RESP,
		                                     .cut = true,
		                                     .off = c->bytes.len });
	return -EINVAL;
}

/* "> bytes" or ">*N bytes". */
static int segment(struct conv *c, struct str s)
{
	struct conv_seg seg = { .dir = *s.s == '>' ? DIR_REQ : DIR_RESP, .off = c->bytes.len };
	const char *sp = memchr(s.s, ' ', s.len);
	uint64_t times = 1;
	struct str n;

	if (!sp)
		return -EINVAL;
	n = (struct str){ s.s + 1, (size_t)(sp - s.s - 1) };
	if (n.len && (*n.s != '*' || !str_u64((struct str){ n.s + 1, n.len - 1 }, &times)))
		return -EINVAL;
	while (times--) {
		int err = add_bytes(&c->bytes, (struct str){ sp + 1, s.len - n.len - 2 });

		if (err)
			return err;
	}
	seg.len = c->bytes.len - seg.off;
	return add_seg(c, seg);
}

/* Whether the line ends in a backslash that is not itself escaped. */
static bool goes_on(struct str s)
{
	size_t n = 0;

	while (n < s.len && s.s[s.len - 1 - n] == '\\')
		n++;
	return n & 1;
}

static int one_line(struct conv *c, struct str s)
{
	if (!s.len || *s.s == '#')
		return 0;
	return *s.s == '!' ? directive(c, s) : *s.s == '>' || *s.s == '<' ? segment(c, s) : -EINVAL;
}

int conv_load(struct conv *c, const char *path)
{
	struct buf text = { 0 }, whole = { 0 };
	int err = conv_slurp(&text, path);
	struct cur in;

	memset(c, 0, sizeof(*c));
	buf_ch(&text, '\n');
	in = cur_of(text.p, text.len);
	while (!err && cur_left(&in)) {
		struct str s = cur_line(&in);

		if (whole.len)
			while (s.len && (*s.s == ' ' || *s.s == '\t'))
				s.s++, s.len--;
		if (goes_on(s)) {
			buf_add(&whole, s.s, s.len - 1);
			continue;
		}
		buf_str(&whole, s);
		err = one_line(c, buf_slice(&whole));
		buf_clear(&whole);
	}
	buf_free(&text);
	buf_free(&whole);
	return err;
}

void conv_free(struct conv *c)
{
	buf_free(&c->bytes);
	free(c->segs);
}
