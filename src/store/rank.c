// SPDX-License-Identifier: GPL-3.0-or-later
/* rank - groups in an order, with rates and shares. */
#include "store/rank.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"

static const struct rank_column columns[RANK_COLS] = {
	[RANK_COUNT] = { "count", "COUNT", "requests in the window", true },
	[RANK_RATE] = { "rate", "RATE/s", "requests a second", false },
	[RANK_ERRORS] = { "errors", "ERRORS", "of them failed", true },
	[RANK_ERROR_PCT] = { "error_pct", "ERR%", "share that failed", false },
	[RANK_P50] = { "p50_ms", "P50 ms", "half of all took no longer", false },
	[RANK_P95] = { "p95_ms", "P95 ms", "95 of 100 took no longer", false },
	[RANK_P99] = { "p99_ms", "P99 ms", "99 of 100 took no longer", false },
	[RANK_MAX] = { "max_ms", "MAX ms", "the slowest", false },
	[RANK_TOTAL_PCT] = { "total_pct", "TOTAL%", "share of the time of all requests", false },
	[RANK_WINDOW] = { "window_s", "WINDOW s", "seconds that were counted", false },
	[RANK_MEAN] = { "mean_ms", "MEAN ms", "mean duration", false },
	[RANK_REQ_BYTES] = { "req_bytes", "REQ B", "bytes of requests", true },
	[RANK_RESP_BYTES] = { "resp_bytes", "RESP B", "bytes of answers", true },
	[RANK_RATE_CHANGE] = { "rate_change", "RATE+%", "rate: change since the baseline", false },
	[RANK_ERROR_CHANGE] = { "error_change", "ERR+",
	                        "share that failed: change in points since the baseline", false },
	[RANK_P50_CHANGE] = { "p50_change", "P50+%", "p50: change since the baseline", false },
	[RANK_P95_CHANGE] = { "p95_change", "P95+%", "p95: change since the baseline", false },
};

const struct rank_column *rank_column(enum rank_col c)
{
	return (unsigned int)c < RANK_COLS ? &columns[c] : NULL;
}

enum rank_col rank_col_of(const char *name)
{
	unsigned int i = 0;

	while (i < RANK_COLS && strcmp(columns[i].name, name) != 0)
		i++;
	return (enum rank_col)i;
}

/* ---- values ---- */

static double ms(int64_t ns)
{
	return ns == COL_NULL ? NAN : (double)ns / 1e6;
}

static double share(double part, double whole)
{
	return whole > 0 ? 100 * part / whole : NAN;
}

static double plain(const struct rank *r, const struct agg_row *a, enum rank_col c)
{
	const struct agg_row *all = &r->answer.total;

	switch (c) {
	case RANK_COUNT:
		return (double)a->count;
	case RANK_RATE:
		return r->seconds > 0 ? (double)a->count / r->seconds : NAN;
	case RANK_ERRORS:
		return (double)a->errors;
	case RANK_ERROR_PCT:
		return share((double)a->errors, (double)a->count);
	case RANK_P50:
		return ms(a->p50_ns);
	case RANK_P95:
		return ms(a->p95_ns);
	case RANK_P99:
		return ms(a->p99_ns);
	case RANK_MAX:
		return ms(a->max_ns);
	case RANK_TOTAL_PCT:
		return all->timed && all->sum_ns > 0
		               ? share(a->timed ? (double)a->sum_ns : 0, (double)all->sum_ns)
		               : NAN;
	case RANK_WINDOW:
		return r->seconds > 0 ? r->seconds : NAN;
	case RANK_MEAN:
		return a->timed ? (double)a->sum_ns / 1e6 / (double)a->timed : NAN;
	case RANK_REQ_BYTES:
		return (double)a->req_bytes;
	case RANK_RESP_BYTES:
		return (double)a->resp_bytes;
	default:
		return NAN;
	}
}

static double change(const struct rank *r, const struct rank_row *row, enum rank_col c)
{
	double now, then;

	if (!row->base || !r->base)
		return NAN;
	now = plain(r, &row->row, c);
	then = plain(r->base, row->base, c);
	if (c == RANK_ERROR_PCT)
		return now - then;
	return then > 0 ? 100 * (now - then) / then : NAN;
}

