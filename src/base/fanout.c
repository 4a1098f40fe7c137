// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * fanout - a bounded queue of shared items with several subscribers.
 *
 * One lock a queue: items are batches, a few thousand a second at most, and
 * under the lock only pointers move. A producer marks the subscribers that
 * still lack its item with its own round (a list on its stack), so that it can
 * serve the others while it waits for one.
 */
#include "base/fanout.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/err.h"

struct fanout_sub {
	struct fanout *q;
	struct fanout_sub *next;
	char name[FANOUT_NAME];
	enum fanout_policy policy;
	bool left;
	unsigned int room, head, fill, high;
	uint64_t in, out, dropped, waited_ns;
	pthread_cond_t can_take;
	void *items[];
};

enum { FANOUT_SUBS = 64 };

struct fanout {
	char name[FANOUT_NAME];
	void (*ref)(void *item);
	void (*put)(void *item);
	pthread_mutex_t lock;
	pthread_cond_t can_push;
	struct fanout_sub *subs, **end;
	unsigned int nsubs, listening, producers;
	bool closed, aborted;
	int stall_ms;
	char stalled[FANOUT_NAME]; /* empty: nobody */
};

/* ---- time ---- */

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static struct timespec at_ns(uint64_t ns)
{
	return (struct timespec){ .tv_sec = (time_t)(ns / 1000000000u),
		                  .tv_nsec = (long)(ns % 1000000000u) };
}

static int cond_init(pthread_cond_t *c)
{
	pthread_condattr_t a;
	int err;

	pthread_condattr_init(&a);
	pthread_condattr_setclock(&a, CLOCK_MONOTONIC);
	err = pthread_cond_init(c, &a);
	pthread_condattr_destroy(&a);
	return err;
}

/* ---- life ---- */

struct fanout *fanout_new(const char *name, void (*ref)(void *item), void (*put)(void *item))
{
	struct fanout *q = calloc(1, sizeof(*q));

	if (!q)
		return NULL;
	snprintf(q->name, sizeof(q->name), "%s", name);
	q->ref = ref;
	q->put = put;
	q->end = &q->subs;
	q->stall_ms = FANOUT_STALL_MS;
	pthread_mutex_init(&q->lock, NULL);
	cond_init(&q->can_push);
	return q;
}

static void empty(struct fanout *q, struct fanout_sub *s)
{
	while (s->fill) {
		q->put(s->items[s->head]);
		s->head = (s->head + 1) % s->room;
		s->fill--;
		s->dropped++;
	}
}

void fanout_free(struct fanout *q)
{
	if (!q)
		return;
	while (q->subs) {
		struct fanout_sub *s = q->subs;

		q->subs = s->next;
		empty(q, s);
		pthread_cond_destroy(&s->can_take);
		free(s);
	}
	pthread_cond_destroy(&q->can_push);
	pthread_mutex_destroy(&q->lock);
	free(q);
}

void fanout_stall_after(struct fanout *q, int ms)
{
	pthread_mutex_lock(&q->lock);
	q->stall_ms = ms;
	pthread_mutex_unlock(&q->lock);
}

struct fanout_sub *fanout_subscribe(struct fanout *q, const char *name, unsigned int room,
                                    enum fanout_policy policy)
{
	struct fanout_sub *s;

	if (q->nsubs == FANOUT_SUBS) {
		errno = ENOSPC;
		return NULL;
	}
	s = calloc(1, sizeof(*s) + sizeof(s->items[0]) * (room ? room : 1));
	if (!s)
		return NULL;
	s->q = q;
	s->room = room ? room : 1;
	s->policy = policy;
	snprintf(s->name, sizeof(s->name), "%s", name);
	cond_init(&s->can_take);
	pthread_mutex_lock(&q->lock);
	*q->end = s;
	q->end = &s->next;
	q->nsubs++;
	q->listening++;
	pthread_mutex_unlock(&q->lock);
	return s;
}

void fanout_leave(struct fanout_sub *s)
{
	struct fanout *q = s->q;

	pthread_mutex_lock(&q->lock);
	if (!s->left) {
		s->left = true;
		q->listening--;
		empty(q, s);
	}
	pthread_cond_broadcast(&q->can_push);
	pthread_cond_broadcast(&s->can_take);
	pthread_mutex_unlock(&q->lock);
}

void fanout_unsubscribe(struct fanout_sub *s)
{
	struct fanout *q = s->q;
	struct fanout_sub **at = &q->subs;

	while (*at != s)
		at = &(*at)->next;
	*at = s->next;
	if (q->end == &s->next)
		q->end = at;
	q->nsubs--;
	q->listening -= !s->left;
	empty(q, s);
	pthread_cond_destroy(&s->can_take);
	free(s);
}

void fanout_open(struct fanout *q)
{
	pthread_mutex_lock(&q->lock);
	q->producers++;
	q->closed = false;
	pthread_mutex_unlock(&q->lock);
}

void fanout_close(struct fanout *q)
{
	pthread_mutex_lock(&q->lock);
	if (q->producers && !--q->producers) {
		q->closed = true;
		for (struct fanout_sub *s = q->subs; s; s = s->next)
			pthread_cond_broadcast(&s->can_take);
	}
	pthread_mutex_unlock(&q->lock);
}

void fanout_abort(struct fanout *q)
{
	pthread_mutex_lock(&q->lock);
	q->aborted = true;
	pthread_cond_broadcast(&q->can_push);
	pthread_mutex_unlock(&q->lock);
}

