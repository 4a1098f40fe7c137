// SPDX-License-Identifier: GPL-3.0-or-later
/* sql_test - statements without literals, summaries, verbs, trace context. */
#include "proto/sql.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#define PG SQL_POSTGRESQL
#define MY SQL_MYSQL
#define CH SQL_CLICKHOUSE
#define MS SQL_MSSQL

/* clang-format off */
static const struct {
	enum sql_dialect dialect;
	const char *in, *want;
} normalised[] = {
	{ PG, "SELECT 1", "SELECT ?" },
	{ PG, "select * from t where a = 'it''s' and b=2.5e-3", "select * from t where a = ? and b=?" },
	{ PG, "  SELECT\n\t1 ;\n", "SELECT ? ;" },
	{ PG, "SELECT a1, b_2, c$3 FROM t4", "SELECT a1, b_2, c$3 FROM t4" },
	{ PG, "SELECT $1, $23::int, ?", "SELECT $1, $23::int, ?" },
	{ PG, "SELECT E'a\\'b', 'a\\', x'ff', B'01', N'x', U&'\\0061'", "SELECT ?, ?, ?, ?, ?, U&?" },
	{ PG, "SELECT $$a 'b'$$, $t$ $$ $x$ $t$, 1", "SELECT ?, ?, ?" },
	{ PG, "SELECT '5'::int, DATE '2020-01-01', INTERVAL '1 day'", "SELECT ?::int, DATE ?, INTERVAL ?" },
	{ PG, "SELECT \"Order Id\", \"a\"\"b\" FROM \"T\"", "SELECT \"Order Id\", \"a\"\"b\" FROM \"T\"" },
	{ PG, "SELECT 1 -- c 'x\n, 2 /* a /* b */ 'c' */ , 3", "SELECT ? , ? , ?" },
	{ PG, "SELECT a/**/b", "SELECT a b" },
	{ PG, "WHERE a IN (1, 2, 'x') AND b IN ($1,$2) AND c in (?)", "WHERE a IN (?) AND b IN (?) AND c in (?)" },
	{ PG, "a IN (-1, +2, '3'::text, NULL) OR (a,b) IN ((1,2),(3,4))", "a IN (?) OR (a,b) IN (?)" },
	{ PG, "a IN (SELECT 1)", "a IN (SELECT ?)" },
	{ PG, "a IN (1, b)", "a IN (?, b)" },
	{ PG, "INSERT INTO t VALUES (1,'a'), (2,'b'),(3, DEFAULT)", "INSERT INTO t VALUES (?)" },
	{ PG, "INSERT INTO t VALUES (1, now()), (2, 3)", "INSERT INTO t VALUES (?, now()), (?, ?)" },
	{ PG, "INSERT INTO t VALUES (1, 2) RETURNING id", "INSERT INTO t VALUES (?) RETURNING id" },
	{ PG, "a = ANY (ARRAY[1,2,3]) AND b[4] AND c[1:2]", "a = ANY (ARRAY[?]) AND b[?] AND c[?:?]" },
	{ PG, "SET abalance = abalance + -1345 WHERE aid = -7", "SET abalance = abalance + ? WHERE aid = ?" },
	{ PG, "SELECT a-1, a - 1, (a)-1, -1", "SELECT a-?, a - ?, (a)-?, ?" },
	{ PG, "SELECT TRUE, b = false, c IS TRUE, d IS NOT FALSE, e IS NULL", "SELECT ?, b = ?, c IS TRUE, d IS NOT FALSE, e IS NULL" },
	{ PG, "SELECT 0x1F, 1_000, .5, 1., 12abc", "SELECT ?, ?, ?, ?, ?" },
	{ PG, "SELECT a->>'k', a ? 'k', a <-> '[1,2]'", "SELECT a->>?, a ? ?, a <-> ?" },
	{ PG, "SELECT a # 3, `", "SELECT a # ?, `" },
	{ PG, "SELECT t.a, s.t.b", "SELECT t.a, s.t.b" },
	{ MY, "SELECT \"it\\\"s\", 'a\\'b', 'c''d' FROM `my``t`", "SELECT ?, ?, ? FROM `my``t`" },
	{ MY, "SELECT 1 # c 'x\n, 2 -- d\n, 5--3", "SELECT ? , ? , ?-?" },
	{ MY, "SELECT a--/* */b", "SELECT a--b" },
	{ MY, "SELECT /* a /* b */ 1", "SELECT ?" },
	{ MY, "/*!40101 SET NAMES 'utf8' */; SELECT a*/*c*/b", "SET NAMES ? ; SELECT a* b" },
	{ MY, "/*M!100100 SET a=1 */", "SET a=?" },
	{ MY, "SELECT _utf8'abc', x'00', @v, @'q', $v", "SELECT _utf8?, ?, @v, @?, $v" },
	{ MY, "INSERT t VALUE (1), (2) ON DUPLICATE KEY UPDATE a = VALUES(a)", "INSERT t VALUE (?) ON DUPLICATE KEY UPDATE a = VALUES(a)" },
	{ MS, "SELECT [it's 1], [a]]b], N'x', \"c\" FROM [dbo].[Order 7]", "SELECT [it's 1], [a]]b], ?, \"c\" FROM [dbo].[Order 7]" },
	{ MS, "SELECT $12.50, $action, @a, @@rowcount WHERE b IN (@p1, @p2)", "SELECT ?, $action, @a, @@rowcount WHERE b IN (?)" },
	{ MS, "INSERT INTO #kept VALUES (@a, 1), (2, 'x'); SELECT /* a /* b */ 'c' */ 0x1F FROM ##all", "INSERT INTO #kept VALUES (?); SELECT ? FROM ##all" },
	{ MS, "SELECT N'a\\', 'b'' c', $$ 1 $$, `2", "SELECT ?, ?, $$ ? $$, `?" },
	{ MS, "SELECT [secr", "SELECT [secr" },
	{ MS, "SELECT $1", "SELECT ?" },
	{ PG, "", "" },
	{ PG, "-- nothing", "" },
	/* cut in the middle */
	{ PG, "SELECT 'secr", "SELECT ?" },
	{ PG, "SELECT E'a\\", "SELECT ?" },
	{ PG, "SELECT $tag$ secr", "SELECT ?" },
	{ PG, "SELECT $tag$ secr $ta", "SELECT ?" },
	{ PG, "SELECT /* secr", "SELECT" },
	{ PG, "a IN (1, 2, 'se", "a IN (?" },
	{ PG, "a IN (1, 2, ", "a IN (?" },
	{ PG, "VALUES (1,'a'),(2,", "VALUES (?)" },
	{ PG, "VALUES (1,'a'),(", "VALUES (?),(" },
	{ PG, "SELECT \"na", "SELECT \"na" },
	{ MY, "SELECT 'a\\", "SELECT ?" },
	{ CH, "SELECT 'it\\'s', \"Na\\\"me\", `b`, x'00', {id:UInt8}, 1", "SELECT ?, \"Na\\\"me\", `b`, ?, {id:UInt8}, ?" },
	{ CH, "SELECT $t$ a 'b' $t$ -- c 'x\n, 2 #! d\n# e\n, a # b", "SELECT ? , ? , a" },
	{ CH, "SELECT a#b\n, ##/* */c", "SELECT a ," },
	{ CH, "SELECT [1, 'a'], a['k'] FROM t FORMAT Native", "SELECT [?, ?], a[?] FROM t FORMAT Native" },
};

