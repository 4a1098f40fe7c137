// SPDX-License-Identifier: GPL-3.0-or-later
/* reader_test - what is a recording, what is damaged, what comes of other programs. */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "base/err.h"
#include "read/reader.h"

#include "tests/unit/suites.h"

/* One span of another program as JSON, with its number as name. */
#define SPAN(n)                                                           \
	"{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{\"name\":\"" n \
	"\",\"startTimeUnixNano\":\"5\",\"endTimeUnixNano\":\"9\"}]}]}]}"
#define CUT "{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{\"name\":\"1\"},{\"na"

struct got {
	struct batch_pool *pool;
	struct batch *b;
	struct read_stats stats;
	char err[ERR_TEXT];
	bool open;
	int last;
};

static char *temp_with(struct str bytes)
{
	char *path = strdup("/tmp/obi-read-XXXXXX");
	int fd = mkstemp(path);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, bytes.s, bytes.len), (ssize_t)bytes.len);
	close(fd);
	return path;
}

static void read_bytes(struct got *g, struct str bytes)
{
	char *path = temp_with(bytes);
	struct reader *r;

	memset(g, 0, sizeof(*g));
	g->pool = batch_pool_new(1, 4096);
	g->b = batch_get(g->pool, 0);
	r = reader_open(path, g->err);
	g->open = r;
	while (r && (g->last = reader_next(r, g->b)) > 0)
		;
	if (r)
		reader_stats(r, &g->stats);
	reader_close(r);
	unlink(path);
	free(path);
}

static void got_fini(struct got *g)
{
	batch_put(g->b);
	batch_pool_free(g->pool);
}

static const struct span *span_of(const struct got *g, unsigned int i)
{
	ck_assert_uint_lt(i, g->b->n);
	return g->b->items[i].row;
}

/* clang-format off */
static const struct {
	const char *what, *in;
	size_t len;
	unsigned int rows, bad;
	bool truncated;
	uint64_t at; /* bad_at or cut_at */
} layouts[] = {
	{ "lines", BYTES(SPAN("1") "\n" SPAN("2") "\n"), 2, 0, false, 0 },
	{ "no newline at the end", BYTES(SPAN("1")), 1, 0, false, 0 },
	{ "values without anything between", BYTES(SPAN("1") SPAN("2")), 2, 0, false, 0 },
	{ "an array", BYTES(" [" SPAN("1") ",\n" SPAN("2") "]\n"), 2, 0, false, 0 },
	{ "a byte order mark", BYTES("\xef\xbb\xbf" SPAN("1")), 1, 0, false, 0 },
	{ "DOS lines", BYTES(SPAN("1") "\r\n\r\n" SPAN("2") "\r\n"), 2, 0, false, 0 },
	{ "pretty-printed",
	  BYTES("{\n \"resourceSpans\": [\n{\n\"scopeSpans\": [ { \"spans\": [\n{ \"name\": \"x\\n\" } ] } ]\n}\n]\n}\n"),
	  1, 0, false, 0 },
	{ "snake case",
	  BYTES("{\"resource_spans\":[{\"scope_spans\":[{\"spans\":[{\"name\":\"1\",\"start_time_unix_nano\":5}]}]}]}"),
	  1, 0, false, 0 },
	{ "scope and resource last",
	  BYTES("{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{\"name\":\"1\"}],\"scope\":{\"name\":\"x\"}}],\"resource\":{\"attributes\":[]}}]}"),
	  1, 0, false, 0 },
	{ "a last line that is cut: what is whole in it counts", BYTES(SPAN("1") "\n" CUT), 2, 0, true,
	  sizeof(SPAN("1") "\n" CUT) - 1 },
	{ "a line in the middle that is cut", BYTES(SPAN("1") "\n" CUT "\n" SPAN("2") "\n"), 3, 1, false,
	  sizeof(SPAN("1")) },
	{ "a line that is no JSON", BYTES(SPAN("1") "\ngarbage }{\n" SPAN("2") "\n"), 2, 1, false,
	  sizeof(SPAN("1")) },
	{ "brackets that do not match", BYTES(SPAN("1") "\n{\"resourceSpans\":[}}\n" SPAN("2") "\n"), 2, 1,
	  false, sizeof(SPAN("1")) },
	{ "several bad lines together count once", BYTES(SPAN("1") "\nx\ny\nz\n" SPAN("2")), 2, 1, false,
	  sizeof(SPAN("1")) },
	{ "only the beginning of the first line", BYTES("{\"resourceSp"), 0, 0, true, 12 },
	{ "metrics are no rows", BYTES("{\"resourceMetrics\":[{\"a\":[]},{}]}\n" SPAN("1")), 1, 0, false, 0 },
	{ "another type where an object should be",
	  BYTES("{\"resourceSpans\":[1,[2],\"x\",{\"scopeSpans\":[null,{\"spans\":[7,{\"name\":\"1\"}]}]}]}"),
	  1, 0, false, 0 },
};
/* clang-format on */

