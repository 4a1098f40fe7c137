// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * level_clickhouse - statements of ClickHouse over HTTP.
 *
 *	GET /?query=SELECT+1&database=shop
 *	POST /?database=shop               the statement is the body
 *	POST /?query=INSERT+INTO+t+FORMAT+CSV    and the body is data
 *
 * Told by header fields or a User-Agent that only its clients have, or by a parameter
 * "query" of the root that begins like a statement.
 */
#include "proto/level.h"

/* Text that may be a statement: the body of an INSERT is anything, and may be compressed. */
static bool is_text(struct str s)
{
	for (size_t i = 0; i < s.len && i < 64; i++)
		if ((unsigned char)s.s[i] < ' ' && !strchr("\t\r\n", s.s[i]))
			return false;
	return s.len;
}

static bool begins_statement(struct str s)
{
	static const char *const verbs[] = {
		"SELECT",   "INSERT", "WITH", "CREATE", "ALTER",  "DROP",     "SHOW", "DESCRIBE",
		"OPTIMIZE", "EXISTS", "SET",  "RENAME", "SYSTEM", "TRUNCATE", "USE",  "EXPLAIN",
	};

	for (size_t i = 0; i < sizeof(verbs) / sizeof(*verbs); i++) {
		size_t n = strlen(verbs[i]);

		if (str_istarts(s, verbs[i]) && s.len > n && strchr(" +%\n\t(", s.s[n]) && s.s[n])
			return true;
	}
	return false;
}

bool level_is_clickhouse(const struct http1_head *h)
{
	struct str params, path = level_path(h->target, &params);

	if (!str_is(path, "/") || (!str_is(h->method, "GET") && !str_is(h->method, "POST")))
		return false;
	if (h->clickhouse.s)
		return true;
	if (h->agent.len && (memmem(h->agent.s, h->agent.len, "clickhouse", 10) ||
	                     memmem(h->agent.s, h->agent.len, "ClickHouse", 10)))
		return true;
	return begins_statement(level_param(params, "query"));
}

static bool clickhouse_head(const struct http1_head *h, struct msg *out)
{
	struct str params, db, path = level_path(h->target, &params);

	if (!level_is_clickhouse(h))
		return false;
	db = level_param(params, "database");
	if (!db.len && h->clickhouse_db.len)
		db = h->clickhouse_db;
	msg_attr(out, ATTR_DB_SYSTEM, STR("clickhouse"));
	if (db.len)
		msg_attr(out, ATTR_DB_NAMESPACE, db);
	level_statement(path, level_param(params, "query"), out);
	return true;
}

static bool clickhouse_body(unsigned int hints, struct str body, struct msg *out)
{
	(void)hints;
	if (!out->level || out->query.len || !is_text(body))
		return out->level;
	out->query = body;
	return true;
}

static const struct proto_op ops[] = {
	{ "statements as parameter", OP_PARSED },     { "statements as body", OP_PARSED },
	{ "errors before the first row", OP_PARSED }, { "errors behind rows", OP_UNKNOWN },
	{ "bodies that are compressed", OP_UNKNOWN }, { NULL, OP_UNKNOWN },
};

const struct level level_clickhouse = {
	.about = { .name = "clickhouse",
	           .title = "ClickHouse over HTTP",
	           .over = "http",
	           .limits =
	                   "the first 4 KiB of a body are read; a statement that is parameter and "
	                   "body in one is named by the parameter",
	           .ops = ops },
	.hints = LEVEL_SQL,
	.errors = LEVEL_FAILED,
	.head = clickhouse_head,
	.body = clickhouse_body,
};
