// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * batch - rows on their way from the parsers to the subscribers of the fan-out.
 *
 * The pool is a stack of empty batches under a mutex. All batches are made at
 * the start, so that memory is bounded and a slow subscriber is felt by who
 * fills (batch_get() waits) instead of growing a queue.
 */
#include "span/batch.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

struct batch_pool {
	pthread_mutex_t lock;
	pthread_cond_t returned;
	unsigned int nfree, n;
	struct batch **free; /* the first nfree of n wait to be used */
	struct batch *all;
};

static bool batch_init(struct batch *b, struct batch_pool *p, unsigned int items)
{
	b->items = calloc(items, sizeof(*b->items));
	b->cap = items;
	b->pool = p;
	return b->items;
}

struct batch_pool *batch_pool_new(unsigned int batches, unsigned int items)
{
	struct batch_pool *p = calloc(1, sizeof(*p));
	pthread_condattr_t attr;

	if (!p)
		return NULL;
	pthread_mutex_init(&p->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&p->returned, &attr);
	pthread_condattr_destroy(&attr);
	p->free = calloc(batches, sizeof(struct batch *));
	p->all = calloc(batches, sizeof(*p->all));
	if (!p->free || !p->all)
		goto nomem;
	for (p->n = 0; p->n < batches; p->n++) {
		if (!batch_init(&p->all[p->n], p, items))
			goto nomem;
		p->free[p->nfree++] = &p->all[p->n];
	}
	return p;
nomem:
	batch_pool_free(p);
	errno = ENOMEM;
	return NULL;
}

void batch_pool_free(struct batch_pool *p)
{
	if (!p)
		return;
	for (unsigned int i = 0; i < p->n; i++) {
		arena_free(&p->all[i].arena);
		free(p->all[i].items);
	}
	free(p->all);
	free(p->free);
	pthread_cond_destroy(&p->returned);
	pthread_mutex_destroy(&p->lock);
	free(p);
}

static struct timespec deadline(int timeout_ms)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_sec += timeout_ms / 1000;
	t.tv_nsec += timeout_ms % 1000 * 1000000L;
	if (t.tv_nsec >= 1000000000) {
		t.tv_nsec -= 1000000000;
		t.tv_sec++;
	}
	return t;
}

struct batch *batch_get(struct batch_pool *p, int timeout_ms)
{
	struct timespec until = deadline(timeout_ms < 0 ? 0 : timeout_ms);
	struct batch *b = NULL;
	int err = 0;

	pthread_mutex_lock(&p->lock);
	while (!p->nfree && !err)
		err = timeout_ms < 0 ? pthread_cond_wait(&p->returned, &p->lock)
		                     : pthread_cond_timedwait(&p->returned, &p->lock, &until);
	if (p->nfree)
		b = p->free[--p->nfree];
	pthread_mutex_unlock(&p->lock);
	if (!b) {
		errno = err;
		return NULL;
	}
	arena_reset(&b->arena);
	b->n = 0;
	b->left_out = 0;
	b->resource = STR_NULL;
	b->seq = 0;
	b->last = false;
	__atomic_store_n(&b->refs, 1, __ATOMIC_RELAXED);
	return b;
}

void batch_ref(struct batch *b)
{
	__atomic_add_fetch(&b->refs, 1, __ATOMIC_RELAXED);
}

void batch_put(struct batch *b)
{
	struct batch_pool *p;

	if (!b || __atomic_sub_fetch(&b->refs, 1, __ATOMIC_ACQ_REL))
		return;
	p = b->pool;
	pthread_mutex_lock(&p->lock);
	p->free[p->nfree++] = b;
	pthread_cond_signal(&p->returned);
	pthread_mutex_unlock(&p->lock);
}

void *batch_add(struct batch *b, enum table t)
{
	void *row;

	if (b->n == b->cap)
		return NULL;
	row = arena_alloc(&b->arena, tables[t].row_size);
	if (!row)
		return NULL;
	row_init(t, row);
	b->items[b->n++] = (struct item){ .table = t, .row = row };
	return row;
}

struct str batch_text(struct batch *b, struct str s)
{
	return arena_str(&b->arena, s);
}
