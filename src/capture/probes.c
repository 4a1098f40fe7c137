// SPDX-License-Identifier: GPL-3.0-or-later
/* probes - load and attach the BPF objects, one by one, maps shared. */
#include "capture/probes.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/err.h"
#include "capture/probes_why.h"
#include "enter.skel.h"
#include "iter.skel.h"
#include "proc.skel.h"
#include "sock.skel.h"
#include "sys.skel.h"
#include "tcp.skel.h"
#include "uring.skel.h"

enum { PROBES_LOG = 0xffffff }; /* the verifier's words: the longest log that kernels take */

/* The generated open, load and destroy of one object, behind one type. */
struct object {
	const char *name;
	void *(*open)(const struct config *cfg, char *log, struct bpf_object **obj);
	int (*load)(void *skel);
	void (*destroy)(void *skel);
};

#define OBJECT(x)                                                                           \
	static void *x##_open(const struct config *cfg, char *log, struct bpf_object **obj) \
	{                                                                                   \
		LIBBPF_OPTS(bpf_object_open_opts, opts, .kernel_log_buf = log,              \
		            .kernel_log_size = log ? PROBES_LOG : 0);                       \
		struct x##_bpf *skel = x##_bpf__open_opts(&opts);                           \
                                                                                            \
		if (!skel)                                                                  \
			return NULL;                                                        \
		memcpy((void *)&skel->rodata->cfg, cfg, sizeof(*cfg));                      \
		*obj = skel->obj;                                                           \
		return skel;                                                                \
	}                                                                                   \
	static int x##_load(void *skel)                                                     \
	{                                                                                   \
		return x##_bpf__load(skel);                                                 \
	}                                                                                   \
	static void x##_destroy(void *skel)                                                 \
	{                                                                                   \
		x##_bpf__destroy(skel);                                                     \
	}                                                                                   \
	static const struct object x##_object = { #x, x##_open, x##_load, x##_destroy };

OBJECT(proc)
OBJECT(sock)
OBJECT(sys)
OBJECT(tcp)
OBJECT(enter)
OBJECT(iter)
OBJECT(uring)

static const struct {
	const char *object, *prog, *hook, *name;
} words[] = {
	{ "sock", "obi_sock_send", "tp_btf/sock_send_length", "socket send" },
	{ "sock", "obi_sock_recv", "tp_btf/sock_recv_length", "socket receive" },
	{ "sys", "obi_sys_exit", "tp_btf/sys_exit", "socket send and receive by system call" },
	{ "enter", "obi_tcp_send", "tp_btf/tcp_sendmsg_locked", "beginning of sends" },
	{ "uring", "obi_uring_submit", "tp_btf/io_uring_submit_req", "io_uring requests" },
	{ "uring", "obi_uring_file", "tp_btf/io_uring_file_get", "io_uring requests of workers" },
	{ "uring", "obi_uring_wait", "tp_btf/io_uring_poll_arm", "io_uring requests that wait" },
	{ "tcp", "obi_tcp_state", "tp_btf/inet_sock_set_state", "connect and listen" },
	{ "tcp", "obi_tcp_destroy", "tp_btf/tcp_destroy_sock", "end of connections" },
	{ "proc", "obi_fork", "tp_btf/sched_process_fork", "child processes" },
	{ "proc", "obi_exec", "tp_btf/sched_process_exec", "new programs" },
	{ "proc", "obi_exit", "tp_btf/sched_process_exit", "end of processes" },
	{ "iter", "obi_files", "iter/task_file", "sockets already open" },
};

static int to_debug(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	char text[ERR_TEXT];

	if (level == LIBBPF_DEBUG)
		return 0;
	vsnprintf(text, sizeof(text), fmt, ap);
	warn(LEVEL_DEBUG, "%.*s", (int)strcspn(text, "\n"), text);
	return 0;
}

int probes_map(const struct probes *p, const char *name)
{
	for (size_t i = 0; i < p->nmaps; i++) {
		if (!strcmp(p->maps[i].name, name))
			return p->maps[i].fd;
	}
	return -1;
}

