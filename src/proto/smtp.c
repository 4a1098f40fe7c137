// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * smtp - SMTP (RFC 5321) with PIPELINING, CHUNKING (3030), AUTH (4954), STARTTLS (3207).
 *
 * The server speaks first. Commands are lines, answered in order by a code. Behind
 * DATA, once the server has said 354, comes a message up to a line with a single
 * dot, which is part of that request; behind AUTH, after 334, a line of credentials,
 * which are never shown. So the parser counts the replies that are still to come
 * before that of DATA or AUTH, and what the client says next waits for it.
 */
#include "proto/proto.h"

#define DOT "\r\n.\r\n"

enum { LINE_LEN = 4096, DOT_LEN = 5, WORD_MIN = 3, WORD_MAX = 16 };

enum turn { COMMANDS, ASKED_DATA, IN_DATA, ASKED_AUTH, IN_AUTH, ASKED_TLS };

struct smtp {
	uint8_t turn;
	uint8_t dot;    /* bytes of CR LF . CR LF that have come */
	bool greeted;   /* the server has spoken */
	bool lost;      /* bytes of the message are missing: whether it has ended is not known */
	bool answered;  /* the reply to the message is here already */
	bool sized;     /* the next reply is that to a message of ->size bytes */
	uint32_t open;  /* commands without their reply */
	uint32_t ahead; /* of those before the one that `turn` speaks of */
	uint64_t size;  /* of the message, as it stands on the wire */
};

static const char *const verbs[] = {
	"EHLO", "HELO", "MAIL", "RCPT", "DATA",     "BDAT", "RSET", "VRFY",    "EXPN",
	"HELP", "NOOP", "QUIT", "AUTH", "STARTTLS", "ETRN", "TURN", "XCLIENT", "XFORWARD",
};

/* ----- what the client says ----- */

static struct str next_word(struct str *s)
{
	struct str word;
	size_t n = 0;

	*s = str_trim(*s);
	while (n < s->len && s->s[n] != ' ' && s->s[n] != '\t')
		n++;
	word = (struct str){ s->s, n };
	*s = str_trim((struct str){ s->s + n, s->len - n });
	return word;
}

static struct str verb_of(struct str word)
{
	for (size_t i = 0; i < sizeof(verbs) / sizeof(*verbs); i++)
		if (str_iis(word, verbs[i]))
			return str_of(verbs[i]);
	return STR_NULL;
}

/* "FROM:<a@b> SIZE=1": a@b; a source route stays. */
static struct str address(struct str s)
{
	const char *open = memchr(s.s, '<', s.len), *close, *colon = memchr(s.s, ':', s.len);

	if (!open && colon) { /* some leave out the brackets */
		s = (struct str){ colon + 1, (size_t)(s.s + s.len - colon - 1) };
		return next_word(&s);
	}
	if (!open)
		return STR_NULL;
	close = memchr(open, '>', (size_t)(s.s + s.len - open));
	return close ? (struct str){ open + 1, (size_t)(close - open - 1) } : STR_NULL;
}

static void begin_message(struct smtp *s)
{
	s->turn = IN_DATA;
	s->dot = 2; /* the line before has ended: the message may be empty */
	s->size = 0;
	s->sized = true;
	s->lost = s->answered = false;
}

static void await(struct smtp *s, enum turn turn)
{
	s->turn = (uint8_t)turn;
	s->ahead = s->open - 1;
}

static bool is_word(struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		if ((s.s[i] | 0x20) < 'a' || (s.s[i] | 0x20) > 'z')
			return false;
	return s.len >= WORD_MIN && s.len <= WORD_MAX;
}

/* What a command says beside its verb. */
static enum parse arguments(struct smtp *s, struct str rest, struct msg *out)
{
	struct str op = out->op;

	if (str_is(op, "MAIL") || str_is(op, "RCPT")) {
		out->target = address(rest);
	} else if (str_is(op, "DATA")) {
		await(s, ASKED_DATA);
	} else if (str_is(op, "BDAT")) {
		if (!str_u64(next_word(&rest), &out->skip))
			return PARSE_BAD;
		msg_attr_num(out, ATTR_SMTP_SIZE, (int64_t)(out->skip & INT64_MAX));
	} else if (str_is(op, "AUTH")) {
		await(s, ASKED_AUTH);
		out->target = next_word(&rest); /* the mechanism; no credentials */
	} else if (str_is(op, "STARTTLS")) {
		await(s, ASKED_TLS);
	} else if (rest.len && (str_is(op, "EHLO") || str_is(op, "HELO") || str_is(op, "VRFY") ||
	                        str_is(op, "EXPN") || str_is(op, "HELP") || str_is(op, "ETRN"))) {
		out->target = rest;
	}
	return PARSE_OK;
}

