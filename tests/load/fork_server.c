/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * fork_server - an HTTP server that forks a child for each connection.
 *
 * usage: fork_server PORT [CONNECTIONS]
 *
 * The child answers one request with its own pid and exits. With CONNECTIONS
 * the server makes that many requests to itself from other children, and ends:
 * for `obi trace -- fork_server PORT N`.
 */
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static struct sockaddr_in address(int port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons((unsigned short)port) };

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return a;
}

static void serve(int fd)
{
	char in[4096], body[32], out[256];
	ssize_t n = 0, r;

	while ((r = read(fd, in + n, sizeof(in) - 1 - (size_t)n)) > 0) {
		n += r;
		in[n] = 0;
		if (strstr(in, "\r\n\r\n"))
			break;
	}
	snprintf(body, sizeof(body), "%d\n", getpid());
	n = snprintf(out, sizeof(out),
	             "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n%s",
	             strlen(body), body);
	if (write(fd, out, (size_t)n) != n)
		_exit(1);
	_exit(0);
}

static int ask(int port, int i)
{
	struct sockaddr_in a = address(port);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	char s[512];
	int n = snprintf(s, sizeof(s),
	                 "GET /child?i=%d HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", i);

	if (connect(fd, (struct sockaddr *)&a, sizeof(a)) || write(fd, s, (size_t)n) != n)
		return 1;
	while (read(fd, s, sizeof(s)) > 0)
		;
	return 0;
}

int main(int argc, char **argv)
{
	int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int port = argc > 1 ? atoi(argv[1]) : 0, n = argc > 2 ? atoi(argv[2]) : -1;
	struct sockaddr_in a = address(port);

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (!port || bind(fd, (struct sockaddr *)&a, sizeof(a)) || listen(fd, 1024))
		return perror("fork_server"), 1;
	signal(SIGCHLD, SIG_IGN);
	for (int i = 0; n < 0 || i < n; i++) {
		if (n >= 0 && !fork()) {
			_exit(ask(port, i));
		}
		int c = accept(fd, NULL, NULL);

		if (c < 0)
			return perror("accept"), 1;
		if (!fork()) {
			close(fd);
			serve(c);
		}
		close(c);
	}
	while (wait(NULL) > 0)
		;
	return 0;
}
