// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * scan - the rows of one table in a snapshot.
 *
 * Rows are stored when they end, so they are nearly but not quite in the order
 * of start_ns. The ordered scan merges segments through a heap, and opens a
 * segment only when the merge reaches its bounds: the newest fifty of a
 * million rows touch one or two segments.
 */
#include "store/scan.h"

#include <errno.h>
#include <stdlib.h>

/* A segment in the merge. */
struct scan_run {
	struct segment *seg;
	unsigned int n, at; /* rows; rows yielded */
	int64_t key;        /* of the row at hand, or before it is opened: its bound */
	const uint16_t *order;
	uint16_t *own; /* order of an open segment, made for this scan */
};

static bool text_fits(struct term *t, const struct segment *seg, unsigned int row)
{
	uint32_t off = segment_text_off(seg, row, t->col);

	if (!off)
		return false;
	if (off == t->known)
		return true;
	if (!str_eq(texts_at(&seg->texts, off), t->text))
		return false;
	t->known = off;
	return true;
}

static bool term_fits(struct term *t, const struct segment *seg, unsigned int row)
{
	int64_t v;

	switch (t->kind) {
	case TERM_RANGE:
		v = segment_int(seg, row, t->col);
		return v >= t->lo && v <= t->hi;
	case TERM_TEXT:
		return text_fits(t, seg, row);
	case TERM_ID:
		return !memcmp(segment_field(seg, row, t->col), t->id, t->id_len);
	}
	return true;
}

static bool row_fits(struct scan *s, const struct segment *seg, unsigned int row)
{
	if (!segment_alive(seg, row, s->snap->seq))
		return false;
	for (unsigned int i = 0; i < s->nterms; i++)
		if (!term_fits(&s->terms[i], seg, row))
			return false;
	return true;
}

/* Whether a row of this segment could fit, by its bounds. */
static bool segment_fits(const struct scan *s, const struct pinned *p)
{
	const struct layout *l = s->layout;

	if (!p->n)
		return false;
	for (unsigned int i = 0; p->sealed && i < s->nterms; i++) {
		const struct term *t = &s->terms[i];

		if (t->kind != TERM_RANGE)
			continue;
		if (l->start >= 0 && l->at[t->col] == l->at[l->start] &&
		    (t->hi < p->seg->min_ns || t->lo > p->seg->max_ns))
			return false;
		if (l->dur >= 0 && l->at[t->col] == l->at[l->dur] && t->lo > p->seg->max_dur_ns)
			return false;
	}
	return true;
}

static void enter(struct scan *s, struct segment *seg)
{
	s->seg = seg;
	for (unsigned int i = 0; i < s->nterms; i++)
		s->terms[i].known = 0;
}

/* ---- as stored, oldest segment first; by index, newest segment first ---- */

static const struct pinned *next_pin(struct scan *s)
{
	const struct pinned *pins = s->snap->pins[s->table];
	unsigned int npins = s->snap->npins[s->table];

	while (s->pin < npins) {
		unsigned int i = s->index >= 0 ? npins - 1 - s->pin : s->pin;

		s->pin++;
		if (segment_fits(s, &pins[i]))
			return &pins[i];
	}
	return NULL;
}

static int plain_next(struct scan *s)
{
	for (;;) {
		const struct pinned *p;

		for (; s->seg && s->at < s->n; s->at++)
			if (row_fits(s, s->seg, s->at)) {
				s->row = s->at++;
				return 0;
			}
		if (s->stop && s->stop(s->ctx))
			return -EINTR;
		p = next_pin(s);
		s->eof = !p;
		if (!p)
			return 0;
		enter(s, p->seg);
		s->n = p->n;
		s->at = p->first;
	}
}

static int index_next(struct scan *s)
{
	for (;;) {
		const struct pinned *p;

		while (s->at) {
			unsigned int row = s->at - 1;

			s->at = segment_next(s->seg, (unsigned int)s->index, row);
			if (row >= s->first && row < s->n && row_fits(s, s->seg, row)) {
				s->row = row;
				return 0;
			}
		}
		p = next_pin(s);
		s->eof = !p;
		if (!p)
			return 0;
		enter(s, p->seg);
		s->first = p->first;
		s->n = p->n;
		s->at = segment_first(p->seg, (unsigned int)s->index, s->hash);
	}
}

/* ---- by start_ns ---- */

static bool before(const struct scan *s, int64_t a, int64_t b)
{
	return s->order > 0 ? a < b : a > b;
}

static void sift_down(struct scan *s, unsigned int i)
{
	for (;;) {
		unsigned int best = i;

		for (unsigned int kid = 2 * i + 1; kid <= 2 * i + 2 && kid < s->nheap; kid++)
			if (before(s, s->runs[kid].key, s->runs[best].key))
				best = kid;
		if (best == i)
			return;

		struct scan_run r = s->runs[i];

		s->runs[i] = s->runs[best];
		s->runs[best] = r;
		i = best;
	}
}

static void sift_up(struct scan *s, unsigned int i)
{
	for (; i && before(s, s->runs[i].key, s->runs[(i - 1) / 2].key); i = (i - 1) / 2) {
		struct scan_run r = s->runs[i];

		s->runs[i] = s->runs[(i - 1) / 2];
		s->runs[(i - 1) / 2] = r;
	}
}

