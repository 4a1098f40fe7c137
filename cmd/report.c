// SPDX-License-Identifier: GPL-3.0-or-later
/* obi report - a recording as one self-contained HTML page. */
#include "cmd/report.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/own.h"
#include "cmd/live.h"
#include "cmd/map_edges.h"
#include "write/html.h"

/* A recording is read whole. */
static const size_t recording_bytes = (size_t)4 << 30;

static const char style[] =
	"<style>\n"
	":root{color-scheme:light dark}\n"
	"body{font:14px/1.45 system-ui,sans-serif;margin:1.5em auto;max-width:1400px;padding:0 1em}\n"
	"h1{font-size:1.5em;margin:0}h2{font-size:1.15em;margin:2em 0 .3em}p{margin:.3em 0}\n"
	"nav a{margin-right:1em}.s{opacity:.7}.w{overflow-x:auto}\n"
	"table{border-collapse:collapse;font-variant-numeric:tabular-nums}\n"
	"th,td{padding:2px 10px;text-align:left;vertical-align:top}th{border-bottom:1px solid #8888}\n"
	"td{max-width:46em;overflow-wrap:anywhere}.n{text-align:right;white-space:nowrap}\n"
	"tbody tr:nth-child(even){background:#8881}.bad{font-weight:600;color:#b42318}\n"
	".cards{display:flex;flex-wrap:wrap;gap:.6em;margin:1em 0}\n"
	".cards div{border:1px solid #8886;border-radius:6px;padding:.4em .9em}\n"
	".cards b{display:block;font-size:1.3em}\n"
	"svg text{fill:currentColor;font:11px system-ui,sans-serif}\n"
	"@media(prefers-color-scheme:dark){.bad{color:#ff8a80}}\n"
	"</style>\n";

/* ---- tables ---- */

void report_ask(struct report *r, const char *sql, const struct sql_sink *sink)
{
	char err[ERR_TEXT] = "";
	int e;

	if (r->error)
		return;
	e = sql_run(r->sql, sql, sink, err);
	if (e) {
		r->error = e;
		memcpy(r->err, err, sizeof(r->err));
	}
}

struct rows {
	struct report *report;
	const char *id;
	size_t n;
	int errors; /* column that is red where it is over 0; -1: none */
};

static int table_head(void *ctx, int n, const char *const *names)
{
	struct rows *t = ctx;
	struct buf *b = &t->report->html;

	t->errors = -1;
	buf_fmt(b, "<div class=\"w\"><table id=\"%s\"><thead><tr>", t->id);
	for (int i = 0; i < n; i++) {
		buf_z(b, "<th>");
		html_text(b, str_of(names[i]));
		if (!strcmp(names[i], "errors"))
			t->errors = i;
	}
	buf_z(b, "</tr></thead><tbody>\n");
	return 0;
}

static int table_row(void *ctx, int n, const char *const *texts, const int *lens, const int *types)
{
	enum { INTEGER = 1, FLOAT = 2 };
	struct rows *t = ctx;
	struct buf *b = &t->report->html;

	buf_z(b, "<tr>");
	for (int i = 0; i < n; i++) {
		bool number = types[i] == INTEGER || types[i] == FLOAT;
		bool bad = i == t->errors && texts[i] && strcmp(texts[i], "0") != 0;

		buf_z(b, number ? bad ? "<td class=\"n bad\">" : "<td class=n>" : "<td>");
		html_text(b, texts[i] ? (struct str){ texts[i], (size_t)lens[i] } : STR("-"));
		buf_z(b, "</td>");
	}
	buf_z(b, "</tr>\n");
	t->n++;
	return 0;
}

void report_section(struct report *r, const char *id, const char *title, const char *note)
{
	buf_fmt(&r->html, "<h2 id=\"%s-head\">%s</h2>\n", id, title);
	if (note)
		buf_fmt(&r->html, "<p class=s>%s</p>\n", note);
}

