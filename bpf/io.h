/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef OBI_BPF_IO_H
#define OBI_BPF_IO_H

/*
 * io.h - from "this call moved so many bytes through this socket" to a record.
 *
 * The same code behind every hook that sees data. An includer that runs only on
 * kernels with bpf_loop() and atomics that return the old value defines
 * IO_MODERN.
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
	__u64 head, tail, total;
	__u64 pos; /* bytes of the vectors passed so far */
	__u32 cnt;
	__u32 faults;
};

/* Where a record is put together; one for each CPU, the hooks do not nest. */
struct scratch {
	struct gather g;
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

/* What user space answered, by LEVEL_HASH of the connection. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, BUCKETS);
	__type(key, __u32);
	__type(value, struct bucket);
} levels SEC(".maps");

/* Stage 1 of the detection. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct rules);
} rules SEC(".maps");

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
	if (i >= g->cnt || g->pos >= g->total)
		return 1;
	if (bpf_probe_read_user(&v, sizeof(v), (void *)(g->iov + (__u64)i * sizeof(v)))) {
		g->faults++;
		return 1;
	}
	if (gather_part(s, v.base, g->pos, v.len, 0, g->head, 0) ||
	    gather_part(s, v.base, g->pos, v.len, g->total - g->tail, g->tail, g->head))
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

/* Sets ev.head_len and tail_len to what is wanted, and copies it. */
static __always_inline void io_copy(struct scratch *s, struct io *io, __u32 level)
{
	__u64 ret = io->ret, head = 0, tail = 0;
	int err = 0;

	if (cfg.payload && !(io->flags & EV_F_NOBUF)) {
		tail = cfg.tail_bytes;
		head = level == EV_LEVEL_FULL ? cfg.full_bytes - tail : cfg.head_bytes;
		if (ret <= head + tail) {
			head = ret;
			tail = 0;
		}
	}
	BOUND(head, CALL_MAX);
	BOUND(tail, CALL_MAX);
	if (io->iovs) {
		s->g = (struct gather){
			.iov = io->buf, .cnt = io->iovs, .head = head, .tail = tail, .total = ret
		};
		gather_all();
		io->partial = s->g.pos > ret;
		if (s->g.pos < ret) { /* too many vectors, or one that cannot be read */
			if (head > s->g.pos)
				head = s->g.pos;
			tail = 0;
			s->g.faults++;
		}
		err = s->g.faults;
		BOUND(head, CALL_MAX);
	} else if (head) {
		err = bpf_probe_read_user(s->ev.bytes, head, (void *)io->buf);
		if (tail)
			err |= bpf_probe_read_user(s->ev.bytes + head, tail,
			                           (void *)(io->buf + ret - tail));
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

/* The user's answer if there is one, else the last one that was. */
static __always_inline __u32 level_answer(struct state *st)
{
	__u64 hash = LEVEL_HASH(st->id);
	__u32 i = LEVEL_BUCKET(hash), tag = LEVEL_TAG(hash);
	struct bucket *b = bpf_map_lookup_elem(&levels, &i);
	__u64 a, z;

	if (!b)
		return st->level;
	a = *(volatile __u64 *)&b->way[0];
	z = *(volatile __u64 *)&b->way[1];
	if (a >> 32 == tag)
		st->level = (__u8)a;
	else if (z >> 32 == tag)
		st->level = (__u8)z;
	return st->level;
}

/* First bytes against the rules: class << 8 | its level, 0: none. Global, see gather_next(). */
__noinline int stage1(__u32 have)
{
	struct scratch *s = scratch_here();
	__u32 zero = 0;
	struct rules *r = bpf_map_lookup_elem(&rules, &zero);

	if (!r || !s)
		return 0;
	for (__u32 i = 0; i < RULES_MAX; i++) {
		struct rule *p = &r->rule[i];
		__u32 off = p->off;

		if (i >= r->n)
			break;
		if (off + p->len > have || off > FIRST_MAX)
			continue;
		if ((*(__u64 *)(s->ev.bytes + off) & p->mask) == p->value)
			return (__u32)p->class << 8 | p->level;
	}
	return 0;
}

static __always_inline __u32 level_pick(struct state *st)
{
	__u32 level = level_answer(st);

	if (!level)
		level = st->class_level;
	if (!level)
		level = st->moved < UNKNOWN_MAX ? EV_LEVEL_FULL : EV_LEVEL_MUTE;
	return level;
}

/* A Unix socket's age shows nowhere: it is new if the process was traced before it was there. */
static __noinline void state_unix(struct state *st, __u32 tgid)
{
	__u32 zero = 0;
	struct control *c = bpf_map_lookup_elem(&control, &zero);
	__u32 *t = cfg.all ? NULL : bpf_map_lookup_elem(&targets, &tgid);

	if (!st)
		return;
	st->next[0] = 0;
	st->next[1] = 0;
	if (cfg.all ? c && c->listed : t && (*t & TARGET_LISTED))
		st->conn |= EV_C_FROM_START;
}

/* Moves the state past the call; returns the offset of its first byte. */
static __always_inline __u64 state_advance(struct state *st, const struct io *io)
{
	__u64 *next = &st->next[io->dir & 1], at = *next, end;

	if (io->tcp) {
		end = at + (__s32)(io->end - (__u32)at);
		/* Two threads on one direction may come here in the other order. */
		if ((__s64)(end - at) > 0)
			*next = end;
		at = end - io->ret;
	} else {
		*next = at + io->ret;
	}
	return at;
}

static __always_inline void io_lose(struct counts *c, struct state *st, struct io *io, __u32 taken)
{
	c->lost++;
	c->lost_bytes += io->ret;
	__sync_fetch_and_add(&st->lost[io->dir & 1], io->ret + taken);
}

/* The record of a call on a connection that is known. */
static __always_inline void io_record(struct state *st, const struct sock *sk, struct io *io)
{
	__u32 taken, level;
	struct scratch *s = scratch_here();
	struct counts *c = count(COUNTS_TASK);
	__u64 size;

	if (!s || !c)
		return;
	level = level_pick(st);
	s->ev.off = state_advance(st, io);
	if (level == EV_LEVEL_MUTE) {
		c->muted++;
		return;
	}
	io_copy(s, io, level);
	if (!st->class && s->ev.head_len && !(st->tried & (1 << (io->dir & 1)))) {
		__u32 found = stage1(s->ev.head_len);

		st->tried |= 1 << (io->dir & 1);
		st->class = found >> 8;
		st->class_level = found;
		if (st->class_level == EV_LEVEL_MUTE && !st->level) {
			c->muted++;
			return;
		}
	}
	if (io->flags & EV_F_FAULT)
		c->faults++;
	c->fired++;
	if (!(st->flags & STATE_ANNOUNCED)) {
		/* Counted from before this call. */
		__sync_fetch_and_add(&st->lost[io->dir & 1], io->ret);
		if (!conn_record(st, sk, EV_CONN, COUNTS_TASK, NULL)) {
			c->lost++;
			c->lost_bytes += io->ret;
			return;
		}
		__sync_fetch_and_add(&st->lost[io->dir & 1], -io->ret);
		st->flags |= STATE_ANNOUNCED;
	}
	size = s->ev.head_len + s->ev.tail_len;
	BOUND(size, 2 * CALL_MAX);
	size += sizeof(struct ev_data);
	head_set(&s->ev.h, EV_DATA, size);
	taken = take(&st->lost[io->dir & 1]);
	s->ev.conn = st->id;
	s->ev.ts_enter_ns = 0;
	s->ev.len = io->ret;
	s->ev.lost_bytes = taken;
	s->ev.nr = io->nr;
	s->ev.dir = io->dir;
	s->ev.flags = io->flags;
	s->ev.class = st->class;
	s->ev.level = level;
	if (bpf_ringbuf_output(&ring, &s->ev, size, BPF_RB_NO_WAKEUP)) {
		io_lose(c, st, io, taken);
		return;
	}
	st->moved += io->ret;
	c->records++;
	wake();
}

#endif
