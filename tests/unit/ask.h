/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_TESTS_ASK_H
#define OBI_TESTS_ASK_H

/* ask - a store with a few rows, and the answers of SQL as text. */

#include "base/err.h"
#include "store/store.h"

/* A batch on its own, of n rows at most; batch_put() and batch_pool_free(b->pool). */
struct batch *ask_batch(unsigned int n);
void ask_batch_free(struct batch *b);

/*
 * The answer: columns with | between, a line a row, NULL as "-"; where it fails
 * "error N: message". Lives until the next call.
 */
const char *ask(struct sqlh *q, const char *sql);
/* The same from a fresh handle over s. */
const char *ask_store(struct store *s, const char *sql);

#endif
