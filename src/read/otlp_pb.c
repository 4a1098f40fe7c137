// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * otlp_pb - the items of an OTLP message in protobuf.
 *
 * TracesData, LogsData and MetricsData look the same from outside; an item
 * tells what it is by the types of its fields.
 */
#include "read/otlp.h"

#include <errno.h>

#include "base/pb.h"

enum { X_RESOURCE = 1, X_SCOPE = 2 };
enum { SCOPE_SCOPE = 1, SCOPE_ITEM = 2 };

enum { LIST_DEPTH = 4 }; /* attrs, list, event, attributes */

enum what { ITEM_SPAN, ITEM_LOG, ITEM_METRIC };

/* The first LEN field with this number. */
static struct str find(struct cur c, uint32_t num)
{
	struct pb_field f;

	while (pb_next(&c, &f))
		if (f.num == num && f.type == PB_LEN)
			return f.s;
	return STR_NULL;
}

/* ---- values ---- */

static void any_value(struct cur c, struct otlp_dec *d, struct otlp_val *v, unsigned int depth);

/* A KeyValue as member of a JSON object, to d->nested. */
static void object_entry(struct cur entry, struct otlp_dec *d, unsigned int depth)
{
	struct str key = find(entry, 1), in = find(entry, 2);
	struct otlp_val v;

	json_str(&d->nested, key);
	buf_ch(&d->nested, ':');
	any_value(cur_of(in.s ? in.s : "", in.len), d, &v, depth + 1);
	if (v.kind != VAL_NESTED)
		otlp_val_json(&d->nested, &v);
}

static void list_value(struct cur c, struct otlp_dec *d, bool object, unsigned int depth)
{
	bool first = true;
	struct pb_field f;

	buf_ch(&d->nested, object ? '{' : '[');
	while (depth < JSON_DEPTH && pb_next(&c, &f)) {
		struct otlp_val v;

		if (f.num != 1 || f.type != PB_LEN)
			continue;
		if (!first)
			buf_ch(&d->nested, ',');
		first = false;
		if (object) {
			object_entry(pb_inside(&f), d, depth);
			continue;
		}
		any_value(pb_inside(&f), d, &v, depth + 1);
		if (v.kind != VAL_NESTED)
			otlp_val_json(&d->nested, &v);
	}
	buf_ch(&d->nested, object ? '}' : ']');
}

/* One field of an AnyValue. */
static void any_field(const struct pb_field *f, struct otlp_dec *d, struct otlp_val *v,
                      unsigned int depth)
{
	size_t start = d->nested.len;

	if (f->num == 1 && f->type == PB_LEN) {
		*v = (struct otlp_val){ .kind = VAL_TEXT, .s = f->s };
	} else if (f->num == 2 && f->type == PB_VARINT) {
		*v = (struct otlp_val){ .kind = VAL_BOOL, .i = f->u != 0 };
	} else if (f->num == 3 && f->type == PB_VARINT) {
		*v = (struct otlp_val){ .kind = VAL_INT, .i = (int64_t)f->u };
	} else if (f->num == 4 && f->type == PB_I64) {
		*v = (struct otlp_val){ .kind = VAL_REAL, .d = pb_f64(f->u) };
	} else if ((f->num == 5 || f->num == 6) && f->type == PB_LEN) {
		list_value(pb_inside(f), d, f->num == 6, depth);
		*v = (struct otlp_val){ .kind = VAL_NESTED,
			                .s = { d->nested.p + start, d->nested.len - start } };
	} else if (f->num == 7 && f->type == PB_LEN) {
		*v = (struct otlp_val){ .kind = VAL_BYTES, .s = f->s };
	}
}

/* An AnyValue; nested ones are appended to d->nested. */
static void any_value(struct cur c, struct otlp_dec *d, struct otlp_val *v, unsigned int depth)
{
	struct pb_field f;

	*v = (struct otlp_val){ .kind = VAL_NONE };
	while (v->kind == VAL_NONE && pb_next(&c, &f))
		any_field(&f, d, v, depth);
}

