// SPDX-License-Identifier: GPL-3.0-or-later
/* json - spans as JSON, one object a line; the keys are the columns. */
#include "write/writer.h"

#include <errno.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/json.h"
#include "write/lines.h"

static void put_flags(struct buf *b, uint32_t flags)
{
	const char *name;
	bool first = true;

	buf_ch(b, '[');
	for (unsigned int bit = 0; (name = span_flag_name(bit)); bit++) {
		if (!(flags & 1u << bit))
			continue;
		buf_fmt(b, first ? "\"%s\"" : ",\"%s\"", name);
		first = false;
	}
	buf_ch(b, ']');
}

static void put_number(struct buf *b, enum col_type type, int64_t v)
{
	if (v == COL_NULL)
		buf_z(b, "null");
	else if (type == COL_B)
		buf_z(b, v ? "true" : "false");
	else if (type == COL_MS)
		json_ms(b, v);
	else
		buf_i64(b, v);
}

static void put_text(struct buf *b, struct str s)
{
	if (s.s)
		json_str(b, s);
	else
		buf_z(b, "null");
}

static void put_column(struct buf *b, enum table t, unsigned int column, const void *row)
{
	const struct column *c = &tables[t].columns[column];
	const void *field = (const char *)row + c->offset;
	struct cell cell;

	switch (c->type) {
	case COL_T:
		put_text(b, *(const struct str *)field);
		break;
	case COL_J:
		json_value(b, *(const struct str *)field);
		break;
	case COL_F:
		put_flags(b, *(const uint32_t *)field);
		break;
	case COL_I:
	case COL_B:
	case COL_MS:
		put_number(b, c->type, *(const int64_t *)field);
		break;
	default:
		cell_get(t, column, row, &cell);
		put_text(b, cell.kind == CELL_NULL ? STR_NULL : cell.text);
	}
}

/* What is derived for SQL alone (V) is no key. With rows of all tables each object says which. */
static void put_row(struct lines *l, enum table t, const void *row)
{
	struct buf *b = &l->text;
	bool first = true;

	buf_ch(b, '{');
	if (l->tables) {
		buf_fmt(b, "\"table\":\"%s\"", tables[t].name);
		first = false;
	}
	for (unsigned int i = 0; i < tables[t].ncolumns; i++) {
		if (tables[t].columns[i].type == COL_V)
			continue;
		buf_z(b, first ? "\"" : ",\"");
		buf_z(b, tables[t].columns[i].name);
		buf_z(b, "\":");
		put_column(b, t, i, row);
		first = false;
	}
	buf_z(b, "}\n");
}

static int json_open(const struct writer_opts *o, void **state, char *err)
{
	struct lines *l = calloc(1, sizeof(*l));
	int e;

	if (!l)
		return err_set(err, ENOMEM, "cannot open the output: out of memory");
	l->tables = o->tables;
	l->put = put_row;
	e = lines_open(l, o, err);
	if (e)
		free(l);
	else
		*state = l;
	return e;
}

static int json_close(void *state, char *err)
{
	int e = lines_close(state, err);

	free(state);
	return e;
}

const struct writer writer_json = {
	.name = "json",
	.spans = true,
	.open = json_open,
	.rows = lines_rows,
	.flush = lines_flush,
	.close = json_close,
	.lost = lines_lost,
};
