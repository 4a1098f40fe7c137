// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * list - the rows of one table that fit an expression, in an order.
 *
 * A slice is a segment, or what came to the open one since. Without an
 * expression the rows are read where they lie; with one, a prepared statement
 * runs over a snapshot that holds nothing but the slice, so that the expression
 * means what it means everywhere.
 *
 * A row is known by its place (segment and number in it). Where rows have keys,
 * its number is a hash of the key instead: it stays when the row is replaced.
 */
#include "store/list.h"

#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/err.h"
#include "store/expr.h"
#include "store/keys.h"
#include "store/sorted.h"

enum { STEPS = 1000 }; /* of SQLite, between two looks at ->cancel */

/* How far a segment was looked at. */
struct looked {
	uint64_t number;
	unsigned int n;
};

struct list {
	struct vtab_source src; /* its snapshot is that of the update */
	struct layout layout;
	enum table table;
	int64_t from_ns, to_ns;
	int order; /* column; -1: as stored */
	bool desc;
	sqlite3 *db; /* NULL: all rows */
	sqlite3_stmt *st;
	const char *denied;
	bool cancel; /* atomic */

	struct sorted rows;
	struct sorted_row *fresh; /* of this update */
	size_t nfresh, fresh_cap;
	struct looked *looked;
	unsigned int nlooked;
	uint64_t seq, oldest; /* of the last update: newest row, first segment */
	bool complete;
	struct list_state state;
};

static bool stopped(void *ctx)
{
	return __atomic_load_n(&((struct list *)ctx)->cancel, __ATOMIC_RELAXED);
}

static int progress(void *ctx)
{
	return stopped(ctx);
}

static int set_order(struct list *l, const char *name, char *err)
{
	l->order = name ? column_find(l->table, str_of(name)) : l->layout.start;
	if (name && l->order < 0)
		return err_set(err, EINVAL, "%s has no column %s", tables[l->table].name, name);
	l->rows.texts = l->order >= 0 && l->layout.is_text[l->order];
	return 0;
}

static int set_where(struct list *l, const char *where, char *err)
{
	char window[96] = "";
	bool some = l->from_ns || l->to_ns;
	int e = where ? expr_check(where, l->table, err) : 0;

	if (e || !where)
		return e;
	l->db = query_open(&l->src, &l->denied);
	if (!l->db)
		return err_set(err, ENOMEM, "out of memory");
	sqlite3_progress_handler(l->db, STEPS, progress, l);
	if (l->layout.start >= 0 && some)
		snprintf(window, sizeof(window), "start_ns >= %lld AND start_ns < %lld",
		         (long long)l->from_ns, l->to_ns ? (long long)l->to_ns : INT64_MAX);
	return expr_prepare(l->db, l->table, where, window[0] ? window : NULL, &l->denied, &l->st,
	                    err);
}

struct list *list_new(struct store *s, const struct list_spec *spec, char *err)
{
	struct list *l = calloc(1, sizeof(*l));
	int e;

	if (!l) {
		errno = -err_set(err, ENOMEM, "out of memory");
		return NULL;
	}
	l->table = spec->table;
	l->from_ns = spec->from_ns;
	l->to_ns = spec->to_ns;
	l->desc = spec->desc;
	layout_init(&l->layout, l->table);
	l->src.store = s;
	l->src.stop = stopped;
	l->src.ctx = l;
	e = set_order(l, spec->order, err);
	e = e ? e : set_where(l, spec->where, err);
	if (!e)
		return l;
	list_free(l);
	errno = -e;
	return NULL;
}

void list_free(struct list *l)
{
	if (!l)
		return;
	sqlite3_finalize(l->st);
	sqlite3_close(l->db);
	vtab_unpin(&l->src);
	sorted_free(&l->rows);
	free(l->fresh);
	free(l->looked);
	free(l);
}

void list_cancel(struct list *l)
{
	__atomic_store_n(&l->cancel, true, __ATOMIC_RELAXED);
}

/* ---- rows of a slice ---- */

static bool key_of(struct list *l, const struct segment *seg, unsigned int row, int64_t *key)
{
	unsigned int col = (unsigned int)l->order;
	uint64_t bits = 0;

	*key = 0;
	if (l->order < 0)
		return true;
	if (l->rows.texts)
		return sorted_text(&l->rows, segment_text(seg, row, col), key);
	switch (tables[l->table].columns[col].type) {
	case COL_X16:
	case COL_X8:
		memcpy(&bits, segment_field(seg, row, col), sizeof(bits));
		*key = (int64_t)(__builtin_bswap64(bits) ^ 1ull << 63);
		break;
	case COL_F:
		*key = segment_text_off(seg, row, col);
		break;
	default:
		*key = segment_int(seg, row, col);
	}
	return true;
}

