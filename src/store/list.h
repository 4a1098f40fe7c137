/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_STORE_LIST_H
#define OBI_STORE_LIST_H

/*
 * list - the rows of one table that fit an expression, in an order, kept up with
 * the store as it grows: what a screen shows.
 *
 * A list remembers the numbers of its rows, not the rows. It looks only at rows
 * that came since the last update, so that an update costs what is new, not what
 * is there; a new list looks at everything once, in slices of a budget, newest
 * rows first, so that the first page is there at once. One thread at a time,
 * list_cancel() from any.
 */

#include "store/store.h"

struct list;

struct list_spec {
	enum table table;
	const char *where;      /* SQL over the columns of the table; NULL: all rows */
	const char *order;      /* column to sort by; NULL: the start, or as stored */
	bool desc;              /* greatest first */
	int64_t from_ns, to_ns; /* of start_ns: from <= start < to; 0: open */
	bool answered;          /* spans: the window is of start + duration, as in agg.h */
};

/* `spec` is copied. NULL with words in err (ERR_TEXT bytes) where the expression is wrong. */
struct list *list_new(struct store *s, const struct list_spec *spec, char *err);
void list_free(struct list *l);

/*
 * Goes on for about budget_ms, at least one slice. 0: complete as of the newest
 * row; 1: there is more to look at; -errno with words in err (-ECANCELED after list_cancel(); the
 * next call goes on). Rows that were evicted leave the list.
 */
int list_update(struct list *l, int budget_ms, char *err);
void list_cancel(struct list *l);

struct list_state {
	size_t n;             /* rows that fit, so far */
	uint64_t seen, total; /* rows looked at, of those that there are: "partial N%" */
	uint64_t gone;        /* spans that fitted and were evicted since */
};
void list_state(const struct list *l, struct list_state *out);

/*
 * Number of the row at place i (0 first); lasting, never reused. i < n. A
 * connection or process keeps its number when a newer row replaces its older one.
 */
uint64_t list_id(const struct list *l, size_t i);
/* The place of a row; false where it is not in the list (any more). */
bool list_find(const struct list *l, uint64_t id, size_t *i);
/*
 * The row at place i into `row` (struct span, struct conn_row ... by table), its
 * texts in a. 0, -ESTALE where it was evicted meanwhile, -ENOMEM.
 */
int list_get(const struct list *l, size_t i, struct arena *a, void *row);

#endif
