// SPDX-License-Identifier: GPL-3.0-or-later
/* child - a command that is traced from its first system call. */
#include "cmd/child.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static bool become(const struct passwd *pw)
{
	return !pw ||
	       (!initgroups(pw->pw_name, pw->pw_gid) && !setgid(pw->pw_gid) && !setuid(pw->pw_uid));
}

/* What it prints would spoil the screen, what is typed is not for it. */
static void leave_terminal(void)
{
	int null = open("/dev/null", O_RDWR);

	for (int fd = 0; null >= 0 && fd < 3; fd++)
		if (isatty(fd))
			dup2(null, fd);
	if (null > 2)
		close(null);
}

static void run(int gate, int report, char *const *argv, const struct passwd *pw, bool apart)
{
	sigset_t none;
	char go;

	if (read(gate, &go, 1) != 1)
		_exit(125);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	if (apart)
		leave_terminal();
	if (become(pw))
		execvp(argv[0], argv);
	go = (char)errno;
	if (write(report, &go, 1) != 1)
		_exit(125);
	_exit(127);
}

int child_start(struct child *c, char *const *argv, const char *user, bool apart)
{
	const struct passwd *pw = user ? getpwnam(user) : NULL;
	int gate[2], report[2];

	if (user && !pw)
		return -ESRCH;

	if (pipe2(gate, O_CLOEXEC))
		return -errno;
	if (pipe2(report, O_CLOEXEC)) {
		close(gate[0]);
		close(gate[1]);
		return -errno;
	}
	*c = (struct child){ .pid = fork(), .gate = gate[1], .report = report[0] };
	if (!c->pid) {
		close(gate[1]);
		close(report[0]);
		run(gate[0], report[1], argv, pw, apart);
	}
	close(gate[0]);
	close(report[1]);
	if (c->pid > 0)
		return 0;
	close(gate[1]);
	close(report[0]);
	return -errno;
}

int child_go(struct child *c)
{
	char byte = 0;
	ssize_t n = write(c->gate, &byte, 1);

	close(c->gate);
	c->gate = -1;
	if (n != 1)
		return -EPIPE;
	/* The exec closes the pipe; a byte in it is why there was none. */
	do
		n = read(c->report, &byte, 1);
	while (n < 0 && errno == EINTR);
	close(c->report);
	c->report = -1;
	return n == 1 ? -byte : 0;
}

bool child_over(struct child *c)
{
	if (!c->over && c->pid > 0 && waitpid(c->pid, &c->status, WNOHANG) == c->pid)
		c->over = true;
	return c->over;
}

int child_exit(struct child *c)
{
	while (!c->over) {
		if (waitpid(c->pid, &c->status, 0) == c->pid)
			c->over = true;
		else if (errno != EINTR)
			return 125;
	}
	return WIFEXITED(c->status) ? WEXITSTATUS(c->status) : 128 + WTERMSIG(c->status);
}

void child_cancel(struct child *c)
{
	if (c->pid <= 0 || c->over)
		return;
	if (c->gate >= 0)
		close(c->gate);
	if (c->report >= 0)
		close(c->report);
	kill(c->pid, SIGKILL);
	(void)child_exit(c);
}
