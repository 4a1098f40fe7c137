// SPDX-License-Identifier: GPL-3.0-or-later
/* ask - the answers of SQL as text. */
#include "tests/unit/ask.h"

#include <check.h>
#include <stdlib.h>

struct batch *ask_batch(unsigned int n)
{
	struct batch_pool *p = batch_pool_new(1, n);

	ck_assert_ptr_nonnull(p);
	return batch_get(p, -1);
}

void ask_batch_free(struct batch *b)
{
	struct batch_pool *p = b->pool;

	batch_put(b);
	batch_pool_free(p);
}

/* A NUL would end the answer. */
static void add_text(struct buf *b, struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		buf_ch(b, s.s[i] ? s.s[i] : '~');
}

static int add_row(void *ctx, int n, const char *const *texts, const int *lens, const int *types)
{
	for (int i = 0; i < n; i++) {
		if (i)
			buf_ch(ctx, '|');
		if (types[i] == 5)
			buf_ch(ctx, '-');
		else
			add_text(ctx, (struct str){ texts[i], (size_t)lens[i] });
	}
	buf_ch(ctx, '\n');
	return 0;
}

const char *ask(struct sqlh *q, const char *sql)
{
	static struct buf out;
	struct sql_sink sink = { .row = add_row, .ctx = &out };
	char err[ERR_TEXT] = "";
	int e;

	buf_clear(&out);
	e = sql_run(q, sql, &sink, err);
	if (e) {
		buf_clear(&out);
		buf_fmt(&out, "error %d: %s", -e, err);
	}
	buf_ch(&out, '\0');
	return out.p;
}

const char *ask_store(struct store *s, const char *sql)
{
	struct sqlh *q = sql_open(s, NULL);
	const char *answer;

	ck_assert_ptr_nonnull(q);
	answer = ask(q, sql);
	sql_close(q);
	return answer;
}
