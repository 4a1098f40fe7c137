/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_TESTS_ORACLE_H
#define OBI_TESTS_ORACLE_H

/* oracle - what jansson, another JSON library, says of a text. Its names clash with ours. */

#include <stdbool.h>
#include <stddef.h>

bool oracle_takes(const char *text, size_t len);
/* Both are JSON and mean the same. */
bool oracle_same(const char *a, size_t alen, const char *b, size_t blen);
/* The value of a text that is one string, malloced; NULL where it is none. */
char *oracle_string(const char *text, size_t len, size_t *out_len);

#endif
