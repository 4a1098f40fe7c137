// SPDX-License-Identifier: GPL-3.0-or-later
/* view_connections - who talks with whom, how much, and why some of it is not understood. */
#include <stdio.h>
#include <stdlib.h>

#include "ui/sheet.h"

struct connections {
	struct sheet sheet;
};

static const struct tbl_col columns[] = {
	{ .name = "process",
	  .title = "PROCESS",
	  .width = 18,
	  .max = 26,
	  .priority = 3,
	  .help = "who was observed: as client `p >`, as server `< p`" },
	{ .name = "local",
	  .title = "LOCAL",
	  .width = 15,
	  .max = 26,
	  .priority = 11,
	  .help = "address of this side" },
	{ .name = "peer",
	  .title = "PEER",
	  .width = 15,
	  .max = 26,
	  .priority = 4,
	  .help = "address of the other side" },
	{ .name = "proto",
	  .title = "PROTO",
	  .width = 10,
	  .priority = 2,
	  .help = "protocol; tcp, unix: not recognised" },
	{ .name = "state", .title = "STATE", .width = 6, .priority = 10, .help = "open, closed" },
	{ .name = "age",
	  .title = "AGE",
	  .width = 7,
	  .priority = 8,
	  .right = true,
	  .sort = "age_ns",
	  .help = "first seen to closed, or to now" },
	{ .name = "rx_bytes",
	  .title = "RX",
	  .width = 6,
	  .priority = 6,
	  .right = true,
	  .help = "bytes received, by TCP's own count" },
	{ .name = "tx_bytes",
	  .title = "TX",
	  .width = 6,
	  .priority = 7,
	  .right = true,
	  .help = "bytes sent, by TCP's own count" },
	{ .name = "requests",
	  .title = "REQ",
	  .width = 5,
	  .max = 8,
	  .priority = 1,
	  .right = true,
	  .help = "requests seen" },
	{ .name = "errors",
	  .title = "ERR",
	  .width = 4,
	  .max = 7,
	  .priority = 5,
	  .right = true,
	  .help = "requests that failed" },
	{ .name = "health",
	  .title = "TCP",
	  .width = 3,
	  .priority = 12,
	  .sort = "",
	  .help = "health of the connection: not measured yet" },
	{ .name = "why",
	  .title = "WHY UNKNOWN",
	  .width = 11,
	  .max = 60,
	  .priority = 9,
	  .help = "why it was not decoded; - where it was" },
	{ .name = "conn", .title = "CONN", .width = 8, .max = 16, .help = "identity" },
	{ .name = "time",
	  .title = "FIRST SEEN",
	  .width = 30,
	  .sort = "start_ns",
	  .help = "RFC 3339" },
	{ .name = "side", .title = "SIDE", .width = 6, .help = "client, server" },
	{ .name = "transport", .title = "L4", .width = 4, .help = "tcp, unix, udp" },
	{ .name = "pid", .title = "PID", .width = 7, .right = true, .help = "process id" },
	{ .name = "seen_bytes",
	  .title = "SEEN B",
	  .width = 8,
	  .right = true,
	  .help = "bytes captured" },
	{ .name = "cut_bytes",
	  .title = "CUT B",
	  .width = 8,
	  .right = true,
	  .help = "left out on purpose" },
	{ .name = "lost_bytes",
	  .title = "LOST B",
	  .width = 8,
	  .right = true,
	  .help = "lost because the ring was full" },
	{ .name = "unseen_bytes",
	  .title = "UNSEEN B",
	  .width = 8,
	  .right = true,
	  .help = "moved where no probe sees them" },
	{ .name = "unparsed_bytes",
	  .title = "UNPARSED",
	  .width = 8,
	  .right = true,
	  .help = "captured, and no parser understood them" },
	{ .name = "rtt_ms",
	  .title = "RTT ms",
	  .width = 8,
	  .right = true,
	  .help = "round-trip time at the close" },
	{ .name = "retransmits",
	  .title = "RTX",
	  .width = 5,
	  .right = true,
	  .help = "segments sent again" },
	{ .name = "first_bytes",
	  .title = "FIRST BYTES",
	  .width = 12,
	  .max = 60,
	  .help = "of a connection that was not recognised" },
	{ .name = "flags", .title = "FLAGS", .width = 8, .max = 24, .help = "what limits it" },
	{ 0 },
};

