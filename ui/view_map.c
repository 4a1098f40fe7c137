// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * view_map - who calls whom, as a graph in text: each call once, what a service
 * calls below the call that leads to it. Sorted by a column it is a plain list.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "ui/sheet.h"
#include "write/map.h"

enum { DEPTH_MAX = 24 };

struct map {
	struct sheet sheet;
	unsigned char *depth; /* of the call at each row; `again`: it leads to what stands above */
	bool *again;
	const struct recipe *recipe;
};

static const struct tbl_col columns[] = {
	{ .name = "call",
	  .title = "CALL",
	  .width = 26,
	  .max = 70,
	  .priority = 1,
	  .sort = "source",
	  .help = "caller > called; below it what the called one calls" },
	{ .name = "proto", .title = "PROTO", .width = 10, .priority = 2, .help = "protocol" },
	{ .name = "rate",
	  .title = "REQ/S",
	  .width = 8,
	  .priority = 3,
	  .right = true,
	  .help = "a second, over the capture" },
	{ .name = "count",
	  .title = "COUNT",
	  .width = 7,
	  .max = 10,
	  .priority = 7,
	  .right = true,
	  .help = "requests" },
	{ .name = "error_pct",
	  .title = "ERR%",
	  .width = 6,
	  .priority = 4,
	  .right = true,
	  .help = "of them, failed" },
	{ .name = "p50_ms",
	  .title = "P50 ms",
	  .width = 8,
	  .priority = 6,
	  .right = true,
	  .help = "half are faster" },
	{ .name = "p95_ms",
	  .title = "P95 ms",
	  .width = 8,
	  .priority = 5,
	  .right = true,
	  .help = "19 of 20 are faster" },
	{ .name = "p99_ms",
	  .title = "P99 ms",
	  .width = 8,
	  .priority = 8,
	  .right = true,
	  .help = "99 of 100 are faster" },
	{ .name = "bytes",
	  .title = "BYTES",
	  .width = 7,
	  .priority = 9,
	  .right = true,
	  .help = "of requests and answers" },
	{ .name = "told_by",
	  .title = "TOLD BY",
	  .width = 7,
	  .priority = 10,
	  .help = "the end that was observed: caller, or server where only that was" },
	{ 0 },
};

static void map_sql(struct sheet *s, struct buf *out)
{
	const char *sql = ((struct map *)s)->recipe->sql;
	struct str text = str_of(sql);

	while (text.len && strchr(" \t\r\n;", text.s[text.len - 1]))
		text.len--;
	buf_z(out, "select source || ' > ' || destination || ' ' || coalesce(proto, '')"
	           " || ' ' || told_by as key, * from (\n");
	/* A person at `;` has no parameters to give. */
	for (size_t i = 0; i < text.len; i++)
		if (s->plain && !strncmp(text.s + i, "LIMIT :limit", 12))
			i += 11;
		else
			buf_ch(out, text.s[i]);
	buf_z(out, "\n)");
}

/* ---- the graph ---- */

struct walk {
	struct map *m;
	const struct answer *a;
	size_t n, placed;
	int from, to;
	bool *used; /* the call has its place */
};

static struct str end_of(const struct walk *w, size_t i, int column)
{
	return answer_text(w->a, i, column);
}

/* What `name` calls, where that has no place yet. */
static void place_calls(struct walk *w, struct str name, unsigned int depth)
{
	for (size_t i = 0; i < w->n; i++) {
		struct str to = end_of(w, i, w->to);
		bool known = false;

		if (w->used[i] || !str_eq(end_of(w, i, w->from), name))
			continue;
		/* What it leads to may stand above already: its calls are not shown twice. */
		for (size_t k = 0; k < w->placed && !known; k++)
			known = str_eq(end_of(w, w->m->sheet.order[k], w->from), to);
		w->used[i] = true;
		w->m->depth[i] = (unsigned char)depth;
		w->m->again[i] = known;
		w->m->sheet.order[w->placed++] = i;
		if (!known && depth < DEPTH_MAX)
			place_calls(w, to, depth + 1);
	}
}