START_TEST(json_is_read_in_any_layout)
{
	struct got g;

	read_bytes(&g, (struct str){ layouts[_i].in, layouts[_i].len });
	ck_assert_msg(g.open, "%s: %s", layouts[_i].what, g.err);
	ck_assert_msg(g.b->n == layouts[_i].rows, "%s: %u rows", layouts[_i].what, g.b->n);
	ck_assert_msg(g.stats.bad == layouts[_i].bad, "%s: %d bad", layouts[_i].what,
	              (int)g.stats.bad);
	ck_assert_msg(g.stats.truncated == layouts[_i].truncated, "%s", layouts[_i].what);
	ck_assert_msg((layouts[_i].truncated ? g.stats.cut_at : g.stats.bad_at) == layouts[_i].at,
	              "%s: at %d", layouts[_i].what,
	              (int)(layouts[_i].truncated ? g.stats.cut_at : g.stats.bad_at));
	got_fini(&g);
}
END_TEST

/* clang-format off */
static const struct {
	const char *in;
	size_t len;
	const char *says;
} refused[] = {
	{ BYTES(""), "is empty" },
	{ BYTES("hello, world\n"), "is not a recording" },
	{ BYTES("\x7f" "ELF\x02\x01\x01"), "is not a recording" },
	{ BYTES("{\"data\":[{\"traceID\":\"1\",\"spans\":[{\"spanID\":\"2\"}]}]}"), "Jaeger" },
	{ BYTES("{\"time\":\"x\",\"start_ns\":1,\"trace_id\":null}\n"), "-o json" },
	{ BYTES("{\"some\":\"thing\"}"), "holds no OTLP" },
	{ BYTES("[1,2,3]"), "holds no OTLP" },
};
/* clang-format on */

START_TEST(what_is_no_recording_is_refused_with_a_reason)
{
	struct got g;

	read_bytes(&g, (struct str){ refused[_i].in, refused[_i].len });
	ck_assert(!g.open);
	ck_assert_msg(strstr(g.err, refused[_i].says), "%s", g.err);
	got_fini(&g);
}
END_TEST

static const char foreign[] =
	"{\"resourceSpans\":[{\"resource\":{\"attributes\":["
	"{\"key\":\"service.name\",\"value\":{\"stringValue\":\"shop\"}},"
	"{\"key\":\"process.pid\",\"value\":{\"intValue\":\"7\"}},"
	"{\"key\":\"deployment.environment.name\",\"value\":{\"stringValue\":\"prod\"}}]},"
	"\"scopeSpans\":[{\"scope\":{\"name\":\"otelhttp\"},\"spans\":[{"
	"\"traceId\":\"5B8EFFF798038103D269B633813FC60C\",\"spanId\":\"eee19b7ec3c1b174\","
	"\"parentSpanId\":\"7uGbfsPBsXM=\",\"name\":\"GET /x\",\"kind\":\"SPAN_KIND_SERVER\","
	"\"startTimeUnixNano\":\"1544712660000000000\",\"endTimeUnixNano\":1544712661000000000,"
	"\"status\":{\"code\":\"STATUS_CODE_ERROR\",\"message\":\"no\"},\"attributes\":["
	"{\"key\":\"http.request.method\",\"value\":{\"stringValue\":\"GET\"}},"
	"{\"key\":\"url.path\",\"value\":{\"stringValue\":\"/x\"}},"
	"{\"key\":\"http.response.status_code\",\"value\":{\"intValue\":503}},"
	"{\"key\":\"http.route\",\"value\":{\"stringValue\":\"/{p}\"}},"
	"{\"key\":\"client.address\",\"value\":{\"stringValue\":\"10.0.0.9\"}},"
	"{\"key\":\"raw\",\"value\":{\"bytesValue\":\"/wA=\"}},"
	"{\"key\":\"list\",\"value\":{\"arrayValue\":{\"values\":[{\"intValue\":\"1\"},"
	"{\"kvlistValue\":{\"values\":[{\"value\":{\"boolValue\":true},\"key\":\"k\"}]}}]}}}"
	"]}]}]}]}";

