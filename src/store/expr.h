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
 * "SELECT rowid FROM t WHERE (expr)" for a database of query_open(); expr was
 * checked. *denied as there. 0 or -errno with words in err.
 */
int expr_prepare(sqlite3 *db, enum table t, const char *expr, const char *const *denied,
                 sqlite3_stmt **st, char *err);

/*
 * Which columns of t it reads, by number in tables[t]; *all is false where it
 * reads something else of the row (its rowid) too. 0 or -errno with words in err.
 */
int expr_reads(const char *expr, enum table t, bool *reads, bool *all, char *err);

#endif
