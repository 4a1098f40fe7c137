// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * query - SQL over the store for one reader.
 *
 * What SQL may do is decided by the authorizer: SELECT over our tables and
 * functions, and the pragmas that describe them. Time is watched by the
 * progress handler. So is memory: SQLite counts it for the whole process only,
 * so a statement is stopped when the process' SQLite memory has grown by more
 * than this handle's limit since it began; two handles that sort at the same
 * time may each be charged for both.
 */
#include "store/query.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "base/err.h"
#include "store/functions.h"
#include "store/hint.h"
#include "store/store.h"

enum { TIMEOUT_MS = 5000, HEAP_BYTES = 64 << 20, OPS_BETWEEN_CHECKS = 1000 };

struct param {
	struct param *next;
	char *name, *value;
};

struct sqlh {
	sqlite3 *db;
	struct vtab_source src;
	struct sql_limits limits;
	struct param *params;
	const char *denied; /* what the authorizer refused */
	bool cancel;        /* atomic */
	int why;            /* of an interruption: ECANCELED, ETIME, ENOMEM */
	int64_t deadline_ns, memory;
};

static bool harmless_pragma(const char *name)
{
	static const char *const ok[] = { "table_info",    "table_xinfo",   "table_list",
		                          "function_list", "database_list", "compile_options" };

	for (size_t i = 0; i < sizeof(ok) / sizeof(ok[0]); i++)
		if (name && !sqlite3_stricmp(name, ok[i]))
			return true;
	return false;
}

static int authorize(void *ctx, int action, const char *a, const char *b, const char *db,
                     const char *trigger)
{
	const char **denied = ctx;

	(void)db, (void)trigger;
	switch (action) {
	case SQLITE_SELECT:
	case SQLITE_READ:
	case SQLITE_RECURSIVE:
		return SQLITE_OK;
	case SQLITE_FUNCTION:
		if (b && sqlite3_stricmp(b, "load_extension"))
			return SQLITE_OK;
		*denied = "load_extension()";
		return SQLITE_DENY;
	case SQLITE_PRAGMA:
		if (harmless_pragma(a))
			return SQLITE_OK;
		*denied = "this PRAGMA";
		return SQLITE_DENY;
	case SQLITE_ATTACH:
	case SQLITE_DETACH:
		*denied = "ATTACH";
		return SQLITE_DENY;
	}
	*denied = "writing";
	return SQLITE_DENY;
}

static void limit(sqlite3 *db)
{
	sqlite3_limit(db, SQLITE_LIMIT_LENGTH, 16 << 20);
	sqlite3_limit(db, SQLITE_LIMIT_SQL_LENGTH, 1 << 20);
	sqlite3_limit(db, SQLITE_LIMIT_EXPR_DEPTH, 200);
	sqlite3_limit(db, SQLITE_LIMIT_COMPOUND_SELECT, 50);
	sqlite3_limit(db, SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 256);
	sqlite3_limit(db, SQLITE_LIMIT_ATTACHED, 0);
	sqlite3_limit(db, SQLITE_LIMIT_WORKER_THREADS, 0);
	/* "name" is a name and never a text: a mistyped column must not go unnoticed. */
	sqlite3_db_config(db, SQLITE_DBCONFIG_DQS_DML, 0, (int *)NULL);
	sqlite3_db_config(db, SQLITE_DBCONFIG_DQS_DDL, 0, (int *)NULL);
	sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, (int *)NULL);
	sqlite3_db_config(db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, (int *)NULL);
}

/*
 * Table-valued functions that the authorizer would not let SQLite set up later,
 * because that is done by a CREATE TABLE behind the scenes.
 */
static const char warm_up[] = "SELECT 1 FROM pragma_table_info('spans') LIMIT 0;"
			      "SELECT 1 FROM pragma_table_xinfo('spans') LIMIT 0;"
			      "SELECT 1 FROM pragma_table_list LIMIT 0;"
			      "SELECT 1 FROM pragma_function_list LIMIT 0;"
			      "SELECT 1 FROM json_each('[]'), json_tree('[]') LIMIT 0;"
			      "PRAGMA temp_store = MEMORY; PRAGMA query_only = ON";

