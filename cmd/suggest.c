// SPDX-License-Identifier: GPL-3.0-or-later
/* suggest - "did you mean": the known words nearest to a mistyped one. */
#include "cmd/suggest.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum { LONGEST = 64 };

static unsigned int least(unsigned int a, unsigned int b)
{
	return a < b ? a : b;
}

static unsigned int equal(char a, char b)
{
	return tolower((unsigned char)a) == tolower((unsigned char)b);
}

/* Optimal string alignment, three rows of the table. */
unsigned int suggest_distance(const char *a, const char *b)
{
	unsigned int rows[3][LONGEST + 1];
	size_t na = strnlen(a, LONGEST), nb = strnlen(b, LONGEST);

	for (unsigned int j = 0; j <= nb; j++)
		rows[0][j] = j;
	for (unsigned int i = 1; i <= na; i++) {
		unsigned int *two = rows[(i + 1) % 3], *one = rows[(i + 2) % 3], *now = rows[i % 3];

		now[0] = i;
		for (unsigned int j = 1; j <= nb; j++) {
			now[j] = least(least(one[j], now[j - 1]) + 1,
			               one[j - 1] + !equal(a[i - 1], b[j - 1]));
			if (i > 1 && j > 1 && equal(a[i - 1], b[j - 2]) &&
			    equal(a[i - 2], b[j - 1]))
				now[j] = least(now[j], two[j - 2] + 1);
		}
	}
	return rows[na % 3][nb];
}

void suggest_offer(struct suggest *s, const char *known)
{
	size_t len = strlen(s->word), i;
	unsigned int cost = suggest_distance(s->word, known);

	/* what is begun right is near, however much is missing */
	if (len >= 2 && !strncmp(s->word, known, len))
		cost = 1;
	if (cost > 1 + len / 4 || cost >= strlen(known))
		return;
	for (i = s->n; i > 0 && s->cost[i - 1] > cost; i--) {
		if (i < SUGGEST_MAX) {
			s->near[i] = s->near[i - 1];
			s->cost[i] = s->cost[i - 1];
		}
	}
	if (i == SUGGEST_MAX)
		return;
	s->near[i] = known;
	s->cost[i] = cost;
	s->n += s->n < SUGGEST_MAX;
}

const char *suggest_text(const struct suggest *s, const char *prefix, char out[SUGGEST_TEXT])
{
	size_t len = 0;

	out[0] = '\0';
	for (size_t i = 0; i < s->n && len < SUGGEST_TEXT; i++)
		len += (size_t)snprintf(out + len, SUGGEST_TEXT - len, "%s%s%s",
		                        !i             ? " Did you mean "
		                        : i + 1 < s->n ? ", "
		                                       : " or ",
		                        prefix, s->near[i]);
	if (s->n && len < SUGGEST_TEXT)
		snprintf(out + len, SUGGEST_TEXT - len, "?");
	return out;
}
