// SPDX-License-Identifier: GPL-3.0-or-later
/* targets - which processes are meant. */
#include "capture/targets.h"

#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "capture/targets_proc.h"

enum { COMM = 16 };

int pidset_add(struct pidset *s, pid_t pid)
{
	if (pidset_has(s, pid))
		return 0;
	if (s->n == s->cap) {
		size_t cap = s->cap ? 2 * s->cap : 64;
		pid_t *p = realloc(s->pid, cap * sizeof(*p));

		if (!p)
			return -ENOMEM;
		s->pid = p;
		s->cap = cap;
	}
	s->pid[s->n++] = pid;
	return 0;
}

bool pidset_has(const struct pidset *s, pid_t pid)
{
	for (size_t i = 0; i < s->n; i++) {
		if (s->pid[i] == pid)
			return true;
	}
	return false;
}

void pidset_free(struct pidset *s)
{
	free(s->pid);
	*s = (struct pidset){ 0 };
}

/* The kernel cuts names after 15 bytes; a longer pattern means its beginning. */
static bool comm_fits(const char *glob, const char *comm)
{
	char cut[COMM];

	if (!strpbrk(glob, "*?[\\")) {
		snprintf(cut, sizeof(cut), "%s", glob);
		return !strcmp(cut, comm);
	}
	return !fnmatch(glob, comm, 0);
}

static bool exe_fits(const char *glob, const char *path)
{
	const char *last = strrchr(path, '/');

	return !fnmatch(glob, strchr(glob, '/') || !last ? path : last + 1, 0);
}

/* The cgroup itself or one below it. */
static bool cgroup_fits(const char *want, const char *path)
{
	size_t len;

	if (!strncmp(want, "/sys/fs/cgroup", 14))
		want += 14;
	if (!strncmp(want, "/unified/", 9))
		want += 8;
	want += *want == '/';
	path += *path == '/';
	len = strlen(want);
	while (len && want[len - 1] == '/')
		len--;
	return !strncmp(want, path, len) && (!len || !path[len] || path[len] == '/');
}

static bool user_fits(const char *name, uid_t uid)
{
	struct passwd pw, *found = NULL;
	char room[1024], *end;
	unsigned long n = strtoul(name, &end, 10);

	if (*name && !*end)
		return n == uid;
	return !getpwnam_r(name, &pw, room, sizeof(room), &found) && found && found->pw_uid == uid;
}

bool targets_match(const struct target_spec *spec, pid_t pid)
{
	char text[4096];
	uid_t uid;

	if (spec->ncomms && !proc_comm(pid, text, sizeof(text))) {
		for (size_t i = 0; i < spec->ncomms; i++) {
			if (comm_fits(spec->comms[i], text))
				return true;
		}
	}
	if (spec->nexes && !proc_exe(pid, text, sizeof(text))) {
		for (size_t i = 0; i < spec->nexes; i++) {
			if (exe_fits(spec->exes[i], text))
				return true;
		}
	}
	if (spec->ncgroups && !proc_cgroup(pid, text, sizeof(text))) {
		for (size_t i = 0; i < spec->ncgroups; i++) {
			if (cgroup_fits(spec->cgroups[i], text))
				return true;
		}
	}
	for (size_t i = 0; i < spec->nusers && !proc_uid(pid, &uid); i++) {
		if (user_fits(spec->users[i], uid))
			return true;
	}
	return false;
}

/* Literal, or literal and one star at the end. */
static bool comm_simple(const char *glob)
{
	size_t n = strcspn(glob, "*?[\\");

	return !glob[n] || (glob[n] == '*' && !glob[n + 1]);
}

bool targets_watch(const struct target_spec *spec)
{
	if (spec->all)
		return false;
	for (size_t i = 0; i < spec->ncomms; i++) {
		if (i >= COMMS_MAX || !comm_simple(spec->comms[i]))
			return true;
	}
	return spec->nexes || spec->ncgroups || spec->nusers;
}

void targets_comms(const struct target_spec *spec, struct config *cfg)
{
	for (size_t i = 0; i < spec->ncomms && cfg->ncomms < COMMS_MAX; i++) {
		size_t len = strcspn(spec->comms[i], "*?[\\");
		bool star = spec->comms[i][len] == '*';
		uint8_t value[COMM] = { 0 }, mask[COMM] = { 0 };

		if (!comm_simple(spec->comms[i]))
			continue;
		if (len > COMM - 1)
			len = COMM - 1;
		memcpy(value, spec->comms[i], len);
		memset(mask, 0xff, star ? len : len + 1);
		memcpy(cfg->comms[cfg->ncomms].value, value, sizeof(value));
		memcpy(cfg->comms[cfg->ncomms++].mask, mask, sizeof(mask));
	}
}

