// SPDX-License-Identifier: GPL-3.0-or-later
/* level - which of the languages over HTTP a request is in. */
#include "proto/level.h"

/* Those that a head tells first. */
static const struct level *const levels[] = {
	&level_aws, &level_couchbase, &level_clickhouse, &level_elasticsearch,
	&level_mcp, &level_rpc,       &level_graphql,
};

const struct level *level_at(unsigned int i)
{
	return i < sizeof(levels) / sizeof(*levels) ? levels[i] : NULL;
}

const struct proto *proto_level(unsigned int i)
{
	return level_at(i) ? &level_at(i)->about : NULL;
}

static bool has(struct str s, const char *word)
{
	return s.len && memmem(s.s, s.len, word, strlen(word));
}

unsigned int level_hints(const struct http1_head *h)
{
	unsigned int hints = 0, of_body = LEVEL_JSON | LEVEL_AWS | LEVEL_FORM | LEVEL_SQL;
	struct str params;
	bool form = str_istarts(h->type, "application/x-www-form-urlencoded");

	if (!str_is(h->method, "POST"))
		return 0;
	if (has(h->type, "json"))
		hints |= LEVEL_JSON;
	if (has(h->type, "json-rpc") || has(h->type, "jsonrpc"))
		hints |= LEVEL_JSON | LEVEL_RPC;
	if ((form || hints) && str_starts(h->authorization, "AWS4-"))
		hints |= LEVEL_AWS;
	if (form && str_starts(h->target, "/query/service"))
		hints |= LEVEL_FORM;
	if (form && str_starts(h->target, "/analytics/service"))
		hints |= LEVEL_FORM;
	level_path(h->target, &params);
	if (level_is_clickhouse(h) && !level_param(params, "query").len)
		hints |= LEVEL_SQL;
	if (h->mcp_session.len || h->mcp_version.len)
		hints |= LEVEL_MCP;
	if (has(h->target, "graphql"))
		hints |= LEVEL_GRAPHQL;
	return hints & of_body ? hints : 0;
}

void level_head(const struct http1_head *h, struct msg *out)
{
	const struct level *l;

	for (unsigned int i = 0; h->method.s && h->target.s && (l = level_at(i)); i++) {
		if (!l->head || !l->head(h, out))
			continue;
		out->level = l->about.name;
		break;
	}
	msg_attr(out, ATTR_MCP_SESSION, h->mcp_session);
	msg_attr(out, ATTR_MCP_VERSION, h->mcp_version);
}

void level_body(unsigned int hints, struct str body, struct msg *out)
{
	const struct level *l;

	for (unsigned int i = 0; body.len && (l = level_at(i)); i++) {
		if (out->level && out->level != l->about.name)
			continue;
		if (!l->body || !(l->hints & hints) || !l->body(hints, body, out))
			continue;
		out->level = l->about.name;
		return;
	}
}

enum level_errors level_errors(const struct msg *request)
{
	const struct level *l;

	for (unsigned int i = 0; request->level && (l = level_at(i)); i++)
		if (request->level == l->about.name)
			return l->errors;
	return LEVEL_NONE;
}

bool level_reads(enum level_errors e, int32_t code, struct str type)
{
	bool failed = code >= 400;

	if (e == LEVEL_NONE || (e == LEVEL_FAILED && !failed))
		return false;
	if (code < 200 || code == 204 || code == 304)
		return false;
	return has(type, "json") || str_istarts(type, "text/event-stream") ||
	       (failed && (has(type, "xml") || str_istarts(type, "text/plain")));
}

/* ---- parameters ---- */

struct str level_path(struct str target, struct str *params)
{
	const char *q = target.len ? memchr(target.s, '?', target.len) : NULL;
	size_t n = q ? (size_t)(q - target.s) : target.len;

	*params = q ? (struct str){ q + 1, target.len - n - 1 } : STR_NULL;
	return str_head(target, n);
}

struct str level_param(struct str params, const char *name)
{
	size_t len = strlen(name);

	while (params.len) {
		const char *end = memchr(params.s, '&', params.len);
		size_t n = end ? (size_t)(end - params.s) : params.len;
		struct str p = str_head(params, n);

		if (str_starts(p, name) && (p.len == len || p.s[len] == '='))
			return p.len == len ? STR("")
			                    : (struct str){ p.s + len + 1, p.len - len - 1 };
		n += end ? 1 : 0;
		params = (struct str){ params.s + n, params.len - n };
	}
	return STR_NULL;
}

void level_statement(struct str path, struct str text, struct msg *out)
{
	if (!text.len)
		return;
	out->query = text;
	out->coding = CODING_URL;
	out->target = path;
	for (unsigned int i = 0; i < out->nattrs; i++)
		if (out->attrs[i].key == ATTR_URL_QUERY)
			out->attrs[i--] = out->attrs[--out->nattrs];
}

/* ---- JSON ---- */

bool level_member(struct json *j, const char *key)
{
	while (json_next(j) == JSON_KEY) {
		if (str_is(j->text, key))
			return true;
		if (!json_skip(j))
			return false;
	}
	return false;
}

struct str level_text(struct json j, const char *key)
{
	if (!level_member(&j, key) || json_next(&j) != JSON_STR || j.escaped)
		return STR_NULL;
	return j.text;
}

struct str level_cut_text(const struct json *j)
{
	if (j->tok != JSON_CUT || j->p == j->end || *j->p != '"')
		return STR_NULL;
	return (struct str){ j->p + 1, (size_t)(j->end - j->p - 1) };
}
