/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_WRITE_WRITER_H
#define OBI_WRITE_WRITER_H

/*
 * writer - rows to the outside. One output is one file with one `const struct
 * writer`; pipeline.c runs each in a thread of its own as a subscriber of the
 * fan-out, and calls these functions from that thread alone.
 */

#include "span/batch.h"

/* What every output may need to know about the run. */
struct run_info {
	const char *version; /* of obi */
	const char *cmdline;
	const char *kernel, *boot_id, *host; /* NULL: not known */
	int64_t wall_offset_ns;              /* CLOCK_MONOTONIC + this = Unix time */
	bool show_secrets;
};

struct writer_opts {
	const char *path;      /* file, "-" for stdout, or URL */
	int fd;                /* >= 0: write here instead of opening path (stdout) */
	uint64_t rotate_bytes; /* 0: never */
	unsigned int keep;     /* rotated files that stay; 0: all */
	bool split;            /* one file a signal */
	int width;             /* text on a terminal: columns of the screen; 0: any */
	const char *columns;   /* text, csv: "a,b,+c,-d"; NULL: default */
	bool tables;           /* rows of all tables, not spans only */
	const struct run_info *run;
};

struct writer {
	const char *name;
	bool spans; /* takes spans alone, unless opts.tables */
	/* 0 and *state, or -errno with a message in err (ERR_TEXT bytes). */
	int (*open)(const struct writer_opts *o, void **state, char *err);
	/* 0 or -errno; after an error the writer is closed and its rows are counted as not written. */
	int (*rows)(void *state, const struct batch *b);
	int (*flush)(void *state); /* what was given is on its way; called when idle */
	/* Writes what is left, frees. 0 or -errno. `err` as in open. */
	int (*close)(void *state, char *err);
	/* Rows given but rejected, dropped after retries, or not written; may be NULL. */
	uint64_t (*lost)(void *state);
};

extern const struct writer writer_text, writer_json, writer_csv; /* spans as lines */
extern const struct writer writer_otlp_json, writer_otlp_pb;     /* recordings: all tables */
extern const struct writer writer_otlp_http;                     /* live export */
extern const struct writer writer_db;                            /* SQLite file */

/* The writer for a recording by the name of its file (cli.md, -w); NULL: unknown ending. */
const struct writer *writer_for(const char *path);

#endif
