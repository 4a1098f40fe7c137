// SPDX-License-Identifier: GPL-3.0-or-later
/* obi doctor - what works on this host and for this process, and why not. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/err.h"
#include "base/json.h"
#include "cmd/live.h"

enum { PIPELINE_S = 3, MAX_CHECKS = 24 };

struct check {
	const char *name;
	enum { GOOD, BAD, NOTE } how;
	char detail[400], fix[160];
};

struct report {
	struct check checks[MAX_CHECKS];
	size_t n;
	char verdict[320];
};

static struct check *add(struct report *r, const char *name, int how)
{
	struct check *c = &r->checks[r->n < MAX_CHECKS ? r->n++ : MAX_CHECKS - 1];

	*c = (struct check){ .name = name, .how = how };
	return c;
}

static bool read_file(const char *path, char *out, size_t cap)
{
	FILE *f = fopen(path, "re");
	size_t n;

	if (!f)
		return false;
	n = fread(out, 1, cap - 1, f);
	fclose(f);
	out[n] = 0;
	out[strcspn(out, "\n")] = 0;
	return true;
}

static void check_kernel(struct report *r)
{
	struct check *c = add(r, "kernel", GOOD);
	struct utsname u;
	unsigned int major = 0, minor = 0;

	uname(&u);
	snprintf(c->detail, sizeof(c->detail), "%s %s", u.release, u.machine);
	if (sscanf(u.release, "%u.%u", &major, &minor) == 2 &&
	    (major < 5 || (major == 5 && minor < 8))) {
		c->how = BAD;
		snprintf(c->fix, sizeof(c->fix),
		         "5.8 or later; recordings can be read on any (-r)");
	}
	c = add(r, "BTF", access("/sys/kernel/btf/vmlinux", R_OK) ? BAD : GOOD);
	snprintf(c->detail, sizeof(c->detail), "%s",
	         c->how == GOOD ? "/sys/kernel/btf/vmlinux" : "/sys/kernel/btf/vmlinux is missing");
	if (c->how == BAD)
		snprintf(c->fix, sizeof(c->fix), "a kernel with CONFIG_DEBUG_INFO_BTF");
}

static void check_hardening(struct report *r)
{
	char text[200];
	struct check *c = add(r, "lockdown", NOTE);

	snprintf(c->detail, sizeof(c->detail), "%s",
	         read_file("/sys/kernel/security/lockdown", text, sizeof(text))
	                 ? text
	                 : "not shown (securityfs is not mounted)");
	c = add(r, "perf_event_paranoid", NOTE);
	snprintf(c->detail, sizeof(c->detail), "%s",
	         read_file("/proc/sys/kernel/perf_event_paranoid", text, sizeof(text)) ? text
	                                                                               : "-");
	c = add(r, "kprobes", NOTE);
	snprintf(c->detail, sizeof(c->detail), "%s",
	         access("/sys/kernel/tracing/kprobe_events", F_OK) &&
	                         access("/sys/kernel/debug/tracing/kprobe_events", F_OK)
	                 ? "not there; obi does not need them"
	                 : "there; obi does not use them");
}

static void check_rights(struct report *r)
{
	struct check *c = add(r, "permission", BAD);
	char status[4096], *line;
	unsigned long long caps = 0;
	FILE *f = fopen("/proc/self/status", "re");
	size_t n = f ? fread(status, 1, sizeof(status) - 1, f) : 0;

	if (f)
		fclose(f);
	status[n] = 0;
	line = strstr(status, "CapEff:");
	if (line && sscanf(line, "CapEff: %llx", &caps) == 1 &&
	    ((caps & 1ull << 39 && caps & 1ull << 38) || caps & 1ull << 21))
		c->how = GOOD;
	snprintf(c->detail, sizeof(c->detail),
	         "uid %u, CAP_BPF %s, CAP_PERFMON %s, CAP_SYS_ADMIN %s", (unsigned int)geteuid(),
	         caps & 1ull << 39 ? "yes" : "no", caps & 1ull << 38 ? "yes" : "no",
	         caps & 1ull << 21 ? "yes" : "no");
	if (c->how == BAD)
		snprintf(c->fix, sizeof(c->fix), "sudo obi doctor");
}

static void check_place(struct report *r)
{
	struct check *c = add(r, "cgroup", NOTE);
	char a[64], b[64];
	ssize_t n = readlink("/proc/self/ns/pid", a, sizeof(a) - 1);
	ssize_t m = readlink("/proc/1/ns/pid", b, sizeof(b) - 1);

	snprintf(c->detail, sizeof(c->detail), "%s",
	         !access("/sys/fs/cgroup/cgroup.controllers", F_OK) ? "version 2"
	         : !access("/sys/fs/cgroup/unified/cgroup.procs", F_OK)
	                 ? "version 1 with 2 beside it"
	                 : "version 1");
	c = add(r, "pid namespace", NOTE);
	a[n > 0 ? n : 0] = 0;
	b[m > 0 ? m : 0] = 0;
	snprintf(c->detail, sizeof(c->detail), "%s",
	         !m || m < 0    ? "not shown"
	         : strcmp(a, b) ? "not that of pid 1: process ids are those of the host"
	                        : "that of pid 1");
	c = add(r, "terminal", NOTE);
	snprintf(c->detail, sizeof(c->detail), "%s, TERM=%s, locale %s",
	         isatty(STDOUT_FILENO) ? "yes" : "no", getenv("TERM") ? getenv("TERM") : "-",
	         getenv("LC_ALL") ? getenv("LC_ALL")
	         : getenv("LANG") ? getenv("LANG")
	                          : "-");
}

/* A library that carries TLS is named: its plaintext is not read in this version. */
static const char *tls_of(const char *maps)
{
	static const char *const names[] = { "libssl.so", "libgnutls.so", "libnspr4.so" };

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (strstr(maps, names[i]))
			return names[i];
	return NULL;
}

