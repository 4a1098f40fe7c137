// SPDX-License-Identifier: GPL-3.0-or-later
/* ingest - what a filter that fails at run time does to the rows. */
#include <stdio.h>

#include "base/err.h"
#include "ingest.h"
#include "tests/unit/suites.h"

static char warned[256];
static unsigned int warnings;

static void on_warning(void *ctx, enum level level, const char *text)
{
	(void)ctx, (void)level;
	snprintf(warned, sizeof(warned), "%s", text);
	warnings++;
}

static void keep_batch(void *ctx, struct batch *b)
{
	*(struct batch **)ctx = b;
}

/* What stays of spans with these codes, as digits of 100. */
static void check_filter(const char *expr, const int64_t *codes, unsigned int n, const char *want,
                         uint64_t undecided)
{
	struct batch *out = NULL;
	struct ingest_opts o = { .emit = keep_batch,
		                 .ctx = &out,
		                 .tally = tally_new(),
		                 .pool = batch_pool_new(2, 64),
		                 .filter = expr };
	char err[ERR_TEXT] = "", got[16] = "";
	struct ingest *g = ingest_new(&o, err);
	struct batch *b = batch_get(o.pool, 0);
	struct ingest_stats st;

	ck_assert_msg(g != NULL, "%s", err);
	for (unsigned int i = 0; i < n; i++)
		((struct span *)batch_add(b, TABLE_SPANS))->code = codes[i];
	ingest_batch(g, b);
	for (unsigned int i = 0; i < out->n; i++)
		got[i] = (char)('0' + ((struct span *)out->items[i].row)->code / 100);
	ck_assert_str_eq(got, want);
	ingest_stats(g, &st);
	ck_assert_uint_eq(st.undecided, undecided);
	batch_put(out);
	ingest_free(g);
	tally_free(o.tally);
	batch_pool_free(o.pool);
}

START_TEST(spans_that_a_filter_fails_on_are_shown_and_counted_and_told_once)
{
	/* abs() of the smallest number is an error while running */
	static const char expr[] = "code = 200 or abs(code - 9223372036854775807 - 301) < 0";
	static const int64_t codes[] = { 200, 300, 400, 200, 300 };

	err_set_sink(on_warning, NULL);
	check_filter("code = 200", codes, 5, "22", 0);
	ck_assert_uint_eq(warnings, 0);
	check_filter(expr, codes, 5, "2323", 2);
	ck_assert_uint_eq(warnings, 1);
	ck_assert_ptr_nonnull(strstr(warned, "integer overflow"));
	err_set_sink(NULL, NULL);
}
END_TEST

Suite *ingest_suite(void)
{
	Suite *s = suite_create("ingest");
	TCase *t = tcase_create("ingest");

	tcase_add_test(t, spans_that_a_filter_fails_on_are_shown_and_counted_and_told_once);
	suite_add_tcase(s, t);
	return s;
}
