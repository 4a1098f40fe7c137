/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_PIPELINE_H
#define OBI_PIPELINE_H

/*
 * pipeline - the stages tied together: which nodes run, and what is between
 * them. Only session.c uses it.
 *
 *	live, .obiraw:  read --records--> ingest --rows--> store, outputs
 *	other files:                      load   --rows--> store, outputs
 */

#include "base/flow.h"
#include "capture/capture.h"
#include "ingest.h"
#include "session.h"

struct pipeline {
	const struct session_opts *opts;
	struct run_info run;
	struct flow *flow;
	struct fanout *records, *rows;
	struct batch_pool *pool;
	struct tally *tally;
	struct store *store;
	struct agg *agg;           /* NULL: none; filled by the thread of the store */
	struct recorder *recorder; /* NULL: no store */
	struct capture *capture;   /* NULL: rows come from files */
	struct reader *first;      /* the first of these, open already */
	struct record_writer *raw;
	struct ingest *ingest;
	struct flow_node *emitter; /* whose output ingest's rows are */
	uint64_t bad_records;
	struct out {
		struct pipeline *p;
		const struct output *def;
		void *state;
		int error; /* the first one */
		char err[512];
		uint64_t lost;
	} outs[SESSION_OUTPUTS];
};

/* Makes the nodes for p->opts; capture, tally and store are there already. 0 or -errno, words in err. */
int pipeline_build(struct pipeline *p, char *err);

#endif
