// SPDX-License-Identifier: GPL-3.0-or-later
/* agg_table - a walk over keys of a cube: group, sum, row. */
#include "store/agg_table.h"

#include <errno.h>
#include <stdlib.h>

#define SECOND 1000000000ll

enum { LONGEST = 3600 }; /* cell, in seconds */

/* ---- window ---- */

static uint32_t second(int64_t ns)
{
	return ns <= 0 ? 0 : ns / SECOND >= CUBE_LAST ? CUBE_LAST : (uint32_t)(ns / SECOND);
}

void agg_window(const struct cube *c, int64_t from_ns, int64_t to_ns, unsigned int spark,
                struct agg_window *out)
{
	uint32_t last = second(c->last_ns), secs;

	out->from = second(from_ns > 0 ? from_ns : c->first_ns);
	secs = cube_secs(c, out->from);
	out->from -= out->from % secs;
	out->from_ns = out->from * SECOND;
	out->to = to_ns > 0 ? second(to_ns - 1) + 1 : last + 1;
	out->to_ns = to_ns;
	if (to_ns <= 0 || to_ns <= c->last_ns) {
		uint32_t step = cube_secs(c, out->to ? out->to - 1 : 0);

		if (to_ns > 0)
			out->to = (out->to + step - 1) / step * step;
		out->to_ns = out->to * SECOND;
	}
	if (out->to <= out->from)
		out->to = out->from + 1;
	out->points = (out->to - out->from) / secs;
	out->points = out->points < spark ? out->points : spark;
	out->points = out->points < AGG_SPARK ? out->points : AGG_SPARK;
	if (spark && !out->points)
		out->points = 1;
}

unsigned int agg_point(const struct agg_window *w, const struct cell_sparse *c)
{
	uint32_t middle = c->at + c->secs / 2;

	if (!w->points || middle <= w->from)
		return 0;
	if (middle >= w->to)
		return w->points - 1;
	return (unsigned int)((uint64_t)(middle - w->from) * w->points / (w->to - w->from));
}

uint32_t agg_cells(const struct agg_window *w, const struct cube_key *k, uint32_t *first)
{
	*first = 0;
	if (w->from > LONGEST && k->ncells && k->cells[0].at < w->from - LONGEST)
		*first = cube_after(k, w->from - LONGEST);
	while (*first < k->ncells && k->cells[*first].at + k->cells[*first].secs <= w->from)
		++*first;
	return cube_after(k, w->to - 1);
}

/* ---- groups ---- */

void agg_table_reset(struct agg_table *t)
{
	t->nentries = t->ngroups = t->next = t->nrows = 0;
	cell_sum_clear(&t->sum);
	cell_sum_clear(&t->total);
	memset(t->spark, 0, sizeof(t->spark));
}

void agg_table_free(struct agg_table *t)
{
	free(t->entries);
	free(t->groups);
	free(t->rows);
	*t = (struct agg_table){ 0 };
}

static uint64_t group_of(const struct agg_table *t, const struct cube_key *k)
{
	uint64_t h = 1;

	/* Equal texts have one address. */
	for (unsigned int i = 0; i < t->nby; i++) {
		h = (h ^ (uint64_t)(uintptr_t)k->value[t->by[i]].text) * 0xff51afd7ed558ccd;
		h ^= h >> 29;
	}
	return h;
}

int agg_table_key(struct agg_table *t, struct cube_key *k)
{
	if (t->nentries == t->cap) {
		size_t cap = t->cap ? t->cap * 2 : 256;
		struct agg_entry *more = reallocarray(t->entries, cap, sizeof(*more));

		if (!more)
			return -ENOMEM;
		t->entries = more;
		t->cap = cap;
	}
	t->entries[t->nentries++] = (struct agg_entry){ group_of(t, k), k };
	return 0;
}

static int by_group(const void *a, const void *b)
{
	uint64_t x = ((const struct agg_entry *)a)->group, y = ((const struct agg_entry *)b)->group;

	return (x > y) - (x < y);
}

static int by_count(const void *a, const void *b)
{
	const struct agg_group *x = a, *y = b;

	return x->count != y->count ? (x->count < y->count ? 1 : -1)
	                            : (x->first > y->first) - (x->first < y->first);
}

