/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_CMD_SHELL_COMPLETE_H
#define OBI_CMD_SHELL_COMPLETE_H

/*
 * shell_complete - what may stand at the cursor: a table, a column of the
 * tables that the statement names, a function, a word of SQL, a recipe, a dot
 * command, a file. Pure; the caller reads keys and draws.
 */

#include "store/complete.h"
#include "store/store.h"

/* What is not known here. */
struct shell_names {
	struct complete_names sql;
	const struct recipes *recipes; /* may be NULL */
};

/* As complete_sql(), for dot commands too; sorted. complete_free() the list. */
void shell_complete_at(const struct shell_names *names, const char *text, size_t from, size_t at,
                       struct completions *out);

/* Where the word that ends at `at` begins: "s.dur", ".sch", "/tmp/x". */
size_t shell_complete_word(const char *text, size_t at);

#endif
