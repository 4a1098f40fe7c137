// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * redis_resp - replies and pushes of a Redis server, RESP2 and RESP3.
 *
 * A reply is walked with one counter of the elements that are still to come:
 * an aggregate of n adds n, whatever the depth. So a reply of any size costs no
 * memory, and one longer than the buffered head becomes MSG_INTERIM parts.
 *
 * Pushes are of their own type in RESP3 only. In RESP2 they are arrays that
 * begin with "message", "pmessage" or "smessage", and are told from replies by
 * the subscriptions that the connection has.
 */
#include "proto/redis.h"

static const uint64_t ENDLESS = UINT64_MAX;

/* ----- the walk ----- */

struct walk {
	const uint8_t *head;
	bool full;
	uint64_t skip;
};

static void count_one(struct redis *s)
{
	s->left -= s->left != ENDLESS;
}

static enum parse count_more(struct redis *s, int64_t n, unsigned int each)
{
	if (n < 0 || n > 1ll << 40)
		return n == -1 ? PARSE_OK : PARSE_BAD;
	if (s->left != ENDLESS)
		s->left += (uint64_t)n * each;
	return s->left == ENDLESS || s->left < 1ull << 60 ? PARSE_OK : PARSE_BAD;
}

/* An aggregate without a length: what is left around it waits until its end mark. */
static enum parse endless(struct redis *s)
{
	if (s->depth == REDIS_DEPTH)
		return PARSE_BAD;
	s->outer[s->depth++] = s->left;
	s->left = ENDLESS;
	return PARSE_OK;
}

static enum parse end_mark(struct redis *s, struct cur *c)
{
	if (cur_left(c) < 2)
		return PARSE_MORE;
	if (c->p[0] != '\r' || c->p[1] != '\n' || !s->depth || s->left != ENDLESS)
		return PARSE_BAD;
	c->p += 2;
	s->left = s->outer[--s->depth];
	return PARSE_OK;
}

/* Text up to CR LF. */
static enum parse line(struct redis *s, struct cur *c)
{
	const uint8_t *nl = memchr(c->p, '\n', cur_left(c));

	if (!nl)
		return PARSE_MORE;
	c->p = nl + 1;
	count_one(s);
	return PARSE_OK;
}

/* A length, then bytes; those that do not end within the head are skipped. */
static enum parse string(struct redis *s, struct cur *c, struct walk *w, char type)
{
	int64_t len = 0;
	enum parse r = redis_number(c, &len);
	size_t have = cur_left(c);

	if (r != PARSE_OK)
		return r;
	if (len == REDIS_STREAMED && type == '$')
		return PARSE_OK; /* its parts follow as ;n, the last is ;0 */
	if (len < 0 || (type == ';' && !len)) {
		count_one(s);
		return len < -1 ? PARSE_BAD : PARSE_OK;
	}
	if (have >= (uint64_t)len + 2) {
		c->p += len;
		if (c->p[0] != '\r' || c->p[1] != '\n')
			return PARSE_BAD;
		c->p += 2;
	} else {
		if (!w->full ||
		    (!c->cut && (uint64_t)(c->p - w->head) + (uint64_t)len + 2 <= PROTO_HEAD))
			return PARSE_MORE;
		w->skip = (uint64_t)len + 2 - have;
		c->p = c->end;
	}
	if (type != ';')
		count_one(s);
	return PARSE_OK;
}

static enum parse aggregate(struct redis *s, struct cur *c, char type)
{
	int64_t n = 0;
	enum parse r = redis_number(c, &n);

	if (r != PARSE_OK)
		return r;
	if (type != '|') /* attributes come before the element that they belong to */
		count_one(s);
	if (n == REDIS_STREAMED)
		return endless(s);
	return count_more(s, n, type == '%' || type == '|' ? 2 : 1);
}

static enum parse element(struct redis *s, struct cur *c, struct walk *w)
{
	char type;

	if (!cur_left(c))
		return PARSE_MORE;
	type = (char)*c->p++;
	switch (type) {
	case '+':
	case '-':
	case ':':
	case '_':
	case '#':
	case ',':
	case '(':
		return line(s, c);
	case '$':
	case '=':
	case '!':
	case ';':
		return string(s, c, w, type);
	case '*':
	case '~':
	case '%':
	case '>':
	case '|':
		return aggregate(s, c, type);
	case '.':
		return end_mark(s, c);
	default:
		return PARSE_BAD;
	}
}

/* As many elements as are there; the state is the caller's copy. */
static enum parse walk(struct redis *s, struct cur *c, struct walk *w)
{
	while ((s->left || s->depth) && !w->skip) {
		const uint8_t *mark = c->p;
		enum parse r = element(s, c, w);

		if (r == PARSE_MORE) {
			if (!w->full)
				return PARSE_MORE;
			if (mark == w->head) /* a line without end */
				return PARSE_BAD;
			c->p = mark;
			return PARSE_OK;
		}
		if (r != PARSE_OK)
			return r;
	}
	return PARSE_OK;
}

