// SPDX-License-Identifier: GPL-3.0-or-later
/* session - the one face of the capture for cmd/ and ui/. */
#include "session.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "pipeline.h"
#include "read/reader.h"
#include "base/own.h"
#include "base/rights.h"

struct session {
	struct session_opts opts;
	struct pipeline pipe;
	struct utsname uts;
	char boot_id[40], host[65];
	struct timespec start, end;
	bool started, stopped;
	int raw_error;
};

static void read_line(const char *path, char *out, size_t cap)
{
	FILE *f = fopen(path, "re");

	out[0] = 0;
	if (!f)
		return;
	if (fgets(out, (int)cap, f))
		out[strcspn(out, "\n")] = 0;
	fclose(f);
}

static void describe_run(struct session *s)
{
	struct run_info *run = &s->pipe.run;
	bool replay = s->opts.nrecordings;

	uname(&s->uts);
	read_line("/proc/sys/kernel/random/boot_id", s->boot_id, sizeof(s->boot_id));
	gethostname(s->host, sizeof(s->host) - 1);
	*run = (struct run_info){
		.version = OBI_VERSION,
		.cmdline = s->opts.cmdline,
		/* rows of another host are not of this one */
		.kernel = replay ? NULL : s->uts.release,
		.boot_id = replay ? NULL : s->boot_id,
		.host = replay ? NULL : s->host,
		.wall_offset_ns = clock_wall_offset(),
		.show_secrets = s->opts.show_secrets,
	};
}

/* The first recording decides: raw records go the whole way, others bring rows. */
static int open_source(struct session *s, char *err)
{
	struct pipeline *p = &s->pipe;
	struct reader *r;
	int fd;

	if (!s->opts.nrecordings) {
		p->capture = capture_live(&s->opts.capture, err);
		return p->capture ? 0 : -errno;
	}
	r = reader_open(s->opts.recordings[0], err);
	if (!r) /* what is wrong with a file is no usage error */
		return errno == EINVAL ? -EIO : -errno;
	if (reader_kind(r) != RECORDING_RAW) {
		p->first = r;
		return 0;
	}
	fd = reader_take_fd(r);
	reader_close(r);
	if (fd < 0)
		return err_set(err, errno, "cannot read %s", s->opts.recordings[0]);
	p->capture = capture_replay(fd, err);
	return p->capture ? 0 : -errno;
}

static int open_raw(struct session *s, char *err)
{
	struct pipeline *p = &s->pipe;
	int fd;

	if (!s->opts.raw_path)
		return 0;
	fd = own_create(s->opts.raw_path);
	if (fd < 0)
		return err_set(err, -fd, "cannot write %s: %s", s->opts.raw_path, strerror(-fd));
	p->raw = record_open(fd, p->run.wall_offset_ns);
	return p->raw ? 0
	              : err_set(err, errno, "cannot write %s: %s", s->opts.raw_path,
	                        strerror(errno));
}

/* Expressions are checked before anything is attached. */
static int check(const struct session_opts *o, char *err)
{
	struct routes *r = routes_new(&o->routes, err);
	struct filter *f;

	if (!r)
		return -errno;
	routes_free(r);
	if (!o->filter)
		return 0;
	f = filter_new(o->filter, err);
	if (!f)
		return -EINVAL;
	filter_free(f);
	return 0;
}

/* Stage 1 of the detection: the rules of protos.def go to the kernel. */
static void send_rules(struct capture *c)
{
	struct capture_rule rules[64];
	size_t n = 0;

	for (int id = 1; id < PROTO_MAX; id++) {
		const struct proto *p = proto_by_id((enum proto_id)id);

		for (int i = 0; p && i < PROTO_RULES && p->rules[i].len && n < 64; i++) {
			struct capture_rule *r = &rules[n++];

			*r = (struct capture_rule){
				.class = (uint8_t)id,
				.level = EV_LEVEL_FULL,
				.off = p->rules[i].off,
				.len = p->rules[i].len,
			};
			memcpy(r->value, p->rules[i].value, sizeof(r->value));
			memcpy(r->mask, p->rules[i].mask, sizeof(r->mask));
		}
	}
	if (n && capture_rules(c, rules, n))
		warn(LEVEL_WARN,
		     "the kernel does not take the detection rules; detection is slower");
}

