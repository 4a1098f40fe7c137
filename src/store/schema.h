/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_STORE_SCHEMA_H
#define OBI_STORE_SCHEMA_H

/* schema - columns.def as SQL. */

#include "span/span.h"

/*
 * The columns of t with their help as comments: "(\n\ttime TEXT, -- start ...".
 * With `exact`, durations that are shown in ms only follow once more in ns as
 * integers: a file must give back what was put into it.
 */
void schema_columns(struct buf *b, enum table t, bool exact);

/* The same columns in the same order, one by one; false past the last. */
struct schema_column {
	char name[64];
	const struct column *column; /* of columns.def */
	bool ns;                     /* the field of a duration as it is */
};
bool schema_column(enum table t, bool exact, unsigned int i, struct schema_column *out);

#endif
