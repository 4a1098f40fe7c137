/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_TESTS_ROWS_H
#define OBI_TESTS_ROWS_H

/* rows - made-up rows of every table, and rows as text to compare them. */

#include "span/batch.h"

/*
 * Fills b with rows of all tables: each column unknown or not by chance,
 * numbers at the ends of their range, texts with NUL, escapes, several scripts,
 * bytes that are no UTF-8. The same seed gives the same rows.
 */
void rows_fill(struct batch *b, unsigned int seed, bool clean_names);

/* One row as text; every row's text is different (trace_id, or a column with a number). */
void rows_text(struct buf *out, enum table t, const void *row);

/* All rows of b, sorted by their text, one a line. Freed by the caller. */
char *rows_sorted(struct batch *const *batches, unsigned int n);

#endif
