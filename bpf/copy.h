/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef OBI_BPF_COPY_H
#define OBI_BPF_COPY_H

/*
 * copy.h - bytes of a call out of user memory: from one buffer or from vectors,
 * front and end of each piece.
 */

#include "bpf/gather.h"

#ifdef IO_MODERN
static __always_inline __u32 take(__u32 *p)
{
	return *(volatile __u32 *)p ? __sync_lock_test_and_set(p, 0) : 0;
}

/* Returns what was there before. */
static __always_inline __u64 add(__u64 *p, __u64 n)
{
	return __sync_fetch_and_add(p, n);
}
#else
/* Two threads that take at once both get it: the price of no fetch. */
static __always_inline __u32 take(__u32 *p)
{
	__u32 n = *(volatile __u32 *)p;

	if (n)
		__sync_fetch_and_add(p, -n);
	return n;
}

/* Two that add at once may both get the same: user space sees one of them come late. */
static __always_inline __u64 add(__u64 *p, __u64 n)
{
	__u64 was = *(volatile __u64 *)p;

	__sync_fetch_and_add(p, n);
	return was;
}
#endif

/* How much of a piece is copied. */
static __always_inline void piece_parts(const struct io *io, __u32 level, __u64 len, __u64 *head,
                                        __u64 *tail)
{
	*head = 0;
	*tail = 0;
	if (!cfg.payload || (io->flags & EV_F_NOBUF) || level == EV_LEVEL_MUTE)
		return;
	*tail = cfg.tail_bytes;
	*head = level >= EV_LEVEL_FULL ? cfg.full_bytes - *tail : cfg.head_bytes;
	if (len <= *head + *tail) {
		*head = len;
		*tail = 0;
	}
}

/*
 * Sets ev.head_len and tail_len to what is wanted of the piece of len bytes
 * that begins `from` bytes into the call, and copies it.
 */
static __always_inline void io_copy(struct scratch *s, struct io *io, __u32 level, __u64 from,
                                    __u64 len)
{
	__u64 head, tail, room = 0, first = IO_SKIP(io) + from;
	int err = 0;

	piece_parts(io, level, len, &head, &tail);
	BOUND(head, CALL_MAX);
	BOUND(tail, CALL_MAX);
	if (io->iovs && head == io->ret && !IO_KERNEL(io))
		room = gather_few(s, io, head);
	if (room) {
		io->partial = room > io->ret;
	} else if (io->iovs && head) {
		s->g = (struct gather){ .iov = io->buf,
			                .cnt = io->iovs,
			                .from = first,
			                .head = head,
			                .tail = tail,
			                .total = len,
			                .kernel = IO_KERNEL(io) };
		gather_all();
		io->partial = s->g.pos > io->ret;
		if (s->g.pos < first + len) { /* too many vectors, or one that cannot be read */
			if (head > s->g.pos - first)
				head = s->g.pos > first ? s->g.pos - first : 0;
			tail = 0;
			s->g.faults++;
		}
		err = s->g.faults;
		BOUND(head, CALL_MAX);
	} else if (head) {
		err = bpf_probe_read_user(s->ev.bytes, head, (void *)(io->buf + from));
		if (tail)
			err |= bpf_probe_read_user(s->ev.bytes + head, tail,
			                           (void *)(io->buf + from + len - tail));
	}
	if (err) {
		io->flags |= EV_F_FAULT;
		if (!io->iovs) {
			head = 0;
			tail = 0;
		}
	}
	s->ev.head_len = head;
	s->ev.tail_len = tail;
}

#endif
