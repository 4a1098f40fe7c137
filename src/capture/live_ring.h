/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_CAPTURE_LIVE_RING_H
#define OBI_CAPTURE_LIVE_RING_H

/*
 * live_ring - the reading end of a BPF ring buffer.
 *
 * Not libbpf's: that one reads until the ring is empty, which under load is
 * never, and publishes its place after every record.
 */

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "capture/capture.h"

struct live_ring {
	int fd; /* of the map, borrowed */
	size_t page, size;
	unsigned long *consumer; /* ours to write */
	unsigned long *producer;
	const uint8_t *data; /* mapped twice in a row: no record is torn */
};

int live_ring_open(struct live_ring *r, int fd, size_t size); /* 0 or -errno */
/*
 * Hands out at most `max` records; *more: it stopped for that reason. Returns
 * how many, or what fn returned if negative.
 */
int live_ring_drain(struct live_ring *r, int max, bool *more, capture_fn fn, void *ctx);
void live_ring_close(struct live_ring *r);

#endif
