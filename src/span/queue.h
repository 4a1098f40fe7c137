/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_SPAN_QUEUE_H
#define OBI_SPAN_QUEUE_H

/*
 * queue - the open requests of each connection, and what ends them; shared by
 * pair.c (which reads messages) and queue.c. Nobody outside span/ includes it.
 */

#include "base/hash.h"
#include "span/req.h"

struct kept { /* attributes that every request of a connection has */
	struct buf attrs;
	uint64_t has[(ATTR_MAX + 63) / 64];
};

/* A connection's requests. */
struct talk {
	struct req *head, *tail; /* open, oldest first */
	unsigned int n;
	struct req *body;       /* whose answer's last part is passing by unread */
	struct req *part[2];    /* where answers come by id: whose bytes pass, by direction */
	struct hash defs;       /* prepared statements: id to NUL-terminated text */
	uint64_t prelude_bytes; /* of messages that belong to the next request */
	struct moment lead;     /* of the first that leads it; ts_ns 0: none did */
	bool alone;        /* the last request wanted no answer: what passes unread is its own */
	bool leads;        /* what passes unread belongs to the next request too */
	char *db;          /* the database that is current; NULL: not known */
	struct kept *kept; /* NULL: none */
};

struct pairs {
	struct pair_opts opts;
	struct conn_sink sink;
	struct batch *batch;
	struct req *free; /* with their buffers, for reuse */
	struct hash defs; /* what means the same on every connection */
	unsigned int open;
	size_t body_held; /* bytes of bodies that open requests keep */
	uint64_t seq;
	struct pair_stats stats;
};

/* The queue of c, made on first use; NULL on ENOMEM. */
struct talk *queue_of(struct conn *c);
/* The database that is current from here on; where there is no memory it is unknown. */
void queue_db(struct talk *k, struct str db);
void queue_fini(struct talk *k); /* what it remembers; its requests must be gone */

/* An empty request, not in any queue yet; NULL on ENOMEM. */
struct req *queue_add(struct pairs *p);
void queue_recycle(struct pairs *p, struct req *r);
void queue_free(struct pairs *p); /* the requests that wait for reuse */
/* Out of the queue, without a row. */
void queue_unlink(struct pairs *p, struct talk *k, struct req *r);
/* It is answered: a row, or part of the execution that follows a preparation. */
void queue_finish(struct pairs *p, struct conn *c, struct req *r);
/* It ends without an answer; flag: SPAN_F_OPEN or SPAN_F_GAP. */
void queue_give_up(struct pairs *p, struct conn *c, struct req *r, uint32_t flag);

/* What a prepared statement's name, or the id of a topic, stands for. */
void queue_define(struct hash *defs, uint64_t id, struct str text);
void queue_forget(struct hash *defs, uint64_t id);
void queue_forget_all(struct hash *defs);

#endif
