/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * uring - HTTP by io_uring alone, on both ends: a server and its clients.
 *
 * usage: uring PORT HOW REQUESTS
 *
 * HOW: send (send, recv), msg (sendmsg, recvmsg, three vectors), rw (read,
 * write), vec (readv, writev), fixed (registered file and buffers), provided
 * (the kernel chooses the buffer), multishot (one recv for many), async (a
 * worker does it), sqpoll (a kernel thread hands in), zc (send without copy).
 * Each of four connections asks REQUESTS times; the target of request i on
 * connection c is /HOW?c.i. Every third answer is of 20,000 bytes.
 */
#include <errno.h>
#include <liburing.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CONNS = 4, ROOM = 32768, CHUNK = 4096, CHUNKS = 64, GROUP = 1 };
enum { RECV, SEND };

struct peer {
	int fd, asked;
	size_t have, out_len, out_done;
	char in[ROOM], out[ROOM];
	struct iovec vec[2][3];
	struct msghdr msg[2];
};

static struct io_uring ring;
static struct io_uring_buf_ring *chosen;
static struct peer peers[CONNS];
static char chunks[CHUNKS][CHUNK];
static const char *how;
static int requests, client, done;

static void die(const char *what, int err)
{
	fprintf(stderr, "uring: %s: %s\n", what, strerror(err < 0 ? -err : errno));
	_exit(1);
}

static int is(const char *name)
{
	return !strcmp(how, name);
}

/* Three vectors over n bytes: short, empty, the rest. */
static struct iovec *split(struct peer *p, int dir, char *s, size_t n)
{
	struct iovec *v = p->vec[dir];
	size_t first = n > 5 ? 5 : n;

	v[0] = (struct iovec){ s, first };
	v[1] = (struct iovec){ s, 0 };
	v[2] = (struct iovec){ s + first, n - first };
	p->msg[dir] = (struct msghdr){ .msg_iov = v, .msg_iovlen = 3 };
	return v;
}

static void queue(int k, int dir)
{
	struct io_uring_sqe *e = io_uring_get_sqe(&ring);
	struct peer *p = &peers[k];
	char *s = dir == SEND ? p->out + p->out_done : p->in + p->have;
	size_t n = dir == SEND ? p->out_len - p->out_done : ROOM - p->have;
	int fd = is("fixed") ? k : p->fd, at = 2 * k + dir;

	if (is("msg")) {
		split(p, dir, s, n);
		if (dir == SEND)
			io_uring_prep_sendmsg(e, fd, &p->msg[dir], 0);
		else
			io_uring_prep_recvmsg(e, fd, &p->msg[dir], 0);
	} else if (is("vec")) {
		io_uring_prep_rw(dir == SEND ? IORING_OP_WRITEV : IORING_OP_READV, e, fd,
		                 split(p, dir, s, n), 3, 0);
	} else if (is("rw")) {
		io_uring_prep_rw(dir == SEND ? IORING_OP_WRITE : IORING_OP_READ, e, fd, s,
		                 (unsigned int)n, 0);
	} else if (is("fixed")) {
		io_uring_prep_rw(dir == SEND ? IORING_OP_WRITE_FIXED : IORING_OP_READ_FIXED, e, fd,
		                 s, (unsigned int)n, 0);
		e->buf_index = (unsigned short)at;
		e->flags |= IOSQE_FIXED_FILE;
	} else if (dir == SEND) {
		if (is("zc"))
			io_uring_prep_send_zc(e, fd, s, n, 0, 0);
		else
			io_uring_prep_send(e, fd, s, n, 0);
	} else if (is("provided") || is("multishot")) {
		if (is("multishot"))
			io_uring_prep_recv_multishot(e, fd, NULL, 0, 0);
		else
			io_uring_prep_recv(e, fd, NULL, CHUNK, 0);
		e->flags |= IOSQE_BUFFER_SELECT;
		e->buf_group = GROUP;
	} else {
		io_uring_prep_recv(e, fd, s, n, 0);
	}
	if (is("async"))
		e->flags |= IOSQE_ASYNC;
	e->user_data = (unsigned int)at;
}

static size_t body(int i)
{
	return i % 3 ? 10 : 20000;
}

static void ask(int k)
{
	struct peer *p = &peers[k];

	p->out_done = 0;
	p->out_len = (size_t)sprintf(p->out, "GET /%s?%d.%d HTTP/1.1\r\nHost: x\r\n\r\n", how, k,
	                             p->asked);
	queue(k, SEND);
}

