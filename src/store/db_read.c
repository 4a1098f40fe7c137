// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * db_read - rows out of a SQLite file that anybody may have made.
 *
 * Nothing of the file's schema is run: only real tables of our names are read
 * (no views, no virtual tables), and of them only stored columns of our names
 * (no generated ones). The file is opened read-only and defensively, with
 * triggers and views off, and the authorizer refuses every function. Rows are
 * fetched in the order of their rowids, so that one that cannot be read is
 * passed over, counted and said, and the rest stays good.
 */
#include "store/db_read.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "store/schema.h"

enum { COLUMNS_MAX = 96, CELL_MAX = 16 << 20, BATCH_BYTES = 32 << 20 };

struct db_read {
	sqlite3 *db;
	void *map; /* of a file that has no name */
	size_t map_bytes;
	char *path;
	unsigned int table; /* being read; TABLE_MAX: the end */
	sqlite3_stmt *st;   /* its rows from `last` on */
	sqlite3_int64 last; /* rowid read last */
	bool any;           /* `last` holds */
	unsigned int ncolumns;
	struct schema_column columns[COLUMNS_MAX]; /* what st yields, behind the rowid */
	char sql[4096];
	uint64_t bad;  /* rows of this table that could not be read */
	uint64_t rows; /* of all tables */
};

static int authorize(void *ctx, int action, const char *a, const char *b, const char *db,
                     const char *trigger)
{
	(void)ctx, (void)a, (void)b, (void)db;
	if (trigger)
		return SQLITE_DENY;
	return action == SQLITE_SELECT || action == SQLITE_READ ? SQLITE_OK : SQLITE_DENY;
}

static void defend(sqlite3 *db)
{
	sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, (int *)NULL);
	sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, (int *)NULL);
	sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, (int *)NULL);
	sqlite3_db_config(db, SQLITE_DBCONFIG_ENABLE_VIEW, 0, (int *)NULL);
	sqlite3_limit(db, SQLITE_LIMIT_LENGTH, CELL_MAX);
	sqlite3_limit(db, SQLITE_LIMIT_ATTACHED, 0);
	sqlite3_busy_timeout(db, 2000);
	sqlite3_exec(db,
	             "PRAGMA cell_size_check = ON; PRAGMA query_only = ON; "
	             "PRAGMA temp_store = MEMORY",
	             NULL, NULL, NULL);
}

static int errno_of(int rc)
{
	rc &= 0xff;
	return rc == SQLITE_NOMEM ? ENOMEM : rc == SQLITE_CANTOPEN ? EACCES : EINVAL;
}

/*
 * A file without a name (unpacked or from a pipe) is shown to SQLite as memory.
 * The mapping is private, so that a file in WAL mode, which needs companions
 * that do not exist, can be told to be an ordinary one.
 */
static int open_mapped(struct db_read *r, const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	uint8_t *p = MAP_FAILED;

	if (fd < 0)
		return SQLITE_CANTOPEN;
	if (!fstat(fd, &st) && st.st_size >= 512)
		p = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
	close(fd);
	if (p == MAP_FAILED)
		return SQLITE_NOTADB;
	r->map = p;
	r->map_bytes = (size_t)st.st_size;
	p[18] = p[19] = 1;
	if (sqlite3_open_v2(":memory:", &r->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL))
		return SQLITE_NOMEM;
	return sqlite3_deserialize(r->db, "main", p, st.st_size, st.st_size,
	                           SQLITE_DESERIALIZE_READONLY);
}

static int open_named(struct db_read *r, const char *path)
{
	char name[4096];

	/* SQLite gives names that begin with a colon a meaning of their own. */
	snprintf(name, sizeof(name), "%s%s", *path == ':' ? "./" : "", path);
	return sqlite3_open_v2(name, &r->db, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL);
}

static int open_file(struct db_read *r, const char *path, char *err)
{
	bool named = strncmp(path, "/proc/self/fd/", 14) != 0;
	int rc = named ? open_named(r, path) : open_mapped(r, path);

	if (!rc) {
		defend(r->db);
		rc = sqlite3_exec(r->db, "SELECT count(*) FROM sqlite_schema", NULL, NULL, NULL);
	}
	if (rc)
		return err_set(err, errno_of(rc), "cannot read %s: %s", path,
		               r->db ? sqlite3_errmsg(r->db) : sqlite3_errstr(rc));
	return 0;
}

/* ---- which tables and columns ---- */

static bool real_table(struct db_read *r, enum table t)
{
	sqlite3_stmt *st = NULL;
	bool found = false, real = false;

	sqlite3_prepare_v2(r->db,
	                   "SELECT type = 'table' AND rootpage > 0 FROM sqlite_schema "
	                   "WHERE name = ? COLLATE NOCASE",
	                   -1, &st, NULL);
	sqlite3_bind_text(st, 1, tables[t].name, -1, SQLITE_STATIC);
	if (sqlite3_step(st) == SQLITE_ROW) {
		found = true;
		real = sqlite3_column_int(st, 0);
	}
	sqlite3_finalize(st);
	if (found && !real)
		warn(LEVEL_WARN, "%s: %s is no table but something that runs SQL: left out",
		     r->path, tables[t].name);
	return real;
}

