/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_UI_DETAIL_H
#define OBI_UI_DETAIL_H

/*
 * detail - text in sections that scroll and fold: what is known of one row. A
 * view fills it anew whenever its row changes; which sections are folded and how
 * far it is scrolled stay.
 *
 *	detail_clear(&d);
 *	detail_section(&d, "Request");
 *	detail_pair(&d, "method", span.op);
 *	detail_line(&d, ROLE_WARN, "%s", "the body was cut");
 */

#include "ui/view.h"

enum { DETAIL_SECTIONS = 32, DETAIL_LINES = 20000 };

struct detail_line {
	size_t at, len; /* in text */
	uint8_t role, indent;
	int8_t section; /* -1: before the first */
	bool head;      /* title of its section */
};

struct detail {
	struct buf text;
	struct detail_line *lines;
	size_t n, cap;
	const char *titles[DETAIL_SECTIONS];
	int nsections;
	uint32_t folded; /* bit: section */
	size_t cursor, top;
	int skip, page;
	bool cut;
	char search[128];
};

void detail_clear(struct detail *d);
void detail_free(struct detail *d);
/* `title` lives longer than the detail: a literal. */
void detail_section(struct detail *d, const char *title);
void detail_line(struct detail *d, enum role role, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* A name and its value; nothing where it is unknown. */
void detail_pair(struct detail *d, const char *name, struct str value);
/* Lines of a text as they are, indented; at most `limit` bytes, what is left out is said. */
void detail_text(struct detail *d, struct str text, size_t limit);

void detail_draw(struct detail *d, struct grid *g, struct rect r, bool focused);
enum handled detail_act(struct detail *d, enum action a);
bool detail_search(struct detail *d, bool forward);

#endif
