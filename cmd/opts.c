// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * opts - splits the command line into flags and their values.
 *
 * Own parser instead of getopt_long: flags belong to commands, a flag of a
 * later version must be refused by name, and abbreviations would break scripts
 * when a flag is added.
 */
#include "cmd/opts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/str.h"
#include "cmd/filter_expr.h"
#include "cmd/suggest.h"

const struct opt opts[OPT_MAX] = {
#define OPT(ID, key, name, arg, cmds, group, common, help) \
	[OPT_##ID] = { key, name, arg, cmds, GROUP_##group, common, help },
#include "cmd/opts.def"
#undef OPT
};

const char *const opt_groups[GROUP_MAX] = {
	[GROUP_TARGET] = "Targets",  [GROUP_CONNECTION] = "Connections", [GROUP_FILTER] = "Filters",
	[GROUP_QUERY] = "Queries",   [GROUP_OUTPUT] = "Output",          [GROUP_RUN] = "Run",
	[GROUP_DEPTH] = "More data", [GROUP_GENERAL] = "General",
};

bool opt_taken_by(const struct opt *o, const char *cmd)
{
	size_t n = strlen(cmd);

	for (const char *at = o->cmds; (at = strstr(at, cmd)); at += n)
		if ((at == o->cmds || at[-1] == ' ') && (!at[n] || at[n] == ' '))
			return true;
	return false;
}

/* ---- one flag ---- */

struct parse {
	struct options *o;
	const char *cmd;
	int argc, i;
	char **argv;
	char *err;
};

static int unknown(struct parse *p, const char *name)
{
	struct suggest s = { .word = name };
	char text[SUGGEST_TEXT];

	for (int i = 0; i < OPT_MAX; i++)
		if (opts[i].name && opt_taken_by(&opts[i], p->cmd))
			suggest_offer(&s, opts[i].name);
	return err_set(p->err, EINVAL, "unknown option --%s.%s", name,
	               suggest_text(&s, "--", text));
}

/* A flag that exists, but not here. */
static int refuse(struct parse *p, const struct opt *o)
{
	char shown[40];

	if (o->name)
		snprintf(shown, sizeof(shown), "--%s", o->name);
	else
		snprintf(shown, sizeof(shown), "-%c", o->key);
	if (!o->cmds[0])
		return err_set(p->err, EINVAL, "%s is not available in this version.", shown);
	return err_set(p->err, EINVAL, "obi %s has no option %s; these commands have it: %s.",
	               p->cmd, shown, o->cmds);
}

static int take(struct parse *p, enum opt_id id, const char *value, bool *used)
{
	const struct opt *o = &opts[id];

	if (!opt_taken_by(o, p->cmd))
		return refuse(p, o);
	*used = o->arg;
	if (!o->arg || (!value && opt_is_optional(o)))
		return args_set(p->o, id, NULL, p->err);
	if (!value) {
		if (p->i + 1 >= p->argc)
			return err_set(p->err, EINVAL, "option %s%s needs a value: %s.",
			               o->name ? "--" : "-",
			               o->name ? o->name : (char[]){ o->key, 0 }, o->arg);
		value = p->argv[++p->i];
	}
	return args_set(p->o, id, value, p->err);
}

static int long_flag(struct parse *p, const char *text)
{
	const char *value = strchr(text, '=');
	size_t len = value ? (size_t)(value - text) : strlen(text);
	char name[64];
	bool used;
	int err;

	snprintf(name, sizeof(name), "%.*s", (int)(len < 63 ? len : 63), text);
	for (int i = 0; i < OPT_MAX; i++) {
		if (!opts[i].name || strcmp(opts[i].name, name))
			continue;
		err = take(p, i, value ? value + 1 : NULL, &used);
		if (!err && value && !used)
			return err_set(p->err, EINVAL, "option --%s takes no value.", name);
		return err;
	}
	return unknown(p, name);
}

static int find_key(char key, const char *cmd)
{
	int found = -1;

	for (int i = 0; i < OPT_MAX; i++)
		if (opts[i].key == key && (found < 0 || opt_taken_by(&opts[i], cmd)))
			found = i;
	return found;
}

/* -qv, -p42, -p 42 */
static int short_flags(struct parse *p, const char *text)
{
	for (; *text; text++) {
		int id = find_key(*text, p->cmd);
		bool used = false;
		int err;

		if (id < 0)
			return err_set(p->err, EINVAL, "unknown option -%c.", *text);
		err = take(p, id, text[1] ? text + 1 : NULL, &used);
		if (err || used)
			return err;
	}
	return 0;
}

/* ---- the whole line ---- */

/* As it could be typed again. */
static void quoted(struct buf *b, const char *word)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				    "%+,-./:=@_";

	if (*word && word[strspn(word, plain)] == '\0') {
		buf_z(b, word);
		return;
	}
	buf_ch(b, '\'');
	for (; *word; word++) {
		if (*word == '\'')
			buf_z(b, "'\\''");
		else
			buf_ch(b, *word);
	}
	buf_ch(b, '\'');
}

static char *line_of(const char *cmd, int argc, char **argv)
{
	struct buf b = { 0 };

	buf_fmt(&b, "obi %s", cmd);
	for (int i = 0; i < argc; i++) {
		buf_ch(&b, ' ');
		quoted(&b, argv[i]);
	}
	buf_ch(&b, '\0');
	if (b.failed) {
		buf_free(&b);
		return NULL;
	}
	return b.p;
}

static int word(struct parse *p, char *text)
{
	if (text[0] == '-' && text[1] == '-')
		return long_flag(p, text + 2);
	if (text[0] == '-' && text[1])
		return short_flags(p, text + 1);
	return words_add(&p->o->args, text);
}

int options_parse(struct options *o, const char *cmd, int argc, char **argv, char *err)
{
	struct parse p = { .o = o, .cmd = cmd, .argc = argc, .argv = argv, .err = err };
	int e = 0;

	*o = (struct options){ .cmdline = line_of(cmd, argc, argv) };
	for (; p.i < argc && !e; p.i++) {
		if (!strcmp(argv[p.i], "--")) {
			o->command = argv[p.i + 1] ? argv + p.i + 1 : NULL;
			if (!o->command)
				e = err_set(err, EINVAL, "no command after --.");
			break;
		}
		e = word(&p, argv[p.i]);
		if (!e && (o->help || o->short_help || o->version))
			return 0;
	}
	if (!e && o->form == FORM_TUI && strcmp(cmd, "trace") != 0 && strcmp(cmd, "top") != 0)
		e = err_set(err, EINVAL,
		            "obi %s has no interface of its own: -o tui is for trace and top.",
		            cmd);
	return e ? e : filter_expr(o, &o->where, err);
}

void options_free(struct options *o)
{
	struct words *const lists[] = {
		&o->comms, &o->exes,   &o->cgroups, &o->users,        &o->defines,     &o->write,
		&o->read,  &o->args,   &o->port,    &o->local_port,   &o->remote_port, &o->ip,
		&o->side,  &o->proto,  &o->method,  &o->path,         &o->status,      &o->query,
		&o->key,   &o->filter, &o->route,   &o->ignore_route, &o->header,
	};

	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		free(lists[i]->v);
	free(o->pids);
	free(o->where);
	free(o->cmdline);
	*o = (struct options){ 0 };
}
