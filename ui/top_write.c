// SPDX-License-Identifier: GPL-3.0-or-later
/* top_write - the groups as they are listed into a file: CSV, or JSON one object a line. */
#include <errno.h>
#include <math.h>

#include "base/err.h"
#include "base/json.h"
#include "base/own.h"
#include "ui/sheet.h"
#include "ui/top.h"

static bool wanted(const struct top *t, enum rank_col c)
{
	return c <= RANK_WINDOW || (t->has_base && c >= RANK_RATE_CHANGE);
}

static void number(const struct top *t, const struct rank_row *row, enum rank_col c, bool csv,
                   struct buf *b)
{
	double v = rank_value(&t->rank, row, c);

	if (!csv && isnan(v))
		buf_z(b, "null");
	else if (rank_column(c)->whole && !isnan(v))
		buf_u64(b, (uint64_t)v);
	else if (!isnan(v))
		buf_fmt(b, "%.9g", v);
}

static void group(const struct rank_row *row, unsigned int i, bool csv, struct buf *b)
{
	struct str s = row->rest ? STR("(other)") : row->row.by[i];

	if (csv)
		sheet_csv(b, s);
	else if (s.s)
		json_str(b, s);
	else
		buf_z(b, "null");
}

/* row NULL: the names, of CSV. */
static void line(const struct top *t, const struct rank_row *row, bool csv, struct buf *b)
{
	bool first = true;

	for (unsigned int i = 0; i < t->rank.nby + RANK_COLS; i++) {
		bool by = i < t->rank.nby;
		enum rank_col c = by ? RANK_COUNT : (enum rank_col)(i - t->rank.nby);
		const char *name = by ? t->rank.by[i] : rank_column(c)->name;

		if (!by && !wanted(t, c))
			continue;
		buf_z(b, first ? (csv ? "" : "{") : ",");
		first = false;
		if (!csv)
			buf_fmt(b, "\"%s\":", name);
		if (!row)
			buf_z(b, name);
		else if (by)
			group(row, i, csv, b);
		else
			number(t, row, c, csv, b);
	}
	buf_z(b, csv ? "\n" : "}\n");
}

static uint64_t lines(struct top *t, bool csv, struct buf *b)
{
	uint64_t n = 0;

	if (csv)
		line(t, NULL, true, b);
	for (size_t i = 0; i < t->rank.n; i++) {
		const struct rank_row *row = &t->rank.rows[i];

		if (t->table.nmarks && !tbl_marked(&t->table, rank_id(&t->rank, row)))
			continue;
		line(t, row, csv, b);
		n++;
	}
	return n;
}

int top_write(struct top *t, const char *path, char *err)
{
	struct str name = str_of(path);
	bool csv = name.len > 4 && !strcmp(path + name.len - 4, ".csv");
	struct buf b = { 0 }, n = { 0 };
	int e;

	if (!csv && !(name.len > 5 && !strcmp(path + name.len - 5, ".json")))
		return err_set(err, EINVAL, "%s: unknown ending; use .csv, .json", path);
	if (!t->has_rank || t->percent < 100)
		return err_set(err, EAGAIN, "nothing is counted to the end yet");
	app_count(&n, lines(t, csv, &b));
	e = b.failed ? -ENOMEM : own_write(path, buf_slice(&b));
	if (e)
		err_set(err, -e, "cannot write %s: %s", path, strerror(-e));
	else
		app_say(t->pane->app, "%.*s groups written to %s", STR_ARG(buf_slice(&n)), path);
	buf_free(&b), buf_free(&n);
	return e;
}
