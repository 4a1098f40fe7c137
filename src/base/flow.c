// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * flow - a small dataflow runtime: nodes with a thread each, joined by queues.
 *
 * Stopping needs no signal beyond "sources, end": a node that ends closes its
 * output, the next one finds its input closed once it has emptied it, and so on
 * down. That is the orderly drain.
 */
#include "base/flow.h"

#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/err.h"

struct flow_node {
	struct flow *f;
	struct flow_def def;
	char name[FANOUT_NAME];
	struct fanout_sub *sub;
	pthread_t thread;
	bool started, inited;
	atomic_int state;
	atomic_uint_fast64_t in, out, cpu_ns;
	int result;
};

struct flow {
	struct flow_node nodes[FLOW_NODES];
	unsigned int n;
	struct fanout *queues[FLOW_NODES];
	unsigned int nqueues;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	enum { GATE_CLOSED, GATE_OPEN, GATE_CANCELLED } gate;
	unsigned int running;
	atomic_bool stopping;
	bool done;     /* stopped and finished */
	int failed_at; /* node, -1 */
};

/* ---- building ---- */

struct flow *flow_new(void)
{
	struct flow *f = calloc(1, sizeof(*f));
	pthread_condattr_t a;

	if (!f)
		return NULL;
	pthread_condattr_init(&a);
	pthread_condattr_setclock(&a, CLOCK_MONOTONIC);
	pthread_cond_init(&f->changed, &a);
	pthread_condattr_destroy(&a);
	pthread_mutex_init(&f->lock, NULL);
	f->failed_at = -1;
	return f;
}

struct fanout *flow_queue(struct flow *f, const char *name, void (*ref)(void *item),
                          void (*put)(void *item))
{
	struct fanout *q;

	if (f->nqueues == FLOW_NODES) {
		errno = ENOSPC;
		return NULL;
	}
	q = fanout_new(name, ref, put);
	if (q)
		f->queues[f->nqueues++] = q;
	return q;
}

int flow_add(struct flow *f, const struct flow_def *def)
{
	struct flow_node *n = &f->nodes[f->n];

	if (f->n == FLOW_NODES)
		return -ENOSPC;
	n->f = f;
	n->def = *def;
	snprintf(n->name, sizeof(n->name), "%s", def->name);
	n->def.name = n->name;
	if (def->in) {
		n->sub = fanout_subscribe(def->in, n->name, def->room ? def->room : FLOW_ROOM,
		                          def->policy);
		if (!n->sub)
			return -errno;
	}
	f->n++;
	return 0;
}

void flow_stall_after(struct flow *f, int ms)
{
	for (unsigned int i = 0; i < f->nqueues; i++)
		fanout_stall_after(f->queues[i], ms);
}

/* ---- bypass ---- */

static unsigned int producers_of(const struct flow *f, const struct fanout *q)
{
	unsigned int k = 0;

	for (unsigned int i = 0; i < f->n; i++)
		k += f->nodes[i].state != FLOW_BYPASSED && f->nodes[i].def.out == q;
	return k;
}

/*
 * Two ways to join the queues around a node, so that nobody gets an item that
 * was not meant for him: its readers move to its input if it alone feeds them;
 * its feeders turn to its output if it alone reads them. Else the node stays and
 * passes things on.
 */
static bool bypass(struct flow *f, struct flow_node *n)
{
	struct fanout *in = n->def.in, *out = n->def.out;

	if (producers_of(f, out) == 1) {
		fanout_unsubscribe(n->sub);
		fanout_move(out, in);
		for (unsigned int i = 0; i < f->n; i++)
			if (f->nodes[i].def.in == out)
				f->nodes[i].def.in = in;
	} else if (fanout_subscribers(in) == 1) {
		fanout_unsubscribe(n->sub);
		for (unsigned int i = 0; i < f->n; i++)
			if (f->nodes[i].def.out == in)
				f->nodes[i].def.out = out;
	} else {
		return false;
	}
	n->sub = NULL;
	n->state = FLOW_BYPASSED;
	return true;
}

static int pass_on(void *ctx, struct flow_node *self)
{
	void *item;

	(void)ctx;
	while (flow_take(self, &item, -1) > 0)
		flow_give(self, item);
	return 0;
}

static void bypass_idle(struct flow *f)
{
	for (unsigned int i = 0; i < f->n; i++) {
		struct flow_node *n = &f->nodes[i];

		if (!n->def.idle || !n->def.in || !n->def.out || !n->def.idle(n->def.ctx))
			continue;
		if (!bypass(f, n))
			n->def.run = pass_on;
	}
	for (unsigned int i = 0; i < f->n; i++)
		if (f->nodes[i].def.out && f->nodes[i].state != FLOW_BYPASSED)
			fanout_open(f->nodes[i].def.out);
}

/* ---- running ---- */

