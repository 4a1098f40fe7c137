// SPDX-License-Identifier: GPL-3.0-or-later
/* agg_rest - percentiles of all groups of an answer but those that are kept. */
#include <errno.h>
#include <stdlib.h>

#include "store/agg_internal.h"
#include "store/rank.h"

struct kept {
	const struct rank_row *rows;
	size_t *slots; /* number of a row + 1, by hash */
	size_t mask;
	unsigned int nby;
};

static bool same(const struct str *a, const struct str *b, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		if (!a[i].s != !b[i].s || !str_eq(a[i], b[i]))
			return false;
	return true;
}

/* The slot of these values, or the free one where they would be. */
static size_t *slot(struct kept *k, const struct str *by)
{
	size_t i = rank_id_of(by, k->nby) >> 8 & k->mask;

	while (k->slots[i] && !same(k->rows[k->slots[i] - 1].row.by, by, k->nby))
		i = (i + 1) & k->mask;
	return &k->slots[i];
}

static int index_kept(struct kept *k, size_t n)
{
	size_t cap = 64;

	while (cap < n * 2)
		cap *= 2;
	k->mask = cap - 1;
	k->slots = calloc(cap, sizeof(*k->slots));
	if (!k->slots)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		*slot(k, k->rows[i].row.by) = i + 1;
	return 0;
}

static bool is_kept(struct kept *k, const struct agg_view *v, const struct cube_key *key)
{
	struct str by[AGG_BY] = { 0 };

	for (unsigned int i = 0; i < v->nby; i++)
		by[i] = cube_str(key->value[v->table.by[i]]);
	return *slot(k, by) != 0;
}

static int take(struct agg_view *v, struct kept *k, struct agg_table *t)
{
	struct cube *c = agg_cube(v);
	uint32_t first;
	int err = 0;

	for (uint32_t i = 0; i < c->nkeys && !err; i++) {
		if (agg_cells(&v->window, c->keys[i], &first) <= first)
			continue;
		if (v->filter && !v->stored) {
			err = agg_judge(v, i, i + 1);
			if (err || !v->verdicts[i].keep)
				continue;
		}
		if (!is_kept(k, v, c->keys[i]))
			err = agg_table_key(t, c->keys[i]);
	}
	/* Grouped by nothing they are one group. */
	err = err ? err : agg_table_group(t);
	while (!err && agg_table_sum(t, c, &v->window))
		;
	return err;
}

int rank_rest(struct agg_view *v, const struct rank_row *kept, size_t n, struct agg_row *out)
{
	struct kept k = { .rows = kept, .nby = v->nby };
	struct agg_table *t = calloc(1, sizeof(*t));
	int err = t ? index_kept(&k, n) : -ENOMEM;

	if (!err) {
		pthread_mutex_lock(&v->a->lock);
		err = take(v, &k, t);
		pthread_mutex_unlock(&v->a->lock);
	}
	if (!err && t->nrows) {
		out->max_ns = t->rows[0].max_ns;
		out->p50_ns = t->rows[0].p50_ns;
		out->p95_ns = t->rows[0].p95_ns;
		out->p99_ns = t->rows[0].p99_ns;
	}
	if (t)
		agg_table_free(t);
	free(t);
	free(k.slots);
	return err;
}
