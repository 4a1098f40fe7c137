/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_PROTO_SQL_LEX_H
#define OBI_PROTO_SQL_LEX_H

/*
 * sql_lex - SQL text to tokens; for sql*.c only, everyone else uses sql.h.
 */

#include "proto/sql.h"

enum sql_kind {
	SQL_END,
	SQL_SPACE,
	SQL_COMMENT,
	SQL_WORD, /* keyword or plain name */
	SQL_NAME, /* quoted name, with its quotes */
	SQL_NUMBER,
	SQL_STRING, /* with prefix and quotes: E'', x'', $$ $$; cut: to the end of the text */
	SQL_PARAM,  /* $1, ? */
	SQL_PUNCT,  /* one character */
};

struct sql_token {
	enum sql_kind kind;
	bool spaced; /* blanks or comments stood before it */
	struct str text;
};

struct sql_lex {
	const char *p, *end, *start;
	enum sql_dialect dialect;
	bool conditional; /* inside of MySQL's comment that is run */
};

static inline struct sql_lex sql_lex_of(struct str text, enum sql_dialect dialect)
{
	const char *s = text.s ? text.s : "";

	return (struct sql_lex){ .p = s, .end = s + text.len, .start = s, .dialect = dialect };
}

/* The next token of any kind; the next that is no blank and no comment. */
struct sql_token sql_lex(struct sql_lex *l);
struct sql_token sql_next(struct sql_lex *l);

static inline bool sql_is(struct sql_token t, char punct)
{
	return t.kind == SQL_PUNCT && *t.text.s == punct;
}

static inline bool sql_word(struct sql_token t, const char *word)
{
	return t.kind == SQL_WORD && str_iis(t.text, word);
}

#endif
