// SPDX-License-Identifier: GPL-3.0-or-later
/* row - the columns of columns.def as data, and the cells of a row. */
#include "span/span.h"

#include <time.h>

/* Name of a column: a duration shows its unit. */
#define NAME_T(name)   #name
#define NAME_J(name)   #name
#define NAME_I(name)   #name
#define NAME_B(name)   #name
#define NAME_MS(name)  #name "_ms"
#define NAME_AT(name)  #name
#define NAME_X16(name) #name
#define NAME_X8(name)  #name
#define NAME_F(name)   #name
#define NAME_V(name)   #name

/* Field of a column; a derived one (V) shows another column's field as it is. */
#define FIELD_T(name)   name
#define FIELD_J(name)   name
#define FIELD_I(name)   name
#define FIELD_B(name)   name
#define FIELD_MS(name)  name##_ns
#define FIELD_AT(name)  start_ns
#define FIELD_X16(name) name
#define FIELD_X8(name)  name
#define FIELD_F(name)   name
#define FIELD_V(name)   name

#define COLUMN(row, type_, name_, otlp_, help_) \
	{ .name = NAME_##type_(name_),          \
	  .otlp = (otlp_),                      \
	  .help = (help_),                      \
	  .type = COL_##type_,                  \
	  .offset = __builtin_offsetof(row, FIELD_##type_(name_)) },

static const struct column span_columns[] = {
#define SPAN_COLUMNS(type, name, otlp, help) COLUMN(struct span, type, name, otlp, help)
#include "span/columns.def"
#undef SPAN_COLUMNS
};

static const struct column conn_columns[] = {
#define CONN_COLUMNS(type, name, otlp, help) COLUMN(struct conn_row, type, name, otlp, help)
#include "span/columns.def"
#undef CONN_COLUMNS
};

static const struct column proc_columns[] = {
#define PROC_COLUMNS(type, name, otlp, help) COLUMN(struct proc_row, type, name, otlp, help)
#include "span/columns.def"
#undef PROC_COLUMNS
};

static const struct column capture_columns[] = {
#define CAPTURE_COLUMNS(type, name, otlp, help) COLUMN(struct capture_row, type, name, otlp, help)
#include "span/columns.def"
#undef CAPTURE_COLUMNS
};

#define TABLE(name_, event_, columns_, row)                                                   \
	{                                                                                     \
		.name = (name_), .event = (event_), .columns = (columns_),                    \
		.ncolumns = sizeof(columns_) / sizeof((columns_)[0]), .row_size = sizeof(row) \
	}

const struct table_def tables[TABLE_MAX] = {
	[TABLE_SPANS] = TABLE("spans", NULL, span_columns, struct span),
	[TABLE_CONNECTIONS] = TABLE("connections", "obi.conn", conn_columns, struct conn_row),
	[TABLE_PROCESSES] = TABLE("processes", "obi.process", proc_columns, struct proc_row),
	[TABLE_CAPTURE] = TABLE("capture", "obi.capture", capture_columns, struct capture_row),
};

int column_find(enum table t, struct str name)
{
	for (unsigned int i = 0; i < tables[t].ncolumns; i++)
		if (str_is(name, tables[t].columns[i].name))
			return (int)i;
	return -1;
}

const char *span_flag_name(unsigned int bit)
{
	switch (bit) {
#define X(b, NAME, text, help) \
	case b:                \
		return text;
		SPAN_FLAGS(X)
#undef X
	}
	return NULL;
}

/* What is unknown by being zero needs no line here. */
static void set_unknown(const struct column *c, void *row)
{
	if (c->type == COL_I || c->type == COL_B || c->type == COL_MS)
		*(int64_t *)((char *)row + c->offset) = COL_NULL;
}

void row_init(enum table t, void *row)
{
	memset(row, 0, tables[t].row_size);
	for (unsigned int i = 0; i < tables[t].ncolumns; i++)
		set_unknown(&tables[t].columns[i], row);
}

static void cell_text(struct cell *out, struct str s)
{
	out->kind = s.s ? CELL_TEXT : CELL_NULL;
	out->text = s;
}

/* Decimal, right-aligned, with leading zeroes. */
static void put_digits(char *p, unsigned int n, uint64_t v)
{
	while (n--) {
		p[n] = (char)('0' + v % 10);
		v /= 10;
	}
}

/* "2026-01-31T23:59:59.000000001Z"; years that four digits do not hold are unknown. */
static void cell_time(struct cell *out, int64_t ns)
{
	int64_t sec = ns / 1000000000, frac = ns % 1000000000;
	char *p = out->scratch;
	time_t at;
	struct tm tm;

	if (frac < 0) {
		sec--;
		frac += 1000000000;
	}
	at = (time_t)sec;
	if (!gmtime_r(&at, &tm) || tm.tm_year < -1900 || tm.tm_year > 8099)
		return;
	memcpy(p, "0000-00-00T00:00:00.000000000Z", 31);
	put_digits(p, 4, (uint64_t)tm.tm_year + 1900);
	put_digits(p + 5, 2, (uint64_t)tm.tm_mon + 1);
	put_digits(p + 8, 2, (uint64_t)tm.tm_mday);
	put_digits(p + 11, 2, (uint64_t)tm.tm_hour);
	put_digits(p + 14, 2, (uint64_t)tm.tm_min);
	put_digits(p + 17, 2, (uint64_t)tm.tm_sec);
	put_digits(p + 20, 9, (uint64_t)frac);
	cell_text(out, (struct str){ p, 30 });
}

static void cell_hex(struct cell *out, const uint8_t *id, unsigned int n)
{
	static const char digits[] = "0123456789abcdef";
	uint8_t any = 0;

	for (unsigned int i = 0; i < n; i++) {
		any |= id[i];
		out->scratch[2 * i] = digits[id[i] >> 4];
		out->scratch[2 * i + 1] = digits[id[i] & 15];
	}
	if (any)
		cell_text(out, (struct str){ out->scratch, 2 * n });
}

/* No flag at all is known, hence empty and not NULL. */
static void cell_flags(struct cell *out, uint32_t flags)
{
	const char *name;
	size_t len = 0;

	for (unsigned int bit = 0; (name = span_flag_name(bit)); bit++) {
		size_t n = strlen(name);

		if (!(flags & 1u << bit) || len + n + 1 > sizeof(out->scratch))
			continue;
		if (len)
			out->scratch[len++] = ',';
		memcpy(out->scratch + len, name, n);
		len += n;
	}
	cell_text(out, (struct str){ out->scratch, len });
}

static void cell_number(struct cell *out, enum col_type type, int64_t v)
{
	if (v == COL_NULL)
		return;
	if (type == COL_AT) {
		cell_time(out, v);
	} else if (type == COL_MS) {
		out->kind = CELL_REAL;
		out->d = (double)v / 1e6;
	} else {
		out->kind = CELL_INT;
		out->i = v;
	}
}

void cell_of(enum col_type type, const void *field, struct cell *out)
{
	out->kind = CELL_NULL;
	switch (type) {
	case COL_T:
		cell_text(out, *(const struct str *)field);
		return;
	case COL_J:
		cell_text(out, *(const struct str *)field);
		if (out->kind == CELL_TEXT)
			out->kind = CELL_JSON;
		return;
	case COL_X16:
		cell_hex(out, field, 16);
		return;
	case COL_X8:
		cell_hex(out, field, 8);
		return;
	case COL_F:
		cell_flags(out, *(const uint32_t *)field);
		return;
	case COL_I:
	case COL_B:
	case COL_MS:
	case COL_AT:
	case COL_V:
		cell_number(out, type, *(const int64_t *)field);
		return;
	}
}

void cell_get(enum table t, unsigned int column, const void *row, struct cell *out)
{
	const struct column *c = &tables[t].columns[column];

	cell_of(c->type, (const char *)row + c->offset, out);
}
