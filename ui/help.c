// SPDX-License-Identifier: GPL-3.0-or-later
/* help - the keys of the view on top and of all views, and what its signs mean. */
#include "ui/app_int.h"

struct place { /* where the next line goes: down, then into the next column, then on the next page */
	struct rect r;
	int x, y, w;
	int page, shown; /* of the line; the one that is drawn */
};

/* Room for one more line; false: it is on another page. */
static bool step(struct place *at)
{
	if (at->y >= at->r.y + at->r.h) {
		at->x += at->w;
		at->y = at->r.y;
	}
	if (at->x + at->w > at->r.x + at->r.w) {
		at->page++;
		at->x = at->r.x;
	}
	if (at->page == at->shown)
		return true;
	at->y++;
	return false;
}

static void put_lines(struct grid *g, struct place *at, enum role role, const char *text)
{
	while (text && *text) {
		size_t n = strcspn(text, "\n");

		if (step(at))
			grid_text(g, at->x, at->y++, at->w - 1, role, (struct str){ text, n });
		text += n + (text[n] == '\n');
	}
}

static void put_key(struct grid *g, struct place *at, const char *keys, const char *help)
{
	if (!step(at))
		return;
	grid_text(g, at->x, at->y, 14, ROLE_KEY, str_of(keys));
	grid_text(g, at->x + 15, at->y, at->w - 16, ROLE_TEXT, str_of(help));
	at->y++;
}

static void put_action(struct app *a, struct place *at, enum action act)
{
	struct buf keys = { 0 };

	keymap_of(a->keys, act, &keys);
	buf_ch(&keys, 0);
	if (!keys.failed)
		put_key(&a->grid, at, keys.p, keymap_help(act));
	buf_free(&keys);
}

/* Draws one page; how many there are. */
static int draw_page(struct app *a, struct rect r, int page)
{
	int columns = r.w >= 150 ? 3 : r.w >= 76 ? 2 : 1;
	struct place at = { r, r.x, r.y, r.w / columns, 1, page };
	const struct view *v = app_top(a)->view;

	put_lines(&a->grid, &at, ROLE_HEAD, v->title);
	put_lines(&a->grid, &at, ROLE_TEXT, v->legend);
	for (int i = 0; i < VIEW_KEYS && v->keys[i].key; i++)
		put_key(&a->grid, &at, v->keys[i].key, v->keys[i].help);
	for (int act = 1; act < ACT_MAX; act++)
		put_action(a, &at, (enum action)act);
	return at.page;
}

void help_draw(struct app *a, struct rect r)
{
	int pages, foot = r.y + r.h - 1;

	r.h--;
	pages = draw_page(a, r, 0); /* none: counts */
	if (a->help > pages)
		a->help = pages;
	grid_clear(&a->grid, r);
	draw_page(a, r, a->help);
	if (pages > 1)
		grid_textf(&a->grid, r.x, foot, r.w, ROLE_DIM,
		           "page %d of %d: PgDn, PgUp; any other key: back", a->help, pages);
}

void help_key(struct app *a, enum action act)
{
	bool down = act == ACT_DOWN || act == ACT_PAGE_DOWN || act == ACT_HALF_DOWN;
	bool up = act == ACT_UP || act == ACT_PAGE_UP || act == ACT_HALF_UP;

	if (down || act == ACT_MARK)
		a->help++; /* the last page is the last */
	else if (up)
		a->help -= a->help > 1;
	else
		a->help = act == ACT_FIRST ? 1 : 0;
}
