// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * redis_req - commands of a Redis client: arrays of strings, and inline ones.
 *
 * A command that is longer than the buffered head becomes a message as soon as
 * that is full; its other arguments are counted down unread.
 */
#include "proto/redis.h"

enum { MAX_ARGS = 1 << 24 };

enum parse redis_number(struct cur *c, int64_t *n)
{
	const uint8_t *p = c->p, *end = c->end;
	bool minus = p < end && *p == '-';
	int64_t v = 0;

	p += minus;
	if (p < end && *p == '?' && !minus) {
		v = REDIS_STREAMED;
		p++;
	} else {
		const uint8_t *digits = p;

		for (; p < end && *p >= '0' && *p <= '9' && p - digits < 18; p++)
			v = v * 10 + (*p - '0');
		if (p < end && p == digits)
			return PARSE_BAD;
	}
	if (p < end && *p != '\r')
		return PARSE_BAD;
	if (end - p < 2)
		return PARSE_MORE;
	if (p[1] != '\n')
		return PARSE_BAD;
	*n = minus ? -v : v;
	c->p = p + 2;
	return PARSE_OK;
}

/* ----- arguments ----- */

/* How far the walk over the arguments came. */
struct walk {
	const uint8_t *head; /* where this call began */
	bool full;           /* no more bytes will be shown than there are */
	uint64_t skip;
};

/*
 * One argument, $length and bytes. One that does not end within the head is
 * taken as far as it is there; ->skip then says what else belongs to it.
 */
static enum parse argument(struct cur *c, struct walk *w, struct redis_arg *a)
{
	struct cur at = *c;
	int64_t len = 0;
	size_t have;
	enum parse r;

	if (!cur_left(&at))
		return PARSE_MORE;
	if (cur_u8(&at) != '$')
		return PARSE_BAD;
	r = redis_number(&at, &len);
	if (r != PARSE_OK)
		return r;
	if (len < 0)
		return PARSE_BAD;
	have = cur_left(&at);
	*a = (struct redis_arg){ .s = (const char *)at.p, .len = (size_t)len };
	if (have >= (uint64_t)len + 2) {
		if (at.p[len] != '\r' || at.p[len + 1] != '\n')
			return PARSE_BAD;
		c->p = at.p + len + 2;
		return PARSE_OK;
	}
	if (!w->full)
		return PARSE_MORE;
	if (!c->cut && (uint64_t)(at.p - w->head) + (uint64_t)len + 2 <= PROTO_HEAD)
		return PARSE_MORE;
	a->cut = have < (size_t)len;
	a->len = a->cut ? have : (size_t)len;
	w->skip = (uint64_t)len + 2 - have;
	c->p = c->end;
	return PARSE_OK;
}

/* Up to s->args arguments; those that are kept go to words. PARSE_OK: some were taken. */
static enum parse arguments(struct redis *s, struct cur *c, struct walk *w,
                            struct redis_words *words)
{
	const uint8_t *begin = c->p;

	while (s->args && !w->skip) {
		struct redis_arg a;
		enum parse r = argument(c, w, &a);

		if (r == PARSE_MORE && w->full && c->p != begin)
			break;
		if (r != PARSE_OK)
			return r;
		if (words->n < REDIS_ARGS)
			words->arg[words->n++] = a;
		s->args--;
	}
	return PARSE_OK;
}

/* ----- what a command means for the answers ----- */

static struct str word(const struct redis_words *w, unsigned int i)
{
	return i < w->n ? (struct str){ w->arg[i].s, w->arg[i].len } : STR("");
}

static void expect(struct redis *s, uint64_t n)
{
	unsigned int at = (unsigned int)(s->head + s->count) % REDIS_WAITING;

	if (s->count == REDIS_WAITING || s->multi)
		return;
	s->answers[at] = n < REDIS_ALL_OF_THEM ? (uint16_t)n : REDIS_ALL_OF_THEM - 1;
	if (!n)
		s->answers[at] = REDIS_ALL_OF_THEM;
	s->count++;
}

/* CLIENT REPLY: whether this command itself is answered. */
static bool client(struct redis *s, const struct redis_words *w)
{
	if (!str_iis(word(w, 1), "REPLY"))
		return true;
	if (str_iis(word(w, 2), "ON")) {
		s->silent = s->skip_next = false;
		return true;
	}
	if (str_iis(word(w, 2), "OFF"))
		s->silent = true;
	else if (str_iis(word(w, 2), "SKIP"))
		s->skip_next = true;
	else
		return true;
	return false;
}

static void reset(struct redis *s, struct msg *out)
{
	s->multi = s->monitor = s->silent = s->skip_next = false;
	memset(s->subscribed, 0, sizeof(s->subscribed));
	out->db = STR("0");
	out->flags |= MSG_F_NEWDB_OK;
}

static void exec(struct redis *s, struct msg *out)
{
	if (s->multi && s->queued > 1)
		msg_attr_num(out, ATTR_DB_BATCH_SIZE, s->queued);
	s->multi = false;
}

