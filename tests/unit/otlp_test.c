// SPDX-License-Identifier: GPL-3.0-or-later
/* otlp_test - rows to a recording and back are the same rows. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "read/reader.h"
#include "tests/unit/rows.h"
#include "write/writer.h"

#include "tests/unit/suites.h"

enum { ROWS = 1500, SEEDS = 6 };

static const struct run_info run = { .version = "0.1",
	                             .cmdline = "obi trace \xff",
	                             .kernel = "6.1.0",
	                             .boot_id = "b",
	                             .host = "node-1",
	                             .wall_offset_ns = 42 };

static const char *const endings[] = {
	"otlp", "otlpb", "otlp.zst", "otlpb.gz", "jsonl.gz", "pb.zst"
};

struct files {
	char dir[32], path[64];
};

static void files_make(struct files *f, const char *ending)
{
	snprintf(f->dir, sizeof(f->dir), "/tmp/obi-test-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(f->dir));
	snprintf(f->path, sizeof(f->path), "%s/run.%s", f->dir, ending);
}

static void files_remove(struct files *f)
{
	unlink(f->path);
	rmdir(f->dir);
}

static void write_batch(const char *path, struct batch *b, struct writer_opts o)
{
	const struct writer *w = writer_for(path);
	char err[ERR_TEXT] = "";
	void *state;

	o.path = path;
	o.fd = -1;
	o.run = &run;
	ck_assert_ptr_nonnull(w);
	ck_assert_msg(!w->open(&o, &state, err), "%s", err);
	ck_assert_int_eq(w->rows(state, b), 0);
	ck_assert_int_eq(w->flush(state), 0);
	ck_assert_int_eq(w->lost(state), 0);
	ck_assert_msg(!w->close(state, err), "%s", err);
}

/* All rows of a recording into one batch; small ones on the way, so that messages are split. */
static void read_batch(const char *path, struct batch *into, struct read_stats *stats)
{
	struct batch_pool *pool = batch_pool_new(1, 7);
	char err[ERR_TEXT] = "";
	struct reader *r = reader_open(path, err);
	int n;

	ck_assert_msg(r, "%s", err);
	for (;;) {
		struct batch *b = batch_get(pool, 0);

		n = reader_next(r, b);
		ck_assert_int_ge(n, 0);
		for (int i = 0; i < n; i++) {
			enum table t = b->items[i].table;
			void *row = batch_add(into, t);

			memcpy(row, b->items[i].row, tables[t].row_size);
			for (unsigned int c = 0; c < tables[t].ncolumns; c++) {
				enum col_type type = tables[t].columns[c].type;
				struct str *s = (void *)((char *)row + tables[t].columns[c].offset);

				if (type == COL_T || type == COL_J)
					*s = batch_text(into, *s);
			}
		}
		batch_put(b);
		if (!n)
			break;
	}
	reader_stats(r, stats);
	reader_close(r);
	batch_pool_free(pool);
}

START_TEST(rows_come_back_as_they_were)
{
	struct batch_pool *pool = batch_pool_new(2, ROWS);
	struct batch *b = batch_get(pool, 0), *back = batch_get(pool, 0);
	struct read_stats stats;
	struct files f;
	char *want, *got;

	rows_fill(b, (unsigned int)_i * 7919, true);
	files_make(&f, endings[(unsigned int)_i % (sizeof(endings) / sizeof(endings[0]))]);
	write_batch(f.path, b, (struct writer_opts){ 0 });
	read_batch(f.path, back, &stats);
	files_remove(&f);
	ck_assert_int_eq(stats.bad, 0);
	ck_assert_uint_eq(stats.logs + stats.metrics, 0);
	ck_assert(!stats.truncated && !stats.foreign);
	ck_assert_int_eq(stats.rows[TABLE_SPANS] + stats.rows[TABLE_CONNECTIONS] +
	                         stats.rows[TABLE_PROCESSES] + stats.rows[TABLE_CAPTURE],
	                 ROWS);
	want = rows_sorted(&b, 1);
	got = rows_sorted(&back, 1);
	for (char *w = want, *g = got; *w || *g;) {
		size_t wn = strcspn(w, "\n"), gn = strcspn(g, "\n");

		ck_assert_msg(wn == gn && !memcmp(w, g, wn), "%.*s\n%.*s", (int)wn, w, (int)gn, g);
		w += wn + 1;
		g += gn + 1;
	}
	free(want);
	free(got);
	batch_put(b);
	batch_put(back);
	batch_pool_free(pool);
}
END_TEST

