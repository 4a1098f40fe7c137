// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * aggregates - SQL functions over many rows: percentiles, small charts, rates.
 *
 * Values are kept as they are up to EXACT_MAX; then they go into a histogram
 * whose buckets grow by 2^(1/32), the scale 5 of OTLP's exponential
 * histograms: a value is known to 1.1 %, and memory is bounded.
 */
#include "store/functions.h"

#include <math.h>
#include <stdlib.h>

enum {
	EXACT_MAX = 1 << 20,
	SCALE = 32,     /* buckets for a factor of two */
	EXPONENTS = 64, /* 2^-64 .. 2^64; beyond that the outermost bucket */
	BUCKETS = 2 * EXPONENTS * SCALE,
	BARS_HIST = 16,
	BARS_SPARK = 40,
};

/* Counts by size: [0, BUCKETS) negative values, largest magnitude first, then zero, then positive. */
struct histogram {
	uint64_t count[2 * BUCKETS + 1];
};

struct values {
	double *v;
	size_t n, cap;
	struct histogram *h; /* instead of v, once there were too many */
	double p;            /* of percentile(x, p) */
};

static int bucket_of(double x)
{
	double at;

	if (x == 0)
		return BUCKETS;
	at = floor(log2(fabs(x)) * SCALE) + EXPONENTS * SCALE;
	at = fmin(fmax(at, 0), BUCKETS - 1);
	return x > 0 ? BUCKETS + 1 + (int)at : BUCKETS - 1 - (int)at;
}

static double bucket_value(int i)
{
	int at = i > BUCKETS ? i - BUCKETS - 1 : BUCKETS - 1 - i;
	double size = exp2((at + 0.5) / SCALE - EXPONENTS);

	return i == BUCKETS ? 0 : i > BUCKETS ? size : -size;
}

static bool to_histogram(struct values *s)
{
	s->h = sqlite3_malloc64(sizeof(*s->h));
	if (!s->h)
		return false;
	memset(s->h, 0, sizeof(*s->h));
	for (size_t i = 0; i < s->n; i++)
		s->h->count[bucket_of(s->v[i])]++;
	sqlite3_free(s->v);
	s->v = NULL;
	return true;
}

static bool add(struct values *s, double x)
{
	double *v;

	if (!s->h && s->n == EXACT_MAX && !to_histogram(s))
		return false;
	if (s->h) {
		s->h->count[bucket_of(x)]++;
		s->n++;
		return true;
	}
	if (s->n == s->cap) {
		size_t cap = s->cap ? s->cap * 2 : 16;

		v = sqlite3_realloc64(s->v, cap * sizeof(*v));
		if (!v)
			return false;
		s->v = v;
		s->cap = cap;
	}
	s->v[s->n++] = x;
	return true;
}

static void clear(struct values *s)
{
	sqlite3_free(s->v);
	sqlite3_free(s->h);
	*s = (struct values){ 0 };
}

static void step(sqlite3_context *ctx, int argc, sqlite3_value **argv)
{
	struct values *s = sqlite3_aggregate_context(ctx, sizeof(*s));
	int type = sqlite3_value_numeric_type(argv[0]);

	if (!s) {
		sqlite3_result_error_nomem(ctx);
		return;
	}
	if (argc > 1)
		s->p = sqlite3_value_double(argv[1]);
	if (argc > 1 && !(s->p >= 0 && s->p <= 100)) {
		sqlite3_result_error(ctx, "percentile: the second argument goes from 0 to 100", -1);
		return;
	}
	if (type != SQLITE_INTEGER && type != SQLITE_FLOAT)
		return;
	if (!add(s, sqlite3_value_double(argv[0])))
		sqlite3_result_error_nomem(ctx);
}

