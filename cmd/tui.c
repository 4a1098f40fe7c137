// SPDX-License-Identifier: GPL-3.0-or-later
/* tui - the interface as a command runs it. */
#include "cmd/tui.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "store/rank.h"
#include "ui/ui.h"

/* A recording is read whole; it may take more room than a live capture. */
static const size_t recording_bytes = (size_t)4 << 30;

bool tui_wanted(const struct options *o)
{
	const char *term = getenv("TERM");

	if (o->form != FORM_DEFAULT)
		return o->form == FORM_TUI;
	for (size_t i = 0; i < o->write.n; i++)
		if (!strcmp(o->write.v[i], "-"))
			return false;
	/* What a command of ours prints needs the terminal for itself. */
	return !o->command && isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) &&
	       !(term && !strcmp(term, "dumb"));
}

const char *tui_by(const struct options *o)
{
	struct str proto = str_of(o->proto.n == 1 ? o->proto.v[0] : NULL);
	const char *unit = proto.s ? rank_by_of(proto) : NULL;

	return o->by ? o->by : unit ? unit : "service,name";
}

struct tui {
	struct live *live;
	struct capture_progress progress;
	int status;         /* of live_start() */
	char recorded[256]; /* by key */
};

static int start(void *ctx, struct session **out, char *err)
{
	struct tui *t = ctx;

	t->status = live_start(t->live);
	*out = t->live->session;
	if (!t->status)
		return 0;
	*err = 0; /* said by live_release() */
	return -ECANCELED;
}

static bool over(void *ctx)
{
	const struct tui *t = ctx;

	return live_over(t->live);
}

/* $XDG_CONFIG_HOME/obi or ~/.config/obi; NULL: no home. */
static char *config_folder(void)
{
	const char *base = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
	char *path = NULL;

	if (base && *base)
		return asprintf(&path, "%s/obi", base) < 0 ? NULL : path;
	if (home && *home)
		return asprintf(&path, "%s/.config/obi", home) < 0 ? NULL : path;
	return NULL;
}

/* Screen tests and scripts need no terminal: a file of keys and a size. */
static void by_script(struct ui_opts *u)
{
	const char *w = getenv("COLUMNS"), *h = getenv("LINES");
	uint64_t n;

	u->keys = getenv("OBI_UI_KEYS");
	if (u->keys && !*u->keys)
		u->keys = NULL;
	u->columns_n = w && str_u64(str_of(w), &n) && n < 1000 ? (int)n : 0;
	u->lines_n = h && str_u64(str_of(h), &n) && n < 1000 ? (int)n : 0;
}

static void fill(struct ui_opts *u, struct tui *t, const char *view, const char *recorded)
{
	const struct options *o = t->live->o;
	const struct target_spec *who = &t->live->opts.capture.targets;
	const char *no_color = getenv("NO_COLOR");

	*u = (struct ui_opts){
		.start = start,
		.over = over,
		.progress = &t->progress,
		.ctx = t,
		.view = view,
		.filter = o->where,
		.columns = o->columns,
		.by = tui_by(o),
		.sort = o->sort,
		.alert = o->alert,
		.top = (size_t)o->top,
		.record = recorded,
		.recorded = t->recorded,
		.theme = o->theme,
		.interval_ms = (int)(o->interval_ns / 1000000),
		.pid = o->npids ? o->pids[0] : 0,
		.targets = !o->read.n && !who->all,
		.replay = o->read.n > 0,
		.ascii = o->ascii,
		.no_color = o->no_color || (no_color && *no_color),
		.no_mouse = o->no_mouse,
	};
	by_script(u);
}

int tui_run(struct live *l, const char *view, const char *recorded)
{
	struct tui t = { .live = l };
	char err[ERR_TEXT] = "", target[128];
	char *config = config_folder();
	struct ui_opts u;
	int e, status;

	l->opts.store = true;
	l->opts.agg = true;
	if (l->o->read.n && !l->o->mem_bytes)
		l->opts.mem_bytes = recording_bytes;
	l->opts.capture.progress = &t.progress;
	fill(&u, &t, view, recorded);
	u.config = config;
	live_target(l, target, sizeof(target));
	u.target = target;
	live_hold(l);
	e = ui_run(&u, err);
	live_release(l);
	free(config);
	status = t.status ? t.status : live_status(e);
	if (e && err[0])
		warn(LEVEL_ERROR, "%s", err);
	if (l->session && !t.status) {
		const char *file = recorded ? recorded : t.recorded[0] ? t.recorded : NULL;
		int stopped = live_stop(l, file);

		status = status ? status : stopped;
	}
	return status;
}

static bool stopped(void *ctx)
{
	return live_check(ctx, 0) == LIVE_STOPPED;
}

int tui_rows(struct live *l, const char *sql, const char *const *params, size_t nparams, char *err)
{
	struct tui t = { .live = l };
	char *config = config_folder(), target[128];
	struct ui_opts u;
	int e;

	fill(&u, &t, "sql", NULL);
	live_target(l, target, sizeof(target));
	u.target = target;
	u.config = config;
	u.session = l->session;
	u.start = NULL;
	u.progress = NULL;
	u.over = stopped;
	u.ctx = l;
	u.sql = sql;
	u.params = params;
	u.nparams = nparams;
	e = ui_run(&u, err);
	free(config);
	return e;
}
