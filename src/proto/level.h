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
 * which may be cut anywhere; a few look at the answer's body too, for the errors
 * that HTTP does not know of.
 */

#include "base/json.h"
#include "proto/http1_head.h"

enum { LEVEL_BODY = 4096 };

/* What the head of a request says about the body: hints for those who read it. */
enum {
	LEVEL_JSON = 1 << 0,    /* Content-Type has "json" */
	LEVEL_MCP = 1 << 1,     /* there are header fields of MCP */
	LEVEL_GRAPHQL = 1 << 2, /* the path names it */
};

struct level {
	struct proto about; /* name, title, limits, ops; over: the protocol that carries it */
	unsigned int hints; /* of which a body needs one to be looked at */
	/* By the head alone; may be NULL. True: that is what it is. */
	bool (*head)(const struct http1_head *h, struct msg *out);
	/* By the first bytes of the body; may be NULL. */
	bool (*body)(unsigned int hints, struct str body, struct msg *out);
};

/* The i-th of them, NULL behind the last one. */
const struct level *level_at(unsigned int i);

/* The hints for the body of a request; 0: it is of no interest. */
unsigned int level_hints(const struct http1_head *h);

/* Fills in ->level, ->op, ->subject and attributes, if it is any. */
void level_head(const struct http1_head *h, struct msg *out);
void level_body(unsigned int hints, struct str body, struct msg *out);

/* Whether the answer to this request may hold an error that its status does not tell. */
bool level_has_answer(const struct msg *request);
bool level_answer_type(struct str content_type);
void level_answer(struct str body, struct msg *out);

/* ---- for levels ---- */

/* Goes to the value of this key of the object that is open, as far as there is text. */
bool level_member(struct json *j, const char *key);
/* That value where it is a text without escapes, else STR_NULL. */
struct str level_text(struct json j, const char *key);
/* What there is of a text whose end is cut off: where j gave JSON_CUT for a value. */
struct str level_cut_text(const struct json *j);

extern const struct level level_rpc, level_mcp, level_graphql;

#endif
