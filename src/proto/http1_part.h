/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_PROTO_HTTP1_PART_H
#define OBI_PROTO_HTTP1_PART_H

/*
 * http1_part - what HTTP/1 has to remember between messages: the kinds of the
 * requests without an answer, the events of a stream (Server-Sent Events).
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What kind of request an answer is for: three bits each. */
enum asked {
	ASKED_OTHER,
	ASKED_HEAD,
	ASKED_CONNECT,
	ASKED_FAILURE, /* the body says more where the status is that of an error (level.h) */
	ASKED_ERRORS,  /* the body says whether there is one */
};

enum { QUEUE = 160, QUEUE_WORD = 10 }; /* so many of them in a word */

struct http1_queue {
	uint16_t first, count;
	uint32_t beyond; /* requests there was no room for: ASKED_OTHER */
	uint32_t kinds[(QUEUE + QUEUE_WORD - 1) / QUEUE_WORD];
};

void http1_push(struct http1_queue *q, enum asked kind);
enum asked http1_pop(struct http1_queue *q);
enum asked http1_front(const struct http1_queue *q); /* the same, taking nothing */
/* After a gap only the newest request can be told to be still without an answer. */
void http1_keep_newest(struct http1_queue *q);
static inline bool http1_asked(const struct http1_queue *q)
{
	return q->count || q->beyond;
}

/* Where a stream of events is. */
struct http1_sse {
	uint32_t events;
	uint8_t match; /* what the line began with */
	bool data;     /* the event under way has some */
	bool lost;     /* bytes are missing: how many there are is not known */
};

/* Goes on with n bytes, but not beyond the end of the first event: returns how many it took. */
size_t http1_count_events(struct http1_sse *s, const uint8_t *p, size_t n);

#endif
