/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_UI_KEYS_H
#define OBI_UI_KEYS_H

/*
 * keys - what a key is called and what it does.
 *
 * A key is its name: the character itself ("q", "é"), or <Enter> <Esc> <Tab>
 * <S-Tab> <Space> <Backspace> <Up> <Down> <Left> <Right> <PgUp> <PgDn> <Home>
 * <End> <Del> <F1> to <F12>, <C-a> to <C-z>; and, with a place, <Click>
 * <WheelUp> <WheelDown>. Of the loop itself: <Resize>, and in scripts <Wait>.
 */

#include "ui/view.h"

struct key {
	char name[24];
	int x, y; /* of the mouse; of <Resize WxH> in scripts */
};

/* Which key does what: that of keys.def, then what the user's file says. */
struct keymap;
struct keymap *keymap_new(void);                                /* NULL with errno */
int keymap_bind(struct keymap *k, const char *line, char *err); /* "ACTION key key" */
enum action keymap_action(const struct keymap *k, const char *name);
/* Keys of an action as bound now: "f F4". */
void keymap_of(const struct keymap *k, enum action a, struct buf *out);
/* The function key of an action where it has one, else its letter: "F4". */
void keymap_label(const struct keymap *k, enum action a, struct buf *out);
const char *keymap_help(enum action a);
void keymap_free(struct keymap *k);

/* The character of a key that is text; NULL: it is none. */
const char *key_text(const struct key *key);

/*
 * Takes one key off a script: a character, or a name in <>. Newlines are no
 * keys, lines that begin with # are comments. False at the end.
 */
bool key_next(struct str *script, struct key *out);

#endif
