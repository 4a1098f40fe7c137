// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * otlp_json - the items of an OTLP message in JSON.
 *
 * The walk goes down resource, scope, item and stops after each item, so that a
 * message of any size fills batches of any size. The order of keys is not
 * given: what is needed first (resource, scope, event name) is looked up ahead.
 * Snake-case keys, enum names and base64 ids, which old exporters wrote, are
 * understood.
 */
#include "read/otlp.h"

#include <errno.h>

#include "read/json_attr.h"

enum { IN_MESSAGE, IN_RESOURCES, IN_RESOURCE, IN_SCOPES, IN_SCOPE, IN_ITEMS, WALK_DONE };

/* ---- items ---- */

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Hex, or base64 as old exporters wrote it; anything else stays unknown. */
static void id_value(struct str s, uint8_t *id, size_t n)
{
	uint8_t tmp[24];

	if (s.len == 2 * n) {
		for (size_t i = 0; i < n; i++) {
			int high = hex_digit(s.s[2 * i]), low = hex_digit(s.s[2 * i + 1]);

			if (high < 0 || low < 0) {
				memset(id, 0, n);
				return;
			}
			id[i] = (uint8_t)(high << 4 | low);
		}
	} else if (s.len == (n + 2) / 3 * 4 && json_attr_base64(s, tmp) == (ssize_t)n) {
		memcpy(id, tmp, n);
	}
}

static uint64_t time_value(struct str s)
{
	uint64_t u;
	int64_t i;

	if (str_u64(s, &u))
		return u;
	return json_i64(s, &i) ? (uint64_t)i : 0;
}

static uint64_t enum_value(struct str s, const char *const *names, size_t n)
{
	uint64_t u;

	if (str_u64(s, &u))
		return u;
	for (size_t i = 0; i < n; i++)
		if (str_is(s, names[i]))
			return i;
	return 0;
}

static uint64_t kind_value(struct str s)
{
	static const char *const names[] = { "SPAN_KIND_UNSPECIFIED", "SPAN_KIND_INTERNAL",
		                             "SPAN_KIND_SERVER",      "SPAN_KIND_CLIENT",
		                             "SPAN_KIND_PRODUCER",    "SPAN_KIND_CONSUMER" };

	return enum_value(s, names, sizeof(names) / sizeof(names[0]));
}

static void status_value(struct json *j, struct otlp_dec *d, struct otlp_fields *f)
{
	static const char *const names[] = { "STATUS_CODE_UNSET", "STATUS_CODE_OK",
		                             "STATUS_CODE_ERROR" };

	if (j->tok != JSON_OBJ)
		return;
	while (json_next(j) == JSON_KEY) {
		bool code = str_is(j->text, "code"), message = str_is(j->text, "message");

		json_next(j);
		if (code && (j->tok == JSON_NUM || j->tok == JSON_STR))
			f->status = enum_value(j->text, names, 3);
		else if (message && j->tok == JSON_STR)
			f->message = json_text(j, &d->scratch);
		else if (j->tok == JSON_OBJ || j->tok == JSON_ARR)
			json_rest(j);
	}
}

/* A field whose value is one token. */
static void span_field(struct json *j, struct str key, struct otlp_dec *d, struct otlp_fields *f)
{
	if (j->tok != JSON_STR && j->tok != JSON_NUM)
		return;
	if (json_attr_key_is(key, "traceId"))
		id_value(j->text, f->trace_id, 16);
	else if (json_attr_key_is(key, "spanId"))
		id_value(j->text, f->span_id, 8);
	else if (json_attr_key_is(key, "parentSpanId"))
		id_value(j->text, f->parent, 8);
	else if (str_is(key, "name"))
		f->name = json_text(j, &d->scratch);
	else if (str_is(key, "kind"))
		f->kind = kind_value(j->text);
	else if (json_attr_key_is(key, "startTimeUnixNano"))
		f->start = time_value(j->text);
	else if (json_attr_key_is(key, "endTimeUnixNano"))
		f->end = time_value(j->text);
	else if (json_attr_key_is(key, "traceState"))
		f->state = json_text(j, &d->scratch);
}

static void put_id(struct buf *b, struct str s)
{
	size_t n = s.len == 16 || s.len == 12 ? 8 : s.len == 32 || s.len == 24 ? 16 : 0;
	uint8_t id[16] = { 0 };

	id_value(s, id, n);
	buf_ch(b, '"');
	buf_hex(b, id, n);
	buf_ch(b, '"');
}