static void attribute(struct cur c, struct otlp_dec *d)
{
	struct str key = { "", 0 };
	struct otlp_val v = { .kind = VAL_NONE };
	struct pb_field f;

	while (pb_next(&c, &f)) {
		if (f.num == 1 && f.type == PB_LEN)
			key = f.s;
		else if (f.num == 2 && f.type == PB_LEN)
			any_value(pb_inside(&f), d, &v, 0);
	}
	otlp_attr(d, key, &v);
}

/* ---- items ---- */

static enum what item_kind(struct cur c)
{
	struct pb_field f;
	bool trace_id = false, span_id = false;

	while (pb_next(&c, &f)) {
		if ((f.num == 7 || f.num == 8 || f.num == 1 || f.num == 11) && f.type == PB_I64)
			return f.num == 7 || f.num == 8 ? ITEM_SPAN : ITEM_LOG;
		if (f.num == 2 && f.type == PB_VARINT)
			return ITEM_LOG;
		trace_id |= f.num == 1 && f.type == PB_LEN && f.s.len == 16;
		span_id |= f.num == 2 && f.type == PB_LEN && f.s.len == 8;
	}
	return trace_id && span_id ? ITEM_SPAN : ITEM_METRIC;
}

static void take_id(struct str s, uint8_t *id, size_t n)
{
	if (s.len == n)
		memcpy(id, s.s, n);
}

static void status_value(struct cur c, struct otlp_fields *out)
{
	struct pb_field f;

	while (pb_next(&c, &f)) {
		if (f.num == 2 && f.type == PB_LEN)
			out->message = f.s;
		else if (f.num == 3 && f.type == PB_VARINT)
			out->status = f.u;
	}
}

static void span_text_field(const struct pb_field *f, struct otlp_dec *d, struct otlp_fields *out)
{
	switch (f->num) {
	case 1:
		take_id(f->s, out->trace_id, 16);
		break;
	case 2:
		take_id(f->s, out->span_id, 8);
		break;
	case 3:
		out->state = f->s;
		break;
	case 4:
		take_id(f->s, out->parent, 8);
		break;
	case 5:
		out->name = f->s;
		break;
	case 9:
		attribute(pb_inside(f), d);
		break;
	case 15:
		status_value(pb_inside(f), out);
		break;
	}
}

/* The attributes of an event or link, to d->nested. */
static void list_attrs(struct cur c, uint32_t num, struct otlp_dec *d)
{
	bool first = true;
	struct pb_field f;

	buf_ch(&d->nested, '{');
	while (pb_next(&c, &f)) {
		if (f.num != num || f.type != PB_LEN)
			continue;
		if (!first)
			buf_ch(&d->nested, ',');
		first = false;
		object_entry(pb_inside(&f), d, LIST_DEPTH);
	}
	buf_ch(&d->nested, '}');
}

/* A value of an event or link, to d->nested; f is the first field with the part's number. */
static void list_part(struct cur c, const struct pb_field *f, const struct place_part *p,
                      struct otlp_dec *d)
{
	if (p->kind == PART_ATTRS) {
		list_attrs(c, p->num, d);
	} else if (p->kind == PART_TEXT && f->type == PB_LEN) {
		json_str(&d->nested, f->s);
	} else if (p->kind == PART_ID && f->type == PB_LEN) {
		buf_ch(&d->nested, '"');
		buf_hex(&d->nested, f->s.s, f->s.len);
		buf_ch(&d->nested, '"');
	} else if (f->type != PB_LEN) {
		buf_u64(&d->nested, f->u);
	} else {
		buf_z(&d->nested, "null");
	}
}

static bool first_field(struct cur c, uint32_t num, struct pb_field *f)
{
	while (pb_next(&c, f))
		if (f->num == num)
			return true;
	return false;
}

static void list_object(struct cur c, const struct place_list *l, struct otlp_dec *d)
{
	bool first = true;
	struct pb_field f;

	buf_ch(&d->nested, '{');
	for (const struct place_part *p = l->parts; p->key; p++) {
		if (!first_field(c, p->num, &f))
			continue;
		buf_fmt(&d->nested, first ? "\"%s\":" : ",\"%s\":", p->key);
		first = false;
		list_part(c, &f, p, d);
	}
	buf_ch(&d->nested, '}');
}

