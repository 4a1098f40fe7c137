// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * nats - the client protocol of NATS, headers and JetStream included.
 *
 * Lines of words; PUB, HPUB, MSG and HMSG end in a count of bytes, which follow
 * with CR LF behind (https://docs.nats.io/reference/reference-protocols/nats-protocol).
 * Nothing is answered, unless the client asked for it in CONNECT (verbose: each
 * line gets +OK). So a publication is one-way, but one that names a subject for
 * the reply is a request, and the message on that inbox its answer. On the
 * connection of whoever answers, the message that is handed out is the request,
 * and what it publishes on the subject of the reply the answer. JetStream's
 * acknowledgements are told apart likewise, by $JS.ACK.
 *
 * A pair is found by the hash of the reply's subject, the lowest bit of which says
 * who asked: a client may well answer itself.
 */
#include "proto/proto.h"

struct nats {
	bool verbose;
};

enum { WORDS = 8, LINE_MAX = 4096 + 64, INBOX = 1, HANDED = 0, ID_PING = 3, ID_OK = 5 };

struct line {
	struct str word[WORDS];
	unsigned int n;
	struct str rest; /* behind the first word */
};

/* ----- lines ----- */

static enum parse take_line(struct cur *c, struct line *l)
{
	struct cur at = *c, words;
	struct str text = cur_line(&at);

	if (at.over)
		return cur_left(c) < LINE_MAX ? PARSE_MORE : PARSE_BAD;
	*l = (struct line){ .n = 0 };
	words = cur_of(text.s, text.len);
	while (cur_left(&words) && l->n < WORDS) {
		const char *begin = (const char *)words.p;
		size_t n = 0;

		while (n < cur_left(&words) && begin[n] != ' ' && begin[n] != '\t')
			n++;
		if (n)
			l->word[l->n++] = (struct str){ begin, n };
		words.p += n + (n < cur_left(&words));
		if (l->n == 1 && !l->rest.s)
			l->rest = (struct str){ (const char *)words.p, cur_left(&words) };
	}
	*c = at;
	return PARSE_OK;
}

/* Verbs are known in any case. */
static bool is(const struct line *l, const char *verb)
{
	return l->n && str_iis(l->word[0], verb);
}

/* No blanks, controls or empty parts: "a.b.*", "_INBOX.x.>". */
static bool is_subject(struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		if ((uint8_t)s.s[i] <= ' ' || s.s[i] == 0x7f ||
		    (s.s[i] == '.' && (!i || s.s[i - 1] == '.')))
			return false;
	return s.len && s.s[s.len - 1] != '.';
}

static bool is_reply(struct str subject)
{
	return str_starts(subject, "_INBOX.") || str_starts(subject, "$JS.ACK.");
}

static uint64_t id_of(struct str reply, unsigned int who)
{
	return (str_hash(reply.s, reply.len) & ~(uint64_t)1) | who;
}

/* ----- messages ----- */

/* Words of the four lines that carry one: subject, [sid], [reply], [bytes of headers], bytes. */
struct message {
	struct str subject, reply;
	uint64_t headers, total;
};

static bool message_of(const struct line *l, bool handed, bool headers, struct message *m)
{
	unsigned int fixed = 3u + handed + headers;

	*m = (struct message){ .subject = l->n > 1 ? l->word[1] : STR_NULL };
	if (l->n != fixed && l->n != fixed + 1)
		return false;
	if (l->n > fixed)
		m->reply = l->word[2 + handed];
	return is_subject(m->subject) && (!m->reply.s || is_subject(m->reply)) &&
	       str_u64(l->word[l->n - 1], &m->total) && m->total <= UINT32_MAX &&
	       (!headers || (str_u64(l->word[l->n - 2], &m->headers) && m->headers <= m->total));
}

/* "NATS/1.0 503 No Responders", then fields, then a blank line. */
static void read_headers(struct cur c, struct msg *out)
{
	struct str line = cur_line(&c);
	uint64_t code;

	if (str_starts(line, "NATS/1.0 ") && line.len >= 12 &&
	    str_u64((struct str){ line.s + 9, 3 }, &code)) {
		out->status = (struct str){ line.s + 9, 3 };
		out->code = (int32_t)code;
		out->error = code >= 400;
		out->server_error = code >= 500;
		out->error_type = out->error ? out->status : STR_NULL;
	}
	for (line = cur_line(&c); !c.over && line.len; line = cur_line(&c)) {
		if (str_istarts(line, "traceparent:"))
			out->traceparent = str_trim((struct str){ line.s + 12, line.len - 12 });
		else if (str_istarts(line, "tracestate:"))
			out->tracestate = str_trim((struct str){ line.s + 11, line.len - 11 });
		else if (str_istarts(line, "baggage:"))
			msg_baggage(out, str_trim((struct str){ line.s + 8, line.len - 8 }));
		else if (str_istarts(line, "nats-msg-id:"))
			msg_attr(out, ATTR_MESSAGING_MESSAGE_ID,
			         str_trim((struct str){ line.s + 12, line.len - 12 }));
	}
}

/* Headers are waited for as far as they fit in a head; the body is left. */
static enum parse take_body(const struct message *m, struct cur *c, bool full, struct msg *out)
{
	struct cur headers = *c;

	out->skip = m->total + 2;
	msg_attr_num(out, ATTR_MESSAGING_BODY_SIZE, (int64_t)(m->total - m->headers));
	if (!m->headers)
		return PARSE_OK;
	if (cur_left(c) < m->headers && !full)
		return PARSE_MORE;
	if (cur_left(c) > m->headers)
		headers.end = headers.p + m->headers;
	else if (cur_left(c) < m->headers)
		out->flags |= MSG_F_CUT;
	read_headers(headers, out);
	return PARSE_OK;
}

static void set_topic(struct str subject, struct msg *out)
{
	out->topic = out->target = subject;
	if (is_reply(subject) || str_starts(subject, "$JS."))
		out->flags |= MSG_F_TEMPORARY;
}

/* PUB and HPUB. */
static enum parse publish(const struct nats *s, const struct line *l, struct cur *c, bool full,
                          struct msg *out)
{
	struct message m;
	enum parse r;

	if (!message_of(l, false, is(l, "HPUB"), &m))
		return PARSE_BAD;
	r = take_body(&m, c, full, out);
	if (r != PARSE_OK)
		return r;
	if (is_reply(m.subject)) {
		out->kind = MSG_RESP;
		out->id = id_of(m.subject, HANDED);
		return PARSE_OK;
	}
	out->kind = s->verbose ? MSG_REQ : MSG_ONEWAY;
	out->id = ID_OK;
	out->op = STR("publish");
	out->does = MESSAGING_SEND;
	set_topic(m.subject, out);
	/* Asking for messages is answered by the messages themselves. */
	if (m.reply.s && str_starts(m.subject, "$JS.API.CONSUMER.MSG.NEXT.")) {
		out->op = STR("fetch");
		out->does = MESSAGING_RECEIVE;
	} else if (m.reply.s && is_reply(m.reply) && !s->verbose) {
		out->op = str_starts(m.subject, "$JS.API.") ? STR("api") : STR("request");
		out->does = out->op.s[0] == 'a' ? MESSAGING_NONE : MESSAGING_SEND;
		out->kind = MSG_REQ;
		out->id = id_of(m.reply, INBOX);
	} else {
		out->rows = 1;
	}
	return PARSE_OK;
}

/* MSG and HMSG. */
static enum parse deliver(const struct line *l, struct cur *c, bool full, struct msg *out)
{
	struct message m;
	enum parse r;

	if (!message_of(l, true, is(l, "HMSG"), &m))
		return PARSE_BAD;
	r = take_body(&m, c, full, out);
	if (r != PARSE_OK)
		return r;
	if (str_starts(m.subject, "_INBOX.")) {
		out->kind = MSG_RESP;
		out->id = id_of(m.subject, INBOX);
		return PARSE_OK;
	}
	out->kind = m.reply.s && is_reply(m.reply) ? MSG_REQ : MSG_ONEWAY;
	out->id = out->kind == MSG_REQ ? id_of(m.reply, HANDED) : 0;
	out->op = STR("process");
	out->does = MESSAGING_PROCESS;
	out->rows = 1;
	set_topic(m.subject, out);
	return PARSE_OK;
}

/* ----- what the client says ----- */

static enum parse request(struct nats *s, struct cur *c, bool full, struct msg *out)
{
	struct line l;
	enum parse r = take_line(c, &l);

	if (r != PARSE_OK || !l.n)
		return r;
	if (is(&l, "PUB") || is(&l, "HPUB"))
		return publish(s, &l, c, full, out);
	if (is(&l, "PONG"))
		return PARSE_OK;
	if (is(&l, "PING")) {
		out->op = STR("ping");
		out->kind = MSG_REQ;
		out->id = ID_PING;
		return PARSE_OK;
	}
	if (is(&l, "CONNECT") && l.rest.len && l.rest.s[0] == '{') {
		s->verbose = memmem(l.rest.s, l.rest.len, "\"verbose\":true", 14) ||
		             memmem(l.rest.s, l.rest.len, "\"verbose\": true", 15);
		out->op = STR("connect");
	} else if (is(&l, "SUB") && (l.n == 3 || l.n == 4) && is_subject(l.word[1])) {
		out->op = STR("subscribe");
		set_topic(l.word[1], out);
		if (l.n == 4)
			msg_attr(out, ATTR_MESSAGING_GROUP, l.word[2]);
	} else if (is(&l, "UNSUB") && (l.n == 2 || l.n == 3)) {
		out->op = STR("unsubscribe");
	} else {
		return PARSE_BAD;
	}
	out->kind = s->verbose ? MSG_REQ : MSG_ONEWAY;
	out->id = ID_OK;
	return PARSE_OK;
}

/* ----- what the server says ----- */

/* "-ERR 'Authorization Violation'": of what the client said before, or of the connection. */
static enum parse refuse(const struct nats *s, const struct line *l, struct msg *out)
{
	struct str why = str_trim(l->rest);

	if (why.len >= 2 && why.s[0] == '\'')
		why = (struct str){ why.s + 1, why.len - 2 };
	out->kind = s->verbose ? MSG_RESP : MSG_PUSH;
	out->id = ID_OK;
	out->status = out->error_type = STR("-ERR");
	out->error = out->server_error = true;
	msg_attr(out, ATTR_ERROR_MESSAGE, str_head(why, 256));
	return PARSE_OK;
}

static enum parse answer(const struct nats *s, struct cur *c, bool full, struct msg *out)
{
	struct line l;
	enum parse r = take_line(c, &l);

	if (r != PARSE_OK || !l.n)
		return r;
	if (is(&l, "MSG") || is(&l, "HMSG"))
		return deliver(&l, c, full, out);
	if (is(&l, "-ERR"))
		return refuse(s, &l, out);
	if (is(&l, "PONG")) {
		out->kind = MSG_RESP;
		out->id = ID_PING;
		return PARSE_OK;
	}
	if (is(&l, "+OK")) {
		out->kind = MSG_RESP;
		out->id = ID_OK;
		return PARSE_OK;
	}
	return is(&l, "PING") || (is(&l, "INFO") && l.rest.len && l.rest.s[0] == '{') ? PARSE_OK
	                                                                              : PARSE_BAD;
}

static enum parse nats_parse(void *state, enum dir dir, struct cur *in, struct msg *out)
{
	struct nats *s = state, was = *s;
	struct msg m = MSG_INIT;
	struct cur c = *in;
	bool full = cur_left(in) >= PROTO_HEAD || in->cut;
	enum parse r;

	if (!cur_left(in))
		return in->cut ? PARSE_BAD : PARSE_MORE;
	if (cur_left(in) > PROTO_HEAD)
		c.end = c.p + PROTO_HEAD;
	r = dir == DIR_REQ ? request(s, &c, full, &m) : answer(s, &c, full, &m);
	if (r != PARSE_OK) {
		*s = was;
		return r == PARSE_MORE && full ? PARSE_BAD : r;
	}
	*out = m;
	in->p = c.p;
	return PARSE_OK;
}

/* ----- detection, and the place after lost bytes ----- */

/* A whole line that carries a message, or one that only NATS has. */
static bool tells(struct cur c, enum dir dir)
{
	struct message m;
	struct line l;

	if (take_line(&c, &l) != PARSE_OK)
		return false;
	if (dir == DIR_RESP)
		return (is(&l, "INFO") && str_starts(l.rest, "{\"server_id\":")) ||
		       ((is(&l, "MSG") || is(&l, "HMSG")) &&
		        message_of(&l, true, is(&l, "HMSG"), &m));
	return (is(&l, "CONNECT") && str_starts(l.rest, "{")) ||
	       (is(&l, "SUB") && (l.n == 3 || l.n == 4) && is_subject(l.word[1])) ||
	       ((is(&l, "PUB") || is(&l, "HPUB")) && message_of(&l, false, is(&l, "HPUB"), &m));
}

/* Could still become one of the verbs. */
static bool begins(struct cur c, enum dir dir)
{
	static const char *const verbs[2][7] = {
		{ "CONNECT ", "PUB ", "HPUB ", "SUB ", "UNSUB ", "PING\r\n", "PONG\r\n" },
		{ "INFO ", "MSG ", "HMSG ", "+OK\r\n", "-ERR ", "PING\r\n", "PONG\r\n" },
	};

	for (size_t i = 0; i < 7; i++) {
		size_t n = strlen(verbs[dir][i]);
		struct str have = { (const char *)c.p, cur_left(&c) < n ? cur_left(&c) : n };

		if (!have.len || str_ieq(have, (struct str){ verbs[dir][i], have.len }))
			return true;
	}
	return false;
}

static enum sure nats_detect(const struct first *f)
{
	if (!begins(f->req, DIR_REQ) || !begins(f->resp, DIR_RESP))
		return SURE_NO;
	return tells(f->req, DIR_REQ) || tells(f->resp, DIR_RESP) ? SURE_YES : SURE_MAYBE;
}

static const uint8_t *nats_resync(void *state, enum dir dir, struct cur in)
{
	const uint8_t *begin = in.p;

	(void)state;
	for (; cur_left(&in); in.p++)
		if ((in.p == begin || in.p[-1] == '\n') && tells(in, dir))
			return in.p;
	return NULL;
}

static const struct proto_op ops[] = {
	{ "CONNECT", OP_PARSED }, { "PUB", OP_PARSED },   { "HPUB", OP_PARSED },
	{ "SUB", OP_PARSED },     { "UNSUB", OP_PARSED }, { "PING", OP_PARSED },
	{ "PONG", OP_PARSED },    { "MSG", OP_PARSED },   { "HMSG", OP_PARSED },
	{ "+OK", OP_PARSED },     { "-ERR", OP_PARSED },  { "INFO", OP_NAMED },
	{ NULL, OP_UNKNOWN },
};

#define STARTS(text)                                                                             \
	{                                                                                        \
		.len = sizeof(text) - 1, .value = text, .mask = { 255, 255, 255, 255, 255, 255 } \
	}

const struct proto proto_nats = {
	.name = "nats",
	.title = "NATS and JetStream, client protocol",
	.family = FAMILY_MESSAGING,
	.system = "nats",
	.limits =
		"errors inside JetStream's answers are not read; no routes, gateways, leaf nodes; "
		"-ERR belongs to no request unless verbose",
	.ops = ops,
	.rules = { STARTS("INFO {"), STARTS("PUB "), STARTS("HPUB "), STARTS("HMSG "),
	           STARTS("MSG ") },
	.ports = { 4222 },
	.state_size = sizeof(struct nats),
	.full_payload = true,
	.detect = nats_detect,
	.parse = nats_parse,
	.resync = nats_resync,
};
