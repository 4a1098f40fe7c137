/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_CAPTURE_PROBES_H
#define OBI_CAPTURE_PROBES_H

/*
 * probes - the BPF objects: loaded one by one, so that one that the kernel
 * refuses leaves the others alone, with their maps shared.
 *
 * Everything hangs on descriptors of this process and goes with it, however it
 * dies.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <linux/types.h>

#include "bpf/config.h"
#include "capture/capture.h"

enum { PROBES_MAX = 16, PROBES_OBJECTS = 8, PROBES_MAPS = 24 };

struct bpf_object;
struct bpf_program;
struct bpf_link;

struct probes {
	struct {
		void *skel;
		struct bpf_object *obj;
		void (*destroy)(void *skel);
	} objects[PROBES_OBJECTS];
	struct {
		const char *name;
		int fd; /* borrowed from the object that created it */
	} maps[PROBES_MAPS];
	struct probe_state states[PROBES_MAX];
	struct bpf_program *progs[PROBES_MAX];
	struct bpf_link *links[PROBES_MAX];
	size_t nobjects, nmaps, nstates;
	struct bpf_program *iter;
	struct probe_state *iter_state;
	uint32_t ring_bytes;
	int ncpus;
};

/*
 * Loads, and attaches nothing yet. -EPERM, -ENOSYS or what the kernel said,
 * with a message in err, if no object that sees data can be had.
 */
int probes_load(struct probes *p, struct config *cfg, uint32_t ring_bytes, unsigned int without,
                char *err);
/* `progress` may be NULL. */
int probes_attach(struct probes *p, struct capture_progress *progress, char *err);
/* Descriptor of a map by name, -1: none. */
int probes_map(const struct probes *p, const char *name);
/* Runs the iterator over open sockets, of one process or (0) of all targets. 0 or -errno. */
int probes_list(struct probes *p, pid_t pid);
/* The kernel's account of run time, into states. */
void probes_account(struct probes *p);
void probes_close(struct probes *p);

#endif
