// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * group - rows sorted by columns of which few values differ.
 *
 * Each row gets the number of its group: looked up by what is stored (offsets
 * of texts, numbers) in a small table that is made anew for each segment, and
 * by the values themselves only once a group and segment. The groups are sorted
 * by their values, and a counting sort puts the rows in their order. (Any order
 * of the groups would do for GROUP BY, but SQLite 3.40 takes it for that of an
 * ORDER BY over the same columns.)
 */
#include "store/group.h"

#include <errno.h>
#include <stdlib.h>
#include <sqlite3.h> /* its allocator: what a statement holds is counted there */

enum { ROW_BITS = 13, LOCAL_SLOTS = 4 * SEGMENT_ROWS };

_Static_assert(1 << ROW_BITS == SEGMENT_ROWS, "a row number fits");

struct place {
	struct segment *seg;
	unsigned int row;
};

struct group {
	struct group_column columns[GROUP_COLUMNS];
	unsigned int ncolumns;
	/* rows as they come: group, and segment and row in one number */
	uint32_t *number, *place, *order;
	size_t nrows, cap, at;
	struct segment **segs;
	uint32_t nsegs, segs_cap;
	/* groups: one row of each, and a hash table of group + 1 */
	struct place *first;
	uint32_t ngroups, groups_cap, *table, table_size;
	/* of this segment: row + 1 of a row with the same stored values; its group */
	uint16_t local[LOCAL_SLOTS];
	uint32_t local_group[LOCAL_SLOTS];
};

bool group_can(enum col_type type)
{
	switch (type) {
	case COL_T:
	case COL_J:
	case COL_I:
	case COL_B:
	case COL_X16:
	case COL_X8:
		return true;
	case COL_MS: /* two numbers of ns may be one of ms */
	case COL_AT:
	case COL_F:
	case COL_V:
		break;
	}
	return false;
}

struct group *group_new(const struct group_column *columns, unsigned int ncolumns)
{
	struct group *g = sqlite3_malloc64(sizeof(*g));

	if (!g)
		return NULL;
	memset(g, 0, sizeof(*g));
	memcpy(g->columns, columns, ncolumns * sizeof(*columns));
	g->ncolumns = ncolumns;
	return g;
}

void group_free(struct group *g)
{
	if (!g)
		return;
	sqlite3_free(g->number);
	sqlite3_free(g->place);
	sqlite3_free(g->order);
	sqlite3_free(g->segs);
	sqlite3_free(g->first);
	sqlite3_free(g->table);
	sqlite3_free(g);
}

/* Makes room in an array for one more; false on ENOMEM. */
static bool room(void *array, size_t n, size_t cap, size_t new_cap, size_t size)
{
	void **p = array, *new;

	if (n < cap)
		return true;
	new = sqlite3_realloc64(*p, new_cap * size);
	if (!new)
		return false;
	*p = new;
	return true;
}

static unsigned int width(const struct segment *seg, unsigned int col)
{
	if (seg->l->is_text[col])
		return sizeof(uint32_t);
	return tables[seg->l->table].columns[col].type == COL_X16 ? 16 : 8;
}

/* What is stored, which tells groups apart within a segment. */
static uint64_t stored_hash(const struct group *g, const struct segment *seg, unsigned int row)
{
	uint64_t h = 0;

	for (unsigned int i = 0; i < g->ncolumns; i++) {
		unsigned int n = width(seg, g->columns[i].col);
		uint64_t v[2] = { 0 };

		memcpy(v, segment_field(seg, row, g->columns[i].col), n);
		h = (h ^ v[0] ^ v[1] * 31) * 0x9e3779b97f4a7c15;
		h ^= h >> 29;
	}
	return h;
}

static bool stored_same(const struct group *g, const struct segment *seg, unsigned int a,
                        unsigned int b)
{
	for (unsigned int i = 0; i < g->ncolumns; i++)
		if (memcmp(segment_field(seg, a, g->columns[i].col),
		           segment_field(seg, b, g->columns[i].col), width(seg, g->columns[i].col)))
			return false;
	return true;
}

