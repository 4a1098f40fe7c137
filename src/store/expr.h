/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_STORE_EXPR_H
#define OBI_STORE_EXPR_H

/* expr - a boolean SQL expression over the columns of one table, checked and prepared. */

#include "store/query.h"

/*
 * No sub-selects, parameters or semicolons; no text column compared with a
 * number. 0, or -errno with words in err (ERR_TEXT bytes).
 */
int expr_check(const char *expr, enum table t, char *err);

/*
 * "SELECT rowid FROM t WHERE (expr) AND (also)" for a database of query_open();
 * expr was checked; expr and also may be NULL. *denied as there. 0 or -errno with
 * words in err.
 */
int expr_prepare(sqlite3 *db, enum table t, const char *expr, const char *also,
                 const char *const *denied, sqlite3_stmt **st, char *err);

#endif