/* An address with its port, as SQL; a path where it is a Unix socket. */
#define ADDRESS(side)                                                                   \
	"case when " side "_port is null then " side "_ip"                              \
	" when " side "_ip like '%:%' then '[' || " side "_ip || ']:' || " side "_port" \
	" else " side "_ip || ':' || " side "_port end as " side

static void connections_sql(struct sheet *s, struct buf *out)
{
	int64_t from, to, now = app_now(s->pane->app);

	app_window(s->pane->app, 0, &from, &to);
	buf_z(out, "select *, coalesce(comm, '?') || '[' || coalesce(pid, '?') || ']' as process,"
	           " " ADDRESS("local") ", " ADDRESS("peer") ",");
	buf_fmt(out, " coalesce(end_ns, %lld) - start_ns as age_ns from connections",
	        (long long)(to ? to : now));
	/* A connection belongs to every window that it lived in. */
	if (from)
		buf_fmt(out, " where coalesce(end_ns, %lld) >= %lld", (long long)now,
		        (long long)from);
	if (to)
		buf_fmt(out, " and start_ns < %lld", (long long)to);
}

static enum role put_process(struct sheet *s, struct buf *out)
{
	bool server = str_is(sheet_value(s, "side"), "server");
	bool client = str_is(sheet_value(s, "side"), "client");

	buf_z(out, server ? "< " : "");
	buf_str(out, sheet_value(s, "process"));
	buf_z(out, client ? " >" : "");
	return ROLE_TEXT;
}

static enum role connections_cell(struct sheet *s, const struct tbl_col *col, struct buf *out)
{
	int64_t n;

	if (!strcmp(col->name, "process"))
		return put_process(s, out);
	if (!strcmp(col->name, "age")) {
		sheet_age(out, sheet_number(s, "age_ns"));
		return ROLE_TEXT;
	}
	if (!strcmp(col->name, "rx_bytes") || !strcmp(col->name, "tx_bytes")) {
		sheet_bytes(out, sheet_number(s, col->name));
		return ROLE_TEXT;
	}
	if (!strcmp(col->name, "errors")) {
		n = sheet_number(s, "errors");
		if (n == COL_NULL)
			return ROLE_MAX;
		buf_i64(out, n);
		return n ? ROLE_BAD : ROLE_TEXT;
	}
	return !strcmp(col->name, "why") && sheet_value(s, "why").s
	               ? (buf_str(out, sheet_value(s, "why")), ROLE_WARN)
	               : ROLE_MAX;
}

/* ---- one of them ---- */

static void pairs(struct sheet *s, struct detail *d, const char *const *names)
{
	for (; *names; names++)
		detail_pair(d, *names, sheet_value(s, *names));
}

/* seen + cut + lost + unseen is what TCP says was sent and received. */
static void account(struct sheet *s, struct detail *d)
{
	static const struct {
		const char *column, *help;
	} parts[] = {
		{ "seen_bytes", "captured" },
		{ "cut_bytes", "left out on purpose" },
		{ "lost_bytes", "lost because the ring was full" },
		{ "unseen_bytes", "moved where no probe sees them (splice from a socket)" },
	};
	int64_t sum = 0, rx = sheet_number(s, "rx_bytes"), tx = sheet_number(s, "tx_bytes");

	detail_section(d, "Account of bytes");
	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++) {
		int64_t n = sheet_number(s, parts[i].column);

		if (n == COL_NULL) {
			detail_line(d, ROLE_DIM, "%-16s %12s  %s", parts[i].column, "-",
			            parts[i].help);
			continue;
		}
		sum += n;
		detail_line(d, i > 1 && n ? ROLE_WARN : ROLE_TEXT, "%-16s %12lld  %s",
		            parts[i].column, (long long)n, parts[i].help);
	}
	if (rx == COL_NULL || tx == COL_NULL)
		return;
	detail_line(d, sum == rx + tx ? ROLE_GOOD : ROLE_WARN,
	            "%-16s %12lld  %s %lld sent + %lld received", "together", (long long)sum,
	            sum == rx + tx ? "=" : "but", (long long)tx, (long long)rx);
	if (sheet_number(s, "unparsed_bytes") > 0)
		detail_line(d, ROLE_WARN, "%-16s %12lld  captured, and no parser understood them",
		            "unparsed_bytes", (long long)sheet_number(s, "unparsed_bytes"));
}

