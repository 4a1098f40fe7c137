/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_BASE_FLOW_H
#define OBI_BASE_FLOW_H

/*
 * flow - a small dataflow runtime: nodes with a thread each, joined by fan-out
 * queues (fanout.h).
 *
 *	f = flow_new();
 *	rows = flow_queue(f, "rows", batch_ref_fn, batch_put_fn);
 *	flow_add(f, &(struct flow_def){ .name = "parse", .run = parse, .out = rows });
 *	flow_add(f, &(struct flow_def){ .name = "store", .run = store, .in = rows });
 *	err = flow_start(f, text);	all of them, or none and the reason
 *	flow_wait(f, -1);
 *	flow_stop(f);			sources end, the rest drains in order
 *	flow_free(f);
 *
 * A node has an init (in the order of flow_add, before any thread runs; may
 * fail for what nothing works without), a run (its thread), and a fini (after
 * the threads, in the order of flow_add; after a failed init in reverse). When
 * its run returns, the node has left its input and closed its output; the
 * queue behind it closes with the last producer.
 *
 * A node that has nothing to do is left out: whoever reads its output reads its
 * input instead, and it gets no thread.
 */

#include "base/fanout.h"
#include "base/str.h"

enum { FLOW_NODES = 32, FLOW_ROOM = 64 };

struct flow;
struct flow_node;

struct flow_def {
	const char *name; /* copied */
	void *ctx;
	/* 0 or -errno with words in err (ERR_TEXT bytes). May be NULL. */
	int (*init)(void *ctx, char *err);
	/* Asked after every init: true, and the node is bypassed. Needs in and out. May be NULL. */
	bool (*idle)(void *ctx);
	/* 0, or -errno: then flow_wait() ends. */
	int (*run)(void *ctx, struct flow_node *self);
	void (*fini)(void *ctx);   /* after a successful init only, bypassed or not. May be NULL. */
	struct fanout *in, *out;   /* NULL: a source, a sink */
	unsigned int room;         /* of the buffer at the input; 0: FLOW_ROOM */
	enum fanout_policy policy; /* when that is full */
};

struct flow *flow_new(void);
/* A queue that the flow owns; NULL with errno. */
struct fanout *flow_queue(struct flow *f, const char *name, void (*ref)(void *item),
                          void (*put)(void *item));
/* 0 or -errno. Before flow_start(). */
int flow_add(struct flow *f, const struct flow_def *def);
/* A waiting producer names who holds it after so long; default FANOUT_STALL_MS. */
void flow_stall_after(struct flow *f, int ms);

/* Every init, then all threads at once. 0, or the -errno of a node with its words in err. */
int flow_start(struct flow *f, char *err);
/* 1: every node has ended, or one with an error; 0 after timeout_ms (-1: never). */
int flow_wait(struct flow *f, int timeout_ms);
/* The first error of a run, 0 if none; *name (may be NULL): whose. */
int flow_failed(struct flow *f, const char **name);
void flow_ask_stop(struct flow *f); /* sources see flow_stopping(); returns at once */
void flow_abort(struct flow *f);    /* likewise, and nobody waits for a full buffer any more */
void flow_stop(struct flow *f);     /* flow_ask_stop(), then waits until all is drained; fini */
void flow_free(struct flow *f);     /* stops first if need be; NULL is fine */

/* ---- inside run ---- */

/* 1 and an item that the node owns; 0: nothing will follow; -ETIMEDOUT. */
int flow_take(struct flow_node *self, void **item, int timeout_ms);
/* Hands one reference on; as fanout_push(). The node has an output. */
int flow_give(struct flow_node *self, void *item);
bool flow_stopping(const struct flow_node *self);

/* ---- figures, any thread ---- */

struct flow_stats {
	char name[FANOUT_NAME];
	uint64_t in, out; /* items taken and given */
	uint64_t cpu_ns;  /* of its thread */
	enum { FLOW_NEW, FLOW_RUNS, FLOW_BYPASSED, FLOW_ENDED, FLOW_FAILED } state;
};
size_t flow_stats(struct flow *f, struct flow_stats *out, size_t n);
size_t flow_queue_stats(struct flow *f, struct fanout_stats *out, size_t n);
/* The subscriber that holds its producers for too long now; false: none. */
bool flow_stalled(struct flow *f, char name[FANOUT_NAME]);
/* Both tables as text, under 80 columns. */
void flow_describe(struct flow *f, struct buf *out);

#endif
