// SPDX-License-Identifier: GPL-3.0-or-later
/* grid - a frame: cells of one character and one role each. */
#include "ui/grid.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "ui/width.h"

static const struct cell_c blank = { .c = " ", .len = 1, .width = 1, .role = ROLE_TEXT };

int grid_resize(struct grid *g, int w, int h)
{
	struct cell_c *cells;

	w = w < 1 ? 1 : w > GRID_MAX ? GRID_MAX : w;
	h = h < 1 ? 1 : h > GRID_MAX ? GRID_MAX : h;
	cells = malloc((size_t)w * (size_t)h * sizeof(*cells));
	if (!cells)
		return -ENOMEM;
	free(g->cells);
	g->cells = cells;
	g->w = w;
	g->h = h;
	grid_clear(g, (struct rect){ 0, 0, w, h });
	return 0;
}

void grid_free(struct grid *g)
{
	free(g->cells);
	g->cells = NULL;
	g->w = g->h = 0;
}

static struct cell_c *at(struct grid *g, int x, int y)
{
	return x >= 0 && y >= 0 && x < g->w && y < g->h ? &g->cells[y * g->w + x] : NULL;
}

static int min(int a, int b)
{
	return a < b ? a : b;
}

static int max(int a, int b)
{
	return a > b ? a : b;
}

void grid_clear(struct grid *g, struct rect r)
{
	for (int y = max(r.y, 0); y < min(r.y + r.h, g->h); y++)
		for (int x = max(r.x, 0); x < min(r.x + r.w, g->w); x++)
			g->cells[y * g->w + x] = blank;
}

/* Half a wide character cannot stay. */
static void unsplit(struct grid *g, int x, int y)
{
	struct cell_c *c = at(g, x, y), *left = at(g, x - 1, y), *right = at(g, x + 1, y);

	if (c && !c->len && left && left->width == 2)
		*left = (struct cell_c){ .c = " ", .len = 1, .width = 1, .role = left->role };
	if (c && c->width == 2 && right && !right->len)
		*right = (struct cell_c){ .c = " ", .len = 1, .width = 1, .role = right->role };
}

static void put(struct grid *g, int x, int y, enum role role, const char *c, size_t len, int width)
{
	struct cell_c *cell = at(g, x, y);

	if (!cell || (width == 2 && !at(g, x + 1, y)))
		return;
	unsplit(g, x, y);
	if (width == 2)
		unsplit(g, x + 1, y);
	*cell = (struct cell_c){ .len = (uint8_t)len, .width = (uint8_t)width, .role = role };
	memcpy(cell->c, c, len);
	if (width == 2)
		*at(g, x + 1, y) = (struct cell_c){ .role = role };
}

/* A mark that joins the character before it, as far as there is room. */
static void join(struct grid *g, int x, int y, const struct glyph *gl)
{
	struct cell_c *c = at(g, x - 1, y);

	if (c && !c->len)
		c = at(g, x - 2, y);
	if (!c || c->len + gl->len > (int)sizeof(c->c))
		return;
	memcpy(c->c + c->len, gl->c, gl->len);
	c->len = (uint8_t)(c->len + gl->len);
}

static void put_glyph(struct grid *g, int x, int y, enum role role, const struct glyph *gl)
{
	if (gl->sign)
		for (int i = 0; i < gl->len; i++)
			put(g, x + i, y, role, gl->c + i, 1, 1);
	else if (!gl->width)
		join(g, x, y, gl);
	else
		put(g, x, y, role, gl->c, gl->len, gl->width);
}

/* Draws what fits into w columns; returns the columns used. */
static int draw(struct grid *g, int x, int y, int w, enum role role, struct str s)
{
	struct glyph gl;
	int used = 0;

	while (s.len) {
		width_next(&s, g->ascii, &gl);
		if (used + gl.width > w)
			break;
		put_glyph(g, x + used, y, role, &gl);
		used += gl.width;
	}
	return used;
}

static struct str cut_sign(const struct grid *g)
{
	return g->ascii ? STR("..") : STR("\u2026");
}

static int sign_width(const struct grid *g)
{
	return g->ascii ? 2 : 1;
}

/* Columns of s, but no more than `limit` + 1 are looked at. */
static int width_up_to(const struct grid *g, struct str s, int limit)
{
	struct glyph gl;
	int used = 0;

	while (s.len && used <= limit) {
		width_next(&s, g->ascii, &gl);
		used += gl.width;
	}
	return used;
}

int grid_width(const struct grid *g, struct str s)
{
	return width_up_to(g, s, INT32_MAX - 16);
}

int grid_text(struct grid *g, int x, int y, int w, enum role role, struct str s)
{
	int used, room;

	w = min(w, g->w - x);
	if (w <= 0 || !s.s)
		return 0;
	if (width_up_to(g, s, w) <= w)
		return draw(g, x, y, w, role, s);
	room = w - sign_width(g);
	used = room > 0 ? draw(g, x, y, room, role, s) : 0;
	for (; used < room; used++)
		put(g, x + used, y, role, " ", 1, 1);
	return used + draw(g, x + used, y, w - used, role, cut_sign(g));
}

