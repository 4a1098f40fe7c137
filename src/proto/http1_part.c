// SPDX-License-Identifier: GPL-3.0-or-later
/* http1_part - what HTTP/1 has to remember between messages. */
#include "proto/http1_part.h"

void http1_push(struct http1_queue *q, enum asked kind)
{
	unsigned int at = (unsigned int)(q->first + q->count) % QUEUE, shift = at % QUEUE_WORD * 3;

	if (q->beyond || q->count == QUEUE) {
		q->beyond += q->beyond < UINT32_MAX;
		return;
	}
	q->kinds[at / QUEUE_WORD] &= ~(7u << shift);
	q->kinds[at / QUEUE_WORD] |= (uint32_t)kind << shift;
	q->count++;
}

enum asked http1_front(const struct http1_queue *q)
{
	unsigned int at = q->first;

	return q->count ? (enum asked)(q->kinds[at / QUEUE_WORD] >> at % QUEUE_WORD * 3 & 7)
	                : ASKED_OTHER;
}

enum asked http1_pop(struct http1_queue *q)
{
	enum asked kind = http1_front(q);

	if (!q->count) {
		q->beyond -= q->beyond > 0;
		return ASKED_OTHER;
	}
	q->first = (uint16_t)((q->first + 1u) % QUEUE);
	q->count--;
	return kind;
}

void http1_keep_newest(struct http1_queue *q)
{
	q->beyond = 0;
	while (q->count > 1)
		http1_pop(q);
}

/* How much of "data:" the line began with, or: */
enum { NAME = 4, WHOLE = 5, OTHER_LINE = 6 };

/* One character: a line of the field "data" gives the event data, an empty one ends it. */
static void step(struct http1_sse *s, uint8_t c)
{
	if (c == '\r')
		return; /* a line end of its own in the standard, but nobody sends that */
	if (c != '\n') {
		if (s->match < WHOLE)
			s->match = c == (uint8_t) "data:"[s->match] ? s->match + 1 : OTHER_LINE;
		return;
	}
	if (s->match == NAME || s->match == WHOLE)
		s->data = true;
	if (!s->match && s->data) {
		s->events += s->events < UINT32_MAX;
		s->data = false;
	}
	s->match = 0;
}

size_t http1_count_events(struct http1_sse *s, const uint8_t *p, size_t n)
{
	bool none = !s->events;

	for (size_t i = 0; i < n; i++) {
		step(s, p[i]);
		if (none && s->events)
			return i + 1;
	}
	return n;
}
