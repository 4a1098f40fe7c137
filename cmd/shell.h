/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_CMD_SHELL_H
#define OBI_CMD_SHELL_H

/*
 * shell - statements from standard input: with a prompt and line editing on a
 * terminal, plainly elsewhere.
 */

#include "cmd/table.h"

struct shell {
	struct sqlh *sql;
	struct table_out *out;
	const struct recipes *recipes;
	bool prompt;
};

/* One or more statements. 0, or -errno; a wrong statement is said on stderr. */
int shell_statement(struct shell *s, const char *sql);
/* Until the end of the input or `.quit`. 0, or the -errno of the last statement that failed. */
int shell_run(struct shell *s, FILE *in);

#endif