static void check_tls(struct report *r, pid_t pid)
{
	static const size_t cap = 1 << 20;
	char *maps = malloc(cap), path[64];
	const char *tls = NULL;
	struct check *c;

	snprintf(path, sizeof(path), "/proc/%d/maps", (int)pid);
	if (maps) {
		FILE *f = fopen(path, "re");
		size_t n = f ? fread(maps, 1, cap - 1, f) : 0;

		if (f)
			fclose(f);
		maps[n] = 0;
		tls = tls_of(maps);
	}
	free(maps);
	c = add(r, "TLS", NOTE);
	if (tls)
		snprintf(
			c->detail, sizeof(c->detail),
			"maps %s: of its TLS connections the handshake is shown, the rest is not decoded",
			tls);
	else
		snprintf(c->detail, sizeof(c->detail), "no TLS library is mapped");
}

/* Why this process would or would not be seen. 0 or exit status. */
static int check_process(struct report *r, pid_t pid)
{
	struct check *c = add(r, "process", GOOD);
	char path[64], comm[64], exe[200];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/comm", (int)pid);
	if (!read_file(path, comm, sizeof(comm))) {
		c->how = BAD;
		snprintf(c->detail, sizeof(c->detail), "no process %d", (int)pid);
		return STATUS_TARGET;
	}
	snprintf(path, sizeof(path), "/proc/%d/exe", (int)pid);
	n = readlink(path, exe, sizeof(exe) - 1);
	exe[n > 0 ? n : 0] = 0;
	snprintf(c->detail, sizeof(c->detail), "%d (%s)%s%s", (int)pid, comm, n > 0 ? ", " : "",
	         exe);
	if (n <= 0) {
		c->how = BAD;
		snprintf(c->detail, sizeof(c->detail),
		         "%d (%s) is a kernel thread: it makes no calls on sockets", (int)pid,
		         comm);
	}
	if (pid == getpid())
		c->how = BAD;
	check_tls(r, pid);
	return 0;
}

static void judge(struct report *r, const struct probe_state *p, size_t n, const char *error)
{
	size_t bad = 0, missing = 0, wanted = 0;

	for (size_t i = 0; i < r->n; i++)
		bad += r->checks[i].how == BAD;
	for (size_t i = 0; i < n; i++) {
		wanted += !p[i].skipped;
		missing += !p[i].skipped && !p[i].attached;
	}
	if (error)
		snprintf(r->verdict, sizeof(r->verdict), "live tracing does not work here: %.280s",
		         error);
	else if (bad)
		snprintf(r->verdict, sizeof(r->verdict), "%zu of %zu checks failed; see above", bad,
		         r->n);
	else if (missing)
		snprintf(r->verdict, sizeof(r->verdict), "works, without %zu of %zu probes",
		         missing, wanted);
	else
		snprintf(r->verdict, sizeof(r->verdict), "everything works: %zu probes attach",
		         wanted);
}

