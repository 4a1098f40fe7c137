/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_CAPTURE_SOURCE_H
#define OBI_CAPTURE_SOURCE_H

/*
 * source - what capture.h calls, per kind of source: live.c, replay.c.
 *
 * A source begins with struct capture. Operations that it lacks are NULL.
 */

#include "capture/capture.h"

struct source {
	int (*poll)(struct capture *c, int timeout_ms, capture_fn fn, void *ctx);
	void (*interest)(struct capture *c, uint64_t conn, enum ev_level level);
	void (*skip)(struct capture *c, uint64_t conn, int dir, uint64_t until);
	int (*rules)(struct capture *c, const struct capture_rule *rules, size_t n);
	int (*add)(struct capture *c, pid_t pid);
	size_t (*targets)(const struct capture *c);
	void (*stats)(struct capture *c, struct capture_stats *out);
	const struct probe_state *(*probes)(struct capture *c, size_t *n);
	int64_t (*wall_offset)(const struct capture *c);
	void (*close)(struct capture *c);
};

struct capture {
	const struct source *source;
};

#endif
