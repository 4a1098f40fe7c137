/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_CAPTURE_TARGETS_H
#define OBI_CAPTURE_TARGETS_H

/*
 * targets - which processes are meant: those that run now, found in /proc, and
 * those that start later, told of by the probes.
 */

#include "capture/capture.h"
#include "bpf/config.h"

/* A set of process ids. Zero-initialise. */
struct pidset {
	pid_t *pid;
	size_t n, cap;
};

int pidset_add(struct pidset *s, pid_t pid); /* 0 or -ENOMEM; once is enough */
bool pidset_has(const struct pidset *s, pid_t pid);
void pidset_free(struct pidset *s);

/* Some pattern of the spec fits this process as it is now. */
bool targets_match(const struct target_spec *spec, pid_t pid);
/* A pattern is there that the kernel cannot decide by itself. */
bool targets_watch(const struct target_spec *spec);
/* The names that it can: into cfg. */
void targets_comms(const struct target_spec *spec, struct config *cfg);
/*
 * All processes that are meant now, with their children. -ESRCH with a message:
 * a pid is gone, or nothing matches; -EINVAL: no such user.
 */
int targets_find(const struct target_spec *spec, struct pidset *out, char *err);
/* Who must not be traced with `all`: this process, what shows its terminal. */
int targets_never(const struct target_spec *spec, struct pidset *out);

/*
 * The PID namespace to speak of, as cfg.pidns; says so where it is not the host's
 * and the whole host is meant. 0 or -errno with words in err.
 */
int targets_pidns(const struct target_spec *spec, uint32_t *out, char *err);

#endif