static int make_store(struct pipeline *p)
{
	size_t mem = p->opts->mem_bytes ? p->opts->mem_bytes : (size_t)64 << 20;
	size_t part = p->opts->agg ? mem / 8 : 0;

	if (!p->opts->store)
		return 0;
	p->store = store_new(mem - part);
	if (p->store && p->opts->agg)
		p->agg = agg_new(p->store, part);
	if (p->store)
		p->recorder = recorder_new(&p->run, p->store);
	return p->recorder && (p->agg || !p->opts->agg) ? 0 : -ENOMEM;
}

struct session *session_new(const struct session_opts *o, int *error, char *err)
{
	struct session *s = calloc(1, sizeof(*s));
	struct pipeline *p;

	*error = -ENOMEM;
	if (!s)
		return NULL;
	s->opts = *o;
	p = &s->pipe;
	p->opts = &s->opts;
	describe_run(s);
	*error = check(o, err);
	if (!*error)
		*error = open_source(s, err);
	if (*error) {
		session_free(s);
		return NULL;
	}
	/* From here on bytes of strangers are parsed; the threads that do it start later. */
	if (rights_drop(!o->nrecordings))
		warn(LEVEL_DEBUG, "capabilities that are not needed could not be given up");
	if (p->capture)
		p->run.wall_offset_ns = capture_wall_offset(p->capture);
	if (p->capture && !o->nrecordings)
		send_rules(p->capture);
	for (unsigned int i = 0; i < s->opts.noutputs; i++)
		s->opts.outputs[i].opts.run = &p->run;
	p->tally = tally_new();
	*error = p->tally && !make_store(p) ? open_raw(s, err) : -ENOMEM;
	if (!*error)
		*error = pipeline_build(p, err);
	if (!*error)
		return s;
	session_free(s);
	return NULL;
}

int session_start(struct session *s, char *err)
{
	int e;

	clock_gettime(CLOCK_MONOTONIC, &s->start);
	e = flow_start(s->pipe.flow, err);
	s->started = !e;
	return e;
}

int session_poll(struct session *s, int timeout_ms)
{
	if (s->pipe.ingest && ingest_full(s->pipe.ingest))
		return 1;
	return flow_wait(s->pipe.flow, timeout_ms);
}

int session_stop(struct session *s, char *err)
{
	struct pipeline *p = &s->pipe;
	struct capture_stats cs;
	const char *who = NULL;
	int e;

	if (!s->started || s->stopped)
		return 0;
	s->stopped = true;
	flow_stop(p->flow);
	clock_gettime(CLOCK_MONOTONIC, &s->end);
	if (p->raw) {
		capture_stats(p->capture, &cs);
		s->raw_error = record_close(p->raw, &cs);
		p->raw = NULL;
		if (s->raw_error)
			return err_set(err, -s->raw_error, "cannot write %s: %s", s->opts.raw_path,
			               strerror(-s->raw_error));
	}
	for (unsigned int i = 0; i < s->opts.noutputs; i++)
		if (p->outs[i].error)
			return err_set(err, -p->outs[i].error, "%s",
			               p->outs[i].err[0] ? p->outs[i].err
			                                 : strerror(-p->outs[i].error));
	e = flow_failed(p->flow, &who);
	return e ? err_set(err, -e, "%s: %s", who ? who : "pipeline", strerror(-e)) : 0;
}

static void count_probes(struct session *s, struct session_counts *out)
{
	size_t n = 0;
	const struct probe_state *probe = session_probes(s, &n);

	for (size_t i = 0; i < n; i++) {
		if (probe[i].skipped)
			continue;
		out->probes++;
		out->attached += probe[i].attached;
	}
}

