// SPDX-License-Identifier: GPL-3.0-or-later
/* str_test - slices, the growing buffer, and text that must not reach a terminal raw. */
#include <stdio.h>

#include "guard.h"
#include "suites.h"
#include "base/str.h"

START_TEST(unknown_is_not_empty)
{
	ck_assert_ptr_null(str_of(NULL).s);
	ck_assert(!str_is(STR_NULL, ""));
	ck_assert(str_is(STR(""), ""));
	ck_assert(str_eq(STR_NULL, STR("")));
}
END_TEST

START_TEST(case_is_folded_in_ascii_only)
{
	ck_assert(str_iis(STR("HoSt"), "host"));
	ck_assert(str_istarts(STR("BEARER x"), "bearer "));
	ck_assert(!str_istarts(STR("BEA"), "bearer"));
	ck_assert(!str_iis(STR("\xc4"), "\xe4"));
	ck_assert(!str_ieq(STR("ab"), STR("abc")));
	ck_assert(!str_iis(STR("["), "{")); /* differ in bit 5, but are no letters */
}
END_TEST

START_TEST(blanks_are_trimmed_at_both_ends)
{
	ck_assert(str_is(str_trim(STR(" \t a b\t ")), "a b"));
	ck_assert_uint_eq(str_trim(STR(" \t ")).len, 0);
}
END_TEST

static const struct {
	const char *text;
	bool ok;
	uint64_t v;
} numbers[] = {
	{ "0", true, 0 },
	{ "00042", true, 42 },
	{ "18446744073709551615", true, UINT64_MAX },
	{ "18446744073709551616", false, 0 },
	{ "99999999999999999999", false, 0 },
	{ "", false, 0 },
	{ "-1", false, 0 },
	{ "+1", false, 0 },
	{ "1 ", false, 0 },
	{ "0x1", false, 0 },
};

START_TEST(numbers_are_whole_or_refused)
{
	uint64_t v = 7;

	ck_assert_int_eq(str_u64(str_of(numbers[_i].text), &v), numbers[_i].ok);
	ck_assert_uint_eq(v, numbers[_i].ok ? numbers[_i].v : 7);
}
END_TEST

START_TEST(a_hash_is_never_zero_and_sees_every_byte)
{
	ck_assert_uint_ne(str_hash("", 0), 0);
	ck_assert_uint_ne(str_hash("a", 1), str_hash("b", 1));
	ck_assert_uint_ne(str_hash("a\0", 2), str_hash("a", 1));
}
END_TEST

START_TEST(a_buffer_takes_everything)
{
	struct buf b = { 0 };

	for (int i = 0; i < 1000; i++)
		buf_fmt(&b, "%d,", i);
	buf_u64(&b, UINT64_MAX);
	buf_ch(&b, ' ');
	buf_i64(&b, INT64_MIN);
	buf_hex(&b, "\x00\xff", 2);
	ck_assert(!b.failed);
	ck_assert(str_starts(buf_slice(&b), "0,1,2,3,"));
	ck_assert_ptr_nonnull(
		memmem(b.p, b.len, "18446744073709551615 -922337203685477580800ff", 44));
	buf_clear(&b);
	ck_assert_uint_eq(buf_slice(&b).len, 0);
	buf_free(&b);
}
END_TEST

START_TEST(a_long_format_is_not_cut)
{
	struct buf b = { 0 };

	buf_fmt(&b, "%5000d|", 1);
	ck_assert_uint_eq(b.len, 5001);
	buf_free(&b);
}
END_TEST

/* clang-format off */
static const struct {
	const char *in; size_t len; const char *out;
} escapes[] = {
	{ BYTES("plain"), "plain" },
	{ BYTES("gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80"), "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80" },
	{ BYTES("a\nb\tc"), "a\\nb\\tc" },
	{ BYTES("\x1b[31mred"), "\\x1b[31mred" },
	{ BYTES("\x7f"), "\\x7f" },
	{ BYTES("\x00"), "\\x00" },
	{ BYTES("\xc2\x9b" "31m"), "\\xc2\\x9b31m" },              /* C1 control as UTF-8 */
	{ BYTES("\x9b" "31m"), "\\x9b31m" },                       /* and raw */
	{ BYTES("\xe2\x80\xae" "evil"), "\\xe2\\x80\\xaeevil" },   /* right-to-left override */
	{ BYTES("\xe2\x81\xa6x"), "\\xe2\\x81\\xa6x" },            /* isolate */
	{ BYTES("\xc0\xaf"), "\\xc0\\xaf" },                       /* overlong */
	{ BYTES("\xed\xa0\x80"), "\\xed\\xa0\\x80" },              /* surrogate */
	{ BYTES("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80" },     /* beyond U+10FFFF */
	{ BYTES("\xe2\x82"), "\\xe2\\x82" },                       /* cut off */
};
/* clang-format on */

START_TEST(nothing_that_steers_a_terminal_gets_through)
{
	struct buf b = { 0 };
	struct str in = { guarded(escapes[_i].in, escapes[_i].len), escapes[_i].len };

	buf_escape(&b, in);
	ck_assert_msg(str_is(buf_slice(&b), escapes[_i].out), "%d: %.*s", _i,
	              STR_ARG(buf_slice(&b)));
	buf_free(&b);
}
END_TEST

#define ROWS(a) (int)(sizeof(a) / sizeof((a)[0]))

Suite *str_suite(void)
{
	Suite *s = suite_create("str");
	TCase *t = tcase_create("str");

	tcase_add_test(t, unknown_is_not_empty);
	tcase_add_test(t, case_is_folded_in_ascii_only);
	tcase_add_test(t, blanks_are_trimmed_at_both_ends);
	tcase_add_loop_test(t, numbers_are_whole_or_refused, 0, ROWS(numbers));
	tcase_add_test(t, a_hash_is_never_zero_and_sees_every_byte);
	tcase_add_test(t, a_buffer_takes_everything);
	tcase_add_test(t, a_long_format_is_not_cut);
	tcase_add_loop_test(t, nothing_that_steers_a_terminal_gets_through, 0, ROWS(escapes));
	suite_add_tcase(s, t);
	return s;
}
