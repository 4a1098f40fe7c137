/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * http_load - sends a fixed mix of HTTP requests and keeps its own account of them.
 *
 * usage: http_load PORT OPERATIONS WORKERS LOG [MODE [BYTES-PER-SECOND]]
 *
 * The mix depends on the number of the operation alone, so that two runs do the
 * same. Requests are pipelined, small and large in one run, split at every
 * boundary, chunked, sent on connections that are kept and on connections that
 * are closed. MODE "once" uses one connection for each request, "keep" leaves out
 * what closes, "all" is the whole mix. With a rate all workers together send and
 * receive no more than that.
 *
 * One line in LOG for each answer, tab-separated:
 *   local-port  method  target  status  bytes-sent  bytes-received
 *   first-send  first-receive  last-receive     (CLOCK_MONOTONIC, ns)
 *   number of the connection in this worker
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { MAX_PIPE = 8, BODY_MAX = 200000, MAX_CUTS = 5 };

struct op {
	const char *method;
	char target[64];
	size_t sent;
	uint64_t first_send;
	bool head, close;
};

struct client {
	int fd, port, local_port, connections;
	FILE *log;
	bool once, keep;
	double rate; /* bytes a second, 0: no limit */
	uint64_t moved, started;
	uint8_t in[256 << 10];
	size_t have, pos;
	uint64_t read_at; /* time of the receive that filled `in` */
	uint64_t received;
	uint64_t first_receive;
};

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void die(const char *what)
{
	fprintf(stderr, "http_load: %s: %s\n", what, errno ? strerror(errno) : "unexpected");
	_exit(1);
}

static uint32_t mix(uint32_t x)
{
	x ^= x >> 16;
	x *= 0x7feb352du;
	x ^= x >> 15;
	x *= 0x846ca68bu;
	return x ^ (x >> 16);
}

static void connect_client(struct client *c)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons((uint16_t)c->port) };
	struct sockaddr_in me;
	socklen_t len = sizeof(me);
	int one = 1;

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&a, sizeof(a)))
		die("connect");
	setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (getsockname(c->fd, (struct sockaddr *)&me, &len))
		die("getsockname");
	c->local_port = ntohs(me.sin_port);
	c->have = c->pos = 0;
	c->connections++;
}

static void send_all(struct client *c, const uint8_t *p, size_t n)
{
	while (n) {
		ssize_t r = send(c->fd, p, n, MSG_NOSIGNAL);

		if (r <= 0)
			die("send");
		p += r;
		n -= (size_t)r;
	}
}

/* One answer in eleven is big, one in a thousand huge; the rest is small and of all kinds. */
static size_t build(struct client *c, uint32_t id, struct op *op, uint8_t *out)
{
	static const char *const plain[] = { "GET", "GET", "DELETE", "PUT", "PATCH", "OPTIONS" };
	uint32_t r = mix(id);
	const char *extra = "", *path = "small", *version = "1.1";
	size_t body = 0, n;
	bool chunked = false;

	*op = (struct op){ .method = "GET" };
	if (id % 1000 == 7) {
		path = r & 1 ? "huge" : "file/huge";
	} else if (r % 9 == 0) {
		path = r & 16 ? "big" : "file/big";
	} else {
		switch ((r >> 8) % 16) {
		case 0:
			op->method = "HEAD", path = "file/big", op->head = true;
			break;
		case 1:
			path = "none";
			break;
		case 2:
			path = "file/one",
			extra = "If-Modified-Since: Fri, 31 Dec 2100 23:59:59 GMT\r\n";
			break;
		case 3:
			path = "missing";
			break;
		case 4:
			path = "fail";
			break;
		case 5:
			op->method = "POST", path = "proxy", body = r >> 12 & 4095;
			break;
		case 6:
			op->method = "POST", path = "post", body = r % BODY_MAX;
			break;
		case 7:
			op->method = "POST", path = "proxy", body = 1 + (r >> 12 & 8191),
			chunked = true;
			break;
		case 8:
			path = "gzip/text", extra = "Accept-Encoding: gzip\r\n";
			break;
		case 9:
			version = "1.0", op->close = true;
			break;
		case 10:
			op->close = true, extra = "Connection: close\r\n";
			break;
		case 11:
			path = "gzip/text", version = "1.0", op->close = true,
			extra = "Accept-Encoding: gzip\r\n";
			break;
		case 12:
			path = "proxy";
			break;
		case 13:
			path = "file/one";
			break;
		default:
			op->method = plain[(r >> 20) % 6];
		}
	}
	if (c->keep && op->close)
		version = "1.1", extra = "", op->close = false, path = "small";
	if (c->once)
		extra = "Connection: close\r\n", op->close = true, version = "1.1";
	snprintf(op->target, sizeof(op->target), "/%s?i=%u", path, id);
	n = (size_t)sprintf((char *)out,
	                    "%s %s HTTP/%s\r\nHost: localhost\r\nUser-Agent: http_load\r\n%s",
	                    op->method, op->target, version, extra);
	if (chunked) {
		size_t part = 1 + r % 1000, left = body;

		n += (size_t)sprintf((char *)out + n, "Transfer-Encoding: chunked\r\n\r\n");
		for (; left; left -= part) {
			part = part < left ? part : left;
			n += (size_t)sprintf((char *)out + n, "%zx\r\n", part);
			memset(out + n, 'c', part);
			n += part;
			n += (size_t)sprintf((char *)out + n, "\r\n");
		}
		n += (size_t)sprintf((char *)out + n, "0\r\n\r\n");
	} else if (body) {
		n += (size_t)sprintf((char *)out + n, "Content-Length: %zu\r\n\r\n", body);
		memset(out + n, 'b', body);
		n += body;
	} else {
		n += (size_t)sprintf((char *)out + n, "\r\n");
	}
	op->sent = n;
	return n;
}