static bool nobody_calls(const struct walk *w, struct str name)
{
	for (size_t i = 0; i < w->n; i++)
		if (str_eq(end_of(w, i, w->to), name) && !str_eq(end_of(w, i, w->from), name))
			return false;
	return true;
}

static void map_arrange(struct sheet *s)
{
	struct map *m = (struct map *)s;
	struct walk w = { .m = m, .a = s->shown, .n = answer_rows(s->shown)->n };
	size_t some = w.n ? w.n : 1;

	free(m->depth), free(m->again);
	m->depth = calloc(some, sizeof(*m->depth));
	m->again = calloc(some, sizeof(*m->again));
	w.used = calloc(some, sizeof(*w.used));
	w.from = answer_column(s->shown, "source");
	w.to = answer_column(s->shown, "destination");
	if (!s->table.sort)
		s->order = calloc(some, sizeof(*s->order));
	if (m->depth && m->again && w.used && s->order) {
		for (int round = 0; round < 2; round++) /* then what hangs in a circle */
			for (size_t i = 0; i < w.n; i++)
				if (!w.used[i] &&
				    (round || nobody_calls(&w, end_of(&w, i, w.from))))
					place_calls(&w, end_of(&w, i, w.from), 0);
	} else {
		free(s->order);
		s->order = NULL;
	}
	free(w.used);
}

/* ---- rows ---- */

static enum role map_cell(struct sheet *s, const struct tbl_col *col, struct buf *out)
{
	const struct map *m = (const struct map *)s;

	if (!strcmp(col->name, "bytes")) {
		sheet_bytes(out, sheet_number(s, "bytes"));
		return ROLE_TEXT;
	}
	if (!strcmp(col->name, "error_pct") && sheet_number(s, "errors") > 0) {
		buf_str(out, sheet_value(s, "error_pct"));
		return ROLE_BAD;
	}
	if (strcmp(col->name, "call") != 0)
		return ROLE_MAX;
	if (s->order && m->depth[s->row])
		buf_fmt(out, "%*s`- ", 3 * (m->depth[s->row] - 1), "");
	buf_str(out, sheet_value(s, "source"));
	buf_z(out, " > ");
	buf_str(out, sheet_value(s, "destination"));
	if (s->order && m->again[s->row])
		buf_z(out, " (above)");
	return ROLE_TEXT;
}

static void quoted(struct buf *out, struct str s)
{
	buf_ch(out, '\'');
	for (size_t i = 0; i < s.len; i++) {
		if (s.s[i] == '\'')
			buf_ch(out, '\'');
		buf_ch(out, s.s[i]);
	}
	buf_ch(out, '\'');
}

/* The requests of the call, as told by the end that was observed. */
static enum handled map_enter(struct sheet *s)
{
	bool caller = str_is(sheet_value(s, "told_by"), "caller");
	struct str at = sheet_value(s, "at"), proto = sheet_value(s, "proto");
	struct buf filter = { 0 }, crumb = { 0 };
	char err[ERR_TEXT] = "";

	buf_z(&filter,
	      caller ? "kind in ('client', 'producer')" : "kind in ('server', 'consumer')");
	buf_z(&filter, " and coalesce(service, comm, '?') = ");
	quoted(&filter, sheet_value(s, caller ? "source" : "destination"));
	if (!caller) {
		buf_z(&filter, " and coalesce(peer, '?') = ");
		quoted(&filter, sheet_value(s, "source"));
	}
	if (proto.s) {
		buf_z(&filter, " and proto = ");
		quoted(&filter, proto);
	}
	if (at.s)
		buf_fmt(&filter, " and %s_ip || ':' || coalesce(%s_port, '') in (%.*s)",
		        caller ? "peer" : "local", caller ? "peer" : "local", STR_ARG(at));
	buf_fmt(&crumb, "%.*s > %.*s", STR_ARG(sheet_value(s, "source")),
	        STR_ARG(sheet_value(s, "destination")));
	buf_ch(&filter, 0), buf_ch(&crumb, 0);
	if (filter.failed || crumb.failed ||
	    app_open(s->pane->app, "trace", filter.p, crumb.p, err))
		app_say(s->pane->app, "%s", err);
	buf_free(&filter), buf_free(&crumb);
	return UI_HANDLED | UI_REDRAW;
}

