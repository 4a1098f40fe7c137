/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_CMD_CMD_H
#define OBI_CMD_CMD_H

/*
 * cmd - a subcommand. One file cmd/x.c ends in `const struct cmd cmd_x`, which
 * the Makefile finds; its flags are those of opts.def that name it.
 */

#include "cmd/opts.h"

/* Exit status, for scripts. With -- CMD: CMD's own, 128+N on a signal. */
enum {
	STATUS_OK = 0,
	STATUS_ERROR = 1, /* while running */
	STATUS_USAGE = 2,
	STATUS_PERMISSION = 3, /* not permitted */
	STATUS_KERNEL = 4,     /* the kernel lacks something needed */
	STATUS_TARGET = 5,     /* not found, or gone before the start */
	STATUS_EMPTY = 6,      /* nothing matched, with --fail-empty */
	STATUS_HELD = 7,       /* an EXPR of --fail-if held */
	STATUS_CMD = 125,      /* with -- CMD: obi itself failed */
};

/* A line that works as it stands, and what it does. Every one is run by a test. */
struct example {
	const char *line, *what;
};

enum { CMD_EXAMPLES = 8 };

struct cmd {
	const char *name;
	const char *args;  /* of the usage line */
	const char *brief; /* purpose, one line */
	struct example examples[CMD_EXAMPLES];
	bool takes_args;                     /* words that are no flags */
	bool takes_cmd;                      /* -- CMD ARGS */
	int (*run)(const struct options *o); /* exit status */
};

/* All of them, in the order of the help; NULL past the end. */
const struct cmd *cmd_at(size_t i);
const struct cmd *cmd_find(const char *name); /* NULL: none */

/* Says so, with what is near; one of a later version is named as such. Returns 2. */
int cmd_unknown(const char *name);

/* "obi: " and one line on stderr, and `  try: obi CMD -h` below (cmd may be NULL). Returns 2. */
int usage_error(const char *cmd, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
