// SPDX-License-Identifier: GPL-3.0-or-later
/* db - rows into a SQLite file and back, and files that mean no good. */
#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/db_read.h"
#include "tests/unit/ask.h"
#include "tests/unit/rows.h"
#include "tests/unit/suites.h"
#include "write/writer.h"

static char path[64];
static char said[4096]; /* what was warned of */

static void hear(void *ctx, enum level level, const char *text)
{
	(void)ctx, (void)level;
	snprintf(said + strlen(said), sizeof(said) - strlen(said), "%s\n", text);
}

static void set_up(void)
{
	int fd;

	snprintf(path, sizeof(path), "/tmp/obi-db-XXXXXX");
	fd = mkstemp(path);
	ck_assert_int_ge(fd, 0);
	close(fd);
	said[0] = '\0';
	err_set_sink(hear, NULL);
}

static void tear_down(void)
{
	unlink(path);
	err_set_sink(NULL, NULL);
}

static void write_file(struct batch *const *batches, unsigned int n)
{
	struct writer_opts o = { .path = path, .fd = -1 };
	char err[ERR_TEXT] = "";
	void *state;

	ck_assert_msg(!writer_db.open(&o, &state, err), "%s", err);
	for (unsigned int i = 0; i < n; i++)
		ck_assert_int_eq(writer_db.rows(state, batches[i]), 0);
	ck_assert_int_eq(writer_db.flush(state), 0);
	ck_assert_uint_eq(writer_db.lost(state), 0);
	ck_assert_msg(!writer_db.close(state, err), "%s", err);
}

/* All rows of the file, in one batch. */
static struct batch *read_file(void)
{
	struct batch *b = ask_batch(5000);
	char err[ERR_TEXT] = "";
	struct db_read *r = db_read_open(path, err);
	int n, sum = 0;

	ck_assert_msg(r != NULL, "%s", err);
	while ((n = db_read_next(r, b)) > 0)
		sum += n;
	ck_assert_int_eq(n, 0);
	ck_assert_uint_eq(b->n, (unsigned int)sum);
	db_read_close(r);
	return b;
}

static void run(const char *sql)
{
	char *message = NULL;
	sqlite3 *db;

	ck_assert_int_eq(sqlite3_open(path, &db), 0);
	ck_assert_msg(!sqlite3_exec(db, sql, NULL, NULL, &message), "%s: %s", sql, message);
	sqlite3_close(db);
}

/* A key of its own, so that no row replaces another. */
static void unlike(struct batch *b, unsigned int from)
{
	for (unsigned int i = 0; i < b->n; i++) {
		char name[32];

		snprintf(name, sizeof(name), "key %u", from + i);
		if (b->items[i].table == TABLE_CONNECTIONS)
			((struct conn_row *)b->items[i].row)->conn = batch_text(b, str_of(name));
		if (b->items[i].table == TABLE_CAPTURE)
			((struct capture_row *)b->items[i].row)->key = batch_text(b, str_of(name));
		if (b->items[i].table == TABLE_PROCESSES)
			((struct proc_row *)b->items[i].row)->pid = from + i;
	}
}

START_TEST(random_rows_come_back_as_they_were)
{
	struct batch *in[2], *out;
	char *want, *got;

	for (unsigned int i = 0; i < 2; i++) {
		in[i] = ask_batch(1000);
		rows_fill(in[i], (unsigned int)_i * 2 + i + 1, false);
		unlike(in[i], i * 1000);
	}
	write_file(in, 2);
	out = read_file();
	want = rows_sorted(in, 2);
	got = rows_sorted(&out, 1);
	ck_assert_uint_eq(out->n, 2000);
	ck_assert(!strcmp(want, got));
	ck_assert_str_eq(said, "");
	free(want);
	free(got);
	ask_batch_free(out);
	for (unsigned int i = 0; i < 2; i++)
		ask_batch_free(in[i]);
}
END_TEST

