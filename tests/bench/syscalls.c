/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * syscalls - nanoseconds of CPU per system call.
 *
 * usage: syscalls getppid|read|write|sock CALLS [wait]
 *
 * sock writes and reads 256 bytes on a pair of Unix sockets: two operations a
 * call, each a whole HTTP request, so that a tracer does not lose interest. With "wait" it prints its pid first and begins at the first byte on
 * its standard input.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static double cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

int main(int argc, char **argv)
{
	char b[256], c;
	long n = argc > 2 ? atol(argv[2]) : 0;
	int zero = open("/dev/zero", O_RDONLY), null = open("/dev/null", O_WRONLY), p[2];
	double t;

	if (!n || socketpair(AF_UNIX, SOCK_STREAM, 0, p))
		return 2;
	memset(b, 'x', sizeof(b));
	memcpy(b, "GET / HTTP/1.1\r\nX: ", 19);
	memcpy(b + sizeof(b) - 4, "\r\n\r\n", 4);
	if (argc > 3) {
		printf("%d\n", getpid());
		fflush(stdout);
		if (read(0, &c, 1) != 1)
			return 1;
	}
	t = cpu_ns();
	for (long i = 0; i < n; i++) {
		long r = 1;

		switch (argv[1][0]) {
		case 'g':
			r = syscall(SYS_getppid);
			break;
		case 'r':
			r = read(zero, b, sizeof(b));
			break;
		case 'w':
			r = write(null, b, sizeof(b));
			break;
		default:
			if (write(p[0], b, sizeof(b)) > 0)
				r = read(p[1], b, sizeof(b));
		}
		if (r <= 0)
			return 1;
	}
	printf("%.1f\n", (cpu_ns() - t) / (double)n);
	return 0;
}
