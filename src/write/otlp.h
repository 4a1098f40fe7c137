/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_WRITE_OTLP_H
#define OBI_WRITE_OTLP_H

/*
 * otlp - rows to OTLP messages. The mapping stands here once, driven by
 * columns.def; a back end (JSON, protobuf) only knows how to write it down.
 *
 * Spans become spans, grouped by resource; rows of other tables become log
 * records with an event name and their columns as attributes.
 */

#include "span/batch.h"
#include "span/place.h"
#include "write/writer.h"

enum otlp_signal { OTLP_TRACES, OTLP_LOGS, OTLP_SIGNALS };

/* An attribute's value. */
struct otlp_value {
	enum { OTLP_NONE, OTLP_TEXT, OTLP_INT, OTLP_REAL, OTLP_BOOL, OTLP_NESTED } kind;
	struct str s; /* TEXT: any bytes; NESTED: a JSON object or array */
	int64_t i;    /* INT, BOOL */
	double d;
};

/* A span or a log record without its attributes. */
struct otlp_item {
	const uint8_t *trace_id, *span_id, *parent; /* NULL: none */
	struct str name;                            /* of the span, or event name */
	unsigned int kind;
	uint64_t start, end; /* log record: start only */
	bool error;
	uint32_t flags;
};

struct otlp_enc;

/*
 * Calls come in this order, each level as often as needed:
 *   message ( resource attr* scope ( item attr* item_end )* resource_end )* message_end
 */
struct otlp_backend {
	const char *content_type;
	void (*message)(struct otlp_enc *e);
	void (*resource)(struct otlp_enc *e);
	void (*attr)(struct otlp_enc *e, struct str key, const struct otlp_value *v);
	void (*scope)(struct otlp_enc *e);
	void (*item)(struct otlp_enc *e, const struct otlp_item *it);
	void (*item_end)(struct otlp_enc *e);
	void (*resource_end)(struct otlp_enc *e);
	void (*message_end)(struct otlp_enc *e);
};

extern const struct otlp_backend otlp_json, otlp_pb;

/* A finished message; nonzero stops and is returned. */
typedef int (*otlp_emit)(void *ctx, enum otlp_signal signal, struct str message, unsigned int rows);

enum { OTLP_ROWS = 100, OTLP_BYTES = 512 << 10 }; /* of one message, at most (and one row) */

struct otlp_enc {
	const struct otlp_backend *be;
	const struct run_info *run;
	struct str version;
	enum otlp_signal signal; /* of the message that is being written */
	struct buf out;          /* the message */
	unsigned int rows;       /* in it */
	size_t max_bytes;        /* of it; OTLP_BYTES unless made smaller */
	bool comma;              /* JSON: something stands before on this level */
	size_t mark[4];          /* protobuf: open messages */
	uint32_t attr_field;     /* protobuf: number of the attributes here */
	struct buf text;         /* scratch for one decoded value */
	struct str
		lists[PLACE_LISTS]; /* of this span, by place_lists: JSON arrays; s == NULL: none */
	struct buf state, message;  /* of this span: its tracestate, and of its status */
	bool error;                 /* its status */
	struct str resource;        /* of the batch; see batch.h */
	struct places places;
	otlp_emit emit;
	void *ctx;
};

void otlp_init(struct otlp_enc *e, const struct otlp_backend *be, const struct run_info *run,
               otlp_emit emit, void *ctx);
void otlp_fini(struct otlp_enc *e);

/* All rows of b as messages. 0 or -errno, or what emit returned. */
int otlp_batch(struct otlp_enc *e, const struct batch *b);
/* Only those of one signal. */
int otlp_signal_batch(struct otlp_enc *e, enum otlp_signal signal, const struct batch *b);

/* The first record of a recording, and the last: how many rows were written and lost. */
int otlp_capture_start(struct otlp_enc *e);
int otlp_capture_end(struct otlp_enc *e, const uint64_t rows[TABLE_MAX], uint64_t lost);

#endif