static void flags(struct sheet *s, struct detail *d)
{
	static const struct {
		const char *name, *help;
	} all[] = {
#define X(bit, NAME, text, help) { text, help },
		SPAN_FLAGS(X)
#undef X
	};
	struct str rest = sheet_value(s, "flags");

	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
		struct str list = rest;

		while (list.len) {
			const char *comma = memchr(list.s, ',', list.len);
			struct str one = { list.s, comma ? (size_t)(comma - list.s) : list.len };

			if (str_is(one, all[i].name))
				detail_line(d, ROLE_WARN, "%-16s %s", all[i].name, all[i].help);
			list.s += one.len + (comma != NULL);
			list.len -= one.len + (comma != NULL);
		}
	}
	if (!rest.len)
		detail_line(d, ROLE_GOOD, "nothing limits it: seen from its start, no hole");
}

static void connections_detail(struct sheet *s, struct detail *d)
{
	struct buf b = { 0 };

	put_process(s, &b);
	detail_line(d, ROLE_TEXT, "%.*s  %.*s - %.*s  %.*s", STR_ARG(buf_slice(&b)),
	            STR_ARG(sheet_value(s, "local")), STR_ARG(sheet_value(s, "peer")),
	            STR_ARG(sheet_value(s, "proto")));
	detail_section(d, "Why");
	if (sheet_value(s, "why").s)
		detail_line(d, ROLE_WARN, "not decoded: %.*s", STR_ARG(sheet_value(s, "why")));
	else
		detail_line(d, ROLE_GOOD, "decoded as %.*s", STR_ARG(sheet_value(s, "proto")));
	flags(s, d);
	if (sheet_value(s, "first_bytes").len) {
		detail_section(d, "First bytes");
		detail_text(d, sheet_value(s, "first_bytes"), 4096);
	}
	account(s, d);
	detail_section(d, "Connection");
	buf_clear(&b);
	sheet_age(&b, sheet_number(s, "age_ns"));
	pairs(s, d,
	      (const char *const[]){ "conn", "process", "pid", "side", "transport", "local", "peer",
	                             "proto", "state", "time", NULL });
	detail_pair(d, "age", buf_slice(&b));
	pairs(s, d, (const char *const[]){ "requests", "errors", NULL });
	detail_section(d, "TCP");
	detail_pair(d, "rtt_ms", sheet_value(s, "rtt_ms").s ? sheet_value(s, "rtt_ms") : STR("-"));
	detail_pair(d, "retransmits",
	            sheet_value(s, "retransmits").s ? sheet_value(s, "retransmits") : STR("-"));
	buf_free(&b);
}

static enum handled connections_enter(struct sheet *s)
{
	char filter[160], crumb[64], err[512] = "";

	snprintf(filter, sizeof(filter), "conn = '%.*s'", STR_ARG(sheet_value(s, "conn")));
	snprintf(crumb, sizeof(crumb), "%.*s", STR_ARG(sheet_value(s, "peer")));
	if (app_open(s->pane->app, "trace", filter, crumb, err))
		app_say(s->pane->app, "%s", err);
	return UI_HANDLED | UI_REDRAW;
}

static const struct sheet_spec spec = {
	.cols = columns,
	.key = "conn",
	.error = "errors",
	.what = "connections",
	.aging = true,
	.sql = connections_sql,
	.cell = connections_cell,
	.detail = connections_detail,
	.enter = connections_enter,
};

static int connections_open(struct pane *p, char *err)
{
	return sheet_open(p, &spec, "start_ns", false, err);
}

const struct view view_connections = {
	.name = "connections",
	.title = "Connections",
	.number = 7,
	.legend = "p > peer: p is the client; < p: the server\n"
		  "RX TX bytes by TCP's own count   AGE first seen to closed, or now\n"
		  "PROTO tcp, unix: not recognised; WHY says why, d all that is known\n"
		  "TCP health: not measured yet   - unknown\n",
	.keys = { { "o", "Split", "the detail beside the list, or below" } },
	.offers = { ACT_ENTER, ACT_SEARCH, ACT_FILTER, ACT_SORT, ACT_MARK, ACT_PAUSE, ACT_RECORD,
	            ACT_COMMAND, ACT_SQL, ACT_WHY, ACT_COPY, ACT_COLUMNS, ACT_NEXT_ERROR,
	            ACT_WINDOW },
	.state_size = sizeof(struct connections),
	.every_ms = 100,
	.open = connections_open,
	.close = sheet_close,
	.ask = sheet_ask,
	.draw = sheet_draw,
	.act = sheet_act,
	.mouse = sheet_mouse,
	.status = sheet_status,
	.sql = sheet_sql,
	.copy = sheet_copy,
	.write = sheet_write,
	.columns = sheet_columns,
};
