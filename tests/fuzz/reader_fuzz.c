// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * reader_fuzz - any bytes as a recording.
 *
 * Whatever comes in, the reader ends, its rows can be written again, and what
 * was written is read back without damage and with as many rows.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/err.h"
#include "read/reader.h"
#include "write/otlp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ROWS = 64 };

static void check(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "reader_fuzz: %s\n", what);
	abort();
}

/* An anonymous file with these bytes, as a path that can be opened. */
static int file_with(const void *p, size_t n, char path[64])
{
	int fd = memfd_create("recording", MFD_CLOEXEC);

	check(fd >= 0 && write(fd, p, n) == (ssize_t)n, "cannot make a file");
	snprintf(path, 64, "/proc/self/fd/%d", fd);
	return fd;
}

static int keep(void *ctx, enum otlp_signal signal, struct str message, unsigned int rows)
{
	struct buf *out = ctx;
	uint32_t n = (uint32_t)message.len;
	const uint8_t head[4] = { (uint8_t)(n >> 24), (uint8_t)(n >> 16), (uint8_t)(n >> 8),
		                  (uint8_t)n };

	(void)signal, (void)rows;
	if (out->len && *out->p != '{')
		buf_add(out, head, 4);
	else if (!out->len && *message.s != '{')
		buf_add(out, head, 4);
	buf_str(out, message);
	return 0;
}

/* All rows of a recording; each batch goes to the encoder, if there is one. */
static uint64_t read_all(const char *path, struct otlp_enc *again, struct read_stats *stats)
{
	struct batch_pool *pool = batch_pool_new(1, ROWS);
	struct reader *r = reader_open(path, NULL);
	uint64_t rows = 0;
	int n;

	memset(stats, 0, sizeof(*stats));
	while (r) {
		struct batch *b = batch_get(pool, 0);

		n = reader_next(r, b);
		check(n <= ROWS && (n < 0 || (unsigned int)n == b->n), "more rows than room");
		rows += n > 0 ? (uint64_t)n : 0;
		if (n > 0 && again)
			check(!otlp_batch(again, b), "rows cannot be written");
		batch_put(b);
		if (n <= 0)
			break;
	}
	if (r)
		reader_stats(r, stats);
	reader_close(r);
	batch_pool_free(pool);
	return rows;
}

static void again_as(const struct otlp_backend *be, const char *path)
{
	struct buf out = { 0 };
	struct otlp_enc e;
	struct read_stats first, second;
	uint64_t rows;
	char back[64];
	int fd;

	otlp_init(&e, be, NULL, keep, &out);
	rows = read_all(path, &e, &first);
	otlp_fini(&e);
	if (rows) {
		fd = file_with(out.p, out.len, back);
		check(read_all(back, NULL, &second) == rows, "rows are lost on the way");
		check(!second.bad && !second.truncated, "what was written is damaged");
		close(fd);
	}
	buf_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char path[64];
	int fd = file_with(data, size, path);

	again_as(size & 1 ? &otlp_json : &otlp_pb, path);
	close(fd);
	return 0;
}