static enum parse command(struct smtp *s, struct cur *c, struct msg *out)
{
	struct str rest = cur_line(c), word = next_word(&rest);

	if (c->over)
		return PARSE_MORE;
	out->op = verb_of(word);
	if (!out->op.s)
		out->op = is_word(word) ? STR("_OTHER") : STR_NULL;
	if (!out->op.s)
		return PARSE_BAD;
	out->kind = MSG_REQ;
	s->open++;
	return arguments(s, rest, out);
}

/* The message, as far as it is here. */
static enum parse message(struct smtp *s, struct cur *c, struct msg *out)
{
	const uint8_t *begin = c->p;

	out->flags |= MSG_F_RUN;
	while (cur_left(c) && s->dot < DOT_LEN) {
		uint8_t ch = *c->p++;

		if (ch == (uint8_t)DOT[s->dot])
			s->dot++;
		else
			s->dot = ch == '\r';
	}
	s->size += (uint64_t)(c->p - begin);
	if (s->dot == DOT_LEN) {
		s->size -= DOT_LEN - 2; /* the dot and what ends its line */
		s->turn = COMMANDS;
	}
	return PARSE_OK;
}

static enum parse request(struct smtp *s, struct cur *c, bool full, struct msg *out)
{
	switch (s->turn) {
	case ASKED_DATA:
	case ASKED_AUTH:
	case ASKED_TLS:
		if (!full)
			return PARSE_MORE; /* the reply tells what this is */
		if (s->turn == ASKED_DATA)
			begin_message(s);
		else
			s->turn = COMMANDS;
		return request(s, c, full, out);
	case IN_DATA:
		return message(s, c, out);
	case IN_AUTH:
		cur_line(c);
		if (c->over)
			return PARSE_MORE;
		s->turn = ASKED_AUTH;
		return PARSE_OK;
	default:
		return command(s, c, out);
	}
}

/* ----- what the server says ----- */

/* The next line of a reply: its code, whether more follow, its text. */
static enum parse reply_line(struct cur *c, int32_t *code, bool *more, struct str *text)
{
	struct str line = cur_line(c);
	uint64_t n;

	if (c->over)
		return PARSE_MORE;
	if (line.len < 3 || !str_u64((struct str){ line.s, 3 }, &n) || n < 200 || n > 599 ||
	    (line.len > 3 && line.s[3] != ' ' && line.s[3] != '-'))
		return PARSE_BAD;
	*code = (int32_t)n;
	*more = line.len > 3 && line.s[3] == '-';
	*text = line.len > 4 ? (struct str){ line.s + 4, line.len - 4 } : STR("");
	return PARSE_OK;
}

/* "5.1.1 no such user" (RFC 2034) */
static struct str enhanced(struct str text, int32_t code)
{
	size_t n = 0, dots = 0;

	while (n < text.len && (text.s[n] == '.' || (text.s[n] >= '0' && text.s[n] <= '9')))
		dots += text.s[n++] == '.';
	return dots == 2 && text.s[0] == '0' + code / 100 ? (struct str){ text.s, n } : STR_NULL;
}

/* What a reply means for what the client says next. */
static void turn(struct smtp *s, int32_t code, struct msg *out)
{
	enum turn was = (enum turn)s->turn;

	if (s->sized && !s->lost)
		msg_attr_num(out, ATTR_SMTP_SIZE, (int64_t)(s->size & INT64_MAX));
	s->sized = false;
	if (was == IN_DATA) { /* early, unless the end of the message was lost */
		s->answered = true;
		if (s->lost)
			s->turn = COMMANDS;
	} else if (was == IN_AUTH) {
		s->turn = COMMANDS;
	} else if (was != COMMANDS && s->ahead) {
		s->ahead--;
	} else if (was == ASKED_DATA && code == 354) {
		begin_message(s);
	} else {
		s->turn = was == ASKED_AUTH && code == 334 ? IN_AUTH : COMMANDS;
		if (was == ASKED_TLS && code == 220)
			out->next = PROTO_TLS;
	}
}

