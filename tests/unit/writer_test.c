// SPDX-License-Identifier: GPL-3.0-or-later
/* writer_test - lines for people and programs, rotation, and outputs that fail. */
#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "read/reader.h"
#include "tests/unit/oracle.h"
#include "tests/unit/rows.h"
#include "write/writer.h"

#include "tests/unit/suites.h"

static const struct run_info run = { .version = "0.1" };

/* A batch with one known span. */
static struct batch *one_span(struct batch_pool **pool)
{
	struct batch *b;
	struct span *s;

	*pool = batch_pool_new(1, 1024);
	b = batch_get(*pool, 0);
	s = batch_add(b, TABLE_SPANS);
	s->start_ns = 1700000000123456789;
	s->dur_ns = 4120000;
	s->ttfb_ns = 980000;
	s->trace_id[0] = 0xab;
	s->kind = STR("server");
	s->proto = STR("http");
	s->op = STR("GET");
	s->target = STR("/a\x1b[2J,\"q\"\n");
	s->status = STR("200");
	s->code = 200;
	s->error = 0;
	s->process = STR("nginx[7]");
	s->peer_ip = STR("::1");
	s->peer_port = 443;
	s->req_bytes = 84;
	s->resp_bytes = 123456;
	s->flags = SPAN_F_CUT | SPAN_F_GAP;
	s->stages = STR("{ \"app\" : 1.5 }");
	return b;
}

/* What a writer makes of b, as text; freed by the caller. */
static char *written_tables(const struct writer *w, const struct batch *b, const char *columns,
                            bool all_tables)
{
	char path[] = "/tmp/obi-write-XXXXXX", err[ERR_TEXT] = "";
	int fd = mkstemp(path);
	struct writer_opts o = {
		.path = "-", .fd = fd, .columns = columns, .tables = all_tables, .run = &run
	};
	char *text = calloc(1, 1 << 20);
	void *state;

	ck_assert_msg(!w->open(&o, &state, err), "%s", err);
	ck_assert_int_eq(w->rows(state, b), 0);
	ck_assert_int_eq(w->flush(state), 0);
	ck_assert_int_eq(w->close(state, err), 0);
	ck_assert_int_ge(pread(fd, text, (1 << 20) - 1, 0), 0);
	close(fd);
	unlink(path);
	return text;
}

static char *written(const struct writer *w, const struct batch *b, const char *columns)
{
	return written_tables(w, b, columns, false);
}

START_TEST(text_has_a_header_and_shows_nothing_raw)
{
	struct batch_pool *pool;
	struct batch *b = one_span(&pool);
	char *text = written(&writer_text, b, NULL);

	ck_assert_msg(!strncmp(text, "TIME            PROTO ", 22), "%s", text);
	ck_assert_ptr_nonnull(strstr(text, "22:13:20.123456 http       server nginx[7] "));
	ck_assert_ptr_nonnull(strstr(text, " [::1]:443 "));
	ck_assert_ptr_nonnull(strstr(text, " GET /a\\x1b[2J,\"q\"\\n "));
	ck_assert_ptr_nonnull(strstr(text, " 84  120.6K    980us   4.12ms cut,gap\n"));
	free(text);
	batch_put(b);
	batch_pool_free(pool);
}
END_TEST

START_TEST(text_says_why_a_connection_was_not_decoded_if_asked_to)
{
	struct batch_pool *pool = batch_pool_new(2, 16);
	struct batch *b = batch_get(pool, 0);
	struct conn_row *c;
	char *text;

	for (int i = 0; i < 3; i++) {
		c = batch_add(b, TABLE_CONNECTIONS);
		ck_assert_ptr_nonnull(c);
		c->proto = i == 1 ? STR("http") : STR("tcp");
		c->why = i == 1 ? STR_NULL : STR("too few bytes to tell");
		c->tx_bytes = i == 2 ? 0 : 10;
		c->rx_bytes = i == 2 ? 0 : 200;
		c->side = STR("client");
		c->comm = STR("nc");
		c->peer_ip = STR("10.0.0.9");
		c->peer_port = 99;
		c->first_bytes = STR("hello\\x00");
	}
	text = written(&writer_text, b, NULL);
	ck_assert_ptr_null(strstr(text, "not decoded"));
	free(text);
	text = written_tables(&writer_text, b, NULL, true);
	ck_assert_ptr_nonnull(
		strstr(text, " not decoded: too few bytes to tell; begins with \"hello\\x00\" "));
	ck_assert_ptr_nonnull(strstr(text, " tcp        client "));
	ck_assert_ptr_nonnull(strstr(text, " 10.0.0.9:99 "));
	ck_assert_ptr_nonnull(strstr(text, "     10     200 "));
	ck_assert_ptr_null(strstr(strstr(text, "not decoded") + 1, "not decoded"));
	free(text);
	batch_put(b);
	batch_pool_free(pool);
}
END_TEST

