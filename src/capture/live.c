// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * live - the kernel as a source of records.
 *
 * While there is traffic the ring is emptied on a short timer and no record
 * wakes anybody: a wake-up costs the traced process more than the probe. Only
 * when the ring has stayed empty for a while, the reader says that it sleeps
 * and is woken by the next record.
 */
#include <errno.h>
#include <poll.h>
#include <sys/mman.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/clock.h"
#include "base/err.h"
#include "capture/live_levels.h"
#include "capture/live_ring.h"
#include "capture/probes.h"
#include "capture/source.h"
#include "capture/targets.h"

enum {
	TIMER_US = 2000,  /* between two looks into the ring while there is traffic */
	QUIET_LOOKS = 4,  /* empty ones before the reader goes to sleep */
	SLEEP_MS = 40,    /* at most: bounds what a lost wake-up could cost */
	DRAIN_MAX = 8192, /* records at once, so that the caller can do its other work */
	HEAD_DEFAULT = 4096,
	TAIL_DEFAULT = 128,
	RING_DEFAULT = 16 << 20,
	RING_MIN = 4096,
};

struct live {
	struct capture base;
	struct target_spec spec;
	struct probes probes;
	struct live_ring ring;
	struct control *control; /* mapped */
	struct bucket *levels;   /* mapped */
	struct slots *slots;     /* mapped */
	int targets_fd, counts_fd;
	int64_t wall_offset;
	unsigned int quiet; /* looks in a row that found nothing */
	bool more;          /* the last look stopped at DRAIN_MAX */
	uint64_t adopted;   /* exec records of processes that user space recognised */
	uint64_t scanned_ns;
	uint64_t watched_lost; /* as far as made good by a scan */
	capture_fn fn;         /* of the poll under way */
	void *ctx;
	struct capture_progress *progress;
};

static struct live *live_of(struct capture *c)
{
	return (struct live *)c;
}

static uint32_t follow(const struct live *l)
{
	return l->spec.no_follow ? 0 : TARGET_FOLLOW;
}

static int target_set(struct live *l, pid_t pid, uint32_t flags)
{
	uint32_t key = (uint32_t)pid, *slot = &l->slots->tgid[key & (SLOTS - 1)];
	uint32_t first = __atomic_load_n(slot, __ATOMIC_RELAXED);

	if (pid == getpid() || (l->spec.never && pid == l->spec.never))
		return 0;
	if (first != key)
		__atomic_store_n(slot, first ? (uint32_t)SLOT_MANY : key, __ATOMIC_RELAXED);
	return bpf_map_update_elem(l->targets_fd, &key, &flags, BPF_ANY) ? -errno : 0;
}

/* Traces a process from now on: first its new sockets, then those it has, then all are known. */
static int target_trace(struct live *l, pid_t pid)
{
	int err = target_set(l, pid, follow(l));

	if (err)
		return err;
	probes_list(&l->probes, pid);
	return target_set(l, pid, follow(l) | TARGET_LISTED);
}

/* A new program that the kernel could not place: 1 if it is wanted after all. */
static int adopt(struct live *l, const struct ev_head *rec)
{
	uint32_t key = rec->pid, flags;

	if (!bpf_map_lookup_elem(l->targets_fd, &key, &flags))
		return 0; /* by now it is, with a record of its own */
	if (!targets_match(&l->spec, (pid_t)rec->pid) || target_trace(l, (pid_t)rec->pid))
		return 0;
	l->adopted++;
	return 1;
}

static int on_record(void *ctx, const struct ev_head *rec, size_t size)
{
	struct live *l = ctx;
	struct ev_proc copy;
	uint32_t key, flags;

	if (rec->kind == EV_WATCH) {
		if (!adopt(l, rec))
			return 0;
		memcpy(&copy, rec, sizeof(copy));
		copy.h.kind = EV_EXEC;
		return l->fn(l->ctx, &copy.h, sizeof(copy));
	}
	if (rec->kind == EV_EXEC && !l->spec.all) {
		/* Matched by name in the kernel: it may have brought open sockets along. */
		key = rec->pid;
		if (!bpf_map_lookup_elem(l->targets_fd, &key, &flags) && !(flags & TARGET_LISTED))
			target_trace(l, (pid_t)rec->pid);
	}
	return l->fn(l->ctx, rec, size);
}

