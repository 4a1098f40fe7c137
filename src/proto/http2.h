/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_PROTO_HTTP2_H
#define OBI_PROTO_HTTP2_H

/*
 * http2 - what the files of the parser share: frames, streams, state.
 *
 *   http2.c        frames to messages, the table entry
 *   http2_frame.c  what a frame may look like, detection, resynchronisation
 *   http2_head.c   HEADERS and CONTINUATION: blocks, fields, requests, answers
 *   http2_data.c   DATA: lengths, and the messages of gRPC inside
 */

#include "proto/grpc.h"
#include "proto/hpack.h"
#include "proto/proto.h"

enum http2_type {
	HTTP2_DATA,
	HTTP2_HEADERS,
	HTTP2_PRIORITY,
	HTTP2_RST_STREAM,
	HTTP2_SETTINGS,
	HTTP2_PUSH_PROMISE,
	HTTP2_PING,
	HTTP2_GOAWAY,
	HTTP2_WINDOW_UPDATE,
	HTTP2_CONTINUATION,
	HTTP2_TYPES,
};

enum {
	HTTP2_END_STREAM = 0x1,
	HTTP2_ACK = 0x1,
	HTTP2_END_HEADERS = 0x4,
	HTTP2_PADDED = 0x8,
	HTTP2_PRIORITISED = 0x20,
};

enum {
	HTTP2_FRAME = 9, /* bytes of a frame's header */
	HTTP2_PREFACE_LEN = 24,
	HTTP2_STREAMS = 128, /* known at a time; the oldest makes room */
	HTTP2_TEXT = 3072,   /* of the texts of one message */
};

struct http2_frame {
	uint32_t len, stream;
	uint8_t type, flags;
};

/* A stream from its request to the end of its answer. */
struct http2_stream {
	uint32_t id;
	uint32_t left[2];     /* of the gRPC message under way, by direction */
	uint32_t messages[2]; /* of gRPC, begun */
	int16_t code;         /* of HTTP, 0: not seen */
	int8_t web_status;    /* from a gRPC-Web trailer, -1: none */
	uint8_t kind;         /* enum grpc_kind */
	uint8_t have[2];      /* bytes of a message's prefix, where it was cut */
	uint8_t prefix[2][5];
	uint8_t hints;  /* LEVEL_*: the first bytes of the request's body are of interest */
	uint8_t errors; /* enum level_errors: of the answer's */
	bool told;      /* its body has told the error */
	bool lost[2];   /* the messages cannot be followed any more */
	bool answered;  /* its final head was seen */
	bool unknown;   /* fields of its heads were not known */
};

enum http2_mode {
	HTTP2_AT_FRAME,
	HTTP2_IN_DATA, /* inside a DATA frame, before the prefix of a gRPC message */
	HTTP2_IN_HEAD, /* CONTINUATION comes, of a head that was too long */
};

/* A frame under way. */
struct http2_part {
	uint32_t stream;
	uint32_t left, pad; /* bytes of its data still to come, and of the padding behind them */
	uint8_t flags;
	uint8_t mode; /* enum http2_mode */
};

struct http2_side {
	struct http2_part part;
	struct hpack table;
};

struct http2 {
	struct http2_side side[2];
	uint32_t last;   /* highest stream that the client has opened */
	uint32_t beyond; /* streams that had to make room */
	uint32_t nstreams;
	struct http2_stream streams[HTTP2_STREAMS];
	char *lines;           /* room for the lines of a head; NULL: nobody wants them */
	char text[HTTP2_TEXT]; /* what the slices of a message point into */
};

/* ---- http2.c ---- */
struct http2_stream *http2_find(struct http2 *h, uint32_t id);
struct http2_stream *http2_add(struct http2 *h, uint32_t id);
void http2_remove(struct http2 *h, struct http2_stream *s);
/* The status of an answer whose head did not say whether it is one of gRPC. */
void http2_fill_code(struct http2 *h, const struct http2_stream *s, struct msg *out);
/* What a call of gRPC says at its end: messages each way. */
void http2_fill_messages(const struct http2_stream *s, struct msg *out);

/* ---- http2_frame.c ---- */
/* Reads a frame's header; c->over where it is not whole. */
struct http2_frame http2_frame(struct cur *c);
/* Whether a frame like this may be sent in this direction. */
bool http2_fits(const struct http2_frame *f, enum dir dir);
/* Whether these bytes begin with, or may become, the client's preface. */
enum sure http2_preface(struct cur c);
enum sure http2_detect(const struct first *f);
/* Where frames of this direction begin; NULL: nowhere. */
const uint8_t *http2_sync(enum dir dir, struct cur in);

/* ---- http2_head.c ---- */
/* HEADERS or PUSH_PROMISE with its CONTINUATIONs; *c stands behind the first frame's header. */
enum parse http2_head(struct http2 *h, enum dir dir, const struct http2_frame *f, struct cur *c,
                      const uint8_t *start, struct msg *out);

/* ---- http2_data.c ---- */
enum parse http2_data(struct http2 *h, enum dir dir, const struct http2_frame *f, struct cur *c,
                      struct msg *out);
/* Goes on inside a DATA frame. */
enum parse http2_more_data(struct http2 *h, enum dir dir, struct cur *c, struct msg *out);

#endif