double rank_value(const struct rank *r, const struct rank_row *row, enum rank_col c)
{
	switch (c) {
	case RANK_RATE_CHANGE:
		return change(r, row, RANK_RATE);
	case RANK_ERROR_CHANGE:
		return change(r, row, RANK_ERROR_PCT);
	case RANK_P50_CHANGE:
		return change(r, row, RANK_P50);
	case RANK_P95_CHANGE:
		return change(r, row, RANK_P95);
	default:
		return plain(r, &row->row, c);
	}
}

uint64_t rank_id_of(const struct str *by, unsigned int n)
{
	uint64_t h = 1;

	for (unsigned int i = 0; i < n; i++)
		h = (h ^ (by[i].s ? str_hash(by[i].s, by[i].len) : 2)) * 0xff51afd7ed558ccd + i;
	return h | 1;
}

uint64_t rank_id(const struct rank *r, const struct rank_row *row)
{
	return row->rest ? 2 : rank_id_of(row->row.by, r->nby);
}

/* ---- order ---- */

struct order {
	const struct rank *r;
	enum rank_col col;
	int by; /* >= 0: by the text of this one */
	bool asc;
};

/* Unknown is least. */
static int by_text(struct str a, struct str b)
{
	size_t n = a.len < b.len ? a.len : b.len;
	int c = n ? memcmp(a.s, b.s, n) : 0;

	if (!a.s != !b.s)
		return a.s ? 1 : -1;
	return c ? c : (a.len > b.len) - (a.len < b.len);
}

static int by_all(const struct agg_row *a, const struct agg_row *b)
{
	for (unsigned int i = 0; i < AGG_BY; i++) {
		int c = by_text(a->by[i], b->by[i]);

		if (c)
			return c;
	}
	return 0;
}

static int compare(const void *x, const void *y, void *ctx)
{
	const struct rank_row *a = x, *b = y;
	const struct order *o = ctx;
	double va = 0, vb = 0;
	int c;

	if (o->by >= 0) {
		c = by_text(a->row.by[o->by], b->row.by[o->by]);
	} else {
		va = rank_value(o->r, a, o->col);
		vb = rank_value(o->r, b, o->col);
		c = (va > vb) - (va < vb);
	}
	if (isnan(va) != isnan(vb)) /* what is unknown comes last, either way */
		return isnan(va) ? 1 : -1;
	if (c)
		return o->asc ? c : -c;
	if (a->row.count != b->row.count)
		return a->row.count < b->row.count ? 1 : -1;
	return by_all(&a->row, &b->row);
}

static void sort(struct rank *r, const struct rank_spec *spec)
{
	struct order o = { .r = r, .col = RANK_TOTAL_PCT, .by = -1, .asc = spec->asc };

	for (unsigned int i = 0; spec->sort && i < r->nby; i++)
		if (!strcmp(r->by[i], spec->sort))
			o.by = (int)i;
	if (spec->sort && o.by < 0)
		o.col = rank_col_of(spec->sort);
	qsort_r(r->rows, r->n, sizeof(*r->rows), compare, &o);
}

/* ---- the baseline ---- */

static int sorted_order(const void *a, const void *b)
{
	return by_all(*(const struct agg_row *const *)a, *(const struct agg_row *const *)b);
}

static int index_rows(struct rank *r)
{
	r->sorted = reallocarray(NULL, r->answer.n + 1, sizeof(*r->sorted));
	if (!r->sorted)
		return -ENOMEM;
	for (size_t i = 0; i < r->answer.n; i++)
		r->sorted[i] = &r->answer.rows[i];
	qsort(r->sorted, r->answer.n, sizeof(*r->sorted), sorted_order);
	return 0;
}

static const struct agg_row *find(const struct rank *r, const struct agg_row *row)
{
	const struct agg_row **at =
		bsearch(&row, r->sorted, r->answer.n, sizeof(*r->sorted), sorted_order);

	return at ? *at : NULL;
}

/* ---- taking an answer ---- */

