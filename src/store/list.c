// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * list - the rows of one table that fit an expression, in an order.
 *
 * A row is known by its place (segment and number in it). Where rows have keys,
 * its number is a hash of the key instead: it stays when the row is replaced.
 */
#include "store/list.h"

#include <errno.h>
#include <stdlib.h>

#include "base/err.h"
#include "store/follow.h"
#include "store/keys.h"
#include "store/sorted.h"

struct list {
	struct follow follow;
	struct layout layout;
	enum table table;
	int64_t from_ns, to_ns;
	int duration; /* column that counts into the window; -1: none */
	int order;    /* column; -1: as stored */
	bool desc;
	struct sorted rows;
	struct sorted_row *fresh; /* of this update */
	size_t nfresh, fresh_cap;
	size_t nsure;    /* of them: of slices that are done */
	uint64_t oldest; /* first segment of the last update */
	uint64_t gone;
};

static int set_order(struct list *l, const char *name, char *err)
{
	l->order = name ? column_find(l->table, str_of(name)) : l->layout.start;
	if (name && l->order < 0)
		return err_set(err, EINVAL, "%s has no column %s", tables[l->table].name, name);
	l->rows.texts = l->order >= 0 && l->layout.is_text[l->order];
	return 0;
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

static bool has_window(const struct list *l)
{
	return l->layout.start >= 0 && (l->from_ns || l->to_ns);
}

static int64_t later(int64_t at, int64_t duration)
{
	int64_t sum;

	if (duration == COL_NULL || duration < 0)
		return at;
	return __builtin_add_overflow(at, duration, &sum) ? INT64_MAX : sum;
}

static int on_row(void *ctx, struct segment *seg, unsigned int row)
{
	struct list *l = ctx;
	int64_t at;

	if (has_window(l)) {
		at = segment_int(seg, row, (unsigned int)l->layout.start);
		if (l->duration >= 0)
			at = later(at, segment_int(seg, row, (unsigned int)l->duration));
		if (at < l->from_ns || (l->to_ns && at >= l->to_ns))
			return 0;
	}
	return add_fresh(l, seg, row);
}

/* Nothing in it can be within the window. */
static bool skip(void *ctx, const struct pinned *p)
{
	const struct list *l = ctx;
	int64_t last;

	if (!has_window(l) || !p->sealed)
		return false;
	last = l->duration >= 0 ? later(p->seg->max_ns, p->seg->max_dur_ns) : p->seg->max_ns;
	return last < l->from_ns || (l->to_ns && p->seg->min_ns >= l->to_ns);
}

static void undo(void *ctx)
{
	struct list *l = ctx;

	l->nfresh = l->nsure;
}

static void done(void *ctx)
{
	struct list *l = ctx;

	l->nsure = l->nfresh;
}

/* ---- what is gone ---- */

static const struct pinned *find_pin(const struct list *l, uint64_t number)
{
	const struct pinned *pins = l->follow.src.snap.pins[l->table];
	unsigned int lo = 0, hi = l->follow.src.snap.npins[l->table];

	while (lo < hi) {
		unsigned int mid = (lo + hi) / 2;

		if (pins[mid].seg->number < number)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < l->follow.src.snap.npins[l->table] && pins[lo].seg->number == number ? &pins[lo]
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

	return !p ||
	       !segment_alive(p->seg, (unsigned int)(id % SEGMENT_ROWS), l->follow.src.snap.seq);
}

static void drop_gone(struct list *l)
{
	const struct snapshot *v = &l->follow.src.snap;
	uint64_t oldest = v->npins[l->table] ? v->pins[l->table][0].seg->number : UINT64_MAX;

	if (l->layout.key[0] >= 0) {
		sorted_drop(&l->rows, replaced, l);
	} else if (oldest != l->oldest) {
		l->oldest = oldest;
		l->gone += sorted_drop(&l->rows, evicted, l);
	}
}

/* ---- life ---- */

static void begin(void *ctx)
{
	struct list *l = ctx;

	drop_gone(l);
	l->nfresh = l->nsure = 0;
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
	l->follow.row = on_row;
	l->follow.skip = skip;
	l->follow.done = done;
	l->follow.undo = undo;
	l->follow.begin = begin;
	l->follow.ctx = l;
	layout_init(&l->layout, l->table);
	l->duration = spec->answered ? l->layout.dur : -1;
	e = set_order(l, spec->order, err);
	e = e ? e : follow_init(&l->follow, s, l->table, spec->where, err);
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
	follow_fini(&l->follow);
	sorted_free(&l->rows);
	free(l->fresh);
	free(l);
}

void list_cancel(struct list *l)
{
	follow_cancel(&l->follow);
}

int list_update(struct list *l, int budget_ms, char *err)
{
	int e, merged;

	if (l->follow.complete && store_seq(l->follow.src.store) == l->follow.seq)
		return 0;
	l->nfresh = 0;
	e = follow_update(&l->follow, budget_ms, err);
	merged = sorted_merge(&l->rows, l->fresh, l->nfresh);
	return merged ? err_set(err, ENOMEM, "out of memory") : e;
}

/* ---- what is in it ---- */

void list_state(const struct list *l, struct list_state *out)
{
	*out = (struct list_state){
		.n = l->rows.n,
		.seen = l->follow.seen,
		.total = l->follow.total,
		.gone = l->gone,
	};
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
	seg = store_segment(l->follow.src.store, l->table, id / SEGMENT_ROWS, &seq);
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
			seg = store_segment(l->follow.src.store, l->table, place / SEGMENT_ROWS,
			                    &seq);
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
	seg = store_segment(l->follow.src.store, l->table, id / SEGMENT_ROWS, &seq);
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
	struct segment *seg = store_segment(l->follow.src.store, l->table, id / SEGMENT_ROWS, &seq);
	int err;

	if (!seg)
		return -ESTALE;
	err = segment_row(seg, (unsigned int)(id % SEGMENT_ROWS), a, row);
	segment_put(seg);
	return err;
}
