/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_WRITE_LINES_H
#define OBI_WRITE_LINES_H

/*
 * lines - what writers of one line a row have in common: a sink, the lines of a
 * batch, and the count of rows that did not get there.
 */

#include "write/sink.h"

struct lines {
	struct sink *sink;
	struct buf text;
	uint64_t given, written; /* rows */
	bool tables;             /* rows of all tables, not spans only */
	/* Appends the line of one row to l->text. */
	void (*put)(struct lines *l, enum table t, const void *row);
};

/* Opens the sink; 0 or -errno with a message in err. */
int lines_open(struct lines *l, const struct writer_opts *o, char *err);
int lines_write(struct lines *l); /* what is in l->text */
int lines_close(struct lines *l, char *err);

/* Functions of a writer whose state begins with a struct lines. */
int lines_rows(void *state, const struct batch *b);
int lines_flush(void *state);
uint64_t lines_lost(void *state);

#endif
