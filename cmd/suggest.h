/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_CMD_SUGGEST_H
#define OBI_CMD_SUGGEST_H

/*
 * suggest - "did you mean": the known words nearest to a mistyped one.
 */

#include <stddef.h>

/* Insertions, deletions, changes and swaps of neighbours that make b of a; up to 64 characters. */
unsigned int suggest_distance(const char *a, const char *b);

/*
 * Collects words: call suggest_offer() with each known one, then
 * suggest_text(): " Did you mean X?" or " Did you mean X or Y?", "" where
 * nothing is near enough.
 */
enum { SUGGEST_MAX = 3, SUGGEST_TEXT = 160 };

struct suggest {
	const char *word;
	const char *near[SUGGEST_MAX];
	unsigned int cost[SUGGEST_MAX];
	size_t n;
};

void suggest_offer(struct suggest *s, const char *known);
const char *suggest_text(const struct suggest *s, const char *prefix, char out[SUGGEST_TEXT]);

#endif
