// SPDX-License-Identifier: GPL-3.0-or-later
/* exphist - counts of durations in exponential buckets. */
#include "base/exphist.h"

#include <math.h>

unsigned int exphist_index(uint64_t ns)
{
	double at = ns > 1 ? log2((double)ns) * EXPHIST_SUB : 0;

	return at >= EXPHIST_BUCKETS ? EXPHIST_BUCKETS - 1 : (unsigned int)at;
}

uint64_t exphist_middle(unsigned int i)
{
	return (uint64_t)exp2((i + 0.5) / EXPHIST_SUB);
}

void exphist_add(struct exphist *h, uint64_t ns)
{
	h->count++;
	h->bucket[exphist_index(ns)]++;
	if (ns > h->max_ns)
		h->max_ns = ns;
}

uint64_t exphist_quantile(const struct exphist *h, double q)
{
	uint64_t want = (uint64_t)ceil(q * (double)h->count), seen = 0;

	if (!h->count)
		return 0;
	want = want ? want : 1;
	for (unsigned int i = 0; i < EXPHIST_BUCKETS; i++) {
		seen += h->bucket[i];
		if (seen >= want) {
			/* The middle of the bucket, but never more than the largest seen. */
			uint64_t ns = exphist_middle(i);

			return ns > h->max_ns ? h->max_ns : ns;
		}
	}
	return h->max_ns;
}
