/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_UI_THEME_H
#define OBI_UI_THEME_H

/* theme - how each role looks. 16 colours are enough; the background stays the terminal's. */

#include "ui/grid.h"

enum { COLOUR_DEFAULT = -1 };

struct look {
	short fg, bg; /* 0 to 7, COLOUR_DEFAULT */
	bool bold, reverse, underline;
};

struct theme {
	const char *name;
	struct look looks[ROLE_MAX];
};

/* dark, light, mono, cb (for colour-blind eyes: blue and yellow, no red against green); NULL: none such. */
const struct theme *theme_find(const char *name);
/*
 * A line of a file: "ROLE COLOUR [on COLOUR] [bold] [reverse] [underline]" gives one
 * role another look, "theme NAME" all of them. Blank lines and those that begin with
 * # say nothing. 0 or -EINVAL with words in err: nothing has changed.
 */
int theme_change(struct theme *t, const char *line, char *err);
/* All of them, NULL past the end. */
const struct theme *theme_at(size_t i);

#endif
