// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * table_text - rows as aligned columns.
 *
 * Where they must fit a screen, the widest text gives way first, down to a
 * width that still says something; then the last columns are left out and
 * " >" at the end of the names says so. Numbers are never cut.
 */
#include "cmd/table_text.h"

#include <errno.h>
#include <langinfo.h>
#include <stdlib.h>
#include <wchar.h>

enum { TYPE_INTEGER = 1, TYPE_FLOAT = 2, GAP = 2, NARROW = 12 };

static int width_at(const char *s, size_t left, size_t *len)
{
	uint32_t cp = 0;
	int w;

	*len = str_utf8_len((const uint8_t *)s, left, &cp);
	if (!*len) {
		*len = 1;
		return 1;
	}
	w = wcwidth((wchar_t)cp);
	return w < 0 ? 1 : w;
}

int table_text_width(const char *utf8)
{
	size_t left = strlen(utf8), len;
	int n = 0;

	for (; left; utf8 += len, left -= len)
		n += width_at(utf8, left, &len);
	return n;
}

size_t table_text_fits(const char *utf8, int columns)
{
	size_t left = strlen(utf8), at = 0, len;

	while (left) {
		columns -= width_at(utf8 + at, left, &len);
		if (columns < 0)
			break;
		at += len;
		left -= len;
	}
	return at;
}

static const char *cut_sign(void)
{
	return strcmp(nl_langinfo(CODESET), "UTF-8") ? ".." : "\u2026";
}

static void print_cell(struct table_text *t, int i, const char *text)
{
	bool last = i == t->shown - 1, number = t->number[i];
	int have = table_text_width(text), pad = t->width[i] - have;

	if (pad < 0 && (t->fixed[i] || (t->screen && !number))) {
		const char *sign = cut_sign();
		int room = t->width[i] - table_text_width(sign);
		size_t n = table_text_fits(text, room > 0 ? room : 0);

		fprintf(t->f, "%.*s%s", (int)n, text, room > 0 ? sign : ">");
		pad = room > 0 ? room - table_text_width(text) : 0;
		pad = pad > 0 ? pad : 0;
	} else {
		pad = pad > 0 ? pad : 0;
		if (number)
			fprintf(t->f, "%*s%s", pad, "", text);
		else
			fprintf(t->f, "%s%*s", text, last ? 0 : pad, "");
	}
	if (!last)
		fputs("  ", t->f);
}

static void print_row(struct table_text *t, char **cells)
{
	for (int i = 0; i < t->shown; i++)
		print_cell(t, i, cells[i]);
	fputc('\n', t->f);
}

static void print_names(struct table_text *t)
{
	for (int i = 0; i < t->shown; i++)
		print_cell(t, i, t->names[i]);
	fputs(t->shown < t->n ? " >\n" : "\n", t->f);
	for (int i = 0; t->screen && i < t->shown; i++) {
		for (int k = 0; k < t->width[i]; k++)
			fputc('-', t->f);
		fputs(i == t->shown - 1 ? "\n" : "  ", t->f);
	}
}

/* ---- widths ---- */

/* The least that column i may be cut to. */
static int floor_of(const struct table_text *t, int i)
{
	int w = table_text_width(t->names[i]);

	if (t->number[i] || t->fixed[i])
		return t->width[i];
	w = w > NARROW ? w : NARROW;
	return t->width[i] < w ? t->width[i] : w;
}

static int total(const struct table_text *t, int n, bool least)
{
	int sum = n < t->n ? 2 : 0; /* " >" */

	for (int i = 0; i < n; i++)
		sum += (i ? GAP : 0) + (least ? floor_of(t, i) : t->width[i]);
	return sum;
}

/* The widest of the columns that may give way; -1: none. */
static int widest(const struct table_text *t)
{
	int at = -1;

	for (int i = 0; i < t->shown; i++)
		if (t->width[i] > floor_of(t, i) && (at < 0 || t->width[i] > t->width[at]))
			at = i;
	return at;
}

static void fit(struct table_text *t)
{
	int over, i;

	for (i = 0; i < t->n; i++)
		t->width[i] = t->fixed[i] ? t->fixed[i] : t->width[i];
	t->shown = t->n;
	if (!t->screen)
		return;
	while (t->shown > 1 && total(t, t->shown, true) > t->screen)
		t->shown--;
	over = total(t, t->shown, false) - t->screen;
	while (over-- > 0 && (i = widest(t)) >= 0)
		t->width[i]--;
}

/* ---- rows ---- */

static void release(struct table_text *t)
{
	for (unsigned int i = 0; i < t->nheld * (unsigned int)t->n; i++)
		free(t->held[i]);
	t->nheld = 0;
}

void table_text_flush(struct table_text *t)
{
	if (t->streaming || !t->n)
		return;
	t->streaming = true;
	fit(t);
	if (t->heads)
		print_names(t);
	for (unsigned int i = 0; i < t->nheld; i++)
		print_row(t, t->held + i * (unsigned int)t->n);
	release(t);
}

void table_text_end(struct table_text *t)
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

int table_text_head(struct table_text *t, int n, const char *const *names)
{
	table_text_end(t);
	if (n > TEXT_COLUMNS)
		return -E2BIG;
	t->names = calloc((size_t)n + 1, sizeof(*t->names));
	t->held = calloc((size_t)n * TEXT_HELD + 1, sizeof(*t->held));
	if (!t->names || !t->held)
		return -ENOMEM;
	for (int i = 0; i < n; i++) {
		t->names[i] = strdup(names[i]);
		if (!t->names[i])
			return -ENOMEM;
		t->n = i + 1;
		t->width[i] = t->heads ? table_text_width(names[i]) : 1;
		t->number[i] = true;
	}
	t->shown = n;
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

int table_text_row(struct table_text *t, const char *const *texts, const int *lens,
                   const int *types)
{
	char **row = t->held + t->nheld * (unsigned int)t->n;

	for (int i = 0; i < t->n; i++) {
		int w;

		row[i] = cell_text(texts[i], lens[i]);
		if (!row[i])
			return -ENOMEM;
		if (t->streaming)
			continue;
		w = table_text_width(row[i]);
		t->width[i] = w > t->width[i] ? w : t->width[i];
		if (texts[i] && types[i] != TYPE_INTEGER && types[i] != TYPE_FLOAT)
			t->number[i] = false;
	}
	t->nheld++;
	if (t->streaming) {
		print_row(t, row);
		release(t);
	} else if (t->nheld == TEXT_HELD) {
		table_text_flush(t);
	}
	return 0;
}