static int add_fresh(struct list *l, const struct segment *seg, unsigned int row)
{
	struct sorted_row *r;

	if (l->nfresh == l->fresh_cap) {
		size_t cap = l->fresh_cap ? l->fresh_cap * 2 : SEGMENT_ROWS;

		r = reallocarray(l->fresh, cap, sizeof(*r));
		if (!r)
			return -ENOMEM;
		l->fresh = r;
		l->fresh_cap = cap;
	}
	r = &l->fresh[l->nfresh];
	r->id = seg->number * SEGMENT_ROWS + row;
	if (!key_of(l, seg, row, &r->key))
		return -ENOMEM;
	l->nfresh++;
	return 0;
}

static bool in_window(const struct list *l, const struct segment *seg, unsigned int row)
{
	int64_t start;

	if (l->layout.start < 0 || !(l->from_ns || l->to_ns))
		return true;
	start = segment_int(seg, row, (unsigned int)l->layout.start);
	return start >= l->from_ns && (!l->to_ns || start < l->to_ns);
}

static int take_all(struct list *l, const struct pinned *p)
{
	int err = 0;

	for (unsigned int i = p->first; i < p->n && !err; i++)
		if (in_window(l, p->seg, i) && segment_alive(p->seg, i, l->src.snap.seq))
			err = add_fresh(l, p->seg, i);
	return err;
}

static int take_fitting(struct list *l, struct pinned *p)
{
	struct snapshot all = l->src.snap, slice = { .seq = all.seq };
	int rc, err = 0;

	slice.pins[l->table] = p;
	slice.npins[l->table] = 1;
	l->src.snap = slice;
	while (!err && (rc = sqlite3_step(l->st)) == SQLITE_ROW)
		err = add_fresh(l, p->seg,
		                (unsigned int)(sqlite3_column_int64(l->st, 0) % SEGMENT_ROWS));
	sqlite3_reset(l->st);
	l->src.snap = all;
	if (err || rc == SQLITE_DONE)
		return err;
	return rc == SQLITE_INTERRUPT ? -ECANCELED : rc == SQLITE_NOMEM ? -ENOMEM : -EINVAL;
}

/* Nothing in it can start within the window. */
static bool outside(const struct list *l, const struct pinned *p)
{
	return l->layout.start >= 0 && p->sealed && (l->from_ns || l->to_ns) &&
	       (p->seg->max_ns < l->from_ns || (l->to_ns && p->seg->min_ns >= l->to_ns));
}

static int take(struct list *l, const struct pinned *p, struct looked *at)
{
	struct pinned slice = *p;
	size_t before = l->nfresh;
	int err = 0;

	slice.first = at->n;
	if (stopped(l))
		err = -ECANCELED;
	else if (!outside(l, p))
		err = l->db ? take_fitting(l, &slice) : take_all(l, &slice);
	if (err)
		l->nfresh = before;
	else
		at->n = p->n;
	return err;
}

/* ---- what is gone ---- */

