// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * store_bench - what the store costs, side by side with plain SQLite.
 *
 *   store_bench [ROWS]      default 1000000
 *
 * Adds the same made-up spans to a store and to an ordinary table of the same
 * schema in :memory:, then asks both the same questions. Ratios between the two
 * hold from machine to machine; times do not.
 */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/err.h"
#include "store/functions.h"
#include "store/schema.h"
#include "store/store.h"
#include "tests/bench/made.h"

enum { BATCH = 1024, ROUNDS = 3 };

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void fill_span(struct batch *b, struct span *s, uint64_t i, uint64_t *rnd)
{
	uint64_t r = next_random(rnd);
	unsigned int route = r % 200;

	s->start_ns = 1700000000000000000 + (int64_t)i * 10000 - (int64_t)(r % 5000000);
	s->dur_ns = (int64_t)(100000 + r % 1000000 + (r % 97 ? 0 : 100000000));
	memcpy(s->trace_id, &r, 8);
	memcpy(s->trace_id + 8, &i, 8);
	r = next_random(rnd);
	memcpy(s->span_id, &r, 8);
	s->kind = STR("server");
	s->proto = STR("http");
	s->op = STR("GET");
	s->name = text(b, "GET /api/v1/resource%u/{id}", route);
	s->route = text(b, "/api/v1/resource%u/{id}", route);
	s->target = text(b, "/api/v1/resource/%u", (unsigned int)(r % 100000));
	s->status = r % 50 ? STR("200") : STR("500");
	s->code = r % 50 ? 200 : 500;
	s->error = r % 50 == 0;
	s->service = text(b, "service-%u", route % 10);
	s->comm = s->service;
	s->pid = 1000 + route % 10;
	s->tid = s->pid + (int64_t)(r % 8);
	s->local_ip = STR("10.0.0.1");
	s->local_port = 8080;
	s->peer_ip = text(b, "10.0.1.%u", (unsigned int)(r % 250));
	s->peer_port = (int64_t)(r % 30000) + 30000;
	s->req_bytes = 300;
	s->resp_bytes = (int64_t)(r % 20000);
	s->ttfb_ns = s->dur_ns / 2;
	s->process = text(b, "service[%u]", 1000 + route % 10);
	s->conn = text(b, "c%u", (unsigned int)(r % 1000));
	s->attrs = STR("{\"http.request.method\":\"GET\",\"network.protocol.version\":\"1.1\"}");
}

static void fill(struct batch *b, uint64_t *i, uint64_t rows, uint64_t *rnd)
{
	struct span *s;

	arena_reset(&b->arena);
	b->n = 0;
	for (; *i < rows && (s = batch_add(b, TABLE_SPANS)); ++*i)
		fill_span(b, s, *i, rnd);
}

static double add_to_store(struct store *st, struct batch *b, uint64_t rows)
{
	uint64_t i = 0, rnd = 88172645463325252;
	double spent = 0;

	while (i < rows) {
		double start;

		fill(b, &i, rows, &rnd);
		start = now();
		if (store_add(st, b))
			exit(1);
		spent += now() - start;
	}
	return spent;
}

static sqlite3_stmt *make_table(sqlite3 *db, const char *indexes)
{
	struct buf sql = { 0 };
	sqlite3_stmt *st = NULL;

	buf_z(&sql, "PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; CREATE TABLE spans");
	schema_columns(&sql, TABLE_SPANS, false);
	buf_fmt(&sql, ";%s;%c", indexes, 0);
	if (sqlite3_exec(db, sql.p, NULL, NULL, NULL))
		exit(1);
	buf_clear(&sql);
	buf_z(&sql, "INSERT INTO spans VALUES(?");
	for (unsigned int c = 1; c < tables[TABLE_SPANS].ncolumns; c++)
		buf_z(&sql, ",?");
	buf_fmt(&sql, ")%c", 0);
	if (sqlite3_prepare_v2(db, sql.p, -1, &st, NULL))
		exit(1);
	buf_free(&sql);
	return st;
}

static void insert(sqlite3_stmt *st, const void *row)
{
	struct cell cells[64];

	for (unsigned int c = 0; c < tables[TABLE_SPANS].ncolumns; c++) {
		struct cell *cell = &cells[c];

		cell_get(TABLE_SPANS, c, row, cell);
		if (cell->kind == CELL_NULL)
			sqlite3_bind_null(st, (int)c + 1);
		else if (cell->kind == CELL_INT)
			sqlite3_bind_int64(st, (int)c + 1, cell->i);
		else if (cell->kind == CELL_REAL)
			sqlite3_bind_double(st, (int)c + 1, cell->d);
		else
			sqlite3_bind_text(st, (int)c + 1, cell->text.s, (int)cell->text.len,
			                  SQLITE_STATIC);
	}
	sqlite3_step(st);
	sqlite3_reset(st);
}

static double add_to_sqlite(sqlite3 *db, struct batch *b, uint64_t rows, const char *indexes)
{
	sqlite3_stmt *st = make_table(db, indexes);
	uint64_t i = 0, rnd = 88172645463325252;
	double spent = 0;

	while (i < rows) {
		double start;

		fill(b, &i, rows, &rnd);
		start = now();
		sqlite3_exec(db, "BEGIN", NULL, NULL, NULL);
		for (unsigned int k = 0; k < b->n; k++)
			insert(st, b->items[k].row);
		sqlite3_exec(db, "COMMIT", NULL, NULL, NULL);
		spent += now() - start;
	}
	sqlite3_finalize(st);
	return spent;
}