/* Says that it sleeps, looks once more, sleeps. */
static int sleep_until_woken(struct live *l, int timeout_ms)
{
	struct pollfd p = { .fd = l->ring.fd, .events = POLLIN };
	int ms = timeout_ms >= 0 && timeout_ms < SLEEP_MS ? timeout_ms : SLEEP_MS;
	bool more;
	int n;

	__atomic_store_n(&l->control->asleep, 1, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	n = live_ring_drain(&l->ring, DRAIN_MAX, &more, on_record, l);
	if (!n)
		poll(&p, 1, ms);
	__atomic_store_n(&l->control->asleep, 0, __ATOMIC_RELAXED);
	l->more = more;
	return n;
}

/* Waits once, for as long as fits. Records that came meanwhile may be handed out already. */
static int wait_once(struct live *l, int left_ms)
{
	struct timespec ts = { .tv_nsec = TIMER_US * 1000L };

	if (!left_ms || l->more)
		return 0;
	if (l->quiet >= QUIET_LOOKS)
		return sleep_until_woken(l, left_ms);
	nanosleep(&ts, NULL);
	return 0;
}

/* Over all CPUs and all sets. */
static void counts_sum(const struct live *l, struct counts *sum)
{
	struct counts *v = calloc((size_t)l->probes.ncpus, sizeof(*v));

	*sum = (struct counts){ 0 };
	for (uint32_t set = 0; v && set < COUNTS_SETS; set++) {
		if (bpf_map_lookup_elem(l->counts_fd, &set, v))
			continue;
		for (int i = 0; i < l->probes.ncpus; i++) {
			const uint64_t *from = (const uint64_t *)&v[i];
			uint64_t *to = (uint64_t *)sum;

			for (size_t k = 0; k < sizeof(*sum) / sizeof(*to); k++)
				to[k] += from[k];
		}
	}
	free(v);
}

/*
 * Processes that started while the ring was full have to be looked up: once a
 * second is checked whether there were such.
 */
static void rescan(struct live *l, uint64_t now)
{
	struct target_spec spec = l->spec;
	struct pidset found = { 0 };
	uint32_t key, flags;
	struct counts sum;

	if (!targets_watch(&spec) || now - l->scanned_ns < 1000000000)
		return;
	l->scanned_ns = now;
	counts_sum(l, &sum);
	if (sum.watched_lost == l->watched_lost)
		return;
	l->watched_lost = sum.watched_lost;
	spec.npids = 0;
	if (!targets_find(&spec, &found, NULL)) {
		for (size_t i = 0; i < found.n; i++) {
			key = (uint32_t)found.pid[i];
			if (bpf_map_lookup_elem(l->targets_fd, &key, &flags))
				target_trace(l, found.pid[i]);
		}
	}
	pidset_free(&found);
}

static int live_poll(struct capture *c, int timeout_ms, capture_fn fn, void *ctx)
{
	struct live *l = live_of(c);
	uint64_t end = clock_ns() + (uint64_t)(timeout_ms > 0 ? timeout_ms : 0) * 1000000;
	int left = timeout_ms, n;

	l->fn = fn;
	l->ctx = ctx;
	for (;;) {
		uint64_t now;

		n = wait_once(l, left);
		if (!n)
			n = live_ring_drain(&l->ring, DRAIN_MAX, &l->more, on_record, l);
		if (n) {
			l->quiet = 0;
			return n;
		}
		l->quiet++;
		now = clock_ns();
		rescan(l, now);
		if (timeout_ms >= 0 && now >= end)
			return 0;
		left = timeout_ms < 0 ? SLEEP_MS : (int)((end - now) / 1000000) + 1;
	}
}

static void live_interest(struct capture *c, uint64_t conn, enum ev_level level)
{
	live_levels_set(live_of(c)->levels, conn, level);
}

static void live_skip(struct capture *c, uint64_t conn, int dir, uint64_t until)
{
	live_levels_skip(live_of(c)->levels, conn, dir, until);
}

static int live_rules(struct capture *c, const struct capture_rule *rules, size_t n)
{
	struct rules r = { .n = (uint32_t)n };
	uint32_t zero = 0;

	if (n > RULES_MAX)
		return -E2BIG;
	for (size_t i = 0; i < n; i++) {
		const struct capture_rule *from = &rules[i];
		uint8_t value[8] = { 0 }, mask[8] = { 0 };

		if (from->len > 8 || from->off + from->len > FIRST_MAX)
			return -EINVAL;
		for (size_t k = 0; k < from->len; k++) {
			mask[k] = from->mask[k];
			value[k] = from->value[k] & from->mask[k];
		}
		r.rule[i].class = from->class;
		r.rule[i].level = from->level;
		r.rule[i].off = from->off;
		r.rule[i].len = from->len;
		memcpy(&r.rule[i].value, value, 8);
		memcpy(&r.rule[i].mask, mask, 8);
	}
	return bpf_map_update_elem(probes_map(&live_of(c)->probes, "rules"), &zero, &r, BPF_ANY)
	               ? -errno
	               : 0;
}

static int live_add(struct capture *c, pid_t pid)
{
	struct live *l = live_of(c);
	struct target_spec one = { .pids = &pid, .npids = 1, .no_follow = l->spec.no_follow };
	struct pidset found = { 0 };
	int err = targets_find(&one, &found, NULL);

	for (size_t i = 0; !err && i < found.n; i++)
		err = target_trace(l, found.pid[i]);
	pidset_free(&found);
	return err;
}

static size_t live_targets(const struct capture *c)
{
	const struct live *l = (const struct live *)c;
	uint32_t key, next;
	size_t n = 0;
	int err;

	if (l->spec.all)
		return 0;
	err = bpf_map_get_next_key(l->targets_fd, NULL, &next);
	while (!err && n < TARGETS_MAX) {
		n++;
		key = next;
		err = bpf_map_get_next_key(l->targets_fd, &key, &next);
	}
	return n;
}

static void live_stats(struct capture *c, struct capture_stats *out)
{
	struct live *l = live_of(c);
	struct counts sum;

	counts_sum(l, &sum);
	out->fired = sum.fired + l->adopted;
	out->records = sum.records + l->adopted;
	out->lost = sum.lost;
	out->lost_bytes = sum.lost_bytes;
	out->muted = sum.muted;
	out->faults = sum.faults;
	out->storage_full = sum.storage_full;
}

static const struct probe_state *live_probes(struct capture *c, size_t *n)
{
	struct live *l = live_of(c);

	probes_account(&l->probes);
	*n = l->probes.nstates;
	return l->probes.states;
}

static int64_t live_wall_offset(const struct capture *c)
{
	return ((const struct live *)c)->wall_offset;
}

static void live_close(struct capture *c)
{
	struct live *l = live_of(c);

	if (l->control)
		munmap(l->control, (size_t)sysconf(_SC_PAGESIZE));
	if (l->levels)
		munmap(l->levels, sizeof(struct bucket) * BUCKETS);
	if (l->slots)
		munmap(l->slots, sizeof(struct slots));
	live_ring_close(&l->ring);
	probes_close(&l->probes);
	free(l);
}

static const struct source live_source = {
	.poll = live_poll,
	.interest = live_interest,
	.skip = live_skip,
	.rules = live_rules,
	.add = live_add,
	.targets = live_targets,
	.stats = live_stats,
	.probes = live_probes,
	.wall_offset = live_wall_offset,
	.close = live_close,
};

static uint32_t at_most(uint32_t value, uint32_t normal, uint32_t max)
{
	value = value ? value : normal;
	return value < max ? value : max;
}

static void config_set(struct config *cfg, const struct capture_opts *o)
{
	*cfg = (struct config){
		.self = (uint32_t)getpid(),
		.full_bytes = at_most(o->full_bytes, CALL_MAX, CALL_MAX),
		.all = o->targets.all,
		.follow = !o->targets.no_follow,
		.watch_exec = targets_watch(&o->targets),
		.payload = !o->no_payload,
		.datagrams = 1,
	};
	cfg->tail_bytes = at_most(o->tail_bytes, TAIL_DEFAULT, cfg->full_bytes / 2);
	cfg->head_bytes = at_most(o->head_bytes, HEAD_DEFAULT, cfg->full_bytes - cfg->tail_bytes);
	targets_comms(&o->targets, cfg);
}

static uint32_t ring_size(uint32_t want)
{
	uint32_t size = (uint32_t)sysconf(_SC_PAGESIZE);

	want = want ? want : RING_DEFAULT;
	while (size < want && size < 1U << 30)
		size <<= 1;
	return size;
}

static void *map_array(struct live *l, const char *name, size_t size, char *err)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, probes_map(&l->probes, name),
	               0);

	if (p != MAP_FAILED)
		return p;
	err_set(err, errno, "cannot map a BPF array: %m");
	return NULL;
}

