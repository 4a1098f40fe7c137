// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * agg_view - a question over cells that is asked again and again.
 *
 * An expression over columns of the key is evaluated once a key, by the same
 * machinery as a filter over rows: the key becomes a span in a batch. Where the
 * columns do not suffice, or where a key gave one of them up, rows of the store
 * are counted into a cube of the view's own, which has only the columns that are
 * asked for; from there on both ways are the same.
 */
#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/err.h"
#include "store/agg_internal.h"
#include "store/expr.h"

enum { KEYS_AT_ONCE = AGG_JUDGE };

static void restart(struct agg_view *v)
{
	v->step = STEP_KEYS;
	v->pos = 0;
	v->serial++;
	agg_table_reset(&v->table);
}

/* ---- from rows ---- */

static int on_row(void *ctx, struct segment *seg, unsigned int row)
{
	struct agg_view *v = ctx;
	struct span s;

	(void)segment_row(seg, row, NULL, &s);
	return cube_add(&v->own, &s);
}

static void on_done(void *ctx)
{
	cube_settle(&((struct agg_view *)ctx)->own);
}

/* None of its spans was answered within the window. */
static bool outside(void *ctx, const struct pinned *p)
{
	const struct agg_view *v = ctx;
	int64_t latest;

	if (!p->sealed)
		return false;
	if (__builtin_add_overflow(p->seg->max_ns, p->seg->max_dur_ns > 0 ? p->seg->max_dur_ns : 0,
	                           &latest))
		latest = INT64_MAX;
	return (v->from_ns > 0 && latest < v->from_ns / 1000000000 * 1000000000) ||
	       (v->to_ns > 0 && p->seg->min_ns / 1000000000 > v->to_ns / 1000000000);
}

static int use_store(struct agg_view *v, char *err)
{
	struct cube_def defs[AGG_BY];

	v->stored = true;
	restart(v);
	for (unsigned int i = 0; i < v->nby; i++) {
		defs[i] = (struct cube_def){ v->by[i], i + 1 };
		v->table.by[i] = i;
	}
	v->follow.row = on_row;
	v->follow.done = on_done;
	v->follow.skip = outside;
	v->follow.ctx = v;
	if (cube_init(&v->own, defs, v->nby, v->a->cube.budget))
		return err_set(err, ENOMEM, "out of memory");
	return follow_init(&v->follow, v->a->store, TABLE_SPANS, v->expr, err);
}

/* ---- which keys fit ---- */

static void key_span(const struct cube *c, const struct cube_key *k, struct span *s)
{
	row_init(TABLE_SPANS, s);
	for (unsigned int i = 0; i < c->ncolumns; i++) {
		void *field = (char *)s + c->columns[i].offset;

		if (c->columns[i].text)
			*(struct str *)field = cube_str(k->value[i]);
		else
			*(int64_t *)field = k->value[i].i;
	}
}

static int judge(struct agg_view *v, struct cube_key **keys, unsigned int n)
{
	struct span spans[KEYS_AT_ONCE];
	struct item items[KEYS_AT_ONCE];
	struct batch b = { .items = items, .n = n, .cap = n };
	bool keep[KEYS_AT_ONCE];
	int err;

	for (unsigned int i = 0; i < n; i++) {
		key_span(&v->a->cube, keys[i], &spans[i]);
		items[i] = (struct item){ TABLE_SPANS, &spans[i] };
	}
	err = filter_run(v->filter, &b, keep);
	for (unsigned int i = 0; i < n && !err; i++)
		v->verdicts[keys[i]->slot] = (struct agg_verdict){ keys[i]->serial, keep[i] };
	return err;
}

static int room_for_verdicts(struct agg_view *v)
{
	uint32_t n = v->a->cube.cap;
	struct agg_verdict *more;

	if (n <= v->nverdicts)
		return 0;
	more = reallocarray(v->verdicts, n, sizeof(*more));
	if (!more)
		return -ENOMEM;
	memset(more + v->nverdicts, 0, (n - v->nverdicts) * sizeof(*more));
	v->verdicts = more;
	v->nverdicts = n;
	return 0;
}

int agg_judge(struct agg_view *v, uint32_t from, uint32_t to)
{
	struct cube_key *unknown[KEYS_AT_ONCE];
	unsigned int n = 0;
	int err = room_for_verdicts(v);

	for (uint32_t i = from; i < to && !err; i++) {
		struct cube_key *k = v->a->cube.keys[i];

		if (v->verdicts[i].serial != k->serial)
			unknown[n++] = k;
	}
	return err || !n ? err : judge(v, unknown, n);
}

