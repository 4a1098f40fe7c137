/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_ENRICH_WHO_H
#define OBI_ENRICH_WHO_H

/*
 * who - who a process is.
 *
 * Live, who_read() asks /proc once, when a process is first seen, and puts the
 * answer into a record (EV_WHO) that travels with the others; a replay finds it
 * there. The table of processes is built from records alone.
 */

#include <linux/types.h>

#include "bpf/event.h"
#include "span/batch.h"

enum { WHO_RECORD_MAX = 4096 };

/*
 * Fills `out` (WHO_RECORD_MAX bytes) with an EV_WHO record for the process that
 * caused `cause`. Returns its size; 0 where the process is gone.
 */
size_t who_read(const struct ev_head *cause, void *out);

struct procs;
struct procs *procs_new(int64_t wall_offset_ns); /* NULL with errno */
/* EV_WHO, EV_FORK, EV_EXEC, EV_EXIT; others are ignored. */
void procs_record(struct procs *p, const struct ev_head *rec, size_t size);
/* Fills in what is known of row->pid, and of the process at the other end (0: unknown). */
void procs_span(struct procs *p, struct span *row, uint32_t peer_pid, struct batch *b);
void procs_conn(struct procs *p, struct conn_row *row, struct batch *b);
/* Calls `row` for each process that changed since the last call; it fills a new row's texts. */
void procs_changed(struct procs *p, void *(*row)(void *ctx, struct batch **b), void *ctx);
void procs_free(struct procs *p);

#endif
