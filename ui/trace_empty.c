// SPDX-License-Identifier: GPL-3.0-or-later
/* trace_empty - why nothing is shown: what was seen, what hides it, what to try. */
#include "cmd/summary.h"
#include "ui/trace.h"

void trace_empty(struct trace *t, struct grid *g, struct rect r)
{
	struct app *a = t->pane->app;
	const struct ui_opts *o = app_opts(a);
	struct explain e = {
		.seconds = o->keys ? 0 : app_seconds(a),
		.target = o->target ? o->target : "the whole host",
		.filter = t->where && *t->where ? t->where : o->filter,
		.filter_key = "f, then clear the filter",
		.pid = o->pid,
		.over = app_over(a),
	};
	const struct probe_state *probes;
	struct buf b = { 0 };
	struct str rest;
	size_t n = 0;
	int y = r.y + 2;

	probes = session_probes(app_session(a), &n);
	e.shown_in_list = t->where && *t->where;
	summary_explain(&b, &e, app_counts(a), probes, n);
	rest = buf_slice(&b);
	while (rest.len && y < r.y + r.h) {
		const char *nl = memchr(rest.s, '\n', rest.len);
		size_t len = nl ? (size_t)(nl - rest.s) : rest.len;

		grid_text(g, r.x + 4, y++, r.w - 5, ROLE_TEXT, (struct str){ rest.s, len });
		rest.s += len + (nl != NULL);
		rest.len -= len + (nl != NULL);
	}
	buf_free(&b);
}
