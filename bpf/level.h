/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef OBI_BPF_LEVEL_H
#define OBI_BPF_LEVEL_H

/*
 * level.h - how much of a connection user space wants, and what stage 1 makes
 * of its first bytes until user space has answered.
 */

#include "bpf/copy.h"

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

/* The user's answer if there is one, else the last one that was; *until: what is not wanted ends there. */
static __always_inline __u32 level_answer(struct state *st, __u8 dir, __u64 *until)
{
	__u64 hash = LEVEL_HASH(st->id);
	__u32 i = LEVEL_BUCKET(hash), tag = LEVEL_TAG(hash), way = 0;
	struct bucket *b = bpf_map_lookup_elem(&levels, &i);
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
	*until = *(volatile __u64 *)&b->until[way][dir & 1];
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

#endif
