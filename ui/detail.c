// SPDX-License-Identifier: GPL-3.0-or-later
/* detail - text in sections that scroll and fold. */
#include "ui/detail.h"

#include <stdio.h>
#include <stdlib.h>

void detail_clear(struct detail *d)
{
	buf_clear(&d->text);
	d->n = 0;
	d->nsections = 0;
}

void detail_free(struct detail *d)
{
	buf_free(&d->text);
	free(d->lines);
	*d = (struct detail){ 0 };
}

static struct detail_line *add(struct detail *d, enum role role)
{
	struct detail_line *l;

	if (d->n == d->cap) {
		size_t cap = d->cap ? d->cap * 2 : 64;
		struct detail_line *p = cap <= DETAIL_LINES ? realloc(d->lines, cap * sizeof(*p))
		                                            : NULL;

		if (!p)
			return NULL;
		d->lines = p;
		d->cap = cap;
	}
	l = &d->lines[d->n++];
	*l = (struct detail_line){
		.at = d->text.len,
		.role = role,
		.section = (int8_t)(d->nsections - 1),
		.indent = d->nsections ? 2 : 0,
	};
	return l;
}

void detail_section(struct detail *d, const char *title)
{
	struct detail_line *l;

	if (d->nsections == DETAIL_SECTIONS)
		return;
	d->titles[d->nsections++] = title;
	l = add(d, ROLE_HEAD);
	if (!l)
		return;
	buf_z(&d->text, title);
	l->len = d->text.len - l->at;
	l->head = true;
}

