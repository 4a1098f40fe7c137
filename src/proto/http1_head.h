/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_PROTO_HTTP1_HEAD_H
#define OBI_PROTO_HTTP1_HEAD_H

/*
 * http1_head - start lines and header fields of HTTP/1 (RFC 9112), without
 * any notion of connections or bodies.
 *
 * Slices point into the input. What cannot be understood in a header field is
 * passed over, not refused: the server answers such requests too, and that
 * answer is worth seeing.
 */

#include "proto/proto.h"

/* What the fields say about the body; survives from part to part of a long head. */
enum {
	FRAME_LENGTH = 1 << 0,  /* ->length is the announced one */
	FRAME_DOUBT = 1 << 1,   /* lengths that are no numbers, or differ */
	FRAME_CODED = 1 << 2,   /* there is a transfer coding */
	FRAME_CHUNKED = 1 << 3, /* and chunked is the last one */
	FRAME_EXPECT = 1 << 4,  /* the body waits for "100 Continue" */
	FRAME_H2C = 1 << 5,     /* wants to go on, or goes on, in HTTP/2 */
	FRAME_WEBSOCKET = 1 << 6,
	FRAME_EVENTS = 1 << 7, /* text/event-stream */
};

struct http1_frame {
	uint64_t length;
	uint8_t flags; /* FRAME_* */
};

struct http1_head {
	struct str method, target; /* of a request */
	struct str status;         /* of an answer: three digits */
	int32_t code;
	struct str version; /* "1.1" */
	struct str host, scheme, forwarded, forwarded_for, agent, type;
	struct str traceparent, tracestate, baggage;
	struct str lines; /* of the fields so far, as they stand there */
	struct str ws_protocol, ws_extensions;
	struct str mcp_session, mcp_version;
	struct str authorization, amz_target, amz_copy; /* read by level_aws alone, never shown */
	struct str aws_request;
	struct str clickhouse, clickhouse_db; /* the first: of a field that only its clients send */
	struct http1_frame frame;
};

/* Reads a whole start line, without its line end; false where it is none. */
bool http1_line(struct http1_head *h, enum dir dir, struct str line);

/*
 * Reads the first part of a start line of which no end will be seen: method and
 * what there is of the target, or the status.
 */
bool http1_line_cut(struct http1_head *h, enum dir dir, struct str s);

/* Whether these bytes without a newline may be how a start line begins. */
bool http1_begins(enum dir dir, struct str s);

/* Empty lines before a head are to be ignored (RFC 9112 2.2). */
void http1_skip_blank_lines(struct cur *c);

/* How sure it is that a side which said this first speaks HTTP/1. */
enum sure http1_sure(enum dir dir, struct cur c);

/* Whether a message of this direction starts here, as far as there are bytes. */
bool http1_starts(enum dir dir, struct cur c);

/* One of the methods of RFC 9110, 5789 and the QUERY draft. */
bool http1_known_method(struct str s);

/*
 * Takes one header field with its continuation lines. 1: taken; 0: the blank
 * line, taken; -1: no complete one there, nothing taken.
 */
int http1_field(struct http1_head *h, struct cur *in);

/*
 * The size that a chunk begins with, "1a3;name=value": the digits it took, 0 where
 * it is none or, as far as there are bytes, cannot become one.
 */
size_t http1_chunk_size(struct str s, uint64_t *size);

/* Everything the head says, as fields and attributes of the message. */
void http1_fill_request(const struct http1_head *h, struct msg *out);
void http1_fill_answer(const struct http1_head *h, struct msg *out);
void http1_fill_server(struct str authority, struct msg *out); /* host, host:port */
void http1_fill_context(const struct http1_head *h, struct msg *out);
void http1_fill_size(const struct http1_frame *f, enum attr key, struct msg *out);

#endif
