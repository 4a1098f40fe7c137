// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * cube - cells of spans by key and time: keys and their texts.
 *
 * A span finds its key by a hash of its texts, without looking each of them up;
 * only a new key takes texts into the cube.
 */
#include "store/cube.h"

#include <errno.h>
#include <stdlib.h>

#include "store/dict.h"

#define SECOND 1000000000ll

struct str cube_str(union cube_value v)
{
	return v.text ? (struct str){ v.text->s, v.text->len } : STR_NULL;
}

int64_t cube_time(const struct span *s)
{
	int64_t end;

	if (s->start_ns == COL_NULL || s->start_ns < 0)
		return COL_NULL;
	if (s->dur_ns == COL_NULL || s->dur_ns < 0 ||
	    __builtin_add_overflow(s->start_ns, s->dur_ns, &end))
		return s->start_ns;
	return end;
}

/* ---- texts ---- */

static size_t text_bytes(const struct cube_text *t)
{
	return sizeof(*t) + t->len + sizeof(struct hash_slot) * 2;
}

static struct cube_text *text_new(struct str s, struct cube_text *next)
{
	struct cube_text *t = malloc(sizeof(*t) + s.len + 1);

	if (!t)
		return NULL;
	*t = (struct cube_text){ .next = next, .len = (uint32_t)s.len };
	memcpy(t->s, s.s, s.len);
	t->s[s.len] = 0;
	return t;
}

/* With a reference; NULL on ENOMEM. */
static struct cube_text *text_get(struct cube *c, struct str s)
{
	uint64_t h = dict_hash(s.s, s.len);
	struct cube_text *first = hash_get(&c->texts, h), *t = first;

	while (t && (t->len != s.len || memcmp(t->s, s.s, s.len)))
		t = t->next;
	if (!t) {
		t = text_new(s, first);
		if (!t || hash_set(&c->texts, h, t)) {
			free(t);
			return NULL;
		}
		c->bytes += text_bytes(t);
	}
	t->refs++;
	return t;
}

static void text_put(struct cube *c, struct cube_text *t)
{
	struct cube_text *first, **at;
	uint64_t h;

	if (!t || --t->refs)
		return;
	h = dict_hash(t->s, t->len);
	first = hash_get(&c->texts, h);
	for (at = &first; *at != t; at = &(*at)->next)
		;
	*at = t->next;
	if (first)
		(void)hash_set(&c->texts, h, first); /* replaces: needs no memory */
	else
		hash_del(&c->texts, h);
	c->bytes -= text_bytes(t);
	free(t);
}

/* ---- keys ---- */

static uint64_t mix(uint64_t h, uint64_t v)
{
	h = (h ^ v) * 0x9e3779b97f4a7c15;
	return h ^ h >> 32;
}

static uint64_t hash_text(struct str s)
{
	return s.s ? dict_hash(s.s, s.len) : 0;
}

static struct str field_text(const struct cube_column *col, const struct span *s)
{
	return *(const struct str *)((const char *)s + col->offset);
}

static int64_t field_int(const struct cube_column *col, const struct span *s)
{
	return *(const int64_t *)((const char *)s + col->offset);
}

uint64_t cube_hash(const struct cube *c, const union cube_value *v)
{
	uint64_t h = c->ncolumns;

	for (unsigned int i = 0; i < c->ncolumns; i++)
		h = mix(h, c->columns[i].text ? hash_text(cube_str(v[i])) : (uint64_t)v[i].i);
	return h;
}

static uint64_t hash_span(const struct cube *c, const struct span *s)
{
	uint64_t h = c->ncolumns;

	for (unsigned int i = 0; i < c->ncolumns; i++) {
		const struct cube_column *col = &c->columns[i];

		h = mix(h, col->text ? hash_text(field_text(col, s)) : (uint64_t)field_int(col, s));
	}
	return h;
}

static bool key_is(const struct cube *c, const struct cube_key *k, const struct span *s)
{
	for (unsigned int i = 0; i < c->ncolumns; i++) {
		const struct cube_column *col = &c->columns[i];

		if (col->text) {
			struct str a = cube_str(k->value[i]), b = field_text(col, s);

			if (!a.s != !b.s || !str_eq(a, b))
				return false;
		} else if (k->value[i].i != field_int(col, s)) {
			return false;
		}
	}
	return true;
}

