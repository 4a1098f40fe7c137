/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_READ_READER_H
#define OBI_READ_READER_H

/*
 * reader - recordings back into rows. The kind of a file is told from its
 * content, never from its name: zstd and gzip (unpacked on the way), OTLP JSON
 * lines or any stream of JSON values, length-prefixed or single protobuf,
 * SQLite, raw records.
 */

#include "span/batch.h"

enum recording {
	RECORDING_OTLP_JSON = 1,
	RECORDING_OTLP_PB,
	RECORDING_DB,
	RECORDING_RAW, /* read it with capture_replay() */
};

struct read_stats {
	uint64_t rows[TABLE_MAX];
	uint64_t bad;           /* lines or messages that could not be read and were left out */
	uint64_t bad_at;        /* byte of the first of them, in the unpacked stream */
	uint64_t logs, metrics; /* of other programs: counted, there is no table for them */
	bool truncated;         /* the last record is cut off */
	uint64_t cut_at;        /* at this byte of the unpacked stream */
	bool foreign;           /* not written by obi */
};

struct reader;
/* "-" is stdin. NULL with errno and a message in err (ERR_TEXT bytes). */
struct reader *reader_open(const char *path, char *err);
enum recording reader_kind(const struct reader *r);
/* For RECORDING_RAW: the file, rewound and unpacked; owned by the caller from here on. -1 with errno. */
int reader_take_fd(struct reader *r);

/*
 * Fills b with rows until it is full. Returns the number of rows, 0 at the end,
 * -errno where nothing more can be read (what came before stays good).
 */
int reader_next(struct reader *r, struct batch *b);
void reader_stats(const struct reader *r, struct read_stats *out);
void reader_close(struct reader *r);

#endif
