/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_PROTO_CGI_H
#define OBI_PROTO_CGI_H

/*
 * cgi - what FastCGI, uwsgi and SCGI have in common: a request as the variables
 * of CGI and an answer that begins with header fields (RFC 3875, 4.1 and 6.3).
 */

#include "proto/proto.h"

struct cgi_vars {
	struct str method, uri, script, query, host, agent, addr, protocol, length, traceparent,
		tracestate, baggage;
};

/* Where the value of the variable of this name goes; NULL: it is not asked for. */
struct str *cgi_var(struct cgi_vars *v, struct str name);

/* Method, target, attributes and context of the request that they make. */
void cgi_fill_request(const struct cgi_vars *v, struct msg *out);

/* What the fields at the front of an answer said about its body. */
struct cgi_body {
	uint64_t length;
	bool known; /* ->length was there, as a number */
};

/*
 * Status and type of content by the fields that begin here, as far as there are
 * bytes: "Status: 404 Not Found", or a status line of HTTP; without either 200, or
 * 302 where there is a Location. false where no field begins here: *out is as it
 * was. `body` may be NULL.
 */
bool cgi_fill_answer(struct cur c, struct msg *out, struct cgi_body *body);

/*
 * Connections of one request each: uwsgi, SCGI. An answer ends where its
 * Content-Length says, else with the connection.
 */
struct cgi_conn {
	bool head; /* the request was HEAD: its answer has no body */
};

/*
 * The request of these variables; its body comes behind the out->skip bytes that
 * they still have. `cut`: some of them could not be read.
 */
void cgi_request(struct cgi_conn *s, const struct cgi_vars *v, bool cut, struct msg *out);

/* parse() of an answer. */
enum parse cgi_answer(struct cgi_conn *s, struct cur *in, struct msg *out);

/* Whether an answer begins here, as far as there are bytes. */
enum sure cgi_answers(struct cur c);

/* The same place, or NULL: resync() of an answer. */
const uint8_t *cgi_resync_answer(struct cur in);

#endif
