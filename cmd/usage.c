// SPDX-License-Identifier: GPL-3.0-or-later
/* usage - help texts, made from the tables of commands and flags. */
#include "cmd/usage.h"

#include <stdarg.h>
#include <stdio.h>

/* ---- lines ---- */

void usage_flag(struct buf *b, const struct opt *o)
{
	if (o->key)
		buf_fmt(b, "-%c", o->key);
	if (o->key && o->name)
		buf_z(b, ", ");
	if (o->name)
		buf_fmt(b, "--%s", o->name);
	if (o->arg)
		buf_fmt(b, "%s%s", opt_is_optional(o) ? "" : " ", o->arg);
}

/* Words up to column 79, the following lines indented. */
static void wrapped(struct buf *b, size_t indent, const char *text)
{
	size_t column = indent;

	while (*text) {
		size_t len = strcspn(text, " ");

		if (column > indent && column + 1 + len > 79) {
			buf_fmt(b, "\n%*s", (int)indent, "");
			column = indent;
		} else if (column > indent) {
			buf_ch(b, ' ');
			column++;
		}
		buf_add(b, text, len);
		column += len;
		text += len + (text[len] == ' ');
	}
	buf_ch(b, '\n');
}

/* "  left   right"; a left side that is too long gets a line of its own. */
static void two_columns(struct buf *b, size_t width, const char *left, const char *right)
{
	size_t len = strlen(left);

	if (len > width && len + strlen(right) < 75) {
		buf_fmt(b, "  %s   %s\n", left, right);
		return;
	}
	if (len > width)
		buf_fmt(b, "  %s\n  %*s  ", left, (int)width, "");
	else
		buf_fmt(b, "  %-*s  ", (int)width, left);
	wrapped(b, width + 4, right);
}

static void flag_line(struct buf *b, const struct opt *o)
{
	struct buf left = { 0 };

	if (!o->key)
		buf_z(&left, "    ");
	usage_flag(&left, o);
	buf_ch(&left, '\0');
	two_columns(b, 24, left.p, o->help);
	buf_free(&left);
}

static void head(struct buf *b, const struct cmd *c)
{
	buf_fmt(b, "obi %s - %s\n", c->name, c->brief);
	buf_fmt(b, "usage: obi %s %s\n", c->name, c->args);
}

static void examples(struct buf *b, const struct cmd *c)
{
	size_t width = 0;

	for (const struct example *e = c->examples; e->line; e++)
		if (strlen(e->line) > width)
			width = strlen(e->line);
	if (width)
		buf_ch(b, '\n');
	for (const struct example *e = c->examples; e->line; e++)
		two_columns(b, width < 42 ? width : 42, e->line, e->what);
}

/* ---- texts ---- */

void usage_program(struct buf *b)
{
	const struct cmd *c;

	buf_z(b,
	      "obi - see the requests that programs make and answer, by eBPF, without touching them\n"
	      "usage: obi COMMAND [TARGET] [FILTER] [OUTPUT] [-- CMD ARGS]\n\n");
	for (size_t i = 0; (c = cmd_at(i)); i++)
		two_columns(b, 10, c->name, c->brief);
	buf_z(b, "\n"
	         "  sudo obi trace -p 4242            the requests of a process, live\n"
	         "  sudo obi top                      what is slow or fails on the host\n"
	         "  sudo obi trace -- curl -s URL     of a command, from its first system call\n"
	         "  sudo obi trace -w run.otlp        record the whole host\n"
	         "  obi trace -r run.otlp --errors    read the recording: no privileges needed\n"
	         "  obi sql -r run.otlp --recipe red  rates, errors, durations\n"
	         "\n"
	         "obi COMMAND -h: one screen; obi COMMAND --help: every flag; man obi\n");
}

void usage_screen(struct buf *b, const struct cmd *c)
{
	head(b, c);
	examples(b, c);
	buf_ch(b, '\n');
	for (int i = 0; i < OPT_MAX; i++)
		if (opts[i].common && opt_taken_by(&opts[i], c->name))
			flag_line(b, &opts[i]);
	buf_fmt(b, "\nmore: obi %s --help, man obi-%s\n", c->name, c->name);
}

static bool has_group(const struct cmd *c, enum opt_group g)
{
	for (int i = 0; i < OPT_MAX; i++)
		if (opts[i].group == g && opt_taken_by(&opts[i], c->name))
			return true;
	return false;
}

void usage_full(struct buf *b, const struct cmd *c)
{
	head(b, c);
	examples(b, c);
	for (enum opt_group g = 0; g < GROUP_MAX; g++) {
		if (!has_group(c, g))
			continue;
		buf_fmt(b, "\n%s:\n", opt_groups[g]);
		for (int i = 0; i < OPT_MAX; i++)
			if (opts[i].group == g && opt_taken_by(&opts[i], c->name))
				flag_line(b, &opts[i]);
	}
	if (c->takes_cmd)
		buf_z(b,
		      "\n  -- CMD ARGS               run CMD and trace it from its first system call\n");
	buf_fmt(b, "\nman obi, man obi-%s\n", c->name);
}

/* ---- man pages ---- */

/* Text as roff: backslashes, hyphens that people copy, and lines that look like requests. */
static void roff(struct buf *b, const char *text)
{
	if (*text == '.' || *text == '\'')
		buf_z(b, "\\&");
	for (; *text; text++) {
		if (*text == '-')
			buf_z(b, "\\-");
		else if (*text == '\\')
			buf_z(b, "\\e");
		else if (*text == '\'')
			buf_z(b, "\\(aq");
		else if (*text == '`')
			buf_z(b, "\\(ga");
		else
			buf_ch(b, *text);
	}
}

static void roff_flag(struct buf *b, const struct opt *o)
{
	buf_z(b, ".TP\n");
	if (o->key)
		buf_fmt(b, "\\fB\\-%c\\fR", o->key);
	if (o->key && o->name)
		buf_z(b, ", ");
	if (o->name) {
		buf_z(b, "\\fB\\-\\-");
		roff(b, o->name);
		buf_z(b, "\\fR");
	}
	if (o->arg) {
		buf_z(b, opt_is_optional(o) ? "\\fI" : " \\fI");
		roff(b, o->arg);
		buf_z(b, "\\fR");
	}
	buf_ch(b, '\n');
	roff(b, o->help);
	buf_z(b, ".\n");
}

void usage_man(struct buf *b, const struct cmd *c)
{
	buf_fmt(b, ".SH SYNOPSIS\n.B obi %s\n", c->name);
	roff(b, c->args);
	buf_z(b, "\n.SH OPTIONS\n");
	for (enum opt_group g = 0; g < GROUP_MAX; g++) {
		if (!has_group(c, g))
			continue;
		buf_fmt(b, ".SS %s\n", opt_groups[g]);
		for (int i = 0; i < OPT_MAX; i++)
			if (opts[i].group == g && opt_taken_by(&opts[i], c->name))
				roff_flag(b, &opts[i]);
	}
	buf_z(b, ".SH EXAMPLES\n");
	for (const struct example *e = c->examples; e->line; e++) {
		buf_z(b, ".TP\n.B ");
		roff(b, e->line);
		buf_ch(b, '\n');
		roff(b, e->what);
		buf_z(b, ".\n");
	}
}
