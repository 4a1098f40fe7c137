// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * sys.bpf.c - bytes that move through sockets, from the end of system calls.
 *
 * For Linux 5.8 to 6.2, which have no socket tracepoints: the arguments are
 * still in the registers when the call returns, and the descriptor leads to the
 * socket. Uses nothing younger than 5.8. A splice that empties a socket is seen
 * here, io_uring is not.
 */

#include "bpf/io.h"
#include "bpf/state.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

enum { MSGS_MAX = 8 };

/* The socket behind a descriptor. */
struct found {
	struct sock *sk;
	__u64 inode;
	__u32 nonblock;
};

static __always_inline bool find(struct found *f, __u32 fd)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	struct fdtable *fdt = BPF_CORE_READ(task, files, fdt);
	struct file **fds, *file = NULL;
	struct socket *socket = NULL;
	struct inode *inode;
	struct sock *sk;

	if (IS_COMPAT(BPF_CORE_READ(task, thread_info.status),
	              BPF_CORE_READ(task, thread_info.flags)))
		return false;
	if (fd >= BPF_CORE_READ(fdt, max_fds))
		return false;
	fds = BPF_CORE_READ(fdt, fd);
	bpf_probe_read_kernel(&file, sizeof(file), fds + fd);
	if (!file)
		return false;
	inode = BPF_CORE_READ(file, f_inode);
	if ((BPF_CORE_READ(inode, i_mode) & S_IFMT) != S_IFSOCK)
		return false;
	f->inode = BPF_CORE_READ(inode, i_ino);
	f->nonblock = BPF_CORE_READ(file, f_flags) & O_NONBLOCK;
	BPF_CORE_READ_INTO(&socket, file, private_data);
	sk = BPF_CORE_READ(socket, sk);
	f->sk = sk;
	return sk && family_wanted(BPF_CORE_READ(sk, __sk_common.skc_family)) &&
	       type_wanted(BPF_CORE_READ(sk, sk_type));
}

static __always_inline struct state *state_get(const struct found *f)
{
	struct state fresh = { .inode = f->inode };
	__u64 key = (__u64)f->sk;
	struct state *st = bpf_map_lookup_elem(&states_hash, &key);

	if (st && st->inode == f->inode)
		return st;
	bpf_map_update_elem(&states_hash, &key, &fresh, BPF_ANY);
	st = bpf_map_lookup_elem(&states_hash, &key);
	if (!st) {
		struct counts *c = count(COUNTS_TASK);

		if (c)
			c->storage_full++;
	}
	return st;
}

/* TCP's place in the sequence after the call. */
static __always_inline void sequence(struct io *io, struct sock *sk)
{
	const struct tcp_sock *tp = (const struct tcp_sock *)sk;

	io->tcp = BPF_CORE_READ(sk, __sk_common.skc_family) != AF_UNIX &&
	          BPF_CORE_READ(sk, sk_protocol) == IPPROTO_TCP;
	if (!io->tcp)
		return;
	if (io->dir == EV_SEND) {
		io->end = BPF_CORE_READ(tp, write_seq);
		return;
	}
	io->end = BPF_CORE_READ(tp, copied_seq);
	io->end -= fin_read(sk, io->end, BPF_CORE_READ(tp, rcv_nxt));
}

/* `before`: bytes of the whole call, by which the sequence has moved. */
static __noinline void state_start(struct state *st, struct found *f, struct io *io, __u32 before)
{
	if (!st || !f || !io)
		return;
	st->id = conn_mix((__u64)f->sk, f->inode);
	if (io->tcp)
		state_tcp(st, f->sk, io->dir == EV_RECV ? before : 0,
		          io->dir == EV_SEND ? before : 0);
	else
		state_unix(st, bpf_get_current_pid_tgid() >> 32);
	st->flags |= STATE_KNOWN;
}

static __noinline int message(struct state *st, struct found *f, struct io *io, __u64 msg)
{
	struct user_msghdr m;

	if (!st || !f || !io)
		return 0;
	if (msg) {
		if (bpf_probe_read_user(&m, sizeof(m), (void *)msg)) {
			io->flags |= EV_F_FAULT | EV_F_NOBUF;
		} else {
			io->buf = m.iov;
			io->iovs = m.iovlen;
		}
	}
	io_record(st, f->sk, io);
	return 0;
}