/* Sizes what depends on the host, and takes over the maps that exist already. */
static int maps_share(struct probes *p, struct bpf_object *obj, const struct config *cfg)
{
	struct bpf_map *map;
	int err = 0;

	bpf_object__for_each_map(map, obj)
	{
		const char *name = bpf_map__name(map);
		int fd = probes_map(p, name);

		if (bpf_map__is_internal(map))
			continue;
		if (!strcmp(name, cfg->hash ? "states" : "states_hash"))
			err = bpf_map__set_autocreate(map, false);
		else if (fd >= 0)
			err = bpf_map__reuse_fd(map, fd);
		else if (!strcmp(name, "ring"))
			err = bpf_map__set_max_entries(map, p->ring_bytes);
		else if (!strcmp(name, "scratch"))
			err = bpf_map__set_max_entries(map, (uint32_t)p->ncpus);
		if (err)
			return err;
	}
	return 0;
}

static void maps_keep(struct probes *p, struct bpf_object *obj)
{
	struct bpf_map *map;

	bpf_object__for_each_map(map, obj)
	{
		if (bpf_map__is_internal(map) || bpf_map__fd(map) < 0)
			continue;
		if (probes_map(p, bpf_map__name(map)) >= 0 || p->nmaps == PROBES_MAPS)
			continue;
		p->maps[p->nmaps].name = bpf_map__name(map);
		p->maps[p->nmaps++].fd = bpf_map__fd(map);
	}
}

static struct probe_state *state_add(struct probes *p, struct bpf_program *prog)
{
	struct probe_state *s = &p->states[p->nstates];
	const char *name = bpf_program__name(prog);

	*s = (struct probe_state){ .name = name, .hook = bpf_program__section_name(prog) };
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (!strcmp(words[i].prog, name)) {
			s->name = words[i].name;
			s->hook = words[i].hook;
		}
	}
	p->progs[p->nstates++] = prog;
	return s;
}

/* Lists the programs of an object that did not load, from the names alone. */
static void states_refused(struct probes *p, const struct object *o, bool skipped, const char *why)
{
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcmp(words[i].object, o->name) || p->nstates == PROBES_MAX)
			continue;
		p->states[p->nstates] = (struct probe_state){ .name = words[i].name,
			                                      .hook = words[i].hook,
			                                      .skipped = skipped };
		snprintf(p->states[p->nstates++].why, sizeof(p->states[0].why), "%s", why);
	}
}

/* Says why. The log is empty where it was not the verifier that refused. */
static int object_refused(struct probes *p, const struct object *o, int err, const char *log)
{
	char why[sizeof(p->states[0].why)];

	probes_log(log);
	err = probes_why(err, log, why, sizeof(why));
	states_refused(p, o, false, why);
	return err;
}

static int object_load(struct probes *p, const struct object *o, const struct config *cfg)
{
	struct bpf_object *obj = NULL;
	struct bpf_program *prog;
	char *log = calloc(1, PROBES_LOG); /* no memory before it is written to */
	void *skel = o->open(cfg, log, &obj);
	int err = skel ? maps_share(p, obj, cfg) : -errno;

	if (!err)
		err = o->load(skel);
	if (err) {
		if (skel)
			o->destroy(skel);
		err = object_refused(p, o, err, log);
	}
	free(log);
	if (err)
		return err;
	p->objects[p->nobjects].skel = skel;
	p->objects[p->nobjects].obj = obj;
	p->objects[p->nobjects++].destroy = o->destroy;
	maps_keep(p, obj);
	bpf_object__for_each_program(prog, obj) state_add(p, prog);
	return 0;
}

/* Before Linux 5.11 maps count against this limit. */
static void raise_memlock(void)
{
	struct rlimit r = { RLIM_INFINITY, RLIM_INFINITY };

	if (setrlimit(RLIMIT_MEMLOCK, &r))
		warn(LEVEL_DEBUG, "cannot raise RLIMIT_MEMLOCK: %s", strerror(errno));
}

/* The object that sees data: from the sockets, or else from the system calls. */
static int data_load(struct probes *p, struct config *cfg, unsigned int without)
{
	const unsigned int old = WITHOUT_SOCK_TRACEPOINTS | WITHOUT_SK_STORAGE |
	                         WITHOUT_FETCH_ATOMICS;
	int err = -EOPNOTSUPP;

	cfg->hash = 0;
	if (!(without & old)) {
		err = object_load(p, &sock_object, cfg);
		if (!err)
			states_refused(p, &sys_object, true, "the socket tracepoints serve");
	} else {
		states_refused(p, &sock_object, true, "turned off");
	}
	if (err) {
		cfg->hash = 1;
		err = object_load(p, &sys_object, cfg);
	}
	return err;
}

