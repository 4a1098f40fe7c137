// SPDX-License-Identifier: GPL-3.0-or-later
/* oracle - what jansson says of a text. */
#include "tests/unit/oracle.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

static json_t *load(const char *text, size_t len)
{
	return json_loadb(text, len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
}

bool oracle_takes(const char *text, size_t len)
{
	json_t *j = load(text, len);

	json_decref(j);
	return j;
}

bool oracle_same(const char *a, size_t alen, const char *b, size_t blen)
{
	json_t *x = load(a, alen), *y = load(b, blen);
	bool same = x && y && json_equal(x, y);

	json_decref(x);
	json_decref(y);
	return same;
}

char *oracle_string(const char *text, size_t len, size_t *out_len)
{
	json_t *j = load(text, len);
	char *s = NULL;

	if (json_is_string(j)) {
		*out_len = json_string_length(j);
		s = malloc(*out_len + 1);
		memcpy(s, json_string_value(j), *out_len + 1);
	}
	json_decref(j);
	return s;
}
