/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_UI_SCREEN_H
#define OBI_UI_SCREEN_H

/*
 * screen - the terminal: the only file that touches ncurses. Shows frames, reads
 * keys, and gives the terminal back as it was on every way out.
 *
 * ncurses has one screen a process; so there is one struct screen at a time.
 */

#include "ui/keys.h"
#include "ui/theme.h"

struct screen_opts {
	const struct theme *theme; /* NULL: no colour */
	bool mouse;
};

struct screen;
/* NULL with words in err (ERR_TEXT bytes): no terminal, or one that cannot be addressed. */
struct screen *screen_open(const struct screen_opts *o, char *err);
/* Whether the locale of the process can show more than ASCII; before screen_open(). */
bool screen_utf8(void);
void screen_size(struct screen *s, int *w, int *h);
/* Puts what has changed since the last frame on the terminal; cursor at (cx, cy), hidden if cx < 0. */
void screen_show(struct screen *s, const struct grid *g, int cx, int cy);
void screen_redraw(struct screen *s); /* the next frame whole, whatever was there */
void screen_theme(struct screen *s, const struct theme *t);
void screen_mouse(struct screen *s, bool on);
/*
 * Waits at most timeout_ms for a key. 1: *out is one; 0: none; -EIO: the
 * terminal is gone.
 */
int screen_key(struct screen *s, int timeout_ms, struct key *out);
/* Gives the terminal back and stops the process until it is continued. */
void screen_suspend(struct screen *s);
void screen_bell(struct screen *s);
/* Into the clipboard of the terminal (OSC 52), through ssh and tmux too. */
void screen_copy(struct screen *s, struct str text);
void screen_close(struct screen *s);

/*
 * For a signal handler that must leave at once: the terminal as it was, by what
 * is allowed there. Does nothing while no screen is open.
 */
void screen_abandon(void);

#endif
