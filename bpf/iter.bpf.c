// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * iter.bpf.c - what targets had open when tracing began: connections and
 * listening sockets, found in the file tables, told once each.
 */

#include "bpf/seq.h"
#include "bpf/state.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

static __always_inline struct state *state_new(struct sock *sk, __u64 inode)
{
	struct state fresh = { .inode = inode };
	__u64 key = (__u64)sk;
	struct state *st;

	if (!cfg.hash)
		return bpf_sk_storage_get(&states, sk, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
	st = bpf_map_lookup_elem(&states_hash, &key);
	if (st && st->inode == inode)
		return st;
	bpf_map_update_elem(&states_hash, &key, &fresh, BPF_ANY);
	return bpf_map_lookup_elem(&states_hash, &key);
}

/* The states before a connection is of use, in which nothing is to be told. */
static __always_inline bool idle(struct sock *sk, __u16 family)
{
	__u8 state = BPF_CORE_READ(sk, __sk_common.skc_state);

	if (family == AF_UNIX)
		return !BPF_CORE_READ((const struct unix_sock *)sk, peer);
	return state == TCP_CLOSE || state == TCP_SYN_SENT;
}

static __always_inline void list_conn(struct sock *sk, __u64 inode, __u16 family,
                                      const struct task_struct *owner)
{
	struct state *st = state_new(sk, inode);

	if (!st || (st->flags & STATE_ANNOUNCED))
		return;
	if (!(st->flags & STATE_KNOWN)) {
		st->id = cfg.hash ? conn_mix(address(sk), inode) : bpf_get_socket_cookie(sk);
		if (family == AF_UNIX)
			st->next[0] = st->next[1] = 0;
		else
			state_tcp(st, sk, 0, 0);
		st->conn |= EV_C_PREEXISTING;
		st->flags |= STATE_KNOWN;
	}
	if (conn_record(st, sk, EV_CONN, COUNTS_ITER, owner))
		st->flags |= STATE_ANNOUNCED;
}

/* A datagram tells of its socket; that it was there before is all there is to remember. */
static __always_inline void list_datagram(struct sock *sk, __u64 inode)
{
	struct state *st = state_new(sk, inode);

	if (!st || (st->flags & STATE_KNOWN))
		return;
	st->id = cfg.hash ? conn_mix(address(sk), inode) : bpf_get_socket_cookie(sk);
	st->next[0] = st->next[1] = 0;
	st->conn |= EV_C_PREEXISTING;
	st->flags |= STATE_KNOWN;
}

static __always_inline void list_socket(struct sock *sk, __u64 inode,
                                        const struct task_struct *owner)
{
	__u16 family = BPF_CORE_READ(sk, __sk_common.skc_family);
	struct state listener = { .conn = EV_C_PREEXISTING };

	if (!family_wanted(family) ||
	    !type_wanted(BPF_CORE_READ(sk, sk_type), BPF_CORE_READ(sk, sk_protocol), family))
		return;
	if (BPF_CORE_READ(sk, sk_type) == SOCK_DGRAM) {
		list_datagram(sk, inode);
		return;
	}
	if (family != AF_UNIX && BPF_CORE_READ(sk, sk_protocol) != IPPROTO_TCP)
		return;
	if (BPF_CORE_READ(sk, __sk_common.skc_state) == TCP_LISTEN) {
		if (family == AF_UNIX)
			return;
		listener.id = cfg.hash ? conn_mix(address(sk), inode) : bpf_get_socket_cookie(sk);
		conn_record(&listener, sk, EV_LISTEN, COUNTS_ITER, owner);
	} else if (!idle(sk, family)) {
		list_conn(sk, inode, family, owner);
	}
}

SEC("iter/task_file")
int obi_files(struct bpf_iter__task_file *ctx)
{
	struct task_struct *task = ctx->task;
	struct file *file = ctx->file;
	struct socket *socket;
	struct sock *sk;
	__u32 tgid;

	if (!task || !file)
		return 0;
	tgid = tgid_of(task);
	if (!wanted(tgid) || (file->f_inode->i_mode & S_IFMT) != S_IFSOCK)
		return 0;
	if (cfg.hash) {
		BPF_CORE_READ_INTO(&socket, file, private_data);
		sk = BPF_CORE_READ(socket, sk);
	} else {
		socket = bpf_sock_from_file(file);
		if (!socket)
			return 0;
		sk = socket->sk;
	}
	if (sk)
		list_socket(sk, file->f_inode->i_ino, task);
	return 0;
}
