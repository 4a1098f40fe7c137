/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_STORE_GROUP_H
#define OBI_STORE_GROUP_H

/*
 * group - the rows of a scan sorted by some columns of which few values differ:
 * GROUP BY and DISTINCT. Only the groups are sorted; two passes over the rows
 * do the rest.
 */

#include "store/segment.h"

enum { GROUP_COLUMNS = 4 };

struct group_column {
	unsigned int col;
	bool down; /* largest first */
};

struct group;
/* By these columns; only those for which group_can() holds. NULL on ENOMEM. */
struct group *group_new(const struct group_column *columns, unsigned int ncolumns);
void group_free(struct group *g);

/* Whether equal values of a column are equal as they are stored. */
bool group_can(enum col_type type);

/* First all rows, segment by segment, then group_sort() once, then take them. */
int group_add(struct group *g, struct segment *seg, unsigned int row);
int group_sort(struct group *g);
bool group_take(struct group *g, struct segment **seg, unsigned int *row);

#endif