/* A value of an event or link, which `j` is at, to d->nested. */
static void list_part(struct json *j, struct otlp_dec *d, const struct place_part *p)
{
	bool number = p->kind == PART_TIME || p->kind == PART_COUNT || p->kind == PART_BITS;

	if (p->kind == PART_ATTRS && j->tok == JSON_ARR) {
		json_attr_object(j, d);
		return;
	}
	if (j->tok == JSON_STR && p->kind == PART_TEXT)
		json_str(&d->nested, json_text(j, &d->scratch));
	else if (j->tok == JSON_STR && p->kind == PART_ID)
		put_id(&d->nested, j->text);
	else if ((j->tok == JSON_STR || j->tok == JSON_NUM) && number)
		buf_u64(&d->nested, time_value(j->text));
	else
		buf_z(&d->nested, "null");
	if (j->tok == JSON_OBJ || j->tok == JSON_ARR)
		json_rest(j);
}

static const struct place_part *json_part(const struct place_list *l, struct str key)
{
	for (const struct place_part *p = l->parts; p->key; p++)
		if (json_attr_key_is(key, p->json))
			return p;
	return NULL;
}

/* One event or link, just opened, to its end. */
static void list_object(struct json *j, struct otlp_dec *d, const struct place_list *l)
{
	bool first = true;

	buf_ch(&d->nested, '{');
	while (json_next(j) == JSON_KEY) {
		const struct place_part *p = json_part(l, j->text);

		if (!p) {
			json_skip(j);
			continue;
		}
		buf_fmt(&d->nested, first ? "\"%s\":" : ",\"%s\":", p->key);
		first = false;
		json_next(j);
		list_part(j, d, p);
	}
	buf_ch(&d->nested, '}');
}

/* The value of `key` where that is a list of place_lists, which `j` has just opened. */
static bool span_list(struct json *j, struct str key, struct otlp_dec *d)
{
	size_t start = d->nested.len;

	for (unsigned int i = 0; i < PLACE_LISTS; i++) {
		if (!str_is(key, place_lists[i].json))
			continue;
		buf_ch(&d->nested, '[');
		while (json_next(j) == JSON_OBJ) {
			if (d->nested.len > start + 1)
				buf_ch(&d->nested, ',');
			list_object(j, d, &place_lists[i]);
		}
		buf_ch(&d->nested, ']');
		otlp_list(d, &place_lists[i], start);
		return true;
	}
	return false;
}

/* Takes the rest of an item; true where it is whole. */
static bool span_item(struct json *j, struct otlp_dec *d, struct otlp_fields *f)
{
	while (json_next(j) == JSON_KEY) {
		struct str key = j->text;

		if (str_is(key, "attributes")) {
			json_attr_list(j, d);
			continue;
		}
		json_next(j);
		if (str_is(key, "status"))
			status_value(j, d, f);
		else if (j->tok == JSON_ARR && span_list(j, key, d))
			continue;
		else if (j->tok == JSON_OBJ || j->tok == JSON_ARR)
			json_rest(j);
		else
			span_field(j, key, d, f);
	}
	return j->tok == JSON_OBJ_END;
}

static bool log_item(struct json *j, struct otlp_dec *d)
{
	while (json_next(j) == JSON_KEY) {
		if (str_is(j->text, "attributes"))
			json_attr_list(j, d);
		else
			json_skip(j);
	}
	return j->tok == JSON_OBJ_END;
}

static void take_span(struct otlp_json_walk *w, struct otlp_dec *d)
{
	struct otlp_fields f = { 0 };

	if (!otlp_span(d))
		json_rest(&w->j);
	else if (span_item(&w->j, d, &f))
		otlp_span_end(d, &f);
	else
		otlp_take_back(d); /* an item that is cut is no row */
}

static void take_log(struct otlp_json_walk *w, struct otlp_dec *d)
{
	struct str event = STR_NULL;
	struct json at;

	if (json_attr_find(w->j, "eventName", &at) && at.tok == JSON_STR)
		event = json_text(&at, &d->scratch);
	if (!otlp_log(d, event))
		json_rest(&w->j);
	else if (log_item(&w->j, d))
		otlp_log_end(d);
	else
		otlp_take_back(d);
}

/* ---- the walk ---- */

