// SPDX-License-Identifier: GPL-3.0-or-later
/* ingest - the stages between records and rows, joined in one thread. */
#include "ingest.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "enrich/cachekey.h"
#include "enrich/peer.h"
#include "enrich/who.h"
#include "span/redact.h"

struct ingest {
	struct ingest_opts opts;
	struct pairs *pairs;
	struct conns *conns;
	struct procs *procs;
	struct filter *filter;
	struct routes *routes;
	bool *keep; /* two for each item: shown; not ignored */
	unsigned int keep_cap;
	uint64_t shown;
	atomic_bool full;
	atomic_uint_fast64_t undecided;
	pthread_mutex_t lock; /* of the published numbers */
	struct ingest_stats published;
};

/* ---- a batch on its way out ---- */

static void count_undecided(struct ingest *g, uint64_t n, const char *why)
{
	if (n && !atomic_fetch_add(&g->undecided, n))
		warn(LEVEL_WARN, "the filter fails: %s; spans where it does are shown and counted",
		     why);
}

/* Where an expression fails on a batch: row by row, so that the others are still decided. */
static void choose_each(struct ingest *g, const struct batch *b)
{
	uint64_t failed = 0;

	for (unsigned int i = 0; i < b->n; i++) {
		struct batch one = { .items = b->items + i, .n = 1, .cap = 1 };

		if (!filter_run(g->filter, &one, &g->keep[i]))
			continue;
		g->keep[i] = true;
		failed++;
	}
	count_undecided(g, failed, filter_why(g->filter));
}

/* Room for a word on each item; false on ENOMEM: then all are shown. */
static bool make_room(struct ingest *g, unsigned int n)
{
	bool *keep;

	if (n <= g->keep_cap)
		return true;
	keep = realloc(g->keep, 2 * n * sizeof(*keep));
	if (!keep)
		return false;
	g->keep = keep;
	g->keep_cap = n;
	return true;
}

/* Who is at the other side, which route; true where a span is to be ignored. */
static bool complete(struct ingest *g, struct batch *b)
{
	bool *wanted = make_room(g, b->n) ? g->keep + g->keep_cap : NULL;
	bool any = false;

	for (unsigned int i = 0; i < b->n; i++) {
		bool keep = true;

		if (b->items[i].table == TABLE_SPANS) {
			peer_fill(b->items[i].row, b);
			cachekey_fill(b->items[i].row, b);
			keep = routes_span(g->routes, b->items[i].row, b);
		}
		if (wanted)
			wanted[i] = keep;
		any = any || !keep;
	}
	return any && wanted;
}

/* What is shown of it; NULL: all. */
static bool *choose(struct ingest *g, const struct batch *b, bool some_ignored)
{
	bool *wanted = g->keep + g->keep_cap;

	if (!g->filter)
		return some_ignored ? wanted : NULL;
	if (g->keep_cap < b->n) {
		count_undecided(g, b->n, "out of memory");
		return NULL;
	}
	if (filter_run(g->filter, b, g->keep))
		choose_each(g, b);
	for (unsigned int i = 0; some_ignored && i < b->n; i++)
		g->keep[i] = g->keep[i] && wanted[i];
	return g->keep;
}

/* Makes b->n the first `n` items; those that were left out follow them again. */
static void shorten(struct batch *b, unsigned int n)
{
	memmove(b->items + n, b->items + b->n, b->left_out * sizeof(*b->items));
	b->n = n;
}

/* Items that are not shown leave the batch; nobody else has it yet. */
static void drop_hidden(struct batch *b, const bool *keep)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < b->n; i++)
		if (keep[i])
			b->items[n++] = b->items[i];
	shorten(b, n);
}

static bool is_sampled_out(struct ingest *g, struct batch *b, unsigned int i, const bool *keep)
{
	return b->items[i].table == TABLE_SPANS && (!keep || keep[i]) &&
	       !sample_span(&g->opts.sampler, b->items[i].row, b);
}

/* Spans that would be shown, but for the sampling, go behind the others. */
static void set_aside(struct ingest *g, struct batch *b, bool *keep)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < b->n; i++) {
		struct item it = b->items[i];

		if (is_sampled_out(g, b, i, keep))
			continue;
		b->items[i] = b->items[n];
		b->items[n] = it;
		if (keep)
			keep[n] = keep[i]; /* what is left out was to be kept */
		n++;
	}
	b->left_out = b->n - n;
	b->n = n;
}

/* Spans beyond the limit leave the batch, as if nothing had come after them. */
static void drop_excess(struct ingest *g, struct batch *b)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < b->n; i++) {
		if (b->items[i].table == TABLE_SPANS && g->shown++ >= g->opts.limit)
			continue;
		b->items[n++] = b->items[i];
	}
	shorten(b, n);
	if (g->shown >= g->opts.limit)
		atomic_store(&g->full, true);
}