void report_table(struct report *r, const char *id, const char *title, const char *note,
                  const char *none, const char *sql)
{
	struct rows t = { .report = r, .id = id };
	struct sql_sink sink = { .head = table_head, .row = table_row, .ctx = &t };

	report_section(r, id, title, note);
	report_ask(r, sql, &sink);
	buf_z(&r->html, "</tbody></table></div>\n");
	if (!t.n)
		buf_fmt(&r->html, "<p>%s</p>\n", none);
}

/* ---- what the page has ---- */

#define FIGURES                                                                               \
	"count(*) AS requests, round(rate(), 3) AS per_s, coalesce(sum(error), 0) AS errors," \
	" round(100.0 * coalesce(sum(error), 0) / count(*), 2) AS error_pct,"                 \
	" round(p50(dur_ms), 3) AS p50_ms, round(p95(dur_ms), 3) AS p95_ms,"                  \
	" round(p99(dur_ms), 3) AS p99_ms, round(max(dur_ms), 3) AS max_ms,"                  \
	" round(total(dur_ms), 3) AS total_ms FROM spans"

static const struct {
	const char *id, *title, *note, *none, *sql;
} sections[] = {
	{ "services", "Services", "what each asked (client) and answered (server)", "No requests.",
	  "SELECT coalesce(service, comm, '?') AS service, kind, proto, " FIGURES
	  " GROUP BY 1, 2, 3 ORDER BY total_ms DESC, 1, 2, 3 LIMIT 200" },
	{ "routes", "Routes", "HTTP and gRPC by route; where none is known by path",
	  "No HTTP requests.",
	  "SELECT coalesce(service, comm, '?') AS service, kind, op,"
	  " coalesce(route, target) AS route, " FIGURES
	  " WHERE proto IN ('http', 'http2', 'grpc', 'fastcgi', 'uwsgi', 'scgi') GROUP BY 1, 2, 3, 4"
	  " ORDER BY total_ms DESC, 1, 2, 3, 4 LIMIT 200" },
	{ "queries", "Queries",
	  "statements, their literals replaced by ?; as seen by the client"
	  " where that was observed",
	  "No statements.",
	  "SELECT proto, kind, query, " FIGURES
	  " WHERE query IS NOT NULL GROUP BY 1, 2, 3 ORDER BY total_ms DESC, 1, 2, 3 LIMIT 200" },
	{ "slowest", "Slowest requests", NULL, "No request has a duration.",
	  "SELECT time, coalesce(service, comm, '?') AS service, kind, proto, op,"
	  " coalesce(query, target) AS target, peer, status, round(dur_ms, 3) AS dur_ms, trace_id"
	  " FROM spans WHERE dur_ns IS NOT NULL ORDER BY dur_ns DESC, start_ns, span_id LIMIT 50" },
	{ "errors", "Errors", "by kind; one trace of each to look at", "No errors.",
	  "SELECT coalesce(service, comm, '?') AS service, kind, proto,"
	  " coalesce(error_type, status, '?') AS reason, count(*) AS requests,"
	  " min(time) AS first, max(time) AS last, max(trace_id) AS sample"
	  " FROM spans WHERE error = 1 GROUP BY 1, 2, 3, 4 ORDER BY requests DESC, 1, 2, 3, 4"
	  " LIMIT 200" },
};

static const char unknown[] =
	"SELECT comm, transport, coalesce(proto, '?') AS proto, side, local_ip, local_port, peer_ip,"
	" peer_port, why, count(*) AS connections, sum(rx_bytes) AS rx_bytes,"
	" sum(tx_bytes) AS tx_bytes, max(first_bytes) AS begins FROM connections"
	" WHERE why IS NOT NULL GROUP BY comm, transport, 3, side, local_ip,"
	" CASE WHEN side = 'client' THEN '' ELSE local_port END, peer_ip,"
	" CASE WHEN side = 'server' THEN '' ELSE peer_port END, why"
	" ORDER BY connections DESC, comm, why LIMIT 200";

