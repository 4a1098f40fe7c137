/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef OBI_BPF_FILTER_H
#define OBI_BPF_FILTER_H

/*
 * filter.h - the first test of every probe, and its last step: a record.
 */

#include "bpf/pids.h"

static __always_inline __u32 *slot_of(__u32 tgid)
{
	__u32 zero = 0;
	struct slots *s = bpf_map_lookup_elem(&slots, &zero);

	return s ? &s->tgid[tgid & (SLOTS - 1)] : NULL;
}

static __always_inline bool wanted(__u32 tgid)
{
	__u32 *slot, first;

	if (cfg.pidns && !tgid)
		return false; /* outside of obi's namespace */
	if (cfg.all)
		return tgid != cfg.self && !bpf_map_lookup_elem(&never, &tgid);
	slot = slot_of(tgid);
	first = slot ? *(volatile __u32 *)slot : SLOT_MANY;
	if (!first)
		return false;
	return first == tgid || bpf_map_lookup_elem(&targets, &tgid) != NULL;
}

static __always_inline struct counts *count(__u32 set)
{
	return bpf_map_lookup_elem(&counts, &set);
}

static __always_inline void head_set(struct ev_head *h, __u16 kind, __u32 size)
{
	__u64 id = current_id();

	h->ts_ns = bpf_ktime_get_ns();
	h->task = 0;
	h->pid = id >> 32;
	h->tid = (__u32)id;
	h->size = size;
	h->kind = kind;
	h->cpu = bpf_get_smp_processor_id();
}

/*
 * After a record is in the ring: wakes the reader if it sleeps. The reader sets
 * the flag before it looks into the ring for the last time, so one of the two
 * sees the other. An empty record that is thrown away carries the wake-up.
 */
static __always_inline void wake(void)
{
	__u32 zero = 0;
	struct control *c = bpf_map_lookup_elem(&control, &zero);
	void *p;

	if (!c || !*(volatile __u32 *)&c->asleep)
		return;
	*(volatile __u32 *)&c->asleep = 0;
	p = bpf_ringbuf_reserve(&ring, 8, 0);
	if (p)
		bpf_ringbuf_discard(p, BPF_RB_FORCE_WAKEUP);
}

#endif
