// SPDX-License-Identifier: GPL-3.0-or-later
/* sheet - the rows of a statement as a table: asking, and what the table wants to know. */
#include "ui/sheet.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/err.h"

enum { SETTLED_S = 5 /* a slower statement is looked after now and then */ };

static const struct tbl_col no_columns[] = { { 0 } };

int sheet_open(struct pane *p, const struct sheet_spec *spec, const char *sort, bool desc,
               char *err)
{
	struct sheet *s = p->state;

	s->pane = p;
	s->spec = spec;
	s->again = true;
	tbl_init(&s->table, spec->cols ? spec->cols : no_columns, &sheet_source, s);
	s->table.sort = sort;
	s->table.desc = desc;
	return app_store(p->app) ? 0 : err_set(err, EAGAIN, "nothing is captured yet");
}

void sheet_close(struct pane *p)
{
	struct sheet *s = p->state;

	answer_free(s->running);
	answer_free(s->shown);
	answer_free(s->trial);
	detail_free(&s->detail);
	free(s->order);
}

void sheet_again(struct sheet *s)
{
	s->again = true;
	s->err[0] = 0;
	app_touch(s->pane->app);
}

bool sheet_stop(struct sheet *s)
{
	if (!s->running)
		return false;
	answer_cancel(s->running);
	return true;
}

/* ---- the statement ---- */

/* Without the semicolon and blanks behind: something may follow. */
static void put_base(struct sheet *s, struct buf *out)
{
	s->spec->sql(s, out);
	while (out->len && strchr(" \t\r\n;", out->p[out->len - 1]))
		out->len--;
}

void sheet_statement(struct sheet *s, const char *where, bool count, struct buf *out)
{
	bool order = s->table.sort && !count;

	if (!count && !*where && !order) {
		put_base(s, out);
		buf_ch(out, 0);
		return;
	}
	buf_z(out, count ? "select count(*) from (\n" : "select * from (\n");
	put_base(s, out);
	buf_z(out, "\n)");
	if (*where)
		buf_fmt(out, " where %s\n", where);
	if (order)
		buf_fmt(out, " order by \"%s\"%s", s->table.sort, s->table.desc ? " desc" : "");
	if (order && s->spec->key) /* rows that are alike do not jump */
		buf_fmt(out, ", \"%s\"", s->spec->key);
	buf_ch(out, 0);
}

/* ---- asking ---- */

/* Tells whether rows have come since; a recording's "now" counts too. */
static uint64_t version(const struct sheet *s)
{
	const struct store_stats *st = &app_counts(s->pane->app)->store;
	uint64_t v = 1;

	for (int t = 0; t < TABLE_MAX; t++)
		v += st->rows[t] + st->evicted[t];
	if (app_opts(s->pane->app)->replay)
		v = v * 31 + (uint64_t)app_now(s->pane->app) + app_over(s->pane->app);
	return v;
}

static bool due(const struct sheet *s)
{
	struct app *a = s->pane->app;
	bool news = version(s) != s->version || (s->spec->aging && !app_over(a));

	if (s->again)
		return true;
	if (app_paused(a) || s->err[0] || !news)
		return false;
	return app_over(a) || app_seconds(a) >= s->next;
}

static void begin(struct sheet *s)
{
	struct buf sql = { 0 };

	if (s->spec->before)
		s->spec->before(s);
	sheet_statement(s, s->filter, false, &sql);
	s->version = version(s);
	s->again = false;
	if (!sql.failed)
		s->running = answer_start(app_store(s->pane->app), sql.p, s->params, s->nparams);
	if (!s->running)
		snprintf(s->err, sizeof(s->err), "cannot ask: out of memory");
	buf_free(&sql);
}

static unsigned int longest(const struct answer *a, int col)
{
	const struct answer_rows *rows = answer_rows(a);
	uint32_t most = (uint32_t)strlen(rows->names[col]);

	for (size_t i = 0; i < rows->n; i++) {
		const struct answer_cell *c = &rows->cells[i * rows->ncols + (unsigned int)col];

		most = c->len > most ? c->len : most;
	}
	return most;
}

static bool all_numbers(const struct answer *a, int col)
{
	const struct answer_rows *rows = answer_rows(a);
	bool any = false;

	for (size_t i = 0; i < rows->n; i++) {
		const struct answer_cell *c = &rows->cells[i * rows->ncols + (unsigned int)col];

		if (c->s && !c->number)
			return false;
		any = any || c->s;
	}
	return any;
}

static bool same_columns(const struct sheet *s, const struct answer_rows *rows)
{
	unsigned int i = 0;

	while (i < rows->ncols && s->made[i].name && !strcmp(s->made[i].name, rows->names[i]))
		i++;
	return i && !s->made[i].name && i == rows->ncols;
}

/* Columns as the statement names them; widths by what is in them. */
static void make_columns(struct sheet *s)
{
	const struct answer_rows *rows = answer_rows(s->shown);
	unsigned int n = rows->ncols < TBL_COLS - 1 ? rows->ncols : TBL_COLS - 1;
	const char *sort = s->table.sort;
	bool desc = s->table.desc, same = same_columns(s, rows);
	int page = s->table.page;

	for (unsigned int i = 0; i < n; i++) {
		int most = (int)longest(s->shown, (int)i);

		snprintf(s->names[i], sizeof(s->names[i]), "%s", rows->names[i]);
		most = most < 3 ? 3 : most > 300 ? 300 : most;
		s->made[i] = (struct tbl_col){
			.name = s->names[i],
			.title = s->names[i],
			.width = most < 12 ? most : 12,
			.max = most,
			.priority = (int)i + 1,
			.right = all_numbers(s->shown, (int)i),
		};
	}
	s->made[n] = (struct tbl_col){ 0 };
	if (same)
		return;
	tbl_init(&s->table, s->made, &sheet_source, s);
	s->table.page = page;
	for (unsigned int i = 0; sort && i < n; i++)
		if (!strcmp(sort, s->names[i]))
			s->table.sort = s->names[i];
	s->table.desc = desc && s->table.sort;
}

