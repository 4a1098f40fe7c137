// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * store - the capture in memory: lists of segments, the oldest out first.
 *
 * Each table has its own list ("lane"), so that many requests never push out
 * the few rows that say which connections and processes they belong to: when
 * the budget is spent, the table that holds most loses its oldest segment.
 *
 * The writer fills segments without the lock and publishes a whole batch under
 * it. A reader therefore sees all of a batch or nothing, and a row that was
 * replaced never beside the row that replaced it, or neither of them.
 */
#include "store/store.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "store/keys.h"
#include "store/snapshot.h"

struct lane {
	struct layout layout;
	struct segment **seg; /* oldest first; the last is open */
	unsigned int nseg, cap;
	struct dict dict; /* of the open segment */
	struct keys keys;
	uint64_t refused; /* rows of this batch that were not kept */
	uint64_t rows, evicted;
	size_t bytes;
};

struct store {
	pthread_mutex_t lock; /* lists, ->pub, ->sealed, counters; not the rows */
	struct lane lanes[TABLE_MAX];
	size_t budget;
	uint64_t seq, pub_seq; /* rows added; rows that readers may see */
	uint64_t segments;     /* made since the start */
	unsigned int segment_rows;
	uint32_t text_bytes;
};

enum {
	SEGMENT_ROWS_MIN = 64,
	SEGMENT_ROWS_USUAL = 4096,
	TEXT_BYTES_MIN = 16 << 10,
	TEXT_BYTES_USUAL = 2 << 20,
	TEXT_BYTES_MAX = 1 << 30,
};

static size_t clamp(size_t v, size_t min, size_t max)
{
	return v < min ? min : v > max ? max : v;
}

struct store *store_new(size_t budget_bytes)
{
	struct store *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	pthread_mutex_init(&s->lock, NULL);
	s->budget = budget_bytes;
	/* Some thirty segments at least, so that eviction takes a small part only. */
	s->segment_rows =
		(unsigned int)clamp(budget_bytes / 32 / 512, SEGMENT_ROWS_MIN, SEGMENT_ROWS_USUAL);
	s->text_bytes = (uint32_t)clamp(budget_bytes / 32, TEXT_BYTES_MIN, TEXT_BYTES_USUAL);
	for (unsigned int t = 0; t < TABLE_MAX; t++) {
		layout_init(&s->lanes[t].layout, t);
		if (dict_init(&s->lanes[t].dict)) {
			store_free(s);
			errno = ENOMEM;
			return NULL;
		}
	}
	return s;
}

void store_free(struct store *s)
{
	if (!s)
		return;
	for (unsigned int t = 0; t < TABLE_MAX; t++) {
		struct lane *l = &s->lanes[t];

		for (unsigned int i = 0; i < l->nseg; i++)
			segment_put(l->seg[i]);
		free(l->seg);
		dict_free(&l->dict);
		keys_free(&l->keys);
	}
	pthread_mutex_destroy(&s->lock);
	free(s);
}

static struct segment *open_segment(const struct lane *l)
{
	return l->nseg ? l->seg[l->nseg - 1] : NULL;
}

/* A new open segment with room for a row of `needs` bytes of texts. */
static struct segment *begin_segment(struct store *s, struct lane *l, size_t needs)
{
	uint32_t text_bytes = (uint32_t)(needs > s->text_bytes ? needs : s->text_bytes);
	struct segment *seg = segment_new(&l->layout, s->segment_rows, text_bytes);
	struct segment **list = l->seg;

	if (!seg)
		return NULL;
	pthread_mutex_lock(&s->lock);
	if (l->nseg == l->cap)
		list = reallocarray(l->seg, l->cap ? l->cap * 2 : 64, sizeof(struct segment *));
	if (list) {
		if (l->nseg == l->cap)
			l->cap = l->cap ? l->cap * 2 : 64;
		l->seg = list;
		l->seg[l->nseg++] = seg;
		seg->number = ++s->segments;
	}
	pthread_mutex_unlock(&s->lock);
	if (!list) {
		segment_put(seg);
		return NULL;
	}
	dict_reset(&l->dict);
	return seg;
}

static int note_key(struct store *s, struct lane *l, struct segment *seg)
{
	struct place now = { seg, seg->n - 1 }, old;
	int err;

	if (l->layout.key[0] < 0)
		return 0;
	err = keys_put(&l->keys, now, &old);
	if (!err && old.seg) {
		__atomic_store_n(&old.seg->dead[old.row], s->seq, __ATOMIC_RELAXED);
		old.seg->live--;
	}
	return err;
}

static int add_row(struct store *s, struct lane *l, const void *row)
{
	struct segment *seg = open_segment(l);

	if (!seg || !segment_add(seg, &l->dict, row)) {
		size_t needs = segment_needs(&l->layout, row);

		if (needs > TEXT_BYTES_MAX || needs > s->budget) {
			l->refused++; /* alone more than the budget */
			return 0;
		}
		seg = begin_segment(s, l, needs);
		if (!seg || !segment_add(seg, &l->dict, row))
			return -ENOMEM;
	}
	s->seq++;
	return note_key(s, l, seg);
}

