// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * sys.bpf.c - bytes that move through sockets, from the end of system calls.
 *
 * For Linux 5.8 to 6.2, which have no socket tracepoints: the arguments are
 * still in the registers when the call returns, and the descriptor leads to the
 * socket. Uses nothing younger than 5.8. A splice that empties a socket is seen
 * here, io_uring is not.
 */

#include "bpf/call.h"
#include "bpf/state.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

static __always_inline struct state *state_get(const struct call *c)
{
	struct state fresh = { .inode = c->inode };
	__u64 key = (__u64)c->sk;
	struct state *st = bpf_map_lookup_elem(&states_hash, &key);
	struct counts *n;

	if (st && st->inode == c->inode)
		return st;
	bpf_map_update_elem(&states_hash, &key, &fresh, BPF_ANY);
	st = bpf_map_lookup_elem(&states_hash, &key);
	n = count(COUNTS_TASK);
	if (!st && n)
		n->storage_full++;
	return st;
}

/* TCP's place in the sequence after the call. */
static __always_inline void sequence(struct call *c, struct sock *sk)
{
	const struct tcp_sock *tp = (const struct tcp_sock *)sk;

	c->tcp = BPF_CORE_READ(sk, __sk_common.skc_family) != AF_UNIX &&
	         BPF_CORE_READ(sk, sk_protocol) == IPPROTO_TCP;
	if (!c->tcp)
		return;
	if (c->dir == EV_SEND) {
		c->end = BPF_CORE_READ(tp, write_seq);
		return;
	}
	c->end = BPF_CORE_READ(tp, copied_seq);
	c->end -= fin_read(sk, c->end, BPF_CORE_READ(tp, rcv_nxt));
}

/* First sight; `moved`: bytes of the whole call. */
static __noinline int state_start(struct state *st, struct call *c, __u32 moved)
{
	if (!st || !c)
		return 0;
	st->id = conn_mix((__u64)c->sk, c->inode);
	if (c->tcp)
		state_tcp(st, c->sk, c->dir == EV_RECV ? moved : 0, c->dir == EV_SEND ? moved : 0);
	else
		state_other(st, current_id() >> 32);
	st->flags |= STATE_KNOWN;
	return 0;
}

static __always_inline void message(struct io *io, __u64 msg)
{
	struct user_msghdr m;

	if (bpf_probe_read_user(&m, sizeof(m), (void *)msg)) {
		io->flags |= EV_F_FAULT | EV_F_NOBUF;
		return;
	}
	io->buf = m.iov;
	io->iovs = m.iovlen;
	peer_name(m.name);
}

/* Messages beyond those that are looked at; of TCP the sequence tells. */
static __always_inline void messages_beyond(const struct call *c)
{
	struct counts *n = count(COUNTS_TASK);

	if (!n || c->tcp || c->ret <= MSGS_MAX)
		return;
	n->fired += c->ret - MSGS_MAX;
	n->lost += c->ret - MSGS_MAX;
}

/* The lengths of the messages that a sendmmsg or recvmmsg moved. */
static __always_inline void messages_len(struct call *c)
{
	c->rest = 0;
	for (__u32 i = 0; i < MSGS_MAX; i++) {
		c->len[i] = 0;
		if (i < c->ret)
			bpf_probe_read_user(&c->len[i], sizeof(c->len[i]),
			                    (void *)(c->arg1 + i * MMSGHDR_SIZE + MMSGHDR_LEN));
		c->rest += c->len[i];
	}
}

/*
 * One message of several. Global: verified once and not in each turn. Its io is
 * not on the stack: six functions deep, this is where 512 bytes would not do.
 */
__noinline int message_next(__u32 i)
{
	struct scratch *s = scratch_here();
	struct call *c = call_here();
	struct state *st;
	__u64 key;

	if (!c || !s || i >= MSGS_MAX)
		return 0;
	key = (__u64)c->sk;
	st = bpf_map_lookup_elem(&states_hash, &key);
	if (!st || !c->len[i])
		return 0;
	c->rest -= c->len[i];
	s->io = (struct io){ .ret = c->len[i],
		             .end = c->end - c->rest,
		             .nr = c->nr,
		             .dir = c->dir,
		             .tcp = c->tcp,
		             .flags = c->flags };
	message(&s->io, c->arg1 + (__u64)i * MMSGHDR_SIZE);
	io_record(st, c->sk, &s->io);
	return 0;
}

