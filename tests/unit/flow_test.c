// SPDX-License-Identifier: GPL-3.0-or-later
/* flow_test - the promises of fanout.h and flow.h. */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "suites.h"
#include "base/err.h"
#include "base/flow.h"

/* ---- items ---- */

struct thing {
	atomic_int refs;
	unsigned int who, num;
};

static atomic_int alive;

static void thing_ref(void *item)
{
	atomic_fetch_add(&((struct thing *)item)->refs, 1);
}

static void thing_put(void *item)
{
	if (atomic_fetch_sub(&((struct thing *)item)->refs, 1) == 1) {
		free(item);
		atomic_fetch_sub(&alive, 1);
	}
}

static struct thing *thing_new(unsigned int who, unsigned int num)
{
	struct thing *t = calloc(1, sizeof(*t));

	ck_assert_ptr_nonnull(t);
	t->refs = 1;
	t->who = who;
	t->num = num;
	atomic_fetch_add(&alive, 1);
	return t;
}

static struct fanout *things(struct flow *f, const char *name)
{
	struct fanout *q = flow_queue(f, name, thing_ref, thing_put);

	ck_assert_ptr_nonnull(q);
	return q;
}

static void nap_ms(long ms)
{
	nanosleep(&(struct timespec){ .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 }, NULL);
}

/* ---- nodes ---- */

struct maker { /* gives `count` items, or for ever until it is stopped */
	unsigned int who, count;
	unsigned int given;
	int err; /* what the last push said */
};

static int make(void *ctx, struct flow_node *self)
{
	struct maker *m = ctx;

	while (m->count ? m->given < m->count : !flow_stopping(self)) {
		int err = flow_give(self, thing_new(m->who, m->given));

		m->given++;
		__atomic_store_n(&m->err, err, __ATOMIC_RELAXED);
		if (err)
			break;
	}
	return 0;
}

struct eater {
	unsigned int got[4]; /* by maker: all below are seen */
	unsigned int total;
	bool out_of_order;
	unsigned int fail_at;  /* ends with an error after so many; 0: never */
	pthread_mutex_t *door; /* locked: it stands still */
	long slow_ms;
};

static void eat_one(struct eater *e, struct thing *t)
{
	if (t->num < e->got[t->who])
		e->out_of_order = true;
	e->got[t->who] = t->num + 1;
	e->total++;
	thing_put(t);
	if (e->slow_ms)
		nap_ms(e->slow_ms);
}

static int eat(void *ctx, struct flow_node *self)
{
	struct eater *e = ctx;
	void *item;

	if (e->door) {
		pthread_mutex_lock(e->door);
		pthread_mutex_unlock(e->door);
	}
	while (flow_take(self, &item, -1) > 0) {
		eat_one(e, item);
		if (e->fail_at && e->total == e->fail_at)
			return -EIO;
	}
	return 0;
}

static int relay(void *ctx, struct flow_node *self)
{
	void *item;

	while (flow_take(self, &item, -1) > 0) {
		++*(unsigned int *)ctx;
		flow_give(self, item);
	}
	return 0;
}

static bool always_idle(void *ctx)
{
	(void)ctx;
	return true;
}

static void add(struct flow *f, struct flow_def def)
{
	ck_assert_int_eq(flow_add(f, &def), 0);
}

static void add_maker(struct flow *f, struct maker *m, struct fanout *out)
{
	add(f, (struct flow_def){ .name = "maker", .ctx = m, .run = make, .out = out });
}

static void add_eater(struct flow *f, const char *name, struct eater *e, struct fanout *in,
                      unsigned int room, enum fanout_policy policy)
{
	add(f,
	    (struct flow_def){
		    .name = name, .ctx = e, .run = eat, .in = in, .room = room, .policy = policy });
}

static void run_to_end(struct flow *f)
{
	char err[ERR_TEXT];

	ck_assert_int_eq(flow_start(f, err), 0);
	ck_assert_int_eq(flow_wait(f, 10000), 1);
	flow_stop(f);
}

