/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_STORE_SEGMENT_H
#define OBI_STORE_SEGMENT_H

/*
 * segment - some thousand rows of one table, packed.
 *
 * One thread adds; any thread reads what was published to it (store_pin()).
 * Rows and texts never move or change once written, so reading takes no lock.
 * What may change under a reader: `dead` stamps and the chains of the indexes,
 * both read and written atomically.
 */

#include "base/arena.h"
#include "span/span.h"
#include "store/dict.h"

enum { LAYOUT_COLUMNS = 64, LAYOUT_INDEXES = 3, LAYOUT_KEYS = 2, SEGMENT_ROWS = 8192 };

/* How the rows of a table are packed: fixed-width fields, then a u32 for each text. */
struct layout {
	enum table table;
	unsigned int size;                 /* bytes of a packed row */
	unsigned short at[LAYOUT_COLUMNS]; /* by column: offset in the packed row */
	bool is_text[LAYOUT_COLUMNS];      /* what is there is the offset of a text */
	unsigned int nfixed, ntexts;
	struct {
		unsigned short src, dst, len;
	} fixed[LAYOUT_COLUMNS]; /* runs of bytes to copy */
	struct {
		unsigned short src, dst;
	} texts[LAYOUT_COLUMNS];
	int index[LAYOUT_INDEXES]; /* columns with an index; -1 ends */
	int key[LAYOUT_KEYS]; /* the newest row replaces older ones with the same key; -1 ends */
	int start, dur;       /* columns start_ns and dur_ms (its ns); -1: none */
};
void layout_init(struct layout *l, enum table t);

struct segment {
	const struct layout *l;
	uint64_t number; /* of this segment, counting from 1 */
	unsigned int refs;
	unsigned int n, cap;    /* rows written; room for */
	unsigned int pub;       /* rows that readers may see; under the store's lock */
	unsigned int live;      /* rows that no newer one has replaced */
	bool sealed;            /* no row will follow; under the store's lock */
	int64_t min_ns, max_ns; /* of start_ns, valid once sealed */
	int64_t max_dur_ns;     /* likewise */
	struct texts texts;
	char *rows;
	uint64_t *dead; /* by row: number of the row that replaced it, or 0 */
	uint16_t *heads[LAYOUT_INDEXES], *next[LAYOUT_INDEXES]; /* row + 1; 0 ends */
	uint16_t *order; /* rows by start_ns, made when first asked for */
	void *map;
	size_t map_bytes;
};

/* NULL on ENOMEM. */
struct segment *segment_new(const struct layout *l, unsigned int rows, uint32_t text_bytes);
void segment_ref(struct segment *s);
void segment_put(struct segment *s);

/* Packs a row; false where there is no room (nothing was added then). */
bool segment_add(struct segment *s, struct dict *d, const void *row);
/* Bytes of texts that a row needs at most. */
size_t segment_needs(const struct layout *l, const void *row);
size_t segment_bytes(const struct segment *s);

static inline const void *segment_field(const struct segment *s, unsigned int row, unsigned int col)
{
	return s->rows + (size_t)row * s->l->size + s->l->at[col];
}

static inline int64_t segment_int(const struct segment *s, unsigned int row, unsigned int col)
{
	int64_t v;

	memcpy(&v, segment_field(s, row, col), sizeof(v));
	return v;
}

static inline uint32_t segment_text_off(const struct segment *s, unsigned int row, unsigned int col)
{
	uint32_t off;

	memcpy(&off, segment_field(s, row, col), sizeof(off));
	return off;
}

static inline struct str segment_text(const struct segment *s, unsigned int row, unsigned int col)
{
	return texts_at(&s->texts, segment_text_off(s, row, col));
}

/* The row as it was added, texts in a (NULL: where they lie). 0 or -ENOMEM. */
int segment_row(const struct segment *s, unsigned int row, struct arena *a, void *out);

/* Visible to a reader that saw rows up to number seq. */
static inline bool segment_alive(const struct segment *s, unsigned int row, uint64_t seq)
{
	uint64_t dead = s->dead ? __atomic_load_n(&s->dead[row], __ATOMIC_RELAXED) : 0;

	return !dead || dead > seq;
}

/* Hash of what an indexed column holds: a text, the bytes of an id, or an int64_t. */
uint64_t segment_hash(const struct segment *s, unsigned int row, unsigned int col);

/* Rows whose hash in index i may be h, newest first: row + 1, 0 at the end. */
unsigned int segment_first(const struct segment *s, unsigned int i, uint64_t h);
unsigned int segment_next(const struct segment *s, unsigned int i, unsigned int row);

/* Rows 0 .. n-1 sorted by start_ns into out. */
void segment_sort(const struct segment *s, unsigned int n, uint16_t *out);
/* The same for a sealed segment, kept with it; NULL on ENOMEM. Any thread. */
const uint16_t *segment_order(struct segment *s);

#endif
