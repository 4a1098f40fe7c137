// SPDX-License-Identifier: GPL-3.0-or-later
/* level_answer - the error that the body of an answer tells, whoever has sent it. */
#include "proto/level.h"

enum { MESSAGE_MOST = 256 };

static void failed(struct str type, struct str message, struct msg *out)
{
	out->error = out->server_error = true;
	out->error_type = type.len ? type : STR("_OTHER");
	if (message.len)
		msg_attr(out, ATTR_ERROR_MESSAGE, str_head(message, MESSAGE_MOST));
}

/* The status says already that there is one: this is its kind and its text. */
static void named(struct str type, struct str message, struct msg *out)
{
	if (type.len)
		out->error_type = type;
	if (message.len)
		msg_attr(out, ATTR_ERROR_MESSAGE, str_head(message, MESSAGE_MOST));
}

/* ---- JSON ---- */

static struct str number_of(struct json j, const char *key)
{
	return level_member(&j, key) && json_next(&j) == JSON_NUM ? j.text : STR_NULL;
}

/*
 * {"code": -32601, "message": "..."} (JSON-RPC 2.0, 5.1);
 * {"type": "index_not_found_exception", "reason": "..."} of Elasticsearch
 */
static void error_object(struct json j, int32_t status, struct msg *out)
{
	struct str message, code, type;

	if (json_next(&j) != JSON_OBJ)
		return; /* null, in answers that are none */
	message = level_text(j, "message");
	code = number_of(j, "code");
	type = level_text(j, "type");
	if (status >= 400 && type.len && !code.len) {
		named(type, level_text(j, "reason"), out);
		return;
	}
	if (code.len)
		msg_attr(out, ATTR_RPC_STATUS, code);
	failed(code, message, out);
}

/*
 * [{"message": "...", "extensions": {"code": "..."}}] (GraphQL, 7.1.2);
 * [{"code": 3000, "msg": "..."}] of Couchbase
 */
static void error_list(struct json j, struct msg *out)
{
	struct str message, code = STR_NULL;
	struct json at;

	if (json_next(&j) != JSON_ARR || json_next(&j) != JSON_OBJ)
		return;
	message = level_text(j, "message");
	at = j;
	if (level_member(&at, "extensions") && json_next(&at) == JSON_OBJ)
		code = level_text(at, "code");
	if (!message.s) {
		message = level_text(j, "msg");
		code = number_of(j, "code");
		if (code.len)
			msg_attr(out, ATTR_DB_STATUS, code);
	}
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

/* "com.amazonaws.dynamodb.v20120810#ResourceNotFoundException" */
static void aws_type(struct json j, struct str message, struct msg *out)
{
	const char *p;

	if (json_next(&j) != JSON_STR || j.escaped)
		return;
	p = memchr(j.text.s, '#', j.text.len);
	if (p)
		j.text = (struct str){ p + 1, (size_t)(j.text.s + j.text.len - p - 1) };
	named(j.text, message, out);
}

static void json_answer(int32_t code, struct str body, struct msg *out)
{
	struct json j = json_of(body), all;

	if (json_next(&j) == JSON_ARR)
		json_next(&j);
	if (j.tok != JSON_OBJ)
		return;
	all = j;
	while (json_next(&j) == JSON_KEY) {
		if (str_is(j.text, "error"))
			error_object(j, code, out);
		else if (str_is(j.text, "errors"))
			error_list(j, out);
		else if (str_is(j.text, "result"))
			rpc_result(j, out);
		else if (code >= 400 && str_is(j.text, "__type"))
			aws_type(j,
			         level_text(all, "message").s ? level_text(all, "message")
			                                      : level_text(all, "Message"),
			         out);
		if (!json_skip(&j))
			return;
	}
}

/* ---- others ---- */

/* What stands between <name> and </. */
static struct str element(struct str xml, const char *open)
{
	const char *p = memmem(xml.s, xml.len, open, strlen(open)), *end;

	if (!p)
		return STR_NULL;
	p += strlen(open);
	end = memmem(p, (size_t)(xml.s + xml.len - p), "</", 2);
	return end ? (struct str){ p, (size_t)(end - p) } : STR_NULL;
}

/* Up to the first of these words. */
static struct str up_to(struct str s, const char *word, const char *other)
{
	const char *p = memmem(s.s, s.len, word, strlen(word));

	if (p)
		s.len = (size_t)(p - s.s);
	p = memmem(s.s, s.len, other, strlen(other));
	if (p)
		s.len = (size_t)(p - s.s);
	return s;
}

/* "Code: 60, e.displayText() = DB::Exception: ...", newer "Code: 60. DB::Exception: ..." */
static void clickhouse_error(struct str s, struct msg *out)
{
	struct str rest = { s.s + 6, s.len - 6 }, message = STR_NULL;
	const char *p = memmem(s.s, s.len, "DB::Exception: ", 15);
	size_t n = 0;

	while (n < rest.len && rest.s[n] >= '0' && rest.s[n] <= '9')
		n++;
	if (!n)
		return;
	if (p)
		message = up_to((struct str){ p + 15, (size_t)(s.s + s.len - p - 15) },
		                ", e.what() = ", "\n");
	msg_attr(out, ATTR_DB_STATUS, str_head(rest, n));
	named(str_head(rest, n), message, out);
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

void level_answer(int32_t code, struct str body, struct msg *out)
{
	if (!body.len)
		return;
	if (*body.s == '<' && code >= 400)
		named(element(body, "<Code>"), element(body, "<Message>"), out);
	else if (code >= 400 && str_starts(body, "Code: "))
		clickhouse_error(body, out);
	else if (*body.s == '{' || *body.s == '[')
		json_answer(code, body, out);
	else
		json_answer(code, event_data(body), out);
}