static void all_freed(struct flow *f)
{
	flow_free(f);
	ck_assert_int_eq(alive, 0);
}

/* ---- the queue ---- */

START_TEST(every_subscriber_gets_every_item_in_order)
{
	struct flow *f = flow_new();
	struct fanout *q = things(f, "rows");
	struct maker m = { .count = 5000 };
	struct eater e[3] = { 0 };

	add_maker(f, &m, q);
	add_eater(f, "one", &e[0], q, 1, FANOUT_BLOCK);
	add_eater(f, "two", &e[1], q, 7, FANOUT_BLOCK);
	add_eater(f, "three", &e[2], q, 64, FANOUT_BLOCK);
	run_to_end(f);
	for (int i = 0; i < 3; i++) {
		ck_assert_uint_eq(e[i].total, 5000);
		ck_assert(!e[i].out_of_order);
	}
	all_freed(f);
}
END_TEST

START_TEST(a_full_live_subscriber_drops_for_itself_alone_and_counts)
{
	struct flow *f = flow_new();
	struct fanout *q = things(f, "rows");
	struct maker m = { .count = 1000 };
	pthread_mutex_t door = PTHREAD_MUTEX_INITIALIZER;
	struct eater stuck = { .door = &door }, good = { 0 };
	struct fanout_stats s[2];
	char err[ERR_TEXT];

	add_maker(f, &m, q);
	add_eater(f, "stuck", &stuck, q, 8, FANOUT_DROP);
	add_eater(f, "good", &good, q, 8, FANOUT_BLOCK);
	pthread_mutex_lock(&door);
	ck_assert_int_eq(flow_start(f, err), 0);
	while (flow_queue_stats(f, s, 2) == 2 && s[1].out < 1000)
		nap_ms(1);
	pthread_mutex_unlock(&door);
	flow_stop(f);
	flow_queue_stats(f, s, 2);
	ck_assert_uint_eq(good.total, 1000);
	ck_assert_uint_eq(stuck.total, 8);
	ck_assert_uint_eq(s[0].dropped, 992);
	ck_assert_uint_eq(s[0].high, 8);
	ck_assert_uint_eq(s[1].dropped, 0);
	all_freed(f);
}
END_TEST

START_TEST(a_slow_subscriber_of_a_replay_loses_nothing)
{
	struct flow *f = flow_new();
	struct fanout *q = things(f, "rows");
	struct maker m = { .count = 60 };
	struct eater slow = { .slow_ms = 1 };
	struct fanout_stats s;

	add_maker(f, &m, q);
	add_eater(f, "slow", &slow, q, 2, FANOUT_BLOCK);
	run_to_end(f);
	flow_queue_stats(f, &s, 1);
	ck_assert_uint_eq(slow.total, 60);
	ck_assert_uint_eq(s.dropped, 0);
	ck_assert_uint_le(s.high, 2);
	ck_assert_uint_gt(s.waited_ns, 0);
	all_freed(f);
}
END_TEST

static void keep_text(void *ctx, enum level level, const char *text)
{
	if (level == LEVEL_WARN)
		snprintf(ctx, ERR_TEXT, "%s", text);
}