/* One figure of the first line of the page. */
static int card_row(void *ctx, int n, const char *const *texts, const int *lens, const int *types)
{
	static const char *const names[] = { "requests",   "failed",      "failed %",
		                             "p50 ms",     "p95 ms",      "p99 ms",
		                             "slowest ms", "connections", "processes" };
	static const char *const ids[] = { "requests", "failed", "failed-pct", "p50",  "p95",
		                           "p99",      "max",    "conns",      "procs" };
	struct buf *b = ctx;

	(void)lens, (void)types;
	for (int i = 0; i < n && i < (int)(sizeof(ids) / sizeof(*ids)); i++)
		buf_fmt(b, "<div>%s<b id=\"total-%s\">%s</b></div>\n", names[i], ids[i],
		        texts[i] ? texts[i] : "-");
	return 0;
}

static int span_row(void *ctx, int n, const char *const *texts, const int *lens, const int *types)
{
	struct buf *b = ctx;

	(void)lens, (void)types;
	if (n < 3 || !texts[0])
		return 0;
	buf_fmt(b, "<p>from <time id=\"from\">%s</time> to <time id=\"to\">%s</time>, %s s</p>\n",
	        texts[0], texts[1], texts[2]);
	return 0;
}

static void head(struct report *r, const char *name)
{
	static const char totals[] =
		"SELECT count(*), coalesce(sum(error), 0),"
		" round(100.0 * coalesce(sum(error), 0) / count(*), 2), round(p50(dur_ms), 3),"
		" round(p95(dur_ms), 3), round(p99(dur_ms), 3), round(max(dur_ms), 3),"
		" (SELECT count(*) FROM connections), (SELECT count(*) FROM processes) FROM spans";
	static const char when[] =
		"SELECT ts(min(start_ns)), ts(max(start_ns + coalesce(dur_ns, 0))),"
		" round((max(start_ns + coalesce(dur_ns, 0)) - min(start_ns)) / 1e9, 3) FROM spans";
	struct buf *b = &r->html;

	buf_z(b, "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
	         "<meta http-equiv=\"Content-Security-Policy\""
	         " content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
	         "<meta name=\"viewport\" content=\"width=device-width\">\n<title>obi: ");
	html_text(b, str_of(name));
	buf_fmt(b, "</title>\n%s</head><body>\n<h1>", style);
	html_text(b, str_of(name));
	buf_z(b, "</h1>\n");
	report_ask(r, when, &(struct sql_sink){ .row = span_row, .ctx = b });
	buf_z(b, "<nav>");
	for (size_t i = 0; i < sizeof(sections) / sizeof(*sections); i++)
		buf_fmt(b, "<a href=\"#%s-head\">%s</a>", sections[i].id, sections[i].title);
	buf_z(b, "<a href=\"#latency-head\">Durations</a><a href=\"#map-head\">Service map</a>"
	         "<a href=\"#unknown-head\">Not decoded</a><a href=\"#capture-head\">Capture</a>"
	         "</nav>\n<div class=\"cards\">\n");
	report_ask(r, totals, &(struct sql_sink){ .row = card_row, .ctx = b });
	buf_z(b, "</div>\n");
}

static int take_number(void *ctx, int n, const char *const *texts, const int *lens,
                       const int *types)
{
	(void)lens, (void)types;
	*(uint64_t *)ctx = n && texts[0] ? strtoull(texts[0], NULL, 10) : 0;
	return 0;
}

/* What was lost or left out stands at the top: figures below do not have it. */
static void losses(struct report *r, const struct session_counts *c)
{
	uint64_t facts = 0;

	report_ask(r, "SELECT count(*) FROM capture",
	           &(struct sql_sink){ .row = take_number, .ctx = &facts });
	report_table(r, "losses", "What is missing",
	             "bytes and requests that the figures below do not have",
	             facts ? "Nothing: no event was lost, nothing was cut."
	                   : "Not known: the recording does not say.",
	             "SELECT key AS what, value AS count, help AS meaning FROM capture"
	             " WHERE CAST(value AS INTEGER) > 0 AND (key LIKE '%lost%' OR key LIKE '%cut%'"
	             " OR key LIKE '%unseen%' OR key LIKE '%unparsed%' OR key LIKE '%shed%'"
	             " OR key LIKE '%dropped%' OR key LIKE '%evicted%' OR key LIKE '%errors%'"
	             " OR key IN ('orphans', 'spans.open', 'spans.broken', 'spans.skipped'))");
	if (c->bad_records)
		buf_fmt(&r->html,
		        "<p class=bad id=\"bad-records\">%llu records of the file could not"
		        " be read</p>\n",
		        (unsigned long long)c->bad_records);
	if (c->store.evicted[TABLE_SPANS])
		buf_fmt(&r->html,
		        "<p class=bad id=\"evicted\">%llu requests had no room in memory;"
		        " --mem makes more</p>\n",
		        (unsigned long long)c->store.evicted[TABLE_SPANS]);
}

