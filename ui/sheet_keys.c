// SPDX-License-Identifier: GPL-3.0-or-later
/* sheet_keys - what keys do to the rows of a statement: filter, search, sort, columns, detail. */
#include "ui/sheet.h"

#include <stdio.h>

/* ---- filter ---- */

static void drop_trial(struct sheet *s)
{
	answer_free(s->trial);
	s->trial = NULL;
}

static bool filter_result(struct pane *p, const char *text, bool changed, struct buf *out)
{
	struct sheet *s = p->state;
	char err[512] = "";
	struct buf sql = { 0 }, n = { 0 };
	uint64_t rows = 0;

	if (changed) {
		drop_trial(s);
		sheet_statement(s, text, true, &sql);
		if (!sql.failed)
			s->trial = answer_start(app_store(p->app), sql.p, s->params, s->nparams);
		buf_free(&sql);
	}
	if (!s->trial || !answer_wait(s->trial, 4)) {
		buf_z(out, "counting");
		return false;
	}
	if (answer_error(s->trial, err)) {
		buf_z(out, err);
		return true;
	}
	(void)str_u64(answer_text(s->trial, 0, 0), &rows);
	app_count(&n, rows);
	buf_fmt(out, "%.*s row%s", STR_ARG(buf_slice(&n)), rows == 1 ? " fits" : "s fit");
	buf_free(&n);
	return false;
}

static int filter_done(struct pane *p, const char *text, char *err)
{
	struct sheet *s = p->state;

	/* A filter that cannot be asked is not taken. */
	if (s->trial && answer_wait(s->trial, 500) && answer_error(s->trial, err))
		return answer_error(s->trial, err);
	drop_trial(s);
	snprintf(s->filter, sizeof(s->filter), "%s", text);
	sheet_again(s);
	return 0;
}

static void filter_cancelled(struct pane *p)
{
	drop_trial(p->state);
}

static const char *filter_word(struct pane *p, size_t i)
{
	static const char *const more[] = { "and", "or", "not", "like", "is null", "between" };
	struct sheet *s = p->state;
	unsigned int n = s->shown ? answer_rows(s->shown)->ncols : 0;

	if (i < n)
		return answer_rows(s->shown)->names[i];
	i -= n;
	return i < sizeof(more) / sizeof(*more) ? more[i] : NULL;
}

static enum handled filter_prompt(struct sheet *s)
{
	struct prompt_spec spec = {
		.label = "Filter: ",
		.text = s->filter,
		.result = filter_result,
		.done = filter_done,
		.cancelled = filter_cancelled,
		.word = filter_word,
	};

	app_prompt(s->pane->app, &spec);
	return UI_HANDLED;
}

/* ---- search ---- */

static int search_done(struct pane *p, const char *text, char *err)
{
	struct sheet *s = p->state;

	(void)err;
	if (s->in_detail) {
		snprintf(s->detail.search, sizeof(s->detail.search), "%s", text);
		if (*text && !detail_search(&s->detail, true))
			app_say(p->app, "not found: %s", text);
		return 0;
	}
	snprintf(s->table.search, sizeof(s->table.search), "%s", text);
	if (*text)
		tbl_seek(&s->table, tbl_fits_search, true, true);
	return 0;
}

static enum handled search_prompt(struct sheet *s)
{
	struct prompt_spec spec = { .label = "/", .done = search_done };

	app_prompt(s->pane->app, &spec);
	return UI_HANDLED;
}

/* ---- order and columns ---- */

enum handled sheet_sort(struct sheet *s, const struct tbl_col *c, bool invert)
{
	const char *name = c ? tbl_sort_name(c) : s->table.sort;

	if (!name)
		return UI_HANDLED;
	if (invert || (s->table.sort && !strcmp(s->table.sort, name)))
		s->table.desc = !s->table.desc;
	else
		s->table.desc = c->right; /* the greatest number is what people look for */
	s->table.sort = name;
	sheet_again(s);
	return UI_HANDLED | UI_REDRAW | UI_REFRESH;
}

static const struct tbl_col *column_named(const struct sheet *s, const char *name)
{
	for (unsigned int i = 0; i < s->table.ncols; i++)
		if (!strcmp(s->table.cols[i].name, name))
			return &s->table.cols[i];
	return NULL;
}

static void sort_chosen(struct pane *p, struct menu_item *item)
{
	const struct tbl_col *c = column_named(p->state, item->name);

	if (c)
		sheet_sort(p->state, c, false);
}

static void column_chosen(struct pane *p, struct menu_item *item)
{
	struct sheet *s = p->state;
	const struct tbl_col *c = column_named(s, item->name);

	if (c)
		s->table.shown[c - s->table.cols] = item->on;
}

static enum handled menu(struct sheet *s, bool columns)
{
	struct menu_spec spec = {
		.title = columns ? "Columns" : "Sort by",
		.chosen = columns ? column_chosen : sort_chosen,
		.switches = columns,
	};

	for (unsigned int i = 0; i < s->table.ncols && spec.n < MENU_ITEMS; i++) {
		unsigned int at = s->table.order[i];
		const struct tbl_col *c = &s->table.cols[at];
		const char *sort = tbl_sort_name(c);

		if (!columns && !sort)
			continue;
		spec.items[spec.n] = (struct menu_item){
			.name = c->name,
			.help = c->help,
			.on = columns ? s->table.shown[at]
			              : s->table.sort && !strcmp(sort, s->table.sort),
		};
		if (spec.items[spec.n].on && !columns)
			spec.at = spec.n;
		spec.n++;
	}
	app_menu(s->pane->app, &spec);
	return UI_HANDLED;
}