START_TEST(text_shows_the_columns_that_are_asked_for)
{
	struct batch_pool *pool;
	struct batch *b = one_span(&pool);
	char *text = written(&writer_text, b, "op,code,service");

	ck_assert_str_eq(text, "OP                       CODE SERVICE\n"
	                       "GET                       200 -\n");
	free(text);
	text = written(&writer_text, b, "-time,-peer_ip,+service");
	ck_assert(!strncmp(text, "PROTO ", 6));
	ck_assert_ptr_nonnull(strstr(text, " SERVICE\n"));
	ck_assert_ptr_null(strstr(text, "PEER_IP"));
	free(text);
	batch_put(b);
	batch_pool_free(pool);
}
END_TEST

START_TEST(a_column_that_is_none_gets_a_hint)
{
	struct writer_opts o = { .path = "-", .fd = 1, .columns = "op,servise", .run = &run };
	char err[ERR_TEXT] = "";
	void *state;

	ck_assert_int_eq(writer_csv.open(&o, &state, err), -EINVAL);
	ck_assert_str_eq(err, "no column \"servise\"; did you mean \"service\"?");
}
END_TEST

START_TEST(json_has_the_columns_as_keys_and_null_for_unknown)
{
	static const char want[] =
		"{\"time\":\"2023-11-14T22:13:20.123456789Z\",\"start_ns\":1700000000123456789,"
		"\"dur_ms\":4.12,\"trace_id\":\"ab000000000000000000000000000000\",\"span_id\":null,"
		"\"parent_span_id\":null,\"parent_by\":null,\"kind\":\"server\",\"proto\":\"http\","
		"\"name\":null,\"op\":\"GET\",\"target\":\"/a\\u001b[2J,\\\"q\\\"\\n\","
		"\"status\":\"200\",\"code\":200,\"error\":false,\"error_type\":null,"
		"\"service\":null,\"pid\":null,\"tid\":null,\"comm\":null,\"container_id\":null,"
		"\"pod\":null,\"local_ip\":null,\"local_port\":null,\"peer_ip\":\"::1\","
		"\"peer_port\":443,\"peer_name\":null,\"peer\":null,"
		"\"peer_process\":null,\"caller\":null,\"tls\":null,\"req_bytes\":84,"
		"\"resp_bytes\":123456,\"ttfb_ms\":0.98,\"route\":null,\"level\":null,\"query\":null,"
		"\"topic\":null,\"key\":null,\"process\":\"nginx[7]\",\"conn\":null,"
		"\"queue_ms\":null,\"stages\":{\"app\":1.5},\"flags\":[\"cut\",\"gap\"],"
		"\"attrs\":null}\n";
	struct batch_pool *pool;
	struct batch *b = one_span(&pool);
	char *text = written(&writer_json, b, NULL);

	ck_assert_str_eq(text, want);
	free(text);
	batch_put(b);
	batch_pool_free(pool);
}
END_TEST

START_TEST(every_line_of_json_is_json)
{
	struct batch_pool *pool = batch_pool_new(1, 300);
	struct batch *b = batch_get(pool, 0);
	char *text, *line;

	rows_fill(b, 11, false);
	text = written(&writer_json, b, NULL);
	for (line = text; *line; line += strcspn(line, "\n") + 1)
		ck_assert_msg(oracle_takes(line, strcspn(line, "\n")), "%s", line);
	free(text);
	batch_put(b);
	batch_pool_free(pool);
}
END_TEST

START_TEST(csv_quotes_what_needs_it)
{
	struct batch_pool *pool;
	struct batch *b = one_span(&pool);
	char *text = written(&writer_csv, b, "op,target,dur_ms,service,flags,error");

	ck_assert_str_eq(text, "op,target,dur_ms,service,flags,error\n"
	                       "GET,\"/a\\x1b[2J,\"\"q\"\"\\n\",4.12,,\"cut,gap\",0\n");
	free(text);
	batch_put(b);
	batch_pool_free(pool);
}
END_TEST

