// SPDX-License-Identifier: GPL-3.0-or-later
/* functions - SQL functions of one row, and what the names of all are. */
#include "store/functions.h"

#include <arpa/inet.h>
#include <stdio.h>

const char *functions_name(unsigned int i)
{
	static const char *const names[] = {
		"percentile", "p50", "p95",   "p99", "median", "hist",  "sparkline",  "rate",
		"span_secs",  "dur", "bytes", "ts",  "hexid",  "unhex", "cidr_match",
	};

	return i < sizeof(names) / sizeof(names[0]) ? names[i] : NULL;
}

static bool is_number(sqlite3_value *v)
{
	int type = sqlite3_value_numeric_type(v);

	return type == SQLITE_INTEGER || type == SQLITE_FLOAT;
}

static void result(sqlite3_context *ctx, const char *text)
{
	sqlite3_result_text(ctx, text, -1, SQLITE_TRANSIENT);
}

/* Three digits that count, in the largest unit that keeps one before the point. */
static void scaled(char *out, size_t n, double v, double step, const char *const *units, int nunits)
{
	int i = 0;

	while (i + 1 < nunits && (v >= step || v <= -step)) {
		v /= step;
		i++;
	}
	if (!i)
		snprintf(out, n, "%.0f%s", v, units[i]);
	else
		snprintf(out, n, "%.*f%s",
		         v < 10 && v > -10     ? 2
		         : v < 100 && v > -100 ? 1
		                               : 0,
		         v, units[i]);
}

static void f_dur(sqlite3_context *ctx, int argc, sqlite3_value **argv)
{
	static const char *const units[] = { "ns", "us", "ms", "s" };
	char text[64];

	(void)argc;
	if (!is_number(argv[0]))
		return;
	scaled(text, sizeof(text), sqlite3_value_double(argv[0]), 1000, units, 4);
	result(ctx, text);
}

static void f_bytes(sqlite3_context *ctx, int argc, sqlite3_value **argv)
{
	static const char *const units[] = { "", "K", "M", "G", "T", "P" };
	char text[64];

	(void)argc;
	if (!is_number(argv[0]))
		return;
	scaled(text, sizeof(text), sqlite3_value_double(argv[0]), 1024, units, 6);
	result(ctx, text);
}

static void f_ts(sqlite3_context *ctx, int argc, sqlite3_value **argv)
{
	struct cell cell;
	int64_t ns;

	(void)argc;
	if (!is_number(argv[0]))
		return;
	ns = sqlite3_value_int64(argv[0]);
	cell_of(COL_AT, &ns, &cell);
	if (cell.kind == CELL_TEXT)
		sqlite3_result_text(ctx, cell.text.s, (int)cell.text.len, SQLITE_TRANSIENT);
}

static void f_hexid(sqlite3_context *ctx, int argc, sqlite3_value **argv)
{
	const void *p = sqlite3_value_blob(argv[0]);
	int n = sqlite3_value_bytes(argv[0]);
	struct buf b = { 0 };

	(void)argc;
	if (sqlite3_value_type(argv[0]) == SQLITE_NULL)
		return;
	buf_hex(&b, p ? p : "", (size_t)n);
	sqlite3_result_text(ctx, b.p ? b.p : "", (int)b.len, SQLITE_TRANSIENT);
	buf_free(&b);
}

static int hex_digit(char c)
{
	return c >= '0' && c <= '9'                 ? c - '0'
	       : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10
	                                            : -1;
}

/* NULL where it is no hex, as SQLite's own unhex() from 3.41. */
static void f_unhex(sqlite3_context *ctx, int argc, sqlite3_value **argv)
{
	const char *p = (const char *)sqlite3_value_text(argv[0]);
	int n = sqlite3_value_bytes(argv[0]);
	char *out;

	(void)argc;
	if (!p || n % 2)
		return;
	out = sqlite3_malloc(n / 2 + 1);
	if (!out) {
		sqlite3_result_error_nomem(ctx);
		return;
	}
	for (int i = 0; i < n / 2; i++) {
		int hi = hex_digit(p[2 * i]), lo = hex_digit(p[2 * i + 1]);

		if (hi < 0 || lo < 0) {
			sqlite3_free(out);
			return;
		}
		out[i] = (char)(hi << 4 | lo);
	}
	sqlite3_result_blob(ctx, out, n / 2, sqlite3_free);
}