/* Events and links of a span. */
static void span_lists(struct cur span, struct otlp_dec *d)
{
	for (unsigned int i = 0; i < PLACE_LISTS; i++) {
		size_t start = d->nested.len;
		struct cur c = span;
		struct pb_field f;

		buf_ch(&d->nested, '[');
		while (pb_next(&c, &f)) {
			if (f.num != place_lists[i].num || f.type != PB_LEN)
				continue;
			if (d->nested.len > start + 1)
				buf_ch(&d->nested, ',');
			list_object(pb_inside(&f), &place_lists[i], d);
		}
		buf_ch(&d->nested, ']');
		otlp_list(d, &place_lists[i], start);
	}
}

static void take_span(struct cur c, struct otlp_dec *d)
{
	struct otlp_fields out = { .name = { "", 0 } };
	struct pb_field f;

	if (!otlp_span(d))
		return;
	span_lists(c, d);
	while (pb_next(&c, &f)) {
		if (f.type == PB_LEN)
			span_text_field(&f, d, &out);
		else if (f.type == PB_VARINT && f.num == 6)
			out.kind = f.u;
		else if (f.type == PB_I64 && f.num == 7)
			out.start = f.u;
		else if (f.type == PB_I64 && f.num == 8)
			out.end = f.u;
	}
	otlp_span_end(d, &out);
}

static void take_log(struct cur c, struct otlp_dec *d)
{
	struct pb_field f;

	if (!otlp_log(d, find(c, 12)))
		return;
	while (pb_next(&c, &f))
		if (f.num == 6 && f.type == PB_LEN)
			attribute(pb_inside(&f), d);
	otlp_log_end(d);
}

/* Every field of it can be read. */
static bool is_whole(struct cur c)
{
	struct pb_field f;

	while (pb_next(&c, &f))
		;
	return !c.over;
}

static int take_item(struct cur c, struct otlp_dec *d)
{
	if (!is_whole(c))
		return -EBADMSG;
	switch (item_kind(c)) {
	case ITEM_SPAN:
		take_span(c, d);
		break;
	case ITEM_LOG:
		take_log(c, d);
		break;
	case ITEM_METRIC:
		d->stats->metrics++;
		break;
	}
	return 1;
}

/* ---- the walk ---- */

static void take_resource(struct cur c, struct otlp_dec *d)
{
	struct str resource = find(c, X_RESOURCE);
	struct cur in = cur_of(resource.s ? resource.s : "", resource.len);
	struct pb_field f;

	otlp_resource(d);
	while (pb_next(&in, &f))
		if (f.num == 1 && f.type == PB_LEN)
			attribute(pb_inside(&f), d);
}

static void take_scope(struct cur c, struct otlp_dec *d)
{
	struct str scope = find(c, SCOPE_SCOPE);

	otlp_scope(d, find(cur_of(scope.s ? scope.s : "", scope.len), 1));
}

void otlp_pb_begin(struct otlp_pb_walk *w, struct str message)
{
	*w = (struct otlp_pb_walk){ .message = cur_of(message.s, message.len) };
}

/* The next LEN field with number `num`; 0 at the end, -EBADMSG where it is damaged. */
static int next_field(struct cur *c, uint32_t num, struct pb_field *f)
{
	while (pb_next(c, f))
		if (f->num == num && f->type == PB_LEN)
			return 1;
	return c->over ? -EBADMSG : 0;
}

int otlp_pb_next(struct otlp_pb_walk *w, struct otlp_dec *d)
{
	struct pb_field f;
	int r;

	for (;;) {
		if (w->in_scope) {
			r = next_field(&w->scope, SCOPE_ITEM, &f);
			if (r > 0)
				return take_item(pb_inside(&f), d);
			w->in_scope = false;
		} else if (w->in_resource) {
			r = next_field(&w->resource, X_SCOPE, &f);
			w->in_resource = r > 0;
			w->in_scope = r > 0;
			w->scope = pb_inside(&f);
			if (r > 0) {
				take_scope(w->scope, d);
				return 1; /* of another resource, perhaps */
			}
		} else {
			r = next_field(&w->message, 1, &f);
			w->in_resource = r > 0;
			w->resource = pb_inside(&f);
			if (r > 0)
				take_resource(w->resource, d);
			else
				return r;
		}
		if (r < 0)
			return r;
	}
}
