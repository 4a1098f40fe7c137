// SPDX-License-Identifier: GPL-3.0-or-later
/* json_attr - attributes and their values of OTLP in JSON. */
#include "read/json_attr.h"

#include <math.h>

static char folded(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

bool json_attr_key_is(struct str key, const char *camel)
{
	size_t i = 0;

	if (str_is(key, camel))
		return true;
	if (!key.len || !memchr(key.s, '_', key.len))
		return false;
	for (; *camel; camel++, i++) {
		while (i < key.len && key.s[i] == '_')
			i++;
		if (i == key.len || folded(key.s[i]) != folded(*camel))
			return false;
	}
	return i == key.len;
}

bool json_attr_find(struct json j, const char *key, struct json *at)
{
	while (json_next(&j) == JSON_KEY) {
		if (json_attr_key_is(j.text, key)) {
			json_next(&j);
			*at = j;
			return true;
		}
		if (!json_skip(&j))
			return false;
	}
	return false;
}

/* ---- values ---- */

static int digit64(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' || c == '-' ? 62 : c == '/' || c == '_' ? 63 : -1;
}

ssize_t json_attr_base64(struct str s, uint8_t *out)
{
	uint32_t v = 0;
	unsigned int bits = 0;
	ssize_t n = 0;

	while (s.len && s.s[s.len - 1] == '=')
		s.len--;
	for (size_t i = 0; i < s.len; i++) {
		int digit = digit64(s.s[i]);

		if (digit < 0)
			return -1;
		v = v << 6 | (uint32_t)digit;
		bits += 6;
		if (bits >= 8) {
			bits -= 8;
			out[n++] = (uint8_t)(v >> bits);
		}
	}
	return n;
}

static void value_bytes(const struct json *j, struct otlp_dec *d, struct otlp_val *v)
{
	struct str text = json_text(j, &d->scratch);
	uint8_t *p = arena_alloc(&d->scratch, text.len + 1);
	ssize_t n = p ? json_attr_base64(text, p) : -1;

	if (n < 0)
		*v = (struct otlp_val){ .kind = VAL_TEXT, .s = text };
	else
		*v = (struct otlp_val){ .kind = VAL_BYTES, .s = { (char *)p, (size_t)n } };
}

static void value_real(const struct json *j, struct otlp_val *v)
{
	v->kind = VAL_REAL;
	if (json_f64(j->text, &v->d))
		return;
	if (str_is(j->text, "NaN"))
		v->d = NAN;
	else if (str_is(j->text, "Infinity"))
		v->d = INFINITY;
	else if (str_is(j->text, "-Infinity"))
		v->d = -INFINITY;
	else
		v->kind = VAL_NONE;
}

static void any_value(struct json *j, struct otlp_dec *d, struct otlp_val *v);

/* One entry of a list: {"key", "value"} of a kvlist, else a value. */
static void list_entry(struct json *j, struct otlp_dec *d, bool object)
{
	struct otlp_val v = { 0 };
	struct json at;
	bool done = false;

	if (!object) {
		any_value(j, d, &v);
	} else {
		json_str(&d->nested, json_attr_find(*j, "key", &at) && at.tok == JSON_STR
		                             ? json_text(&at, &d->scratch)
		                             : STR(""));
		buf_ch(&d->nested, ':');
		while (json_next(j) == JSON_KEY) {
			if (!done && str_is(j->text, "value") && json_next(j) == JSON_OBJ) {
				any_value(j, d, &v);
				done = true;
			} else if (j->tok != JSON_KEY ? j->tok <= JSON_DONE : !json_skip(j)) {
				break;
			}
		}
	}
	if (v.kind != VAL_NESTED)
		otlp_val_json(&d->nested, &v);
}

/* arrayValue, kvlistValue: {"values": [...]} appended to d->nested as JSON. */
static void list_value(struct json *j, struct otlp_dec *d, bool object)
{
	bool first = true;
	struct json at;

	buf_ch(&d->nested, object ? '{' : '[');
	if (j->tok == JSON_OBJ && json_attr_find(*j, "values", &at) && at.tok == JSON_ARR) {
		while (json_next(&at) == JSON_OBJ) {
			if (!first)
				buf_ch(&d->nested, ',');
			first = false;
			list_entry(&at, d, object);
		}
	}
	buf_ch(&d->nested, object ? '}' : ']');
	if (j->tok == JSON_OBJ)
		json_rest(j);
}

/* The value of a member of AnyValue; j is at that value. */
static void any_member(struct json *j, struct str key, struct otlp_dec *d, struct otlp_val *v)
{
	if (json_attr_key_is(key, "stringValue") && j->tok == JSON_STR) {
		*v = (struct otlp_val){ .kind = VAL_TEXT, .s = json_text(j, &d->scratch) };
	} else if (json_attr_key_is(key, "boolValue") &&
	           (j->tok == JSON_TRUE || j->tok == JSON_FALSE)) {
		*v = (struct otlp_val){ .kind = VAL_BOOL, .i = j->tok == JSON_TRUE };
	} else if (json_attr_key_is(key, "intValue") &&
	           (j->tok == JSON_STR || j->tok == JSON_NUM)) {
		if (json_i64(j->text, &v->i))
			v->kind = VAL_INT;
	} else if (json_attr_key_is(key, "doubleValue") &&
	           (j->tok == JSON_STR || j->tok == JSON_NUM)) {
		value_real(j, v);
	} else if (json_attr_key_is(key, "bytesValue") && j->tok == JSON_STR) {
		value_bytes(j, d, v);
	} else if (json_attr_key_is(key, "arrayValue") || json_attr_key_is(key, "kvlistValue")) {
		size_t start = d->nested.len;

		list_value(j, d, *key.s == 'k');
		v->kind = VAL_NESTED;
		v->s = (struct str){ d->nested.p + start, d->nested.len - start };
	} else if (j->tok == JSON_OBJ || j->tok == JSON_ARR) {
		json_rest(j);
	}
}

/* An AnyValue that was just opened, to its end. Nested ones are in d->nested. */
static void any_value(struct json *j, struct otlp_dec *d, struct otlp_val *v)
{
	*v = (struct otlp_val){ .kind = VAL_NONE };
	while (json_next(j) == JSON_KEY) {
		struct str key = j->text;

		json_next(j);
		if (v->kind == VAL_NONE)
			any_member(j, key, d, v);
		else if (j->tok == JSON_OBJ || j->tok == JSON_ARR)
			json_rest(j);
	}
}

/* {"key": "...", "value": {...}}, just opened, to its end. */
static void attribute(struct json *j, struct otlp_dec *d)
{
	struct otlp_val v = { .kind = VAL_NONE };
	struct str key = STR("");

	while (json_next(j) == JSON_KEY) {
		bool is_key = str_is(j->text, "key"), is_value = str_is(j->text, "value");

		json_next(j);
		if (is_key && j->tok == JSON_STR)
			key = json_text(j, &d->scratch);
		else if (is_value && j->tok == JSON_OBJ && v.kind == VAL_NONE)
			any_value(j, d, &v);
		else if (j->tok == JSON_OBJ || j->tok == JSON_ARR)
			json_rest(j);
	}
	if (j->tok == JSON_OBJ_END)
		otlp_attr(d, key, &v);
}

void json_attr_list(struct json *j, struct otlp_dec *d)
{
	if (json_next(j) != JSON_ARR) {
		if (j->tok == JSON_OBJ)
			json_rest(j);
		return;
	}
	while (json_next(j) == JSON_OBJ)
		attribute(j, d);
}

void json_attr_object(struct json *j, struct otlp_dec *d)
{
	bool first = true;

	buf_ch(&d->nested, '{');
	while (json_next(j) == JSON_OBJ) {
		if (!first)
			buf_ch(&d->nested, ',');
		first = false;
		list_entry(j, d, true);
	}
	buf_ch(&d->nested, '}');
}
