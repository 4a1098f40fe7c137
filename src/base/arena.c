// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * arena - memory that is given out in pieces and taken back all at once.
 *
 * A list of chunks, each at least twice as large as the one before it up to
 * CHUNK_MAX. What does not fit into the rest of a chunk begins the next one;
 * that rest is lost until the reset.
 */
#include "base/arena.h"

#include <stdlib.h>

enum { CHUNK_MIN = 4096, CHUNK_MAX = 1 << 20, ALIGN = 16 };

struct arena_chunk {
	struct arena_chunk *next;
	size_t size, used; /* of bytes */
	_Alignas(ALIGN) char bytes[];
};

static struct arena_chunk *chunk_new(struct arena *a, size_t n)
{
	size_t size = a->now ? a->now->size * 2 : CHUNK_MIN;
	struct arena_chunk *c;

	if (size > CHUNK_MAX)
		size = CHUNK_MAX;
	if (size < n)
		size = n;
	c = malloc(sizeof(*c) + size);
	if (!c)
		return NULL;
	*c = (struct arena_chunk){ .size = size };
	a->total += sizeof(*c) + size;
	if (!a->now) {
		a->first = c;
	} else {
		c->next = a->now->next;
		a->now->next = c;
	}
	return c;
}

/* The next chunk with n free bytes: a kept one, else a new one. */
static struct arena_chunk *chunk_next(struct arena *a, size_t n)
{
	while (a->now && a->now->next) {
		a->now = a->now->next;
		a->now->used = 0;
		if (a->now->size >= n)
			return a->now;
	}
	return chunk_new(a, n);
}

void *arena_alloc(struct arena *a, size_t n)
{
	struct arena_chunk *c = a->now;
	void *p;

	if (n > SIZE_MAX / 2)
		return NULL;
	n = (n + ALIGN - 1) & ~(size_t)(ALIGN - 1);
	if (!c || c->size - c->used < n) {
		c = chunk_next(a, n);
		if (!c)
			return NULL;
		a->now = c;
	}
	p = c->bytes + c->used;
	c->used += n;
	a->used += n;
	return p;
}

struct str arena_str(struct arena *a, struct str s)
{
	char *p;

	if (!s.s)
		return s;
	if (!s.len)
		return STR("");
	p = arena_alloc(a, s.len);
	if (!p)
		return STR_NULL;
	memcpy(p, s.s, s.len);
	return (struct str){ p, s.len };
}

void arena_reset(struct arena *a)
{
	a->now = a->first;
	if (a->now)
		a->now->used = 0;
	a->used = 0;
}

void arena_free(struct arena *a)
{
	struct arena_chunk *next;

	for (struct arena_chunk *c = a->first; c; c = next) {
		next = c->next;
		free(c);
	}
	*a = (struct arena){ 0 };
}
