/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_CMD_REPORT_H
#define OBI_CMD_REPORT_H

/*
 * report - the inside of `obi report`: a recording as one HTML page.
 *
 * The page needs no other file, no script and no network; what was captured is
 * text in it, never markup. Figures come from SQL over the recording.
 */

#include "store/store.h"
#include "write/map.h"

struct report {
	struct store *store;
	struct sqlh *sql;
	struct buf html;
	int error; /* -errno of the first statement that failed */
	char err[512];
};

/*
 * A section with the rows of a statement as a table, `id` for links and tests.
 * `none`: what to say where there are no rows.
 */
void report_table(struct report *r, const char *id, const char *title, const char *note,
                  const char *none, const char *sql);
void report_section(struct report *r, const char *id, const char *title, const char *note);
/* Runs a statement for its rows; what fails is remembered. */
void report_ask(struct report *r, const char *sql, const struct sql_sink *sink);

/* report_chart.c: how durations are spread, and over time. */
void report_charts(struct report *r);

#endif
