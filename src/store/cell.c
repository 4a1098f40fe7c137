// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * cell - counts, sums and durations of the spans of some seconds.
 *
 * A bin is one word: 11 bits of bucket, 21 bits of count. A count that does not
 * fit begins another bin of the same bucket.
 */
#include "store/cell.h"

#include <math.h>
#include <stdlib.h>

enum { COUNT_BITS = 21, BINS_MIN = 8, BINS_MAX = 1 << 15 };

#define COUNT_MAX ((1u << COUNT_BITS) - 1)

_Static_assert(EXPHIST_BUCKETS <= 1 << (32 - COUNT_BITS), "a bucket fits into a bin");

static unsigned int bucket_of(uint32_t bin)
{
	return bin >> COUNT_BITS;
}

/* Durations of a file may be anything. */
static int64_t saturating(int64_t a, int64_t b)
{
	int64_t sum;

	return __builtin_add_overflow(a, b, &sum) ? INT64_MAX : sum;
}

static uint32_t *bins_of(struct cell_sparse *c)
{
	return c->cap == CELL_INLINE ? c->bins.in : c->bins.p;
}

void cell_init(struct cell_sparse *c, uint32_t at, uint16_t secs)
{
	*c = (struct cell_sparse){ .at = at, .secs = secs, .cap = CELL_INLINE };
}

void cell_fini(struct cell_sparse *c)
{
	if (c->cap != CELL_INLINE)
		free(c->bins.p);
}

size_t cell_bytes(const struct cell_sparse *c)
{
	return c->cap == CELL_INLINE ? 0 : c->cap * sizeof(uint32_t);
}

static bool room(struct cell_sparse *c, unsigned int need, size_t *bytes)
{
	unsigned int cap = c->cap < BINS_MIN ? BINS_MIN : c->cap;
	uint32_t *p;

	if (need <= c->cap)
		return true;
	if (need > BINS_MAX)
		return false;
	while (cap < need)
		cap *= 2;
	p = realloc(c->cap == CELL_INLINE ? NULL : c->bins.p, cap * sizeof(*p));
	if (!p)
		return false;
	if (c->cap == CELL_INLINE)
		memcpy(p, c->bins.in, c->nbins * sizeof(*p));
	*bytes += (cap - (c->cap == CELL_INLINE ? 0 : c->cap)) * sizeof(*p);
	c->bins.p = p;
	c->cap = (uint16_t)cap;
	return true;
}

/* The first bin that is not of a smaller bucket. */
static unsigned int find_bin(const uint32_t *bins, unsigned int n, unsigned int bucket)
{
	unsigned int lo = 0;

	while (lo < n) {
		unsigned int mid = (lo + n) / 2;

		if (bucket_of(bins[mid]) < bucket)
			lo = mid + 1;
		else
			n = mid;
	}
	return lo;
}

static bool add_bin(struct cell_sparse *c, unsigned int bucket, size_t *bytes)
{
	unsigned int i = find_bin(bins_of(c), c->nbins, bucket);
	uint32_t *bins = bins_of(c);

	if (i < c->nbins && bucket_of(bins[i]) == bucket && (bins[i] & COUNT_MAX) < COUNT_MAX) {
		bins[i]++;
		return true;
	}
	if (!room(c, c->nbins + 1u, bytes))
		return false;
	bins = bins_of(c);
	memmove(bins + i + 1, bins + i, (c->nbins - i) * sizeof(*bins));
	bins[i] = (uint32_t)bucket << COUNT_BITS | 1;
	c->nbins++;
	return true;
}

bool cell_add(struct cell_sparse *c, const struct span *s, size_t *bytes)
{
	if (c->count == UINT32_MAX)
		return false;
	if (s->dur_ns != COL_NULL) {
		uint64_t ns = s->dur_ns < 0 ? 0 : (uint64_t)s->dur_ns;

		if (!add_bin(c, exphist_index(ns), bytes))
			return false;
		c->timed++;
		c->sum_ns = saturating(c->sum_ns, (int64_t)ns);
		if ((int64_t)ns > c->max_ns)
			c->max_ns = (int64_t)ns;
	}
	c->count++;
	c->errors += s->error == 1;
	c->req_bytes += s->req_bytes > 0 ? (uint64_t)s->req_bytes : 0;
	c->resp_bytes += s->resp_bytes > 0 ? (uint64_t)s->resp_bytes : 0;
	return true;
}

/* Both are sorted; the result, too, is made from the end. */
static void merge_bins(uint32_t *a, unsigned int na, const uint32_t *b, unsigned int nb)
{
	uint32_t *to = a + na + nb;

	while (nb) {
		if (na && bucket_of(a[na - 1]) > bucket_of(b[nb - 1]))
			*--to = a[--na];
		else
			*--to = b[--nb];
	}
}

