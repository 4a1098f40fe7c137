// SPDX-License-Identifier: GPL-3.0-or-later
/* gather - records out of a capture into batches. */
#include "gather.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/hash.h"
#include "enrich/who.h"

enum { BATCH_BYTES = 256 * 1024, POLL_MS = 10, SPARES = 32 };

/*
 * Batches that were used before: their pages are there already. Shared by the
 * reader and whoever holds batches; lives until the last of them is back.
 */
struct rbatch_pool {
	pthread_mutex_t lock;
	struct rbatch *spare[SPARES];
	unsigned int n, out; /* spare ones; held by somebody, the reader included */
	bool closed;
};

struct gather {
	const struct gather_opts *opts;
	struct flow_node *self;
	struct rbatch *now;
	struct rbatch_pool *pool;
	struct hash known; /* processes whose EV_WHO went ahead */
	uint64_t seq;
	int raw_error;
};

void rbatch_ref(void *batch)
{
	atomic_fetch_add(&((struct rbatch *)batch)->refs, 1);
}

static void rbatch_free(struct rbatch *b)
{
	free(b->bytes);
	free(b);
}

/* One holder less; the last one takes the pool along. */
static void pool_leave(struct rbatch_pool *p)
{
	bool last;

	pthread_mutex_lock(&p->lock);
	last = !--p->out && p->closed;
	pthread_mutex_unlock(&p->lock);
	if (!last)
		return;
	while (p->n)
		rbatch_free(p->spare[--p->n]);
	pthread_mutex_destroy(&p->lock);
	free(p);
}

void rbatch_put(void *batch)
{
	struct rbatch *b = batch;
	struct rbatch_pool *p = b->home;
	bool keep;

	if (atomic_fetch_sub(&b->refs, 1) != 1)
		return;
	pthread_mutex_lock(&p->lock);
	keep = !p->closed && p->n < SPARES && b->cap == BATCH_BYTES;
	if (keep)
		p->spare[p->n++] = b;
	pthread_mutex_unlock(&p->lock);
	if (!keep)
		rbatch_free(b);
	pool_leave(p);
}

static struct rbatch *rbatch_make(size_t cap)
{
	struct rbatch *b = calloc(1, sizeof(*b));

	if (!b)
		return NULL;
	b->cap = cap;
	b->bytes = malloc(cap);
	if (b->bytes)
		return b;
	free(b);
	return NULL;
}

static struct rbatch *rbatch_new(struct rbatch_pool *p, uint64_t seq, size_t least)
{
	size_t cap = least > BATCH_BYTES ? least : BATCH_BYTES;
	struct rbatch *b = NULL;

	pthread_mutex_lock(&p->lock);
	if (cap == BATCH_BYTES && p->n)
		b = p->spare[--p->n];
	pthread_mutex_unlock(&p->lock);
	if (!b)
		b = rbatch_make(cap);
	if (!b)
		return NULL;
	b->used = b->n = 0;
	b->seq = seq;
	b->home = p;
	atomic_init(&b->refs, 1);
	pthread_mutex_lock(&p->lock);
	p->out++;
	pthread_mutex_unlock(&p->lock);
	return b;
}

static struct rbatch_pool *pool_new(void)
{
	struct rbatch_pool *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	pthread_mutex_init(&p->lock, NULL);
	p->out = 1; /* the reader */
	return p;
}

static void pool_close(struct rbatch_pool *p)
{
	pthread_mutex_lock(&p->lock);
	p->closed = true;
	pthread_mutex_unlock(&p->lock);
	pool_leave(p);
}

/* Records lie at multiples of 8 bytes, each behind its size. */
static size_t padded(size_t size)
{
	return (size + 7) & ~(size_t)7;
}

void rbatch_each(const struct rbatch *b,
                 void (*fn)(void *ctx, const struct ev_head *rec, size_t size, uint64_t seq),
                 void *ctx)
{
	uint64_t seq = b->seq;

	for (size_t at = 0; at < b->used; seq++) {
		uint64_t size;

		memcpy(&size, b->bytes + at, sizeof(size));
		fn(ctx, (const void *)(b->bytes + at + sizeof(size)), size, seq);
		at += sizeof(size) + padded(size);
	}
}

static int push(struct gather *g)
{
	struct rbatch *b = g->now;

	g->now = NULL;
	return b ? flow_give(g->self, b) : 0;
}

static int add(struct gather *g, const struct ev_head *rec, size_t size)
{
	size_t need = sizeof(uint64_t) + padded(size);
	uint64_t n = size;
	int err;

	if (g->now && g->now->cap - g->now->used < need) {
		err = push(g);
		if (err)
			return err;
	}
	if (!g->now)
		g->now = rbatch_new(g->pool, g->seq, need);
	if (!g->now)
		return -ENOMEM;
	memcpy(g->now->bytes + g->now->used, &n, sizeof(n));
	memcpy(g->now->bytes + g->now->used + sizeof(n), rec, size);
	g->now->used += need;
	g->now->n++;
	g->seq++;
	if (!g->opts->raw || g->raw_error)
		return 0;
	g->raw_error = record_add(g->opts->raw, rec, size);
	if (g->raw_error)
		warn(LEVEL_ERROR, "cannot write the raw recording: %s; capture goes on",
		     strerror(-g->raw_error));
	return 0;
}

/* Who is it? Asked when a process is first met, and again when it runs another program. */
static int introduce(struct gather *g, const struct ev_head *rec)
{
	_Alignas(8) uint8_t who[WHO_RECORD_MAX];
	size_t n;

	if (rec->kind == EV_EXIT || rec->kind == EV_FORK) {
		hash_del(&g->known, rec->pid);
		return 0;
	}
	if (!rec->pid || rec->kind == EV_CLOSE || rec->kind == EV_LISTEN ||
	    (rec->kind != EV_EXEC && hash_get(&g->known, rec->pid)))
		return 0;
	(void)hash_set(&g->known, rec->pid, g);
	n = who_read(rec, who);
	return n ? add(g, (const void *)who, n) : 0;
}

static int on_record(void *ctx, const struct ev_head *rec, size_t size)
{
	struct gather *g = ctx;
	bool after = rec->kind == EV_EXEC;
	int err = 0;

	if (g->opts->ask_who && !after)
		err = introduce(g, rec);
	if (!err)
		err = add(g, rec, size);
	if (!err && g->opts->ask_who && after)
		err = introduce(g, rec);
	return err;
}

int gather_run(const struct gather_opts *o, struct flow_node *self)
{
	struct gather g = { .opts = o, .self = self, .pool = pool_new() };
	int n, err = 0;

	if (!g.pool)
		return -ENOMEM;
	while (!err && !flow_stopping(self)) {
		n = capture_poll(o->capture, POLL_MS, on_record, &g);
		if (n < 0) {
			err = n;
			break;
		}
		err = push(&g);
	}
	/* What lay in the ring when the probes went is still part of the capture. */
	while (!err && capture_poll(o->capture, 0, on_record, &g) > 0)
		err = push(&g);
	if (g.now)
		(void)push(&g);
	hash_free(&g.known);
	pool_close(g.pool);
	return err == -ENODATA || err == -EPIPE ? 0 : err;
}
