/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_CMD_SUMMARY_H
#define OBI_CMD_SUMMARY_H

/* summary - what a run saw, at its end or on SIGUSR1; why nothing is shown. */

#include "session.h"

/* A few lines under 80 columns. `recorded`: name of the recording, NULL: none. */
void summary_text(struct buf *out, const struct session_counts *c, const char *recorded);
/* {"summary": {...}} in one line, with its newline. */
void summary_json(struct buf *out, const struct session_counts *c);

struct explain {
	double seconds;     /* without a row */
	const char *target; /* "pid 4242 (checkout)", "the whole host" */
	const char *filter; /* as the user gave it; NULL: none */
	const char *retry;  /* a command that shows more; NULL: none */
	pid_t pid;          /* for the hint at doctor; 0: none */
	/* On a screen: the key that clears the filter, NULL: text; the rows are more than fit it. */
	const char *filter_key;
	bool shown_in_list; /* the filter is of the list: what it hides counts as shown */
	bool over;          /* nothing more will come */
};

/* What was seen, what was hidden and by what, what was not decoded and why, what to try. */
void summary_explain(struct buf *out, const struct explain *e, const struct session_counts *c,
                     const struct probe_state *probes, size_t nprobes);

#endif
