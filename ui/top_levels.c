// SPDX-License-Identifier: GPL-3.0-or-later
/* top_levels - into a group and out again, by what to group, order, filter, search. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "ui/top.h"

struct top_level *top_level(struct top *t)
{
	return &t->levels[t->depth - 1];
}

static void say_error(struct top *t, const char *err)
{
	app_say(t->pane->app, "%s", err);
}

/* ---- into ---- */

/* The groups within `where`; 0: agg_answer_free() after. */
static int groups_of(struct top *t, const char *names, const char *where, struct agg_answer *a)
{
	struct agg_query q = { .filter = where };
	char err[ERR_TEXT];
	struct agg_view *v;
	int e = -EINVAL;

	if (rank_by(names, q.by, err) < 0)
		return e;
	v = agg_view(session_agg(app_session(t->pane->app)), &q, err);
	if (v)
		e = agg_view_ask(v, 20, a, err);
	agg_view_free(v);
	return e < 0 ? e : 0;
}

/* What tells the requests apart, by the protocol that most of them speak. */
static const char *unit_of(struct top *t, const char *where)
{
	const struct agg_row *most = NULL;
	const char *unit;
	struct agg_answer a;

	if (groups_of(t, "proto", where, &a))
		return NULL;
	for (size_t i = 0; i < a.n; i++)
		if (!most || a.rows[i].count > most->count)
			most = &a.rows[i];
	unit = most ? rank_by_of(most->by[0]) : NULL;
	agg_answer_free(&a);
	return unit;
}

/* Grouping by these says more: there are several groups, or it is the text of a statement. */
static bool tells(struct top *t, const char *names, const char *where)
{
	struct agg_answer a;
	bool more;

	if (groups_of(t, names, where, &a))
		return false;
	more = a.n > 1 || (a.n == 1 && !strcmp(names, "query") && a.rows[0].by[0].s);
	agg_answer_free(&a);
	return more;
}

static bool has_name(const char *names, const char *name)
{
	size_t n = strlen(name);

	for (; names; names = strchr(names, ',') ? strchr(names, ',') + 1 : NULL)
		if (!strncmp(names, name, n) && (!names[n] || names[n] == ','))
			return true;
	return false;
}

static bool used(const struct top *t, const char *names)
{
	for (unsigned int i = 0; i < t->depth; i++)
		for (const char *at = names; at;
		     at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL) {
			char name[RANK_NAME];

			snprintf(name, sizeof(name), "%.*s", (int)strcspn(at, ","), at);
			if (has_name(t->levels[i].by, name))
				return true;
		}
	return false;
}

/* What to look at next within a group; NULL: its requests. */
static const char *next_by(struct top *t, const char *where)
{
	const char *unit = unit_of(t, where);
	const char *ladder[] = { "name", unit, "peer", "process", "status" };

	for (size_t i = 0; i < sizeof(ladder) / sizeof(*ladder); i++)
		if (ladder[i] && !used(t, ladder[i]) && tells(t, ladder[i], where) &&
		    !(i == 0 && unit && (used(t, unit) || used(t, "query"))))
			return ladder[i];
	return NULL;
}

static int push(struct top *t, const char *by, char *where, char *err)
{
	struct top_level *l;
	int e;

	if (t->depth == TOP_LEVELS)
		return err_set(err, ENOSPC, "that is deep enough");
	top_level(t)->cursor = t->table.cursor_id;
	l = &t->levels[t->depth++];
	*l = (struct top_level){ .where = where };
	snprintf(l->by, sizeof(l->by), "%s", by);
	t->moved = false;
	e = top_regroup(t, err);
	if (!e)
		return 0;
	t->depth--;
	l->where = NULL;
	return e;
}

enum handled top_into(struct top *t)
{
	const struct rank_row *row = top_row(t);
	struct buf cond = { 0 };
	char err[ERR_TEXT] = "", *where, *old = top_level(t)->where;
	const char *by;

	if (!row)
		return UI_HANDLED;
	if (!rank_where(&t->rank, row, &cond)) {
		app_say(t->pane->app,
		        "many groups in one row: filter with f, or --top for more rows");
		buf_free(&cond);
		return UI_HANDLED;
	}
	buf_ch(&cond, 0);
	if (cond.failed ||
	    asprintf(&where, "%s%s%s", old ? old : "", old ? " and " : "", cond.p) < 0)
		where = NULL;
	buf_free(&cond);
	by = where ? next_by(t, where) : NULL;
	if (where && !by) {
		free(where);
		return top_to_trace(t);
	}
	if (!where || push(t, by, where, err)) {
		free(where);
		say_error(t, err);
	}
	return UI_HANDLED | UI_REDRAW | UI_REFRESH;
}

bool top_out(struct top *t)
{
	char err[ERR_TEXT] = "";

	if (t->depth == 1)
		return false;
	free(top_level(t)->where);
	top_level(t)->where = NULL;
	t->depth--;
	t->want = top_level(t)->cursor;
	if (top_regroup(t, err))
		say_error(t, err);
	return true;
}

/* ---- by what ---- */

static void group_by(struct top *t, const char *by)
{
	struct top_level *l = top_level(t);
	char was[TOP_NAMES], err[ERR_TEXT] = "";

	memcpy(was, l->by, sizeof(was));
	snprintf(l->by, sizeof(l->by), "%s", by);
	l->sort[0] = 0;
	l->asc = false;
	t->moved = false;
	if (top_regroup(t, err)) {
		memcpy(l->by, was, sizeof(was));
		(void)top_regroup(t, (char[ERR_TEXT]){ 0 });
		say_error(t, err);
	}
}

