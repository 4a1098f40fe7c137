/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef OBI_BPF_IO_H
#define OBI_BPF_IO_H

/*
 * io.h - from "this call moved so many bytes through this socket" to records.
 *
 * The same code behind every hook that sees data. An includer that runs only on
 * kernels with bpf_loop() and atomics that return the old value defines
 * IO_MODERN.
 */

#include "bpf/dgram.h"
#include "bpf/level.h"
#include "bpf/state.h"

/* Elsewhere a socket's age does not show: it is new if the process was traced before it was there. */
static __noinline void state_other(struct state *st, __u32 tgid)
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
		at = add(next, io->ret);
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

	/* Where a call has one piece, the part of it that is wanted brings the rest along. */
	if (unwanted > 0 && ((__u64)unwanted >= left || p->n < PIECES_MAX)) {
		*level = EV_LEVEL_MUTE;
		return (__u64)unwanted < left ? (__u64)unwanted : left;
	}
	if (*level >= EV_LEVEL_FULL && left > cfg.full_bytes && p->n + 1 < PIECES_MAX &&
	    !(p->io.flags & EV_F_DGRAM))
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
	size += dgram_peer(s, &p->io, size) + sizeof(struct ev_data);
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
/* Likewise; these kernels give numbers only to global functions. */
__noinline int piece_record(__u32 i)
{
	struct scratch *s = scratch_here();
	struct state *st = s ? bpf_map_lookup_elem(&states_hash, &s->p.sk) : NULL;

	return !st || i >= PIECES_MAX || piece_put(st);
}

static __always_inline void pieces_record(struct state *st)
{
	for (__u32 i = 0; i < PIECES_MAX; i++) {
		if (piece_record(i))
			break;
	}
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

/*
 * A long run in one direction is hardly ever looked at, and costs the most. But
 * what follows a body lies at the end of such a run, and until user space has
 * read that body's length it can not say where: while it keeps up, all is copied.
 */
static __always_inline bool run_long(const struct state *st)
{
	if (st->run <= RUN_BUSY)
		return false;
	return st->run > RUN_MAX || bpf_ringbuf_query(&ring, BPF_RB_AVAIL_DATA) >
	                                    bpf_ringbuf_query(&ring, BPF_RB_RING_SIZE) / 4;
}

#ifdef IO_MODERN
#define IO_RECORD __always_inline
#else
#define IO_RECORD __noinline /* a frame of its own, once: 512 bytes are all there is */
#endif

/* The records of a call on a connection that is known. */
static IO_RECORD void io_record(struct state *st, const struct sock *sk, struct io *io)
{
	struct counts *c = count(COUNTS_TASK);
	struct scratch *s = scratch_here();
	__u64 until = 0, off;
	bool tell = false;
	__u32 level;

	if (!c || !s || !st || !io)
		return;
	level = level_pick(st, io->dir, &until);
	off = state_advance(st, io);
	if (io->dir != st->last_dir) {
		st->last_dir = io->dir;
		st->run = 0;
	}
	st->run += io->ret;
	if (level == EV_LEVEL_FULL && run_long(st))
		level = EV_LEVEL_HEAD;
	if (io->flags & EV_F_DGRAM)
		tell = dgram_tell(st);
	if (level == EV_LEVEL_MUTE && !tell) {
		c->muted++;
	} else if (io_announce(st, sk, c, io)) {
		if (io->flags & EV_F_DGRAM)
			dgram_begin(st, s, sk);
		s->p = (struct pieces){
			.io = *io, .off = off, .until = until, .level = level, .sk = (__u64)sk
		};
		pieces_record(st);
		io->partial = s->p.io.partial;
		wake();
	}
	if (io->dir == EV_SEND) /* a receive may end while a send of another thread goes on */
		st->enter_ns = 0;
}

#endif
