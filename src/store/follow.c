// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * follow - each row of a table that fits an expression, once.
 *
 * Without an expression the rows are read where they lie; with one, a prepared
 * statement runs over a snapshot that holds nothing but the slice, so that the
 * expression means what it means everywhere.
 */
#include "store/follow.h"

#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/err.h"
#include "store/expr.h"

enum { STEPS = 1000 }; /* of SQLite, between two looks at ->cancel */

/* How far a segment was looked at. */
struct follow_place {
	uint64_t number;
	unsigned int n;
};

static bool stopped(void *ctx)
{
	return __atomic_load_n(&((struct follow *)ctx)->cancel, __ATOMIC_RELAXED);
}

static int progress(void *ctx)
{
	return stopped(ctx);
}

int follow_init(struct follow *f, struct store *s, enum table t, const char *where, char *err)
{
	int e = where ? expr_check(where, t, err) : 0;

	f->table = t;
	f->src.store = s;
	f->src.stop = stopped;
	f->src.ctx = f;
	if (e || !where)
		return e;
	f->db = query_open(&f->src, &f->denied);
	if (!f->db)
		return err_set(err, ENOMEM, "out of memory");
	sqlite3_progress_handler(f->db, STEPS, progress, f);
	return expr_prepare(f->db, t, where, &f->denied, &f->st, err);
}

void follow_fini(struct follow *f)
{
	sqlite3_finalize(f->st);
	sqlite3_close(f->db);
	vtab_unpin(&f->src);
	free(f->looked);
	f->st = NULL;
	f->db = NULL;
	f->looked = NULL;
}

void follow_cancel(struct follow *f)
{
	__atomic_store_n(&f->cancel, true, __ATOMIC_RELAXED);
}

static int take_all(struct follow *f, const struct pinned *p)
{
	int err = 0;

	for (unsigned int i = p->first; i < p->n && !err; i++)
		if (segment_alive(p->seg, i, f->src.snap.seq))
			err = f->row(f->ctx, p->seg, i);
	return err;
}

static int take_fitting(struct follow *f, struct pinned *p)
{
	struct snapshot all = f->src.snap, slice = { .seq = all.seq };
	int rc = SQLITE_DONE, err = 0;

	slice.pins[f->table] = p;
	slice.npins[f->table] = 1;
	f->src.snap = slice;
	while (!err && (rc = sqlite3_step(f->st)) == SQLITE_ROW)
		err = f->row(f->ctx, p->seg,
		             (unsigned int)(sqlite3_column_int64(f->st, 0) % SEGMENT_ROWS));
	sqlite3_reset(f->st);
	f->src.snap = all;
	if (err || rc == SQLITE_DONE)
		return err;
	return rc == SQLITE_INTERRUPT ? -ECANCELED : rc == SQLITE_NOMEM ? -ENOMEM : -EINVAL;
}

static int take(struct follow *f, const struct pinned *p, struct follow_place *at)
{
	struct pinned slice = *p;
	int err;

	slice.first = at->n;
	if (stopped(f))
		return -ECANCELED;
	err = f->db ? take_fitting(f, &slice) : take_all(f, &slice);
	if (!err)
		at->n = p->n;
	if (!err && f->done)
		f->done(f->ctx);
	if (err && f->undo)
		f->undo(f->ctx);
	return err;
}

/* One entry a segment of the snapshot, with what is known of it. */
static int note_segments(struct follow *f)
{
	unsigned int n = f->src.snap.npins[f->table], old = 0;
	struct follow_place *now = calloc(n + 1, sizeof(*now));

	if (!now)
		return -ENOMEM;
	for (unsigned int i = 0; i < n; i++) {
		now[i].number = f->src.snap.pins[f->table][i].seg->number;
		for (; old < f->nlooked && f->looked[old].number < now[i].number; old++)
			f->left += f->looked[old].n;
		if (old < f->nlooked && f->looked[old].number == now[i].number)
			now[i].n = f->looked[old++].n;
	}
	free(f->looked);
	f->looked = now;
	f->nlooked = n;
	return 0;
}

/* The newest slices first, until the time is spent. */
static int take_slices(struct follow *f, int budget_ms)
{
	uint64_t until = clock_ns() + (uint64_t)(budget_ms > 0 ? budget_ms : 0) * 1000000;
	bool spent = false;
	int err = 0;

	f->seen = f->total = 0;
	for (unsigned int i = f->nlooked; i-- > 0;) {
		const struct pinned *p = &f->src.snap.pins[f->table][i];
		bool skipped = f->looked[i].n < p->n && f->skip && f->skip(f->ctx, p);

		if (!err && !spent && !skipped && f->looked[i].n < p->n) {
			err = take(f, p, &f->looked[i]);
			spent = clock_ns() >= until;
		}
		f->seen += skipped ? p->n : f->looked[i].n;
		f->total += p->n;
	}
	f->complete = f->seen == f->total;
	return err;
}

static int failed(struct follow *f, int e, char *err)
{
	if (e == -ECANCELED) {
		__atomic_store_n(&f->cancel, false, __ATOMIC_RELAXED);
		return err_set(err, ECANCELED, "canceled");
	}
	if (e == -EINVAL && f->db)
		return err_set(err, EINVAL, "%s", sqlite3_errmsg(f->db));
	return e == -ENOMEM ? err_set(err, ENOMEM, "out of memory") : e;
}

int follow_update(struct follow *f, int budget_ms, char *err)
{
	int e = vtab_pin(&f->src);

	if (!e) {
		f->seq = f->src.snap.seq;
		e = note_segments(f);
	}
	if (!e) {
		if (f->begin)
			f->begin(f->ctx);
		e = take_slices(f, budget_ms);
	}
	vtab_unpin(&f->src);
	return e ? failed(f, e, err) : !f->complete;
}
