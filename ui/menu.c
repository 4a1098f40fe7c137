// SPDX-License-Identifier: GPL-3.0-or-later
/* menu - a list to choose from, over the view. */
#include "ui/menu.h"

#include <stdio.h>

void menu_open(struct menu *m, const struct menu_spec *spec)
{
	m->spec = *spec;
	m->at = spec->at < spec->n ? spec->at : 0;
	m->top = 0;
	m->typed[0] = 0;
	m->open = spec->n > 0;
}

static void take(struct menu *m)
{
	struct menu_item *item = &m->spec.items[m->at];

	if (m->spec.switches)
		item->on = !item->on;
	else
		m->open = false;
	m->spec.chosen(m->spec.pane, item);
}

static void go(struct menu *m, long by)
{
	long at = (long)m->at + by, last = (long)m->spec.n - 1;

	m->typed[0] = 0;
	m->at = (size_t)(at < 0 ? 0 : at > last ? last : at);
}

/* The next item, from the one that is `from` places on, that begins with what was typed. */
static bool to_name(struct menu *m, size_t from)
{
	for (size_t i = from; i < from + m->spec.n; i++) {
		size_t at = (m->at + i) % m->spec.n;

		if (!strncasecmp(m->spec.items[at].name, m->typed, strlen(m->typed))) {
			m->at = at;
			return true;
		}
	}
	return false;
}

/* Letters of a name that come one behind the other; else the next that begins with this one. */
static bool by_letter(struct menu *m, const struct key *k)
{
	const char *text = key_text(k);
	size_t n = strlen(m->typed);

	if (!text || !m->spec.n)
		return false;
	if (n + strlen(text) < sizeof(m->typed)) {
		memcpy(m->typed + n, text, strlen(text) + 1);
		if (n && to_name(m, 0))
			return true;
	}
	snprintf(m->typed, sizeof(m->typed), "%s", text);
	if (to_name(m, 1))
		return true;
	m->typed[0] = 0;
	return false;
}

static void click(struct menu *m, const struct key *k)
{
	size_t at = m->top + (size_t)(k->y - m->body.y);

	if (k->y < m->body.y || k->y >= m->body.y + m->body.h || k->x < m->body.x ||
	    k->x >= m->body.x + m->body.w || at >= m->spec.n) {
		m->open = false;
		return;
	}
	m->at = at;
	take(m);
}

enum handled menu_key(struct menu *m, const struct key *k, enum action a)
{
	if (!strcmp(k->name, "<Enter>") || (m->spec.switches && a == ACT_MARK))
		take(m);
	else if (!strcmp(k->name, "<Click>"))
		click(m, k);
	else if (a == ACT_BACK || a == ACT_INTERRUPT || !strcmp(k->name, "<F10>"))
		m->open = false;
	else if (!strcmp(k->name, "<Up>") || !strcmp(k->name, "<WheelUp>"))
		go(m, -1);
	else if (!strcmp(k->name, "<Down>") || !strcmp(k->name, "<WheelDown>"))
		go(m, 1);
	else if (a == ACT_PAGE_UP || a == ACT_FIRST)
		go(m, a == ACT_FIRST ? -MENU_ITEMS : -10);
	else if (a == ACT_PAGE_DOWN || a == ACT_LAST)
		go(m, a == ACT_LAST ? MENU_ITEMS : 10);
	else if (!by_letter(m, k) && (a == ACT_DOWN || a == ACT_UP))
		go(m, a == ACT_DOWN ? 1 : -1);
	return UI_HANDLED | UI_REDRAW | UI_REFRESH;
}

static int widest(const struct menu *m, const struct grid *g)
{
	int w = grid_width(g, str_of(m->spec.title));

	for (size_t i = 0; i < m->spec.n; i++) {
		const struct menu_item *it = &m->spec.items[i];
		int n = 18 + (it->help ? grid_width(g, str_of(it->help)) : 0);

		w = n > w ? n : w;
	}
	return w;
}

void menu_draw(struct menu *m, struct grid *g, struct rect r)
{
	int w = widest(m, g) + 4, h = (int)m->spec.n;
	struct rect box;

	w = w > r.w - 2 ? r.w - 2 : w;
	h = h > r.h - 2 ? r.h - 2 : h;
	box = (struct rect){ r.x + r.w - w - 1, r.y, w, h + 2 };
	m->body = (struct rect){ box.x, box.y + 1, w, h };
	if (m->at < m->top)
		m->top = m->at;
	if (h > 0 && m->at >= m->top + (size_t)h)
		m->top = m->at - (size_t)h + 1;
	grid_clear(g, box);
	grid_hline(g, box.x, box.y, w, ROLE_DIM);
	grid_hline(g, box.x, box.y + h + 1, w, ROLE_DIM);
	grid_text(g, box.x + 2, box.y, w - 4, ROLE_HEAD, str_of(m->spec.title));
	if ((size_t)h < m->spec.n)
		grid_textf(g, box.x + 2, box.y + h + 1, w - 4, ROLE_DIM, " %zu of %zu ", m->at + 1,
		           m->spec.n);
	for (int i = 0; i < h; i++) {
		size_t at = m->top + (size_t)i;
		const struct menu_item *it = &m->spec.items[at];
		int y = m->body.y + i;

		grid_textf(g, box.x + 1, y, 3, ROLE_TEXT, "%c%c", at == m->at ? '>' : ' ',
		           it->on ? '*' : ' ');
		grid_text(g, box.x + 4, y, 15, ROLE_TEXT, str_of(it->name));
		grid_text(g, box.x + 20, y, w - 21, ROLE_DIM, str_of(it->help));
		if (at == m->at)
			grid_fill(g, (struct rect){ box.x, y, w, 1 }, ROLE_CURSOR);
	}
}
