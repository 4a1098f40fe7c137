// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * level_couchbase - SQL++ of Couchbase: statements for the services of queries and
 * analytics, which come over HTTP whatever the client is.
 *
 *	POST /query/service    {"statement": "SELECT ...", "query_context": "default:b.s"}
 *	                       statement=SELECT%20...
 */
#include "proto/level.h"

static bool couchbase_head(const struct http1_head *h, struct msg *out)
{
	struct str params, path = level_path(h->target, &params);

	if (!str_is(path, "/query/service") && !str_is(path, "/analytics/service"))
		return false;
	msg_attr(out, ATTR_DB_SYSTEM, STR("couchbase"));
	level_statement(path, level_param(params, "statement"), out);
	return true;
}

static void json_body(struct str body, struct msg *out)
{
	struct json j = json_of(body), at;
	struct str context;

	if (json_next(&j) != JSON_OBJ)
		return;
	at = j;
	if (level_member(&at, "statement")) {
		out->query = json_next(&at) == JSON_STR ? at.text : level_cut_text(&at);
		out->coding = CODING_JSON;
	} else if (level_text(j, "prepared").len) {
		out->op = STR("EXECUTE");
	}
	context = level_text(j, "query_context");
	if (context.len)
		msg_attr(out, ATTR_DB_NAMESPACE, context);
}

static bool couchbase_body(unsigned int hints, struct str body, struct msg *out)
{
	struct str text;

	(void)hints;
	if (!out->level)
		return false;
	if (*body.s == '{') {
		json_body(body, out);
		return true;
	}
	text = level_param(body, "statement");
	if (text.len) {
		out->query = text;
		out->coding = CODING_URL;
	} else if (level_param(body, "prepared").len) {
		out->op = STR("EXECUTE");
	}
	return true;
}

static const struct proto_op ops[] = {
	{ "queries", OP_PARSED },
	{ "analytics", OP_PARSED },
	{ "errors before the first row", OP_PARSED },
	{ "prepared statements: as EXECUTE", OP_NAMED },
	{ "errors behind rows", OP_UNKNOWN },
	{ "other services", OP_UNKNOWN },
	{ NULL, OP_UNKNOWN },
};

const struct level level_couchbase = {
	.about = { .name = "couchbase",
	           .title = "SQL++ of Couchbase: queries and analytics",
	           .over = "http",
	           .limits = "the first 4 KiB of a body are read",
	           .untested = "Couchbase itself: what is read follows its documentation",
	           .ops = ops },
	.hints = LEVEL_FORM | LEVEL_JSON,
	.errors = LEVEL_ANY,
	.head = couchbase_head,
	.body = couchbase_body,
};
