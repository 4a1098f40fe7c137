// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * db - rows into an ordinary SQLite file (-w x.db).
 *
 * The tables are those of `obi sql`, with a column in ns for each duration
 * that is otherwise shown in ms. A batch is a transaction in WAL mode: what was
 * written survives a crash of obi, and others may read the file meanwhile. At
 * the end the log is folded into the file, which then stands alone.
 */
#include <errno.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/err.h"
#include "base/own.h"
#include "store/schema.h"
#include "store/segment.h"
#include "write/writer.h"

enum { COMMIT_ROWS = 100 };
enum { APPLICATION_ID = 0x6f626921, SCHEMA_VERSION = 1 }; /* "obi!" */

struct db {
	sqlite3 *db;
	sqlite3_stmt *insert[TABLE_MAX];
	uint64_t given, written, open; /* open: rows of the transaction under way */
};

static int errno_of(int rc)
{
	switch (rc & 0xff) {
	case SQLITE_OK:
	case SQLITE_DONE:
	case SQLITE_ROW:
		return 0;
	case SQLITE_NOMEM:
		return -ENOMEM;
	case SQLITE_FULL:
		return -ENOSPC;
	case SQLITE_READONLY:
		return -EROFS;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return -EBUSY;
	}
	return -EIO;
}

static int run(sqlite3 *db, const char *sql)
{
	return errno_of(sqlite3_exec(db, sql, NULL, NULL, NULL));
}

/* A key makes the newest row replace the older ones, as in the store. */
static void add_key(struct buf *b, enum table t)
{
	struct layout l;

	layout_init(&l, t);
	if (l.key[0] < 0)
		return;
	buf_fmt(b, ";\nCREATE UNIQUE INDEX %s_key ON %s(", tables[t].name, tables[t].name);
	for (unsigned int i = 0; i < LAYOUT_KEYS && l.key[i] >= 0; i++)
		buf_fmt(b, "%s%s", i ? ", " : "", tables[t].columns[l.key[i]].name);
	buf_z(b, ")");
}

static int make_table(struct db *d, enum table t)
{
	struct schema_column c;
	struct buf sql = { 0 };
	int err;

	buf_fmt(&sql, "CREATE TABLE %s", tables[t].name);
	schema_columns(&sql, t, true);
	add_key(&sql, t);
	buf_ch(&sql, '\0');
	err = sql.failed ? -ENOMEM : run(d->db, sql.p);
	buf_clear(&sql);
	buf_fmt(&sql, "INSERT OR REPLACE INTO %s VALUES(", tables[t].name);
	for (unsigned int i = 0; schema_column(t, true, i, &c); i++)
		buf_z(&sql, i ? ", ?" : "?");
	buf_z(&sql, ")");
	buf_ch(&sql, '\0');
	if (!err)
		err = sql.failed ? -ENOMEM
		                 : errno_of(sqlite3_prepare_v3(d->db, sql.p, -1,
		                                               SQLITE_PREPARE_PERSISTENT,
		                                               &d->insert[t], NULL));
	buf_free(&sql);
	return err;
}

static int make_file(struct db *d, const char *path)
{
	int fd = own_create(path);
	char name[4096];
	int err;

	if (fd < 0)
		return fd;
	close(fd);
	/* SQLite gives names that begin with a colon a meaning of their own. */
	snprintf(name, sizeof(name), "%s%s", *path == ':' ? "./" : "", path);
	err = errno_of(
		sqlite3_open_v2(name, &d->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL));
	if (err)
		return err;
	snprintf(name, sizeof(name),
	         "PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF;"
	         "PRAGMA wal_autocheckpoint = 32;" /* a full disk must not leave all in the log */
	         "PRAGMA application_id = %d; PRAGMA user_version = %d; BEGIN",
	         APPLICATION_ID, SCHEMA_VERSION);
	err = run(d->db, name);
	for (unsigned int t = 0; t < TABLE_MAX && !err; t++)
		err = make_table(d, t);
	return err ? err
	           : run(d->db, "CREATE INDEX spans_start ON spans(start_ns);"
	                        "CREATE INDEX spans_trace ON spans(trace_id); COMMIT");
}

