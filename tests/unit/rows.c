// SPDX-License-Identifier: GPL-3.0-or-later
/* rows - made-up rows of every table, and rows as text to compare them. */
#include "tests/unit/rows.h"

#include <stdlib.h>

static unsigned int next(unsigned int *seed)
{
	*seed = *seed * 1103515245u + 12345u;
	return *seed >> 8 & 0xffff;
}

static struct str any_text(unsigned int *seed)
{
	static const struct str texts[] = {
		STR("GET"),
		STR(""),
		STR("/a?b=c&d=%20"),
		STR("select \"x\" from t where a = '\\' -- \t\n\r"),
		STR("nul\0inside"),
		STR("\x01\x02\x1b[31m\x7f"),
		STR("gr\xc3\xbc\xc3\x9f dich \xe2\x82\xac \xf0\x9f\x98\x80"),
		STR("\xff\xfe not utf-8 \xc3("),
		STR("{\"resourceSpans\":[{"),
		STR("127.0.0.1"),
		STR("9223372036854775807"),
	};

	return texts[next(seed) % (sizeof(texts) / sizeof(texts[0]))];
}

static int64_t any_number(unsigned int *seed)
{
	static const int64_t numbers[] = { 0,
		                           1,
		                           -1,
		                           200,
		                           65535,
		                           INT64_MAX,
		                           INT64_MIN + 1,
		                           1700000000123456789,
		                           4294967296,
		                           -4294967297 };

	return numbers[next(seed) % (sizeof(numbers) / sizeof(numbers[0]))];
}

static struct str any_json(unsigned int *seed)
{
	static const struct str texts[] = {
		STR("{\"app\":1.25,\"net\":0.000001}"),
		STR("{\"http.request.method\":\"GET\",\"n\":3,\"big\":9223372036854775807,\"ok\":true}"),
		STR("{\"deep\":{\"a\":[1,2.5,\"x\",null,{\"b\":[]}],\"c\":{}},\"no\":false,\"none\":null}"),
		STR("{\"q\\\"uo\\\\te\":\"tab\\tnul\\u0000end\",\"\":\"\"}"),
		STR("{\"d\":1e+300,\"e\":-1.5,\"f\":5.0}"),
		STR("{}"),
	};

	return texts[next(seed) % (sizeof(texts) / sizeof(texts[0]))];
}

static const char *any_kind(unsigned int *seed)
{
	static const char *const kinds[] = { "server", "client", "producer", "consumer",
		                             "internal" };

	return kinds[next(seed) % 5];
}

static void fill_column(const struct column *c, void *row, unsigned int *seed)
{
	void *field = (char *)row + c->offset;

	switch (c->type) {
	case COL_T:
		*(struct str *)field = any_text(seed);
		break;
	case COL_J:
		*(struct str *)field = any_json(seed);
		break;
	case COL_I:
	case COL_MS:
		*(int64_t *)field = any_number(seed);
		break;
	case COL_B:
		*(int64_t *)field = next(seed) % 2;
		break;
	case COL_F:
		*(uint32_t *)field = next(seed) & ((1u << 11) - 1);
		break;
	case COL_X16:
	case COL_X8:
		for (unsigned int i = 0; i < (c->type == COL_X16 ? 16u : 8u); i++)
			((uint8_t *)field)[i] = (uint8_t)next(seed);
		break;
	default:
		break;
	}
}

/* What makes each row different, and what OTLP cannot say, is set right. */
static void fix_row(enum table t, void *row, unsigned int *seed, bool clean_names)
{
	struct span *s = row;

	if (t == TABLE_CAPTURE)
		return;
	if (t != TABLE_SPANS)
		return;
	if (s->kind.s)
		s->kind = str_of(any_kind(seed));
	if (s->start_ns == 0)
		s->start_ns = 1;
	if (clean_names && s->name.s)
		s->name = STR("GET /users/{id}");
	if (s->stages.s && s->stages.len < 3)
		s->stages = STR("{\"app\":1.5}");
}

void rows_fill(struct batch *b, unsigned int seed, bool clean_names)
{
	while (b->n < b->cap) {
		enum table t = next(&seed) % 4 ? TABLE_SPANS : next(&seed) % TABLE_MAX;
		void *row = batch_add(b, t);

		for (unsigned int i = 0; i < tables[t].ncolumns; i++)
			if (next(&seed) % 4)
				fill_column(&tables[t].columns[i], row, &seed);
		fix_row(t, row, &seed, clean_names);
	}
}

void rows_text(struct buf *out, enum table t, const void *row)
{
	buf_z(out, tables[t].name);
	for (unsigned int i = 0; i < tables[t].ncolumns; i++) {
		const struct column *c = &tables[t].columns[i];
		struct cell cell;

		cell_get(t, i, row, &cell);
		buf_fmt(out, "|%s=", c->name);
		if (cell.kind == CELL_NULL)
			buf_z(out, "NULL");
		else if (cell.kind == CELL_REAL)
			buf_i64(out, *(const int64_t *)((const char *)row + c->offset));
		else if (cell.kind == CELL_INT)
			buf_i64(out, cell.i);
		else
			buf_fmt(out, "'"), buf_hex(out, cell.text.s, cell.text.len);
		if (cell.kind == CELL_TEXT || cell.kind == CELL_JSON)
			buf_ch(out, '\'');
	}
	buf_ch(out, '\n');
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

char *rows_sorted(struct batch *const *batches, unsigned int n)
{
	unsigned int rows = 0, at = 0;
	struct buf all = { 0 };
	char **lines;

	for (unsigned int i = 0; i < n; i++)
		rows += batches[i]->n;
	lines = calloc(rows + 1, sizeof(*lines));
	for (unsigned int i = 0; i < n; i++) {
		for (unsigned int j = 0; j < batches[i]->n; j++) {
			struct buf line = { 0 };

			rows_text(&line, batches[i]->items[j].table, batches[i]->items[j].row);
			buf_ch(&line, '\0');
			lines[at++] = line.p;
		}
	}
	qsort(lines, rows, sizeof(*lines), by_text);
	for (unsigned int i = 0; i < rows; i++) {
		buf_z(&all, lines[i]);
		free(lines[i]);
	}
	buf_ch(&all, '\0');
	free(lines);
	return all.p;
}
