/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_SPAN_REQ_H
#define OBI_SPAN_REQ_H

/*
 * req - a request on its way to become a span; shared by pair.c (which keeps
 * them) and build.c (which makes the row).
 */

#include "span/pair.h"

/* A piece of req.text. */
struct piece {
	uint32_t off, len;
	bool known;
};

/* The body of a request, or of its answer; see body.h. */
struct body {
	struct buf kept;
	uint64_t bytes; /* of it, all that moved */
	bool ended;     /* no more is kept */
};

struct req {
	struct req *next;
	uint64_t start_ns, ttfb_ns, end_ns; /* CLOCK_MONOTONIC; ttfb 0: no answer yet */
	uint64_t req_bytes, resp_bytes;
	uint64_t id, def_id;
	uint64_t serial; /* how many requests the capture had seen before */
	int64_t rows, code;
	uint32_t pid, tid;
	uint32_t again;        /* times it was asked once more */
	uint64_t again_ns;     /* the last of them */
	struct conn_peer peer; /* datagrams: of whom, or by whom */
	uint32_t flags;        /* SPAN_F_* */
	enum messaging does;
	bool error, server_error, prepare, answered, define, newdb_ok, no_answer, temporary;
	bool no_status;            /* whether it failed is not known */
	uint32_t headers_left_out; /* see header.h */
	uint16_t proto;            /* enum proto_id; 0: that of the connection */
	const char *level;         /* what HTTP carries; or NULL */
	bool dotted;               /* see MSG_F_DOTTED */
	struct piece op, subject, target, query, status, error_type, db, topic, traceparent,
		tracestate, newdb;
	uint64_t has[(ATTR_MAX + 63) / 64]; /* bit per attribute in `attrs` */
	struct body body[2];                /* by enum dir */
	struct buf text;                    /* what the pieces point into */
	struct buf attrs;                   /* members of a JSON object, comma after each */
};

/* Adds a text; an unknown one (NULL) stays unknown. */
struct piece req_text(struct req *r, struct str s);
static inline struct str req_get(const struct req *r, struct piece p)
{
	return p.known ? (struct str){ r->text.p ? r->text.p + p.off : "", p.len } : STR_NULL;
}
/* The attributes of a message; a key that is there already keeps its value. */
void req_attrs(struct req *r, const struct msg *m);

/* Fills `row`, whose texts live in b. */
void req_build(const struct req *r, const struct conn *c, const struct pair_opts *o,
               struct span *row, struct batch *b);
void conn_build(const struct conn *c, const struct pair_opts *o, struct conn_row *row,
                struct batch *b);

#endif
