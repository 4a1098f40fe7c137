// SPDX-License-Identifier: GPL-3.0-or-later
/* table - rows and columns on the screen: columns, cursor, marks, search. */
#include "ui/table.h"

#include <errno.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/err.h"

void tbl_init(struct tbl *t, const struct tbl_col *cols, const struct tbl_source *src, void *ctx)
{
	*t = (struct tbl){ .cols = cols, .src = src, .ctx = ctx };
	while (cols[t->ncols].name && t->ncols < TBL_COLS)
		t->ncols++;
	(void)tbl_columns(t, NULL, NULL);
}

static int col_find(const struct tbl *t, struct str name)
{
	for (unsigned int i = 0; i < t->ncols; i++)
		if (str_iis(name, t->cols[i].name))
			return (int)i;
	return -1;
}

bool tbl_lacks(const struct tbl *t, const char *name)
{
	int i = name ? col_find(t, str_of(name)) : -1;

	return i >= 0 && t->shown[i] && !t->fitted[i];
}

static void by_default(struct tbl *t)
{
	for (unsigned int i = 0; i < t->ncols; i++) {
		t->order[i] = i;
		t->shown[i] = t->cols[i].priority > 0;
	}
}

static void to_place(struct tbl *t, unsigned int col, unsigned int place)
{
	unsigned int from = 0;

	while (t->order[from] != col)
		from++;
	memmove(&t->order[from], &t->order[from + 1], (t->ncols - from - 1) * sizeof(*t->order));
	memmove(&t->order[place + 1], &t->order[place], (t->ncols - place - 1) * sizeof(*t->order));
	t->order[place] = col;
}

int tbl_columns(struct tbl *t, const char *spec, char *err)
{
	struct str rest = str_of(spec);
	unsigned int place = 0;
	bool first = true, placed[TBL_COLS] = { 0 };

	by_default(t);
	while (rest.len) {
		const char *comma = memchr(rest.s, ',', rest.len);
		struct str name = { rest.s, comma ? (size_t)(comma - rest.s) : rest.len };
		char sign = *name.s;
		int col;

		rest.s += name.len + (comma != NULL);
		rest.len -= name.len + (comma != NULL);
		if (sign == '+' || sign == '-')
			name.s++, name.len--;
		name = str_trim(name);
		col = col_find(t, name);
		if (col < 0) {
			by_default(t);
			return err_set(err, EINVAL, "no column \"%.*s\"; C lists them",
			               STR_ARG(name));
		}
		if (first && sign != '+' && sign != '-')
			memset(t->shown, 0, sizeof(t->shown));
		t->shown[col] = sign != '-';
		if (sign != '+' && sign != '-' && !placed[col])
			to_place(t, (unsigned int)col, place++);
		placed[col] = true;
		first = false;
	}
	return 0;
}

static size_t rows(const struct tbl *t)
{
	return t->src->count(t->ctx);
}

void tbl_go(struct tbl *t, size_t row)
{
	size_t n = rows(t);

	t->cursor = n && row >= n ? n - 1 : n ? row : 0;
	t->has_id = n > 0;
	if (n)
		t->cursor_id = t->src->id(t->ctx, t->cursor);
}

void tbl_sync(struct tbl *t)
{
	size_t n = rows(t), at, page = t->page > 0 ? (size_t)t->page : 1;

	if (t->follow && n)
		tbl_go(t, n - 1);
	else if (t->has_id && t->src->find(t->ctx, t->cursor_id, &at)) {
		/* The row stays where it is on the screen, too. */
		t->top = at >= t->cursor
		                 ? t->top + (at - t->cursor)
		                 : t->top - (t->top < t->cursor - at ? t->top : t->cursor - at);
		t->cursor = at;
	} else {
		tbl_go(t, t->cursor);
	}
	if (t->cursor < t->top)
		t->top = t->cursor;
	if (t->cursor >= t->top + page)
		t->top = t->cursor - page + 1;
	if (t->top + page > n)
		t->top = n > page ? n - page : 0;
}

static enum handled move_by(struct tbl *t, long by)
{
	size_t n = rows(t);

	t->follow = false;
	if (by < 0)
		tbl_go(t, t->cursor > (size_t)-by ? t->cursor - (size_t)-by : 0);
	else
		tbl_go(t, t->cursor + (size_t)by);
	if (by > 0 && n && t->cursor == n - 1)
		return UI_HANDLED | UI_REDRAW;
	return UI_HANDLED | UI_REDRAW;
}

bool tbl_marked(const struct tbl *t, uint64_t id)
{
	for (size_t i = 0; i < t->nmarks; i++)
		if (t->marks[i] == id)
			return true;
	return false;
}

static enum handled mark(struct tbl *t)
{
	if (!rows(t))
		return UI_HANDLED;
	for (size_t i = 0; i < t->nmarks; i++)
		if (t->marks[i] == t->cursor_id) {
			t->marks[i] = t->marks[--t->nmarks];
			return move_by(t, 1);
		}
	if (t->nmarks < TBL_MARKS)
		t->marks[t->nmarks++] = t->cursor_id;
	return move_by(t, 1);
}

static enum handled sideways(struct tbl *t, int by)
{
	if (by > 0 && !t->cut)
		return UI_HANDLED;
	t->skip = t->skip + by > 0 ? t->skip + by : 0;
	return UI_HANDLED | UI_REDRAW;
}

static enum handled next_match(struct tbl *t, bool forward)
{
	if (!t->search[0])
		return UI_IGNORED;
	tbl_seek(t, tbl_fits_search, forward, false);
	return UI_HANDLED | UI_REFRESH;
}