START_TEST(a_name_that_is_no_utf8_is_made_so)
{
	struct batch_pool *pool = batch_pool_new(2, 4);
	struct batch *b = batch_get(pool, 0), *back = batch_get(pool, 0);
	struct span *s = batch_add(b, TABLE_SPANS);
	struct read_stats stats;
	struct files f;

	s->name = STR("a\xff z");
	files_make(&f, endings[_i]);
	write_batch(f.path, b, (struct writer_opts){ 0 });
	read_batch(f.path, back, &stats);
	files_remove(&f);
	ck_assert_int_eq(back->n, 1);
	s = back->items[0].row;
	ck_assert(str_is(s->name, "a\xef\xbf\xbd z"));
	batch_put(b);
	batch_put(back);
	batch_pool_free(pool);
}
END_TEST

START_TEST(split_files_hold_one_signal_each)
{
	struct batch_pool *pool = batch_pool_new(3, ROWS);
	struct batch *b = batch_get(pool, 0), *spans = batch_get(pool, 0),
		     *rest = batch_get(pool, 0);
	struct read_stats stats;
	struct files f;
	char traces[96], logs[96];

	rows_fill(b, 5, true);
	files_make(&f, "otlp");
	snprintf(traces, sizeof(traces), "%s/run.traces.otlp", f.dir);
	snprintf(logs, sizeof(logs), "%s/run.logs.otlp", f.dir);
	write_batch(f.path, b, (struct writer_opts){ .split = true });
	read_batch(traces, spans, &stats);
	ck_assert_int_eq(stats.rows[TABLE_SPANS], spans->n);
	read_batch(logs, rest, &stats);
	ck_assert_int_eq(stats.rows[TABLE_SPANS], 0);
	ck_assert_int_eq(spans->n + rest->n, ROWS);
	unlink(traces);
	unlink(logs);
	ck_assert_int_eq(rmdir(f.dir), 0);
	batch_put(b);
	batch_put(spans);
	batch_put(rest);
	batch_pool_free(pool);
}
END_TEST

/* The longest line, and how many lines there are. */
static size_t longest_line(const char *path, unsigned int *lines)
{
	FILE *in = fopen(path, "r");
	size_t most = 0, cap = 0;
	char *line = NULL;
	ssize_t n;

	ck_assert_ptr_nonnull(in);
	*lines = 0;
	while ((n = getline(&line, &cap, in)) > 0) {
		most = (size_t)n > most ? (size_t)n : most;
		++*lines;
	}
	free(line);
	fclose(in);
	return most;
}

START_TEST(lines_stay_below_what_the_collector_takes)
{
	struct batch_pool *pool = batch_pool_new(1, 2000);
	struct batch *b = batch_get(pool, 0);
	char *big = malloc(8000);
	unsigned int lines;
	struct files f;

	memset(big, 'x', 8000);
	while (b->n < b->cap)
		((struct span *)batch_add(b, TABLE_SPANS))->query = (struct str){ big, 8000 };
	files_make(&f, "otlp");
	write_batch(f.path, b, (struct writer_opts){ 0 });
	ck_assert_uint_lt(longest_line(f.path, &lines), 1 << 20);
	ck_assert_uint_gt(lines, 20);
	files_remove(&f);
	free(big);
	batch_put(b);
	batch_pool_free(pool);
}
END_TEST

