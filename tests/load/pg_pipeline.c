/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * pg_pipeline - a pipelining PostgreSQL client on libpq, with errors in the middle.
 *
 * usage: pg_pipeline PORT STATEMENTS LOG
 *
 * Sends batches of 1 to 12 statements before it reads an answer: parameterised,
 * prepared, failing. A tenth of the answers is over 64 KiB, some over 10 MiB,
 * anywhere in a batch.
 * LOAD_PAUSE_US in the environment: it rests so long after each batch.
 * One line in LOG for each statement: its SQLSTATE ("00000", or "skipped" where
 * the server discarded it after an error before it), a tab, its text.
 */
#include <libpq-fe.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BATCH = 12, PREPARED = 5 };

static const char *const prepared[PREPARED] = {
	"SELECT $1::int + 1",
	"SELECT id, v FROM pipe WHERE id = $1",
	"UPDATE pipe SET v = v || 'x' WHERE id = $1",
	"SELECT 10 / $1::int",
	"SELECT count(*) FROM pipe WHERE id < $1",
};

static const char *const direct[] = {
	"SELECT $1::int",
	"SELECT * FROM missing WHERE id = $1",
	"INSERT INTO pipe VALUES ($1::int % 50, 'again')",
	"SELECT 1 / ($1::int % 2)",
	"SELECT $1::int AS a, 'text' AS b",
	"SELEC $1",
	"UPDATE pipe SET v = 'y' WHERE id = $1::int % 50",
	"SELECT id FROM pipe WHERE id = $1::int % 50",
};

static PGconn *db;
static FILE *account;
static unsigned long long counts[3]; /* good, failed, skipped */

static void die(const char *what)
{
	fprintf(stderr, "pg_pipeline: %s: %s\n", what, PQerrorMessage(db));
	exit(1);
}

/* After each exchange, so that a slow machine is not asked for more than it carries. */
static void rest(void)
{
	const char *us = getenv("LOAD_PAUSE_US");

	if (us)
		usleep((useconds_t)atoi(us));
}

static void must(const char *sql)
{
	PGresult *r = PQexec(db, sql);

	if (PQresultStatus(r) != PGRES_COMMAND_OK)
		die(sql);
	fprintf(account, "00000\t%s\n", sql);
	PQclear(r);
}

/* 0: small; else which of the large answers. */
static int large(uint64_t i)
{
	return i % 2500 == 50 ? 2 : i % 9 == 0 && i % 3 != 1;
}

static const char *send_one(uint64_t i)
{
	char number[24];
	const char *values[1] = { number }, *sql;
	int k, ok;

	snprintf(number, sizeof(number), "%llu", (unsigned long long)(i % 97));
	if (i % 3 == 1) {
		k = (int)(i / 3 % PREPARED);
		snprintf(number, sizeof(number), "%d", i % 41 == 1 ? 0 : (int)(1 + i % 49));
		char name[8];

		snprintf(name, sizeof(name), "p%d", k);
		sql = prepared[k];
		ok = PQsendQueryPrepared(db, name, 1, values, NULL, NULL, 0);
	} else {
		sql = direct[i % 4 == 0 ? i / 4 % (sizeof(direct) / sizeof(*direct))
		             : i % 2    ? 0
		                        : 4];
		if (large(i) == 1)
			sql = "SELECT repeat('x', 70000 + $1::int)";
		if (large(i) == 2)
			sql = "SELECT repeat('y', 11000000 + $1::int)";
		ok = PQsendQueryParams(db, sql, 1, NULL, values, NULL, NULL, 0);
	}
	if (!ok)
		die("send");
	return sql;
}

static void take(const char *sql)
{
	PGresult *r = PQgetResult(db);
	ExecStatusType s = PQresultStatus(r);
	const char *state = PQresultErrorField(r, PG_DIAG_SQLSTATE);

	if (s == PGRES_PIPELINE_ABORTED)
		state = "skipped", counts[2]++;
	else if (s == PGRES_TUPLES_OK || s == PGRES_COMMAND_OK)
		state = "00000", counts[0]++;
	else
		counts[1]++;
	fprintf(account, "%s\t%s\n", state ? state : "?", sql);
	PQclear(r);
	if (PQgetResult(db))
		die("more results than statements");
}

static void batch(uint64_t i, unsigned int n)
{
	const char *sent[BATCH];
	PGresult *r;

	for (unsigned int k = 0; k < n; k++)
		sent[k] = send_one(i + k);
	if (!PQpipelineSync(db))
		die("sync");
	for (unsigned int k = 0; k < n; k++)
		take(sent[k]);
	r = PQgetResult(db);
	if (PQresultStatus(r) != PGRES_PIPELINE_SYNC)
		die("no end of the pipeline");
	PQclear(r);
}

static void prepare(void)
{
	for (int k = 0; k < PREPARED; k++) {
		char name[8];
		PGresult *r;

		snprintf(name, sizeof(name), "p%d", k);
		r = PQprepare(db, name, prepared[k], 0, NULL);
		if (PQresultStatus(r) != PGRES_COMMAND_OK)
			die("prepare");
		PQclear(r);
	}
}

int main(int argc, char **argv)
{
	char info[100];
	uint64_t total, i;

	if (argc != 4)
		return fprintf(stderr, "usage: pg_pipeline PORT STATEMENTS LOG\n"), 2;
	total = strtoull(argv[2], NULL, 10);
	account = fopen(argv[3], "w");
	if (!account)
		return perror(argv[3]), 1;
	snprintf(info, sizeof(info), "host=127.0.0.1 port=%s user=postgres dbname=postgres",
	         argv[1]);
	db = PQconnectdb(info);
	if (PQstatus(db) != CONNECTION_OK)
		die("connect");
	must("CREATE TABLE IF NOT EXISTS pipe (id int PRIMARY KEY, v text)");
	must("INSERT INTO pipe SELECT g, 'v' FROM generate_series(0, 49) g ON CONFLICT DO NOTHING");
	prepare();
	if (!PQenterPipelineMode(db))
		die("pipeline mode");
	for (i = 0; i < total;) {
		unsigned int n = 1 + (unsigned int)(i * 2654435761u >> 7) % BATCH;

		if (n > total - i)
			n = (unsigned int)(total - i);
		batch(i, n);
		i += n;
		rest();
	}
	printf("good %llu failed %llu skipped %llu\n", counts[0], counts[1], counts[2]);
	PQfinish(db);
	return fclose(account) ? 1 : 0;
}
