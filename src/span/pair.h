/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_SPAN_PAIR_H
#define OBI_SPAN_PAIR_H

/*
 * pair - messages to spans.
 *
 * Requests wait, by connection, for their answers: in order, or by the id that
 * the protocol gives them. Each becomes one row, at its end. What cannot be
 * told stays unknown: a request whose answer was lost has no duration.
 *
 *   started = ended + open at the end + broken by a gap + skipped by the server
 */

#include "conn/conn.h"
#include "span/batch.h"

struct pair_stats {
	uint64_t started;    /* requests */
	uint64_t ended;      /* of those: answered, or complete without an answer */
	uint64_t open;       /* no answer when the connection or the capture ended */
	uint64_t broken;     /* bytes were lost before their answer was complete */
	uint64_t skipped;    /* the server discarded them (after an error, in a pipeline) */
	uint64_t prepares;   /* preparations that an execution followed: part of that */
	uint64_t bodies;     /* of requests and answers (--body) */
	uint64_t bodies_cut; /* of those: not all of it is kept */
	uint64_t pushes;     /* messages the server sent of its own accord */
	uint64_t rows;       /* rows made */
};

/* What --header was given: names with * and ?, several with commas between them. */
struct header_names {
	const char *const *v;
	size_t n;
};

struct pair_opts {
	struct batch_pool *pool;
	/* A full batch, or what there is when pair_flush() is called; takes the reference. */
	void (*emit)(void *ctx, struct batch *b);
	/* Fills in who: comm, service ... by row->pid; peer_pid: of the other end, 0: unknown. May be NULL. */
	void (*who)(void *ctx, struct span *row, uint32_t peer_pid, struct batch *b);
	void (*who_conn)(void *ctx, struct conn_row *row, struct batch *b);
	void *ctx;
	int64_t wall_offset_ns;
	struct header_names headers; /* that become attributes */
	size_t body;                 /* bytes of each body that are kept; 0: none */
	bool unread_only;            /* connections: rows only of those that cannot be read */
	uint64_t seed;               /* of the ids; the same seed and records give the same ids */
	unsigned int
		max_open; /* requests waiting in all; 0: 262144; beyond, the oldest of its connection is broken */
};

struct pairs;
struct pairs *pair_new(const struct pair_opts *o); /* NULL with errno */
const struct conn_sink *pair_sink(struct pairs *p);
/* A new row in the batch under way, for other tables (processes, capture). NULL on ENOMEM. */
void *pair_row(struct pairs *p, enum table t, struct batch **in);
/* Hands over what there is. */
void pair_flush(struct pairs *p);
void pair_set_seq(struct pairs *p, uint64_t seq);
void pair_stats(const struct pairs *p, struct pair_stats *out);
void pair_free(struct pairs *p);

#endif
