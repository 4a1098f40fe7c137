/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * calls - one HTTP request after the other, each kind of system call in its turn.
 *
 * usage: calls PORT HOW REQUESTS
 *
 * HOW: plain (read, write), vector (readv, writev), send, msg (sendmsg, recvmsg),
 * mmsg (sendmmsg, recvmmsg), sendfile, splice, uring (io_uring), peek, nonblock,
 * dup, fork (a child sends on an inherited descriptor), pass (another process
 * gets the descriptor), thread, reuse (a new connection on the same descriptor).
 * The target of request i is /small?HOW=i.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

struct how {
	const char *name;
	ssize_t (*out)(int fd, char *s, size_t n);
	ssize_t (*in)(int fd, char *s, size_t n);
};

static void die(const char *what)
{
	fprintf(stderr, "calls: %s: %s\n", what, strerror(errno));
	_exit(1);
}

static ssize_t out_plain(int fd, char *s, size_t n)
{
	return write(fd, s, n);
}

static ssize_t in_plain(int fd, char *s, size_t n)
{
	return read(fd, s, n);
}

static ssize_t out_vector(int fd, char *s, size_t n)
{
	struct iovec v[4] = { { s, 1 }, { s + 1, 0 }, { s + 1, 7 }, { s + 8, n - 8 } };

	return writev(fd, v, 4);
}

static ssize_t in_vector(int fd, char *s, size_t n)
{
	struct iovec v[3] = { { s, 5 }, { s + 5, 40 }, { s + 45, n - 45 } };

	return readv(fd, v, 3);
}

static ssize_t out_send(int fd, char *s, size_t n)
{
	return send(fd, s, n, MSG_NOSIGNAL);
}

static ssize_t in_send(int fd, char *s, size_t n)
{
	return recvfrom(fd, s, n, 0, NULL, NULL);
}

static ssize_t out_msg(int fd, char *s, size_t n)
{
	struct iovec v[2] = { { s, 9 }, { s + 9, n - 9 } };
	struct msghdr m = { .msg_iov = v, .msg_iovlen = 2 };

	return sendmsg(fd, &m, 0);
}

static ssize_t in_msg(int fd, char *s, size_t n)
{
	struct iovec v[2] = { { s, 30 }, { s + 30, n - 30 } };
	struct msghdr m = { .msg_iov = v, .msg_iovlen = 2 };

	return recvmsg(fd, &m, 0);
}

/* Two messages in one call: the request in halves. */
static ssize_t out_mmsg(int fd, char *s, size_t n)
{
	struct iovec v[2] = { { s, n / 2 }, { s + n / 2, n - n / 2 } };
	struct mmsghdr m[2] = { { .msg_hdr = { .msg_iov = &v[0], .msg_iovlen = 1 } },
		                { .msg_hdr = { .msg_iov = &v[1], .msg_iovlen = 1 } } };
	int r = sendmmsg(fd, m, 2, 0);

	return r == 2 ? (ssize_t)n : -1;
}

static ssize_t in_mmsg(int fd, char *s, size_t n)
{
	struct iovec v = { s, n };
	struct mmsghdr m = { .msg_hdr = { .msg_iov = &v, .msg_iovlen = 1 } };

	return recvmmsg(fd, &m, 1, 0, NULL) == 1 ? (ssize_t)m.msg_len : -1;
}

static ssize_t out_sendfile(int fd, char *s, size_t n)
{
	int f = memfd_create("request", 0);
	off_t at = 0;
	ssize_t r;

	if (f < 0 || write(f, s, n) != (ssize_t)n)
		die("memfd");
	r = sendfile(fd, f, &at, n);
	close(f);
	return r;
}

static ssize_t out_splice(int fd, char *s, size_t n)
{
	int p[2];
	ssize_t r;

	if (pipe(p) || write(p[1], s, n) != (ssize_t)n)
		die("pipe");
	r = splice(p[0], NULL, fd, NULL, n, 0);
	close(p[0]);
	close(p[1]);
	return r;
}

