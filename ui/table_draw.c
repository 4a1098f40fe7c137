// SPDX-License-Identifier: GPL-3.0-or-later
/* table_draw - which columns fit and how wide they are; heads, rows, signs. */
#include "ui/table.h"

enum { SIGNS = 2 /* before each row: cursor, mark */ };

static int need(const struct tbl *t)
{
	int sum = SIGNS;

	for (unsigned int i = 0; i < t->ncols; i++)
		if (t->fitted[i])
			sum += t->cols[i].width + 1;
	return sum - 1;
}

/* Leaves out what matters least until the rest fits. */
static void choose(struct tbl *t, int width)
{
	t->hidden = 0;
	memcpy(t->fitted, t->shown, sizeof(t->fitted));
	while (need(t) > width) {
		int worst = -1;

		for (unsigned int i = 0; i < t->ncols; i++) {
			unsigned int col = t->order[i];

			if (t->fitted[col] && (worst < 0 || !t->cols[col].priority ||
			                       (t->cols[worst].priority &&
			                        t->cols[col].priority >= t->cols[worst].priority)))
				worst = (int)col;
		}
		if (worst < 0)
			return;
		t->fitted[worst] = false;
		t->hidden++;
	}
}

/* Room that is left goes to columns in the order of their priority, each up to its maximum. */
static void widen(struct tbl *t, int width)
{
	int left = width - need(t);

	for (unsigned int i = 0; i < t->ncols; i++)
		t->w[i] = t->cols[i].width;
	for (int p = 1; p < 100 && left > 0; p++)
		for (unsigned int i = 0; i < t->ncols && left > 0; i++) {
			const struct tbl_col *c = &t->cols[i];
			int more = c->max - c->width;

			if (!t->fitted[i] || (c->priority ? c->priority : 99) != p || more <= 0)
				continue;
			more = more < left ? more : left;
			t->w[i] += more;
			left -= more;
		}
}

static void layout(struct tbl *t, struct rect r)
{
	int x = r.x + SIGNS;

	choose(t, r.w);
	widen(t, r.w);
	for (unsigned int i = 0; i < t->ncols; i++) {
		unsigned int col = t->order[i];

		if (!t->fitted[col])
			continue;
		t->x[col] = x;
		x += t->w[col] + 1;
	}
}

static const char *sort_sign(const struct tbl *t, const struct grid *g, const struct tbl_col *c)
{
	const char *name = tbl_sort_name(c);

	if (!t->sort || !name || strcmp(name, t->sort) != 0)
		return "";
	if (g->ascii)
		return t->desc ? " v" : " ^";
	return t->desc ? " \u25bc" : " \u25b2";
}

static void draw_head(const struct tbl *t, struct grid *g, struct rect r)
{
	for (unsigned int i = 0; i < t->ncols; i++) {
		const struct tbl_col *c = &t->cols[i];
		char title[64];

		if (!t->fitted[i])
			continue;
		snprintf(title, sizeof(title), "%s%s",
		         tbl_lacks(t, c->with) ? c->with_title : c->title, sort_sign(t, g, c));
		if (c->right)
			grid_right(g, t->x[i], r.y, t->w[i], ROLE_HEAD, str_of(title));
		else
			grid_text(g, t->x[i], r.y, t->w[i], ROLE_HEAD, str_of(title));
	}
	grid_fill(g, (struct rect){ r.x, r.y, r.w, 1 }, ROLE_HEAD);
}

static void draw_row(struct tbl *t, struct grid *g, int x, int y, size_t row, struct buf *cell)
{
	if (!t->src->load(t->ctx, row)) {
		grid_text(g, x + SIGNS, y, 40, ROLE_DIM, STR("(made room for newer rows)"));
		return;
	}
	for (unsigned int i = 0; i < t->ncols; i++) {
		const struct tbl_col *c = &t->cols[i];
		enum role role;

		if (!t->fitted[i])
			continue;
		buf_clear(cell);
		role = t->src->cell(t->ctx, c, cell);
		if (grid_width(g, buf_slice(cell)) > t->w[i])
			t->cut = true;
		else if (c->right) {
			grid_right(g, t->x[i], y, t->w[i], role, buf_slice(cell));
			continue;
		}
		grid_scrolled(g, t->x[i], y, t->w[i], t->skip, role, buf_slice(cell));
	}
}

static void draw_signs(const struct tbl *t, struct grid *g, struct rect line, size_t row)
{
	bool marked = t->nmarks && tbl_marked(t, t->src->id(t->ctx, row));

	if (marked) {
		grid_fill(g, line, ROLE_MARK);
		grid_text(g, line.x + 1, line.y, 1, ROLE_MARK, STR("*"));
	}
	if (row == t->cursor) {
		grid_fill(g, line, ROLE_CURSOR);
		grid_text(g, line.x, line.y, 1, ROLE_CURSOR, STR(">"));
	}
}

void tbl_draw(struct tbl *t, struct grid *g, struct rect r)
{
	struct buf cell = { 0 };
	size_t n = t->src->count(t->ctx);

	t->area = r;
	t->body = (struct rect){ r.x, r.y + 1, r.w, r.h - 1 };
	t->page = t->body.h > 0 ? t->body.h : 0;
	t->cut = false;
	tbl_sync(t);
	grid_clear(g, r);
	layout(t, r);
	draw_head(t, g, r);
	for (int i = 0; i < t->page && t->top + (size_t)i < n; i++) {
		struct rect line = { r.x, t->body.y + i, r.w, 1 };
		size_t row = t->top + (size_t)i;

		draw_row(t, g, r.x, line.y, row, &cell);
		draw_signs(t, g, line, row);
		if (t->search[0])
			grid_find(g, line, ROLE_MATCH, str_of(t->search));
	}
	if (!t->cut)
		t->skip = 0;
	buf_free(&cell);
}
