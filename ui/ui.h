/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_UI_UI_H
#define OBI_UI_UI_H

/*
 * ui - the full-screen interface over one session: views of the same capture,
 * live or from recordings. Commands start it with ui_run(); it returns when the
 * user quits.
 *
 * One thread runs it: keys, timers and the work of views take turns in one loop
 * (app.c), and one place puts the frame on the terminal. Work on rows is done in
 * slices of a few milliseconds (list.h, agg.h take a budget), so no key waits for
 * a query; SQL of the user runs on a thread of its own and can be cancelled.
 * Nothing here can hold up the capture.
 */

#include "session.h"

struct ui_opts {
	struct session *session;
	/*
	 * Where `session` is NULL: makes and starts one, on a thread of its own, while
	 * the first frames say how far it is. 0 or -errno with words in err.
	 */
	int (*start)(void *ctx, struct session **out, char *err);
	const struct capture_progress *progress; /* of start(); may be NULL */
	/* Asked ten times a second; true: a signal, a time limit, the end of -- CMD. May be NULL. */
	bool (*over)(void *ctx);
	void *ctx;
	/* Where `view` is "sql": its statement, and name and value of each parameter. */
	const char *sql;
	const char *const *params;
	size_t nparams;
	const char *view;    /* name of the first one: "trace", "top", ... */
	const char *target;  /* of the header: "-p 4242 (checkout)", "run.otlp" */
	const char *filter;  /* that the command line already applied; for the explanation */
	const char *by;      /* -g */
	const char *sort;    /* -s */
	size_t top;          /* --top; 0: default */
	const char *columns; /* --columns */
	const char *alert;   /* --alert */
	const char *record;  /* file that is being recorded; NULL: none */
	char *recorded; /* 256 bytes: the file that key r records into at the end; NULL: not told */
	const char *theme;  /* dark, light, mono, cb; NULL: by the terminal */
	const char *config; /* folder of keys, colours and queries of the user; NULL: none */
	int64_t window_ns;  /* of rates; 0: 60 s */
	int interval_ms;    /* of refresh; 0: 1000 */
	pid_t pid;          /* of the target, where it is one; for hints */
	bool targets;       /* single processes are traced, which may go and come */
	bool replay;        /* rows come from recordings: now is the last event */
	bool ascii, no_color, no_mouse;
	/*
	 * Screen tests and scripts: keys from this file instead of a terminal, as
	 * typed, <Enter>, <Esc>, <F4>, <C-d>, <Wait> ... between them; the frame is
	 * `columns_n` x `lines_n` cells and only drawn where `:screen FILE` asks for it.
	 */
	const char *keys;
	int columns_n, lines_n;
};

/*
 * Until the user quits or the session must end. 0, or -errno with words in err
 * (ERR_TEXT bytes): the terminal is restored on every way out, signals included.
 */
int ui_run(const struct ui_opts *o, char *err);

#endif
