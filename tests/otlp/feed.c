// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * feed - a recording, or made-up rows, into any writer: feed IN OUT.
 *
 * IN   file, or made:ROWS:SEED
 * OUT  file by its ending, http://..., json:FILE, csv:FILE, text:FILE ("-" is stdout)
 *
 * Prints what was lost. For the tests beside it, which need no capture.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/err.h"
#include "read/reader.h"
#include "tests/unit/rows.h"
#include "write/writer.h"

static void print_warning(void *ctx, enum level level, const char *text)
{
	(void)ctx, (void)level;
	fprintf(stderr, "feed: %s\n", text);
}

static const struct writer *writer_of(const char *out, const char **path)
{
	static const struct {
		const char *prefix;
		const struct writer *writer;
	} kinds[] = { { "json:", &writer_json },
		      { "csv:", &writer_csv },
		      { "text:", &writer_text } };

	*path = out;
	for (size_t i = 0; i < 3; i++) {
		if (strncmp(out, kinds[i].prefix, strlen(kinds[i].prefix)) != 0)
			continue;
		*path = out + strlen(kinds[i].prefix);
		return kinds[i].writer;
	}
	if (!strncmp(out, "http", 4) || !strcmp(out, "env:")) {
		*path = *out == 'e' ? NULL : out;
		return &writer_otlp_http;
	}
	return writer_for(out);
}

/* The next rows of IN in b: their number. */
static int next_rows(struct reader *r, unsigned int *left, unsigned int *seed, struct batch *b)
{
	unsigned int cap = b->cap;

	if (r)
		return reader_next(r, b);
	b->cap = *left < cap ? *left : cap;
	rows_fill(b, (*seed)++, true);
	b->cap = cap;
	*left -= b->n;
	return (int)b->n;
}

/* FEED_WAIT_S seconds, so that retries come to an end before close. */
static void wait_for_retries(void)
{
	uint64_t seconds = 0;

	if (str_u64(str_of(getenv("FEED_WAIT_S")), &seconds))
		nanosleep(&(struct timespec){ (time_t)seconds, 0 }, NULL);
}

static int feed(struct reader *r, unsigned int rows, unsigned int seed, const struct writer *w,
                const char *path)
{
	static const struct run_info run = { .version = "0.1", .cmdline = "feed", .host = "test" };
	struct batch_pool *pool = batch_pool_new(2, 512);
	struct writer_opts o = { .path = path, .fd = -1, .tables = true, .run = &run };
	char err[ERR_TEXT] = "";
	void *state;
	int n = 0, e = w->open(&o, &state, err);

	while (!e) {
		struct batch *b = batch_get(pool, -1);

		n = next_rows(r, &rows, &seed, b);
		if (n > 0)
			e = w->rows(state, b);
		batch_put(b);
		if (n <= 0)
			break;
	}
	if (!*err) {
		wait_for_retries();
		fprintf(stderr, "feed: lost %llu\n", (unsigned long long)w->lost(state));
		e = w->close(state, err);
	}
	if (*err)
		fprintf(stderr, "feed: %s\n", err);
	batch_pool_free(pool);
	return e || n < 0 ? 1 : 0;
}

int main(int argc, char **argv)
{
	unsigned int rows = 0, seed = 0;
	const struct writer *w;
	struct reader *r = NULL;
	char err[ERR_TEXT] = "";
	const char *path;
	int status;

	err_set_sink(print_warning, NULL);
	w = argc == 3 ? writer_of(argv[2], &path) : NULL;
	if (!w) {
		fprintf(stderr, "usage: feed IN|made:ROWS:SEED OUT\n");
		return 2;
	}
	if (sscanf(argv[1], "made:%u:%u", &rows, &seed) != 2) {
		r = reader_open(argv[1], err);
		if (!r) {
			fprintf(stderr, "feed: %s\n", err);
			return 1;
		}
	}
	status = feed(r, rows, seed, w, path);
	if (r) {
		struct read_stats s;

		reader_stats(r, &s);
		fprintf(stderr,
		        "feed: bad %llu at %llu truncated %d logs %llu metrics %llu foreign %d\n",
		        (unsigned long long)s.bad, (unsigned long long)s.bad_at, s.truncated,
		        (unsigned long long)s.logs, (unsigned long long)s.metrics, s.foreign);
		reader_close(r);
	}
	return status;
}
