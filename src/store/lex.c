// SPDX-License-Identifier: GPL-3.0-or-later
/* lex - the tokens of SQL, by the rules of SQLite's tokenizer. */
#include "store/lex.h"

static bool is_word(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '_' || c == '$' || (unsigned char)c >= 0x80;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_blank(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

/* Blanks and comments; false where a comment never ends. */
static bool skip(const char **p)
{
	const char *s = *p;

	for (;;) {
		if (is_blank(*s)) {
			s++;
		} else if (s[0] == '-' && s[1] == '-') {
			s += strcspn(s, "\n");
		} else if (s[0] == '/' && s[1] == '*') {
			const char *end = strstr(s + 2, "*/");

			if (!end) {
				*p = s + strlen(s);
				return false;
			}
			s = end + 2;
		} else {
			*p = s;
			return true;
		}
	}
}

static struct token make(const char **p, const char *end, int kind)
{
	struct token t = { .kind = kind, .text = { *p, (size_t)(end - *p) } };

	*p = end;
	return t;
}

/* Doubled quotes stay doubled: names with quotes in them are none of ours. */
static struct token quoted(const char **p, char close)
{
	const char *s = *p + 1;
	struct token t;

	while (*s && (*s != close || (close != ']' && s[1] == close)))
		s += *s == close ? 2 : 1;
	if (!*s)
		return make(p, s, TOKEN_BAD);
	t = make(p, s + 1, close == '\'' ? TOKEN_STRING : TOKEN_QUOTED);
	if (t.kind == TOKEN_QUOTED)
		t.text = (struct str){ t.text.s + 1, t.text.len - 2 };
	return t;
}

static struct token number(const char **p)
{
	const char *s = *p;

	while (is_word(*s) || *s == '.' ||
	       ((*s == '+' || *s == '-') && (s[-1] | 32) == 'e' &&
	        (s[-2] == '.' || is_digit(s[-2]))))
		s++;
	return make(p, s, TOKEN_NUMBER);
}

static struct token operator(const char **p)
{
	static const char *const longer[] = { "->>", "->", "||", "<<", ">>",
		                              "<=",  ">=", "<>", "!=", "==" };

	for (size_t i = 0; i < sizeof(longer) / sizeof(longer[0]); i++)
		if (!strncmp(*p, longer[i], strlen(longer[i])))
			return make(p, *p + strlen(longer[i]), TOKEN_OP);
	return make(p, *p + 1, TOKEN_OP);
}

static struct token word(const char **p, const char *s, int kind)
{
	while (is_word(*s))
		s++;
	return make(p, s, kind);
}

struct token lex_next(const char **p)
{
	const char *s;

	if (!skip(p))
		return make(p, *p, TOKEN_BAD);
	s = *p;
	switch (*s) {
	case '\0':
		return make(p, s, TOKEN_END);
	case '\'':
	case '"':
	case '`':
		return quoted(p, *s);
	case '[':
		return quoted(p, ']');
	case '?':
	case ':':
	case '@':
	case '$':
		return word(p, s + 1, TOKEN_PARAM);
	}
	if (is_digit(*s) || (*s == '.' && is_digit(s[1])))
		return number(p);
	if (is_word(*s))
		return word(p, s, TOKEN_WORD);
	return operator(p);
}
