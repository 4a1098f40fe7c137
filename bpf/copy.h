/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef OBI_BPF_COPY_H
#define OBI_BPF_COPY_H

/*
 * copy.h - bytes of a call out of user memory: from one buffer or from vectors,
 * front and end of each piece.
 */

#include "bpf/seq.h"
#include "bpf/nr.h"

/* One call, or one message of a call. */
struct io {
	__u64 buf;  /* user address of the bytes, or of the vector */
	__u32 iovs; /* 0: buf is the bytes */
	__u32 ret;  /* bytes moved */
	__u32 end;  /* TCP: place in the sequence after them */
	__u32 nr;
	__u8 dir;
	__u8 flags; /* EV_F_* */
	__u8 tcp;
	__u8 partial; /* out: the vector had room for more */
};

/* Copying n bytes from the front and t from the end of a vector of buffers. */
struct gather {
	__u64 iov;
	__u64 from; /* bytes of the call before the piece */
	__u64 head, tail, total;
	__u64 pos; /* bytes of the vectors passed so far */
	__u32 cnt;
	__u32 faults;
};

/* A call on its way into the ring, piece by piece. */
struct pieces {
	struct io io;
	__u64 off;   /* of the first byte of the call */
	__u64 until; /* offset before which nothing is wanted, 0: all is */
	__u64 from;  /* bytes of the call that are dealt with */
	__u32 level;
	__u32 n;
};

/* Where a record is put together; one for each CPU, the hooks do not nest. */
struct scratch {
	struct gather g;
	struct pieces p;
	union {
		struct ev_data ev;
		__u8 room[sizeof(struct ev_data) + 2 * CALL_MAX +
		          64]; /* any start plus any length */
	};
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1); /* one for each CPU, set by user space */
	__type(key, __u32);
	__type(value, struct scratch);
} scratch SEC(".maps");

/* Keeps the compiler from forgetting a bound that the verifier has to see. */
#define BOUND(var, max)                       \
	do {                                  \
		asm volatile("" : "+r"(var)); \
		if ((var) > (max))            \
			(var) = (max);        \
	} while (0)

/* The part of [pos, pos + len) that lies in [from, from + want) goes to data + to. */
static __always_inline int gather_part(struct scratch *s, __u64 base, __u64 pos, __u64 len,
                                       __u64 from, __u64 want, __u64 to)
{
	__u64 lo = pos > from ? pos : from;
	__u64 hi = pos + len < from + want ? pos + len : from + want;
	__u64 n, at;

	if (lo >= hi)
		return 0;
	n = hi - lo;
	at = to + (lo - from);
	BOUND(n, CALL_MAX);
	BOUND(at, CALL_MAX);
	return bpf_probe_read_user(s->ev.bytes + at, n, (void *)(base + (lo - pos)));
}

static __always_inline struct scratch *scratch_here(void)
{
	__u32 cpu = bpf_get_smp_processor_id();

	return bpf_map_lookup_elem(&scratch, &cpu);
}

/* One vector; 1: that was the last. Global, so that it is verified once and not in each turn. */
__noinline int gather_next(__u32 i)
{
	struct scratch *s = scratch_here();
	struct gather *g;
	struct user_iov v;

	if (!s)
		return 1;
	g = &s->g;
	if (i >= g->cnt || g->pos >= g->from + g->total)
		return 1;
	if (bpf_probe_read_user(&v, sizeof(v), (void *)(g->iov + (__u64)i * sizeof(v)))) {
		g->faults++;
		return 1;
	}
	if (gather_part(s, v.base, g->pos, v.len, g->from, g->head, 0) ||
	    gather_part(s, v.base, g->pos, v.len, g->from + g->total - g->tail, g->tail, g->head))
		g->faults++;
	g->pos += v.len;
	return 0;
}

#ifdef IO_MODERN
enum { IOVS_MAX = 1024 };

static long gather_step(__u32 i, void *ctx)
{
	return gather_next(i) ? 1 : 0;
}

static __always_inline void gather_all(void)
{
	bpf_loop(IOVS_MAX, gather_step, NULL, 0);
}

static __always_inline __u32 take(__u32 *p)
{
	return *(volatile __u32 *)p ? __sync_lock_test_and_set(p, 0) : 0;
}
#else
enum { IOVS_MAX = 64 };

static __always_inline void gather_all(void)
{
	for (__u32 i = 0; i < IOVS_MAX; i++) {
		if (gather_next(i))
			break;
	}
}

/* Two threads that take at once both get it: the price of no fetch. */
static __always_inline __u32 take(__u32 *p)
{
	__u32 n = *(volatile __u32 *)p;

	if (n)
		__sync_fetch_and_add(p, -n);
	return n;
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
	__u64 head, tail;
	int err = 0;

	piece_parts(io, level, len, &head, &tail);
	BOUND(head, CALL_MAX);
	BOUND(tail, CALL_MAX);
	if (io->iovs && head) {
		s->g = (struct gather){ .iov = io->buf,
			                .cnt = io->iovs,
			                .from = from,
			                .head = head,
			                .tail = tail,
			                .total = len };
		gather_all();
		io->partial = s->g.pos > io->ret;
		if (s->g.pos < from + len) { /* too many vectors, or one that cannot be read */
			if (head > s->g.pos - from)
				head = s->g.pos > from ? s->g.pos - from : 0;
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