static bool is_rowid(const char *name)
{
	return !sqlite3_stricmp(name, "rowid") || !sqlite3_stricmp(name, "_rowid_") ||
	       !sqlite3_stricmp(name, "oid");
}

/* Those of our columns that the table stores, into ->columns. */
static int find_columns(struct db_read *r, enum table t)
{
	sqlite3_stmt *st = NULL;
	struct schema_column c;
	char sql[128];
	int err = 0;

	r->ncolumns = 0;
	snprintf(sql, sizeof(sql), "PRAGMA table_xinfo(%s)", tables[t].name);
	if (sqlite3_prepare_v2(r->db, sql, -1, &st, NULL))
		return -EINVAL;
	while (sqlite3_step(st) == SQLITE_ROW) {
		const char *name = (const char *)sqlite3_column_text(st, 1);
		bool stored = !sqlite3_column_int(st, 6);

		if (!name || is_rowid(name))
			err = -EINVAL; /* would stand for the true rowid */
		for (unsigned int i = 0; stored && name && schema_column(t, true, i, &c); i++)
			if (!sqlite3_stricmp(name, c.name) && r->ncolumns < COLUMNS_MAX)
				r->columns[r->ncolumns++] = c;
	}
	sqlite3_finalize(st);
	return err ? err : r->ncolumns ? 0 : -EINVAL;
}

static void make_query(struct db_read *r, enum table t)
{
	struct buf b = { 0 };

	buf_z(&b, "SELECT _rowid_");
	for (unsigned int i = 0; i < r->ncolumns; i++)
		buf_fmt(&b, ", \"%s\"", r->columns[i].name);
	buf_fmt(&b, " FROM main.\"%s\" WHERE _rowid_ > ? ORDER BY _rowid_", tables[t].name);
	snprintf(r->sql, sizeof(r->sql), "%.*s", (int)b.len, b.p ? b.p : "");
	buf_free(&b);
}

/* Rows behind `last`. */
static int start_rows(struct db_read *r)
{
	int rc;

	sqlite3_finalize(r->st);
	r->st = NULL;
	rc = sqlite3_prepare_v2(r->db, r->sql, -1, &r->st, NULL);
	if (rc)
		return rc;
	return sqlite3_bind_int64(r->st, 1, r->any ? r->last : INT64_MIN);
}

static bool start_table(struct db_read *r)
{
	enum table t = (enum table)r->table;
	bool ok;

	r->any = false;
	r->bad = 0;
	sqlite3_set_authorizer(r->db, NULL, NULL);
	ok = real_table(r, t);
	if (ok && find_columns(r, t)) {
		warn(LEVEL_WARN, "%s: table %s has other columns than obi writes: left out",
		     r->path, tables[t].name);
		ok = false;
	}
	sqlite3_set_authorizer(r->db, authorize, NULL);
	if (!ok)
		return false;
	make_query(r, t);
	if (!start_rows(r))
		return true;
	warn(LEVEL_WARN, "%s: table %s cannot be read: %s", r->path, tables[t].name,
	     sqlite3_errmsg(r->db));
	return false;
}

static void end_table(struct db_read *r)
{
	sqlite3_finalize(r->st);
	r->st = NULL;
	if (r->bad)
		warn(LEVEL_WARN, "%s: %llu rows of %s could not be read and are left out", r->path,
		     (unsigned long long)r->bad, tables[r->table].name);
	r->table++;
}

/* ---- cells ---- */

static int64_t integer(sqlite3_stmt *st, int i)
{
	return sqlite3_column_type(st, i) == SQLITE_INTEGER ? sqlite3_column_int64(st, i)
	                                                    : COL_NULL;
}

static int64_t from_ms(sqlite3_stmt *st, int i)
{
	int type = sqlite3_column_type(st, i);
	double ns = sqlite3_column_double(st, i) * 1e6;

	if ((type != SQLITE_FLOAT && type != SQLITE_INTEGER) || !(ns > -9.2e18 && ns < 9.2e18))
		return COL_NULL;
	return (int64_t)(ns < 0 ? ns - 0.5 : ns + 0.5);
}

static struct str text(sqlite3_stmt *st, int i, struct batch *b)
{
	int type = sqlite3_column_type(st, i);
	const char *p;

	if (type == SQLITE_NULL)
		return STR_NULL;
	p = type == SQLITE_BLOB ? sqlite3_column_blob(st, i)
	                        : (const char *)sqlite3_column_text(st, i);
	return batch_text(b, (struct str){ p ? p : "", (size_t)sqlite3_column_bytes(st, i) });
}

static int hex_digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static void id(sqlite3_stmt *st, int i, uint8_t *out, int len)
{
	const char *p = (const char *)sqlite3_column_text(st, i);

	if (!p || sqlite3_column_bytes(st, i) != 2 * len)
		return;
	for (int k = 0; k < len; k++) {
		int hi = hex_digit(p[2 * k]), lo = hex_digit(p[2 * k + 1]);

		if (hi < 0 || lo < 0) {
			memset(out, 0, (size_t)len);
			return;
		}
		out[k] = (uint8_t)(hi << 4 | lo);
	}
}

