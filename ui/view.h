/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_UI_VIEW_H
#define OBI_UI_VIEW_H

/*
 * view - one way to look at the capture. A view is one file ui/view_x.c that ends
 * in `const struct view view_x`, which the Makefile finds; or a .sql file in the
 * user's folder. It draws with the widgets (table, detail, chart) and knows
 * nothing of the terminal; the loop (app.c) calls it.
 */

#include "ui/grid.h"
#include "ui/ui.h"

/* Every key is an action first; keys.def says which keys, for all views at once. */
enum action {
	ACT_NONE,
#define KEY(ID, keys, help) ACT_##ID,
#include "ui/keys.def"
#undef KEY
	ACT_MAX
};

/* What a handler asks the loop to do. */
enum handled {
	UI_IGNORED = 0,
	UI_HANDLED = 1 << 0,
	UI_REDRAW = 1 << 1,  /* the frame has changed */
	UI_REFRESH = 1 << 2, /* ask for data before the next frame */
	UI_QUIT = 1 << 3,
};

struct app; /* the loop: app.h is its face for views */

struct pane { /* an open view */
	const struct view *view;
	struct app *app;
	void *state;  /* view->state_size bytes, zeroed */
	char *filter; /* SQL that it was opened with by another view; NULL: none */
	char *crumb;  /* that step in words; NULL: none */
};

struct key; /* keys.h */

/* A key that only this view has; it must not shadow a global one (tested). */
struct view_key {
	const char *key;   /* "t" */
	const char *label; /* of the key line: "Tree" */
	const char *help;
};

enum { VIEW_KEYS = 12, VIEW_OFFERS = 24 };

struct view {
	const char *name;   /* "trace": obi CMD, :view NAME */
	const char *title;  /* of the header */
	int number;         /* key 1 to 8; 0: none */
	const char *legend; /* for ?: what columns and signs mean */
	struct view_key keys[VIEW_KEYS];
	enum action offers[VIEW_OFFERS]; /* global actions that it takes part in: key line, help */
	size_t state_size;
	int every_ms; /* asks for data so often; 0: the interval of the options */
	/* 0 or -errno with words in err. */
	int (*open)(struct pane *p, char *err);
	void (*close)(struct pane *p);
	/* It lies on top for the first time, before the next key. May be NULL. */
	void (*shown)(struct pane *p);
	/*
	 * Takes up what is new, working about budget_ms at most. 0: up to date, 1:
	 * more to do; -errno with words in err, shown at the bottom. Calls
	 * app_touch() where what it shows has changed.
	 */
	int (*ask)(struct pane *p, int budget_ms, char *err);
	void (*draw)(struct pane *p, struct grid *g, struct rect r);
	/* An action, or `key` (UTF-8) of the view's own where it is ACT_NONE. */
	enum handled (*act)(struct pane *p, enum action a, const char *key);
	/* A click or the wheel; k->x, k->y are places on the screen. May be NULL. */
	enum handled (*mouse)(struct pane *p, const struct key *k);
	/* Text of the third header line: filter, group; at its right end: sort, follow. */
	void (*status)(struct pane *p, struct buf *left, struct buf *right);
	/* The SQL that the view's rows are, for `;`. */
	void (*sql)(struct pane *p, struct buf *out);
	/* The row of the cursor as text, for y. */
	void (*copy)(struct pane *p, struct buf *out);
	/* Marked rows, or all, into a file by its ending: :write. 0 or -errno with words in err. */
	int (*write)(struct pane *p, const char *path, char *err);
	/* Columns: "a,b,+c,-d", NULL for the default (:columns). 0 or -errno with words in err. */
	int (*columns)(struct pane *p, const char *spec, char *err);
};

#endif
