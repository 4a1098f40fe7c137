/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_CMD_OPTS_H
#define OBI_CMD_OPTS_H

/*
 * opts - the command line as one struct. opts.def is the list of flags; here is
 * what they mean to a command.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "span/sample.h"

enum opt_id {
#define OPT(ID, key, name, arg, cmds, group, common, help) OPT_##ID,
#include "cmd/opts.def"
#undef OPT
	OPT_MAX
};

enum opt_group {
	GROUP_TARGET,
	GROUP_CONNECTION,
	GROUP_FILTER,
	GROUP_QUERY,
	GROUP_OUTPUT,
	GROUP_RUN,
	GROUP_DEPTH,
	GROUP_GENERAL,
	GROUP_MAX
};

struct opt {
	char key;         /* 0: none */
	const char *name; /* without dashes; NULL: none */
	const char *arg;  /* NULL: a switch */
	const char *cmds; /* words; empty: not in this version */
	enum opt_group group;
	bool common;
	const char *help;
};

extern const struct opt opts[OPT_MAX];
extern const char *const opt_groups[GROUP_MAX]; /* titles */

/* "[=BYTES]": its value may be left out, and stands behind a = only. */
static inline bool opt_is_optional(const struct opt *o)
{
	return o->arg && *o->arg == '[';
}

bool opt_taken_by(const struct opt *o, const char *cmd);

/* A list of words from the command line, borrowed from argv. */
struct words {
	const char **v;
	size_t n;
};

enum form { FORM_DEFAULT, FORM_TUI, FORM_TEXT, FORM_JSON, FORM_CSV, FORM_OTLP };

struct options {
	/* targets */
	pid_t *pids;
	size_t npids;
	struct words comms, exes, cgroups, users;
	bool all, no_follow;
	char **command; /* of -- CMD ARGS; NULL: none */

	/* filters: one SQL expression over the columns of spans, NULL: none; and its parts */
	char *where;
	struct words port, local_port, remote_port, ip, side, proto, method, path, status, query,
		key, filter, route, ignore_route;
	uint64_t slower_ns, bigger_bytes;
	bool slower, bigger, errors, sampled;
	struct sampler sampler; /* where `sampled` */

	/* queries */
	const char *recipe;
	struct words defines; /* NAME=VALUE */

	/* groups */
	const char *by, *sort, *alert, *fail_if, *export;
	uint64_t top; /* 0: default */
	bool once;

	/* output */
	enum form form;
	const char *columns;
	struct words write, read, header;
	uint64_t rotate_bytes;
	unsigned int keep;
	bool split, show_secrets, no_color, ascii, no_mouse;
	const char *theme;
	const char *otlp;

	/* run */
	uint64_t duration_ns;               /* 0: until stopped */
	uint64_t interval_ns;               /* 0: default */
	uint64_t count;                     /* 0: no limit */
	uint32_t body_bytes;                /* 0: none */
	uint64_t mem_bytes;                 /* 0: default */
	uint32_t payload_bytes, ring_bytes; /* 0: default */
	bool no_payload, pipeline, fail_empty;

	/* general */
	bool quiet, verbose, version, short_help, help;
	struct words args; /* what is no flag */
	char *cmdline;     /* the whole command line, quoted for a shell */
};

/*
 * Parses argv[0..argc) (behind the command's name) for `cmd`. 0, or -EINVAL with
 * words in err (ERR_TEXT bytes): exit status 2. -h and --help win over errors
 * that follow them. options_free() in any case.
 */
int options_parse(struct options *o, const char *cmd, int argc, char **argv, char *err);
void options_free(struct options *o);

/* ---- for options_parse(): one flag with its value; cmd/args.c ---- */
int args_set(struct options *o, enum opt_id id, const char *value, char *err);
int words_add(struct words *w, const char *word); /* 0 or -ENOMEM */

#endif