/* Under the lock: takes segment i out of the list. */
static void unlink_segment(struct lane *l, unsigned int i)
{
	struct segment *seg = l->seg[i];

	keys_forget(&l->keys, seg);
	l->nseg--;
	memmove(&l->seg[i], &l->seg[i + 1], (l->nseg - i) * sizeof(struct segment *));
	segment_put(seg);
}

/* Under the lock: rows and bytes of a lane anew; segments of which nothing lives go. */
static void publish_lane(struct lane *l)
{
	l->evicted += l->refused;
	l->refused = l->rows = l->bytes = 0;
	for (unsigned int i = l->nseg; i-- > 0;) {
		struct segment *seg = l->seg[i];

		seg->sealed = seg != open_segment(l);
		seg->pub = seg->n;
		if (seg->sealed && !seg->live) {
			unlink_segment(l, i);
			continue;
		}
		l->rows += seg->live;
		l->bytes += segment_bytes(seg);
	}
}

static bool evict_one(struct store *s)
{
	struct lane *most = NULL;
	size_t bytes = 0;

	for (unsigned int t = 0; t < TABLE_MAX; t++) {
		bytes += s->lanes[t].bytes;
		if (s->lanes[t].nseg > 1 && (!most || s->lanes[t].bytes > most->bytes))
			most = &s->lanes[t];
	}
	if (bytes <= s->budget || !most)
		return false;
	most->evicted += most->seg[0]->live;
	most->rows -= most->seg[0]->live;
	most->bytes -= segment_bytes(most->seg[0]);
	unlink_segment(most, 0);
	return true;
}

int store_add(struct store *s, const struct batch *b)
{
	int err = 0;

	for (unsigned int i = 0; i < b->n; i++) {
		struct lane *l = &s->lanes[b->items[i].table];
		int e = add_row(s, l, b->items[i].row);

		if (e) {
			l->refused++;
			err = e;
		}
	}
	pthread_mutex_lock(&s->lock);
	s->pub_seq = s->seq;
	for (unsigned int t = 0; t < TABLE_MAX; t++)
		publish_lane(&s->lanes[t]);
	while (evict_one(s))
		;
	pthread_mutex_unlock(&s->lock);
	return err;
}

void store_stats(struct store *s, struct store_stats *out)
{
	*out = (struct store_stats){ 0 };
	pthread_mutex_lock(&s->lock);
	for (unsigned int t = 0; t < TABLE_MAX; t++) {
		out->rows[t] = s->lanes[t].rows;
		out->evicted[t] = s->lanes[t].evicted;
		out->bytes += s->lanes[t].bytes;
		out->segments += s->lanes[t].nseg;
	}
	pthread_mutex_unlock(&s->lock);
}

uint64_t store_rows(struct store *s, enum table t)
{
	uint64_t n;

	pthread_mutex_lock(&s->lock);
	n = s->lanes[t].rows;
	pthread_mutex_unlock(&s->lock);
	return n;
}

uint64_t store_seq(struct store *s)
{
	uint64_t seq;

	pthread_mutex_lock(&s->lock);
	seq = s->pub_seq;
	pthread_mutex_unlock(&s->lock);
	return seq;
}

/* Numbers grow along the list. */
static struct segment *find_segment(const struct lane *l, uint64_t number)
{
	unsigned int lo = 0, hi = l->nseg;

	while (lo < hi) {
		unsigned int mid = (lo + hi) / 2;

		if (l->seg[mid]->number < number)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo < l->nseg && l->seg[lo]->number == number ? l->seg[lo] : NULL;
}

struct segment *store_segment(struct store *s, enum table t, uint64_t number, uint64_t *seq)
{
	struct segment *seg;

	pthread_mutex_lock(&s->lock);
	seg = find_segment(&s->lanes[t], number);
	if (seg)
		segment_ref(seg);
	*seq = s->pub_seq;
	pthread_mutex_unlock(&s->lock);
	return seg;
}

static int pin_lane(struct snapshot *v, enum table t, const struct lane *l)
{
	struct pinned *pins = calloc(l->nseg + 1, sizeof(*pins));

	if (!pins)
		return -ENOMEM;
	for (unsigned int i = 0; i < l->nseg; i++) {
		segment_ref(l->seg[i]);
		pins[i] = (struct pinned){ l->seg[i], 0, l->seg[i]->pub, l->seg[i]->sealed };
	}
	v->pins[t] = pins;
	v->npins[t] = l->nseg;
	return 0;
}

int snapshot_take(struct snapshot *v, struct store *s)
{
	int err = 0;

	pthread_mutex_lock(&s->lock);
	v->seq = s->pub_seq;
	for (unsigned int t = 0; t < TABLE_MAX && !err; t++)
		err = pin_lane(v, t, &s->lanes[t]);
	pthread_mutex_unlock(&s->lock);
	if (err)
		snapshot_drop(v);
	return err;
}

void snapshot_drop(struct snapshot *v)
{
	for (unsigned int t = 0; t < TABLE_MAX; t++) {
		for (unsigned int i = 0; i < v->npins[t]; i++)
			segment_put(v->pins[t][i].seg);
		free(v->pins[t]);
	}
	*v = (struct snapshot){ 0 };
}
