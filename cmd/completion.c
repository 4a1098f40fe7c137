// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * obi completion - completion scripts for bash, zsh and fish, made from the
 * tables of commands and flags.
 */
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "cmd/cmd.h"
#include "proto/proto.h"

/* What a value can be; NULL: nothing to offer. */
static const char *values_of(const struct opt *o, struct buf *b)
{
	buf_clear(b);
	if (o == &opts[OPT_PROTO]) {
		for (enum proto_id id = 1; id < PROTO_MAX; id++)
			if (proto_by_id(id))
				buf_fmt(b, "%s%s", b->len ? " " : "", proto_by_id(id)->name);
	} else if (o == &opts[OPT_OUTPUT] || o == &opts[OPT_SIDE]) {
		for (const char *at = o->arg; *at; at++)
			buf_ch(b, *at == '|' ? ' ' : *at);
	} else {
		return NULL;
	}
	buf_ch(b, '\0');
	return b->p;
}

static bool is_file(const struct opt *o)
{
	return o->arg && (!strcmp(o->arg, "FILE") || !strcmp(o->arg, "PATH"));
}

/* The next word is its value. */
static bool takes_word(const struct opt *o)
{
	return o->arg && !opt_is_optional(o);
}

static bool offered(const struct opt *o)
{
	return o->cmds[0];
}

/* ---- bash ---- */

static void bash_flags(struct buf *b)
{
	const struct cmd *c;

	for (size_t i = 0; (c = cmd_at(i)); i++) {
		buf_fmt(b, "\t%s) words=\"", c->name);
		for (int k = 0, n = 0; k < OPT_MAX; k++) {
			if (!opt_taken_by(&opts[k], c->name))
				continue;
			if (opts[k].key)
				buf_fmt(b, "%s-%c", n++ ? " " : "", opts[k].key);
			if (opts[k].name)
				buf_fmt(b, "%s--%s", n++ ? " " : "", opts[k].name);
		}
		buf_z(b, "\" ;;\n");
	}
}

static void bash_names(struct buf *b, const struct opt *o, unsigned int *n)
{
	if (o->key)
		buf_fmt(b, "%s-%c", (*n)++ ? " | " : "", o->key);
	if (o->name)
		buf_fmt(b, "%s--%s", (*n)++ ? " | " : "", o->name);
}

static void bash_values(struct buf *b)
{
	struct buf values = { 0 };
	unsigned int n = 0;

	for (int k = 0; k < OPT_MAX; k++) {
		if (!offered(&opts[k]) || !values_of(&opts[k], &values))
			continue;
		buf_ch(b, '\t');
		bash_names(b, &opts[k], &(unsigned int){ 0 });
		buf_fmt(b, ") COMPREPLY=($(compgen -W \"%s\" -- \"$cur\")); return ;;\n", values.p);
	}
	buf_ch(b, '\t');
	for (int k = 0; k < OPT_MAX; k++)
		if (offered(&opts[k]) && is_file(&opts[k]))
			bash_names(b, &opts[k], &n);
	buf_z(b, ") COMPREPLY=($(compgen -f -- \"$cur\")); return ;;\n\t");
	n = 0;
	for (int k = 0; k < OPT_MAX; k++)
		if (offered(&opts[k]) && takes_word(&opts[k]) && !is_file(&opts[k]) &&
		    !values_of(&opts[k], &values))
			bash_names(b, &opts[k], &n);
	buf_z(b, ") return ;;\n");
	buf_free(&values);
}

static void command_names(struct buf *b)
{
	for (size_t i = 0; cmd_at(i); i++)
		buf_fmt(b, "%s%s", i ? " " : "", cmd_at(i)->name);
}

static void bash(struct buf *b)
{
	buf_z(b, "# bash completion for obi, written by `obi completion bash`\n"
	         "_obi() {\n"
	         "\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} words=\n"
	         "\tCOMPREPLY=()\n"
	         "\tif ((COMP_CWORD == 1)) || [[ ${COMP_WORDS[1]} == help ]]; then\n"
	         "\t\tCOMPREPLY=($(compgen -W \"");
	command_names(b);
	buf_z(b, "\" -- \"$cur\"))\n\t\treturn\n\tfi\n\tcase $prev in\n");
	bash_values(b);
	buf_z(b, "\tesac\n\tcase ${COMP_WORDS[1]} in\n");
	bash_flags(b);
	buf_z(b, "\tesac\n"
	         "\t[[ ${COMP_WORDS[1]} == completion && $cur != -* ]] && words=\"bash zsh fish\"\n"
	         "\tCOMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
	         "}\n"
	         "complete -F _obi obi\n");
}

/* ---- zsh ---- */

static void zsh_text(struct buf *b, const char *text)
{
	for (; *text; text++) {
		if (*text == '\'')
			buf_z(b, "'\\''");
		else if (strchr("[]:\\", *text))
			buf_fmt(b, "\\%c", *text);
		else
			buf_ch(b, *text);
	}
}

static void zsh_spec(struct buf *b, const struct opt *o, struct buf *values, const char *dashes,
                     const char *name, size_t len)
{
	buf_fmt(b, "\t\t\t'*%s%.*s[", dashes, (int)len, name);
	zsh_text(b, o->help);
	buf_ch(b, ']');
	if (takes_word(o)) {
		buf_ch(b, ':');
		zsh_text(b, o->arg);
		if (values_of(o, values))
			buf_fmt(b, ":(%s)", values->p);
		else
			buf_z(b, is_file(o) ? ":_files" : ": ");
	}
	buf_z(b, "' \\\n");
}