static unsigned int run_row(const struct scan *s, const struct scan_run *r)
{
	return r->order[s->order > 0 ? r->at : r->n - 1 - r->at];
}

static void run_key(const struct scan *s, struct scan_run *r)
{
	r->key = segment_int(r->seg, run_row(s, r), (unsigned int)s->layout->start);
}

static int own_order(struct scan_run *r)
{
	r->own = malloc(r->n * sizeof(*r->own));
	if (!r->own)
		return -ENOMEM;
	segment_sort(r->seg, r->n, r->own);
	r->order = r->own;
	return 0;
}

static int by_key_up(const void *a, const void *b)
{
	int64_t x = ((const struct scan_run *)a)->key, y = ((const struct scan_run *)b)->key;

	return (x > y) - (x < y);
}

static int by_key_down(const void *a, const void *b)
{
	return by_key_up(b, a);
}

/* runs: sorted by the bound at which the merge meets them. */
static int ordered_start(struct scan *s)
{
	const struct pinned *p;

	s->runs = calloc(s->snap->npins[s->table] + 1, sizeof(*s->runs));
	if (!s->runs)
		return -ENOMEM;
	while ((p = next_pin(s))) {
		struct scan_run *r = &s->runs[s->nruns++];

		*r = (struct scan_run){ .seg = p->seg, .n = p->n };
		if (!p->sealed && own_order(r))
			return -ENOMEM;
		if (p->sealed)
			r->key = s->order > 0 ? p->seg->min_ns : p->seg->max_ns;
		else
			run_key(s, r);
	}
	qsort(s->runs, s->nruns, sizeof(*s->runs), s->order > 0 ? by_key_up : by_key_down);
	return 0;
}

/* Opens the runs that the merge has reached: runs[0 .. nheap) is the heap, the
 * rest from next_run on waits; what lies between has ended. */
static int open_runs(struct scan *s)
{
	while (s->next_run < s->nruns &&
	       (!s->nheap || !before(s, s->runs[0].key, s->runs[s->next_run].key))) {
		struct scan_run r = s->runs[s->next_run++];

		if (s->stop && s->stop(s->ctx))
			return -EINTR;
		if (!r.order)
			r.order = segment_order(r.seg);
		if (!r.order)
			return -ENOMEM;
		run_key(s, &r);
		/* An order of our own must outlive its place in the heap: keep both. */
		struct scan_run old = s->runs[s->nheap];

		s->runs[s->nheap] = r;
		if (s->next_run - 1 != s->nheap)
			s->runs[s->next_run - 1] = old;
		sift_up(s, s->nheap++);
	}
	return 0;
}

static void advance(struct scan *s)
{
	struct scan_run *top = &s->runs[0], r;

	if (++top->at < top->n) {
		run_key(s, top);
	} else {
		r = *top;
		*top = s->runs[--s->nheap];
		s->runs[s->nheap] = r;
	}
	sift_down(s, 0);
}

static int ordered_next(struct scan *s)
{
	for (;;) {
		struct segment *seg;
		unsigned int row;
		int err = open_runs(s);

		if (err)
			return err;
		s->eof = !s->nheap;
		if (s->eof)
			return 0;
		seg = s->runs[0].seg;
		row = run_row(s, &s->runs[0]);
		advance(s);
		if (seg != s->seg)
			enter(s, seg);
		if (row_fits(s, seg, row)) {
			s->row = row;
			return 0;
		}
	}
}

/* ---- grouped ---- */

static int group_start(struct scan *s)
{
	int err;

	s->group = group_new(s->by_columns, s->nby);
	if (!s->group)
		return -ENOMEM;
	while (!(err = plain_next(s)) && !s->eof) {
		err = group_add(s->group, s->seg, s->row);
		if (err)
			return err;
	}
	return err ? err : group_sort(s->group);
}

static int group_next(struct scan *s)
{
	s->eof = !group_take(s->group, &s->seg, &s->row);
	return 0;
}

/* ---- */

static uint64_t hash_of(const struct term *t)
{
	if (t->kind == TERM_TEXT)
		return dict_hash(t->text.s, t->text.len);
	if (t->kind == TERM_ID)
		return dict_hash(t->id, t->id_len);
	return dict_hash(&t->lo, sizeof(t->lo));
}

int scan_start(struct scan *s)
{
	int err;

	s->eof = s->none || !s->snap->npins[s->table];
	if (s->eof)
		return 0;
	if (s->index >= 0)
		s->hash = hash_of(&s->terms[s->by]);
	err = s->nby ? group_start(s) : s->order ? ordered_start(s) : 0;
	return err ? err : scan_next(s);
}

int scan_next(struct scan *s)
{
	if (s->nby)
		return group_next(s);
	if (s->order)
		return ordered_next(s);
	return s->index >= 0 ? index_next(s) : plain_next(s);
}

void scan_end(struct scan *s)
{
	for (unsigned int i = 0; i < s->nruns; i++)
		free(s->runs[i].own);
	free(s->runs);
	group_free(s->group);
	s->group = NULL;
	s->runs = NULL;
	s->seg = NULL;
	s->eof = true;
	s->pin = s->at = s->first = s->n = s->row = s->nruns = s->nheap = s->next_run = 0;
}
