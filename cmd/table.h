/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_CMD_TABLE_H
#define OBI_CMD_TABLE_H

/*
 * table - rows of a query on a stream: aligned text, JSON lines, CSV and others.
 *
 * Text columns get their width from the first rows; what is wider later pushes
 * its line, and nothing is cut, unless they are to fit a screen (table_fit):
 * then long texts are cut with a sign, and columns that have no room are left
 * out and counted. Unknown is "-" in text, null in JSON, empty in CSV.
 */

#include <stdio.h>

#include "store/store.h"

enum table_mode {
	TABLE_TEXT,
	TABLE_JSON, /* one object a line */
	TABLE_CSV,
	TABLE_TABS, /* no quoting: tabs and line ends inside become \t, \n */
	TABLE_LINE, /* one column a line, a blank line between rows */
	TABLE_MARKDOWN,
	TABLE_MODES
};

/* "table", "json", ...; NULL past the end. */
const char *table_mode_name(unsigned int i);
/* TABLE_MODES where there is none of this name; "text" and "column" are "table". */
enum table_mode table_mode_of(const char *name);

struct table_out;
struct table_out *table_new(FILE *f, enum table_mode mode); /* NULL with errno */
/* For sql_run(); valid as long as the table. */
const struct sql_sink *table_sink(struct table_out *t);
/* Prints what is held back; ready for the next statement. 0, or -EPIPE and the like. */
int table_end(struct table_out *t);
void table_free(struct table_out *t);

/* ---- settings, between statements ---- */

void table_to(struct table_out *t, FILE *f);
void table_mode(struct table_out *t, enum table_mode mode);
void table_heads(struct table_out *t, bool on); /* names of the columns; on at first */
/* Text fits a screen of so many columns, a rule below the names; 0: nothing is cut. */
void table_fit(struct table_out *t, int screen);
/* Widths of the first n text columns, 0: as needed; copied. -E2BIG: too many. */
int table_widths(struct table_out *t, const int *widths, size_t n);

/* Of the last statement with rows, also after table_end(). */
struct table_count {
	uint64_t rows;
	int columns, hidden; /* hidden: had no room on the screen */
};
struct table_count table_count(const struct table_out *t);

#endif
