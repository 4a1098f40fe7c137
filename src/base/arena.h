/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_BASE_ARENA_H
#define OBI_BASE_ARENA_H

/*
 * arena - memory that is given out in pieces and taken back all at once.
 *
 * Zero-initialise; arena_reset() keeps the chunks for the next use,
 * arena_free() returns them. One owner, no locks.
 */

#include "base/str.h"

struct arena_chunk;
struct arena {
	struct arena_chunk *first, *now;
	size_t used, total; /* bytes given out since the reset; bytes held */
};

/* n bytes, aligned to 16, not zeroed; NULL on ENOMEM. */
void *arena_alloc(struct arena *a, size_t n);
/* A copy of s; STR_NULL stays STR_NULL; on ENOMEM STR_NULL. */
struct str arena_str(struct arena *a, struct str s);
void arena_reset(struct arena *a);
void arena_free(struct arena *a);

#endif
