// SPDX-License-Identifier: GPL-3.0-or-later
/* map_layout - where services and calls of a map are drawn. */
#include "write/map_layout.h"

#include <errno.h>
#include <stdlib.h>

enum { SWEEPS = 8, MARGIN = 24, HEAD = 44 /* for the title */ };

/* ---- services and calls ---- */

static int add_node(struct map_layout *l, struct str name, unsigned int layer)
{
	struct map_node *p;

	if (l->n == l->cap) {
		size_t cap = l->cap ? l->cap * 2 : 64;

		p = reallocarray(l->nodes, cap, sizeof(*p));
		if (!p)
			return -ENOMEM;
		l->nodes = p;
		l->cap = cap;
	}
	l->nodes[l->n] = (struct map_node){ .name = name, .layer = layer };
	return (int)l->n++;
}

static int service(struct map_layout *l, struct str name)
{
	for (size_t i = 0; i < l->n; i++)
		if (str_eq(l->nodes[i].name, name))
			return (int)i;
	return l->n < MAP_NODES ? add_node(l, name, 0) : -ENOSPC;
}

static int take_calls(struct map_layout *l, const struct map_edge *edges, size_t n)
{
	l->lines = calloc(n ? n : 1, sizeof(*l->lines));
	if (!l->lines)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		int from = service(l, edges[i].from), to = service(l, edges[i].to);

		if (from == -ENOMEM || to == -ENOMEM)
			return -ENOMEM;
		if (from < 0 || to < 0 || l->nlines == MAP_EDGES) {
			l->left_out++;
			continue;
		}
		l->nodes[to].in += edges[i].count;
		l->nodes[to].errors += edges[i].errors;
		l->lines[l->nlines++] = (struct map_line){ .edge = &edges[i],
			                                   .from = (unsigned int)from,
			                                   .to = (unsigned int)to };
	}
	l->services = l->n;
	return 0;
}

/* ---- layers ---- */

enum { UNSEEN, OPEN, CLOSED };

/* A call to a service that is still open closes a circle. Depth is bounded by MAP_NODES. */
static void find_back(struct map_layout *l, unsigned int node, unsigned char *state)
{
	state[node] = OPEN;
	for (size_t i = 0; i < l->nlines; i++) {
		struct map_line *e = &l->lines[i];

		if (e->from != node)
			continue;
		if (state[e->to] == OPEN)
			e->back = true;
		else if (state[e->to] == UNSEEN)
			find_back(l, e->to, state);
	}
	state[node] = CLOSED;
}

static bool is_called(const struct map_layout *l, unsigned int node)
{
	for (size_t i = 0; i < l->nlines; i++)
		if (l->lines[i].to == node && l->lines[i].from != node)
			return true;
	return false;
}

static void set_layers(struct map_layout *l)
{
	unsigned char state[MAP_NODES] = { 0 };
	bool moved = true;

	for (int round = 0; round < 2; round++) /* those that nobody calls begin */
		for (unsigned int i = 0; i < l->services; i++)
			if (state[i] == UNSEEN && (round || !is_called(l, i)))
				find_back(l, i, state);
	for (size_t pass = 0; moved && pass <= l->services; pass++) {
		moved = false;
		for (size_t i = 0; i < l->nlines; i++) {
			const struct map_line *e = &l->lines[i];
			unsigned int least = l->nodes[e->from].layer + 1;

			if (e->back || l->nodes[e->to].layer >= least)
				continue;
			l->nodes[e->to].layer = least;
			moved = true;
		}
	}
	for (size_t i = 0; i < l->services; i++)
		if (l->nodes[i].layer + 1 > l->layers)
			l->layers = l->nodes[i].layer + 1;
}

/* A call over several layers gets a place in each of those between. */
static int add_places(struct map_layout *l)
{
	for (size_t i = 0; i < l->nlines; i++) {
		struct map_line *e = &l->lines[i];
		unsigned int to = l->nodes[e->to].layer;

		for (unsigned int at = l->nodes[e->from].layer + 1; !e->back && at < to; at++) {
			int place = e->nvia < MAP_EDGE_POINTS ? add_node(l, STR_NULL, at) : 0;

			if (place < 0)
				return place;
			if (place)
				e->via[e->nvia++] = (unsigned int)place;
		}
	}
	return 0;
}

/* ---- order in a layer ---- */

/* The points of a line, one after the other. */
static unsigned int point(const struct map_line *e, unsigned int i)
{
	return !i ? e->from : i <= e->nvia ? e->via[i - 1] : e->to;
}

/* The mean place of the neighbours in the layer before or behind; its own where it has none. */
static double mean_place(const struct map_layout *l, unsigned int node, bool before)
{
	double sum = 0;
	unsigned int n = 0;

	for (size_t i = 0; i < l->nlines; i++) {
		const struct map_line *e = &l->lines[i];

		for (unsigned int k = 0; !e->back && k <= e->nvia; k++) {
			unsigned int a = point(e, k), b = point(e, k + 1);

			if ((before ? b : a) != node)
				continue;
			sum += l->nodes[before ? a : b].place;
			n++;
		}
	}
	return n ? sum / n : l->nodes[node].place;
}

static int by_want(const void *a, const void *b, void *ctx)
{
	const struct map_node *nodes = ctx;
	unsigned int i = *(const unsigned int *)a, k = *(const unsigned int *)b;

	if (nodes[i].want < nodes[k].want)
		return -1;
	if (nodes[i].want > nodes[k].want)
		return 1;
	return i < k ? -1 : i > k;
}

