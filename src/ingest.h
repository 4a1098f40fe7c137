/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_INGEST_H
#define OBI_INGEST_H

/*
 * ingest - the stages between records and rows, joined in one thread: conn,
 * proto, span, enrich, redaction, filter, tally. It has no threads and no
 * files of its own, so that a test feeds it records and looks at the rows.
 */

#include "capture/capture.h"
#include "conn/conn.h"
#include "enrich/routes.h"
#include "span/pair.h"
#include "span/sample.h"
#include "span/tally.h"
#include "store/store.h"

struct ingest_opts {
	struct batch_pool *pool;
	/* Takes a batch with its reference: the rows that are shown, and those left out. */
	void (*emit)(void *ctx, struct batch *b);
	void *ctx;
	struct capture *capture; /* for the answers to the kernel; NULL: none */
	struct tally *tally;
	const char *filter; /* NULL: all */
	bool show_secrets;
	struct header_names headers; /* --header */
	size_t body_bytes;           /* --body: of each; 0: none */
	bool spans_only;             /* nobody but the tally looks at rows of other tables */
	int64_t wall_offset_ns;
	uint64_t seed;
	size_t mem_bytes; /* --mem: a quarter of it for bytes that wait to be parsed; 0: default */
	uint64_t limit;   /* spans shown at most; 0: no limit */
	struct routes_opts routes;
	struct sampler sampler;
};

struct ingest_stats {
	struct conn_stats conn;
	struct pair_stats pair;
	uint64_t undecided; /* spans that are shown because the filter failed on them */
};

struct ingest;
/* NULL with words in err (ERR_TEXT bytes) and errno. */
struct ingest *ingest_new(const struct ingest_opts *o, char *err);
/* One record, with its number in ring order. */
void ingest_record(struct ingest *g, const struct ev_head *rec, size_t size, uint64_t seq);
/* Rows that came from elsewhere (a recording): redaction, filter, tally, emit. Takes the reference. */
void ingest_batch(struct ingest *g, struct batch *b);
/* Nothing is on its way, and it is now_ns: what takes too long is over. */
void ingest_idle(struct ingest *g, uint64_t now_ns);
/* Hands over what is finished. */
void ingest_flush(struct ingest *g);
/* The end: open requests and connections become rows; facts of the capture too. */
void ingest_finish(struct ingest *g, const struct capture_stats *cs);
/* Any thread; as of the last flush. */
void ingest_stats(struct ingest *g, struct ingest_stats *out);
bool ingest_full(const struct ingest *g); /* the limit is reached; any thread */
void ingest_free(struct ingest *g);

#endif
