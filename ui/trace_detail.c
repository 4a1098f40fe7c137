// SPDX-License-Identifier: GPL-3.0-or-later
/* trace_detail - everything that is known of one request. */
#include <stdio.h>

#include "base/json.h"
#include "ui/trace.h"

enum { VALUE_MAX = 64 << 10 }; /* of one text that is shown */

static void pair_column(struct detail *d, const struct span *s, const char *column)
{
	int i = column_find(TABLE_SPANS, str_of(column));
	struct cell c;
	char number[40];

	if (i < 0)
		return;
	cell_get(TABLE_SPANS, (unsigned int)i, s, &c);
	if (c.kind == CELL_NULL)
		return;
	if (c.kind == CELL_INT)
		snprintf(number, sizeof(number), "%lld", (long long)c.i);
	else if (c.kind == CELL_REAL)
		snprintf(number, sizeof(number), "%.3f", c.d);
	detail_pair(d, column, c.kind == CELL_INT || c.kind == CELL_REAL ? str_of(number) : c.text);
}

static void pairs(struct detail *d, const struct span *s, const char *const *names)
{
	for (; *names; names++)
		pair_column(d, s, *names);
}

static void title(struct detail *d, const struct span *s)
{
	struct buf b = { 0 };

	trace_operation(&b, s);
	if (s->status.s)
		buf_fmt(&b, "  %.*s", STR_ARG(s->status));
	buf_z(&b, "  ");
	app_ms(&b, s->dur_ns);
	buf_z(&b, s->dur_ns == COL_NULL ? "" : " ms");
	detail_line(d, s->error == 1 ? ROLE_BAD : ROLE_TEXT, "%.*s", STR_ARG(buf_slice(&b)));
	buf_free(&b);
}

/* One bar for what is known of the time: waiting before, to the first byte, the rest. */
static void timing(struct detail *d, const struct span *s)
{
	enum { BAR = 40 };
	char bar[BAR + 1];
	int first;

	detail_section(d, "Time");
	pair_column(d, s, "time");
	pairs(d, s, (const char *const[]){ "dur_ms", "ttfb_ms", "queue_ms", NULL });
	if (s->dur_ns <= 0 || s->ttfb_ns == COL_NULL || s->ttfb_ns > s->dur_ns)
		return;
	first = (int)((double)s->ttfb_ns * BAR / (double)s->dur_ns);
	memset(bar, '#', BAR);
	memset(bar, '.', (size_t)first);
	bar[BAR] = 0;
	detail_line(d, ROLE_CHART, "%-16s [%s]  . to the first byte, # the rest of the answer", "",
	            bar);
}

static void parties(struct detail *d, const struct span *s)
{
	detail_section(d, "Who");
	pairs(d, s,
	      (const char *const[]){ "kind", "process", "service", "pid", "tid", "container_id",
	                             "pod", "local_ip", "local_port", "peer_ip", "peer_port",
	                             "peer_name", "conn", "tls", NULL });
}

static bool is_answer(struct str key)
{
	return str_starts(key, "http.response") || str_starts(key, "db.response") ||
	       str_starts(key, "error") || str_starts(key, "rpc.response") ||
	       str_starts(key, "exception");
}

/* A list of texts with commas between them; any other value as it is, a text without its quotes. */
static struct str shown(struct str value, struct buf *b)
{
	struct json j = json_of(value);

	buf_clear(b);
	if (value.len >= 2 && *value.s == '"')
		return (struct str){ value.s + 1, value.len - 2 };
	if (json_next(&j) != JSON_ARR)
		return value;
	while (json_next(&j) == JSON_STR) {
		buf_z(b, b->len ? ", " : "");
		buf_str(b, j.text);
	}
	return j.tok == JSON_ARR_END && !b->failed ? buf_slice(b) : value;
}

/* Attributes of one side. */
static void attributes(struct detail *d, struct str attrs, bool answer)
{
	struct arena mem = { 0 };
	struct json j = json_of(attrs);
	struct buf list = { 0 };

	if (!attrs.s || json_next(&j) != JSON_OBJ)
		return;
	while (json_next(&j) == JSON_KEY) {
		struct str key = json_text(&j, &mem), value;
		const char *from = j.p;
		char name[64];

		if (!json_skip(&j))
			break;
		if (is_answer(key) != answer)
			continue;
		while (from < j.p && (*from == ':' || *from == ' '))
			from++;
		value = (struct str){ from, (size_t)(j.p - from) };
		snprintf(name, sizeof(name), "%.*s", STR_ARG(key));
		detail_pair(d, name, shown(value, &list));
	}
	buf_free(&list);
	arena_free(&mem);
}

static void request(struct detail *d, const struct span *s)
{
	detail_section(d, "Request");
	pairs(d, s,
	      (const char *const[]){ "proto", "name", "op", "target", "route", "topic", "key",
	                             "req_bytes", NULL });
	if (s->query.s) {
		detail_line(d, ROLE_DIM, "statement");
		detail_text(d, s->query, VALUE_MAX);
	}
	attributes(d, s->attrs, false);
}