static void zsh_flags(struct buf *b, const struct cmd *c)
{
	struct buf values = { 0 };

	buf_fmt(b, "\t\t%s)\n\t\t_arguments \\\n", c->name);
	for (int k = 0; k < OPT_MAX; k++) {
		if (!opt_taken_by(&opts[k], c->name))
			continue;
		if (opts[k].key)
			zsh_spec(b, &opts[k], &values, "-", &opts[k].key, 1);
		if (opts[k].name)
			zsh_spec(b, &opts[k], &values, "--", opts[k].name, strlen(opts[k].name));
	}
	if (!strcmp(c->name, "completion"))
		buf_z(b, "\t\t\t'1:shell:(bash zsh fish)'\n");
	else if (!strcmp(c->name, "help"))
		buf_z(b, "\t\t\t\"1:command:(${(k)commands_of_obi})\"\n");
	else
		buf_z(b, "\t\t\t'*::'\n");
	buf_z(b, "\t\t;;\n");
	buf_free(&values);
}

static void zsh(struct buf *b)
{
	const struct cmd *c;

	buf_z(b, "#compdef obi\n"
	         "# zsh completion for obi, written by `obi completion zsh`\n"
	         "local -A commands_of_obi=(\n");
	for (size_t i = 0; (c = cmd_at(i)); i++) {
		buf_fmt(b, "\t%s '", c->name);
		zsh_text(b, c->brief);
		buf_z(b, "'\n");
	}
	buf_z(b, ")\n"
	         "if ((CURRENT == 2)); then\n"
	         "\tlocal -a lines\n"
	         "\tlocal name\n"
	         "\tfor name in ${(ko)commands_of_obi}; do\n"
	         "\t\tlines+=(\"$name:$commands_of_obi[$name]\")\n"
	         "\tdone\n"
	         "\t_describe -t commands command lines\n"
	         "else\n"
	         "\tshift words\n"
	         "\t((CURRENT--))\n"
	         "\tcase $words[1] in\n");
	for (size_t i = 0; (c = cmd_at(i)); i++)
		zsh_flags(b, c);
	buf_z(b, "\tesac\nfi\n");
}

/* ---- fish ---- */

static void fish_text(struct buf *b, const char *text)
{
	buf_ch(b, '\'');
	for (; *text; text++) {
		if (*text == '\'' || *text == '\\')
			buf_ch(b, '\\');
		buf_ch(b, *text);
	}
	buf_ch(b, '\'');
}

static void fish_flag(struct buf *b, const struct cmd *c, const struct opt *o, struct buf *values)
{
	buf_fmt(b, "complete -c obi -n '__fish_seen_subcommand_from %s'", c->name);
	if (o->key)
		buf_fmt(b, " -s %c", o->key);
	if (o->name)
		buf_fmt(b, " -l %s", o->name);
	if (values_of(o, values)) {
		buf_z(b, " -x -a ");
		fish_text(b, values->p);
	} else if (takes_word(o)) {
		buf_z(b, is_file(o) ? " -r -F" : " -x");
	}
	buf_z(b, " -d ");
	fish_text(b, o->help);
	buf_ch(b, '\n');
}

static void fish(struct buf *b)
{
	struct buf values = { 0 };
	const struct cmd *c;

	buf_z(b, "# fish completion for obi, written by `obi completion fish`\n"
	         "complete -c obi -f\n");
	for (size_t i = 0; (c = cmd_at(i)); i++) {
		buf_fmt(b, "complete -c obi -n __fish_use_subcommand -a %s -d ", c->name);
		fish_text(b, c->brief);
		buf_ch(b, '\n');
	}
	buf_z(b,
	      "complete -c obi -n '__fish_seen_subcommand_from completion' -a 'bash zsh fish'\n");
	buf_z(b, "complete -c obi -n '__fish_seen_subcommand_from help' -a '");
	command_names(b);
	buf_z(b, "'\n");
	for (size_t i = 0; (c = cmd_at(i)); i++)
		for (int k = 0; k < OPT_MAX; k++)
			if (opt_taken_by(&opts[k], c->name))
				fish_flag(b, c, &opts[k], &values);
	buf_free(&values);
}

static int completion_run(const struct options *o)
{
	static const struct {
		const char *name;
		void (*write)(struct buf *b);
	} shells[] = { { "bash", bash }, { "zsh", zsh }, { "fish", fish } };
	struct buf b = { 0 };

	for (size_t i = 0; i < 3 && o->args.n == 1; i++) {
		if (strcmp(shells[i].name, o->args.v[0]))
			continue;
		shells[i].write(&b);
		fwrite(b.p, 1, b.len, stdout);
		buf_free(&b);
		return STATUS_OK;
	}
	return usage_error("completion", "which shell? bash, zsh or fish.");
}

const struct cmd cmd_completion = {
	.name = "completion",
	.args = "bash|zsh|fish",
	.brief = "a completion script for the shell",
	.examples = {
		{ "obi completion bash", "for bash: source <(obi completion bash)" },
		{ "obi completion zsh", "for zsh: a file _obi in $fpath" },
		{ "obi completion fish", "for fish: obi completion fish | source" },
	},
	.takes_args = true,
	.run = completion_run,
};
