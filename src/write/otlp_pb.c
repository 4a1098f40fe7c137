// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * otlp_pb - OTLP in protobuf.
 *
 * https://github.com/open-telemetry/opentelemetry-proto; traces and logs have
 * the same outer shape, so that one set of field numbers serves both.
 */
#include "write/otlp.h"

#include "base/json.h"
#include "base/pb.h"

enum { RESOURCE_X = 1 };                            /* TracesData, LogsData */
enum { X_RESOURCE = 1, X_SCOPE = 2, X_SCHEMA = 3 }; /* ResourceSpans, ResourceLogs */
enum { SCOPE_SCOPE = 1, SCOPE_ITEM = 2, SCOPE_SCHEMA = 3 };
enum { RESOURCE_ATTRS = 1, SPAN_ATTRS = 9, LOG_ATTRS = 6 };
enum { MARK_X, MARK_SCOPE, MARK_ITEM };
enum { ANY_TEXT = 1, ANY_BOOL, ANY_INT, ANY_REAL, ANY_ARRAY, ANY_OBJECT, ANY_BYTES };

static void pb_message(struct otlp_enc *e)
{
	(void)e; /* TracesData and LogsData have no length of their own */
}

static void pb_resource(struct otlp_enc *e)
{
	e->mark[MARK_X] = pb_open(&e->out, RESOURCE_X, 3);
	e->mark[MARK_SCOPE] = pb_open(&e->out, X_RESOURCE, 1);
	e->attr_field = RESOURCE_ATTRS;
}

static void pb_scope(struct otlp_enc *e)
{
	size_t scope;

	pb_close(&e->out, e->mark[MARK_SCOPE], 1);
	e->mark[MARK_SCOPE] = pb_open(&e->out, X_SCOPE, 3);
	scope = pb_open(&e->out, SCOPE_SCOPE, 1);
	pb_bytes(&e->out, 1, STR(PLACE_SCOPE));
	pb_bytes(&e->out, 2, e->version);
	pb_close(&e->out, scope, 1);
}

/* A text that is no UTF-8 goes as bytes: protobuf refuses it as a string. */
static uint32_t text_field(struct str s)
{
	return str_is_utf8(s) ? ANY_TEXT : ANY_BYTES;
}

/* KeyValue up to its AnyValue of `any` bytes, and room for that; all lengths are known. */
static char *attr_room(struct otlp_enc *e, struct str key, size_t any)
{
	size_t len = 1 + pb_varint_len(key.len) + key.len + 1 + pb_varint_len(any) + any;
	char *p = buf_room(&e->out, 20 + len);

	if (!p)
		return NULL;
	p = pb_put_varint(p, e->attr_field << 3 | PB_LEN);
	p = pb_put_varint(p, len);
	*p++ = 1 << 3 | PB_LEN;
	p = pb_put_varint(p, key.len);
	memcpy(p, key.s, key.len);
	p += key.len;
	*p++ = 2 << 3 | PB_LEN;
	return pb_put_varint(p, any);
}

/* The two most frequent kinds of attributes. */
static void pb_text_attr(struct otlp_enc *e, struct str key, struct str s)
{
	char *p = attr_room(e, key, 1 + pb_varint_len(s.len) + s.len);

	if (!p)
		return;
	*p++ = (char)(text_field(s) << 3 | PB_LEN);
	p = pb_put_varint(p, s.len);
	if (s.len)
		memcpy(p, s.s, s.len);
	e->out.len = (size_t)(p - e->out.p) + s.len;
}

static void pb_int_attr(struct otlp_enc *e, struct str key, int64_t i)
{
	char *p = attr_room(e, key, 1 + pb_varint_len((uint64_t)i));

	if (!p)
		return;
	*p++ = ANY_INT << 3 | PB_VARINT;
	e->out.len = (size_t)(pb_put_varint(p, (uint64_t)i) - e->out.p);
}

static void pb_name(struct buf *b, uint32_t num, struct str s)
{
	struct buf text = { 0 };

	if (str_is_utf8(s)) {
		pb_bytes(b, num, s);
		return;
	}
	json_clean(&text, s);
	pb_bytes(b, num, buf_slice(&text));
	buf_free(&text);
}

static void pb_list(struct buf *b, struct json *j, uint32_t field, bool object);

