// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * sql_fuzz - any bytes as a statement, in each dialect: what comes out has
 * room, and done twice it is the same.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proto/sql.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ROOM = 512 };

static void check(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "sql_fuzz: %s\n", what);
	abort();
}

/* Each output in a block of its very size, so that the sanitizer knows its bounds. */
static void statement(struct str text, enum sql_dialect dialect, size_t room)
{
	char *once = malloc(room + 1), *twice = malloc(room + 1);
	size_t n, m;

	check(once && twice, "no memory");
	n = sql_normalise(text, dialect, once, room);
	check(n <= room, "more text than room");
	m = sql_normalise((struct str){ once, n }, dialect, twice, room);
	check(m == n && !memcmp(once, twice, n), "normalised twice is something else");
	check(sql_summary(text, dialect, once, room) <= room, "a summary longer than its room");
	sql_op(text, dialect);
	sql_traceparent(text, dialect);
	free(once);
	free(twice);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *exact;

	if (!size)
		return 0;
	exact = malloc(size);
	check(exact, "no memory");
	memcpy(exact, data + 1, size - 1);
	statement((struct str){ exact, size - 1 }, (enum sql_dialect)(data[0] % SQL_DIALECTS),
	          ROOM);
	statement((struct str){ exact, size - 1 }, (enum sql_dialect)(data[0] % SQL_DIALECTS),
	          data[0] / SQL_DIALECTS);
	free(exact);
	return 0;
}
