// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * targets_never - who shows this program's output, and would be traced for it.
 *
 * The ancestors (shell, sshd), whoever holds the other side of the terminal
 * (terminal emulator, sshd, tmux), and for tmux its clients and what is behind
 * their terminals.
 */
#include <dirent.h>
#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "capture/targets.h"
#include "capture/targets_proc.h"

enum { TTYS_MAX = 8 };

struct ttys {
	int index[TTYS_MAX];
	size_t n;
};

static int add_ancestors(pid_t pid, struct pidset *out)
{
	int err = 0;

	for (pid = proc_parent(pid); pid > 1 && !err; pid = proc_parent(pid))
		err = pidset_add(out, pid);
	return err;
}

/* /dev/pts/N that this process has as its standard streams. */
static void add_ttys(pid_t pid, struct ttys *t)
{
	for (int fd = 0; fd < 3; fd++) {
		char path[64], to[64], *end;
		ssize_t n;
		long i;

		snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)pid, fd);
		n = readlink(path, to, sizeof(to) - 1);
		if (n < 0)
			continue;
		to[n] = '\0';
		if (strncmp(to, "/dev/pts/", 9))
			continue;
		i = strtol(to + 9, &end, 10);
		if (*end || t->n == TTYS_MAX)
			continue;
		t->index[t->n++] = (int)i;
	}
}

static bool fd_is_master(pid_t pid, const char *fd, const struct ttys *t)
{
	char path[320], text[512], *p;
	ssize_t n;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/fd/%s", (int)pid, fd);
	n = readlink(path, text, sizeof(text) - 1);
	if (n < 4 || strncmp(text + n - 4, "ptmx", 4))
		return false;
	snprintf(path, sizeof(path), "/proc/%d/fdinfo/%s", (int)pid, fd);
	f = fopen(path, "re");
	if (!f)
		return false;
	n = (ssize_t)fread(text, 1, sizeof(text) - 1, f);
	fclose(f);
	text[n] = '\0';
	p = strstr(text, "tty-index:");
	for (size_t i = 0; p && i < t->n; i++) {
		if (strtol(p + 10, NULL, 10) == t->index[i])
			return true;
	}
	return false;
}

static bool holds_master(pid_t pid, const struct ttys *t)
{
	char path[64];
	struct dirent *e;
	bool yes = false;
	DIR *d;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	d = opendir(path);
	if (!d)
		return false;
	while (!yes && (e = readdir(d)))
		yes = e->d_name[0] != '.' && fd_is_master(pid, e->d_name, t);
	closedir(d);
	return yes;
}

static int add_holders(const struct pidset *all, const struct ttys *t, struct pidset *out)
{
	int err = 0;

	for (size_t i = 0; t->n && i < all->n && !err; i++) {
		if (!holds_master(all->pid[i], t))
			continue;
		err = pidset_add(out, all->pid[i]);
		if (!err)
			err = add_ancestors(all->pid[i], out);
	}
	return err;
}

static bool is_tmux(pid_t pid)
{
	char comm[64];

	return !proc_comm(pid, comm, sizeof(comm)) && !strncmp(comm, "tmux", 4);
}

/* Only if the terminal is one of tmux: its clients, and who shows them. */
static int add_tmux(const struct pidset *all, struct pidset *out)
{
	struct ttys t = { 0 };
	bool inside = false;
	int err = 0;

	for (size_t i = 0; i < out->n; i++)
		inside = inside || is_tmux(out->pid[i]);
	if (!inside)
		return 0;
	for (size_t i = 0; i < all->n && !err; i++) {
		if (!is_tmux(all->pid[i]))
			continue;
		add_ttys(all->pid[i], &t);
		err = pidset_add(out, all->pid[i]);
		if (!err)
			err = add_ancestors(all->pid[i], out);
	}
	return err ? err : add_holders(all, &t, out);
}

int targets_never(const struct target_spec *spec, struct pidset *out)
{
	struct pidset all = { 0 };
	struct ttys t = { 0 };
	int err = pidset_add(out, getpid());

	if (!err && spec->never > 0)
		err = pidset_add(out, spec->never);
	if (!err)
		err = add_ancestors(getpid(), out);
	if (!err)
		err = proc_list(&all);
	add_ttys(getpid(), &t);
	if (!err)
		err = add_holders(&all, &t, out);
	if (!err)
		err = add_tmux(&all, out);
	pidset_free(&all);
	return err;
}
