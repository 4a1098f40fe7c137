// SPDX-License-Identifier: GPL-3.0-or-later
/* app - the one loop of the interface: keys, timers, frames; the open views. */
#include "ui/app_int.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/own.h"
#include "base/rights.h"

#define VIEW(name) extern const struct view view_##name;
#include "views.def"
#undef VIEW

static const struct view *const all_views[] = {
#define VIEW(name) &view_##name,
#include "views.def"
#undef VIEW
};

enum { NVIEWS = sizeof(all_views) / sizeof(*all_views), KEYS_AT_ONCE = 64 };

_Static_assert((int)NVIEWS <= (int)APP_VIEWS, "more kinds of views than there is room for");

const struct view *app_view(size_t i)
{
	return i < NVIEWS ? all_views[i] : NULL;
}

static int view_by_name(const char *name)
{
	for (unsigned int i = 0; i < NVIEWS; i++)
		if (!strcmp(all_views[i]->name, name))
			return (int)i;
	return -1;
}

/* ---- panes ---- */

struct pane *app_top(struct app *a)
{
	struct stack *s = &a->stacks[a->current];

	return s->n ? s->panes[s->n - 1] : NULL;
}

static void pane_free(struct pane *p)
{
	if (!p)
		return;
	if (p->state && p->view->close)
		p->view->close(p);
	free(p->state);
	free(p->filter);
	free(p->crumb);
	free(p);
}

static int push(struct app *a, unsigned int view, const char *filter, const char *crumb, char *err)
{
	struct stack *s = &a->stacks[a->current];
	struct pane *p;
	int e;

	if (s->n == APP_DEPTH)
		return err_set(err, ENOSPC, "too many views on top of each other");
	p = calloc(1, sizeof(*p));
	if (!p)
		return err_set(err, ENOMEM, "out of memory");
	p->view = all_views[view];
	p->app = a;
	p->filter = filter ? strdup(filter) : NULL;
	p->crumb = crumb ? strdup(crumb) : NULL;
	p->state = calloc(1, p->view->state_size ? p->view->state_size : 1);
	e = !p->state || (filter && !p->filter) ? err_set(err, ENOMEM, "out of memory") : 0;
	if (!e && p->view->open)
		e = p->view->open(p, err);
	if (e) {
		pane_free(p);
		return e;
	}
	s->panes[s->n++] = p;
	a->more = a->dirty = true;
	if (p->view->shown)
		p->view->shown(p);
	return 0;
}

int app_show(struct app *a, unsigned int view, char *err)
{
	unsigned int was = a->current;
	int e = 0;

	a->current = view;
	if (!a->stacks[view].n)
		e = push(a, view, NULL, NULL, err);
	if (e)
		a->current = was;
	a->more = a->dirty = true;
	return e;
}

int app_open(struct app *a, const char *view, const char *filter, const char *crumb, char *err)
{
	int i = view_by_name(view);

	if (i < 0)
		return err_set(err, ENOENT, "no view %s; :view lists them", view);
	return push(a, (unsigned int)i, filter, crumb, err);
}

void app_back(struct app *a)
{
	struct stack *s = &a->stacks[a->current];

	if (s->n > 1) {
		pane_free(s->panes[--s->n]);
		a->more = a->dirty = true;
	} else {
		a->quit = true;
	}
}

/* ---- what views ask ---- */

const struct ui_opts *app_opts(const struct app *a)
{
	return &a->opts;
}

struct session *app_session(struct app *a)
{
	return a->session;
}

struct store *app_store(struct app *a)
{
	return a->session ? session_store(a->session) : NULL;
}

const struct session_counts *app_counts(struct app *a)
{
	return a->counts;
}

bool app_paused(const struct app *a)
{
	return a->paused;
}

bool app_over(const struct app *a)
{
	return a->over;
}

double app_seconds(const struct app *a)
{
	return app_clock() - a->begun;
}

void app_touch(struct app *a)
{
	a->dirty = true;
}

void app_say(struct app *a, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(a->said, sizeof(a->said), fmt, ap);
	va_end(ap);
	a->dirty = true;
}

void app_bell(struct app *a)
{
	if (a->screen)
		screen_bell(a->screen);
}

void app_copy(struct app *a, struct str text)
{
	if (a->screen)
		screen_copy(a->screen, text);
}

