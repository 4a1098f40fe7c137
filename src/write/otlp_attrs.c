// SPDX-License-Identifier: GPL-3.0-or-later
/* otlp_attrs - columns and members of `attrs` as attributes of OTLP. */
#include "write/otlp_attrs.h"

#include "base/json.h"

/* A set of flags as JSON list; nothing where none is set. */
static bool flags_value(struct otlp_enc *e, uint32_t flags, struct otlp_value *v)
{
	const char *name;

	if (!flags)
		return false;
	buf_clear(&e->text);
	for (unsigned int bit = 0; (name = span_flag_name(bit)); bit++)
		if (flags & 1u << bit)
			buf_fmt(&e->text, "%s\"%s\"", e->text.len ? "," : "[", name);
	buf_ch(&e->text, ']');
	*v = (struct otlp_value){ .kind = OTLP_NESTED, .s = buf_slice(&e->text) };
	return e->text.len > 1;
}

static bool column_value(struct otlp_enc *e, const struct column *c, const void *row,
                         struct otlp_value *v)
{
	const void *field = (const char *)row + c->offset;
	struct str s;

	switch (c->type) {
	case COL_T:
		s = *(const struct str *)field;
		*v = (struct otlp_value){ .kind = OTLP_TEXT, .s = s };
		return s.s;
	case COL_J:
		s = *(const struct str *)field;
		*v = (struct otlp_value){ .kind = OTLP_NESTED, .s = s };
		return s.s;
	case COL_F:
		return flags_value(e, *(const uint32_t *)field, v);
	case COL_I:
	case COL_B:
	case COL_MS:
		*v = (struct otlp_value){ .kind = c->type == COL_B ? OTLP_BOOL : OTLP_INT,
			                  .i = *(const int64_t *)field };
		return v->i != COL_NULL;
	default:
		return false;
	}
}

/* The value that json_next() has just begun. */
static bool member_value(struct otlp_enc *e, struct json *j, struct otlp_value *v)
{
	const char *start = j->p - 1;

	*v = (struct otlp_value){ .kind = OTLP_TEXT, .s = j->text };
	switch (j->tok) {
	case JSON_STR:
		if (!j->escaped)
			return true;
		buf_clear(&e->text);
		json_decode(j->text, &e->text);
		v->s = buf_slice(&e->text);
		return !e->text.failed;
	case JSON_NUM:
		v->kind = OTLP_INT;
		if (json_is_int(j->text) && json_i64(j->text, &v->i))
			return true;
		v->kind = OTLP_REAL;
		return json_f64(j->text, &v->d);
	case JSON_TRUE:
	case JSON_FALSE:
		v->kind = OTLP_BOOL;
		v->i = j->tok == JSON_TRUE;
		return true;
	case JSON_NULL:
		v->kind = OTLP_NONE;
		return true;
	case JSON_OBJ:
	case JSON_ARR:
		v->kind = OTLP_NESTED;
		if (!json_rest(j))
			return false;
		v->s = (struct str){ start, (size_t)(j->p - start) };
		return true;
	default:
		return false;
	}
}

/* Whether the column that this attribute belongs to has written it already. */
static bool is_written(struct otlp_enc *e, enum table t, const void *row, struct str key)
{
	int column = place_find(&e->places, t, key);
	struct cell cell;

	if (column < 0)
		return false;
	cell_get(t, (unsigned int)column, row, &cell);
	return cell.kind != CELL_NULL;
}

/* Whether the resource has said this member, "key":value, for the span already. */
static bool is_of_resource(const struct otlp_enc *e, struct str member)
{
	struct json j = json_of(e->resource);

	if (!e->resource.len || json_next(&j) != JSON_OBJ)
		return false;
	while (json_next(&j) == JSON_KEY) {
		const char *start = j.text.s - 1;

		if (!json_skip(&j))
			return false;
		if (str_eq((struct str){ start, (size_t)(j.p - start) }, member))
			return true;
	}
	return false;
}