int grid_textf(struct grid *g, int x, int y, int w, enum role role, const char *fmt, ...)
{
	char small[512], *text = small;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(small, sizeof(small), fmt, ap);
	va_end(ap);
	if (n < 0)
		return 0;
	if ((size_t)n >= sizeof(small)) {
		va_start(ap, fmt);
		n = vasprintf(&text, fmt, ap);
		va_end(ap);
		if (n < 0)
			return 0;
	}
	n = grid_text(g, x, y, w, role, (struct str){ text, (size_t)n });
	if (text != small)
		free(text);
	return n;
}

int grid_right(struct grid *g, int x, int y, int w, enum role role, struct str s)
{
	int n = width_up_to(g, s, w);

	return grid_text(g, n < w ? x + w - n : x, y, n < w ? n : w, role, s);
}

int grid_scrolled(struct grid *g, int x, int y, int w, int skip, enum role role, struct str s)
{
	struct glyph gl;
	int gone = 0, n;

	w = min(w, g->w - x);
	if (skip <= 0 || w <= 0 || width_up_to(g, s, w) <= w)
		return grid_text(g, x, y, w, role, s);
	skip = min(skip, max(grid_width(g, s) - w, 0)); /* the end stays at the right */
	n = draw(g, x, y, w, role, cut_sign(g));
	while (s.len && gone < skip + n) {
		width_next(&s, g->ascii, &gl);
		gone += gl.width;
	}
	return n + grid_text(g, x + n, y, w - n, role, s);
}

void grid_fill(struct grid *g, struct rect r, enum role role)
{
	for (int y = max(r.y, 0); y < min(r.y + r.h, g->h); y++)
		for (int x = max(r.x, 0); x < min(r.x + r.w, g->w); x++)
			g->cells[y * g->w + x].role = role;
}

void grid_hline(struct grid *g, int x, int y, int w, enum role role)
{
	struct str s = g->ascii ? STR("-") : STR("\u2500");

	for (int i = 0; i < w; i++)
		put(g, x + i, y, role, s.s, s.len, 1);
}

void grid_vline(struct grid *g, int x, int y, int h, enum role role)
{
	struct str s = g->ascii ? STR("|") : STR("\u2502");

	for (int i = 0; i < h; i++)
		put(g, x, y + i, role, s.s, s.len, 1);
}

/* Columns of the cells from x on that show `needle`; 0: they do not. */
static int shows(const struct grid *g, int x, int end, int y, struct str needle)
{
	size_t done = 0;
	int from = x;

	for (; x < end && done < needle.len; x++) {
		const struct cell_c *c = &g->cells[y * g->w + x];

		for (int i = 0; i < c->len; i++, done++)
			if (done >= needle.len || str_lower(c->c[i]) != str_lower(needle.s[done]))
				return 0;
	}
	return done == needle.len ? x - from : 0;
}

void grid_find(struct grid *g, struct rect r, enum role role, struct str needle)
{
	int end = min(r.x + r.w, g->w), n;

	for (int y = max(r.y, 0); needle.len && y < min(r.y + r.h, g->h); y++)
		for (int x = max(r.x, 0); x < end; x++) {
			n = shows(g, x, end, y, needle);
			if (n)
				grid_fill(g, (struct rect){ x, y, n, 1 }, role);
		}
}

void grid_print(const struct grid *g, struct buf *out)
{
	for (int y = 0; y < g->h; y++) {
		const struct cell_c *row = &g->cells[y * g->w];
		int end = g->w;

		while (end > 0 && row[end - 1].len == 1 && row[end - 1].c[0] == ' ')
			end--;
		for (int x = 0; x < end; x++)
			buf_add(out, row[x].c, row[x].len);
		buf_ch(out, '\n');
	}
}

int grid_spark(struct grid *g, int x, int y, int w, enum role role, const uint32_t *v,
               unsigned int n)
{
	static const char ascii[] = " .:-=+*#";
	unsigned int first = n > (unsigned int)w ? n - (unsigned int)w : 0;
	uint32_t top = 0;

	for (unsigned int i = first; i < n; i++)
		top = v[i] > top ? v[i] : top;
	for (unsigned int i = first; i < n; i++) {
		unsigned int level = top ? (unsigned int)((uint64_t)v[i] * 7 / top) : 0;
		char block[4] = { (char)0xe2, (char)0x96, (char)(0x81 + level), 0 };

		if (v[i] && !level && g->ascii)
			level = 1; /* something is not nothing */
		if (g->ascii)
			put(g, x + (int)(i - first), y, role, &ascii[level], 1, 1);
		else if (!v[i])
			put(g, x + (int)(i - first), y, role, " ", 1, 1);
		else
			put(g, x + (int)(i - first), y, role, block, 3, 1);
	}
	return (int)(n - first);
}
