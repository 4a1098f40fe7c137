/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_CAPTURE_LIVE_LEVELS_H
#define OBI_CAPTURE_LIVE_LEVELS_H

/*
 * live_levels - what is wanted of each connection, told to the probes.
 *
 * The table is memory that both sides have mapped (struct bucket): a verdict costs
 * no system call. Only the thread that polls writes; the probes read at any time.
 */

#include <stdint.h>
#include <linux/types.h>

#include "bpf/config.h"
#include "bpf/event.h"

void live_levels_set(struct bucket *table, uint64_t conn, enum ev_level level);
/* Bytes of this direction before `until` are wanted by nobody. */
void live_levels_skip(struct bucket *table, uint64_t conn, int dir, uint64_t until);

#endif