static bool in_window(const struct agg_view *v, const struct cube_key *k)
{
	uint32_t first, end = agg_cells(&v->window, k, &first);

	return first < end;
}

/* -EXDEV: keys do not suffice to tell. */
static int take_keys(struct agg_view *v, uint32_t to)
{
	struct cube *c = agg_cube(v);
	int err = v->filter && !v->stored ? agg_judge(v, v->pos, to) : 0;

	for (uint32_t i = v->pos; i < to && !err; i++) {
		struct cube_key *k = c->keys[i];

		if (!in_window(v, k))
			continue;
		if (v->filter && !v->stored) {
			if (k->folded & v->reads_classes)
				return -EXDEV;
			if (!v->verdicts[i].keep)
				continue;
		}
		err = agg_table_key(&v->table, k);
	}
	v->pos = to;
	return err;
}

/* ---- the answer ---- */

static int walk(struct agg_view *v, uint64_t until)
{
	struct cube *c = agg_cube(v);
	int err = 0;

	while (v->step == STEP_KEYS && !err) {
		uint32_t to = c->nkeys - v->pos > KEYS_AT_ONCE ? v->pos + KEYS_AT_ONCE : c->nkeys;

		err = take_keys(v, to);
		if (!err && v->pos == c->nkeys) {
			err = agg_table_group(&v->table);
			v->step = STEP_SUMS;
		} else if (clock_ns() >= until) {
			return err;
		}
	}
	while (v->step == STEP_SUMS && !err) {
		if (!agg_table_sum(&v->table, c, &v->window))
			v->step = STEP_DONE;
		else if (v->table.next < v->table.ngroups && clock_ns() >= until)
			break;
	}
	return err;
}

static unsigned int percent(const struct agg_view *v)
{
	uint64_t rows = v->stored && v->follow.total ? v->follow.seen * 100 / v->follow.total : 100;
	uint64_t part = v->step == STEP_DONE ? 100
	                : v->step == STEP_KEYS || !v->table.ngroups
	                        ? 0
	                        : v->table.next * 100 / v->table.ngroups;

	/* Rows that came while it was made are not in it yet. */
	if (v->stored && v->batches != v->own.spans && part == 100)
		part = 99;
	return (unsigned int)(rows * part / 100);
}

/* A finished answer holds until there is something new, an unfinished one until keys went away. */
static bool stale(struct agg_view *v)
{
	uint64_t now = v->stored ? v->own.spans : v->a->batches;

	return v->folds != agg_cube(v)->folds || (v->step == STEP_DONE && v->batches != now);
}

/* Open ends are those of the capture, however few rows fit: rates are over the same time. */
static void as_long_as(struct cube *c, const struct cube *all)
{
	if (all->first_ns && (!c->first_ns || all->first_ns < c->first_ns))
		c->first_ns = all->first_ns;
	if (all->last_ns > c->last_ns)
		c->last_ns = all->last_ns;
}

static void begin(struct agg_view *v)
{
	struct cube *c = agg_cube(v);

	if (stale(v))
		restart(v);
	if (v->step != STEP_KEYS || v->pos)
		return;
	v->batches = v->stored ? v->own.spans : v->a->batches;
	v->folds = c->folds;
	if (v->stored)
		as_long_as(c, &v->a->cube);
	agg_window(c, v->from_ns, v->to_ns, v->spark, &v->window);
}

static int answer(struct agg_view *v, uint64_t until, struct agg_answer *out)
{
	int err;

	pthread_mutex_lock(&v->a->lock);
	begin(v);
	err = walk(v, until);
	if (!err)
		err = agg_table_answer(&v->table, &v->window, out);
	out->percent = percent(v);
	out->serial = v->serial;
	pthread_mutex_unlock(&v->a->lock);
	return err;
}

static int failed(int e, char *err)
{
	return e == -ENOMEM ? err_set(err, ENOMEM, "out of memory")
	                    : err_set(err, -e, "the question cannot be answered");
}

static int update_rows(struct agg_view *v, int budget_ms, struct agg_answer *out, char *err)
{
	struct store_stats st;
	int e = follow_update(&v->follow, budget_ms, err);

	store_stats(v->a->store, &st);
	out->from_store = true;
	out->evicted = st.evicted[TABLE_SPANS] - v->follow.left;
	return e < 0 ? e : 0;
}