int probes_load(struct probes *p, struct config *cfg, uint32_t ring_bytes, unsigned int without,
                char *err)
{
	int error;

	*p = (struct probes){ .ring_bytes = ring_bytes, .ncpus = libbpf_num_possible_cpus() };
	libbpf_set_print(to_debug);
	raise_memlock();
	error = probes_possible(err);
	if (error)
		return error;
	error = data_load(p, cfg, without);
	if (error) {
		error = probes_refused(error, p->states[p->nstates - 1].why, err);
		probes_close(p);
		return error;
	}
	for (size_t i = 0; i < p->nstates; i++)
		p->states[i].needed = p->progs[i] != NULL;
	if (cfg->hash) {
		states_refused(p, &enter_object, true, "not on the path of system calls");
		states_refused(p, &uring_object, true, "not on the path of system calls");
	} else {
		object_load(p, &enter_object, cfg);
		object_load(p, &uring_object, cfg);
	}
	object_load(p, &tcp_object, cfg);
	object_load(p, &proc_object, cfg);
	if (!object_load(p, &iter_object, cfg)) {
		p->iter = p->progs[p->nstates - 1];
		p->iter_state = &p->states[p->nstates - 1];
	}
	return 0;
}

int probes_attach(struct probes *p, struct capture_progress *progress, char *err)
{
	for (size_t i = 0; progress && i < p->nstates; i++)
		progress->probes += p->progs[i] != NULL;
	for (size_t i = 0; i < p->nstates; i++) {
		struct probe_state *s = &p->states[i];
		int error;

		if (!p->progs[i])
			continue;
		p->links[i] = bpf_program__attach(p->progs[i]);
		s->attached = p->links[i] != NULL;
		if (s->attached && progress)
			progress->attached++;
		if (s->attached)
			continue;
		error = -errno;
		probes_why(error, NULL, s->why, sizeof(s->why));
		if (s->needed)
			return err_set(err, -error, "cannot attach to %s: %s", s->hook, s->why);
	}
	return 0;
}

/* Drives one iterator to its end; its records go into the ring. */
static int iterate(struct bpf_link *link)
{
	int fd = bpf_iter_create(bpf_link__fd(link));
	char buf[64];
	ssize_t n;

	if (fd < 0)
		return -errno;
	do {
		n = read(fd, buf, sizeof(buf));
	} while (n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR)));
	n = n < 0 ? -errno : 0;
	close(fd);
	return (int)n;
}

int probes_list(struct probes *p, pid_t pid)
{
	union bpf_iter_link_info info = { .task.pid = (__u32)pid };
	LIBBPF_OPTS(bpf_iter_attach_opts, opts, .link_info = &info, .link_info_len = sizeof(info));
	struct bpf_link *link = NULL;
	int err;

	if (!p->iter || !p->iter_state->attached)
		return -EOPNOTSUPP;
	if (!pid)
		return iterate(p->links[p->iter_state - p->states]);
	/* From Linux 6.1 on only this process; before, all targets again. */
	link = bpf_program__attach_iter(p->iter, &opts);
	if (!link)
		return iterate(p->links[p->iter_state - p->states]);
	err = iterate(link);
	bpf_link__destroy(link);
	return err;
}

void probes_account(struct probes *p)
{
	for (size_t i = 0; i < p->nstates; i++) {
		struct bpf_prog_info info = { 0 };
		__u32 len = sizeof(info);

		if (!p->progs[i] ||
		    bpf_obj_get_info_by_fd(bpf_program__fd(p->progs[i]), &info, &len))
			continue;
		p->states[i].run_ns = info.run_time_ns;
		p->states[i].run_cnt = info.run_cnt;
	}
}

void probes_close(struct probes *p)
{
	for (size_t i = 0; i < p->nstates; i++)
		bpf_link__destroy(p->links[i]);
	for (size_t i = 0; i < p->nobjects; i++)
		p->objects[i].destroy(p->objects[i].skel);
	p->nstates = p->nobjects = p->nmaps = 0;
}
