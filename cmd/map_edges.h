/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_CMD_MAP_EDGES_H
#define OBI_CMD_MAP_EDGES_H

/* map_edges - the calls of the service map, as the query service_map has them. */

#include "base/arena.h"
#include "store/store.h"
#include "write/map.h"

struct map_edges {
	struct map_edge *v;
	size_t n, cap;
	struct arena texts;
};

/* 0 or -errno with words in err (ERR_TEXT bytes). map_edges_free() it in any case. */
int map_edges_ask(struct store *s, struct map_edges *out, char *err);
void map_edges_free(struct map_edges *m);

/* `obi top --export FILE`: both, and into a file by its ending. 0 or -errno with words in err. */
int map_edges_export(struct store *s, const char *path, const char *title, char *err);

#endif