/* ---- keys ---- */

static bool fits_error(struct tbl *t, size_t row)
{
	return sheet_source.load(t->ctx, row) && sheet_failed(t->ctx);
}

int sheet_seek_on(struct sheet *s, int budget_ms)
{
	bool error = s->table.seek.fits == fits_error;
	int e;

	if (!s->table.seek.fits)
		return 0;
	e = tbl_seek_on(&s->table, budget_ms);
	if (e < 0)
		app_say(s->pane->app, error ? "no errors here" : "not found: %s", s->table.search);
	app_touch(s->pane->app);
	return e > 0;
}

static enum handled next_error(struct sheet *s, bool forward)
{
	tbl_seek(&s->table, fits_error, forward, false);
	return UI_HANDLED | UI_REFRESH;
}

static enum handled enter(struct sheet *s)
{
	if (s->in_detail)
		return detail_act(&s->detail, ACT_ENTER);
	if (!sheet_load(s))
		return UI_HANDLED;
	return s->spec->enter ? s->spec->enter(s) : sheet_show_detail(s, true);
}

enum handled sheet_to_trace(struct sheet *s)
{
	struct str id = sheet_value(s, "trace_id");
	char filter[96], err[512] = "";

	if (id.len != 32)
		id = sheet_value(s, "sample");
	if (id.len != 32)
		return sheet_show_detail(s, true);
	snprintf(filter, sizeof(filter), "trace_id = '%.*s'", STR_ARG(id));
	if (app_open(s->pane->app, "trace", filter, "trace", err))
		app_say(s->pane->app, "%s", err);
	return UI_HANDLED | UI_REDRAW;
}

static enum handled switch_pane(struct sheet *s)
{
	if (s->detailed && !s->full)
		s->in_detail = !s->in_detail;
	return UI_HANDLED | UI_REDRAW;
}

static enum handled list_action(struct sheet *s, enum action a)
{
	switch (a) {
	case ACT_FILTER:
		return filter_prompt(s);
	case ACT_SEARCH:
		return search_prompt(s);
	case ACT_SORT:
	case ACT_COLUMNS:
		return menu(s, a == ACT_COLUMNS);
	case ACT_SORT_PREV:
	case ACT_SORT_NEXT: {
		const struct tbl_col *c = tbl_sort_by(&s->table, a == ACT_SORT_NEXT ? 1 : -1);

		return c ? sheet_sort(s, c, false) : UI_HANDLED;
	}
	case ACT_INVERT:
		return sheet_sort(s, NULL, true);
	case ACT_NEXT_ERROR:
	case ACT_PREV_ERROR:
		return s->spec->error ? next_error(s, a == ACT_NEXT_ERROR) : UI_IGNORED;
	case ACT_WHY:
		return s->detailed && s->full ? sheet_hide_detail(s) : sheet_show_detail(s, true);
	case ACT_NEXT_PANE:
	case ACT_PREV_PANE:
		return switch_pane(s);
	case ACT_ENTER:
		return enter(s);
	default:
		return UI_IGNORED;
	}
}

enum handled sheet_act(struct pane *p, enum action a, const char *key)
{
	struct sheet *s = p->state;
	enum handled h = a ? list_action(s, a) : UI_IGNORED;

	if (h)
		return h;
	if (!a && !strcmp(key, "o"))
		return s->detailed ? sheet_hide_detail(s) : sheet_show_detail(s, false);
	if (a == ACT_INTERRUPT && sheet_stop(s))
		return UI_HANDLED;
	/* One that has only just begun is not what a person wants to stop. */
	if (a == ACT_BACK && sheet_is_slow(s))
		return sheet_stop(s) ? UI_HANDLED : UI_IGNORED;
	if (s->detailed && (a == ACT_BACK || (a == ACT_QUIT && s->full)))
		return sheet_hide_detail(s);
	if (a == ACT_WINDOW || a == ACT_WINDOW_BACK || a == ACT_WINDOW_FORWARD)
		s->again = true; /* the loop moves it, then asks */
	return s->in_detail ? detail_act(&s->detail, a) : tbl_act(&s->table, a);
}

enum handled sheet_mouse(struct pane *p, const struct key *k)
{
	struct sheet *s = p->state;
	const struct tbl_col *sort;
	enum handled h;

	if (s->detailed && s->full)
		return detail_act(&s->detail, !strcmp(k->name, "<WheelUp>")     ? ACT_UP
		                              : !strcmp(k->name, "<WheelDown>") ? ACT_DOWN
		                                                                : ACT_NONE);
	h = tbl_mouse(&s->table, k, &sort);
	return sort && tbl_sort_name(sort) ? sheet_sort(s, sort, false) : h;
}

void sheet_copy(struct pane *p, struct buf *out)
{
	struct sheet *s = p->state;

	if (s->in_detail)
		buf_str(out, buf_slice(&s->detail.text));
	else if (s->table.has_id)
		tbl_copy(&s->table, s->table.cursor, out);
}

void sheet_sql(struct pane *p, struct buf *out)
{
	struct sheet *s = p->state;

	s->plain = true;
	sheet_statement(s, s->filter, false, out);
	s->plain = false;
	while (out->len && !out->p[out->len - 1])
		out->len--;
}

int sheet_columns(struct pane *p, const char *spec, char *err)
{
	return tbl_columns(&((struct sheet *)p->state)->table, spec, err);
}
