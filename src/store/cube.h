/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_STORE_CUBE_H
#define OBI_STORE_CUBE_H

/*
 * cube - cells of spans by key and time. A key is the values that a span has in
 * some columns; each key has a row of cells, oldest first, that become coarser
 * with age: seconds, tens of seconds, minutes, hours.
 *
 * A span counts in the second in which it was answered (start + duration), and
 * in that of its start where it was not.
 *
 * Memory is bounded. When it is spent, time becomes coarse earlier; when that is
 * not enough, the rarest keys give up the column that tells most of them apart:
 * its value becomes "(other)", and keys that are then equal become one. Sums stay whole.
 *
 * One thread at a time.
 */

#include "base/hash.h"
#include "store/cell.h"

enum { CUBE_COLUMNS = 24 };

#define CUBE_LAST (UINT32_MAX - 7200) /* second; later ones count as it: room to add to it */

/* A text that keys share. */
struct cube_text {
	struct cube_text *next; /* of the same hash */
	uint32_t refs, len;
	char s[]; /* and a NUL */
};

/* A value: an integer, or the address of a text (0: unknown). */
union cube_value {
	int64_t i;
	struct cube_text *text;
};

struct cube_key {
	uint64_t serial; /* never used again */
	uint64_t hash;
	struct cube_key *next; /* of the same hash */
	uint32_t slot;         /* in cube.keys */
	uint32_t folded;       /* bits of the classes that were given up */
	struct cell_sparse *cells;
	uint32_t ncells, cap;
	uint32_t due;   /* no cell becomes coarser before this second */
	uint64_t count; /* spans, of all time */
	union cube_value value[];
};

struct cube_column {
	unsigned int col; /* of spans */
	bool text;
	unsigned int offset; /* of the field in struct span */
	/* Columns of one class are given up together; 0: never. */
	unsigned int class;
};

enum { CUBE_CLASSES = 16 };

struct cube {
	struct cube_column columns[CUBE_COLUMNS];
	unsigned int ncolumns;
	size_t budget, bytes;
	struct hash by_hash, texts;
	struct cube_key **keys;
	uint32_t nkeys, cap;
	uint64_t serial;
	uint64_t folds;        /* times that keys went away */
	uint64_t spans;        /* counted */
	uint64_t folded_spans; /* of them, in keys that gave something up */
	int64_t first_ns;      /* earliest start and latest time counted; first 0: none */
	int64_t last_ns;
	uint32_t settled;            /* second of the last cube_settle() that made time coarse */
	unsigned int squeeze;        /* how much earlier it does */
	struct cube_text *other;     /* value of what was given up */
	uint8_t *seen[CUBE_CLASSES]; /* which values those were: a bitmap by hash */
};

/* names: of columns of spans; class as in struct cube_column. 0 or -ENOMEM. */
struct cube_def {
	const char *name;
	unsigned int class;
};
int cube_init(struct cube *c, const struct cube_def *defs, unsigned int n, size_t budget_bytes);
void cube_fini(struct cube *c);
/* 0 or -ENOMEM: not counted. */
int cube_add(struct cube *c, const struct span *s);
/* After every few hundred spans: makes time coarse, keeps to the budget. */
void cube_settle(struct cube *c);

/* The number of the column in keys, -1: it is not in them. */
int cube_find(const struct cube *c, unsigned int col);
/* Cells of k that do not begin after this second. */
uint32_t cube_after(const struct cube_key *k, uint32_t at);
/* STR_NULL: unknown. */
struct str cube_str(union cube_value v);
/* Seconds of the cells at this time, Unix time, or coarser. */
uint32_t cube_secs(const struct cube *c, uint32_t at);
/* About how many values of a class became "(other)". */
uint64_t cube_others(const struct cube *c, unsigned int class);
/* The time at which s counts, ns; COL_NULL: unknown. */
int64_t cube_time(const struct span *s);

/* ---- between the files of the cube ---- */

/* Makes cells coarser where their time has come. */
void cube_coarsen(struct cube *c, struct cube_key *k, uint32_t now);
/* The second at which a cell is old enough to become part of a coarser one. */
uint32_t cube_due(const struct cube *c, const struct cell_sparse *cell);
/* Cells of k become cells of `into`; k is left empty, but on ENOMEM. */
void cube_move(struct cube *c, struct cube_key *into, struct cube_key *k);
/* The key with these values; NULL on ENOMEM. Texts are those of the cube. */
struct cube_key *cube_key(struct cube *c, const union cube_value *v, uint64_t hash);
uint64_t cube_hash(const struct cube *c, const union cube_value *v);
void cube_forget(struct cube *c, struct cube_key *k);
/* Until the budget is kept; may do nothing more where nothing is left to give up. */
void cube_fold(struct cube *c);

#endif