static size_t key_bytes(const struct cube *c)
{
	return sizeof(struct cube_key) + c->ncolumns * sizeof(union cube_value) +
	       3 * sizeof(struct hash_slot);
}

/* With the values as they are: whoever calls has a reference of each text for it. */
static struct cube_key *key_new(struct cube *c, const union cube_value *v, uint64_t hash)
{
	struct cube_key *k, **list;

	if (c->nkeys == c->cap) {
		uint32_t cap = c->cap ? c->cap * 2 : 256;

		list = reallocarray(c->keys, cap, sizeof(struct cube_key *));
		if (!list)
			return NULL;
		c->keys = list;
		c->cap = cap;
	}
	k = calloc(1, key_bytes(c));
	if (!k)
		return NULL;
	k->next = hash_get(&c->by_hash, hash);
	if (hash_set(&c->by_hash, hash, k)) {
		free(k);
		return NULL;
	}
	k->hash = hash;
	k->serial = ++c->serial;
	k->due = UINT32_MAX;
	k->slot = c->nkeys;
	memcpy(k->value, v, c->ncolumns * sizeof(*v));
	c->keys[c->nkeys++] = k;
	c->bytes += key_bytes(c);
	return k;
}

struct cube_key *cube_key(struct cube *c, const union cube_value *v, uint64_t hash)
{
	struct cube_key *k = hash_get(&c->by_hash, hash);

	while (k && memcmp(k->value, v, c->ncolumns * sizeof(*v)))
		k = k->next;
	if (k)
		return k;
	k = key_new(c, v, hash);
	for (unsigned int i = 0; k && i < c->ncolumns; i++)
		if (c->columns[i].text && v[i].text)
			v[i].text->refs++;
	return k;
}

static struct cube_key *find_key(struct cube *c, const struct span *s)
{
	uint64_t hash = hash_span(c, s);
	struct cube_key *k = hash_get(&c->by_hash, hash);
	union cube_value v[CUBE_COLUMNS] = { 0 };
	bool failed = false;

	while (k && !key_is(c, k, s))
		k = k->next;
	if (k)
		return k;
	for (unsigned int i = 0; i < c->ncolumns; i++) {
		const struct cube_column *col = &c->columns[i];
		struct str text = col->text ? field_text(col, s) : STR_NULL;

		if (!col->text)
			v[i].i = field_int(col, s);
		else if (text.s)
			v[i].text = text_get(c, text);
		failed = failed || (text.s && !v[i].text);
	}
	k = failed ? NULL : key_new(c, v, hash);
	for (unsigned int i = 0; !k && i < c->ncolumns; i++)
		if (c->columns[i].text)
			text_put(c, v[i].text);
	return k;
}

static void free_cells(struct cube *c, struct cube_key *k)
{
	for (uint32_t i = 0; i < k->ncells; i++) {
		c->bytes -= cell_bytes(&k->cells[i]);
		cell_fini(&k->cells[i]);
	}
	c->bytes -= k->cap * sizeof(*k->cells);
	free(k->cells);
}

void cube_forget(struct cube *c, struct cube_key *k)
{
	struct cube_key *first = hash_get(&c->by_hash, k->hash), **at;

	for (at = &first; *at != k; at = &(*at)->next)
		;
	*at = k->next;
	if (first)
		(void)hash_set(&c->by_hash, k->hash, first); /* replaces: needs no memory */
	else
		hash_del(&c->by_hash, k->hash);
	c->keys[k->slot] = c->keys[--c->nkeys];
	c->keys[k->slot]->slot = k->slot;
	for (unsigned int i = 0; i < c->ncolumns; i++)
		if (c->columns[i].text)
			text_put(c, k->value[i].text);
	free_cells(c, k);
	c->bytes -= key_bytes(c);
	free(k);
}

/* ---- life ---- */

int cube_find(const struct cube *c, unsigned int col)
{
	for (unsigned int i = 0; i < c->ncolumns; i++)
		if (c->columns[i].col == col)
			return (int)i;
	return -1;
}

int cube_init(struct cube *c, const struct cube_def *defs, unsigned int n, size_t budget_bytes)
{
	*c = (struct cube){ .budget = budget_bytes };
	for (unsigned int i = 0; i < n && i < CUBE_COLUMNS; i++) {
		unsigned int col = (unsigned int)column_find(TABLE_SPANS, str_of(defs[i].name));
		const struct column *def = &tables[TABLE_SPANS].columns[col];

		c->columns[c->ncolumns++] = (struct cube_column){
			.col = col,
			.text = def->type == COL_T,
			.offset = def->offset,
			.class = defs[i].class,
		};
	}
	c->other = text_get(c, STR("(other)"));
	return c->other ? 0 : -ENOMEM;
}

