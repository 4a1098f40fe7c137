// SPDX-License-Identifier: GPL-3.0-or-later
/* trace_jump - the view of requests as other views open it: at one request, or the slowest first. */
#include "ui/app_int.h"
#include "ui/trace.h"

int trace_open_at(struct app *a, const char *filter, const char *crumb, uint64_t id, char *err)
{
	int e = app_open(a, "trace", filter, crumb, err);
	struct trace *t;

	if (e)
		return e;
	t = app_top(a)->state;
	t->table.sort = "dur_ns";
	t->table.desc = true;
	t->table.follow = false;
	t->want = id;
	return trace_requery(t, err);
}

bool trace_arrived(struct trace *t)
{
	size_t at;

	if (!t->want || !list_find(t->list, t->want, &at))
		return false;
	tbl_go(&t->table, at);
	t->want = 0;
	return true;
}
