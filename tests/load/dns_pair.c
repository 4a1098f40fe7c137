// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * dns_pair - asks itself over UDP: a child answers, each way of the system calls in turn
 *
 * usage: dns_pair PORT N ACCOUNT
 *
 * ACCOUNT gets one line a query: name, type, code of the answer. Every fifth name is
 * not there.
 */
#include <arpa/inet.h>
#include <err.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { HEADER = 12, NXDOMAIN = 3 };

static size_t query(unsigned char *p, int i)
{
	char name[16];
	size_t n = (size_t)snprintf(name, sizeof(name), "n%d", i);

	memcpy(p, "\0\0\1\0\0\1\0\0\0\0\0\0", HEADER);
	p[0] = (unsigned char)(i >> 8);
	p[1] = (unsigned char)i;
	p[HEADER] = (unsigned char)n;
	memcpy(p + HEADER + 1, name, n);
	memcpy(p + HEADER + 1 + n, "\3obi\4test\0\0\1\0\1", 14);
	return HEADER + 1 + n + 14;
}

static size_t answer(unsigned char *p, size_t n)
{
	int i = p[0] << 8 | p[1];

	p[2] = 0x84;
	p[3] = i % 5 == 4 ? NXDOMAIN : 0;
	if (p[3])
		return n;
	p[7] = 1;
	memcpy(p + n, "\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\xc0\0\2\1", 16);
	return n + 16;
}

static void serve(int fd)
{
	unsigned char buf[512];
	struct sockaddr_in from;

	for (int i = 0;; i++) {
		struct iovec v = { buf, sizeof(buf) - 16 };
		struct msghdr m = { .msg_name = &from,
			            .msg_namelen = sizeof(from),
			            .msg_iov = &v,
			            .msg_iovlen = 1 };
		socklen_t len = sizeof(from);
		ssize_t n = i % 2 ? recvmsg(fd, &m, 0)
		                  : recvfrom(fd, buf, sizeof(buf) - 16, 0, (struct sockaddr *)&from,
		                             &len);

		if (n < HEADER)
			err(1, "receive");
		v.iov_len = answer(buf, (size_t)n);
		m.msg_namelen = sizeof(from);
		if (i % 2 ? sendmsg(fd, &m, 0) < 0
		          : sendto(fd, buf, v.iov_len, 0, (struct sockaddr *)&from, sizeof(from)) <
		                    0)
			err(1, "send");
	}
}

/* Connected sockets with send, recv or write, read; others with sendto, recvfrom. */
static int ask(const struct sockaddr_in *to, int i)
{
	unsigned char buf[512];
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	size_t len = query(buf, i);
	ssize_t n;

	if (i % 3 && connect(fd, (const struct sockaddr *)to, sizeof(*to)))
		err(1, "connect");
	n = i % 3 == 0   ? sendto(fd, buf, len, 0, (const struct sockaddr *)to, sizeof(*to))
	    : i % 3 == 1 ? send(fd, buf, len, 0)
	                 : write(fd, buf, len);
	if (n != (ssize_t)len)
		err(1, "ask");
	n = i % 3 == 2 ? read(fd, buf, sizeof(buf)) : recv(fd, buf, sizeof(buf), 0);
	if (n < HEADER)
		err(1, "hear");
	close(fd);
	return buf[3] & 15;
}

int main(int argc, char **argv)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
		                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_DGRAM, 0), n = argc > 3 ? atoi(argv[2]) : 0;
	FILE *account = n ? fopen(argv[3], "w") : NULL;
	pid_t child;

	if (!account)
		errx(2, "usage: dns_pair PORT N ACCOUNT");
	at.sin_port = htons((uint16_t)atoi(argv[1]));
	if (bind(fd, (struct sockaddr *)&at, sizeof(at)))
		err(1, "bind");
	child = fork();
	if (!child)
		serve(fd);
	close(fd);
	for (int i = 0; i < n; i++)
		fprintf(account, "n%d.obi.test A %s\n", i, ask(&at, i) ? "NXDOMAIN" : "NOERROR");
	fclose(account);
	usleep(200000);
	kill(child, SIGTERM);
	wait(NULL);
	return 0;
}