static int count_row(void *ctx, int n, const char *const *texts, const int *lens, const int *types)
{
	(void)n, (void)texts, (void)lens, (void)types;
	++*(unsigned int *)ctx;
	return 0;
}

static double ask_store(struct sqlh *q, const char *sql, unsigned int *rows)
{
	struct sql_sink sink = { .row = count_row, .ctx = rows };
	char err[ERR_TEXT];
	double best = 1e9;

	for (int i = 0; i < ROUNDS; i++) {
		double start = now();

		*rows = 0;
		if (sql_run(q, sql, &sink, err)) {
			printf("  %s: %s\n", sql, err);
			return 0;
		}
		best = now() - start < best ? now() - start : best;
	}
	return best;
}

static double ask_sqlite(sqlite3 *db, const char *sql, unsigned int *rows)
{
	sqlite3_stmt *st;
	double best = 1e9;

	for (int i = 0; i < ROUNDS; i++) {
		double start = now();

		*rows = 0;
		if (sqlite3_prepare_v2(db, sql, -1, &st, NULL))
			return 0;
		while (sqlite3_step(st) == SQLITE_ROW)
			++*rows;
		sqlite3_finalize(st);
		best = now() - start < best ? now() - start : best;
	}
	return best;
}

static const struct {
	const char *what, *sql;
} questions[] = {
	{ "newest 50", "SELECT time, service, name, status, dur_ms FROM spans "
	               "ORDER BY start_ns DESC LIMIT 50" },
	{ "newest 50 with a filter", "SELECT time, service, name, status, dur_ms FROM spans WHERE "
	                             "code >= 500 AND dur_ms > 1 ORDER BY start_ns DESC LIMIT 50" },
	{ "count by a filter", "SELECT count(*) FROM spans WHERE dur_ms > 50" },
	{ "count by a text", "SELECT count(*) FROM spans WHERE status = '500'" },
	{ "last second", "SELECT count(*) FROM spans WHERE start_ns > "
	                 "(SELECT max(start_ns) FROM spans) - 1000000000" },
	{ "one trace", "SELECT * FROM spans WHERE trace_id = "
	               "(SELECT trace_id FROM spans LIMIT 1)" },
	{ "slowest 25", "SELECT name, dur_ms FROM spans ORDER BY dur_ms DESC LIMIT 25" },
	{ "RED by route", "SELECT route, count(*), sum(error), p50(dur_ms), p95(dur_ms), "
	                  "p99(dur_ms) FROM spans GROUP BY route" },
	{ "count by service, proto", "SELECT service, proto, count(*), sum(error) FROM spans "
	                             "GROUP BY 1, 2" },
};

static void compare(struct store *st, sqlite3 *db)
{
	struct sqlh *q = sql_open(
		st, &(struct sql_limits){ .timeout_ms = 60000, .heap_bytes = (size_t)2 << 30 });

	printf("%-26s %10s %10s %8s %8s\n", "query", "obi ms", "sqlite ms", "ratio", "rows");
	for (size_t i = 0; i < sizeof(questions) / sizeof(questions[0]); i++) {
		unsigned int a = 0, b = 0;
		double mine = ask_store(q, questions[i].sql, &a);
		double theirs = ask_sqlite(db, questions[i].sql, &b);

		printf("%-26s %10.2f %10.2f %8.2f %8u%s\n", questions[i].what, mine * 1e3,
		       theirs * 1e3, mine / theirs, a, a == b ? "" : "  DIFFER");
	}
	sql_close(q);
}

int main(int argc, char **argv)
{
	uint64_t rows = argc > 1 ? strtoull(argv[1], NULL, 10) : 1000000;
	struct batch_pool *pool = batch_pool_new(1, BATCH);
	struct batch *b = batch_get(pool, -1);
	struct store *st = store_new((size_t)4 << 30);
	struct vtab_source none = { 0 };
	struct store_stats stats;
	sqlite3 *bare, *indexed;
	double mine, plain, with_indexes;

	mine = add_to_store(st, b, rows);
	store_stats(st, &stats);
	sqlite3_open(":memory:", &bare);
	plain = add_to_sqlite(bare, b, rows, "");
	sqlite3_close(bare);
	sqlite3_open(":memory:", &indexed);
	functions_register(indexed, &none);
	aggregates_register(indexed, &none);
	with_indexes = add_to_sqlite(indexed, b, rows,
	                             "CREATE INDEX a ON spans(start_ns);"
	                             "CREATE INDEX b ON spans(trace_id)");
	printf("insert, rows/s: obi %.0f, sqlite %.0f (%.1fx), with 2 indexes %.0f (%.1fx)\n",
	       (double)rows / mine, (double)rows / plain, plain / mine, (double)rows / with_indexes,
	       with_indexes / mine);
	printf("memory, bytes/row: obi %.0f, sqlite %.0f\n", (double)stats.bytes / (double)rows,
	       (double)sqlite3_memory_used() / (double)rows);
	compare(st, indexed);
	sqlite3_close(indexed);
	store_free(st);
	batch_put(b);
	batch_pool_free(pool);
	return 0;
}