static bool fill(struct client *c)
{
	/* small receives too, so that answers arrive in pieces */
	size_t want = mix((uint32_t)c->received) % 4 ? sizeof(c->in) : 1 + c->received % 61;
	ssize_t r = recv(c->fd, c->in, want, 0);

	if (r < 0)
		die("recv");
	c->read_at = now();
	c->have = (size_t)r;
	c->pos = 0;
	return r > 0;
}

static int next_byte(struct client *c)
{
	if (c->pos == c->have && !fill(c))
		return -1;
	if (!c->received++)
		c->first_receive = c->read_at;
	return c->in[c->pos++];
}

static void skip(struct client *c, uint64_t n)
{
	while (n) {
		if (c->pos == c->have && !fill(c))
			die("answer ends early");
		size_t k = c->have - c->pos < n ? c->have - c->pos : (size_t)n;

		c->pos += k;
		c->received += k;
		n -= k;
	}
}

static void line(struct client *c, char *s, size_t cap)
{
	size_t n = 0;
	int b;

	while ((b = next_byte(c)) != '\n') {
		if (b < 0)
			die("answer ends in its head");
		if (b != '\r' && n < cap - 1)
			s[n++] = (char)b;
	}
	s[n] = 0;
}

static void skip_chunks(struct client *c)
{
	char s[256];
	uint64_t n;

	do {
		line(c, s, sizeof(s));
		n = strtoull(s, NULL, 16);
		skip(c, n);
		line(c, s, sizeof(s));
	} while (n);
}

/* Reads one answer to its last byte and writes the line for it. */
static void answer(struct client *c, const struct op *op)
{
	char s[1024];
	int status;
	int64_t length = -1;
	bool chunked = false;

	c->received = 0;
	line(c, s, sizeof(s));
	if (sscanf(s, "HTTP/1.%*d %d", &status) != 1)
		die("no status line");
	for (;;) {
		line(c, s, sizeof(s));
		if (!*s)
			break;
		if (!strncasecmp(s, "content-length:", 15))
			length = atoll(s + 15);
		if (!strcasecmp(s, "transfer-encoding: chunked"))
			chunked = true;
	}
	if (op->head || status == 204 || status == 304)
		;
	else if (chunked)
		skip_chunks(c);
	else if (length >= 0)
		skip(c, (uint64_t)length);
	else
		while (next_byte(c) >= 0)
			;
	fprintf(c->log, "%d\t%s\t%s\t%d\t%zu\t%llu\t%llu\t%llu\t%llu\t%d\n", c->local_port,
	        op->method, op->target, status, op->sent, (unsigned long long)c->received,
	        (unsigned long long)op->first_send, (unsigned long long)c->first_receive,
	        (unsigned long long)c->read_at, c->connections);
}