START_TEST(spans_of_other_programs_fill_the_columns)
{
	const struct span *s;
	struct got g;

	read_bytes(&g, STR(foreign));
	s = span_of(&g, 0);
	ck_assert_uint_eq(s->trace_id[0], 0x5b);
	ck_assert_uint_eq(s->parent_span_id[0], 0xee);
	ck_assert(str_is(s->service, "shop") && s->pid == 7 && str_is(s->kind, "server"));
	ck_assert(str_is(s->proto, "http") && str_is(s->op, "GET") && str_is(s->target, "/x"));
	ck_assert(str_is(s->status, "503") && s->code == 503 && s->error == 1);
	ck_assert(str_is(s->route, "/{p}") && str_is(s->peer_name, "10.0.0.9"));
	ck_assert(str_is(s->process, "shop[7]"));
	ck_assert_int_eq(s->start_ns, 1544712660000000000);
	ck_assert_int_eq(s->dur_ns, 1000000000);
	ck_assert_uint_eq(s->flags, SPAN_F_FOREIGN);
	ck_assert(g.stats.foreign);
	ck_assert_msg(str_is(s->attrs, "{\"deployment.environment.name\":\"prod\","
	                               "\"http.request.method\":\"GET\",\"url.path\":\"/x\","
	                               "\"http.response.status_code\":503,"
	                               "\"client.address\":\"10.0.0.9\",\"raw\":\"/wA=\","
	                               "\"list\":[1,{\"k\":true}],"
	                               "\"otel.status_description\":\"no\"}"),
	              "%.*s", STR_ARG(s->attrs));
	got_fini(&g);
}
END_TEST

/* TracesData with one span named "p" of kind client; the attribute k=v. */
#define PB_SPAN \
	"\x0a\x19\x12\x17\x12\x15\x2a\x01p\x30\x03\x39\x05\0\0\0\0\0\0\0\x4a\x05\x0a\x01k\x12\0"
#define PB_LEN_ (sizeof(PB_SPAN) - 1)

START_TEST(protobuf_is_read_alone_and_in_frames)
{
	static const char single[] = PB_SPAN, framed[] = "\0\0\0\x1b" PB_SPAN "\0\0\0\x1b" PB_SPAN;
	static const char cut[] = "\0\0\0\x1b" PB_SPAN "\0\0\0\x1b\x0a\x19";
	struct got g;

	ck_assert_uint_eq(PB_LEN_, 0x1b);
	read_bytes(&g, STR(single));
	ck_assert_msg(g.open && g.b->n == 1, "%s %u", g.err, g.b->n);
	ck_assert(str_is(span_of(&g, 0)->name, "p") && str_is(span_of(&g, 0)->kind, "client"));
	ck_assert(str_is(span_of(&g, 0)->attrs, "{\"k\":null}"));
	got_fini(&g);
	read_bytes(&g, STR(framed));
	ck_assert_msg(g.open && g.b->n == 2, "%s %u", g.err, g.b->n);
	got_fini(&g);
	read_bytes(&g, STR(cut));
	ck_assert(g.b->n == 1 && g.stats.truncated);
	got_fini(&g);
}
END_TEST

/* Two frames or members one after the other, the second cut where `cut` bytes are taken away. */
static struct str packed(struct buf *b, bool zstd, size_t cut)
{
	static const char line[] = SPAN("1") "\n";

