/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_UI_MENU_H
#define OBI_UI_MENU_H

/*
 * menu - a list to choose from, over the view: what to sort by, which columns.
 * Enter takes the line, Space turns a switch, a letter goes to the next line
 * that begins with it.
 */

#include "ui/keys.h"

enum { MENU_ITEMS = 96 };

struct menu_item {
	const char *name, *help; /* live as long as the menu is open */
	bool on;                 /* has a mark before it */
};

struct menu_spec {
	const char *title;
	struct menu_item items[MENU_ITEMS];
	size_t n, at;
	bool switches; /* Space and Enter turn lines on and off, Esc ends */
	struct pane *pane;
	void (*chosen)(struct pane *p, struct menu_item *item);
};

struct menu {
	struct menu_spec spec;
	bool open;
	size_t at, top;
	char typed[24]; /* of a name */
	struct rect body;
};

void menu_open(struct menu *m, const struct menu_spec *spec);
enum handled menu_key(struct menu *m, const struct key *k, enum action a);
void menu_draw(struct menu *m, struct grid *g, struct rect r);

#endif