static uint64_t value_hash(const struct group *g, struct place p)
{
	uint64_t h = 0;

	for (unsigned int i = 0; i < g->ncolumns; i++)
		h = h * 31 + segment_hash(p.seg, p.row, g->columns[i].col);
	return h ^ h >> 32;
}

static bool value_same(const struct group *g, struct place a, struct place b)
{
	for (unsigned int i = 0; i < g->ncolumns; i++) {
		unsigned int col = g->columns[i].col;
		struct str x, y;

		if (!a.seg->l->is_text[col]) {
			if (memcmp(segment_field(a.seg, a.row, col),
			           segment_field(b.seg, b.row, col), width(a.seg, col)))
				return false;
			continue;
		}
		x = segment_text(a.seg, a.row, col);
		y = segment_text(b.seg, b.row, col);
		if (!x.s != !y.s || !str_eq(x, y))
			return false;
	}
	return true;
}

static uint32_t *slot_of(const struct group *g, struct place p)
{
	uint32_t i = (uint32_t)value_hash(g, p) & (g->table_size - 1);

	while (g->table[i] && !value_same(g, g->first[g->table[i] - 1], p))
		i = (i + 1) & (g->table_size - 1);
	return &g->table[i];
}

static bool grow_table(struct group *g)
{
	uint32_t size = g->table_size ? g->table_size * 4 : 1024;
	uint32_t *table = sqlite3_malloc64(size * sizeof(*table));

	if (!table)
		return false;
	memset(table, 0, size * sizeof(*table));
	sqlite3_free(g->table);
	g->table = table;
	g->table_size = size;
	for (uint32_t i = 0; i < g->ngroups; i++)
		*slot_of(g, g->first[i]) = i + 1;
	return true;
}

/* The group of these values; UINT32_MAX on ENOMEM. */
static uint32_t find_group(struct group *g, struct place p)
{
	uint32_t cap = g->groups_cap ? g->groups_cap * 2 : 64;
	uint32_t *slot;

	if (g->ngroups * 2 >= g->table_size && !grow_table(g))
		return UINT32_MAX;
	slot = slot_of(g, p);
	if (*slot)
		return *slot - 1;
	if (!room(&g->first, g->ngroups, g->groups_cap, cap, sizeof(*g->first)))
		return UINT32_MAX;
	if (g->ngroups == g->groups_cap)
		g->groups_cap = cap;
	g->first[g->ngroups++] = p;
	*slot = g->ngroups;
	return g->ngroups - 1;
}

/* The same by way of the table of this segment. */
static uint32_t find_local(struct group *g, struct place p)
{
	uint32_t i = (uint32_t)(stored_hash(g, p.seg, p.row) >> 20) % LOCAL_SLOTS;

	for (; g->local[i]; i = (i + 1) % LOCAL_SLOTS)
		if (stored_same(g, p.seg, g->local[i] - 1u, p.row))
			return g->local_group[i];
	g->local[i] = (uint16_t)(p.row + 1);
	g->local_group[i] = find_group(g, p);
	return g->local_group[i];
}

static bool enter(struct group *g, struct segment *seg)
{
	uint32_t cap = g->segs_cap ? g->segs_cap * 2 : 64;

	if (g->nsegs && g->segs[g->nsegs - 1] == seg)
		return true;
	if (!room(&g->segs, g->nsegs, g->segs_cap, cap, sizeof(struct segment *)))
		return false;
	if (g->nsegs == g->segs_cap)
		g->segs_cap = cap;
	g->segs[g->nsegs++] = seg;
	memset(g->local, 0, sizeof(g->local));
	return true;
}

