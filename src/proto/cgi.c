// SPDX-License-Identifier: GPL-3.0-or-later
/* cgi - the variables and answers of CGI 1.1 (RFC 3875), however they are carried. */
#include "proto/cgi.h"

#include <ctype.h>

/* ----- requests ----- */

struct str *cgi_var(struct cgi_vars *v, struct str name)
{
	static const struct {
		const char *name;
		size_t at;
	} known[] = {
		{ "REQUEST_METHOD", offsetof(struct cgi_vars, method) },
		{ "REQUEST_URI", offsetof(struct cgi_vars, uri) },
		{ "SCRIPT_NAME", offsetof(struct cgi_vars, script) },
		{ "QUERY_STRING", offsetof(struct cgi_vars, query) },
		{ "CONTENT_LENGTH", offsetof(struct cgi_vars, length) },
		{ "HTTP_HOST", offsetof(struct cgi_vars, host) },
		{ "HTTP_USER_AGENT", offsetof(struct cgi_vars, agent) },
		{ "REMOTE_ADDR", offsetof(struct cgi_vars, addr) },
		{ "SERVER_PROTOCOL", offsetof(struct cgi_vars, protocol) },
		{ "HTTP_TRACEPARENT", offsetof(struct cgi_vars, traceparent) },
		{ "HTTP_TRACESTATE", offsetof(struct cgi_vars, tracestate) },
		{ "HTTP_BAGGAGE", offsetof(struct cgi_vars, baggage) },
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (str_is(name, known[i].name))
			return (struct str *)(void *)((char *)v + known[i].at);
	return NULL;
}

static struct str path_of(struct str uri)
{
	const char *mark = uri.len ? memchr(uri.s, '?', uri.len) : NULL;

	return mark ? str_head(uri, (size_t)(mark - uri.s)) : uri;
}

void cgi_fill_request(const struct cgi_vars *v, struct msg *out)
{
	struct str target = v->uri.len ? v->uri : v->script, path = path_of(target);
	struct str query = v->query;

	if (path.len < target.len)
		query = (struct str){ path.s + path.len + 1, target.len - path.len - 1 };
	out->op = v->method.len ? v->method : STR("_OTHER");
	out->target = target;
	msg_attr(out, ATTR_HTTP_METHOD, out->op);
	if (path.len)
		msg_attr(out, ATTR_URL_PATH, path);
	if (query.len)
		msg_attr(out, ATTR_URL_QUERY, query);
	if (v->host.len)
		msg_attr(out, ATTR_SERVER_ADDRESS, v->host);
	if (v->addr.len)
		msg_attr(out, ATTR_CLIENT_ADDRESS, v->addr);
	if (v->agent.len)
		msg_attr(out, ATTR_USER_AGENT, v->agent);
	if (str_starts(v->protocol, "HTTP/"))
		msg_attr(out, ATTR_HTTP_VERSION,
		         (struct str){ v->protocol.s + 5, v->protocol.len - 5 });
	out->traceparent = v->traceparent;
	out->tracestate = v->tracestate;
	msg_baggage(out, v->baggage);
}

/* ----- answers ----- */

/* As far as there are bytes, a status line or a field's name and its colon. */
static enum sure fields_begin(struct cur c)
{
	static const char http[] = "HTTP/1.";
	const uint8_t *begin = c.p;
	struct cur name = c;
	struct str s = cur_rest(&c, sizeof(http) - 1);

