// SPDX-License-Identifier: GPL-3.0-or-later
/* json_test - the reader against jansson, its limits, and the writer. */
#include <check.h>
#include <math.h>
#include <stdlib.h>

#include "base/json.h"
#include "tests/unit/guard.h"
#include "tests/unit/oracle.h"

#include "tests/unit/suites.h"

/* What the reader says of a whole text: written again from its tokens; "" where it is none. */
static struct str again(struct buf *b, struct str text)
{
	buf_clear(b);
	json_value(b, text);
	return str_is(buf_slice(b), "null") && !str_is(str_trim(text), "null") ? STR("")
	                                                                       : buf_slice(b);
}

/* clang-format off */
static const char *const texts[] = {
	"{}", "[]", "null", " true ", "false", "0", "-0", "12", "-1.5e+10", "1E5", "\"\"", "\"a\"",
	"[1,2,3]", "{\"a\":1}", "{\"a\":{\"b\":[{},[],{\"c\":null}]}}", "[[[[[[]]]]]]",
	"\"\\u00e9\\ud83d\\ude00\\n\\\"\\\\\\/\"", "\t{ \"a\" :\r\n[ 1 , \"x\" ] } ",
	"{\"a\":\"\xc3\xbc\"}", "[1.0,0.001,1e-7,123456789012345]",
	/* none of these is JSON */
	"", " ", "{", "[", "}", "]", "[1", "[1,", "[1,]", "{\"a\"", "{\"a\":", "{\"a\":1", "{\"a\":1,",
	"{\"a\":1,}", "{a:1}", "{\"a\" 1}", "{1:2}", "[1 2]", "01", "-", "+1", "1.", ".5", "1e", "1e+",
	"nul", "nulll", "tru", "True", "\"", "\"a", "\"\\", "\"\\x\"", "\"\\u12\"", "\"\\u12g4\"",
	"\"a\nb\"", "\"\x01\"", "{}{}", "[] []", "1 2", "[}", "{]", "{\"a\":[}", "'a'", "[,1]", "{,}",
	"NaN", "Infinity", "// x\n1", "\"a\"b", "--1", "1-", "0x10",
};
/* clang-format on */

START_TEST(is_of_one_mind_with_jansson)
{
	size_t len = strlen(texts[_i]);
	struct str text = { guarded(texts[_i], len), len };
	bool want = oracle_takes(texts[_i], len);
	struct buf b = { 0 };
	struct str s = again(&b, text);

	ck_assert_msg(want == !!s.len, "jansson %s: %s", want ? "takes" : "refuses", texts[_i]);
	if (want)
		ck_assert_msg(oracle_same(texts[_i], len, s.s, s.len), "%s -> %.*s", texts[_i],
		              STR_ARG(s));
	buf_free(&b);
}
END_TEST

START_TEST(every_cut_of_a_text_is_cut_and_not_bad)
{
	static const char whole[] = "{\"a\":[1,-2.5e3,\"x\\u00e9\\n\",true,false,null,{\"b\":{}}]}";

	for (size_t n = 0; n < sizeof(whole) - 1; n++) {
		struct json j = json_of((struct str){ guarded(whole, n), n });

		while (json_next(&j) > JSON_DONE)
			;
		ck_assert_msg(j.tok == JSON_CUT, "cut at %zu: %d", n, j.tok);
	}
}
END_TEST

/* Any mutation of a good text: no crash, and the same verdict as jansson's. */
START_TEST(mutations_are_taken_or_refused_as_jansson_does)
{
	static const char whole[] =
		"{\"k\":[1,-2.5e3,\"x\\u00e9\",true,null,{\"b\":{}}],\"z\":\"y\"}";
	static const char with[] = "{}[],:\"\\0aeE+-. tfn";
	struct buf b = { 0 };

	for (unsigned int i = 0; i < 20000; i++) {
		char copy[sizeof(whole)];
		struct str s;
		bool want;

		memcpy(copy, whole, sizeof(whole));
		for (unsigned int k = 0; k < 1 + i % 3; k++)
			copy[(i * 2654435761u >> (8 + k)) % (sizeof(whole) - 1)] =
				with[(i * 40503u >> (4 + k)) % (sizeof(with) - 1)];
		want = oracle_takes(copy, sizeof(whole) - 1);
		s = again(&b, (struct str){ guarded(copy, sizeof(whole) - 1), sizeof(whole) - 1 });
		ck_assert_msg(want == !!s.len, "jansson %s: %s", want ? "takes" : "refuses", copy);
	}
	buf_free(&b);
}
END_TEST

START_TEST(too_deep_is_bad)
{
	char deep[2 * JSON_DEPTH];
	struct json j;

	memset(deep, '[', sizeof(deep));
	j = json_of((struct str){ deep, sizeof(deep) });
	for (unsigned int i = 1; i < JSON_DEPTH; i++)
		ck_assert_int_eq(json_next(&j), JSON_ARR);
	ck_assert_int_eq(json_next(&j), JSON_BAD);
	ck_assert_int_eq(json_next(&j), JSON_BAD);
}
END_TEST

START_TEST(a_string_that_is_too_long_is_bad)
{
	size_t len = JSON_STRING + 3;
	char *text = malloc(len);
	struct json j;

	memset(text, 'x', len);
	text[0] = text[len - 1] = '"';
	j = json_of((struct str){ text, len });
	ck_assert_int_eq(json_next(&j), JSON_BAD);
	text[1] = '"';
	j = json_of((struct str){ text + 1, len - 1 });
	ck_assert_int_eq(json_next(&j), JSON_STR);
	free(text);
}
END_TEST