/* The server's own fault: it goes away, a local error, no room, no TLS or AUTH for now. */
static bool is_server_error(int32_t code)
{
	return code == 421 || (code >= 451 && code <= 455);
}

static void result(struct str line, int32_t code, struct str text, struct msg *out)
{
	out->status = (struct str){ line.s, 3 };
	out->code = code;
	msg_attr(out, ATTR_SMTP_ENHANCED, enhanced(text, code));
	if (code < 400)
		return;
	out->error = true;
	out->server_error = is_server_error(code);
	out->error_type = out->status;
	if (text.len)
		msg_attr(out, ATTR_ERROR_MESSAGE, str_head(text, 256));
}

/* All lines of a reply: the code of the first, and its text. */
static enum parse reply_lines(struct cur *c, int32_t *code, struct str *head)
{
	struct str text;
	int32_t later;
	bool more;
	enum parse r = reply_line(c, code, &more, head);

	while (r == PARSE_OK && more) {
		r = reply_line(c, &later, &more, &text);
		if (r == PARSE_OK && later != *code)
			r = PARSE_BAD;
	}
	return r;
}

static enum parse reply(struct smtp *s, struct cur *c, struct msg *out)
{
	struct str text, line = { (const char *)c->p, 3 };
	bool greets = !s->greeted;
	int32_t code = 0;
	enum parse r = reply_lines(c, &code, &text);

	if (r != PARSE_OK)
		return r;
	s->greeted = true;
	if (!s->open && code == 354 && s->turn == COMMANDS) { /* to a DATA that nobody saw */
		begin_message(s);
		out->kind = MSG_INTERIM;
		return PARSE_OK;
	}
	if (!s->open && !s->sized && (greets || code == 421)) {
		out->kind = code >= 400 ? MSG_PUSH : MSG_NONE;
		return PARSE_OK;
	}
	turn(s, code, out);
	out->kind = code == 354 || code == 334 ? MSG_INTERIM : MSG_RESP;
	if (out->kind == MSG_RESP) {
		result(line, code, text, out);
		if (s->open)
			s->open--;
	}
	return PARSE_OK;
}

static enum parse smtp_parse(void *state, enum dir dir, struct cur *in, struct msg *out)
{
	bool full = cur_left(in) >= PROTO_HEAD || in->cut;
	struct smtp *s = state, was = *s;
	struct msg m = MSG_INIT;
	struct cur c = *in;
	enum parse r;

	if (!cur_left(in))
		return in->cut ? PARSE_BAD : PARSE_MORE;
	if (cur_left(in) > PROTO_HEAD)
		c.end = c.p + PROTO_HEAD;
	r = dir == DIR_REQ ? request(s, &c, full, &m) : reply(s, &c, &m);
	if (r != PARSE_OK) {
		*s = was;
		return r == PARSE_MORE && (full || (dir == DIR_REQ && cur_left(in) > LINE_LEN &&
		                                    s->turn == COMMANDS))
		               ? PARSE_BAD
		               : r;
	}
	*out = m;
	in->p = c.p;
	return PARSE_OK;
}

/* ----- detection, and the place after lost bytes ----- */

/* A line that only SMTP has. */
static bool is_own(struct str line)
{
	struct str verb;

	if (str_istarts(line, "MAIL FROM:<") || str_istarts(line, "RCPT TO:<"))
		return memchr(line.s, '>', line.len);
	verb = next_word(&line);
	return (str_iis(verb, "EHLO") || str_iis(verb, "HELO")) && line.len &&
	       !memchr(line.s, ' ', line.len);
}

/* A line that is no text of a message, as far as one can tell. */
static bool is_command(struct str line)
{
	static const char *const alone[] = { "DATA", "RSET", "QUIT", "NOOP", "STARTTLS" };
	uint64_t n;

	for (size_t i = 0; i < sizeof(alone) / sizeof(*alone); i++)
		if (str_iis(line, alone[i]))
			return true;
	if (!str_istarts(line, "BDAT "))
		return is_own(line);
	next_word(&line);
	return str_u64(next_word(&line), &n);
}

/* A whole line of a client's, of the first ones: where it is not the start, of any. */
static bool client_tells(struct cur c, bool from_start)
{
	while (cur_left(&c)) {
		struct str line = cur_line(&c);

		if (c.over)
			return false;
		if (is_own(line))
			return true;
		if (from_start && !is_command(line))
			return false;
	}
	return false;
}

