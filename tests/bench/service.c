/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * service - an HTTP service whose handler takes a millisecond, and a load of fixed rate.
 *
 * usage: service serve PORT MICROSECONDS
 *        service load PORT PER_SECOND SECONDS CONNECTIONS
 *        service burst PORT PER_SECOND SECONDS CONNECTIONS   ten times as many for 200 ms of each second
 *        service herd PORT CONNECTIONS        opens them, one request each, and holds them
 *
 * load prints: requests, requests a second, p50 and p99 in microseconds, of the
 * time from when a request was due.
 */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static int port, micros, rate, seconds, conns, bursts;
static uint32_t *taken[256];
static size_t ntaken[256];

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void until(double t)
{
	struct timespec ts = { .tv_sec = (time_t)t };

	ts.tv_nsec = (long)((t - (double)ts.tv_sec) * 1e9);
	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL);
}

static struct sockaddr_in loopback(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return a;
}

static int connected(void)
{
	struct sockaddr_in a = loopback();
	int one = 1, fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof(a))) {
		perror("service: connect");
		exit(1);
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	return fd;
}

static void *serve_one(void *arg)
{
	static const char out[] = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\ndone\n";
	int fd = (int)(intptr_t)arg, one = 1;
	char in[4096];

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	while (read(fd, in, sizeof(in)) > 0) {
		until(now() + micros * 1e-6);
		if (write(fd, out, sizeof(out) - 1) < 0)
			break;
	}
	close(fd);
	return NULL;
}

static int serve(void)
{
	struct sockaddr_in a = loopback();
	int one = 1, fd = socket(AF_INET, SOCK_STREAM, 0);
	pthread_t t;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&a, sizeof(a)) || listen(fd, 1024))
		return perror("service"), 1;
	for (;;) {
		int c = accept(fd, NULL, NULL);

		if (c < 0 || pthread_create(&t, NULL, serve_one, (void *)(intptr_t)c))
			return perror("service"), 1;
		pthread_detach(t);
	}
}

/* When request i of a connection is due, in seconds from its first. */
static double due_at(size_t i, double step)
{
	double quiet = 0.8 / step, each = quiet + 0.2 / (step / 10), in_second;

	if (!bursts)
		return (double)i * step;
	in_second = (double)i - each * (double)(size_t)((double)i / each);
	return (double)(size_t)((double)i / each) +
	       (in_second < quiet ? in_second * step : 0.8 + (in_second - quiet) * step / 10);
}

static void *load_one(void *arg)
{
	static const char out[] = "GET /small?bench HTTP/1.1\r\nHost: localhost\r\n\r\n";
	int k = (int)(intptr_t)arg, fd = connected();
	size_t n = (size_t)rate * (size_t)seconds / (size_t)conns * (bursts ? 28 : 10) / 10;
	double start = now() + 0.05 + (double)k / rate, step = (double)conns / rate;
	char in[4096];

	taken[k] = calloc(n, sizeof(**taken));
	for (size_t i = 0; i < n; i++) {
		double due = start + due_at(i, step);

		until(due);
		if (write(fd, out, sizeof(out) - 1) < 0 || read(fd, in, sizeof(in)) <= 0)
			exit(1);
		taken[k][ntaken[k]++] = (uint32_t)((now() - due) * 1e6);
	}
	close(fd);
	return NULL;
}

static int by_value(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

static int load(void)
{
	pthread_t t[256];
	double start = now();
	uint32_t *all;
	size_t n = 0;

	for (int k = 0; k < conns; k++)
		pthread_create(&t[k], NULL, load_one, (void *)(intptr_t)k);
	for (int k = 0; k < conns; k++)
		pthread_join(t[k], NULL);

	double took = now() - start;

	all = calloc((size_t)rate * (size_t)seconds * 3 + 1, sizeof(*all));
	for (int k = 0; k < conns; k++) {
		memcpy(all + n, taken[k], ntaken[k] * sizeof(*all));
		n += ntaken[k];
	}
	qsort(all, n, sizeof(*all), by_value);
	printf("%zu %.1f %u %u\n", n, (double)n / took, all[n / 2], all[n * 99 / 100]);
	return 0;
}

static int herd(void)
{
	static const char out[] = "GET /small?herd HTTP/1.1\r\nHost: localhost\r\n\r\n";
	struct rlimit all = { 1 << 20, 1 << 20 };
	char in[4096];

	setrlimit(RLIMIT_NOFILE, &all);
	for (int k = 0; k < conns; k++) {
		int fd = connected();

		if (write(fd, out, sizeof(out) - 1) < 0 || read(fd, in, sizeof(in)) <= 0)
			return 1;
	}
	printf("open\n");
	fflush(stdout);
	pause();
	return 0;
}

int main(int argc, char **argv)
{
	port = argc > 2 ? atoi(argv[2]) : 0;
	if (argc == 4 && !strcmp(argv[1], "serve")) {
		micros = atoi(argv[3]);
		return serve();
	}
	if (argc == 4 && !strcmp(argv[1], "herd")) {
		conns = atoi(argv[3]);
		return herd();
	}
	bursts = !strcmp(argc == 6 ? argv[1] : "", "burst");
	if (argc != 6 || (strcmp(argv[1], "load") && !bursts) || atoi(argv[5]) > 256)
		return fprintf(stderr, "usage: service serve|load|burst|herd PORT ...\n"), 2;
	rate = atoi(argv[3]);
	seconds = atoi(argv[4]);
	conns = atoi(argv[5]);
	return load();
}
