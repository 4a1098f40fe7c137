/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_STORE_DICT_H
#define OBI_STORE_DICT_H

/*
 * dict - the texts of a segment, each kept once.
 *
 * A text is known by its offset, 0 is NULL. The bytes stay where they are, so
 * readers may look at what was put while more is added; the look-up table that
 * finds equal texts belongs to the writer alone.
 */

#include "base/str.h"

/* Bytes of texts: each a u32 length and that many bytes. */
struct texts {
	char *p;
	uint32_t used, size;
};

enum { DICT_LAST = 64 };

struct dict {
	struct dict_slot *slots;
	uint32_t count;
	uint32_t last[DICT_LAST]; /* offset of the newest text by column: they often repeat */
};

int dict_init(struct dict *d);   /* 0 or -ENOMEM */
void dict_reset(struct dict *d); /* for a new struct texts */
void dict_free(struct dict *d);

/* Offset of s in t, added where it is new; false where t is full. */
bool dict_put(struct dict *d, struct texts *t, unsigned int column, struct str s, uint32_t *off);

static inline struct str texts_at(const struct texts *t, uint32_t off)
{
	uint32_t len;

	if (!off)
		return STR_NULL;
	memcpy(&len, t->p + off, sizeof(len));
	return (struct str){ t->p + off + sizeof(len), len };
}

/* A fast hash of short texts, for tables in memory only. */
uint64_t dict_hash(const void *p, size_t n);

#endif
