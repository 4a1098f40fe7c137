// SPDX-License-Identifier: GPL-3.0-or-later
/* cur_test - the cursor never reads past the end, and says so once and for all. */
#include "guard.h"
#include "suites.h"
#include "base/cur.h"

static struct cur cursor(const char *bytes, size_t len)
{
	return cur_of(guarded(bytes, len), len);
}

START_TEST(integers_are_read_in_both_orders)
{
	struct cur c = cursor(BYTES("\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\xff"));

	ck_assert_uint_eq(cur_u8(&c), 1);
	ck_assert_uint_eq(cur_le(&c, 3), 0x040302);
	ck_assert_uint_eq(cur_be16(&c), 0x0506);
	ck_assert_uint_eq(cur_be32(&c), 0x0708090a);
	ck_assert_uint_eq(cur_be(&c, 2), 0x0bff);
	ck_assert(!c.over);
	ck_assert_uint_eq(cur_left(&c), 0);
}
END_TEST

START_TEST(a_read_past_the_end_gives_zero_and_sticks)
{
	struct cur c = cursor(BYTES("\xff\xff\xff"));

	ck_assert_uint_eq(cur_be32(&c), 0);
	ck_assert(c.over);
	/* three bytes are there, but after a miss nothing is given out any more */
	ck_assert_uint_eq(cur_u8(&c), 0);
	ck_assert_uint_eq(cur_str(&c, 1).len, 0);
	ck_assert_uint_eq(cur_rest(&c, 9).len, 0);
	ck_assert(c.over);
}
END_TEST

START_TEST(a_length_of_all_ones_does_not_wrap)
{
	struct cur c = cursor(BYTES("abc"));

	ck_assert_ptr_null(cur_take(&c, SIZE_MAX));
	ck_assert(c.over);
}
END_TEST

START_TEST(an_empty_cursor_gives_nothing)
{
	struct cur c = cursor("", 0);

	ck_assert_uint_eq(cur_str(&c, 0).len, 0);
	ck_assert(!c.over);
	ck_assert_uint_eq(cur_rest(&c, 1).len, 0);
	ck_assert(!c.over);
	ck_assert_uint_eq(cur_u8(&c), 0);
	ck_assert(c.over);
}
END_TEST

START_TEST(text_ends_at_its_nul)
{
	struct cur c = cursor(BYTES("user\0x"));
	struct str s = cur_cstr(&c);

	ck_assert(str_is(s, "user"));
	ck_assert_uint_eq(cur_left(&c), 1);
	ck_assert_uint_eq(cur_cstr(&c).len, 0);
	ck_assert(c.over);
}
END_TEST

START_TEST(lines_end_with_lf_with_or_without_cr)
{
	struct cur c = cursor(BYTES("a\r\n\r\nb\nc\r"));

	ck_assert(str_is(cur_line(&c), "a"));
	ck_assert(str_is(cur_line(&c), ""));
	ck_assert(str_is(cur_line(&c), "b"));
	ck_assert(!c.over);
	ck_assert_uint_eq(cur_line(&c).len, 0);
	ck_assert(c.over);
}
END_TEST

Suite *cur_suite(void)
{
	Suite *s = suite_create("cur");
	TCase *t = tcase_create("cur");

	tcase_add_test(t, integers_are_read_in_both_orders);
	tcase_add_test(t, a_read_past_the_end_gives_zero_and_sticks);
	tcase_add_test(t, a_length_of_all_ones_does_not_wrap);
	tcase_add_test(t, an_empty_cursor_gives_nothing);
	tcase_add_test(t, text_ends_at_its_nul);
	tcase_add_test(t, lines_end_with_lf_with_or_without_cr);
	suite_add_tcase(s, t);
	return s;
}
