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

/* What both directions agree on beside the columns. */
#define PLACE_SCHEMA "https://opentelemetry.io/schemas/1.44.0"
#define PLACE_SCOPE  "obi"
#define PLACE_NULLS  "obi.null"  /* list of columns whose OTLP field cannot say "unknown" */
#define PLACE_ATTRS  "obi.attrs" /* `attrs` where its members cannot stand for it */
#define PLACE_HOST   "host.name" /* on each resource; a fact of the run, no column */
#define PLACE_START  "obi.capture.start"
#define PLACE_END    "obi.capture.end"

#endif
