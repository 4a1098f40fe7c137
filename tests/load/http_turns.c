/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * http_turns - one request at a time: what a tracer costs shows in the rate.
 *
 * usage: http_turns PORT FIRST REQUESTS [PER_CONNECTION]
 *
 * On one connection, or on a new one after PER_CONNECTION requests. The targets are /r/FIRST and so on, each asked for once; every answer ends in
 * "ok" and a newline. Prints requests a second and p50 in microseconds.
 */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static int dial(int port)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
		                 .sin_port = htons((uint16_t)port),
		                 .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

	if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof(a)))
		die("http_turns: connect");
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	return fd;
}

static void turn(int fd, unsigned int id)
{
	char text[512];
	int len = snprintf(text, sizeof(text), "GET /r/%u HTTP/1.1\r\nHost: localhost\r\n\r\n", id);
	size_t have = 0;
	ssize_t n;

	if (send(fd, text, (size_t)len, 0) != len)
		die("http_turns: send");
	do {
		n = recv(fd, text + have, sizeof(text) - have, 0);
		if (n <= 0)
			die("http_turns: receive");
		have += (size_t)n;
	} while (have < 3 || memcmp(text + have - 3, "ok\n", 3) != 0);
	if (strncmp(text, "HTTP/1.1 200 ", 13) != 0)
		die("http_turns: status");
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
	unsigned int first = argc >= 4 ? (unsigned int)atoi(argv[2]) : 0;
	size_t n = argc >= 4 ? (size_t)atoi(argv[3]) : 0,
	       each = argc == 5 ? (size_t)atoi(argv[4]) : n;
	uint64_t *took = calloc(n + 1, sizeof(*took)), begin;
	int fd = -1;

	if (!n || !each || !took) {
		fprintf(stderr, "usage: http_turns PORT FIRST REQUESTS [PER_CONNECTION]\n");
		return 2;
	}
	begin = now_ns();
	for (size_t i = 0; i < n; i++) {
		uint64_t at = now_ns();

		if (i % each == 0) {
			if (fd >= 0)
				close(fd);
			fd = dial(atoi(argv[1]));
		}
		turn(fd, first + (unsigned int)i);
		took[i] = now_ns() - at;
	}
	begin = now_ns() - begin;
	qsort(took, n, sizeof(*took), by_value);
	printf("%.0f %.0f\n", (double)n * 1e9 / (double)begin, (double)took[n / 2] / 1e3);
	close(fd);
	return 0;
}