static void take(struct sheet *s)
{
	struct app *a = s->pane->app;
	double took = answer_seconds(s->running), every = s->every_ms / 1e3;

	if (answer_error(s->running, s->err)) {
		answer_free(s->running);
	} else {
		s->err[0] = 0;
		answer_free(s->shown);
		s->shown = s->running;
		if (!s->spec->cols)
			make_columns(s);
		free(s->order);
		s->order = NULL;
		if (s->spec->arrange)
			s->spec->arrange(s);
	}
	s->running = NULL;
	s->stale = true;
	every = every > 0 ? every : app_opts(a)->interval_ms / 1e3;
	s->next = app_seconds(a) + (every > took * 4 ? every : took * 4);
	app_touch(a);
}

bool sheet_is_slow(const struct sheet *s)
{
	return s->running && answer_seconds(s->running) > 0.08; /* before it is felt */
}

int sheet_ask(struct pane *p, int budget_ms, char *err)
{
	struct sheet *s = p->state;

	(void)err;
	if (sheet_seek_on(s, budget_ms))
		return 1;
	if (!s->running && due(s))
		begin(s);
	if (s->trial && !answer_wait(s->trial, s->running ? 0 : budget_ms)) {
		app_touch(p->app);
		return 1;
	}
	if (!s->running)
		return 0;
	if (answer_wait(s->running, budget_ms)) {
		take(s);
		return due(s);
	}
	if (sheet_is_slow(s))
		app_touch(p->app); /* how long it has been */
	return answer_seconds(s->running) < SETTLED_S;
}

/* ---- rows ---- */

const char *sheet_is_cut(const struct sheet *s)
{
	const struct answer_rows *rows = s->shown ? answer_rows(s->shown) : NULL;
	uint64_t limit;

	if (rows && rows->more)
		return "there are more";
	for (size_t i = 0; rows && i < s->nparams; i++)
		if (!strcmp(s->params[i].name, "limit") &&
		    str_u64(str_of(s->params[i].value), &limit) && rows->n >= limit)
			return "the limit of the query; there may be more";
	return NULL;
}

struct str sheet_value(const struct sheet *s, const char *column)
{
	return s->shown ? answer_text(s->shown, s->row, answer_column(s->shown, column)) : STR_NULL;
}

int64_t sheet_number(const struct sheet *s, const char *column)
{
	struct str v = sheet_value(s, column);
	char text[32];

	if (!v.len || v.len >= sizeof(text))
		return COL_NULL;
	memcpy(text, v.s, v.len);
	text[v.len] = 0;
	return (int64_t)strtoll(text, NULL, 10);
}

static size_t source_count(void *ctx)
{
	const struct sheet *s = ctx;

	return s->shown ? answer_rows(s->shown)->n : 0;
}

static uint64_t source_id(void *ctx, size_t i)
{
	const struct sheet *s = ctx;
	struct str key = STR_NULL;

	if (s->spec->key)
		key = answer_text(s->shown, s->order ? s->order[i] : i,
		                  answer_column(s->shown, s->spec->key));
	return key.s ? str_hash(key.s, key.len) : i + 1;
}

static bool source_find(void *ctx, uint64_t id, size_t *i)
{
	const struct sheet *s = ctx;
	size_t n = source_count(ctx), near = s->table.cursor;

	if (near < n && source_id(ctx, near) == id) {
		*i = near;
		return true;
	}
	for (*i = 0; *i < n; ++*i)
		if (source_id(ctx, *i) == id)
			return true;
	return false;
}

static bool source_load(void *ctx, size_t i)
{
	struct sheet *s = ctx;

	if (i >= source_count(ctx))
		return false;
	s->row = s->order ? s->order[i] : i;
	return true;
}

static enum role source_cell(void *ctx, const struct tbl_col *col, struct buf *out)
{
	struct sheet *s = ctx;
	enum role role = s->spec->cell ? s->spec->cell(s, col, out) : ROLE_MAX;
	struct str v;

	if (role != ROLE_MAX)
		return role;
	v = sheet_value(s, col->name);
	if (!v.s)
		buf_ch(out, '-');
	else
		buf_str(out, v);
	return v.s ? ROLE_TEXT : ROLE_DIM;
}

const struct tbl_source sheet_source = {
	.count = source_count,
	.id = source_id,
	.find = source_find,
	.load = source_load,
	.cell = source_cell,
};

bool sheet_load(struct sheet *s)
{
	return s->table.has_id && source_load(s, s->table.cursor);
}

bool sheet_failed(struct sheet *s)
{
	int64_t n = s->spec->error ? sheet_number(s, s->spec->error) : 0;

	return n != COL_NULL && n > 0;
}

void sheet_bytes(struct buf *out, int64_t n)
{
	static const char units[] = "kMGT";
	double v = (double)n;
	int unit = -1;

	if (n == COL_NULL) {
		buf_ch(out, '-');
		return;
	}
	for (; v >= 9999.5 && unit < 3; unit++)
		v /= 1000;
	if (unit < 0)
		buf_i64(out, n);
	else
		buf_fmt(out, "%.*f%c", v < 100 ? 1 : 0, v, units[unit]);
}

void sheet_age(struct buf *out, int64_t ns)
{
	if (ns == COL_NULL || ns < 0)
		buf_ch(out, '-');
	else
		clock_duration(out, ns);
}
