/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_CONN_STREAM_H
#define OBI_CONN_STREAM_H

/*
 * stream - bytes of one direction that wait for more: at most STREAM_MAX, with
 * the moments at which they moved.
 */

#include "conn/conn.h"

enum { STREAM_MAX = 80 * 1024, STREAM_MARKS = 16 };

struct mark {
	uint64_t off; /* of the first byte that moved at this moment */
	struct moment at;
};

struct pending {
	uint32_t len, cap;
	uint32_t nmarks;
	struct mark marks[STREAM_MARKS];
	uint8_t *bytes;
};

/*
 * Adds n bytes that moved at `at` and begin at offset s->next (which the caller
 * advances). Returns false where there is no room: nothing was added. *held is
 * the memory of all streams.
 */
bool stream_keep(struct stream *s, const uint8_t *p, size_t n, const struct moment *at,
                 size_t *held);
/* Takes n bytes from the front; frees the buffer when it is empty. */
void stream_drop(struct stream *s, size_t n, size_t *held);
/* When the byte at offset `off` moved; `off` lies in the pending bytes. */
const struct moment *stream_moment(const struct stream *s, uint64_t off);
static inline size_t stream_len(const struct stream *s)
{
	return s->pend ? s->pend->len : 0;
}

#endif
