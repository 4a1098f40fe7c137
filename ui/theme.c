// SPDX-License-Identifier: GPL-3.0-or-later
/* theme - how each role looks. */
#include "ui/theme.h"

#include <errno.h>

#include "base/err.h"

enum { BLACK, RED, GREEN, YELLOW, BLUE, MAGENTA, CYAN, WHITE, NONE = COLOUR_DEFAULT };

/* What is told by colour is told by a sign or a word too: mono loses nothing. */
static const struct theme themes[] = {
	{ "dark",
	  {
		  [ROLE_TEXT] = { .fg = NONE, .bg = NONE },
		  [ROLE_DIM] = { .fg = CYAN, .bg = NONE },
		  [ROLE_HEAD] = { .fg = NONE, .bg = NONE, .bold = true, .underline = true },
		  [ROLE_BAR] = { .fg = NONE, .bg = NONE },
		  [ROLE_KEY] = { .fg = BLACK, .bg = CYAN },
		  [ROLE_CURSOR] = { .fg = NONE, .bg = NONE, .reverse = true },
		  [ROLE_MARK] = { .fg = YELLOW, .bg = NONE, .bold = true },
		  [ROLE_MATCH] = { .fg = BLACK, .bg = YELLOW },
		  [ROLE_GOOD] = { .fg = GREEN, .bg = NONE },
		  [ROLE_WARN] = { .fg = YELLOW, .bg = NONE },
		  [ROLE_BAD] = { .fg = RED, .bg = NONE, .bold = true },
		  [ROLE_CHART] = { .fg = GREEN, .bg = NONE },
		  [ROLE_PROMPT] = { .fg = NONE, .bg = NONE, .bold = true },
	  } },
	{ "light",
	  {
		  [ROLE_TEXT] = { .fg = NONE, .bg = NONE },
		  [ROLE_DIM] = { .fg = BLUE, .bg = NONE },
		  [ROLE_HEAD] = { .fg = NONE, .bg = NONE, .bold = true, .underline = true },
		  [ROLE_BAR] = { .fg = NONE, .bg = NONE },
		  [ROLE_KEY] = { .fg = WHITE, .bg = BLUE, .bold = true },
		  [ROLE_CURSOR] = { .fg = NONE, .bg = NONE, .reverse = true },
		  [ROLE_MARK] = { .fg = MAGENTA, .bg = NONE, .bold = true },
		  [ROLE_MATCH] = { .fg = BLACK, .bg = YELLOW },
		  [ROLE_GOOD] = { .fg = BLUE, .bg = NONE },
		  [ROLE_WARN] = { .fg = MAGENTA, .bg = NONE },
		  [ROLE_BAD] = { .fg = RED, .bg = NONE, .bold = true },
		  [ROLE_CHART] = { .fg = BLUE, .bg = NONE },
		  [ROLE_PROMPT] = { .fg = NONE, .bg = NONE, .bold = true },
	  } },
	{ "mono",
	  {
		  [ROLE_TEXT] = { .fg = NONE, .bg = NONE },
		  [ROLE_DIM] = { .fg = NONE, .bg = NONE },
		  [ROLE_HEAD] = { .fg = NONE, .bg = NONE, .underline = true },
		  [ROLE_BAR] = { .fg = NONE, .bg = NONE },
		  [ROLE_KEY] = { .fg = NONE, .bg = NONE, .reverse = true },
		  [ROLE_CURSOR] = { .fg = NONE, .bg = NONE, .reverse = true },
		  [ROLE_MARK] = { .fg = NONE, .bg = NONE, .bold = true },
		  [ROLE_MATCH] = { .fg = NONE, .bg = NONE, .underline = true },
		  [ROLE_GOOD] = { .fg = NONE, .bg = NONE },
		  [ROLE_WARN] = { .fg = NONE, .bg = NONE, .bold = true },
		  [ROLE_BAD] = { .fg = NONE, .bg = NONE, .bold = true },
		  [ROLE_CHART] = { .fg = NONE, .bg = NONE },
		  [ROLE_PROMPT] = { .fg = NONE, .bg = NONE, .bold = true },
	  } },
	{ "cb",
	  {
		  [ROLE_TEXT] = { .fg = NONE, .bg = NONE },
		  [ROLE_DIM] = { .fg = NONE, .bg = NONE },
		  [ROLE_HEAD] = { .fg = NONE, .bg = NONE, .bold = true, .underline = true },
		  [ROLE_BAR] = { .fg = NONE, .bg = NONE },
		  [ROLE_KEY] = { .fg = WHITE, .bg = BLUE, .bold = true },
		  [ROLE_CURSOR] = { .fg = NONE, .bg = NONE, .reverse = true },
		  [ROLE_MARK] = { .fg = CYAN, .bg = NONE, .bold = true },
		  [ROLE_MATCH] = { .fg = BLACK, .bg = CYAN },
		  [ROLE_GOOD] = { .fg = CYAN, .bg = NONE },
		  [ROLE_WARN] = { .fg = YELLOW, .bg = NONE },
		  [ROLE_BAD] = { .fg = YELLOW, .bg = NONE, .bold = true, .underline = true },
		  [ROLE_CHART] = { .fg = CYAN, .bg = NONE },
		  [ROLE_PROMPT] = { .fg = NONE, .bg = NONE, .bold = true },
	  } },
};

