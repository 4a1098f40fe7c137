// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * procs - the table of processes, from records alone.
 *
 * A child is its parent until it says otherwise: what fork copies is copied
 * here. A process that ended stays, because rows about it may still come; the
 * oldest ended ones go when there are too many.
 */
#include "enrich/who.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

#include "base/hash.h"

enum { MAX_PROCS = 32768 };

struct proc {
	uint32_t pid, ppid;
	int64_t first_ns, end_ns, exit_code; /* CLOCK_MONOTONIC; end 0: runs */
	char *texts;                         /* WHO_MAX NUL-ended texts */
	struct str text[WHO_MAX];
	struct str name; /* "comm[pid]", behind the texts */
	bool changed, who;
	struct proc *next; /* in order of arrival */
};

struct procs {
	struct hash by_pid;
	struct proc *first, **end;
	unsigned int n;
	int64_t wall_offset_ns;
};

struct procs *procs_new(int64_t wall_offset_ns)
{
	struct procs *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->end = &p->first;
	p->wall_offset_ns = wall_offset_ns;
	return p;
}

static void set_texts(struct proc *q, const char *texts, size_t n)
{
	size_t comm = strnlen(texts, n), room = comm + sizeof("[4294967295]"), at = 0;
	char *copy = malloc(n + 1 + room);
	int name;

	if (!copy)
		return;
	memcpy(copy, texts, n);
	copy[n] = 0;
	free(q->texts);
	q->texts = copy;
	for (int i = 0; i < WHO_MAX; i++) {
		size_t len = at < n ? strlen(copy + at) : 0;

		q->text[i] = len ? (struct str){ copy + at, len } : STR_NULL;
		at += len + 1;
	}
	name = snprintf(copy + n + 1, room, "%.*s[%u]", (int)comm, texts, q->pid);
	q->name = comm ? (struct str){ copy + n + 1, (size_t)name } : STR_NULL;
	q->changed = true;
}

/* The oldest that has ended makes room. */
static void make_room(struct procs *p)
{
	for (struct proc **at = &p->first; *at; at = &(*at)->next) {
		struct proc *q = *at;

		if (!q->end_ns)
			continue;
		*at = q->next;
		if (p->end == &q->next)
			p->end = at;
		if (hash_get(&p->by_pid, q->pid) == q)
			hash_del(&p->by_pid, q->pid);
		free(q->texts);
		free(q);
		p->n--;
		return;
	}
}

static struct proc *add(struct procs *p, uint32_t pid, int64_t ts_ns)
{
	struct proc *q;

	if (p->n >= MAX_PROCS)
		make_room(p);
	q = calloc(1, sizeof(*q));
	if (!q)
		return NULL;
	q->pid = pid;
	q->first_ns = ts_ns;
	q->exit_code = COL_NULL;
	if (hash_set(&p->by_pid, pid, q)) {
		free(q);
		return NULL;
	}
	*p->end = q;
	p->end = &q->next;
	p->n++;
	return q;
}

static struct proc *get(struct procs *p, uint32_t pid, int64_t ts_ns)
{
	struct proc *q = hash_get(&p->by_pid, pid);

	return q && !q->end_ns ? q : add(p, pid, ts_ns);
}

static void on_fork(struct procs *p, const struct ev_proc *e)
{
	struct proc *parent = hash_get(&p->by_pid, e->ppid);
	struct proc *q = get(p, e->h.pid, (int64_t)e->h.ts_ns);
	char texts[WHO_RECORD_MAX];
	size_t n = 0;

	if (!q)
		return;
	q->ppid = e->ppid;
	q->changed = true;
	for (int i = 0; parent && parent->texts && i < WHO_MAX; i++) {
		memcpy(texts + n, parent->text[i].s ? parent->text[i].s : "", parent->text[i].len);
		n += parent->text[i].len;
		texts[n++] = 0;
	}
	if (n)
		set_texts(q, texts, n);
}

/* Until EV_WHO brings more: what the kernel knew at the exec. */
static void on_exec(struct procs *p, const struct ev_proc *e)
{
	struct proc *q = get(p, e->h.pid, (int64_t)e->h.ts_ns);
	char texts[sizeof(e->comm) + sizeof(e->file) + WHO_MAX + 2] = "";
	size_t n = strnlen((const char *)e->comm, sizeof(e->comm));
	size_t m = strnlen((const char *)e->file, sizeof(e->file));

	if (!q)
		return;
	memcpy(texts, e->comm, n);
	memcpy(texts + n + 1, e->file, m);
	set_texts(q, texts, n + m + WHO_MAX);
	q->text[WHO_SERVICE] = q->text[WHO_COMM];
}

