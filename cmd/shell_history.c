// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * shell_history - what was asked before, over all sessions.
 *
 * One entry a line, a newline inside one as \001 (psql does so too). Each is
 * appended at once, so that shells side by side lose nothing. Behind sudo the
 * file belongs to the user and is read and written with that user's rights: root
 * must not follow where a user's links lead.
 */
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdlib.h>
#include <sys/fsuid.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"
#include "cmd/shell.h"

enum { KEPT = 1000, TOO_MANY = 2000, NEWLINE = 1 };

/* ---- as whom ---- */

struct user {
	uid_t uid;
	gid_t gid;
	bool other; /* not who runs this */
};

static struct user user_behind(void)
{
	const char *uid = getenv("SUDO_UID"), *gid = getenv("SUDO_GID");
	uint64_t u, g;

	if (geteuid() || !uid || !gid || !str_u64(str_of(uid), &u) || !str_u64(str_of(gid), &g) ||
	    !u)
		return (struct user){ 0 };
	return (struct user){ (uid_t)u, (gid_t)g, true };
}

/* This thread's rights on files only: the capture goes on with its own. */
static struct user enter(void)
{
	struct user u = user_behind();

	if (u.other) {
		setfsgid(u.gid);
		setfsuid(u.uid);
	}
	return u;
}

static void leave(struct user u)
{
	if (u.other) {
		setfsuid(geteuid());
		setfsgid(getegid());
	}
}

char *shell_history_path(void)
{
	const char *base = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
	struct user u = user_behind();
	struct passwd *pw = u.other ? getpwuid(u.uid) : NULL;
	char *path = NULL;
	int n = -1;

	if (pw)
		n = asprintf(&path, "%s/.local/state/obi/history", pw->pw_dir);
	else if (u.other)
		return NULL;
	else if (base && *base == '/')
		n = asprintf(&path, "%s/obi/history", base);
	else if (home && *home == '/')
		n = asprintf(&path, "%s/.local/state/obi/history", home);
	return n < 0 ? NULL : path;
}

/* ---- the file ---- */

static void make_folders(const char *path)
{
	char *copy = strdup(path);

	for (char *p = copy ? strchr(copy + 1, '/') : NULL; p; p = strchr(p + 1, '/')) {
		*p = 0;
		mkdir(copy, 0700);
		*p = '/';
	}
	free(copy);
}

static int create(const char *path, int flags)
{
	struct stat st;
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | flags, 0600);

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) || !S_ISREG(st.st_mode)) {
		close(fd);
		return -EINVAL;
	}
	fchmod(fd, 0600);
	return fd;
}

static int put_entry(int fd, const char *text)
{
	struct buf b = { 0 };
	int e;

	buf_z(&b, text);
	while (b.len && b.p[b.len - 1] == '\n')
		b.len--;
	for (size_t i = 0; i < b.len; i++)
		if (b.p[i] == '\n')
			b.p[i] = NEWLINE;
	buf_ch(&b, '\n');
	e = write(fd, b.p, b.len) == (ssize_t)b.len ? 0 : -EIO;
	buf_free(&b);
	return e;
}

/* Only the newest entries stay: a new file takes the place of the old one. */
static void shorten(const char *path, char **list, size_t n)
{
	char *next = NULL;
	int fd;

	if (asprintf(&next, "%s.new", path) < 0)
		return;
	fd = create(next, O_TRUNC);
	for (size_t i = n - KEPT; fd >= 0 && i < n; i++)
		if (put_entry(fd, list[i])) {
			close(fd);
			fd = -1;
		}
	if (fd >= 0 && !close(fd))
		rename(next, path);
	free(next);
}

int shell_history_load(const char *path, void (*entry)(const char *text))
{
	struct user u = enter();
	FILE *f = fopen(path, "re");
	char *line = NULL, **list = calloc(TOO_MANY + 1, sizeof(*list));
	size_t cap = 0, n = 0;

	while (f && list && getline(&line, &cap, f) > 0) {
		for (char *p = line; *p; p++)
			*p = *p == '\n' ? 0 : *p == NEWLINE ? '\n' : *p;
		if (n > TOO_MANY) {
			free(list[0]);
			memmove(list, list + 1, --n * sizeof(*list));
		}
		list[n] = strdup(line);
		n += list[n] != NULL;
	}
	if (n > TOO_MANY)
		shorten(path, list, n);
	leave(u);
	for (size_t i = 0; i < n; i++) {
		entry(list[i]);
		free(list[i]);
	}
	free(list);
	free(line);
	if (f)
		fclose(f);
	return f ? 0 : -ENOENT;
}

bool shell_history_secret(const char *text)
{
	static const char *const words[] = { "password", "passwd",        "secret", "api_key",
		                             "apikey",   "authorization", "bearer", "token" };

	if (!strchr(text, '\'') && !strchr(text, '"') && !strchr(text, '='))
		return false;
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcasestr(text, words[i]))
			return true;
	return false;
}

int shell_history_add(const char *path, const char *text)
{
	struct user u;
	int fd, e;

	if (shell_history_secret(text))
		return 0;
	u = enter();
	fd = create(path, O_APPEND);
	if (fd == -ENOENT) {
		make_folders(path);
		fd = create(path, O_APPEND);
	}
	e = fd < 0 ? fd : put_entry(fd, text);
	if (fd >= 0)
		close(fd);
	leave(u);
	return e;
}
