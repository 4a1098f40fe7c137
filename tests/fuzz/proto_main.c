// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * proto_main - the fuzz target without a fuzzer: feeds it files.
 *
 *	proto_main FILE...             inputs of proto_fuzz.c
 *	proto_main CONV...             conversations (tests/corpus/README), whole, and
 *	                               with each segment in turn cut short by a loss
 *	proto_main -o DIR CONV...      writes conversations as inputs
 */
#include <stdio.h>
#include <stdlib.h>

#include "proto/proto.h"
#include "tests/unit/feed.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

enum { CHUNK = 0xffff };

/* The place of the folder's protocol in protos.def. */
static char number_of(const char *path)
{
	const char *slash = strrchr(path, '/'), *dir = slash;
	char n = 0;

	while (dir && dir > path && dir[-1] != '/')
		dir--;
	if (!dir)
		return 0;
#define PROTO(NUM, NAME, file)                                  \
	if (str_eq(str_of(proto_by_id(PROTO_##NAME)->name),     \
	           (struct str){ dir, (size_t)(slash - dir) })) \
		return n;                                       \
	n++;
#include "proto/protos.def"
#undef PROTO
	return 0;
}

enum { LOST = 8 };

static void add(struct buf *to, int control, const char *p, size_t n)
{
	buf_ch(to, (char)control);
	buf_ch(to, (char)(n & 0xff));
	buf_ch(to, (char)(n >> 8));
	buf_add(to, p, n);
}

/* The conversation as an input; the second half of segment `hole` is lost. */
static void encode(struct buf *to, const struct conv *c, char number, size_t hole)
{
	buf_ch(to, number);
	for (size_t i = 0; i < c->nsegs; i++) {
		const struct conv_seg *s = &c->segs[i];
		const char *p = c->bytes.p + s->off;
		size_t off = 0;

		if (i == hole && s->len <= CHUNK) {
			add(to, s->dir, p, s->len / 2);
			add(to, s->dir | LOST, p + s->len / 2, s->len - s->len / 2);
			continue;
		}
		do {
			size_t n = s->len - off < CHUNK ? s->len - off : CHUNK;

			add(to, s->dir | s->cut << 1, p + off, n);
			off += n;
		} while (off < s->len);
	}
}

static void with_holes(const struct conv *c, char number)
{
	for (size_t i = 0; i < c->nsegs; i++) {
		struct buf b = { 0 };

		encode(&b, c, number, i);
		LLVMFuzzerTestOneInput((const uint8_t *)b.p, b.len);
		buf_free(&b);
	}
}

static int read_input(struct buf *b, const char *path, bool run)
{
	size_t len = strlen(path);
	struct conv c;
	int err;

	if (len < 5 || strcmp(path + len - 5, ".conv"))
		return conv_slurp(b, path);
	err = conv_load(&c, path);
	if (!err)
		encode(b, &c, number_of(path), SIZE_MAX);
	if (!err && run)
		with_holes(&c, number_of(path));
	conv_free(&c);
	return err;
}

static int write_input(const struct buf *b, const char *dir, const char *path)
{
	const char *slash = strrchr(path, '/');
	char to[4096];
	FILE *f;

	snprintf(to, sizeof(to), "%s/%s", dir, slash ? slash + 1 : path);
	f = fopen(to, "we");
	if (!f || fwrite(b->p, 1, b->len, f) != b->len || fclose(f))
		return -1;
	return 0;
}

int main(int argc, char **argv)
{
	bool out = argc > 2 && !strcmp(argv[1], "-o");

	for (int i = out ? 3 : 1; i < argc; i++) {
		struct buf b = { 0 };
		int err = read_input(&b, argv[i], !out);

		if (!err && out)
			err = write_input(&b, argv[2], argv[i]);
		else if (!err)
			LLVMFuzzerTestOneInput((const uint8_t *)b.p, b.len);
		if (err)
			fprintf(stderr, "%s: cannot be used\n", argv[i]);
		buf_free(&b);
		if (err)
			return EXIT_FAILURE;
	}
	return EXIT_SUCCESS;
}
