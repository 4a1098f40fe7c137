/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_STORE_COMPLETE_H
#define OBI_STORE_COMPLETE_H

/*
 * complete - what may stand at the cursor of a statement: a table, a column of
 * the tables that the statement names, a function, a word of SQL. Pure; the
 * caller reads keys and draws.
 */

#include "base/str.h"

/* What is not known here. */
struct complete_names {
	const char *const *functions; /* n_functions of them */
	size_t n_functions;
};

struct completions {
	char **v; /* sorted, each once; "p95(" and "limit=" want no space behind them */
	size_t n, cap;
	bool files; /* file names are wanted: the caller knows them */
};

/*
 * `text` is the statement so far, all its lines; the cursor is at byte `at`, the
 * word to complete begins at `from` <= at. What stands behind the cursor counts
 * too: "select du| from spans" is about spans. Adds to the list, in no order.
 */
void complete_sql(const struct complete_names *names, const char *text, size_t from, size_t at,
                  struct completions *l);
/* Where the word that ends at `at` begins: "s.dur". */
size_t complete_word(const char *text, size_t at);

/* Adds before + name + behind; names that begin with `with` in any case fit. */
void complete_offer(struct completions *l, struct str before, const char *name, const char *behind);
bool complete_fits(const char *name, struct str with);
void complete_tables(struct completions *l, struct str word);
void complete_sort(struct completions *l);
void complete_free(struct completions *l);

#endif