/* A receive that must not count: it moves nothing, or nothing that is data. */
static __always_inline __u32 recv_flags(const struct call *c)
{
	if (c->nr == NR_RECVFROM || c->nr == NR_RECVMMSG)
		return c->arg3;
	return c->nr == NR_RECVMSG ? c->arg2 : 0;
}

static __always_inline int one(struct call *c, struct state *st)
{
	struct io io = { .buf = c->arg1,
		         .ret = c->ret,
		         .end = c->end,
		         .nr = c->nr,
		         .dir = c->dir,
		         .tcp = c->tcp,
		         .flags = c->flags };

	if (!(st->flags & STATE_KNOWN))
		state_start(st, c, c->ret);
	if (!c->ret) {
		if (st->flags & STATE_EOF)
			return 0;
		st->flags |= STATE_EOF;
		io.flags |= EV_F_EOF | EV_F_NOBUF;
	} else if (c->kind == NR_FILE ||
	           (c->dir == EV_RECV && c->tcp && (recv_flags(c) & MSG_TRUNC))) {
		io.flags |= EV_F_NOBUF;
	} else if (c->kind == NR_IOV) {
		io.iovs = c->arg2;
	} else if (c->kind == NR_MSG) {
		message(&io, c->arg1);
	}
	if (c->nr == NR_SENDTO || c->nr == NR_RECVFROM)
		peer_name(c->arg4);
	io_record(st, c->sk, &io);
	return 0;
}

/* With MSG_TRUNC the result may be more than the buffer holds. */
static __always_inline void datagram(struct call *c)
{
	c->flags = EV_F_DGRAM;
	if (c->kind == NR_BUF && c->ret > c->arg2)
		c->ret = c->arg2;
	peer_name(0);
}

/* What call_here() holds, on the socket behind fd. Global, like message_next(). */
__noinline int on_call(__u32 fd, __u32 dir)
{
	struct call *c = call_here();
	struct state *st;
	struct sock *sk;

	if (!c)
		return 0;
	c->dir = dir & 1;
	if (!find(c, fd))
		return 0;
	if (c->dir == EV_RECV && (recv_flags(c) & (MSG_PEEK | MSG_OOB | MSG_ERRQUEUE)))
		return 0;
	sk = c->sk;
	if (!c->ret && !(BPF_CORE_READ(sk, sk_shutdown) & RCV_SHUTDOWN))
		return 0;
	sequence(c, sk);
	c->flags = 0;
	if (BPF_CORE_READ(sk, sk_type) == SOCK_DGRAM)
		datagram(c);
	if (!c->nonblock && (c->dir == EV_RECV || c->ret > (__u32)BPF_CORE_READ(sk, sk_sndbuf)))
		c->flags |= EV_F_BLOCKED;
	st = state_get(c);
	if (!st)
		return 0;
	if (c->kind != NR_MMSG)
		return one(c, st);
	messages_len(c);
	messages_beyond(c);
	if (!(st->flags & STATE_KNOWN))
		state_start(st, c, c->rest);
	for (__u32 i = 0; i < MSGS_MAX; i++)
		message_next(i);
	return 0;
}

SEC("tp_btf/sys_exit")
int BPF_PROG(obi_sys_exit, struct pt_regs *regs, long ret)
{
	__s64 nr = REGS_NR(regs);
	__u32 send = nr_kind(nr, true), recv = nr_kind(nr, false), fd;
	struct call *c;

	if (!send && !recv)
		return 0;
	if (ret < 0 || (!ret && (!recv || send)) || !wanted(current_id() >> 32))
		return 0;
	c = call_here();
	if (!c)
		return 0;
	fd = REGS_ARG0(regs);
	c->nr = nr;
	c->kind = send ? send : recv;
	c->ret = ret;
	c->arg1 = REGS_ARG1(regs);
	c->arg2 = REGS_ARG2(regs);
	c->arg3 = REGS_ARG3(regs);
	c->arg4 = REGS_ARG4(regs);
	if (nr == NR_SPLICE) { /* from one descriptor to another, either may be a socket */
		on_call(fd, EV_RECV);
		fd = c->arg2;
	}
	return on_call(fd, send ? EV_SEND : EV_RECV);
}
