/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_PROTO_SQL_H
#define OBI_PROTO_SQL_H

/*
 * sql - what can be said about a statement without a grammar: its text without
 * literals, its summary, its verb, the trace context in its comments.
 *
 * One lexer for all dialects. Text may be cut anywhere, may be no SQL at all,
 * and may hold any byte: a literal that is cut goes to the end of the text, so
 * that its rest is never taken for anything else. Strings are read as the
 * servers read them by default (standard_conforming_strings on, no ANSI_QUOTES,
 * no NO_BACKSLASH_ESCAPES).
 */

#include "base/str.h"

enum sql_dialect { SQL_POSTGRESQL, SQL_MYSQL, SQL_CLICKHOUSE, SQL_MSSQL, SQL_DIALECTS };

enum { SQL_SUMMARY_MAX = 255 };

/* The dialect of a protocol, by its name; that of PostgreSQL where it has none of its own. */
static inline enum sql_dialect sql_dialect(struct str proto)
{
	return str_is(proto, "mysql")        ? SQL_MYSQL
	       : str_is(proto, "clickhouse") ? SQL_CLICKHOUSE
	       : str_is(proto, "couchbase")  ? SQL_MYSQL
	       : str_is(proto, "mssql")      ? SQL_MSSQL
	                                     : SQL_POSTGRESQL;
}

/*
 * The statement with literals as ?, without comments, blanks collapsed; lists
 * of values after IN, VALUES and ARRAY as one (?). Placeholders ($1, ?) outside
 * of such lists, case and quoted names stay. Writes at most cap bytes, whole
 * tokens only, no NUL; returns their number. out == text.s is not allowed.
 * Doing it twice changes nothing.
 */
size_t sql_normalise(struct str text, enum sql_dialect dialect, char *out, size_t cap);

/*
 * Operations and what they work on, in order and as written: "SELECT songs
 * artists", "INSERT shipping_details SELECT orders"; several statements:
 * "BATCH INSERT songs". At most SQL_SUMMARY_MAX bytes, cut between words.
 */
size_t sql_summary(struct str text, enum sql_dialect dialect, char *out, size_t cap);

/*
 * The verb in capitals, a constant: SELECT, BEGIN; that of the main statement
 * after WITH. "OTHER" where it is none that is known, "" where there is none.
 */
struct str sql_op(struct str text, enum sql_dialect dialect);

/*
 * The traceparent that a comment carries (sqlcommenter); "" if there is none.
 */
struct str sql_traceparent(struct str text, enum sql_dialect dialect);

#endif
