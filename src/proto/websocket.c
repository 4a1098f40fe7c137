// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * websocket - WebSocket (RFC 6455), from the upgrade of HTTP/1.1 to the Close.
 *
 * A connection is one request: that which asked for the upgrade. Its frames are
 * counted, their payload is left. It ends with the second Close frame, or with
 * the connection, which is an error where neither side had sent a Close.
 *
 * A connection that was open before tracing began says nothing of itself: what
 * tells are frames that follow upon each other, masked where the client sends,
 * with text that is text.
 */
#include "proto/proto.h"

enum opcode {
	OP_CONTINUE = 0,
	OP_TEXT = 1,
	OP_BINARY = 2,
	OP_CLOSE = 8,
	OP_PING = 9,
	OP_PONG = 10
};

enum {
	OPCODES = 16,
	FIN = 0x80,
	RSV1 = 0x40, /* permessage-deflate (RFC 7692) */
	RSV23 = 0x30,
	MASKED = 0x80,
	CONTROL_MAX = 125,
	NO_CODE = 1005,
	ABNORMAL = 1006,
};

struct side {
	uint64_t frames[OPCODES], messages, bytes;
	bool heard, lost, closed;
	char opcodes[112];
};

struct websocket {
	struct side side[2];
	bool begun, said; /* said: all of it */
	uint16_t code;    /* of the first Close; 0: none yet */
	uint8_t reason_len, by;
	char reason[CONTROL_MAX];
	char number[8];
};

/* ----- frames ----- */

struct frame {
	uint64_t len;
	uint8_t opcode;
	bool fin, packed;
	uint8_t key[4]; /* zero where it is not masked */
};

/* What a header may look like in this direction. */
static bool fits(uint8_t first, uint8_t second, enum dir dir)
{
	unsigned int opcode = first & 0x0f;

	if (first & RSV23 || !!(second & MASKED) != (dir == DIR_REQ))
		return false;
	if (opcode >= OP_CLOSE)
		return opcode <= OP_PONG && first & FIN && !(first & RSV1) &&
		       (second & 0x7f) <= CONTROL_MAX;
	return opcode <= OP_BINARY && !(first & RSV1 && opcode == OP_CONTINUE);
}

/* PARSE_OK and *c behind the header. */
static enum parse read_header(struct cur *c, enum dir dir, struct frame *f)
{
	struct cur at = *c;
	uint8_t first = cur_u8(&at), second = cur_u8(&at);
	size_t more = (second & 0x7f) == 126 ? 2 : (second & 0x7f) == 127 ? 8 : 0;
	const uint8_t *key;

	if (at.over)
		return PARSE_MORE;
	if (!fits(first, second, dir))
		return PARSE_BAD;
	*f = (struct frame){ .opcode = first & 0x0f, .fin = first & FIN, .packed = first & RSV1 };
	f->len = more ? cur_be(&at, more) : second & 0x7f;
	/* the shortest form is the only one */
	if (!at.over && more && (f->len >> 63 || f->len < (more == 2 ? 126 : 65536)))
		return PARSE_BAD;
	key = dir == DIR_REQ ? cur_take(&at, 4) : NULL;
	if (at.over)
		return PARSE_MORE;
	if (key)
		memcpy(f->key, key, 4);
	*c = at;
	return PARSE_OK;
}

/* ----- what is said at the end ----- */

static const char *const names[OPCODES] = {
	[OP_CONTINUE] = "continuation", [OP_TEXT] = "text", [OP_BINARY] = "binary",
	[OP_CLOSE] = "close",           [OP_PING] = "ping", [OP_PONG] = "pong",
};

static size_t put(char *to, size_t at, size_t cap, const char *text, size_t len)
{
	if (len > cap - at)
		len = cap - at;
	memcpy(to + at, text, len);
	return at + len;
}

static size_t put_number(char *to, size_t at, size_t cap, uint64_t n)
{
	char digits[20];
	size_t from = sizeof(digits);

	do
		digits[--from] = (char)('0' + n % 10);
	while (n /= 10);
	return put(to, at, cap, digits + from, sizeof(digits) - from);
}

/* "text 5, ping 1" */
static struct str opcodes(struct side *s)
{
	size_t n = 0, cap = sizeof(s->opcodes);

	for (unsigned int i = 0; i < OPCODES; i++) {
		if (!s->frames[i])
			continue;
		n = put(s->opcodes, n, cap, ", ", n ? 2 : 0);
		n = put(s->opcodes, n, cap, names[i], strlen(names[i]));
		n = put(s->opcodes, n, cap, " ", 1);
		n = put_number(s->opcodes, n, cap, s->frames[i]);
	}
	return (struct str){ s->opcodes, n };
}

