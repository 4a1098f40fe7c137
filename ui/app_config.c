// SPDX-License-Identifier: GPL-3.0-or-later
/* app_config - keys and colours as the user's files say. */
#include <stdio.h>

#include "base/err.h"
#include "ui/app_int.h"

/* A line that is wrong is said and skipped: the interface opens all the same. */
static void read_lines(struct app *a, const char *name,
                       int (*take)(struct app *a, const char *line, char *err))
{
	char path[4096], line[256], err[ERR_TEXT];
	FILE *f;

	if (!a->opts.config)
		return;
	snprintf(path, sizeof(path), "%s/%s", a->opts.config, name);
	f = fopen(path, "re");
	for (unsigned int n = 1; f && fgets(line, sizeof(line), f); n++) {
		line[strcspn(line, "\r\n")] = 0;
		if (take(a, line, err))
			app_say(a, "%s:%u: %s", path, n, err);
	}
	if (f)
		fclose(f);
}

static int take_key(struct app *a, const char *line, char *err)
{
	return keymap_bind(a->keys, line, err);
}

static int take_colour(struct app *a, const char *line, char *err)
{
	return theme_change(&a->own, line, err);
}

void app_config(struct app *a)
{
	read_lines(a, "keys", take_key);
	if (a->opts.no_color)
		return;
	a->own = *theme_find("dark");
	a->theme = a->opts.theme ? theme_find(a->opts.theme) : &a->own;
	if (!a->opts.theme)
		read_lines(a, "colors", take_colour);
}