static ssize_t in_splice(int fd, char *s, size_t n)
{
	int p[2];
	ssize_t r;

	if (pipe(p))
		die("pipe");
	r = splice(fd, NULL, p[1], NULL, n, 0);
	if (r > 0 && read(p[0], s, n) != r)
		die("pipe read");
	close(p[0]);
	close(p[1]);
	return r;
}

/* ----- io_uring by its system calls: one entry at a time ----- */
struct uring {
	int fd;
	struct io_uring_params p;
	uint8_t *sq, *cq;
	struct io_uring_sqe *sqes;
};

static void *ring_map(int fd, size_t n, off_t at)
{
	void *m = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, at);

	if (m == MAP_FAILED)
		die("io_uring mmap");
	return m;
}

static struct uring *uring(void)
{
	static struct uring u = { .fd = -1 };

	if (u.fd >= 0)
		return &u;
	u.fd = (int)syscall(SYS_io_uring_setup, 4, &u.p);
	if (u.fd < 0)
		die("io_uring_setup");
	u.sq = ring_map(u.fd, u.p.sq_off.array + u.p.sq_entries * 4, IORING_OFF_SQ_RING);
	u.cq = ring_map(u.fd, u.p.cq_off.cqes + u.p.cq_entries * sizeof(struct io_uring_cqe),
	                IORING_OFF_CQ_RING);
	u.sqes = ring_map(u.fd, u.p.sq_entries * sizeof(struct io_uring_sqe), IORING_OFF_SQES);
	return &u;
}

static ssize_t uring_do(uint8_t op, int fd, char *s, size_t n)
{
	struct uring *u = uring();
	uint32_t *tail = (uint32_t *)(u->sq + u->p.sq_off.tail),
		 *head = (uint32_t *)(u->cq + u->p.cq_off.head);
	uint32_t mask = *(uint32_t *)(u->sq + u->p.sq_off.ring_mask), at = *tail & mask;
	struct io_uring_cqe *cqes = (struct io_uring_cqe *)(u->cq + u->p.cq_off.cqes);
	ssize_t r;

	u->sqes[at] = (struct io_uring_sqe){
		.opcode = op, .fd = fd, .addr = (uintptr_t)s, .len = (uint32_t)n
	};
	((uint32_t *)(u->sq + u->p.sq_off.array))[at] = at;
	__atomic_store_n(tail, *tail + 1, __ATOMIC_RELEASE);
	if (syscall(SYS_io_uring_enter, u->fd, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) != 1)
		die("io_uring_enter");
	r = cqes[*head & *(uint32_t *)(u->cq + u->p.cq_off.ring_mask)].res;
	__atomic_store_n(head, *head + 1, __ATOMIC_RELEASE);
	return r;
}

static ssize_t out_uring(int fd, char *s, size_t n)
{
	return uring_do(IORING_OP_SEND, fd, s, n);
}

static ssize_t in_uring(int fd, char *s, size_t n)
{
	return uring_do(IORING_OP_RECV, fd, s, n);
}

static ssize_t in_peek(int fd, char *s, size_t n)
{
	for (int i = 0; i < 3; i++)
		if (recv(fd, s, 20, MSG_PEEK) <= 0)
			return -1;
	return recv(fd, s, n, 0);
}

static ssize_t in_nonblock(int fd, char *s, size_t n)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	ssize_t r;

	while ((r = recv(fd, s, n, MSG_DONTWAIT)) < 0 && errno == EAGAIN)
		poll(&p, 1, -1);
	return r;
}

static ssize_t out_dup(int fd, char *s, size_t n)
{
	int other = dup(fd);
	ssize_t r = write(other, s, n);

	close(other);
	return r;
}

static ssize_t out_fork(int fd, char *s, size_t n)
{
	int status;
	pid_t pid = fork();

	if (!pid)
		_exit(write(fd, s, n) == (ssize_t)n ? 0 : 1);
	waitpid(pid, &status, 0);
	return status ? -1 : (ssize_t)n;
}

