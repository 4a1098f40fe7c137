// SPDX-License-Identifier: GPL-3.0-or-later
/* schema - columns.def as SQL. */
#include "store/schema.h"

#include <stdio.h>

static const char *sql_type(enum col_type t)
{
	switch (t) {
	case COL_I:
	case COL_B:
	case COL_V:
		return "INTEGER";
	case COL_MS:
		return "REAL";
	case COL_T:
	case COL_J:
	case COL_AT:
	case COL_X16:
	case COL_X8:
	case COL_F:
		break;
	}
	return "TEXT";
}

/* "dur_ns" of the column "dur_ms". */
static void ns_name(const struct column *c, char *out, size_t n)
{
	snprintf(out, n, "%.*s_ns", (int)strlen(c->name) - 3, c->name);
}

static bool needs_ns(enum table t, const struct column *c)
{
	char name[64];

	ns_name(c, name, sizeof(name));
	return c->type == COL_MS && column_find(t, str_of(name)) < 0;
}

bool schema_column(enum table t, bool exact, unsigned int i, struct schema_column *out)
{
	const struct table_def *def = &tables[t];

	*out = (struct schema_column){ .ns = i >= def->ncolumns };
	if (!out->ns) {
		out->column = &def->columns[i];
		snprintf(out->name, sizeof(out->name), "%s", out->column->name);
		return true;
	}
	i -= def->ncolumns;
	for (unsigned int c = 0; exact && c < def->ncolumns; c++) {
		if (!needs_ns(t, &def->columns[c]) || i--)
			continue;
		out->column = &def->columns[c];
		ns_name(out->column, out->name, sizeof(out->name));
		return true;
	}
	return false;
}

void schema_columns(struct buf *b, enum table t, bool exact)
{
	struct schema_column c, next;
	bool more = schema_column(t, exact, 0, &c);

	buf_z(b, "(\n");
	for (unsigned int i = 1; more; i++, c = next) {
		more = schema_column(t, exact, i, &next);
		buf_fmt(b, "\t%s %s%s -- %s%s\n", c.name,
		        c.ns ? "INTEGER" : sql_type(c.column->type), more ? "," : "",
		        c.column->help, c.ns ? ": the same in ns" : "");
	}
	buf_z(b, ")");
}