static const struct pinned *find_pin(const struct list *l, uint64_t number)
{
	const struct pinned *pins = l->src.snap.pins[l->table];
	unsigned int lo = 0, hi = l->src.snap.npins[l->table];

	while (lo < hi) {
		unsigned int mid = (lo + hi) / 2;

		if (pins[mid].seg->number < number)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < l->src.snap.npins[l->table] && pins[lo].seg->number == number ? &pins[lo]
	                                                                          : NULL;
}

static bool evicted(void *ctx, uint64_t id)
{
	return id / SEGMENT_ROWS < ((const struct list *)ctx)->oldest;
}

static bool replaced(void *ctx, uint64_t id)
{
	const struct list *l = ctx;
	const struct pinned *p = find_pin(l, id / SEGMENT_ROWS);

	return !p || !segment_alive(p->seg, (unsigned int)(id % SEGMENT_ROWS), l->src.snap.seq);
}

static void drop_gone(struct list *l)
{
	const struct snapshot *v = &l->src.snap;
	uint64_t oldest = v->npins[l->table] ? v->pins[l->table][0].seg->number : UINT64_MAX;

	if (l->layout.key[0] >= 0) {
		sorted_drop(&l->rows, replaced, l);
	} else if (oldest != l->oldest) {
		l->oldest = oldest;
		l->state.gone += sorted_drop(&l->rows, evicted, l);
	}
}

/* ---- an update ---- */

/* One entry a segment of the snapshot, with what is known of it. */
static int note_segments(struct list *l)
{
	unsigned int n = l->src.snap.npins[l->table], old = 0;
	struct looked *now = calloc(n + 1, sizeof(*now));

	if (!now)
		return -ENOMEM;
	for (unsigned int i = 0; i < n; i++) {
		now[i].number = l->src.snap.pins[l->table][i].seg->number;
		while (old < l->nlooked && l->looked[old].number < now[i].number)
			old++;
		if (old < l->nlooked && l->looked[old].number == now[i].number)
			now[i].n = l->looked[old].n;
	}
	free(l->looked);
	l->looked = now;
	l->nlooked = n;
	return 0;
}

static void count_seen(struct list *l)
{
	l->state.seen = l->state.total = 0;
	for (unsigned int i = 0; i < l->nlooked; i++) {
		l->state.seen += l->looked[i].n;
		l->state.total += l->src.snap.pins[l->table][i].n;
	}
	l->state.n = l->rows.n;
	l->complete = l->state.seen == l->state.total;
}

/* The newest slices first, until the time is spent. */
static int take_slices(struct list *l, int budget_ms)
{
	uint64_t until = clock_ns() + (uint64_t)(budget_ms > 0 ? budget_ms : 0) * 1000000;
	int err = 0;

	for (unsigned int i = l->nlooked; i-- > 0 && !err;) {
		const struct pinned *p = &l->src.snap.pins[l->table][i];

		if (l->looked[i].n == p->n)
			continue;
		err = take(l, p, &l->looked[i]);
		if (clock_ns() >= until)
			break;
	}
	return err;
}

static int failed(struct list *l, int e, char *err)
{
	if (e == -ECANCELED) {
		__atomic_store_n(&l->cancel, false, __ATOMIC_RELAXED);
		return err_set(err, ECANCELED, "canceled");
	}
	return e == -ENOMEM ? err_set(err, ENOMEM, "out of memory")
	                    : err_set(err, -e, "%s", sqlite3_errmsg(l->db));
}

int list_update(struct list *l, int budget_ms, char *err)
{
	int e, merged;

	if (l->complete && store_seq(l->src.store) == l->seq)
		return 0;
	e = vtab_pin(&l->src);
	if (e)
		return failed(l, e, err);
	l->seq = l->src.snap.seq;
	e = note_segments(l);
	if (!e) {
		drop_gone(l);
		l->nfresh = 0;
		e = take_slices(l, budget_ms);
		merged = sorted_merge(&l->rows, l->fresh, l->nfresh);
		e = merged ? merged : e;
		count_seen(l);
	}
	vtab_unpin(&l->src);
	return e ? failed(l, e, err) : !l->complete;
}

/* ---- what is in it ---- */

void list_state(const struct list *l, struct list_state *out)
{
	*out = l->state;
}

static uint64_t place_of(const struct list *l, size_t i)
{
	return sorted_at(&l->rows, l->desc ? l->rows.n - 1 - i : i)->id;
}

/* Its number, where segments are pinned or held. */
static uint64_t number_of(struct segment *seg, uint64_t id)
{
	uint64_t h;

	if (seg && keys_hash((struct place){ seg, (unsigned int)(id % SEGMENT_ROWS) }, &h))
		return h | 1ull << 63;
	return id;
}

uint64_t list_id(const struct list *l, size_t i)
{
	uint64_t id = place_of(l, i), seq;
	struct segment *seg;

	if (l->layout.key[0] < 0)
		return id;
	seg = store_segment(l->src.store, l->table, id / SEGMENT_ROWS, &seq);
	id = number_of(seg, id);
	segment_put(seg);
	return id;
}

static bool find_place(const struct list *l, uint64_t id, size_t *at)
{
	for (*at = 0; *at < l->rows.n; ++*at)
		if (place_of(l, *at) == id)
			return true;
	return false;
}

static bool find_number(const struct list *l, uint64_t id, size_t *at)
{
	struct segment *seg = NULL;
	bool found = false;
	uint64_t seq;

	for (*at = 0; *at < l->rows.n; ++*at) {
		uint64_t place = place_of(l, *at);

		if (!seg || seg->number != place / SEGMENT_ROWS) {
			segment_put(seg);
			seg = store_segment(l->src.store, l->table, place / SEGMENT_ROWS, &seq);
		}
		found = seg && number_of(seg, place) == id;
		if (found)
			break;
	}
	segment_put(seg);
	return found;
}

bool list_find(const struct list *l, uint64_t id, size_t *i)
{
	struct sorted_row r = { .id = id };
	struct segment *seg;
	uint64_t seq;
	size_t at;

	if (l->layout.key[0] >= 0)
		return id >> 63 ? find_number(l, id, i) : find_place(l, id, i);
	if (l->rows.texts)
		return find_place(l, id, i);
	seg = store_segment(l->src.store, l->table, id / SEGMENT_ROWS, &seq);
	if (!seg || id % SEGMENT_ROWS >= seg->cap) {
		segment_put(seg);
		return false;
	}
	/* Only texts would add to the list. */
	key_of((struct list *)(uintptr_t)l, seg, (unsigned int)(id % SEGMENT_ROWS), &r.key);
	segment_put(seg);
	at = sorted_find(&l->rows, &r);
	if (at == l->rows.n || sorted_at(&l->rows, at)->id != id)
		return false;
	*i = l->desc ? l->rows.n - 1 - at : at;
	return true;
}

int list_get(const struct list *l, size_t i, struct arena *a, void *row)
{
	uint64_t id = place_of(l, i), seq;
	struct segment *seg = store_segment(l->src.store, l->table, id / SEGMENT_ROWS, &seq);
	int err;

	if (!seg)
		return -ESTALE;
	err = segment_row(seg, (unsigned int)(id % SEGMENT_ROWS), a, row);
	segment_put(seg);
	return err;
}
