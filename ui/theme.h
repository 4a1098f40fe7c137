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
/* All of them, NULL past the end. */
const struct theme *theme_at(size_t i);

#endif
