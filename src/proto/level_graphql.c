// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * level_graphql - GraphQL over HTTP (its working draft of 2025): the operation's
 * type and name. The document is read inside its JSON text, escapes and all.
 */
#include "proto/level.h"

static bool is_name(char c)
{
	return (c | 0x20) >= 'a' && (c | 0x20) <= 'z' ? true : c == '_' || (c >= '0' && c <= '9');
}

static struct str from(struct str s, size_t n)
{
	return (struct str){ s.s + n, s.len - n };
}

/* Blanks, commas, comments; \n as two characters too. */
static struct str skip_blanks(struct str s)
{
	bool comment = false;

	while (s.len) {
		bool coded = s.len > 1 && *s.s == '\\' && strchr("nrt", s.s[1]) && s.s[1];

		if (coded ? s.s[1] == 'n' : *s.s == '\n')
			comment = false;
		else if (*s.s == '#')
			comment = true;
		else if (!coded && !comment && !strchr(" \t\r,", *s.s))
			break;
		s = from(s, coded ? 2 : 1);
	}
	return s;
}

static struct str word_of(struct str s)
{
	size_t n = 0;

	while (n < s.len && is_name(s.s[n]))
		n++;
	return str_head(s, n);
}

/* Behind the braces that open next; nothing where their end is missing. */
static struct str skip_braces(struct str s)
{
	unsigned int depth = 0;

	for (size_t i = 0; i < s.len; i++) {
		if (s.s[i] == '{')
			depth++;
		else if (s.s[i] == '}' && depth && !--depth)
			return from(s, i + 1);
	}
	return STR("");
}

/* The first operation of a document: its type, and its name or "". */
static struct str operation(struct str doc, struct str *name)
{
	struct str word;

	*name = STR_NULL;
	doc = skip_blanks(doc);
	while (str_is(word_of(doc), "fragment"))
		doc = skip_blanks(skip_braces(doc));
	if (doc.len && *doc.s == '{') {
		doc = skip_blanks(from(doc, 1));
		return doc.len && (is_name(*doc.s) || *doc.s == '.') ? STR("query") : STR_NULL;
	}
	word = word_of(doc);
	if (!str_is(word, "query") && !str_is(word, "mutation") && !str_is(word, "subscription"))
		return STR_NULL;
	doc = skip_blanks(from(doc, word.len));
	*name = word_of(doc);
	doc = skip_blanks(from(doc, name->len));
	return doc.len && strchr("({@", *doc.s) && *doc.s ? word : STR_NULL;
}

/* "query GetUser($id: ID!) { ..." with a name that the request may choose itself. */
static bool fill(struct str doc, struct str chosen, struct msg *out)
{
	struct str name, type = operation(doc, &name);

	if (!type.s)
		return false;
	if (chosen.len && !str_eq(chosen, name))
		name = chosen; /* the type is that of the first one: seldom do they differ */
	out->op = type;
	if (name.len)
		out->subject = name;
	msg_attr(out, ATTR_GRAPHQL_TYPE, type);
	if (name.len)
		msg_attr(out, ATTR_GRAPHQL_NAME, name);
	return true;
}

static bool graphql_body(unsigned int hints, struct str body, struct msg *out)
{
	struct json j = json_of(body), at;
	struct str doc = STR_NULL;

	if (json_next(&j) == JSON_ARR)
		json_next(&j);
	if (j.tok != JSON_OBJ)
		return false;
	at = j;
	if (level_member(&at, "query")) {
		enum json_tok tok = json_next(&at);

		if (tok == JSON_STR)
			doc = at.text;
		else
			doc = level_cut_text(&at); /* a long one */
	}
	if (doc.len)
		return fill(doc, level_text(j, "operationName"), out);
	/* a document that the server knows already */
	doc = level_text(j, "operationName");
	if (!(hints & LEVEL_GRAPHQL) || !doc.len)
		return false;
	out->op = STR("operation");
	out->subject = doc;
	msg_attr(out, ATTR_GRAPHQL_NAME, doc);
	return true;
}

static const struct proto_op ops[] = {
	{ "query", OP_PARSED },
	{ "mutation", OP_PARSED },
	{ "subscription", OP_PARSED },
	{ "persisted documents", OP_NAMED },
	{ "batches: the first operation", OP_NAMED },
	{ "GET requests", OP_UNKNOWN },
	{ NULL, OP_UNKNOWN },
};

const struct level level_graphql = {
	.about = { .name = "graphql",
	           .title = "GraphQL over HTTP",
	           .over = "http, http2",
	           .limits = "the first 4 KiB of a body are read",
	           .ops = ops },
	.hints = LEVEL_JSON,
	.errors = LEVEL_ANY,
	.body = graphql_body,
};