sqlite3 *query_open(struct vtab_source *src, const char **denied)
{
	sqlite3 *db = NULL;
	int rc = sqlite3_open_v2(":memory:", &db,
	                         SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
	                         NULL);

	rc = rc ? rc : vtab_create(db, src);
	rc = rc ? rc : functions_register(db, src);
	rc = rc ? rc : aggregates_register(db, src);
	rc = rc ? rc : sqlite3_exec(db, warm_up, NULL, NULL, NULL);
	if (rc) {
		sqlite3_close_v2(db);
		errno = rc == SQLITE_NOMEM ? ENOMEM : EINVAL;
		return NULL;
	}
	limit(db);
	sqlite3_set_authorizer(db, authorize, denied);
	return db;
}

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

/* True: the statement must end. */
static bool must_stop(void *ctx)
{
	struct sqlh *q = ctx;

	if (__atomic_load_n(&q->cancel, __ATOMIC_RELAXED))
		q->why = ECANCELED;
	else if (now_ns() > q->deadline_ns)
		q->why = ETIME;
	else if (sqlite3_memory_used() - q->memory > (int64_t)q->limits.heap_bytes)
		q->why = ENOMEM;
	return q->why;
}

static int progress(void *ctx)
{
	return must_stop(ctx);
}

struct sqlh *sql_open(struct store *s, const struct sql_limits *limits)
{
	struct sqlh *q = calloc(1, sizeof(*q));

	if (!q)
		return NULL;
	q->limits = limits ? *limits : (struct sql_limits){ 0 };
	q->limits.timeout_ms = q->limits.timeout_ms ? q->limits.timeout_ms : TIMEOUT_MS;
	q->limits.heap_bytes = q->limits.heap_bytes ? q->limits.heap_bytes : HEAP_BYTES;
	q->src.store = s;
	q->src.stop = must_stop;
	q->src.ctx = q;
	q->db = query_open(&q->src, &q->denied);
	if (!q->db) {
		free(q);
		return NULL;
	}
	sqlite3_progress_handler(q->db, OPS_BETWEEN_CHECKS, progress, q);
	return q;
}

static void drop_params(struct sqlh *q)
{
	struct param *next;

	for (struct param *p = q->params; p; p = next) {
		next = p->next;
		free(p->name);
		free(p->value);
		free(p);
	}
	q->params = NULL;
}

void sql_close(struct sqlh *q)
{
	if (!q)
		return;
	drop_params(q);
	sqlite3_close(q->db);
	vtab_unpin(&q->src);
	free(q);
}

void sql_cancel(struct sqlh *q)
{
	__atomic_store_n(&q->cancel, true, __ATOMIC_RELAXED);
}

int sql_param(struct sqlh *q, const char *name, const char *value)
{
	struct param *p = calloc(1, sizeof(*p));

	if (!p)
		return -ENOMEM;
	p->name = strdup(name);
	p->value = value ? strdup(value) : NULL;
	p->next = q->params;
	q->params = p;
	return p->name && (p->value || !value) ? 0 : -ENOMEM;
}

/* The newest value of a parameter counts. */
static int bind(struct sqlh *q, sqlite3_stmt *st, char *err)
{
	for (int i = 1; i <= sqlite3_bind_parameter_count(st); i++) {
		const char *name = sqlite3_bind_parameter_name(st, i);
		const struct param *p = q->params;

		while (p && (!name || strcmp(p->name, name + 1)))
			p = p->next;
		if (!p)
			return err_set(err, EINVAL, "parameter %s has no value", name ? name : "?");
		if (p->value && sqlite3_bind_text(st, i, p->value, -1, SQLITE_STATIC))
			return err_set(err, ENOMEM, "out of memory");
	}
	return 0;
}

static int stopped(const struct sqlh *q, char *err)
{
	switch (q->why) {
	case ETIME:
		return err_set(err, ETIME,
		               "stopped after %d ms; ask for less, e.g. by start_ns or LIMIT",
		               q->limits.timeout_ms);
	case ENOMEM:
		return err_set(err, ENOMEM, "stopped: it needs more than %zu MiB of memory",
		               q->limits.heap_bytes >> 20);
	default:
		return err_set(err, ECANCELED, "canceled");
	}
}

