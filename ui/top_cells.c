// SPDX-License-Identifier: GPL-3.0-or-later
/* top_cells - columns of the list of groups, and the text of a cell. */
#include <errno.h>
#include <math.h>

#include "ui/top.h"

static const struct tbl_col spark = {
	.name = "spark",
	.title = "WINDOW",
	.width = TOP_SPARK,
	.priority = 8,
	.sort = "",
	.help = "requests over the window, each row by its own greatest",
};

/* In the order of the screen; what matters most stays longest. */
static const struct {
	enum rank_col col;
	int width, priority;
} numbers[] = {
	{ RANK_RATE, 7, 3 },       { RANK_COLS, 0, 0 }, /* the sparkline */
	{ RANK_ERROR_PCT, 5, 5 },  { RANK_P50, 7, 7 },         { RANK_P95, 7, 4 },
	{ RANK_P99, 7, 6 },        { RANK_MAX, 7, 9 },         { RANK_TOTAL_PCT, 6, 2 },
	{ RANK_COUNT, 8, 10 },     { RANK_ERRORS, 7, 0 },      { RANK_MEAN, 7, 0 },
	{ RANK_REQ_BYTES, 10, 0 }, { RANK_RESP_BYTES, 10, 0 },
};

static const enum rank_col changes[] = { RANK_P95_CHANGE, RANK_RATE_CHANGE, RANK_ERROR_CHANGE };

/* All durations are ms here, as the legend says. */
static const struct {
	enum rank_col col;
	const char *title;
} short_titles[] = {
	{ RANK_P50, "P50" },           { RANK_P95, "P95" },   { RANK_P99, "P99" },
	{ RANK_MAX, "MAX" },           { RANK_MEAN, "MEAN" }, { RANK_REQ_BYTES, "REQ-B" },
	{ RANK_RESP_BYTES, "RESP-B" },
};

static struct tbl_col number(enum rank_col c, int width, int priority)
{
	const struct rank_column *def = rank_column(c);
	const char *title = def->title;
	int least;

	for (size_t i = 0; i < sizeof(short_titles) / sizeof(*short_titles); i++)
		if (short_titles[i].col == c)
			title = short_titles[i].title;
	least = (int)strlen(title) + 2; /* and the sign of the order */

	return (struct tbl_col){
		.name = def->name,
		.title = title,
		.width = width > least ? width : least,
		.priority = priority,
		.right = true,
		.help = def->help,
	};
}

static struct tbl_col group(const char *name, bool first, bool single)
{
	size_t i = 0;

	while (agg_column(i) && strcmp(agg_column(i)->name, name) != 0)
		i++;
	return (struct tbl_col){
		.name = name,
		.title = agg_column(i) ? agg_column(i)->title : name,
		.width = single  ? 20
		         : first ? 12
		                 : 16,
		.max = single  ? 300
		       : first ? 24
		               : 120,
		.priority = 1,
		.help = agg_column(i) ? agg_column(i)->help : NULL,
	};
}

int top_show(struct top *t, const char *spec, char *err)
{
	struct buf b = { 0 };
	int e;

	/* What is grouped by comes first, unless it is taken away by name. */
	for (unsigned int i = 0; *spec && !strchr("+-", *spec) && i < AGG_BY && t->by[i]; i++)
		buf_fmt(&b, "%s,", t->by[i]);
	buf_z(&b, spec);
	buf_ch(&b, 0);
	e = b.failed ? -ENOMEM : tbl_columns(&t->table, b.p, err);
	buf_free(&b);
	return e;
}

void top_columns(struct top *t)
{
	uint64_t id = t->table.has_id ? t->table.cursor_id : 0;
	unsigned int n = 0, nby = 0;

	while (nby < AGG_BY && t->by[nby])
		nby++;
	for (unsigned int i = 0; i < nby; i++)
		t->cols[n++] = group(t->by[i], i == 0, nby == 1);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
		t->cols[n++] =
			numbers[i].col == RANK_COLS
				? spark
				: number(numbers[i].col, numbers[i].width, numbers[i].priority);
	for (size_t i = 0; t->has_base && i < sizeof(changes) / sizeof(*changes); i++)
		t->cols[n++] = number(changes[i], 6, 3);
	t->cols[n] = (struct tbl_col){ 0 };
	tbl_init(&t->table, t->cols, &top_source, t);
	(void)top_show(t, t->columns, NULL); /* what this grouping lacks is not missed */
	t->table.cursor_id = id;
	t->table.has_id = id != 0;
	t->table.sort = top_level(t)->sort;
	t->table.desc = !top_level(t)->asc;
}

/* ---- rows ---- */

static size_t count(void *ctx)
{
	return ((struct top *)ctx)->rank.n;
}

static uint64_t id(void *ctx, size_t i)
{
	struct top *t = ctx;

	return rank_id(&t->rank, &t->rank.rows[i]);
}

static bool find(void *ctx, uint64_t want, size_t *i)
{
	struct top *t = ctx;

	for (*i = 0; *i < t->rank.n; ++*i)
		if (rank_id(&t->rank, &t->rank.rows[*i]) == want)
			return true;
	return false;
}

static bool load(void *ctx, size_t i)
{
	struct top *t = ctx;

	t->row = i;
	return i < t->rank.n;
}

/* As grid_spark() draws it, as text. */
static void put_spark(const struct top *t, const struct agg_row *r, struct buf *out)
{
	static const char ascii[] = " .:-=+*#";
	unsigned int n = t->rank.answer.spark;
	uint32_t top = 0;

	for (unsigned int i = 0; i < n; i++)
		top = r->spark[i] > top ? r->spark[i] : top;
	for (unsigned int i = 0; i < n; i++) {
		unsigned int level = top ? (unsigned int)((uint64_t)r->spark[i] * 7 / top) : 0;
		char block[4] = { (char)0xe2, (char)0x96, (char)(0x81 + level), 0 };

		if (!r->spark[i])
			buf_ch(out, ' ');
		else if (t->ascii)
			buf_ch(out, ascii[level ? level : 1]);
		else
			buf_z(out, block);
	}
}

static enum role cell(void *ctx, const struct tbl_col *col, struct buf *out)
{
	struct top *t = ctx;
	const struct rank_row *row = &t->rank.rows[t->row];
	enum rank_col c = rank_col_of(col->name);
	double v;

	if (!strcmp(col->name, "spark")) {
		put_spark(t, &row->row, out);
		return ROLE_CHART;
	}
	for (unsigned int i = 0; i < AGG_BY && t->by[i]; i++)
		if (!strcmp(col->name, t->by[i])) {
			if (!i && row->alert)
				buf_z(out, "! ");
			rank_name(row, i, out);
			return row->alert ? ROLE_BAD : row->rest ? ROLE_DIM : ROLE_TEXT;
		}
	v = rank_value(&t->rank, row, c);
	if (isnan(v) && c >= RANK_RATE_CHANGE && !row->base && !row->rest)
		buf_z(out, "new");
	else
		rank_text(c, v, out);
	if (row->alert)
		return ROLE_BAD;
	if ((c == RANK_ERROR_PCT || c == RANK_ERRORS || c >= RANK_RATE_CHANGE) && v > 0)
		return c == RANK_RATE_CHANGE ? ROLE_TEXT : ROLE_WARN;
	return ROLE_TEXT;
}

const struct tbl_source top_source = {
	.count = count,
	.id = id,
	.find = find,
	.load = load,
	.cell = cell,
};
