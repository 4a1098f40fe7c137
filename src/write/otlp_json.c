// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * otlp_json - OTLP in JSON: lowerCamelCase keys, hex ids, enums as integers,
 * 64-bit integers as strings, bytes in base64.
 *
 * https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
 */
#include "write/otlp.h"

#include "base/json.h"

static void comma(struct otlp_enc *e)
{
	if (e->comma)
		buf_ch(&e->out, ',');
	e->comma = true;
}

static void json_message(struct otlp_enc *e)
{
	buf_z(&e->out, e->signal == OTLP_TRACES ? "{\"resourceSpans\":[" : "{\"resourceLogs\":[");
	e->comma = false;
}

static void json_message_end(struct otlp_enc *e)
{
	buf_z(&e->out, "]}");
}

static void json_resource(struct otlp_enc *e)
{
	comma(e);
	buf_z(&e->out, "{\"resource\":{\"attributes\":[");
	e->comma = false;
}

static void json_scope(struct otlp_enc *e)
{
	bool traces = e->signal == OTLP_TRACES;

	buf_z(&e->out, traces ? "]},\"scopeSpans\":[{\"scope\":{\"name\":\"" PLACE_SCOPE "\""
	                      : "]},\"scopeLogs\":[{\"scope\":{\"name\":\"" PLACE_SCOPE "\"");
	buf_z(&e->out, ",\"version\":");
	json_str(&e->out, e->version);
	buf_z(&e->out, traces ? "},\"spans\":[" : "},\"logRecords\":[");
	e->comma = false;
}

static void json_resource_end(struct otlp_enc *e)
{
	buf_z(&e->out,
	      "],\"schemaUrl\":\"" PLACE_SCHEMA "\"}],\"schemaUrl\":\"" PLACE_SCHEMA "\"}");
	e->comma = true;
}

static void base64(struct buf *b, struct str s)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	for (size_t i = 0; i < s.len; i += 3) {
		size_t left = s.len - i;
		uint32_t v = (uint32_t)(uint8_t)s.s[i] << 16;

		v |= left > 1 ? (uint32_t)(uint8_t)s.s[i + 1] << 8 : 0;
		v |= left > 2 ? (uint8_t)s.s[i + 2] : 0;
		buf_ch(b, digits[v >> 18]);
		buf_ch(b, digits[v >> 12 & 63]);
		buf_ch(b, left > 1 ? digits[v >> 6 & 63] : '=');
		buf_ch(b, left > 2 ? digits[v & 63] : '=');
	}
}

/* A text that is no UTF-8 goes as bytes, so that nothing of it is lost. */
static void put_text(struct buf *b, struct str s)
{
	if (str_is_utf8(s)) {
		buf_z(b, "{\"stringValue\":");
		json_str(b, s);
	} else {
		buf_z(b, "{\"bytesValue\":\"");
		base64(b, s);
		buf_ch(b, '"');
	}
	buf_ch(b, '}');
}

static void put_int(struct buf *b, int64_t i)
{
	buf_z(b, "{\"intValue\":\"");
	buf_i64(b, i);
	buf_z(b, "\"}");
}

static void put_real(struct buf *b, double d)
{
	buf_z(b, "{\"doubleValue\":");
	json_num(b, d);
	buf_ch(b, '}');
}

static void put_list(struct buf *b, struct json *j, bool object);

/* An AnyValue whose first token has been read. */
static void put_any(struct buf *b, struct json *j)
{
	struct buf text = { 0 };
	int64_t i;
	double d;

	if (j->tok == JSON_STR) {
		json_decode(j->text, &text);
		put_text(b, buf_slice(&text));
		buf_free(&text);
	} else if (j->tok == JSON_NUM && json_is_int(j->text) && json_i64(j->text, &i)) {
		put_int(b, i);
	} else if (j->tok == JSON_NUM && json_f64(j->text, &d)) {
		put_real(b, d);
	} else if (j->tok == JSON_TRUE || j->tok == JSON_FALSE) {
		buf_z(b, j->tok == JSON_TRUE ? "{\"boolValue\":true}" : "{\"boolValue\":false}");
	} else if (j->tok == JSON_OBJ || j->tok == JSON_ARR) {
		put_list(b, j, j->tok == JSON_OBJ);
	} else {
		buf_z(b, "{}");
	}
}

static void put_key(struct buf *b, const struct json *j)
{
	struct buf text = { 0 };

	if (j->escaped)
		json_decode(j->text, &text);
	json_str(b, j->escaped ? buf_slice(&text) : j->text);
	buf_free(&text);
}

/* What an object or array holds, behind its opening bracket. */
static void put_entries(struct buf *b, struct json *j, bool object)
{
	bool first = true;

	while (json_next(j) > JSON_DONE && j->tok != JSON_OBJ_END && j->tok != JSON_ARR_END) {
		if (!first)
			buf_ch(b, ',');
		first = false;
		if (object) {
			buf_z(b, "{\"key\":");
			put_key(b, j);
			buf_z(b, ",\"value\":");
			json_next(j);
		}
		put_any(b, j);
		if (object)
			buf_ch(b, '}');
	}
}

static void put_list(struct buf *b, struct json *j, bool object)
{
	buf_z(b, object ? "{\"kvlistValue\":{\"values\":[" : "{\"arrayValue\":{\"values\":[");
	put_entries(b, j, object);
	buf_z(b, "]}}");
}