/* What SQL shows of a table, whatever way the rows went. */
static char *shown(const struct batch *b)
{
	struct store *s = store_new(64 << 20);
	struct buf all = { 0 };

	ck_assert_int_eq(store_add(s, b), 0);
	for (unsigned int t = 0; t < TABLE_MAX; t++) {
		char sql[64];

		snprintf(sql, sizeof(sql), "SELECT * FROM %s", tables[t].name);
		buf_z(&all, ask_store(s, sql));
	}
	buf_ch(&all, '\0');
	store_free(s);
	return all.p;
}

START_TEST(sql_shows_the_same_before_and_after)
{
	struct batch *in = ask_batch(500), *out;
	char *want, *got;

	rows_fill(in, 7, false);
	unlike(in, 0);
	write_file(&in, 1);
	out = read_file();
	want = shown(in);
	got = shown(out);
	ck_assert_uint_gt(strlen(want), 1000);
	ck_assert(!strcmp(want, got));
	free(want);
	free(got);
	ask_batch_free(in);
	ask_batch_free(out);
}
END_TEST

START_TEST(the_newest_row_of_a_connection_is_the_one_in_the_file)
{
	struct batch *b = ask_batch(10), *out;

	for (int i = 0; i < 3; i++) {
		struct conn_row *c = batch_add(b, TABLE_CONNECTIONS);

		c->conn = STR("c1");
		c->requests = i;
	}
	write_file(&b, 1);
	out = read_file();
	ck_assert_uint_eq(out->n, 1);
	ck_assert_int_eq(((struct conn_row *)out->items[0].row)->requests, 2);
	ask_batch_free(b);
	ask_batch_free(out);
}
END_TEST

START_TEST(a_file_is_private_and_stands_alone)
{
	struct batch *b = ask_batch(10);
	char wal[80];
	struct stat st;

	batch_add(b, TABLE_SPANS);
	ck_assert_int_eq(chmod(path, 0666), 0);
	write_file(&b, 1);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_uint_eq(st.st_mode & 0777, 0600);
	snprintf(wal, sizeof(wal), "%s-wal", path);
	ck_assert_int_ne(access(wal, F_OK), 0);
	ask_batch_free(b);
}
END_TEST

static const struct {
	struct writer_opts o;
	const char *says;
} refused[] = {
	{ { .path = "-", .fd = -1 }, "name a file" },
	{ { .path = "/tmp/x.db", .fd = 1 }, "name a file" },
	{ { .path = "/no/such/folder/x.db", .fd = -1 }, "No such file" },
	{ { .path = "/tmp/x.db", .fd = -1, .rotate_bytes = 1 }, "no --rotate" },
	{ { .path = "/tmp/x.db", .fd = -1, .split = true }, "no --rotate" },
};

START_TEST(says_where_a_database_cannot_be_written)
{
	char err[ERR_TEXT] = "";
	void *state = NULL;

	ck_assert_int_lt(writer_db.open(&refused[_i].o, &state, err), 0);
	ck_assert_msg(strstr(err, refused[_i].says) != NULL, "%s", err);
	ck_assert_ptr_null(state);
}
END_TEST

/* ---- files that somebody else made ---- */

