// SPDX-License-Identifier: GPL-3.0-or-later
/* csv - spans as comma-separated values (RFC 4180, with LF for CR LF,), a header line first. */
#include "write/writer.h"

#include <errno.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/json.h"
#include "write/columns.h"
#include "write/sink.h"

struct csv_out {
	struct sink *sink;
	struct columns columns;
	struct buf lines;
	uint64_t given, written;
};

/* Every column of the table, in its order. */
static int all_columns(struct columns *c, const char *spec, char *err)
{
	const struct table_def *t = &tables[TABLE_SPANS];
	struct buf def = { 0 };
	int e;

	for (unsigned int i = 0; i < t->ncolumns; i++)
		if (t->columns[i].type != COL_V)
			buf_fmt(&def, "%s%s", def.len ? "," : "", t->columns[i].name);
	buf_ch(&def, '\0');
	e = def.failed ? err_set(err, ENOMEM, "cannot open the output: out of memory")
	               : columns_choose(c, def.p, spec, err);
	buf_free(&def);
	return e;
}

static void put_quoted(struct buf *b, struct str s)
{
	bool quote = false;

	for (size_t i = 0; i < s.len && !quote; i++)
		quote = s.s[i] == '"' || s.s[i] == ',' || s.s[i] == '\n' || s.s[i] == '\r';
	if (!quote && s.len) {
		buf_str(b, s);
		return;
	}
	buf_ch(b, '"'); /* an empty text is quoted: unknown is not */
	for (size_t i = 0; i < s.len; i++) {
		if (s.s[i] == '"')
			buf_ch(b, '"');
		buf_ch(b, s.s[i]);
	}
	buf_ch(b, '"');
}

/* Captured text meets terminals here too: escaped, as in text output. */
static void put_field(struct buf *b, struct str s)
{
	struct buf escaped = { 0 };

	buf_escape(&escaped, s);
	put_quoted(b, buf_slice(&escaped));
	buf_free(&escaped);
}

static void put_cell(struct buf *b, unsigned int column, const void *row)
{
	const struct column *c = &tables[TABLE_SPANS].columns[column];
	struct cell cell;

	if (c->type == COL_MS) { /* exact, where a real number is rounded */
		int64_t ns = *(const int64_t *)((const char *)row + c->offset);

		if (ns != COL_NULL)
			json_ms(b, ns);
		return;
	}
	cell_get(TABLE_SPANS, column, row, &cell);
	if (cell.kind == CELL_INT)
		buf_i64(b, cell.i);
	else if (cell.kind == CELL_TEXT || cell.kind == CELL_JSON)
		put_field(b, cell.text);
}

static void put_header(struct csv_out *w)
{
	for (unsigned int i = 0; i < w->columns.n; i++)
		buf_fmt(&w->lines, "%s%s", i ? "," : "",
		        tables[TABLE_SPANS].columns[w->columns.at[i]].name);
	buf_z(&w->lines, "\n");
}

static int csv_close(void *state, char *err)
{
	struct csv_out *w = state;
	int e = w->sink ? sink_close(w->sink, err) : 0;

	buf_free(&w->lines);
	free(w);
	return e;
}

static int csv_open(const struct writer_opts *o, void **state, char *err)
{
	struct csv_out *w = calloc(1, sizeof(*w));
	int e;

	if (!w)
		return err_set(err, ENOMEM, "cannot open the output: out of memory");
	e = all_columns(&w->columns, o->columns, err);
	if (!e) {
		w->sink = sink_open(o, NULL, SINK_PLAIN, err);
		e = w->sink ? 0 : -errno;
	}
	if (!e) {
		put_header(w);
		e = sink_write(w->sink, buf_slice(&w->lines));
	}
	if (e) {
		csv_close(w, err);
		return e;
	}
	*state = w;
	return 0;
}

static int csv_rows(void *state, const struct batch *b)
{
	struct csv_out *w = state;
	uint64_t rows = 0;
	int err;

	buf_clear(&w->lines);
	for (unsigned int i = 0; i < b->n; i++) {
		if (b->items[i].table != TABLE_SPANS)
			continue;
		for (unsigned int c = 0; c < w->columns.n; c++) {
			if (c)
				buf_ch(&w->lines, ',');
			put_cell(&w->lines, w->columns.at[c], b->items[i].row);
		}
		buf_z(&w->lines, "\n");
		rows++;
	}
	w->given += rows;
	err = w->lines.failed ? -ENOMEM : sink_write(w->sink, buf_slice(&w->lines));
	if (!err)
		w->written += rows;
	return err;
}

static int csv_flush(void *state)
{
	return sink_flush(((struct csv_out *)state)->sink);
}

static uint64_t csv_lost(void *state)
{
	const struct csv_out *w = state;

	return w->given - w->written;
}

const struct writer writer_csv = {
	.name = "csv",
	.open = csv_open,
	.rows = csv_rows,
	.flush = csv_flush,
	.close = csv_close,
	.lost = csv_lost,
};
