// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * enter.bpf.c - when a send on a TCP socket begins.
 *
 * Linux 6.16 and later. On one host the other end may have read, answered, and
 * be read again before the sender's call returns: only the beginning of a send
 * keeps its place before what it causes. The hook fires once for each piece
 * that the kernel queues; the first one counts.
 */

#include "bpf/conn.h"
#include "bpf/state.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

SEC("tp_btf/tcp_sendmsg_locked")
int BPF_PROG(obi_tcp_send, struct sock *sk)
{
	struct state *st;

	if (!wanted(current_id() >> 32))
		return 0;
	st = bpf_sk_storage_get(&states, sk, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (st && !st->enter_ns)
		st->enter_ns = bpf_ktime_get_ns();
	return 0;
}
