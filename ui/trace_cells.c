// SPDX-License-Identifier: GPL-3.0-or-later
/* trace_cells - columns of the list of requests, and the text of a cell. */
#include <stdio.h>
#include <time.h>

#include "ui/trace.h"

/* As SQL shows it. */
#define RAW(NAME, TITLE, WIDTH, MAX, RIGHT)                                              \
	{                                                                                \
		.name = NAME, .title = TITLE, .width = WIDTH, .max = MAX, .right = RIGHT \
	}

/* Those of the sketch come first: trace_cell() knows them by their place. */
enum { TIME, PROTO, PROCESS, PEER, OPERATION, ST, DUR };

const struct tbl_col trace_columns[] = {
	[TIME] = { .name = "time",
	           .title = "TIME",
	           .width = 12,
	           .max = 15,
	           .priority = 4,
	           .sort = "start_ns",
	           .help = "start of the request, local time" },
	[PROTO] = { .name = "proto",
	            .title = "PROTO",
	            .width = 10,
	            .priority = 5,
	            .help = "protocol" },
	[PROCESS] = { .name = "process",
	              .title = "PROCESS",
	              .width = 22,
	              .max = 26,
	              .priority = 6,
	              .with = "peer",
	              .with_title = "PROCESS/PEER",
	              .help = "who was observed: as client `p >`, as server `< p`" },
	[PEER] = { .name = "peer",
	           .title = "PEER",
	           .width = 15,
	           .max = 26,
	           .priority = 7,

	           .help = "the other end; beside PROCESS where there is little room" },
	[OPERATION] = { .name = "operation",
	                .title = "OPERATION",
	                .width = 16,
	                .max = 300,
	                .priority = 2,
	                .sort = "name",
	                .help = "what was asked for" },
	[ST] = { .name = "status",
	         .title = "ST",
	         .width = 5,
	         .max = 8,
	         .priority = 3,
	         .help = "the protocol's own code; ! where it is an error without one" },
	[DUR] = { .name = "dur",
	          .title = "DUR ms",
	          .width = 8,
	          .priority = 1,
	          .right = true,
	          .sort = "dur_ns",
	          .help = "first byte of the request to last byte of the answer" },
	RAW("ttfb", "TTFB ms", 8, 0, true),
	RAW("queue", "QUEUE ms", 8, 0, true),
	RAW("req_bytes", "REQ B", 8, 0, true),
	RAW("resp_bytes", "RESP B", 8, 0, true),
	RAW("kind", "KIND", 6, 8, false),
	RAW("op", "OP", 6, 16, false),
	RAW("target", "TARGET", 16, 60, false),
	RAW("name", "NAME", 12, 40, false),
	RAW("code", "CODE", 5, 0, true),
	RAW("error_type", "ERROR TYPE", 10, 20, false),
	RAW("service", "SERVICE", 8, 20, false),
	RAW("pid", "PID", 7, 0, true),
	RAW("tid", "TID", 7, 0, true),
	RAW("comm", "COMM", 8, 15, false),
	RAW("container_id", "CONTAINER", 12, 20, false),
	RAW("pod", "POD", 10, 30, false),
	RAW("local_ip", "LOCAL IP", 9, 20, false),
	RAW("local_port", "LPORT", 5, 0, true),
	RAW("peer_ip", "PEER IP", 9, 20, false),
	RAW("peer_port", "PPORT", 5, 0, true),
	RAW("peer_name", "PEER NAME", 9, 30, false),
	RAW("tls", "TLS", 6, 16, false),
	RAW("route", "ROUTE", 10, 30, false),
	RAW("query", "QUERY", 16, 60, false),
	RAW("topic", "TOPIC", 10, 30, false),
	RAW("key", "KEY", 10, 30, false),
	RAW("trace_id", "TRACE", 32, 0, false),
	RAW("span_id", "SPAN", 16, 0, false),
	RAW("parent_span_id", "PARENT", 16, 0, false),
	RAW("conn", "CONN", 8, 16, false),
	RAW("flags", "FLAGS", 8, 24, false),
	{ 0 },
};

void trace_operation(struct buf *b, const struct span *s)
{
	struct str target = s->query.s && !s->key.s ? s->query : s->target;
	size_t before = b->len;

	if (s->op.s && !(s->query.s && str_ieq(str_head(target, s->op.len), s->op)))
		buf_str(b, s->op);
	if (target.s && target.len) {
		if (b->len > before)
			buf_ch(b, ' ');
		buf_str(b, target);
	}
	if (b->len == before && s->name.s)
		buf_str(b, s->name);
}

