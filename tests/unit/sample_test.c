// SPDX-License-Identifier: GPL-3.0-or-later
/* sample - the thresholds of the specification, parents, tracestate, and exact counts. */
#include <errno.h>
#include <stdio.h>

#include "base/err.h"
#include "ingest.h"
#include "store/agg.h"
#include "tests/unit/suites.h"

static const struct {
	const char *ratio, *th; /* as `th` says it; NULL: none */
} thresholds[] = {
	{ "1", "0" },
	{ "0.5", "8" },
	{ "0.3333333333333333", "aaab" },
	{ "0.1", "e666" },
	{ "0.01", "fd70a" },
	{ "1e-3", "ffbe77" },
	{ "0.0001", "fff9724" },
	{ "0.25", "c" },
	{ "0.0625", "f" },
	{ "0", NULL },
	{ "1e-300", NULL },
	{ "0.1:legacy", NULL },
};

START_TEST(thresholds_are_those_of_the_specification)
{
	struct sampler s;
	char th[15];
	bool has;

	ck_assert(sample_parse(str_of(thresholds[_i].ratio), &s));
	ck_assert(s.parent_based);
	has = sample_threshold(&s, th);
	ck_assert_int_eq(has, thresholds[_i].th != NULL);
	if (has)
		ck_assert_str_eq(th, thresholds[_i].th);
}
END_TEST

START_TEST(what_is_no_ratio_is_refused)
{
	static const char *const bad[] = { "",     "1.1",     "-0.1",    "nan",
		                           "half", "0.1:old", ":legacy", "1/10" };
	struct sampler s;

	ck_assert_msg(!sample_parse(str_of(bad[_i]), &s), "%s", bad[_i]);
}
END_TEST

START_TEST(the_names_of_the_variable_are_known)
{
	struct sampler s = { 0 };

	ck_assert(!sample_named(STR("always_on"), STR_NULL, &s) && !sample_wanted(&s));
	ck_assert(!sample_named(STR("parentbased_always_on"), STR_NULL, &s) && sample_wanted(&s));
	ck_assert(!sample_named(STR("always_off"), STR_NULL, &s) && s.how == SAMPLE_NONE);
	ck_assert(!sample_named(STR("traceidratio"), STR("0.5"), &s) && !s.parent_based);
	ck_assert(!sample_named(STR("parentbased_traceidratio"), STR_NULL, &s) && s.parent_based);
	ck_assert(s.how == SAMPLE_RATIO && s.ratio == 1);
	ck_assert_int_eq(sample_named(STR("parentbased_traceidratio"), STR("2"), &s), -EINVAL);
	ck_assert_int_eq(sample_named(STR("jaeger_remote"), STR_NULL, &s), -EINVAL);
}
END_TEST

static const struct {
	const char *what, *ratio;
	uint64_t id; /* the low half of the trace id */
	bool parent, unsampled;
	const char *attrs;
	bool keep;
	const char *want; /* attrs of a kept span */
} spans[] = {
	{ "a high id", "0.5", 0x0080000000000000, 0, 0, NULL, true,
	  "{\"w3c.tracestate\":\"ot=th:8\"}" },
	{ "a low id", "0.5", 0xff7fffffffffffff, 0, 0, NULL, false, NULL },
	{ "all of them", "1", 0, 0, 0, "{\"a\":1}", true,
	  "{\"a\":1,\"w3c.tracestate\":\"ot=th:0\"}" },
	{ "none of them", "0", ~0ull, 0, 0, NULL, false, NULL },
	{ "a sampled parent", "0", 0, true, false, "{\"w3c.tracestate\":\"ot=th:c,x=y\"}", true,
	  "{\"w3c.tracestate\":\"ot=th:c,x=y\"}" },
	{ "an unsampled parent", "1", ~0ull, true, true, NULL, false, NULL },
	{ "randomness of its own", "0.5", 0, 0, 0,
	  "{\"w3c.tracestate\":\"x=y, ot=rv:80000000000000;th:c\",\"b\":\"\\\"\"}", true,
	  "{\"b\":\"\\\"\",\"w3c.tracestate\":\"ot=th:8;rv:80000000000000,x=y\"}" },
	{ "the same, too low", "0.5", ~0ull, 0, 0, "{\"w3c.tracestate\":\"ot=rv:7fffffffffffff\"}",
	  false, NULL },
	{ "no rv that is one", "0.5", ~0ull, 0, 0, "{\"w3c.tracestate\":\"ot=rv:7f\"}", true,
	  "{\"w3c.tracestate\":\"ot=th:8;rv:7f\"}" },
	{ "legacy keeps the other end", "0.5:legacy", 0x7fffffffffffffff, 0, 0, NULL, true, NULL },
	{ "and no other", "0.5:legacy", 0x8000000000000000, 0, 0, NULL, false, NULL },
	{ "and says nothing", "1:legacy", 0, 0, 0, "{\"w3c.tracestate\":\"ot=th:8\"}", true, NULL },
	{ "attrs that are no object stay", "1", 0, 0, 0, "[1", true, "[1" },
};

