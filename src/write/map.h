/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_WRITE_MAP_H
#define OBI_WRITE_MAP_H

/*
 * map - the service map as a picture: who calls whom, how often, how well.
 *
 * Services stand in layers, callers at the left; calls that go back are drawn
 * below. The pictures hold all they need: no scripts, no fonts, no network.
 */

#include <math.h>

#include "base/str.h"

enum { MAP_NODES = 300, MAP_EDGES = 1000 /* more are left out, and said to be */ };

struct map_edge {
	struct str from, to, proto; /* borrowed */
	uint64_t count, errors;
	double rate, p50_ms, p95_ms; /* NAN: unknown */
};

void map_svg(struct buf *out, const struct map_edge *edges, size_t n, const char *title);
void map_dot(struct buf *out, const struct map_edge *edges, size_t n, const char *title);
/* The calls as a table of HTML, id "calls". */
void map_table(struct buf *out, const struct map_edge *edges, size_t n);
void map_html(struct buf *out, const struct map_edge *edges, size_t n, const char *title);

bool map_knows(const char *path); /* map_export() takes its ending */
/* Into a file by its ending: .svg .dot .html. 0 or -errno with words in err (ERR_TEXT bytes). */
int map_export(const char *path, const struct map_edge *edges, size_t n, const char *title,
               char *err);

#endif
