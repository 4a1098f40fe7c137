// SPDX-License-Identifier: GPL-3.0-or-later
/* kafka_msg - requests and answers of Kafka. */
#include "proto/kafka.h"

enum {
	PRODUCE = 0,
	FETCH = 1,
	CONTROLLED_SHUTDOWN = 7,
	OFFSET_COMMIT = 8,
	API_VERSIONS = 18,
	TXN_OFFSET_COMMIT = 28,
	SHARE_FETCH = 78,
	SHARE_ACKNOWLEDGE = 79,
	VERSIONS_AHEAD = 8,  /* of what is known here */
	IDS_APART = 1 << 20, /* more than any client has open */
	CLIENT_MAX = 255,
};

/* ---- heads ---- */

static bool printable(struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		if ((unsigned char)s.s[i] < ' ' || s.s[i] == 0x7f)
			return false;
	return true;
}

static bool head_fits(const struct kafka_head *h, bool strict)
{
	const struct kafka_api *api = kafka_api((uint16_t)h->key);

	if (h->version < 0 || h->len < 8 || h->len > KAFKA_LENGTH_MAX)
		return false;
	if (h->version > api->max + (strict ? 0 : VERSIONS_AHEAD))
		return false;
	return !strict || h->id >= 0;
}

enum parse kafka_head(struct cur *c, struct kafka_head *h, bool strict)
{
	int16_t n;

	*h = (struct kafka_head){ .len = cur_be32(c) };
	h->key = (int16_t)cur_be16(c);
	if (!c->over && !kafka_api((uint16_t)h->key))
		return PARSE_BAD;
	h->version = (int16_t)cur_be16(c);
	h->id = (int32_t)cur_be32(c);
	if (c->over)
		return PARSE_MORE;
	if (!head_fits(h, strict))
		return PARSE_BAD;
	if (h->key == CONTROLLED_SHUTDOWN && !h->version)
		return PARSE_OK;
	n = (int16_t)cur_be16(c);
	if (!c->over && (n < -1 || (uint32_t)(n + 10) > h->len || (strict && n > CLIENT_MAX)))
		return PARSE_BAD;
	h->client = n < 0 ? STR_NULL : cur_str(c, (size_t)n);
	if (kafka_flexible((uint16_t)h->key, (uint16_t)h->version))
		kafka_tags(c);
	if (!printable(h->client))
		return PARSE_BAD;
	return c->over ? PARSE_MORE : PARSE_OK;
}

/* ---- open requests ---- */

static void ask(struct kafka *s, const struct kafka_head *h)
{
	struct kafka_run *last = s->runs ? &s->asked[s->runs - 1] : NULL;
	uint32_t id = (uint32_t)h->id;

	if (last && last->key == h->key && last->version == h->version &&
	    id == last->first + last->n) {
		last->n++;
		return;
	}
	if (s->runs == KAFKA_RUNS)
		memmove(s->asked, s->asked + 1, --s->runs * sizeof(*s->asked));
	s->asked[s->runs++] = (struct kafka_run){ id, 1, (uint8_t)h->key, (uint8_t)h->version };
}

struct kafka_run *kafka_asked(struct kafka *s, uint32_t id)
{
	for (uint32_t i = 0; i < s->runs; i++)
		if (id - s->asked[i].first < s->asked[i].n)
			return &s->asked[i];
	return NULL;
}

/* Those before it were passed over: their answers were not seen. */
static void answered(struct kafka *s, const struct kafka_run *run, uint32_t id)
{
	uint32_t at = (uint32_t)(run - s->asked), past = id + 1 - run->first;

	s->asked[at].n -= past;
	s->asked[at].first = id + 1;
	at += !s->asked[at].n;
	s->runs -= at;
	memmove(s->asked, s->asked + at, s->runs * sizeof(*s->asked));
}

/* ---- what was found ---- */

static void tell_uuid(struct kafka *s, const uint8_t *id, struct msg *out)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	uint32_t bits = 0;
	unsigned int n = 0, have = 0;

	for (size_t i = 0; i < KAFKA_UUID; i++) {
		bits = bits << 8 | id[i];
		for (have += 8; have >= 6; have -= 6)
			s->uuid[n++] = digits[bits >> (have - 6) & 63];
	}
	s->uuid[n] = digits[bits << (6 - have) & 63];
	msg_attr(out, ATTR_KAFKA_TOPIC_ID, (struct str){ s->uuid, KAFKA_UUID_TEXT });
}