static uint32_t flags(sqlite3_stmt *st, int i)
{
	const char *p = (const char *)sqlite3_column_text(st, i), *name;
	uint32_t out = 0;

	while (p && *p) {
		size_t n = strcspn(p, ",");

		for (unsigned int bit = 0; (name = span_flag_name(bit)); bit++)
			if (strlen(name) == n && !memcmp(name, p, n))
				out |= 1u << bit;
		p += n + (p[n] == ',');
	}
	return out;
}

static void set_field(const struct schema_column *c, sqlite3_stmt *st, int i, void *row,
                      struct batch *b)
{
	void *field = (char *)row + c->column->offset;
	int64_t v;

	switch (c->column->type) {
	case COL_T:
	case COL_J:
		*(struct str *)field = text(st, i, b);
		break;
	case COL_MS:
	case COL_V:
		v = c->ns || c->column->type == COL_V ? integer(st, i) : from_ms(st, i);
		if (v != COL_NULL)
			*(int64_t *)field = v; /* ns come after ms, and are exact */
		break;
	case COL_B:
		v = integer(st, i);
		*(int64_t *)field = v == 0 || v == 1 ? v : COL_NULL;
		break;
	case COL_I:
		*(int64_t *)field = integer(st, i);
		break;
	case COL_X16:
		id(st, i, field, 16);
		break;
	case COL_X8:
		id(st, i, field, 8);
		break;
	case COL_F:
		*(uint32_t *)field = flags(st, i);
		break;
	case COL_AT:
		break; /* derived */
	}
}

/* ---- rows ---- */

/* Behind a row that cannot be read; false: nothing more of this table can be. */
static bool pass_over(struct db_read *r)
{
	sqlite3_stmt *st = NULL;
	char sql[160];
	bool ok;

	snprintf(sql, sizeof(sql),
	         "SELECT _rowid_ FROM main.\"%s\" WHERE _rowid_ > ? "
	         "ORDER BY _rowid_ LIMIT 1",
	         tables[r->table].name);
	ok = !sqlite3_prepare_v2(r->db, sql, -1, &st, NULL) &&
	     !sqlite3_bind_int64(st, 1, r->any ? r->last : INT64_MIN) &&
	     sqlite3_step(st) == SQLITE_ROW;
	if (ok) {
		r->last = sqlite3_column_int64(st, 0);
		r->any = true;
		r->bad++;
	}
	sqlite3_finalize(st);
	return ok && !start_rows(r);
}

static int row_failed(struct db_read *r, int rc)
{
	char why[ERR_TEXT];

	if (rc == SQLITE_NOMEM)
		return -ENOMEM;
	snprintf(why, sizeof(why), "%s", sqlite3_errmsg(r->db));
	if (rc != SQLITE_CORRUPT && pass_over(r))
		return 0;
	warn(LEVEL_WARN, "%s: the rest of table %s cannot be read: %s", r->path,
	     tables[r->table].name, why);
	end_table(r);
	return 0;
}

static bool take_row(struct db_read *r, struct batch *b)
{
	sqlite3_int64 rowid = sqlite3_column_int64(r->st, 0);
	void *row;

	if (r->any && rowid <= r->last) { /* a damaged file may lead in circles */
		row_failed(r, SQLITE_CORRUPT);
		return true;
	}
	row = batch_add(b, (enum table)r->table);
	if (!row)
		return false;
	for (unsigned int i = 0; i < r->ncolumns; i++)
		set_field(&r->columns[i], r->st, (int)i + 1, row, b);
	r->last = rowid;
	r->any = true;
	r->rows++;
	return true;
}

int db_read_next(struct db_read *r, struct batch *b)
{
	unsigned int before = b->n;
	int rc, err = 0;

	while (!err && r->table < TABLE_MAX && b->n < b->cap && b->arena.used < BATCH_BYTES) {
		if (!r->st && !start_table(r)) {
			end_table(r);
			continue;
		}
		rc = sqlite3_step(r->st);
		if (rc == SQLITE_DONE)
			end_table(r);
		else if (rc != SQLITE_ROW)
			err = row_failed(r, rc & 0xff);
		else if (!take_row(r, b))
			err = -ENOMEM;
	}
	return b->n > before ? (int)(b->n - before) : err;
}

struct db_read *db_read_open(const char *path, char *err)
{
	struct db_read *r = calloc(1, sizeof(*r));
	int e;

	if (r)
		r->path = strdup(path);
	e = r && r->path ? open_file(r, path, err) : err_set(err, ENOMEM, "out of memory");
	if (!e)
		return r;
	db_read_close(r);
	errno = -e;
	return NULL;
}

void db_read_close(struct db_read *r)
{
	if (!r)
		return;
	sqlite3_finalize(r->st);
	sqlite3_close(r->db);
	if (r->map)
		munmap(r->map, r->map_bytes);
	free(r->path);
	free(r);
}
