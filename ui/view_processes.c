// SPDX-License-Identifier: GPL-3.0-or-later
/* view_processes - who was observed: what each did, and, live, what it uses. */
#include <stdio.h>
#include <stdlib.h>

#include "base/json.h"
#include "ui/sheet.h"
#include "ui/trace.h"

enum { WATCHED = 4096 /* processes whose use is asked for */ };

struct watched {
	pid_t pid;
	int64_t cpu_ns, at_ns;
	double share; /* of one core, %; < 0: not known yet */
	int64_t rss_bytes;
	const char *runtime;
};

struct processes {
	struct sheet sheet;
	struct watched *list;
	size_t n;
	struct buf usage; /* as JSON, for the statement */
};

static const struct tbl_col columns[] = {
	{ .name = "pid",
	  .title = "PID",
	  .width = 7,
	  .right = true,
	  .priority = 2,
	  .help = "process id" },
	{ .name = "name",
	  .title = "NAME",
	  .width = 15,
	  .max = 20,
	  .priority = 1,
	  .help = "command name" },
	{ .name = "container_id",
	  .title = "CONTAINER",
	  .width = 9,
	  .max = 12,
	  .priority = 9,
	  .help = "container" },
	{ .name = "start",
	  .title = "START",
	  .width = 8,
	  .max = 12,
	  .priority = 8,
	  .sort = "start_ns",
	  .help = "start, or when it was first seen, local time" },
	{ .name = "runtime",
	  .title = "RUNTIME",
	  .width = 7,
	  .priority = 7,
	  .help = "go, python, node, java, ...: by its program, live also by what it has mapped" },
	{ .name = "connections",
	  .title = "CONNS",
	  .width = 6,
	  .right = true,
	  .priority = 6,
	  .help = "connections that it used last" },
	{ .name = "requests",
	  .title = "REQ",
	  .width = 7,
	  .max = 10,
	  .right = true,
	  .priority = 3,
	  .help = "requests that it made or answered, as far as the store holds them" },
	{ .name = "errors",
	  .title = "ERR",
	  .width = 5,
	  .max = 8,
	  .right = true,
	  .priority = 4,
	  .help = "of them, failed" },
	{ .name = "cpu_pct",
	  .title = "CPU%",
	  .width = 6,
	  .right = true,
	  .priority = 5,
	  .help = "of one core, since the last refresh; live only" },
	{ .name = "rss_bytes",
	  .title = "MEM",
	  .width = 6,
	  .right = true,
	  .priority = 5,
	  .help = "resident memory; live only" },
	{ .name = "user", .title = "USER", .width = 8, .max = 12, .priority = 10, .help = "owner" },
	{ .name = "state",
	  .title = "STATE",
	  .width = 9,
	  .max = 12,
	  .priority = 11,
	  .sort = "end_ns",
	  .help = "runs, exit status, or the signal that ended it" },
	{ .name = "cmdline",
	  .title = "COMMAND LINE",
	  .width = 16,
	  .max = 200,
	  .priority = 12,
	  .help = "arguments that look like secrets are redacted" },
	{ .name = "exe", .title = "PROGRAM", .width = 12, .max = 60, .help = "path" },
	{ .name = "ppid", .title = "PPID", .width = 7, .right = true, .help = "parent" },
	{ .name = "service", .title = "SERVICE", .width = 10, .max = 24, .help = "service name" },
	{ .name = "cgroup", .title = "CGROUP", .width = 12, .max = 60, .help = "cgroup path" },
	{ 0 },
};

/*
 * A process id may come again: what was done under it belongs to the process
 * that had it then. A process that only spans tell of has no row of its own.
 */
static const char head[] =
	"with all_of as (select pid, start_ns, end_ns, ppid, comm, exe, cmdline, user, service,"
	" cgroup, container_id, exit_code, exit_signal from processes union all"
	" select pid, null, null, null, max(comm), null, null, null, max(service), null,"
	" max(container_id), null, null from spans where pid is not null"
	" and pid not in (select pid from processes) group by pid),\n"
	"p as (select *, case when lag(start_ns) over w is null then 0 else start_ns end as since,"
	" coalesce(lead(start_ns) over w, 9223372036854775807) as until"
	" from all_of window w as (partition by pid order by start_ns)),\n"
	"c as (select p.pid, since, count(*) as n from connections k join p on k.pid = p.pid"
	" and k.start_ns >= since and k.start_ns < until group by 1, 2),\n"
	"s as (select p.pid, since, count(*) as n, coalesce(sum(k.error), 0) as bad from spans k"
	" join p on k.pid = p.pid and k.start_ns >= since and k.start_ns < until";
static const char middle[] =
	" group by 1, 2)\n"
	"select p.pid || '/' || p.since as id, p.pid, comm as name, container_id, start_ns, end_ns,"
	" case when exe glob '*/python[0-9.]*' or exe glob '*/python' then 'python'"
	" when exe glob '*/node' or exe glob '*/nodejs' then 'node'"
	" when exe glob '*/java' then 'java' when exe glob '*/ruby*' then 'ruby'"
	" when exe glob '*/php*' then 'php' when exe glob '*/perl*' then 'perl'"
	" when exe glob '*/dotnet' then 'dotnet' when exe glob '*/beam.smp' then 'erlang'";
