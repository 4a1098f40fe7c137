/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef OBI_BPF_SEQ_H
#define OBI_BPF_SEQ_H

/*
 * seq.h - the place of a TCP connection in its sequence at first sight, and
 * whether anything had moved before.
 */

#include "bpf/conn.h"

/* Bytes that the application had received before the current call. */
static __always_inline __u64 received_before(const struct tcp_sock *tp, __u32 fin, __u32 ret)
{
	__u32 nxt = BPF_CORE_READ(tp, rcv_nxt), again = 0;
	__u64 bytes = 0;

	/* A packet may come in between; three tries make a torn pair unlikely enough. */
	for (int i = 0; i < 3; i++) {
		bytes = BPF_CORE_READ(tp, bytes_received);
		again = BPF_CORE_READ(tp, rcv_nxt);
		if (again == nxt)
			break;
		nxt = again;
	}
	return bytes - (__u32)(nxt - BPF_CORE_READ(tp, copied_seq)) - fin - ret;
}

/* Bytes that it had sent, and perhaps one for the SYN. */
static __always_inline __u64 sent_before(const struct tcp_sock *tp, __u32 ret)
{
	__u32 una = BPF_CORE_READ(tp, snd_una), again = 0;
	__u64 bytes = 0;

	for (int i = 0; i < 3; i++) {
		bytes = BPF_CORE_READ(tp, bytes_acked);
		again = BPF_CORE_READ(tp, snd_una);
		if (again == una)
			break;
		una = again;
	}
	return bytes + (__u32)(BPF_CORE_READ(tp, write_seq) - una) - ret;
}

/* First sight of a TCP socket; got and sent: bytes of the call under way, by direction. */
static __noinline void state_tcp(struct state *st, const struct sock *sk, __u32 got, __u32 sent)
{
	const struct tcp_sock *tp = (const struct tcp_sock *)sk;
	__u32 copied = BPF_CORE_READ(tp, copied_seq);
	__u32 fin = fin_read(sk, copied, BPF_CORE_READ(tp, rcv_nxt));

	if (!st)
		return;
	st->next[EV_RECV] = (__u32)(copied - fin - got);
	st->next[EV_SEND] = (__u32)(BPF_CORE_READ(tp, write_seq) - sent);
	if (!received_before(tp, fin, got) && sent_before(tp, sent) <= 1)
		st->conn |= EV_C_FROM_START;
}

#endif
