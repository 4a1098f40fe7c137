// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * vtab - the tables of columns.def as SQLite virtual tables.
 *
 * The module is told nothing about a table but its name. The text of CREATE
 * VIRTUAL TABLE carries every column with its help, because SQLite keeps that
 * text: it is what `.schema` shows.
 */
#include "store/vtab.h"

#include <errno.h>
#include <stdlib.h>

#include "store/plan.h"
#include "store/schema.h"

struct vtab {
	sqlite3_vtab base;
	struct vtab_source *src;
	enum table table;
};

struct cursor {
	sqlite3_vtab_cursor base;
	struct scan scan;  /* over a store */
	unsigned int item; /* over a batch */
};

static struct vtab *vtab_of(sqlite3_vtab_cursor *c)
{
	return (struct vtab *)c->pVtab;
}

static int find_table(const char *name)
{
	for (int t = 0; t < TABLE_MAX; t++)
		if (!strcmp(tables[t].name, name))
			return t;
	return -1;
}

static int connect(sqlite3 *db, void *aux, int argc, const char *const *argv, sqlite3_vtab **out,
                   char **message)
{
	int t = argc > 2 ? find_table(argv[2]) : -1;
	struct buf sql = { 0 };
	struct vtab *v;
	int rc = SQLITE_NOMEM;

	if (t < 0) {
		*message = sqlite3_mprintf("no such table: %s", argc > 2 ? argv[2] : "");
		return SQLITE_ERROR;
	}
	buf_z(&sql, "CREATE TABLE x");
	schema_columns(&sql, (enum table)t, false);
	buf_ch(&sql, '\0');
	v = sqlite3_malloc(sizeof(*v));
	if (v && !sql.failed)
		rc = sqlite3_declare_vtab(db, sql.p);
	buf_free(&sql);
	if (rc) {
		sqlite3_free(v);
		return rc;
	}
	*v = (struct vtab){ .src = aux, .table = (enum table)t };
	*out = &v->base;
	return SQLITE_OK;
}

static int disconnect(sqlite3_vtab *v)
{
	sqlite3_free(v);
	return SQLITE_OK;
}

static int best_index(sqlite3_vtab *base, sqlite3_index_info *info)
{
	struct vtab *v = (struct vtab *)base;

	if (v->src->store)
		return plan_choose(&v->src->layouts[v->table], store_rows(v->src->store, v->table),
		                   info);
	info->estimatedCost = 1000;
	return SQLITE_OK;
}

static int open_cursor(sqlite3_vtab *v, sqlite3_vtab_cursor **out)
{
	struct cursor *c = sqlite3_malloc(sizeof(*c));

	(void)v;
	if (!c)
		return SQLITE_NOMEM;
	*c = (struct cursor){ 0 };
	*out = &c->base;
	return SQLITE_OK;
}

static int close_cursor(sqlite3_vtab_cursor *base)
{
	struct cursor *c = (struct cursor *)base;

	scan_end(&c->scan);
	sqlite3_free(c);
	return SQLITE_OK;
}

static int result_of(int err)
{
	return !err ? SQLITE_OK : err == -ENOMEM ? SQLITE_NOMEM : SQLITE_INTERRUPT;
}

static void skip_other_tables(struct cursor *c)
{
	const struct vtab *v = vtab_of(&c->base);
	const struct batch *b = v->src->batch;

	while (b && c->item < b->n && b->items[c->item].table != v->table)
		c->item++;
}

int vtab_pin(struct vtab_source *src)
{
	int err = src->store && !src->pinned ? snapshot_take(&src->snap, src->store) : 0;

	src->pinned = !err && src->store;
	return err;
}

void vtab_unpin(struct vtab_source *src)
{
	if (src->pinned)
		snapshot_drop(&src->snap);
	src->pinned = false;
}

/* What a scan answers, the row that it stands on counted. */
static int moved(struct cursor *c, int err)
{
	vtab_of(&c->base)->src->rows_read += !err && !c->scan.eof;
	return result_of(err);
}

static int filter(sqlite3_vtab_cursor *base, int num, const char *text, int argc,
                  sqlite3_value **argv)
{
	struct cursor *c = (struct cursor *)base;
	struct vtab *v = vtab_of(base);
	int rc;

	if (!v->src->store) {
		c->item = 0;
		skip_other_tables(c);
		return SQLITE_OK;
	}
	if (vtab_pin(v->src))
		return SQLITE_NOMEM;
	scan_end(&c->scan);
	c->scan.snap = &v->src->snap;
	c->scan.table = v->table;
	c->scan.layout = &v->src->layouts[v->table];
	c->scan.stop = v->src->stop;
	c->scan.ctx = v->src->ctx;
	rc = plan_apply(&c->scan, num, text, argc, argv, &v->base.zErrMsg);
	return rc ? rc : moved(c, scan_start(&c->scan));
}

