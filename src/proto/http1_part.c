// SPDX-License-Identifier: GPL-3.0-or-later
/* http1_part - what HTTP/1 has to remember between messages. */
#include "proto/http1_part.h"

void http1_push(struct http1_queue *q, enum asked kind)
{
	unsigned int at = (q->first + q->count) % QUEUE, shift = at % 4 * 2;

	if (q->beyond || q->count == QUEUE) {
		q->beyond += q->beyond < UINT32_MAX;
		return;
	}
	q->kinds[at / 4] = (uint8_t)((q->kinds[at / 4] & ~(3u << shift)) | kind << shift);
	q->count++;
}

enum asked http1_pop(struct http1_queue *q)
{
	unsigned int at = q->first;

	if (!q->count) {
		q->beyond -= q->beyond > 0;
		return ASKED_OTHER;
	}
	q->first = (uint16_t)((at + 1) % QUEUE);
	q->count--;
	return (enum asked)(q->kinds[at / 4] >> at % 4 * 2 & 3);
}

void http1_keep_newest(struct http1_queue *q)
{
	q->beyond = 0;
	while (q->count > 1)
		http1_pop(q);
}

enum { WHOLE = 4, OTHER_LINE = 5 };

/* One character: a line that begins with "data" gives the event data, an empty one ends it. */
static void step(struct http1_sse *s, uint8_t c)
{
	if (c == '\r')
		return;
	if (c != '\n') {
		if (s->match < WHOLE)
			s->match = c == (uint8_t) "data"[s->match] ? s->match + 1 : OTHER_LINE;
		return;
	}
	if (s->match == WHOLE)
		s->data = true;
	if (!s->match && s->data) {
		s->events += s->events < UINT32_MAX;
		s->data = false;
	}
	s->match = 0;
}

bool http1_count_events(struct http1_sse *s, const uint8_t *p, size_t n)
{
	bool none = !s->events;

	for (size_t i = 0; i < n; i++)
		step(s, p[i]);
	return none && s->events;
}