static int failed(struct sqlh *q, int rc, const char *sql, char *err)
{
	switch (rc & 0xff) {
	case SQLITE_INTERRUPT:
		return stopped(q, err);
	case SQLITE_NOMEM:
		return err_set(err, ENOMEM, "out of memory");
	case SQLITE_TOOBIG:
		return err_set(err, ENOMEM, "a text or blob of the result is too long");
	}
	if (q->denied)
		return err_set(err, EPERM, "%s is not allowed here: only reading is", q->denied);
	if (strstr(sqlite3_errmsg(q->db), "may not be modified"))
		return err_set(err, EPERM, "writing is not allowed here: only reading is");
	hint_message(sqlite3_errmsg(q->db), sql, TABLE_MAX, err);
	return -EINVAL;
}

struct columns {
	int n;
	const char **texts;
	int *lens, *types;
};

static int columns_init(struct columns *c, sqlite3_stmt *st)
{
	*c = (struct columns){ .n = sqlite3_column_count(st) };
	c->texts = calloc((size_t)c->n + 1, sizeof(*c->texts));
	c->lens = calloc((size_t)c->n + 1, sizeof(*c->lens));
	c->types = calloc((size_t)c->n + 1, sizeof(*c->types));
	return c->texts && c->lens && c->types ? 0 : -ENOMEM;
}

static void columns_free(struct columns *c)
{
	free(c->texts);
	free(c->lens);
	free(c->types);
}

static int give_head(const struct sql_sink *sink, struct columns *c, sqlite3_stmt *st)
{
	for (int i = 0; i < c->n; i++)
		c->texts[i] = sqlite3_column_name(st, i);
	return sink->head ? sink->head(sink->ctx, c->n, c->texts) : 0;
}

static int give_row(const struct sql_sink *sink, struct columns *c, sqlite3_stmt *st)
{
	for (int i = 0; i < c->n; i++) {
		c->types[i] = sqlite3_column_type(st, i);
		c->texts[i] = c->types[i] == SQLITE_BLOB ? sqlite3_column_blob(st, i)
		                                         : (const char *)sqlite3_column_text(st, i);
		c->lens[i] = sqlite3_column_bytes(st, i);
		if (!c->texts[i] && c->types[i] != SQLITE_NULL)
			c->texts[i] = "";
	}
	return sink->row ? sink->row(sink->ctx, c->n, c->texts, c->lens, c->types) : 0;
}

static int step_all(struct sqlh *q, sqlite3_stmt *st, const char *sql, const struct sql_sink *sink,
                    char *err)
{
	struct columns c;
	int rc, e = columns_init(&c, st);
	bool head = false;

	if (e)
		err_set(err, ENOMEM, "out of memory");
	while (!e) {
		rc = sqlite3_step(st);
		if (rc != SQLITE_ROW && rc != SQLITE_DONE) {
			e = failed(q, rc, sql, err);
			break;
		}
		if (!head && c.n && give_head(sink, &c, st))
			e = err_set(err, ECANCELED, "canceled");
		head = true;
		if (e || rc == SQLITE_DONE)
			break;
		if (give_row(sink, &c, st))
			e = err_set(err, ECANCELED, "canceled");
	}
	columns_free(&c);
	return e;
}

/* One statement at *sql, which moves behind it. */
static int run_one(struct sqlh *q, const char **sql, const struct sql_sink *sink, char *err)
{
	sqlite3_stmt *st = NULL;
	const char *start = *sql;
	int rc, e;

	q->why = 0;
	q->denied = NULL;
	q->deadline_ns = now_ns() + q->limits.timeout_ms * 1000000LL;
	q->memory = sqlite3_memory_used();
	rc = sqlite3_prepare_v2(q->db, start, -1, &st, sql);
	if (rc)
		return failed(q, rc, start, err);
	if (!st)
		return 0; /* a comment */
	e = bind(q, st, err);
	if (!e)
		e = step_all(q, st, start, sink, err);
	sqlite3_finalize(st);
	vtab_unpin(&q->src);
	return e;
}

int sql_run(struct sqlh *q, const char *sql, const struct sql_sink *sink, char *err)
{
	int e;

	__atomic_store_n(&q->cancel, false, __ATOMIC_RELAXED);
	q->src.rows_read = 0;
	e = hint_check(sql, TABLE_MAX, err);
	while (!e && *sql)
		e = run_one(q, &sql, sink, err);
	drop_params(q);
	return e;
}

uint64_t sql_rows_read(const struct sqlh *q)
{
	return q->src.rows_read;
}

bool sql_complete(const char *sql)
{
	return sqlite3_complete(sql);
}
