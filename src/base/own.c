// SPDX-License-Identifier: GPL-3.0-or-later
/* own - files that belong to whoever called sudo. */
#include "base/own.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/str.h"

/* Who called sudo owns what is written. */
static void set_owner(int fd, const char *path)
{
	const char *uid = getenv("SUDO_UID"), *gid = getenv("SUDO_GID");
	uint64_t u, g;

	if (geteuid() || !uid || !gid || !str_u64(str_of(uid), &u) || !str_u64(str_of(gid), &g))
		return;
	if (fchown(fd, (uid_t)u, (gid_t)g))
		warn(LEVEL_WARN, "cannot give %s to user %s: %s", path, uid, strerror(errno));
}

int own_create(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	struct stat st;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) || !S_ISREG(st.st_mode))
		return fd;
	if (fchmod(fd, 0600))
		warn(LEVEL_WARN, "cannot set the mode of %s: %s", path, strerror(errno));
	set_owner(fd, path);
	return fd;
}

int own_write(const char *path, struct str text)
{
	int fd = own_create(path), e = 0;
	ssize_t n;

	if (fd < 0)
		return fd;
	while (text.len && !e) {
		n = write(fd, text.s, text.len);
		if (n < 0 && errno == EINTR)
			continue;
		e = n < 0 ? -errno : 0;
		text.s += n > 0 ? n : 0;
		text.len -= n > 0 ? (size_t)n : 0;
	}
	return close(fd) && !e ? -errno : e;
}
