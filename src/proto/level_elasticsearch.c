// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * level_elasticsearch - the REST interface of Elasticsearch and OpenSearch: the
 * endpoint by its identifier in their schema, and the index, from method and path.
 *
 *	POST /orders/_search?size=5     search orders
 *	PUT /orders/_doc/17             index orders
 *	POST /_bulk                     bulk
 *
 * Paths of names that nobody else has say it alone. Those that others might have too,
 * and an index by itself ("PUT /orders"), count only where the request's fields name
 * one of their clients.
 */
#include "proto/level.h"

enum { ANY = 0, CLIENTS = 1 }; /* whose requests */

static const struct {
	const char *word;   /* of the path, the first one with an underscore */
	const char *after;  /* the part behind it; NULL: whatever there is */
	const char *method; /* NULL: any other */
	const char *op;
	int whose;
} endpoints[] = {
	{ "_search", "scroll", "DELETE", "clear_scroll", ANY },
	{ "_search", "scroll", NULL, "scroll", ANY },
	{ "_search", "template", NULL, "search_template", ANY },
	{ "_search", "point_in_time", "DELETE", "delete_pit", ANY },
	{ "_search", "point_in_time", NULL, "create_pit", ANY },
	{ "_search", NULL, NULL, "search", ANY },
	{ "_msearch", "template", NULL, "msearch_template", ANY },
	{ "_msearch", NULL, NULL, "msearch", ANY },
	{ "_async_search", NULL, "POST", "async_search.submit", ANY },
	{ "_async_search", NULL, "GET", "async_search.get", ANY },
	{ "_async_search", NULL, "DELETE", "async_search.delete", ANY },
	{ "_knn_search", NULL, NULL, "knn_search", ANY },
	{ "_bulk", NULL, NULL, "bulk", ANY },
	{ "_doc", NULL, "GET", "get", ANY },
	{ "_doc", NULL, "HEAD", "exists", ANY },
	{ "_doc", NULL, "DELETE", "delete", ANY },
	{ "_doc", NULL, NULL, "index", ANY },
	{ "_create", NULL, NULL, "create", ANY },
	{ "_update", NULL, NULL, "update", ANY },
	{ "_mget", NULL, NULL, "mget", ANY },
	{ "_source", NULL, "HEAD", "exists_source", CLIENTS },
	{ "_source", NULL, NULL, "get_source", CLIENTS },
	{ "_count", NULL, NULL, "count", ANY },
	{ "_delete_by_query", NULL, NULL, "delete_by_query", ANY },
	{ "_update_by_query", NULL, NULL, "update_by_query", ANY },
	{ "_reindex", NULL, NULL, "reindex", ANY },
	{ "_explain", NULL, NULL, "explain", CLIENTS },
	{ "_field_caps", NULL, NULL, "field_caps", ANY },
	{ "_termvectors", NULL, NULL, "termvectors", ANY },
	{ "_mtermvectors", NULL, NULL, "mtermvectors", ANY },
	{ "_rank_eval", NULL, NULL, "rank_eval", ANY },
	{ "_pit", NULL, "DELETE", "close_point_in_time", CLIENTS },
	{ "_pit", NULL, NULL, "open_point_in_time", CLIENTS },
	{ "_sql", NULL, NULL, "sql.query", CLIENTS },
	{ "_query", NULL, NULL, "esql.query", CLIENTS },
	{ "_eql", NULL, NULL, "eql.search", CLIENTS },
	{ "_mapping", NULL, "PUT", "indices.put_mapping", ANY },
	{ "_mapping", NULL, "POST", "indices.put_mapping", ANY },
	{ "_mapping", NULL, NULL, "indices.get_mapping", ANY },
	{ "_settings", NULL, "PUT", "indices.put_settings", CLIENTS },
	{ "_settings", NULL, NULL, "indices.get_settings", CLIENTS },
	{ "_alias", NULL, "PUT", "indices.put_alias", CLIENTS },
	{ "_alias", NULL, "POST", "indices.put_alias", CLIENTS },
	{ "_alias", NULL, "DELETE", "indices.delete_alias", CLIENTS },
	{ "_alias", NULL, "HEAD", "indices.exists_alias", CLIENTS },
	{ "_alias", NULL, NULL, "indices.get_alias", CLIENTS },
	{ "_aliases", NULL, "POST", "indices.update_aliases", CLIENTS },
	{ "_refresh", NULL, NULL, "indices.refresh", CLIENTS },
	{ "_flush", NULL, NULL, "indices.flush", CLIENTS },
	{ "_forcemerge", NULL, NULL, "indices.forcemerge", ANY },
	{ "_open", NULL, NULL, "indices.open", CLIENTS },
	{ "_close", NULL, NULL, "indices.close", CLIENTS },
	{ "_stats", NULL, NULL, "indices.stats", CLIENTS },
	{ "_analyze", NULL, NULL, "indices.analyze", CLIENTS },
	{ "_rollover", NULL, NULL, "indices.rollover", CLIENTS },
	{ "_index_template", NULL, "PUT", "indices.put_index_template", ANY },
	{ "_index_template", NULL, "GET", "indices.get_index_template", ANY },
	{ "_index_template", NULL, "DELETE", "indices.delete_index_template", ANY },
	{ "_template", NULL, "PUT", "indices.put_template", CLIENTS },
	{ "_template", NULL, "GET", "indices.get_template", CLIENTS },
	{ "_cat", "aliases", NULL, "cat.aliases", ANY },
	{ "_cat", "count", NULL, "cat.count", ANY },
	{ "_cat", "health", NULL, "cat.health", ANY },
	{ "_cat", "indices", NULL, "cat.indices", ANY },
	{ "_cat", "nodes", NULL, "cat.nodes", ANY },
	{ "_cat", "shards", NULL, "cat.shards", ANY },
	{ "_cluster", "health", NULL, "cluster.health", ANY },
	{ "_cluster", "settings", "PUT", "cluster.put_settings", ANY },
	{ "_cluster", "settings", NULL, "cluster.get_settings", ANY },
	{ "_cluster", "state", NULL, "cluster.state", ANY },
	{ "_cluster", "stats", NULL, "cluster.stats", ANY },
	{ "_nodes", "stats", NULL, "nodes.stats", CLIENTS },
	{ "_nodes", NULL, NULL, "nodes.info", CLIENTS },
	{ "_ingest", "pipeline", "PUT", "ingest.put_pipeline", ANY },
	{ "_ingest", "pipeline", "GET", "ingest.get_pipeline", ANY },
};

