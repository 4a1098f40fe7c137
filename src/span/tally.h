/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_SPAN_TALLY_H
#define OBI_SPAN_TALLY_H

/*
 * tally - what a run has seen so far, in a few numbers: for the summary at the
 * end and for the explanation of an empty screen. One thread adds; others read a
 * copy under a lock.
 */

#include "base/exphist.h"
#include "span/batch.h"

enum { TALLY_PROTOS = 32, TALLY_GROUPS = 256, TALLY_WHAT = 96 };

struct tally_proto {
	char name[24];
	uint64_t seen, shown, errors;
	uint64_t undecoded; /* connections of it that were given up */
	char why[96];       /* why they were, the last reason */
};

/* Requests of one kind, for "busiest". */
struct tally_group {
	char proto[16], what[TALLY_WHAT];
	uint64_t count, total_ns;
};

struct tally_counts {
	uint64_t seen, shown, errors; /* spans */
	uint64_t sampled_out; /* would be shown, but for the sampling; counted in all the rest */
	uint64_t total_ns;    /* sum of the durations shown */
	struct exphist dur;   /* of the shown ones with a duration */
	struct tally_proto protos[TALLY_PROTOS];
	unsigned int nprotos;
	struct tally_group groups[TALLY_GROUPS];
	unsigned int ngroups;
	uint64_t other; /* spans in groups beyond those kept */
	/* The slowest one shown. */
	int64_t slowest_ns; /* -1: none */
	char slowest[TALLY_WHAT + 32], slowest_trace[33];
};

struct tally;
struct tally *tally_new(void); /* NULL with errno */
/* keep[i]: item i is shown; NULL: all are. Those behind b->n were sampled out. */
void tally_add(struct tally *t, const struct batch *b, const bool *keep);
void tally_get(struct tally *t, struct tally_counts *out);
void tally_free(struct tally *t);

#endif
