/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_CONN_TABLE_H
#define OBI_CONN_TABLE_H

/*
 * table - what conn.c (life cycle), ends.c (both ends here), feed.c (bytes and holes), dgram.c
 * (datagrams) and talk.c (detection and messages) share. Nobody outside conn/ includes it.
 */

#include "base/hash.h"
#include "conn/conn.h"
#include "conn/stream.h"

struct conns {
	struct conns_opts opts;
	const struct conn_sink *sink;
	struct hash by_id;
	struct hash listens;          /* netns and port of listening TCP sockets */
	struct hash ends;             /* connections by their addresses, see ends.c */
	struct conn *oldest, *newest; /* by last use */
	unsigned int n;
	struct conn_stats stats;
	size_t held;        /* memory of all pending bytes */
	char *room;         /* for header fields, see proto.room; NULL: they are not asked for */
	uint8_t *trial;     /* a copy of a parser's state, see talk.c */
	unsigned int timed; /* connections that conns_time() looks at */
	uint64_t swept_ns;  /* when it did last */
};

/* conn.c: who is the server, by the ports that are listened on; where that is not known yet. */
void conns_side(struct conns *t, struct conn *c);
/* It has a time-out, or an end that only time tells. */
void conns_timed(struct conns *t, struct conn *c);
/* It is over: told to the sink, and freed. */
void conns_forget(struct conns *t, struct conn *c);
/* ends.c: c->info is known now: its other end is looked for, once. */
void ends_add(struct conns *t, struct conn *c);
/* c->pid has changed: the other end learns it. */
void ends_pid(struct conn *c);
/* c goes; what its other end has learnt stays. */
void ends_drop(struct conns *t, struct conn *c);

/* feed.c: bytes of one record that moved at `at`, and holes between them. */
void feed_bytes(struct conns *t, struct conn *c, enum ev_dir d, const uint8_t *p, size_t n,
                const struct moment *at);
/* n bytes are missing; `lost`: not on purpose. */
void feed_hole(struct conns *t, struct conn *c, enum ev_dir d, uint64_t n, bool lost,
               const struct moment *at);
/* No byte will follow in this direction. */
void feed_end(struct conns *t, struct conn *c, enum ev_dir d, const struct moment *at);

/* dgram.c: a record of a socket for datagrams; what is held of it is given up. */
void dgram_data(struct conns *t, struct conn *c, const struct ev_data *e, const struct moment *at);
void dgram_forget(struct conns *t, struct conn *c);

/*
 * talk.c: n bytes at offset off, at the front of a skip, go to the sink as far as they are
 * part of a body; p NULL: a hole.
 */
void talk_body(struct conns *t, struct conn *c, enum ev_dir d, const uint8_t *p, uint64_t n,
               uint64_t off);

/*
 * talk.c: takes whole messages from the n bytes at p, which begin at offset off;
 * their moments are `direct`, or those of the pending bytes where it is NULL.
 * Returns the bytes that are done with. May change c->proto.
 */
size_t talk_consume(struct conns *t, struct conn *c, enum ev_dir d, struct cur in, uint64_t off,
                    const struct moment *direct);
/* Looks for the protocol in the pending bytes of both directions. True if one was found. */
bool talk_detect(struct conns *t, struct conn *c);
/* Parses pending bytes of both directions until nothing moves any more. */
void talk_pump(struct conns *t, struct conn *c);
/* Gives the connection up: its bytes are counted, not kept. */
void talk_give_up(struct conns *t, struct conn *c, enum why why);
void talk_interest(struct conns *t, struct conn *c, enum ev_level level);
/* A verdict, or none (NULL); one that was wrong is taken back. */
void talk_set_proto(struct conns *t, struct conn *c, const struct proto *p);
void talk_unlearn(struct conns *t, struct conn *c);

#endif
