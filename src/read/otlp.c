// SPDX-License-Identifier: GPL-3.0-or-later
/* otlp - OTLP back into rows. */
#include "read/otlp.h"

#include <math.h>

#include "read/foreign.h"

void otlp_dec_init(struct otlp_dec *d, struct read_stats *stats)
{
	*d = (struct otlp_dec){ .stats = stats };
	places_init(&d->places);
	row_init(TABLE_SPANS, &d->resource);
}

void otlp_dec_fini(struct otlp_dec *d)
{
	arena_free(&d->scratch);
	arena_free(&d->resource_texts);
	buf_free(&d->nested);
	buf_free(&d->resource_attrs);
	buf_free(&d->attrs);
	for (unsigned int i = 0; i < PLACE_LISTS; i++)
		buf_free(&d->lists[i]);
}

static void base64(struct buf *b, struct str s)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	uint32_t v = 0;
	unsigned int bits = 0;

	for (size_t i = 0; i < s.len; i++) {
		v = v << 8 | (uint8_t)s.s[i];
		for (bits += 8; bits >= 6; bits -= 6)
			buf_ch(b, digits[v >> (bits - 6) & 63]);
	}
	if (bits)
		buf_ch(b, digits[v << (6 - bits) & 63]);
	for (size_t i = s.len; i % 3; i++)
		buf_ch(b, '=');
}

void otlp_val_json(struct buf *b, const struct otlp_val *v)
{
	switch (v->kind) {
	case VAL_NONE:
		buf_z(b, "null");
		break;
	case VAL_TEXT:
		json_str(b, v->s);
		break;
	case VAL_BYTES:
		buf_ch(b, '"');
		base64(b, v->s);
		buf_ch(b, '"');
		break;
	case VAL_INT:
		buf_i64(b, v->i);
		break;
	case VAL_REAL:
		json_num(b, v->d);
		break;
	case VAL_BOOL:
		buf_z(b, v->i ? "true" : "false");
		break;
	case VAL_NESTED:
		buf_str(b, v->s);
		break;
	}
}

/* ---- a value into a column ---- */

/* A copy that lives as long as what the column belongs to. */
static struct str keep(struct otlp_dec *d, struct str s)
{
	return d->in_resource ? arena_str(&d->resource_texts, s) : batch_text(d->batch, s);
}

static bool set_text(struct otlp_dec *d, struct str *field, const struct otlp_val *v)
{
	struct buf text = { 0 };

	if (v->kind == VAL_NONE)
		return false;
	if (v->kind == VAL_TEXT || v->kind == VAL_BYTES) {
		*field = keep(d, v->s);
		return true;
	}
	otlp_val_json(&text, v);
	*field = keep(d, buf_slice(&text));
	buf_free(&text);
	return true;
}

static bool set_number(int64_t *field, const struct otlp_val *v)
{
	int64_t i = v->i;

	if (v->kind == VAL_REAL) {
		if (v->d != trunc(v->d) || fabs(v->d) >= 0x1p63)
			return false;
		i = (int64_t)v->d;
	} else if (v->kind == VAL_TEXT) {
		if (!json_i64(v->s, &i))
			return false;
	} else if (v->kind != VAL_INT && v->kind != VAL_BOOL) {
		return false;
	}
	if (i == COL_NULL)
		return false;
	*field = i;
	return true;
}

static bool add_flag(uint32_t *flags, struct str name)
{
	const char *known;

	for (unsigned int bit = 0; (known = span_flag_name(bit)); bit++) {
		if (!str_is(name, known))
			continue;
		*flags |= 1u << bit;
		return true;
	}
	return false;
}

static bool set_flags(uint32_t *field, const struct otlp_val *v)
{
	struct json j = json_of(v->s);
	uint32_t flags = 0;

	if (v->kind != VAL_NESTED || json_next(&j) != JSON_ARR)
		return false;
	while (json_next(&j) == JSON_STR)
		if (!add_flag(&flags, j.text))
			return false; /* of a newer version: kept in attrs */
	*field = flags;
	return j.tok == JSON_ARR_END;
}