static void take_resource(const struct otlp_json_walk *w, struct otlp_dec *d)
{
	struct json at;

	otlp_resource(d);
	if (!json_attr_find(w->j, "resource", &at) || at.tok != JSON_OBJ)
		return;
	while (json_next(&at) == JSON_KEY) {
		if (str_is(at.text, "attributes"))
			json_attr_list(&at, d);
		else
			json_skip(&at);
	}
}

static void take_scope(const struct otlp_json_walk *w, struct otlp_dec *d)
{
	struct json at, name;
	struct str s = STR_NULL;

	if ((json_attr_find(w->j, "scope", &at) ||
	     json_attr_find(w->j, "instrumentationLibrary", &at)) &&
	    at.tok == JSON_OBJ && json_attr_find(at, "name", &name) && name.tok == JSON_STR)
		s = json_text(&name, &d->scratch);
	otlp_scope(d, s);
}

/* Metrics have no table: counted, by the keys that lead to them. */
static void count_metrics(struct json *j, struct otlp_dec *d, unsigned int level)
{
	static const char *const keys[] = { "scopeMetrics", "metrics" };

	if (json_next(j) != JSON_ARR) {
		if (j->tok == JSON_OBJ)
			json_rest(j);
		return;
	}
	while (json_next(j) == JSON_OBJ) {
		if (level == sizeof(keys) / sizeof(keys[0])) {
			d->stats->metrics += json_rest(j);
			continue;
		}
		while (json_next(j) == JSON_KEY) {
			if (json_attr_key_is(j->text, keys[level]))
				count_metrics(j, d, level + 1);
			else
				json_skip(j);
		}
	}
}

/* The list under `key` opens: one level down. */
static void enter(struct otlp_json_walk *w)
{
	if (json_next(&w->j) == JSON_ARR)
		w->level++;
	else if (w->j.tok == JSON_OBJ)
		json_rest(&w->j);
}

static void at_key(struct otlp_json_walk *w, struct otlp_dec *d)
{
	struct str key = w->j.text;

	switch (w->level) {
	case IN_MESSAGE:
		if (json_attr_key_is(key, "resourceMetrics")) {
			count_metrics(&w->j, d, 0);
			return;
		}
		w->logs = json_attr_key_is(key, "resourceLogs");
		if (!w->logs && !json_attr_key_is(key, "resourceSpans"))
			break;
		enter(w);
		return;
	case IN_RESOURCE:
		if (!json_attr_key_is(key, w->logs ? "scopeLogs" : "scopeSpans") &&
		    !str_starts(key, "instrumentationLibrary"))
			break;
		enter(w);
		return;
	case IN_SCOPE:
		if (!json_attr_key_is(key, w->logs ? "logRecords" : "spans"))
			break;
		enter(w);
		return;
	}
	json_skip(&w->j);
}

/* An object opens in a list; true where the caller is to look: an item, or a resource before them. */
static bool at_object(struct otlp_json_walk *w, struct otlp_dec *d)
{
	switch (w->level) {
	case IN_RESOURCES:
		take_resource(w, d);
		w->level++;
		return false;
	case IN_SCOPES:
		take_scope(w, d);
		w->level++;
		return true; /* of another resource, perhaps */
	case IN_ITEMS:
		if (w->logs)
			take_log(w, d);
		else
			take_span(w, d);
		return true;
	}
	return false;
}

void otlp_json_begin(struct otlp_json_walk *w, struct str message)
{
	*w = (struct otlp_json_walk){ .j = json_of(message), .start = message.s };
	if (json_next(&w->j) != JSON_OBJ)
		w->level = WALK_DONE;
}

int otlp_json_next(struct otlp_json_walk *w, struct otlp_dec *d)
{
	while (w->level != WALK_DONE) {
		switch (json_next(&w->j)) {
		case JSON_KEY:
			at_key(w, d);
			break;
		case JSON_OBJ:
			if (at_object(w, d))
				return 1;
			break;
		case JSON_OBJ_END:
		case JSON_ARR_END:
			if (w->level == IN_MESSAGE)
				w->level = WALK_DONE;
			else
				w->level--;
			break;
		case JSON_ARR: /* where an object should be */
			json_rest(&w->j);
			break;
		case JSON_BAD:
		case JSON_CUT:
		case JSON_NONE:
			w->level = WALK_DONE;
			return -EBADMSG;
		case JSON_DONE:
			w->level = WALK_DONE;
			break;
		default:
			break;
		}
	}
	return w->j.tok == JSON_BAD ? -EBADMSG : 0;
}