/* Rows that a full buffer dropped, in batches of unknown size: what each output lost is counted in rows. */
static uint64_t dropped(struct session *s)
{
	struct fanout_stats st[SESSION_OUTPUTS + 4];
	size_t n = flow_queue_stats(s->pipe.flow, st, SESSION_OUTPUTS + 4);
	uint64_t sum = 0;

	for (size_t i = 0; i < n && i < SESSION_OUTPUTS + 4; i++)
		if (!st[i].left)
			sum += st[i].dropped;
	return sum;
}

static double seconds_between(const struct timespec *a, const struct timespec *b)
{
	return (double)(b->tv_sec - a->tv_sec) + (double)(b->tv_nsec - a->tv_nsec) / 1e9;
}

void session_counts(struct session *s, struct session_counts *out)
{
	struct pipeline *p = &s->pipe;
	struct ingest_stats is = { 0 };
	struct timespec now;
	struct rusage ru;

	memset(out, 0, sizeof(*out));
	tally_get(p->tally, &out->tally);
	if (p->capture)
		capture_stats(p->capture, &out->capture);
	if (p->ingest)
		ingest_stats(p->ingest, &is);
	out->conn = is.conn;
	out->pair = is.pair;
	out->undecided = is.undecided;
	if (p->store)
		store_stats(p->store, &out->store);
	for (unsigned int i = 0; i < s->opts.noutputs; i++)
		out->lost_output += p->outs[i].lost;
	out->lost_output += dropped(s);
	if (p->recorder)
		recorder_stats(p->recorder, &out->record);
	out->lost_output += out->record.lost;
	out->bad_records = p->bad_records + out->capture.unknown;
	count_probes(s, out);
	clock_gettime(CLOCK_MONOTONIC, &now);
	out->seconds = s->started ? seconds_between(&s->start, s->stopped ? &s->end : &now) : 0;
	getrusage(RUSAGE_SELF, &ru);
	out->cpu_seconds = (double)(ru.ru_utime.tv_sec + ru.ru_stime.tv_sec) +
	                   (double)(ru.ru_utime.tv_usec + ru.ru_stime.tv_usec) / 1e6;
}

const struct probe_state *session_probes(struct session *s, size_t *n)
{
	*n = 0;
	return s->pipe.capture ? capture_probes(s->pipe.capture, n) : NULL;
}

size_t session_targets(struct session *s)
{
	return s->pipe.capture ? capture_targets(s->pipe.capture) : 0;
}

struct store *session_store(struct session *s)
{
	return s->pipe.store;
}

int session_record(struct session *s, const char *path, char *err)
{
	if (!s->pipe.recorder || !s->started || s->stopped)
		return err_set(err, EINVAL, "nothing can be recorded now");
	for (unsigned int i = 0; path && i < s->opts.noutputs; i++)
		if (!strcmp(path, s->opts.outputs[i].opts.path))
			return err_set(err, EBUSY, "%s is being written already", path);
	return recorder_switch(s->pipe.recorder, path, err);
}

struct agg *session_agg(struct session *s)
{
	return s->pipe.agg;
}

int session_usage(struct session *s, pid_t pid, struct usage *out)
{
	return s->opts.nrecordings ? -ENOTSUP : usage_read(pid, out);
}

const char *session_runtime(struct session *s, pid_t pid)
{
	return s->opts.nrecordings ? NULL : usage_runtime(pid);
}

void session_describe(struct session *s, struct buf *out)
{
	flow_describe(s->pipe.flow, out);
}

void session_free(struct session *s)
{
	struct pipeline *p;

	if (!s)
		return;
	p = &s->pipe;
	flow_free(p->flow);
	reader_close(p->first);
	ingest_free(p->ingest);
	capture_close(p->capture);
	recorder_free(p->recorder);
	agg_free(p->agg);
	store_free(p->store);
	tally_free(p->tally);
	batch_pool_free(p->pool);
	if (p->raw)
		(void)record_close(p->raw, NULL);
	free(s);
}