static const struct {
	enum sql_dialect dialect;
	const char *in, *want;
} summaries[] = {
	{ PG, "SELECT * FROM songs, artists WHERE a = b", "SELECT songs artists" },
	{ PG, "INSERT INTO shipping_details (a, b) SELECT a, b FROM orders", "INSERT shipping_details SELECT orders" },
	{ PG, "SELECT d FROM (SELECT * FROM orders o JOIN customers c ON o.id = c.id) x", "SELECT SELECT orders customers" },
	{ PG, "select a from \"Songs\" s left join public . artists using (id)", "select \"Songs\" public.artists" },
	{ PG, "SELECT extract(year FROM ts), substring(a FROM 2) FROM t", "SELECT t" },
	{ PG, "SELECT a FROM t WHERE a IS DISTINCT FROM b", "SELECT t" },
	{ PG, "SELECT a FROM t x, u y WHERE a IN (1, 2) ORDER BY b, c", "SELECT t u" },
	{ PG, "SELECT a FROM t GROUP BY b, c", "SELECT t" },
	{ PG, "SELECT * FROM (a JOIN b ON true), LATERAL (SELECT 1) z, ONLY c", "SELECT a b SELECT c" },
	{ PG, "SELECT 1", "SELECT" },
	{ PG, "SELECT a FROM t UNION ALL SELECT b FROM u", "SELECT t SELECT u" },
	{ PG, "SELECT a FROM t FOR UPDATE", "SELECT t" },
	{ PG, "UPDATE pgbench_accounts SET a = a + 1, b = 2 WHERE aid = 1", "UPDATE pgbench_accounts" },
	{ PG, "UPDATE ONLY t SET a = u.a FROM u WHERE t.id = u.id", "UPDATE t u" },
	{ PG, "DELETE FROM t USING u WHERE t.id = u.id", "DELETE t u" },
	{ PG, "INSERT INTO t VALUES (1) ON CONFLICT (id) DO UPDATE SET a = 1", "INSERT t" },
	{ PG, "WITH x AS (SELECT * FROM t), y AS (DELETE FROM u RETURNING *) INSERT INTO v SELECT * FROM x", "SELECT t DELETE u INSERT v SELECT x" },
	{ PG, "WITH x AS (SELECT 1) SELECT a FROM x FOR UPDATE", "SELECT SELECT x" },
	{ PG, "MERGE INTO t USING u ON t.a = u.a WHEN MATCHED THEN UPDATE SET b = 1", "MERGE t u" },
	{ PG, "EXPLAIN (ANALYZE, COSTS off) UPDATE t SET a = 1", "EXPLAIN UPDATE t" },
	{ PG, "EXPLAIN WITH x AS (SELECT 1) SELECT a FROM x", "EXPLAIN SELECT SELECT x" },
	{ PG, "CREATE TEMP TABLE IF NOT EXISTS t AS SELECT * FROM u", "CREATE TABLE t SELECT u" },
	{ PG, "CREATE UNIQUE INDEX i ON t USING btree (a)", "CREATE INDEX i" },
	{ PG, "DROP TABLE IF EXISTS a, b CASCADE", "DROP TABLE a b" },
	{ PG, "ALTER TABLE a DROP COLUMN b", "ALTER TABLE a" },
	{ PG, "TRUNCATE TABLE a, b", "TRUNCATE a b" },
	{ PG, "COPY t (a, b) FROM STDIN", "COPY t" },
	{ PG, "COPY (SELECT * FROM t) TO STDOUT", "COPY SELECT t" },
	{ PG, "BEGIN", "BEGIN" },
	{ PG, "SET x = 'y'", "SET" },
	{ PG, "VALUES (1, 2)", "VALUES" },
	{ PG, "CALL do_it(1)", "CALL do_it" },
	{ PG, "LISTEN chan", "LISTEN chan" },
	{ PG, "DECLARE c CURSOR FOR SELECT * FROM t", "DECLARE SELECT t" },
	{ PG, "BEGIN; UPDATE t SET a=1; COMMIT;", "BATCH BEGIN UPDATE t COMMIT" },
	{ PG, "INSERT INTO t VALUES (1); INSERT INTO t VALUES (2)", "BATCH INSERT t" },
	{ PG, ";; SELECT 1;", "SELECT" },
	{ PG, "SELEC 1 FROM t", "SELEC" },
	{ PG, "", "" },
	{ PG, "SELECT 'FROM secret' FROM 'x' , t", "SELECT t" },
	{ MS, "EXEC dbo.get_user @id = 5", "EXEC dbo.get_user" },
	{ MS, "SELECT a FROM [dbo].[Order Details] JOIN #kept ON 1 = 1", "SELECT [dbo].[Order Details] #kept" },
	{ MS, "SELECT TOP (5) a FROM t WITH (NOLOCK), [u]", "SELECT t" },
	{ MS, "MERGE t USING u ON t.a = u.a WHEN NOT MATCHED THEN INSERT (a) VALUES (1);", "MERGE t u" },
	{ MS, "DECLARE @a int = 5; UPDATE [t] SET a = @a", "BATCH DECLARE UPDATE [t]" },
	{ MY, "INSERT IGNORE t SET a = 1", "INSERT t" },
	{ MY, "REPLACE INTO t SELECT REPLACE(a, 'b', 'c') FROM u", "REPLACE t SELECT u" },
	{ MY, "UPDATE a, b SET a.x = 1, b.y = 2", "UPDATE a b" },
	{ MY, "INSERT INTO t VALUES (1) ON DUPLICATE KEY UPDATE a = 1", "INSERT t" },
	{ MY, "LOAD DATA LOCAL INFILE 'x' INTO TABLE t", "LOAD t" },
	{ MY, "SELECT a INTO OUTFILE 'x' FROM t", "SELECT t" },
	{ MY, "SELECT a FROM `my t`.`b c`, \"no\"", "SELECT `my t`.`b c`" },
	{ MY, "SHOW TABLES FROM d", "SHOW" },
	{ CH, "SELECT number FROM system.numbers LIMIT 3", "SELECT system.numbers" },
	{ CH, "INSERT INTO songs (id, name) VALUES", "INSERT songs" },
	{ CH, "INSERT INTO `my \\` t` FORMAT Native", "INSERT `my \\` t`" },
	{ CH, "SELECT a FROM t FINAL PREWHERE b = 'FROM x' GROUP BY a WITH TOTALS", "SELECT t" },
	{ CH, "SELECT a FROM t ARRAY JOIN x GLOBAL ANY LEFT JOIN u USING id #! FROM v", "SELECT t x u" },
	{ CH, "ATTACH TABLE IF NOT EXISTS t", "ATTACH TABLE t" },
	{ CH, "DETACH TABLE t; WATCH v", "BATCH DETACH TABLE t WATCH v" },
	{ CH, "OPTIMIZE TABLE t FINAL", "OPTIMIZE" },
};

