/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_BASE_FANOUT_H
#define OBI_BASE_FANOUT_H

/*
 * fanout - a bounded queue of shared items with several subscribers.
 *
 * Every item goes to every subscriber; each has a buffer of its own, so that a
 * slow one fills only that. What happens then is its policy: the item is
 * dropped for this subscriber and counted, or the producers wait for it. Those
 * that have room get the item first, whoever is waited for. A producer that has
 * waited too long says so (warn, and fanout_stalled) and goes on waiting.
 *
 * Items are counted references: ref() and put() are given at the start. The
 * queue closes when its last producer does; subscribers then empty their
 * buffers and get 0. All functions may be called from any thread, except that
 * the ones that say so want no traffic.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum fanout_policy {
	FANOUT_DROP,  /* live: a full buffer drops the item for this subscriber, and counts */
	FANOUT_BLOCK, /* replay, or an output that was asked to be complete: wait for it */
};

enum { FANOUT_STALL_MS = 10000, FANOUT_NAME = 32 };

struct fanout;
struct fanout_sub;

/* Name is copied. NULL with errno. */
struct fanout *fanout_new(const char *name, void (*ref)(void *item), void (*put)(void *item));
void fanout_free(struct fanout *q); /* puts what is still inside; no traffic; NULL is fine */

/* A producer that waits longer than this names the subscriber; default FANOUT_STALL_MS. */
void fanout_stall_after(struct fanout *q, int ms);

/* `room` items are buffered at most. NULL with errno. Freed with the queue. */
struct fanout_sub *fanout_subscribe(struct fanout *q, const char *name, unsigned int room,
                                    enum fanout_policy policy);
/* Gives up: what is buffered is put and counts as dropped, and so does all that follows. */
void fanout_leave(struct fanout_sub *s);
/* As if it had never been there; frees it. Wants no traffic. */
void fanout_unsubscribe(struct fanout_sub *s);

void fanout_open(struct fanout *q);  /* one more producer */
void fanout_close(struct fanout *q); /* one less; with the last one the queue closes */
/* Nobody waits any longer: blocked pushes drop and count, buffers are still emptied. */
void fanout_abort(struct fanout *q);

/*
 * Hands over the caller's reference, always. 0; -EPIPE when nobody subscribes
 * any more; -ECANCELED after fanout_abort() when somebody did not get it.
 */
int fanout_push(struct fanout *q, void *item);

/*
 * The next item, with a reference of its own. 1; 0 when closed and empty;
 * -ETIMEDOUT after timeout_ms (-1: never).
 */
int fanout_take(struct fanout_sub *s, void **item, int timeout_ms);

/* Subscribers of `from` become subscribers of `to`; their buffers are empty. No traffic. */
void fanout_move(struct fanout *from, struct fanout *to);
unsigned int fanout_subscribers(const struct fanout *q);

struct fanout_stats {
	char queue[FANOUT_NAME], sub[FANOUT_NAME];
	enum fanout_policy policy;
	unsigned int fill, room, high; /* buffered now, at most, at most so far */
	uint64_t in, out, dropped;     /* dropped: for want of room, by leaving, after an abort */
	uint64_t waited_ns;            /* that producers spent waiting for it */
	bool left;
};
/* At most n rows; returns how many subscribers there are. */
size_t fanout_stats(struct fanout *q, struct fanout_stats *out, size_t n);

/* The subscriber that holds a producer for too long now; false: none. */
bool fanout_stalled(struct fanout *q, char name[FANOUT_NAME]);

#endif
