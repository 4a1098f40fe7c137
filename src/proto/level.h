/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_PROTO_LEVEL_H
#define OBI_PROTO_LEVEL_H

/*
 * level - what is spoken over HTTP: GraphQL, JSON-RPC, MCP, ...
 *
 * The protocol of such a span stays http or http2. The level says what the request
 * is: its operation, what that works on, attributes. Each is one file with one
 * `const struct level`, listed in level.c, strict ones first. Told by the head of
 * the request where that is enough, else by the first LEVEL_BODY bytes of its body,
 * which may be cut anywhere. Of the answer's body as many tell the error: where HTTP's
 * status says that there is one, or always, where HTTP does not know of it.
 */

#include "base/json.h"
#include "proto/http1_head.h"

enum { LEVEL_BODY = 4096 };

/* What the head of a request says about the body: hints for those who read it. */
enum {
	LEVEL_JSON = 1 << 0,    /* Content-Type has "json" */
	LEVEL_MCP = 1 << 1,     /* there are header fields of MCP */
	LEVEL_GRAPHQL = 1 << 2, /* the path names it */
	LEVEL_AWS = 1 << 3,     /* signed for AWS, and JSON or a form */
	LEVEL_FORM = 1 << 4,    /* "a=1&b=2", to a path that takes statements */
	LEVEL_SQL = 1 << 5,     /* a statement as it is, by what the head says */
	LEVEL_RPC = 1 << 6,     /* Content-Type has "json-rpc" */
};

/* Of which answers the body is read for the error that it tells. */
enum level_errors {
	LEVEL_NONE,
	LEVEL_FAILED, /* those whose status is that of an error */
	LEVEL_ANY,
};

struct level {
	struct proto about; /* name, title, limits, ops; over: the protocol that carries it */
	unsigned int hints; /* of which a body needs one to be looked at */
	enum level_errors errors;
	/* By the head alone; may be NULL. True: that is what it is. */
	bool (*head)(const struct http1_head *h, struct msg *out);
	/*
	 * By the first bytes of the body; may be NULL. Where a head() has told already
	 * which one it is, that one's alone is asked: out is what head() has made of it, but
	 * in HTTP/2, where bodies come by themselves, empty.
	 */
	bool (*body)(unsigned int hints, struct str body, struct msg *out);
};

/* The i-th of them, NULL behind the last one. */
const struct level *level_at(unsigned int i);

/* The hints for the body of a request; 0: it is of no interest. */
unsigned int level_hints(const struct http1_head *h);

/* Fills in ->level, ->op, ->subject and attributes, if it is any. */
void level_head(const struct http1_head *h, struct msg *out);
void level_body(unsigned int hints, struct str body, struct msg *out);

/* Of which answers to this request the body is read; whether it is of one with such a head. */
enum level_errors level_errors(const struct msg *request);
bool level_reads(enum level_errors e, int32_t code, struct str content_type);
void level_answer(int32_t code, struct str body, struct msg *out);

/* ---- for levels ---- */

/* Goes to the value of this key of the object that is open, as far as there is text. */
bool level_member(struct json *j, const char *key);
/* That value where it is a text without escapes, else STR_NULL. */
struct str level_text(struct json j, const char *key);
/* What there is of a text whose end is cut off: where j gave JSON_CUT for a value. */
struct str level_cut_text(const struct json *j);

/* The value of a parameter of "a=1&b=2", as it is coded there; STR_NULL: there is none. */
struct str level_param(struct str params, const char *name);
/* A target without its parameters; what is behind the "?" in *params, STR_NULL: there is none. */
struct str level_path(struct str target, struct str *params);

/*
 * A statement that is a parameter of the target: ->query. The parameters are kept
 * nowhere else, because literals are masked in ->query alone.
 */
void level_statement(struct str path, struct str text, struct msg *out);

/* Whether a request may bring a statement to ClickHouse. */
bool level_is_clickhouse(const struct http1_head *h);

extern const struct level level_aws, level_clickhouse, level_couchbase, level_elasticsearch,
	level_rpc, level_mcp, level_graphql;

#endif
