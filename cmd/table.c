// SPDX-License-Identifier: GPL-3.0-or-later
/* table - rows of a query on a stream. */
#include "cmd/table.h"

#include <errno.h>
#include <stdlib.h>

#include "base/json.h"
#include "cmd/table_text.h"

enum { TYPE_INTEGER = 1, TYPE_FLOAT = 2 };

struct table_out {
	enum table_mode mode;
	struct sql_sink sink;
	struct table_text text; /* its f is where everything goes; names are kept in any mode */
	struct table_count count;
};

const char *table_mode_name(unsigned int i)
{
	static const char *const names[] = { "table", "json", "csv", "tabs", "line", "markdown" };

	return i < TABLE_MODES ? names[i] : NULL;
}

enum table_mode table_mode_of(const char *name)
{
	unsigned int i = 0;

	if (!strcmp(name, "text") || !strcmp(name, "column"))
		return TABLE_TEXT;
	while (i < TABLE_MODES && strcmp(name, table_mode_name(i)) != 0)
		i++;
	return (enum table_mode)i;
}

static void csv_cell(FILE *f, const char *text, size_t length)
{
	struct buf b = { 0 };

	buf_csv(&b, (struct str){ text, length });
	fwrite(b.p, 1, b.len, f);
	buf_free(&b);
}

/* Escaped; in Markdown a bar inside a cell would end it. */
static void plain_cell(FILE *f, const char *text, size_t length, bool markdown)
{
	struct buf b = { 0 };

	buf_escape(&b, (struct str){ text, length });
	for (size_t i = 0; i < b.len; i++) {
		if (markdown && b.p[i] == '|')
			fputc('\\', f);
		fputc(b.p[i], f);
	}
	buf_free(&b);
}

static void separated_row(struct table_out *t, const char *const *texts, const int *lens)
{
	FILE *f = t->text.f;

	for (int i = 0; i < t->text.n; i++) {
		if (t->mode == TABLE_MARKDOWN)
			fputs(i ? " | " : "| ", f);
		else if (i)
			fputc(t->mode == TABLE_CSV ? ',' : '\t', f);
		if (texts[i] && t->mode == TABLE_CSV)
			csv_cell(f, texts[i], (size_t)lens[i]);
		else if (texts[i])
			plain_cell(f, texts[i], (size_t)lens[i], t->mode == TABLE_MARKDOWN);
	}
	fputs(t->mode == TABLE_MARKDOWN ? " |\n" : "\n", f);
}

static void separated_head(struct table_out *t, const char *const *names)
{
	int lens[TEXT_COLUMNS];

	for (int i = 0; i < t->text.n; i++)
		lens[i] = (int)strlen(names[i]);
	if (t->text.heads || t->mode == TABLE_MARKDOWN)
		separated_row(t, names, lens);
	for (int i = 0; t->mode == TABLE_MARKDOWN && i < t->text.n; i++)
		fputs(i == t->text.n - 1 ? "| --- |\n" : "| --- ", t->text.f);
}

static int on_head(void *ctx, int n, const char *const *names)
{
	struct table_out *t = ctx;
	int err;

	if (t->mode == TABLE_TEXT)
		table_text_flush(&t->text);
	err = table_text_head(&t->text, n, names);
	if (err)
		return err;
	t->count = (struct table_count){ .columns = n };
	if (t->mode == TABLE_CSV || t->mode == TABLE_TABS || t->mode == TABLE_MARKDOWN)
		separated_head(t, names);
	return 0;
}

static void json_row(struct table_out *t, const char *const *texts, const int *lens,
                     const int *types)
{
	struct buf b = { 0 };

	buf_ch(&b, '{');
	for (int i = 0; i < t->text.n; i++) {
		if (i)
			buf_ch(&b, ',');
		json_str(&b, str_of(t->text.names[i]));
		buf_ch(&b, ':');
		if (!texts[i])
			buf_z(&b, "null");
		else if (types[i] == TYPE_INTEGER || types[i] == TYPE_FLOAT)
			buf_add(&b, texts[i], (size_t)lens[i]);
		else
			json_str(&b, (struct str){ texts[i], (size_t)lens[i] });
	}
	buf_z(&b, "}\n");
	fwrite(b.p, 1, b.len, t->text.f);
	buf_free(&b);
}

static void line_row(struct table_out *t, const char *const *texts, const int *lens)
{
	int widest = 0, w;

	for (int i = 0; i < t->text.n; i++) {
		w = table_text_width(t->text.names[i]);
		widest = w > widest ? w : widest;
	}
	if (t->count.rows > 1)
		fputc('\n', t->text.f);
	for (int i = 0; i < t->text.n; i++) {
		w = table_text_width(t->text.names[i]);
		fprintf(t->text.f, "%*s%s = ", widest - w, "", t->text.names[i]);
		plain_cell(t->text.f, texts[i] ? texts[i] : "-", texts[i] ? (size_t)lens[i] : 1,
		           false);
		fputc('\n', t->text.f);
	}
}

static int on_row(void *ctx, int n, const char *const *texts, const int *lens, const int *types)
{
	struct table_out *t = ctx;
	int err = 0;

	(void)n;
	t->count.rows++;
	if (t->mode == TABLE_TEXT)
		err = table_text_row(&t->text, texts, lens, types);
	else if (t->mode == TABLE_JSON)
		json_row(t, texts, lens, types);
	else if (t->mode == TABLE_LINE)
		line_row(t, texts, lens);
	else
		separated_row(t, texts, lens);
	return err ? err : ferror(t->text.f) ? -EPIPE : 0;
}

struct table_out *table_new(FILE *f, enum table_mode mode)
{
	struct table_out *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->mode = mode;
	t->text.f = f;
	t->text.heads = true;
	t->sink = (struct sql_sink){ .head = on_head, .row = on_row, .ctx = t };
	return t;
}

const struct sql_sink *table_sink(struct table_out *t)
{
	return &t->sink;
}

int table_end(struct table_out *t)
{
	if (t->mode == TABLE_TEXT)
		table_text_flush(&t->text);
	t->count.hidden = t->mode == TABLE_TEXT && t->text.n ? t->text.n - t->text.shown : 0;
	table_text_end(&t->text);
	return fflush(t->text.f) || ferror(t->text.f) ? -EPIPE : 0;
}

void table_free(struct table_out *t)
{
	if (!t)
		return;
	table_text_end(&t->text);
	free(t);
}

void table_to(struct table_out *t, FILE *f)
{
	t->text.f = f;
}

void table_mode(struct table_out *t, enum table_mode mode)
{
	t->mode = mode;
}

void table_heads(struct table_out *t, bool on)
{
	t->text.heads = on;
}

void table_fit(struct table_out *t, int screen)
{
	t->text.screen = screen;
}

int table_widths(struct table_out *t, const int *widths, size_t n)
{
	if (n > TEXT_COLUMNS)
		return -E2BIG;
	memset(t->text.fixed, 0, sizeof(t->text.fixed));
	memcpy(t->text.fixed, widths, n * sizeof(*widths));
	return 0;
}

struct table_count table_count(const struct table_out *t)
{
	return t->count;
}
