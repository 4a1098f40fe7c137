/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_ENRICH_USAGE_H
#define OBI_ENRICH_USAGE_H

/* usage - what a running process uses, and what it runs on, as /proc says. */

#include <stdint.h>
#include <sys/types.h>

struct usage {
	int64_t cpu_ns;    /* user and system time since its start */
	int64_t rss_bytes; /* resident memory */
};

/* 0, or -errno: -ESRCH where it is gone, -EACCES where it may not be asked. */
int usage_read(pid_t pid, struct usage *out);

/*
 * "go", "python", "node", "java", "ruby", "php", "dotnet", "erlang"; NULL where it
 * is none of them or cannot be told: by what it has mapped and by the sections
 * of its program. Costs a read of /proc/PID/maps: ask once a process.
 */
const char *usage_runtime(pid_t pid);

#endif
