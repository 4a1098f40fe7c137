// SPDX-License-Identifier: GPL-3.0-or-later
/* keys - where the newest row of each key is. */
#include "store/keys.h"

#include <errno.h>
#include <stdlib.h>

static uint64_t hash_of(struct place p)
{
	uint64_t h = 0;

	for (unsigned int i = 0; i < LAYOUT_KEYS && p.seg->l->key[i] >= 0; i++)
		h = h * 31 + segment_hash(p.seg, p.row, (unsigned int)p.seg->l->key[i]);
	return h ^ h >> 32;
}

static bool same_column(struct place a, struct place b, unsigned int col)
{
	struct str x, y;

	if (!a.seg->l->is_text[col])
		return segment_int(a.seg, a.row, col) == segment_int(b.seg, b.row, col);
	x = segment_text(a.seg, a.row, col);
	y = segment_text(b.seg, b.row, col);
	return str_eq(x, y);
}

static bool same(struct place a, struct place b)
{
	for (unsigned int i = 0; i < LAYOUT_KEYS && a.seg->l->key[i] >= 0; i++)
		if (!same_column(a, b, (unsigned int)a.seg->l->key[i]))
			return false;
	return true;
}

/* A row whose key is unknown replaces nothing. */
static bool has_key(struct place p)
{
	const struct layout *l = p.seg->l;

	for (unsigned int i = 0; i < LAYOUT_KEYS && l->key[i] >= 0; i++) {
		unsigned int col = (unsigned int)l->key[i];

		if (l->is_text[col] ? !segment_text_off(p.seg, p.row, col)
		                    : segment_int(p.seg, p.row, col) == COL_NULL)
			return false;
	}
	return true;
}

bool keys_hash(struct place p, uint64_t *out)
{
	*out = hash_of(p);
	return p.seg->l->key[0] >= 0 && has_key(p);
}

static struct place *slot_of(struct keys *k, struct place p)
{
	size_t i = hash_of(p) & (k->cap - 1);

	while (k->slots[i].seg && !same(k->slots[i], p))
		i = (i + 1) & (k->cap - 1);
	return &k->slots[i];
}

/* Moves all into a larger table. */
static int grow(struct keys *k, size_t cap)
{
	struct keys fresh = { .cap = cap, .slots = calloc(cap, sizeof(*fresh.slots)) };

	if (!fresh.slots)
		return -ENOMEM;
	for (size_t i = 0; i < k->cap; i++) {
		if (!k->slots[i].seg)
			continue;
		*slot_of(&fresh, k->slots[i]) = k->slots[i];
		fresh.n++;
	}
	free(k->slots);
	*k = fresh;
	return 0;
}

int keys_put(struct keys *k, struct place now, struct place *old)
{
	struct place *p;

	*old = (struct place){ 0 };
	if (!has_key(now))
		return 0;
	if (k->n * 4 >= k->cap * 3 && grow(k, k->cap ? k->cap * 2 : 256))
		return -ENOMEM;
	p = slot_of(k, now);
	*old = *p;
	k->n += !p->seg;
	*p = now;
	return 0;
}

static void forget(struct keys *k, size_t hole)
{
	size_t mask = k->cap - 1;

	k->slots[hole] = (struct place){ 0 };
	k->n--;
	for (size_t i = (hole + 1) & mask; k->slots[i].seg; i = (i + 1) & mask) {
		size_t home = hash_of(k->slots[i]) & mask;

		if (((i - home) & mask) < ((i - hole) & mask))
			continue;
		k->slots[hole] = k->slots[i];
		k->slots[i] = (struct place){ 0 };
		hole = i;
	}
}

void keys_forget(struct keys *k, const struct segment *s)
{
	for (unsigned int row = 0; row < s->n && k->cap; row++) {
		struct place p = { (struct segment *)(uintptr_t)s, row };
		struct place *slot;

		if (!has_key(p))
			continue;
		slot = slot_of(k, p);
		if (slot->seg == s && slot->row == row)
			forget(k, (size_t)(slot - k->slots));
	}
}

void keys_free(struct keys *k)
{
	free(k->slots);
	*k = (struct keys){ 0 };
}