static void answer(struct detail *d, const struct span *s)
{
	detail_section(d, "Answer");
	if (s->flags & SPAN_F_OPEN)
		detail_line(d, ROLE_WARN, "none had come when the capture or the connection ended");
	pairs(d, s,
	      (const char *const[]){ "status", "code", "error", "error_type", "resp_bytes", NULL });
	attributes(d, s->attrs, true);
}

static void ids(struct detail *d, const struct span *s)
{
	detail_section(d, "Trace");
	pairs(d, s,
	      (const char *const[]){ "trace_id", "span_id", "parent_span_id", "parent_by", NULL });
}

/* ---- why ---- */

static const char *flag_help(unsigned int bit)
{
	static const char *const helps[] = {
#define X(bit, NAME, text, help) [bit] = help,
		SPAN_FLAGS(X)
#undef X
	};

	return bit < sizeof(helps) / sizeof(*helps) ? helps[bit] : "";
}

/* The connection of the request, as far as it has been told of. */
static bool connection_of(struct trace *t, struct conn_row *row)
{
	struct store *store = app_store(t->pane->app);
	struct list_spec spec = { .table = TABLE_CONNECTIONS };
	struct list_state st;
	char where[96], err[512];
	struct list *l;
	bool found = false;

	if (!t->open.conn.s || t->open.conn.len > 40 ||
	    memchr(t->open.conn.s, '\'', t->open.conn.len))
		return false;
	snprintf(where, sizeof(where), "conn = '%.*s'", STR_ARG(t->open.conn));
	spec.where = where;
	l = list_new(store, &spec, err);
	if (l && list_update(l, 20, err) >= 0) {
		list_state(l, &st);
		found = st.n && !list_get(l, st.n - 1, &t->detail_mem, row);
	}
	list_free(l);
	return found;
}

static void connection(struct trace *t, struct detail *d)
{
	const struct table_def *def = &tables[TABLE_CONNECTIONS];
	struct conn_row row;
	char number[40];

	detail_section(d, "Connection");
	if (!connection_of(t, &row)) {
		detail_line(d, ROLE_DIM, "%s",
		            t->open.conn.s ? "not told of yet: it is open" : "unknown");
		return;
	}
	for (unsigned int i = 0; i < def->ncolumns; i++) {
		struct cell c;

		cell_get(TABLE_CONNECTIONS, i, &row, &c);
		if (c.kind == CELL_NULL || !strcmp(def->columns[i].name, "start_ns"))
			continue;
		snprintf(number, sizeof(number), c.kind == CELL_INT ? "%.0f" : "%.3f",
		         c.kind == CELL_INT ? (double)c.i : c.d);
		detail_pair(d, def->columns[i].name,
		            c.kind == CELL_INT || c.kind == CELL_REAL ? str_of(number) : c.text);
	}
}

static void why(struct trace *t, struct detail *d)
{
	const struct span *s = &t->open;

	detail_section(d, "Why");
	for (unsigned int bit = 0; span_flag_name(bit); bit++)
		if (s->flags & 1u << bit)
			detail_line(d, ROLE_WARN, "%-16s %s", span_flag_name(bit), flag_help(bit));
	if (!s->flags)
		detail_line(d, ROLE_GOOD, "nothing limits this row: no byte of it was lost or cut");
	detail_line(d, ROLE_TEXT, "%-16s %s", "duration",
	            s->dur_ns == COL_NULL ? "unknown: no end was seen" : "first byte to last byte");
	detail_line(d, ROLE_TEXT, "%-16s %s", "waiting",
	            s->queue_ns == COL_NULL ? "unknown: the time in the socket is not measured here"
	                                    : "measured (queue_ms)");
	detail_line(d, ROLE_TEXT, "%-16s %s", "parent",
	            s->parent_by.s ? "known (see Trace)"
	                           : "none is known: no trace context came with the request");
	detail_line(d, ROLE_TEXT, "%-16s %s", "TLS", s->tls.s ? "yes" : "none on this connection");
}

static void payload(struct trace *t, struct detail *d)
{
	static const char *const modes[] = { "pretty", "text", "hex" };

	detail_section(d, "Payload");
	detail_line(d, ROLE_DIM, "%s: heads, statements and sizes are what is above; with --header",
	            modes[t->payload % PAYLOAD_MODES]);
	detail_line(d, ROLE_DIM, "and --body also header fields and the front of HTTP bodies.");
	detail_line(d, ROLE_DIM,
	            "A raw recording (-w FILE.obiraw --show-secrets) holds all bytes.");
}

void trace_detail(struct trace *t)
{
	struct detail *d = &t->detail;

	detail_clear(d);
	title(d, &t->open);
	if (t->why)
		why(t, d);
	if (t->tree)
		trace_tree(t);
	timing(d, &t->open);
	request(d, &t->open);
	answer(d, &t->open);
	parties(d, &t->open);
	ids(d, &t->open);
	if (!t->why)
		why(t, d);
	connection(t, d);
	payload(t, d);
}
