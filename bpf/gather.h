/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef OBI_BPF_GATHER_H
#define OBI_BPF_GATHER_H

/*
 * gather.h - bytes out of a vector of buffers, and where they are put together.
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
	__u8 tcp : 1;
	__u8 partial : 1; /* out: the vector had room for more */
	__u8 kernel : 1;  /* the vector lies in kernel memory */
	__u32 skip;       /* bytes of the vector before those that moved */
};

/* Only io_uring has these: the stack of older kernels' programs has no room for more. */
#ifdef IO_MODERN
#define IO_SKIP(io)   ((io)->skip)
#define IO_KERNEL(io) ((io)->kernel)
#else
#define IO_SKIP(io)   0
#define IO_KERNEL(io) 0
#endif

/* Copying n bytes from the front and t from the end of a vector of buffers. */
struct gather {
	__u64 iov;
	__u64 from; /* bytes of the call before the piece */
	__u64 head, tail, total;
	__u64 pos; /* bytes of the vectors passed so far */
	__u32 cnt;
	__u32 faults;
	__u32 kernel;
};

/* A call on its way into the ring, piece by piece. */
struct pieces {
	struct io io;
	__u64 off;   /* of the first byte of the call */
	__u64 until; /* offset before which nothing is wanted, 0: all is */
	__u64 from;  /* bytes of the call that are dealt with */
	__u64 sk;    /* whose state it is */
	__u32 level;
	__u32 n;
};

/* Where a record is put together; one for each CPU, the hooks do not nest. */
struct scratch {
	struct gather g;
	struct pieces p;
	struct io io; /* of one message of several */
	__u64 name;   /* user address of the other end's, of the call under way; 0: none */
	struct ev_peer peer;
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
	void *from;

	if (!s)
		return 1;
	g = &s->g;
	if (i >= g->cnt || g->pos >= g->from + g->total)
		return 1;
	from = (void *)(g->iov + (__u64)i * sizeof(v));
	if (g->kernel ? bpf_probe_read_kernel(&v, sizeof(v), from)
	              : bpf_probe_read_user(&v, sizeof(v), from)) {
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
#else
enum { IOVS_MAX = 64 };

static __always_inline void gather_all(void)
{
	for (__u32 i = 0; i < IOVS_MAX; i++) {
		if (gather_next(i))
			break;
	}
}
#endif

#ifdef IO_MODERN
enum { IOVS_FEW = 4 };

/*
 * The usual case by itself: a whole call out of few vectors. Bytes of the
 * vectors that were needed; 0: not so simple, or something could not be read.
 */
static __always_inline __u64 gather_few(struct scratch *s, const struct io *io, __u64 len)
{
	struct user_iov v[IOVS_FEW] = {};
	__u32 cnt = io->iovs;
	__u64 pos = 0, room = 0;

	BOUND(cnt, IOVS_FEW);
	if (bpf_probe_read_user(v, cnt * sizeof(v[0]), (void *)io->buf))
		return 0;
	for (__u32 i = 0; i < IOVS_FEW && pos < len; i++) {
		__u64 n = v[i].len < len - pos ? v[i].len : len - pos, at = pos;

		BOUND(n, CALL_MAX);
		BOUND(at, CALL_MAX);
		if (n && bpf_probe_read_user(s->ev.bytes + at, n, (void *)v[i].base))
			return 0;
		pos += n;
		room += v[i].len;
	}
	return pos == len ? room : 0;
}
#else
/* One way is enough for older verifiers. */
static __always_inline __u64 gather_few(struct scratch *s, const struct io *io, __u64 len)
{
	return 0;
}
#endif

#endif
