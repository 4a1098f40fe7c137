// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * tcp.bpf.c - who connects, who listens, and how connections end.
 *
 * The end is when the kernel destroys the socket: data that came before a reset
 * or a FIN may still be read after TCP's own state says closed.
 */

#include "bpf/conn.h"
#include "bpf/state.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

static __always_inline struct state *state_of(struct sock *sk)
{
	__u64 key = (__u64)sk;

	if (cfg.hash)
		return bpf_map_lookup_elem(&states_hash, &key);
	return bpf_sk_storage_get(&states, sk, NULL, 0);
}

static __always_inline __u64 inode_of(struct sock *sk)
{
	return BPF_CORE_READ(sk, sk_socket, file, f_inode, i_ino);
}

static __always_inline __u64 id_of(struct sock *sk)
{
	if (cfg.hash)
		return conn_mix(address(sk), inode_of(sk));
	return bpf_get_socket_cookie(sk);
}

/* connect(): in the task that calls it. */
static __always_inline void on_connect(struct sock *sk)
{
	struct state fresh = { .conn = EV_C_CONNECTED };
	__u64 key = (__u64)sk;
	struct state *st;

	if (!wanted(current_id() >> 32))
		return;
	if (cfg.hash) {
		fresh.inode = inode_of(sk);
		bpf_map_update_elem(&states_hash, &key, &fresh, BPF_ANY);
		return;
	}
	st = bpf_sk_storage_get(&states, sk, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (st)
		*st = fresh; /* a socket may be connected a second time */
}

/* listen(): likewise. */
static __always_inline void on_listen(struct sock *sk)
{
	struct state st = {};

	if (!wanted(current_id() >> 32))
		return;
	st.id = id_of(sk);
	if (conn_record(&st, sk, EV_LISTEN, COUNTS_SOFTIRQ, NULL))
		wake();
}

SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(obi_tcp_state, struct sock *sk, int oldstate, int newstate)
{
	struct state *st;

	if (sk->sk_protocol != IPPROTO_TCP)
		return 0;
	if (newstate == TCP_SYN_SENT) {
		on_connect(sk);
	} else if (newstate == TCP_LISTEN) {
		on_listen(sk);
	} else if (newstate == TCP_CLOSE) {
		st = state_of(sk);
		if (st) {
			st->oldstate = oldstate;
			st->err = sk->sk_err;
		}
	}
	return 0;
}

static __always_inline __u64 last_off(const struct state *st, enum ev_dir dir, __u32 seq)
{
	__u64 end = st->next[dir] + (__s32)(seq - (__u32)st->next[dir]);

	return (__s64)(end - st->next[dir]) > 0 ? end : st->next[dir];
}

static __always_inline void on_destroy(struct state *st, struct sock *sk)
{
	const struct tcp_sock *tp = (const struct tcp_sock *)sk;
	struct counts *c = count(COUNTS_SOFTIRQ);
	__u32 copied = BPF_CORE_READ(tp, copied_seq);
	__u32 fin = fin_read(sk, copied, BPF_CORE_READ(tp, rcv_nxt));
	struct ev_close *e;

	if (!c)
		return;
	if (!(st->flags & STATE_ANNOUNCED)) {
		if (!st->lost[0] && !st->lost[1])
			return;
		if (!conn_record(st, sk, EV_CONN, COUNTS_SOFTIRQ, NULL))
			return;
	}
	c->fired++;
	e = bpf_ringbuf_reserve(&ring, sizeof(*e), 0);
	if (!e) {
		c->lost++;
		return;
	}
	__builtin_memset(e, 0, sizeof(*e));
	head_set(&e->h, EV_CLOSE, sizeof(*e));
	e->h.pid = 0; /* any task may run this */
	e->h.tid = 0;
	e->conn = st->id;
	e->off[EV_RECV] = last_off(st, EV_RECV, copied - fin);
	e->off[EV_SEND] = last_off(st, EV_SEND, BPF_CORE_READ(tp, write_seq));
	e->lost_bytes[0] = st->lost[0];
	e->lost_bytes[1] = st->lost[1];
	e->srtt_us = BPF_CORE_READ(tp, srtt_us) >> 3;
	e->retransmits = BPF_CORE_READ(tp, total_retrans);
	e->err = st->err;
	e->oldstate = st->oldstate;
	bpf_ringbuf_submit(e, BPF_RB_NO_WAKEUP);
	c->records++;
	wake();
}

SEC("tp_btf/tcp_destroy_sock")
int BPF_PROG(obi_tcp_destroy, struct sock *sk)
{
	__u64 key = (__u64)sk;
	struct state *st = state_of(sk);

	if (!st)
		return 0;
	if (st->flags & STATE_KNOWN)
		on_destroy(st, sk);
	if (cfg.hash)
		bpf_map_delete_elem(&states_hash, &key);
	return 0;
}
