/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_BENCH_MADE_H
#define OBI_BENCH_MADE_H

/* made - what the made-up rows of the benchmarks are made of. */

#include <stdio.h>

#include "span/batch.h"

#define SECOND 1000000000ll
#define START  (1700000000 * SECOND)

/* A fixed sequence, so that every run measures the same rows. */
static inline uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/* fmt with n in it, kept as long as the batch. */
static inline struct str text(struct batch *b, const char *fmt, unsigned int n)
{
	char z[128];

	snprintf(z, sizeof(z), fmt, n);
	return batch_text(b, str_of(z));
}

#endif