/* ----- what the reply says ----- */

/*
 * -WRONGTYPE Operation against ...: the first word where it is one in capitals.
 * What the server repeats of the command's arguments stays out of the message.
 */
static void error_text(struct msg *out, struct str text)
{
	static const struct str args = { ", with args beginning with", 26 };
	const char *found;
	size_t n = 0;

	while (n < text.len && ((text.s[n] >= 'A' && text.s[n] <= 'Z') || text.s[n] == '_'))
		n++;
	out->error = out->server_error = true;
	out->status = n && (n == text.len || text.s[n] == ' ') ? str_head(text, n) : STR("ERR");
	out->error_type = out->status;
	text = str_head(text, 256);
	found = memmem(text.s, text.len, args.s, args.len);
	if (found)
		text.len = (size_t)(found - text.s);
	msg_attr(out, ATTR_ERROR_MESSAGE, text);
}

static void error(struct msg *out, struct cur c)
{
	char type = (char)cur_u8(&c);
	int64_t len = 0;

	if (type == '-')
		error_text(out, cur_line(&c));
	else if (redis_number(&c, &len) == PARSE_OK && len >= 0)
		error_text(out, cur_rest(&c, (size_t)len));
}

/* ----- publish and subscribe ----- */

enum news {
	NEWS_NONE, /* an ordinary reply */
	NEWS_SUBSCRIBED,
	NEWS_UNSUBSCRIBED,
	NEWS_MESSAGE,
	NEWS_OTHER, /* a push of another kind: invalidate */
};

struct news_item {
	enum news what;
	unsigned int kind; /* of subscription */
	struct str channel;
	uint64_t total; /* subscriptions that are left */
};

static struct str short_string(struct cur *c)
{
	int64_t len = 0;

	if (cur_u8(c) != '$' || redis_number(c, &len) != PARSE_OK || len < 0)
		return STR("");
	struct str s = cur_rest(c, (size_t)len);

	cur_take(c, 2);
	return s;
}

static const struct {
	struct str word;
	enum news what;
	unsigned int kind;
} words[] = {
	{ STR("message"), NEWS_MESSAGE, REDIS_CHANNELS },
	{ STR("pmessage"), NEWS_MESSAGE, REDIS_PATTERNS },
	{ STR("smessage"), NEWS_MESSAGE, REDIS_SHARDS },
	{ STR("subscribe"), NEWS_SUBSCRIBED, REDIS_CHANNELS },
	{ STR("psubscribe"), NEWS_SUBSCRIBED, REDIS_PATTERNS },
	{ STR("ssubscribe"), NEWS_SUBSCRIBED, REDIS_SHARDS },
	{ STR("unsubscribe"), NEWS_UNSUBSCRIBED, REDIS_CHANNELS },
	{ STR("punsubscribe"), NEWS_UNSUBSCRIBED, REDIS_PATTERNS },
	{ STR("sunsubscribe"), NEWS_UNSUBSCRIBED, REDIS_SHARDS },
};

/* An array or push of a word, a channel, and a number or a text. */
static struct news_item news(struct cur c)
{
	struct news_item item = { .what = NEWS_NONE };
	bool push = *c.p == '>';
	struct str word;
	int64_t n = 0;

	if (!push && *c.p != '*')
		return item;
	c.p++;
	item.what = push ? NEWS_OTHER : NEWS_NONE;
	if (redis_number(&c, &n) != PARSE_OK || n < 2 || n > 4 || cur_left(&c) < 8)
		return item;
	word = short_string(&c);
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		if (!str_eq(word, words[i].word))
			continue;
		item.what = words[i].what;
		item.kind = words[i].kind;
		item.channel = short_string(&c);
		if (cur_u8(&c) == ':' && redis_number(&c, &n) == PARSE_OK && n >= 0)
			item.total = (uint64_t)n;
		break;
	}
	return item;
}

static bool subscribed(const struct redis *s)
{
	return s->subscribed[REDIS_CHANNELS] || s->subscribed[REDIS_PATTERNS] ||
	       s->subscribed[REDIS_SHARDS];
}

/* Channels and patterns are counted together by the server, shards alone. */
static void now_subscribed(struct redis *s, const struct news_item *item)
{
	uint64_t other = 0;

	if (item->kind != REDIS_SHARDS)
		other = s->subscribed[item->kind == REDIS_CHANNELS ? REDIS_PATTERNS
		                                                   : REDIS_CHANNELS];
	s->subscribed[item->kind] = item->total > other ? (uint32_t)(item->total - other) : 0;
}