struct address {
	uint8_t bytes[16]; /* IPv4 as ::ffff:a.b.c.d */
	unsigned int bits; /* of the prefix */
};

static bool parse_address(const char *text, struct address *a)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	const char *slash = strchr(text, '/');
	char host[64];
	uint64_t bits = 0;
	bool v4;

	snprintf(host, sizeof(host), "%.*s", (int)(slash ? slash - text : 63), text);
	memcpy(a->bytes, mapped, sizeof(mapped));
	v4 = inet_pton(AF_INET, host, a->bytes + 12) == 1;
	if (!v4 && inet_pton(AF_INET6, host, a->bytes) != 1)
		return false;
	if (slash && (!str_u64(str_of(slash + 1), &bits) || bits > (v4 ? 32 : 128)))
		return false;
	a->bits = slash ? (unsigned int)bits + (v4 ? 96 : 0) : 128;
	return true;
}

static void f_cidr_match(sqlite3_context *ctx, int argc, sqlite3_value **argv)
{
	const char *ip = (const char *)sqlite3_value_text(argv[0]);
	const char *net = (const char *)sqlite3_value_text(argv[1]);
	struct address a, n;
	bool match = true;

	(void)argc;
	if (!ip || !net)
		return;
	if (!parse_address(net, &n)) {
		sqlite3_result_error(ctx,
		                     "cidr_match: the second argument is no network; "
		                     "write '10.0.0.0/8'",
		                     -1);
		return;
	}
	if (!parse_address(ip, &a))
		return; /* a Unix socket's path */
	for (unsigned int i = 0; i < n.bits && match; i++)
		match = !((a.bytes[i / 8] ^ n.bytes[i / 8]) & 0x80 >> i % 8);
	sqlite3_result_int(ctx, match);
}

/* Bounds of start_ns in one segment; false where no row has one. */
static bool bounds(const struct pinned *p, int64_t *lo, int64_t *hi)
{
	unsigned int start = (unsigned int)p->seg->l->start;

	if (p->sealed && p->seg->min_ns != COL_NULL) {
		*lo = p->seg->min_ns;
		*hi = p->seg->max_ns;
		return true;
	}
	*lo = INT64_MAX;
	*hi = INT64_MIN;
	for (unsigned int row = 0; row < p->n; row++) {
		int64_t v = segment_int(p->seg, row, start);

		if (v != COL_NULL && v < *lo)
			*lo = v;
		if (v > *hi)
			*hi = v;
	}
	return *hi != INT64_MIN;
}

double functions_span_secs(struct vtab_source *src)
{
	int64_t lo = INT64_MAX, hi = INT64_MIN, a, b;

	if (!src->store || vtab_pin(src))
		return -1;
	for (unsigned int i = 0; i < src->snap.npins[TABLE_SPANS]; i++) {
		if (!bounds(&src->snap.pins[TABLE_SPANS][i], &a, &b))
			continue;
		lo = a < lo ? a : lo;
		hi = b > hi ? b : hi;
	}
	return hi < lo ? -1 : ((double)hi - (double)lo) / 1e9;
}

static void f_span_secs(sqlite3_context *ctx, int argc, sqlite3_value **argv)
{
	double secs = functions_span_secs(sqlite3_user_data(ctx));

	(void)argc, (void)argv;
	if (secs >= 0)
		sqlite3_result_double(ctx, secs);
}

int functions_register(sqlite3 *db, struct vtab_source *src)
{
	static const struct {
		const char *name;
		int argc;
		void (*fn)(sqlite3_context *ctx, int argc, sqlite3_value **argv);
	} list[] = {
		{ "dur", 1, f_dur },
		{ "bytes", 1, f_bytes },
		{ "ts", 1, f_ts },
		{ "hexid", 1, f_hexid },
		{ "unhex", 1, f_unhex },
		{ "cidr_match", 2, f_cidr_match },
		{ "span_secs", 0, f_span_secs },
	};
	int rc = SQLITE_OK;

	for (size_t i = 0; i < sizeof(list) / sizeof(list[0]) && !rc; i++)
		rc = sqlite3_create_function_v2(db, list[i].name, list[i].argc,
		                                SQLITE_UTF8 | SQLITE_DETERMINISTIC |
		                                        SQLITE_INNOCUOUS,
		                                src, list[i].fn, NULL, NULL, NULL);
	return rc;
}
