/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef OBI_BPF_NR_H
#define OBI_BPF_NR_H

/*
 * nr.h - system calls that move bytes through sockets: their numbers and where
 * their arguments lie, by architecture.
 */

#include "bpf/types.h"

#if defined(__TARGET_ARCH_x86)
enum {
	NR_READ = 0,
	NR_WRITE = 1,
	NR_READV = 19,
	NR_WRITEV = 20,
	NR_SENDFILE = 40,
	NR_SENDTO = 44,
	NR_RECVFROM = 45,
	NR_SENDMSG = 46,
	NR_RECVMSG = 47,
	NR_SPLICE = 275,
	NR_RECVMMSG = 299,
	NR_SENDMMSG = 307,
	NR_PREADV2 = 327,
	NR_PWRITEV2 = 328,
};
#define REGS_NR(r)   ((__s64)(r)->orig_ax)
#define REGS_ARG0(r) ((r)->di)
#define REGS_ARG1(r) ((r)->si)
#define REGS_ARG2(r) ((r)->dx)
#define REGS_ARG3(r) ((r)->r10)
#define REGS_ARG4(r) ((r)->r8)
/* A 32-bit system call: other numbers, other structures. */
#define TS_COMPAT                2
#define IS_COMPAT(status, flags) ((status)&TS_COMPAT)
#else
enum {
	NR_READ = 63,
	NR_WRITE = 64,
	NR_READV = 65,
	NR_WRITEV = 66,
	NR_SENDFILE = 71,
	NR_SPLICE = 76,
	NR_SENDTO = 206,
	NR_RECVFROM = 207,
	NR_SENDMSG = 211,
	NR_RECVMSG = 212,
	NR_RECVMMSG = 243,
	NR_SENDMMSG = 269,
	NR_PREADV2 = 286,
	NR_PWRITEV2 = 287,
};
#define REGS_NR(r)               ((__s64)(r)->syscallno)
#define REGS_ARG0(r)             ((r)->orig_x0)
#define REGS_ARG1(r)             ((r)->regs[1])
#define REGS_ARG2(r)             ((r)->regs[2])
#define REGS_ARG3(r)             ((r)->regs[3])
#define REGS_ARG4(r)             ((r)->regs[4])
#define TIF_32BIT                (1UL << 22)
#define IS_COMPAT(status, flags) ((flags)&TIF_32BIT)
#endif

/* What the second argument of a call points at. */
enum nr_kind { NR_OTHER, NR_BUF, NR_IOV, NR_MSG, NR_MMSG, NR_FILE };

static __always_inline enum nr_kind nr_kind(__s64 nr, bool send)
{
	switch (nr) {
	case NR_READ:
	case NR_RECVFROM:
		return send ? NR_OTHER : NR_BUF;
	case NR_WRITE:
	case NR_SENDTO:
		return send ? NR_BUF : NR_OTHER;
	case NR_READV:
	case NR_PREADV2:
		return send ? NR_OTHER : NR_IOV;
	case NR_WRITEV:
	case NR_PWRITEV2:
		return send ? NR_IOV : NR_OTHER;
	case NR_RECVMSG:
		return send ? NR_OTHER : NR_MSG;
	case NR_SENDMSG:
		return send ? NR_MSG : NR_OTHER;
	case NR_RECVMMSG:
		return send ? NR_OTHER : NR_MMSG;
	case NR_SENDMMSG:
		return send ? NR_MMSG : NR_OTHER;
	case NR_SENDFILE:
	case NR_SPLICE:
		return NR_FILE;
	}
	return NR_OTHER;
}

#endif
