// SPDX-License-Identifier: GPL-3.0-or-later
/* hash - a table from 64-bit keys to pointers. */
#include "base/hash.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

enum { HASH_FIRST = 16 };

static size_t home(const struct hash *h, uint64_t key)
{
	uint64_t x = key ^ h->seed;

	/* the finisher of MurmurHash3: every input bit reaches every output bit */
	x ^= x >> 33;
	x *= 0xff51afd7ed558ccdu;
	x ^= x >> 33;
	x *= 0xc4ceb9fe1a85ec53u;
	x ^= x >> 33;
	return (size_t)x & (h->cap - 1);
}

/* The slot of key, or the free one where it would go. There is always a free one. */
static struct hash_slot *find(const struct hash *h, uint64_t key)
{
	size_t i = home(h, key);

	while (h->slots[i].value && h->slots[i].key != key)
		i = (i + 1) & (h->cap - 1);
	return &h->slots[i];
}

void *hash_get(const struct hash *h, uint64_t key)
{
	return h->cap ? find(h, key)->value : NULL;
}

static int grow(struct hash *h)
{
	struct hash bigger = { .n = h->n,
		               .cap = h->cap ? h->cap * 2 : HASH_FIRST,
		               .seed = h->seed };

	bigger.slots = calloc(bigger.cap, sizeof(*bigger.slots));
	if (!bigger.slots)
		return -ENOMEM;
	if (!h->cap && getrandom(&bigger.seed, sizeof(bigger.seed), GRND_NONBLOCK) < 0)
		bigger.seed = (uintptr_t)bigger.slots;
	for (size_t i = 0; i < h->cap; i++)
		if (h->slots[i].value)
			*find(&bigger, h->slots[i].key) = h->slots[i];
	free(h->slots);
	*h = bigger;
	return 0;
}

int hash_set(struct hash *h, uint64_t key, void *value)
{
	struct hash_slot *s = h->cap ? find(h, key) : NULL;

	if (!s || !s->value) {
		/* at most three quarters full */
		if ((h->n + 1) * 4 > h->cap * 3) {
			int err = grow(h);

			if (err)
				return err;
			s = find(h, key);
		}
		h->n++;
	}
	*s = (struct hash_slot){ .key = key, .value = value };
	return 0;
}

void *hash_del(struct hash *h, uint64_t key)
{
	struct hash_slot *s = h->cap ? find(h, key) : NULL;
	void *value = s ? s->value : NULL;
	size_t hole, mask = h->cap - 1;

	if (!value)
		return NULL;
	hole = (size_t)(s - h->slots);
	for (size_t i = (hole + 1) & mask; h->slots[i].value; i = (i + 1) & mask) {
		/* an entry may move back to the hole unless its home lies behind the hole */
		if (((i - home(h, h->slots[i].key)) & mask) >= ((i - hole) & mask)) {
			h->slots[hole] = h->slots[i];
			hole = i;
		}
	}
	h->slots[hole].value = NULL;
	h->n--;
	return value;
}

void hash_free(struct hash *h)
{
	free(h->slots);
	*h = (struct hash){ 0 };
}

bool hash_next(const struct hash *h, size_t *i, uint64_t *key, void **value)
{
	while (*i < h->cap) {
		const struct hash_slot *s = &h->slots[(*i)++];

		if (s->value) {
			*key = s->key;
			*value = s->value;
			return true;
		}
	}
	return false;
}
