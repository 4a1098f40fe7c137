/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_CMD_SHELL_COMPLETE_H
#define OBI_CMD_SHELL_COMPLETE_H

/*
 * shell_complete - what may stand at the cursor: a table, a column of the
 * tables that the statement names, a function, a word of SQL, a recipe, a dot
 * command, a file. Pure; the caller reads keys and draws.
 */

#include "store/store.h"

/* What is not known here. */
struct shell_names {
	const char *const *functions; /* n_functions of them */
	size_t n_functions;
	const struct recipes *recipes; /* may be NULL */
};

struct shell_completions {
	char **v; /* sorted, each once; "p95(" and "limit=" want no space behind them */
	size_t n, cap;
	bool files; /* file names are wanted: the caller knows them */
};

/*
 * `text` is the statement so far, all its lines; the cursor is at byte `at`, the
 * word to complete begins at `from` <= at. What stands behind the cursor counts
 * too: "select du| from spans" is about spans. shell_complete_free() the list.
 */
void shell_complete_at(const struct shell_names *names, const char *text, size_t from, size_t at,
                       struct shell_completions *out);
void shell_complete_free(struct shell_completions *l);

/* Where the word that ends at `at` begins: "s.dur", ".sch", "/tmp/x". */
size_t shell_complete_word(const char *text, size_t at);

#endif