void trace_peer(struct buf *b, const struct span *s)
{
	struct str host = s->peer_name.s ? s->peer_name : s->peer_ip;
	bool v6 = host.len && memchr(host.s, ':', host.len);

	if (!host.s) {
		buf_ch(b, '-');
		return;
	}
	v6 = v6 && s->peer_port != COL_NULL;
	buf_z(b, v6 ? "[" : "");
	buf_str(b, host);
	buf_z(b, v6 ? "]" : "");
	if (s->peer_port != COL_NULL)
		buf_fmt(b, ":%lld", (long long)s->peer_port);
}

void trace_time(struct buf *b, int64_t unix_ns, int digits)
{
	time_t sec = (time_t)(unix_ns / 1000000000);
	int64_t frac = unix_ns % 1000000000;
	struct tm tm;

	if (unix_ns == COL_NULL || unix_ns < 0 || !localtime_r(&sec, &tm)) {
		buf_ch(b, '-');
		return;
	}
	for (int i = digits; i < 9; i++)
		frac /= 10;
	buf_fmt(b, "%02d:%02d:%02d.%0*lld", tm.tm_hour, tm.tm_min, tm.tm_sec, digits,
	        (long long)frac);
}

bool trace_is_error(const struct span *s)
{
	return s->error == 1;
}

static void put_process(struct buf *b, const struct trace *t, const struct span *s)
{
	bool server = str_is(s->kind, "server") || str_is(s->kind, "consumer");
	struct str process = s->process.s ? s->process : s->comm.s ? s->comm : STR("-");

	if (tbl_lacks(&t->table, "peer")) {
		buf_str(b, s->comm.s ? s->comm : process);
		buf_z(b, server ? " < " : " > ");
		trace_peer(b, s);
		return;
	}
	buf_z(b, server ? "< " : "");
	buf_str(b, process);
	buf_z(b, server ? "" : " >");
}

static enum role put_status(struct buf *b, const struct span *s)
{
	bool open = s->flags & SPAN_F_OPEN;

	if (s->status.s)
		buf_str(b, s->status);
	else
		buf_z(b, open ? "..." : trace_is_error(s) ? "!" : "-");
	return trace_is_error(s) ? ROLE_BAD : ROLE_TEXT;
}

static enum role put_raw(struct buf *b, const struct span *s, const char *name)
{
	const struct table_def *def = &tables[TABLE_SPANS];
	struct cell cell;
	int i = column_find(TABLE_SPANS, str_of(name));

	if (i < 0) { /* a duration is called by its field here */
		char ms[40];

		snprintf(ms, sizeof(ms), "%s_ms", name);
		i = column_find(TABLE_SPANS, str_of(ms));
	}
	if (i < 0)
		return ROLE_DIM;
	if (def->columns[i].type == COL_MS) {
		int64_t ns;

		memcpy(&ns, (const char *)s + def->columns[i].offset, sizeof(ns));
		app_ms(b, ns);
		return ROLE_TEXT;
	}
	cell_get(TABLE_SPANS, (unsigned int)i, s, &cell);
	if (cell.kind == CELL_NULL)
		buf_ch(b, '-');
	else if (cell.kind == CELL_INT)
		buf_i64(b, cell.i);
	else if (cell.kind == CELL_REAL)
		buf_fmt(b, "%g", cell.d);
	else
		buf_str(b, cell.text);
	return cell.kind == CELL_NULL ? ROLE_DIM : ROLE_TEXT;
}

static enum role trace_cell(void *ctx, const struct tbl_col *col, struct buf *out)
{
	struct trace *t = ctx;
	const struct span *s = &t->span;

	switch (col - trace_columns) {
	case TIME:
		trace_time(out, s->start_ns, t->table.w[TIME] >= 15 ? 6 : 3);
		return ROLE_TEXT;
	case PROCESS:
		put_process(out, t, s);
		return ROLE_TEXT;
	case PEER:
		trace_peer(out, s);
		return ROLE_TEXT;
	case OPERATION:
		trace_operation(out, s);
		return ROLE_TEXT;
	case ST:
		return put_status(out, s);
	case DUR:
		app_ms(out, s->dur_ns);
		return trace_is_error(s) ? ROLE_BAD : ROLE_TEXT;
	default:
		return put_raw(out, s, col->name);
	}
}

static size_t trace_count(void *ctx)
{
	const struct trace *t = ctx;
	struct list_state st = { 0 };

	if (t->list)
		list_state(t->list, &st);
	return st.n;
}

static uint64_t trace_id(void *ctx, size_t i)
{
	const struct trace *t = ctx;

	return list_id(t->list, i);
}

static bool trace_find(void *ctx, uint64_t id, size_t *i)
{
	const struct trace *t = ctx;

	return t->list && list_find(t->list, id, i);
}

static bool trace_load(void *ctx, size_t i)
{
	struct trace *t = ctx;

	arena_reset(&t->mem);
	return list_get(t->list, i, &t->mem, &t->span) == 0;
}

const struct tbl_source trace_source = {
	.count = trace_count,
	.id = trace_id,
	.find = trace_find,
	.load = trace_load,
	.cell = trace_cell,
};
