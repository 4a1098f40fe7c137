// SPDX-License-Identifier: GPL-3.0-or-later
/* trace_list - the rows of the list: filter, sort, search, columns, errors, writing. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "ui/trace.h"
#include "write/writer.h"

/* The filter of the pane (where it was opened from) and the user's, both. */
static char *both(const struct trace *t, const char *user)
{
	const char *own = t->pane->filter;
	char *s = NULL;

	if (own && *own && *user)
		return asprintf(&s, "(%s) and (%s)", own, user) < 0 ? NULL : s;
	return strdup(own && *own ? own : user);
}

static struct list *make_list(struct trace *t, const char *where, char *err)
{
	struct list_spec spec = {
		.table = TABLE_SPANS,
		.where = *where ? where : NULL,
		.order = t->table.sort && strcmp(t->table.sort, "start_ns") != 0 ? t->table.sort
		                                                                 : NULL,
		.desc = t->table.desc,
	};

	app_window(t->pane->app, 0, &t->from_ns, &t->to_ns);
	spec.from_ns = t->from_ns;
	spec.to_ns = t->to_ns;
	return list_new(app_store(t->pane->app), &spec, err);
}

static void put_list(struct trace *t, struct list *l)
{
	list_free(t->list);
	t->list = l;
	app_touch(t->pane->app);
}

int trace_requery(struct trace *t, char *err)
{
	char *where = both(t, t->filter);
	struct list *l = where ? make_list(t, where, err) : NULL;

	free(t->where);
	t->where = where;
	if (!where)
		return err_set(err, ENOMEM, "out of memory");
	if (!l)
		return -EINVAL;
	put_list(t, l);
	return 0;
}

/* A moving window begins a new list each second at most; its end is open. */
static int move_window(struct trace *t, char *err)
{
	int64_t from, to, moved;

	app_window(t->pane->app, 0, &from, &to);
	moved = from > t->from_ns ? from - t->from_ns : t->from_ns - from;
	if ((!from) == (!t->from_ns) && (!to) == (!t->to_ns) && moved < 1000000000LL)
		return 0;
	return trace_requery(t, err);
}

static bool fits_error(struct tbl *tbl, size_t row)
{
	struct trace *t = tbl->ctx;

	return trace_source.load(t, row) && trace_is_error(&t->span);
}

/* Goes on with a search; the user may press other keys meanwhile. */
static int seek_on(struct trace *t, int budget_ms)
{
	bool error = t->table.seek.fits == fits_error;
	int e;

	if (!t->table.seek.fits)
		return 0;
	e = tbl_seek_on(&t->table, budget_ms);
	if (e < 0)
		app_say(t->pane->app, error ? "no errors here" : "not found: %s", t->table.search);
	else if (e > 0)
		app_say(t->pane->app, "looking through %zu more rows", t->table.seek.left);
	app_touch(t->pane->app);
	return e > 0;
}

int trace_ask(struct trace *t, int budget_ms, char *err)
{
	struct list_state st;
	int e = 0, more = seek_on(t, budget_ms);

	if (!app_paused(t->pane->app))
		e = move_window(t, err);
	if (e)
		return e;
	if (t->trial) {
		more += list_update(t->trial, budget_ms / 2, err) > 0;
		app_touch(t->pane->app);
	}
	if (!app_paused(t->pane->app) || !t->table.page)
		e = list_update(t->list, budget_ms, err);
	list_state(t->list, &st);
	if (st.n != t->seen_n || st.seen != t->seen_rows || e == 1)
		app_touch(t->pane->app);
	t->seen_n = st.n;
	t->seen_rows = st.seen;
	return e < 0 ? e : e > 0 || more > 0;
}

/* ---- filter ---- */

static void drop_trial(struct trace *t)
{
	list_free(t->trial);
	t->trial = NULL;
}

