// SPDX-License-Identifier: GPL-3.0-or-later
/* top_jump - from a group to its requests, and from a request to its group. */
#include <errno.h>
#include <stdio.h>

#include "base/err.h"
#include "ui/app_int.h"
#include "ui/top.h"
#include "ui/trace.h"

static enum handled open_trace(struct top *t, uint64_t id)
{
	char err[ERR_TEXT] = "", crumb[40];

	if (!t->lower.where) {
		app_say(t->pane->app, "no single group here");
		return UI_HANDLED;
	}
	snprintf(crumb, sizeof(crumb), "%.36s", t->lower.name);
	if (trace_open_at(t->pane->app, t->lower.where, crumb, id, err))
		app_say(t->pane->app, "%s", err);
	return UI_HANDLED | UI_REFRESH;
}

enum handled top_to_call(struct top *t)
{
	struct top_lower *l = &t->lower;

	if (l->call >= l->ncalls)
		return UI_HANDLED;
	return open_trace(t, l->calls[l->call].id);
}

enum handled top_to_trace(struct top *t)
{
	char err[ERR_TEXT] = "";

	(void)top_lower_ask(t, 4, err); /* the row may be newer than what is known of it */
	return open_trace(t, 0);
}

static struct str value(const struct span *s, const char *name)
{
	int i = column_find(TABLE_SPANS, str_of(name));
	struct str v = STR_NULL;

	if (i >= 0)
		memcpy(&v, (const char *)s + tables[TABLE_SPANS].columns[i].offset, sizeof(v));
	return v;
}

int top_open_at(struct app *a, const struct span *s, char *err)
{
	const char *unit = rank_by_of(s->proto);
	struct str by[AGG_BY] = { 0 };
	struct top *t;
	int e = app_open(a, "top", NULL, "top", err);

	if (e)
		return e;
	t = app_top(a)->state;
	snprintf(top_level(t)->by, TOP_NAMES, "%s", unit ? unit : "service,name");
	e = top_regroup(t, err);
	for (unsigned int i = 0; i < AGG_BY && t->by[i]; i++)
		by[i] = value(s, t->by[i]);
	t->want = rank_id_of(by, t->by[1] ? t->by[2] ? t->by[3] ? 4 : 3 : 2 : 1);
	return e;
}