/* Bins of the same bucket become one as far as the count fits. */
static unsigned int join_bins(uint32_t *a, unsigned int n)
{
	unsigned int out = 0;

	for (unsigned int i = 0; i < n; i++) {
		uint32_t *last = out ? &a[out - 1] : NULL;

		if (last && bucket_of(*last) == bucket_of(a[i]) &&
		    (*last & COUNT_MAX) + (a[i] & COUNT_MAX) <= COUNT_MAX)
			*last += a[i] & COUNT_MAX;
		else
			a[out++] = a[i];
	}
	return out;
}

bool cell_merge(struct cell_sparse *a, const struct cell_sparse *b, size_t *bytes)
{
	const uint32_t *from = b->cap == CELL_INLINE ? b->bins.in : b->bins.p;

	if ((uint64_t)a->count + b->count > UINT32_MAX ||
	    !room(a, (unsigned int)a->nbins + b->nbins, bytes))
		return false;
	merge_bins(bins_of(a), a->nbins, from, b->nbins);
	a->nbins = (uint16_t)join_bins(bins_of(a), (unsigned int)a->nbins + b->nbins);
	a->count += b->count;
	a->errors += b->errors;
	a->timed += b->timed;
	a->sum_ns = saturating(a->sum_ns, b->sum_ns);
	a->max_ns = b->max_ns > a->max_ns ? b->max_ns : a->max_ns;
	a->req_bytes += b->req_bytes;
	a->resp_bytes += b->resp_bytes;
	return true;
}

void cell_bins(const struct cell_sparse *c, void (*fn)(void *ctx, unsigned int bucket, uint32_t n),
               void *ctx)
{
	const uint32_t *bins = c->cap == CELL_INLINE ? c->bins.in : c->bins.p;

	for (unsigned int i = 0; i < c->nbins; i++)
		fn(ctx, bucket_of(bins[i]), bins[i] & COUNT_MAX);
}

/* ---- sums ---- */

void cell_sum_clear(struct cell_sum *s)
{
	if (s->hi > s->lo)
		memset(s->bucket + s->lo, 0, (s->hi - s->lo) * sizeof(s->bucket[0]));
	memset(s, 0, offsetof(struct cell_sum, bucket));
}

static void widen(struct cell_sum *s, unsigned int lo, unsigned int hi)
{
	if (s->hi == s->lo) {
		s->lo = lo;
		s->hi = hi;
	}
	s->lo = lo < s->lo ? lo : s->lo;
	s->hi = hi > s->hi ? hi : s->hi;
}

void cell_sum_add(struct cell_sum *s, const struct cell_sparse *c)
{
	const uint32_t *bins = c->cap == CELL_INLINE ? c->bins.in : c->bins.p;

	s->count += c->count;
	s->errors += c->errors;
	s->timed += c->timed;
	s->sum_ns = saturating(s->sum_ns, c->sum_ns);
	s->max_ns = c->max_ns > s->max_ns ? c->max_ns : s->max_ns;
	s->req_bytes += c->req_bytes;
	s->resp_bytes += c->resp_bytes;
	if (!c->nbins)
		return;
	widen(s, bucket_of(bins[0]), bucket_of(bins[c->nbins - 1]) + 1);
	for (unsigned int i = 0; i < c->nbins; i++)
		s->bucket[bucket_of(bins[i])] += bins[i] & COUNT_MAX;
}

void cell_sum_join(struct cell_sum *s, const struct cell_sum *other)
{
	s->count += other->count;
	s->errors += other->errors;
	s->timed += other->timed;
	s->sum_ns = saturating(s->sum_ns, other->sum_ns);
	s->max_ns = other->max_ns > s->max_ns ? other->max_ns : s->max_ns;
	s->req_bytes += other->req_bytes;
	s->resp_bytes += other->resp_bytes;
	if (other->hi > other->lo)
		widen(s, other->lo, other->hi);
	for (unsigned int i = other->lo; i < other->hi; i++)
		s->bucket[i] += other->bucket[i];
}

int64_t cell_sum_quantile(const struct cell_sum *s, double q)
{
	uint64_t want = (uint64_t)ceil(q * (double)s->timed), seen = 0;

	want = want ? want : 1;
	for (unsigned int i = s->lo; i < s->hi; i++) {
		seen += s->bucket[i];
		if (seen >= want) {
			/* The middle of the bucket, but never more than the largest seen. */
			int64_t ns = (int64_t)exphist_middle(i);

			return ns > s->max_ns ? s->max_ns : ns;
		}
	}
	return s->timed ? s->max_ns : COL_NULL;
}
