// SPDX-License-Identifier: GPL-3.0-or-later
/* map_edges - the calls of the service map, as the query service_map has them. */
#include "cmd/map_edges.h"

#include <errno.h>
#include <stdlib.h>

#include "base/err.h"

/* Columns of the query, by their place. */
enum { SOURCE, DESTINATION, PROTO, COUNT, RATE, ERRORS, ERROR_PCT, P50, P95, COLUMNS };

static double real(const char *text)
{
	return text ? strtod(text, NULL) : NAN;
}

static int take(void *ctx, int n, const char *const *texts, const int *lens, const int *types)
{
	struct map_edges *m = ctx;
	struct map_edge *e;

	(void)lens, (void)types;
	if (n < COLUMNS)
		return -EINVAL;
	if (m->n == m->cap) {
		size_t cap = m->cap ? m->cap * 2 : 64;

		e = reallocarray(m->v, cap, sizeof(*e));
		if (!e)
			return -ENOMEM;
		m->v = e;
		m->cap = cap;
	}
	m->v[m->n++] = (struct map_edge)
	{
		.from = arena_str(&m->texts, str_of(texts[SOURCE])),
		.to = arena_str(&m->texts, str_of(texts[DESTINATION])),
		.proto = arena_str(&m->texts, str_of(texts[PROTO])),
		.count = texts[COUNT] ? strtoull(texts[COUNT], NULL, 10) : 0,
		.errors = texts[ERRORS] ? strtoull(texts[ERRORS], NULL, 10) : 0,
		.rate = real(texts[RATE]), .p50_ms = real(texts[P50]), .p95_ms = real(texts[P95]),
	};
	return 0;
}

int map_edges_ask(struct store *s, struct map_edges *out, char *err)
{
	struct sql_limits limits = { .timeout_ms = 60000 };
	struct sql_sink sink = { .row = take, .ctx = out };
	struct recipes *all = recipes_load(NULL);
	const struct recipe *r = all ? recipe_find(all, "service_map") : NULL;
	struct sqlh *q = sql_open(s, &limits);
	int e;

	*out = (struct map_edges){ 0 };
	if (!r || !q)
		e = err_set(err, ENOMEM, "out of memory");
	else
		e = sql_param(q, "limit", "1000") ?: sql_run(q, r->sql, &sink, err);
	sql_close(q);
	recipes_free(all);
	return e;
}

void map_edges_free(struct map_edges *m)
{
	free(m->v);
	arena_free(&m->texts);
	*m = (struct map_edges){ 0 };
}

int map_edges_export(struct store *s, const char *path, const char *title, char *err)
{
	struct map_edges m;
	int e = map_edges_ask(s, &m, err);

	e = e ? e : map_export(path, m.v, m.n, title, err);
	map_edges_free(&m);
	return e;
}
