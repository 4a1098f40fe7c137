/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_SPAN_PLACE_H
#define OBI_SPAN_PLACE_H

/*
 * place - where a column stands in OTLP, as columns.def says, for those who
 * write it and those who read it.
 */

#include "span/span.h"

enum place_where {
	PLACE_NONE,     /* derived from another column, not written */
	PLACE_ATTR,     /* attribute of the span or log record */
	PLACE_RESOURCE, /* attribute of the resource */
	PLACE_FIELD,    /* a field of the OTLP span itself */
	PLACE_MEMBERS,  /* a JSON object whose members are attributes */
};

struct place {
	enum place_where where;
	struct str key;
};

enum { PLACE_COLUMNS = 64, PLACE_SLOTS = 256 };

struct places {
	struct place at[TABLE_MAX][PLACE_COLUMNS]; /* by column */
	uint8_t slots[TABLE_MAX][PLACE_SLOTS];     /* column + 1, by hash of the key */
};

void places_init(struct places *p);
/* The column of table t whose attribute is `key`; -1 where there is none. */
int place_find(const struct places *p, enum table t, struct str key);

/*
 * Lists that a span of another program may carry. They are members of `attrs`,
 * as JSON arrays of objects, and fields of their own in OTLP.
 */
enum place_part_kind { PART_TEXT, PART_ID, PART_TIME, PART_COUNT, PART_BITS, PART_ATTRS };

struct place_part {
	const char *key, *json; /* in attrs, in OTLP JSON */
	enum place_part_kind kind;
	uint32_t num; /* in protobuf */
};

enum { PLACE_LISTS = 2, PLACE_PARTS = 7 };

struct place_list {
	const char *key, *json;
	uint32_t num;
	struct place_part parts[PLACE_PARTS]; /* up to one without a key */
};

extern const struct place_list place_lists[PLACE_LISTS];

/* The part of l whose member of attrs is `key`; NULL where there is none. */
const struct place_part *place_part(const struct place_list *l, struct str key);
/* The list that a member of attrs is: by its key, and its objects have no other parts; -1: none. */
int place_list_find(struct str key, struct str text);

/* What both directions agree on beside the columns. */
#define PLACE_SCHEMA  "https://opentelemetry.io/schemas/1.44.0"
#define PLACE_SCOPE   "obi"
#define PLACE_NULLS   "obi.null"       /* list of columns whose OTLP field cannot say "unknown" */
#define PLACE_ATTRS   "obi.attrs"      /* `attrs` where its members cannot stand for it */
#define PLACE_HOST    "host.name"      /* on each resource; a fact of the run, no column */
#define PLACE_STATE   "w3c.tracestate" /* member of attrs; a field of the OTLP span */
#define PLACE_MESSAGE "otel.status_description" /* likewise, of its status */
#define PLACE_START   "obi.capture.start"
#define PLACE_END     "obi.capture.end"

#endif