void app_prompt(struct app *a, const struct prompt_spec *spec)
{
	struct prompt_spec s = *spec;

	s.pane = app_top(a);
	prompt_open(&a->prompt, &s);
	a->dirty = true;
}

void app_menu(struct app *a, const struct menu_spec *spec)
{
	menu_open(&a->menu, spec);
	a->menu.spec.pane = app_top(a);
	a->dirty = true;
}

const struct recipes *app_recipes(struct app *a)
{
	char path[4096];

	if (a->recipes)
		return a->recipes;
	snprintf(path, sizeof(path), "%s/queries", a->opts.config ? a->opts.config : "");
	a->recipes = recipes_load(a->opts.config ? path : NULL);
	return a->recipes;
}

int64_t app_now(struct app *a)
{
	struct timespec t;

	if (a->opts.replay)
		return a->last_ns;
	clock_gettime(CLOCK_REALTIME, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

void app_window(struct app *a, int64_t def_ns, int64_t *from_ns, int64_t *to_ns)
{
	int64_t len = a->window_ns < 0 ? def_ns : a->window_ns, end = app_now(a);

	*from_ns = *to_ns = 0;
	if (len <= 0)
		return;
	if (a->window_back_ns > 0)
		*to_ns = end = end - a->window_back_ns;
	*from_ns = end - len;
}

void app_window_text(struct app *a, int64_t def_ns, struct buf *out)
{
	int64_t len = a->window_ns < 0 ? def_ns : a->window_ns;

	if (len <= 0) {
		buf_z(out, "all");
		return;
	}
	buf_z(out, a->window_back_ns ? "" : "last ");
	clock_duration(out, len);
	if (!a->window_back_ns)
		return;
	buf_z(out, " up to ");
	clock_duration(out, a->window_back_ns);
	buf_z(out, " ago");
}

void app_count(struct buf *out, uint64_t n)
{
	char digits[24];
	int len = snprintf(digits, sizeof(digits), "%llu", (unsigned long long)n);

	for (int i = 0; i < len; i++) {
		if (i && (len - i) % 3 == 0)
			buf_ch(out, ',');
		buf_ch(out, digits[i]);
	}
}

void app_ms(struct buf *out, int64_t ns)
{
	double ms = (double)ns / 1e6;

	if (ns == COL_NULL)
		buf_ch(out, '-');
	else
		buf_fmt(out, "%.*f", ms >= 10 ? 1 : ms >= 1 ? 2 : 3, ms);
}

/* ---- the loop ---- */

static void resize(struct app *a, int w, int h)
{
	if (w != a->grid.w || h != a->grid.h)
		(void)grid_resize(&a->grid, w, h);
	a->dirty = true;
}

/* What other threads have to say while the screen is ours. */
static void listen_to(void *ctx, enum level level, const char *text)
{
	struct app *a = ctx;

	if (level == LEVEL_DEBUG)
		return;
	pthread_mutex_lock(&a->lock);
	snprintf(a->heard, sizeof(a->heard), "%s", text);
	a->has_heard = true;
	pthread_mutex_unlock(&a->lock);
}

static void frame(struct app *a)
{
	if (!a->dirty)
		return;
	app_draw(a);
	a->dirty = false;
}

static int on_terminal(struct app *a)
{
	struct key k;
	int e = 0, w, h;

	while (!a->quit && e >= 0) {
		app_tick(a);
		frame(a);
		e = screen_key(a->screen, a->more ? 0 : 100, &k);
		for (int n = 0; e > 0 && !a->quit && n < KEYS_AT_ONCE; n++) {
			if (!strcmp(k.name, "<Resize>")) {
				screen_size(a->screen, &w, &h);
				resize(a, w, h);
				screen_redraw(a->screen);
			} else {
				app_key(a, &k);
			}
			e = screen_key(a->screen, 0, &k);
		}
	}
	return e == -EIO ? 0 : e < 0 ? e : 0; /* a terminal that is gone is a way to quit */
}

/* <Wait>: all there is has been read and taken up; <Wait 500>: so many ms of a live capture. */
static void wait_for(struct app *a, int ms)
{
	double end = app_clock() + (ms ? ms / 1e3 : 300);
	struct timespec nap = { .tv_nsec = 5000000 };

	while (!a->quit && app_clock() < end && (ms || !a->over)) {
		app_settle(a, 100);
		nanosleep(&nap, NULL);
	}
	app_settle(a, 30000);
}

static int by_script(struct app *a)
{
	int fd = open(a->opts.keys, O_RDONLY | O_CLOEXEC);
	struct buf script = { 0 };
	struct str rest;
	struct key k;
	ssize_t n = 0;

	buf_ch(&script, '\n');
	do {
		char *room = buf_room(&script, 65536);

		n = room && fd >= 0 ? read(fd, room, 65536) : -1;
		script.len += n > 0 ? (size_t)n : 0;
	} while (n > 0);
	if (fd >= 0)
		close(fd);
	if (n < 0) {
		buf_free(&script);
		return err_set(a->err, errno, "cannot read %s: %s", a->opts.keys, strerror(errno));
	}
	rest = buf_slice(&script);
	app_settle(a, 30000);
	while (!a->quit && key_next(&rest, &k)) {
		if (!strcmp(k.name, "<Wait>"))
			wait_for(a, k.x);
		else if (!strcmp(k.name, "<Resize>"))
			resize(a, k.x, k.y);
		else
			app_key(a, &k);
		app_settle(a, 30000);
		app_draw(a);
	}
	buf_free(&script);
	return 0;
}

static void *start(void *arg)
{
	struct app *a = arg;
	int e = a->opts.start(a->opts.ctx, &a->made, a->start_err);

	a->started = e ? e : 1;
	return NULL;
}

static int begin(struct app *a)
{
	int view = view_by_name(a->opts.view);

	if (view < 0)
		return err_set(a->err, ENOENT, "no view %s", a->opts.view);
	a->current = (unsigned int)view;
	if (a->session)
		return app_show(a, a->current, a->err);
	a->starting = true;
	if (pthread_create(&a->starter, NULL, start, a)) {
		a->starting = false;
		return err_set(a->err, EAGAIN, "cannot start a thread");
	}
	(void)rights_drop(true); /* of this thread: the starter still has what attaching needs */
	return 0;
}

static int open_screen(struct app *a, char *err)
{
	struct screen_opts so = { .theme = a->theme, .mouse = a->mouse };
	int w = a->opts.columns_n, h = a->opts.lines_n;

	a->grid.ascii = a->opts.ascii || !screen_utf8();
	if (!a->opts.keys) {
		a->screen = screen_open(&so, err);
		if (!a->screen)
			return -ENOTTY;
		screen_size(a->screen, &w, &h);
	}
	resize(a, w ? w : 80, h ? h : 24);
	return a->grid.cells ? 0 : -ENOMEM;
}

static void finish(struct app *a)
{
	/* Who starts it must have ended before what it works on goes. */
	if (a->starting)
		pthread_join(a->starter, NULL);
	for (unsigned int i = 0; i < APP_VIEWS; i++)
		while (a->stacks[i].n)
			pane_free(a->stacks[i].panes[--a->stacks[i].n]);
	agg_view_free(a->totals);
	screen_close(a->screen);
	grid_free(&a->grid);
	recipes_free(a->recipes);
	keymap_free(a->keys);
	free(a->counts);
	pthread_mutex_destroy(&a->lock);
	free(a);
}

int ui_run(const struct ui_opts *o, char *err)
{
	struct app *a = calloc(1, sizeof(*a));
	int e;

	if (!a)
		return err_set(err, ENOMEM, "out of memory");
	a->opts = *o;
	if (!a->opts.view)
		a->opts.view = "trace";
	a->err = err;
	a->session = o->session;
	a->window_ns = o->window_ns ? o->window_ns : -1;
	a->mouse = !o->no_mouse;
	a->opts.interval_ms = o->interval_ms ? o->interval_ms : 1000;
	a->begun = a->rate_at = app_clock();
	a->keys = keymap_new();
	a->counts = calloc(1, sizeof(*a->counts));
	pthread_mutex_init(&a->lock, NULL);
	gethostname(a->host, sizeof(a->host) - 1);
	if (a->keys && a->counts)
		app_config(a);
	e = a->keys && a->counts ? open_screen(a, err) : -ENOMEM;
	if (!e) {
		err_set_sink(listen_to, a);
		e = begin(a);
		if (!e)
			e = a->screen ? on_terminal(a) : by_script(a);
		e = e ? e : a->status;
		if (o->recorded)
			snprintf(o->recorded, sizeof(a->recording), "%s", a->recording);
		err_set_sink(NULL, NULL);
	}
	finish(a);
	return e;
}