START_TEST(a_span_is_kept_by_its_parent_or_its_id)
{
	struct batch_pool *pool = batch_pool_new(1, 4);
	struct batch *b = batch_get(pool, 0);
	struct span *row = batch_add(b, TABLE_SPANS);
	struct sampler s;

	ck_assert(sample_parse(str_of(spans[_i].ratio), &s));
	for (int i = 0; i < 8; i++)
		row->trace_id[8 + i] = (uint8_t)(spans[_i].id >> (56 - 8 * i));
	row->parent_span_id[0] = spans[_i].parent;
	row->flags = spans[_i].unsampled ? SPAN_F_UNSAMPLED : 0;
	row->attrs = str_of(spans[_i].attrs);
	ck_assert_msg(sample_span(&s, row, b) == spans[_i].keep, "%s", spans[_i].what);
	if (spans[_i].keep && spans[_i].want)
		ck_assert_msg(str_is(row->attrs, spans[_i].want), "%s: %.*s", spans[_i].what,
		              STR_ARG(row->attrs));
	else if (spans[_i].keep)
		ck_assert_ptr_null(row->attrs.s);
	batch_put(b);
	batch_pool_free(pool);
}
END_TEST

/* ---- in the pipeline ---- */

static void keep_batch(void *ctx, struct batch *b)
{
	*(struct batch **)ctx = b;
}

/* 100 spans of a millisecond, every other one an error, and a row of another table in between. */
static void fill(struct batch *b)
{
	for (int i = 0; i < 100; i++) {
		struct span *s = batch_add(b, TABLE_SPANS);

		s->proto = STR("http");
		s->trace_id[9] = (uint8_t)(i * 256 / 100);
		s->dur_ns = 1000000;
		s->start_ns = i;
		s->error = i & 1;
		if (i == 50)
			batch_add(b, TABLE_CONNECTIONS);
	}
}

/* With a filter (hidden ones do not count), and with a limit of rows. */
static void check_counts(const char *filter, uint64_t limit, uint64_t shown, uint64_t out)
{
	struct batch *got = NULL;
	struct ingest_opts o = { .emit = keep_batch,
		                 .ctx = &got,
		                 .tally = tally_new(),
		                 .pool = batch_pool_new(2, 128),
		                 .filter = filter,
		                 .limit = limit,
		                 .sampler = { SAMPLE_RATIO, true, 0.25 } };
	struct tally_counts *t = malloc(sizeof(*t));
	struct batch *b = batch_get(o.pool, 0);
	char err[ERR_TEXT] = "";
	struct ingest *g = ingest_new(&o, err);
	int64_t last = -1;

	ck_assert_msg(g && t, "%s", err);
	fill(b);
	ingest_batch(g, b);
	tally_get(o.tally, t);
	ck_assert_uint_eq(t->shown, shown);
	ck_assert_uint_eq(t->sampled_out, out);
	ck_assert_uint_eq(t->dur.count, shown + out);
	ck_assert_uint_eq(got->n, shown + 1);
	ck_assert_uint_eq(got->left_out, out);
	for (unsigned int i = 0; i < got->n; i++) { /* in their order */
		const struct span *s = got->items[i].row;

		if (got->items[i].table != TABLE_SPANS)
			continue;
		ck_assert_int_gt(s->start_ns, last);
		last = s->start_ns;
	}
	batch_put(got);
	ingest_free(g);
	tally_free(o.tally);
	batch_pool_free(o.pool);
	free(t);
}

START_TEST(what_is_sampled_out_is_counted)
{
	check_counts(NULL, 0, 25, 75);
	check_counts("error", 0, 13, 37);
	check_counts(NULL, 10, 10, 75);
	check_counts("error", 10, 10, 37);
}
END_TEST

START_TEST(groups_are_of_all_spans)
{
	struct batch_pool *pool = batch_pool_new(1, 8);
	struct batch *b = batch_get(pool, 0);
	struct store *store = store_new(1 << 20);
	struct agg *agg = agg_new(store, 1 << 20);
	struct agg_stats st;

	for (int i = 0; i < 5; i++)
		((struct span *)batch_add(b, TABLE_SPANS))->start_ns = 1;
	b->n = 2;
	b->left_out = 3;
	ck_assert_int_eq(store_add(store, b), 0);
	ck_assert_int_eq(agg_add(agg, b), 0);
	agg_stats(agg, &st);
	ck_assert_uint_eq(st.spans, 5);
	batch_put(b);
	agg_free(agg);
	store_free(store);
	batch_pool_free(pool);
}
END_TEST

Suite *sample_suite(void)
{
	Suite *s = suite_create("sample");
	TCase *t = tcase_create("sample");

	tcase_add_loop_test(t, thresholds_are_those_of_the_specification, 0,
	                    sizeof(thresholds) / sizeof(thresholds[0]));
	tcase_add_loop_test(t, what_is_no_ratio_is_refused, 0, 8);
	tcase_add_test(t, the_names_of_the_variable_are_known);
	tcase_add_loop_test(t, a_span_is_kept_by_its_parent_or_its_id, 0,
	                    sizeof(spans) / sizeof(spans[0]));
	tcase_add_test(t, what_is_sampled_out_is_counted);
	tcase_add_test(t, groups_are_of_all_spans);
	suite_add_tcase(s, t);
	return s;
}
