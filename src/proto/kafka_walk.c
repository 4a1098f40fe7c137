// SPDX-License-Identifier: GPL-3.0-or-later
/* kafka_walk - the fields of Kafka's messages, as kafka_apis.def lists them. */
#include "proto/kafka.h"

static const struct kafka_api apis[] = {
#define KAFKA_API(num, api, last, flex, how, fields, answer) \
	[num] = { .name = #api, .max = last, .flexible = flex, .req = fields, .resp = answer },
#include "proto/kafka_apis.def"
#undef KAFKA_API
};

const struct kafka_api *kafka_api(unsigned int key)
{
	return key < sizeof(apis) / sizeof(*apis) && apis[key].name ? &apis[key] : NULL;
}

struct str kafka_error(int code)
{
	static const struct {
		int code;
		struct str name;
	} errors[] = {
#define KAFKA_ERROR(num, text) { num, STR(#text) },
#include "proto/kafka_errors.def"
#undef KAFKA_ERROR
	};

	for (size_t i = 0; i < sizeof(errors) / sizeof(*errors); i++)
		if (errors[i].code == code)
			return errors[i].name;
	return STR("_OTHER");
}

bool kafka_flexible(unsigned int key, unsigned int version)
{
	const struct kafka_api *api = kafka_api(key);

	return api && api->flexible >= 0 && (int)version >= api->flexible;
}

void kafka_tags(struct cur *c)
{
	uint64_t n = cur_varint(c);

	for (uint64_t i = 0; i < n && !c->over; i++) {
		uint64_t len;

		cur_varint(c);
		len = cur_varint(c);
		cur_take(c, len > SIZE_MAX ? SIZE_MAX : (size_t)len);
	}
}

/* ---- the list of fields ---- */

struct token {
	char type;
	int from, to; /* versions */
};

static const char *fields_of(const struct kafka_walk *w)
{
	const struct kafka_api *api = kafka_api(w->key);

	/* Of versions that came later nobody knows the fields. */
	return !api || w->version > api->max ? "" : w->resp ? api->resp : api->req;
}

static bool digit(char c)
{
	return c >= '0' && c <= '9';
}

static int number(const char **s)
{
	int n = 0;

	while (digit(**s))
		n = n * 10 + *(*s)++ - '0';
	return n;
}

/* The field at *s, which moves past it. */
static struct token lex(const char **s)
{
	struct token t = { 0, 0, INT32_MAX };

	while (**s == ' ')
		(*s)++;
	if (!**s || **s == '.')
		return t;
	t.type = *(*s)++;
	if (digit(**s))
		t.from = t.to = number(s);
	else if (**s != '-')
		return t;
	if (**s != '-') {
		t.to = INT32_MAX;
		return t;
	}
	(*s)++;
	t.to = number(s);
	return t;
}

/* Past the bracket that closes the one before s. */
static const char *past(const char *s)
{
	for (int open = 1; open && *s; s++)
		open += (*s == '[' || *s == '(') - (*s == ']' || *s == ')');
	return s;
}

/* ---- values ---- */

struct walker {
	struct kafka_walk *w;
	struct cur *c;
	struct kafka_found *f;
	bool flexible, wrong;
};

/* -1: null. */
static int64_t length(struct walker *k, size_t width)
{
	int64_t n;

	if (k->flexible) {
		uint64_t v = cur_varint(k->c);

		n = v > (uint64_t)INT32_MAX ? INT32_MAX : (int64_t)v - 1;
	} else {
		uint64_t v = cur_be(k->c, width);

		n = width == 2 ? (int16_t)v : (int32_t)v;
	}
	k->wrong |= !k->c->over && (n < -1 || n > KAFKA_LENGTH_MAX);
	return n;
}

static struct str string(struct walker *k)
{
	int64_t n = length(k, 2);

	return n < 0 || k->wrong ? STR_NULL : cur_str(k->c, (size_t)n);
}

static void bytes(struct walker *k)
{
	int64_t n = length(k, 4);

	if (n > 0 && !k->wrong)
		cur_take(k->c, (size_t)n);
}

/* Those of the messages that say what ids the topics have. */
static bool defines(const struct kafka_walk *w)
{
	enum { METADATA = 3, CREATE_TOPICS = 19, DESCRIBE_TOPIC_PARTITIONS = 75 };

	return w->resp && (w->key == METADATA || w->key == CREATE_TOPICS ||
	                   w->key == DESCRIBE_TOPIC_PARTITIONS);
}

static void first_str(struct str *to, struct str s)
{
	if (!to->s && s.s)
		*to = s;
}

static void topic(struct walker *k, struct str name, const uint8_t *id)
{
	static const uint8_t none[KAFKA_UUID];

	if (k->c->over)
		return;
	if (!k->f->topics)
		k->f->topics = k->f->array;
	if (id && !memcmp(id, none, KAFKA_UUID))
		id = NULL;
	if (defines(k->w) && !id) { /* the name that goes with the next id */
		k->f->topic = name;
		k->f->topic_id = NULL;
	}
	first_str(&k->f->topic, name);
	if (!k->f->topic_id)
		k->f->topic_id = id;
}

static void partition(struct walker *k)
{
	int32_t n = (int32_t)cur_be32(k->c);

	if (!k->w->partitions++)
		k->f->partition = n;
}

static void error(struct walker *k)
{
	int16_t code = (int16_t)cur_be16(k->c);

	k->f->has_error = true;
	if (!k->f->error)
		k->f->error = code;
}

static void offset(struct walker *k)
{
	int64_t n = (int64_t)cur_be(k->c, 8);

	if (k->f->offset < 0)
		k->f->offset = n;
}

/* A field whose value is not shown; false where it is no such one. */
static bool plain(struct walker *k, char type)
{
	switch (type) {
	case 'b':
		cur_take(k->c, 1);
		return true;
	case 'h':
		cur_take(k->c, 2);
		return true;
	case 'w':
		cur_take(k->c, 4);
		return true;
	case 'q':
		cur_take(k->c, 8);
		return true;
	case 'u':
		cur_take(k->c, KAFKA_UUID);
		return true;
	case 's':
		string(k);
		return true;
	case 'y':
		bytes(k);
		return true;
	default:
		return false;
	}
}

static void value(struct walker *k, char type)
{
	if (plain(k, type))
		return;
	switch (type) {
	case 'T':
		topic(k, string(k), NULL);
		break;
	case 'I':
		topic(k, STR_NULL, cur_take(k->c, KAFKA_UUID));
		break;
	case 'G':
		first_str(&k->f->group, string(k));
		break;
	case 'K':
		first_str(&k->f->key, string(k));
		break;
	case 't':
		k->f->key_type = cur_u8(k->c);
		break;
	case 'E':
		error(k);
		break;
	case 'P':
		partition(k);
		break;
	case 'O':
		offset(k);
		break;
	case 'A':
		k->f->acks = (int16_t)cur_be16(k->c);
		break;
	case 'F':
		k->f->epoch = (int32_t)cur_be32(k->c);
		break;
	default:
		break;
	}
}

/* Values without structure, which are read in one go. */
static void values(struct walker *k, char type)
{
	int64_t n = length(k, 4);

	k->f->array = n > 0 ? (uint32_t)n : 0;
	for (int64_t i = 0; i < n && !k->c->over && !k->wrong; i++)
		value(k, type);
}

/* ---- the walk ---- */

/* An array of structures begins; s is after its bracket. */
static const char *enter(struct walker *k, const char *fields, const char *s)
{
	int64_t n = length(k, 4);
	struct kafka_walk *w = k->w;

	k->wrong |= w->depth == KAFKA_DEPTH;
	if (n <= 0 || k->wrong || k->c->over)
		return past(s);
	k->f->array = (uint32_t)n;
	w->left[w->depth] = (uint32_t)n;
	w->start[w->depth++] = (uint16_t)(s - fields);
	return s;
}

/* A structure of the innermost array has ended. */
static const char *leave(struct walker *k, const char *fields, const char *s)
{
	struct kafka_walk *w = k->w;

	if (k->flexible)
		kafka_tags(k->c);
	if (--w->left[w->depth - 1])
		return fields + w->start[w->depth - 1];
	w->depth--;
	return s;
}

static void records(struct walker *k)
{
	int64_t n = length(k, 4);

	k->w->records = n > 0 && !k->wrong ? (uint32_t)n : 0;
	if (k->f->rows < 0 && n >= 0)
		k->f->rows = 0;
}

/* One field: the text of what comes next. */
static const char *field(struct walker *k, const char *fields, const char *s, struct token t)
{
	bool here = k->w->version >= t.from && k->w->version <= t.to;

	if (t.type == '[')
		return here ? enter(k, fields, s) : past(s);
	if (t.type == ']')
		return leave(k, fields, s);
	if (t.type == '(') {
		if (here)
			values(k, lex(&s).type);
		return past(s);
	}
	if (t.type == '}' && k->flexible)
		kafka_tags(k->c);
	else if (t.type == 'R' && here)
		records(k);
	else if (here)
		value(k, t.type);
	return s;
}

/* The batches that are here. */
static enum kafka_end batches(struct kafka_walk *w, struct cur *c, struct kafka_found *f,
                              uint64_t *skip)
{
	while (w->records) {
		struct cur p = *c;

		if (!kafka_batch(w, &p, f, skip))
			return KAFKA_WRONG;
		if (p.over)
			return KAFKA_SHORT;
		*c = p;
		if (*skip)
			return KAFKA_SKIP;
	}
	return KAFKA_DONE;
}

enum kafka_end kafka_walk(struct kafka_walk *w, struct cur *c, struct kafka_found *f,
                          uint64_t *skip)
{
	const char *fields = fields_of(w), *s = fields + w->at;
	struct kafka_walk at = *w;
	struct kafka_found found = *f;
	struct cur p = *c;
	struct walker k = { &at, &p, &found, kafka_flexible(w->key, w->version), false };

	for (;;) {
		struct token t;
		bool whole;

		if (at.records) {
			enum kafka_end end = batches(w, c, f, skip);

			if (end != KAFKA_DONE)
				return end;
			at = *w, found = *f, p = *c;
		}
		t = lex(&s);
		if (!t.type)
			break;
		s = field(&k, fields, s, t);
		if (k.wrong)
			return KAFKA_WRONG;
		if (p.over)
			return KAFKA_SHORT;
		at.at = (uint16_t)(s - fields);
		whole = defines(&at) && t.type == 'I' && found.topic.s && found.topic_id;
		if (t.type == ']' || t.type == '[' || at.records || whole)
			*w = at, *c = p, *f = found;
		if (whole)
			return KAFKA_TOPIC;
	}
	*w = at, *c = p, *f = found;
	return KAFKA_DONE;
}

bool kafka_walk_over(const struct kafka_walk *w)
{
	const char *s = fields_of(w) + w->at;
	int depth = w->depth;

	if (w->records)
		return false;
	for (struct token t = lex(&s); t.type; t = lex(&s)) {
		if (w->version < t.from || w->version > t.to) {
			s = t.type == '[' || t.type == '(' ? past(s) : s;
			continue;
		}
		if (t.type != ']' || !depth || w->left[--depth] > 1)
			return false;
	}
	return true;
}
