/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_CMD_LIVE_H
#define OBI_CMD_LIVE_H

/*
 * live - what the commands that run a session share: options to session, the
 * messages on stderr, signals, the command after `--`, exit status.
 */

#include <stdio.h>

#include "cmd/child.h"
#include "cmd/cmd.h"
#include "session.h"

struct live {
	const struct options *o;
	struct session_opts opts;
	struct session *session;
	struct child child;
	pid_t *pids; /* those of the options and the child's */
	bool has_child;
	bool explained;
	bool silent; /* no summary at the end */
	FILE *say;   /* where messages go: stderr, or kept while the interface has the terminal */
	char *held;  /* what was kept */
	size_t held_len;
	double started; /* CLOCK_MONOTONIC seconds */
};

/* Messages go to stderr from here on; signals are caught. */
void live_init(struct live *l, const struct options *o);
/* Adds an output. 0 or exit status, said on stderr. */
int live_output(struct live *l, const struct writer *w, const char *path, int fd, bool must);
/* From here to live_release() the interface has the terminal: messages are kept, then said. */
void live_hold(struct live *l);
void live_release(struct live *l);
/* Attaches and starts. 0 or exit status, said on stderr. */
int live_start(struct live *l);
/*
 * Waits at most wait_ms. LIVE_ENDED: the recording, the targets or -- CMD are at
 * their end; LIVE_STOPPED: a signal says so.
 */
enum live_state { LIVE_RUNS, LIVE_ENDED, LIVE_STOPPED } live_check(struct live *l, int wait_ms);
/* The capture has stopped as a signal wanted; what comes next may go on. */
void live_forget_stop(void);
/* Whether a signal, a limit of the options or the end of what is traced ends the run. */
bool live_over(struct live *l);
/* What is traced, in words: "pid 4242", "run.otlp". */
void live_target(const struct live *l, char *out, size_t cap);
/* Until the end, a signal, a limit of the options. `tick` (may be NULL) is called ten times a second. */
void live_run(struct live *l, void (*tick)(struct live *l));
/* Stops and says what is to be said; the exit status. */
int live_stop(struct live *l, const char *recorded);
void live_free(struct live *l);

/* Exit status for an -errno of session_new() or session_start(). */
int live_status(int error);

#endif