static void tell_topic(struct kafka *s, const struct kafka_found *f, struct msg *out)
{
	out->topic = f->topic;
	if (!f->topic.s && f->topic_id) {
		out->flags |= MSG_F_USE | MSG_F_WIDE;
		out->use_id = str_hash(f->topic_id, KAFKA_UUID);
		tell_uuid(s, f->topic_id, out);
	}
	if (f->topics > 1)
		msg_attr_num(out, ATTR_MESSAGING_DESTINATIONS, f->topics);
}

static void tell_group(const struct kafka_found *f, struct msg *out)
{
	if (f->group.s)
		msg_attr(out, ATTR_MESSAGING_GROUP, f->group);
	else if (f->key.s && !f->key_type)
		msg_attr(out, ATTR_MESSAGING_GROUP, f->key);
}

/* The messages themselves. `all` of the body has been read. */
static void tell_records(const struct kafka_walk *w, const struct kafka_found *f, bool all,
                         struct msg *out)
{
	out->rows = w->old ? -1 : f->rows;
	if (f->codec.s)
		msg_attr(out, ATTR_MESSAGING_CODEC, f->codec);
	if (all && f->rows == 1)
		msg_baggage(out, f->baggage);
	if (all && f->rows == 1)
		out->traceparent = f->context;
	else if (f->context.s)
		msg_attr(out, ATTR_MESSAGING_LINK, f->context);
}

static void tell_place(const struct kafka_walk *w, const struct kafka_found *f, bool all,
                       struct msg *out)
{
	if (f->partition >= 0)
		msg_attr_num(out, ATTR_MESSAGING_PARTITION, f->partition);
	if (all && w->partitions > 1)
		msg_attr_num(out, ATTR_MESSAGING_PARTITIONS, w->partitions);
	if (f->offset >= 0)
		msg_attr_num(out, ATTR_KAFKA_OFFSET, f->offset);
	else if (w->resp && f->base >= 0)
		msg_attr_num(out, ATTR_KAFKA_OFFSET, f->base);
}

static void tell_error(const struct kafka_found *f, struct kafka_body *b, bool last,
                       struct msg *out)
{
	b->coded |= f->has_error;
	if (b->failed || !b->coded || (!f->error && !last))
		return;
	out->status = kafka_error(f->error);
	out->code = f->error;
	if (!f->error)
		return;
	b->failed = out->error = out->server_error = true;
	out->error_type = out->status;
}

/* ---- how far it goes ---- */

/* The rest of a message, from c on, and where it stops for now. */
struct part {
	uint64_t left; /* bytes of the message from `from` on */
	const uint8_t *from;
	bool whole; /* all of the message is here */
	bool cut;   /* no byte will follow */
	bool last, wrong;
	bool topic; /* it stopped after the name and the id of one */
};

/* So much of the message as may be looked at; false where more must come first. */
static bool window(struct cur *c, uint64_t left, struct part *p)
{
	uint64_t want = left < PROTO_HEAD ? left : PROTO_HEAD;

	*p = (struct part){ .left = left, .from = c->p, .cut = c->cut };
	if (cur_left(c) < want && !c->cut)
		return false;
	if (cur_left(c) > want)
		c->end = c->p + want;
	p->whole = cur_left(c) == left;
	p->cut = p->cut && cur_left(c) < want;
	return true;
}

static void walk(struct kafka_walk *w, struct cur *c, struct kafka_found *f, struct part *p,
                 struct msg *out)
{
	const uint8_t *begin = c->p;
	uint64_t skip = 0, left, here;
	enum kafka_end end = kafka_walk(w, c, f, &skip);

	left = p->left - (uint64_t)(c->p - p->from);
	p->topic = end == KAFKA_TOPIC;
	p->wrong = end == KAFKA_WRONG || skip > left || (end == KAFKA_SHORT && p->whole);
	p->last = p->wrong || end == KAFKA_DONE || p->cut || left == skip ||
	          (end == KAFKA_SKIP && kafka_walk_over(w)) ||
	          (end == KAFKA_SHORT && begin == p->from && begin == c->p);
	if (p->last && end != KAFKA_DONE && !kafka_walk_over(w) && left != skip)
		out->flags |= MSG_F_CUT;
	if (p->wrong)
		out->flags |= MSG_F_CUT;
	out->skip = p->last ? left : skip;
	p->left = p->last ? 0 : left - skip;
	here = out->skip < cur_left(c) ? out->skip : cur_left(c);
	c->p += here;
	out->skip -= here;
}

