// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * sock.bpf.c - bytes that move through sockets, from the socket tracepoints.
 *
 * Linux 6.3 and later. The hooks name the socket and the result; the buffer is
 * found through the saved registers of the task, which may belong to another
 * call altogether (a receive that io_uring completes on the way out of a read
 * of a file): they count only if their descriptor is this very socket.
 */

#define IO_MODERN
#include "bpf/io.h"
#include "bpf/mmsg.h"
#include "bpf/state.h"
#include "bpf/uring_buf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* The registers are those of a call on this socket. */
static __always_inline bool regs_match(struct task_struct *task, struct pt_regs *regs,
                                       struct sock *sk)
{
	struct fdtable *fdt = task->files->fdt;
	__u32 fd = REGS_ARG0(regs);
	struct file *file = NULL;

	if (fd >= fdt->max_fds)
		return false;
	bpf_probe_read_kernel(&file, sizeof(file), fdt->fd + fd);
	return file && file == sk->sk_socket->file;
}

static __always_inline void buf_message(struct io *io, __u64 msg)
{
	struct user_msghdr m;

	if (!msg || bpf_probe_read_user(&m, sizeof(m), (void *)msg)) {
		io->flags |= EV_F_FAULT | EV_F_NOBUF;
		return;
	}
	io->buf = m.iov;
	io->iovs = m.iovlen;
	if (io->dir == EV_SEND) /* of a receive it is filled in later */
		peer_name(m.name);
}

static __always_inline void buf_uring(struct io *io, struct sock *sk)
{
	io->flags |= EV_F_IOURING;
	if (uring_find(io, sk))
		io->flags &= ~EV_F_NOBUF;
}

/* One buffer: with MSG_TRUNC the result may be more than it holds. */
static __always_inline void buf_datagram(struct io *io, struct pt_regs *regs)
{
	if (REGS_NR(regs) == NR_SENDTO)
		peer_name(REGS_ARG4(regs));
	if (io->ret > REGS_ARG2(regs))
		io->ret = REGS_ARG2(regs);
}

/* An empty datagram says nothing, but takes its place among those of one call. */
static __noinline int datagram_empty(void)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct pt_regs *regs = (struct pt_regs *)bpf_task_pt_regs(task);

	if (REGS_NR(regs) == NR_SENDMMSG || REGS_NR(regs) == NR_RECVMMSG)
		mmsg_now(task, REGS_ARG1(regs), REGS_ARG2(regs), 0);
	return 0;
}

static __always_inline void buf_find(struct io *io, struct sock *sk, int flags)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct pt_regs *regs = (struct pt_regs *)bpf_task_pt_regs(task);
	__u32 kind;

	io->nr = ~0U;
	io->flags |= EV_F_NOBUF;
	if (io->flags & EV_F_DGRAM)
		peer_name(0);
	if (task->flags & (PF_KTHREAD | PF_IO_WORKER)) {
		if (task->flags & PF_IO_WORKER)
			buf_uring(io, sk);
		return;
	}
	if (IS_COMPAT(task->thread_info.status, task->thread_info.flags))
		return;
	io->nr = REGS_NR(regs);
	kind = nr_kind(REGS_NR(regs), io->dir == EV_SEND);
	if (kind == NR_FILE)
		return;
	if (kind == NR_OTHER || !regs_match(task, regs, sk)) {
		buf_uring(io, sk);
		return;
	}
	if (io->dir == EV_RECV && (flags & MSG_TRUNC) && io->tcp)
		return; /* thrown away by the kernel, nothing was written */
	io->flags &= ~EV_F_NOBUF;
	io->buf = REGS_ARG1(regs);
	if (kind == NR_IOV)
		io->iovs = REGS_ARG2(regs);
	else if (kind == NR_MSG)
		buf_message(io, REGS_ARG1(regs));
	else if (kind == NR_MMSG)
		buf_message(io, mmsg_now(task, REGS_ARG1(regs), REGS_ARG2(regs), io->ret));
	else if (io->flags & EV_F_DGRAM)
		buf_datagram(io, regs);
}

/* A receive on a blocking socket may have slept; a send only if it did not fit. */
static __always_inline bool may_block(struct sock *sk, const struct io *io, int flags)
{
	if ((flags & MSG_DONTWAIT) || (sk->sk_socket->file->f_flags & O_NONBLOCK))
		return false;
	return io->dir == EV_RECV || io->ret > (__u32)sk->sk_sndbuf;
}

static __noinline void state_start(struct state *st, struct sock *sk, struct io *io)
{
	if (!st || !io)
		return;
	st->id = bpf_get_socket_cookie(sk);
	if (io->tcp)
		state_tcp(st, sk, io->dir == EV_RECV ? io->ret : 0,
		          io->dir == EV_SEND ? io->ret : 0);
	else
		state_other(st, current_id() >> 32);
	st->flags |= STATE_KNOWN;
}

static __always_inline int on_io(struct sock *sk, int ret, int flags, enum ev_dir dir)
{
	struct io io = { .ret = ret, .dir = dir };
	struct tcp_sock *tp;
	struct state *st;

	if (!wanted(current_id() >> 32))
		return 0;
	if (ret < 0) {
		st = dir == EV_SEND ? bpf_sk_storage_get(&states, sk, NULL, 0) : NULL;
		if (st)
			st->enter_ns = 0;
		return mmsg_reset();
	}
	if (!family_wanted(sk->__sk_common.skc_family) ||
	    !type_wanted(sk->sk_type, sk->sk_protocol, sk->__sk_common.skc_family))
		return 0;
	if (sk->sk_type == SOCK_DGRAM) {
		io.flags = EV_F_DGRAM;
		if (!ret)
			return datagram_empty();
	}
	if (!ret && (dir == EV_SEND || !(sk->sk_shutdown & RCV_SHUTDOWN)))
		return 0;
	if (dir == EV_RECV && (flags & (MSG_PEEK | MSG_OOB | MSG_ERRQUEUE)))
		return 0;
	tp = bpf_skc_to_tcp_sock(sk);
	if (tp) {
		io.tcp = 1;
		io.end = tp->write_seq;
		if (dir == EV_RECV) {
			io.end = tp->copied_seq;
			if ((sk->__sk_common.skc_flags & SOCK_DONE_BIT) && io.end == tp->rcv_nxt)
				io.end--;
		}
	}
	st = bpf_sk_storage_get(&states, sk, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!st) {
		struct counts *c = count(COUNTS_TASK);

		if (c)
			c->storage_full++;
		return 0;
	}
	if (!(st->flags & STATE_KNOWN))
		state_start(st, sk, &io);
	if (!ret) {
		if (st->flags & STATE_EOF)
			return 0;
		st->flags |= STATE_EOF;
		io.flags = EV_F_EOF | EV_F_NOBUF;
		io.nr = REGS_NR((struct pt_regs *)bpf_task_pt_regs(bpf_get_current_task_btf()));
	} else {
		buf_find(&io, sk, flags);
	}
	if (may_block(sk, &io, flags))
		io.flags |= EV_F_BLOCKED;
	io_record(st, sk, &io);
	if (io.partial && dir == EV_SEND)
		mmsg_reset();
	return 0;
}

SEC("tp_btf/sock_send_length")
int BPF_PROG(obi_sock_send, struct sock *sk, int ret, int flags)
{
	return on_io(sk, ret, flags, EV_SEND);
}

SEC("tp_btf/sock_recv_length")
int BPF_PROG(obi_sock_recv, struct sock *sk, int ret, int flags)
{
	return on_io(sk, ret, flags, EV_RECV);
}
