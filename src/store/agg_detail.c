// SPDX-License-Identifier: GPL-3.0-or-later
/* agg_detail - one group in full: its durations, and its durations over time. */
#include "store/agg_internal.h"

int64_t agg_bin_ns(unsigned int i)
{
	return i ? 62500ll << (i - 1) : 0;
}

struct detail {
	struct agg_detail *out;
	unsigned int point;
};

static void add_bin(void *ctx, unsigned int bucket, uint32_t n)
{
	struct detail *d = ctx;
	int64_t ns = (int64_t)exphist_middle(bucket);
	unsigned int bin = 0;

	while (bin + 1 < AGG_BINS && ns >= agg_bin_ns(bin + 1))
		bin++;
	d->out->bins[bin] += n;
	d->out->heat[d->point][bin] += n;
}

static bool key_in_group(const struct agg_view *v, const struct cube_key *k,
                         const struct str by[AGG_BY])
{
	for (unsigned int i = 0; i < v->nby; i++) {
		struct str s = cube_str(k->value[v->table.by[i]]);

		if (!s.s != !by[i].s || !str_eq(s, by[i]))
			return false;
	}
	return !v->filter || v->stored || v->verdicts[k->slot].keep;
}

static int detail(struct agg_view *v, const struct str by[AGG_BY], struct agg_detail *out)
{
	struct cube *c = agg_cube(v);
	struct agg_window w;
	int err = 0;

	agg_window(c, v->from_ns, v->to_ns, AGG_SPARK, &w);
	out->points = w.points;
	for (uint32_t i = 0; i < c->nkeys && !err; i++) {
		uint32_t at, end = agg_cells(&w, c->keys[i], &at);

		if (at >= end)
			continue;
		if (v->filter && !v->stored)
			err = agg_judge(v, i, i + 1);
		if (err || !key_in_group(v, c->keys[i], by))
			continue;
		for (; at < end; at++) {
			struct detail d = { out, agg_point(&w, &c->keys[i]->cells[at]) };

			cell_bins(&c->keys[i]->cells[at], add_bin, &d);
		}
	}
	return err;
}

int agg_view_detail(struct agg_view *v, const struct str by[AGG_BY], struct agg_detail *out)
{
	int err;

	memset(out, 0, sizeof(*out));
	pthread_mutex_lock(&v->a->lock);
	err = detail(v, by, out);
	pthread_mutex_unlock(&v->a->lock);
	return err;
}