bool ingest_full(const struct ingest *g)
{
	return atomic_load(&g->full);
}

void ingest_batch(struct ingest *g, struct batch *b)
{
	bool some_ignored, *keep;

	some_ignored = complete(g, b);
	if (!g->opts.show_secrets)
		redact_batch(b);
	keep = choose(g, b, some_ignored);
	if (g->opts.limit && keep) {
		drop_hidden(b, keep);
		keep = NULL;
	}
	if (sample_wanted(&g->opts.sampler))
		set_aside(g, b, keep);
	if (g->opts.limit)
		drop_excess(g, b);
	tally_add(g->opts.tally, b, keep);
	if (keep)
		drop_hidden(b, keep);
	g->opts.emit(g->opts.ctx, b);
}

static void on_batch(void *ctx, struct batch *b)
{
	ingest_batch(ctx, b);
}

/* ---- enrichment ---- */

static void on_span(void *ctx, struct span *row, uint32_t peer_pid, struct batch *b)
{
	procs_span(((struct ingest *)ctx)->procs, row, peer_pid, b);
}

static void on_conn_row(void *ctx, struct conn_row *row, struct batch *b)
{
	procs_conn(((struct ingest *)ctx)->procs, row, b);
}

static void *new_proc_row(void *ctx, struct batch **b)
{
	return pair_row(ctx, TABLE_PROCESSES, b);
}

static void on_interest(void *ctx, uint64_t conn, enum ev_level level)
{
	struct ingest *g = ctx;

	if (g->opts.capture)
		capture_interest(g->opts.capture, conn, level);
}

static void on_skip(void *ctx, uint64_t conn, int dir, uint64_t until)
{
	struct ingest *g = ctx;

	if (g->opts.capture)
		capture_skip(g->opts.capture, conn, dir, until);
}

/* ---- life ---- */

struct ingest *ingest_new(const struct ingest_opts *o, char *err)
{
	struct ingest *g = calloc(1, sizeof(*g));
	struct pair_opts po = {
		.pool = o->pool,
		.emit = on_batch,
		.who = on_span,
		.who_conn = on_conn_row,
		.ctx = g,
		.wall_offset_ns = o->wall_offset_ns,
		.seed = o->seed,
		.headers = o->headers,
		.body = o->body_bytes,
		.unread_only = o->spans_only,
	};
	struct conns_opts co = { .pending_max = o->mem_bytes / 4,
		                 .headers = o->headers.n > 0,
		                 .interest = on_interest,
		                 .skip = on_skip,
		                 .interest_ctx = g };

	if (!g)
		return NULL;
	g->opts = *o;
	pthread_mutex_init(&g->lock, NULL);
	if (o->filter) {
		g->filter = filter_new(o->filter, err);
		if (!g->filter) {
			ingest_free(g);
			errno = EINVAL;
			return NULL;
		}
	}
	g->routes = routes_new(&o->routes, err);
	if (!g->routes) {
		int e = errno;

		ingest_free(g);
		errno = e;
		return NULL;
	}
	g->procs = procs_new(o->wall_offset_ns);
	g->pairs = pair_new(&po);
	g->conns = g->pairs ? conns_new(&co, pair_sink(g->pairs)) : NULL;
	if (!g->procs || !g->conns) {
		err_set(err, ENOMEM, "out of memory");
		ingest_free(g);
		errno = ENOMEM;
		return NULL;
	}
	return g;
}

void ingest_record(struct ingest *g, const struct ev_head *rec, size_t size, uint64_t seq)
{
	pair_set_seq(g->pairs, seq);
	switch (rec->kind) {
	case EV_EXIT:
		conns_exit(g->conns, rec->pid, rec->ts_ns);
		/* fall through */
	case EV_FORK:
	case EV_EXEC:
	case EV_WHO:
		procs_record(g->procs, rec, size);
		break;
	default:
		conns_record(g->conns, rec, size);
	}
}

void ingest_idle(struct ingest *g, uint64_t now_ns)
{
	conns_time(g->conns, now_ns);
}

static void publish(struct ingest *g)
{
	pthread_mutex_lock(&g->lock);
	conns_stats(g->conns, &g->published.conn);
	pair_stats(g->pairs, &g->published.pair);
	pthread_mutex_unlock(&g->lock);
}

void ingest_flush(struct ingest *g)
{
	procs_changed(g->procs, new_proc_row, g->pairs);
	pair_flush(g->pairs);
	publish(g);
}

