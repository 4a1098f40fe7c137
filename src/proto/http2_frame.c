// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * http2_frame - what frames look like (RFC 9113, 4 and 6), and how they are
 * found among other bytes.
 *
 * A connection seen from its start begins with the client's preface. One that
 * was joined in the middle is known by its frames alone: a chain of them in both
 * directions, each as its type demands, with header blocks that are well-formed
 * to the last bit of their Huffman codes.
 */
#include "proto/http2.h"

enum { CHAIN_LEN = 1 << 20, SETTINGS_MOST = 32, STRICT_ENOUGH = 4, CHAIN_MOST = 16 };

struct http2_frame http2_frame(struct cur *c)
{
	struct http2_frame f = { .len = (uint32_t)cur_be(c, 3) };

	f.type = cur_u8(c);
	f.flags = cur_u8(c);
	f.stream = cur_be32(c);
	return f;
}

/* What a type demands: flags that exist, length, and whether it belongs to a stream. */
static const struct {
	uint8_t flags;
	bool fixed, stream;
	uint8_t len; /* its length where it is fixed, else the least */
} shapes[HTTP2_TYPES] = {
	[HTTP2_DATA] = { HTTP2_END_STREAM | HTTP2_PADDED, false, true, 0 },
	[HTTP2_HEADERS] = { HTTP2_END_STREAM | HTTP2_END_HEADERS | HTTP2_PADDED | HTTP2_PRIORITISED,
	                    false, true, 0 },
	[HTTP2_PRIORITY] = { 0, true, true, 5 },
	[HTTP2_RST_STREAM] = { 0, true, true, 4 },
	[HTTP2_SETTINGS] = { HTTP2_ACK, false, false, 0 },
	[HTTP2_PUSH_PROMISE] = { HTTP2_END_HEADERS | HTTP2_PADDED, false, true, 4 },
	[HTTP2_PING] = { HTTP2_ACK, true, false, 8 },
	[HTTP2_GOAWAY] = { 0, false, false, 8 },
	[HTTP2_WINDOW_UPDATE] = { 0, true, true, 4 },
	[HTTP2_CONTINUATION] = { HTTP2_END_HEADERS, false, true, 0 },
};

/* Bytes before and behind what a frame carries. */
static uint32_t least(const struct http2_frame *f)
{
	bool may_pad = f->type == HTTP2_DATA || f->type == HTTP2_HEADERS ||
	               f->type == HTTP2_PUSH_PROMISE;

	return shapes[f->type].len + (may_pad && f->flags & HTTP2_PADDED ? 1u : 0u) +
	       (f->type == HTTP2_HEADERS && f->flags & HTTP2_PRIORITISED ? 5u : 0u);
}

bool http2_fits(const struct http2_frame *f, enum dir dir)
{
	if (f->type >= HTTP2_TYPES || f->stream >> 31 || f->flags & ~shapes[f->type].flags)
		return false;
	if (f->len < least(f) || (shapes[f->type].fixed && f->len != shapes[f->type].len))
		return false;
	if (f->type == HTTP2_WINDOW_UPDATE)
		return true;
	if (!f->stream != !shapes[f->type].stream)
		return false;
	switch (f->type) {
	case HTTP2_SETTINGS:
		return f->flags ? !f->len : f->len % 6 == 0 && f->len <= 6 * SETTINGS_MOST;
	case HTTP2_PUSH_PROMISE:
		return dir == DIR_RESP && f->stream & 1;
	case HTTP2_DATA:
	case HTTP2_HEADERS:
		return dir == DIR_RESP || f->stream & 1;
	default:
		return true;
	}
}

static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

enum sure http2_preface(struct cur c)
{
	size_t n = cur_left(&c) < HTTP2_PREFACE_LEN ? cur_left(&c) : HTTP2_PREFACE_LEN;

	if (!n || memcmp(c.p, preface, n))
		return SURE_NO;
	return n == HTTP2_PREFACE_LEN ? SURE_YES : SURE_MAYBE;
}

/* ---- chains of frames ---- */

struct chain {
	unsigned int frames; /* whole ones */
	unsigned int heads;  /* of those: HEADERS with a well-formed block */
	unsigned int right;  /* of those: with a field that only this direction has */
	unsigned int fixed;  /* frames of a length that their type fixes */
	bool partial;        /* the last one goes on behind the end */
	bool bad;
};

