/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_STORE_SCAN_H
#define OBI_STORE_SCAN_H

/*
 * scan - the rows of one table in a snapshot, in one of four ways: as stored,
 * by start_ns up or down, by the index of a column, or grouped by some columns.
 *
 * Terms only narrow: a row that is yielded may still fail them where SQL is
 * stricter, a row that is left out never fits.
 */

#include "store/group.h"
#include "store/snapshot.h"

struct term {
	enum { TERM_RANGE, TERM_TEXT, TERM_ID } kind;
	unsigned int col;
	int64_t lo, hi;  /* TERM_RANGE: lo <= value <= hi, not null */
	struct str text; /* TERM_TEXT */
	uint8_t id[16];  /* TERM_ID */
	unsigned int id_len;
	uint32_t known; /* offset of text in this segment, once met */
};

enum { SCAN_TERMS = 8 };

struct scan_run;
struct scan {
	/* what to do; set by the caller */
	const struct snapshot *snap;
	enum table table;
	const struct layout *layout;
	struct term terms[SCAN_TERMS];
	unsigned int nterms;
	int order; /* 1: by start_ns, -1: newest first, 0: as stored */
	int index; /* of layout->index; -1: none; terms[by] is its value */
	unsigned int by;
	bool none;                                     /* nothing fits */
	struct group_column by_columns[GROUP_COLUMNS]; /* sorted by these, if nby */
	unsigned int nby;
	bool (*stop)(void *ctx); /* asked now and then; true: give up */
	void *ctx;
	/* where it is */
	struct segment *seg;
	unsigned int row;
	bool eof;
	/* private */
	unsigned int pin, at, first, n;
	uint64_t hash;
	struct group *group;
	struct scan_run *runs;
	unsigned int nruns, nheap, next_run;
};

/* First row, or ->eof. 0, -ENOMEM or -EINTR (stopped). */
int scan_start(struct scan *s);
int scan_next(struct scan *s);
void scan_end(struct scan *s); /* keeps what to do */

#endif
