// SPDX-License-Identifier: GPL-3.0-or-later
/* sheet_write - marked rows of a statement, or all, into a file: CSV, or JSON one object a line. */
#include <errno.h>

#include "base/err.h"
#include "base/json.h"
#include "base/own.h"
#include "ui/sheet.h"

void sheet_csv(struct buf *b, struct str s)
{
	bool quote = false;

	for (size_t i = 0; i < s.len; i++)
		quote = quote || memchr(",\"\r\n", s.s[i], 4);
	if (!quote) {
		buf_str(b, s);
		return;
	}
	buf_ch(b, '"');
	for (size_t i = 0; i < s.len; i++) {
		if (s.s[i] == '"')
			buf_ch(b, '"');
		buf_ch(b, s.s[i]);
	}
	buf_ch(b, '"');
}

static void csv_row(struct buf *b, const struct answer_rows *rows, const struct answer_cell *c)
{
	for (unsigned int i = 0; i < rows->ncols; i++) {
		if (i)
			buf_ch(b, ',');
		sheet_csv(b, c ? (struct str){ c[i].s, c[i].len } : str_of(rows->names[i]));
	}
	buf_ch(b, '\n');
}

static void json_row(struct buf *b, const struct answer_rows *rows, const struct answer_cell *c)
{
	for (unsigned int i = 0; i < rows->ncols; i++) {
		struct str v = { c[i].s, c[i].len };

		buf_ch(b, i ? ',' : '{');
		json_str(b, str_of(rows->names[i]));
		buf_ch(b, ':');
		if (!v.s)
			buf_z(b, "null");
		else if (c[i].number)
			json_value(b, v);
		else
			json_str(b, v);
	}
	buf_z(b, "}\n");
}

static uint64_t all_rows(struct sheet *s, bool csv, struct buf *b)
{
	const struct answer_rows *rows = answer_rows(s->shown);
	uint64_t n = 0;

	if (csv)
		csv_row(b, rows, NULL);
	for (size_t i = 0; i < rows->n; i++) {
		const struct answer_cell *c = rows->cells + i * rows->ncols;

		if (s->table.nmarks && !tbl_marked(&s->table, sheet_source.id(s, i)))
			continue;
		if (csv)
			csv_row(b, rows, c);
		else
			json_row(b, rows, c);
		n++;
	}
	return n;
}

int sheet_write(struct pane *p, const char *path, char *err)
{
	struct sheet *s = p->state;
	struct str name = str_of(path);
	bool csv = name.len > 4 && !strcmp(path + name.len - 4, ".csv");
	struct buf b = { 0 }, n = { 0 };
	const char *cut = s->table.nmarks ? NULL : sheet_is_cut(s);
	int e;

	if (!csv && !(name.len > 5 && !strcmp(path + name.len - 5, ".json")))
		return err_set(err, EINVAL, "%s: unknown ending; use .csv, .json", path);
	if (!s->shown)
		return err_set(err, EAGAIN, "there are no rows yet");
	app_count(&n, all_rows(s, csv, &b));
	e = b.failed ? -ENOMEM : own_write(path, buf_slice(&b));
	if (e)
		err_set(err, -e, "cannot write %s: %s", path, strerror(-e));
	else
		app_say(p->app, "%.*s rows written to %s%s%s", STR_ARG(buf_slice(&n)), path,
		        cut ? "; " : "", cut ? cut : "");
	buf_free(&b), buf_free(&n);
	return e;
}
