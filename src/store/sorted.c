// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * sorted - numbers of rows in the order of a key.
 *
 * An array with room at both ends. A bunch is merged from the side where fewer
 * rows have to move: new rows of a live capture join at the end, the slices of
 * a first look, which goes from the newest row backwards, at the beginning.
 *
 * A text as a key is the address of one copy of it, so that equal texts are
 * found equal without a look. Of long texts the beginning decides.
 */
#include "store/sorted.h"

#include <errno.h>
#include <stdlib.h>

enum { ROWS_MIN = 1024, TEXT_BYTES = 96 };

static int cmp_text(const struct str *a, const struct str *b)
{
	size_t n = a->len < b->len ? a->len : b->len;
	int c = n ? memcmp(a->s, b->s, n) : 0;

	return c ? c : (a->len > b->len) - (a->len < b->len);
}

static int cmp_key(const struct sorted *s, int64_t a, int64_t b)
{
	if (a == b)
		return 0;
	/* 0: unknown, before everything else, as SQL sorts NULL. */
	if (!s->texts || !a || !b)
		return a < b ? -1 : 1;
	return cmp_text((const struct str *)(intptr_t)a, (const struct str *)(intptr_t)b);
}

int sorted_cmp(const struct sorted *s, const struct sorted_row *a, const struct sorted_row *b)
{
	int c = cmp_key(s, a->key, b->key);

	return c ? c : (a->id > b->id) - (a->id < b->id);
}

bool sorted_text(struct sorted *s, struct str text, int64_t *key)
{
	struct str *known, head = str_head(text, TEXT_BYTES);
	uint64_t hash;

	*key = 0;
	if (!text.s)
		return true;
	hash = str_hash(head.s, head.len);
	known = hash_get(&s->known, hash);
	if (!known || !str_eq(*known, head)) {
		bool taken = known;

		known = arena_alloc(&s->arena, sizeof(*known));
		if (!known)
			return false;
		*known = arena_str(&s->arena, head);
		if (!known->s || (!taken && hash_set(&s->known, hash, known)))
			return false;
	}
	*key = (int64_t)(intptr_t)known;
	return true;
}

static int by_key(const void *a, const void *b, void *ctx)
{
	return sorted_cmp(ctx, a, b);
}

size_t sorted_find(const struct sorted *s, const struct sorted_row *r)
{
	size_t lo = 0, hi = s->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (sorted_cmp(s, sorted_at(s, mid), r) < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* Room for m more rows, before the first or behind the last. */
static int make_room(struct sorted *s, size_t m, bool before)
{
	size_t cap = s->cap ? s->cap : ROWS_MIN, off;
	struct sorted_row *rows;

	if (before ? s->off >= m : s->cap - s->off - s->n >= m)
		return 0;
	while (cap < 2 * (s->n + m))
		cap *= 2;
	rows = malloc(cap * sizeof(*rows));
	if (!rows)
		return -ENOMEM;
	off = before ? cap - s->n : cap - s->n > 2 * m ? s->off < m ? s->off : m : 0;
	if (s->n)
		memcpy(rows + off, s->rows + s->off, s->n * sizeof(*rows));
	free(s->rows);
	s->rows = rows;
	s->off = off;
	s->cap = cap;
	return 0;
}

/* Rows before place `end` move towards the front. */
static void merge_front(struct sorted *s, const struct sorted_row *more, size_t m, size_t end)
{
	struct sorted_row *to = s->rows + s->off - m;
	const struct sorted_row *from = s->rows + s->off, *last = from + end;

	while (m) {
		if (from < last && sorted_cmp(s, from, more) < 0) {
			*to++ = *from++;
		} else {
			*to++ = *more++;
			m--;
		}
	}
}

/* Rows from place `begin` on move towards the end. */
static void merge_back(struct sorted *s, const struct sorted_row *more, size_t m, size_t begin)
{
	struct sorted_row *to = s->rows + s->off + s->n + m;
	const struct sorted_row *from = s->rows + s->off + s->n, *first = s->rows + s->off + begin;

	while (m) {
		if (from > first && sorted_cmp(s, from - 1, more + m - 1) > 0)
			*--to = *--from;
		else
			*--to = more[--m];
	}
}

int sorted_merge(struct sorted *s, struct sorted_row *more, size_t m)
{
	size_t begin, end;
	bool before;

	if (!m)
		return 0;
	qsort_r(more, m, sizeof(*more), by_key, s);
	begin = sorted_find(s, &more[0]);
	end = sorted_find(s, &more[m - 1]);
	before = end < s->n - begin;
	if (make_room(s, m, before))
		return -ENOMEM;
	if (before) {
		merge_front(s, more, m, end);
		s->off -= m;
	} else {
		merge_back(s, more, m, begin);
	}
	s->n += m;
	return 0;
}

size_t sorted_drop(struct sorted *s, bool (*gone)(void *ctx, uint64_t id), void *ctx)
{
	struct sorted_row *rows = s->rows + s->off;
	size_t n = 0, before = s->n;

	for (size_t i = 0; i < s->n; i++)
		if (!gone(ctx, rows[i].id))
			rows[n++] = rows[i];
	s->n = n;
	return before - n;
}

void sorted_free(struct sorted *s)
{
	free(s->rows);
	hash_free(&s->known);
	arena_free(&s->arena);
	*s = (struct sorted){ 0 };
}
