// SPDX-License-Identifier: GPL-3.0-or-later
/* obi help - what commands there are, and every flag of one. */
#include <stdio.h>
#include <string.h>

#include "cmd/usage.h"

static int help_run(const struct options *o)
{
	const char *name = o->args.n ? o->args.v[o->args.n - 1] : NULL;
	const struct cmd *c = name ? cmd_find(name) : NULL;
	struct buf b = { 0 };

	/* `obi help man trace`: the generated part of its man page, for the build */
	if (o->args.n > 2 || (o->args.n == 2 && strcmp(o->args.v[0], "man")))
		return usage_error("help", "one command at a time.");
	if (name && !c)
		return cmd_unknown(name);
	if (o->args.n == 2)
		usage_man(&b, c);
	else if (c)
		usage_full(&b, c);
	else
		usage_program(&b);
	fwrite(b.p, 1, b.len, stdout);
	buf_free(&b);
	return STATUS_OK;
}

const struct cmd cmd_help = {
	.name = "help",
	.args = "[COMMAND]",
	.brief = "what there is, and every flag of a command",
	.examples = {
		{ "obi help", "the commands" },
		{ "obi help trace", "every flag of obi trace" },
	},
	.takes_args = true,
	.run = help_run,
};
