/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_READ_OTLP_H
#define OBI_READ_OTLP_H

/*
 * otlp - OTLP back into rows: the counterpart of write/otlp.h. Which attribute
 * is which column stands in columns.def; a walker (JSON, protobuf) only finds
 * the items of a message and their fields.
 *
 * Spans whose scope is obi's come back as they were. Spans of other programs
 * fill the columns that their attributes match by the semantic conventions;
 * every attribute that is no column is kept in `attrs`.
 */

#include "base/cur.h"
#include "base/json.h"
#include "read/reader.h"
#include "span/place.h"

/* A value; slices live until the next item. */
struct otlp_val {
	enum { VAL_NONE, VAL_TEXT, VAL_BYTES, VAL_INT, VAL_REAL, VAL_BOOL, VAL_NESTED } kind;
	struct str s; /* TEXT, BYTES; NESTED: JSON text */
	int64_t i;    /* INT, BOOL */
	double d;
};

enum { OTLP_ALIASES = 48 };

struct otlp_dec {
	struct places places;
	struct read_stats *stats;
	struct batch *batch;  /* where rows go */
	struct arena scratch; /* decoded texts of this item */
	struct buf nested;    /* JSON text of nested values of this item */
	/* of the resource and scope we are in */
	struct span resource; /* its columns */
	struct arena resource_texts;
	struct buf resource_attrs; /* members of a JSON object, with commas */
	bool in_resource;
	bool foreign; /* the scope is not obi's */
	/* of the item we are in */
	enum table table;
	void *row; /* NULL: nobody wants it */
	struct buf attrs;
	struct buf lists[PLACE_LISTS]; /* members as in attrs, by place_lists */
	struct str attrs_whole;        /* PLACE_ATTRS */
	struct otlp_val nulls;
	struct otlp_val seen[OTLP_ALIASES];
};

/* The fields of a span that are no attributes. */
struct otlp_fields {
	uint8_t trace_id[16], span_id[8], parent[8];
	struct str name, message, state; /* s == NULL: none */
	uint64_t start, end, kind, status;
};

void otlp_dec_init(struct otlp_dec *d, struct read_stats *stats);
void otlp_dec_fini(struct otlp_dec *d);

void otlp_resource(struct otlp_dec *d);               /* attributes of a resource follow */
void otlp_scope(struct otlp_dec *d, struct str name); /* the resource is complete */

/* A row begins: a span, or by its event name; without a row the item is skipped. */
/* False: the batch has rows of another resource; it is to be handed on first. */
bool otlp_fits(const struct otlp_dec *d, const struct batch *b);
bool otlp_span(struct otlp_dec *d);
bool otlp_log(struct otlp_dec *d, struct str event);
void otlp_attr(struct otlp_dec *d, struct str key, const struct otlp_val *v);
void otlp_span_end(struct otlp_dec *d, const struct otlp_fields *f);
void otlp_log_end(struct otlp_dec *d);
void otlp_take_back(struct otlp_dec *d); /* instead: the item is damaged, its row goes */

/* What was appended to d->nested since `start` is list l of this span. */
void otlp_list(struct otlp_dec *d, const struct place_list *l, size_t start);

/* v as JSON text. */
void otlp_val_json(struct buf *b, const struct otlp_val *v);

/* ---- walkers over one message; otlp_*_next() gives the next item to the decoder ---- */

enum { WALK_LEVELS = 8 };

struct otlp_json_walk {
	struct json j;
	unsigned int level; /* 0: outermost */
	bool logs;
	const char *start;
};

struct otlp_pb_walk {
	struct cur message, resource, scope; /* what is left of each */
	bool in_resource, in_scope;
};

/* 1: an item was taken (a row was added or not), or a resource; 0: the message is done; -EBADMSG: it is damaged. */
void otlp_json_begin(struct otlp_json_walk *w, struct str message);
int otlp_json_next(struct otlp_json_walk *w, struct otlp_dec *d);
void otlp_pb_begin(struct otlp_pb_walk *w, struct str message);
int otlp_pb_next(struct otlp_pb_walk *w, struct otlp_dec *d);

#endif