int agg_table_group(struct agg_table *t)
{
	size_t n = 0;

	if (t->nentries)
		qsort(t->entries, t->nentries, sizeof(*t->entries), by_group);
	for (size_t i = 0; i < t->nentries; i++)
		n += !i || t->entries[i].group != t->entries[i - 1].group;
	free(t->groups);
	free(t->rows);
	t->groups = calloc(n + 1, sizeof(*t->groups));
	t->rows = calloc(n + 1, sizeof(*t->rows));
	if (!t->groups || !t->rows)
		return -ENOMEM;
	for (size_t i = 0; i < t->nentries; i++) {
		if (!i || t->entries[i].group != t->entries[i - 1].group)
			t->groups[t->ngroups++].first = i;
		t->groups[t->ngroups - 1].n++;
		t->groups[t->ngroups - 1].count += t->entries[i].key->count;
	}
	qsort(t->groups, t->ngroups, sizeof(*t->groups), by_count);
	return 0;
}

/* ---- sums ---- */

static void fill_row(struct agg_row *r, const struct cell_sum *s)
{
	r->count = s->count;
	r->errors = s->errors;
	r->timed = s->timed;
	r->sum_ns = s->timed ? s->sum_ns : COL_NULL;
	r->max_ns = s->timed ? s->max_ns : COL_NULL;
	r->p50_ns = cell_sum_quantile(s, 0.50);
	r->p95_ns = cell_sum_quantile(s, 0.95);
	r->p99_ns = cell_sum_quantile(s, 0.99);
	r->req_bytes = s->req_bytes;
	r->resp_bytes = s->resp_bytes;
}

static void sum_key(struct agg_table *t, const struct agg_window *w, const struct cube_key *k,
                    struct agg_row *r)
{
	uint32_t i, end = agg_cells(w, k, &i);

	for (; i < end; i++) {
		cell_sum_add(&t->sum, &k->cells[i]);
		if (w->points)
			r->spark[agg_point(w, &k->cells[i])] += k->cells[i].count;
	}
}

static void name_row(const struct agg_table *t, const struct cube *c, const struct cube_key *k,
                     struct agg_row *r)
{
	r->groups = 1;
	for (unsigned int i = 0; i < t->nby; i++) {
		union cube_value v = k->value[t->by[i]];
		uint64_t n;

		r->by[i] = cube_str(v);
		if (v.text != c->other)
			continue;
		r->other = true;
		n = cube_others(c, c->columns[t->by[i]].class);
		r->groups = n > r->groups ? n : r->groups;
	}
}

bool agg_table_sum(struct agg_table *t, const struct cube *c, const struct agg_window *w)
{
	const struct agg_group *g = &t->groups[t->next];
	struct agg_row *r = &t->rows[t->nrows];

	if (t->next == t->ngroups)
		return false;
	*r = (struct agg_row){ 0 };
	cell_sum_clear(&t->sum);
	for (size_t i = g->first; i < g->first + g->n; i++)
		sum_key(t, w, t->entries[i].key, r);
	t->next++;
	if (!t->sum.count)
		return true;
	fill_row(r, &t->sum);
	name_row(t, c, t->entries[g->first].key, r);
	for (unsigned int i = 0; i < w->points; i++)
		t->spark[i] += r->spark[i];
	cell_sum_join(&t->total, &t->sum);
	t->nrows++;
	return true;
}

int agg_table_answer(struct agg_table *t, const struct agg_window *w, struct agg_answer *out)
{
	out->rows = arena_alloc(&out->mem, (t->nrows + 1) * sizeof(*out->rows));
	if (!out->rows)
		return -ENOMEM;
	for (size_t i = 0; i < t->nrows; i++) {
		out->rows[i] = t->rows[i];
		for (unsigned int j = 0; j < t->nby; j++) {
			out->rows[i].by[j] = arena_str(&out->mem, t->rows[i].by[j]);
			if (t->rows[i].by[j].s && !out->rows[i].by[j].s)
				return -ENOMEM;
		}
	}
	out->n = t->nrows;
	fill_row(&out->total, &t->total);
	out->total.groups = t->nrows;
	memcpy(out->total.spark, t->spark, sizeof(t->spark));
	out->from_ns = w->from_ns;
	out->to_ns = w->to_ns;
	out->spark = w->points;
	return 0;
}
