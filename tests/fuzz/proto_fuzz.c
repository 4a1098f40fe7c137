// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * proto_fuzz - one fuzz target for all parsers, resynchronisers and detectors.
 *
 * Byte 0 chooses the protocol (OBI_FUZZ_PROTO in the environment overrides it).
 * Then come segments of a conversation, until the input ends:
 *
 *	control   bit 0: of the responder; bit 1: nothing follows it in its
 *	          direction; bit 2: repeated; bit 3: the bytes were lost
 *	times     only with bit 2
 *	length    two bytes, little-endian
 *	bytes
 *
 * tests/unit/feed.c plays conn/ and checks the contract of proto.h; a breach
 * aborts. Build and run with tests/fuzz/run.sh.
 */
#include <stdio.h>
#include <stdlib.h>

#include "proto/proto.h"
#include "tests/unit/feed.h"

enum { REPEAT_MAX = 40 * 1024, RESPONDER = 1, LAST = 2, REPEATED = 4, LOST = 8 };

static const enum proto_id ids[] = {
#define PROTO(NUM, NAME, file) PROTO_##NAME,
#include "proto/protos.def"
#undef PROTO
};

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static const struct proto *chosen(uint8_t byte)
{
	static enum proto_id fixed;
	static bool asked;
	const char *name = asked ? NULL : getenv("OBI_FUZZ_PROTO");

	if (name && *name)
		fixed = proto_by_name(str_of(name));
	if (name && *name && !fixed)
		abort();
	asked = true;
	return proto_by_id(fixed ? fixed : ids[byte % (sizeof(ids) / sizeof(*ids))]);
}

/* One segment; false at the end of the input. */
static bool segment(struct feed *f, struct cur *in, struct buf said[2])
{
	uint8_t control = cur_u8(in);
	unsigned int times = control & REPEATED ? cur_u8(in) : 1;
	struct str s = cur_rest(in, (size_t)cur_le(in, 2));
	enum dir dir = control & RESPONDER ? DIR_RESP : DIR_REQ;

	if (in->over)
		return false;
	for (unsigned int i = 0; i < times; i++) {
		if (i && said[0].len + said[1].len > REPEAT_MAX)
			break;
		if (control & LOST) {
			feed_lose(f, dir, s.len);
			continue;
		}
		buf_str(&said[dir], s);
		feed_push(f, dir, s.s, s.len);
	}
	if (control & LAST)
		feed_cut(f, dir);
	return true;
}

/* In a block of its very size, so that the sanitizer knows its bounds. */
static struct cur exact(const struct buf *b)
{
	void *p = malloc(b->len + !b->len);

	if (!p)
		abort();
	if (b->len)
		memcpy(p, b->p, b->len);
	return cur_of(p, b->len);
}

static void detect(const struct buf said[2])
{
	struct cur a = exact(&said[0]), b = exact(&said[1]);

	for (int known = -1; known <= 1; known++)
		for (int from_start = 0; from_start <= 1; from_start++)
			proto_detect(a, b, known, PROTO_UNKNOWN, 4, from_start, 0, 0);
	free((void *)a.p);
	free((void *)b.p);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct buf said[2] = { { 0 }, { 0 } };
	struct cur in = cur_of(bytes, len);
	struct feed f;

	if (!len)
		return 0;
	feed_init(&f, chosen(cur_u8(&in)));
	f.resyncs = true;
	while (cur_left(&in) && segment(&f, &in, said))
		;
	feed_finish(&f);
	if (f.broken) {
		fprintf(stderr, "%s: %s\n", f.proto->name, f.broken);
		abort();
	}
	detect(said);
	feed_free(&f);
	buf_free(&said[0]);
	buf_free(&said[1]);
	return 0;
}
