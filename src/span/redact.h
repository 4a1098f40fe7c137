/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_SPAN_REDACT_H
#define OBI_SPAN_REDACT_H

/*
 * redact - takes secrets out of rows: SQL literals, values of query parameters,
 * headers and attributes that carry credentials, user:password in URLs, card
 * numbers. Doing it twice changes nothing.
 *
 * It runs on every row before the store, unless --show-secrets is given, so
 * that what was never kept cannot leak from any view, file or export.
 */

#include "span/batch.h"

/* Replaces texts of `row` by redacted ones that live in b. */
void redact_row(enum table t, void *row, struct batch *b);

/* All rows of b. */
void redact_batch(struct batch *b);

#endif
