// SPDX-License-Identifier: GPL-3.0-or-later
/* live - what the commands that run a session share. */
#include "cmd/live.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "cmd/summary.h"
#include "ui/screen.h"

enum { TICK_MS = 100, EXPLAIN_S = 5, SAME_MS = 300 };

/* Set by signal handlers, which can be told where to write in no other way. */
static volatile sig_atomic_t stops, first_ms, wants_summary;

/* As much of the clock as a handler can keep. */
static int clock_ms(void)
{
	return (int)(clock_ns() / 1000000 & 0x3fffffff);
}

static void on_stop(int sig)
{
	int now = clock_ms();

	(void)sig;
	if (!stops++) {
		first_ms = now;
		return;
	}
	/* timeout(1) sends its signal to the child and again to the group with it */
	if (((now - first_ms) & 0x3fffffff) < SAME_MS)
		return;
	screen_abandon();
	_exit(130); /* asked twice: out now; the kernel detaches what we held */
}

static void on_usr1(int sig)
{
	(void)sig;
	wants_summary = 1;
}

static void catch (int sig, void (*fn)(int))
{
	struct sigaction a = { .sa_handler = fn, .sa_flags = SA_RESTART };

	sigaction(sig, &a, NULL);
}

static void say(void *ctx, enum level level, const char *text)
{
	const struct options *o = ctx;

	if (level == LEVEL_DEBUG ? !o->verbose : level != LEVEL_ERROR && o->quiet)
		return;
	fprintf(stderr, "obi: %s\n", text);
}

static double now_s(void)
{
	return (double)clock_ns() / 1e9;
}

int live_status(int error)
{
	switch (-error) {
	case 0:
		return STATUS_OK;
	case EPERM:
	case EACCES:
		return STATUS_PERMISSION;
	case ENOSYS:
	case EOPNOTSUPP:
		return STATUS_KERNEL;
	case ESRCH:
		return STATUS_TARGET;
	case EINVAL:
		return STATUS_USAGE;
	default:
		return STATUS_ERROR;
	}
}

/* A capability that a test turns off, to run the code of older kernels. */
static unsigned int without(void)
{
	static const struct {
		const char *name;
		unsigned int bit;
	} all[] = {
		{ "sock-tracepoints", WITHOUT_SOCK_TRACEPOINTS },
		{ "sk-storage", WITHOUT_SK_STORAGE },
		{ "fetch-atomics", WITHOUT_FETCH_ATOMICS },
	};
	const char *env = getenv("OBI_WITHOUT");
	unsigned int bits = 0;

	for (size_t i = 0; env && i < sizeof(all) / sizeof(*all); i++)
		if (strstr(env, all[i].name))
			bits |= all[i].bit;
	return bits;
}

static void set_targets(struct live *l)
{
	const struct options *o = l->o;
	struct target_spec *t = &l->opts.capture.targets;

	*t = (struct target_spec){
		.no_follow = o->no_follow,
		.pids = o->pids,
		.npids = o->npids,
		.comms = o->comms.v,
		.ncomms = o->comms.n,
		.exes = o->exes.v,
		.nexes = o->exes.n,
		.cgroups = o->cgroups.v,
		.ncgroups = o->cgroups.n,
		.users = o->users.v,
		.nusers = o->users.n,
		.all = o->all,
	};
	if (o->command) {
		/* --user says who runs the command; it selects nothing else. */
		t->users = NULL;
		t->nusers = 0;
	}
	if (!t->npids && !t->ncomms && !t->nexes && !t->ncgroups && !t->nusers && !o->command)
		t->all = true;
}

/* The flag, else what the SDKs of the traced programs go by; a recording was sampled before. */
static void set_sampler(struct live *l)
{
	const char *name = getenv("OTEL_TRACES_SAMPLER"), *arg = getenv("OTEL_TRACES_SAMPLER_ARG");
	const struct options *o = l->o;
	struct sampler *s = &l->opts.sampler;

	if (arg && !*arg)
		arg = NULL;
	if (o->sampled)
		*s = o->sampler;
	if (o->sampled || o->read.n || !name || !*name ||
	    !sample_named(str_of(name), str_of(arg), s))
		return;
	if (arg && !sample_named(str_of(name), STR_NULL, s))
		warn(LEVEL_WARN, "OTEL_TRACES_SAMPLER_ARG=%s is no ratio from 0 to 1: taken as 1",
		     arg);
	else
		warn(LEVEL_WARN, "OTEL_TRACES_SAMPLER=%s is not known here: every trace is kept",
		     name);
}