static const struct {
	enum sql_dialect dialect;
	const char *in, *want;
} verbs[] = {
	{ PG, "select 1", "SELECT" },
	{ PG, "/* c */ -- d\n Insert into t", "INSERT" },
	{ PG, "(SELECT 1) UNION (SELECT 2)", "SELECT" },
	{ PG, ";begin", "BEGIN" },
	{ PG, "WITH x AS (INSERT INTO t VALUES (1)) UPDATE u SET a = 1", "UPDATE" },
	{ PG, "with recursive x(a) as (values (1)) select * from x", "SELECT" },
	{ PG, "WITH x", "WITH" },
	{ PG, "VALUES (1)", "SELECT" },
	{ PG, "TABLE t", "SELECT" },
	{ PG, "frobnicate", "OTHER" },
	{ PG, "'x'", "OTHER" },
	{ PG, "", "" },
	{ PG, " -- x", "" },
	{ PG, "VACUUM t", "VACUUM" },
	{ MY, "/*!40101 SET NAMES utf8 */", "SET" },
	{ MY, "# c\nreplace into t", "REPLACE" },
	{ MS, "EXEC sp_who", "EXEC" },
	{ MS, "WITH x AS (SELECT 1 AS a) DELETE FROM [t]", "DELETE" },
	{ MS, "[dbo].[p] 1", "OTHER" },
	{ CH, "#! c\n# d\nselect 1", "SELECT" },
	{ CH, "WITH 1 AS x SELECT x", "SELECT" },
	{ CH, "WITH (SELECT 1) AS x INSERT INTO t SELECT x", "INSERT" },
};
/* clang-format on */