static bool filter_result(struct pane *p, const char *text, bool changed, struct buf *out)
{
	struct trace *t = p->state;
	struct list_state st;
	char *where;

	if (changed) {
		drop_trial(t);
		t->trial_err[0] = 0;
		where = both(t, text);
		t->trial = where ? make_list(t, where, t->trial_err) : NULL;
		if (t->trial)
			(void)list_update(t->trial, 4, t->trial_err);
		free(where);
	}
	if (!t->trial) {
		buf_z(out, t->trial_err);
		return true;
	}
	list_state(t->trial, &st);
	app_count(out, st.n);
	buf_z(out, st.n == 1 ? " row fits" : " rows fit");
	if (st.seen < st.total)
		buf_fmt(out, " (of the first %llu%%)",
		        (unsigned long long)(st.seen * 100 / st.total));
	return false;
}

static int filter_done(struct pane *p, const char *text, char *err)
{
	struct trace *t = p->state;
	char was[PROMPT_TEXT];
	int e;

	drop_trial(t);
	memcpy(was, t->filter, sizeof(was));
	snprintf(t->filter, sizeof(t->filter), "%s", text);
	e = trace_requery(t, err);
	if (e)
		memcpy(t->filter, was, sizeof(was));
	return e;
}

static void filter_cancelled(struct pane *p)
{
	drop_trial(p->state);
}

static const char *filter_word(struct pane *p, size_t i)
{
	static const char *const more[] = { "and", "or", "not", "like", "is null", "between" };
	const struct table_def *def = &tables[TABLE_SPANS];

	(void)p;
	if (i < def->ncolumns)
		return def->columns[i].name;
	i -= def->ncolumns;
	return i < sizeof(more) / sizeof(*more) ? more[i] : NULL;
}

void trace_filter_prompt(struct trace *t)
{
	struct prompt_spec spec = {
		.label = "Filter: ",
		.text = t->filter,
		.result = filter_result,
		.done = filter_done,
		.cancelled = filter_cancelled,
		.word = filter_word,
	};

	app_prompt(t->pane->app, &spec);
}

/* ---- search ---- */

static int search_done(struct pane *p, const char *text, char *err)
{
	struct trace *t = p->state;

	(void)err;
	if (t->in_detail) {
		snprintf(t->detail.search, sizeof(t->detail.search), "%s", text);
		if (*text && !detail_search(&t->detail, true))
			app_say(p->app, "not found: %s", text);
		return 0;
	}
	snprintf(t->table.search, sizeof(t->table.search), "%s", text);
	if (*text)
		tbl_seek(&t->table, tbl_fits_search, true, true);
	return 0;
}

void trace_search_prompt(struct trace *t)
{
	struct prompt_spec spec = { .label = "/", .done = search_done };

	app_prompt(t->pane->app, &spec);
}

/* ---- order and columns ---- */

enum handled trace_sort(struct trace *t, const struct tbl_col *c, bool invert)
{
	char err[ERR_TEXT] = "";
	const char *name = c ? tbl_sort_name(c) : t->table.sort;

	if (!name)
		return UI_HANDLED;
	if (invert || (t->table.sort && !strcmp(t->table.sort, name)))
		t->table.desc = !t->table.desc;
	else
		t->table.desc = c->right; /* the greatest number is what people look for */
	t->table.sort = name;
	if (trace_requery(t, err))
		app_say(t->pane->app, "%s", err);
	return UI_HANDLED | UI_REDRAW | UI_REFRESH;
}

static const struct tbl_col *column_named(const char *name)
{
	const struct tbl_col *c = trace_columns;

	while (c->name && strcmp(c->name, name) != 0)
		c++;
	return c->name ? c : NULL;
}

static void sort_chosen(struct pane *p, struct menu_item *item)
{
	trace_sort(p->state, column_named(item->name), false);
}

static void column_chosen(struct pane *p, struct menu_item *item)
{
	struct trace *t = p->state;
	const struct tbl_col *c = column_named(item->name);

	if (c)
		t->table.shown[c - trace_columns] = item->on;
}

static void fill_menu(const struct trace *t, struct menu_spec *spec)
{
	for (unsigned int i = 0; i < t->table.ncols && spec->n < MENU_ITEMS; i++) {
		const struct tbl_col *c = &trace_columns[t->table.order[i]];
		int at = column_find(TABLE_SPANS, str_of(c->name));
		const char *sort = tbl_sort_name(c);

		spec->items[spec->n] = (struct menu_item){
			.name = c->name,
			.help = c->help   ? c->help
			        : at >= 0 ? tables[TABLE_SPANS].columns[at].help
			                  : NULL,
			.on = spec->switches
			              ? t->table.shown[t->table.order[i]]
			              : sort && t->table.sort && !strcmp(sort, t->table.sort),
		};
		if (spec->items[spec->n].on && !spec->switches)
			spec->at = spec->n;
		spec->n++;
	}
}

