// SPDX-License-Identifier: GPL-3.0-or-later
/* answer - a statement that runs on a thread of its own, and the rows it gave. */
#include "ui/answer.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/err.h"

struct answer {
	struct sqlh *sql;
	char *text;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t finished;
	bool done; /* under the lock; what follows belongs to the thread until then */
	bool stop; /* atomic */

	struct answer_rows rows;
	struct arena mem;
	size_t cap, bytes;
	uint64_t begun_ns;
	int error;
	char err[ERR_TEXT];
};

/* ---- on the thread ---- */

static int take_head(void *ctx, int n, const char *const *names)
{
	struct answer *a = ctx;

	/* Of several statements the last one counts. */
	a->rows.n = 0;
	a->rows.ncols = (unsigned int)n;
	a->rows.names = arena_alloc(&a->mem, ((size_t)n + 1) * sizeof(*a->rows.names));
	if (!a->rows.names)
		return -ENOMEM;
	for (int i = 0; i < n; i++) {
		struct str s = str_of(names[i]);
		char *p = arena_alloc(&a->mem, s.len + 1);

		if (!p)
			return -ENOMEM;
		memcpy(p, s.s ? s.s : "", s.len);
		p[s.len] = 0;
		a->rows.names[i] = p;
	}
	free(a->rows.cells);
	a->rows.cells = NULL;
	a->cap = 0;
	return 0;
}

static bool make_room(struct answer *a)
{
	size_t cap = a->cap ? a->cap * 2 : 256;
	struct answer_cell *p;

	if (a->rows.n < a->cap)
		return true;
	p = reallocarray(a->rows.cells, cap * (a->rows.ncols ? a->rows.ncols : 1), sizeof(*p));
	if (!p)
		return false;
	a->rows.cells = p;
	a->cap = cap;
	return true;
}

static int take_row(void *ctx, int n, const char *const *texts, const int *lens, const int *types)
{
	enum { INTEGER = 1, FLOAT = 2 };
	struct answer *a = ctx;
	struct answer_cell *c;

	if (a->rows.n == ANSWER_ROWS || a->bytes > ANSWER_BYTES) {
		a->rows.more = true;
		return -EFBIG;
	}
	if (__atomic_load_n(&a->stop, __ATOMIC_RELAXED) || !make_room(a))
		return -ECANCELED;
	c = a->rows.cells + a->rows.n * a->rows.ncols;
	for (int i = 0; i < n; i++, c++) {
		struct str s = { texts[i], texts[i] ? (size_t)lens[i] : 0 };

		s = arena_str(&a->mem, s);
		*c = (struct answer_cell){ s.s, (uint32_t)s.len,
			                   types[i] == INTEGER || types[i] == FLOAT };
		a->bytes += s.len;
	}
	a->rows.n++;
	return 0;
}

static void *run(void *arg)
{
	struct answer *a = arg;
	struct sql_sink sink = { .head = take_head, .row = take_row, .ctx = a };
	int e = sql_run(a->sql, a->text, &sink, a->err);

	a->error = a->rows.more ? 0 : e;
	a->rows.read = sql_rows_read(a->sql);
	a->rows.ms = (double)(clock_ns() - a->begun_ns) / 1e6;
	pthread_mutex_lock(&a->lock);
	a->done = true;
	pthread_cond_signal(&a->finished);
	pthread_mutex_unlock(&a->lock);
	return NULL;
}

/* ---- on the loop's ---- */

static struct answer *fail(struct answer *a, int e)
{
	sql_close(a->sql);
	free(a->text);
	free(a);
	errno = e;
	return NULL;
}

struct answer *answer_start(struct store *s, const char *sql, const struct answer_param *params,
                            size_t nparams)
{
	struct sql_limits limits = { .timeout_ms = ANSWER_PATIENCE };
	struct answer *a = calloc(1, sizeof(*a));
	pthread_condattr_t attr;
	int e = 0;

	if (!a)
		return NULL;
	a->text = strdup(sql);
	a->sql = sql_open(s, &limits);
	if (!a->text || !a->sql)
		return fail(a, ENOMEM);
	for (size_t i = 0; i < nparams && !e; i++)
		e = sql_param(a->sql, params[i].name, params[i].value);
	if (e)
		return fail(a, ENOMEM);
	a->begun_ns = clock_ns();
	pthread_mutex_init(&a->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&a->finished, &attr);
	pthread_condattr_destroy(&attr);
	if (!pthread_create(&a->thread, NULL, run, a))
		return a;
	pthread_cond_destroy(&a->finished);
	pthread_mutex_destroy(&a->lock);
	return fail(a, EAGAIN);
}

bool answer_wait(struct answer *a, int ms)
{
	struct timespec end;
	bool done;

	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_nsec += ms % 1000 * 1000000L;
	end.tv_sec += ms / 1000 + end.tv_nsec / 1000000000L;
	end.tv_nsec %= 1000000000L;
	pthread_mutex_lock(&a->lock);
	while (!a->done && pthread_cond_timedwait(&a->finished, &a->lock, &end) != ETIMEDOUT)
		;
	done = a->done;
	pthread_mutex_unlock(&a->lock);
	return done;
}

void answer_cancel(struct answer *a)
{
	__atomic_store_n(&a->stop, true, __ATOMIC_RELAXED);
	sql_cancel(a->sql);
}

int answer_error(const struct answer *a, char *err)
{
	return a->error ? err_set(err, -a->error, "%s", a->err) : 0;
}

const struct answer_rows *answer_rows(const struct answer *a)
{
	return &a->rows;
}

int answer_column(const struct answer *a, const char *name)
{
	for (unsigned int i = 0; i < a->rows.ncols; i++)
		if (!strcmp(a->rows.names[i], name))
			return (int)i;
	return -1;
}

struct str answer_text(const struct answer *a, size_t row, int column)
{
	const struct answer_cell *c;

	if (column < 0 || row >= a->rows.n)
		return STR_NULL;
	c = &a->rows.cells[row * a->rows.ncols + (unsigned int)column];
	return (struct str){ c->s, c->len };
}

double answer_seconds(const struct answer *a)
{
	return (double)(clock_ns() - a->begun_ns) / 1e9;
}

void answer_free(struct answer *a)
{
	if (!a)
		return;
	/* A statement that has not begun yet does not hear of it the first time. */
	do
		answer_cancel(a);
	while (!answer_wait(a, 2));
	pthread_join(a->thread, NULL);
	pthread_cond_destroy(&a->finished);
	pthread_mutex_destroy(&a->lock);
	sql_close(a->sql);
	free(a->rows.cells);
	arena_free(&a->mem);
	free(a->text);
	free(a);
}
