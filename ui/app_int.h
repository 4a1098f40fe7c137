/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_UI_APP_INT_H
#define OBI_UI_APP_INT_H

/* app_int - the inside of the loop, shared by app*.c; views include app.h. */

#include <pthread.h>

#include "store/agg.h"
#include "ui/app.h"
#include "ui/screen.h"

enum {
	APP_DEPTH = 12, /* views on top of each other */
	APP_VIEWS = 32, /* kinds of views */
	APP_SPARK = 12, /* points of the sparkline of the header */
	APP_BUDGET = 8, /* ms of work between two keys */
	APP_HEAD = 3,   /* lines of the header */
	APP_LEAST_W = 40,
	APP_LEAST_H = 10,
};

struct stack { /* of one number: the view and what was opened on top of it */
	struct pane *panes[APP_DEPTH];
	unsigned int n;
};

struct app {
	struct ui_opts opts;
	struct session *session;
	pthread_t starter; /* runs opts.start */
	bool starting;
	_Atomic int started; /* 0: runs, 1: done, -errno */
	struct session *made;
	char start_err[512];

	struct screen *screen;   /* NULL: by a script of keys */
	struct recipes *recipes; /* NULL: nobody has asked */
	struct grid grid;
	const struct theme *theme; /* NULL: no colour */
	struct theme own;          /* with what the user's file changes */
	struct keymap *keys;
	struct prompt prompt;
	struct menu menu;
	int help; /* page that is shown; 0: none */
	struct stack stacks[APP_VIEWS];
	unsigned int current; /* of stacks */

	struct session_counts *counts;
	struct agg_view *totals; /* of the header: everything, the last minute or the recording */
	struct agg_row total;    /* its answer, texts and all unknown */
	unsigned int npoints;    /* of its sparkline */
	double total_s;          /* seconds that it is over */
	uint64_t paused_seen;
	double rate_at, begun, cpu_before, cpu_share;
	double counts_at, ask_at, begin_at;
	int64_t first_ns, last_ns;         /* of a recording; 0: not known yet */
	int64_t window_ns, window_back_ns; /* < 0: not chosen; how far back it ends */
	bool paused, over, quit, dirty, more, mouse, targets_gone;
	char host[65];

	/* One line at the bottom; what other threads say waits in `heard`. */
	char said[512];
	pthread_mutex_t lock;
	char heard[512];
	bool has_heard;
	char screen_to[256]; /* :screen FILE: once the next frame is drawn */
	char recording[256]; /* file of r or :record; "": off */
	uint64_t recorded_before, record_lost_before; /* by files before it */
	int status;                                   /* of ui_run() */
	char *err;
};

struct pane *app_top(struct app *a);                       /* NULL: no view is open yet */
int app_show(struct app *a, unsigned int view, char *err); /* switches to a view's own stack */
void app_back(struct app *a);                              /* out of the view on top, or quit */
/* app_work.c: what goes on without keys. */
void app_tick(struct app *a);
void app_settle(struct app *a, int limit_ms); /* until views have taken up everything */
void app_config(struct app *a);               /* app_config.c: keys and colours of the user */
/* app_keys.c */
void app_key(struct app *a, const struct key *k);
/* app_draw.c */
void app_draw(struct app *a);
/* app_command.c: a line typed at `:`. 0 or -errno with words in err. */
int app_command(struct app *a, const char *line, char *err);
const char *app_command_word(struct pane *p, size_t i);
void app_command_help(size_t i, const char **usage, const char **help); /* NULL past the end */
/*
 * app_record.c: what comes from now on goes into this file too; path NULL: ends
 * that, or begins one with a name made of the time. 0 or -errno with words in err.
 */
int app_record(struct app *a, const char *path, char *err);
void app_record_sign(struct app *a, struct buf *out); /* of the header */
/* help.c */
void help_draw(struct app *a, struct rect r);
void help_key(struct app *a, enum action act);
double app_clock(void); /* CLOCK_MONOTONIC, seconds */

#endif