/* Where frames were lost, how many there were is not known. */
static void fill_side(struct side *s, enum dir dir, struct msg *out)
{
	bool resp = dir == DIR_RESP;
	uint64_t frames = 0;

	if (s->lost)
		return;
	for (unsigned int i = 0; i < OPCODES; i++)
		frames += s->frames[i];
	msg_attr_num(out, resp ? ATTR_WS_RESP_MESSAGES : ATTR_WS_REQ_MESSAGES,
	             (int64_t)s->messages);
	msg_attr_num(out, resp ? ATTR_WS_RESP_FRAMES : ATTR_WS_REQ_FRAMES, (int64_t)frames);
	msg_attr_num(out, resp ? ATTR_WS_RESP_BYTES : ATTR_WS_REQ_BYTES, (int64_t)s->bytes);
	msg_attr(out, resp ? ATTR_WS_RESP_OPCODES : ATTR_WS_REQ_OPCODES, opcodes(s));
}

/* RFC 6455 7.4: what the application defines (from 3000 on) says nothing of success. */
static bool is_error(unsigned int code)
{
	return code > 1001 && code < 3000 && code != NO_CODE;
}

static void fill_close(struct websocket *w, struct msg *out)
{
	msg_attr_num(out, ATTR_WS_CLOSE_CODE, w->code);
	if (w->reason_len)
		msg_attr(out, ATTR_WS_CLOSE_REASON, (struct str){ w->reason, w->reason_len });
	if (w->code != ABNORMAL)
		msg_attr(out, ATTR_WS_CLOSED_BY, w->by == DIR_REQ ? STR("client") : STR("server"));
	if (!is_error(w->code))
		return;
	out->error = out->server_error = true;
	out->error_type =
		(struct str){ w->number, put_number(w->number, 0, sizeof(w->number), w->code) };
}

static void fill(struct websocket *w, struct msg *out)
{
	fill_side(&w->side[DIR_REQ], DIR_REQ, out);
	fill_side(&w->side[DIR_RESP], DIR_RESP, out);
	if (w->code)
		fill_close(w, out);
}

/* ----- parse ----- */

/* Code and reason of the first Close; its payload stands at c. */
static void first_close(struct websocket *w, enum dir dir, const struct frame *f, struct cur c)
{
	uint8_t text[CONTROL_MAX];
	size_t n = cur_left(&c) < f->len ? cur_left(&c) : (size_t)f->len;

	w->by = dir;
	w->code = NO_CODE;
	for (size_t i = 0; i < n; i++)
		text[i] = c.p[i] ^ f->key[i % 4];
	if (n < 2)
		return;
	w->code = (uint16_t)(text[0] << 8 | text[1]);
	if (!w->code)
		w->code = NO_CODE;
	w->reason_len = (uint8_t)(n - 2);
	memcpy(w->reason, text + 2, n - 2);
}

static enum parse close_frame(struct websocket *w, enum dir dir, const struct frame *f,
                              struct cur *c, struct msg *out)
{
	if (cur_left(c) < f->len && !c->cut)
		return PARSE_MORE;
	if (!w->code)
		first_close(w, dir, f, *c);
	out->skip = f->len - cur_rest(c, (size_t)f->len).len;
	w->side[dir].closed = true;
	return PARSE_OK;
}

static void count(struct side *s, const struct frame *f)
{
	s->heard = true;
	s->frames[f->opcode]++;
	s->messages += f->opcode < OP_CLOSE && f->fin;
	s->bytes += f->len;
}

static enum parse websocket_parse(void *state, enum dir dir, struct cur *in, struct msg *out)
{
	struct websocket *w = state;
	struct cur c = *in;
	struct frame f;
	enum parse r;

	if (!cur_left(in))
		return PARSE_MORE;
	if (w->said) { /* what follows the handshake of Close means nothing */
		*out = MSG_INIT;
		out->skip = UINT64_MAX;
		in->p++;
		return PARSE_OK;
	}
	r = read_header(&c, dir, &f);
	if (r == PARSE_OK && f.opcode == OP_CLOSE) {
		struct msg m = MSG_INIT;

		r = close_frame(w, dir, &f, &c, &m);
		if (r == PARSE_OK)
			*out = m;
	} else if (r == PARSE_OK) {
		*out = MSG_INIT;
		out->skip = f.len;
	}
	if (r != PARSE_OK)
		return r == PARSE_MORE && in->cut ? PARSE_BAD : r;
	count(&w->side[dir], &f);
	out->kind = w->begun ? MSG_NONE : MSG_REQ;
	out->flags = w->begun ? 0 : MSG_F_JOINS;
	out->proto = PROTO_WEBSOCKET;
	w->begun = true;
	if (w->side[DIR_REQ].closed && w->side[DIR_RESP].closed) {
		out->kind = MSG_RESP;
		out->flags = dir == DIR_REQ ? MSG_F_GIVEUP : 0;
		w->said = true;
		fill(w, out);
	}
	in->p = c.p;
	return PARSE_OK;
}