int agg_view_ask(struct agg_view *v, int budget_ms, struct agg_answer *out, char *err)
{
	uint64_t until = clock_ns() + (uint64_t)(budget_ms > 0 ? budget_ms : 0) * 1000000;
	int e = 0;

	*out = (struct agg_answer){ 0 };
	if (!v->stored) {
		e = answer(v, until, out);
		if (e == -EXDEV) {
			agg_answer_free(out);
			e = use_store(v, err);
			if (e)
				return e;
		}
	}
	if (v->stored) {
		e = update_rows(v, budget_ms / 2, out, err);
		if (e)
			return e;
		e = answer(v, until, out);
	}
	if (!e)
		return out->percent < 100;
	agg_answer_free(out);
	return failed(e, err);
}

void agg_answer_free(struct agg_answer *a)
{
	arena_free(&a->mem);
	*a = (struct agg_answer){ 0 };
}

/* ---- life ---- */

static const struct agg_column *find_column(const char *name)
{
	for (size_t i = 0; agg_column(i); i++)
		if (!strcmp(agg_column(i)->name, name))
			return agg_column(i);
	return NULL;
}

static int set_by(struct agg_view *v, const struct agg_query *q, bool *stored, char *err)
{
	for (v->nby = 0; v->nby < AGG_BY && q->by[v->nby]; v->nby++) {
		const struct agg_column *c = find_column(q->by[v->nby]);

		if (!c)
			return err_set(err, EINVAL, "cannot group by %s", q->by[v->nby]);
		v->by[v->nby] = strdup(c->name);
		if (!v->by[v->nby])
			return err_set(err, ENOMEM, "out of memory");
		*stored = *stored || c->stored;
		if (!c->stored)
			v->table.by[v->nby] = (unsigned int)cube_find(
				&v->a->cube,
				(unsigned int)column_find(TABLE_SPANS, str_of(c->name)));
	}
	v->table.nby = v->nby;
	return 0;
}

static int set_filter(struct agg_view *v, const char *expr, bool *stored, char *err)
{
	bool reads[LAYOUT_COLUMNS] = { 0 }, all = true;
	int e;

	if (!expr)
		return 0;
	v->expr = strdup(expr);
	v->filter = filter_new(expr, err);
	if (!v->expr || !v->filter)
		return v->filter ? err_set(err, ENOMEM, "out of memory") : -EINVAL;
	e = expr_reads(expr, TABLE_SPANS, reads, &all, err);
	*stored = *stored || !all;
	for (unsigned int i = 0; i < tables[TABLE_SPANS].ncolumns && !e; i++) {
		int col = reads[i] ? cube_find(&v->a->cube, i) : -1;

		if (col >= 0 && v->a->cube.columns[col].class)
			v->reads_classes |= 1u << v->a->cube.columns[col].class;
		*stored = *stored || (reads[i] && col < 0);
	}
	return e;
}

struct agg_view *agg_view(struct agg *a, const struct agg_query *q, char *err)
{
	struct agg_view *v = calloc(1, sizeof(*v));
	bool stored = false;
	int e;

	if (!v) {
		errno = -err_set(err, ENOMEM, "out of memory");
		return NULL;
	}
	v->a = a;
	v->spark = q->spark;
	v->from_ns = q->from_ns;
	v->to_ns = q->to_ns;
	e = set_by(v, q, &stored, err);
	e = e ? e : set_filter(v, q->filter, &stored, err);
	if (!e && stored)
		e = use_store(v, err);
	if (!e)
		return v;
	agg_view_free(v);
	errno = -e;
	return NULL;
}

void agg_view_window(struct agg_view *v, int64_t from_ns, int64_t to_ns)
{
	if (v->from_ns == from_ns && v->to_ns == to_ns)
		return;
	v->from_ns = from_ns;
	v->to_ns = to_ns;
	restart(v);
}

void agg_view_free(struct agg_view *v)
{
	if (!v)
		return;
	follow_fini(&v->follow);
	cube_fini(&v->own);
	agg_table_free(&v->table);
	filter_free(v->filter);
	free(v->verdicts);
	free(v->expr);
	for (unsigned int i = 0; i < AGG_BY; i++)
		free(v->by[i]);
	free(v);
}