static void map(struct report *r)
{
	struct map_edges m = { 0 };
	char err[ERR_TEXT] = "";
	int e;

	report_section(
		r, "map", "Service map",
		"a call is told by its caller where that was observed, else by who answered");
	e = map_edges_ask(r->store, &m, err);
	if (e && !r->error) {
		r->error = e;
		memcpy(r->err, err, sizeof(r->err));
	}
	if (m.n) {
		buf_z(&r->html, "<div class=\"w\">");
		map_svg(&r->html, m.v, m.n, "");
		buf_z(&r->html, "</div>\n");
		map_table(&r->html, m.v, m.n);
	} else {
		buf_z(&r->html, "<p>No calls.</p>\n");
	}
	map_edges_free(&m);
}

static void page(struct report *r, const char *name, const struct session_counts *c)
{
	head(r, name);
	losses(r, c);
	for (size_t i = 0; i < sizeof(sections) / sizeof(*sections); i++)
		report_table(r, sections[i].id, sections[i].title, sections[i].note,
		             sections[i].none, sections[i].sql);
	report_charts(r);
	map(r);
	report_table(r, "unknown", "Connections that were not decoded", "and why",
	             "Every connection was understood.", unknown);
	report_table(r, "capture", "The capture", NULL, "Nothing is known of it.",
	             "SELECT key, value, help FROM capture");
	buf_z(&r->html, "<p class=s>made by obi " OBI_VERSION "</p>\n</body></html>\n");
}

/* ---- the command ---- */

static int write_page(struct live *l, const char *path)
{
	struct sql_limits limits = { .timeout_ms = 600000, .heap_bytes = (size_t)1 << 30 };
	struct report r = { .store = session_store(l->session) };
	struct session_counts *counts = calloc(1, sizeof(*counts));
	char name[256];
	int e;

	live_target(l, name, sizeof(name));
	r.sql = sql_open(r.store, &limits);
	if (r.sql && counts) {
		session_counts(l->session, counts);
		page(&r, name, counts);
	} else {
		r.error = -ENOMEM;
	}
	sql_close(r.sql);
	free(counts);
	e = r.error ? r.error : r.html.failed ? -ENOMEM : own_write(path, buf_slice(&r.html));
	if (e)
		warn(LEVEL_ERROR, "cannot write %s: %s", path, r.err[0] ? r.err : strerror(-e));
	buf_free(&r.html);
	return e ? STATUS_ERROR : STATUS_OK;
}

static int report_run(const struct options *o)
{
	struct live l;
	int status;

	if (!o->read.n)
		return usage_error("report", "say which recording: -r FILE.");
	if (o->write.n != 1)
		return usage_error("report", "say where to: -w FILE.html.");
	live_init(&l, o);
	l.opts.store = true;
	if (!o->mem_bytes)
		l.opts.mem_bytes = recording_bytes;
	status = live_start(&l);
	if (!status) {
		live_run(&l, NULL);
		status = live_stop(&l, NULL);
		if (!status)
			status = write_page(&l, o->write.v[0]);
	}
	live_free(&l);
	return status;
}

const struct cmd cmd_report = {
	.name = "report",
	.args = "-r FILE -w FILE.html [FILTER]",
	.brief = "a recording as one self-contained HTML page",
	.examples = {
		{ "obi report -r run.otlp -w report.html", "everything" },
		{ "obi report -r run.otlp -w errors.html --errors", "what failed" },
		{ "obi report -r run.otlp -w db.html --proto mysql", "one protocol" },
	},
	.run = report_run,
};
