/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_RECORDER_H
#define OBI_RECORDER_H

/*
 * recorder - a recording that is switched on and off while the capture runs: an
 * output that is always there and passes on what comes while a file is open.
 */

#include "base/flow.h"
#include "store/store.h"
#include "write/writer.h"

struct recorder;
struct recorder *recorder_new(const struct run_info *run, struct store *s); /* NULL with errno */
void recorder_free(struct recorder *r);

/* The node: ctx is the recorder. */
int recorder_run(void *ctx, struct flow_node *self);
void recorder_fini(void *ctx); /* closes what is open */

/*
 * Begins a file (its name says the format), with the connections and processes
 * that are known; what was recorded before is ended first. path NULL: only ends.
 * Any thread but the node's. 0, or -errno with words in err.
 */
int recorder_switch(struct recorder *r, const char *path, char *err);

struct recorder_stats {
	bool on;
	uint64_t spans, lost; /* of all files so far: written; not written after an error */
	char why[512];        /* the last error */
};
void recorder_stats(struct recorder *r, struct recorder_stats *out);

#endif
