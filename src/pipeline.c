// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * pipeline - the stages tied together.
 *
 * Nodes hand over batches. What never waits is joined into one node (ingest.h);
 * every output has a thread and a bounded buffer of its own.
 */
#include "pipeline.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "gather.h"
#include "read/reader.h"

enum { QUICK = -10 }; /* nice(1) of the threads that empty the ring */
enum { FLUSH_MS = 10, ROW_ROOM = 96, BATCHES = 2 * ROW_ROOM + 8, BATCH_ROWS = 512, IDLE_MS = 100 };

static void row_ref(void *item)
{
	batch_ref(item);
}

static void row_put(void *item)
{
	batch_put(item);
}

/*
 * On a host whose cores are all busy an ordinary share of time is too little to
 * keep the ring from filling. Not being allowed to is no error.
 */
static void be_quick(const struct pipeline *p)
{
	if (!p->opts->nrecordings)
		(void)setpriority(PRIO_PROCESS, (id_t)gettid(), QUICK);
}

/* ---- read: the ring, or a raw recording, to batches of records ---- */

static int read_run(void *ctx, struct flow_node *self)
{
	struct pipeline *p = ctx;
	struct gather_opts o = {
		.capture = p->capture,
		.raw = p->raw,
		.ask_who = !p->opts->nrecordings,
	};

	be_quick(p);
	return gather_run(&o, self);
}

/* ---- ingest: records to rows ---- */

static void emit(void *ctx, struct batch *b)
{
	struct pipeline *p = ctx;

	/* -EPIPE: nobody wants rows, only their tally. */
	(void)flow_give(p->emitter, b);
}

static bool spans_only(const struct session_opts *o)
{
	for (unsigned int i = 0; i < o->noutputs; i++)
		if (!o->outputs[i].writer->spans || o->outputs[i].opts.tables)
			return false;
	return !o->store;
}

static int make_ingest(struct pipeline *p, char *err)
{
	struct ingest_opts o = {
		.pool = p->pool,
		.emit = emit,
		.ctx = p,
		.capture = p->capture,
		.tally = p->tally,
		.filter = p->opts->filter,
		.routes = p->opts->routes,
		.sampler = p->opts->sampler,
		.show_secrets = p->opts->show_secrets,
		.headers = p->opts->headers,
		.body_bytes = p->opts->body_bytes,
		.spans_only = spans_only(p->opts),
		.wall_offset_ns = p->run.wall_offset_ns,
		.seed = (uint64_t)p->run.wall_offset_ns,
		.mem_bytes = p->opts->mem_bytes,
		.limit = p->opts->limit,
	};

	p->ingest = ingest_new(&o, err);
	return p->ingest ? 0 : -errno;
}

static int ingest_init(void *ctx, char *err)
{
	return make_ingest(ctx, err);
}

static void on_record(void *ctx, const struct ev_head *rec, size_t size, uint64_t seq)
{
	ingest_record(ctx, rec, size, seq);
}

static int ingest_run(void *ctx, struct flow_node *self)
{
	struct pipeline *p = ctx;
	struct capture_stats cs;
	uint64_t flushed = 0;
	void *item;
	int n;

	p->emitter = self;
	be_quick(p);
	while ((n = flow_take(self, &item, FLUSH_MS)) != 0) {
		if (n > 0) {
			rbatch_each(item, on_record, p->ingest);
			rbatch_put(item);
		} else if (!p->opts->nrecordings) {
			ingest_idle(p->ingest, clock_ns());
		}
		/* Few full batches are better for who comes after than many small ones. */
		if (n < 0 || clock_ns() - flushed > FLUSH_MS * 1000000ull) {
			ingest_flush(p->ingest);
			flushed = clock_ns();
		}
	}
	capture_stats(p->capture, &cs);
	ingest_finish(p->ingest, &cs);
	return 0;
}

static void ingest_fini(void *ctx)
{
	(void)ctx; /* its figures are asked for after the end; session.c frees it */
}

/* ---- load: recordings that hold rows ---- */

static int load_file(struct pipeline *p, const char *path, struct flow_node *self)
{
	struct read_stats st;
	struct reader *r = p->first;
	char err[ERR_TEXT] = "";
	int n = 0;

	p->first = NULL; /* standard input cannot be opened twice */
	if (!r)
		r = reader_open(path, err);
	if (!r) {
		n = -errno;
		warn(LEVEL_ERROR, "%s", err);
		return n;
	}
	do {
		struct batch *b = batch_get(p->pool, -1);

		if (!b)
			break;
		n = reader_next(r, b);
		if (b->n)
			ingest_batch(p->ingest, b);
		else
			batch_put(b);
	} while (n > 0 && !flow_stopping(self));
	reader_stats(r, &st);
	p->bad_records += st.bad;
	if (st.truncated)
		warn(LEVEL_WARN, "%s: capture cut at byte %llu", path,
		     (unsigned long long)st.cut_at);
	if (st.bad)
		warn(LEVEL_WARN, "%s: %llu records could not be read (the first at byte %llu)",
		     path, (unsigned long long)st.bad, (unsigned long long)st.bad_at);
	if (st.logs || st.metrics)
		warn(LEVEL_WARN,
		     "%s: %llu log records and %llu metrics of other programs are not shown", path,
		     (unsigned long long)st.logs, (unsigned long long)st.metrics);
	reader_close(r);
	return n < 0 ? n : 0;
}