/* A whole reply; *greets: it is a greeting that names SMTP. */
static bool server_tells(struct cur c, bool *greets)
{
	struct str text;
	int32_t code = 0;

	*greets = false;
	if (reply_lines(&c, &code, &text) != PARSE_OK)
		return false;
	for (size_t i = 0; code == 220 && i + 4 <= text.len; i++)
		*greets |= str_istarts((struct str){ text.s + i, text.len - i }, "SMTP");
	return true;
}

/* Could still become a command or a code. */
static bool begins(struct cur c, enum dir dir)
{
	if (!cur_left(&c))
		return true;
	if (dir == DIR_RESP)
		return *c.p >= '2' && *c.p <= '5';
	for (size_t i = 0; i < sizeof(verbs) / sizeof(*verbs); i++) {
		size_t n = strlen(verbs[i]), have = cur_left(&c) < n ? cur_left(&c) : n;

		if (str_ieq((struct str){ (const char *)c.p, have },
		            (struct str){ verbs[i], have }))
			return true;
	}
	return false;
}

static enum sure smtp_detect(const struct first *f)
{
	bool greets, client = client_tells(f->req, f->from_start);
	bool server = server_tells(f->resp, &greets);

	if ((f->from_start && !begins(f->req, DIR_REQ)) || !begins(f->resp, DIR_RESP))
		return SURE_NO;
	if ((greets && f->from_start) || (client && (server || !cur_left(&f->resp))))
		return SURE_YES;
	return SURE_MAYBE;
}

/* Behind the message, or at a command where the reply to it has been seen. */
static const uint8_t *behind_message(struct smtp *s, struct cur in)
{
	const uint8_t *end = memmem(in.p, cur_left(&in), DOT, DOT_LEN);

	s->lost = true;
	s->dot = 0;
	return end;
}

static const uint8_t *smtp_resync(void *state, enum dir dir, struct cur in)
{
	struct smtp *s = state;
	const uint8_t *begin = in.p;
	bool greets;

	if (dir == DIR_REQ && s->turn == IN_DATA && !s->answered)
		return behind_message(s, in);
	s->open = s->ahead = 0;
	if (dir == DIR_REQ || s->turn != IN_DATA)
		s->turn = COMMANDS;
	for (; cur_left(&in); in.p++) {
		struct cur c = in;
		struct str line;

		if (in.p != begin && in.p[-1] != '\n')
			continue;
		if (dir == DIR_RESP && server_tells(in, &greets))
			return in.p;
		line = cur_line(&c);
		if (dir == DIR_REQ && !c.over && is_command(line))
			return in.p;
	}
	return NULL;
}

static const struct proto_op ops[] = {
	{ "EHLO", OP_PARSED },          { "HELO", OP_PARSED },     { "MAIL", OP_PARSED },
	{ "RCPT", OP_PARSED },          { "DATA", OP_PARSED },     { "BDAT", OP_PARSED },
	{ "RSET", OP_PARSED },          { "VRFY", OP_PARSED },     { "EXPN", OP_PARSED },
	{ "HELP", OP_PARSED },          { "NOOP", OP_PARSED },     { "QUIT", OP_PARSED },
	{ "AUTH", OP_PARSED },          { "STARTTLS", OP_PARSED }, { "ETRN", OP_NAMED },
	{ "TURN", OP_NAMED },           { "XCLIENT", OP_NAMED },   { "XFORWARD", OP_NAMED },
	{ "other commands", OP_NAMED }, { NULL, OP_UNKNOWN },
};

const struct proto proto_smtp = {
	.name = "smtp",
	.title = "SMTP (RFC 5321)",
	.family = FAMILY_NAMED,
	.limits = "what a message says is counted, not read; no LMTP",
	.ops = ops,
	.rules = { { .len = 5, .value = "EHLO ", .mask = { 255, 255, 255, 255, 255 } },
	           { .len = 5, .value = "HELO ", .mask = { 255, 255, 255, 255, 255 } } },
	.ports = { 25, 587, 2525 },
	.state_size = sizeof(struct smtp),
	.in_order = true,
	.full_payload = true,
	.detect = smtp_detect,
	.parse = smtp_parse,
	.resync = smtp_resync,
};
