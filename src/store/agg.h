/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_STORE_AGG_H
#define OBI_STORE_AGG_H

/*
 * agg - rates, errors and durations of groups of spans, as they stream in.
 *
 * Each span is counted once, in the cell of its key (all columns that can be
 * grouped by, but conn) and of the second in which it was answered: start +
 * duration, or the start where it has none. That is the time that windows mean. A cell holds counts, sums and an
 * exponential histogram of durations (scale 5: a percentile is off by at most
 * 1.1% of its value). Cells add up: any grouping, any window and any filter over
 * key columns is a sum of cells, so counts are exact even where the spans
 * themselves were evicted from the store. Cells of older seconds are merged into
 * tens of seconds, then minutes, then hours; a window is widened to whole cells.
 * Memory is bounded: beyond it the rarest keys give up the column that has most
 * values, which becomes "(other)": sums stay whole.
 *
 * What cells cannot answer (a filter over other columns, grouping by conn) is
 * computed from the rows that the store holds, in slices of a budget; the answer
 * says so, and how much of the capture it covers.
 *
 * One thread adds (agg_add), any thread asks.
 */

#include "store/store.h"

enum {
	AGG_BY = 4,     /* columns to group by, at most */
	AGG_SPARK = 60, /* points of a sparkline */
	AGG_BINS = 24,  /* bins of a histogram for the eye, powers of two from 62.5 us */
};

struct agg;
struct agg *agg_new(struct store *s, size_t budget_bytes); /* NULL with errno */
void agg_free(struct agg *a);
/* All spans of b; other rows are left alone. 0, or -ENOMEM: some are not counted. */
int agg_add(struct agg *a, const struct batch *b);

/* Columns of spans that can be grouped by, with what a person calls them; NULL past the end. */
struct agg_column {
	const char *name;  /* service route peer query topic key pod process conn status ... */
	const char *title; /* head of the column on the screen */
	const char *help;
	bool stored; /* not in the cells: computed from the store */
};
const struct agg_column *agg_column(size_t i);

struct agg_query {
	const char *by[AGG_BY]; /* names; a NULL ends; none: one group of everything */
	const char *filter;     /* SQL over the columns of spans; NULL: all */
	int64_t from_ns, to_ns; /* window, Unix ns: from <= answered < to; 0: open */
	unsigned int spark;     /* points wanted over the window, at most AGG_SPARK */
};

struct agg_row {
	struct str by[AGG_BY]; /* values; STR_NULL: unknown */
	bool other;            /* sum of what did not fit: by[] does not say what */
	uint64_t groups;       /* groups in it: 1, or those of "(other)", about */
	uint64_t count, errors;
	uint64_t timed;                 /* of count: those with a duration */
	int64_t sum_ns, max_ns;         /* COL_NULL: none has a duration */
	int64_t p50_ns, p95_ns, p99_ns; /* likewise */
	uint64_t req_bytes, resp_bytes;
	uint32_t spark[AGG_SPARK]; /* count by point, oldest first */
};

struct agg_answer {
	struct agg_row *rows; /* in no order */
	size_t n;
	struct agg_row total;   /* of all rows, percentiles too */
	int64_t from_ns, to_ns; /* the window that was answered: open ends filled in */
	unsigned int spark;     /* points used */
	unsigned int percent;   /* of what there is that was looked at: < 100: partial */
	uint64_t serial;        /* of the same view: equal ones are the same answer */
	bool from_store;        /* computed from rows that the store holds */
	uint64_t evicted;       /* from_store: spans that are in no row any more */
	struct arena mem;       /* rows and texts */
};

/* A question that is asked again and again while the capture goes on. */
struct agg_view;
/* `q` is copied. NULL with words in err (ERR_TEXT bytes) where a name or the filter is wrong. */
struct agg_view *agg_view(struct agg *a, const struct agg_query *q, char *err);
/* Another window for the same question; cheap. */
void agg_view_window(struct agg_view *v, int64_t from_ns, int64_t to_ns);
/*
 * The answer now, after work of about budget_ms at most: 0, 1: partial, ask again;
 * -errno with words in err. `out` is zeroed before; agg_answer_free() after.
 */
int agg_view_ask(struct agg_view *v, int budget_ms, struct agg_answer *out, char *err);
void agg_view_free(struct agg_view *v);
void agg_answer_free(struct agg_answer *a);

/* One group in full: `by` values as of a row of an answer. */
struct agg_detail {
	uint64_t
		bins[AGG_BINS]; /* durations: below 62.5 us, below 125 us, ... the last: the rest */
	/* over time: points x bins, for a heat map; counts */
	uint32_t heat[AGG_SPARK][AGG_BINS];
	unsigned int points;
};
int agg_view_detail(struct agg_view *v, const struct str by[AGG_BY], struct agg_detail *out);
/* The lower edge of bin i in ns. */
int64_t agg_bin_ns(unsigned int i);

struct agg_stats {
	int64_t first_ns, last_ns; /* first start and last time counted, 0: none */
	uint64_t spans, keys;      /* spans counted, different keys */
	uint64_t other_spans;      /* of them, in keys that gave something up */
	size_t bytes;
};
void agg_stats(struct agg *a, struct agg_stats *out);

#endif
