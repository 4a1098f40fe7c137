/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_STORE_LEX_H
#define OBI_STORE_LEX_H

/* lex - the tokens of SQL, as far as hints and checks need them. */

#include "base/str.h"

struct token {
	enum {
		TOKEN_END,
		TOKEN_WORD,
		TOKEN_QUOTED, /* "name", [name], `name`; text without the quotes */
		TOKEN_NUMBER,
		TOKEN_STRING, /* with its quotes; blobs too */
		TOKEN_PARAM,  /* ?, ?1, :name, @name, $name */
		TOKEN_OP,
		TOKEN_BAD, /* something that never ends: a quote, a comment */
	} kind;
	struct str text;
};

/* Takes the next token from *p; comments and blanks are passed over. */
struct token lex_next(const char **p);

static inline bool token_op(struct token t, const char *z)
{
	return t.kind == TOKEN_OP && str_is(t.text, z);
}

static inline bool token_word(struct token t, const char *z)
{
	return t.kind == TOKEN_WORD && str_iis(t.text, z);
}

#endif