/* What the kept rows leave of the total. */
static void subtract(struct agg_row *rest, const struct rank *r, size_t kept)
{
	bool any;

	*rest = r->answer.total;
	rest->groups = 0;
	for (size_t i = kept; i < r->n; i++)
		rest->groups += r->rows[i].row.groups;
	any = rest->sum_ns != COL_NULL;
	for (size_t i = 0; i < kept; i++) {
		const struct agg_row *k = &r->rows[i].row;

		rest->count -= k->count;
		rest->errors -= k->errors;
		rest->timed -= k->timed;
		rest->req_bytes -= k->req_bytes;
		rest->resp_bytes -= k->resp_bytes;
		if (any && k->sum_ns != COL_NULL)
			rest->sum_ns -= k->sum_ns;
		for (unsigned int j = 0; j < r->answer.spark; j++)
			rest->spark[j] -= k->spark[j];
	}
	memset(rest->by, 0, sizeof(rest->by));
	rest->other = true;
	rest->sum_ns = rest->timed ? rest->sum_ns : COL_NULL;
	rest->max_ns = rest->p50_ns = rest->p95_ns = rest->p99_ns = COL_NULL;
}

static int keep_top(struct rank *r, struct agg_view *v, size_t top)
{
	struct agg_row rest;
	int err;

	if (!top || r->n <= top)
		return 0;
	subtract(&rest, r, top);
	err = rank_rest(v, r->rows, top, &rest);
	r->rows[top] = (struct rank_row){ .row = rest, .rest = true };
	r->n = top + 1;
	return err;
}

void rank_time(struct rank *r, const struct rank_spec *spec)
{
	int64_t from = r->answer.from_ns, to = r->answer.to_ns;

	from = spec->first_ns > from ? spec->first_ns : from;
	to = spec->end_ns > 0 && spec->end_ns < to ? spec->end_ns : to;
	r->seconds = to > from ? (double)(to - from) / 1e9 : 0;
}

int rank_take(struct rank *r, struct agg_view *v, struct agg_answer *a, const char *const *by,
              const struct rank_spec *spec)
{
	int err;

	*r = (struct rank){ .answer = *a, .base = spec->base, .n = a->n };
	*a = (struct agg_answer){ 0 };
	while (r->nby < AGG_BY && by[r->nby]) {
		r->by[r->nby] = by[r->nby];
		r->nby++;
	}
	rank_time(r, spec);
	r->rows = calloc(r->n + 1, sizeof(*r->rows));
	err = r->rows ? index_rows(r) : -ENOMEM;
	if (err)
		return err;
	for (size_t i = 0; i < r->n; i++)
		r->rows[i] = (struct rank_row){
			.row = r->answer.rows[i],
			.base = spec->base ? find(spec->base, &r->answer.rows[i]) : NULL,
		};
	sort(r, spec);
	err = keep_top(r, v, spec->top);
	for (size_t i = 0; i < r->n && !err && spec->alert; i++) {
		int holds = rank_expr_run(spec->alert, r, &r->rows[i]);

		err = holds < 0 ? holds : 0;
		r->rows[i].alert = holds > 0;
	}
	return err;
}

void rank_free(struct rank *r)
{
	agg_answer_free(&r->answer);
	free(r->rows);
	free(r->sorted);
	*r = (struct rank){ 0 };
}

/* ---- texts ---- */

static void thousands(struct buf *out, uint64_t n)
{
	if (n >= 1000) {
		thousands(out, n / 1000);
		buf_fmt(out, ",%03u", (unsigned int)(n % 1000));
	} else {
		buf_fmt(out, "%u", (unsigned int)n);
	}
}

void rank_text(enum rank_col c, double value, struct buf *out)
{
	bool changes = c >= RANK_RATE_CHANGE;

	if (isnan(value))
		buf_ch(out, '-');
	else if (columns[c].whole)
		thousands(out, (uint64_t)value);
	else if (changes)
		buf_fmt(out, "%+.*f", c == RANK_ERROR_CHANGE ? 1 : 0, value);
	else if (c == RANK_ERROR_PCT || c == RANK_TOTAL_PCT || c == RANK_WINDOW)
		buf_fmt(out, "%.1f", value);
	else if (c == RANK_RATE && value >= 10)
		thousands(out, (uint64_t)(value + 0.5));
	else if (c == RANK_RATE)
		buf_fmt(out, "%.*f", value >= 1 ? 1 : 2, value);
	else
		buf_fmt(out, "%.*f", value >= 10 ? 1 : value >= 1 ? 2 : 3, value);
}

void rank_name(const struct rank_row *row, unsigned int i, struct buf *out)
{
	if (row->rest && i)
		return;
	if (row->rest) {
		buf_z(out, "(other: ");
		thousands(out, row->row.groups);
		buf_z(out, row->row.groups == 1 ? " group)" : " groups)");
	} else if (row->row.by[i].s) {
		buf_str(out, row->row.by[i]);
	} else {
		buf_ch(out, '-');
	}
}

