// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * proc.bpf.c - processes: the children of targets, new programs, the last exit.
 *
 * A child is a target before it runs, so that its first call is seen; names
 * that need no more than a comparison are matched here for the same reason.
 */

#include "bpf/filter.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* A record about a process; `watch`: no target, only user space can tell. */
static __always_inline void proc_record(const struct ev_proc *from, bool watch, const char *file)
{
	struct counts *c = count(COUNTS_TASK);
	struct ev_proc *e;

	if (!c)
		return;
	if (!watch)
		c->fired++;
	e = bpf_ringbuf_reserve(&ring, sizeof(*e), 0);
	if (!e) {
		if (watch)
			c->watched_lost++;
		else
			c->lost++;
		return;
	}
	__builtin_memcpy(e, from, offsetof(struct ev_proc, file));
	__builtin_memset(e->file, 0, sizeof(e->file));
	if (file)
		bpf_probe_read_kernel_str(e->file, sizeof(e->file), file);
	bpf_ringbuf_submit(e, BPF_RB_NO_WAKEUP);
	if (!watch)
		c->records++;
	wake();
}

static __always_inline void proc_of(struct ev_proc *e, const struct task_struct *task, __u16 kind)
{
	__builtin_memset(e, 0, sizeof(*e));
	head_set(&e->h, kind, sizeof(*e));
	e->h.pid = tgid_of(task);
	e->h.tid = tid_of(task);
	BPF_CORE_READ_INTO(&e->comm, task, comm);
}

static __always_inline void target_add(__u32 tgid, __u32 flags)
{
	struct counts *c = count(COUNTS_TASK);
	__u32 *slot = slot_of(tgid);

	if (slot && *slot != tgid)
		*slot = *slot ? SLOT_MANY : tgid;
	if (bpf_map_update_elem(&targets, &tgid, &flags, BPF_ANY) && c)
		c->storage_full++;
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(obi_fork, struct task_struct *parent, struct task_struct *child)
{
	__u32 tgid = tgid_of(parent), *flags;
	struct ev_proc e;

	if (child->tgid != child->pid)
		return 0; /* a thread */
	if (cfg.all) {
		if (!wanted(tgid))
			return 0;
	} else {
		flags = bpf_map_lookup_elem(&targets, &tgid);
		if (!flags || !(*flags & TARGET_FOLLOW))
			return 0;
		target_add(tgid_of(child), *flags);
	}
	proc_of(&e, child, EV_FORK);
	e.ppid = tgid;
	proc_record(&e, false, NULL);
	return 0;
}

static __always_inline bool comm_matches(const __u8 *comm)
{
	__u64 a, b;

	__builtin_memcpy(&a, comm, 8);
	__builtin_memcpy(&b, comm + 8, 8);
	for (__u32 i = 0; i < COMMS_MAX; i++) {
		if (i >= cfg.ncomms)
			break;
		if ((a & cfg.comms[i].mask[0]) == cfg.comms[i].value[0] &&
		    (b & cfg.comms[i].mask[1]) == cfg.comms[i].value[1])
			return true;
	}
	return false;
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(obi_exec, struct task_struct *task, int old_pid, struct linux_binprm *bprm)
{
	__u32 tgid = tgid_of(task);
	bool known = wanted(tgid);
	struct ev_proc e;

	if (!tgid || tgid == cfg.self || (cfg.all && !known))
		return 0;
	proc_of(&e, task, EV_EXEC);
	if (!known && comm_matches(e.comm)) {
		target_add(tgid, cfg.follow ? TARGET_FOLLOW : 0);
		known = true;
	}
	if (!known) {
		if (!cfg.watch_exec)
			return 0;
		e.h.kind = EV_WATCH;
	}
	e.ppid = tgid_of(task->real_parent);
	proc_record(&e, !known, bprm->filename);
	return 0;
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(obi_exit, struct task_struct *task)
{
	struct signal_struct *sig = task->signal;
	__u32 tgid = tgid_of(task), *slot;
	struct ev_proc e;

	if (sig->live.counter)
		return 0; /* other threads live on */
	slot = slot_of(tgid);
	if (slot && *slot == tgid)
		*slot = SLOT_MANY; /* the id may come again */
	/* Two last threads may both see zero: only one of them finds the entry. */
	if (cfg.all ? !wanted(tgid) : bpf_map_delete_elem(&targets, &tgid) != 0)
		return 0;
	proc_of(&e, task, EV_EXIT);
	e.h.tid = tgid;
	e.ppid = tgid_of(task->real_parent);
	e.exit_code = sig->flags & SIGNAL_GROUP_EXIT ? sig->group_exit_code : task->exit_code;
	proc_record(&e, false, NULL);
	return 0;
}
