/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_PROTO_HTTP1_H
#define OBI_PROTO_HTTP1_H

/*
 * http1 - what the files of the parser share: the state of a connection.
 *
 *   http1.c        heads to messages, detection, resynchronisation, the table entry
 *   http1_start.c  start lines
 *   http1_head.c   header fields
 *   http1_body.c   where bodies end: lengths, chunks, events
 *   http1_part.c   the queue of requests, events of a stream
 */

#include "proto/http1_head.h"
#include "proto/http1_part.h"

enum mode {
	AT_START,    /* a start line comes next */
	AT_FIELD,    /* inside a head that was too long */
	AT_TRAILER,  /* inside the fields after the last chunk */
	AT_SIZE,     /* a chunk's size line comes next */
	AT_NEXT,     /* likewise, after the line end that closes the chunk before */
	AT_EVENTS,   /* inside a stream of events: of a chunk, or of all that follows */
	AT_EXPECTED, /* the body that "100 Continue" was asked for */
};

struct side {
	struct http1_frame frame;
	uint16_t code;
	uint8_t mode;
	bool in_line; /* the rest of a line too long comes next */
};

struct http1 {
	struct side side[2];
	struct http1_queue queue;
	uint64_t left; /* bytes of events in this chunk; UINT64_MAX: till the end */
	struct http1_sse events;
};

_Static_assert(sizeof(struct http1) <= 320, "parser state per connection");

/* ---- http1_body.c ---- */
/* What the head says of the body behind it: *out->skip, or the mode. */
void http1_request_body(struct side *s, struct msg *out);
void http1_answer_body(struct http1 *h, struct side *s, struct msg *out);
/*
 * The first bytes of the body behind a head, at c, where what is spoken over HTTP may be
 * told by them. False: they are of interest, but not there yet, and `more` may come.
 */
bool http1_peek(const struct http1 *h, enum dir dir, const struct http1_head *d, struct cur c,
                bool more, struct str *body);
/* Parts, by the mode that the side is in; `full`: no more bytes will be kept. */
enum parse http1_parse_part(struct http1 *h, enum dir dir, struct cur *in, bool full,
                            struct msg *out);
bool http1_finish(void *state, bool over, struct msg *out);

#endif
