// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * dict - the texts of a segment, each kept once.
 *
 * Open addressing over a table of fixed size. When it is three quarters full
 * new texts are only appended: a segment of unlike texts gains nothing from
 * the table, and a segment holds too few rows for it to matter.
 */
#include "store/dict.h"

#include <errno.h>
#include <stdlib.h>

enum { SLOTS = 1 << 15, SLOTS_FULL = SLOTS / 4 * 3 };

struct dict_slot {
	uint32_t hash, off; /* off 0: empty */
};

int dict_init(struct dict *d)
{
	*d = (struct dict){ .slots = calloc(SLOTS, sizeof(*d->slots)) };
	return d->slots ? 0 : -ENOMEM;
}

void dict_reset(struct dict *d)
{
	memset(d->slots, 0, SLOTS * sizeof(*d->slots));
	memset(d->last, 0, sizeof(d->last));
	d->count = 0;
}

void dict_free(struct dict *d)
{
	free(d->slots);
	d->slots = NULL;
}

static uint64_t mix(uint64_t h, uint64_t v)
{
	__uint128_t m = (__uint128_t)(h ^ v) * 0x9e3779b97f4a7c15;

	return (uint64_t)m ^ (uint64_t)(m >> 64);
}

uint64_t dict_hash(const void *p, size_t n)
{
	const char *b = p;
	uint64_t h = n + 0x2545f4914f6cdd1d, v;

	for (; n >= 8; n -= 8, b += 8) {
		memcpy(&v, b, 8);
		h = mix(h, v);
	}
	v = 0;
	memcpy(&v, b, n);
	return mix(mix(h, v), 0xd6e8feb86659fd93);
}

static bool texts_add(struct texts *t, struct str s, uint32_t *off)
{
	uint32_t len = (uint32_t)s.len;

	if (!t->used)
		t->used = sizeof(len); /* offset 0 means NULL */
	if (s.len > t->size || t->size - t->used < s.len + sizeof(len))
		return false;
	memcpy(t->p + t->used, &len, sizeof(len));
	if (len)
		memcpy(t->p + t->used + sizeof(len), s.s, len);
	*off = t->used;
	t->used += len + (uint32_t)sizeof(len);
	return true;
}

static bool text_is(const struct texts *t, uint32_t off, struct str s)
{
	struct str old = texts_at(t, off);

	return old.len == s.len && !memcmp(old.s, s.s, s.len);
}

bool dict_put(struct dict *d, struct texts *t, unsigned int column, struct str s, uint32_t *off)
{
	uint32_t hash, i;

	if (!s.s) {
		*off = 0;
		return true;
	}
	*off = d->last[column];
	if (*off && text_is(t, *off, s))
		return true;
	hash = (uint32_t)dict_hash(s.s, s.len);
	for (i = hash % SLOTS; d->slots[i].off; i = (i + 1) % SLOTS)
		if (d->slots[i].hash == hash && text_is(t, d->slots[i].off, s)) {
			*off = d->last[column] = d->slots[i].off;
			return true;
		}
	if (!texts_add(t, s, off))
		return false;
	if (d->count < SLOTS_FULL) {
		d->slots[i] = (struct dict_slot){ hash, *off };
		d->count++;
	}
	d->last[column] = *off;
	return true;
}
