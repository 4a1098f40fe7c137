/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * mysql_load - a MariaDB client that sends text and prepared statements, good and bad.
 *
 * usage: mysql_load PORT STATEMENTS LOG
 *
 * Some statements are prepared and run in one go (pipelined: the number of the
 * statement is not known yet when it is run), large answers among them.
 * LOAD_PAUSE_US in the environment: it rests so long after each.
 *
 * A tenth of the answers is over 64 KiB, some over 10 MiB. One line in LOG for
 * each command that has an answer: kind (query, prepare, execute, ping, init),
 * error number (0: none), text; separated by tabs.
 */
#include <mysql.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PREPARED = 4, UNKNOWN_STATEMENT = 1243 };

static const char *const texts[] = {
	"SELECT 1",
	"SELECT id, v FROM t WHERE id = 7",
	"SELECT * FROM missing",
	"INSERT INTO t VALUES (1, 'again')",
	"UPDATE t SET v = 'y' WHERE id = 3",
	"SELEC 1",
	"SELECT nothing FROM t",
	"SELECT COUNT(*) FROM t",
	"SET @a = 1",
	"SHOW TABLES",
	"SELECT @a",
	"REPLACE INTO t VALUES (200, 'r')",
	"DELETE FROM t WHERE id = 200",
	"BEGIN",
	"SELECT id FROM t ORDER BY id LIMIT 40",
	"COMMIT",
};

static const char *const prepared[PREPARED] = {
	"SELECT v FROM t WHERE id = ?",
	"UPDATE t SET v = CONCAT(v, '') WHERE id = ?",
	"INSERT INTO t VALUES (?, 'twice')",
	"SELECT ? + 1",
};

static MYSQL *db;
static FILE *account;
static unsigned long long good, failed;

static void note(const char *kind, unsigned int error, const char *text)
{
	fprintf(account, "%s\t%u\t%s\n", kind, error, text);
	error ? failed++ : good++;
}

static void die(const char *what)
{
	fprintf(stderr, "mysql_load: %s: %s\n", what, mysql_error(db));
	exit(1);
}

/* After each exchange, so that a slow machine is not asked for more than it carries. */
static void rest(void)
{
	const char *us = getenv("LOAD_PAUSE_US");

	if (us)
		usleep((useconds_t)atoi(us));
}

static void query(const char *sql)
{
	MYSQL_RES *r;
	unsigned int error;

	mysql_query(db, sql);
	error = mysql_errno(db);
	do {
		r = error ? NULL : mysql_store_result(db);
		if (r)
			mysql_free_result(r);
	} while (!error && !mysql_next_result(db));
	note("query", mysql_errno(db), sql);
}

static MYSQL_STMT *prepare(const char *sql)
{
	MYSQL_STMT *s = mysql_stmt_init(db);

	mysql_stmt_prepare(s, sql, strlen(sql));
	note("prepare", mysql_stmt_errno(s), sql);
	return s;
}

static void execute(MYSQL_STMT *s, const char *sql, int value)
{
	MYSQL_BIND in = { .buffer_type = MYSQL_TYPE_LONG, .buffer = &value };

	if (mysql_stmt_bind_param(s, &in))
		die("bind");
	mysql_stmt_execute(s);
	note("execute", mysql_stmt_errno(s), sql);
	if (!mysql_stmt_errno(s))
		mysql_stmt_store_result(s);
	mysql_stmt_free_result(s);
}

/* Prepare and Execute are sent before an answer is read: where one fails, so does the other. */
static void direct(const char *sql)
{
	MYSQL_STMT *s = mysql_stmt_init(db);
	bool bad = mariadb_stmt_execute_direct(s, sql, strlen(sql));

	note("prepare", bad ? mysql_stmt_errno(s) : 0, sql);
	note("execute", bad ? UNKNOWN_STATEMENT : 0, sql);
	if (!bad)
		mysql_stmt_store_result(s);
	mysql_stmt_close(s);
}

static void other(uint64_t i)
{
	if (i % 2) {
		int error = mysql_ping(db);

		note("ping", error ? mysql_errno(db) : 0, "");
	} else {
		const char *name = i % 4 ? "test2" : i % 16 ? "test" : "nowhere";

		mysql_select_db(db, name);
		note("init", mysql_errno(db), name);
		if (i % 4 || !(i % 16))
			query("USE test");
	}
}

static void run(uint64_t total, MYSQL_STMT **stmts)
{
	for (uint64_t i = 0; i < total; i++, rest()) {
		if (i % 2500 == 60) {
			query("SELECT REPEAT('y', 11000000)");
		} else if (i % 9 == 0) {
			query("SELECT REPEAT('x', 70000)");
		} else if (i % 50 == 17) {
			MYSQL_STMT *s = prepare(i % 100 == 17 ? "SELECT * FROM nowhere WHERE a = ?"
			                                      : prepared[0]);

			if (!mysql_stmt_errno(s))
				execute(s, prepared[0], (int)(i % 100));
			mysql_stmt_close(s);
		} else if (i % 50 == 23) {
			other(i / 50);
		} else if (i % 50 == 11) {
			direct(i % 100 == 11   ? "SELECT REPEAT('z', 80000)"
			       : i % 150 == 61 ? "SELECT * FROM nowhere"
			                       : "SELECT 7");
		} else if (i % 50 == 31) {
			query("SELECT 1; SELECT 2, 3; UPDATE t SET v = 'm' WHERE id = 9");
		} else if (i % 3) {
			query(texts[i % (sizeof(texts) / sizeof(*texts))]);
		} else {
			int k = (int)(i / 3 % PREPARED);

			execute(stmts[k], prepared[k], (int)(i % 100));
		}
	}
}

int main(int argc, char **argv)
{
	MYSQL_STMT *stmts[PREPARED];

	if (argc != 4)
		return fprintf(stderr, "usage: mysql_load PORT STATEMENTS LOG\n"), 2;
	account = fopen(argv[3], "w");
	if (!account)
		return perror(argv[3]), 1;
	db = mysql_init(NULL);
	if (!mysql_real_connect(db, "127.0.0.1", "root", "", NULL, (unsigned int)atoi(argv[1]),
	                        NULL, CLIENT_MULTI_STATEMENTS))
		die("connect");
	query("CREATE DATABASE IF NOT EXISTS test");
	query("USE test");
	query("CREATE TABLE IF NOT EXISTS t (id INT PRIMARY KEY, v TEXT)");
	query("REPLACE INTO t SELECT seq, 'v' FROM seq_0_to_99");
	query("CREATE DATABASE IF NOT EXISTS test2");
	for (int k = 0; k < PREPARED; k++)
		stmts[k] = prepare(prepared[k]);
	run(strtoull(argv[2], NULL, 10), stmts);
	for (int k = 0; k < PREPARED; k++)
		mysql_stmt_close(stmts[k]);
	mysql_close(db);
	printf("good %llu failed %llu\n", good, failed);
	return fclose(account) ? 1 : 0;
}
