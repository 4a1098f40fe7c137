// SPDX-License-Identifier: GPL-3.0-or-later
/* main - finds the command, parses its flags, and turns what happens into an exit status. */
#include <errno.h>
#include <locale.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "cmd/suggest.h"
#include "cmd/usage.h"

#define CMD(name) extern const struct cmd cmd_##name;
#include "cmds.def"
#undef CMD

static const struct cmd *const cmds[] = {
#define CMD(name) &cmd_##name,
#include "cmds.def"
#undef CMD
	NULL,
};

/* ---- the table, in the order that people look for ---- */

static const char *const order[] = { "trace",  "top",       "sql",        "report",
	                             "doctor", "protocols", "completion", "help" };
static const char *const later[] = { "net", "gpu", "genai", "logs" };

const struct cmd *cmd_find(const char *name)
{
	for (size_t i = 0; cmds[i]; i++)
		if (!strcmp(cmds[i]->name, name))
			return cmds[i];
	return NULL;
}

/* Those of order[] that exist, then the others. */
const struct cmd *cmd_at(size_t at)
{
	const size_t known = sizeof(order) / sizeof(order[0]);
	const struct cmd *c;

	for (size_t i = 0; i < known; i++) {
		c = cmd_find(order[i]);
		if (c && !at--)
			return c;
	}
	for (size_t i = 0; cmds[i]; i++) {
		bool listed = false;

		for (size_t k = 0; k < known; k++)
			listed |= !strcmp(order[k], cmds[i]->name);
		if (!listed && !at--)
			return cmds[i];
	}
	return NULL;
}

/* ---- messages ---- */

int usage_error(const char *cmd, const char *fmt, ...)
{
	va_list ap;

	fputs("obi: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fprintf(stderr, "\n  try:  obi %s%s-h\n", cmd ? cmd : "", cmd ? " " : "");
	return STATUS_USAGE;
}

int cmd_unknown(const char *name)
{
	struct suggest s = { .word = name };
	char text[SUGGEST_TEXT];

	for (size_t i = 0; i < sizeof(later) / sizeof(later[0]); i++)
		if (!strcmp(later[i], name))
			return usage_error(NULL, "obi %s is not available in this version.", name);
	for (size_t i = 0; cmds[i]; i++)
		suggest_offer(&s, cmds[i]->name);
	return usage_error(NULL, "unknown command %s.%s", name, suggest_text(&s, "", text));
}

static void print_message(void *ctx, enum level level, const char *text)
{
	const struct options *o = ctx;

	if (level == LEVEL_DEBUG ? !o->verbose : level != LEVEL_ERROR && o->quiet)
		return;
	fprintf(stderr, "obi: %s\n", text);
}

/* A reader that has gone is no error; a full disk is. */
static int end(int status)
{
	if (!fflush(stdout) && !ferror(stdout))
		return status;
	if (errno == EPIPE)
		return status;
	fprintf(stderr, "obi: cannot write to standard output: %s\n", strerror(errno));
	return status ? status : STATUS_ERROR;
}

/* ---- running ---- */

static int show(const struct cmd *c, const struct options *o)
{
	struct buf b = { 0 };

	if (o->version)
		buf_z(&b, "obi " OBI_VERSION "\n");
	else if (o->short_help)
		usage_screen(&b, c);
	else
		usage_full(&b, c);
	fwrite(b.p, 1, b.len, stdout);
	buf_free(&b);
	return STATUS_OK;
}

static int check_words(const struct cmd *c, const struct options *o)
{
	const char *word = o->args.n ? o->args.v[0] : NULL;

	if (o->command && !c->takes_cmd)
		return usage_error(c->name, "obi %s runs no command.", c->name);
	if (!word || c->takes_args)
		return STATUS_OK;
	if (word[strspn(word, "0123456789,")] == '\0')
		return usage_error(c->name, "unexpected %s. Did you mean -p %s?", word, word);
	return usage_error(c->name, "unexpected %s.", word);
}

static int run(const struct cmd *c, int argc, char **argv)
{
	struct options o;
	char err[ERR_TEXT] = "";
	int status, e = options_parse(&o, c->name, argc, argv, err);

	if (e)
		status = usage_error(c->name, "%s", err);
	else if (o.version || o.short_help || o.help)
		status = show(c, &o);
	else
		status = check_words(c, &o);
	if (!status && !e && !(o.version || o.short_help || o.help)) {
		err_set_sink(print_message, &o);
		/* tests of examples stop here */
		status = getenv("OBI_PARSE_ONLY") ? STATUS_OK : c->run(&o);
		err_set_sink(NULL, NULL);
	}
	options_free(&o);
	return status;
}

/* `obi`, `obi -h`, `obi --help`, `obi -V` */
static int program(const char *flag)
{
	struct buf b = { 0 };

	if (flag && (!strcmp(flag, "-V") || !strcmp(flag, "--version")))
		buf_z(&b, "obi " OBI_VERSION "\n");
	else if (!flag || !strcmp(flag, "-h") || !strcmp(flag, "--help"))
		usage_program(&b);
	else
		return usage_error(NULL, "unknown option %s; a command comes first.", flag);
	fwrite(b.p, 1, b.len, stdout);
	buf_free(&b);
	return STATUS_OK;
}

int main(int argc, char **argv)
{
	const struct cmd *c;

	setlocale(LC_CTYPE, "");
	signal(SIGPIPE, SIG_IGN);
	if (argc < 2 || argv[1][0] == '-')
		return end(program(argc < 2 ? NULL : argv[1]));
	c = cmd_find(argv[1]);
	if (!c)
		return end(cmd_unknown(argv[1]));
	return end(run(c, argc - 2, argv + 2));
}