/* The block of a HEADERS frame in one piece; false where it is malformed. */
static bool block_fits(const struct http2_frame *f, struct cur c, int *who)
{
	uint8_t pad = f->flags & HTTP2_PADDED ? cur_u8(&c) : 0;

	if (f->flags & HTTP2_PRIORITISED)
		cur_take(&c, 5);
	if (c.over || pad > cur_left(&c))
		return false;
	c.end -= pad;
	*who = hpack_asks(c);
	return !(f->flags & HTTP2_END_HEADERS) || (cur_left(&c) && hpack_check(c, true));
}

static void add_link(struct chain *n, const struct http2_frame *f, struct cur body, enum dir dir)
{
	int who = 0;

	if (!http2_fits(f, dir) || f->len > CHAIN_LEN) {
		n->bad = true;
		return;
	}
	if (cur_left(&body) < f->len) {
		n->partial = true;
		return;
	}
	body.end = body.p + f->len;
	n->frames++;
	n->fixed += shapes[f->type].fixed || (f->type == HTTP2_SETTINGS && f->flags);
	if (f->type != HTTP2_HEADERS)
		return;
	n->bad = !block_fits(f, body, &who) || who == (dir == DIR_REQ ? -1 : 1);
	n->heads++;
	n->right += who != 0;
}

/* At most CHAIN_MOST frames: enough to know, and hostile bytes cost no more than that. */
static struct chain chain(enum dir dir, struct cur c)
{
	struct chain n = { 0 };

	while (!n.bad && !n.partial && n.frames < CHAIN_MOST && cur_left(&c)) {
		struct http2_frame f = http2_frame(&c);

		if (c.over) {
			n.partial = true;
			break;
		}
		add_link(&n, &f, c, dir);
		if (!n.bad && !n.partial)
			c.p += f.len;
	}
	return n;
}

/* Whether frames begin here: one that fits to the end, or several. */
static bool begins(const struct chain *n, bool at_start)
{
	if (n->bad)
		return false;
	if (at_start)
		return n->frames > 0 || n->partial;
	return n->frames >= 2 || (n->frames && (n->heads || n->fixed));
}

const uint8_t *http2_sync(enum dir dir, struct cur in)
{
	const uint8_t *start = in.p;

	if (dir == DIR_REQ && http2_preface(in) == SURE_YES)
		return start;
	for (; cur_left(&in) >= HTTP2_FRAME; in.p++) {
		struct chain n;

		/* lengths above a megabyte are nobody's: the quickest of all tests */
		if (in.p[0] > CHAIN_LEN >> 16 || in.p[3] >= HTTP2_TYPES || in.p[5] >> 7)
			continue;
		n = chain(dir, in);
		if (begins(&n, in.p == start))
			return in.p;
	}
	return NULL;
}

/* ---- detection ---- */

/* The same from where frames begin: what was seen first may be inside one. */
static struct chain later(enum dir dir, struct cur c)
{
	c.p = http2_sync(dir, c);
	return c.p ? chain(dir, c) : (struct chain){ .bad = true };
}

/*
 * Frames of both sides. Who asks is known by the fields of a head, unless it is
 * known anyway: a stream may go on for hours without any head.
 */
static enum sure joined(const struct first *f)
{
	struct chain req = chain(DIR_REQ, f->req), resp = chain(DIR_RESP, f->resp);
	unsigned int frames, strict;

	if (req.bad && resp.bad)
		return SURE_NO;
	if (resp.bad && req.heads + req.fixed)
		resp = later(DIR_RESP, f->resp);
	if (req.bad && resp.heads + resp.fixed)
		req = later(DIR_REQ, f->req);
	if (req.bad || resp.bad)
		return SURE_NO;
	frames = req.frames + resp.frames;
	strict = req.heads + resp.heads + req.fixed + resp.fixed;
	if (!f->roles_known && !req.right && !resp.right)
		return SURE_MAYBE;
	/* one side may have a lot to say before the other answers */
	if ((req.right && resp.right && frames >= 3) || strict >= STRICT_ENOUGH)
		return SURE_YES;
	return req.frames && resp.frames && frames >= 4 && strict > 1 ? SURE_LIKELY : SURE_MAYBE;
}

/* A server may say its SETTINGS before it has read anything. */
static bool settings_first(struct cur c)
{
	struct http2_frame f = http2_frame(&c);

	return c.over || (f.type == HTTP2_SETTINGS && !f.flags && http2_fits(&f, DIR_RESP));
}

enum sure http2_detect(const struct first *f)
{
	enum sure sure = http2_preface(f->req);

	if (sure != SURE_NO)
		return settings_first(f->resp) ? sure : SURE_NO;
	if (!f->from_start)
		return joined(f);
	return !cur_left(&f->req) && settings_first(f->resp) ? SURE_MAYBE : SURE_NO;
}
