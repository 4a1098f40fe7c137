/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_WRITE_MAP_LAYOUT_H
#define OBI_WRITE_MAP_LAYOUT_H

/*
 * map_layout - where services and calls of a map are drawn.
 *
 * The usual four steps for layered graphs: calls that would close a circle are
 * turned round; a service stands one layer behind its last caller; a call over
 * several layers gets a place in each; places in a layer are put in the order
 * that crosses least (by the mean of their neighbours, a few times to and fro).
 */

#include "write/map.h"

enum {
	MAP_BOX_W = 170,
	MAP_BOX_H = 44,
	MAP_GAP_X = 250, /* between layers: labels stand there */
	MAP_GAP_Y = 26,
	MAP_SPARE_H = 22, /* of the place of a call that passes */
	MAP_EDGE_POINTS = 12,
};

struct map_node {
	struct str name; /* s == NULL: a call passes here */
	unsigned int layer, place;
	double x, y; /* left end, middle */
	double want; /* place by its neighbours */
	uint64_t in, errors;
};

struct map_line { /* a call, drawn */
	const struct map_edge *edge;
	unsigned int from, to;                   /* nodes */
	unsigned int via[MAP_EDGE_POINTS], nvia; /* places it passes, in its direction */
	bool back;                               /* against the layers, or to itself */
	double label_x, label_y;
};

struct map_layout {
	struct map_node *nodes;
	size_t n, cap, services; /* the first are services, the others places that calls pass */
	struct map_line *lines;
	size_t nlines;
	unsigned int layers;
	double width, height;
	size_t left_out; /* calls for which there is no room */
};

/* 0 or -ENOMEM. */
int map_layout(struct map_layout *l, const struct map_edge *edges, size_t n);
void map_layout_free(struct map_layout *l);

#endif
