// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * agg - rates, errors and durations of groups of spans: what is counted.
 *
 * The lock is held while a batch is added, or while a question is answered for
 * at most its budget: whoever adds has a buffer before it that takes longer to fill.
 */
#include "store/agg.h"

#include <errno.h>
#include <stdlib.h>

#include "store/agg_internal.h"

static const struct agg_column columns[] = {
	{ "service", "SERVICE", "service of the observed process", false },
	{ "route", "ROUTE", "route of HTTP requests", false },
	{ "level", "LEVEL", "what is spoken over HTTP", false },
	{ "name", "NAME", "span name: operation and what it is about", false },
	{ "op", "OP", "method, command, kind of statement", false },
	{ "proto", "PROTO", "protocol", false },
	{ "query", "QUERY", "statement or command, literals replaced", false },
	{ "peer", "PEER", "the other side: name or address, with the port of servers", false },
	{ "caller", "CALLER", "who asked: process, else address", false },
	{ "peer_process", "PEER PROCESS", "process at the other side, where it is on this host",
	  false },
	{ "topic", "TOPIC", "topic, queue, subject", false },
	{ "key", "KEY", "key pattern of caches", false },
	{ "status", "STATUS", "the protocol's own code", false },
	{ "error_type", "ERROR", "kind of error", false },
	{ "kind", "KIND", "server, client, producer, consumer, internal", false },
	{ "process", "PROCESS", "comm[pid] of the observed process", false },
	{ "comm", "COMMAND", "command name of the observed process", false },
	{ "pod", "POD", "pod of the observed process", false },
	{ "container_id", "CONTAINER", "container of the observed process", false },
	{ "conn", "CONN", "connection", true },
};

/*
 * What a key is made of. Columns of a class say much the same; the classes with
 * many values go into "(other)" when memory is spent.
 */
static const struct cube_def keys[] = {
	{ "kind", 0 },        { "error", 0 },   { "peer", 1 },          { "peer_ip", 1 },
	{ "peer_name", 1 },   { "query", 2 },   { "route", 3 },         { "name", 3 },
	{ "op", 4 },          { "key", 5 },     { "topic", 6 },         { "process", 7 },
	{ "pid", 7 },         { "comm", 7 },    { "status", 8 },        { "code", 8 },
	{ "service", 9 },     { "pod", 10 },    { "container_id", 10 }, { "proto", 11 },
	{ "error_type", 12 }, { "caller", 13 }, { "peer_process", 13 }, { "level", 4 },
};

const struct agg_column *agg_column(size_t i)
{
	return i < sizeof(columns) / sizeof(columns[0]) ? &columns[i] : NULL;
}

struct agg *agg_new(struct store *s, size_t budget_bytes)
{
	struct agg *a = calloc(1, sizeof(*a));

	if (!a)
		return NULL;
	a->store = s;
	pthread_mutex_init(&a->lock, NULL);
	if (!cube_init(&a->cube, keys, sizeof(keys) / sizeof(keys[0]), budget_bytes))
		return a;
	agg_free(a);
	errno = ENOMEM;
	return NULL;
}

void agg_free(struct agg *a)
{
	if (!a)
		return;
	cube_fini(&a->cube);
	pthread_mutex_destroy(&a->lock);
	free(a);
}

int agg_add(struct agg *a, const struct batch *b)
{
	int err = 0;

	pthread_mutex_lock(&a->lock);
	for (unsigned int i = 0; i < b->n + b->left_out; i++) {
		int e = b->items[i].table == TABLE_SPANS ? cube_add(&a->cube, b->items[i].row) : 0;

		err = e ? e : err;
	}
	cube_settle(&a->cube);
	a->batches++;
	pthread_mutex_unlock(&a->lock);
	return err;
}

void agg_stats(struct agg *a, struct agg_stats *out)
{
	pthread_mutex_lock(&a->lock);
	*out = (struct agg_stats){
		.first_ns = a->cube.first_ns,
		.last_ns = a->cube.last_ns,
		.spans = a->cube.spans,
		.keys = a->cube.nkeys,
		.other_spans = a->cube.folded_spans,
		.bytes = a->cube.bytes,
	};
	pthread_mutex_unlock(&a->lock);
}
