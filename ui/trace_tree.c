// SPDX-License-Identifier: GPL-3.0-or-later
/* trace_tree - spans of one trace, children below their parents. */
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "ui/trace.h"

enum { TREE_SPANS = 500, TREE_BAR = 24 };

struct node {
	struct span span;
	bool shown;
};

static bool zero(const uint8_t *id, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (id[i])
			return false;
	return true;
}

/* All spans of the trace that the store holds, by their start. */
static size_t load(struct trace *t, struct node **nodes)
{
	struct list_spec spec = { .table = TABLE_SPANS };
	char where[64], id[33], err[ERR_TEXT];
	struct list_state st = { 0 };
	struct list *l;
	size_t n = 0;

	for (int i = 0; i < 16; i++)
		snprintf(id + 2 * i, 3, "%02x", t->open.trace_id[i]);
	snprintf(where, sizeof(where), "trace_id = '%s'", id);
	spec.where = where;
	l = list_new(app_store(t->pane->app), &spec, err);
	if (l && list_update(l, 50, err) >= 0)
		list_state(l, &st);
	st.n = st.n > TREE_SPANS ? TREE_SPANS : st.n;
	*nodes = calloc(st.n ? st.n : 1, sizeof(**nodes));
	for (size_t i = 0; *nodes && i < st.n; i++)
		n += list_get(l, i, &t->detail_mem, &(*nodes)[n].span) == 0;
	list_free(l);
	return n;
}

static const struct node *parent_of(const struct node *nodes, size_t n, const struct span *s)
{
	for (size_t i = 0; i < n && !zero(s->parent_span_id, 8); i++)
		if (!memcmp(nodes[i].span.span_id, s->parent_span_id, 8))
			return &nodes[i];
	return NULL;
}

struct axis {
	int64_t from, to;
};

static void put(struct detail *d, const struct node *nd, int depth, const struct axis *ax,
                bool here)
{
	const struct span *s = &nd->span;
	double len = ax->to > ax->from ? (double)(ax->to - ax->from) : 1;
	int from = (int)((double)(s->start_ns - ax->from) * TREE_BAR / len);
	int n = s->dur_ns > 0 ? (int)((double)s->dur_ns * TREE_BAR / len) : 0;
	char bar[TREE_BAR + 1];
	struct buf b = { 0 };

	memset(bar, ' ', TREE_BAR);
	from = from < 0 ? 0 : from >= TREE_BAR ? TREE_BAR - 1 : from;
	n = n < 1 ? 1 : n > TREE_BAR - from ? TREE_BAR - from : n;
	memset(bar + from, '#', (size_t)n);
	bar[TREE_BAR] = 0;
	buf_fmt(&b, "[%s] ", bar);
	app_ms(&b, s->dur_ns);
	buf_fmt(&b, "%*s%s%.*s  ", depth * 2 + 1, "", here ? "* " : "",
	        STR_ARG(s->process.s ? s->process : s->comm));
	trace_operation(&b, s);
	if (s->status.s)
		buf_fmt(&b, "  %.*s", STR_ARG(s->status));
	detail_line(d, s->error == 1 ? ROLE_BAD : ROLE_TEXT, "%.*s", STR_ARG(buf_slice(&b)));
	buf_free(&b);
}

/* A span and what is below it; each is shown once, however its parents go round. */
static void branch(struct trace *t, struct node *nodes, size_t n, size_t i, int depth,
                   const struct axis *ax)
{
	if (nodes[i].shown || depth > 40)
		return;
	nodes[i].shown = true;
	put(&t->detail, &nodes[i], depth, ax, !memcmp(nodes[i].span.span_id, t->open.span_id, 8));
	for (size_t k = 0; k < n; k++)
		if (!nodes[k].shown && parent_of(nodes, n, &nodes[k].span) == &nodes[i])
			branch(t, nodes, n, k, depth + 1, ax);
}

void trace_tree(struct trace *t)
{
	struct axis ax = { INT64_MAX, INT64_MIN };
	struct node *nodes = NULL;
	size_t n;

	detail_section(&t->detail, "Tree of the trace");
	n = load(t, &nodes);
	for (size_t i = 0; nodes && i < n; i++) {
		const struct span *s = &nodes[i].span;
		int64_t end = s->start_ns + (s->dur_ns > 0 ? s->dur_ns : 0);

		ax.from = s->start_ns < ax.from ? s->start_ns : ax.from;
		ax.to = end > ax.to ? end : ax.to;
	}
	for (int round = 0; nodes && round < 2; round++) /* roots; then what hangs in a circle */
		for (size_t i = 0; i < n; i++)
			if (round || !parent_of(nodes, n, &nodes[i].span))
				branch(t, nodes, n, i, 0, &ax);
	if (n < 2)
		detail_line(&t->detail, ROLE_DIM,
		            "one span: no trace context links it to others that were seen");
	free(nodes);
}