static bool websocket_finish(void *state, bool over, struct msg *out)
{
	struct websocket *w = state;

	if (w->said)
		return false;
	if (over && !w->code)
		w->code = ABNORMAL;
	*out = MSG_INIT;
	out->kind = over ? MSG_RESP : MSG_INTERIM;
	fill(w, out);
	w->said = true;
	return true;
}

/* ----- detection, and the place after lost bytes ----- */

enum { WALK = 8, TEXT_LOOK = 256 };

/* Frames that follow upon each other. */
struct walk {
	unsigned int whole, texts;
	bool bad;
	bool exact; /* the last one ends where the bytes end */
};

/* Whether what there is of a message's text is text. */
static bool is_text(const struct frame *f, struct cur c)
{
	uint8_t text[TEXT_LOOK];
	size_t n = cur_left(&c) < f->len ? cur_left(&c) : (size_t)f->len, i = 0;

	n = n < TEXT_LOOK ? n : TEXT_LOOK;
	for (i = 0; i < n; i++) {
		text[i] = c.p[i] ^ f->key[i % 4];
		if (text[i] < ' ' && text[i] != '\n' && text[i] != '\r' && text[i] != '\t')
			return false;
	}
	for (i = 0; i < n;) {
		uint32_t cp;
		size_t len = str_utf8_len(text + i, n - i, &cp);

		if (!len)
			return n - i < 4 && (n < f->len); /* a character that is cut */
		i += len;
	}
	return true;
}

static struct walk walk(struct cur c, enum dir dir)
{
	struct walk w = { .whole = 0 };
	bool inside = false; /* a message in several frames */

	while (cur_left(&c) && w.whole < WALK) {
		struct frame f;
		enum parse r = read_header(&c, dir, &f);

		w.bad = r == PARSE_BAD;
		if (r != PARSE_OK)
			return w;
		if (f.opcode < OP_CLOSE && inside != (f.opcode == OP_CONTINUE))
			w.bad = true;
		else if (f.opcode < OP_CLOSE)
			inside = !f.fin;
		if (f.opcode == OP_TEXT && !f.packed && !is_text(&f, c))
			w.bad = true;
		if (w.bad || cur_left(&c) < f.len)
			return w;
		w.texts += f.opcode == OP_TEXT && !f.packed && f.len > 1;
		w.whole++;
		c.p += f.len;
	}
	w.exact = !cur_left(&c);
	return w;
}

static enum sure websocket_detect(const struct first *f)
{
	struct walk req, resp;

	if (f->from_start) /* HTTP comes first, and says what follows */
		return SURE_NO;
	req = walk(f->req, DIR_REQ);
	resp = walk(f->resp, DIR_RESP);
	if (req.bad || resp.bad)
		return SURE_NO;
	if (req.whole >= 4 || (req.whole >= 2 && req.texts + resp.texts >= 4) || resp.texts >= 6)
		return SURE_YES;
	if (req.whole + resp.whole >= 3 && req.whole && req.texts + resp.texts)
		return SURE_LIKELY;
	return SURE_MAYBE;
}

static const uint8_t *websocket_resync(void *state, enum dir dir, struct cur in)
{
	struct websocket *w = state;

	w->side[dir].lost |= w->side[dir].heard;
	for (; cur_left(&in) > 1; in.p++) {
		struct walk k;

		if (!fits(in.p[0], in.p[1], dir))
			continue;
		k = walk(in, dir);
		if (!k.bad && (k.whole > 1 || (k.whole && k.exact)))
			return in.p;
	}
	return NULL;
}

static const struct proto_op ops[] = {
	{ "upgrade of HTTP/1.1", OP_PARSED },
	{ "text", OP_PARSED },
	{ "binary", OP_PARSED },
	{ "continuation", OP_PARSED },
	{ "close", OP_PARSED },
	{ "ping", OP_PARSED },
	{ "pong", OP_PARSED },
	{ "extended CONNECT of HTTP/2 (RFC 8441)", OP_UNKNOWN },
	{ NULL, OP_UNKNOWN },
};

const struct proto proto_websocket = {
	.name = "websocket",
	.title = "WebSocket (RFC 6455)",
	.limits = "one span a connection, messages are counted, not shown; where frames were lost "
		  "they are not counted; of one that was open before, the request is unknown",
	.ops = ops,
	.family = FAMILY_HTTP,
	.state_size = sizeof(struct websocket),
	.in_order = true,
	.session = true,
	.full_payload = true,
	.detect = websocket_detect,
	.parse = websocket_parse,
	.resync = websocket_resync,
	.finish = websocket_finish,
};