START_TEST(literals_become_question_marks)
{
	char out[512];
	size_t n =
		sql_normalise(str_of(normalised[_i].in), normalised[_i].dialect, out, sizeof(out));

	ck_assert_msg(str_is((struct str){ out, n }, normalised[_i].want),
	              "%s\n  gave %.*s\n  want %s", normalised[_i].in, (int)n, out,
	              normalised[_i].want);
}
END_TEST

START_TEST(doing_it_twice_changes_nothing)
{
	char once[512], twice[512];
	struct str in = str_of(normalised[_i].in);

	for (size_t len = 0; len <= in.len; len++) {
		size_t n = sql_normalise(str_head(in, len), normalised[_i].dialect, once,
		                         sizeof(once));
		size_t m = sql_normalise((struct str){ once, n }, normalised[_i].dialect, twice,
		                         sizeof(twice));

		ck_assert_msg(n == m && !memcmp(once, twice, n), "%.*s\n  gave %.*s\n  then %.*s",
		              (int)len, in.s, (int)n, once, (int)m, twice);
	}
}
END_TEST

START_TEST(operations_and_targets_are_listed_in_order)
{
	char out[512];
	size_t n = sql_summary(str_of(summaries[_i].in), summaries[_i].dialect, out, sizeof(out));

	ck_assert_msg(str_is((struct str){ out, n }, summaries[_i].want),
	              "%s\n  gave %.*s\n  want %s", summaries[_i].in, (int)n, out,
	              summaries[_i].want);
}
END_TEST

