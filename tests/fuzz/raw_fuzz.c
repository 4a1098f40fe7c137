// SPDX-License-Identifier: GPL-3.0-or-later
/* raw_fuzz - a raw recording through every stage up to the rows. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/err.h"
#include "ingest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void drop(void *ctx, struct batch *b)
{
	(void)ctx;
	batch_put(b);
}

static int on_record(void *ctx, const struct ev_head *rec, size_t size)
{
	ingest_record(ctx, rec, size, 0);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ingest_opts o = { .emit = drop,
		                 .tally = tally_new(),
		                 .pool = batch_pool_new(4, 64) };
	struct capture_stats stats;
	char err[ERR_TEXT] = "";
	int fd = memfd_create("raw", 0);
	struct ingest *g;
	struct capture *c;

	if (fd < 0 || write(fd, data, size) != (ssize_t)size || lseek(fd, 0, SEEK_SET))
		abort();
	c = capture_replay(fd, err);
	g = ingest_new(&o, err);
	if (!c && !err[0])
		abort(); /* refused is fine, without a reason is not */
	while (c && capture_poll(c, 0, on_record, g) > 0)
		;
	if (c) {
		capture_stats(c, &stats);
		ingest_finish(g, &stats);
	}
	capture_close(c);
	ingest_free(g);
	tally_free(o.tally);
	batch_pool_free(o.pool);
	return 0;
}