static void pass(int channel, int fd)
{
	union {
		struct cmsghdr h;
		char space[CMSG_SPACE(sizeof(int))];
	} c = { .h = { .cmsg_len = CMSG_LEN(sizeof(int)),
		       .cmsg_level = SOL_SOCKET,
		       .cmsg_type = SCM_RIGHTS } };
	struct iovec v = { (char[]){ 'f' }, 1 };
	struct msghdr m = {
		.msg_iov = &v, .msg_iovlen = 1, .msg_control = &c, .msg_controllen = sizeof(c)
	};

	memcpy(CMSG_DATA(&c.h), &fd, sizeof(fd));
	if (sendmsg(channel, &m, 0) != 1)
		die("pass");
}

static int receive_fd(int channel)
{
	union {
		struct cmsghdr h;
		char space[CMSG_SPACE(sizeof(int))];
	} c;
	char b;
	struct iovec v = { &b, 1 };
	struct msghdr m = {
		.msg_iov = &v, .msg_iovlen = 1, .msg_control = &c, .msg_controllen = sizeof(c)
	};
	int fd;

	if (recvmsg(channel, &m, 0) != 1)
		_exit(1);
	memcpy(&fd, CMSG_DATA(&c.h), sizeof(fd));
	return fd;
}

static ssize_t out_pass(int fd, char *s, size_t n)
{
	int p[2], status;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_DGRAM, 0, p))
		die("socketpair");
	pid = fork();
	if (!pid) {
		close(fd);
		_exit(write(receive_fd(p[1]), s, n) == (ssize_t)n ? 0 : 1);
	}
	pass(p[0], fd);
	waitpid(pid, &status, 0);
	close(p[0]);
	close(p[1]);
	return status ? -1 : (ssize_t)n;
}

struct job {
	int fd;
	char *s;
	size_t n;
};

static void *write_job(void *arg)
{
	struct job *j = arg;

	return write(j->fd, j->s, j->n) == (ssize_t)j->n ? NULL : j;
}

static ssize_t out_thread(int fd, char *s, size_t n)
{
	struct job j = { fd, s, n };
	pthread_t t;
	void *r;

	if (pthread_create(&t, NULL, write_job, &j) || pthread_join(t, &r))
		die("thread");
	return r ? -1 : (ssize_t)n;
}

static const struct how hows[] = {
	{ "plain", out_plain, in_plain },    { "vector", out_vector, in_vector },
	{ "send", out_send, in_send },       { "msg", out_msg, in_msg },
	{ "mmsg", out_mmsg, in_mmsg },       { "sendfile", out_sendfile, in_plain },
	{ "splice", out_splice, in_splice }, { "uring", out_uring, in_uring },
	{ "peek", out_send, in_peek },       { "nonblock", out_send, in_nonblock },
	{ "dup", out_dup, in_plain },        { "fork", out_fork, in_plain },
	{ "pass", out_pass, in_plain },      { "thread", out_thread, in_plain },
	{ "reuse", out_plain, in_plain },
};

static int connect_to(int port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof(a)))
		die("connect");
	return fd;
}

/* The answer is small; it is complete when its body "small\n" has come. */
static void one(const struct how *h, int fd, int i)
{
	char s[4096];
	size_t n = (size_t)sprintf(s, "GET /small?%s=%d HTTP/1.1\r\nHost: localhost\r\n\r\n",
	                           h->name, i),
	       got = 0;
	ssize_t r;

	if (h->out(fd, s, n) != (ssize_t)n)
		die("send");
	memset(s, 0, sizeof(s));
	while (!strstr(s, "\r\n\r\nsmall\n")) {
		r = h->in(fd, s + got, sizeof(s) - 1 - got);
		if (r <= 0)
			die("receive");
		got += (size_t)r;
	}
}

int main(int argc, char **argv)
{
	if (argc != 4)
		return fprintf(stderr, "usage: calls PORT HOW REQUESTS\n"), 2;
	for (size_t k = 0; k < sizeof(hows) / sizeof(*hows); k++) {
		if (strcmp(hows[k].name, argv[2]))
			continue;
		int fd = connect_to(atoi(argv[1]));

		for (int i = 0; i < atoi(argv[3]); i++) {
			if (i && !strcmp(argv[2], "reuse")) {
				close(fd);
				fd = connect_to(atoi(argv[1]));
			}
			one(&hows[k], fd, i);
		}
		return 0;
	}
	return fprintf(stderr, "calls: no such way: %s\n", argv[2]), 2;
}