	buf_clear(b);
	for (int i = 0; i < 2; i++) {
		char *p = buf_room(b, 4096);
		uLongf n = 4096;

		if (zstd) {
			n = ZSTD_compress(p, 4096, line, sizeof(line) - 1, 3);
		} else {
			z_stream z = { 0 };

			deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, 0);
			z.next_in = (Bytef *)(uintptr_t)line;
			z.avail_in = sizeof(line) - 1;
			z.next_out = (Bytef *)p;
			z.avail_out = 4096;
			deflate(&z, Z_FINISH);
			n = z.total_out;
			deflateEnd(&z);
		}
		b->len += n;
	}
	b->len -= cut;
	return buf_slice(b);
}

START_TEST(packed_files_may_have_many_frames_and_be_cut)
{
	struct buf b = { 0 };
	struct got g;

	read_bytes(&g, packed(&b, _i, 0));
	ck_assert_msg(g.open && g.b->n == 2 && !g.stats.truncated, "%s %u", g.err, g.b->n);
	got_fini(&g);
	read_bytes(&g, packed(&b, _i, 12));
	ck_assert_msg(g.b->n >= 1 && g.stats.truncated, "%u", g.b->n);
	got_fini(&g);
	buf_free(&b);
}
END_TEST

START_TEST(a_bomb_does_not_unpack_for_ever)
{
	size_t zeros = 512 << 20, n;
	char *in = calloc(1, zeros), *out = malloc(1 << 20);
	struct got g;

	ck_assert(in && out);
	memcpy(in, CUT, sizeof(CUT) - 1);
	memset(in + sizeof(CUT) - 1, ' ', zeros - sizeof(CUT) + 1);
	n = ZSTD_compress(out, 1 << 20, in, zeros, 3);
	ck_assert(!ZSTD_isError(n));
	free(in);
	read_bytes(&g, (struct str){ out, n });
	ck_assert_int_eq(g.last, -EFBIG);
	free(out);
	got_fini(&g);
}
END_TEST

START_TEST(raw_records_are_handed_out_from_their_start)
{
	char *path = temp_with(STR("OBIRAW\r\nxyz")), err[ERR_TEXT], back[16];
	struct reader *r = reader_open(path, err);
	int fd;

	ck_assert_ptr_nonnull(r);
	ck_assert_int_eq(reader_kind(r), RECORDING_RAW);
	fd = reader_take_fd(r);
	reader_close(r);
	ck_assert_int_eq(read(fd, back, sizeof(back)), 11);
	ck_assert_mem_eq(back, "OBIRAW\r\nxyz", 11);
	close(fd);
	unlink(path);
	free(path);
}
END_TEST

START_TEST(a_pipe_is_read_as_it_comes)
{
	static const char line[] = SPAN("1") "\n";
	struct batch_pool *pool = batch_pool_new(1, 64);
	struct batch *b = batch_get(pool, 0);
	char err[ERR_TEXT];
	struct reader *r;
	int fds[2];

	ck_assert_int_eq(pipe(fds), 0);
	dup2(fds[0], STDIN_FILENO);
	ck_assert_int_eq(write(fds[1], line, sizeof(line) - 1), sizeof(line) - 1);
	r = reader_open("-", err);
	ck_assert_msg(r, "%s", err);
	ck_assert_int_eq(reader_next(r, b), 1); /* though the pipe is still open */
	close(fds[1]);
	ck_assert_int_eq(reader_next(r, b), 0);
	reader_close(r);
	batch_put(b);
	batch_pool_free(pool);
}
END_TEST

Suite *reader_suite(void)
{
	Suite *s = suite_create("reader");
	TCase *t = tcase_create("reader");

	tcase_set_timeout(t, 30);
	tcase_add_loop_test(t, json_is_read_in_any_layout, 0, sizeof(layouts) / sizeof(layouts[0]));
	tcase_add_loop_test(t, what_is_no_recording_is_refused_with_a_reason, 0,
	                    sizeof(refused) / sizeof(refused[0]));
	tcase_add_test(t, spans_of_other_programs_fill_the_columns);
	tcase_add_test(t, protobuf_is_read_alone_and_in_frames);
	tcase_add_loop_test(t, packed_files_may_have_many_frames_and_be_cut, 0, 2);
	tcase_add_test(t, a_bomb_does_not_unpack_for_ever);
	tcase_add_test(t, raw_records_are_handed_out_from_their_start);
	tcase_add_test(t, a_pipe_is_read_as_it_comes);
	suite_add_tcase(s, t);
	return s;
}