/* Numbers of the nodes of a layer, in the order of their wants. */
static unsigned int sort_layer(struct map_layout *l, unsigned int layer, unsigned int *list)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < l->n; i++)
		if (l->nodes[i].layer == layer)
			list[n++] = i;
	qsort_r(list, n, sizeof(*list), by_want, l->nodes);
	for (unsigned int i = 0; i < n; i++)
		l->nodes[list[i]].place = i;
	return n;
}

static void put_in_order(struct map_layout *l, unsigned int *list)
{
	for (unsigned int i = 0; i < l->n; i++)
		l->nodes[i].want = i;
	for (unsigned int layer = 0; layer < l->layers; layer++)
		sort_layer(l, layer, list);
	for (int sweep = 0; sweep < SWEEPS; sweep++)
		for (unsigned int k = 0; k < l->layers; k++) {
			unsigned int layer = sweep % 2 ? l->layers - 1 - k : k;

			for (unsigned int i = 0; i < l->n; i++)
				if (l->nodes[i].layer == layer)
					l->nodes[i].want = mean_place(l, i, !(sweep % 2));
			sort_layer(l, layer, list);
		}
}

/* ---- places on the sheet ---- */

static double height_of(const struct map_node *n)
{
	return n->name.s ? MAP_BOX_H : MAP_SPARE_H;
}

static double layer_height(const struct map_layout *l, const unsigned int *list, unsigned int n)
{
	double h = 0;

	for (unsigned int i = 0; i < n; i++)
		h += height_of(&l->nodes[list[i]]) + MAP_GAP_Y;
	return n ? h - MAP_GAP_Y : 0;
}

static void put_nodes(struct map_layout *l, unsigned int *list)
{
	double tallest = MAP_BOX_H;

	for (unsigned int layer = 0; layer < l->layers; layer++) {
		double h = layer_height(l, list, sort_layer(l, layer, list));

		tallest = h > tallest ? h : tallest;
	}
	for (unsigned int layer = 0; layer < l->layers; layer++) {
		unsigned int n = sort_layer(l, layer, list);
		double y = HEAD + MARGIN + (tallest - layer_height(l, list, n)) / 2;

		for (unsigned int i = 0; i < n; i++) {
			struct map_node *node = &l->nodes[list[i]];

			node->x = MARGIN + layer * (double)(MAP_BOX_W + MAP_GAP_X);
			node->y = y + height_of(node) / 2;
			y += height_of(node) + MAP_GAP_Y;
		}
	}
	l->height = HEAD + 2 * MARGIN + tallest;
	l->width = 2 * MARGIN + (l->layers ? l->layers : 1) * (double)(MAP_BOX_W + MAP_GAP_X) -
	           MAP_GAP_X;
}

static int by_label(const void *a, const void *b)
{
	const struct map_line *p = *(struct map_line *const *)a, *q = *(struct map_line *const *)b;

	if (p->label_x < q->label_x || p->label_x > q->label_x)
		return p->label_x < q->label_x ? -1 : 1;
	return p->label_y < q->label_y ? -1 : p->label_y > q->label_y;
}

/* Labels stand between the first two layers of their line, none over another. */
static int put_labels(struct map_layout *l)
{
	enum { LABEL_H = 26 };
	struct map_line **list = calloc(l->nlines ? l->nlines : 1, sizeof(struct map_line *));
	double below = l->height;

	if (!list)
		return -ENOMEM;
	for (size_t i = 0; i < l->nlines; i++) {
		struct map_line *e = &l->lines[i];
		const struct map_node *a = &l->nodes[e->from], *b = &l->nodes[point(e, 1)];

		list[i] = e;
		e->label_x = a->x + MAP_BOX_W + MAP_GAP_X / 2.0;
		e->label_y = (a->y + b->y) / 2;
		if (!e->back)
			continue;
		e->label_x = (a->x + l->nodes[e->to].x + MAP_BOX_W) / 2;
		e->label_y = below;
		below += LABEL_H + 10;
	}
	l->height = below + (below > l->height ? MARGIN : 0);
	qsort(list, l->nlines, sizeof(struct map_line *), by_label);
	for (size_t i = 1; i < l->nlines; i++)
		if (list[i]->label_x - list[i - 1]->label_x < 1 && !list[i]->back &&
		    list[i]->label_y < list[i - 1]->label_y + LABEL_H)
			list[i]->label_y = list[i - 1]->label_y + LABEL_H;
	for (size_t i = 0; i < l->nlines; i++)
		if (list[i]->label_y + MARGIN > l->height)
			l->height = list[i]->label_y + MARGIN;
	free(list);
	return 0;
}

int map_layout(struct map_layout *l, const struct map_edge *edges, size_t n)
{
	unsigned int *list;
	int e;

	*l = (struct map_layout){ 0 };
	e = take_calls(l, edges, n);
	if (!e) {
		set_layers(l);
		e = add_places(l);
	}
	list = e ? NULL : calloc(l->n ? l->n : 1, sizeof(*list));
	if (list) {
		put_in_order(l, list);
		put_nodes(l, list);
		e = put_labels(l);
	} else {
		e = -ENOMEM;
	}
	free(list);
	return e;
}

void map_layout_free(struct map_layout *l)
{
	free(l->nodes);
	free(l->lines);
	*l = (struct map_layout){ 0 };
}
