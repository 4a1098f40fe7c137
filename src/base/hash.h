/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_BASE_HASH_H
#define OBI_BASE_HASH_H

/*
 * hash - a table from 64-bit keys to pointers: open addressing, linear probing,
 * deletion by moving back (no tombstones), so that look-ups stay short however
 * many entries come and go.
 *
 * Zero-initialise, hash_free() at the end. One owner, no locks. Values are
 * borrowed and never NULL; any key is fine, 0 too. Keys that an adversary may
 * choose are spread with a per-table seed.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct hash_slot {
	uint64_t key;
	void *value; /* NULL: free */
};

struct hash {
	struct hash_slot *slots;
	size_t n, cap; /* entries; slots, a power of two or 0 */
	uint64_t seed;
};

void *hash_get(const struct hash *h, uint64_t key); /* NULL: none */
/* Sets or replaces; 0 or -ENOMEM (then the table is as it was). */
int hash_set(struct hash *h, uint64_t key, void *value);
void *hash_del(struct hash *h, uint64_t key); /* what was there, NULL: nothing */
void hash_free(struct hash *h);               /* the table, not the values */

/*
 * All entries, in no order:
 *	for (size_t i = 0; hash_next(h, &i, &key, &value);)
 * hash_del() of the entry just given is allowed when it is followed by
 * `i--`: then the one that moved into its place comes next. An entry that wraps
 * round the end may then come twice; hash_set() of new keys is not allowed.
 */
bool hash_next(const struct hash *h, size_t *i, uint64_t *key, void **value);

#endif
