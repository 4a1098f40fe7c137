// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * plan - which parts of a WHERE and an ORDER BY a scan does itself.
 *
 * The plan travels as text of three characters a term: the column in two hex
 * digits and the operator (= < >), and of columns to group by (g, G: downward). What a scan
 * takes: ranges of numbers, equal texts and ids. The number says the order (bits 0, 1) and the index (from
 * bit 4, counted from 1).
 */
#include "store/plan.h"

#include <math.h>
#include <stdio.h>
#include <time.h>

#include "store/hint.h"

enum { NUM_UP = 1, NUM_DOWN = 2, NUM_INDEX_SHIFT = 4 };

static bool is_number(enum col_type t)
{
	return t == COL_I || t == COL_B || t == COL_MS || t == COL_V;
}

/* The operator as one character, 0: not for us. */
static char op_of(const struct layout *l, sqlite3_index_info *info, int i)
{
	const struct sqlite3_index_constraint *c = &info->aConstraint[i];
	enum col_type type;

	if (!c->usable || c->iColumn < 0)
		return 0;
	type = tables[l->table].columns[c->iColumn].type;
	if (!is_number(type) && type != COL_AT && strcmp(sqlite3_vtab_collation(info, i), "BINARY"))
		return 0;
	switch (c->op) {
	case SQLITE_INDEX_CONSTRAINT_EQ:
		return type == COL_J || type == COL_F || type == COL_AT ? 0 : '=';
	case SQLITE_INDEX_CONSTRAINT_GT:
	case SQLITE_INDEX_CONSTRAINT_GE:
		return is_number(type) || type == COL_AT ? '>' : 0;
	case SQLITE_INDEX_CONSTRAINT_LT:
	case SQLITE_INDEX_CONSTRAINT_LE:
		return is_number(type) || type == COL_AT ? '<' : 0;
	}
	return 0;
}

static int index_of(const struct layout *l, int col)
{
	for (int i = 0; i < LAYOUT_INDEXES && l->index[i] >= 0; i++)
		if (l->index[i] == col)
			return i;
	return -1;
}

struct choice {
	char text[3 * (SCAN_TERMS + GROUP_COLUMNS) + 1];
	unsigned int nterms;
	int index;
	double part; /* of all rows that fit, a guess */
};

static void choose_terms(const struct layout *l, sqlite3_index_info *info, struct choice *c)
{
	for (int i = 0; i < info->nConstraint && c->nterms < SCAN_TERMS; i++) {
		int col = info->aConstraint[i].iColumn;
		char op = op_of(l, info, i);
		int index = op == '=' ? index_of(l, col) : -1;

		/* Each value of an IN would be one scan of the whole: only by index. */
		if (!op || (index < 0 && sqlite3_vtab_in(info, i, -1)))
			continue;
		if (index >= 0 && c->index < 0)
			c->index = index;
		snprintf(c->text + 3 * c->nterms++, 4, "%02x%c", (unsigned int)col & 0xff, op);
		info->aConstraintUsage[i].argvIndex = (int)c->nterms;
		c->part *= op == '=' ? 0.1 : 0.3;
	}
}

static bool takes_order(const struct layout *l, const sqlite3_index_info *info)
{
	int col = info->nOrderBy == 1 ? info->aOrderBy[0].iColumn : -1;

	return l->start >= 0 && col >= 0 && (size_t)col < tables[l->table].ncolumns &&
	       l->at[col] == l->at[l->start];
}

/* For GROUP BY and DISTINCT the groups are sorted instead of the rows. */
static bool takes_group(const struct layout *l, sqlite3_index_info *info)
{
	if (info->nOrderBy < 1 || info->nOrderBy > GROUP_COLUMNS ||
	    (sqlite3_vtab_distinct(info) != 1 && sqlite3_vtab_distinct(info) != 2))
		return false;
	for (int i = 0; i < info->nOrderBy; i++) {
		int col = info->aOrderBy[i].iColumn;

		if (col < 0 || !group_can(tables[l->table].columns[col].type))
			return false;
	}
	return true;
}

