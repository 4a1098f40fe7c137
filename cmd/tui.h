/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_CMD_TUI_H
#define OBI_CMD_TUI_H

/* tui - the interface as a command runs it: options in, exit status out. */

#include "cmd/live.h"

/* -o tui, or nothing else asked for and both ends are a terminal that can show it. */
bool tui_wanted(const struct options *o);
/* What groups are by: as given, or what fits the protocols that were asked for. */
const char *tui_by(const struct options *o);
/*
 * Instead of live_start(), live_run() and live_stop(): opens the interface with
 * this view at once and starts the capture behind it. `recorded`: a file that is
 * written meanwhile, NULL: none.
 */
int tui_run(struct live *l, const char *view, const char *recorded);

/*
 * The rows of a statement over a session that is there, to look around in;
 * returns when the user leaves. `params`: name and value of each, nparams pairs.
 * 0, or -errno with words in err (ERR_TEXT bytes).
 */
int tui_rows(struct live *l, const char *sql, const char *const *params, size_t nparams, char *err);

#endif
