// SPDX-License-Identifier: GPL-3.0-or-later
/* lines - writers of one line a row. */
#include "write/lines.h"

#include <errno.h>

int lines_open(struct lines *l, const struct writer_opts *o, char *err)
{
	l->sink = sink_open(o, NULL, SINK_PLAIN, err);
	return l->sink ? 0 : -errno;
}

int lines_write(struct lines *l)
{
	return l->text.failed ? -ENOMEM : sink_write(l->sink, buf_slice(&l->text));
}

int lines_close(struct lines *l, char *err)
{
	int e = l->sink ? sink_close(l->sink, err) : 0;

	buf_free(&l->text);
	return e;
}

int lines_rows(void *state, const struct batch *b)
{
	struct lines *l = state;
	uint64_t rows = 0;
	int err;

	buf_clear(&l->text);
	for (unsigned int i = 0; i < b->n; i++) {
		if (b->items[i].table != TABLE_SPANS && !l->tables)
			continue;
		l->put(l, b->items[i].table, b->items[i].row);
		rows++;
	}
	l->given += rows;
	err = lines_write(l);
	if (!err)
		l->written += rows;
	return err;
}

int lines_flush(void *state)
{
	return sink_flush(((struct lines *)state)->sink);
}

uint64_t lines_lost(void *state)
{
	const struct lines *l = state;

	return l->given - l->written;
}