START_TEST(a_recording_is_the_owners_alone)
{
	struct batch_pool *pool = batch_pool_new(1, 4);
	struct batch *b = batch_get(pool, 0);
	struct files f;
	struct stat st;

	files_make(&f, "otlp");
	write_batch(f.path, b, (struct writer_opts){ 0 });
	ck_assert_int_eq(stat(f.path, &st), 0);
	ck_assert_int_eq(st.st_mode & 07777, 0600);
	files_remove(&f);
	batch_put(b);
	batch_pool_free(pool);
}
END_TEST

/* ---- what other programs, and other hosts, have said ---- */

#define SPAN(id, more)                                                                     \
	"{\"traceId\":\"0102030405060708090a0b0c0d0e0f10\",\"spanId\":\"11121314151617" id \
	"\",\"name\":\"x\",\"kind\":2,\"startTimeUnixNano\":\"1700000000000000000\","      \
	"\"endTimeUnixNano\":\"1700000000004000000\"" more "}"
#define TEXT(key, value) "{\"key\":\"" key "\",\"value\":{\"stringValue\":\"" value "\"}}"
#define RESOURCE(attrs, scope, spans)                                                              \
	"{\"resource\":{\"attributes\":[" attrs "]},\"scopeSpans\":[{\"scope\":{\"name\":\"" scope \
	"\"},\"spans\":[" spans "]}]}"

static const char others[] = "{\"resourceSpans\":[" RESOURCE(
	TEXT("service.name", "shop") "," TEXT("host.name", "a") "," TEXT("os.type", "linux"),
	"an sdk",
	SPAN("01", ",\"traceState\":\"k=\\\"v\\\",ot=th:8\",\"status\":{\"code\":2,\"message\":\"no \\\"x\\\"\"}") "," SPAN(
		"02",
		",\"status\":{\"message\":\"gr\\u00fc\\u00df\"},\"attributes\":[" TEXT(
			"host.name",
			"of the span") "]")) "," RESOURCE(TEXT("service.name",
                                                               "cart") "," TEXT("host.name",
                                                                                "b") ",{\"key\":\"n\",\"value\":{\"intValue\":\"7\"}}",
                                                          "an sdk",
                                                          SPAN("03",
                                                               ",\"attributes\":[" TEXT(
								       "os.type",
								       "linux") "]")) "," RESOURCE(TEXT("host.name",
                                                                                                        "b"),
                                                                                                   "obi",
                                                                                                   SPAN("04",
                                                                                                        "")) "]}\n"
													     "{\"resourceLogs\":[{\"resource\":{\"attributes\":[" TEXT(
														     "host.name",
														     "c") "]},\"scopeLogs\":[{\"scope\":{\"name\":\"obi\"},\"logRecords\":[{\"eventName\":\"obi.conn\","
															  "\"attributes\":[" TEXT(
																  "obi.conn",
																  "1") "]}]}]}]}\n";

/* Reads `from`, writes it to `to` batch by batch; the resource of each row's batch, in order. */
static void rewrite(const char *from, const char *to, struct buf *resources, struct buf *rows)
{
	static const struct run_info replay = { .version = "0.1" };
	struct writer_opts o = { .path = to, .fd = -1, .run = &replay };
	struct batch_pool *pool = batch_pool_new(1, 64);
	const struct writer *w = writer_for(to);
	char err[ERR_TEXT] = "";
	struct reader *r = reader_open(from, err);
	void *state;

	ck_assert_msg(r && !w->open(&o, &state, err), "%s", err);
	for (;;) {
		struct batch *b = batch_get(pool, 0);
		int n = reader_next(r, b);

		for (int i = 0; i < n; i++) {
			buf_str(resources, b->resource);
			buf_ch(resources, '\n');
			rows_text(rows, b->items[i].table, b->items[i].row);
			buf_ch(rows, '\n');
		}
		ck_assert_int_eq(w->rows(state, b), 0);
		batch_put(b);
		if (n <= 0)
			break;
	}
	ck_assert_int_eq(w->close(state, err), 0);
	reader_close(r);
	batch_pool_free(pool);
}

