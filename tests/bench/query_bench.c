// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * query_bench - how long a screen waits for its rows.
 *
 *   query_bench [ROWS]      default 1000000
 *
 * Fills a store and aggregates with an hour of made-up spans: 10 services, 200
 * routes, 250 peers; then asks what a screen asks. One line each: what, and
 * the time in ms of the least disturbed of some rounds.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/err.h"
#include "store/agg.h"
#include "store/list.h"
#include "tests/bench/made.h"

enum { BATCH = 512, ROUNDS = 5, BUDGET_MS = 8 };

static void fill_span(struct batch *b, int64_t start, uint64_t *rnd)
{
	struct span *s = batch_add(b, TABLE_SPANS);
	uint64_t r = next_random(rnd);
	unsigned int route = r % 200;

	s->start_ns = start;
	s->dur_ns = (int64_t)(100000 + r % 1000000 + (r % 97 ? 0 : 100000000));
	memcpy(s->span_id, &r, 8);
	s->kind = STR("server");
	s->proto = STR("http");
	s->op = STR("GET");
	s->name = text(b, "GET /api/v1/resource%u/{id}", route);
	s->route = text(b, "/api/v1/resource%u/{id}", route);
	s->target = text(b, "/api/v1/resource/%u", (unsigned int)(r >> 9) % 100000);
	s->status = r % 50 ? STR("200") : STR("500");
	s->code = r % 50 ? 200 : 500;
	s->error = r % 50 == 0;
	s->service = text(b, "service-%u", route % 10);
	s->comm = s->service;
	s->pid = 1000 + route % 10;
	s->process = text(b, "service[%u]", 1000 + route % 10);
	s->peer_ip = s->peer = text(b, "10.0.1.%u", (unsigned int)(r >> 20) % 250);
	s->conn = text(b, "c%u", (unsigned int)(r >> 30) % 5000);
	s->req_bytes = 200;
	s->resp_bytes = 4000;
}

/* Of this thread: the machine may be busy with other things. */
static uint64_t cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static double fill(struct store *st, struct agg *a, uint64_t rows)
{
	struct batch_pool *pool = batch_pool_new(1, BATCH);
	struct batch *b = batch_get(pool, -1);
	uint64_t rnd = 88172645463325252u, spent = 0;
	int64_t step = 3600 * SECOND / (int64_t)rows;

	for (uint64_t i = 0; i < rows; i++) {
		fill_span(b, START + (int64_t)i * step, &rnd);
		if (b->n == b->cap || i + 1 == rows) {
			uint64_t from;

			store_add(st, b);
			from = cpu_ns();
			agg_add(a, b);
			spent += cpu_ns() - from;
			arena_reset(&b->arena);
			b->n = 0;
		}
	}
	batch_put(b);
	batch_pool_free(pool);
	return (double)spent / (double)rows;
}

struct timing {
	double first, whole; /* ms to the first answer with rows, to the complete one */
};

static double ms_since(uint64_t from)
{
	return (double)(clock_ns() - from) / 1e6;
}

static void note(struct timing *t, double first, double whole)
{
	if (t->whole > 0 && t->whole < whole)
		return;
	*t = (struct timing){ first, whole };
}

static void ask(struct agg *a, const char *what, const struct agg_query *q)
{
	struct timing t = { 0 };
	char err[ERR_TEXT] = "";
	size_t n = 0;

	for (int i = 0; i < ROUNDS; i++) {
		uint64_t from = clock_ns();
		struct agg_view *v = agg_view(a, q, err);
		struct agg_answer out;
		double first = 0;
		int more;

		do {
			more = agg_view_ask(v, BUDGET_MS, &out, err);
			if (out.n && first == 0)
				first = ms_since(from);
			n = out.n;
			agg_answer_free(&out);
		} while (more == 1);
		note(&t, first, ms_since(from));
		agg_view_free(v);
	}
	printf("red %-22s first %8.2f ms  whole %8.2f ms  %zu groups\n", what, t.first, t.whole, n);
}

static void refresh(struct agg *a)
{
	struct agg_view *v =
		agg_view(a, &(struct agg_query){ .by = { "route" }, .spark = 60 }, NULL);
	struct agg_answer out;
	uint64_t from;

	while (agg_view_ask(v, BUDGET_MS, &out, NULL) == 1)
		agg_answer_free(&out);
	agg_answer_free(&out);
	from = clock_ns();
	for (int i = 0; i < 100; i++) {
		agg_view_ask(v, BUDGET_MS, &out, NULL);
		agg_answer_free(&out);
	}
	printf("red refresh unchanged      %8.3f ms\n", ms_since(from) / 100);
	agg_view_free(v);
}

static void list(struct store *st, const char *what, const struct list_spec *spec)
{
	struct timing t = { 0 };
	char err[ERR_TEXT] = "";
	struct list_state ls;
	uint64_t from;
	double again = 0;

	for (int i = 0; i < ROUNDS; i++) {
		struct list *l;
		double first;
		int more;

		from = clock_ns();
		l = list_new(st, spec, err);
		more = list_update(l, BUDGET_MS, err);
		first = ms_since(from);
		while (more == 1)
			more = list_update(l, BUDGET_MS, err);
		note(&t, first, ms_since(from));
		list_state(l, &ls);
		from = clock_ns();
		for (int k = 0; k < 1000; k++)
			list_update(l, BUDGET_MS, err);
		again = ms_since(from);
		list_free(l);
	}
	printf("list %-21s first %8.2f ms  whole %8.2f ms  again %.2f us  %zu rows\n", what,
	       t.first, t.whole, again, ls.n);
}

int main(int argc, char **argv)
{
	uint64_t rows = argc > 1 ? strtoull(argv[1], NULL, 10) : 1000000;
	struct store *st = store_new((size_t)2 << 30);
	struct agg *a = agg_new(st, (size_t)64 << 20);
	struct agg_stats as;

	printf("count %.0f ns of processor a span\n", fill(st, a, rows));
	agg_stats(a, &as);
	printf("cells %zu bytes, %llu keys, %llu spans gave something up\n", as.bytes,
	       (unsigned long long)as.keys, (unsigned long long)as.other_spans);
	ask(a, "by route", &(struct agg_query){ .by = { "route" }, .spark = 60 });
	ask(a, "by service, peer", &(struct agg_query){ .by = { "service", "peer" } });
	ask(a, "by route, last minute",
	    &(struct agg_query){ .by = { "route" }, .from_ns = START + 3540 * SECOND });
	ask(a, "filter by status",
	    &(struct agg_query){ .by = { "route" }, .filter = "code >= 500" });
	ask(a, "filter over rows",
	    &(struct agg_query){ .by = { "route" }, .filter = "dur_ms > 50" });
	ask(a, "by conn", &(struct agg_query){ .by = { "conn" } });
	refresh(a);
	list(st, "newest", &(struct list_spec){ .desc = true });
	list(st, "slowest", &(struct list_spec){ .order = "dur_ms", .desc = true });
	list(st, "by route", &(struct list_spec){ .order = "route" });
	list(st, "filter",
	     &(struct list_spec){ .where = "code >= 500 and dur_ms > 1", .desc = true });
	list(st, "filter by text", &(struct list_spec){ .where = "target like '%777%'" });
	agg_free(a);
	store_free(st);
	return 0;
}