static void choose_group(sqlite3_index_info *info, struct choice *c)
{
	for (int i = 0; i < info->nOrderBy; i++)
		snprintf(c->text + 3 * (c->nterms + (unsigned int)i), 4, "%02x%c",
		         (unsigned int)info->aOrderBy[i].iColumn & 0xff,
		         info->aOrderBy[i].desc ? 'G' : 'g');
	info->orderByConsumed = 1;
}

int plan_choose(const struct layout *l, uint64_t n, sqlite3_index_info *info)
{
	double rows = n < 100 ? 100 : (double)n;
	struct choice c = { .index = -1, .part = 1 };

	choose_terms(l, info, &c);
	info->idxNum = 0;
	if (c.index >= 0) {
		info->idxNum = (c.index + 1) << NUM_INDEX_SHIFT;
		info->estimatedRows = l->key[0] >= 0 ? 1 : 10;
		info->estimatedCost = 20;
	} else {
		info->estimatedRows = (sqlite3_int64)(rows * c.part) + 1;
		info->estimatedCost = rows / 4 + rows * c.part;
		if (takes_order(l, info)) {
			info->idxNum = info->aOrderBy[0].desc ? NUM_DOWN : NUM_UP;
			info->orderByConsumed = 1;
		} else if (takes_group(l, info)) {
			choose_group(info, &c);
		}
	}
	info->idxStr = sqlite3_mprintf("%s", c.text);
	info->needToFreeIdxStr = 1;
	return info->idxStr ? SQLITE_OK : SQLITE_NOMEM;
}

/* ---- values ---- */

static int64_t to_int(double d)
{
	return d >= 9.2e18 ? INT64_MAX : d <= -9.2e18 ? INT64_MIN + 1 : (int64_t)d;
}

static void set_range(struct term *t, char op, int64_t below, int64_t above)
{
	t->kind = TERM_RANGE;
	t->lo = op == '<' ? INT64_MIN + 1 : below;
	t->hi = op == '>' ? INT64_MAX : above;
	if (t->lo == INT64_MIN)
		t->lo++;
}

static bool number_term(struct term *t, enum col_type type, char op, sqlite3_value *v)
{
	int kind = sqlite3_value_numeric_type(v);
	double d;

	if (kind != SQLITE_INTEGER && kind != SQLITE_FLOAT)
		return false;
	if (type != COL_MS && kind == SQLITE_INTEGER) {
		int64_t i = sqlite3_value_int64(v);

		set_range(t, op, i, i);
		return true;
	}
	d = sqlite3_value_double(v) * (type == COL_MS ? 1e6 : 1);
	/* Beyond 2^53 a double is no exact bound; a row too many does no harm. */
	if (fabs(d) >= 9e15)
		return false;
	set_range(t, op, to_int(floor(d)) - 1, to_int(ceil(d)) + 1);
	return true;
}

static bool digits(const char **p, unsigned int n, int *out)
{
	*out = 0;
	for (; n; n--, (*p)++) {
		if (**p < '0' || **p > '9')
			return false;
		*out = *out * 10 + (**p - '0');
	}
	return true;
}

/* Start of the second, or what of it is given, that text like "2026-01-31T10:00" names. */
static bool parse_time(const char *p, int64_t *sec)
{
	static const struct {
		char sep;
		unsigned int n;
	} part[6] = { { 0, 4 }, { '-', 2 }, { '-', 2 }, { 'T', 2 }, { ':', 2 }, { ':', 2 } };
	int v[6] = { 0, 1, 1, 0, 0, 0 };
	struct tm tm;

	for (unsigned int i = 0; i < 6 && (*p || !i); i++) {
		if (part[i].sep && *p++ != part[i].sep)
			return false;
		if (!digits(&p, part[i].n, &v[i]))
			return false;
	}
	if (v[1] < 1 || v[1] > 12 || v[2] < 1 || v[2] > 31 || v[3] > 23 || v[4] > 59 || v[5] > 59)
		return false;
	tm = (struct tm){ .tm_year = v[0] - 1900,
		          .tm_mon = v[1] - 1,
		          .tm_mday = v[2],
		          .tm_hour = v[3],
		          .tm_min = v[4],
		          .tm_sec = v[5] };
	*sec = timegm(&tm);
	return *sec > -9000000000 && *sec < 9000000000;
}