START_TEST(members_can_be_skipped)
{
	struct json j = json_of(STR("{\"a\":[1,{\"b\":2}],\"c\":\"d\",\"e\":5}"));

	ck_assert_int_eq(json_next(&j), JSON_OBJ);
	ck_assert_int_eq(json_next(&j), JSON_KEY);
	ck_assert(json_skip(&j));
	ck_assert_int_eq(json_next(&j), JSON_KEY);
	ck_assert(str_is(j.text, "c"));
	ck_assert(json_skip(&j));
	ck_assert_int_eq(json_next(&j), JSON_KEY);
	ck_assert(json_skip(&j));
	ck_assert_int_eq(json_next(&j), JSON_OBJ_END);
	ck_assert_int_eq(json_next(&j), JSON_DONE);
	ck_assert_int_eq(json_next(&j), JSON_DONE);
}
END_TEST

static const struct {
	const char *text;
	bool is_int;
	int64_t want;
} ints[] = {
	{ "0", true, 0 },
	{ "-0", true, 0 },
	{ "9223372036854775807", true, INT64_MAX },
	{ "-9223372036854775808", true, INT64_MIN },
	{ "9223372036854775808", false, 0 },
	{ "-9223372036854775809", false, 0 },
	{ "1e3", true, 1000 },
	{ "5.0", true, 5 },
	{ "5.5", false, 0 },
	{ "1e30", false, 0 },
	{ "", false, 0 },
	{ "-", false, 0 },
	{ "x", false, 0 },
	{ "0x10", false, 0 },
	{ "12 ", false, 0 },
	{ "nan", false, 0 },
};

START_TEST(integers_fit_or_are_none)
{
	int64_t got = 0;

	ck_assert_msg(json_i64(str_of(ints[_i].text), &got) == ints[_i].is_int, "%s",
	              ints[_i].text);
	ck_assert_int_eq(got, ints[_i].want);
}
END_TEST

START_TEST(real_numbers_read_back_as_they_were)
{
	static const double numbers[] = { 0,      -0.0, 1,       0.1,    1.0 / 3,   1e300,
		                          5e-324, 1e-6, -2.5e-5, 123456, 0.0000123, 1e15,
		                          1e16,   1e-9, 9.99e-5, 4.35,   1e22,      -7 };

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		struct buf b = { 0 };
		double d = 1;

		json_num(&b, numbers[i]);
		ck_assert_msg(json_f64(buf_slice(&b), &d) && d == numbers[i], "%.*s",
		              STR_ARG(buf_slice(&b)));
		ck_assert(!json_is_int(buf_slice(&b)));
		buf_free(&b);
	}
}
END_TEST

START_TEST(milliseconds_are_exact)
{
	static const struct {
		int64_t ns;
		const char *want;
	} cases[] = {
		{ 0, "0" },          { 1, "0.000001" }, { 1500000, "1.5" },
		{ -1, "-0.000001" }, { 1000000, "1" },  { INT64_MAX, "9223372036854.775807" }
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf b = { 0 };

		json_ms(&b, cases[i].ns);
		ck_assert(str_is(buf_slice(&b), cases[i].want));
		buf_free(&b);
	}
}
END_TEST

START_TEST(any_bytes_become_valid_text)
{
	char bytes[256], *back;
	struct buf b = { 0 };
	size_t len = 0;

	for (unsigned int i = 0; i < 256; i++)
		bytes[i] = (char)i;
	json_str(&b, (struct str){ bytes, 256 });
	ck_assert(str_is_utf8(buf_slice(&b)));
	back = oracle_string(b.p, b.len, &len);
	ck_assert_ptr_nonnull(back);
	ck_assert_uint_eq(len, 128 + 128 * 3);
	ck_assert_mem_eq(back, bytes, 128);
	free(back);
	buf_free(&b);
}
END_TEST

START_TEST(a_lone_surrogate_becomes_a_replacement)
{
	struct json j = json_of(STR("\"\\ud83d \\ude00 \\ud83d\\u0041\""));
	struct arena a = { 0 };

	ck_assert_int_eq(json_next(&j), JSON_STR);
	ck_assert(str_is(json_text(&j, &a), "\xef\xbf\xbd \xef\xbf\xbd \xef\xbf\xbd"
	                                    "A"));
	arena_free(&a);
}
END_TEST

Suite *json_suite(void)
{
	Suite *s = suite_create("json");
	TCase *t = tcase_create("reader"), *w = tcase_create("writer");

	tcase_add_loop_test(t, is_of_one_mind_with_jansson, 0, sizeof(texts) / sizeof(texts[0]));
	tcase_add_test(t, every_cut_of_a_text_is_cut_and_not_bad);
	tcase_add_test(t, mutations_are_taken_or_refused_as_jansson_does);
	tcase_add_test(t, too_deep_is_bad);
	tcase_add_test(t, a_string_that_is_too_long_is_bad);
	tcase_add_test(t, members_can_be_skipped);
	tcase_add_loop_test(t, integers_fit_or_are_none, 0, sizeof(ints) / sizeof(ints[0]));
	tcase_add_test(t, a_lone_surrogate_becomes_a_replacement);
	tcase_add_test(w, real_numbers_read_back_as_they_were);
	tcase_add_test(w, milliseconds_are_exact);
	tcase_add_test(w, any_bytes_become_valid_text);
	suite_add_tcase(s, t);
	suite_add_tcase(s, w);
	return s;
}
