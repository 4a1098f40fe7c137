/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_ENRICH_CACHEKEY_H
#define OBI_ENRICH_CACHEKEY_H

/*
 * cachekey - low-cardinality patterns of the keys of caches: "product:42" is
 * "product:{id}", and so is the key in the command that spans are grouped by.
 *
 * A key is words between : / | and the like; what an identifier is among them is
 * told as in routes. The command as it was said stays in `target`.
 */

#include "span/batch.h"

/* Rewrites row->key and row->query where the row has a key. */
void cachekey_fill(struct span *row, struct batch *b);
void cachekey_pattern(struct str key, struct buf *out);

#endif
