/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_SPAN_SPAN_H
#define OBI_SPAN_SPAN_H

/*
 * span - the rows that everything after the parsers uses: spans, connections,
 * processes, facts about the capture. Their fields are the columns of
 * columns.def; nothing here knows SQL, JSON or OTLP.
 *
 * Text fields are slices into the arena of the batch that carries the row; who
 * keeps a row longer copies them. Unknown is STR_NULL or COL_NULL, never 0.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

#define COL_NULL INT64_MIN

/* Fields by column type; see columns.def. */
#define COL_FIELD_T(name)  struct str name;
#define COL_FIELD_J(name)  struct str name;
#define COL_FIELD_I(name)  int64_t name;
#define COL_FIELD_B(name)  int64_t name;
#define COL_FIELD_MS(name) int64_t name##_ns;
#define COL_FIELD_AT(name)
#define COL_FIELD_X16(name) uint8_t name[16];
#define COL_FIELD_X8(name)  uint8_t name[8];
#define COL_FIELD_F(name)   uint32_t name;
#define COL_FIELD_V(name)

struct span {
#define SPAN_COLUMNS(type, name, otlp, help) COL_FIELD_##type(name)
#include "span/columns.def"
#undef SPAN_COLUMNS
};

struct conn_row {
#define CONN_COLUMNS(type, name, otlp, help) COL_FIELD_##type(name)
#include "span/columns.def"
#undef CONN_COLUMNS
};

struct proc_row {
#define PROC_COLUMNS(type, name, otlp, help) COL_FIELD_##type(name)
#include "span/columns.def"
#undef PROC_COLUMNS
};

struct capture_row {
#define CAPTURE_COLUMNS(type, name, otlp, help) COL_FIELD_##type(name)
#include "span/columns.def"
#undef CAPTURE_COLUMNS
};

/* What limits a row. X(bit, name, help) */
#define SPAN_FLAGS(X)                                                                         \
	X(0, CUT, "cut", "payload was left out on purpose; a text or the end may be missing") \
	X(1, GAP, "gap", "bytes inside were lost")                                            \
	X(2, JOINED_MID, "joined-mid", "the connection was open before tracing began")        \
	X(3, GUESSED_PARENT, "guessed-parent", "the parent is likely, not proven")            \
	X(4, PRE_ATTACH, "pre-attach", "began before tracing began")                          \
	X(5, OPEN, "open", "no answer had come when the capture or the connection ended")     \
	X(6, CLAMPED, "clamped", "clocks disagreed; a time was moved to keep the order")      \
	X(7, BLOCKED, "blocked", "the start may be late: only the end of the call was seen")  \
	X(8, TRUNCATED, "truncated", "a text was longer than obi keeps")                      \
	X(9, GUESSED_PROTO, "guessed-proto", "the protocol was found by heuristics")          \
	X(10, FOREIGN, "foreign", "read from a file that another program wrote")              \
	X(11, UNSAMPLED, "unsampled", "the trace context that came with it says: not sampled")

enum {
#define X(bit, NAME, text, help) SPAN_F_##NAME = 1 << (bit),
	SPAN_FLAGS(X)
#undef X
};

/* Name of flag `bit`, NULL past the last. */
const char *span_flag_name(unsigned int bit);

/* The kinds of rows. */
enum table { TABLE_SPANS, TABLE_CONNECTIONS, TABLE_PROCESSES, TABLE_CAPTURE, TABLE_MAX };

enum col_type { COL_T, COL_I, COL_B, COL_MS, COL_AT, COL_X16, COL_X8, COL_J, COL_F, COL_V };

/* A column as data, generated from columns.def; for SQL, JSON, OTLP and help alike. */
struct column {
	const char *name, *otlp, *help;
	enum col_type type;
	unsigned int offset; /* of the field in the row struct; AT: of start_ns; V: of its name */
};

struct table_def {
	const char *name;  /* "spans" */
	const char *event; /* OTLP log event name, "obi.conn"; NULL for spans */
	const struct column *columns;
	unsigned int ncolumns;
	unsigned int row_size;
};

extern const struct table_def tables[TABLE_MAX];

/* Index of the column by name in tables[t], -1 where there is none. */
int column_find(enum table t, struct str name);

/* One cell of a row, as SQL and JSON show it; CELL_NULL is unknown. */
struct cell {
	enum { CELL_NULL, CELL_TEXT, CELL_INT, CELL_REAL, CELL_JSON } kind;
	struct str text; /* CELL_TEXT, CELL_JSON; may point into scratch */
	int64_t i;       /* CELL_INT */
	double d;        /* CELL_REAL */
	char scratch[160];
};
void cell_get(enum table t, unsigned int column, const void *row, struct cell *out);
/* The same from the field alone, wherever it lies (aligned). */
void cell_of(enum col_type type, const void *field, struct cell *out);

/* All fields unknown. */
void row_init(enum table t, void *row);

#endif
