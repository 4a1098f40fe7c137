/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef OBI_BPF_CALL_H
#define OBI_BPF_CALL_H

/*
 * call.h - the system call that has ended, and the socket behind its descriptor
 * by a walk through the file table.
 */

#include "bpf/io.h"

enum { MSGS_MAX = 32 };

/* The call that has ended; kept in a map, where functions that are verified alone find it. */
struct call {
	struct sock *sk;
	__u64 inode;
	__u64 arg1, arg2, arg3, arg4;
	__u64 nr;
	__u32 ret;
	__u32 kind;
	__u32 nonblock;
	__u32 flags;         /* EV_F_* of each message */
	__u32 tcp, end;      /* of the last message */
	__u32 len[MSGS_MAX]; /* of each message */
	__u32 rest;          /* bytes of the messages to come */
	__u32 dir;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct call);
} calls SEC(".maps");

static __always_inline struct call *call_here(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&calls, &zero);
}

/* The socket behind a descriptor. */
static __always_inline bool find(struct call *c, __u32 fd)
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
	c->inode = BPF_CORE_READ(inode, i_ino);
	c->nonblock = BPF_CORE_READ(file, f_flags) & O_NONBLOCK;
	BPF_CORE_READ_INTO(&socket, file, private_data);
	sk = BPF_CORE_READ(socket, sk);
	c->sk = sk;
	return sk && family_wanted(BPF_CORE_READ(sk, __sk_common.skc_family)) &&
	       type_wanted(BPF_CORE_READ(sk, sk_type), BPF_CORE_READ(sk, sk_protocol),
	                   BPF_CORE_READ(sk, __sk_common.skc_family));
}

#endif