/* ---- names ---- */

int rank_sort(const char *sort, const char *const *by, char name[RANK_NAME], struct rank_spec *spec,
              char *err)
{
	size_t len = strcspn(sort, ":");
	const char *tail = sort + len;
	struct buf names = { 0 };

	snprintf(name, RANK_NAME, "%.*s", (int)len, sort);
	spec->sort = name;
	spec->asc = !strcmp(tail, ":asc");
	if (*tail && !spec->asc && strcmp(tail, ":desc") != 0)
		return err_set(err, EINVAL, "a sort is COL or COL:asc, not \"%s\"", sort);
	for (unsigned int i = 0; i < AGG_BY && by[i]; i++)
		if (!strcmp(by[i], name)) {
			spec->asc = strcmp(tail, ":desc") != 0;
			return 0;
		}
	if (rank_col_of(name) < RANK_RATE_CHANGE)
		return 0;
	for (unsigned int i = 0; i < RANK_RATE_CHANGE; i++)
		buf_fmt(&names, ", %s", columns[i].name);
	err_set(err, EINVAL, "cannot sort by %s; there are %s%.*s", name, by[0],
	        STR_ARG(buf_slice(&names)));
	buf_free(&names);
	return -EINVAL;
}

static int no_column(struct str name, char *err)
{
	struct buf b = { 0 };

	for (size_t i = 0; agg_column(i); i++)
		buf_fmt(&b, "%s%s", i ? ", " : "", agg_column(i)->name);
	err_set(err, EINVAL, "cannot group by %.*s; there are %.*s", STR_ARG(name),
	        STR_ARG(buf_slice(&b)));
	buf_free(&b);
	return -EINVAL;
}

int rank_by(const char *names, const char *by[AGG_BY], char *err)
{
	int n = 0;

	for (unsigned int i = 0; i < AGG_BY; i++)
		by[i] = NULL;
	while (*names) {
		size_t len = strcspn(names, ","), i = 0;

		while (agg_column(i) && (strlen(agg_column(i)->name) != len ||
		                         memcmp(agg_column(i)->name, names, len) != 0))
			i++;
		if (!agg_column(i))
			return no_column((struct str){ names, len }, err);
		if (n == AGG_BY)
			return err_set(err, EINVAL, "at most %d columns to group by", AGG_BY);
		by[n++] = agg_column(i)->name;
		names += len + (names[len] == ',');
	}
	return n ? n : err_set(err, EINVAL, "no column to group by");
}

const char *rank_by_of(struct str proto)
{
	static const char *const units[][2] = {
		{ "http", "route" },       { "http2", "route" },        { "grpc", "name" },
		{ "websocket", "route" },  { "fastcgi", "route" },      { "mysql", "query" },
		{ "postgresql", "query" }, { "redis", "op,key" },       { "memcached", "op,key" },
		{ "nats", "topic,kind" },  { "kafka", "topic,kind" },   { "mqtt", "topic,kind" },
		{ "amqp", "topic,kind" },  { "mssql", "query" },        { "mongodb", "query" },
		{ "cassandra", "query" },  { "couchbase", "op,query" }, { "dns", "name" },
	};

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (str_is(proto, units[i][0]))
			return units[i][1];
	return NULL;
}

/* A text of the capture as a literal; a NUL inside ends a statement, so it goes in as hex. */
static void literal(struct buf *out, struct str s)
{
	if (memchr(s.s, 0, s.len)) {
		buf_z(out, "cast(x'");
		buf_hex(out, s.s, s.len);
		buf_z(out, "' as text)");
		return;
	}
	buf_ch(out, '\'');
	for (size_t i = 0; i < s.len; i++) {
		if (s.s[i] == '\'')
			buf_ch(out, '\'');
		buf_ch(out, s.s[i]);
	}
	buf_ch(out, '\'');
}

bool rank_where(const struct rank *r, const struct rank_row *row, struct buf *out)
{
	if (row->rest || row->row.other)
		return false;
	for (unsigned int i = 0; i < r->nby; i++) {
		buf_fmt(out, "%s%s", i ? " and " : "", r->by[i]);
		if (row->row.by[i].s) {
			buf_z(out, " = ");
			literal(out, row->row.by[i]);
		} else {
			buf_z(out, " is null");
		}
	}
	return r->nby > 0;
}
