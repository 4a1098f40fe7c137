// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * cube_time - cells become coarser with age.
 *
 * Cells of a length begin at multiples of it, and each length is a multiple of
 * the one before: cells of one key never overlap but for those that came late,
 * which are as fine as new ones and join at the next occasion.
 */
#include <stdlib.h>

#include "store/cube.h"

#define SECOND 1000000000ll

/* Up to which age cells are this fine; with less memory half of it, down to a least. */
static const struct {
	uint32_t secs, age, least;
} levels[] = {
	{ 1, 300, 30 },
	{ 10, 3600, 300 },
	{ 60, 86400, 1800 },
	{ 3600, UINT32_MAX, UINT32_MAX },
};

enum {
	LEVELS = sizeof(levels) / sizeof(levels[0]),
	SETTLE_SECS = 10,
	SQUEEZE_MAX = 6,
	KEY_BYTES = 2048
};

static uint32_t age_of(const struct cube *c, unsigned int level)
{
	uint32_t age = levels[level].age == UINT32_MAX ? UINT32_MAX
	                                               : levels[level].age >> c->squeeze;

	return age > levels[level].least ? age : levels[level].least;
}

static uint32_t secs_at(const struct cube *c, uint32_t at, uint32_t now)
{
	uint32_t age = now > at ? now - at : 0;

	for (unsigned int i = 0; i < LEVELS; i++)
		if (age <= age_of(c, i))
			return levels[i].secs;
	return levels[LEVELS - 1].secs;
}

uint32_t cube_secs(const struct cube *c, uint32_t at)
{
	return secs_at(c, at, (uint32_t)(c->last_ns / SECOND));
}

/* As long as the whole of a longer cell has reached the age for it. */
static uint32_t length_of(const struct cube *c, const struct cell_sparse *cell, uint32_t now)
{
	uint32_t secs = cell->secs;

	for (unsigned int i = 0; i < LEVELS; i++) {
		uint32_t longer = levels[i].secs, from = cell->at - cell->at % longer;

		if (longer > secs && now > from + (longer - 1) &&
		    secs_at(c, from + (longer - 1), now) >= longer)
			secs = longer;
	}
	return secs;
}

uint32_t cube_due(const struct cube *c, const struct cell_sparse *cell)
{
	for (unsigned int i = 0; i + 1 < LEVELS; i++) {
		uint32_t longer = levels[i + 1].secs;

		if (cell->secs < longer)
			return cell->at - cell->at % longer + longer + age_of(c, i);
	}
	return UINT32_MAX;
}

/* `cell` into the last of the n cells of k where it belongs there. */
static bool join(struct cube *c, struct cube_key *k, uint32_t n, const struct cell_sparse *cell,
                 uint32_t at, uint32_t secs)
{
	struct cell_sparse *last = n ? &k->cells[n - 1] : NULL;

	if (!last || at < last->at || at - last->at >= last->secs || secs > last->secs)
		return false;
	if (!cell_merge(last, cell, &c->bytes))
		return false;
	c->bytes -= cell_bytes(cell);
	cell_fini((struct cell_sparse *)(uintptr_t)cell);
	return true;
}

void cube_coarsen(struct cube *c, struct cube_key *k, uint32_t now)
{
	uint32_t n = 0;

	k->due = UINT32_MAX;
	for (uint32_t i = 0; i < k->ncells; i++) {
		struct cell_sparse *cell = &k->cells[i];
		uint32_t secs = length_of(c, cell, now), at = cell->at - cell->at % secs;

		if (join(c, k, n, cell, at, secs))
			continue;
		cell->at = at;
		cell->secs = (uint16_t)secs;
		k->due = cube_due(c, cell) < k->due ? cube_due(c, cell) : k->due;
		if (n != i)
			k->cells[n] = *cell;
		n++;
	}
	k->ncells = n;
	if (n < k->cap / 4) {
		struct cell_sparse *less = reallocarray(k->cells, n ? n : 1, sizeof(*less));

		c->bytes -= less ? (k->cap - (n ? n : 1)) * sizeof(*less) : 0;
		k->cap = less ? (n ? n : 1) : k->cap;
		k->cells = less ? less : k->cells;
	}
}

static void coarsen_all(struct cube *c, uint32_t now, bool anyway)
{
	for (uint32_t i = 0; i < c->nkeys; i++)
		if (anyway || c->keys[i]->due <= now)
			cube_coarsen(c, c->keys[i], now);
	c->settled = now;
}

/* Few cells a key: it is the keys that are too many, not the times. */
static bool many_keys(const struct cube *c)
{
	return c->bytes / ((size_t)c->nkeys + 1) < KEY_BYTES;
}

void cube_settle(struct cube *c)
{
	uint32_t now = (uint32_t)(c->last_ns / SECOND);

	if (c->bytes <= c->budget && now - c->settled < SETTLE_SECS)
		return;
	coarsen_all(c, now, false);
	if (c->bytes > c->budget && many_keys(c))
		cube_fold(c);
	while (c->bytes > c->budget && c->squeeze < SQUEEZE_MAX) {
		c->squeeze++;
		coarsen_all(c, now, true);
	}
	if (c->bytes > c->budget)
		cube_fold(c);
}
