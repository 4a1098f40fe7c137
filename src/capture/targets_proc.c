// SPDX-License-Identifier: GPL-3.0-or-later
/* targets_proc - what /proc says about processes. */
#include "capture/targets_proc.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/* A small file as text, without the newline at its end. */
static int slurp(pid_t pid, const char *name, char *out, size_t size)
{
	char path[64];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n = read(fd, out, size - 1);
	close(fd);
	if (n < 0)
		return -EIO;
	out[n] = '\0';
	if (n && out[n - 1] == '\n')
		out[n - 1] = '\0';
	return 0;
}

int proc_list(struct pidset *out)
{
	DIR *d = opendir("/proc");
	struct dirent *e;
	int err = 0;

	if (!d)
		return -errno;
	while (!err && (e = readdir(d))) {
		char *end;
		long pid = strtol(e->d_name, &end, 10);

		if (pid > 0 && !*end)
			err = pidset_add(out, (pid_t)pid);
	}
	closedir(d);
	return err;
}

int proc_comm(pid_t pid, char *out, size_t size)
{
	return slurp(pid, "comm", out, size);
}

int proc_exe(pid_t pid, char *out, size_t size)
{
	static const char gone[] = " (deleted)";
	char path[64];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/exe", (int)pid);
	n = readlink(path, out, size - 1);
	if (n < 0)
		return -errno;
	out[n] = '\0';
	if ((size_t)n > sizeof(gone) && !strcmp(out + n - (sizeof(gone) - 1), gone))
		out[(size_t)n - (sizeof(gone) - 1)] = '\0';
	return 0;
}

int proc_cgroup(pid_t pid, char *out, size_t size)
{
	char text[8192], *line, *next, *best = NULL;
	int err = slurp(pid, "cgroup", text, sizeof(text));

	if (err)
		return err;
	for (line = text; line; line = next) {
		char *path = strchr(line, ':');

		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		path = path ? strchr(path + 1, ':') : NULL;
		if (!path)
			continue;
		if (!strncmp(line, "0::", 3) && path[2])
			best = path + 1;
		else if (!best && path[2])
			best = path + 1;
	}
	snprintf(out, size, "%s", best ? best : "/");
	return 0;
}

int proc_uid(pid_t pid, uid_t *out)
{
	struct stat st;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d", (int)pid);
	if (stat(path, &st))
		return -errno;
	*out = st.st_uid;
	return 0;
}

static pid_t status_field(pid_t pid, const char *field)
{
	char text[4096], *p;

	if (slurp(pid, "status", text, sizeof(text)))
		return 0;
	p = strstr(text, field);
	return p ? (pid_t)strtol(p + strlen(field), NULL, 10) : 0;
}

pid_t proc_parent(pid_t pid)
{
	return status_field(pid, "\nPPid:");
}

pid_t proc_tgid(pid_t pid)
{
	return status_field(pid, "\nTgid:");
}

int proc_pidns(uint32_t *out)
{
	static const ino_t host = 0xeffffffc; /* PROC_PID_INIT_INO: the same on every kernel */
	char self[32];
	ssize_t n = readlink("/proc/self", self, sizeof(self) - 1);
	struct stat st;

	*out = 0;
	if (n < 0 || stat("/proc/self/ns/pid", &st))
		return 0; /* what is wrong with /proc is told where it is needed */
	self[n] = '\0';
	if (strtol(self, NULL, 10) != getpid())
		return -EXDEV;
	if (st.st_ino != host)
		*out = (uint32_t)st.st_ino;
	return 0;
}

/* Edits (insert, delete, replace) between two short names. */
static size_t distance(const char *a, const char *b)
{
	size_t row[17], na = strnlen(a, 16), nb = strnlen(b, 16);

	for (size_t j = 0; j <= nb; j++)
		row[j] = j;
	for (size_t i = 1; i <= na; i++) {
		size_t corner = row[0];

		row[0] = i;
		for (size_t j = 1; j <= nb; j++) {
			size_t best = corner + (a[i - 1] != b[j - 1]);

			corner = row[j];
			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			row[j] = best;
		}
	}
	return row[nb];
}

static bool looks_like(const char *comm, const char *name)
{
	size_t n = strlen(name), i;

	if (distance(comm, name) <= (n > 4 ? 2 : 1))
		return true;
	if (n >= 3 && strstr(comm, name))
		return true;
	/* The name of a family member, mistyped: compare only as much as was typed. */
	for (i = n > 4 ? n - 1 : n; n > 4 && i <= n + 1; i++) {
		char head[17];

		snprintf(head, sizeof(head), "%.*s", (int)i, comm);
		if (distance(head, name) <= 1)
			return true;
	}
	return false;
}

void proc_similar(const struct pidset *all, const char *name, char *out, size_t size)
{
	size_t at = 0, shown = 0;
	char comm[64];

	*out = '\0';
	for (size_t i = 0; i < all->n && shown < 3; i++) {
		int n;

		if (all->pid[i] == getpid() || proc_comm(all->pid[i], comm, sizeof(comm)) ||
		    !*comm || !looks_like(comm, name))
			continue;
		n = snprintf(out + at, size - at, "%s%s (%d)", shown ? ", " : "", comm,
		             (int)all->pid[i]);
		if (n < 0 || (size_t)n >= size - at) {
			out[at] = '\0';
			return;
		}
		at += (size_t)n;
		shown++;
	}
}
