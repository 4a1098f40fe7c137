// SPDX-License-Identifier: GPL-3.0-or-later
/* table - rows of a query on standard output. */
#include "cmd/table.h"

#include <errno.h>
#include <stdlib.h>

#include "base/json.h"

enum { HELD_ROWS = 200, MAX_COLUMNS = 256, TYPE_INTEGER = 1, TYPE_FLOAT = 2 };

struct table_out {
	FILE *f;
	enum table_mode mode;
	struct sql_sink sink;
	int n; /* columns */
	char **names;
	size_t width[MAX_COLUMNS];
	bool number[MAX_COLUMNS]; /* numbers so far: right-aligned */
	char **held;              /* HELD_ROWS * n cells, escaped */
	unsigned int nheld;
	uint64_t rows;
	bool streaming; /* widths are decided */
};

static size_t columns_of(const char *utf8)
{
	size_t n = 0;

	for (; *utf8; utf8++)
		n += ((unsigned char)*utf8 & 0xc0) != 0x80;
	return n;
}

static void print_cell(struct table_out *t, int i, const char *text)
{
	size_t have = columns_of(text), pad = t->width[i] > have ? t->width[i] - have : 0;
	bool last = i == t->n - 1;

	if (t->number[i])
		fprintf(t->f, "%*s%s", (int)pad, "", text);
	else
		fprintf(t->f, "%s%*s", text, last ? 0 : (int)pad, "");
	fputs(last ? "\n" : "  ", t->f);
}

static void print_row(struct table_out *t, char **cells)
{
	for (int i = 0; i < t->n; i++)
		print_cell(t, i, cells[i]);
}

static void release(struct table_out *t)
{
	for (unsigned int i = 0; i < t->nheld * (unsigned int)t->n; i++)
		free(t->held[i]);
	t->nheld = 0;
}

static void print_held(struct table_out *t)
{
	if (t->mode != TABLE_TEXT || t->streaming || !t->n)
		return;
	t->streaming = true;
	print_row(t, t->names);
	for (unsigned int i = 0; i < t->nheld; i++)
		print_row(t, t->held + i * (unsigned int)t->n);
	release(t);
}

static void forget_head(struct table_out *t)
{
	release(t);
	for (int i = 0; i < t->n; i++)
		free(t->names[i]);
	free(t->names);
	free(t->held);
	t->names = t->held = NULL;
	t->n = 0;
	t->streaming = false;
}

static void csv_cell(FILE *f, const char *text, size_t length)
{
	struct buf b = { 0 };
	bool quote = false;
	const char *s;
	size_t len;

	buf_escape(&b, (struct str){ text, length });
	s = b.p ? b.p : "";
	len = b.len;
	for (size_t i = 0; i < len; i++)
		quote = quote || strchr(",\"\r\n", s[i]);
	if (!quote) {
		fwrite(s, 1, len, f);
		buf_free(&b);
		return;
	}
	fputc('"', f);
	for (size_t i = 0; i < len; i++) {
		if (s[i] == '"')
			fputc('"', f);
		fputc(s[i], f);
	}
	fputc('"', f);
	buf_free(&b);
}

static int on_head(void *ctx, int n, const char *const *names)
{
	struct table_out *t = ctx;

	print_held(t);
	forget_head(t);
	if (n > MAX_COLUMNS)
		return -E2BIG;
	t->n = n;
	t->names = calloc((size_t)n + 1, sizeof(*t->names));
	t->held = calloc((size_t)n * HELD_ROWS + 1, sizeof(*t->held));
	if (!t->names || !t->held)
		return -ENOMEM;
	for (int i = 0; i < n; i++) {
		t->names[i] = strdup(names[i]);
		if (!t->names[i])
			return -ENOMEM;
		t->width[i] = columns_of(names[i]);
		t->number[i] = true;
		if (t->mode != TABLE_CSV)
			continue;
		csv_cell(t->f, names[i], strlen(names[i]));
		fputs(i == n - 1 ? "\n" : ",", t->f);
	}
	return 0;
}

static char *cell_text(const char *text, int len)
{
	struct buf b = { 0 };
	char *out;

	if (!text)
		return strdup("-");
	buf_escape(&b, (struct str){ text, (size_t)len });
	out = strndup(b.p ? b.p : "", b.len);
	buf_free(&b);
	return out;
}

static int text_row(struct table_out *t, const char *const *texts, const int *lens,
                    const int *types)
{
	char **row = t->held + t->nheld * (unsigned int)t->n;

	for (int i = 0; i < t->n; i++) {
		size_t w;

		row[i] = cell_text(texts[i], lens[i]);
		if (!row[i])
			return -ENOMEM;
		if (t->streaming)
			continue;
		w = columns_of(row[i]);
		t->width[i] = w > t->width[i] ? w : t->width[i];
		if (texts[i] && types[i] != TYPE_INTEGER && types[i] != TYPE_FLOAT)
			t->number[i] = false;
	}
	t->nheld++;
	if (t->streaming) {
		print_row(t, row);
		release(t);
	} else if (t->nheld == HELD_ROWS) {
		print_held(t);
	}
	return 0;
}

static int json_row(struct table_out *t, const char *const *texts, const int *lens,
                    const int *types)
{
	struct buf b = { 0 };

	buf_ch(&b, '{');
	for (int i = 0; i < t->n; i++) {
		if (i)
			buf_ch(&b, ',');
		json_str(&b, str_of(t->names[i]));
		buf_ch(&b, ':');
		if (!texts[i])
			buf_z(&b, "null");
		else if (types[i] == TYPE_INTEGER || types[i] == TYPE_FLOAT)
			buf_add(&b, texts[i], (size_t)lens[i]);
		else
			json_str(&b, (struct str){ texts[i], (size_t)lens[i] });
	}
	buf_z(&b, "}\n");
	fwrite(b.p, 1, b.len, t->f);
	buf_free(&b);
	return 0;
}

static int on_row(void *ctx, int n, const char *const *texts, const int *lens, const int *types)
{
	struct table_out *t = ctx;

	(void)n;
	t->rows++;
	if (t->mode == TABLE_TEXT)
		return text_row(t, texts, lens, types);
	if (t->mode == TABLE_JSON)
		return json_row(t, texts, lens, types);
	for (int i = 0; i < t->n; i++) {
		if (texts[i])
			csv_cell(t->f, texts[i], (size_t)lens[i]);
		fputs(i == t->n - 1 ? "\n" : ",", t->f);
	}
	return ferror(t->f) ? -EPIPE : 0;
}

struct table_out *table_new(FILE *f, enum table_mode mode)
{
	struct table_out *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->f = f;
	t->mode = mode;
	t->sink = (struct sql_sink){ .head = on_head, .row = on_row, .ctx = t };
	return t;
}

const struct sql_sink *table_sink(struct table_out *t)
{
	return &t->sink;
}

int table_end(struct table_out *t)
{
	print_held(t);
	forget_head(t);
	t->rows = 0;
	return fflush(t->f) || ferror(t->f) ? -EPIPE : 0;
}

uint64_t table_rows(const struct table_out *t)
{
	return t->rows;
}

void table_free(struct table_out *t)
{
	if (!t)
		return;
	forget_head(t);
	free(t);
}
