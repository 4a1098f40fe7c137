/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_STORE_AGG_INTERNAL_H
#define OBI_STORE_AGG_INTERNAL_H

/* agg_internal - what the files of agg share. */

#include <pthread.h>

#include "store/agg_table.h"
#include "store/follow.h"

struct agg {
	pthread_mutex_t lock; /* of all but store */
	struct store *store;
	struct cube cube;
	uint64_t batches;
};

/* Whether a key fits the expression. */
struct agg_verdict {
	uint64_t serial; /* 0: not known */
	bool keep;
};

struct agg_view {
	struct agg *a;
	char *by[AGG_BY], *expr;
	unsigned int nby, spark;
	int64_t from_ns, to_ns;
	struct filter *filter;        /* over keys */
	uint32_t reads_classes;       /* that the filter reads */
	struct agg_verdict *verdicts; /* by slot */
	uint32_t nverdicts;

	bool stored; /* from rows */
	struct follow follow;
	struct cube own;

	/* how far the answer is */
	struct agg_table table;
	struct agg_window window;
	enum { STEP_KEYS, STEP_SUMS, STEP_DONE } step;
	uint32_t pos;            /* STEP_KEYS: next key */
	uint64_t serial;         /* of the answer */
	uint64_t batches, folds; /* of the cube when it began */
};

static inline struct cube *agg_cube(struct agg_view *v)
{
	return v->stored ? &v->own : &v->a->cube;
}

enum { AGG_JUDGE = 128 };
/* Verdicts for the keys from .. to - 1, at most AGG_JUDGE. 0 or -errno. */
int agg_judge(struct agg_view *v, uint32_t from, uint32_t to);

#endif