static int load_run(void *ctx, struct flow_node *self)
{
	struct pipeline *p = ctx;
	int err = 0;

	p->emitter = self;
	for (size_t i = 0; !err && i < p->opts->nrecordings; i++)
		err = load_file(p, p->opts->recordings[i], self);
	return err;
}

/* ---- store and outputs ---- */

static int store_run(void *ctx, struct flow_node *self)
{
	struct pipeline *p = ctx;
	void *item;
	int err = 0;

	while (flow_take(self, &item, -1) > 0) {
		if (!err)
			err = store_add(p->store, item);
		if (!err && p->agg)
			err = agg_add(p->agg, item);
		batch_put(item);
	}
	return err;
}

static int out_init(void *ctx, char *err)
{
	struct out *o = ctx;

	return o->def->writer->open(&o->def->opts, &o->state, err);
}

static uint64_t spans_in(const struct batch *b)
{
	uint64_t n = 0;

	for (unsigned int i = 0; i < b->n; i++)
		n += b->items[i].table == TABLE_SPANS;
	return n;
}

/* After an error the rows are counted, not written; the capture goes on. */
static int out_run(void *ctx, struct flow_node *self)
{
	struct out *o = ctx;
	void *item;
	int n;

	while ((n = flow_take(self, &item, o->error ? -1 : IDLE_MS)) != 0) {
		if (n > 0) {
			if (!o->error)
				o->error = o->def->writer->rows(o->state, item);
			if (o->error)
				o->lost += spans_in(item);
			batch_put(item);
		} else if (!o->error && o->def->writer->flush) {
			o->error = o->def->writer->flush(o->state);
		}
		if (o->error == -EPIPE)
			return -EPIPE;
		if (o->error && !o->err[0]) {
			snprintf(o->err, sizeof(o->err), "cannot write %s: %s", o->def->opts.path,
			         strerror(-o->error));
			warn(LEVEL_ERROR, "%s; capture goes on", o->err);
		}
	}
	if (!o->error && o->def->writer->flush)
		o->error = o->def->writer->flush(o->state);
	return 0;
}

static void out_fini(void *ctx)
{
	struct out *o = ctx;
	char err[ERR_TEXT] = "";
	int error;

	if (o->def->writer->lost)
		o->lost += o->def->writer->lost(o->state);
	error = o->def->writer->close(o->state, err);
	if (error && !o->error) {
		o->error = error;
		snprintf(o->err, sizeof(o->err), "%s", err[0] ? err : strerror(-error));
	}
}

/* ---- all together ---- */

static int add_sources(struct pipeline *p)
{
	struct flow_def read = { .name = "read", .ctx = p, .run = read_run, .out = p->records };
	struct flow_def ingest = {
		.name = "ingest",
		.ctx = p,
		.init = ingest_init,
		.run = ingest_run,
		.fini = ingest_fini,
		.in = p->records,
		.out = p->rows,
		.policy = FANOUT_BLOCK, /* the ring is the buffer that may overflow, and counts */
	};
	struct flow_def load = {
		.name = "load",
		.ctx = p,
		.init = ingest_init,
		.run = load_run,
		.out = p->rows,
	};
	int err;

	if (!p->capture)
		return flow_add(p->flow, &load);
	err = flow_add(p->flow, &read);
	return err ? err : flow_add(p->flow, &ingest);
}

static int add_output(struct pipeline *p, unsigned int i)
{
	const struct output *def = &p->opts->outputs[i];
	bool live = p->capture && !p->opts->nrecordings;
	struct flow_def node = {
		.name = def->writer->name,
		.ctx = &p->outs[i],
		.init = out_init,
		.run = out_run,
		.fini = out_fini,
		.in = p->rows,
		.room = ROW_ROOM,
		.policy = live && !def->must ? FANOUT_DROP : FANOUT_BLOCK,
	};

	p->outs[i].p = p;
	p->outs[i].def = def;
	return flow_add(p->flow, &node);
}

static int add_store(struct pipeline *p)
{
	struct flow_def store = {
		.name = "store",
		.ctx = p,
		.run = store_run,
		.in = p->rows,
		.room = ROW_ROOM,
		.policy = FANOUT_BLOCK,
	};
	struct flow_def recorder = {
		.name = "recorder",
		.ctx = p->recorder,
		.run = recorder_run,
		.fini = recorder_fini,
		.in = p->rows,
		.room = ROW_ROOM,
		.policy = FANOUT_BLOCK, /* a recording is complete */
	};
	int err = flow_add(p->flow, &store);

	return err ? err : flow_add(p->flow, &recorder);
}

int pipeline_build(struct pipeline *p, char *err)
{
	int e = 0;

	p->flow = flow_new();
	p->pool = batch_pool_new(BATCHES, BATCH_ROWS);
	if (!p->flow || !p->pool)
		return err_set(err, ENOMEM, "out of memory");
	p->records = flow_queue(p->flow, "records", rbatch_ref, rbatch_put);
	p->rows = flow_queue(p->flow, "rows", row_ref, row_put);
	if (!p->records || !p->rows)
		return err_set(err, ENOMEM, "out of memory");
	e = add_sources(p);
	if (!e && p->store)
		e = add_store(p);
	for (unsigned int i = 0; !e && i < p->opts->noutputs; i++)
		e = add_output(p, i);
	return e ? err_set(err, -e, "cannot set up the pipeline: %s", strerror(-e)) : 0;
}
