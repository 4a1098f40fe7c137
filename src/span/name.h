/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_SPAN_NAME_H
#define OBI_SPAN_NAME_H

/* name - what a span is called, by the family of its protocol. */

#include "span/req.h"

/*
 * The name, and the columns that are made with it: query, key, topic, level. The
 * others are there already.
 */
void name_row(const struct req *r, const struct conn *c, const struct proto *p, struct batch *b,
              struct span *row);

#endif
