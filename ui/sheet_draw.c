// SPDX-License-Identifier: GPL-3.0-or-later
/* sheet_draw - the table, one row in full beside it or below, and the third line of the header. */
#include "ui/sheet.h"

#include <stdio.h>

enum { WIDE = 160 /* from here on the detail stands at the right */ };

/* Every column of the row: what the table has no room for is here. */
static void all_columns(struct sheet *s, struct detail *d)
{
	const struct answer_rows *rows = answer_rows(s->shown);

	for (unsigned int i = 0; i < rows->ncols; i++) {
		struct str v = answer_text(s->shown, s->row, (int)i);

		if (v.len > 60 && memchr(v.s, '\n', v.len)) {
			detail_line(d, ROLE_DIM, "%s", rows->names[i]);
			detail_text(d, v, 64 << 10);
		} else {
			detail_pair(d, rows->names[i], v.s ? v : STR("-"));
		}
	}
}

static void fill_detail(struct sheet *s)
{
	if (!sheet_load(s) || (!s->stale && s->open_id == s->table.cursor_id))
		return;
	if (s->open_id != s->table.cursor_id)
		s->detail.cursor = s->detail.top = 0;
	s->open_id = s->table.cursor_id;
	s->stale = false;
	detail_clear(&s->detail);
	if (s->spec->detail)
		s->spec->detail(s, &s->detail);
	else
		all_columns(s, &s->detail);
}

enum handled sheet_show_detail(struct sheet *s, bool full)
{
	if (!s->table.has_id)
		return UI_HANDLED;
	s->detailed = s->stale = true;
	s->full = s->in_detail = full;
	s->table.follow = false;
	return UI_HANDLED | UI_REDRAW;
}

enum handled sheet_hide_detail(struct sheet *s)
{
	s->detailed = s->in_detail = s->full = false;
	s->detail.search[0] = 0;
	return UI_HANDLED | UI_REDRAW;
}

static void draw_both(struct sheet *s, struct grid *g, struct rect r)
{
	struct rect list = r, detail = r;

	if (r.w >= WIDE) {
		list.w = r.w / 2;
		detail.x = r.x + list.w + 2;
		detail.w = r.w - list.w - 2;
		grid_vline(g, r.x + list.w, r.y, r.h, ROLE_DIM);
	} else {
		list.h = r.h / 2;
		detail.y = r.y + list.h + 1;
		detail.h = r.h - list.h - 1;
		grid_hline(g, r.x, r.y + list.h, r.w, ROLE_DIM);
	}
	tbl_draw(&s->table, g, list);
	fill_detail(s);
	detail_draw(&s->detail, g, detail, s->in_detail);
}

/* What is wrong with the statement stands where its rows would. */
static void draw_words(struct sheet *s, struct grid *g, struct rect r)
{
	int y = r.y + 2;

	if (s->err[0]) {
		struct str rest = str_of(s->err);

		while (rest.len && y < r.y + r.h) {
			size_t n = rest.len < (size_t)(r.w - 6) ? rest.len : (size_t)(r.w - 6);

			grid_text(g, r.x + 4, y++, r.w - 5, ROLE_BAD, str_head(rest, n));
			rest.s += n;
			rest.len -= n;
		}
	} else if (sheet_is_slow(s)) {
		grid_textf(g, r.x + 4, y, r.w - 5, ROLE_DIM, "asking for %.1f s; Ctrl-C stops it",
		           answer_seconds(s->running));
	} else if (s->shown) {
		grid_textf(g, r.x + 4, y, r.w - 5, ROLE_DIM, s->filter[0] ? "no %s fit" : "no %s",
		           s->spec->what);
	}
}

/* The rows are not all that the statement has: said below them, not to be overlooked. */
static void draw_limit(const struct sheet *s, struct grid *g, struct rect *r)
{
	const char *words = sheet_is_cut(s);
	struct buf n = { 0 };

	if (!words || r->h < 4)
		return;
	r->h--;
	app_count(&n, answer_rows(s->shown)->n);
	grid_textf(g, r->x + 2, r->y + r->h, r->w - 2, ROLE_WARN, "the first %.*s %s: %s",
	           STR_ARG(buf_slice(&n)), s->spec->what, words);
	buf_free(&n);
}

void sheet_draw(struct pane *p, struct grid *g, struct rect r)
{
	struct sheet *s = p->state;

	if (s->err[0] && r.h > 3 && sheet_source.count(s)) {
		/* Older rows stay below the words. */
		grid_text(g, r.x, r.y, r.w, ROLE_BAD, str_of(s->err));
		r.y++, r.h--;
	}
	draw_limit(s, g, &r);
	if (s->detailed && s->full) {
		tbl_sync(&s->table);
		fill_detail(s);
		detail_draw(&s->detail, g, r, true);
		return;
	}
	if (s->detailed)
		draw_both(s, g, r);
	else
		tbl_draw(&s->table, g, r);
	if (!sheet_source.count(s))
		draw_words(s, g, r);
}

void sheet_status(struct pane *p, struct buf *left, struct buf *right)
{
	struct sheet *s = p->state;
	size_t n = sheet_source.count(s);

	if (p->view->columns) /* a view of columns that are known takes filters */
		buf_fmt(left, "Filter: %s", s->filter[0] ? s->filter : "none");
	if (sheet_is_slow(s))
		buf_fmt(right, "asking %.1f s  ", answer_seconds(s->running));
	app_count(right, n ? s->table.cursor + 1 : 0);
	buf_ch(right, '/');
	app_count(right, n);
	if (s->shown && answer_rows(s->shown)->more)
		buf_z(right, " of more");
	if (s->table.hidden)
		buf_fmt(right, "  +%u col", s->table.hidden);
	if (s->table.nmarks)
		buf_fmt(right, "  %zu marked", s->table.nmarks);
}