static const char tail[] =
	" coalesce(c.n, 0) as connections, coalesce(s.n, 0) as requests,"
	" coalesce(s.bad, 0) as errors, ppid, exe, cmdline, user, service, cgroup,"
	" exit_code, exit_signal, p.since as since, p.until as until\n"
	"from p left join c on c.pid = p.pid and c.since = p.since"
	" left join s on s.pid = p.pid and s.since = p.since";

static bool live(const struct sheet *s)
{
	return !app_opts(s->pane->app)->replay && !s->plain;
}

static void processes_sql(struct sheet *s, struct buf *out)
{
	int64_t from, to;

	app_window(s->pane->app, 0, &from, &to);
	buf_z(out, head);
	if (from)
		buf_fmt(out, " and k.start_ns >= %lld", (long long)from);
	if (to)
		buf_fmt(out, " and k.start_ns < %lld", (long long)to);
	buf_z(out, middle);
	if (live(s))
		buf_z(out, " else json_extract(u.value, '$[3]') end as runtime,"
		           " json_extract(u.value, '$[1]') as cpu_pct,"
		           " json_extract(u.value, '$[2]') as rss_bytes,");
	else
		buf_z(out, " end as runtime, null as cpu_pct, null as rss_bytes,");
	buf_z(out, tail);
	if (live(s))
		buf_z(out, " left join json_each(:usage) u on end_ns is null and"
		           " json_extract(u.value, '$[0]') = p.pid");
}

/* ---- what they use ---- */

static struct watched *watched(struct processes *v, pid_t pid)
{
	for (size_t i = 0; i < v->n; i++)
		if (v->list[i].pid == pid)
			return &v->list[i];
	if (v->n == WATCHED)
		return NULL;
	if (!v->list)
		v->list = calloc(WATCHED, sizeof(*v->list));
	if (!v->list)
		return NULL;
	v->list[v->n] = (struct watched){ .pid = pid,
		                          .share = -1,
		                          .runtime = session_runtime(
						  app_session(v->sheet.pane->app), pid) };
	return &v->list[v->n++];
}

static void measure(struct processes *v, pid_t pid, struct buf *out)
{
	struct app *a = v->sheet.pane->app;
	struct watched *w = watched(v, pid);
	int64_t now = (int64_t)(app_seconds(a) * 1e9);
	struct usage u;

	if (!w || session_usage(app_session(a), pid, &u))
		return;
	if (w->at_ns && now > w->at_ns)
		w->share = 100.0 * (double)(u.cpu_ns - w->cpu_ns) / (double)(now - w->at_ns);
	w->cpu_ns = u.cpu_ns;
	w->at_ns = now;
	w->rss_bytes = u.rss_bytes;
	buf_fmt(out, "%s[%d,", out->len > 1 ? "," : "", (int)pid);
	if (w->share < 0)
		buf_z(out, "null");
	else
		buf_fmt(out, "%.1f", w->share);
	buf_fmt(out, ",%lld,", (long long)w->rss_bytes);
	if (w->runtime)
		json_str(out, str_of(w->runtime));
	else
		buf_z(out, "null");
	buf_ch(out, ']');
}

/* Of those that were there the last time: who they are is known from the rows. */
static void processes_before(struct sheet *s)
{
	struct processes *v = (struct processes *)s;
	size_t n = sheet_source.count(s), row = s->row;

	if (!live(s))
		return;
	buf_clear(&v->usage);
	buf_ch(&v->usage, '[');
	for (size_t i = 0; i < n && i < WATCHED; i++) {
		s->row = i;
		if (sheet_number(s, "end_ns") == COL_NULL && sheet_number(s, "pid") > 0)
			measure(v, (pid_t)sheet_number(s, "pid"), &v->usage);
	}
	s->row = row;
	buf_z(&v->usage, "]");
	buf_ch(&v->usage, 0);
	s->params[0] = (struct answer_param){ "usage", v->usage.failed ? "[]" : v->usage.p };
	s->nparams = 1;
	if (!n)
		s->next = 0;
}

/* ---- rows ---- */

static enum role put_state(struct sheet *s, struct buf *out)
{
	int64_t code = sheet_number(s, "exit_code"), sig = sheet_number(s, "exit_signal");

	if (sheet_number(s, "start_ns") == COL_NULL) {
		buf_ch(out, '-');
		return ROLE_DIM;
	}
	if (sheet_number(s, "end_ns") == COL_NULL)
		buf_z(out, "runs");
	else if (sig != COL_NULL)
		buf_fmt(out, "signal %lld", (long long)sig);
	else if (code != COL_NULL)
		buf_fmt(out, "exit %lld", (long long)code);
	else
		buf_z(out, "ended");
	return sig != COL_NULL || code > 0 ? ROLE_WARN : ROLE_TEXT;
}

static enum role processes_cell(struct sheet *s, const struct tbl_col *col, struct buf *out)
{
	int64_t n;

