// SPDX-License-Identifier: GPL-3.0-or-later
/* live_ring - the reading end of a BPF ring buffer. */
#include "capture/live_ring.h"

#include <errno.h>
#include <linux/bpf.h>
#include <sys/mman.h>

int live_ring_open(struct live_ring *r, int fd, size_t size)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	void *p;

	*r = (struct live_ring){ .fd = fd, .page = page, .size = size };
	p = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		return -errno;
	r->consumer = p;
	p = mmap(NULL, page + 2 * size, PROT_READ, MAP_SHARED, fd, (off_t)page);
	if (p == MAP_FAILED) {
		int err = errno;

		munmap(r->consumer, page);
		r->consumer = NULL;
		return -err;
	}
	r->producer = p;
	r->data = (const uint8_t *)p + page;
	return 0;
}

static size_t record_room(uint32_t len)
{
	return ((len & ~BPF_RINGBUF_DISCARD_BIT) + BPF_RINGBUF_HDR_SZ + 7) / 8 * 8;
}

int live_ring_drain(struct live_ring *r, int max, bool *more, capture_fn fn, void *ctx)
{
	unsigned long at = *r->consumer, given = at;
	unsigned long end = __atomic_load_n(r->producer, __ATOMIC_ACQUIRE);
	int n = 0, err = 0;

	*more = false;
	while (at < end && !err) {
		const uint32_t *head = (const void *)(r->data + (at & (r->size - 1)));
		uint32_t len = __atomic_load_n(head, __ATOMIC_ACQUIRE);

		if (len & BPF_RINGBUF_BUSY_BIT)
			break;
		if (n == max) {
			*more = true;
			break;
		}
		at += record_room(len);
		if (len & BPF_RINGBUF_DISCARD_BIT)
			continue;
		err = fn(ctx, (const void *)(head + 2), len);
		n++;
		/* Room for the writers early enough, but not a cache line per record. */
		if (at - given >= r->size / 8) {
			__atomic_store_n(r->consumer, at, __ATOMIC_RELEASE);
			given = at;
		}
	}
	__atomic_store_n(r->consumer, at, __ATOMIC_RELEASE);
	return err < 0 ? err : n;
}

void live_ring_close(struct live_ring *r)
{
	if (r->consumer)
		munmap(r->consumer, r->page);
	if (r->producer)
		munmap(r->producer, r->page + 2 * r->size);
	r->consumer = NULL;
	r->producer = NULL;
}