static void put_value(struct buf *b, const struct otlp_value *v)
{
	struct json j;

	switch (v->kind) {
	case OTLP_NONE:
		buf_z(b, "{}");
		break;
	case OTLP_TEXT:
		put_text(b, v->s);
		break;
	case OTLP_INT:
		put_int(b, v->i);
		break;
	case OTLP_REAL:
		put_real(b, v->d);
		break;
	case OTLP_BOOL:
		buf_z(b, v->i ? "{\"boolValue\":true}" : "{\"boolValue\":false}");
		break;
	case OTLP_NESTED:
		j = json_of(v->s);
		json_next(&j);
		put_any(b, &j);
		break;
	}
}

static void json_attr(struct otlp_enc *e, struct str key, const struct otlp_value *v)
{
	comma(e);
	buf_z(&e->out, "{\"key\":");
	json_str(&e->out, key);
	buf_z(&e->out, ",\"value\":");
	put_value(&e->out, v);
	buf_ch(&e->out, '}');
}

static void put_id(struct buf *b, const char *key, const uint8_t *id, size_t n)
{
	if (!id)
		return;
	buf_z(b, key);
	buf_hex(b, id, n);
	buf_z(b, "\",");
}

static void put_time(struct buf *b, const char *key, uint64_t ns)
{
	buf_z(b, key);
	buf_u64(b, ns);
	buf_z(b, "\",");
}

static void json_item(struct otlp_enc *e, const struct otlp_item *it)
{
	struct buf *b = &e->out;

	comma(e);
	e->comma = false;
	buf_ch(b, '{');
	if (e->signal == OTLP_LOGS) {
		put_time(b, "\"timeUnixNano\":\"", it->start);
		put_time(b, "\"observedTimeUnixNano\":\"", it->start);
		buf_z(b, "\"eventName\":");
		json_str(b, it->name);
		buf_z(b, ",\"attributes\":[");
		return;
	}
	put_id(b, "\"traceId\":\"", it->trace_id, 16);
	put_id(b, "\"spanId\":\"", it->span_id, 8);
	put_id(b, "\"parentSpanId\":\"", it->parent, 8);
	buf_fmt(b, "\"flags\":%u,\"name\":", it->flags);
	json_str(b, it->name);
	buf_fmt(b, ",\"kind\":%u,", it->kind);
	put_time(b, "\"startTimeUnixNano\":\"", it->start);
	put_time(b, "\"endTimeUnixNano\":\"", it->end);
	buf_z(b, "\"attributes\":[");
}

/* A value of an event or link, which `j` is at. */
static void put_part(struct buf *b, struct json *j, const struct place_part *p)
{
	uint64_t n = 0;

	buf_fmt(b, "\"%s\":", p->json);
	if (p->kind == PART_ATTRS) {
		buf_ch(b, '[');
		if (j->tok == JSON_OBJ)
			put_entries(b, j, true);
		buf_ch(b, ']');
	} else if (p->kind == PART_TEXT || p->kind == PART_ID) {
		struct buf text = { 0 };

		json_decode(j->tok == JSON_STR ? j->text : STR(""), &text);
		json_str(b, buf_slice(&text));
		buf_free(&text);
	} else {
		if (j->tok == JSON_NUM)
			(void)str_u64(j->text, &n);
		buf_fmt(b, p->kind == PART_TIME ? "\"%llu\"" : "%llu", (unsigned long long)n);
	}
}

/* Events and links: fields of the span beside its attributes. */
static void put_span_list(struct buf *b, const struct place_list *l, struct str text)
{
	struct json j = json_of(text);
	bool first = true, first_part;

	buf_fmt(b, ",\"%s\":[", l->json);
	json_next(&j);
	while (json_next(&j) == JSON_OBJ) {
		buf_z(b, first ? "{" : ",{");
		first = false;
		first_part = true;
		while (json_next(&j) == JSON_KEY) {
			const struct place_part *p = place_part(l, j.text);

			if (!first_part)
				buf_ch(b, ',');
			first_part = false;
			json_next(&j);
			put_part(b, &j, p);
			if (j.tok == JSON_OBJ || j.tok == JSON_ARR)
				json_rest(&j);
		}
		buf_ch(b, '}');
	}
	buf_ch(b, ']');
}

/* Fields of the span that are known once its attributes are. */
static void put_fields(struct otlp_enc *e)
{
	struct buf *b = &e->out;

	for (unsigned int i = 0; i < PLACE_LISTS; i++)
		if (e->lists[i].s)
			put_span_list(b, &place_lists[i], e->lists[i]);
	if (e->state.len) {
		buf_z(b, ",\"traceState\":");
		json_str(b, buf_slice(&e->state));
	}
	buf_z(b, ",\"status\":{");
	if (e->message.len) {
		buf_z(b, "\"message\":");
		json_str(b, buf_slice(&e->message));
	}
	if (e->error)
		buf_z(b, e->message.len ? ",\"code\":2" : "\"code\":2");
	buf_ch(b, '}');
}

static void json_item_end(struct otlp_enc *e)
{
	buf_ch(&e->out, ']');
	if (e->signal == OTLP_TRACES)
		put_fields(e);
	buf_ch(&e->out, '}');
	e->comma = true;
}

const struct otlp_backend otlp_json = {
	.content_type = "application/json",
	.message = json_message,
	.resource = json_resource,
	.attr = json_attr,
	.scope = json_scope,
	.item = json_item,
	.item_end = json_item_end,
	.resource_end = json_resource_end,
	.message_end = json_message_end,
};