static void group_chosen(struct pane *p, struct menu_item *item)
{
	group_by(p->state, item->name);
}

void top_group_menu(struct top *t)
{
	static const char *const more[] = { "service,name", "topic,kind", "op,key",
		                            "proto,status" };
	struct menu_spec spec = { .title = "Group by", .chosen = group_chosen };

	for (size_t i = 0; agg_column(i) && spec.n < MENU_ITEMS; i++)
		spec.items[spec.n++] = (struct menu_item){
			.name = agg_column(i)->name,
			.help = agg_column(i)->help,
		};
	for (size_t i = 0; i < sizeof(more) / sizeof(*more) && spec.n < MENU_ITEMS; i++)
		spec.items[spec.n++] = (struct menu_item){ .name = more[i], .help = "both" };
	for (size_t i = 0; i < spec.n; i++) {
		spec.items[i].on = !strcmp(spec.items[i].name, top_level(t)->by);
		if (spec.items[i].on)
			spec.at = i;
	}
	app_menu(t->pane->app, &spec);
}

/* ---- order ---- */

enum handled top_sort(struct top *t, const struct tbl_col *c, bool invert)
{
	struct top_level *l = top_level(t);
	const char *name = c ? tbl_sort_name(c) : l->sort;

	if (!name)
		return UI_HANDLED;
	if (invert || !strcmp(name, l->sort))
		l->asc = !l->asc;
	else
		l->asc = !c->right;
	if (name != l->sort)
		snprintf(l->sort, sizeof(l->sort), "%s", name);
	t->table.sort = l->sort;
	t->table.desc = !l->asc;
	t->again = true;
	return UI_HANDLED | UI_REDRAW | UI_REFRESH;
}

static void sort_chosen(struct pane *p, struct menu_item *item)
{
	struct top *t = p->state;

	for (const struct tbl_col *c = t->cols; c->name; c++)
		if (!strcmp(c->name, item->name))
			top_sort(t, c, false);
}

void top_sort_menu(struct top *t)
{
	struct menu_spec spec = { .title = "Sort by", .chosen = sort_chosen };

	for (const struct tbl_col *c = t->cols; c->name; c++) {
		if (!tbl_sort_name(c))
			continue;
		spec.items[spec.n] = (struct menu_item){
			.name = c->name,
			.help = c->help,
			.on = !strcmp(c->name, top_level(t)->sort),
		};
		spec.at = spec.items[spec.n].on ? spec.n : spec.at;
		spec.n++;
	}
	app_menu(t->pane->app, &spec);
}

/* ---- filter ---- */

static void drop_trial(struct top *t)
{
	agg_view_free(t->trial);
	t->trial = NULL;
}

static struct agg_view *try_filter(struct top *t, const char *text)
{
	struct agg_query q = { 0 };
	char was[PROMPT_TEXT], *where;
	struct agg_view *v;

	memcpy(was, t->filter, sizeof(was));
	t->filter[0] = 0;
	where = top_where(t, text);
	memcpy(t->filter, was, sizeof(was));
	memcpy(q.by, t->by, sizeof(q.by));
	q.filter = where && *where ? where : NULL;
	q.from_ns = t->rank.answer.from_ns;
	q.to_ns = t->rank.answer.to_ns;
	v = agg_view(session_agg(app_session(t->pane->app)), &q, t->trial_err);
	free(where);
	return v;
}

static bool filter_result(struct pane *p, const char *text, bool changed, struct buf *out)
{
	struct top *t = p->state;
	struct agg_answer a;

	if (changed) {
		drop_trial(t);
		t->trial_err[0] = 0;
		t->trial = try_filter(t, text);
	}
	if (!t->trial || agg_view_ask(t->trial, 4, &a, t->trial_err) < 0) {
		buf_z(out, t->trial_err);
		return true;
	}
	app_count(out, a.total.count);
	buf_z(out, " requests in ");
	app_count(out, a.n);
	buf_z(out, a.n == 1 ? " group fit" : " groups fit");
	if (a.percent < 100)
		buf_fmt(out, " (partial %u%%)", a.percent);
	agg_answer_free(&a);
	return false;
}

static int filter_done(struct pane *p, const char *text, char *err)
{
	struct top *t = p->state;
	char was[PROMPT_TEXT];
	int e;

	drop_trial(t);
	memcpy(was, t->filter, sizeof(was));
	snprintf(t->filter, sizeof(t->filter), "%s", text);
	e = top_regroup(t, err);
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
	const struct table_def *def = &tables[TABLE_SPANS];

	(void)p;
	return i < def->ncolumns ? def->columns[i].name : NULL;
}

void top_filter_prompt(struct top *t)
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

static int search_done(struct pane *p, const char *text, char *err)
{
	struct top *t = p->state;

	(void)err;
	snprintf(t->table.search, sizeof(t->table.search), "%s", text);
	if (!*text)
		return 0;
	t->moved = true;
	tbl_seek(&t->table, tbl_fits_search, true, true);
	if (tbl_seek_on(&t->table, 1000) < 0)
		app_say(p->app, "not found: %s", text);
	return 0;
}

void top_search_prompt(struct top *t)
{
	struct prompt_spec spec = { .label = "/", .done = search_done };

	app_prompt(t->pane->app, &spec);
}
