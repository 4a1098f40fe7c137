/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_STORE_HINT_H
#define OBI_STORE_HINT_H

/* hint - SQL that would be answered wrongly, and messages that say what to do. */

#include "span/span.h"

/*
 * A text column compared with a number: SQL would answer, but not what was
 * meant ('1000' < '99'). Looks at the text of the statement: column, operator,
 * number side by side, in either order, IN and BETWEEN too. What it cannot see
 * (a number behind an expression) is caught by plan_apply() where the operator
 * is =, and else compared as SQLite does. Names given with AS are left alone.
 * `only`: the table, or TABLE_MAX: those named in sql. 0, or -EINVAL with the
 * hint in err (ERR_TEXT bytes).
 */
int hint_check(const char *sql, enum table only, char *err);

/* The hint for a comparison of this column with value; sqlite3_free() it. */
char *hint_text_column(const char *column, const char *value);

/*
 * SQLite's message in words for people, with "did you mean" for names that are
 * like one of ours. Into err (ERR_TEXT bytes, may be NULL).
 */
void hint_message(const char *message, const char *sql, enum table only, char *err);

#endif
