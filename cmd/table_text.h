/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_CMD_TABLE_TEXT_H
#define OBI_CMD_TABLE_TEXT_H

/*
 * table_text - rows as aligned columns. The first rows are held back to find
 * the widths; numbers stand at the right.
 */

#include <stdio.h>

#include "base/str.h"

enum { TEXT_HELD = 200, TEXT_COLUMNS = 256 };

struct table_text {
	/* settings */
	FILE *f;
	bool heads;
	int screen; /* columns to fit; 0: as wide as it comes */
	int fixed[TEXT_COLUMNS];
	/* of one result */
	int n, shown;
	char **names;
	int width[TEXT_COLUMNS];
	bool number[TEXT_COLUMNS]; /* numbers so far: right-aligned */
	char **held;               /* TEXT_HELD * n cells, escaped */
	unsigned int nheld;
	bool streaming; /* widths are decided */
};

/* A new result; 0, -E2BIG or -ENOMEM. */
int table_text_head(struct table_text *t, int n, const char *const *names);
int table_text_row(struct table_text *t, const char *const *texts, const int *lens,
                   const int *types);
void table_text_flush(struct table_text *t); /* what is held back */
void table_text_end(struct table_text *t);   /* forgets the result, keeps the settings */

/* Columns of a terminal that UTF-8 text takes; how many bytes of it fit into so many columns. */
int table_text_width(const char *utf8);
size_t table_text_fits(const char *utf8, int columns);

#endif