/* What is sent at once or in pieces, by a thread of its own where that may block. */
struct batch {
	struct client *c;
	uint32_t id;
	uint32_t ops;
	size_t n;
	uint8_t bytes[MAX_PIPE * (BODY_MAX + 50000)];
};

/*
 * Sends what is in b, in pieces where b->id says so, with pauses between: one
 * cut goes through all places of a head, more lie anywhere in a pipeline.
 */
static void *send_batch(void *arg)
{
	struct batch *b = arg;
	size_t at = 0, cuts = b->id % 4 ? 0 : 1, n = b->n;

	if (b->ops > 1 && mix(b->id) % 2)
		cuts = 1 + mix(b->id) / 2 % MAX_CUTS;
	for (size_t i = 0; i < cuts; i++) {
		bool anywhere = i || (b->ops > 1 && b->id % 3);
		size_t k = anywhere ? mix(b->id + (uint32_t)i) : b->id / 4 % 399;

		k = 1 + k % (n - at > 1 ? n - at - 1 : 1);
		if (at + k >= n)
			break;
		send_all(b->c, b->bytes + at, k);
		at += k;
		usleep(30);
	}
	send_all(b->c, b->bytes + at, n - at);
	return NULL;
}

/* No faster than the rate. */
static void pace(struct client *c)
{
	double due = c->rate > 0 ? (double)c->moved / c->rate : 0;
	double late = due - (double)(now() - c->started) * 1e-9;

	if (late > 0)
		usleep((useconds_t)(late * 1e6));
}

/*
 * Up to MAX_PIPE requests in one go, then their answers. The server may stop
 * reading until its answers are taken: what is long is sent beside that.
 */
static uint32_t exchange(struct client *c, uint32_t id, uint32_t end)
{
	static struct batch b;
	struct op ops[MAX_PIPE];
	uint32_t want = mix(id * 7 + 1) % 5 ? 1 : 1 + mix(id) % MAX_PIPE;
	pthread_t sender;
	bool beside;
	uint64_t t0;

	b.c = c;
	b.id = id;
	b.ops = 0;
	b.n = 0;
	do {
		b.n += build(c, id + b.ops, &ops[b.ops], b.bytes + b.n);
		b.ops++;
	} while (b.ops < want && id + b.ops < end && !ops[b.ops - 1].close);
	if (c->fd < 0)
		connect_client(c);
	beside = b.ops > 1 && b.n > 16384;
	t0 = now();
	if (beside && pthread_create(&sender, NULL, send_batch, &b))
		die("thread");
	if (!beside)
		send_batch(&b);
	for (uint32_t i = 0; i < b.ops; i++) {
		ops[i].first_send = t0;
		answer(c, &ops[i]);
		c->moved += ops[i].sent + c->received;
	}
	if (beside)
		pthread_join(sender, NULL);
	if (ops[b.ops - 1].close) {
		close(c->fd);
		c->fd = -1;
	}
	pace(c);
	return id + b.ops;
}

static int work(int port, uint32_t id, uint32_t end, const char *name, const char *mode,
                double rate)
{
	static struct client c;

	c = (struct client){ .fd = -1, .port = port, .rate = rate, .started = now() };
	c.once = !strcmp(mode, "once");
	c.keep = !strcmp(mode, "keep");
	c.log = fopen(name, "w");
	if (!c.log)
		die(name);
	setvbuf(c.log, NULL, _IOFBF, 1 << 20);
	while (id < end)
		id = exchange(&c, id, end);
	return fclose(c.log) ? 1 : 0;
}

int main(int argc, char **argv)
{
	int status, failed = 0;

	if (argc < 5) {
		fprintf(stderr, "usage: http_load PORT OPERATIONS WORKERS LOG "
		                "[once|keep|all [BYTES-PER-SECOND]]\n");
		return 2;
	}
	uint32_t total = (uint32_t)atoi(argv[2]), workers = (uint32_t)atoi(argv[3]);

	for (uint32_t w = 0; w < workers; w++) {
		char name[512];

		snprintf(name, sizeof(name), "%s.%u", argv[4], w);
		if (!fork())
			_exit(work(atoi(argv[1]), (uint32_t)((uint64_t)total * w / workers),
			           (uint32_t)((uint64_t)total * (w + 1) / workers), name,
			           argc > 5 ? argv[5] : "all",
			           argc > 6 ? atof(argv[6]) / workers : 0));
	}
	while (wait(&status) > 0)
		failed |= status;
	return failed ? 1 : 0;
}