/* Puts the k-th smallest of v at v[k]: smaller ones before it, larger behind. */
static double nth(double *v, size_t n, size_t k)
{
	size_t lo = 0, hi = n - 1;

	while (lo < hi) {
		double pivot = v[lo + (hi - lo) / 2];
		size_t i = lo, j = hi;

		for (;;) {
			while (v[i] < pivot)
				i++;
			while (v[j] > pivot)
				j--;
			if (i >= j)
				break;

			double x = v[i];

			v[i++] = v[j];
			v[j--] = x;
		}
		if (k <= j)
			hi = j;
		else
			lo = j + 1;
	}
	return v[k];
}

static double estimate(const struct values *s, double rank)
{
	double seen = 0;

	for (int i = 0; i <= 2 * BUCKETS; i++) {
		seen += (double)s->h->count[i];
		if (seen > rank)
			return bucket_value(i);
	}
	return bucket_value(2 * BUCKETS);
}

static double percentile(struct values *s, double p)
{
	double rank = p / 100 * (double)(s->n - 1), low, high;
	size_t k = (size_t)rank;

	if (s->h)
		return estimate(s, rank);
	low = nth(s->v, s->n, k);
	if (k + 1 >= s->n || rank == (double)k)
		return low;
	high = s->v[k + 1];
	for (size_t i = k + 2; i < s->n; i++)
		high = fmin(high, s->v[i]);
	return low + (high - low) * (rank - (double)k);
}

static void finish(sqlite3_context *ctx, double p)
{
	struct values *s = sqlite3_aggregate_context(ctx, 0);

	if (!s)
		return;
	if (s->n)
		sqlite3_result_double(ctx, percentile(s, p < 0 ? s->p : p));
	clear(s);
}

static void final_percentile(sqlite3_context *ctx)
{
	finish(ctx, -1);
}

static void final_p50(sqlite3_context *ctx)
{
	finish(ctx, 50);
}

static void final_p95(sqlite3_context *ctx)
{
	finish(ctx, 95);
}

static void final_p99(sqlite3_context *ctx)
{
	finish(ctx, 99);
}

/* ---- charts ---- */

/* Bars as high as the counts; nothing at all is a blank. */
static void result_bars(sqlite3_context *ctx, const double *bar, int n, double low)
{
	static const char *const blocks[] = { "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" };
	double top = low;
	struct buf b = { 0 };

	for (int i = 0; i < n; i++)
		top = fmax(top, bar[i]);
	for (int i = 0; i < n; i++) {
		double part = top > low ? (bar[i] - low) / (top - low) : 0;

		buf_z(&b, low == 0 && bar[i] == 0 ? " " : blocks[(int)fmin(part * 8, 7)]);
	}
	sqlite3_result_text(ctx, b.p ? b.p : "", (int)b.len, SQLITE_TRANSIENT);
	buf_free(&b);
}

static int hist_bar(double x, double low, double high)
{
	double at = x <= low ? 0 : log(x / low) / log(high / low) * BARS_HIST;

	return (int)fmin(fmax(at, 0), BARS_HIST - 1);
}

static void hist_bounds(const struct values *s, double *low, double *high)
{
	*low = INFINITY;
	*high = 0;
	for (size_t i = 0; !s->h && i < s->n; i++) {
		if (s->v[i] > 0)
			*low = fmin(*low, s->v[i]);
		*high = fmax(*high, s->v[i]);
	}
	for (int i = BUCKETS + 1; s->h && i <= 2 * BUCKETS; i++) {
		if (!s->h->count[i])
			continue;
		*low = fmin(*low, bucket_value(i));
		*high = bucket_value(i);
	}
}

static void final_hist(sqlite3_context *ctx)
{
	struct values *s = sqlite3_aggregate_context(ctx, 0);
	double bar[BARS_HIST] = { 0 }, low, high;

	if (!s || !s->n) {
		if (s)
			clear(s);
		return;
	}
	hist_bounds(s, &low, &high);
	high = fmax(high, low * 1.001);
	for (size_t i = 0; !s->h && i < s->n; i++)
		bar[hist_bar(s->v[i], low, high)]++;
	for (int i = 0; s->h && i <= 2 * BUCKETS; i++)
		if (s->h->count[i])
			bar[hist_bar(bucket_value(i), low, high)] += (double)s->h->count[i];
	result_bars(ctx, bar, BARS_HIST, 0);
	clear(s);
}

