// SPDX-License-Identifier: GPL-3.0-or-later
/* recorder - a recording that is switched on and off while rows come. */
#include "recorder.h"

#include <errno.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "read/reader.h"
#include "tests/unit/ask.h"
#include "tests/unit/suites.h"

/* A flow in which the test says when a batch comes. */
struct world {
	struct flow *flow;
	struct batch_pool *pool;
	struct store *store;
	struct recorder *rec;
	struct run_info run;
	sem_t go, gone;
	bool end;
	int next;
	char path[64];
};

static int source(void *ctx, struct flow_node *self)
{
	struct world *w = ctx;

	for (;;) {
		struct batch *b;

		sem_wait(&w->go);
		if (w->end)
			return 0;
		b = batch_get(w->pool, -1);
		for (int i = 0; i < 10; i++) {
			struct span *s = batch_add(b, TABLE_SPANS);

			s->start_ns = 1700000000000000000 + w->next++;
			s->name = s->op = STR("GET");
			s->trace_id[0] = s->span_id[0] = 1;
		}
		flow_give(self, b);
		sem_post(&w->gone);
	}
}

static void ref(void *item)
{
	batch_ref(item);
}

static void put(void *item)
{
	batch_put(item);
}

static void add_known(struct world *w)
{
	struct batch *b = ask_batch(4);
	struct conn_row *c = batch_add(b, TABLE_CONNECTIONS);
	struct proc_row *p = batch_add(b, TABLE_PROCESSES);

	c->conn = STR("c1");
	p->pid = 42;
	p->start_ns = 5;
	p->comm = STR("shop");
	ck_assert_int_eq(store_add(w->store, b), 0);
	ask_batch_free(b);
}

static void world_init(struct world *w, const char *ending)
{
	char err[ERR_TEXT] = "";
	struct fanout *rows;

	*w = (struct world){ .run = { .version = "0", .cmdline = "obi" } };
	snprintf(w->path, sizeof(w->path), "/tmp/obi-recorder-%d%s", (int)getpid(), ending);
	sem_init(&w->go, 0, 0);
	sem_init(&w->gone, 0, 0);
	w->pool = batch_pool_new(8, 16);
	w->store = store_new(1 << 20);
	add_known(w);
	w->rec = recorder_new(&w->run, w->store);
	w->flow = flow_new();
	rows = flow_queue(w->flow, "rows", ref, put);
	flow_add(w->flow,
	         &(struct flow_def){ .name = "source", .ctx = w, .run = source, .out = rows });
	flow_add(w->flow, &(struct flow_def){ .name = "recorder",
	                                      .ctx = w->rec,
	                                      .run = recorder_run,
	                                      .fini = recorder_fini,
	                                      .in = rows });
	ck_assert_int_eq(flow_start(w->flow, err), 0);
}

/* One batch, and time for the node to take it. */
static void rows_come(struct world *w)
{
	sem_post(&w->go);
	sem_wait(&w->gone);
	usleep(30000);
}

static void world_stop(struct world *w)
{
	w->end = true;
	sem_post(&w->go);
	flow_stop(w->flow);
}

static void world_free(struct world *w)
{
	flow_free(w->flow);
	recorder_free(w->rec);
	store_free(w->store);
	batch_pool_free(w->pool);
	unlink(w->path);
}

/* Rows of each table in the file. */
static void count(const char *path, unsigned int n[TABLE_MAX])
{
	struct batch *b = ask_batch(100);
	char err[ERR_TEXT] = "";
	struct reader *r = reader_open(path, err);
	int more;

	ck_assert_msg(r, "%s", err);
	memset(n, 0, TABLE_MAX * sizeof(*n));
	do {
		arena_reset(&b->arena);
		b->n = 0;
		more = reader_next(r, b);
		for (unsigned int i = 0; i < b->n; i++)
			n[b->items[i].table]++;
	} while (more > 0);
	ck_assert_int_eq(more, 0);
	reader_close(r);
	ask_batch_free(b);
}

static const char *const endings[] = { ".otlp", ".otlpb.zst", ".db" };

START_TEST(a_file_holds_what_came_while_it_was_open_and_what_was_known)
{
	struct world w;
	struct recorder_stats st;
	unsigned int n[TABLE_MAX];
	char err[ERR_TEXT] = "";

	world_init(&w, endings[_i]);
	rows_come(&w);
	ck_assert_msg(!recorder_switch(w.rec, w.path, err), "%s", err);
	recorder_stats(w.rec, &st);
	ck_assert(st.on);
	rows_come(&w);
	rows_come(&w);
	ck_assert_msg(!recorder_switch(w.rec, NULL, err), "%s", err);
	rows_come(&w);
	recorder_stats(w.rec, &st);
	ck_assert(!st.on);
	ck_assert_uint_eq(st.spans, 20);
	ck_assert_uint_eq(st.lost, 0);
	world_stop(&w);
	count(w.path, n);
	ck_assert_uint_eq(n[TABLE_SPANS], 20);
	ck_assert_uint_eq(n[TABLE_CONNECTIONS], 1);
	ck_assert_uint_eq(n[TABLE_PROCESSES], 1);
	world_free(&w);
}
END_TEST

START_TEST(what_is_open_at_the_end_is_whole)
{
	struct world w;
	unsigned int n[TABLE_MAX];
	char err[ERR_TEXT] = "";

	world_init(&w, ".otlp");
	ck_assert_int_eq(recorder_switch(w.rec, w.path, err), 0);
	rows_come(&w);
	world_stop(&w);
	count(w.path, n);
	ck_assert_uint_eq(n[TABLE_SPANS], 10);
	world_free(&w);
}
END_TEST

START_TEST(a_file_that_cannot_be_written_is_said)
{
	struct world w;
	char err[ERR_TEXT] = "";

	world_init(&w, ".otlp");
	ck_assert_int_eq(recorder_switch(w.rec, "/nowhere/x.otlp", err), -ENOENT);
	ck_assert_msg(strstr(err, "/nowhere/x.otlp"), "%s", err);
	ck_assert_int_eq(recorder_switch(w.rec, "x.txt", err), -EINVAL);
	ck_assert_msg(strstr(err, "unknown ending"), "%s", err);
	ck_assert_int_eq(recorder_switch(w.rec, NULL, err), 0);
	world_stop(&w);
	world_free(&w);
}
END_TEST

Suite *recorder_suite(void)
{
	Suite *s = suite_create("recorder");
	TCase *t = tcase_create("recorder");

	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, a_file_holds_what_came_while_it_was_open_and_what_was_known, 0,
	                    sizeof(endings) / sizeof(endings[0]));
	tcase_add_test(t, what_is_open_at_the_end_is_whole);
	tcase_add_test(t, a_file_that_cannot_be_written_is_said);
	suite_add_tcase(s, t);
	return s;
}