void cube_fini(struct cube *c)
{
	while (c->nkeys)
		cube_forget(c, c->keys[c->nkeys - 1]);
	if (c->other)
		text_put(c, c->other);
	for (unsigned int i = 0; i < CUBE_CLASSES; i++)
		free(c->seen[i]);
	free(c->keys);
	hash_free(&c->by_hash);
	hash_free(&c->texts);
	*c = (struct cube){ 0 };
}

/* ---- spans ---- */

/* A span of unknown time counts now. */
static uint32_t second_of(struct cube *c, const struct span *s)
{
	int64_t t = cube_time(s), first;

	if (t == COL_NULL)
		t = c->last_ns;
	if (t > CUBE_LAST * SECOND)
		t = CUBE_LAST * SECOND;
	/* Rates are over the time that the first request took too. */
	first = s->start_ns >= 0 && s->start_ns < t ? s->start_ns : t;
	if (!c->first_ns || first < c->first_ns)
		c->first_ns = first ? first : 1;
	if (t > c->last_ns)
		c->last_ns = t;
	return (uint32_t)(t / SECOND);
}

static bool covers(const struct cell_sparse *cell, uint32_t at)
{
	return at >= cell->at && at - cell->at < cell->secs;
}

uint32_t cube_after(const struct cube_key *k, uint32_t at)
{
	uint32_t lo = 0, hi = k->ncells;

	if (hi && k->cells[hi - 1].at <= at)
		return hi;
	while (lo < hi) {
		uint32_t mid = (lo + hi) / 2;

		if (k->cells[mid].at <= at)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* A place for a cell before cell i of k; NULL on ENOMEM. */
static struct cell_sparse *insert(struct cube *c, struct cube_key *k, uint32_t i)
{
	struct cell_sparse *cells = k->cells;

	if (k->ncells == k->cap) {
		uint32_t cap = k->cap ? k->cap * 2 : 1;

		cells = reallocarray(cells, cap, sizeof(*cells));
		if (!cells)
			return NULL;
		c->bytes += (cap - k->cap) * sizeof(*cells);
		k->cells = cells;
		k->cap = cap;
	}
	memmove(cells + i + 1, cells + i, (k->ncells - i) * sizeof(*cells));
	k->ncells++;
	return &cells[i];
}

static void note_due(const struct cube *c, struct cube_key *k, const struct cell_sparse *cell)
{
	uint32_t due = cube_due(c, cell);

	k->due = due < k->due ? due : k->due;
}

static struct cell_sparse *cell_at(struct cube *c, struct cube_key *k, uint32_t at)
{
	uint32_t i = cube_after(k, at);
	struct cell_sparse *cell;

	if (i && covers(&k->cells[i - 1], at) && k->cells[i - 1].count < UINT32_MAX)
		return &k->cells[i - 1];
	cell = insert(c, k, i);
	if (!cell)
		return NULL;
	cell_init(cell, at, 1);
	note_due(c, k, cell);
	return cell;
}

void cube_move(struct cube *c, struct cube_key *into, struct cube_key *k)
{
	while (k->ncells) {
		struct cell_sparse *from = &k->cells[k->ncells - 1];
		uint32_t i = cube_after(into, from->at);
		struct cell_sparse *to = i ? &into->cells[i - 1] : NULL;

		if (to && covers(to, from->at) && to->secs >= from->secs &&
		    cell_merge(to, from, &c->bytes)) {
			c->bytes -= cell_bytes(from);
			cell_fini(from);
		} else {
			to = insert(c, into, i);
			if (!to)
				return;
			*to = *from;
			note_due(c, into, to);
		}
		k->ncells--;
	}
	into->count += k->count;
	k->count = 0;
}

int cube_add(struct cube *c, const struct span *s)
{
	uint32_t at = second_of(c, s);
	struct cube_key *k = find_key(c, s);
	struct cell_sparse *cell = k ? cell_at(c, k, at) : NULL;

	if (!cell || !cell_add(cell, s, &c->bytes))
		return -ENOMEM;
	k->count++;
	c->spans++;
	c->folded_spans += k->folded != 0;
	return 0;
}
