/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_CMD_PAGE_H
#define OBI_CMD_PAGE_H

/*
 * page - text on a terminal that does not run past the screen: longer text goes
 * through $PAGER, and where there is none stops at each screenful for a key.
 */

#include <stdbool.h>
#include <stddef.h>

struct page_size {
	int columns, rows;
};

/* Of the terminal on standard output; 80x24 where it does not say. */
struct page_size page_size(void);

/*
 * Text to standard output. `ended` is asked while it waits for a key: true ends
 * it (Ctrl-C). Lines wider than the screen count for as many as they take.
 */
void page_show(const char *text, size_t len, bool (*ended)(void));

/* Only as many lines as fit, less `keep`; says how many were left out. */
void page_head(const char *text, size_t len, int keep);

#endif