	if (!strcmp(col->name, "start")) {
		trace_time(out, sheet_number(s, "start_ns"), 3);
		if (out->len > 8 && s->table.w[col - columns] < 12)
			out->len -= 4; /* whole seconds where there is little room */
		return ROLE_TEXT;
	}
	if (!strcmp(col->name, "state"))
		return put_state(s, out);
	if (!strcmp(col->name, "cmdline") && sheet_value(s, "cmdline").s) {
		buf_str(out, str_trim(sheet_value(s, "cmdline"))); /* titles are padded */
		return ROLE_TEXT;
	}
	if (!strcmp(col->name, "rss_bytes")) {
		sheet_bytes(out, sheet_number(s, col->name));
		return ROLE_TEXT;
	}
	if (strcmp(col->name, "errors") != 0)
		return ROLE_MAX;
	n = sheet_number(s, "errors");
	buf_i64(out, n);
	return n > 0 ? ROLE_BAD : ROLE_TEXT;
}

static void processes_detail(struct sheet *s, struct detail *d)
{
	static const char *const what[] = { "connections", "requests", "errors", NULL };
	static const char *const who[] = { "pid",          "ppid",    "name", "service",
		                           "exe",          "cmdline", "user", "cgroup",
		                           "container_id", "runtime", NULL };
	struct buf b = { 0 };

	detail_line(d, ROLE_TEXT, "%.*s[%.*s]", STR_ARG(sheet_value(s, "name")),
	            STR_ARG(sheet_value(s, "pid")));
	detail_section(d, "Process");
	for (const char *const *n = who; *n; n++)
		detail_pair(d, *n, sheet_value(s, *n).s ? sheet_value(s, *n) : STR("-"));
	trace_time(&b, sheet_number(s, "start_ns"), 6);
	detail_pair(d, "start", buf_slice(&b));
	buf_clear(&b);
	(void)put_state(s, &b);
	detail_pair(d, "state", buf_slice(&b));
	detail_section(d, "What it did");
	for (const char *const *n = what; *n; n++)
		detail_pair(d, *n, sheet_value(s, *n));
	detail_section(d, "What it uses");
	detail_pair(d, "cpu_pct",
	            sheet_value(s, "cpu_pct").s ? sheet_value(s, "cpu_pct") : STR("-"));
	buf_clear(&b);
	sheet_bytes(&b, sheet_number(s, "rss_bytes"));
	detail_pair(d, "memory", buf_slice(&b));
	if (app_opts(s->pane->app)->replay)
		detail_line(d, ROLE_DIM, "a recording does not say what processes used");
	buf_free(&b);
}

static enum handled processes_enter(struct sheet *s)
{
	char crumb[64], err[512] = "";
	int64_t since = sheet_number(s, "since"), until = sheet_number(s, "until");
	struct buf filter = { 0 };

	buf_fmt(&filter, "pid = %.*s", STR_ARG(sheet_value(s, "pid")));
	/* Where the number was given again, only what this process did. */
	if (since > 0)
		buf_fmt(&filter, " and start_ns >= %lld", (long long)since);
	if (until != INT64_MAX)
		buf_fmt(&filter, " and start_ns < %lld", (long long)until);
	buf_ch(&filter, 0);
	snprintf(crumb, sizeof(crumb), "%.*s[%.*s]", STR_ARG(sheet_value(s, "name")),
	         STR_ARG(sheet_value(s, "pid")));
	if (filter.failed || app_open(s->pane->app, "trace", filter.p, crumb, err))
		app_say(s->pane->app, "%s", err);
	buf_free(&filter);
	return UI_HANDLED | UI_REDRAW;
}

static const struct sheet_spec spec = {
	.cols = columns,
	.key = "id",
	.error = "errors",
	.what = "processes",
	.aging = true,
	.sql = processes_sql,
	.before = processes_before,
	.cell = processes_cell,
	.detail = processes_detail,
	.enter = processes_enter,
};

static int processes_open(struct pane *p, char *err)
{
	return sheet_open(p, &spec, "requests", true, err);
}

static void processes_close(struct pane *p)
{
	struct processes *v = p->state;

	sheet_close(p);
	buf_free(&v->usage);
	free(v->list);
}

const struct view view_processes = {
	.name = "processes",
	.title = "Processes",
	.number = 8,
	.legend = "REQ requests it made or answered   CONNS connections that it used last\n"
		  "CPU% of one core, MEM resident: live only\n"
		  "RUNTIME by its program; live also by what it has mapped   - unknown\n",
	.keys = { { "o", "Split", "the detail beside the list, or below" } },
	.offers = { ACT_ENTER, ACT_SEARCH, ACT_FILTER, ACT_SORT, ACT_MARK, ACT_PAUSE, ACT_RECORD,
	            ACT_COMMAND, ACT_SQL, ACT_WHY, ACT_COPY, ACT_COLUMNS, ACT_NEXT_ERROR,
	            ACT_WINDOW },
	.state_size = sizeof(struct processes),
	.every_ms = 100,
	.open = processes_open,
	.close = processes_close,
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