/* What is a field of the span, where it can be one. */
static bool is_field(struct otlp_enc *e, struct str key, const struct otlp_value *v)
{
	struct buf *field = str_is(key, PLACE_STATE)     ? &e->state
	                    : str_is(key, PLACE_MESSAGE) ? &e->message
	                                                 : NULL;

	if (!field || v->kind != OTLP_TEXT || !v->s.len || !str_is_utf8(v->s))
		return false;
	buf_clear(field);
	buf_str(field, v->s);
	return true;
}

/* The key of a member; in *own where it had to be changed. */
static struct str member_key(const struct json *j, struct buf *own)
{
	struct buf raw;

	buf_clear(own);
	if (!j->escaped && str_is_utf8(j->text))
		return j->text;
	json_decode(j->text, own);
	if (str_is_utf8(buf_slice(own)))
		return buf_slice(own);
	raw = *own;
	*own = (struct buf){ 0 };
	json_clean(own, buf_slice(&raw));
	buf_free(&raw);
	return buf_slice(own);
}

/* What attrs may hold for fields of the span: nothing yet. */
void otlp_attrs_clear(struct otlp_enc *e)
{
	memset(e->lists, 0, sizeof(e->lists));
	buf_clear(&e->state);
	buf_clear(&e->message);
}

static bool is_foreign(enum table t, const void *row)
{
	return t == TABLE_SPANS && ((const struct span *)row)->flags & SPAN_F_FOREIGN;
}

/* The members of a JSON object as attributes of their own. */
static bool put_members(struct otlp_enc *e, enum table t, const void *row, struct str text)
{
	struct json j = json_of(text);
	struct buf own = { 0 };
	struct otlp_value v;
	bool any = false, foreign = is_foreign(t, row);
	int list;

	if (json_next(&j) != JSON_OBJ)
		return false;
	while (json_next(&j) == JSON_KEY) {
		const char *start = j.text.s - 1;
		struct str key = member_key(&j, &own);

		json_next(&j);
		if (!member_value(e, &j, &v) || is_written(e, t, row, key))
			continue;
		any = true;
		if (foreign && is_of_resource(e, (struct str){ start, (size_t)(j.p - start) }))
			continue;
		if (t == TABLE_SPANS && is_field(e, key, &v))
			continue;
		list = t == TABLE_SPANS && v.kind == OTLP_NESTED ? place_list_find(key, v.s) : -1;
		if (list >= 0) /* a field of the span */
			e->lists[list] = v.s;
		else
			e->be->attr(e, key, &v);
	}
	buf_free(&own);
	if (any && j.tok == JSON_OBJ_END && json_next(&j) == JSON_DONE)
		return true;
	otlp_attrs_clear(e);
	return false;
}

/* All columns of a row that are attributes. */
void otlp_attrs_row(struct otlp_enc *e, enum table t, const void *row)
{
	struct otlp_value v;

	for (unsigned int i = 0; i < tables[t].ncolumns; i++) {
		const struct column *c = &tables[t].columns[i];
		const struct place *at = &e->places.at[t][i];

		if (at->where == PLACE_ATTR && column_value(e, c, row, &v))
			e->be->attr(e, at->key, &v);
		if (at->where == PLACE_MEMBERS && column_value(e, c, row, &v) &&
		    !put_members(e, t, row, v.s))
			e->be->attr(e, STR(PLACE_ATTRS),
			            &(struct otlp_value){ .kind = OTLP_TEXT, .s = v.s });
	}
}

void otlp_attrs_columns(struct otlp_enc *e, enum table t, const void *row, enum place_where where)
{
	struct otlp_value v;

	for (unsigned int i = 0; i < tables[t].ncolumns; i++) {
		const struct place *at = &e->places.at[t][i];

		if (at->where == where && column_value(e, &tables[t].columns[i], row, &v))
			e->be->attr(e, at->key, &v);
	}
}

void otlp_attrs_members(struct otlp_enc *e, struct str object)
{
	struct json j = json_of(object);
	struct buf own = { 0 };
	struct otlp_value v;

	if (json_next(&j) != JSON_OBJ)
		return;
	while (json_next(&j) == JSON_KEY) {
		struct str key = member_key(&j, &own);

		json_next(&j);
		if (member_value(e, &j, &v))
			e->be->attr(e, key, &v);
	}
	buf_free(&own);
}
