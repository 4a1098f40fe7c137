// SPDX-License-Identifier: GPL-3.0-or-later
/* theme - how each role looks. */
#include "ui/theme.h"

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
