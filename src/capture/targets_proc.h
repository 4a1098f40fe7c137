/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_CAPTURE_TARGETS_PROC_H
#define OBI_CAPTURE_TARGETS_PROC_H

/* targets_proc - what /proc says about processes. Texts are NUL-terminated; 0 or -errno. */

#include "capture/targets.h"

int proc_list(struct pidset *out);
int proc_comm(pid_t pid, char *out, size_t size);
int proc_exe(pid_t pid, char *out, size_t size);
int proc_cgroup(pid_t pid, char *out, size_t size); /* v2, else the first that is not the root */
int proc_uid(pid_t pid, uid_t *out);
pid_t proc_parent(pid_t pid); /* 0: unknown */
pid_t proc_tgid(pid_t pid);   /* of a process or thread; 0: gone */
/* "checkout (4242), checkout-worker (4301)": names that look like it. */
void proc_similar(const struct pidset *all, const char *name, char *out, size_t size);

/*
 * The PID namespace that /proc and this program are in: 0 is the host's, which
 * needs no translation. -EXDEV where they differ: ids would mean two things.
 */
int proc_pidns(uint32_t *out);

#endif