static void on_exit_record(struct procs *p, const struct ev_proc *e)
{
	struct proc *q = hash_get(&p->by_pid, e->h.pid);

	if (!q || q->end_ns)
		return;
	q->end_ns = (int64_t)e->h.ts_ns;
	q->exit_code = e->exit_code;
	q->changed = true;
}

static void on_who(struct procs *p, const struct ev_who *e, size_t size)
{
	struct proc *q = get(p, e->h.pid, (int64_t)e->h.ts_ns);

	/* A recording may say anything; what who_read() makes is never longer. */
	if (!q || e->bytes > size - sizeof(*e) || e->bytes > WHO_RECORD_MAX - sizeof(*e) - WHO_MAX)
		return;
	q->ppid = e->ppid ? e->ppid : q->ppid;
	q->who = true;
	set_texts(q, (const char *)e->texts, e->bytes);
}

void procs_record(struct procs *p, const struct ev_head *rec, size_t size)
{
	const struct ev_proc *e = (const void *)rec;

	if (rec->kind == EV_WHO && size >= sizeof(struct ev_who))
		on_who(p, (const void *)rec, size);
	else if (size < sizeof(*e))
		return;
	else if (rec->kind == EV_FORK)
		on_fork(p, e);
	else if (rec->kind == EV_EXEC)
		on_exec(p, e);
	else if (rec->kind == EV_EXIT)
		on_exit_record(p, e);
}

void procs_span(struct procs *p, struct span *row, uint32_t peer_pid, struct batch *b)
{
	const struct proc *q = row->pid == COL_NULL ? NULL
	                                            : hash_get(&p->by_pid, (uint64_t)row->pid);
	const struct proc *peer = peer_pid ? hash_get(&p->by_pid, peer_pid) : NULL;

	if (peer)
		row->peer_process = batch_text(b, peer->name);
	if (!q)
		return;
	row->comm = batch_text(b, q->text[WHO_COMM]);
	row->service = batch_text(b, q->text[WHO_SERVICE]);
	row->container_id = batch_text(b, q->text[WHO_CONTAINER]);
	row->process = batch_text(b, q->name);
}

void procs_conn(struct procs *p, struct conn_row *row, struct batch *b)
{
	const struct proc *q = row->pid == COL_NULL ? NULL
	                                            : hash_get(&p->by_pid, (uint64_t)row->pid);

	if (q)
		row->comm = batch_text(b, q->text[WHO_COMM]);
}

static void fill(const struct procs *p, const struct proc *q, struct proc_row *row, struct batch *b)
{
	row->pid = q->pid;
	row->ppid = q->ppid ? q->ppid : COL_NULL;
	row->start_ns = q->first_ns + p->wall_offset_ns;
	row->comm = batch_text(b, q->text[WHO_COMM]);
	row->exe = batch_text(b, q->text[WHO_EXE]);
	row->cmdline = batch_text(b, q->text[WHO_CMDLINE]);
	row->user = batch_text(b, q->text[WHO_USER]);
	row->service = batch_text(b, q->text[WHO_SERVICE]);
	row->cgroup = batch_text(b, q->text[WHO_CGROUP]);
	row->container_id = batch_text(b, q->text[WHO_CONTAINER]);
	if (!q->end_ns)
		return;
	row->end_ns = q->end_ns + p->wall_offset_ns;
	if (WIFEXITED((int)q->exit_code))
		row->exit_code = WEXITSTATUS((int)q->exit_code);
	else
		row->exit_signal = WTERMSIG((int)q->exit_code);
}

void procs_changed(struct procs *p, void *(*row)(void *ctx, struct batch **b), void *ctx)
{
	for (struct proc *q = p->first; q; q = q->next) {
		struct batch *b;
		struct proc_row *r;

		if (!q->changed)
			continue;
		q->changed = false;
		r = row(ctx, &b);
		if (r)
			fill(p, q, r, b);
	}
}

void procs_free(struct procs *p)
{
	if (!p)
		return;
	while (p->first) {
		struct proc *q = p->first;

		p->first = q->next;
		free(q->texts);
		free(q);
	}
	hash_free(&p->by_pid);
	free(p);
}
