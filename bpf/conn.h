/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef OBI_BPF_CONN_H
#define OBI_BPF_CONN_H

/*
 * conn.h - a socket's identity, and the record that announces it.
 *
 * `sk` may be a trusted pointer or a bare address: everything is read by probe
 * reads, since it happens once for each connection.
 */

#include "bpf/filter.h"

static __always_inline bool family_wanted(__u16 family)
{
	return family == AF_INET || family == AF_INET6 || family == AF_UNIX;
}

/* Streams, and the datagrams of UDP. */
static __always_inline bool type_wanted(__u16 type, __u16 protocol, __u16 family)
{
	return type == SOCK_STREAM || (cfg.datagrams && type == SOCK_DGRAM &&
	                               protocol == IPPROTO_UDP && family != AF_UNIX);
}

/* A pointer's value as a number, which old verifiers let nobody calculate with otherwise. */
static __always_inline __u64 address(const void *p)
{
	__u64 at = (__u64)p, out = 0;

	bpf_probe_read_kernel(&out, sizeof(out), &at);
	return out;
}

/* The identity of a socket without cookie; its inode tells users of one address apart. */
static __always_inline __u64 conn_mix(__u64 sk, __u64 inode)
{
	return (sk ^ (inode << 32 | inode >> 32) * 0x9e3779b97f4a7c15ULL) | 1;
}

/* 1 where the peer's FIN has been read: it takes one place in the sequence. */
static __always_inline __u32 fin_read(const struct sock *sk, __u32 copied, __u32 rcv_nxt)
{
	return (BPF_CORE_READ(sk, __sk_common.skc_flags) & SOCK_DONE_BIT) && copied == rcv_nxt;
}

static __always_inline void conn_addrs(struct ev_conn *e, const struct sock *sk, __u16 family)
{
	if (family == AF_INET) {
		BPF_CORE_READ_INTO((__u32 *)e->laddr, sk, __sk_common.skc_rcv_saddr);
		BPF_CORE_READ_INTO((__u32 *)e->raddr, sk, __sk_common.skc_daddr);
	} else if (family == AF_INET6) {
		BPF_CORE_READ_INTO((struct in6_addr *)e->laddr, sk, __sk_common.skc_v6_rcv_saddr);
		BPF_CORE_READ_INTO((struct in6_addr *)e->raddr, sk, __sk_common.skc_v6_daddr);
	}
	if (family != AF_UNIX) {
		e->lport = BPF_CORE_READ(sk, __sk_common.skc_num);
		if (!e->lport) /* given back already */
			e->lport = __builtin_bswap16(
				BPF_CORE_READ((const struct inet_sock *)sk, inet_sport));
		e->rport = __builtin_bswap16(BPF_CORE_READ(sk, __sk_common.skc_dport));
	}
}

/* Of the task whose file table is being walked: nobody's call is under way. */
static __always_inline __u64 cgroup_of(const struct task_struct *task)
{
	return BPF_CORE_READ(task, cgroups, dfl_cgrp, kn, id);
}

/* EV_CONN or EV_LISTEN into the ring; false: no room. `set`: whose counters; `owner`: NULL: current. */
static __always_inline bool conn_record(const struct state *st, const struct sock *sk, __u16 kind,
                                        __u32 set, const struct task_struct *owner)
{
	__u16 family = BPF_CORE_READ(sk, __sk_common.skc_family);
	struct counts *c = count(set);
	struct ev_conn *e;

	if (!c)
		return false;
	c->fired++;
	e = bpf_ringbuf_reserve(&ring, sizeof(*e), 0);
	if (!e) {
		c->lost++;
		return false;
	}
	__builtin_memset(e, 0, sizeof(*e));
	head_set(&e->h, kind, sizeof(*e));
	if (owner) {
		e->h.pid = tgid_of(owner);
		e->h.tid = e->h.pid;
		e->cgroup = cgroup_of(owner);
	} else {
		e->cgroup = bpf_get_current_cgroup_id();
	}
	e->conn = st->id;
	e->sock = (__u64)sk;
	e->off[0] = st->next[0] - st->lost[0];
	e->off[1] = st->next[1] - st->lost[1];
	e->netns = BPF_CORE_READ(sk, __sk_common.skc_net.net, ns.inum);
	e->family = family;
	e->type = BPF_CORE_READ(sk, sk_type);
	/* The tracepoint comes before the change. */
	e->state = kind == EV_LISTEN ? TCP_LISTEN : BPF_CORE_READ(sk, __sk_common.skc_state);
	e->flags = st->conn;
	conn_addrs(e, sk, family);
	if (family == AF_UNIX)
		e->peer = (__u64)BPF_CORE_READ((const struct unix_sock *)sk, peer);
	bpf_ringbuf_submit(e, BPF_RB_NO_WAKEUP);
	c->records++;
	return true;
}

#endif
