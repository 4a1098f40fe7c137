/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef OBI_BPF_DGRAM_H
#define OBI_BPF_DGRAM_H

/*
 * dgram.h - what datagrams have beside their bytes: the other end, as the call
 * names it, else the one that the socket is connected to.
 */

#include "bpf/gather.h"

enum { SOCKADDR_IN = 16 };

/* The name that a call has for the other end, or none (0); for dgram_name(). */
static __always_inline void peer_name(__u64 name)
{
	struct scratch *s = scratch_here();

	if (s)
		s->name = name;
}

static __always_inline void peer_connected(struct ev_peer *p, const struct sock *sk)
{
	__u16 port = BPF_CORE_READ(sk, __sk_common.skc_dport);

	if (!port)
		return;
	__builtin_memcpy(p->port, &port, sizeof(port));
	p->family = BPF_CORE_READ(sk, __sk_common.skc_family);
	if (p->family == AF_INET)
		BPF_CORE_READ_INTO((__u32 *)p->v4, sk, __sk_common.skc_daddr);
	else
		BPF_CORE_READ_INTO((struct in6_addr *)p->v6, sk, __sk_common.skc_v6_daddr);
}

/* Into s->peer; family 0: nobody says. */
static __always_inline void dgram_name(struct scratch *s, const struct sock *sk)
{
	struct ev_peer *p = &s->peer;

	__builtin_memset(p, 0, sizeof(*p));
	if (!s->name)
		peer_connected(p, sk);
	else if (bpf_probe_read_user(p, SOCKADDR_IN, (void *)s->name))
		p->family = 0;
	else if (p->family == AF_INET6 && bpf_probe_read_user(p, sizeof(*p), (void *)s->name))
		p->family = 0;
}

/* The other end of a datagram goes behind its bytes; returns the size of that. */
static __always_inline __u64 dgram_peer(struct scratch *s, struct io *io, __u64 at)
{
	if (!(io->flags & EV_F_DGRAM) || !s->peer.family)
		return 0;
	io->flags |= EV_F_PEER;
	__builtin_memcpy(s->ev.bytes + at, &s->peer, sizeof(s->peer));
	return sizeof(s->peer);
}

/*
 * Nothing tells of the end of a socket for datagrams. One that is used is heard
 * of at least so often, muted or not; true: now.
 */
static __always_inline bool dgram_tell(struct state *st)
{
	__u64 now = bpf_ktime_get_ns();

	if (now - st->told_ns < TELL_NS)
		return false;
	st->flags &= ~STATE_ANNOUNCED;
	return true;
}

/* A record of it comes now. */
static __always_inline void dgram_begin(struct state *st, struct scratch *s, const struct sock *sk)
{
	dgram_name(s, sk);
	st->told_ns = bpf_ktime_get_ns();
}

#endif