static const struct {
	const char *what, *sql;
	unsigned int rows;
	const char *says;
} hostile[] = {
	{ "another program's table of our name",
	  "CREATE TABLE spans(op TEXT, unknown TEXT, code); INSERT INTO spans VALUES('GET', 'x', 200)",
	  1, "" },
	{ "nothing of ours", "CREATE TABLE other(a); INSERT INTO other VALUES(1)", 0, "" },
	{ "no column of ours", "CREATE TABLE spans(a); INSERT INTO spans VALUES(1)", 0,
	  "other columns" },
	{ "a view",
	  "CREATE VIEW spans AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) "
	  "SELECT i AS start_ns FROM n",
	  0, "left out" },
	{ "a virtual table", "CREATE VIRTUAL TABLE spans USING fts5(op, target)", 0, "left out" },
	{ "a generated column",
	  "CREATE TABLE spans(start_ns, op AS (hex(zeroblob(100000000)))); "
	  "INSERT INTO spans(start_ns) VALUES(5)",
	  1, "" },
	{ "a trigger",
	  "CREATE TABLE spans(op); CREATE TRIGGER t AFTER INSERT ON spans BEGIN "
	  "DELETE FROM spans; END; INSERT INTO spans VALUES('x')",
	  0, "" },
	{ "an index on an expression",
	  "CREATE TABLE spans(op); CREATE INDEX i ON spans(abs(op)); "
	  "INSERT INTO spans VALUES('x')",
	  1, "" },
	{ "a column called rowid",
	  "CREATE TABLE spans(rowid, op); INSERT INTO spans VALUES(5, 'x')", 0, "other columns" },
	{ "a table without rowid",
	  "CREATE TABLE spans(op PRIMARY KEY) WITHOUT ROWID; "
	  "INSERT INTO spans VALUES('x')",
	  0, "cannot be read" },
	{ "a text of 20 MB among others",
	  "CREATE TABLE spans(op); INSERT INTO spans VALUES('a'), (hex(zeroblob(10000000))), ('b')",
	  2, "1 rows of spans" },
	{ "values of any type",
	  "CREATE TABLE spans(start_ns, dur_ms, trace_id, error, flags, code, op); "
	  "INSERT INTO spans VALUES('x', 'y', 5, 77, 12, x'00', 4.5), (1e300, 1e300, 'zz', NULL, "
	  "'cut,,gap,nonsense', 'zz', x'ff00')",
	  2, "" },
	{ "our names in other letters", "CREATE TABLE SPANS(OP); INSERT INTO spans VALUES('x')", 1,
	  "" },
	{ "a rowid at the end of the range",
	  "CREATE TABLE spans(op); INSERT INTO spans(rowid, op) VALUES(9223372036854775807, 'x'), (-5, 'y')",
	  2, "" },
};

START_TEST(reads_what_is_good_and_runs_nothing)
{
	struct batch *b;

	run(hostile[_i].sql);
	b = read_file();
	ck_assert_msg(b->n == hostile[_i].rows, "%s: %u rows, %s", hostile[_i].what, b->n, said);
	ck_assert_msg(strstr(said, hostile[_i].says) != NULL, "%s: said %s", hostile[_i].what,
	              said);
	ck_assert_msg(*hostile[_i].says || !*said, "%s: said %s", hostile[_i].what, said);
	ask_batch_free(b);
}
END_TEST

START_TEST(what_has_the_wrong_type_is_unknown)
{
	struct batch *b;
	struct span *s;

	run("CREATE TABLE spans(start_ns, dur_ms, trace_id, error, flags, code, op, ttfb_ms, ttfb_ns);"
	    "INSERT INTO spans VALUES('x', 2.5, '0123', 77, 'cut,nonsense,gap', 4.5, 17, 9.9, 9000000001)");
	b = read_file();
	s = b->items[0].row;
	ck_assert_int_eq(s->start_ns, COL_NULL);
	ck_assert_int_eq(s->dur_ns, 2500000);
	ck_assert_int_eq(s->trace_id[0], 0);
	ck_assert_int_eq(s->error, COL_NULL);
	ck_assert_uint_eq(s->flags, SPAN_F_CUT | SPAN_F_GAP);
	ck_assert_int_eq(s->code, COL_NULL);
	ck_assert(str_is(s->op, "17"));
	ck_assert_int_eq(s->ttfb_ns, 9000000001);
	ask_batch_free(b);
}
END_TEST

START_TEST(a_damaged_file_gives_what_is_whole)
{
	struct batch *in = ask_batch(2000), *out;
	char junk[4096];
	struct stat st;
	int fd;

	rows_fill(in, 3, false);
	unlike(in, 0);
	write_file(&in, 1);
	ck_assert_int_eq(stat(path, &st), 0);
	memset(junk, 0xa5, sizeof(junk));
	fd = open(path, O_WRONLY);
	ck_assert_int_eq(pwrite(fd, junk, sizeof(junk), st.st_size / 8192 * 4096), sizeof(junk));
	close(fd);
	out = read_file();
	ck_assert_msg(out->n > 100 && out->n < 2000, "%u rows", out->n);
	ck_assert_ptr_nonnull(strstr(said, "cannot be read"));
	ask_batch_free(in);
	ask_batch_free(out);
}
END_TEST