static bool set_column(struct otlp_dec *d, enum table t, unsigned int column, void *row,
                       const struct otlp_val *v)
{
	const struct column *c = &tables[t].columns[column];
	void *field = (char *)row + c->offset;

	switch (c->type) {
	case COL_T:
		return set_text(d, field, v);
	case COL_J:
		if (v->kind != VAL_NESTED)
			return false;
		return set_text(d, field, v);
	case COL_I:
	case COL_B:
	case COL_MS:
		return set_number(field, v);
	case COL_F:
		return set_flags(field, v);
	default:
		return false;
	}
}

/* ---- resource and scope ---- */

void otlp_resource(struct otlp_dec *d)
{
	arena_reset(&d->resource_texts);
	buf_clear(&d->resource_attrs);
	row_init(TABLE_SPANS, &d->resource);
	d->in_resource = true;
	d->foreign = true;
	arena_reset(&d->scratch);
	buf_clear(&d->nested);
}

void otlp_scope(struct otlp_dec *d, struct str name)
{
	d->in_resource = false;
	d->foreign = !str_is(name, PLACE_SCOPE);
}

/* ---- items ---- */

bool otlp_fits(const struct otlp_dec *d, const struct batch *b)
{
	struct str members = buf_slice(&d->resource_attrs), r = b->resource;

	return !b->n ||
	       (r.len > 2 ? str_eq((struct str){ r.s + 1, r.len - 2 }, members) : !members.len);
}

static bool begin(struct otlp_dec *d, enum table t)
{
	if (!d->batch->n) {
		struct buf whole = { 0 };

		buf_ch(&whole, '{');
		buf_str(&whole, buf_slice(&d->resource_attrs));
		buf_ch(&whole, '}');
		d->batch->resource = batch_text(d->batch, buf_slice(&whole));
		buf_free(&whole);
	}
	d->table = t;
	d->row = batch_add(d->batch, t);
	d->attrs_whole = STR_NULL;
	d->nulls = (struct otlp_val){ 0 };
	buf_clear(&d->attrs);
	for (unsigned int i = 0; i < PLACE_LISTS; i++)
		buf_clear(&d->lists[i]);
	buf_clear(&d->nested);
	arena_reset(&d->scratch);
	if (d->foreign)
		memset(d->seen, 0, sizeof(d->seen));
	return d->row;
}

/* What the resource says goes into each of its spans. */
static void from_resource(struct otlp_dec *d)
{
	struct span *s = d->row;
	const struct span *r = &d->resource;

	s->service = batch_text(d->batch, r->service);
	s->pid = r->pid;
	s->comm = batch_text(d->batch, r->comm);
	s->container_id = batch_text(d->batch, r->container_id);
	s->pod = batch_text(d->batch, r->pod);
}

bool otlp_span(struct otlp_dec *d)
{
	if (!begin(d, TABLE_SPANS))
		return false;
	from_resource(d);
	return true;
}

bool otlp_log(struct otlp_dec *d, struct str event)
{
	d->row = NULL;
	for (unsigned int t = 0; t < TABLE_MAX; t++)
		if (tables[t].event && str_is(event, tables[t].event))
			return begin(d, (enum table)t);
	if (!str_is(event, PLACE_START) && !str_is(event, PLACE_END))
		d->stats->logs++;
	return false;
}

static void add_member(struct buf *b, struct str key, const struct otlp_val *v)
{
	if (b->len)
		buf_ch(b, ',');
	json_str(b, key);
	buf_ch(b, ':');
	otlp_val_json(b, v);
}

static void resource_attr(struct otlp_dec *d, struct str key, const struct otlp_val *v)
{
	int column = place_find(&d->places, TABLE_SPANS, key);

	if (column >= 0 && d->places.at[TABLE_SPANS][column].where == PLACE_RESOURCE &&
	    set_column(d, TABLE_SPANS, (unsigned int)column, &d->resource, v))
		return;
	add_member(&d->resource_attrs, key, v);
}