static uint64_t thread_cpu_ns(void)
{
	struct timespec t;

	if (clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t))
		return 0;
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void ended(struct flow_node *n)
{
	struct flow *f = n->f;

	atomic_store_explicit(&n->cpu_ns, thread_cpu_ns(), memory_order_relaxed);
	if (n->sub)
		fanout_leave(n->sub);
	if (n->def.out)
		fanout_close(n->def.out);
	pthread_mutex_lock(&f->lock);
	f->running--;
	n->state = n->result ? FLOW_FAILED : FLOW_ENDED;
	if (n->result && f->failed_at < 0)
		f->failed_at = (int)(n - f->nodes);
	pthread_cond_broadcast(&f->changed);
	pthread_mutex_unlock(&f->lock);
}

static void *node_thread(void *arg)
{
	struct flow_node *n = arg;
	struct flow *f = n->f;
	bool go;

	pthread_mutex_lock(&f->lock);
	while (f->gate == GATE_CLOSED)
		pthread_cond_wait(&f->changed, &f->lock);
	go = f->gate == GATE_OPEN;
	pthread_mutex_unlock(&f->lock);
	if (!go)
		return NULL;
	n->result = n->def.run(n->def.ctx, n);
	ended(n);
	return NULL;
}

static void open_gate(struct flow *f, int gate)
{
	pthread_mutex_lock(&f->lock);
	f->gate = gate;
	pthread_cond_broadcast(&f->changed);
	pthread_mutex_unlock(&f->lock);
}

/* Signals are for the thread that the program started with. */
static int spawn(struct flow_node *n)
{
	sigset_t all, old;
	char short_name[16];
	int err;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	err = pthread_create(&n->thread, NULL, node_thread, n);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (err)
		return -err;
	snprintf(short_name, sizeof(short_name), "%.15s", n->name);
	pthread_setname_np(n->thread, short_name);
	n->started = true;
	n->state = FLOW_RUNS;
	return 0;
}

static void join_all(struct flow *f)
{
	for (unsigned int i = 0; i < f->n; i++) {
		if (f->nodes[i].started)
			pthread_join(f->nodes[i].thread, NULL);
		f->nodes[i].started = false;
	}
}

static int spawn_all(struct flow *f, char *err)
{
	for (unsigned int i = 0; i < f->n; i++) {
		struct flow_node *n = &f->nodes[i];
		int e;

		if (n->state == FLOW_BYPASSED)
			continue;
		e = spawn(n);
		if (e) {
			open_gate(f, GATE_CANCELLED);
			join_all(f);
			return err_set(err, -e, "%s: cannot start a thread: %s", n->name,
			               strerror(-e));
		}
		f->running++;
	}
	open_gate(f, GATE_OPEN);
	return 0;
}

static void fini_reverse(struct flow *f)
{
	for (unsigned int i = f->n; i > 0; i--) {
		struct flow_node *n = &f->nodes[i - 1];

		if (n->inited && n->def.fini)
			n->def.fini(n->def.ctx);
		n->inited = false;
	}
	f->done = true;
}

int flow_start(struct flow *f, char *err)
{
	int e = 0;

	for (unsigned int i = 0; i < f->n && !e; i++) {
		struct flow_node *n = &f->nodes[i];

		if (err)
			err[0] = '\0';
		e = n->def.init ? n->def.init(n->def.ctx, err) : 0;
		n->inited = !e;
		if (e && err && !err[0])
			err_set(err, -e, "%s: %s", n->name, strerror(-e));
	}
	if (!e) {
		bypass_idle(f);
		e = spawn_all(f, err);
	}
	if (e)
		fini_reverse(f);
	return e;
}

/* ---- ending ---- */

int flow_wait(struct flow *f, int timeout_ms)
{
	struct timespec at;
	int err = 0, over;

	clock_gettime(CLOCK_MONOTONIC, &at);
	at.tv_sec += timeout_ms / 1000;
	at.tv_nsec += timeout_ms % 1000 * 1000000L;
	if (at.tv_nsec >= 1000000000L)
		at.tv_sec++, at.tv_nsec -= 1000000000L;
	pthread_mutex_lock(&f->lock);
	while (f->running && f->failed_at < 0 && err != ETIMEDOUT) {
		if (timeout_ms < 0)
			pthread_cond_wait(&f->changed, &f->lock);
		else
			err = pthread_cond_timedwait(&f->changed, &f->lock, &at);
	}
	over = !f->running || f->failed_at >= 0;
	pthread_mutex_unlock(&f->lock);
	return over;
}

int flow_failed(struct flow *f, const char **name)
{
	int err = 0;

	pthread_mutex_lock(&f->lock);
	if (f->failed_at >= 0) {
		err = f->nodes[f->failed_at].result;
		if (name)
			*name = f->nodes[f->failed_at].name;
	}
	pthread_mutex_unlock(&f->lock);
	return err;
}