START_TEST(what_others_have_said_survives_each_way)
{
	static const char want[] = "{\"host.name\":\"a\",\"os.type\":\"linux\"}\n"
				   "{\"host.name\":\"a\",\"os.type\":\"linux\"}\n"
				   "{\"host.name\":\"b\",\"n\":7}\n{\"host.name\":\"b\"}\n"
				   "{\"host.name\":\"c\"}\n";
	struct buf res[3] = { 0 }, rows[3] = { 0 };
	struct files from, to[2];
	FILE *f;

	files_make(&from, "jsonl");
	files_make(&to[0], endings[_i]);
	files_make(&to[1], endings[(_i + 1) % 6]);
	f = fopen(from.path, "w");
	ck_assert(f && fputs(others, f) > 0 && !fclose(f));
	rewrite(from.path, to[0].path, &res[0], &rows[0]);
	rewrite(to[0].path, to[1].path, &res[1], &rows[1]);
	rewrite(to[1].path, from.path, &res[2], &rows[2]);
	for (int i = 0; i < 3; i++) {
		ck_assert_msg(str_is(buf_slice(&res[i]), want), "%d: %.*s", i, (int)res[i].len,
		              res[i].p);
		ck_assert_msg(str_eq(buf_slice(&rows[i]), buf_slice(&rows[0])), "%.*s\n%.*s",
		              (int)rows[0].len, rows[0].p, (int)rows[i].len, rows[i].p);
	}
	ck_assert_msg(memmem(rows[0].p, rows[0].len, "6b3d", 4) != NULL, "the tracestate is there");
	for (int i = 0; i < 3; i++) {
		buf_free(&res[i]);
		buf_free(&rows[i]);
	}
	files_remove(&from);
	files_remove(&to[0]);
	files_remove(&to[1]);
}
END_TEST

START_TEST(tracestate_and_message_are_fields_of_the_span)
{
	struct buf res = { 0 }, rows = { 0 };
	struct files from, to;
	char text[8192];
	FILE *f;
	size_t n;

	files_make(&from, "jsonl");
	files_make(&to, "otlp");
	f = fopen(from.path, "w");
	ck_assert(f && fputs(others, f) > 0 && !fclose(f));
	rewrite(from.path, to.path, &res, &rows);
	f = fopen(to.path, "r");
	n = fread(text, 1, sizeof(text) - 1, f);
	text[n] = '\0';
	fclose(f);
	ck_assert_ptr_nonnull(strstr(text, "\"traceState\":\"k=\\\"v\\\",ot=th:8\""));
	ck_assert_ptr_nonnull(strstr(text, "\"status\":{\"message\":\"no \\\"x\\\"\",\"code\":2}"));
	ck_assert_ptr_null(strstr(text, "w3c.tracestate"));
	ck_assert_ptr_nonnull(strstr(text, "of the span")); /* beside the resource's */
	buf_free(&res);
	buf_free(&rows);
	files_remove(&from);
	files_remove(&to);
}
END_TEST

Suite *otlp_suite(void)
{
	Suite *s = suite_create("otlp");
	TCase *t = tcase_create("recordings");

	tcase_set_timeout(t, 30);
	tcase_add_loop_test(t, rows_come_back_as_they_were, 0, SEEDS * 2);
	tcase_add_loop_test(t, a_name_that_is_no_utf8_is_made_so, 0, 2);
	tcase_add_test(t, split_files_hold_one_signal_each);
	tcase_add_test(t, lines_stay_below_what_the_collector_takes);
	tcase_add_test(t, a_recording_is_the_owners_alone);
	tcase_add_loop_test(t, what_others_have_said_survives_each_way, 0, 6);
	tcase_add_test(t, tracestate_and_message_are_fields_of_the_span);
	suite_add_tcase(s, t);
	return s;
}
