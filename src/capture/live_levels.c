// SPDX-License-Identifier: GPL-3.0-or-later
/* live_levels - what is wanted of each connection, told to the probes. */
#include "capture/live_levels.h"

/* The way that is the connection's, or may become it. */
static int way_of(const struct bucket *b, uint64_t tag)
{
	uint64_t first = __atomic_load_n(&b->way[0], __ATOMIC_RELAXED);
	uint64_t second = __atomic_load_n(&b->way[1], __ATOMIC_RELAXED);

	if (first >> 32 == tag)
		return 0;
	if (second >> 32 == tag)
		return 1;
	if (!first || !second)
		return first != 0;
	return (int)(tag >> 1 & 1); /* the kernel keeps the last answer it has seen */
}

void live_levels_set(struct bucket *table, uint64_t conn, enum ev_level level)
{
	uint64_t hash = LEVEL_HASH(conn), tag = LEVEL_TAG(hash);
	struct bucket *b = &table[LEVEL_BUCKET(hash)];
	int way = way_of(b, tag);

	if (__atomic_load_n(&b->way[way], __ATOMIC_RELAXED) >> 32 != tag) {
		/* Before the tag is there: what another connection skipped is not skipped here. */
		__atomic_store_n(&b->until[way][0], 0, __ATOMIC_RELAXED);
		__atomic_store_n(&b->until[way][1], 0, __ATOMIC_RELEASE);
	}
	__atomic_store_n(&b->way[way], tag << 32 | (uint64_t)level, __ATOMIC_RELEASE);
}

void live_levels_skip(struct bucket *table, uint64_t conn, int dir, uint64_t until)
{
	uint64_t hash = LEVEL_HASH(conn), tag = LEVEL_TAG(hash);
	struct bucket *b = &table[LEVEL_BUCKET(hash)];

	for (int way = 0; way < 2; way++)
		if (__atomic_load_n(&b->way[way], __ATOMIC_RELAXED) >> 32 == tag)
			__atomic_store_n(&b->until[way][dir & 1], until, __ATOMIC_RELAXED);
}
