/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_UI_APP_H
#define OBI_UI_APP_H

/*
 * app - the loop of the interface, as views see it: what they ask of it. Every
 * function here is for the one thread that runs the loop.
 */

#include "ui/menu.h"
#include "ui/prompt.h"

const struct ui_opts *app_opts(const struct app *a);
struct session *app_session(struct app *a);             /* NULL while it starts */
struct store *app_store(struct app *a);                 /* likewise */
const struct session_counts *app_counts(struct app *a); /* as of the last second; never NULL */
/* Unix ns: the clock, or in a replay the last event. */
int64_t app_now(struct app *a);
bool app_paused(const struct app *a);
bool app_over(const struct app *a);      /* the capture has ended, or the recording is read */
double app_seconds(const struct app *a); /* since the start of the interface */

/*
 * The window that [ ] and w move: the same in all views. `def_ns` is its length
 * until the user has chosen one; 0 there and in *from: open, everything.
 */
void app_window(struct app *a, int64_t def_ns, int64_t *from_ns, int64_t *to_ns);
/* The window in words: "last 60 s", "all"; for status lines. */
void app_window_text(struct app *a, int64_t def_ns, struct buf *out);

/* What the view shows has changed: a new frame is due. */
void app_touch(struct app *a);
/* A line at the bottom, until the next key. */
void app_say(struct app *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void app_bell(struct app *a);
void app_copy(struct app *a, struct str text); /* into the terminal's clipboard */
/* spec->pane is set to the pane on top. */
void app_prompt(struct app *a, const struct prompt_spec *spec);
void app_menu(struct app *a, const struct menu_spec *spec);
/*
 * Opens a view on top of this one: out of it comes back here. `filter`: SQL that
 * it begins with (pane.filter), `crumb`: what the breadcrumb says of the step;
 * both copied, may be NULL. 0 or -errno with words in err.
 */
int app_open(struct app *a, const char *view, const char *filter, const char *crumb, char *err);

/* Ready queries and those of the user's folder, which :view shows; NULL: none could be read. */
const struct recipes *app_recipes(struct app *a);

/* The views there are, in the order of their numbers; NULL past the end. */
const struct view *app_view(size_t i);

/* 18204 as 18,204 */
void app_count(struct buf *out, uint64_t n);
/* A duration in ms as the lists show it: "412.7", "4.10", "0.145". */
void app_ms(struct buf *out, int64_t ns);

#endif
