// SPDX-License-Identifier: GPL-3.0-or-later
/* rank_columns - which columns of figures, as a person names them. */
#include <errno.h>

#include "base/err.h"
#include "store/rank.h"

static bool is_group(const char *const *by, struct str name)
{
	for (unsigned int i = 0; i < AGG_BY && by[i]; i++)
		if (str_is(name, by[i]))
			return true;
	return false;
}

static unsigned int place_of(const struct rank_columns *c, enum rank_col col)
{
	unsigned int i = 0;

	while (i < c->n && c->col[i] != col)
		i++;
	return i;
}

static void drop(struct rank_columns *c, unsigned int at)
{
	c->n--;
	memmove(&c->col[at], &c->col[at + 1], (c->n - at) * sizeof(*c->col));
}

static int one(struct rank_columns *c, struct str name, char sign, const char *const *by, char *err)
{
	char z[RANK_NAME] = "";
	enum rank_col col;
	unsigned int at;

	if (name.len < sizeof(z))
		memcpy(z, name.s, name.len);
	col = rank_col_of(z);
	if (is_group(by, name))
		return 0; /* always there */
	if (col == RANK_COLS)
		return err_set(err, EINVAL, "no column %.*s", STR_ARG(name));
	at = place_of(c, col);
	if (sign == '-' && at < c->n)
		drop(c, at);
	else if (sign != '-' && at == c->n)
		c->col[c->n++] = col;
	return 0;
}

int rank_columns(const char *spec, const char *const *by, struct rank_columns *c, char *err)
{
	struct str rest = str_of(spec);
	bool first = true;
	int e = 0;

	while (rest.len && !e) {
		const char *comma = memchr(rest.s, ',', rest.len);
		struct str name = { rest.s, comma ? (size_t)(comma - rest.s) : rest.len };
		char sign = name.len ? *name.s : 0;

		rest.s += name.len + (comma != NULL);
		rest.len -= name.len + (comma != NULL);
		if (sign == '+' || sign == '-')
			name.s++, name.len--;
		else if (first)
			c->n = 0;
		first = false;
		e = one(c, str_trim(name), sign, by, err);
	}
	return e;
}
