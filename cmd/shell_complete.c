// SPDX-License-Identifier: GPL-3.0-or-later
/* shell_complete - what may stand at the cursor: of a statement, of a dot command. */
#include "cmd/shell_complete.h"

#include <stdlib.h>

#include "cmd/shell.h"

enum { ARGS = 16 };

size_t shell_complete_word(const char *text, size_t at)
{
	if (text[strspn(text, " \t")] != '.')
		return complete_word(text, at);
	while (at && !strchr(" \t\"'", text[at - 1]))
		at--;
	return at;
}

/* ---- dot commands ---- */

static void offer_recipes(const struct shell_names *names, struct completions *l, struct str word)
{
	const struct recipe *r;

	for (size_t i = 0; names->recipes && (r = recipe_at(names->recipes, i)); i++)
		if (complete_fits(r->name, word))
			complete_offer(l, STR(""), r->name, "");
}

static void offer_params(const struct shell_names *names, struct completions *l, const char *recipe,
                         struct str word)
{
	const struct recipe *r = names->recipes ? recipe_find(names->recipes, recipe) : NULL;

	for (size_t i = 0; r && i < r->nparams; i++)
		if (complete_fits(r->params[i].name, word))
			complete_offer(l, STR(""), r->params[i].name, "=");
}

static void argument(const struct shell_names *names, char **words, size_t n, struct str word,
                     struct completions *l)
{
	static const char *const switches[] = { "on", "off" };
	const char *cmd = words[0];

	if (!strcmp(cmd, ".schema")) {
		complete_tables(l, word);
	} else if (!strcmp(cmd, ".run") && n > 1) {
		offer_params(names, l, words[1], word);
	} else if (!strcmp(cmd, ".run") || !strcmp(cmd, ".recipes")) {
		offer_recipes(names, l, word);
	} else if (!strcmp(cmd, ".mode")) {
		for (unsigned int i = 0; table_mode_name(i); i++)
			if (complete_fits(table_mode_name(i), word))
				complete_offer(l, STR(""), table_mode_name(i), "");
	} else if (!strcmp(cmd, ".headers") || !strcmp(cmd, ".timer")) {
		for (size_t i = 0; i < 2; i++)
			if (complete_fits(switches[i], word))
				complete_offer(l, STR(""), switches[i], "");
	} else {
		l->files = !strcmp(cmd, ".export") || !strcmp(cmd, ".output") ||
		           !strcmp(cmd, ".read");
	}
}

static void command(const struct shell_names *names, const char *text, size_t from, size_t at,
                    struct completions *l)
{
	struct str word = { text + from, at - from };
	char *before = strndup(text, from), *words[ARGS];
	const char *name;
	size_t n = before ? shell_words(before, words, ARGS) : 0;

	for (size_t i = 0; !n && (name = shell_dot_name(i)); i++)
		if (complete_fits(name, word))
			complete_offer(l, STR(""), name, "");
	if (n)
		argument(names, words, n, word, l);
	free(before);
}

void shell_complete_at(const struct shell_names *names, const char *text, size_t from, size_t at,
                       struct completions *out)
{
	*out = (struct completions){ 0 };
	if (text[strspn(text, " \t")] == '.')
		command(names, text, from, at, out);
	else
		complete_sql(&names->sql, text, from, at, out);
	complete_sort(out);
}
