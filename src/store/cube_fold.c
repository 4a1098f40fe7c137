// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * cube_fold - keys that give up what tells them apart, when memory is spent.
 *
 * The class of columns with the most different values goes first: a thousand
 * addresses of clients must not take the routes along. The most frequent values
 * stay.
 */
#include <math.h>
#include <stdlib.h>

#include "store/cube.h"
#include "store/dict.h"

enum { SEEN_BITS = 1 << 16, KEEP_ONE_IN = 8, SAMPLE = 4096 };

static uint64_t value_hash(const struct cube_key *k, unsigned int i)
{
	struct str s = cube_str(k->value[i]);

	return s.s ? dict_hash(s.s, s.len) : 1;
}

/* The first column of a class stands for it. */
static int first_of(const struct cube *c, unsigned int class)
{
	for (unsigned int i = 0; i < c->ncolumns; i++)
		if (c->columns[i].class == class)
			return (int)i;
	return -1;
}

/* Of many keys some are enough: it is compared with other classes only. */
static size_t different(const struct cube *c, unsigned int class)
{
	uint32_t step = c->nkeys / SAMPLE + 1;
	int col = first_of(c, class);
	struct hash h = { 0 };
	size_t n;

	for (uint32_t i = 0; col >= 0 && i < c->nkeys; i += step)
		if (!(c->keys[i]->folded & 1u << class))
			(void)hash_set(&h, value_hash(c->keys[i], (unsigned int)col), &h);
	n = h.n;
	hash_free(&h);
	return n;
}

/* 0: nothing is left. */
static unsigned int worst_class(const struct cube *c)
{
	unsigned int worst = 0;
	size_t most = 1, n;

	for (unsigned int class = 1; class < CUBE_CLASSES; class ++) {
		n = different(c, class);
		if (n > most) {
			most = n;
			worst = class;
		}
	}
	return worst;
}

static void note_value(struct cube *c, const struct cube_key *k, unsigned int class)
{
	int col = first_of(c, class);
	uint64_t h = value_hash(k, (unsigned int)col) % SEEN_BITS;

	if (!c->seen[class]) {
		c->seen[class] = calloc(1, SEEN_BITS / 8);
		c->bytes += c->seen[class] ? SEEN_BITS / 8 : 0;
	}
	if (c->seen[class])
		c->seen[class][h / 8] |= (uint8_t)(1u << h % 8);
}

/* Linear counting: how many different values make so many bits. */
uint64_t cube_others(const struct cube *c, unsigned int class)
{
	unsigned int set = 0;

	for (unsigned int i = 0; c->seen[class] && i < SEEN_BITS / 8; i++)
		set += (unsigned int)__builtin_popcount(c->seen[class][i]);
	if (set >= SEEN_BITS)
		set = SEEN_BITS - 1;
	return (uint64_t)llround(-SEEN_BITS * log1p(-(double)set / SEEN_BITS));
}

static void give_up(struct cube *c, struct cube_key *k, unsigned int class)
{
	union cube_value v[CUBE_COLUMNS] = { 0 };
	uint32_t folded = k->folded | 1u << class;
	struct cube_key *into;

	memcpy(v, k->value, c->ncolumns * sizeof(*v));
	for (unsigned int i = 0; i < c->ncolumns; i++) {
		if (c->columns[i].class != class)
			continue;
		if (c->columns[i].text)
			v[i].text = c->other;
		else
			v[i].i = COL_NULL;
	}
	into = cube_key(c, v, cube_hash(c, v));
	if (!into)
		return;
	if (into == k) { /* it was called so before */
		k->folded = folded;
		return;
	}
	note_value(c, k, class);
	if (!k->folded)
		c->folded_spans += k->count;
	into->folded |= folded;
	cube_move(c, into, k);
	if (!k->ncells)
		cube_forget(c, k);
}

struct order {
	struct cube_key *key;
	uint64_t *of_value; /* spans that have the value which it may give up */
};

static int by_count(const void *a, const void *b)
{
	const struct order *x = a, *y = b;

	if (*x->of_value != *y->of_value)
		return *x->of_value < *y->of_value ? -1 : 1;
	if (x->key->count != y->key->count)
		return x->key->count < y->key->count ? -1 : 1;
	return (x->key->serial < y->key->serial) - (x->key->serial > y->key->serial);
}

/* Keys by how frequent their value of the class is, the rarest first. */
static int order_keys(const struct cube *c, unsigned int class, struct order *order,
                      uint64_t *counts)
{
	unsigned int col = (unsigned int)first_of(c, class);
	struct hash values = { 0 };
	int err = 0;

	for (uint32_t i = 0; i < c->nkeys && !err; i++) {
		uint64_t h = value_hash(c->keys[i], col), *n = hash_get(&values, h);

		if (!n) {
			n = &counts[i];
			*n = 0;
			err = hash_set(&values, h, n);
		}
		*n += c->keys[i]->count;
		order[i] = (struct order){ c->keys[i], n };
	}
	hash_free(&values);
	if (!err)
		qsort(order, c->nkeys, sizeof(*order), by_count);
	return err;
}

static void fold_class(struct cube *c, unsigned int class)
{
	uint32_t n = c->nkeys, keep = n / KEEP_ONE_IN;
	struct order *order = calloc((size_t)n + 1, sizeof(*order));
	uint64_t *counts = calloc((size_t)n + 1, sizeof(*counts));
	bool ok = order && counts && !order_keys(c, class, order, counts);

	for (uint32_t i = 0; ok && i + keep < n && c->bytes > c->budget / 4 * 3; i++)
		if (!(order[i].key->folded & 1u << class))
			give_up(c, order[i].key, class);
	free(order);
	free(counts);
}

void cube_fold(struct cube *c)
{
	unsigned int class;

	for (int round = 0; round < 4 * CUBE_CLASSES && c->bytes > c->budget / 4 * 3; round++) {
		class = worst_class(c);
		if (!class)
			break;
		fold_class(c, class);
		c->folds++;
	}
}
