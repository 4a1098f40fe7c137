/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_STORE_KEYS_H
#define OBI_STORE_KEYS_H

/*
 * keys - where the newest row of each key is: the same connection or process
 * comes again when it changes, and its newest row replaces the older ones.
 */

#include "store/segment.h"

struct place {
	struct segment *seg; /* NULL: none */
	unsigned int row;
};

struct keys {
	struct place *slots;
	size_t n, cap; /* cap is a power of two, or 0 */
};

/* Remembers `now`; *old is the row with the same key that it replaces. 0 or -ENOMEM. */
int keys_put(struct keys *k, struct place now, struct place *old);
/* Forgets every row of s, before it goes. */
void keys_forget(struct keys *k, const struct segment *s);
void keys_free(struct keys *k);

/* A hash of the key of a row; false where it has none. */
bool keys_hash(struct place p, uint64_t *out);

#endif
