// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * level_rpc - JSON-RPC 2.0, and the Model Context Protocol in it.
 *
 * MCP is told by its header fields (streamable HTTP), or by a method that nobody
 * else has. Clients send the members in any order: where the text is cut before
 * "jsonrpc", the Content-Type has to say that it is one, or method, params and id, and
 * nothing beside them.
 */
#include "proto/level.h"

struct call {
	struct str method, id, name, uri, version;
	bool v2, batch, cut, params, other;
};

/* What the conventions want to know of the parameters. */
static void params(struct json j, struct call *c)
{
	if (json_next(&j) != JSON_OBJ)
		return;
	c->name = level_text(j, "name");
	c->uri = level_text(j, "uri");
	c->version = level_text(j, "protocolVersion");
}

static void member(struct json j, struct call *c)
{
	struct str key = j.text;
	enum json_tok tok;

	c->other |= !str_is(key, "params") && !str_is(key, "jsonrpc") && !str_is(key, "method") &&
	            !str_is(key, "id");
	if (str_is(key, "params")) {
		c->params = true;
		params(j, c);
		return;
	}
	tok = json_next(&j);
	if (tok == JSON_STR && str_is(key, "jsonrpc"))
		c->v2 = str_is(j.text, "2.0");
	else if (tok == JSON_STR && str_is(key, "method") && !j.escaped)
		c->method = j.text;
	else if ((tok == JSON_STR || tok == JSON_NUM) && str_is(key, "id") && !j.escaped)
		c->id = j.text;
}

static bool read_call(struct str body, struct call *c)
{
	struct json j = json_of(body);

	*c = (struct call){ .batch = json_next(&j) == JSON_ARR };
	if (c->batch)
		json_next(&j);
	if (j.tok != JSON_OBJ)
		return false;
	while (json_next(&j) == JSON_KEY) {
		member(j, c);
		if (!json_skip(&j))
			break;
	}
	c->cut = j.tok == JSON_CUT;
	return c->method.len && (c->v2 || c->cut);
}

static bool is_of_mcp(struct str method)
{
	static const char *const prefixes[] = { "tools/",       "resources/",    "prompts/",
		                                "completion/",  "logging/",      "sampling/",
		                                "elicitation/", "notifications/" };

	for (size_t i = 0; i < sizeof(prefixes) / sizeof(*prefixes); i++)
		if (str_starts(method, prefixes[i]))
			return true;
	return str_is(method, "roots/list");
}

static void fill(const struct call *c, struct msg *out)
{
	out->op = c->batch ? STR("batch") : c->method;
	if (c->id.len && !c->batch)
		msg_attr(out, ATTR_JSONRPC_ID, c->id);
}

static bool mcp_body(unsigned int hints, struct str body, struct msg *out)
{
	struct call c;

	if (!read_call(body, &c))
		return false;
	if (!(hints & LEVEL_MCP) && !is_of_mcp(c.method) &&
	    !(str_is(c.method, "initialize") && c.version.len))
		return false;
	fill(&c, out);
	if (c.batch)
		return true;
	msg_attr(out, ATTR_MCP_METHOD, c.method);
	if (str_is(c.method, "tools/call") || str_is(c.method, "prompts/get"))
		out->subject = c.name;
	if (str_is(c.method, "tools/call")) {
		msg_attr(out, ATTR_GENAI_TOOL, c.name);
		msg_attr(out, ATTR_GENAI_OPERATION, STR("execute_tool"));
	} else if (str_is(c.method, "prompts/get")) {
		msg_attr(out, ATTR_GENAI_PROMPT, c.name);
	}
	msg_attr(out, ATTR_MCP_RESOURCE, c.uri);
	if (str_is(c.method, "initialize"))
		msg_attr(out, ATTR_MCP_VERSION, c.version);
	return true;
}

static bool rpc_body(unsigned int hints, struct str body, struct msg *out)
{
	struct call c;

	if (!read_call(body, &c))
		return false;
	if (!c.v2 && (c.other || !c.params || !(c.id.len || hints & LEVEL_RPC)))
		return false;
	fill(&c, out);
	msg_attr(out, ATTR_RPC_SYSTEM, STR("jsonrpc"));
	if (!c.batch)
		msg_attr(out, ATTR_RPC_METHOD, c.method);
	return true;
}

static const struct proto_op rpc_ops[] = {
	{ "calls", OP_PARSED },  { "notifications", OP_PARSED }, { "errors", OP_PARSED },
	{ "batches", OP_NAMED }, { "JSON-RPC 1.0", OP_UNKNOWN }, { NULL, OP_UNKNOWN },
};

const struct level level_rpc = {
	.about = { .name = "jsonrpc",
	           .title = "JSON-RPC 2.0 over HTTP",
	           .over = "http, http2",
	           .limits = "the first 4 KiB of a body are read, those that are not compressed",
	           .ops = rpc_ops },
	.hints = LEVEL_JSON,
	.errors = LEVEL_ANY,
	.body = rpc_body,
};

static const struct proto_op mcp_ops[] = {
	{ "initialize", OP_PARSED },
	{ "server/discover", OP_PARSED },
	{ "ping", OP_PARSED },
	{ "tools/list", OP_PARSED },
	{ "tools/call", OP_PARSED },
	{ "resources/list", OP_PARSED },
	{ "resources/read", OP_PARSED },
	{ "resources/subscribe", OP_PARSED },
	{ "resources/templates/list", OP_PARSED },
	{ "prompts/list", OP_PARSED },
	{ "prompts/get", OP_PARSED },
	{ "completion/complete", OP_PARSED },
	{ "logging/setLevel", OP_PARSED },
	{ "notifications/...", OP_PARSED },
	{ "other methods", OP_NAMED },
	{ "requests of the server in an event stream", OP_UNKNOWN },
	{ NULL, OP_UNKNOWN },
};

const struct level level_mcp = {
	.about = { .name = "mcp",
	           .title = "Model Context Protocol over streamable HTTP",
	           .over = "http, http2",
	           .limits = "the first 4 KiB of a body are read; of an event stream, the first "
	                     "event",
	           .ops = mcp_ops },
	.hints = LEVEL_JSON,
	.errors = LEVEL_ANY,
	.body = mcp_body,
};