/* False: the server will not answer. */
static bool effect(struct redis *s, unsigned int act, const struct redis_words *w, struct msg *out)
{
	bool answered = !s->silent && !s->skip_next;

	s->skip_next = false;
	s->queued += s->multi && s->queued < UINT32_MAX;
	switch (act) {
	case REDIS_CLIENT:
		return client(s, w) && !s->silent && answered;
	case REDIS_MULTI:
		s->multi = true;
		s->queued = 0;
		break;
	case REDIS_EXEC:
		s->queued -= s->multi;
		exec(s, out);
		break;
	case REDIS_DISCARD:
		s->multi = false;
		break;
	case REDIS_MONITOR:
		s->monitor = true;
		break;
	case REDIS_PROCEDURE:
		msg_attr(out, ATTR_DB_STORED_PROCEDURE, str_head(word(w, 1), 64));
		break;
	case REDIS_RESET:
		reset(s, out);
		return true;
	case REDIS_SELECT:
		out->db = str_head(word(w, 1), 20);
		out->flags |= MSG_F_NEWDB_OK;
		break;
	case REDIS_SUBSCRIBE:
	case REDIS_UNSUBSCRIBE:
		expect(s, w->total - 1);
		break;
	case REDIS_SYNC:
		s->sync_in = s->waiting + 1;
		break;
	default:
		break;
	}
	return answered;
}

/* CLIENT REPLY ON is answered although the silence lasted until here. */
static bool turns_on(const struct redis_command *cmd, const struct redis_words *w)
{
	return cmd->act == REDIS_CLIENT && str_iis(word(w, 1), "REPLY") &&
	       str_iis(word(w, 2), "ON");
}

static void meant(struct redis *s, const struct redis_words *w, struct msg *out)
{
	const struct redis_command *cmd = redis_text_of(s, w, out);
	bool answered = effect(s, cmd->act, w, out);

	if (cmd->act == REDIS_CLIENT && turns_on(cmd, w))
		answered = true;
	out->kind = answered ? MSG_REQ : MSG_ONEWAY;
	s->waiting += answered && s->waiting < UINT32_MAX;
}

/* ----- inline commands ----- */

/* Words between blanks, in quotes where they hold some. */
static void split(struct str line, struct redis_words *w)
{
	struct cur c = cur_of(line.s, line.len);

	while (cur_left(&c) && w->n < REDIS_ARGS) {
		const char *begin = (const char *)c.p;
		char quote = *begin == '"' || *begin == '\'' ? *begin : ' ';
		const char *end;

		if (*begin == ' ' || *begin == '\t') {
			c.p++;
			continue;
		}
		begin += quote != ' ';
		c.p += quote != ' ';
		end = cur_left(&c) ? memchr(begin, quote, cur_left(&c)) : NULL;
		if (!end)
			end = (const char *)c.end;
		w->arg[w->n++] = (struct redis_arg){ .s = begin, .len = (size_t)(end - begin) };
		c.p = (const uint8_t *)end + (end < (const char *)c.end);
	}
	w->total = w->n;
}

static bool is_letter(uint8_t c)
{
	return (c | 0x20) >= 'a' && (c | 0x20) <= 'z';
}

static enum parse inline_command(struct redis *s, struct cur *c, bool full, struct msg *out)
{
	struct redis_words w = { .n = 0 };
	struct cur at = *c;
	struct str line = cur_line(&at);

	if (!is_letter(*c->p) && *c->p > ' ')
		return PARSE_BAD;
	if (at.over) {
		if (!full)
			return PARSE_MORE;
		line = (struct str){ (const char *)c->p, cur_left(c) };
		at = *c;
		at.p = at.end;
		s->in_line = true;
	}
	split(line, &w);
	*c = at;
	if (!w.n)
		return PARSE_OK; /* an empty line, which the server does not answer */
	meant(s, &w, out);
	return PARSE_OK;
}

static enum parse line_end(struct redis *s, struct cur *c, bool full)
{
	const uint8_t *nl = memchr(c->p, '\n', cur_left(c));

	if (!nl && !full)
		return PARSE_MORE;
	s->in_line = !nl;
	c->p = nl ? nl + 1 : c->end;
	return PARSE_OK;
}

/* ----- commands ----- */

static enum parse array(struct redis *s, struct cur *c, struct walk *walk, struct msg *out)
{
	struct redis_words w;
	int64_t n = 0;
	enum parse r;

	c->p++;
	r = redis_number(c, &n);
	if (r != PARSE_OK)
		return r;
	if (n > MAX_ARGS || n == REDIS_STREAMED)
		return PARSE_BAD;
	if (n <= 0)
		return PARSE_OK; /* not answered */
	s->args = (uint32_t)n;
	w.n = 0;
	w.total = (uint64_t)n;
	r = arguments(s, c, walk, &w);
	if (r != PARSE_OK)
		return r;
	if (w.arg[0].cut)
		return PARSE_BAD;
	meant(s, &w, out);
	return PARSE_OK;
}

enum parse redis_req_command(struct redis *s, struct cur *c, struct msg *out)
{
	struct walk w = { .head = c->p, .full = cur_left(c) >= PROTO_HEAD || c->cut };
	struct redis_words rest;
	uint32_t was = s->args;
	enum parse r;

	rest.n = 0;
	if (s->in_line)
		return line_end(s, c, w.full);
	if (s->args)
		r = arguments(s, c, &w, &rest);
	else if (*c->p == '*')
		r = array(s, c, &w, out);
	else
		r = inline_command(s, c, w.full, out);
	if (r != PARSE_OK)
		s->args = was;
	out->skip = w.skip;
	if (c->cut && (w.skip || s->args))
		out->flags |= MSG_F_CUT;
	return r;
}