/* A row of values that shrinks by half whenever it is full. */
struct spark {
	double sum[2 * BARS_SPARK];
	uint64_t in[2 * BARS_SPARK], per; /* values in each place; values a place takes */
	int n;
};

static void spark_halve(struct spark *s)
{
	for (int i = 0; i < BARS_SPARK; i++) {
		s->sum[i] = s->sum[2 * i] + s->sum[2 * i + 1];
		s->in[i] = s->in[2 * i] + s->in[2 * i + 1];
	}
	s->n = BARS_SPARK;
	s->per *= 2;
}

static void step_spark(sqlite3_context *ctx, int argc, sqlite3_value **argv)
{
	struct spark *s = sqlite3_aggregate_context(ctx, sizeof(*s));
	int type = sqlite3_value_numeric_type(argv[0]);

	(void)argc;
	if (!s || (type != SQLITE_INTEGER && type != SQLITE_FLOAT))
		return;
	if (!s->per)
		s->per = 1;
	if (!s->n || s->in[s->n - 1] == s->per) {
		if (s->n == 2 * BARS_SPARK)
			spark_halve(s);
		s->sum[s->n] = 0;
		s->in[s->n++] = 0;
	}
	s->sum[s->n - 1] += sqlite3_value_double(argv[0]);
	s->in[s->n - 1]++;
}

static void final_spark(sqlite3_context *ctx)
{
	struct spark *s = sqlite3_aggregate_context(ctx, 0);
	double bar[BARS_SPARK], low = INFINITY;
	int n = 0;

	if (!s || !s->n)
		return;
	if (s->n > BARS_SPARK) {
		for (int i = s->n; i < 2 * BARS_SPARK; i++)
			s->sum[i] = 0, s->in[i] = 0;
		spark_halve(s);
	}
	for (int i = 0; i < s->n && i < BARS_SPARK; i++)
		if (s->in[i])
			bar[n++] = s->sum[i] / (double)s->in[i];
	for (int i = 0; i < n; i++)
		low = fmin(low, bar[i]);
	result_bars(ctx, bar, n, low);
}

/* ---- rates ---- */

static void step_rate(sqlite3_context *ctx, int argc, sqlite3_value **argv)
{
	double *sum = sqlite3_aggregate_context(ctx, sizeof(*sum));

	if (sum)
		*sum += argc ? sqlite3_value_double(argv[0]) : 1;
}

static void final_rate(sqlite3_context *ctx)
{
	const double *sum = sqlite3_aggregate_context(ctx, 0);
	double secs = functions_span_secs(sqlite3_user_data(ctx));

	if (secs > 0)
		sqlite3_result_double(ctx, sum ? *sum / secs : 0);
}

int aggregates_register(sqlite3 *db, struct vtab_source *src)
{
	static const struct {
		const char *name;
		int argc;
		void (*step)(sqlite3_context *ctx, int argc, sqlite3_value **argv);
		void (*final)(sqlite3_context *ctx);
	} list[] = {
		{ "percentile", 2, step, final_percentile },
		{ "p50", 1, step, final_p50 },
		{ "median", 1, step, final_p50 },
		{ "p95", 1, step, final_p95 },
		{ "p99", 1, step, final_p99 },
		{ "hist", 1, step, final_hist },
		{ "sparkline", 1, step_spark, final_spark },
		{ "rate", 0, step_rate, final_rate },
		{ "rate", 1, step_rate, final_rate },
	};
	int rc = SQLITE_OK;

	for (size_t i = 0; i < sizeof(list) / sizeof(list[0]) && !rc; i++)
		rc = sqlite3_create_function_v2(db, list[i].name, list[i].argc,
		                                SQLITE_UTF8 | SQLITE_INNOCUOUS, src, NULL,
		                                list[i].step, list[i].final, NULL);
	return rc;
}