	if (!memcmp(s.s, http, s.len))
		return s.len == sizeof(http) - 1 ? SURE_YES : SURE_MAYBE;
	while (cur_left(&name) && (isalnum(*name.p) || *name.p == '-'))
		name.p++;
	if (!cur_left(&name))
		return SURE_MAYBE;
	return *name.p == ':' && name.p > begin ? SURE_YES : SURE_NO;
}

static struct str value_of(struct str line, size_t name_len)
{
	return str_trim((struct str){ line.s + name_len, line.len - name_len });
}

static void fill_status(struct str status, uint64_t code, struct msg *out)
{
	out->status = status;
	out->code = (int32_t)code;
	out->error = code >= 400;
	out->server_error = code >= 500;
	if (out->error)
		out->error_type = status;
	msg_attr_num(out, ATTR_HTTP_STATUS, out->code);
}

bool cgi_fill_answer(struct cur c, struct msg *out, struct cgi_body *body)
{
	struct str status = STR("200"), line, type = STR_NULL;
	uint64_t code, length;

	if (fields_begin(c) != SURE_YES)
		return false;
	for (line = cur_line(&c); !c.over && line.len; line = cur_line(&c)) {
		if (str_starts(line, "HTTP/1.") && line.len >= 12)
			status = (struct str){ line.s + 9, 3 };
		else if (str_istarts(line, "status:"))
			status = str_head(value_of(line, 7), 3);
		else if (str_istarts(line, "location:") && str_is(status, "200"))
			status = STR("302");
		else if (str_istarts(line, "content-type:"))
			type = value_of(line, 13);
		else if (body && str_istarts(line, "content-length:") &&
		         str_u64(value_of(line, 15), &length))
			*body = (struct cgi_body){ .length = length, .known = true };
	}
	if (!str_u64(status, &code) || code > 999)
		return true;
	fill_status(status, code, out);
	if (type.len)
		msg_attr(out, ATTR_HTTP_CONTENT_TYPE, type);
	return true;
}

/* ----- one request a connection ----- */

void cgi_request(struct cgi_conn *s, const struct cgi_vars *v, bool cut, struct msg *out)
{
	uint64_t length;

	out->kind = MSG_REQ;
	cgi_fill_request(v, out);
	s->head = str_is(v->method, "HEAD");
	if (!str_u64(v->length, &length))
		length = 0;
	out->body = out->skip ? 0 : length;
	out->skip += length;
	if (cut)
		out->flags |= MSG_F_CUT;
}

/* Behind the blank line, or NULL where it is not there. */
static const uint8_t *head_end(const struct cur *c)
{
	const uint8_t *crlf = memmem(c->p, cur_left(c), "\n\r\n", 3);
	const uint8_t *lf = memmem(c->p, cur_left(c), "\n\n", 2);

	if (crlf && (!lf || crlf < lf))
		return crlf + 3;
	return lf ? lf + 2 : NULL;
}

static bool has_body(const struct cgi_conn *s, const struct msg *m)
{
	return !s->head && m->code != 204 && m->code != 304;
}

enum parse cgi_answer(struct cgi_conn *s, struct cur *in, struct msg *out)
{
	bool full = cur_left(in) >= PROTO_HEAD || in->cut;
	struct cgi_body body = { .known = false };
	struct msg m = MSG_INIT;
	struct cur c = *in;
	const uint8_t *end;

	if (cur_left(&c) > PROTO_HEAD)
		c.end = c.p + PROTO_HEAD;
	end = head_end(&c);
	if (!cur_left(in) || fields_begin(c) == SURE_NO)
		return cur_left(in) || in->cut ? PARSE_BAD : PARSE_MORE;
	if (!end && !full)
		return PARSE_MORE;
	if (!cgi_fill_answer(c, &m, &body))
		return PARSE_BAD;
	m.kind = MSG_RESP;
	if (!end)
		m.flags |= MSG_F_CUT;
	if (has_body(s, &m) && !(body.known && !body.length)) {
		m.flags |= MSG_F_BODY | (body.known && end ? 0 : MSG_F_CLOSES);
		m.skip = m.body = body.known && end ? body.length : UINT64_MAX;
	}
	*out = m;
	in->p = end ? end : c.end;
	return PARSE_OK;
}

enum sure cgi_answers(struct cur c)
{
	enum sure first = fields_begin(c);
	struct msg m = MSG_INIT;

	if (first != SURE_YES || !head_end(&c))
		return first == SURE_NO ? SURE_NO : SURE_MAYBE;
	return cgi_fill_answer(c, &m, NULL) && m.code >= 100 ? SURE_YES : SURE_NO;
}

const uint8_t *cgi_resync_answer(struct cur in)
{
	return cgi_answers(in) == SURE_NO ? NULL : in.p;
}