const struct theme *theme_at(size_t i)
{
	return i < sizeof(themes) / sizeof(*themes) ? &themes[i] : NULL;
}

const struct theme *theme_find(const char *name)
{
	const struct theme *t = NULL;

	for (size_t i = 0; (t = theme_at(i)) && strcmp(t->name, name) != 0; i++)
		;
	return t;
}

/* ---- the user's own ---- */

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool next_word(struct str *line, struct str *out)
{
	while (line->len && is_blank(*line->s))
		line->s++, line->len--;
	*out = str_head(*line, 0);
	while (line->len && !is_blank(*line->s))
		out->len++, line->s++, line->len--;
	return out->len > 0;
}

static enum role role_of(struct str name)
{
	static const char *const names[ROLE_MAX] = {
		[ROLE_TEXT] = "text",     [ROLE_DIM] = "dim",     [ROLE_HEAD] = "head",
		[ROLE_BAR] = "bar",       [ROLE_KEY] = "key",     [ROLE_CURSOR] = "cursor",
		[ROLE_MARK] = "mark",     [ROLE_MATCH] = "match", [ROLE_GOOD] = "good",
		[ROLE_WARN] = "warn",     [ROLE_BAD] = "bad",     [ROLE_CHART] = "chart",
		[ROLE_PROMPT] = "prompt",
	};
	int i = 0;

	while (i < ROLE_MAX && !str_is(name, names[i]))
		i++;
	return (enum role)i;
}

static bool colour_of(struct str name, short *out)
{
	static const char *const names[] = { "black",   "red",  "green", "yellow", "blue",
		                             "magenta", "cyan", "white", "default" };

	for (short i = 0; i <= 8; i++)
		if (str_is(name, names[i])) {
			*out = i == 8 ? NONE : i;
			return true;
		}
	return false;
}

static int look_of(struct str line, struct look *out, char *err)
{
	struct look l = { .fg = NONE, .bg = NONE };
	struct str w;

	while (next_word(&line, &w)) {
		if (str_is(w, "bold"))
			l.bold = true;
		else if (str_is(w, "reverse"))
			l.reverse = true;
		else if (str_is(w, "underline"))
			l.underline = true;
		else if (str_is(w, "on") ? !next_word(&line, &w) || !colour_of(w, &l.bg)
		                         : !colour_of(w, &l.fg))
			return err_set(err, EINVAL,
			               "no colour \"%.*s\"; there are black, red, green, yellow, "
			               "blue, magenta, cyan, white, default",
			               STR_ARG(w));
	}
	*out = l;
	return 0;
}

static int take_theme(struct theme *t, struct str rest, char *err)
{
	const struct theme *from;
	struct str name;

	(void)next_word(&rest, &name);
	for (size_t i = 0; (from = theme_at(i)); i++)
		if (str_is(name, from->name)) {
			*t = *from;
			return 0;
		}
	return err_set(err, EINVAL, "no theme \"%.*s\"; there are dark, light, mono, cb",
	               STR_ARG(name));
}

int theme_change(struct theme *t, const char *line, char *err)
{
	struct str rest = str_of(line), w;
	enum role role;

	if (!next_word(&rest, &w) || *w.s == '#')
		return 0;
	if (str_is(w, "theme"))
		return take_theme(t, rest, err);
	role = role_of(w);
	if (role == ROLE_MAX)
		return err_set(
			err, EINVAL,
			"nothing is called \"%.*s\"; there are theme, text, dim, head, bar, key, "
			"cursor, mark, match, good, warn, bad, chart, prompt",
			STR_ARG(w));
	return look_of(rest, &t->looks[role], err);
}
