/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_STORE_RANK_H
#define OBI_STORE_RANK_H

/*
 * rank - groups in an order, with rates and shares: what `obi top` shows.
 *
 * rank_take() takes an answer of agg: the first `top` groups in the order that is
 * asked for, and one row that is the sum of all others, so that columns add up to
 * the whole. With a baseline, an earlier rank, columns tell how each group has
 * changed since.
 */

#include "store/agg.h"

enum rank_col {
	RANK_COUNT,
	RANK_RATE,
	RANK_ERRORS,
	RANK_ERROR_PCT,
	RANK_P50,
	RANK_P95,
	RANK_P99,
	RANK_MAX,
	RANK_TOTAL_PCT,
	RANK_WINDOW,
	RANK_MEAN,
	RANK_REQ_BYTES,
	RANK_RESP_BYTES,
	RANK_RATE_CHANGE, /* from here on: against the baseline */
	RANK_ERROR_CHANGE,
	RANK_P50_CHANGE,
	RANK_P95_CHANGE,
	RANK_COLS
};

struct rank_column {
	const char *name, *title, *help;
	bool whole; /* a number of things */
};
const struct rank_column *rank_column(enum rank_col c);
/* RANK_COLS: none of this name. */
enum rank_col rank_col_of(const char *name);

struct rank_row {
	struct agg_row row;
	const struct agg_row *base; /* in the baseline; NULL: none, or a new group */
	bool rest;                  /* sum of the groups that are not in the list */
	bool alert;                 /* the expression holds */
};

struct rank {
	struct agg_answer answer;
	struct rank_row *rows; /* n of them, the last is the rest where there is one */
	size_t n;
	const char *by[AGG_BY]; /* literals of agg_column() */
	unsigned int nby;
	double seconds;                /* that rates are over; 0: not known */
	const struct rank *base;       /* the baseline; NULL: none */
	const struct agg_row **sorted; /* rows of the answer by their values, for the baseline */
};

struct rank_expr;

struct rank_spec {
	const char *sort; /* name of a column, also one grouped by; NULL: total_pct */
	bool asc;
	size_t top;               /* 0: all */
	int64_t first_ns, end_ns; /* of the capture, Unix ns: rates are over no more */
	const struct rank *base;  /* lives as long as the rank; NULL: none */
	struct rank_expr *alert;  /* NULL: none */
};

/*
 * `v` has answered `a`, which becomes the rank's. `by` are the names of its
 * question. 0 or -errno; rank_free() in any case.
 */
int rank_take(struct rank *r, struct agg_view *v, struct agg_answer *a, const char *const *by,
              const struct rank_spec *spec);
/* Time has gone by without new answers: rates are over more. */
void rank_time(struct rank *r, const struct rank_spec *spec);
void rank_free(struct rank *r);

/* NAN: unknown. */
double rank_value(const struct rank *r, const struct rank_row *row, enum rank_col c);
/* As people read it: "412.7", "2,318"; "-" where it is unknown. */
void rank_text(enum rank_col c, double value, struct buf *out);
/* The name of group i of by[], as people read it. */
void rank_name(const struct rank_row *row, unsigned int i, struct buf *out);
/* A number for all that tells a group: never 0; the rest has one too. */
uint64_t rank_id(const struct rank *r, const struct rank_row *row);
uint64_t rank_id_of(const struct str *by, unsigned int n);

/*
 * The names in "a,b" as literals of agg_column() into by[], the rest NULL; their number. -EINVAL with
 * words in err.
 */
int rank_by(const char *names, const char *by[AGG_BY], char *err);
/*
 * A sort as "COL" or "COL:asc" into spec: a column of numbers, greatest first, or one of by[], in the
 * order of the alphabet. 0 or -EINVAL with words in err; name[] holds what spec->sort points to.
 */
enum { RANK_NAME = 32 };
int rank_sort(const char *sort, const char *const *by, char name[RANK_NAME], struct rank_spec *spec,
              char *err);
/* What people group requests of a protocol by: "query", "route", "topic,kind"; NULL: nothing of its own. */
const char *rank_by_of(struct str proto);

/* Columns of figures in an order. */
struct rank_columns {
	enum rank_col col[RANK_COLS];
	unsigned int n;
};
/*
 * "a,b" (these alone) or "+c,-d" (with and without) over those in c; names of by[] are fine, groups
 * are always shown. 0 or -EINVAL with words in err.
 */
int rank_columns(const char *spec, const char *const *by, struct rank_columns *c, char *err);

/* SQL that a span of the group fits, added to out. False: the row is no single group. */
bool rank_where(const struct rank *r, const struct rank_row *row, struct buf *out);

/* ---- rank_expr.c ---- */

/* A boolean expression over the columns of a row. NULL with words in err. */
struct rank_expr *rank_expr_new(const char *expr, const char *const *by, char *err);
/* 1: holds, 0: does not or is unknown, -errno. */
int rank_expr_run(struct rank_expr *e, const struct rank *r, const struct rank_row *row);
void rank_expr_free(struct rank_expr *e);

/* ---- agg_rest.c: for rank_take() ---- */

/*
 * Percentiles and the greatest duration of all groups of v's last answer but the n in
 * `kept`; counts and sums are left alone. 0 or -errno.
 */
int rank_rest(struct agg_view *v, const struct rank_row *kept, size_t n, struct agg_row *out);

#endif