START_TEST(the_verb_is_that_of_the_main_statement)
{
	struct str op = sql_op(str_of(verbs[_i].in), verbs[_i].dialect);

	ck_assert_msg(str_is(op, verbs[_i].want), "%s gave %.*s", verbs[_i].in, STR_ARG(op));
}
END_TEST

START_TEST(a_long_summary_is_cut_between_words)
{
	char text[4096] = "SELECT 1 FROM table0", out[300];
	size_t n;

	for (int i = 1; i < 100; i++)
		snprintf(text + strlen(text), 32, ", table%d", i);
	n = sql_summary(str_of(text), PG, out, sizeof(out));
	ck_assert_uint_le(n, SQL_SUMMARY_MAX);
	ck_assert_uint_gt(n, SQL_SUMMARY_MAX - 16);
	ck_assert_mem_eq(out + n - 7, "table", 5);
	ck_assert_uint_eq(sql_summary(str_of(text), PG, out, 4), 0);
	n = sql_summary(str_of(text), PG, out, 21);
	ck_assert_msg(str_is((struct str){ out, n }, "SELECT table0"), "%.*s", (int)n, out);
}
END_TEST

START_TEST(a_small_buffer_holds_whole_tokens)
{
	struct str in = STR("SELECT abc FROM t WHERE a IN (1,2) AND b = 'secret'");
	struct str full = STR("SELECT abc FROM t WHERE a IN (?) AND b = ?");
	char out[64];

	for (size_t cap = 0; cap <= full.len; cap++) {
		size_t n = sql_normalise(in, PG, out, cap);

		ck_assert_uint_le(n, cap);
		ck_assert_mem_eq(out, full.s, n);
	}
}
END_TEST