/* One of the answers to the oldest SUBSCRIBE or UNSUBSCRIBE; whether it was the last. */
static bool confirmed(struct redis *s, const struct news_item *item)
{
	uint16_t *left = &s->answers[s->head];
	bool last;

	now_subscribed(s, item);
	if (*left == REDIS_ALL_OF_THEM)
		last = item->what == NEWS_UNSUBSCRIBED && !s->subscribed[item->kind];
	else
		last = !--*left;
	if (last) {
		s->head = (uint8_t)((s->head + 1) % REDIS_WAITING);
		s->count--;
	}
	return last;
}

/* ----- one reply ----- */

static void complete(struct redis *s, struct msg *out)
{
	out->kind = MSG_RESP;
	s->waiting -= s->waiting > 0;
	if (s->sync_in && !--s->sync_in)
		s->opaque = !out->error;
}

static void push(struct redis *s, const struct news_item *item, struct msg *out)
{
	out->kind = MSG_PUSH;
	out->op = item->what == NEWS_MESSAGE ? STR("MESSAGE") : STR("PUSH");
	out->target = str_head(item->channel, 128);
	s->in_push = s->left || s->depth;
}

/* The line that MONITOR shows of a command: +1339518083.107412 [0 127.0.0.1:60866] "get" "x" */
static bool monitored(const struct redis *s, const struct cur *c)
{
	return s->monitor && cur_left(c) > 2 && c->p[0] == '+' && c->p[1] >= '0' && c->p[1] <= '9';
}

static bool is_push(const struct redis *s, const struct cur *at, const struct news_item *item)
{
	bool resp3 = *at->p == '>';

	switch (item->what) {
	case NEWS_MESSAGE:
	case NEWS_OTHER:
		return resp3 || subscribed(s) || !s->waiting;
	case NEWS_SUBSCRIBED:
	case NEWS_UNSUBSCRIBED:
		return !s->count && (resp3 || !s->waiting);
	default:
		return false;
	}
}

/* A reply begins at `at`; its elements up to now have been walked. */
static void begun(struct redis *s, const struct cur *at, struct msg *out)
{
	struct news_item item = news(*at);
	bool whole = !s->left && !s->depth;

	if (is_push(s, at, &item)) {
		push(s, &item, out);
		return;
	}
	if (monitored(s, at)) {
		out->kind = MSG_PUSH;
		out->op = STR("MONITOR");
		return;
	}
	if (*at->p == '-' || *at->p == '!')
		error(out, *at);
	if ((item.what == NEWS_SUBSCRIBED || item.what == NEWS_UNSUBSCRIBED) && s->count &&
	    !confirmed(s, &item)) {
		out->kind = MSG_INTERIM;
		return;
	}
	if (whole) {
		complete(s, out);
	} else {
		out->kind = MSG_INTERIM;
		out->flags |= MSG_F_BODY;
	}
}

/* A reply that began in an earlier message goes on. */
static void continued(struct redis *s, struct msg *out)
{
	bool whole = !s->left && !s->depth;

	if (s->in_push) {
		s->in_push = !whole;
		return;
	}
	if (whole)
		complete(s, out);
	else
		out->kind = MSG_INTERIM;
	out->flags |= whole ? 0 : MSG_F_BODY;
}

/* SYNC is answered by a length alone: the data after it has no end mark. */
static bool sync_data(struct redis *s, struct cur *c, struct msg *out)
{
	int64_t n;

	if (s->sync_in != 1 || *c->p != '$')
		return false;
	c->p++;
	if (redis_number(c, &n) != PARSE_OK) {
		c->p--;
		return false;
	}
	complete(s, out);
	return true;
}

static enum parse reply(struct redis *s, struct cur *c, struct msg *out)
{
	struct walk w = { .head = c->p, .full = cur_left(c) >= PROTO_HEAD || c->cut };
	bool goes_on = s->left || s->depth;
	struct cur at = *c;
	enum parse r;

	if (!goes_on && sync_data(s, c, out))
		return PARSE_OK;
	if (!goes_on)
		s->left = 1;
	r = walk(s, c, &w);
	if (r != PARSE_OK)
		return r;
	if (goes_on)
		continued(s, out);
	else
		begun(s, &at, out);
	out->skip = w.skip;
	if (w.skip && out->kind == MSG_RESP)
		out->flags |= MSG_F_BODY;
	return PARSE_OK;
}

enum parse redis_resp_reply(struct redis *s, struct cur *c, struct msg *out)
{
	struct redis now;
	enum parse r;

	if (!s->left && !s->depth && *c->p == '\n') { /* a master shows that it is alive */
		c->p++;
		return PARSE_OK;
	}
	memcpy(&now, s, offsetof(struct redis, text));
	r = reply(&now, c, out);
	if (r == PARSE_OK)
		memcpy(s, &now, offsetof(struct redis, text));
	return r;
}
