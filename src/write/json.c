// SPDX-License-Identifier: GPL-3.0-or-later
/* json - spans as JSON, one object a line; the keys are the columns. */
#include "write/writer.h"

#include <errno.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/json.h"
#include "write/sink.h"

struct json_out {
	struct sink *sink;
	struct buf lines;
	bool tables; /* rows of all tables: each object says which */
	uint64_t given, written;
};

static int json_out_open(const struct writer_opts *o, void **state, char *err)
{
	struct json_out *w = calloc(1, sizeof(*w));

	if (!w)
		return err_set(err, ENOMEM, "cannot open the output: out of memory");
	w->tables = o->tables;
	w->sink = sink_open(o, NULL, SINK_PLAIN, err);
	if (!w->sink) {
		int e = -errno;

		free(w);
		return e;
	}
	*state = w;
	return 0;
}

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

/* What is derived for SQL alone (V) is no key. */
static void put_row(struct json_out *w, enum table t, const void *row)
{
	struct buf *b = &w->lines;
	bool first = true;

	buf_ch(b, '{');
	if (w->tables) {
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

static int json_out_rows(void *state, const struct batch *b)
{
	struct json_out *w = state;
	uint64_t rows = 0;
	int err;

	buf_clear(&w->lines);
	for (unsigned int i = 0; i < b->n; i++) {
		if (b->items[i].table != TABLE_SPANS && !w->tables)
			continue;
		put_row(w, b->items[i].table, b->items[i].row);
		rows++;
	}
	w->given += rows;
	err = w->lines.failed ? -ENOMEM : sink_write(w->sink, buf_slice(&w->lines));
	if (!err)
		w->written += rows;
	return err;
}

static int json_out_flush(void *state)
{
	return sink_flush(((struct json_out *)state)->sink);
}

static int json_out_close(void *state, char *err)
{
	struct json_out *w = state;
	int e = sink_close(w->sink, err);

	buf_free(&w->lines);
	free(w);
	return e;
}

static uint64_t json_out_lost(void *state)
{
	const struct json_out *w = state;

	return w->given - w->written;
}

const struct writer writer_json = {
	.name = "json",
	.open = json_out_open,
	.rows = json_out_rows,
	.flush = json_out_flush,
	.close = json_out_close,
	.lost = json_out_lost,
};
