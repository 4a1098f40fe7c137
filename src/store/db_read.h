/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_STORE_DB_READ_H
#define OBI_STORE_DB_READ_H

/*
 * db_read - rows out of a SQLite file that writer_db wrote (-r x.db). The
 * schema of the file is never run: known columns of known tables are read by
 * name, defensively.
 */

#include "span/batch.h"

struct db_read;

/* NULL with errno and a message in err (ERR_TEXT bytes). */
struct db_read *db_read_open(const char *path, char *err);
/* Adds rows to b until it is full: their number, 0 at the end, -errno. */
int db_read_next(struct db_read *r, struct batch *b);
void db_read_close(struct db_read *r); /* NULL is fine */

#endif
