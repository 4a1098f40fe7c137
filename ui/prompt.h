/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_UI_PROMPT_H
#define OBI_UI_PROMPT_H

/*
 * prompt - one line that is typed, at the bottom of the screen: editing, history,
 * completion, and a line above it that says at once what the text would do
 * ("1,204 rows fit").
 */

#include "ui/keys.h"

enum { PROMPT_TEXT = 1024, PROMPT_HISTORY = 50 };

struct prompt_spec {
	const char *label; /* "Filter: "; also the name of its history */
	const char *text;  /* to begin with; NULL: none */
	/*
	 * Called before each frame; `changed`: the text has, since the last call.
	 * Adds words for the line above; true: they say what is wrong.
	 */
	bool (*result)(struct pane *p, const char *text, bool changed, struct buf *out);
	/* Enter. 0: the prompt closes; -errno with words in err: it stays and shows them. */
	int (*done)(struct pane *p, const char *text, char *err);
	void (*cancelled)(struct pane *p); /* Esc; may be NULL */
	/* For Tab: the i-th word that may stand there; NULL past the end. May be NULL. */
	const char *(*word)(struct pane *p, size_t i);
	/*
	 * Before the words are asked for, where they depend on the text: the cursor is
	 * at byte `at`; returns where the word to complete begins. May be NULL.
	 */
	size_t (*complete)(struct pane *p, const char *text, size_t at);
	struct pane *pane;
};

struct prompt {
	struct prompt_spec spec;
	bool open, changed, bad;
	char text[PROMPT_TEXT];
	size_t len, at; /* bytes */
	char err[512];  /* of the last Enter, until the text changes */
	char said[512]; /* result line */
	/* Tab: the word that was typed, and how far its candidates have been gone through. */
	char stem[64];
	size_t stem_at, next;
	bool cycling;
	struct {
		char label[24], text[PROMPT_TEXT];
	} history[PROMPT_HISTORY];
	size_t nhistory, back; /* newest last; how far up we are */
};

void prompt_open(struct prompt *p, const struct prompt_spec *spec);
enum handled prompt_key(struct prompt *p, const struct key *k);
/* The last two lines of r; the cursor's place in *cx, *cy. */
void prompt_draw(struct prompt *p, struct grid *g, struct rect r, int *cx, int *cy);

#endif