START_TEST(a_stalled_output_is_named_and_nothing_is_lost)
{
	struct flow *f = flow_new();
	struct fanout *q = things(f, "rows");
	struct maker m = { .count = 100 };
	pthread_mutex_t door = PTHREAD_MUTEX_INITIALIZER;
	struct eater stuck = { .door = &door }, good = { 0 };
	char err[ERR_TEXT], said[ERR_TEXT] = "", name[FANOUT_NAME];

	err_set_sink(keep_text, said);
	add_maker(f, &m, q);
	add_eater(f, "good", &good, q, 4, FANOUT_BLOCK);
	add_eater(f, "run.otlp", &stuck, q, 4, FANOUT_BLOCK);
	flow_stall_after(f, 30);
	pthread_mutex_lock(&door);
	ck_assert_int_eq(flow_start(f, err), 0);
	for (int i = 0; i < 2000 && !flow_stalled(f, name); i++)
		nap_ms(1);
	ck_assert(flow_stalled(f, name));
	ck_assert_str_eq(name, "run.otlp");
	ck_assert_int_eq(flow_wait(f, 0), 0);
	pthread_mutex_unlock(&door);
	ck_assert_int_eq(flow_wait(f, 10000), 1);
	ck_assert(!flow_stalled(f, name));
	flow_stop(f);
	ck_assert_ptr_nonnull(strstr(said, "run.otlp holds up"));
	ck_assert_uint_eq(stuck.total, 100);
	ck_assert_uint_eq(good.total, 100);
	err_set_sink(NULL, NULL);
	all_freed(f);
}
END_TEST

START_TEST(an_abort_frees_who_waits_and_counts_what_is_lost)
{
	struct flow *f = flow_new();
	struct fanout *q = things(f, "rows");
	struct maker m = { .count = 100 };
	pthread_mutex_t door = PTHREAD_MUTEX_INITIALIZER;
	struct eater stuck = { .door = &door };
	struct fanout_stats s;
	char err[ERR_TEXT];

	add_maker(f, &m, q);
	add_eater(f, "stuck", &stuck, q, 4, FANOUT_BLOCK);
	pthread_mutex_lock(&door);
	ck_assert_int_eq(flow_start(f, err), 0);
	while (flow_queue_stats(f, &s, 1) && s.fill < 4)
		nap_ms(1);
	flow_abort(f);
	/* no door before it has come to the full queue: else there is room for all it gives */
	while (!__atomic_load_n(&m.err, __ATOMIC_RELAXED))
		nap_ms(1);
	pthread_mutex_unlock(&door);
	flow_stop(f);
	ck_assert_int_eq(m.err, -ECANCELED);
	flow_queue_stats(f, &s, 1);
	ck_assert_uint_eq(m.given, s.out + s.dropped);
	ck_assert_uint_ge(s.dropped, 1);
	all_freed(f);
}
END_TEST

START_TEST(taking_from_an_empty_queue_times_out)
{
	struct fanout *q = fanout_new("q", thing_ref, thing_put);
	struct fanout_sub *s = fanout_subscribe(q, "s", 1, FANOUT_DROP);
	void *item;

	fanout_open(q);
	ck_assert_int_eq(fanout_take(s, &item, 1), -ETIMEDOUT);
	ck_assert_int_eq(fanout_push(q, thing_new(0, 0)), 0);
	fanout_close(q);
	ck_assert_int_eq(fanout_take(s, &item, 1), 1); /* closed, but not empty */
	thing_put(item);
	ck_assert_int_eq(fanout_take(s, &item, -1), 0);
	fanout_leave(s);
	ck_assert_int_eq(fanout_push(q, thing_new(0, 1)), -EPIPE);
	fanout_free(q);
	ck_assert_int_eq(alive, 0);
}
END_TEST

/* ---- the nodes ---- */

START_TEST(a_queue_closes_with_its_last_producer)
{
	struct flow *f = flow_new();
	struct fanout *q = things(f, "rows");
	struct maker m[4];
	struct eater e = { 0 };

	for (unsigned int i = 0; i < 4; i++) {
		m[i] = (struct maker){ .who = i, .count = 1 + i * 2000 };
		add_maker(f, &m[i], q);
	}
	add_eater(f, "eater", &e, q, 16, FANOUT_BLOCK);
	run_to_end(f);
	ck_assert_uint_eq(e.total, 4 + 12000);
	ck_assert(!e.out_of_order);
	all_freed(f);
}
END_TEST

static char order[64];