static struct kafka_found nothing(void)
{
	return (struct kafka_found){
		.partition = -1, .offset = -1, .base = -1, .rows = -1, .acks = -1
	};
}

/* ---- requests ---- */

static enum messaging does(int key)
{
	switch (key) {
	case PRODUCE:
		return MESSAGING_SEND;
	case FETCH:
	case SHARE_FETCH:
		return MESSAGING_RECEIVE;
	case OFFSET_COMMIT:
	case TXN_OFFSET_COMMIT:
	case SHARE_ACKNOWLEDGE:
		return MESSAGING_SETTLE;
	default:
		return MESSAGING_NONE;
	}
}

/* Later requests of a session do not name its topics again. */
static void note_session(struct kafka *s, const struct kafka_found *f, struct msg *out)
{
	if (f->epoch > 0 || (!f->topic.s && !f->topic_id))
		return;
	s->fetching_wide = !f->topic.s;
	s->fetching = out->use_id;
	if (!f->topic.s)
		return;
	s->fetching = str_hash("fetch", 5);
	out->flags |= MSG_F_DEFINE;
	out->def_id = s->fetching;
	out->def = f->topic;
}

static void tell_request(struct kafka *s, const struct kafka_head *h, const struct kafka_walk *w,
                         const struct kafka_found *f, bool all, struct msg *out)
{
	out->kind = h->key == PRODUCE && !f->acks ? MSG_ONEWAY : MSG_REQ;
	out->id = (uint64_t)(uint32_t)h->id + 1;
	out->op = str_of(kafka_api((uint16_t)h->key)->name);
	out->does = does(h->key);
	msg_attr_num(out, ATTR_KAFKA_VERSION, h->version);
	if (h->client.len)
		msg_attr(out, ATTR_MESSAGING_CLIENT, h->client);
	tell_topic(s, f, out);
	tell_group(f, out);
	tell_place(w, f, all, out);
	tell_records(w, f, all, out);
	if (h->key == FETCH)
		note_session(s, f, out);
}

static enum parse request(struct kafka *s, struct cur *in, struct msg *out)
{
	struct kafka_found f = nothing();
	struct kafka_walk w = { 0 };
	struct cur c = *in;
	struct kafka_head h;
	struct part p;
	enum parse r = kafka_head(&c, &h, false);

	if (r == PARSE_BAD)
		return r;
	c = *in;
	if (cur_left(&c) < 4 || !window(&c, (uint64_t)h.len + 4, &p))
		return PARSE_MORE;
	r = kafka_head(&c, &h, false);
	if (r != PARSE_OK)
		return PARSE_BAD;
	w.key = (uint8_t)h.key, w.version = (uint8_t)h.version;
	walk(&w, &c, &f, &p, out);
	if (p.wrong)
		return PARSE_BAD;
	tell_request(s, &h, &w, &f, p.last && !(out->flags & MSG_F_CUT), out);
	if (out->kind == MSG_ONEWAY) {
		out->rows = p.last ? out->rows : -1;
		out->skip += p.left;
		p.left = 0;
	} else {
		ask(s, &h);
	}
	s->body[DIR_REQ] = (struct kafka_body){ .walk = w, .left = p.left, .id = out->id };
	in->p = c.p;
	return PARSE_OK;
}

/* ---- answers ---- */

static void define_topic(const struct kafka_found *f, struct msg *out)
{
	out->flags |= MSG_F_DEFINE | MSG_F_WIDE;
	out->def_id = str_hash(f->topic_id, KAFKA_UUID);
	out->def = f->topic;
}

