/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_GATHER_H
#define OBI_GATHER_H

/*
 * gather - the reader's side of the pipeline: records out of a capture into
 * batches, each process's identity put in front of its first record, all of it
 * into a raw recording where one is asked for.
 */

#include <stdatomic.h>

#include "base/flow.h"
#include "capture/capture.h"

/* Records in ring order; shared by reference. */
struct rbatch {
	uint8_t *bytes;
	size_t used, cap;
	uint64_t seq; /* number of the first record */
	unsigned int n;
	atomic_uint refs;
	struct rbatch_pool *home; /* where it goes when nobody holds it */
};

/* Calls fn for each record of b with its number. */
void rbatch_each(const struct rbatch *b,
                 void (*fn)(void *ctx, const struct ev_head *rec, size_t size, uint64_t seq),
                 void *ctx);
void rbatch_ref(void *batch);
void rbatch_put(void *batch);

struct gather_opts {
	struct capture *capture;
	struct record_writer *raw; /* NULL: none; owned by the caller */
	bool ask_who;              /* live: /proc is that of the processes in the records */
};

/* The run of a node: until the recording ends, the flow stops, or nobody takes the batches. 0 or -errno. */
int gather_run(const struct gather_opts *o, struct flow_node *self);

#endif
