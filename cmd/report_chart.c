// SPDX-License-Identifier: GPL-3.0-or-later
/* report_chart - how durations are spread, and over time, as pictures in the page. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "cmd/report.h"

enum {
	BINS = 24,   /* powers of two from 62.5 us; the first is all below, the last all above */
	POINTS = 60, /* of time */
	BAR_H = 18,
	BAR_W = 520,
	CELL_W = 14,
	CELL_H = 12,
	LEFT = 90,
};

struct spread {
	int64_t from_ns, to_ns;
	uint64_t bins[BINS], heat[POINTS][BINS], n;
};

/* The lower end of a bin. */
static int64_t bin_ns(int bin)
{
	return bin ? 62500LL << (bin - 1) : 0;
}

static int bin_of(int64_t ns)
{
	int bin = 0;

	while (bin + 1 < BINS && ns >= bin_ns(bin + 1))
		bin++;
	return bin;
}

static int take_ends(void *ctx, int n, const char *const *texts, const int *lens, const int *types)
{
	struct spread *s = ctx;

	(void)lens, (void)types;
	if (n == 2 && texts[0] && texts[1]) {
		s->from_ns = strtoll(texts[0], NULL, 10);
		s->to_ns = strtoll(texts[1], NULL, 10);
	}
	return 0;
}

static int take_span(void *ctx, int n, const char *const *texts, const int *lens, const int *types)
{
	struct spread *s = ctx;
	int64_t start, dur, len = s->to_ns - s->from_ns + 1, point;
	int bin;

	(void)lens, (void)types;
	if (n != 2 || !texts[0] || !texts[1])
		return 0;
	start = strtoll(texts[0], NULL, 10);
	dur = strtoll(texts[1], NULL, 10);
	bin = bin_of(dur);
	point = (int64_t)((double)(start - s->from_ns) / (double)len * POINTS);
	point = point < 0 ? 0 : point >= POINTS ? POINTS - 1 : point;
	s->bins[bin]++;
	s->heat[point][bin]++;
	s->n++;
	return 0;
}

static void bin_name(struct buf *b, int bin)
{
	struct buf from = { 0 };

	clock_duration(&from, bin_ns(bin ? bin : 1));
	buf_fmt(b, "%s%.*s", bin ? "" : "< ", STR_ARG(buf_slice(&from)));
	buf_free(&from);
}

/* First and last bin that hold something. */
static void ends_of(const struct spread *s, int *first, int *last)
{
	*first = 0;
	*last = BINS - 1;
	while (*first < BINS - 1 && !s->bins[*first])
		++*first;
	while (*last > *first && !s->bins[*last])
		--*last;
}

static void histogram(struct buf *b, const struct spread *s)
{
	int first, last;
	uint64_t most = 1;

	ends_of(s, &first, &last);
	for (int i = 0; i < BINS; i++)
		most = s->bins[i] > most ? s->bins[i] : most;
	buf_fmt(b, "<svg id=\"histogram\" role=\"img\" width=\"%d\" height=\"%d\">\n",
	        LEFT + BAR_W + 100, (last - first + 1) * BAR_H + 4);
	for (int i = first; i <= last; i++) {
		double w = (double)s->bins[i] / (double)most * BAR_W;
		int y = (i - first) * BAR_H;

		buf_fmt(b, "<text text-anchor=\"end\" x=\"%d\" y=\"%d\">", LEFT - 8, y + 13);
		bin_name(b, i);
		buf_fmt(b,
		        "</text><rect class=\"bar\" data-from-ns=\"%lld\" data-count=\"%llu\""
		        " x=\"%d\" y=\"%d\" width=\"%.1f\" height=\"%d\" fill=\"#4078c0\"/>"
		        "<text x=\"%.1f\" y=\"%d\">%llu</text>\n",
		        (long long)bin_ns(i), (unsigned long long)s->bins[i], LEFT, y + 2, w,
		        BAR_H - 4, LEFT + w + 6, y + 13, (unsigned long long)s->bins[i]);
	}
	buf_z(b, "</svg>\n");
}

static void heat_cell(struct buf *b, const struct spread *s, int point, int bin, int y,
                      uint64_t most)
{
	uint64_t n = s->heat[point][bin];
	double share = log1p((double)n) / log1p((double)most);

	buf_fmt(b,
	        "<rect class=\"heat\" data-point=\"%d\" data-from-ns=\"%lld\" data-count=\"%llu\""
	        " x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" fill=\"#b42318\""
	        " fill-opacity=\"%.2f\"><title>%llu</title></rect>",
	        point, (long long)bin_ns(bin), (unsigned long long)n, LEFT + point * CELL_W, y,
	        CELL_W - 1, CELL_H - 1, 0.12 + 0.88 * share, (unsigned long long)n);
}

/* Time to the right, durations upwards, the more the redder. */
static void heat_map(struct buf *b, const struct spread *s)
{
	int first, last, height;
	uint64_t most = 1;
	struct buf len = { 0 };

	ends_of(s, &first, &last);
	for (int p = 0; p < POINTS; p++)
		for (int i = 0; i < BINS; i++)
			most = s->heat[p][i] > most ? s->heat[p][i] : most;
	height = (last - first + 1) * CELL_H;
	buf_fmt(b, "<svg id=\"heatmap\" role=\"img\" width=\"%d\" height=\"%d\">\n",
	        LEFT + POINTS * CELL_W + 20, height + 24);
	for (int i = first; i <= last; i++) {
		int y = (last - i) * CELL_H;

		buf_fmt(b, "<text text-anchor=\"end\" x=\"%d\" y=\"%d\">", LEFT - 8, y + 10);
		bin_name(b, i);
		buf_z(b, "</text>");
		for (int p = 0; p < POINTS; p++)
			if (s->heat[p][i])
				heat_cell(b, s, p, i, y, most);
		buf_ch(b, '\n');
	}
	clock_duration(&len, s->to_ns - s->from_ns);
	buf_fmt(b,
	        "<text x=\"%d\" y=\"%d\">0</text>"
	        "<text text-anchor=\"end\" x=\"%d\" y=\"%d\">%.*s</text>\n</svg>\n",
	        LEFT, height + 16, LEFT + POINTS * CELL_W, height + 16, STR_ARG(buf_slice(&len)));
	buf_free(&len);
}

void report_charts(struct report *r)
{
	struct spread *s = calloc(1, sizeof(*s));

	if (!s) {
		r->html.failed = true;
		return;
	}
	report_ask(r, "SELECT min(start_ns), max(start_ns) FROM spans",
	           &(struct sql_sink){ .row = take_ends, .ctx = s });
	report_ask(r, "SELECT start_ns, dur_ns FROM spans WHERE dur_ns IS NOT NULL",
	           &(struct sql_sink){ .row = take_span, .ctx = s });
	report_section(r, "latency", "Durations",
	               "requests by duration, each line from this value to the next");
	if (s->n) {
		buf_z(&r->html, "<div class=\"w\">");
		histogram(&r->html, s);
		buf_z(&r->html, "</div>\n<p class=s>over time</p>\n<div class=\"w\">");
		heat_map(&r->html, s);
		buf_z(&r->html, "</div>\n");
	} else {
		buf_z(&r->html, "<p>No request has a duration.</p>\n");
	}
	free(s);
}