static int next(sqlite3_vtab_cursor *base)
{
	struct cursor *c = (struct cursor *)base;

	if (vtab_of(base)->src->store)
		return moved(c, scan_next(&c->scan));
	c->item++;
	skip_other_tables(c);
	return SQLITE_OK;
}

static int eof(sqlite3_vtab_cursor *base)
{
	struct cursor *c = (struct cursor *)base;
	const struct vtab_source *src = vtab_of(base)->src;

	return src->store ? c->scan.eof : !src->batch || c->item >= src->batch->n;
}

static void result_cell(sqlite3_context *ctx, const struct cell *cell)
{
	switch (cell->kind) {
	case CELL_NULL:
		sqlite3_result_null(ctx);
		break;
	case CELL_INT:
		sqlite3_result_int64(ctx, cell->i);
		break;
	case CELL_REAL:
		sqlite3_result_double(ctx, cell->d);
		break;
	case CELL_TEXT:
	case CELL_JSON:
		sqlite3_result_text64(ctx, cell->text.s, cell->text.len, SQLITE_TRANSIENT,
		                      SQLITE_UTF8);
		break;
	}
}

/* Texts stay where they are: the statement pins the segment or the batch. */
static void result_text(sqlite3_context *ctx, struct str s)
{
	if (s.s)
		sqlite3_result_text64(ctx, s.s, s.len, SQLITE_STATIC, SQLITE_UTF8);
	else
		sqlite3_result_null(ctx);
}

static void result_int(sqlite3_context *ctx, enum col_type type, int64_t v)
{
	if (v == COL_NULL)
		sqlite3_result_null(ctx);
	else if (type == COL_MS)
		sqlite3_result_double(ctx, (double)v / 1e6);
	else
		sqlite3_result_int64(ctx, v);
}

static void result_field(sqlite3_context *ctx, enum col_type type, const void *field)
{
	struct cell cell;
	int64_t v;

	if (type == COL_I || type == COL_B || type == COL_MS || type == COL_V) {
		memcpy(&v, field, sizeof(v));
		result_int(ctx, type, v);
		return;
	}
	cell_of(type, field, &cell);
	result_cell(ctx, &cell);
}

static int column(sqlite3_vtab_cursor *base, sqlite3_context *ctx, int col)
{
	struct cursor *c = (struct cursor *)base;
	struct vtab *v = vtab_of(base);
	const struct column *def = &tables[v->table].columns[col];
	bool is_text = def->type == COL_T || def->type == COL_J;
	const char *row;

	if (v->src->store) {
		const struct segment *seg = c->scan.seg;

		if (is_text)
			result_text(ctx, segment_text(seg, c->scan.row, (unsigned int)col));
		else
			result_field(ctx, def->type,
			             segment_field(seg, c->scan.row, (unsigned int)col));
		return SQLITE_OK;
	}
	row = v->src->batch->items[c->item].row;
	if (is_text)
		result_text(ctx, *(const struct str *)(row + def->offset));
	else
		result_field(ctx, def->type, row + def->offset);
	return SQLITE_OK;
}

static int rowid(sqlite3_vtab_cursor *base, sqlite3_int64 *out)
{
	struct cursor *c = (struct cursor *)base;

	if (vtab_of(base)->src->store)
		*out = (sqlite3_int64)(c->scan.seg->number * SEGMENT_ROWS + c->scan.row);
	else
		*out = c->item;
	return SQLITE_OK;
}

static const sqlite3_module module = {
	.iVersion = 1,
	.xCreate = connect,
	.xConnect = connect,
	.xBestIndex = best_index,
	.xDisconnect = disconnect,
	.xDestroy = disconnect,
	.xOpen = open_cursor,
	.xClose = close_cursor,
	.xFilter = filter,
	.xNext = next,
	.xEof = eof,
	.xColumn = column,
	.xRowid = rowid,
};

int vtab_create(sqlite3 *db, struct vtab_source *src)
{
	int rc = sqlite3_create_module_v2(db, "capture", &module, src, NULL);

	for (unsigned int t = 0; t < TABLE_MAX && !rc; t++) {
		struct buf sql = { 0 };

		layout_init(&src->layouts[t], t);
		buf_fmt(&sql, "CREATE VIRTUAL TABLE %s USING capture", tables[t].name);
		schema_columns(&sql, t, false);
		buf_ch(&sql, '\0');
		rc = sql.failed ? SQLITE_NOMEM : sqlite3_exec(db, sql.p, NULL, NULL, NULL);
		buf_free(&sql);
	}
	return rc;
}
