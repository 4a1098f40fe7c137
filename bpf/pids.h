/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef OBI_BPF_PIDS_H
#define OBI_BPF_PIDS_H

/*
 * pids.h - process ids as the /proc that obi reads has them.
 *
 * In the host's PID namespace they are the kernel's own, and the rest of this
 * file is dead code. In a container a process has an id for each namespace up to
 * the host's; one that lives outside of obi's has none there: 0.
 */

#include "bpf/maps.h"

struct pid_namespace {
	struct ns_common ns;
} __attribute__((preserve_access_index));

struct upid {
	int nr;
	struct pid_namespace *ns;
} __attribute__((preserve_access_index));

struct pid {
	unsigned int level;
	struct upid numbers[1];
} __attribute__((preserve_access_index));

enum { PID_LEVELS = 4 }; /* namespaces that are tried, the task's own first */

static __noinline __u32 pid_number(const struct pid *pid)
{
	__u32 level = BPF_CORE_READ(pid, level);
	const void *numbers = (const void *)pid + bpf_core_field_offset(pid->numbers);

	for (__u32 i = 0; i < PID_LEVELS; i++) {
		const struct upid *u;

		if (i > level)
			break;
		u = numbers + (level - i) * sizeof(*u);
		if (BPF_CORE_READ(u, ns, ns.inum) == cfg.pidns)
			return (__u32)BPF_CORE_READ(u, nr);
	}
	return 0;
}

static __always_inline __u32 tgid_of(const struct task_struct *task)
{
	if (!cfg.pidns)
		return (__u32)BPF_CORE_READ(task, tgid);
	return pid_number(BPF_CORE_READ(task, group_leader, thread_pid));
}

static __always_inline __u32 tid_of(const struct task_struct *task)
{
	if (!cfg.pidns)
		return (__u32)BPF_CORE_READ(task, pid);
	return pid_number(BPF_CORE_READ(task, thread_pid));
}

/* Like bpf_get_current_pid_tgid(). */
static __always_inline __u64 current_id(void)
{
	const struct task_struct *task;

	if (!cfg.pidns)
		return bpf_get_current_pid_tgid();
	task = (const struct task_struct *)bpf_get_current_task();
	return (__u64)tgid_of(task) << 32 | tid_of(task);
}

#endif
