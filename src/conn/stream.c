// SPDX-License-Identifier: GPL-3.0-or-later
/* stream - bytes of one direction that wait for more. */
#include "conn/stream.h"

#include <stdlib.h>

static struct pending *pending_grow(struct pending *p, size_t need, size_t *held)
{
	size_t had = p ? p->cap + sizeof(*p) : 0, cap = p && p->cap ? p->cap : 512;
	uint8_t *bytes;

	while (cap < need)
		cap *= 2;
	if (!p) {
		p = calloc(1, sizeof(*p));
		if (!p)
			return NULL;
	}
	bytes = realloc(p->bytes, cap);
	if (!bytes) {
		if (!p->bytes)
			free(p);
		return NULL;
	}
	p->bytes = bytes;
	p->cap = (uint32_t)cap;
	*held += cap + sizeof(*p) - had;
	return p;
}

static void add_mark(struct pending *p, uint64_t off, const struct moment *at)
{
	/* Full: bytes of the newest moments share a mark; the start of the oldest stays right. */
	if (p->nmarks == STREAM_MARKS) {
		p->marks[STREAM_MARKS - 1].at.ts_ns = at->ts_ns;
		return;
	}
	p->marks[p->nmarks++] = (struct mark){ .off = off, .at = *at };
}

bool stream_keep(struct stream *s, const uint8_t *bytes, size_t n, const struct moment *at,
                 size_t *held)
{
	struct pending *p = s->pend;
	size_t len = p ? p->len : 0;

	if (!n)
		return true;
	if (len + n > STREAM_MAX)
		return false;
	if (!p || p->cap < len + n) {
		p = pending_grow(p, len + n, held);
		if (!p)
			return false;
		s->pend = p;
	}
	memcpy(p->bytes + len, bytes, n);
	add_mark(p, s->next, at);
	p->len += (uint32_t)n;
	return true;
}

void stream_drop(struct stream *s, size_t n, size_t *held)
{
	struct pending *p = s->pend;
	uint64_t start;
	uint32_t keep = 0;

	if (!p)
		return;
	p->len -= (uint32_t)n;
	if (!p->len) {
		*held -= p->cap + sizeof(*p);
		free(p->bytes);
		free(p);
		s->pend = NULL;
		return;
	}
	memmove(p->bytes, p->bytes + n, p->len);
	start = s->next - p->len;
	while (keep + 1 < p->nmarks && p->marks[keep + 1].off <= start)
		keep++;
	p->nmarks -= keep;
	memmove(p->marks, p->marks + keep, p->nmarks * sizeof(*p->marks));
}

const struct moment *stream_moment(const struct stream *s, uint64_t off)
{
	const struct pending *p = s->pend;
	uint32_t i = 0;

	while (i + 1 < p->nmarks && p->marks[i + 1].off <= off)
		i++;
	return &p->marks[i].at;
}
