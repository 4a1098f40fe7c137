/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_BASE_EXPHIST_H
#define OBI_BASE_EXPHIST_H

/*
 * exphist - counts of durations in buckets that grow by 2^(1/32) (scale 5 of the
 * OpenTelemetry exponential histogram): counts are exact, a percentile is off by
 * at most 1.1% of its value. Fixed size, no allocation.
 */

#include <stdint.h>

enum { EXPHIST_SUB = 32, EXPHIST_BUCKETS = 48 * EXPHIST_SUB }; /* 1 ns to 78 hours */

struct exphist {
	uint64_t count, max_ns;
	uint32_t bucket[EXPHIST_BUCKETS];
};

/* The bucket that a duration falls into, and a bucket's middle. */
unsigned int exphist_index(uint64_t ns);
uint64_t exphist_middle(unsigned int i);

void exphist_add(struct exphist *h, uint64_t ns);
/* The duration that a share q (0 to 1) of all does not exceed; 0 where there is none. */
uint64_t exphist_quantile(const struct exphist *h, double q);

#endif
