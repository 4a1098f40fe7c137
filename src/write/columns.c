// SPDX-License-Identifier: GPL-3.0-or-later
/* columns - which columns a list of spans shows. */
#include "write/columns.h"

#include <errno.h>

#include "base/err.h"

static unsigned int least(unsigned int a, unsigned int b)
{
	return a < b ? a : b;
}

/* Edit distance of two names, for "did you mean". */
static unsigned int distance(struct str a, struct str b)
{
	unsigned int row[64];

	if (a.len >= 64 || b.len >= 64)
		return 64;
	for (unsigned int j = 0; j <= b.len; j++)
		row[j] = j;
	for (unsigned int i = 1; i <= a.len; i++) {
		unsigned int corner = row[0];

		row[0] = i;
		for (unsigned int j = 1; j <= b.len; j++) {
			unsigned int change = corner + (a.s[i - 1] != b.s[j - 1]);

			corner = row[j];
			row[j] = least(change, least(row[j], row[j - 1]) + 1);
		}
	}
	return row[b.len];
}

static int unknown_column(struct str name, char *err)
{
	const struct table_def *t = &tables[TABLE_SPANS];
	unsigned int best = 0, best_at = 64;

	for (unsigned int i = 0; i < t->ncolumns; i++) {
		unsigned int d = distance(name, str_of(t->columns[i].name));

		if (d < best_at) {
			best = i;
			best_at = d;
		}
	}
	if (best_at * 2 <= name.len + 1)
		return err_set(err, EINVAL, "no column \"%.*s\"; did you mean \"%s\"?",
		               STR_ARG(name), t->columns[best].name);
	return err_set(err, EINVAL, "no column \"%.*s\"; --columns help lists them", STR_ARG(name));
}

static void columns_remove(struct columns *c, unsigned int column)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < c->n; i++)
		if (c->at[i] != column)
			c->at[n++] = c->at[i];
	c->n = n;
}

static int one_column(struct columns *c, struct str word, char *err)
{
	bool minus = str_starts(word, "-"), plus = str_starts(word, "+");
	struct str name = { word.s + (minus || plus), word.len - (minus || plus) };
	int column = column_find(TABLE_SPANS, name);

	if (column < 0)
		return unknown_column(name, err);
	columns_remove(c, (unsigned int)column);
	if (!minus && c->n < COLUMNS_MAX)
		c->at[c->n++] = (unsigned int)column;
	return 0;
}

static int each_column(struct columns *c, const char *list, char *err)
{
	while (*list) {
		size_t n = strcspn(list, ",");
		struct str word = str_trim((struct str){ list, n });
		int e = word.len ? one_column(c, word, err) : 0;

		if (e)
			return e;
		list += n + (list[n] == ',');
	}
	return 0;
}

int columns_choose(struct columns *c, const char *def, const char *spec, char *err)
{
	int e;

	c->n = 0;
	if (!spec || *spec == '+' || *spec == '-') {
		e = each_column(c, def, err);
		if (e)
			return e;
	}
	e = spec ? each_column(c, spec, err) : 0;
	if (!e && !c->n)
		return err_set(err, EINVAL, "no columns are left to show");
	return e;
}