enum handled tbl_act(struct tbl *t, enum action a)
{
	long page = t->page > 1 ? t->page - 1 : 1;

	switch (a) {
	case ACT_UP:
		return move_by(t, -1);
	case ACT_DOWN:
		return move_by(t, 1);
	case ACT_PAGE_UP:
		return move_by(t, -page);
	case ACT_PAGE_DOWN:
		return move_by(t, page);
	case ACT_HALF_UP:
		return move_by(t, -(page + 1) / 2);
	case ACT_HALF_DOWN:
		return move_by(t, (page + 1) / 2);
	case ACT_FIRST:
		t->follow = false;
		tbl_go(t, 0);
		return UI_HANDLED | UI_REDRAW;
	case ACT_LAST:
		tbl_go(t, SIZE_MAX);
		return UI_HANDLED | UI_REDRAW;
	case ACT_LEFT:
		return sideways(t, -8);
	case ACT_RIGHT:
		return sideways(t, 8);
	case ACT_FOLLOW:
		t->follow = !t->follow;
		return UI_HANDLED | UI_REDRAW;
	case ACT_MARK:
		return mark(t);
	case ACT_UNMARK:
		t->nmarks = 0;
		return UI_HANDLED | UI_REDRAW;
	case ACT_NEXT_MATCH:
		return next_match(t, true);
	case ACT_PREV_MATCH:
		return next_match(t, false);
	default:
		return UI_IGNORED;
	}
}

bool tbl_fits_search(struct tbl *t, size_t row)
{
	struct str needle = str_of(t->search);
	struct buf text = { 0 };
	bool found = false;

	tbl_copy(t, row, &text);
	for (size_t i = 0; !found && i + needle.len <= text.len; i++)
		found = str_ieq((struct str){ text.p + i, needle.len }, needle);
	buf_free(&text);
	return found;
}

void tbl_seek(struct tbl *t, bool (*fits)(struct tbl *t, size_t row), bool forward, bool from_here)
{
	size_t n = rows(t);

	t->seek = (struct tbl_seek){ .fits = fits, .at = t->cursor, .left = n, .forward = forward };
	if (n && !from_here)
		t->seek.at = forward ? (t->cursor + 1) % n : (t->cursor + n - 1) % n;
}

int tbl_seek_on(struct tbl *t, int budget_ms)
{
	uint64_t end = clock_ns() + (uint64_t)budget_ms * 1000000;
	struct tbl_seek *s = &t->seek;
	size_t n = rows(t);

	for (unsigned int i = 0; s->fits; i++) {
		if (!s->left || s->at >= n) {
			s->fits = NULL;
			return -ENOENT;
		}
		if (s->fits(t, s->at)) {
			s->fits = NULL;
			t->follow = false;
			tbl_go(t, s->at);
			return 0;
		}
		s->at = s->forward ? (s->at + 1) % n : (s->at + n - 1) % n;
		s->left--;
		if (i % 64 == 63 && clock_ns() > end)
			return 1;
	}
	return 0;
}

const char *tbl_sort_name(const struct tbl_col *c)
{
	return !c->sort ? c->name : *c->sort ? c->sort : NULL;
}

const struct tbl_col *tbl_sort_by(const struct tbl *t, int step)
{
	int n = 0, now = -1, list[TBL_COLS];

	for (unsigned int i = 0; i < t->ncols; i++) {
		const struct tbl_col *c = &t->cols[t->order[i]];

		if (!t->fitted[t->order[i]] || !tbl_sort_name(c))
			continue;
		if (t->sort && !strcmp(tbl_sort_name(c), t->sort))
			now = n;
		list[n++] = (int)t->order[i];
	}
	return n ? &t->cols[list[now < 0 ? 0 : (now + step + n) % n]] : NULL;
}

enum handled tbl_mouse(struct tbl *t, const struct key *k, const struct tbl_col **sort)
{
	*sort = NULL;
	if (k->x < t->area.x || k->x >= t->area.x + t->area.w || k->y < t->area.y ||
	    k->y >= t->area.y + t->area.h)
		return UI_IGNORED;
	if (!strcmp(k->name, "<WheelUp>"))
		return move_by(t, -3);
	if (!strcmp(k->name, "<WheelDown>"))
		return move_by(t, 3);
	if (k->y == t->area.y) {
		for (unsigned int i = 0; i < t->ncols; i++)
			if (t->fitted[i] && k->x >= t->x[i] && k->x < t->x[i] + t->w[i])
				*sort = &t->cols[i];
		return *sort ? UI_HANDLED : UI_IGNORED;
	}
	if (t->top + (size_t)(k->y - t->body.y) >= rows(t))
		return UI_IGNORED;
	t->follow = false;
	tbl_go(t, t->top + (size_t)(k->y - t->body.y));
	return UI_HANDLED | UI_REDRAW;
}

void tbl_copy(struct tbl *t, size_t row, struct buf *out)
{
	bool first = true;

	if (row != SIZE_MAX && !t->src->load(t->ctx, row))
		return;
	for (unsigned int i = 0; i < t->ncols; i++) {
		const struct tbl_col *c = &t->cols[t->order[i]];

		if (!t->shown[t->order[i]])
			continue;
		if (!first)
			buf_ch(out, '\t');
		first = false;
		if (row == SIZE_MAX)
			buf_z(out, c->title);
		else
			(void)t->src->cell(t->ctx, c, out);
	}
}
