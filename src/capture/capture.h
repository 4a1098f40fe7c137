/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_CAPTURE_CAPTURE_H
#define OBI_CAPTURE_CAPTURE_H

/*
 * capture - the kernel, or a recording of what it said, as a source of records
 * (bpf/event.h). Everything behind this interface is the same for both.
 *
 * One thread calls capture_poll(); capture_interest() and capture_stats() may
 * be called from any thread.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <linux/types.h>
#include <sys/types.h>

#include "bpf/event.h"
#include "base/str.h"

/* Whom to trace. All lists may be empty; they add up. Strings are borrowed until capture_close(). */
struct target_spec {
	bool all;       /* the whole host */
	bool no_follow; /* not the children of the processes */
	const pid_t *pids;
	size_t npids;
	const char *const *comms; /* globs, fnmatch(3) */
	size_t ncomms;
	const char *const *exes; /* globs over the path, or over its last part if without slash */
	size_t nexes;
	const char *const *cgroups; /* paths below the cgroup root, or absolute */
	size_t ncgroups;
	const char *const *users;
	size_t nusers;
	pid_t never; /* never trace it: this process is always in that set; 0: no other */
};

/* Single capabilities that a test turns off, to run the code of older kernels here (OBI_WITHOUT). */
enum {
	WITHOUT_SOCK_TRACEPOINTS = 1 << 0, /* sock_send_length, sock_recv_length: use sys_exit */
	WITHOUT_SK_STORAGE = 1 << 1,       /* storage helpers: plain hashes by sock address */
	WITHOUT_FETCH_ATOMICS = 1 << 2,    /* atomics with fetch, cookies */
};

/* How far attaching is; written by the thread that attaches, read by any. */
struct capture_progress {
	_Atomic unsigned int attached, probes; /* probes == 0: still loading */
};

struct capture_opts {
	struct target_spec targets;
	uint32_t head_bytes;  /* EV_LEVEL_HEAD: from the front of a call; default 4096 */
	uint32_t tail_bytes;  /* and from its end; default 128 */
	uint32_t full_bytes;  /* EV_LEVEL_FULL: of a call; of each 64 KiB piece; default 65536 */
	uint32_t ring_bytes;  /* power of two; default 16 MiB */
	unsigned int without; /* WITHOUT_* */
	bool no_payload;      /* --payload none */
	struct capture_progress *progress; /* may be NULL */
};

/* One probe, for `obi doctor` and the header line. */
struct probe_state {
	const char *name; /* "socket send and receive" */
	const char *hook; /* "tp_btf/sock_send_length" */
	bool needed;      /* nothing works without it */
	bool attached;
	bool skipped;  /* not asked for, or another one serves */
	char why[160]; /* why not, in words; empty when attached */
	uint64_t run_ns,
		run_cnt; /* the kernel's own account, 0 where kernel.bpf_stats_enabled is 0 */
};

/* Counters since the start; all 64-bit, exact. */
struct capture_stats {
	uint64_t fired;   /* hook firings that wanted a record */
	uint64_t records; /* records handed to user space */
	uint64_t lost; /* firings whose record did not fit into the ring: fired = records + lost */
	uint64_t lost_bytes;   /* payload bytes of the application inside those */
	uint64_t muted;        /* firings on muted connections: counted, no record wanted */
	uint64_t faults;       /* user memory that could not be read */
	uint64_t storage_full; /* connections that found no room in a kernel map */
	uint64_t unknown; /* recording: records of a kind this version does not know, skipped */
	bool from_recording;
};

struct capture;

/* Called for each record, in ring order; `rec` lives until it returns. Nonzero stops the poll. */
typedef int (*capture_fn)(void *ctx, const struct ev_head *rec, size_t size);

/*
 * Loads and attaches what `opts` needs. A probe that cannot be had is listed in
 * capture_probes() and the rest goes on; fails only where nothing would work.
 * NULL with errno (EPERM, ENOSYS: no BTF or no ring buffer, ESRCH: no process
 * matches) and a message in err (ERR_TEXT bytes).
 */
struct capture *capture_live(const struct capture_opts *opts, char *err);

/* Reads FILE.obiraw; `fd` is owned from here on. NULL with errno and a message in err. */
struct capture *capture_replay(int fd, char *err);

/*
 * Hands out what there is, waits up to timeout_ms for something. Returns the
 * number of records, 0 on a time-out, -ENODATA at the end of a recording, else
 * -errno (what fn returned, if negative).
 */
int capture_poll(struct capture *c, int timeout_ms, capture_fn fn, void *ctx);

/* User space's answer for one connection, obeyed from its next call on. Recordings ignore it. */
void capture_interest(struct capture *c, uint64_t conn, enum ev_level level);

/*
 * Bytes of this direction (enum ev_dir) before offset `until` belong to a body
 * that nobody reads: they need not be copied. After capture_interest() only.
 */
void capture_skip(struct capture *c, uint64_t conn, int dir, uint64_t until);

/* Level by stage 1 class, before user space has answered; see proto_rule. Before the first poll. */
struct capture_rule {
	uint8_t class, level, off, len;
	uint8_t value[8], mask[8];
};
int capture_rules(struct capture *c, const struct capture_rule *rules, size_t n);

/* Adds a process (and its children unless no_follow) while tracing. */
int capture_add(struct capture *c, pid_t pid);
size_t capture_targets(const struct capture *c); /* processes traced now; 0 with `all` */

void capture_stats(struct capture *c, struct capture_stats *out);
const struct probe_state *capture_probes(struct capture *c, size_t *n);

/* ns to add to CLOCK_MONOTONIC to get Unix time: measured now (live) or recorded. */
int64_t capture_wall_offset(const struct capture *c);

/* Detaches everything and frees; NULL is fine. */
void capture_close(struct capture *c);

/*
 * The other side of capture_replay(): a raw recording.
 * File: struct raw_head, then records as the ring gave them, each padded to 8
 * bytes; at the end a record of kind RAW_END with the kernel's counters.
 */
struct raw_head {
	char magic[8];       /* "OBIRAW\r\n" */
	uint32_t byte_order; /* 0x01020304 as written */
	uint16_t version;    /* RAW_VERSION */
	uint16_t head_size;  /* of this struct */
	uint16_t sizes[8];   /* sizeof ev_head, ev_data, ev_conn, ev_close, ev_proc, 0 ... */
	char arch[16];       /* "x86_64" */
	char kernel[64];
	char boot_id[40];
	char host[64];
	int64_t wall_offset_ns;
};
enum { RAW_VERSION = 1, RAW_END = 0xffff };

struct record_writer;
struct record_writer *record_open(int fd, int64_t wall_offset_ns); /* owns fd; NULL with errno */
int record_add(struct record_writer *w, const struct ev_head *rec, size_t size); /* 0 or -errno */
int record_close(struct record_writer *w, const struct capture_stats *stats);    /* 0 or -errno */

#endif