static const struct writer *const all[] = { &writer_text, &writer_json, &writer_csv,
	                                    &writer_otlp_json, &writer_otlp_pb };

START_TEST(a_full_disk_is_an_error_with_words_and_a_count)
{
	struct writer_opts o = { .path = "/dev/full", .fd = -1, .run = &run };
	char err[ERR_TEXT] = "";
	struct batch_pool *pool;
	struct batch *b = one_span(&pool);
	void *state;

	if (!all[_i]->open(&o, &state, err)) { /* else its header did not fit */
		ck_assert_int_eq(all[_i]->rows(state, b), -ENOSPC);
		ck_assert_int_eq(all[_i]->rows(state, b), -ENOSPC);
		ck_assert_uint_eq(all[_i]->lost(state), 2);
		ck_assert_int_eq(all[_i]->close(state, err), -ENOSPC);
	}
	ck_assert_str_eq(err, "cannot write /dev/full: No space left on device");
	batch_put(b);
	batch_pool_free(pool);
}
END_TEST

START_TEST(a_reader_that_went_away_is_epipe)
{
	char err[ERR_TEXT] = "";
	struct batch_pool *pool;
	struct batch *b = one_span(&pool);
	struct writer_opts o = { .path = "-", .run = &run };
	void *state;
	int fds[2];

	signal(SIGPIPE, SIG_IGN);
	ck_assert_int_eq(pipe(fds), 0);
	o.fd = fds[1];
	ck_assert_int_eq(all[_i]->open(&o, &state, err), 0);
	close(fds[0]);
	ck_assert_int_eq(all[_i]->rows(state, b), -EPIPE);
	ck_assert_uint_eq(all[_i]->lost(state), 1);
	ck_assert_int_eq(all[_i]->close(state, err), -EPIPE);
	close(fds[1]);
	batch_put(b);
	batch_pool_free(pool);
}
END_TEST

static unsigned int files_in(const char *dir, bool remove_them)
{
	DIR *d = opendir(dir);
	struct dirent *ent;
	unsigned int n = 0;

	while ((ent = readdir(d))) {
		if (*ent->d_name == '.')
			continue;
		n++;
		if (remove_them)
			unlinkat(dirfd(d), ent->d_name, 0);
	}
	closedir(d);
	return n;
}

START_TEST(rotation_keeps_so_many_files_and_touches_no_other)
{
	static const char *const names[] = { "run.otlp", "run.otlp.zst", "run.otlpb" };
	char dir[] = "/tmp/obi-rotate-XXXXXX", path[64], other[80], err[ERR_TEXT] = "";
	struct writer_opts o = {
		.path = path, .fd = -1, .rotate_bytes = 2000, .keep = 3, .run = &run
	};
	struct batch_pool *pool;
	struct batch *b = one_span(&pool);
	const struct writer *w;
	void *state;

	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/%s", dir, names[_i]);
	snprintf(other, sizeof(other), "%s/run-2020-01-01T00-00-00.000.txt", dir);
	close(open(other, O_CREAT | O_WRONLY, 0600));
	w = writer_for(path);
	ck_assert_int_eq(w->open(&o, &state, err), 0);
	for (int i = 0; i < 40; i++) {
		ck_assert_int_eq(w->rows(state, b), 0);
		ck_assert_int_eq(w->flush(state), 0);
		usleep(2000);
	}
	ck_assert_int_eq(w->close(state, err), 0);
	ck_assert_uint_eq(files_in(dir, true), 1 + 3 + 1);
	rmdir(dir);
	batch_put(b);
	batch_pool_free(pool);
}
END_TEST