static void answer(int k)
{
	struct peer *p = &peers[k];
	size_t n = body(p->asked++);

	p->out_done = 0;
	p->out_len = (size_t)sprintf(p->out, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n", n);
	memset(p->out + p->out_len, 'b', n);
	p->out_len += n;
	queue(k, SEND);
}

/* All bytes of a message are there. */
static int complete(const struct peer *p)
{
	const char *end = memmem(p->in, p->have, "\r\n\r\n", 4);

	return end && (!client || p->have == (size_t)(end + 4 - p->in) + body(p->asked));
}

static void on_recv(int k, int n, unsigned int flags)
{
	struct peer *p = &peers[k];

	if (n == -ENOBUFS || n == -EAGAIN || n == -EINTR) {
		queue(k, RECV);
		return;
	}
	if (n < 0)
		die("receive", n);
	if (flags & IORING_CQE_F_BUFFER) {
		unsigned int b = flags >> IORING_CQE_BUFFER_SHIFT;

		memcpy(p->in + p->have, chunks[b], (size_t)n);
		io_uring_buf_ring_add(chosen, chunks[b], CHUNK, (unsigned short)b,
		                      io_uring_buf_ring_mask(CHUNKS), 0);
		io_uring_buf_ring_advance(chosen, 1);
	}
	if (!n) {
		done++;
		return;
	}
	p->have += (size_t)n;
	if (complete(p)) {
		p->have = 0;
		if (!client)
			answer(k);
		else if (++p->asked < requests)
			ask(k);
		else if (shutdown(p->fd, SHUT_WR))
			die("shutdown", 0);
	} else if (!(flags & IORING_CQE_F_MORE)) {
		queue(k, RECV);
		return;
	}
	/* after the last answer the end of the connection is read */
	if (client && p->asked == requests && !(flags & IORING_CQE_F_MORE))
		queue(k, RECV);
	else if (is("multishot") && !(flags & IORING_CQE_F_MORE))
		queue(k, RECV);
}

static void on_send(int k, int n, unsigned int flags)
{
	struct peer *p = &peers[k];

	if (flags & IORING_CQE_F_NOTIF)
		return;
	if (n < 0)
		die("send", n);
	p->out_done += (size_t)n;
	if (p->out_done < p->out_len)
		queue(k, SEND);
	else if (!is("multishot") || (client && !p->asked))
		queue(k, RECV);
}

static void start_ring(void)
{
	struct io_uring_params params = { .flags = is("sqpoll") ? IORING_SETUP_SQPOLL : 0 };
	struct io_uring_buf_reg reg = { .ring_entries = CHUNKS, .bgid = GROUP };
	struct iovec all[2 * CONNS];
	int fds[CONNS], err = io_uring_queue_init_params(64, &ring, &params);

	if (err)
		die("io_uring_queue_init", err);
	for (int k = 0; k < CONNS; k++) {
		fds[k] = peers[k].fd;
		all[2 * k + RECV] = (struct iovec){ peers[k].in, ROOM };
		all[2 * k + SEND] = (struct iovec){ peers[k].out, ROOM };
	}
	if (is("fixed") && (io_uring_register_files(&ring, fds, CONNS) ||
	                    io_uring_register_buffers(&ring, all, 2 * CONNS)))
		die("register", 0);
	if (!is("provided") && !is("multishot"))
		return;
	if (posix_memalign((void **)&chosen, 4096, CHUNKS * sizeof(struct io_uring_buf)))
		die("memory", ENOMEM);
	reg.ring_addr = (unsigned long)chosen;
	err = io_uring_register_buf_ring(&ring, &reg, 0);
	if (err)
		die("io_uring_register_buf_ring", err);
	io_uring_buf_ring_init(chosen);
	for (int i = 0; i < CHUNKS; i++)
		io_uring_buf_ring_add(chosen, chunks[i], CHUNK, (unsigned short)i,
		                      io_uring_buf_ring_mask(CHUNKS), i);
	io_uring_buf_ring_advance(chosen, CHUNKS);
}

static void run(void)
{
	struct io_uring_cqe *c;

	start_ring();
	for (int k = 0; k < CONNS; k++) {
		if (client)
			ask(k);
		else
			queue(k, RECV);
	}
	while (done < CONNS) {
		int err = io_uring_submit_and_wait(&ring, 1);
		unsigned int head, n = 0;

		if (err < 0 && err != -EINTR)
			die("io_uring_submit", err);
		io_uring_for_each_cqe(&ring, head, c)
		{
			if (c->user_data & 1)
				on_send((int)c->user_data / 2, c->res, c->flags);
			else
				on_recv((int)c->user_data / 2, c->res, c->flags);
			n++;
		}
		io_uring_cq_advance(&ring, n);
	}
	exit(0);
}

int main(int argc, char **argv)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	int one = 1, status, fd = socket(AF_INET, SOCK_STREAM, 0);

	if (argc != 4)
		return fprintf(stderr, "usage: uring PORT HOW REQUESTS\n"), 2;
	a.sin_port = htons((unsigned short)atoi(argv[1]));
	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	how = argv[2];
	requests = atoi(argv[3]);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&a, sizeof(a)) || listen(fd, CONNS))
		die("listen", 0);
	client = fork() == 0;
	for (int k = 0; k < CONNS; k++) {
		peers[k].fd = client ? socket(AF_INET, SOCK_STREAM, 0) : accept(fd, NULL, NULL);
		if (client && connect(peers[k].fd, (struct sockaddr *)&a, sizeof(a)))
			die("connect", 0);
	}
	close(fd);
	if (client)
		run();
	if (fork() == 0)
		run();
	for (int k = 0; k < CONNS; k++)
		close(peers[k].fd);
	while (wait(&status) > 0)
		if (status)
			return 1;
	return 0;
}
