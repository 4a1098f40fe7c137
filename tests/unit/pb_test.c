// SPDX-License-Identifier: GPL-3.0-or-later
/* pb_test - fields there and back, and bytes that are no fields. */
#include <check.h>

#include "base/pb.h"
#include "tests/unit/guard.h"

#include "tests/unit/suites.h"

static const uint64_t numbers[] = { 0,          1,         127,        128,        300,
	                            16383,      16384,     UINT32_MAX, 1ull << 32, (1ull << 63) - 1,
	                            1ull << 63, UINT64_MAX };

START_TEST(numbers_come_back)
{
	struct buf b = { 0 };
	struct pb_field f;
	struct cur c;

	pb_uint(&b, 1, numbers[_i]);
	pb_fixed64(&b, 15, numbers[_i]);
	pb_fixed32(&b, 16, (uint32_t)numbers[_i]);
	pb_real(&b, 536870911, 1.5);
	c = cur_of(guarded(b.p, b.len), b.len);
	ck_assert(pb_next(&c, &f) && f.num == 1 && f.type == PB_VARINT && f.u == numbers[_i]);
	ck_assert(pb_next(&c, &f) && f.num == 15 && f.type == PB_I64 && f.u == numbers[_i]);
	ck_assert(pb_next(&c, &f) && f.num == 16 && f.u == (uint32_t)numbers[_i]);
	ck_assert(pb_next(&c, &f) && f.num == 536870911 && pb_f64(f.u) == 1.5);
	ck_assert(!pb_next(&c, &f) && !c.over);
	buf_free(&b);
}
END_TEST

START_TEST(a_message_inside_may_have_any_length)
{
	static const size_t lens[] = { 0, 1, 127, 128, 16383, 16384, 2097151, 2097152 };
	size_t len = lens[_i % 8];
	unsigned int width = 1 + (unsigned int)_i / 8;
	struct buf b = { 0 }, text = { 0 };
	struct pb_field f;
	size_t mark;
	struct cur c;

	memset(buf_room(&text, len + 1), 'x', len);
	text.len = len;
	pb_uint(&b, 1, 7);
	mark = pb_open(&b, 2, width);
	buf_str(&b, buf_slice(&text));
	pb_close(&b, mark, width);
	pb_uint(&b, 3, 8);
	c = cur_of(b.p, b.len);
	ck_assert(pb_next(&c, &f) && f.u == 7);
	ck_assert(pb_next(&c, &f) && f.num == 2 && str_eq(f.s, buf_slice(&text)));
	ck_assert(pb_next(&c, &f) && f.u == 8);
	buf_free(&b);
	buf_free(&text);
}
END_TEST

/* clang-format off */
static const struct {
	const char *what, *in;
	size_t len;
} bad[] = {
	{ "a tag that is cut", BYTES("\x88") },
	{ "a number that is cut", BYTES("\x08\x80") },
	{ "a number of more than 64 bits", BYTES("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f") },
	{ "a number of eleven bytes", BYTES("\x08\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01") },
	{ "field number 0", BYTES("\x00\x01") },
	{ "a text that is cut", BYTES("\x0a\x05" "abcd") },
	{ "a length beyond all", BYTES("\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01") },
	{ "8 bytes that are 7", BYTES("\x09" "1234567") },
	{ "4 bytes that are 3", BYTES("\x0d" "123") },
	{ "a group", BYTES("\x0b\x0c") },
	{ "type 6", BYTES("\x0e\x00") },
	{ "type 7", BYTES("\x0f\x00") },
	{ "a field number beyond 2^29", BYTES("\xf8\xff\xff\xff\xff\x01\x00") },
};
/* clang-format on */

START_TEST(what_is_no_field_ends_the_reading)
{
	struct cur c = cur_of(guarded(bad[_i].in, bad[_i].len), bad[_i].len);
	struct pb_field f;

	ck_assert_msg(!pb_next(&c, &f) && c.over, "%s", bad[_i].what);
	ck_assert(!pb_next(&c, &f));
}
END_TEST

Suite *pb_suite(void)
{
	Suite *s = suite_create("pb");
	TCase *t = tcase_create("fields");

	tcase_add_loop_test(t, numbers_come_back, 0, sizeof(numbers) / sizeof(numbers[0]));
	tcase_add_loop_test(t, a_message_inside_may_have_any_length, 0, 8 * 4);
	tcase_add_loop_test(t, what_is_no_field_ends_the_reading, 0, sizeof(bad) / sizeof(bad[0]));
	suite_add_tcase(s, t);
	return s;
}