/* The lengths of the messages that a sendmmsg or recvmmsg moved. */
static __always_inline __u32 messages_len(__u64 vec, __u32 n, __u32 *len)
{
	__u32 sum = 0;

	for (__u32 i = 0; i < MSGS_MAX; i++) {
		len[i] = 0;
		if (i < n)
			bpf_probe_read_user(&len[i], sizeof(len[i]),
			                    (void *)(vec + i * MMSGHDR_SIZE + MMSGHDR_LEN));
		sum += len[i];
	}
	return sum;
}

static __noinline int messages(struct state *st, struct found *f, struct io *io, __u64 vec)
{
	__u32 len[MSGS_MAX], rest, nr, dir, tcp, end, flags;

	if (!st || !f || !io)
		return 0;
	rest = messages_len(vec, io->ret, len);
	nr = io->nr;
	dir = io->dir;
	tcp = io->tcp;
	end = io->end;
	flags = io->flags;
	if (!(st->flags & STATE_KNOWN))
		state_start(st, f, io, rest);
	for (__u32 i = 0; i < MSGS_MAX; i++) {
		struct io one = { .ret = len[i], .nr = nr, .dir = dir, .flags = flags, .tcp = tcp };

		if (!len[i])
			continue;
		rest -= len[i];
		one.end = end - rest;
		message(st, f, &one, vec + i * MMSGHDR_SIZE);
	}
	return 0;
}

/* A receive that must not count: it moves nothing, or nothing that is data. */
static __always_inline bool peeks(struct pt_regs *regs, __s64 nr)
{
	__u64 flags = 0;

	if (nr == NR_RECVFROM || nr == NR_RECVMMSG)
		flags = REGS_ARG3(regs);
	else if (nr == NR_RECVMSG)
		flags = REGS_ARG2(regs);
	return flags & (MSG_PEEK | MSG_OOB | MSG_ERRQUEUE);
}

static __always_inline bool truncates(struct pt_regs *regs, __s64 nr)
{
	return (nr == NR_RECVFROM && (REGS_ARG3(regs) & MSG_TRUNC)) ||
	       (nr == NR_RECVMSG && (REGS_ARG2(regs) & MSG_TRUNC));
}

static __always_inline int on_call(struct pt_regs *regs, __s64 nr, __u32 kind, __u32 dir, __u32 fd,
                                   __u32 ret)
{
	struct io io = { .ret = ret, .nr = nr, .dir = dir };
	struct found f = {};
	struct sock *sk;
	struct state *st;

	if (!find(&f, fd) || (dir == EV_RECV && peeks(regs, nr)))
		return 0;
	sk = f.sk;
	if (!ret && !(BPF_CORE_READ(sk, sk_shutdown) & RCV_SHUTDOWN))
		return 0;
	sequence(&io, sk);
	if (!f.nonblock && (dir == EV_RECV || ret > (__u32)BPF_CORE_READ(sk, sk_sndbuf)))
		io.flags |= EV_F_BLOCKED;
	st = state_get(&f);
	if (!st)
		return 0;
	if (kind == NR_MMSG)
		return messages(st, &f, &io, REGS_ARG1(regs));
	if (!(st->flags & STATE_KNOWN))
		state_start(st, &f, &io, ret);
	if (!ret) {
		if (st->flags & STATE_EOF)
			return 0;
		st->flags |= STATE_EOF;
		io.flags |= EV_F_EOF | EV_F_NOBUF;
	} else if (kind == NR_FILE || (dir == EV_RECV && io.tcp && truncates(regs, nr))) {
		io.flags |= EV_F_NOBUF;
	}
	io.buf = REGS_ARG1(regs);
	if (kind == NR_IOV)
		io.iovs = REGS_ARG2(regs);
	return message(st, &f, &io, kind == NR_MSG && ret ? REGS_ARG1(regs) : 0);
}

SEC("tp_btf/sys_exit")
int BPF_PROG(obi_sys_exit, struct pt_regs *regs, long ret)
{
	__s64 nr = REGS_NR(regs);
	__u32 send = nr_kind(nr, true), recv = nr_kind(nr, false);

	if (!send && !recv)
		return 0;
	if (ret < 0 || (!ret && !recv) || !wanted(bpf_get_current_pid_tgid() >> 32))
		return 0;
	if (send == NR_FILE) {
		if (!ret)
			return 0;
		on_call(regs, nr, NR_FILE, EV_SEND,
		        nr == NR_SPLICE ? REGS_ARG2(regs) : REGS_ARG0(regs), ret);
		if (nr == NR_SPLICE)
			on_call(regs, nr, NR_FILE, EV_RECV, REGS_ARG0(regs), ret);
		return 0;
	}
	return on_call(regs, nr, send ? send : recv, send ? EV_SEND : EV_RECV, REGS_ARG0(regs),
	               ret);
}