static bool has(struct str s, const char *word)
{
	return s.len && memmem(s.s, s.len, word, strlen(word));
}

static struct str next_part(struct str *path)
{
	const char *slash;
	struct str part;

	if (path->len && *path->s == '/')
		*path = (struct str){ path->s + 1, path->len - 1 };
	slash = path->len ? memchr(path->s, '/', path->len) : NULL;
	part = str_head(*path, slash ? (size_t)(slash - path->s) : path->len);
	*path = (struct str){ path->s + part.len, path->len - part.len };
	return part;
}

static const char *endpoint(struct str method, struct str word, struct str after, bool client)
{
	for (size_t i = 0; i < sizeof(endpoints) / sizeof(*endpoints); i++) {
		if (!str_is(word, endpoints[i].word) || (endpoints[i].whose == CLIENTS && !client))
			continue;
		if (endpoints[i].after && !str_is(after, endpoints[i].after))
			continue;
		if (!endpoints[i].method || str_is(method, endpoints[i].method))
			return endpoints[i].op;
	}
	return NULL;
}

/* An index by itself, or nothing at all. */
static const char *of_index(struct str method, bool index)
{
	if (!index)
		return str_is(method, "GET") ? "info" : str_is(method, "HEAD") ? "ping" : NULL;
	return str_is(method, "PUT")      ? "indices.create"
	       : str_is(method, "GET")    ? "indices.get"
	       : str_is(method, "HEAD")   ? "indices.exists"
	       : str_is(method, "DELETE") ? "indices.delete"
	                                  : NULL;
}

static bool elasticsearch_head(const struct http1_head *h, struct msg *out)
{
	bool open = has(h->agent, "opensearch"),
	     client = open || has(h->agent, "elastic") || has(h->type, "vnd.elasticsearch");
	struct str params, path = level_path(h->target, &params), index, word;
	const char *op;

	if (!path.len || *path.s != '/')
		return false;
	word = next_part(&path);
	index = word.len && *word.s != '_' ? word : STR_NULL;
	if (index.len)
		word = next_part(&path);
	if (word.len && *word.s != '_')
		return false;
	op = word.len ? endpoint(h->method, word, next_part(&path), client)
	     : client ? of_index(h->method, index.len)
	              : NULL;
	if (!op && client && word.len > 1 && *word.s == '_')
		out->op = (struct str){ word.s + 1, word.len - 1 };
	else if (op)
		out->op = str_of(op);
	else
		return false;
	out->subject = index;
	msg_attr(out, ATTR_DB_SYSTEM, open ? STR("opensearch") : STR("elasticsearch"));
	msg_attr(out, ATTR_DB_OPERATION_NAME, out->op);
	if (index.len)
		msg_attr(out, ATTR_DB_COLLECTION, index);
	return true;
}

static const struct proto_op ops[] = {
	{ "documents", OP_PARSED },
	{ "searches", OP_PARSED },
	{ "bulk: as one request", OP_PARSED },
	{ "indices", OP_PARSED },
	{ "cat", OP_PARSED },
	{ "cluster", OP_PARSED },
	{ "other endpoints, of known clients", OP_NAMED },
	{ "items of a bulk that failed", OP_UNKNOWN },
	{ NULL, OP_UNKNOWN },
};

const struct level level_elasticsearch = {
	.about = { .name = "elasticsearch",
	           .title = "REST interface of Elasticsearch and OpenSearch",
	           .over = "http, http2",
	           .limits = "bodies of requests are not read; which of the two it is says the "
	                     "client's User-Agent",
	           .untested = "Elasticsearch itself; OpenSearch 2.19 and its client are",
	           .ops = ops },
	.errors = LEVEL_FAILED,
	.head = elasticsearch_head,
};