static int init_ok(void *ctx, char *err)
{
	(void)err;
	snprintf(order + strlen(order), sizeof(order) - strlen(order), "+%s", (char *)ctx);
	return 0;
}

static int init_fails(void *ctx, char *err)
{
	return err_set(err, ENOMEM, "%s: no room for the ring", (char *)ctx);
}

static int init_fails_silently(void *ctx, char *err)
{
	(void)ctx, (void)err;
	return -ENOMEM;
}

static void note_fini(void *ctx)
{
	snprintf(order + strlen(order), sizeof(order) - strlen(order), "-%s", (char *)ctx);
}

static int never_runs(void *ctx, struct flow_node *self)
{
	(void)self;
	snprintf(order + strlen(order), sizeof(order) - strlen(order), "!%s", (char *)ctx);
	return 0;
}

static void add_inits(struct flow *f, int (*last)(void *ctx, char *err))
{
	add(f, (struct flow_def){ .name = "a",
	                          .ctx = (void *)"a",
	                          .init = init_ok,
	                          .run = never_runs,
	                          .fini = note_fini });
	add(f, (struct flow_def){ .name = "b",
	                          .ctx = (void *)"b",
	                          .init = init_ok,
	                          .run = never_runs,
	                          .fini = note_fini });
	add(f, (struct flow_def){ .name = "c",
	                          .ctx = (void *)"c",
	                          .init = last,
	                          .run = never_runs,
	                          .fini = note_fini });
}

START_TEST(a_failing_init_undoes_the_others_and_gives_the_reason)
{
	struct flow *f = flow_new();
	char err[ERR_TEXT];

	order[0] = '\0';
	add_inits(f, init_fails);
	ck_assert_int_eq(flow_start(f, err), -ENOMEM);
	ck_assert_str_eq(err, "c: no room for the ring");
	ck_assert_str_eq(order, "+a+b-b-a");
	flow_stop(f);
	ck_assert_str_eq(order, "+a+b-b-a");
	flow_free(f);
}
END_TEST

START_TEST(a_failing_init_without_words_is_still_named)
{
	struct flow *f = flow_new();
	char err[ERR_TEXT];

	order[0] = '\0';
	add_inits(f, init_fails_silently);
	ck_assert_int_eq(flow_start(f, err), -ENOMEM);
	ck_assert_str_eq(err, "c: Cannot allocate memory");
	flow_free(f);
}
END_TEST

START_TEST(a_stop_drains_what_was_given_and_ends_in_order)
{
	struct flow *f = flow_new();
	struct fanout *raw = things(f, "raw"), *rows = things(f, "rows");
	struct maker m = { 0 };
	struct eater e = { 0 };
	unsigned int passed = 0;
	char err[ERR_TEXT];

	order[0] = '\0';
	add_maker(f, &m, raw);
	add(f, (struct flow_def){ .name = "relay",
	                          .ctx = &passed,
	                          .run = relay,
	                          .in = raw,
	                          .out = rows,
	                          .policy = FANOUT_BLOCK });
	add_eater(f, "eater", &e, rows, 3, FANOUT_BLOCK);
	add(f, (struct flow_def){ .name = "x",
	                          .ctx = (void *)"x",
	                          .init = init_ok,
	                          .run = never_runs,
	                          .fini = note_fini });
	add(f, (struct flow_def){ .name = "y",
	                          .ctx = (void *)"y",
	                          .init = init_ok,
	                          .run = never_runs,
	                          .fini = note_fini });
	ck_assert_int_eq(flow_start(f, err), 0);
	nap_ms(20);
	flow_stop(f);
	ck_assert_uint_gt(m.given, 0);
	ck_assert_uint_eq(passed, m.given);
	ck_assert_uint_eq(e.total, m.given);
	ck_assert_ptr_nonnull(strstr(order, "-x-y"));
	all_freed(f);
}
END_TEST

