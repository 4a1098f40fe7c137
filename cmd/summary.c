// SPDX-License-Identifier: GPL-3.0-or-later
/* summary - what a run saw, and why nothing is shown. */
#include "cmd/summary.h"

#include <stdio.h>
#include <sys/stat.h>

/* 18204 as 18,204 */
static void count(struct buf *out, uint64_t n)
{
	char digits[24];
	int len = snprintf(digits, sizeof(digits), "%llu", (unsigned long long)n);

	for (int i = 0; i < len; i++) {
		if (i && (len - i) % 3 == 0)
			buf_ch(out, ',');
		buf_ch(out, digits[i]);
	}
}

static void labelled(struct buf *out, const char *label, uint64_t n)
{
	buf_z(out, label);
	count(out, n);
}

static void ms(struct buf *out, const char *label, const struct exphist *h, double q)
{
	if (h->count)
		buf_fmt(out, "%s%.3g", label, (double)exphist_quantile(h, q) / 1e6);
	else
		buf_fmt(out, "%s-", label);
}

static const struct tally_group *busiest(const struct tally_counts *t)
{
	const struct tally_group *best = NULL;

	for (unsigned int i = 0; i < t->ngroups; i++)
		if (!best || t->groups[i].total_ns > best->total_ns)
			best = &t->groups[i];
	return best;
}

static void add_busiest(struct buf *out, const struct session_counts *c)
{
	const struct tally_group *g = busiest(&c->tally);
	double share;

	if (!g || !c->tally.total_ns)
		return;
	share = 100.0 * (double)g->total_ns / (double)c->tally.total_ns;
	buf_fmt(out, "busiest   %s %.40s   %.0f/s  %.0f%% of time\n", g->proto, g->what,
	        c->seconds > 0 ? (double)g->count / c->seconds : 0, share);
}

static void add_recorded(struct buf *out, const char *path)
{
	struct stat st;

	if (!path || stat(path, &st))
		return;
	buf_fmt(out, "recorded  %s %.1f MB   view: obi trace -r %s\n", path,
	        (double)st.st_size / 1e6, path);
}

/* Each cause of loss that happened, in words; nothing where there was none. */
static void add_losses(struct buf *out, const struct session_counts *c)
{
	if (c->capture.lost) {
		count(out, c->capture.lost);
		buf_fmt(out, " events lost in %.0f s (ring buffer full). ", c->seconds);
		buf_z(out, "Try --pid, --payload none, or --ring 32M.\n");
	}
	if (c->lost_output) {
		count(out, c->lost_output);
		buf_z(out,
		      " rows or batches were not written (an output was too slow, or failed)\n");
	}
	if (c->pair.broken) {
		count(out, c->pair.broken);
		buf_z(out, " requests have no known answer: bytes inside were lost or cut\n");
	}
	if (c->conn.shed_bytes) {
		count(out, c->conn.shed_bytes);
		buf_z(out, " bytes of incomplete messages gave way to others (--mem)\n");
	}
	if (c->conn.parse_errors) {
		count(out, c->conn.parse_errors);
		buf_z(out, " messages broke the rules of their protocol and were left out\n");
	}
	if (c->bad_records) {
		count(out, c->bad_records);
		buf_z(out, " records of the recording were left out\n");
	}
	if (c->undecided) {
		count(out, c->undecided);
		buf_z(out, " requests are shown because the filter failed on them\n");
	}
	if (c->tally.sampled_out) {
		count(out, c->tally.sampled_out);
		buf_z(out, " requests were sampled out; errors and percentiles are of all\n");
	}
	if (c->store.evicted[TABLE_SPANS]) {
		count(out, c->store.evicted[TABLE_SPANS]);
		buf_z(out, " of the oldest spans made room in the store (--mem)\n");
	}
}

void summary_text(struct buf *out, const struct session_counts *c, const char *recorded)
{
	const struct tally_counts *t = &c->tally;

	buf_fmt(out, "%.1f s", c->seconds);
	labelled(out, "  seen ", t->seen);
	labelled(out, "  shown ", t->shown);
	labelled(out, "  errors ", t->errors);
	labelled(out, "  lost ", c->capture.lost + c->lost_output);
	ms(out, "   p50 ", &t->dur, 0.5);
	ms(out, "  p95 ", &t->dur, 0.95);
	ms(out, "  p99 ", &t->dur, 0.99);
	buf_z(out, " ms\n");
	if (t->slowest_ns >= 0)
		buf_fmt(out, "slowest   %.1f ms  %.40s   %.4s..%.4s\n", (double)t->slowest_ns / 1e6,
		        t->slowest, t->slowest_trace, t->slowest_trace + 28);
	add_busiest(out, c);
	add_recorded(out, recorded);
	add_losses(out, c);
}

static void member(struct buf *out, const char *key, uint64_t n, bool last)
{
	buf_fmt(out, "\"%s\":%llu%s", key, (unsigned long long)n, last ? "" : ",");
}

