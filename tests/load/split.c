/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * split - an LD_PRELOAD library that cuts what a program sends and receives.
 *
 * Every other call on a stream socket moves at most K bytes, K counting up from
 * 1 to 400 and round again: each message is split at every boundary sooner or
 * later. A program may not notice: short reads and writes are what a stream
 * socket may do at any time.
 */
#include <dlfcn.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>

#define EXPORT __attribute__((visibility("default")))

static atomic_uint calls;

static bool is_stream(int fd)
{
	int v = 0;
	socklen_t len = sizeof(v);

	if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &v, &len) || (v != AF_INET && v != AF_INET6))
		return false;
	len = sizeof(v);
	return !getsockopt(fd, SOL_SOCKET, SO_TYPE, &v, &len) && v == SOCK_STREAM;
}

static size_t cut(int fd, size_t len)
{
	unsigned int n;

	if (len < 2 || !is_stream(fd))
		return len;
	n = atomic_fetch_add(&calls, 1);
	if (n & 1)
		return len;
	n = 1 + n / 2 % 400;
	return n < len ? n : len;
}

EXPORT ssize_t read(int fd, void *buf, size_t len)
{
	static ssize_t (*next)(int, void *, size_t);

	if (!next)
		next = dlsym(RTLD_NEXT, "read");
	return next(fd, buf, cut(fd, len));
}

EXPORT ssize_t write(int fd, const void *buf, size_t len)
{
	static ssize_t (*next)(int, const void *, size_t);

	if (!next)
		next = dlsym(RTLD_NEXT, "write");
	return next(fd, buf, cut(fd, len));
}

EXPORT ssize_t recv(int fd, void *buf, size_t len, int flags)
{
	static ssize_t (*next)(int, void *, size_t, int);

	if (!next)
		next = dlsym(RTLD_NEXT, "recv");
	return next(fd, buf, flags & (MSG_PEEK | MSG_WAITALL) ? len : cut(fd, len), flags);
}

EXPORT ssize_t send(int fd, const void *buf, size_t len, int flags)
{
	static ssize_t (*next)(int, const void *, size_t, int);

	if (!next)
		next = dlsym(RTLD_NEXT, "send");
	return next(fd, buf, cut(fd, len), flags);
}