/* An AnyValue whose first token has been read. */
static void pb_any(struct buf *b, struct json *j)
{
	struct buf text = { 0 };
	int64_t i;
	double d;

	if (j->tok == JSON_STR) {
		json_decode(j->text, &text);
		pb_bytes(b, text_field(buf_slice(&text)), buf_slice(&text));
		buf_free(&text);
	} else if (j->tok == JSON_NUM && json_is_int(j->text) && json_i64(j->text, &i)) {
		pb_uint(b, ANY_INT, (uint64_t)i);
	} else if (j->tok == JSON_NUM && json_f64(j->text, &d)) {
		pb_real(b, ANY_REAL, d);
	} else if (j->tok == JSON_TRUE || j->tok == JSON_FALSE) {
		pb_uint(b, ANY_BOOL, j->tok == JSON_TRUE);
	} else if (j->tok == JSON_OBJ) {
		pb_list(b, j, ANY_OBJECT, true);
	} else if (j->tok == JSON_ARR) {
		pb_list(b, j, ANY_ARRAY, false);
	}
}

/* What an object or array holds, behind its opening bracket: fields with this number. */
static void pb_entries(struct buf *b, struct json *j, uint32_t field, bool object)
{
	size_t entry, any;
	struct buf key = { 0 };

	while (json_next(j) > JSON_DONE && j->tok != JSON_OBJ_END && j->tok != JSON_ARR_END) {
		entry = pb_open(b, field, 1);
		if (object) {
			buf_clear(&key);
			json_decode(j->text, &key);
			pb_name(b, 1, buf_slice(&key));
			any = pb_open(b, 2, 1);
			json_next(j);
			pb_any(b, j);
			pb_close(b, any, 1);
		} else {
			pb_any(b, j);
		}
		pb_close(b, entry, 1);
	}
	buf_free(&key);
}

/* ArrayValue or KeyValueList. */
static void pb_list(struct buf *b, struct json *j, uint32_t field, bool object)
{
	size_t list = pb_open(b, field, 1);

	pb_entries(b, j, 1, object);
	pb_close(b, list, 1);
}

static void pb_value(struct buf *b, const struct otlp_value *v)
{
	struct json j;

	switch (v->kind) {
	case OTLP_NONE:
		break;
	case OTLP_TEXT:
		pb_bytes(b, text_field(v->s), v->s);
		break;
	case OTLP_INT:
		pb_uint(b, ANY_INT, (uint64_t)v->i);
		break;
	case OTLP_REAL:
		pb_real(b, ANY_REAL, v->d);
		break;
	case OTLP_BOOL:
		pb_uint(b, ANY_BOOL, v->i != 0);
		break;
	case OTLP_NESTED:
		j = json_of(v->s);
		json_next(&j);
		pb_any(b, &j);
		break;
	}
}

static void pb_attr(struct otlp_enc *e, struct str key, const struct otlp_value *v)
{
	size_t attr, any;

	if (v->kind == OTLP_TEXT) {
		pb_text_attr(e, key, v->s);
		return;
	}
	if (v->kind == OTLP_INT) {
		pb_int_attr(e, key, v->i);
		return;
	}
	attr = pb_open(&e->out, e->attr_field, 1);
	pb_bytes(&e->out, 1, key);
	any = pb_open(&e->out, 2, 1);
	pb_value(&e->out, v);
	pb_close(&e->out, any, 1);
	pb_close(&e->out, attr, 1);
}

static void pb_id(struct buf *b, uint32_t num, const uint8_t *id, size_t n)
{
	if (id)
		pb_bytes(b, num, (struct str){ (const char *)id, n });
}

static void pb_span(struct otlp_enc *e, const struct otlp_item *it)
{
	struct buf *b = &e->out;

	pb_id(b, 1, it->trace_id, 16);
	pb_id(b, 2, it->span_id, 8);
	pb_id(b, 4, it->parent, 8);
	pb_name(b, 5, it->name);
	pb_uint(b, 6, it->kind);
	pb_fixed64(b, 7, it->start);
	pb_fixed64(b, 8, it->end);
	pb_fixed32(b, 16, it->flags);
	e->attr_field = SPAN_ATTRS;
}

