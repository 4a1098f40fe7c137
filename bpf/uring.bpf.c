// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * uring.bpf.c - which request io_uring works on, for the bytes of it.
 *
 * Beside the socket tracepoints, which see that bytes have moved. A request is
 * carried out where it is handed in, or by the thread that looks up its file,
 * or when the socket that it waits for is ready.
 */

#include "bpf/filter.h"
#include "bpf/uring.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

static __always_inline void remember(__u64 key, const struct io_kiocb *req)
{
	struct requests first = { .req = { (__u64)req }, .n = 1 };
	struct requests *r = bpf_map_lookup_elem(&rings, &key);

	if (!r) {
		bpf_map_update_elem(&rings, &key, &first, BPF_ANY);
	} else if (r->req[(r->n - 1) & (REQUESTS_MAX - 1)] != (__u64)req) {
		r->req[r->n & (REQUESTS_MAX - 1)] = (__u64)req;
		r->n++;
	}
}

static __always_inline int of_thread(const struct io_kiocb *req)
{
	__u64 thread = bpf_get_current_pid_tgid();

	if (wanted(thread >> 32) && uring_dir(BPF_CORE_READ(req, opcode)) >= 0)
		remember(thread, req);
	return 0;
}

SEC("tp_btf/io_uring_submit_req")
int BPF_PROG(obi_uring_submit, struct io_kiocb *req)
{
	return of_thread(req);
}

SEC("tp_btf/io_uring_file_get")
int BPF_PROG(obi_uring_file, struct io_kiocb *req)
{
	return of_thread(req);
}

SEC("tp_btf/io_uring_poll_arm")
int BPF_PROG(obi_uring_wait, struct io_kiocb *req)
{
	int dir = uring_dir(BPF_CORE_READ(req, opcode));
	struct socket *socket = NULL;
	struct file *file;

	if (dir < 0 || !wanted(current_id() >> 32))
		return 0;
	file = BPF_CORE_READ(req, file);
	if ((BPF_CORE_READ(file, f_inode, i_mode) & S_IFMT) != S_IFSOCK)
		return 0;
	BPF_CORE_READ_INTO(&socket, file, private_data);
	remember(URING_SOCK(BPF_CORE_READ(socket, sk), dir), req);
	return 0;
}
