/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_UI_SHEET_H
#define OBI_UI_SHEET_H

/*
 * sheet - the rows of a statement as a table to look around in: refreshed while
 * the capture goes on, sorted, filtered, searched, marked, written; one row in
 * full beside it or below. Views of SQL are made of it: connections, processes,
 * named queries, what a person asks at `;`.
 *
 * A view's state begins with a struct sheet; its functions are those of struct
 * view. sheet_open() comes first, with the statement and the columns.
 */

#include "ui/answer.h"
#include "ui/app.h"
#include "ui/detail.h"
#include "ui/table.h"

struct sheet;

struct sheet_spec {
	const struct tbl_col *cols; /* by column of the statement; NULL: as it names them */
	const char *key;            /* column that tells rows apart; NULL: their place */
	const char *error;          /* column that is > 0 where something failed; NULL: none */
	const char *what;           /* "connections": of what there are none yet */
	bool aging;                 /* its figures change while no rows come */
	/* The statement, without order and limit. */
	void (*sql)(struct sheet *s, struct buf *out);
	/* Before each time it is asked: parameters that change. May be NULL. */
	void (*before)(struct sheet *s);
	/* A cell; ROLE_MAX: as it is. NULL: all as they are. */
	enum role (*cell)(struct sheet *s, const struct tbl_col *col, struct buf *out);
	/* After rows came: may put them into an order of its own (sheet.order). May be NULL. */
	void (*arrange)(struct sheet *s);
	/* All that is known of the row; NULL: its columns. */
	void (*detail)(struct sheet *s, struct detail *d);
	/* Into the row; NULL: its detail. */
	enum handled (*enter)(struct sheet *s);
};

struct sheet {
	struct pane *pane;
	const struct sheet_spec *spec;
	struct answer_param params[ANSWER_PARAMS]; /* borrowed */
	size_t nparams;
	int every_ms; /* 0: the interval of the options */

	struct answer *shown;   /* rows on the screen; NULL: none yet */
	struct answer *running; /* those that come next; NULL: none are asked for */
	char err[512];          /* why there are no new ones */
	bool plain;             /* sql() is asked for a person: no parameters */
	bool again;             /* ask, whatever has come since */
	uint64_t version;       /* of the store, as asked last */
	double next;            /* app_seconds() */

	struct tbl table;
	struct tbl_col made[TBL_COLS + 1]; /* without spec->cols */
	char names[TBL_COLS][64];
	size_t *order; /* row at each place; NULL: as the statement has them */
	size_t row;    /* that cell() is asked about */
	char filter[PROMPT_TEXT];

	/* While a filter is typed: how many rows fit. */
	struct answer *trial;

	struct detail detail;
	uint64_t open_id;
	bool stale; /* the detail is not of these rows */
	bool detailed, full, in_detail;
};

int sheet_open(struct pane *p, const struct sheet_spec *spec, const char *sort, bool desc,
               char *err);
void sheet_close(struct pane *p);
/* After the statement has changed. */
void sheet_again(struct sheet *s);
/* Stops the statement that runs; false: none does. */
bool sheet_stop(struct sheet *s);
/* A value of the row that cell() or detail() is asked about. */
struct str sheet_value(const struct sheet *s, const char *column);
int64_t sheet_number(const struct sheet *s, const char *column); /* COL_NULL: unknown */

/* For enter(): the trace that the row names, where it does; else the row in full. */
enum handled sheet_to_trace(struct sheet *s);

/* It has been asking for so long that a person wants to be told. */
bool sheet_is_slow(const struct sheet *s);

/* Functions of struct view. */
int sheet_ask(struct pane *p, int budget_ms, char *err);
void sheet_draw(struct pane *p, struct grid *g, struct rect r);
enum handled sheet_act(struct pane *p, enum action a, const char *key);
enum handled sheet_mouse(struct pane *p, const struct key *k);
void sheet_status(struct pane *p, struct buf *left, struct buf *right);
void sheet_sql(struct pane *p, struct buf *out);
void sheet_copy(struct pane *p, struct buf *out);
int sheet_write(struct pane *p, const char *path, char *err);
int sheet_columns(struct pane *p, const char *spec, char *err);

/* ---- between the files of the sheet ---- */

extern const struct tbl_source sheet_source;
/* The statement with filter and order; `count`: how many rows fit `where`. */
void sheet_statement(struct sheet *s, const char *where, bool count, struct buf *out);
/* Why the rows may not be all that there are; NULL: they are all. */
const char *sheet_is_cut(const struct sheet *s);
bool sheet_load(struct sheet *s);                  /* the row of the cursor */
bool sheet_failed(struct sheet *s);                /* the loaded row is of something that failed */
int sheet_seek_on(struct sheet *s, int budget_ms); /* search; 1: more to do */
enum handled sheet_sort(struct sheet *s, const struct tbl_col *c, bool invert);
enum handled sheet_show_detail(struct sheet *s, bool full);
enum handled sheet_hide_detail(struct sheet *s);

/* ---- how figures are shown ---- */

void sheet_csv(struct buf *out, struct str s); /* a field of CSV, quoted where it must be */
void sheet_bytes(struct buf *out, int64_t n);  /* 634  12.3k  1.20M */
void sheet_age(struct buf *out, int64_t ns);   /* 1.50ms  12.4s  3m20s */

#endif
