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

/* What user space answered, by LEVEL_HASH of the connection. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, BUCKETS);
	__type(key, __u32);
	__type(value, struct bucket);
} levels SEC(".maps");

/* Bodies of known length that no parser reads, beside each answer. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, BUCKETS);
	__type(key, __u32);
	__type(value, struct want);
} wants SEC(".maps");

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

/* The user's answer if there is one, else the last one that was; *until: what is not wanted ends there. */
static __always_inline __u32 level_answer(struct state *st, __u8 dir, __u64 *until)
{
	__u64 hash = LEVEL_HASH(st->id);
	__u32 i = LEVEL_BUCKET(hash), tag = LEVEL_TAG(hash), way = 0;
	struct bucket *b = bpf_map_lookup_elem(&levels, &i);
	struct want *w;
	__u64 a, z;

	if (!b)
		return st->level;
	a = *(volatile __u64 *)&b->way[0];
	z = *(volatile __u64 *)&b->way[1];
	if (a >> 32 == tag) {
		st->level = (__u8)a;
	} else if (z >> 32 == tag) {
		st->level = (__u8)z;
		way = 1;
	} else {
		return st->level;
	}
	w = bpf_map_lookup_elem(&wants, &i);
	if (w)
		*until = *(volatile __u64 *)&w->until[way][dir & 1];
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

static __always_inline __u32 level_pick(struct state *st, __u8 dir, __u64 *until)
{
	__u32 level = level_answer(st, dir, until);

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

static __always_inline void piece_lost(struct counts *c, struct state *st, const struct pieces *p,
                                       __u32 len, __u32 taken)
{
	c->lost++;
	c->lost_bytes += len;
	__sync_fetch_and_add(&st->lost[p->io.dir & 1], len + taken);
}

/* The length of the next piece; *level: how much of it is copied. */
static __always_inline __u64 piece_next(const struct pieces *p, __u32 *level)
{
	__u64 left = p->io.ret - p->from;
	__s64 unwanted = p->until ? (__s64)(p->until - (p->off + p->from)) : 0;

	if (unwanted > 0) {
		*level = EV_LEVEL_MUTE;
		return (__u64)unwanted < left ? (__u64)unwanted : left;
	}
	if (*level >= EV_LEVEL_FULL && left > cfg.full_bytes && p->n + 1 < PIECES_MAX)
		return cfg.full_bytes;
	return left;
}

static __always_inline void piece_class(struct scratch *s, struct state *st, const struct pieces *p)
{
	__u8 bit = 1 << (p->io.dir & 1);
	__u32 found;

	if (st->class || p->from || !s->ev.head_len || (st->tried & bit))
		return;
	found = stage1(s->ev.head_len);
	st->tried |= bit;
	st->class = found >> 8;
	st->class_level = found;
}

/* Puts the next piece into the ring; true: that was the last one. */
static __always_inline bool piece_put(struct state *st)
{
	struct scratch *s = scratch_here();
	struct counts *c = count(COUNTS_TASK);
	struct pieces *p;
	__u32 level, taken;
	__u64 len, size;

	if (!s || !c)
		return true;
	p = &s->p;
	level = p->level;
	len = piece_next(p, &level);
	io_copy(s, &p->io, level, p->from, len);
	piece_class(s, st, p);
	if (p->io.flags & EV_F_FAULT)
		c->faults++;
	c->fired++;
	size = s->ev.head_len + s->ev.tail_len;
	BOUND(size, 2 * CALL_MAX);
	size += sizeof(struct ev_data);
	head_set(&s->ev.h, EV_DATA, size);
	taken = take(&st->lost[p->io.dir & 1]);
	s->ev.conn = st->id;
	s->ev.ts_enter_ns = p->io.dir == EV_SEND ? st->enter_ns : 0;
	s->ev.off = p->off + p->from;
	s->ev.len = len;
	s->ev.lost_bytes = taken;
	s->ev.nr = p->io.nr;
	s->ev.dir = p->io.dir;
	s->ev.flags = p->io.flags;
	s->ev.class = st->class;
	s->ev.level = p->level;
	p->from += len;
	p->n++;
	if (bpf_ringbuf_output(&ring, &s->ev, size, BPF_RB_NO_WAKEUP)) {
		piece_lost(c, st, p, len, taken);
	} else {
		st->moved += size;
		c->records++;
	}
	return p->from >= p->io.ret;
}

#ifdef IO_MODERN
/* Global, so that it is verified once and not in each turn. */
__noinline int piece_record(struct state *st)
{
	return !st || piece_put(st);
}

static long piece_step(__u32 i, void *ctx)
{
	return piece_record(*(struct state **)ctx) ? 1 : 0;
}

static __always_inline void pieces_record(struct state *st)
{
	if (!piece_record(st))
		bpf_loop(PIECES_MAX, piece_step, &st, 0);
}
#else
/* The verifier of older kernels has no room for more: the rest of the call is cut. */
static __always_inline void pieces_record(struct state *st)
{
	piece_put(st);
}
#endif

/* EV_CONN before the first EV_DATA; false: no room, the call is lost. */
static __always_inline bool io_announce(struct state *st, const struct sock *sk, struct counts *c,
                                        const struct io *io)
{
	__u32 *lost = &st->lost[io->dir & 1];

	if (st->flags & STATE_ANNOUNCED)
		return true;
	__sync_fetch_and_add(lost, io->ret); /* offsets are counted from before this call */
	if (!conn_record(st, sk, EV_CONN, COUNTS_TASK, NULL)) {
		c->fired++;
		c->lost++;
		c->lost_bytes += io->ret;
		return false;
	}
	__sync_fetch_and_add(lost, -io->ret);
	st->flags |= STATE_ANNOUNCED;
	return true;
}

/* The records of a call on a connection that is known. */
static __always_inline void io_record(struct state *st, const struct sock *sk, struct io *io)
{
	struct counts *c = count(COUNTS_TASK);
	struct scratch *s = scratch_here();
	__u64 until = 0, off;
	__u32 level;

	if (!c || !s)
		return;
	level = level_pick(st, io->dir, &until);
	off = state_advance(st, io);
	if (io->dir != st->last_dir) {
		st->last_dir = io->dir;
		st->run = 0;
	}
	st->run += io->ret;
	if (level == EV_LEVEL_FULL && st->run > RUN_MAX)
		level = EV_LEVEL_HEAD;
	if (level == EV_LEVEL_MUTE) {
		c->muted++;
		return;
	}
	if (!io_announce(st, sk, c, io))
		return;
	s->p = (struct pieces){ .io = *io, .off = off, .until = until, .level = level };
#ifndef IO_MODERN
	s->p.n = PIECES_MAX;
#endif
	pieces_record(st);
	io->partial = s->p.io.partial;
	st->enter_ns = 0;
	wake();
}

#endif