START_TEST(a_node_that_fails_ends_the_wait_and_holds_nobody)
{
	struct flow *f = flow_new();
	struct fanout *q = things(f, "rows");
	struct maker m = { 0 };
	struct eater bad = { .fail_at = 3 }, good = { 0 };
	struct fanout_stats s[2];
	const char *name = NULL;
	char err[ERR_TEXT];

	add_maker(f, &m, q);
	add_eater(f, "bad", &bad, q, 2, FANOUT_BLOCK);
	add_eater(f, "good", &good, q, 2, FANOUT_BLOCK);
	ck_assert_int_eq(flow_start(f, err), 0);
	ck_assert_int_eq(flow_wait(f, 10000), 1);
	ck_assert_int_eq(flow_failed(f, &name), -EIO);
	ck_assert_str_eq(name, "bad");
	flow_stop(f);
	flow_queue_stats(f, s, 2);
	ck_assert(s[0].left);
	ck_assert_uint_eq(s[0].out + s[0].dropped, m.given);
	ck_assert_uint_eq(good.total, m.given);
	all_freed(f);
}
END_TEST

/* ---- bypass ---- */

static unsigned int state_of(struct flow *f, const char *name)
{
	struct flow_stats s[FLOW_NODES];
	size_t n = flow_stats(f, s, FLOW_NODES);

	for (size_t i = 0; i < n; i++)
		if (!strcmp(s[i].name, name))
			return s[i].state;
	ck_abort_msg("no node %s", name);
}

START_TEST(idle_nodes_in_a_row_are_left_out)
{
	struct flow *f = flow_new();
	struct fanout *q[4] = { things(f, "0"), things(f, "1"), things(f, "2"), things(f, "3") };
	struct maker m = { .count = 500 };
	struct eater e = { 0 }, before = { 0 };
	unsigned int passed = 0;

	add_maker(f, &m, q[0]);
	add_eater(f, "before", &before, q[0], 0, FANOUT_BLOCK);
	for (int i = 0; i < 3; i++)
		add(f, (struct flow_def){ .name = (const char *[]){ "a", "b", "c" }[i],
		                          .ctx = &passed,
		                          .run = relay,
		                          .idle = i == 1 ? NULL : always_idle,
		                          .in = q[i],
		                          .out = q[i + 1],
		                          .policy = FANOUT_BLOCK });
	add_eater(f, "eater", &e, q[3], 0, FANOUT_BLOCK);
	run_to_end(f);
	ck_assert_uint_eq(state_of(f, "a"), FLOW_BYPASSED);
	ck_assert_uint_eq(state_of(f, "b"), FLOW_ENDED);
	ck_assert_uint_eq(state_of(f, "c"), FLOW_BYPASSED);
	ck_assert_uint_eq(passed, 500);
	ck_assert_uint_eq(e.total, 500);
	ck_assert_uint_eq(before.total, 500);
	all_freed(f);
}
END_TEST

START_TEST(a_chain_of_idle_nodes_leaves_source_and_sink)
{
	struct flow *f = flow_new();
	struct fanout *q[4] = { things(f, "0"), things(f, "1"), things(f, "2"), things(f, "3") };
	struct maker m = { .count = 500 };
	struct eater e = { 0 };
	unsigned int passed = 0;

	add_maker(f, &m, q[0]);
	for (int i = 0; i < 3; i++)
		add(f, (struct flow_def){ .name = "idle",
		                          .ctx = &passed,
		                          .run = relay,
		                          .idle = always_idle,
		                          .in = q[i],
		                          .out = q[i + 1] });
	add_eater(f, "eater", &e, q[3], 0, FANOUT_BLOCK);
	run_to_end(f);
	ck_assert_uint_eq(passed, 0);
	ck_assert_uint_eq(e.total, 500);
	all_freed(f);
}
END_TEST

