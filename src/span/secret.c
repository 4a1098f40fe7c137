// SPDX-License-Identifier: GPL-3.0-or-later
/* secret - names that mark a credential. */
#include "span/secret.h"

/* Parts of names that mark a credential; lower case. */
static const char *const secret_names[] = {
	"password", "passwd",     "pwd",        "secret",      "token",       "api_key",
	"apikey",   "api-key",    "auth",       "session",     "signature",   "sig",
	"cookie",   "credential", "access_key", "accesskeyid", "private_key", "jwt",
};

/* Does s go on with the word? */
static bool begins_fold(struct str s, const char *word)
{
	size_t i = 0;

	while (word[i] && i < s.len && str_lower(s.s[i]) == word[i])
		i++;
	return !word[i];
}

#define LETTER(c) (1u << ((c) - 'a'))

/* For every attribute of every row: three letters, as above, decide nearly always. */
bool secret_name(struct str name)
{
	static const struct {
		uint32_t second, third;
	} behind[32] = {
		/* the first letter */
		['a' - 'a'] = { LETTER('c') | LETTER('p') | LETTER('u'),
		                LETTER('c') | LETTER('i') | LETTER('t') },
		['c' - 'a'] = { LETTER('o') | LETTER('r'), LETTER('o') | LETTER('e') },
		['j' - 'a'] = { LETTER('w'), LETTER('t') },
		['p' - 'a'] = { LETTER('a') | LETTER('r') | LETTER('w'),
		                LETTER('s') | LETTER('i') | LETTER('d') },
		['s' - 'a'] = { LETTER('e') | LETTER('i'),
		                LETTER('c') | LETTER('s') | LETTER('g') },
		['t' - 'a'] = { LETTER('o'), LETTER('k') },
	};

	for (; name.len > 2; name.s++, name.len--) {
		unsigned int i = (name.s[0] - 'a') & 31; /* others than letters may pass, here */

		if (!(behind[i].second >> ((name.s[1] - 'a') & 31) & 1) ||
		    !(behind[i].third >> ((name.s[2] - 'a') & 31) & 1))
			continue;
		for (i = 0; i < sizeof(secret_names) / sizeof(*secret_names); i++)
			if (begins_fold(name, secret_names[i]) &&
			    !(begins_fold(name, "author") && !begins_fold(name, "authori")))
				return true;
	}
	return false;
}
