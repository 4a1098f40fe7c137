/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_READ_FOREIGN_H
#define OBI_READ_FOREIGN_H

/*
 * foreign - spans of other programs: which of their attributes, by the current
 * and by older semantic conventions, answer for a column of obi.
 */

#include "read/otlp.h"

/* Remembers an attribute that may answer for a column; it stays in attrs too. */
void foreign_attr(struct otlp_dec *d, struct str key, const struct otlp_val *v);
/* Fills the columns that are still unknown from what was remembered. */
void foreign_span(struct otlp_dec *d, const struct otlp_fields *f);

#endif