static void db_free(struct db *d)
{
	for (unsigned int t = 0; t < TABLE_MAX; t++)
		sqlite3_finalize(d->insert[t]);
	sqlite3_close(d->db);
	free(d);
}

static int db_open(const struct writer_opts *o, void **state, char *err)
{
	struct db *d;
	int e;

	if (o->fd >= 0 || !o->path || !strcmp(o->path, "-"))
		return err_set(err, EINVAL,
		               "a database cannot be written to a stream; "
		               "name a file: -w x.db");
	if (o->rotate_bytes || o->split)
		return err_set(err, EINVAL,
		               "%s: a database is one file: "
		               "no --rotate, no --split",
		               o->path);
	d = calloc(1, sizeof(*d));
	e = d ? make_file(d, o->path) : -ENOMEM;
	if (e) {
		err_set(err, -e, "cannot create %s: %s", o->path, strerror(-e));
		if (d)
			db_free(d);
		return e;
	}
	*state = d;
	return 0;
}

static int bind_cell(sqlite3_stmt *st, int i, const struct cell *c)
{
	switch (c->kind) {
	case CELL_NULL:
		break;
	case CELL_INT:
		return sqlite3_bind_int64(st, i, c->i);
	case CELL_REAL:
		return sqlite3_bind_double(st, i, c->d);
	case CELL_TEXT:
	case CELL_JSON:
		return sqlite3_bind_text64(st, i, c->text.s, c->text.len, SQLITE_TRANSIENT,
		                           SQLITE_UTF8);
	}
	return sqlite3_bind_null(st, i);
}

static int insert(sqlite3_stmt *st, enum table t, const void *row)
{
	struct schema_column c;
	int rc = SQLITE_OK;

	for (unsigned int i = 0; !rc && schema_column(t, true, i, &c); i++) {
		const void *field = (const char *)row + c.column->offset;
		struct cell cell;

		cell_of(c.ns ? COL_I : c.column->type, field, &cell);
		rc = bind_cell(st, (int)i + 1, &cell);
	}
	if (!rc)
		rc = sqlite3_step(st);
	sqlite3_reset(st);
	return errno_of(rc);
}

/* What is open since the last commit becomes part of the file. */
static int commit(struct db *d)
{
	int err = d->open ? run(d->db, "COMMIT") : 0;

	if (err)
		run(d->db, "ROLLBACK");
	else
		d->written += d->open;
	d->open = 0;
	return err;
}

static int add_row(struct db *d, const struct item *item)
{
	int err = d->open ? 0 : run(d->db, "BEGIN");

	if (!err)
		err = insert(d->insert[item->table], item->table, item->row);
	if (err) {
		run(d->db, "ROLLBACK");
		d->open = 0;
		return err;
	}
	return ++d->open < COMMIT_ROWS ? 0 : commit(d);
}

static int db_rows(void *state, const struct batch *b)
{
	struct db *d = state;
	int err = 0;

	d->given += b->n;
	for (unsigned int i = 0; i < b->n && !err; i++)
		err = add_row(d, &b->items[i]);
	return err;
}

static int db_flush(void *state)
{
	return commit(state);
}

static int db_close(void *state, char *err)
{
	struct db *d = state;
	int e = commit(d);

	for (unsigned int t = 0; t < TABLE_MAX; t++) {
		sqlite3_finalize(d->insert[t]);
		d->insert[t] = NULL;
	}
	if (!e)
		e = run(d->db, "PRAGMA journal_mode = DELETE");
	if (e)
		err_set(err, -e, "cannot finish the database: %s", sqlite3_errmsg(d->db));
	db_free(d);
	return e;
}

static uint64_t db_lost(void *state)
{
	const struct db *d = state;

	return d->given - d->written;
}

const struct writer writer_db = {
	.name = "db",
	.open = db_open,
	.rows = db_rows,
	.flush = db_flush,
	.close = db_close,
	.lost = db_lost,
};
