/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef OBI_BPF_MMSG_H
#define OBI_BPF_MMSG_H

/*
 * mmsg.h - which of its messages a sendmmsg or recvmmsg is at: the socket
 * tracepoints fire once for each and do not say.
 */

#include "bpf/maps.h"
#include "bpf/nr.h"

/* Which message of a sendmmsg or recvmmsg is next. */
struct mmsg {
	__u64 vec;
	__u32 next;
	__u32 last; /* result of the one before: the kernel has written it into the vector */
};

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct mmsg);
} mmsgs SEC(".maps");

/* The message that the call under way is at, 0: unknown. */
static __noinline __u64 mmsg_now(struct task_struct *task, __u64 vec, __u32 vlen, __u32 ret)
{
	struct mmsg *m;
	__u32 len = 0, i;

	m = bpf_task_storage_get(&mmsgs, task, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!m)
		return 0;
	i = m->next;
	if (m->vec != vec || i >= vlen)
		i = 0;
	if (i) {
		bpf_probe_read_user(&len, sizeof(len),
		                    (void *)(vec + (i - 1ULL) * MMSGHDR_SIZE + MMSGHDR_LEN));
		if (len != m->last)
			i = 0;
	}
	m->vec = vec;
	m->last = ret;
	m->next = i + 1;
	return vec + (__u64)i * MMSGHDR_SIZE;
}

/* A call that ends early starts from its first message the next time. */
static __noinline int mmsg_reset(void)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct pt_regs *regs = (struct pt_regs *)bpf_task_pt_regs(task);
	struct mmsg *m;

	if (REGS_NR(regs) != NR_SENDMMSG && REGS_NR(regs) != NR_RECVMMSG)
		return 0;
	m = bpf_task_storage_get(&mmsgs, task, NULL, 0);
	if (m)
		m->vec = 0;
	return 0;
}

#endif
