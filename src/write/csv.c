// SPDX-License-Identifier: GPL-3.0-or-later
/* csv - spans as comma-separated values (RFC 4180, with LF for CR LF,), a header line first. */
#include "write/writer.h"

#include <errno.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/json.h"
#include "write/columns.h"
#include "write/lines.h"

struct csv_out {
	struct lines lines; /* the first member: lines_rows() and others see only this */
	struct columns columns;
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
		buf_csv(b, cell.text);
}

static void put_header(struct csv_out *w)
{
	for (unsigned int i = 0; i < w->columns.n; i++)
		buf_fmt(&w->lines.text, "%s%s", i ? "," : "",
		        tables[TABLE_SPANS].columns[w->columns.at[i]].name);
	buf_z(&w->lines.text, "\n");
}

static void put_row(struct lines *l, enum table t, const void *row)
{
	const struct csv_out *w = (const void *)l;

	(void)t;
	for (unsigned int c = 0; c < w->columns.n; c++) {
		if (c)
			buf_ch(&l->text, ',');
		put_cell(&l->text, w->columns.at[c], row);
	}
	buf_z(&l->text, "\n");
}

static int csv_close(void *state, char *err)
{
	struct csv_out *w = state;
	int e = lines_close(&w->lines, err);

	free(w);
	return e;
}

static int csv_open(const struct writer_opts *o, void **state, char *err)
{
	struct csv_out *w = calloc(1, sizeof(*w));
	int e;

	if (!w)
		return err_set(err, ENOMEM, "cannot open the output: out of memory");
	w->lines.put = put_row;
	e = all_columns(&w->columns, o->columns, err);
	if (!e)
		e = lines_open(&w->lines, o, err);
	if (!e) {
		put_header(w);
		e = lines_write(&w->lines);
	}
	if (e) {
		csv_close(w, err);
		return e;
	}
	*state = w;
	return 0;
}

const struct writer writer_csv = {
	.name = "csv",
	.spans = true,
	.open = csv_open,
	.rows = lines_rows,
	.flush = lines_flush,
	.close = csv_close,
	.lost = lines_lost,
};
