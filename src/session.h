/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_SESSION_H
#define OBI_SESSION_H

/*
 * session - the one face of the capture for cmd/ and ui/: start, stop, counters,
 * the store. Behind it runs the pipeline (pipeline.h).
 *
 * Life: session_new() checks what can be checked and opens outputs;
 * session_start() attaches and starts the threads; session_poll() says whether
 * it still runs; session_stop() detaches, drains every stage in order and
 * returns once all outputs are written; session_free().
 */

#include "capture/capture.h"
#include "conn/conn.h"
#include "enrich/routes.h"
#include "enrich/usage.h"
#include "recorder.h"
#include "span/pair.h"
#include "span/sample.h"
#include "span/tally.h"
#include "store/agg.h"
#include "store/store.h"
#include "write/writer.h"

enum { SESSION_OUTPUTS = 8 };

struct output {
	const struct writer *writer;
	struct writer_opts opts;
	bool must; /* never drop for it: it waits, and so does everything before it */
};

struct session_opts {
	struct capture_opts capture;   /* where there are no recordings */
	const char *const *recordings; /* -r, in order */
	size_t nrecordings;
	const char *filter; /* SQL over the columns of spans; NULL: all */
	struct routes_opts routes;
	struct sampler sampler; /* which of them are kept; aggregates are of all */
	struct output outputs[SESSION_OUTPUTS];
	unsigned int noutputs;
	const char *raw_path; /* -w x.obiraw; NULL: none */
	bool store;           /* keep rows for SQL and views */
	bool agg;             /* keep aggregates too, of an eighth of the memory; needs store */
	size_t mem_bytes;     /* of the store; 0: 64 MiB */
	bool show_secrets;
	struct header_names headers; /* --header */
	size_t body_bytes;           /* --body: of each; 0: none */
	uint64_t limit;              /* spans shown at most; 0: no limit */
	const char *cmdline;
};

struct session_counts {
	struct tally_counts tally;
	struct capture_stats capture;
	struct conn_stats conn;
	struct pair_stats pair;
	struct store_stats store;
	uint64_t lost_output;          /* rows that an output did not take */
	struct recorder_stats record;  /* of session_record() */
	uint64_t bad_records;          /* of a recording: left out */
	uint64_t undecided;            /* spans shown because the filter failed on them */
	unsigned int attached, probes; /* of those that were wanted */
	double seconds;                /* since the start, to the end of the capture */
	double cpu_seconds;            /* of obi itself */
};

struct session;

/* NULL with -errno in *error and words in err (ERR_TEXT bytes). `o` is copied, its strings borrowed. */
struct session *session_new(const struct session_opts *o, int *error, char *err);

/* 0 or -errno with words in err. */
int session_start(struct session *s, char *err);

/*
 * Waits at most timeout_ms for the end. 1: it has ended of its own accord (end
 * of the recording, -- CMD is gone, an output that must be written failed); 0:
 * it runs.
 */
int session_poll(struct session *s, int timeout_ms);

/* Stops capturing, drains, closes outputs. 0, or the first -errno of an output with words in err. */
int session_stop(struct session *s, char *err);

void session_counts(struct session *s, struct session_counts *out);
const struct probe_state *session_probes(struct session *s, size_t *n);
/* Processes traced now; 0 with the whole host, or a recording. */
size_t session_targets(struct session *s);
struct store *session_store(struct session *s); /* NULL without one */
struct agg *session_agg(struct session *s);     /* likewise */
/*
 * Records from now on into a file (its name says the format), with the
 * connections and processes known so far; path NULL: no longer. Needs the store.
 * Any thread. 0, or -errno with words in err.
 */
int session_record(struct session *s, const char *path, char *err);
/*
 * What a process that is traced now uses, 0 or -errno (-ENOTSUP in a recording),
 * and what it runs on: "go", "python", ...; NULL: unknown.
 */
int session_usage(struct session *s, pid_t pid, struct usage *out);
const char *session_runtime(struct session *s, pid_t pid);
/* Nodes and queues as text: fill, high water, drops. */
void session_describe(struct session *s, struct buf *out);
void session_free(struct session *s);

#endif