void live_init(struct live *l, const struct options *o)
{
	*l = (struct live){ .o = o, .started = now_s(), .say = stderr };
	err_set_sink(say, (void *)(uintptr_t)o);
	signal(SIGPIPE, SIG_IGN);
	catch (SIGINT, on_stop);
	catch (SIGTERM, on_stop);
	catch (SIGHUP, on_stop);
	catch (SIGUSR1, on_usr1);
	set_targets(l);
	l->opts.capture.head_bytes = o->payload_bytes;
	l->opts.capture.ring_bytes = o->ring_bytes;
	l->opts.capture.no_payload = o->no_payload;
	l->opts.capture.without = without();
	l->opts.routes = (struct routes_opts){
		.given = o->route.v,
		.ngiven = o->route.n,
		.ignored = o->ignore_route.v,
		.nignored = o->ignore_route.n,
	};
	set_sampler(l);
	l->opts.recordings = o->read.v;
	l->opts.nrecordings = o->read.n;
	l->opts.filter = o->where;
	l->opts.mem_bytes = o->mem_bytes;
	l->opts.show_secrets = o->show_secrets;
	l->opts.body_bytes = o->body_bytes;
	l->opts.headers = (struct header_names){ .v = o->header.v, .n = o->header.n };
	l->opts.limit = o->count;
	l->opts.cmdline = o->cmdline;
}

/* Of the terminal on standard output; 0: it is none. */
static int screen_width(void)
{
	const char *env = getenv("COLUMNS");
	struct winsize ws;
	uint64_t n;

	if (!isatty(STDOUT_FILENO))
		return 0;
	if (!ioctl(STDOUT_FILENO, TIOCGWINSZ, &ws) && ws.ws_col)
		return ws.ws_col;
	return env && str_u64(str_of(env), &n) && n < 10000 ? (int)n : 80;
}

int live_output(struct live *l, const struct writer *w, const char *path, int fd, bool must)
{
	struct output *out;

	if (l->opts.noutputs == SESSION_OUTPUTS)
		return usage_error(NULL, "at most %d outputs", SESSION_OUTPUTS);
	out = &l->opts.outputs[l->opts.noutputs++];
	*out = (struct output){
		.writer = w,
		.must = must,
		.opts = {
			.path = path,
			.fd = fd,
			.rotate_bytes = l->o->rotate_bytes,
			.keep = l->o->keep,
			.split = l->o->split,
			.columns = l->o->columns,
			.tables = w == &writer_text && l->o->verbose,
			.width = fd == STDOUT_FILENO ? screen_width() : 0,
		},
	};
	return 0;
}

/* The command is there before the probes are, and runs after. */
static int start_child(struct live *l)
{
	const struct options *o = l->o;
	struct target_spec *t = &l->opts.capture.targets;
	int e = child_start(&l->child, o->command, o->users.n ? o->users.v[0] : NULL,
	                    l->say != stderr);

	if (e) {
		fprintf(l->say, "obi: cannot start %s: %s\n", o->command[0], strerror(-e));
		return STATUS_CMD;
	}
	l->has_child = true;
	l->pids = calloc(o->npids + 1, sizeof(*l->pids));
	if (!l->pids)
		return STATUS_CMD;
	for (size_t i = 0; i < o->npids; i++)
		l->pids[i] = o->pids[i];
	l->pids[o->npids] = l->child.pid;
	t->pids = l->pids;
	t->npids = o->npids + 1;
	return 0;
}

static void say_attached(struct live *l)
{
	struct session_counts *c = malloc(sizeof(*c));
	size_t n = 0, missing = 0;
	const struct probe_state *p = session_probes(l->session, &n);

	if (!c)
		return;
	session_counts(l->session, c);
	fprintf(l->say, "obi: attached %u of %u probes", c->attached, c->probes);
	for (size_t i = 0; i < n; i++)
		if (!p[i].attached && !p[i].skipped)
			fprintf(l->say, "%s%s (%s)",
			        missing++ ? ", " : "; continuing. Missing: ", p[i].name, p[i].why);
	fputc('\n', l->say);
	free(c);
}

static int let_go(struct live *l)
{
	int e = l->has_child ? child_go(&l->child) : 0;

	if (!e)
		return 0;
	fprintf(l->say, "obi: cannot run %s: %s\n", l->o->command[0], strerror(-e));
	return e == -ENOENT ? 127 : 126; /* as a shell says it */
}

int live_start(struct live *l)
{
	char err[ERR_TEXT] = "";
	int e = l->o->command && !l->o->read.n ? start_child(l) : 0;

	if (e)
		return e;
	l->session = session_new(&l->opts, &e, err);
	if (l->session)
		e = session_start(l->session, err);
	if (e || !l->session) {
		fprintf(l->say, "obi: %s\n", err[0] ? err : strerror(-e));
		if (live_status(e) == STATUS_PERMISSION && !l->opts.nrecordings)
			fprintf(l->say,
			        "  run:   sudo %s\n"
			        "  in Kubernetes:  kubectl debug node/NODE -it --profile=sysadmin "
			        "--image=IMAGE -- %s\n",
			        l->o->cmdline, l->o->cmdline);
		return l->has_child ? STATUS_CMD : live_status(e);
	}
	if (!l->opts.nrecordings)
		say_attached(l);
	return let_go(l);
}

