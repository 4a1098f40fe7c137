/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_UI_WIDTH_H
#define OBI_UI_WIDTH_H

/*
 * width - columns that a character takes on a terminal, and captured text cut
 * into what can be shown: one table, so that a screen is the same on every C
 * library and without locale files.
 */

#include "base/str.h"

/* 0: joins the character before it; 1; 2: wide. */
int width_of(uint32_t cp);

/*
 * What is shown at the front of a text: a character (with `len` bytes on `width`
 * columns), or a sign for bytes that must not reach a terminal ("\n", "\x9b"),
 * which is plain ASCII, one column a byte.
 */
struct glyph {
	char c[8];
	uint8_t len, width;
	bool sign;
};

/* Takes it off s, which is not empty. `ascii`: other characters become "?". */
void width_next(struct str *s, bool ascii, struct glyph *out);

#endif
