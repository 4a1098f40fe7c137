/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_WRITE_COLUMNS_H
#define OBI_WRITE_COLUMNS_H

/* columns - which columns a list of spans shows: "a,b", or "+c,-d" from the default. */

#include "base/str.h"
#include "span/span.h"

enum { COLUMNS_MAX = 64 };

struct columns {
	unsigned int at[COLUMNS_MAX]; /* numbers of columns of `spans`, in order */
	unsigned int n;
};

/*
 * `def` are the default columns, `spec` what the user said (NULL: nothing). 0
 * or -EINVAL with a message in err that names the nearest column.
 */
int columns_choose(struct columns *c, const char *def, const char *spec, char *err);

#endif
