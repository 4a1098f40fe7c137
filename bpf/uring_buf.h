/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef OBI_BPF_URING_BUF_H
#define OBI_BPF_URING_BUF_H

/*
 * uring_buf.h - the user memory of a send or receive that io_uring carries out.
 *
 * No register names it. The request does: one of those that this thread was given
 * last, or that waited for the socket. They are only candidates: what they say of file, direction and progress must fit the call that has ended,
 * else its bytes are counted and not read. From Linux 6.10 on, where each
 * request keeps its message.
 */

#include "bpf/gather.h"
#include "bpf/uring.h"

enum { URING_PASSED_MAX = 8 }; /* vectors that are used up already */

static __always_inline bool uring_is_msg(__u8 op)
{
	return op == URING_SEND || op == URING_RECV || op == URING_SENDMSG || op == URING_RECVMSG ||
	       op == URING_SEND_ZC || op == URING_SENDMSG_ZC;
}

/* The running kernel's requests are of the kind that is understood here. */
static __always_inline bool uring_known(void)
{
	return bpf_core_field_exists(((struct io_async_msghdr *)0)->msg) &&
	       bpf_core_field_exists(((struct io_async_rw *)0)->iter) &&
	       bpf_core_field_exists(((struct io_kiocb *)0)->async_data) &&
	       bpf_core_field_exists(((struct iov_iter *)0)->__iov);
}

static __always_inline __u64 uring_vec(const void *async)
{
	const struct io_async_msghdr___old *old = async;
	const struct io_async_msghdr *m = async;

	if (bpf_core_field_exists(m->vec))
		return (__u64)BPF_CORE_READ(m, vec.iovec);
	return bpf_core_field_exists(old->free_iov) ? (__u64)BPF_CORE_READ(old, free_iov) : 0;
}

/* A vector in the kernel, the iterator of which stands behind what was moved. */
static __always_inline bool uring_vector(struct io *io, __u64 vec, const struct iov_iter *it)
{
	__u64 at = (__u64)BPF_CORE_READ(it, __iov), moved = BPF_CORE_READ(it, iov_offset);
	__u64 passed = (at - vec) / sizeof(struct user_iov);
	struct user_iov v;

	if (!vec || at < vec || passed > URING_PASSED_MAX)
		return false;
	for (__u32 i = 0; i < URING_PASSED_MAX && i < passed; i++) {
		if (bpf_probe_read_kernel(&v, sizeof(v), (void *)(vec + i * sizeof(v))))
			return false;
		moved += v.len;
	}
	if (moved < io->ret)
		return false;
	io->buf = vec;
	io->iovs = passed + BPF_CORE_READ(it, nr_segs);
	io->skip = moved - io->ret;
	io->kernel = 1;
	return true;
}

/* send, sendmsg and their like: the iterator has moved on. */
static __always_inline bool uring_msg(struct io *io, struct io_kiocb *req, void *async)
{
	const struct io_async_msghdr *m = async;
	const struct iov_iter *it = __builtin_preserve_access_index(&m->msg.msg_iter);
	__u32 type = BPF_CORE_READ(it, iter_type);
	__u64 off = BPF_CORE_READ(it, iov_offset);

	if (type == bpf_core_enum_value(enum iter_type, ITER_UBUF)) {
		io->buf = (__u64)BPF_CORE_READ(it, ubuf) + off - io->ret;
		return off >= io->ret;
	}
	if (type == bpf_core_enum_value(enum iter_type, ITER_BVEC)) {
		const struct io_sr_msg *sr = (const struct io_sr_msg *)req;

		io->buf = (__u64)BPF_CORE_READ(sr, buf);
		return (__u64)BPF_CORE_READ(sr, len) - BPF_CORE_READ(it, count) == io->ret;
	}
	if (type != bpf_core_enum_value(enum iter_type, ITER_IOVEC))
		return false;
	return uring_vector(io, uring_vec(async), it);
}

/* read, write and their like: the socket works on a copy of the iterator. */
static __always_inline bool uring_rw(struct io *io, struct io_kiocb *req, void *async)
{
	const struct io_async_rw *rw = async;
	const struct iov_iter *it = __builtin_preserve_access_index(&rw->iter);
	const struct io_rw *cmd = (const struct io_rw *)req;
	__u32 type = BPF_CORE_READ(it, iter_type);
	__u64 off = BPF_CORE_READ(it, iov_offset), count = BPF_CORE_READ(it, count);

	if (count < io->ret)
		return false;
	if (type == bpf_core_enum_value(enum iter_type, ITER_UBUF)) {
		io->buf = (__u64)BPF_CORE_READ(it, ubuf) + off;
	} else if (type == bpf_core_enum_value(enum iter_type, ITER_BVEC)) {
		io->buf = BPF_CORE_READ(cmd, addr) + BPF_CORE_READ(cmd, len) - count;
	} else if (type == bpf_core_enum_value(enum iter_type, ITER_IOVEC)) {
		io->buf = (__u64)BPF_CORE_READ(it, __iov);
		io->iovs = BPF_CORE_READ(it, nr_segs);
		io->skip = off;
		io->kernel = 1;
	} else {
		return false;
	}
	return true;
}

/* Global, so that it is verified once and not in each turn. */
__noinline int uring_try(struct io *io, __u64 file, __u64 request)
{
	struct io_kiocb *req = (struct io_kiocb *)request;
	void *async;
	__u8 op;

	if (!uring_known() || !io || !req || (__u64)BPF_CORE_READ(req, file) != file)
		return 0;
	op = BPF_CORE_READ(req, opcode);
	async = BPF_CORE_READ(req, async_data);
	if (uring_dir(op) != io->dir || !async)
		return 0;
	return uring_is_msg(op) ? uring_msg(io, req, async) : uring_rw(io, req, async);
}

/* The newest that fits. */
static __always_inline bool uring_any(struct io *io, __u64 file, __u64 key)
{
	struct requests *r = bpf_map_lookup_elem(&rings, &key);

	for (__u32 i = 1; r && i <= REQUESTS_MAX && i <= r->n; i++) {
		if (uring_try(io, file, r->req[(r->n - i) & (REQUESTS_MAX - 1)]))
			return true;
	}
	return false;
}

/* The buffer of the call that io_uring has carried out on this socket; false: not known. */
static __noinline bool uring_find(struct io *io, struct sock *sk)
{
	__u64 file;

	if (!uring_known() || !io || !sk)
		return false;
	file = (__u64)BPF_CORE_READ(sk, sk_socket, file);
	return file && (uring_any(io, file, bpf_get_current_pid_tgid()) ||
	                uring_any(io, file, URING_SOCK(sk, io->dir)));
}

#endif