static void fact_text(struct ingest *g, const char *key, struct str value, const char *help)
{
	struct batch *b;
	struct capture_row *row = pair_row(g->pairs, TABLE_CAPTURE, &b);

	if (!row)
		return;
	row->key = str_of(key);
	row->value = batch_text(b, value);
	row->help = str_of(help);
}

static void fact(struct ingest *g, const char *key, uint64_t value, const char *help)
{
	struct buf text = { 0 };

	buf_u64(&text, value);
	fact_text(g, key, buf_slice(&text), help);
	buf_free(&text);
}

/* What a kept span stands for, so that SQL can weight it. */
static void sample_facts(struct ingest *g)
{
	const struct sampler *s = &g->opts.sampler;
	struct tally_counts *t;
	char th[15];

	if (!sample_wanted(s))
		return;
	t = malloc(sizeof(*t));
	if (t) {
		tally_get(g->opts.tally, t);
		fact(g, "spans.sampled_out", t->sampled_out,
		     "requests left out by the sampling; counted in the summary and in groups");
		free(t);
	}
	if (sample_threshold(s, th))
		fact_text(g, "sampling.threshold", str_of(th),
		          "of the trace id, as `th` of the tracestate");
	if (s->how == SAMPLE_RATIO || s->how == SAMPLE_LEGACY) {
		char ratio[32];

		snprintf(ratio, sizeof(ratio), "%.17g", s->ratio);
		fact_text(g, "sampling.ratio", str_of(ratio), "traces kept, of all");
	}
}

/* Only what happened: most captures have none of it. */
static void route_facts(struct ingest *g)
{
	struct routes_stats st;

	routes_stats(g->routes, &st);
	if (st.ignored)
		fact(g, "spans.ignored", st.ignored, "requests left out by --ignore-route");
	if (st.folded)
		fact(g, "routes.folded", st.folded, "places in paths whose rare words became *");
	if (st.refused)
		fact(g, "routes.refused", st.refused, "words of paths that found no room: *");
}

void ingest_finish(struct ingest *g, const struct capture_stats *cs)
{
	struct ingest_stats st;

	conns_finish(g->conns);
	publish(g);
	st = g->published;
	fact(g, "ring.fired", cs->fired, "hook firings that wanted a record: records + lost");
	fact(g, "ring.records", cs->records, "records that the kernel handed over");
	fact(g, "ring.lost", cs->lost, "records that found no room in the ring");
	fact(g, "ring.lost_bytes", cs->lost_bytes, "bytes of the applications inside those");
	fact(g, "bytes.moved", st.conn.moved_bytes, "bytes the traced processes sent and received");
	fact(g, "bytes.seen", st.conn.seen_bytes, "of those, captured");
	fact(g, "bytes.cut", st.conn.cut_bytes, "of those, left out on purpose");
	fact(g, "bytes.lost", st.conn.lost_bytes, "of those, lost in the ring");
	fact(g, "bytes.unseen", st.conn.unseen_bytes, "of those, moved where no probe sees them");
	fact(g, "bytes.unparsed", st.conn.unparsed_bytes, "captured, but understood by no parser");
	fact(g, "bytes.shed", st.conn.shed_bytes, "of those, given up because too many waited");
	fact(g, "parse_errors", st.conn.parse_errors, "messages that broke their protocol's rules");
	fact(g, "orphans", st.conn.orphans, "answers to requests from before tracing began");
	fact(g, "spans.started", st.pair.started, "requests seen");
	fact(g, "spans.ended", st.pair.ended, "of those, complete");
	fact(g, "spans.open", st.pair.open, "without an answer at the end");
	fact(g, "spans.broken", st.pair.broken, "whose answer was lost");
	if (g->filter)
		fact(g, "spans.undecided", atomic_load(&g->undecided),
		     "shown because the filter failed on them");
	fact(g, "spans.skipped", st.pair.skipped, "that the server discarded after an error");
	if (g->opts.body_bytes) {
		fact(g, "bodies", st.pair.bodies, "bodies of requests and answers (--body)");
		fact(g, "bodies.cut", st.pair.bodies_cut, "of those, not kept in full");
	}
	sample_facts(g);
	route_facts(g);
	ingest_flush(g);
}

void ingest_stats(struct ingest *g, struct ingest_stats *out)
{
	pthread_mutex_lock(&g->lock);
	*out = g->published;
	out->undecided = atomic_load(&g->undecided);
	pthread_mutex_unlock(&g->lock);
}

void ingest_free(struct ingest *g)
{
	if (!g)
		return;
	conns_free(g->conns);
	pair_free(g->pairs);
	procs_free(g->procs);
	filter_free(g->filter);
	routes_free(g->routes);
	free(g->keep);
	pthread_mutex_destroy(&g->lock);
	free(g);
}
