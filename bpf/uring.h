/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef OBI_BPF_URING_H
#define OBI_BPF_URING_H

/*
 * uring.h - io_uring's requests as far as they are looked at, and which are
 * known.
 */

#include "bpf/maps.h"

enum {
	URING_READV = 1,
	URING_WRITEV = 2,
	URING_READ_FIXED = 4,
	URING_WRITE_FIXED = 5,
	URING_SENDMSG = 9,
	URING_RECVMSG = 10,
	URING_READ = 22,
	URING_WRITE = 23,
	URING_SEND = 26,
	URING_RECV = 27,
	URING_SEND_ZC = 47,
	URING_SENDMSG_ZC = 48,
	URING_READ_MULTISHOT = 49,
};

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

enum iter_type { ITER_UBUF, ITER_IOVEC, ITER_BVEC };

struct iov_iter {
	__u8 iter_type;
	unsigned long iov_offset;
	void *ubuf;
	void *__iov;
	unsigned long count;
	unsigned long nr_segs;
};

struct msghdr {
	struct iov_iter msg_iter;
};

struct iou_vec {
	void *iovec;
};

struct io_async_msghdr {
	struct iou_vec vec;
	struct msghdr msg;
};

/* Before Linux 6.15. */
struct io_async_msghdr___old {
	void *free_iov;
};

struct io_async_rw {
	struct iov_iter iter;
};

struct io_kiocb {
	struct file *file;
	__u8 opcode;
	void *async_data;
};

/* These two lie at the start of a request. */
struct io_sr_msg {
	void *buf;
	int len;
};

struct io_rw {
	__u64 addr;
	__u32 len;
};

#pragma clang attribute pop

enum { REQUESTS_MAX = 8 };

/* The newest ones. */
struct requests {
	__u64 req[REQUESTS_MAX];
	__u64 n; /* so many there were */
};

/* By thread, or by URING_SOCK of the socket they wait for. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 8192);
	__type(key, __u64);
	__type(value, struct requests);
} rings SEC(".maps");

#define URING_SOCK(sk, dir) ((__u64)(sk) + (dir))

/* The direction of an operation, -1: none that moves bytes of a socket. */
static __always_inline int uring_dir(__u8 op)
{
	switch (op) {
	case URING_READV:
	case URING_READ_FIXED:
	case URING_RECVMSG:
	case URING_READ:
	case URING_RECV:
	case URING_READ_MULTISHOT:
		return EV_RECV;
	case URING_WRITEV:
	case URING_WRITE_FIXED:
	case URING_SENDMSG:
	case URING_WRITE:
	case URING_SEND:
	case URING_SEND_ZC:
	case URING_SENDMSG_ZC:
		return EV_SEND;
	}
	return -1;
}

#endif
