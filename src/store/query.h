/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_STORE_QUERY_H
#define OBI_STORE_QUERY_H

/* query - an SQLite connection that shows a source and can do nothing else. */

#include "store/vtab.h"

/*
 * An in-memory database with the tables and functions over src, closed to
 * everything but reading. *denied is set to what a refused statement wanted.
 * NULL with errno.
 */
sqlite3 *query_open(struct vtab_source *src, const char **denied);

#endif
