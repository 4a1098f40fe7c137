/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_WRITE_SINK_H
#define OBI_WRITE_SINK_H

/*
 * sink - the file below a writer: opening with the right owner, compression,
 * whole records only, rotation, and one message when it can take no more.
 */

#include "write/writer.h"

enum sink_pack { SINK_PLAIN, SINK_GZIP, SINK_ZSTD };

struct sink;

/*
 * Opens o->path (or takes o->fd). `part` is put before the ending ("traces"
 * makes run.traces.otlp of run.otlp); NULL: none. NULL with errno and a message
 * in err.
 */
struct sink *sink_open(const struct writer_opts *o, const char *part, enum sink_pack pack,
                       char *err);

/*
 * One record, whole: after a kill or on a full disk the file ends at a record,
 * or inside the last one. 0 or -errno, which stays: later calls return it again.
 */
int sink_write(struct sink *s, struct str record);
int sink_flush(struct sink *s); /* ends the compressed frame: all is readable now */

/*
 * Whether a record of so many bytes leaves the file within the size that was
 * asked for; may end the compressed frame to know. If not, sink_rotate()
 * renames the file and begins a new one.
 */
bool sink_has_room(struct sink *s, size_t len);
int sink_rotate(struct sink *s);

/* Frees s. The first error with a message in err (may be NULL), or 0. */
int sink_close(struct sink *s, char *err);

enum sink_pack sink_pack_of(const char *path); /* by its ending */

#endif