/* Texts compare as the times do, down to the second. */
static bool time_term(struct term *t, char op, sqlite3_value *v)
{
	int64_t sec;

	if (sqlite3_value_type(v) != SQLITE_TEXT ||
	    !parse_time((const char *)sqlite3_value_text(v), &sec))
		return false;
	set_range(t, op, sec * 1000000000, (sec + 1) * 1000000000);
	return true;
}

static int hex_digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool id_term(struct term *t, unsigned int len, struct str s)
{
	t->kind = TERM_ID;
	t->id_len = len;
	if (s.len != 2 * len)
		return false;
	for (unsigned int i = 0; i < len; i++) {
		int hi = hex_digit(s.s[2 * i]), lo = hex_digit(s.s[2 * i + 1]);

		if (hi < 0 || lo < 0)
			return false;
		t->id[i] = (uint8_t)(hi << 4 | lo);
	}
	return true;
}

static bool text_term(struct term *t, enum col_type type, sqlite3_value *v)
{
	const char *p = (const char *)sqlite3_value_text(v);
	struct str s = { p, (size_t)sqlite3_value_bytes(v) };

	if (!p || sqlite3_value_type(v) != SQLITE_TEXT)
		return false;
	if (type == COL_X16 || type == COL_X8)
		return id_term(t, type == COL_X16 ? 16 : 8, s);
	t->kind = TERM_TEXT;
	t->text = s;
	return true;
}

/* False where the term cannot narrow the scan. */
static bool make_term(struct term *t, const struct column *c, char op, sqlite3_value *v)
{
	if (is_number(c->type))
		return number_term(t, c->type, op, v);
	if (c->type == COL_AT)
		return time_term(t, op, v);
	return text_term(t, c->type, v);
}

/* An index needs one exact value. */
static bool exact(const struct term *t)
{
	return t->kind != TERM_RANGE || t->lo == t->hi;
}

int plan_apply(struct scan *s, int num, const char *text, int argc, sqlite3_value **argv,
               char **message)
{
	int index = (num >> NUM_INDEX_SHIFT) - 1;

	s->nterms = s->nby = 0;
	s->none = false;
	s->index = -1;
	s->order = num & NUM_DOWN ? -1 : num & NUM_UP ? 1 : 0;
	for (int i = 0; i < argc; i++, text += 3) {
		unsigned int col = (unsigned int)(hex_digit(text[0]) << 4 | hex_digit(text[1]));
		const struct column *c = &tables[s->table].columns[col];
		struct term *t = &s->terms[s->nterms];
		int kind = sqlite3_value_type(argv[i]);

		if (kind == SQLITE_NULL)
			s->none = true;
		if (!is_number(c->type) && (kind == SQLITE_INTEGER || kind == SQLITE_FLOAT)) {
			*message = hint_text_column(c->name,
			                            (const char *)sqlite3_value_text(argv[i]));
			return SQLITE_ERROR;
		}
		*t = (struct term){ .col = col };
		if (kind == SQLITE_NULL || !make_term(t, c, text[2], argv[i]))
			continue;
		if (index >= 0 && s->layout->index[index] == (int)col && text[2] == '=' &&
		    exact(t)) {
			s->index = index;
			s->by = s->nterms;
		}
		s->nterms++;
	}
	for (; *text; text += 3)
		s->by_columns[s->nby++] = (struct group_column){
			.col = (unsigned int)(hex_digit(text[0]) << 4 | hex_digit(text[1])),
			.down = text[2] == 'G',
		};
	return SQLITE_OK;
}
