/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_TESTS_FEED_H
#define OBI_TESTS_FEED_H

/*
 * feed - gives both directions of a conversation to a parser as conn/ would,
 * writes its messages down as text, and holds it to the contract of proto.h.
 *
 * The text and the files are described in tests/corpus/README. A breach of the
 * contract (moved without PARSE_OK, changed the state without PARSE_OK, OK
 * without moving, PARSE_MORE at PROTO_HEAD bytes, ...) ends up in ->broken.
 */

#include "base/str.h"
#include "proto/proto.h"

struct feed_side {
	uint8_t *p; /* bytes not yet taken */
	size_t len, cap;
	uint64_t skip; /* bytes of the last message still to drop */
	uint64_t at;   /* offset of p[0] in the direction */
	bool bad;      /* the parser gave up */
	bool cut;      /* no byte will follow */
	bool lost;     /* bytes are missing: look for the next message first */
};

enum { FEED_OPEN = 1024 };

struct feed {
	const struct proto *proto;
	void *state, *spare; /* spare: what state was before the call, or a copy to try on */
	struct feed_side side[2];
	uint64_t open[FEED_OPEN]; /* ids of the requests without an answer yet, oldest first */
	size_t nopen;
	bool over;    /* the protocol changed: nothing more is read */
	bool resyncs; /* set by the caller: look for the next message after an error */
	unsigned int nbad;
	struct buf out;  /* the messages as text */
	struct str last; /* the last line, to count equal ones */
	size_t last_at;
	unsigned int repeats;
	const char *broken; /* the first breach of the contract; NULL: none */
	struct msg msg;
};

void feed_init(struct feed *f, const struct proto *p);
void feed_push(struct feed *f, enum dir dir, const void *bytes, size_t len);
void feed_cut(struct feed *f, enum dir dir);              /* no byte of this direction follows */
void feed_lose(struct feed *f, enum dir dir, size_t len); /* bytes that were not captured */
void feed_finish(struct feed *f);                         /* what is left over */
void feed_free(struct feed *f);

/* A message as one line without newline. */
void feed_print(struct buf *b, enum dir dir, const struct msg *m);

/* A conversation read from a .conv file. */
struct conv_seg {
	enum dir dir;
	bool cut; /* not bytes: the direction ends here */
	size_t off, len;
};

struct conv {
	struct buf bytes;
	struct conv_seg *segs;
	size_t nsegs;
	size_t longest; /* segment */
	bool nodetect;
};

int conv_load(struct conv *c, const char *path); /* 0 or -errno; -EINVAL: malformed */
void conv_free(struct conv *c);

/* The whole of a file; the caller frees b. */
int conv_slurp(struct buf *b, const char *path);

#endif