static void tell_answer(struct kafka *s, struct kafka_body *b, const struct kafka_found *f,
                        const struct part *p, struct msg *out)
{
	bool all = p->last && !(out->flags & MSG_F_CUT);

	out->kind = p->last ? MSG_RESP : MSG_INTERIM;
	out->flags |= out->skip || !p->last ? MSG_F_BODY : 0;
	out->id = b->id;
	if (p->topic)
		define_topic(f, out);
	else if (does(b->walk.key)) /* others list what there is */
		tell_topic(s, f, out);
	tell_place(&b->walk, f, all, out);
	tell_records(&b->walk, f, all, out);
	tell_error(f, b, p->last, out);
	if (out->rows < 0 && all && does(b->walk.key) == MESSAGING_RECEIVE && !b->walk.old &&
	    b->walk.version <= kafka_api(b->walk.key)->max)
		out->rows = 0;
	if (b->walk.key == FETCH && all && !f->topic.s && !f->topic_id && s->fetching) {
		out->flags |= MSG_F_USE | (s->fetching_wide ? MSG_F_WIDE : 0);
		out->use_id = s->fetching;
	}
	b->left = p->left;
}

/* An answer to nothing that was seen: only its length is known. */
static enum parse stray(const struct kafka *s, struct cur *in, struct cur *c, uint32_t id,
                        uint64_t left, struct msg *out)
{
	uint32_t near = s->runs ? s->asked[0].first - id + IDS_APART : 0;

	if (near > 2 * IDS_APART)
		return PARSE_BAD;
	out->kind = MSG_RESP;
	out->id = (uint64_t)id + 1;
	out->skip = left;
	in->p = c->p;
	return PARSE_OK;
}

static enum parse answer(struct kafka *s, struct cur *in, struct msg *out)
{
	struct kafka_found f = nothing();
	struct kafka_body b = { 0 };
	const struct kafka_run *run;
	struct cur c = *in;
	uint32_t len = cur_be32(&c), id = cur_be32(&c);
	struct part p;

	if (c.over)
		return PARSE_MORE;
	if (len < 4 || len > KAFKA_LENGTH_MAX)
		return PARSE_BAD;
	run = kafka_asked(s, id);
	if (!run)
		return stray(s, in, &c, id, len - 4, out);
	c = *in;
	if (!window(&c, (uint64_t)len + 4, &p))
		return PARSE_MORE;
	cur_take(&c, 8);
	if (kafka_flexible(run->key, run->version) && run->key != API_VERSIONS)
		kafka_tags(&c);
	if (c.over)
		return PARSE_BAD;
	b.walk = (struct kafka_walk){ .key = run->key, .version = run->version, .resp = true };
	b.id = (uint64_t)id + 1;
	walk(&b.walk, &c, &f, &p, out);
	tell_answer(s, &b, &f, &p, out);
	s->body[DIR_RESP] = b;
	answered(s, run, id);
	in->p = c.p;
	return PARSE_OK;
}

/* ---- both ---- */

/* More of a message whose head has gone by. */
static enum parse more(struct kafka *s, enum dir dir, struct cur *in, struct msg *out)
{
	struct kafka_body b = s->body[dir];
	struct kafka_found f = nothing();
	struct cur c = *in;
	struct part p;

	if (!window(&c, b.left, &p))
		return PARSE_MORE;
	walk(&b.walk, &c, &f, &p, out);
	f.context = f.baggage = STR_NULL; /* of the first message only */
	f.base = -1;
	if (dir == DIR_RESP) {
		tell_answer(s, &b, &f, &p, out);
	} else {
		out->rows = b.walk.old ? -1 : f.rows;
		b.left = p.left;
	}
	s->body[dir] = b;
	in->p = c.p;
	return PARSE_OK;
}

enum parse kafka_parse(void *state, enum dir dir, struct cur *in, struct msg *out)
{
	struct kafka *s = state;
	struct msg m = MSG_INIT;
	struct cur c = *in;
	enum parse r;

	if (!cur_left(&c))
		return c.cut ? PARSE_BAD : PARSE_MORE;
	if (cur_left(&c) > PROTO_HEAD) { /* a message is the same however much stands behind it */
		c.end = c.p + PROTO_HEAD;
		c.cut = false;
	}
	r = s->body[dir].left ? more(s, dir, &c, &m)
	    : dir == DIR_REQ  ? request(s, &c, &m)
	                      : answer(s, &c, &m);
	if (r != PARSE_OK)
		return r == PARSE_MORE && c.cut ? PARSE_BAD : r;
	*out = m;
	in->p = c.p;
	return PARSE_OK;
}