/* Two rows of producers: who else writes to the output must not be read at the input. */
START_TEST(a_bypass_beside_another_producer_gives_nobody_too_much)
{
	struct flow *f = flow_new();
	struct fanout *raw = things(f, "raw"), *rows = things(f, "rows");
	struct maker first = { .who = 0, .count = 300 }, second = { .who = 1, .count = 200 };
	struct eater tap = { 0 }, e = { 0 };
	unsigned int passed = 0;

	add_maker(f, &first, raw);
	add_maker(f, &second, rows);
	add(f, (struct flow_def){ .name = "idle",
	                          .ctx = &passed,
	                          .run = relay,
	                          .idle = always_idle,
	                          .in = raw,
	                          .out = rows,
	                          .policy = FANOUT_BLOCK });
	if (_i)
		add_eater(f, "tap", &tap, raw, 0, FANOUT_BLOCK);
	add_eater(f, "eater", &e, rows, 0, FANOUT_BLOCK);
	run_to_end(f);
	ck_assert_uint_eq(passed, 0);
	ck_assert_uint_eq(e.got[0], 300);
	ck_assert_uint_eq(e.got[1], 200);
	ck_assert_uint_eq(tap.total, _i ? 300 : 0);
	/* with a tap the queues cannot be joined: the node passes things on */
	ck_assert_uint_eq(state_of(f, "idle"), _i ? FLOW_ENDED : FLOW_BYPASSED);
	all_freed(f);
}
END_TEST

START_TEST(the_description_names_everything_within_80_columns)
{
	struct flow *f = flow_new();
	struct fanout *q = things(f, "rows");
	struct maker m = { .count = 10 };
	struct eater e = { 0 };
	struct buf out = { 0 };

	add_maker(f, &m, q);
	add_eater(f, "store", &e, q, 0, FANOUT_DROP);
	run_to_end(f);
	flow_describe(f, &out);
	buf_ch(&out, '\0');
	ck_assert_ptr_nonnull(strstr(out.p, "maker"));
	ck_assert_ptr_nonnull(strstr(out.p, "store"));
	ck_assert_ptr_nonnull(strstr(out.p, "0/64"));
	for (char *line = out.p, *nl; (nl = strchr(line, '\n')); line = nl + 1)
		ck_assert_int_lt(nl - line, 80);
	buf_free(&out);
	all_freed(f);
}
END_TEST

Suite *flow_suite(void)
{
	Suite *s = suite_create("flow");
	TCase *queue = tcase_create("queue"), *nodes = tcase_create("nodes");

	tcase_set_timeout(queue, 20);
	tcase_set_timeout(nodes, 20);
	tcase_add_test(queue, every_subscriber_gets_every_item_in_order);
	tcase_add_test(queue, a_full_live_subscriber_drops_for_itself_alone_and_counts);
	tcase_add_test(queue, a_slow_subscriber_of_a_replay_loses_nothing);
	tcase_add_test(queue, a_stalled_output_is_named_and_nothing_is_lost);
	tcase_add_test(queue, an_abort_frees_who_waits_and_counts_what_is_lost);
	tcase_add_test(queue, taking_from_an_empty_queue_times_out);
	tcase_add_test(nodes, a_queue_closes_with_its_last_producer);
	tcase_add_test(nodes, a_failing_init_undoes_the_others_and_gives_the_reason);
	tcase_add_test(nodes, a_failing_init_without_words_is_still_named);
	tcase_add_test(nodes, a_stop_drains_what_was_given_and_ends_in_order);
	tcase_add_test(nodes, a_node_that_fails_ends_the_wait_and_holds_nobody);
	tcase_add_test(nodes, idle_nodes_in_a_row_are_left_out);
	tcase_add_test(nodes, a_chain_of_idle_nodes_leaves_source_and_sink);
	tcase_add_loop_test(nodes, a_bypass_beside_another_producer_gives_nobody_too_much, 0, 2);
	tcase_add_test(nodes, the_description_names_everything_within_80_columns);
	suite_add_tcase(s, queue);
	suite_add_tcase(s, nodes);
	return s;
}