static void pb_item(struct otlp_enc *e, const struct otlp_item *it)
{
	e->mark[MARK_ITEM] = pb_open(&e->out, SCOPE_ITEM, 2);
	if (e->signal == OTLP_TRACES) {
		pb_span(e, it);
		return;
	}
	pb_fixed64(&e->out, 1, it->start);
	pb_fixed64(&e->out, 11, it->start);
	pb_bytes(&e->out, 12, it->name);
	e->attr_field = LOG_ATTRS;
}

static int hex_digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* An id from its hex digits; nothing where it is none. */
static void pb_hex(struct buf *b, uint32_t num, struct str s)
{
	uint8_t id[16];

	if (s.len != 16 && s.len != 32)
		return;
	for (size_t i = 0; i < s.len; i += 2) {
		int high = hex_digit(s.s[i]), low = hex_digit(s.s[i + 1]);

		if (high < 0 || low < 0)
			return;
		id[i / 2] = (uint8_t)(high << 4 | low);
	}
	pb_id(b, num, id, s.len / 2);
}

/* A value of an event or link, which `j` is at. */
static void pb_part(struct buf *b, struct json *j, const struct place_part *p)
{
	struct buf text = { 0 };
	uint64_t n;

	if (p->kind == PART_ATTRS && j->tok == JSON_OBJ) {
		pb_entries(b, j, p->num, true);
	} else if (p->kind == PART_ID && j->tok == JSON_STR) {
		pb_hex(b, p->num, j->text);
	} else if (p->kind == PART_TEXT && j->tok == JSON_STR) {
		json_decode(j->text, &text);
		pb_name(b, p->num, buf_slice(&text));
		buf_free(&text);
	} else if (j->tok == JSON_NUM && str_u64(j->text, &n)) {
		if (p->kind == PART_TIME)
			pb_fixed64(b, p->num, n);
		else if (p->kind == PART_BITS)
			pb_fixed32(b, p->num, (uint32_t)n);
		else if (p->kind == PART_COUNT)
			pb_uint(b, p->num, n);
	}
}

/* Events and links: fields of the span beside its attributes. */
static void pb_span_list(struct buf *b, const struct place_list *l, struct str text)
{
	struct json j = json_of(text);

	json_next(&j);
	while (json_next(&j) == JSON_OBJ) {
		size_t at = pb_open(b, l->num, 1);

		while (json_next(&j) == JSON_KEY) {
			const struct place_part *p = place_part(l, j.text);

			json_next(&j);
			pb_part(b, &j, p);
			if (j.tok == JSON_OBJ || j.tok == JSON_ARR)
				json_rest(&j);
		}
		pb_close(b, at, 1);
	}
}

/* Fields of the span that are known once its attributes are. */
static void pb_fields(struct otlp_enc *e)
{
	struct buf *b = &e->out;
	size_t status;

	for (unsigned int i = 0; i < PLACE_LISTS; i++)
		if (e->lists[i].s)
			pb_span_list(b, &place_lists[i], e->lists[i]);
	if (e->state.len)
		pb_bytes(b, 3, buf_slice(&e->state));
	if (!e->error && !e->message.len)
		return;
	status = pb_open(b, 15, 1);
	if (e->message.len)
		pb_bytes(b, 2, buf_slice(&e->message));
	if (e->error)
		pb_uint(b, 3, 2);
	pb_close(b, status, 1);
}

static void pb_item_end(struct otlp_enc *e)
{
	if (e->signal == OTLP_TRACES)
		pb_fields(e);
	pb_close(&e->out, e->mark[MARK_ITEM], 2);
}

static void pb_resource_end(struct otlp_enc *e)
{
	pb_bytes(&e->out, SCOPE_SCHEMA, STR(PLACE_SCHEMA));
	pb_close(&e->out, e->mark[MARK_SCOPE], 3);
	pb_bytes(&e->out, X_SCHEMA, STR(PLACE_SCHEMA));
	pb_close(&e->out, e->mark[MARK_X], 3);
}

const struct otlp_backend otlp_pb = {
	.content_type = "application/x-protobuf",
	.message = pb_message,
	.resource = pb_resource,
	.attr = pb_attr,
	.scope = pb_scope,
	.item = pb_item,
	.item_end = pb_item_end,
	.resource_end = pb_resource_end,
	.message_end = pb_message,
};