void flow_ask_stop(struct flow *f)
{
	f->stopping = true;
}

void flow_abort(struct flow *f)
{
	f->stopping = true;
	for (unsigned int i = 0; i < f->nqueues; i++)
		fanout_abort(f->queues[i]);
}

void flow_stop(struct flow *f)
{
	if (f->done)
		return;
	flow_ask_stop(f);
	join_all(f);
	for (unsigned int i = 0; i < f->n; i++) {
		struct flow_node *n = &f->nodes[i];

		if (n->inited && n->def.fini)
			n->def.fini(n->def.ctx);
		n->inited = false;
	}
	f->done = true;
}

void flow_free(struct flow *f)
{
	if (!f)
		return;
	flow_stop(f);
	for (unsigned int i = 0; i < f->nqueues; i++)
		fanout_free(f->queues[i]);
	pthread_cond_destroy(&f->changed);
	pthread_mutex_destroy(&f->lock);
	free(f);
}

/* ---- inside run ---- */

int flow_take(struct flow_node *self, void **item, int timeout_ms)
{
	int n = fanout_take(self->sub, item, timeout_ms);

	if (n > 0)
		atomic_fetch_add_explicit(&self->in, 1, memory_order_relaxed);
	atomic_store_explicit(&self->cpu_ns, thread_cpu_ns(), memory_order_relaxed);
	return n;
}

int flow_give(struct flow_node *self, void *item)
{
	atomic_fetch_add_explicit(&self->out, 1, memory_order_relaxed);
	atomic_store_explicit(&self->cpu_ns, thread_cpu_ns(), memory_order_relaxed);
	return fanout_push(self->def.out, item);
}

bool flow_stopping(const struct flow_node *self)
{
	return self->f->stopping;
}

/* ---- figures ---- */

size_t flow_stats(struct flow *f, struct flow_stats *out, size_t n)
{
	for (unsigned int i = 0; i < f->n && i < n; i++) {
		struct flow_node *node = &f->nodes[i];

		memcpy(out[i].name, node->name, sizeof(node->name));
		out[i].in = node->in;
		out[i].out = node->out;
		out[i].cpu_ns = node->cpu_ns;
		out[i].state = (__typeof__(out[i].state))node->state;
	}
	return f->n;
}

size_t flow_queue_stats(struct flow *f, struct fanout_stats *out, size_t n)
{
	size_t k = 0;

	for (unsigned int i = 0; i < f->nqueues; i++)
		k += fanout_stats(f->queues[i], k < n ? out + k : NULL, k < n ? n - k : 0);
	return k;
}

bool flow_stalled(struct flow *f, char name[FANOUT_NAME])
{
	for (unsigned int i = 0; i < f->nqueues; i++)
		if (fanout_stalled(f->queues[i], name))
			return true;
	return false;
}

static const char *const states[] = {
	[FLOW_NEW] = "new",     [FLOW_RUNS] = "runs",     [FLOW_BYPASSED] = "bypassed",
	[FLOW_ENDED] = "ended", [FLOW_FAILED] = "failed",
};

static void describe_queues(struct flow *f, struct buf *out)
{
	struct fanout_stats q[FLOW_NODES];
	size_t n = flow_queue_stats(f, q, FLOW_NODES);

	buf_fmt(out, "%-10s %-12s %9s %5s %9s %9s %8s %s\n", "QUEUE", "READER", "FILL", "HIGH",
	        "IN", "OUT", "DROPPED", "FULL");
	for (size_t i = 0; i < n && i < FLOW_NODES; i++) {
		char fill[24];

		snprintf(fill, sizeof(fill), "%u/%u", q[i].fill, q[i].room);
		buf_fmt(out, "%-10s %-12s %9s %5u %9" PRIu64 " %9" PRIu64 " %8" PRIu64 " %s\n",
		        q[i].queue, q[i].sub, fill, q[i].high, q[i].in, q[i].out, q[i].dropped,
		        q[i].policy == FANOUT_BLOCK ? "waits" : "drops");
	}
}

void flow_describe(struct flow *f, struct buf *out)
{
	struct flow_stats n[FLOW_NODES];
	char stalled[FANOUT_NAME];
	size_t count = flow_stats(f, n, FLOW_NODES);

	buf_fmt(out, "%-12s %10s %10s %10s  %s\n", "NODE", "IN", "OUT", "CPU MS", "STATE");
	for (size_t i = 0; i < count; i++)
		buf_fmt(out, "%-12s %10" PRIu64 " %10" PRIu64 " %10.1f  %s\n", n[i].name, n[i].in,
		        n[i].out, (double)n[i].cpu_ns / 1e6, states[n[i].state]);
	describe_queues(f, out);
	if (flow_stalled(f, stalled))
		buf_fmt(out, "held up by %s\n", stalled);
}
