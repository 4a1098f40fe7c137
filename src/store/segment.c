// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * segment - some thousand rows of one table, packed.
 *
 * One anonymous mapping holds rows, stamps, indexes and texts: pages that are
 * never written cost nothing, so the room for texts may be generous, and a
 * dropped segment returns its memory to the system at once.
 *
 * An index is a hash table of chains through row numbers, filled while rows
 * are added. A look-up costs one probe a segment.
 */
#include "store/segment.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

static bool is_text(const struct column *c)
{
	return c->type == COL_T || c->type == COL_J;
}

static unsigned int fixed_len(const struct column *c)
{
	switch (c->type) {
	case COL_I:
	case COL_B:
	case COL_MS:
	case COL_X8:
		return 8;
	case COL_X16:
		return 16;
	case COL_F:
		return 4;
	case COL_T:
	case COL_J:
	case COL_AT:
	case COL_V:
		break;
	}
	return 0;
}

static void add_fixed(struct layout *l, const struct column *c, unsigned int len)
{
	unsigned int last = l->nfixed - 1;

	if (l->nfixed && l->fixed[last].src + l->fixed[last].len == c->offset) {
		l->fixed[last].len = (unsigned short)(l->fixed[last].len + len);
	} else {
		l->fixed[l->nfixed].src = (unsigned short)c->offset;
		l->fixed[l->nfixed].dst = (unsigned short)l->size;
		l->fixed[l->nfixed++].len = (unsigned short)len;
	}
	l->size += len;
}

/* Derived columns lie where the field does that they are derived from. */
static void place_derived(struct layout *l, const struct table_def *t)
{
	for (unsigned int i = 0; i < t->ncolumns; i++)
		for (unsigned int j = 0; j < t->ncolumns && !fixed_len(&t->columns[i]); j++)
			if (!is_text(&t->columns[i]) && fixed_len(&t->columns[j]) &&
			    t->columns[j].offset == t->columns[i].offset)
				l->at[i] = l->at[j];
}

/* Which columns have an index, and which make the key of a row. */
static const struct {
	const char *index[LAYOUT_INDEXES], *key[LAYOUT_KEYS];
} wanted[TABLE_MAX] = {
	[TABLE_SPANS] = { { "trace_id", "span_id", "conn" }, { NULL } },
	[TABLE_CONNECTIONS] = { { "conn" }, { "conn" } },
	[TABLE_PROCESSES] = { { "pid" }, { "pid", "start_ns" } },
	[TABLE_CAPTURE] = { { "key" }, { "key" } },
};

static int find(enum table t, const char *name)
{
	return name ? column_find(t, str_of(name)) : -1;
}

void layout_init(struct layout *l, enum table t)
{
	const struct table_def *def = &tables[t];

	*l = (struct layout){ .table = t };
	for (unsigned int i = 0; i < def->ncolumns; i++) {
		if (fixed_len(&def->columns[i]) >= 8)
			l->size = (l->size + 7) & ~7u;
		l->at[i] = (unsigned short)l->size;
		if (fixed_len(&def->columns[i]))
			add_fixed(l, &def->columns[i], fixed_len(&def->columns[i]));
	}
	l->size = (l->size + 3) & ~3u;
	for (unsigned int i = 0; i < def->ncolumns; i++) {
		l->is_text[i] = is_text(&def->columns[i]);
		if (!l->is_text[i])
			continue;
		l->at[i] = (unsigned short)l->size;
		l->texts[l->ntexts].src = (unsigned short)def->columns[i].offset;
		l->texts[l->ntexts++].dst = l->at[i];
		l->size += sizeof(uint32_t);
	}
	l->size = (l->size + 7) & ~7u;
	place_derived(l, def);
	for (unsigned int i = 0; i < LAYOUT_INDEXES; i++)
		l->index[i] = find(t, wanted[t].index[i]);
	for (unsigned int i = 0; i < LAYOUT_KEYS; i++)
		l->key[i] = find(t, wanted[t].key[i]);
	l->start = find(t, "start_ns");
	l->dur = find(t, "dur_ms");
}