void trace_sort_menu(struct trace *t)
{
	struct menu_spec spec = { .title = "Sort by", .chosen = sort_chosen };

	fill_menu(t, &spec);
	app_menu(t->pane->app, &spec);
}

void trace_column_menu(struct trace *t)
{
	struct menu_spec spec = { .title = "Columns", .chosen = column_chosen, .switches = true };

	fill_menu(t, &spec);
	app_menu(t->pane->app, &spec);
}

/* ---- errors ---- */

enum handled trace_next_error(struct trace *t, bool forward)
{
	tbl_seek(&t->table, fits_error, forward, false);
	return UI_HANDLED | UI_REFRESH;
}

/* ---- :write ---- */

static const struct writer *writer_by_name(const char *path)
{
	size_t n = strlen(path);

	if (n > 4 && !strcmp(path + n - 4, ".csv"))
		return &writer_csv;
	if (n > 5 && !strcmp(path + n - 5, ".json"))
		return &writer_json;
	return writer_for(path);
}

static struct str keep(struct batch *b, struct str s)
{
	return s.s ? batch_text(b, s) : s;
}

/* Row i into the batch, texts and all. */
static int add_row(struct trace *t, struct batch *b, size_t i)
{
	struct span *row;
	uint64_t id = list_id(t->list, i);

	if (t->table.nmarks && !tbl_marked(&t->table, id))
		return 0;
	if (!trace_source.load(t, i))
		return 0;
	row = batch_add(b, TABLE_SPANS);
	if (!row)
		return -ENOMEM;
	*row = t->span;
#define COPY_T(name) row->name = keep(b, t->span.name);
#define COPY_J(name) COPY_T(name)
#define COPY_I(name)
#define COPY_B(name)
#define COPY_MS(name)
#define COPY_AT(name)
#define COPY_X16(name)
#define COPY_X8(name)
#define COPY_F(name)
#define COPY_V(name)
#define SPAN_COLUMNS(type, name, otlp, help) COPY_##type(name)
#include "span/columns.def"
#undef SPAN_COLUMNS
	return 1;
}

static int write_rows(struct trace *t, const struct writer *w, void *state, uint64_t *written)
{
	enum { ROWS = 512 };
	struct batch_pool *pool = batch_pool_new(2, ROWS);
	size_t n = trace_source.count(t), i = 0;
	int e = pool ? 0 : -ENOMEM;

	while (!e && i < n) {
		struct batch *b = batch_get(pool, 1000);

		if (!b) {
			e = -ENOMEM;
			break;
		}
		for (int got; b->n < ROWS && i < n; i++) {
			got = add_row(t, b, i);
			if (got < 0)
				break;
			*written += (uint64_t)got;
		}
		e = b->n ? w->rows(state, b) : 0;
		batch_put(b);
	}
	batch_pool_free(pool);
	return e;
}

int trace_write(struct trace *t, const char *path, char *err)
{
	const struct writer *w = writer_by_name(path);
	struct run_info run = {
		.version = OBI_VERSION, .cmdline = "", .kernel = "", .boot_id = "", .host = ""
	};
	struct writer_opts o = { .path = path, .fd = -1, .run = &run };
	uint64_t written = 0;
	void *state = NULL;
	struct buf text = { 0 };
	int e, closed;

	if (!w)
		return err_set(err, EINVAL, "%s: unknown ending; use .csv, .json, .otlp, .db",
		               path);
	e = w->open(&o, &state, err);
	if (e)
		return e;
	e = write_rows(t, w, state, &written);
	closed = w->close(state, err);
	if (e || closed)
		return err_set(err, -(e ? e : closed), "cannot write %s: %s", path,
		               strerror(-(e ? e : closed)));
	app_count(&text, written);
	app_say(t->pane->app, "%.*s rows written to %s", STR_ARG(buf_slice(&text)), path);
	buf_free(&text);
	return 0;
}
