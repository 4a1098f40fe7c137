/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_WRITE_OTLP_ATTRS_H
#define OBI_WRITE_OTLP_ATTRS_H

/*
 * otlp_attrs - columns and members of `attrs` as attributes of OTLP. Members that
 * are fields of a span (place.h) go to e->lists, e->state and e->message instead,
 * for the back end to write at the span's end.
 */

#include "write/otlp.h"

/* All columns of a row that are attributes, and the members of its `attrs`. */
void otlp_attrs_row(struct otlp_enc *e, enum table t, const void *row);
/* The columns of a row that have this place. */
void otlp_attrs_columns(struct otlp_enc *e, enum table t, const void *row, enum place_where where);
/* The members of a JSON object. */
void otlp_attrs_members(struct otlp_enc *e, struct str object);
/* A span begins: no fields of it are known. */
void otlp_attrs_clear(struct otlp_enc *e);

#endif
