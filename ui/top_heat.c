// SPDX-License-Identifier: GPL-3.0-or-later
/* top_heat - durations of a group as a picture: a histogram, and how it changed over time. */
#include <stdio.h>

#include "ui/top.h"
#include "ui/trace.h"

enum { LABEL = 7, COUNT = 9 };

/* Bins that hold something, so many of them a line that they fit. */
struct lines {
	unsigned int lo, hi, step; /* lo .. hi - 1 */
	int n;
};

static struct lines fit(const uint64_t *bins, int room)
{
	struct lines l = { .lo = AGG_BINS, .step = 1 };

	for (unsigned int i = 0; i < AGG_BINS; i++)
		if (bins[i]) {
			l.lo = i < l.lo ? i : l.lo;
			l.hi = i + 1;
		}
	if (l.lo >= l.hi || room < 1)
		return (struct lines){ .step = 1 };
	while ((int)((l.hi - l.lo + l.step - 1) / l.step) > room)
		l.step++;
	l.n = (int)((l.hi - l.lo + l.step - 1) / l.step);
	return l;
}

static void label(struct grid *g, int x, int y, unsigned int bin)
{
	char text[24];

	snprintf(text, sizeof(text), "%.3g", (double)agg_bin_ns(bin) / 1e6);
	grid_right(g, x, y, LABEL - 1, ROLE_DIM, str_of(text));
}

static uint64_t sum(const uint64_t *bins, const struct lines *l, int line)
{
	unsigned int from = l->lo + (unsigned int)line * l->step;
	uint64_t n = 0;

	for (unsigned int i = from; i < from + l->step && i < l->hi; i++)
		n += bins[i];
	return n;
}

static void bar(struct grid *g, int x, int y, int w)
{
	for (int i = 0; i < w; i++)
		grid_text(g, x + i, y, 1, ROLE_CHART, g->ascii ? STR("#") : STR("\u2588"));
}

void top_bars_draw(struct top *t, struct grid *g, struct rect r)
{
	const struct agg_detail *d = &t->lower.detail;
	struct lines l = fit(d->bins, t->lower.has_detail ? r.h - 1 : 0);
	int room = r.w - LABEL - 1 - COUNT;
	uint64_t most = 1;
	struct buf b = { 0 };

	grid_text(g, r.x, r.y, r.w, ROLE_HEAD, STR("latency, ms and more"));
	for (int i = 0; i < l.n; i++)
		most = sum(d->bins, &l, i) > most ? sum(d->bins, &l, i) : most;
	for (int i = 0; i < l.n; i++) {
		uint64_t n = sum(d->bins, &l, i);
		int y = r.y + 1 + i, w = room > 0 ? (int)(n * (uint64_t)room / most) : 0;

		label(g, r.x, y, l.lo + (unsigned int)i * l.step);
		grid_text(g, r.x + LABEL, y, 1, ROLE_DIM, g->ascii ? STR("|") : STR("\u2502"));
		bar(g, r.x + LABEL + 1, y, n && !w ? 1 : w);
		buf_clear(&b);
		app_count(&b, n);
		grid_right(g, r.x, y, r.w, ROLE_TEXT, buf_slice(&b));
	}
	if (!l.n)
		grid_text(g, r.x, r.y + 1, r.w, ROLE_DIM, STR("no durations"));
	buf_free(&b);
}

static void shade(struct grid *g, int x, int y, int w, uint64_t n, uint64_t most)
{
	static const char *const blocks[] = { " ", "\u2591", "\u2592", "\u2593", "\u2588" };
	static const char *const ascii[] = { " ", ".", ":", "+", "#" };
	unsigned int level = n ? 1 + (unsigned int)(n * 3 / most) : 0;

	for (int i = 0; i < w; i++)
		grid_text(g, x + i, y, 1, ROLE_CHART,
		          str_of(g->ascii ? ascii[level] : blocks[level]));
}

static uint64_t heat_at(const struct agg_detail *d, const struct lines *l, int line, unsigned int p)
{
	uint64_t one[AGG_BINS];

	for (unsigned int i = 0; i < AGG_BINS; i++)
		one[i] = d->heat[p][i];
	return sum(one, l, line);
}

static void axis(struct top *t, struct grid *g, struct rect r, int w)
{
	const struct agg_answer *a = &t->rank.answer;
	struct buf b = { 0 };

	trace_time(&b, a->from_ns, 0);
	b.len = b.len > 8 ? 8 : b.len;
	grid_text(g, r.x + LABEL + 1, r.y, w, ROLE_DIM, buf_slice(&b));
	buf_clear(&b);
	trace_time(&b, a->to_ns, 0);
	b.len = b.len > 8 ? 8 : b.len;
	if (w > 20)
		grid_right(g, r.x + LABEL + 1, r.y, w, ROLE_DIM, buf_slice(&b));
	buf_free(&b);
}

/* The slowest at the top; each column a part of the window. */
void top_heat_draw(struct top *t, struct grid *g, struct rect r)
{
	const struct agg_detail *d = &t->lower.detail;
	struct lines l = fit(d->bins, t->lower.has_detail ? r.h - 2 : 0);
	int wide = d->points ? (r.w - LABEL - 2) / (int)d->points : 1;
	uint64_t most = 1;

	wide = wide < 1 ? 1 : wide > 6 ? 6 : wide;
	grid_text(g, r.x, r.y, r.w, ROLE_HEAD,
	          STR("latency over time, ms and more: the darker, the more requests"));
	for (int i = 0; i < l.n; i++)
		for (unsigned int p = 0; p < d->points; p++)
			if (heat_at(d, &l, i, p) > most)
				most = heat_at(d, &l, i, p);
	for (int i = 0; i < l.n; i++) {
		int line = l.n - 1 - i, y = r.y + 1 + i;

		label(g, r.x, y, l.lo + (unsigned int)line * l.step);
		grid_text(g, r.x + LABEL, y, 1, ROLE_DIM, g->ascii ? STR("|") : STR("\u2502"));
		for (unsigned int p = 0; p < d->points; p++)
			shade(g, r.x + LABEL + 1 + (int)p * wide, y, wide, heat_at(d, &l, line, p),
			      most);
	}
	if (l.n)
		axis(t, g, (struct rect){ r.x, r.y + 1 + l.n, r.w, 1 }, (int)d->points * wide);
}