static void print_text(const struct report *r, const struct probe_state *p, size_t n)
{
	static const char *const marks[] = { "ok", "NO", "-" };

	for (size_t i = 0; i < r->n; i++) {
		const struct check *c = &r->checks[i];

		printf("%-20s %-3s %s\n", c->name, marks[c->how], c->detail);
		if (c->fix[0])
			printf("%-20s     try: %s\n", "", c->fix);
	}
	for (size_t i = 0; i < n; i++)
		printf("%-20.20s %-3s %s%s%s\n", i ? "" : "probes",
		       p[i].attached  ? "ok"
		       : p[i].skipped ? "-"
		                      : "NO",
		       p[i].hook, p[i].why[0] ? ": " : "", p[i].why);
	printf("%s\n", r->verdict);
}

static void json_member(struct buf *b, const char *key, const char *text)
{
	json_str(b, str_of(key));
	buf_ch(b, ':');
	if (text[0])
		json_str(b, str_of(text));
	else
		buf_z(b, "null");
}

static void print_json(const struct report *r, const struct probe_state *p, size_t n)
{
	struct buf b = { 0 };

	buf_z(&b, "{\"checks\":[");
	for (size_t i = 0; i < r->n; i++) {
		buf_z(&b, i ? ",{" : "{");
		json_member(&b, "name", r->checks[i].name);
		buf_fmt(&b, ",\"ok\":%s,", r->checks[i].how == BAD ? "false" : "true");
		json_member(&b, "detail", r->checks[i].detail);
		buf_ch(&b, ',');
		json_member(&b, "fix", r->checks[i].fix);
		buf_ch(&b, '}');
	}
	buf_z(&b, "],\"probes\":[");
	for (size_t i = 0; i < n; i++) {
		buf_z(&b, i ? ",{" : "{");
		json_member(&b, "name", p[i].name);
		buf_ch(&b, ',');
		json_member(&b, "hook", p[i].hook);
		buf_ch(&b, ',');
		json_member(&b, "state",
		            p[i].attached  ? "attached"
		            : p[i].skipped ? "skipped"
		                           : "missing");
		buf_ch(&b, ',');
		json_member(&b, "why", p[i].why);
		buf_ch(&b, '}');
	}
	buf_z(&b, "],");
	json_member(&b, "verdict", r->verdict);
	buf_z(&b, "}\n");
	fwrite(b.p, 1, b.len, stdout);
	buf_free(&b);
}

/* The whole pipeline for a few seconds on this host: nodes, fill, drops. */
static int run_pipeline(const struct options *o)
{
	struct options timed = *o;
	struct buf b = { 0 };
	struct live l;
	int status;

	if (!timed.duration_ns)
		timed.duration_ns = PIPELINE_S * 1000000000ull;
	live_init(&l, &timed);
	l.silent = true;
	l.opts.store = true;
	status = live_start(&l);
	if (!status) {
		live_run(&l, NULL);
		status = live_stop(&l, NULL);
		session_describe(l.session, &b);
		fwrite(b.p, 1, b.len, stdout);
		buf_free(&b);
	}
	live_free(&l);
	return status;
}

static int doctor_run(const struct options *o)
{
	struct session *s = NULL;
	const struct probe_state *p = NULL;
	char err[ERR_TEXT] = "";
	struct report r = { 0 };
	struct live l;
	size_t n = 0;
	int e = 0, status = 0;

	if (o->pipeline)
		return run_pipeline(o);
	live_init(&l, o);
	check_kernel(&r);
	check_hardening(&r);
	check_rights(&r);
	check_place(&r);
	for (size_t i = 0; i < o->npids; i++)
		status = check_process(&r, o->pids[i]) ? STATUS_TARGET : status;
	/* Each probe is tried for real: loaded and attached, then taken off again. */
	if (!status)
		s = session_new(&l.opts, &e, err);
	if (s)
		p = session_probes(s, &n);
	judge(&r, p, n, s ? NULL : err[0] ? err : status ? r.checks[r.n - 1].detail : strerror(-e));
	if (o->form == FORM_JSON)
		print_json(&r, p, n);
	else
		print_text(&r, p, n);
	session_free(s);
	live_free(&l);
	return status ? status : s ? STATUS_OK : live_status(e);
}

const struct cmd cmd_doctor = {
	.name = "doctor",
	.args = "[TARGET]",
	.brief = "what works on this host and for this process, and why not",
	.examples = {
		{ "obi doctor", "this host; every probe is tried for real" },
		{ "obi doctor -p 4242", "and why this process would or would not be seen" },
		{ "obi doctor -o json", "for a bug report" },
		{ "obi doctor -v", "and what the kernel's verifier says of a refused probe" },
		{ "obi doctor --pipeline", "run the pipeline for 3 s: nodes, fill, drops" },
	},
	.run = doctor_run,
};
