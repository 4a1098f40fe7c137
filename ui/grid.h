/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_UI_GRID_H
#define OBI_UI_GRID_H

/*
 * grid - a frame: cells of one character and one role each. Views draw into it
 * and know nothing of the terminal; screen.c shows it, `:screen FILE` writes it
 * as text. What is drawn outside is cut; captured text is made harmless here:
 * control characters and what is no UTF-8 become visible signs.
 */

#include "base/str.h"

enum { GRID_MAX = 1000 }; /* columns, lines */

/* What a cell means; a theme gives it colour and attributes, never colour alone. */
enum role {
	ROLE_TEXT,
	ROLE_DIM,
	ROLE_HEAD,   /* heads of columns */
	ROLE_BAR,    /* header and key lines */
	ROLE_KEY,    /* a key in the key line */
	ROLE_CURSOR, /* the selected row */
	ROLE_MARK,   /* a marked row */
	ROLE_MATCH,  /* found by / */
	ROLE_GOOD,
	ROLE_WARN,
	ROLE_BAD, /* errors, lost rows */
	ROLE_CHART,
	ROLE_PROMPT,
	ROLE_MAX
};

struct cell_c {
	char c[8];     /* UTF-8, with combining marks as far as they fit */
	uint8_t len;   /* bytes of c; 0: the right half of a wide character */
	uint8_t width; /* 1 or 2 */
	uint8_t role;
};

struct grid {
	struct cell_c *cells;
	int w, h;
	bool ascii; /* no box, block or other characters beyond ASCII */
};

struct rect {
	int x, y, w, h;
};

/* 0 or -ENOMEM; the content is cleared. */
int grid_resize(struct grid *g, int w, int h);
void grid_free(struct grid *g);
void grid_clear(struct grid *g, struct rect r);

/*
 * Draws s from (x, y) on at most w columns; what does not fit ends in a sign
 * ("..", or the ellipsis where the locale has it). Returns the columns used.
 */
int grid_text(struct grid *g, int x, int y, int w, enum role role, struct str s);
int grid_textf(struct grid *g, int x, int y, int w, enum role role, const char *fmt, ...)
	__attribute__((format(printf, 6, 7)));
/* The same, at the right end of the w columns. */
int grid_right(struct grid *g, int x, int y, int w, enum role role, struct str s);
/* From byte `skip` columns on, for scrolling sideways; a sign at each end that is cut. */
int grid_scrolled(struct grid *g, int x, int y, int w, int skip, enum role role, struct str s);
void grid_fill(struct grid *g, struct rect r, enum role role); /* role only */
void grid_hline(struct grid *g, int x, int y, int w, enum role role);
void grid_vline(struct grid *g, int x, int y, int h, enum role role);
/* Gives cells of r that show `needle` (ASCII case folded) this role. */
void grid_find(struct grid *g, struct rect r, enum role role, struct str needle);
/* The last w of n values as eight levels, the greatest is full; returns the columns used. */
int grid_spark(struct grid *g, int x, int y, int w, enum role role, const uint32_t *v,
               unsigned int n);

/* Columns that s takes when drawn. */
int grid_width(const struct grid *g, struct str s);
/* The frame as text, lines without blanks at their ends. */
void grid_print(const struct grid *g, struct buf *out);

#endif
