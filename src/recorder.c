// SPDX-License-Identifier: GPL-3.0-or-later
/* recorder - a recording that is switched on and off while the capture runs. */
#include "recorder.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "store/list.h"

enum { IDLE_MS = 100, KNOWN_ROWS = 256 };

struct recorder {
	pthread_mutex_t lock; /* of all that changes: held while a batch is written */
	const struct run_info *run;
	struct store *store;
	const struct writer *writer; /* NULL: off */
	void *state;
	char *path;
	int error; /* the first one of this file */
	struct recorder_stats stats;
};

struct recorder *recorder_new(const struct run_info *run, struct store *s)
{
	struct recorder *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->run = run;
	r->store = s;
	pthread_mutex_init(&r->lock, NULL);
	return r;
}

void recorder_free(struct recorder *r)
{
	if (!r)
		return;
	recorder_fini(r);
	pthread_mutex_destroy(&r->lock);
	free(r);
}

static uint64_t spans_in(const struct batch *b)
{
	uint64_t n = 0;

	for (unsigned int i = 0; i < b->n; i++)
		n += b->items[i].table == TABLE_SPANS;
	return n;
}

static void note_error(struct recorder *r, int error)
{
	if (!error || r->error)
		return;
	r->error = error;
	snprintf(r->stats.why, sizeof(r->stats.why), "cannot write %s: %s", r->path,
	         strerror(-error));
	warn(LEVEL_ERROR, "%s; capture goes on", r->stats.why);
}

/* After an error the spans are counted, not written. */
static void give(struct recorder *r, const struct batch *b)
{
	if (!r->error)
		note_error(r, r->writer->rows(r->state, b));
	if (r->error)
		r->stats.lost += spans_in(b);
	else
		r->stats.spans += spans_in(b);
}

int recorder_run(void *ctx, struct flow_node *self)
{
	struct recorder *r = ctx;
	void *item;
	int n;

	while ((n = flow_take(self, &item, IDLE_MS)) != 0) {
		pthread_mutex_lock(&r->lock);
		if (r->writer && n > 0)
			give(r, item);
		else if (r->writer && !r->error && r->writer->flush)
			note_error(r, r->writer->flush(r->state));
		pthread_mutex_unlock(&r->lock);
		if (n > 0)
			batch_put(item);
	}
	return 0;
}

/* Under the lock. */
static int end(struct recorder *r, char *err)
{
	char why[ERR_TEXT] = "";
	int e;

	if (!r->writer)
		return 0;
	if (!r->error && r->writer->flush)
		note_error(r, r->writer->flush(r->state));
	if (r->writer->lost)
		r->stats.lost += r->writer->lost(r->state);
	e = r->writer->close(r->state, why);
	if (e && !why[0])
		err_set(why, -e, "cannot write %s: %s", r->path, strerror(-e));
	if (r->error) /* the first one says more */
		err_set(why, -r->error, "%s", r->stats.why);
	e = r->error ? r->error : e;
	r->writer = NULL;
	r->state = NULL;
	r->error = 0;
	r->stats.on = false;
	free(r->path);
	r->path = NULL;
	return e ? err_set(err, -e, "%s", why) : 0;
}

void recorder_fini(void *ctx)
{
	struct recorder *r = ctx;
	char err[ERR_TEXT] = "";

	pthread_mutex_lock(&r->lock);
	if (end(r, err))
		warn(LEVEL_ERROR, "%s", err);
	pthread_mutex_unlock(&r->lock);
}

/* ---- what is known when a file begins ---- */

static int write_rows(struct recorder *r, const struct list *l, enum table t, struct batch *b)
{
	struct list_state st;
	int err = 0;

	list_state(l, &st);
	for (size_t i = 0; i < st.n && !err; i++) {
		void *row = batch_add(b, t);

		if (row && list_get(l, i, &b->arena, row))
			b->n--; /* replaced or evicted just now */
		if (row && b->n < b->cap && i + 1 < st.n)
			continue;
		err = r->writer->rows(r->state, b);
		arena_reset(&b->arena);
		b->n = 0;
	}
	return err;
}

static int write_known(struct recorder *r, enum table t, struct batch *b, char *err)
{
	struct list *l = list_new(r->store, &(struct list_spec){ .table = t }, err);
	int e;

	if (!l)
		return -errno;
	while ((e = list_update(l, 100, err)) == 1)
		;
	if (!e)
		e = write_rows(r, l, t, b);
	list_free(l);
	return e;
}

static int write_all_known(struct recorder *r, char *err)
{
	struct batch_pool *pool = batch_pool_new(1, KNOWN_ROWS);
	struct batch *b = pool ? batch_get(pool, -1) : NULL;
	int e = b ? write_known(r, TABLE_PROCESSES, b, err) : -ENOMEM;

	if (!e)
		e = write_known(r, TABLE_CONNECTIONS, b, err);
	batch_put(b);
	batch_pool_free(pool);
	return e;
}

/* Under the lock. */
static int start(struct recorder *r, const struct writer *w, const char *path, char *err)
{
	struct writer_opts o = { .fd = -1, .tables = true, .run = r->run };
	int e;

	r->path = strdup(path);
	if (!r->path)
		return err_set(err, ENOMEM, "out of memory");
	o.path = r->path;
	e = w->open(&o, &r->state, err);
	if (e) {
		free(r->path);
		r->path = NULL;
		return e;
	}
	r->writer = w;
	r->stats.on = true;
	note_error(r, write_all_known(r, err));
	return r->error ? end(r, err) : 0;
}

int recorder_switch(struct recorder *r, const char *path, char *err)
{
	const struct writer *w = path ? writer_for(path) : NULL;
	int e;

	if (path && !w)
		return err_set(err, EINVAL,
		               "%s: unknown ending; use .otlp, .jsonl, .otlpb, .db, and .zst or "
		               ".gz behind",
		               path);
	pthread_mutex_lock(&r->lock);
	e = end(r, err);
	if (!e && path)
		e = start(r, w, path, err);
	pthread_mutex_unlock(&r->lock);
	return e;
}

void recorder_stats(struct recorder *r, struct recorder_stats *out)
{
	pthread_mutex_lock(&r->lock);
	*out = r->stats;
	pthread_mutex_unlock(&r->lock);
}