START_TEST(any_damage_is_survived) /* one page after the other */
{
	struct batch *in = ask_batch(300), *out = ask_batch(5000);
	char page[4096], bad[4096];
	struct stat st;

	rows_fill(in, 4, false);
	unlike(in, 0);
	write_file(&in, 1);
	ck_assert_int_eq(stat(path, &st), 0);
	for (off_t at = 0; at < st.st_size; at += 1024) {
		int fd = open(path, O_RDWR);
		struct db_read *r;

		ck_assert_int_eq(pread(fd, page, 1024, at), 1024);
		for (int i = 0; i < 1024; i++)
			bad[i] = (char)(page[i] ^ (i % 7 == _i ? 0xff : 0));
		ck_assert_int_eq(pwrite(fd, bad, 1024, at), 1024);
		r = db_read_open(path, NULL);
		arena_reset(&out->arena);
		out->n = 0;
		while (r && db_read_next(r, out) > 0)
			;
		db_read_close(r);
		ck_assert_int_eq(pwrite(fd, page, 1024, at), 1024);
		close(fd);
	}
	ask_batch_free(in);
	ask_batch_free(out);
}
END_TEST

START_TEST(what_is_no_database_is_said_so)
{
	char err[ERR_TEXT] = "";
	int fd = open(path, O_WRONLY);

	ck_assert_ptr_null(db_read_open("/no/such/file.db", err));
	ck_assert_int_eq(errno, EACCES);
	ck_assert_int_eq(write(fd,
	                       "SQLite format 3\0and then nothing that makes sense at all, for "
	                       "a hundred bytes and more, so that it is a whole header",
	                       110),
	                 110);
	close(fd);
	ck_assert_ptr_null(db_read_open(path, err));
	ck_assert_int_eq(errno, EINVAL);
	ck_assert_ptr_nonnull(strstr(err, "cannot read"));
}
END_TEST

START_TEST(an_unnamed_file_can_be_read_through_its_descriptor)
{
	struct batch *in = ask_batch(10), *b = ask_batch(10);
	struct db_read *r;
	char name[64], err[ERR_TEXT] = "";
	int fd;

	batch_add(in, TABLE_SPANS);
	write_file(&in, 1);
	fd = open(path, O_RDONLY);
	unlink(path);
	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	r = db_read_open(name, err);
	ck_assert_msg(r != NULL, "%s", err);
	ck_assert_int_eq(db_read_next(r, b), 1);
	db_read_close(r);
	close(fd);
	ask_batch_free(in);
	ask_batch_free(b);
}
END_TEST

Suite *db_suite(void)
{
	Suite *s = suite_create("db");
	TCase *t = tcase_create("db");

	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, set_up, tear_down);
	tcase_add_loop_test(t, random_rows_come_back_as_they_were, 0, 10);
	tcase_add_test(t, sql_shows_the_same_before_and_after);
	tcase_add_test(t, the_newest_row_of_a_connection_is_the_one_in_the_file);
	tcase_add_test(t, a_file_is_private_and_stands_alone);
	tcase_add_loop_test(t, says_where_a_database_cannot_be_written, 0,
	                    sizeof(refused) / sizeof(refused[0]));
	tcase_add_loop_test(t, reads_what_is_good_and_runs_nothing, 0,
	                    sizeof(hostile) / sizeof(hostile[0]));
	tcase_add_test(t, what_has_the_wrong_type_is_unknown);
	tcase_add_test(t, a_damaged_file_gives_what_is_whole);
	tcase_add_loop_test(t, any_damage_is_survived, 0, 7);
	tcase_add_test(t, what_is_no_database_is_said_so);
	tcase_add_test(t, an_unnamed_file_can_be_read_through_its_descriptor);
	suite_add_tcase(s, t);
	return s;
}