void detail_line(struct detail *d, enum role role, const char *fmt, ...)
{
	struct detail_line *l = add(d, role);
	char *text;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vasprintf(&text, fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	buf_z(&d->text, text);
	free(text);
	if (l)
		l->len = d->text.len - l->at;
}

void detail_pair(struct detail *d, const char *name, struct str value)
{
	struct detail_line *l = value.s ? add(d, ROLE_TEXT) : NULL;

	if (!l)
		return;
	buf_fmt(&d->text, "%-16s ", name);
	buf_str(&d->text, value);
	l->len = d->text.len - l->at;
}

void detail_text(struct detail *d, struct str text, size_t limit)
{
	struct str rest = str_head(text, limit);

	while (rest.len) {
		const char *nl = memchr(rest.s, '\n', rest.len);
		size_t n = nl ? (size_t)(nl - rest.s) : rest.len;
		struct detail_line *l = add(d, ROLE_TEXT);

		if (!l)
			return;
		buf_add(&d->text, rest.s, n);
		l->len = n;
		rest.s += n + (nl != NULL);
		rest.len -= n + (nl != NULL);
	}
	if (text.len > limit)
		detail_line(d, ROLE_DIM, "(%zu more bytes)", text.len - limit);
}

static bool is_folded(const struct detail *d, const struct detail_line *l)
{
	return l->section >= 0 && d->folded & 1u << l->section;
}

static bool visible(const struct detail *d, size_t i)
{
	return d->lines[i].head || !is_folded(d, &d->lines[i]);
}

/* The next line that is not folded away, in a direction; `from` at the ends. */
static size_t step(const struct detail *d, size_t from, bool down)
{
	size_t i = from;

	while (down ? i + 1 < d->n : i > 0) {
		i = down ? i + 1 : i - 1;
		if (visible(d, i))
			return i;
	}
	return from;
}

static enum handled walk(struct detail *d, int by)
{
	for (int i = 0; i < (by < 0 ? -by : by); i++)
		d->cursor = step(d, d->cursor, by > 0);
	return UI_HANDLED | UI_REDRAW;
}

static enum handled fold(struct detail *d)
{
	int section = d->cursor < d->n ? d->lines[d->cursor].section : -1;

	if (section < 0)
		return UI_IGNORED;
	d->folded ^= 1u << section;
	while (!d->lines[d->cursor].head)
		d->cursor--;
	return UI_HANDLED | UI_REDRAW;
}

static enum handled sideways(struct detail *d, int by)
{
	if (by > 0 && !d->cut)
		return UI_HANDLED;
	d->skip = d->skip + by > 0 ? d->skip + by : 0;
	return UI_HANDLED | UI_REDRAW;
}

enum handled detail_act(struct detail *d, enum action a)
{
	int page = d->page > 1 ? d->page - 1 : 1;

	switch (a) {
	case ACT_UP:
		return walk(d, -1);
	case ACT_DOWN:
		return walk(d, 1);
	case ACT_PAGE_UP:
		return walk(d, -page);
	case ACT_PAGE_DOWN:
		return walk(d, page);
	case ACT_HALF_UP:
		return walk(d, -(page + 1) / 2);
	case ACT_HALF_DOWN:
		return walk(d, (page + 1) / 2);
	case ACT_FIRST:
		d->cursor = 0;
		return UI_HANDLED | UI_REDRAW;
	case ACT_LAST:
		return walk(d, DETAIL_LINES);
	case ACT_LEFT:
		return sideways(d, -8);
	case ACT_RIGHT:
		return sideways(d, 8);
	case ACT_ENTER:
	case ACT_MARK:
		return fold(d);
	case ACT_NEXT_MATCH:
		return d->search[0] ? (detail_search(d, true), UI_HANDLED | UI_REDRAW) : UI_IGNORED;
	case ACT_PREV_MATCH:
		return d->search[0] ? (detail_search(d, false), UI_HANDLED | UI_REDRAW)
		                    : UI_IGNORED;
	default:
		return UI_IGNORED;
	}
}

static bool line_has(const struct detail *d, size_t i, struct str needle)
{
	const struct detail_line *l = &d->lines[i];

	for (size_t k = 0; k + needle.len <= l->len; k++)
		if (str_ieq((struct str){ d->text.p + l->at + k, needle.len }, needle))
			return true;
	return false;
}

bool detail_search(struct detail *d, bool forward)
{
	struct str needle = str_of(d->search);

	for (size_t i = 1; i <= d->n && needle.len; i++) {
		size_t at = (forward ? d->cursor + i : d->cursor + d->n - i) % d->n;

		if (!line_has(d, at, needle))
			continue;
		if (d->lines[at].section >= 0)
			d->folded &= ~(1u << d->lines[at].section);
		d->cursor = at;
		return true;
	}
	return false;
}

/* The first line of the page so that the cursor is on it. */
static void place(struct detail *d, int height)
{
	size_t i = d->cursor;

	if (d->cursor < d->top || d->top >= d->n || !visible(d, d->top)) {
		d->top = d->cursor;
		return;
	}
	for (int rows = 1; rows < height && i > d->top; rows++)
		i = step(d, i, false);
	if (i > d->top)
		d->top = i;
}

static void draw_line(struct detail *d, struct grid *g, struct rect r, size_t i, bool cursor)
{
	const struct detail_line *l = &d->lines[i];
	struct str s = { d->text.p ? d->text.p + l->at : "", l->len };
	int in = l->head ? 2 : l->indent;

	if (l->head)
		grid_text(g, r.x, r.y, 1, ROLE_HEAD, is_folded(d, l) ? STR("+") : STR("-"));
	if (grid_width(g, s) > r.w - in)
		d->cut = true;
	grid_scrolled(g, r.x + in, r.y, r.w - in, d->skip, l->role, s);
	if (cursor)
		grid_fill(g, r, ROLE_CURSOR);
	grid_find(g, r, ROLE_MATCH, str_of(d->search));
}

void detail_draw(struct detail *d, struct grid *g, struct rect r, bool focused)
{
	size_t i, next;

	grid_clear(g, r);
	d->page = r.h;
	d->cut = false;
	if (!d->n || r.h <= 0)
		return;
	if (d->cursor >= d->n)
		d->cursor = d->n - 1;
	while (d->cursor && !visible(d, d->cursor))
		d->cursor--;
	place(d, r.h);
	i = d->top;
	for (int y = 0; y < r.h; y++) {
		draw_line(d, g, (struct rect){ r.x, r.y + y, r.w, 1 }, i,
		          focused && i == d->cursor);
		next = step(d, i, true);
		if (next == i)
			break;
		i = next;
	}
	if (!d->cut)
		d->skip = 0;
}
