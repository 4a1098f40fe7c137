// SPDX-License-Identifier: GPL-3.0-or-later
/* level - which of the languages over HTTP a request is in, and its answer. */
#include "proto/level.h"

static const struct level *const levels[] = {
	&level_mcp,
	&level_rpc,
	&level_graphql,
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
	unsigned int hints = 0, of_body = LEVEL_JSON;

	if (!str_is(h->method, "POST"))
		return 0;
	if (has(h->type, "json"))
		hints |= LEVEL_JSON;
	if (h->mcp_session.len || h->mcp_version.len)
		hints |= LEVEL_MCP;
	if (has(h->target, "graphql"))
		hints |= LEVEL_GRAPHQL;
	return hints & of_body ? hints : 0;
}

static void name(const struct level *l, struct msg *out)
{
	out->level = l->about.name;
}

void level_head(const struct http1_head *h, struct msg *out)
{
	const struct level *l;

	for (unsigned int i = 0; (l = level_at(i)); i++) {
		if (!l->head || !l->head(h, out))
			continue;
		name(l, out);
		break;
	}
	msg_attr(out, ATTR_MCP_SESSION, h->mcp_session);
	msg_attr(out, ATTR_MCP_VERSION, h->mcp_version);
}

void level_body(unsigned int hints, struct str body, struct msg *out)
{
	const struct level *l;

	if (!body.len || out->level)
		return;
	for (unsigned int i = 0; (l = level_at(i)); i++) {
		if (!l->body || !(l->hints & hints) || !l->body(hints, body, out))
			continue;
		name(l, out);
		return;
	}
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

/* ---- answers ---- */

bool level_has_answer(const struct msg *request)
{
	return request->level == level_rpc.about.name || request->level == level_mcp.about.name ||
	       request->level == level_graphql.about.name;
}

bool level_answer_type(struct str type)
{
	return has(type, "json") || str_istarts(type, "text/event-stream");
}

static void failed(struct str type, struct str message, struct msg *out)
{
	out->error = out->server_error = true;
	out->error_type = type.len ? type : STR("_OTHER");
	if (message.len)
		msg_attr(out, ATTR_ERROR_MESSAGE, str_head(message, 256));
}

/* {"code": -32601, "message": "..."} (JSON-RPC 2.0, 5.1) */
static void rpc_error(struct json j, struct msg *out)
{
	struct str message, code = STR_NULL;
	struct json at = j;

	if (json_next(&j) != JSON_OBJ)
		return; /* null, in answers that are none */
	at = j;
	message = level_text(at, "message");
	if (level_member(&at, "code") && json_next(&at) == JSON_NUM)
		code = at.text;
	if (code.len)
		msg_attr(out, ATTR_RPC_STATUS, code);
	failed(code, message, out);
}

/* [{"message": "...", "extensions": {"code": "..."}}] (GraphQL, 7.1.2) */
static void graphql_errors(struct json j, struct msg *out)
{
	struct json at;
	struct str message, code = STR_NULL;

	if (json_next(&j) != JSON_ARR || json_next(&j) != JSON_OBJ)
		return;
	at = j;
	message = level_text(at, "message");
	if (level_member(&at, "extensions") && json_next(&at) == JSON_OBJ)
		code = level_text(at, "code");
	failed(code, message, out);
}

/* The result of a tool of MCP. */
static void rpc_result(struct json j, struct msg *out)
{
	if (json_next(&j) != JSON_OBJ || !level_member(&j, "isError"))
		return;
	if (json_next(&j) == JSON_TRUE)
		failed(STR("tool_error"), STR_NULL, out);
}

/* The data of the first event that has some, to the end of its line. */
static struct str event_data(struct str s)
{
	while (s.len) {
		const char *nl = memchr(s.s, '\n', s.len);
		size_t n = nl ? (size_t)(nl - s.s) : s.len;

		if (str_starts(s, "data:") && n > sizeof("data: ") + 1)
			return (struct str){ s.s + 5, n - 5 };
		n += nl ? 1 : 0;
		s = (struct str){ s.s + n, s.len - n };
	}
	return STR_NULL;
}

void level_answer(struct str body, struct msg *out)
{
	struct json j;

	if (body.len && *body.s != '{' && *body.s != '[')
		body = event_data(body);
	j = json_of(body);
	if (json_next(&j) == JSON_ARR)
		json_next(&j);
	if (j.tok != JSON_OBJ)
		return;
	while (json_next(&j) == JSON_KEY) {
		if (str_is(j.text, "error"))
			rpc_error(j, out);
		else if (str_is(j.text, "errors"))
			graphql_errors(j, out);
		else if (str_is(j.text, "result"))
			rpc_result(j, out);
		if (!json_skip(&j))
			return;
	}
}