/* Random text of the characters that matter: no crash, no second change, no digit or secret left. */
START_TEST(random_text_is_normalised_for_good)
{
	static const char *const parts[] = {
		"'",   "''", "\"",   "`",      "\\",    "$",    "$$",   "$a$",    "--",     "-- ",
		"-",   "/",  "*",    "/*",     "*/",    "/*!1", "#",    "\n",     " ",      "(",
		")",   "[",  "]",    ",",      ";",     ":",    "::",   ".",      "?",      "$1",
		"12",  "1e", "+",    "E'",     "x'",    "a",    "IN",   "VALUES", "IS",     "TRUE",
		"NOT", "=",  "FROM", "SELECT", "ARRAY", "NULL", "\x80", "U&'",    "UPDATE", "WITH",
		"#!",  "# ", "@",    "@@",     "{",     "}",    "]]",   "##",     "$1.5",   "N'",
	};
	char in[256], once[600], twice[600];
	unsigned int seed = (unsigned int)_i;

	for (int round = 0; round < 20000; round++) {
		size_t n, m, len = 0;
		enum sql_dialect dialect = (enum sql_dialect)(round % SQL_DIALECTS);

		for (int i = rand_r(&seed) % 20; i > 0; i--) {
			const char *part =
				parts[(size_t)rand_r(&seed) % (sizeof(parts) / sizeof(*parts))];

			memcpy(in + len, part, strlen(part));
			len += strlen(part);
		}
		n = sql_normalise((struct str){ in, len }, dialect, once,
		                  (size_t)rand_r(&seed) % 200);
		m = sql_normalise((struct str){ once, n }, dialect, twice, sizeof(twice));
		ck_assert_msg(n == m && !memcmp(once, twice, n),
		              "dialect %d: %.*s\n  gave %.*s\n  then %.*s", dialect, (int)len, in,
		              (int)n, once, (int)m, twice);
		sql_summary((struct str){ in, len }, dialect, once, sizeof(once));
		sql_op((struct str){ in, len }, dialect);
	}
}
END_TEST

#define TRACEPARENT "00-5bd66ef5095369c7b0d1f8f4bd33716a-c532cb4098ac3dd2-01"

START_TEST(a_comment_may_carry_a_traceparent)
{
	ck_assert(
		str_is(sql_traceparent(STR("SELECT 1 /*a='b',traceparent='" TRACEPARENT "'*/"), PG),
	               TRACEPARENT));
	ck_assert(str_is(sql_traceparent(STR("-- traceparent='" TRACEPARENT "'\nSELECT"), MY),
	                 TRACEPARENT));
	ck_assert(str_is(sql_traceparent(STR("SELECT '/*traceparent=''" TRACEPARENT "''*/'"), PG),
	                 ""));
	ck_assert(str_is(sql_traceparent(STR("SELECT 1 /*traceparent='00-5b'*/"), PG), ""));
	ck_assert(str_is(sql_traceparent(STR("SELECT 1"), PG), ""));
	ck_assert(str_is(sql_traceparent(STR(""), PG), ""));
}
END_TEST

Suite *sql_suite(void);

Suite *sql_suite(void)
{
	Suite *s = suite_create("sql");
	TCase *t = tcase_create("sql");

	tcase_add_loop_test(t, literals_become_question_marks, 0,
	                    sizeof(normalised) / sizeof(*normalised));
	tcase_add_loop_test(t, doing_it_twice_changes_nothing, 0,
	                    sizeof(normalised) / sizeof(*normalised));
	tcase_add_loop_test(t, operations_and_targets_are_listed_in_order, 0,
	                    sizeof(summaries) / sizeof(*summaries));
	tcase_add_loop_test(t, the_verb_is_that_of_the_main_statement, 0,
	                    sizeof(verbs) / sizeof(*verbs));
	tcase_add_test(t, a_long_summary_is_cut_between_words);
	tcase_add_test(t, a_small_buffer_holds_whole_tokens);
	tcase_add_loop_test(t, random_text_is_normalised_for_good, 0, 4);
	tcase_add_test(t, a_comment_may_carry_a_traceparent);
	suite_add_tcase(s, t);
	return s;
}