static bool has_patterns(const struct target_spec *spec)
{
	return spec->ncomms || spec->nexes || spec->ncgroups || spec->nusers;
}

static int users_exist(const struct target_spec *spec, char *err)
{
	for (size_t i = 0; i < spec->nusers; i++) {
		struct passwd pw, *found = NULL;
		char room[1024], *end;

		strtoul(spec->users[i], &end, 10);
		if (*spec->users[i] && !*end)
			continue;
		if (getpwnam_r(spec->users[i], &pw, room, sizeof(room), &found) || !found)
			return err_set(err, EINVAL, "no such user: %s", spec->users[i]);
	}
	return 0;
}

/* The first pattern, as it was written, for the message that nothing fits. */
static int nothing_matches(const struct target_spec *spec, const struct pidset *all, char *err)
{
	char similar[200] = "";

	if (spec->ncomms) {
		proc_similar(all, spec->comms[0], similar, sizeof(similar));
		return err_set(err, ESRCH, "no process matches --comm %s%s%s", spec->comms[0],
		               *similar ? ". Similar: " : "", similar);
	}
	if (spec->nexes)
		return err_set(err, ESRCH, "no process matches --exe %s", spec->exes[0]);
	if (spec->ncgroups)
		return err_set(err, ESRCH, "no process matches --cgroup %s", spec->cgroups[0]);
	return err_set(err, ESRCH, "no process matches --user %s", spec->users[0]);
}

/* The children of what is in the set already, and theirs; `parents` lies beside `all`. */
static int add_children(const struct pidset *all, const pid_t *parents, struct pidset *out)
{
	size_t before;
	int err = 0;

	do {
		before = out->n;
		for (size_t i = 0; i < all->n && !err; i++) {
			if (pidset_has(out, parents[i]))
				err = pidset_add(out, all->pid[i]);
		}
	} while (!err && out->n > before);
	return err;
}

static int add_all_children(const struct pidset *all, struct pidset *out)
{
	pid_t *parents = calloc(all->n + 1, sizeof(*parents));
	int err;

	if (!parents)
		return -ENOMEM;
	for (size_t i = 0; i < all->n; i++)
		parents[i] = proc_parent(all->pid[i]);
	err = add_children(all, parents, out);
	free(parents);
	return err;
}

static int add_named(const struct target_spec *spec, struct pidset *out, char *err)
{
	int error = 0;

	for (size_t i = 0; i < spec->npids && !error; i++) {
		pid_t tgid = proc_tgid(spec->pids[i]);

		if (tgid <= 0)
			return err_set(err, ESRCH, "no process %d", (int)spec->pids[i]);
		error = pidset_add(out, tgid);
	}
	return error;
}

int targets_find(const struct target_spec *spec, struct pidset *out, char *err)
{
	struct pidset all = { 0 }, never = { 0 };
	int error = users_exist(spec, err);

	if (!error)
		error = add_named(spec, out, err);
	if (!error && (has_patterns(spec) || !spec->no_follow))
		error = proc_list(&all);
	if (!error && has_patterns(spec))
		error = targets_never(spec, &never);
	for (size_t i = 0; !error && has_patterns(spec) && i < all.n; i++) {
		if (!pidset_has(&never, all.pid[i]) && targets_match(spec, all.pid[i]))
			error = pidset_add(out, all.pid[i]);
	}
	if (!error && has_patterns(spec) && !out->n)
		error = nothing_matches(spec, &all, err);
	if (!error && !spec->no_follow)
		error = add_all_children(&all, out);
	pidset_free(&all);
	pidset_free(&never);
	return error;
}

int targets_pidns(const struct target_spec *spec, uint32_t *out, char *err)
{
	if (proc_pidns(out))
		return err_set(err, EXDEV,
		               "/proc is that of another PID namespace, so that process ids mean "
		               "two things.\n  run:   obi with a /proc of its own (unshare --pid "
		               "--mount-proc), or in the host's namespace (nsenter -t 1 -p -m)");
	if (*out && spec->all)
		warn(LEVEL_WARN, "this PID namespace is not the host's (a container?): only its "
		                 "own processes are traced");
	return 0;
}
