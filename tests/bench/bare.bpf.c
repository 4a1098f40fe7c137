/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * bare - the least that a tracer of socket calls can do: the floor of the benchmark.
 *
 * 256 bytes of what one process sends and receives go into a ring that is never
 * woken for. No connections, no protocols, no limits.
 */
#include "vmlinux.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

char LICENSE[] SEC("license") = "Dual BSD/GPL";

enum { CAP = 256 };

const volatile __u32 target = 0;

struct ev {
	__u64 ts, pidtgid, fdlen;
	__u32 nr, cap;
	__u8 data[CAP];
};

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 16 << 20);
} ring SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, __u64);
} counts SEC(".maps"); /* written, dropped */

static __always_inline void count(__u32 which)
{
	__u64 *n = bpf_map_lookup_elem(&counts, &which);

	if (n)
		__sync_fetch_and_add(n, 1);
}

static __always_inline int event(int ret)
{
	struct pt_regs *r;
	struct ev *e;
	const void *buf;
	__u32 n;

	if (bpf_get_current_pid_tgid() >> 32 != target || ret <= 0)
		return 0;
	r = (void *)bpf_task_pt_regs(bpf_get_current_task_btf());
	buf = (const void *)PT_REGS_PARM2_CORE(r);
	if (r->orig_ax == 20 || r->orig_ax == 19) { /* writev, readv */
		struct iovec v = {};

		bpf_probe_read_user(&v, sizeof(v), buf);
		buf = v.iov_base;
	}
	e = bpf_ringbuf_reserve(&ring, sizeof(*e), 0);
	if (!e) {
		count(1);
		return 0;
	}
	e->ts = bpf_ktime_get_ns();
	e->pidtgid = bpf_get_current_pid_tgid();
	e->fdlen = PT_REGS_PARM1_CORE(r) << 32 | (__u32)ret;
	e->nr = r->orig_ax;
	n = ret > CAP ? CAP : ret;
	n &= 0x1ff;
	if (n > CAP)
		n = CAP;
	e->cap = n;
	bpf_probe_read_user(e->data, n, buf);
	bpf_ringbuf_submit(e, BPF_RB_NO_WAKEUP);
	count(0);
	return 0;
}

SEC("tp_btf/sock_send_length")
int BPF_PROG(bare_send, struct sock *sk, int ret, int flags)
{
	return event(ret);
}

SEC("tp_btf/sock_recv_length")
int BPF_PROG(bare_receive, struct sock *sk, int ret, int flags)
{
	return event(ret);
}
