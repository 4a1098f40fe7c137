/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_CMD_TABLE_H
#define OBI_CMD_TABLE_H

/*
 * table - rows of a query on standard output: aligned text, JSON lines or CSV.
 *
 * Text columns get their width from the first rows; what is wider later pushes
 * its line, nothing is cut. Unknown is "-" in text, null in JSON, empty in CSV.
 */

#include <stdio.h>

#include "store/store.h"

enum table_mode { TABLE_TEXT, TABLE_JSON, TABLE_CSV };

struct table_out;
struct table_out *table_new(FILE *f, enum table_mode mode); /* NULL with errno */
/* For sql_run(); valid as long as the table. */
const struct sql_sink *table_sink(struct table_out *t);
/* Prints what is held back; ready for the next statement. 0, or -EPIPE and the like. */
int table_end(struct table_out *t);
uint64_t table_rows(const struct table_out *t); /* since the last table_end() */
void table_free(struct table_out *t);

#endif
