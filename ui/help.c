// SPDX-License-Identifier: GPL-3.0-or-later
/* help - the keys of the view on top and of all views, and what its signs mean. */
#include "ui/app_int.h"

static int put(struct grid *g, int x, int y, int w, const char *keys, const char *help)
{
	grid_text(g, x, y, 14, ROLE_KEY, str_of(keys));
	grid_text(g, x + 15, y, w - 16, ROLE_TEXT, str_of(help));
	return y + 1;
}

struct place { /* where the next line goes: down, then into the next column */
	struct rect r;
	int x, y, w;
};

static bool step(struct place *at)
{
	if (at->y < at->r.y + at->r.h)
		return true;
	at->x += at->w;
	at->y = at->r.y;
	return at->x + at->w <= at->r.x + at->r.w;
}

static void put_lines(struct grid *g, struct place *at, enum role role, const char *text)
{
	while (text && *text && step(at)) {
		size_t n = strcspn(text, "\n");

		grid_text(g, at->x, at->y++, at->w - 1, role, (struct str){ text, n });
		text += n + (text[n] == '\n');
	}
}

void help_draw(struct app *a, struct rect r)
{
	struct grid *g = &a->grid;
	int columns = r.w >= 150 ? 3 : r.w >= 76 ? 2 : 1;
	struct place at = { r, r.x, r.y, r.w / columns };
	struct pane *p = app_top(a);
	const struct view *v = p->view;

	grid_clear(g, r);
	put_lines(g, &at, ROLE_HEAD, v->title);
	put_lines(g, &at, ROLE_TEXT, v->legend);
	for (int i = 0; i < VIEW_KEYS && v->keys[i].key && step(&at); i++)
		at.y = put(g, at.x, at.y, at.w, v->keys[i].key, v->keys[i].help);
	for (int act = 1; act < ACT_MAX && step(&at); act++) {
		struct buf keys = { 0 };

		keymap_of(a->keys, (enum action)act, &keys);
		buf_ch(&keys, 0);
		if (!keys.failed)
			at.y = put(g, at.x, at.y, at.w, keys.p, keymap_help((enum action)act));
		buf_free(&keys);
	}
}