/* Rows of all files in dir, none of which is larger than `most`; the files are removed. */
static uint64_t rows_in(const char *dir, off_t most)
{
	struct batch_pool *pool = batch_pool_new(1, 1024);
	struct batch *b = batch_get(pool, 0);
	DIR *d = opendir(dir);
	struct dirent *ent;
	uint64_t rows = 0;

	while ((ent = readdir(d))) {
		char path[300], err[ERR_TEXT] = "";
		struct read_stats stats;
		struct reader *r;
		struct stat st;

		if (*ent->d_name == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", dir, ent->d_name);
		ck_assert_int_eq(stat(path, &st), 0);
		ck_assert_int_le(st.st_size, most);
		r = reader_open(path, err);
		ck_assert_msg(r != NULL, "%s", err);
		while (reader_next(r, b) > 0) {
			batch_put(b);
			b = batch_get(pool, 0);
		}
		reader_stats(r, &stats);
		ck_assert_uint_eq(stats.bad, 0);
		rows += stats.rows[TABLE_SPANS];
		reader_close(r);
		unlink(path);
	}
	closedir(d);
	batch_put(b);
	batch_pool_free(pool);
	return rows;
}

START_TEST(no_file_is_larger_than_asked_also_where_many_rows_come_at_once)
{
	static const char *const names[] = { "run.otlp", "run.otlp.zst", "run.otlpb", "run.pb.gz",
		                             "run.otlp" };
	enum { ROWS = 1000, SIZE = 32 << 10, FRAME = 2 << 10 };
	char dir[] = "/tmp/obi-rotate-XXXXXX", path[64], err[ERR_TEXT] = "";
	struct writer_opts o = {
		.path = path, .fd = -1, .rotate_bytes = SIZE, .split = _i == 4, .run = &run
	};
	const struct writer *w = writer_for(names[_i]);
	struct batch_pool *pool;
	struct batch *b = one_span(&pool);
	void *state;

	while (b->n < ROWS) {
		struct span *s = batch_add(b, TABLE_SPANS);

		*s = *(struct span *)b->items[0].row;
		for (size_t i = 0; i < sizeof(s->trace_id); i++)
			s->trace_id[i] = (uint8_t)rand();
	}
	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/%s", dir, names[_i]);
	ck_assert_int_eq(w->open(&o, &state, err), 0);
	ck_assert_int_eq(w->rows(state, b), 0);
	ck_assert_int_eq(w->rows(state, b), 0);
	ck_assert_uint_eq(w->lost(state), 0);
	ck_assert_int_eq(w->close(state, err), 0);
	batch_put(b);
	batch_pool_free(pool);
	ck_assert_uint_eq(rows_in(dir, SIZE + FRAME), 2 * ROWS);
	rmdir(dir);
}
END_TEST

START_TEST(the_writer_is_told_by_the_name)
{
	ck_assert_ptr_eq(writer_for("a.otlp"), &writer_otlp_json);
	ck_assert_ptr_eq(writer_for("-"), &writer_otlp_json);
	ck_assert_ptr_eq(writer_for("a.b/x.json.gz"), &writer_otlp_json);
	ck_assert_ptr_eq(writer_for("a.otlpb.zst"), &writer_otlp_pb);
	ck_assert_ptr_eq(writer_for("a.sqlite"), &writer_db);
	ck_assert_ptr_null(writer_for("a.db.zst"));
	ck_assert_ptr_null(writer_for("a.txt"));
	ck_assert_ptr_null(writer_for(".otlp"));
}
END_TEST

Suite *writer_suite(void)
{
	Suite *s = suite_create("writer");
	TCase *t = tcase_create("writer");
	int n = sizeof(all) / sizeof(all[0]);

	tcase_set_timeout(t, 20);
	tcase_add_test(t, text_has_a_header_and_shows_nothing_raw);
	tcase_add_test(t, text_says_why_a_connection_was_not_decoded_if_asked_to);
	tcase_add_test(t, text_shows_the_columns_that_are_asked_for);
	tcase_add_test(t, a_column_that_is_none_gets_a_hint);
	tcase_add_test(t, json_has_the_columns_as_keys_and_null_for_unknown);
	tcase_add_test(t, every_line_of_json_is_json);
	tcase_add_test(t, csv_quotes_what_needs_it);
	tcase_add_loop_test(t, a_full_disk_is_an_error_with_words_and_a_count, 0, n);
	tcase_add_loop_test(t, a_reader_that_went_away_is_epipe, 0, n);
	tcase_add_loop_test(t, rotation_keeps_so_many_files_and_touches_no_other, 0, 3);
	tcase_add_loop_test(t, no_file_is_larger_than_asked_also_where_many_rows_come_at_once, 0,
	                    5);
	tcase_add_test(t, the_writer_is_told_by_the_name);
	suite_add_tcase(s, t);
	return s;
}