void otlp_attr(struct otlp_dec *d, struct str key, const struct otlp_val *v)
{
	int column;

	if (d->in_resource) {
		resource_attr(d, key, v);
		return;
	}
	column = place_find(&d->places, d->table, key);
	if (column >= 0 && set_column(d, d->table, (unsigned int)column, d->row, v))
		return;
	if (str_is(key, PLACE_NULLS) && v->kind == VAL_NESTED) {
		d->nulls = *v;
		d->nulls.s = batch_text(d->batch, v->s);
	} else if (str_is(key, PLACE_ATTRS) && v->kind == VAL_TEXT) {
		d->attrs_whole = batch_text(d->batch, v->s);
	} else {
		if (d->foreign && d->table == TABLE_SPANS)
			foreign_attr(d, key, v);
		add_member(&d->attrs, key, v);
	}
}

void otlp_list(struct otlp_dec *d, const struct place_list *l, size_t start)
{
	struct str s = { d->nested.p + start, d->nested.len - start };

	if (s.len > 2) /* some */
		add_member(&d->lists[l - place_lists], str_of(l->key),
		           &(struct otlp_val){ .kind = VAL_NESTED, .s = s });
}

static void set_nulls(struct otlp_dec *d)
{
	struct json j = json_of(d->nulls.s);
	struct span *s = d->row;

	if (d->nulls.kind != VAL_NESTED || json_next(&j) != JSON_ARR)
		return;
	while (json_next(&j) == JSON_STR) {
		if (str_is(j.text, "start_ns"))
			s->start_ns = COL_NULL;
		else if (str_is(j.text, "dur_ms"))
			s->dur_ns = COL_NULL;
		else if (str_is(j.text, "name"))
			s->name = STR_NULL;
		else if (str_is(j.text, "error"))
			s->error = COL_NULL;
	}
}

static void set_attrs(struct otlp_dec *d)
{
	struct span *s = d->row;
	bool foreign = d->foreign || s->flags & SPAN_F_FOREIGN; /* now, or when it was recorded */
	const struct buf *const parts[] = { foreign ? &d->resource_attrs : NULL, &d->attrs,
		                            &d->lists[0], &d->lists[1] };
	_Static_assert(PLACE_LISTS == 2, "each list is a part");
	struct buf all = { 0 };

	if (d->attrs_whole.s) {
		s->attrs = d->attrs_whole;
		return;
	}
	for (unsigned int i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		if (!parts[i] || !parts[i]->len)
			continue;
		buf_ch(&all, all.len ? ',' : '{');
		buf_str(&all, buf_slice(parts[i]));
	}
	if (all.len) {
		buf_ch(&all, '}');
		s->attrs = all.failed ? STR_NULL : batch_text(d->batch, buf_slice(&all));
	}
	buf_free(&all);
}

static struct str kind_name(uint64_t kind)
{
	static const char *const names[] = { NULL,     "internal", "server",
		                             "client", "producer", "consumer" };

	return kind < sizeof(names) / sizeof(names[0]) ? str_of(names[kind]) : STR_NULL;
}

static void field_text(struct otlp_dec *d, const char *key, struct str s)
{
	if (s.s && s.len)
		add_member(&d->attrs, str_of(key), &(struct otlp_val){ .kind = VAL_TEXT, .s = s });
}

void otlp_span_end(struct otlp_dec *d, const struct otlp_fields *f)
{
	struct span *s = d->row;
	int64_t dur = (int64_t)(f->end - f->start);

	memcpy(s->trace_id, f->trace_id, 16);
	memcpy(s->span_id, f->span_id, 8);
	memcpy(s->parent_span_id, f->parent, 8);
	s->name = batch_text(d->batch, f->name);
	s->kind = kind_name(f->kind);
	s->start_ns = (int64_t)f->start;
	s->dur_ns = dur;
	s->error = f->status == 2;
	field_text(d, PLACE_MESSAGE, f->message);
	field_text(d, PLACE_STATE, f->state);
	if (d->foreign) {
		foreign_span(d, f);
		d->stats->foreign = true;
	}
	set_nulls(d);
	set_attrs(d);
	d->stats->rows[TABLE_SPANS]++;
	d->row = NULL;
}

void otlp_log_end(struct otlp_dec *d)
{
	d->stats->rows[d->table]++;
	d->row = NULL;
}

void otlp_take_back(struct otlp_dec *d)
{
	d->batch->n--;
	d->row = NULL;
}