static const struct sheet_spec spec = {
	.cols = columns,
	.key = "key",
	.error = "errors",
	.what = "calls",
	.sql = map_sql,
	.cell = map_cell,
	.arrange = map_arrange,
	.enter = map_enter,
};

static int map_open(struct pane *p, char *err)
{
	struct map *m = p->state;

	m->recipe = app_recipes(p->app) ? recipe_find(app_recipes(p->app), "service_map") : NULL;
	if (!m->recipe)
		return err_set(err, ENOENT, "the query service_map is missing");
	m->sheet.every_ms = 2000;
	m->sheet.params[0] = (struct answer_param){ "limit", "1000" };
	m->sheet.nparams = 1;
	return sheet_open(p, &spec, NULL, false, err);
}

static void map_close(struct pane *p)
{
	struct map *m = p->state;

	sheet_close(p);
	free(m->depth), free(m->again);
}

/* ---- as a picture ---- */

static double real(const struct answer *a, size_t row, const char *column)
{
	struct str v = answer_text(a, row, answer_column(a, column));
	char text[40];

	snprintf(text, sizeof(text), "%.*s", STR_ARG(v));
	return v.s ? strtod(text, NULL) : NAN;
}

static int map_write(struct pane *p, const char *path, char *err)
{
	const struct sheet *s = p->state;
	const struct answer *a = s->shown;
	size_t n = a ? answer_rows(a)->n : 0, len = strlen(path);
	struct map_edge *edges;
	int e;

	if (len > 4 && (!strcmp(path + len - 4, ".csv") || !strcmp(path + len - 5, ".json")))
		return sheet_write(p, path, err);
	edges = calloc(n ? n : 1, sizeof(*edges));
	if (!edges)
		return err_set(err, ENOMEM, "out of memory");
	for (size_t i = 0; i < n; i++)
		edges[i] = (struct map_edge){
			.from = answer_text(a, i, answer_column(a, "source")),
			.to = answer_text(a, i, answer_column(a, "destination")),
			.proto = answer_text(a, i, answer_column(a, "proto")),
			.count = (uint64_t)real(a, i, "count"),
			.errors = (uint64_t)real(a, i, "errors"),
			.rate = real(a, i, "rate"),
			.p50_ms = real(a, i, "p50_ms"),
			.p95_ms = real(a, i, "p95_ms"),
		};
	e = map_export(path, edges, n, app_opts(p->app)->target, err);
	free(edges);
	if (!e)
		app_say(p->app, "the map is in %s", path);
	return e;
}

const struct view view_map = {
	.name = "map",
	.title = "Service map: who calls whom",
	.legend = "a > b: a calls b; below it what b calls; (above): its calls stand there\n"
		  "TOLD BY caller, or server where the caller was not observed\n"
		  "s sorts, as a plain list; :write FILE.svg, .dot, .html the map as a picture\n",
	.keys = { { "o", "Split", "the detail beside the list, or below" } },
	.offers = { ACT_ENTER, ACT_SEARCH, ACT_FILTER, ACT_SORT, ACT_MARK, ACT_PAUSE, ACT_RECORD,
	            ACT_COMMAND, ACT_SQL, ACT_COPY, ACT_COLUMNS, ACT_NEXT_ERROR },
	.state_size = sizeof(struct map),
	.every_ms = 100,
	.open = map_open,
	.close = map_close,
	.ask = sheet_ask,
	.draw = sheet_draw,
	.act = sheet_act,
	.mouse = sheet_mouse,
	.status = sheet_status,
	.sql = sheet_sql,
	.copy = sheet_copy,
	.write = map_write,
	.columns = sheet_columns,
};