void summary_json(struct buf *out, const struct session_counts *c)
{
	buf_z(out, "{\"summary\":{");
	member(out, "seen", c->tally.seen, false);
	member(out, "shown", c->tally.shown, false);
	member(out, "errors", c->tally.errors, false);
	member(out, "sampled_out", c->tally.sampled_out, false);
	buf_z(out, "\"lost\":{");
	member(out, "ring", c->capture.lost, false);
	member(out, "ring_bytes", c->capture.lost_bytes, false);
	member(out, "output", c->lost_output, false);
	member(out, "store", c->store.evicted[TABLE_SPANS], false);
	member(out, "bad_records", c->bad_records, true);
	buf_z(out, "},\"ring\":{");
	member(out, "fired", c->capture.fired, false);
	member(out, "records", c->capture.records, false);
	member(out, "lost", c->capture.lost, false);
	member(out, "muted", c->capture.muted, false);
	member(out, "faults", c->capture.faults, true);
	buf_z(out, "},\"bytes\":{");
	member(out, "moved", c->conn.moved_bytes, false);
	member(out, "seen", c->conn.seen_bytes, false);
	member(out, "cut", c->conn.cut_bytes, false);
	member(out, "lost", c->conn.lost_bytes, false);
	member(out, "unseen", c->conn.unseen_bytes, false);
	member(out, "unparsed", c->conn.unparsed_bytes, false);
	member(out, "shed", c->conn.shed_bytes, true);
	buf_z(out, "},\"requests\":{");
	member(out, "started", c->pair.started, false);
	member(out, "ended", c->pair.ended, false);
	member(out, "open", c->pair.open, false);
	member(out, "broken", c->pair.broken, false);
	member(out, "skipped", c->pair.skipped, false);
	member(out, "undecided", c->undecided, false);
	member(out, "orphans", c->conn.orphans, true);
	buf_fmt(out, "},\"parse_errors\":%llu,\"duration_s\":%.3f,\"cpu_s\":%.3f}}\n",
	        (unsigned long long)c->conn.parse_errors, c->seconds, c->cpu_seconds);
}

/* ---- the empty state ---- */

static void add_seen(struct buf *out, const struct explain *e, const struct session_counts *c)
{
	const struct tally_counts *t = &c->tally;

	buf_fmt(out, "What obi sees from %s:\n", e->target);
	for (unsigned int i = 0; i < t->nprotos; i++) {
		const struct tally_proto *p = &t->protos[i];

		if (p->seen) {
			buf_fmt(out, "  %-12s ", p->name);
			count(out, p->seen);
			if (!e->shown_in_list)
				labelled(out, "   shown ", p->shown);
			if (e->filter && (e->shown_in_list || !p->shown))
				buf_fmt(out, "   hidden by %s", e->filter);
			buf_ch(out, '\n');
		}
		if (p->undecoded) {
			buf_fmt(out, "  %-12s ", p->name);
			count(out, p->undecoded);
			buf_fmt(out, " connections not decoded: %s\n", p->why);
		}
	}
	if (!t->nprotos && !c->capture.fired)
		buf_z(out,
		      "  nothing: no socket of it has sent or received since obi is attached\n");
	else if (!t->nprotos)
		buf_fmt(out, "  %llu calls on sockets, no complete request yet\n",
		        (unsigned long long)c->capture.fired);
}

static void add_tries(struct buf *out, const struct explain *e)
{
	if (e->filter && e->filter_key)
		buf_fmt(out, "Try:  %s\n", e->filter_key);
	else if (e->filter)
		buf_z(out, "Try:  the same without the filter, to see everything\n");
	if (e->retry)
		buf_fmt(out, "      %s\n", e->retry);
	if (e->pid)
		buf_fmt(out, "%s  obi doctor -p %d   why is my process not seen?\n",
		        e->filter ? "    " : "Try:", (int)e->pid);
}

static void add_probes(struct buf *out, const struct session_counts *c,
                       const struct probe_state *probes, size_t n)
{
	buf_fmt(out, "Probes: %u of %u attached.", c->attached, c->probes);
	for (size_t i = 0; i < n; i++)
		if (!probes[i].attached && !probes[i].skipped)
			buf_fmt(out, "\n  not attached: %s (%s)", probes[i].name, probes[i].why);
	buf_ch(out, '\n');
}

void summary_explain(struct buf *out, const struct explain *e, const struct session_counts *c,
                     const struct probe_state *probes, size_t nprobes)
{
	int s = (int)e->seconds;

	if (e->over)
		buf_z(out, "Nothing to show.  ");
	else
		buf_fmt(out, "Waiting for traffic (%02d:%02d:%02d).  ", s / 3600, s / 60 % 60,
		        s % 60);
	count(out, e->shown_in_list ? 0 : c->tally.shown + c->tally.sampled_out);
	buf_z(out, " of ");
	count(out, c->tally.seen);
	buf_z(out, " requests matched.\n");
	add_seen(out, e, c);
	add_tries(out, e);
	if (c->probes)
		add_probes(out, c, probes, nprobes);
}