static int maps_map(struct live *l, char *err)
{
	int error;

	l->targets_fd = probes_map(&l->probes, "targets");
	l->counts_fd = probes_map(&l->probes, "counts");
	error = live_ring_open(&l->ring, probes_map(&l->probes, "ring"), l->probes.ring_bytes);
	if (error)
		return err_set(err, -error, "cannot map the ring buffer: %s", strerror(-error));
	l->control = map_array(l, "control", (size_t)sysconf(_SC_PAGESIZE), err);
	l->levels = l->control ? map_array(l, "levels", sizeof(struct bucket) * BUCKETS, err)
	                       : NULL;
	l->slots = l->levels ? map_array(l, "slots", sizeof(struct slots), err) : NULL;
	return l->slots ? 0 : -errno;
}

/* Fills the filter, attaches, and lists what is open: in this order nothing falls between. */
static int start(struct live *l, struct pidset *found, char *err)
{
	struct pidset never = { 0 };
	uint32_t one = 1;
	int error = l->spec.all ? targets_never(&l->spec, &never) : 0;

	for (size_t i = 0; i < never.n && !error; i++) {
		uint32_t key = (uint32_t)never.pid[i];

		bpf_map_update_elem(probes_map(&l->probes, "never"), &key, &one, BPF_ANY);
	}
	pidset_free(&never);
	for (size_t i = 0; i < found->n && !error; i++)
		error = target_set(l, found->pid[i], follow(l));
	if (error)
		return err_set(err, -error, "cannot select the processes: %s", strerror(-error));
	error = probes_attach(&l->probes, l->progress, err);
	if (error)
		return error;
	probes_list(&l->probes, 0);
	for (size_t i = 0; i < found->n; i++)
		target_set(l, found->pid[i], follow(l) | TARGET_LISTED);
	l->control->listed = 1;
	return 0;
}

struct capture *capture_live(const struct capture_opts *opts, char *err)
{
	struct live *l = calloc(1, sizeof(*l));
	struct pidset found = { 0 };
	struct config cfg;
	int error;

	if (!l) {
		err_set(err, ENOMEM, "out of memory");
		errno = ENOMEM;
		return NULL;
	}
	l->base.source = &live_source;
	l->spec = opts->targets;
	l->progress = opts->progress;
	l->wall_offset = clock_wall_offset();
	config_set(&cfg, opts);
	error = targets_pidns(&l->spec, &cfg.pidns, err);
	error = error ? error : targets_find(&l->spec, &found, err);
	if (!error)
		error = probes_load(&l->probes, &cfg, ring_size(opts->ring_bytes), opts->without,
		                    err);
	if (!error)
		error = maps_map(l, err);
	if (!error)
		error = start(l, &found, err);
	pidset_free(&found);
	if (error) {
		live_close(&l->base);
		errno = -error;
		return NULL;
	}
	return &l->base;
}