/* A piece of the mapping; with base NULL it only counts. */
static void *carve(char *base, size_t *off, size_t bytes)
{
	void *p = base ? base + *off : NULL;

	*off += (bytes + 15) & ~(size_t)15;
	return p;
}

static unsigned int heads_of(const struct segment *s)
{
	unsigned int n = 64;

	while (n < s->cap)
		n *= 2;
	return n;
}

static size_t place(struct segment *s, char *base)
{
	size_t off = 0;

	s->rows = carve(base, &off, (size_t)s->cap * s->l->size);
	if (s->l->key[0] >= 0)
		s->dead = carve(base, &off, s->cap * sizeof(*s->dead));
	for (unsigned int i = 0; i < LAYOUT_INDEXES && s->l->index[i] >= 0; i++) {
		s->heads[i] = carve(base, &off, heads_of(s) * sizeof(uint16_t));
		s->next[i] = carve(base, &off, s->cap * sizeof(uint16_t));
	}
	s->texts.p = carve(base, &off, s->texts.size);
	return off;
}

struct segment *segment_new(const struct layout *l, unsigned int rows, uint32_t text_bytes)
{
	struct segment *s = malloc(sizeof(*s));

	if (!s)
		return NULL;
	*s = (struct segment){ .l = l, .refs = 1, .cap = rows, .texts.size = text_bytes };
	s->min_ns = s->max_dur_ns = s->max_ns = INT64_MIN;
	s->map_bytes = place(s, NULL);
	s->map = mmap(NULL, s->map_bytes, PROT_READ | PROT_WRITE,
	              MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (s->map == MAP_FAILED) {
		free(s);
		return NULL;
	}
	place(s, s->map);
	return s;
}

void segment_ref(struct segment *s)
{
	__atomic_add_fetch(&s->refs, 1, __ATOMIC_RELAXED);
}

void segment_put(struct segment *s)
{
	if (!s || __atomic_sub_fetch(&s->refs, 1, __ATOMIC_ACQ_REL))
		return;
	munmap(s->map, s->map_bytes);
	free(s->order);
	free(s);
}

size_t segment_needs(const struct layout *l, const void *row)
{
	size_t n = 64;

	for (unsigned int i = 0; i < l->ntexts; i++)
		n += ((const struct str *)((const char *)row + l->texts[i].src))->len +
		     sizeof(uint32_t);
	return n;
}

size_t segment_bytes(const struct segment *s)
{
	size_t per_row = s->l->size + (s->dead ? sizeof(*s->dead) : 0);
	size_t indexes = 0;

	for (unsigned int i = 0; i < LAYOUT_INDEXES && s->heads[i]; i++)
		indexes += heads_of(s) * sizeof(uint16_t) + s->n * sizeof(uint16_t);
	return sizeof(*s) + s->n * per_row + indexes + s->texts.used;
}

uint64_t segment_hash(const struct segment *s, unsigned int row, unsigned int col)
{
	struct str text;

	if (s->l->is_text[col]) {
		text = segment_text(s, row, col);
		return dict_hash(text.s ? text.s : "", text.len);
	}
	return dict_hash(segment_field(s, row, col), fixed_len(&tables[s->l->table].columns[col]));
}

static void index_add(struct segment *s, unsigned int row)
{
	unsigned int mask = heads_of(s) - 1;

	for (unsigned int i = 0; i < LAYOUT_INDEXES && s->heads[i]; i++) {
		uint16_t *head =
			&s->heads[i][segment_hash(s, row, (unsigned int)s->l->index[i]) & mask];

		s->next[i][row] = *head;
		__atomic_store_n(head, (uint16_t)(row + 1), __ATOMIC_RELEASE);
	}
}

unsigned int segment_first(const struct segment *s, unsigned int i, uint64_t h)
{
	return __atomic_load_n(&s->heads[i][h & (heads_of(s) - 1)], __ATOMIC_ACQUIRE);
}

unsigned int segment_next(const struct segment *s, unsigned int i, unsigned int row)
{
	return s->next[i][row];
}

/* Unknown times count as the oldest, as SQL sorts NULL. */
static void note_bounds(struct segment *s, unsigned int row)
{
	int64_t v;

	if (s->l->start >= 0) {
		v = segment_int(s, row, (unsigned int)s->l->start);
		if (!row || v < s->min_ns)
			s->min_ns = v;
		if (!row || v > s->max_ns)
			s->max_ns = v;
	}
	if (s->l->dur >= 0) {
		v = segment_int(s, row, (unsigned int)s->l->dur);
		if (v > s->max_dur_ns)
			s->max_dur_ns = v;
	}
}

bool segment_add(struct segment *s, struct dict *d, const void *row)
{
	const struct layout *l = s->l;
	const char *src = row;
	char *dst = s->rows + (size_t)s->n * l->size;

	if (s->n == s->cap)
		return false;
	for (unsigned int i = 0; i < l->nfixed; i++)
		memcpy(dst + l->fixed[i].dst, src + l->fixed[i].src, l->fixed[i].len);
	for (unsigned int i = 0; i < l->ntexts; i++) {
		uint32_t off;

		if (!dict_put(d, &s->texts, i, *(const struct str *)(src + l->texts[i].src), &off))
			return false;
		memcpy(dst + l->texts[i].dst, &off, sizeof(off));
	}
	index_add(s, s->n);
	note_bounds(s, s->n);
	s->n++;
	s->live++;
	return true;
}

int segment_row(const struct segment *s, unsigned int row, struct arena *a, void *out)
{
	const struct layout *l = s->l;
	const char *src = s->rows + (size_t)row * l->size;
	char *dst = out;

	row_init(l->table, out);
	for (unsigned int i = 0; i < l->nfixed; i++)
		memcpy(dst + l->fixed[i].src, src + l->fixed[i].dst, l->fixed[i].len);
	for (unsigned int i = 0; i < l->ntexts; i++) {
		struct str *text = (struct str *)(dst + l->texts[i].src), kept;
		uint32_t off;

		memcpy(&off, src + l->texts[i].dst, sizeof(off));
		kept = texts_at(&s->texts, off);
		*text = a ? arena_str(a, kept) : kept;
		if (kept.s && !text->s)
			return -ENOMEM;
	}
	return 0;
}

static int by_start(const void *a, const void *b, void *arg)
{
	const struct segment *s = arg;
	unsigned int x = *(const uint16_t *)a, y = *(const uint16_t *)b;
	int64_t vx = segment_int(s, x, (unsigned int)s->l->start);
	int64_t vy = segment_int(s, y, (unsigned int)s->l->start);

	return vx != vy ? (vx < vy ? -1 : 1) : (x > y) - (x < y);
}

void segment_sort(const struct segment *s, unsigned int n, uint16_t *out)
{
	for (unsigned int i = 0; i < n; i++)
		out[i] = (uint16_t)i;
	qsort_r(out, n, sizeof(*out), by_start, (void *)(uintptr_t)s);
}

/* Two readers may both sort; one result stays. */
const uint16_t *segment_order(struct segment *s)
{
	uint16_t *order = __atomic_load_n(&s->order, __ATOMIC_ACQUIRE), *none = NULL;

	if (order)
		return order;
	order = malloc((s->n ? s->n : 1) * sizeof(*order));
	if (!order)
		return NULL;
	segment_sort(s, s->n, order);
	if (__atomic_compare_exchange_n(&s->order, &none, order, false, __ATOMIC_ACQ_REL,
	                                __ATOMIC_ACQUIRE))
		return order;
	free(order);
	return none;
}