void fanout_move(struct fanout *from, struct fanout *to)
{
	if (!from->subs)
		return;
	for (struct fanout_sub *s = from->subs; s; s = s->next)
		s->q = to;
	*to->end = from->subs;
	to->end = from->end;
	to->nsubs += from->nsubs;
	to->listening += from->listening;
	from->subs = NULL;
	from->end = &from->subs;
	from->nsubs = from->listening = 0;
}

unsigned int fanout_subscribers(const struct fanout *q)
{
	return q->nsubs;
}

/* ---- push ---- */

static void deliver(struct fanout_sub *s, void *item)
{
	s->q->ref(item);
	s->items[(s->head + s->fill) % s->room] = item;
	s->fill++;
	s->in++;
	if (s->fill > s->high)
		s->high = s->fill;
	pthread_cond_signal(&s->can_take);
}

/* Waits until somebody takes or leaves; says who holds us when that takes too long. */
static void wait_for(struct fanout *q, struct fanout_sub *s, uint64_t since, bool *said)
{
	uint64_t before = now_ns();
	uint64_t until = since + (uint64_t)q->stall_ms * 1000000u;
	struct timespec at = at_ns(until);

	if (*said) {
		pthread_cond_wait(&q->can_push, &q->lock);
	} else if (before >= until ||
	           pthread_cond_timedwait(&q->can_push, &q->lock, &at) == ETIMEDOUT) {
		*said = true;
		if (!strcmp(q->stalled, s->name))
			goto out; /* another producer has said it */
		snprintf(q->stalled, sizeof(q->stalled), "%s", s->name);
		warn(LEVEL_WARN,
		     "%s holds up everything before it: it has taken nothing from %s for %.1f s "
		     "(%u of %u waiting)",
		     s->name, q->name, (double)(now_ns() - since) / 1e9, s->fill, s->room);
	}
out:
	s->waited_ns += now_ns() - before;
}

/* Puts the item to the end of one that makes producers wait. Called with the lock held. */
static int deliver_blocking(struct fanout *q, struct fanout_sub *s, void *item)
{
	uint64_t since = now_ns();
	bool said = false;

	while (s->fill == s->room && !s->left && !q->aborted)
		wait_for(q, s, since, &said);
	if (said)
		q->stalled[0] = '\0';
	if (s->left || s->fill == s->room) {
		s->dropped++;
		return s->left ? 0 : -ECANCELED;
	}
	deliver(s, item);
	return 0;
}

int fanout_push(struct fanout *q, void *item)
{
	struct fanout_sub *later[FANOUT_SUBS];
	unsigned int nlater = 0;
	int err = 0;

	pthread_mutex_lock(&q->lock);
	if (!q->listening)
		err = -EPIPE;
	for (struct fanout_sub *s = q->subs; s; s = s->next) {
		if (s->left)
			s->dropped++;
		else if (s->fill < s->room)
			deliver(s, item);
		else if (s->policy == FANOUT_DROP)
			s->dropped++;
		else
			later[nlater++] = s;
	}
	for (unsigned int i = 0; i < nlater; i++) {
		int one = deliver_blocking(q, later[i], item);

		err = err ? err : one;
	}
	pthread_mutex_unlock(&q->lock);
	q->put(item);
	return err;
}

/* ---- take ---- */

int fanout_take(struct fanout_sub *s, void **item, int timeout_ms)
{
	struct fanout *q = s->q;
	struct timespec at = { 0 };
	int err = 0;

	if (timeout_ms >= 0)
		at = at_ns(now_ns() + (uint64_t)timeout_ms * 1000000u);
	pthread_mutex_lock(&q->lock);
	while (!s->fill && !q->closed && !s->left && err != ETIMEDOUT) {
		if (timeout_ms < 0)
			pthread_cond_wait(&s->can_take, &q->lock);
		else
			err = pthread_cond_timedwait(&s->can_take, &q->lock, &at);
	}
	if (s->fill) {
		*item = s->items[s->head];
		s->head = (s->head + 1) % s->room;
		s->fill--;
		s->out++;
		err = 1;
		if (s->policy == FANOUT_BLOCK)
			pthread_cond_broadcast(&q->can_push);
	} else {
		err = q->closed || s->left ? 0 : -ETIMEDOUT;
	}
	pthread_mutex_unlock(&q->lock);
	return err;
}

/* ---- figures ---- */

size_t fanout_stats(struct fanout *q, struct fanout_stats *out, size_t n)
{
	size_t i = 0;

	pthread_mutex_lock(&q->lock);
	for (struct fanout_sub *s = q->subs; s; s = s->next, i++) {
		if (i >= n)
			continue;
		out[i] = (struct fanout_stats){
			.policy = s->policy,
			.fill = s->fill,
			.room = s->room,
			.high = s->high,
			.in = s->in,
			.out = s->out,
			.dropped = s->dropped,
			.waited_ns = s->waited_ns,
			.left = s->left,
		};
		memcpy(out[i].queue, q->name, sizeof(q->name));
		memcpy(out[i].sub, s->name, sizeof(s->name));
	}
	pthread_mutex_unlock(&q->lock);
	return i;
}

bool fanout_stalled(struct fanout *q, char name[FANOUT_NAME])
{
	bool is;

	pthread_mutex_lock(&q->lock);
	is = q->stalled[0];
	memcpy(name, q->stalled, sizeof(q->stalled));
	pthread_mutex_unlock(&q->lock);
	return is;
}
