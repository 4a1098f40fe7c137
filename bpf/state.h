/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef OBI_BPF_STATE_H
#define OBI_BPF_STATE_H

/*
 * state.h - where connection states live: in the socket itself, or, before
 * Linux 5.11 has storage helpers for tracing, in a hash by its address.
 */

#include "bpf/maps.h"

struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct state);
} states SEC(".maps");

/* Unix sockets leave no trace when they go: the oldest make room. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, __u64);
	__type(value, struct state);
} states_hash SEC(".maps");

#endif
