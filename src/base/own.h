/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_BASE_OWN_H
#define OBI_BASE_OWN_H

/*
 * own - files that belong to whoever called sudo, and that nobody else reads:
 * they may hold what the traced processes said.
 */

#include "base/str.h"

/* Creates or empties the file at path, mode 0600. A descriptor or -errno. */
int own_create(const char *path);
/* The file at path, mode 0600, has this text and nothing else. 0 or -errno. */
int own_write(const char *path, struct str text);

#endif
