/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_CMD_CHILD_H
#define OBI_CMD_CHILD_H

/*
 * child - a command that is traced from its first system call: it is forked,
 * waits until the probes are on, and only then becomes the command.
 */

#include <stdbool.h>
#include <sys/types.h>

struct child {
	pid_t pid;
	int gate;   /* writing end: a byte lets it run */
	int report; /* reading end: errno of an exec that failed */
	int status; /* as wait(2) gives it */
	bool over;
};

/* `user`: who runs it; NULL: the caller. `apart`: without our terminal. 0 or -errno. */
int child_start(struct child *c, char *const *argv, const char *user, bool apart);
/* Lets it run. 0, or the -errno of an exec that failed. */
int child_go(struct child *c);
/* True once it has ended; never waits. */
bool child_over(struct child *c);
/* Exit status for a shell: its own, or 128 + signal. Waits for it. */
int child_exit(struct child *c);
/* Ends a child that was never let run. */
void child_cancel(struct child *c);

#endif
