/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_STORE_PLAN_H
#define OBI_STORE_PLAN_H

/*
 * plan - which parts of a WHERE and an ORDER BY a scan does itself, and the
 * terms of the scan made from the values. SQLite checks every row again, so a
 * plan may be too wide but never too narrow.
 */

#include <sqlite3.h>

#include "store/scan.h"

/* xBestIndex over a table of n rows. */
int plan_choose(const struct layout *l, uint64_t n, sqlite3_index_info *info);

/*
 * xFilter: terms, order and index of s from what plan_choose() wrote down. An
 * SQLite result; on SQLITE_ERROR *message (sqlite3_malloc) says why.
 */
int plan_apply(struct scan *s, int num, const char *text, int argc, sqlite3_value **argv,
               char **message);

#endif