static void print_summary(struct live *l, const char *recorded, bool pipeline)
{
	struct session_counts *c = malloc(sizeof(*c));
	struct buf b = { 0 };

	if (!c)
		return;
	session_counts(l->session, c);
	summary_text(&b, c, recorded);
	if (pipeline)
		session_describe(l->session, &b);
	fwrite(b.p, 1, b.len, stderr);
	fflush(stderr);
	buf_free(&b);
	free(c);
}

static bool targets_gone(struct live *l)
{
	const struct target_spec *t = &l->opts.capture.targets;

	return !l->opts.nrecordings && !t->all && t->npids && !t->ncomms && !t->nexes &&
	       !t->ncgroups && !t->nusers && !session_targets(l->session);
}

void live_target(const struct live *l, char *out, size_t cap)
{
	const struct target_spec *t = &l->opts.capture.targets;

	if (l->opts.nrecordings)
		snprintf(out, cap, "%s", l->opts.recordings[0]);
	else if (t->all)
		snprintf(out, cap, "the whole host");
	else if (t->npids)
		snprintf(out, cap, "pid %d", (int)t->pids[0]);
	else if (l->session)
		snprintf(out, cap, "%zu processes", session_targets(l->session));
	else
		snprintf(out, cap, "what fits the selection");
}

/* Nothing shown for a while: say what is there and what hides it. */
static void explain(struct live *l)
{
	struct session_counts *c;
	double waited = now_s() - l->started;
	struct explain e = { .seconds = waited, .filter = l->o->where };
	const struct probe_state *p;
	struct buf b = { 0 };
	char target[64];
	size_t n = 0;

	if (l->explained || l->silent || l->o->quiet || waited < EXPLAIN_S || l->opts.nrecordings)
		return;
	l->explained = true;
	c = malloc(sizeof(*c));
	if (!c)
		return;
	session_counts(l->session, c);
	if (!c->tally.shown) {
		live_target(l, target, sizeof(target));
		e.target = target;
		e.pid = l->opts.capture.targets.npids ? l->opts.capture.targets.pids[0] : 0;
		p = session_probes(l->session, &n);
		summary_explain(&b, &e, c, p, n);
		fwrite(b.p, 1, b.len, stderr);
		buf_free(&b);
	}
	free(c);
}

void live_forget_stop(void)
{
	stops = 0;
}

enum live_state live_check(struct live *l, int wait_ms)
{
	if (stops)
		return LIVE_STOPPED;
	if (session_poll(l->session, wait_ms))
		return LIVE_ENDED;
	if (wants_summary) {
		wants_summary = 0;
		print_summary(l, NULL, true);
	}
	if (l->has_child ? child_over(&l->child) : targets_gone(l))
		return LIVE_ENDED;
	return stops ? LIVE_STOPPED : LIVE_RUNS;
}

void live_hold(struct live *l)
{
	FILE *f = open_memstream(&l->held, &l->held_len);

	l->say = f ? f : stderr;
}

void live_release(struct live *l)
{
	if (l->say != stderr)
		fclose(l->say);
	l->say = stderr;
	if (l->held)
		fputs(l->held, stderr);
	free(l->held);
	l->held = NULL;
	err_set_sink(say, (void *)(uintptr_t)l->o);
}

bool live_over(struct live *l)
{
	const struct options *o = l->o;

	return stops || (o->duration_ns && now_s() >= l->started + (double)o->duration_ns / 1e9);
}

void live_run(struct live *l, void (*tick)(struct live *l))
{
	const struct options *o = l->o;
	double end = o->duration_ns ? now_s() + (double)o->duration_ns / 1e9 : 0;

	while (live_check(l, TICK_MS) == LIVE_RUNS) {
		if (end > 0 && now_s() >= end)
			break;
		if (tick)
			tick(l);
		explain(l);
	}
}

int live_stop(struct live *l, const char *recorded)
{
	char err[ERR_TEXT] = "";
	int e = session_stop(l->session, err), status = live_status(e);
	struct session_counts *c = malloc(sizeof(*c));

	if (e && e != -EPIPE)
		fprintf(stderr, "obi: %s\n", err);
	status = e == -EPIPE ? STATUS_OK : e ? STATUS_ERROR : STATUS_OK;
	if (!l->o->quiet && !l->silent && e != -EPIPE)
		print_summary(l, recorded, false);
	if (c) {
		session_counts(l->session, c);
		if (!status && l->o->fail_empty && !c->tally.shown)
			status = STATUS_EMPTY;
		free(c);
	}
	if (l->has_child && !stops)
		return child_exit(&l->child);
	return status;
}

void live_free(struct live *l)
{
	if (l->has_child && !l->session)
		child_cancel(&l->child);
	session_free(l->session);
	free(l->pids);
	err_set_sink(NULL, NULL);
}