int group_add(struct group *g, struct segment *seg, unsigned int row)
{
	size_t cap = g->cap ? g->cap * 2 : 4096;
	uint32_t number;

	if (!enter(g, seg) || g->nsegs >= 1u << (32 - ROW_BITS) ||
	    !room(&g->number, g->nrows, g->cap, cap, sizeof(*g->number)) ||
	    !room(&g->place, g->nrows, g->cap, cap, sizeof(*g->place)))
		return -ENOMEM;
	if (g->nrows == g->cap)
		g->cap = cap;
	number = find_local(g, (struct place){ seg, row });
	if (number == UINT32_MAX)
		return -ENOMEM;
	g->number[g->nrows] = number;
	g->place[g->nrows++] = (g->nsegs - 1) << ROW_BITS | row;
	return 0;
}

/* As SQL sorts: NULL before all, texts by their bytes, ids as their hex digits would. */
static int compare_column(struct place a, struct place b, unsigned int col)
{
	struct str x, y;
	int64_t v, w;
	size_t n;
	int d;

	if (a.seg->l->is_text[col]) {
		x = segment_text(a.seg, a.row, col);
		y = segment_text(b.seg, b.row, col);
		if (!x.s || !y.s)
			return !!x.s - !!y.s;
		n = x.len < y.len ? x.len : y.len;
		d = n ? memcmp(x.s, y.s, n) : 0;
		return d ? d : (x.len > y.len) - (x.len < y.len);
	}
	if (tables[a.seg->l->table].columns[col].type == COL_X16 ||
	    tables[a.seg->l->table].columns[col].type == COL_X8)
		return memcmp(segment_field(a.seg, a.row, col), segment_field(b.seg, b.row, col),
		              width(a.seg, col));
	v = segment_int(a.seg, a.row, col);
	w = segment_int(b.seg, b.row, col);
	return (v > w) - (v < w);
}

static int by_value(const void *a, const void *b, void *ctx)
{
	const struct group *g = ctx;
	struct place x = g->first[*(const uint32_t *)a], y = g->first[*(const uint32_t *)b];
	int d = 0;

	for (unsigned int i = 0; i < g->ncolumns && !d; i++) {
		d = compare_column(x, y, g->columns[i].col);
		d = g->columns[i].down ? -d : d;
	}
	return d;
}

/* start[i]: where the rows of group i go. */
static int place_groups(struct group *g, size_t *start)
{
	uint32_t *sorted = sqlite3_malloc64((g->ngroups + 1) * sizeof(*sorted));
	size_t at = 0, rows;

	if (!sorted)
		return -ENOMEM;
	for (uint32_t i = 0; i < g->ngroups; i++)
		sorted[i] = i;
	qsort_r(sorted, g->ngroups, sizeof(*sorted), by_value, g);
	memset(start, 0, g->ngroups * sizeof(*start));
	for (size_t i = 0; i < g->nrows; i++)
		start[g->number[i]]++;
	for (uint32_t i = 0; i < g->ngroups; i++) {
		rows = start[sorted[i]];
		start[sorted[i]] = at;
		at += rows;
	}
	sqlite3_free(sorted);
	return 0;
}

int group_sort(struct group *g)
{
	size_t *start = sqlite3_malloc64((g->ngroups + 1) * sizeof(*start));

	g->order = sqlite3_malloc64((g->nrows + 1) * sizeof(*g->order));
	if (!start || !g->order || place_groups(g, start)) {
		sqlite3_free(start);
		return -ENOMEM;
	}
	for (size_t i = 0; i < g->nrows; i++)
		g->order[start[g->number[i]]++] = g->place[i];
	sqlite3_free(start);
	return 0;
}

bool group_take(struct group *g, struct segment **seg, unsigned int *row)
{
	uint32_t p;

	if (g->at == g->nrows)
		return false;
	p = g->order[g->at++];
	*seg = g->segs[p >> ROW_BITS];
	*row = p & (SEGMENT_ROWS - 1);
	return true;
}
