/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_UI_ANSWER_H
#define OBI_UI_ANSWER_H

/*
 * answer - a statement that runs on a thread of its own, and the rows it gave.
 *
 * The loop asks answer_wait() for some milliseconds at a time; keys are taken
 * meanwhile, and a statement can be stopped at any time. All functions are for
 * one thread; rows may be read once the answer is finished.
 */

#include "base/arena.h"
#include "store/store.h"

enum {
	ANSWER_ROWS = 10000,     /* kept; there may be more */
	ANSWER_BYTES = 32 << 20, /* of texts */
	ANSWER_PARAMS = 16,
	ANSWER_PATIENCE = 60000, /* ms of one statement; who waits can stop it */
};

struct answer_param {
	const char *name, *value;
};

struct answer_cell {
	const char *s; /* NULL: SQL NULL */
	uint32_t len;
	bool number;
};

struct answer_rows {
	unsigned int ncols;
	const char **names;
	struct answer_cell *cells; /* n x ncols */
	size_t n;
	bool more;     /* than are kept */
	double ms;     /* it took */
	uint64_t read; /* rows of the store that were looked at */
};

struct answer;

/* All is copied. NULL with errno. */
struct answer *answer_start(struct store *s, const char *sql, const struct answer_param *params,
                            size_t nparams);
/* True: it is finished. Waits for at most `ms`. */
bool answer_wait(struct answer *a, int ms);
void answer_cancel(struct answer *a);
/* Of a finished one: 0, or -errno with words in err (ERR_TEXT bytes). */
int answer_error(const struct answer *a, char *err);
const struct answer_rows *answer_rows(const struct answer *a);
/* The place of a column; -1: there is none. */
int answer_column(const struct answer *a, const char *name);
struct str answer_text(const struct answer *a, size_t row, int column); /* STR_NULL: unknown */
double answer_seconds(const struct answer *a); /* that it has been running */
void answer_free(struct answer *a);            /* stops it where it runs */

#endif
