// SPDX-License-Identifier: GPL-3.0-or-later
/* clock_test - times, durations and sizes, as they are written and read. */
#include "suites.h"
#include "base/clock.h"

#define SEC INT64_C(1000000000)

static const struct {
	int64_t ns;
	const char *text;
} times[] = {
	{ 0, "1970-01-01T00:00:00.000000000Z" },
	{ -1, "1969-12-31T23:59:59.999999999Z" },
	{ 1795239155 * SEC + 123456789, "2026-11-21T05:32:35.123456789Z" },
	{ 951782400 * SEC, "2000-02-29T00:00:00.000000000Z" },
	{ INT64_MAX, "2262-04-11T23:47:16.854775807Z" },
};

START_TEST(a_time_reads_back_as_it_was_written)
{
	char out[CLOCK_RFC3339];
	int64_t back = 1;

	clock_rfc3339(times[_i].ns, out);
	ck_assert_str_eq(out, times[_i].text);
	ck_assert(clock_parse_rfc3339(str_of(out), &back));
	ck_assert_int_eq(back, times[_i].ns);
}
END_TEST

START_TEST(times_of_others_are_read_too)
{
	int64_t ns;

	ck_assert(clock_parse_rfc3339(STR("2026-11-21T06:32:35+01:00"), &ns));
	ck_assert_int_eq(ns, 1795239155 * SEC);
	ck_assert(clock_parse_rfc3339(STR("2026-11-21 05:32:35.5z"), &ns));
	ck_assert_int_eq(ns, 1795239155 * SEC + SEC / 2);
}
END_TEST

static const char *const no_times[] = {
	"",
	"2026",
	"2026-11-21",
	"2026-13-21T05:32:35Z",
	"2026-11-21T05:32:35",
	"2026-11-21T25:32:35Z",
	"2026-11-21T05:32:35.Z",
	"2026-11-21T05:32:35+1:00",
	"2026-11-21T05:32:35Zx",
	"9999-11-21T05:32:35Z",
	"-026-11-21T05:32:35Z",
};

START_TEST(what_is_no_time_is_refused)
{
	int64_t ns = 7;

	ck_assert_msg(!clock_parse_rfc3339(str_of(no_times[_i]), &ns), "%s", no_times[_i]);
	ck_assert_int_eq(ns, 7);
}
END_TEST

static const struct {
	const char *text;
	uint64_t ns;
} durations[] = {
	{ "250us", 250000 },
	{ "50ms", 50000000 },
	{ "2s", 2000000000 },
	{ "5m", 300000000000 },
	{ "1h", 3600000000000 },
	{ "1.5s", 1500000000 },
	{ "0.1ms", 100000 },
	{ "3", 3000000000 },
	{ ".5s", 500000000 },
	{ "0", 0 },
	{ "7ns", 7 },
	{ "1d", 86400000000000 },
};

START_TEST(durations_are_read_with_their_unit)
{
	uint64_t ns = 1;

	ck_assert(clock_parse_duration(str_of(durations[_i].text), &ns));
	ck_assert_uint_eq(ns, durations[_i].ns);
}
END_TEST

static const char *const no_numbers[] = {
	"",      "s",   ".",    "-1s",
	"1x",    "1 s", "1s1",  "99999999999999999999s",
	"1..5s", "+1s", "1e3s", "9223372036854775808ns",
};

START_TEST(what_is_no_duration_is_refused)
{
	uint64_t ns = 7;

	ck_assert_msg(!clock_parse_duration(str_of(no_numbers[_i]), &ns), "%s", no_numbers[_i]);
	ck_assert_uint_eq(ns, 7);
}
END_TEST

static const struct {
	const char *text;
	uint64_t bytes;
} sizes[] = {
	{ "4096", 4096 },    { "64K", 65536 },   { "16M", 16 << 20 }, { "1G", 1 << 30 },
	{ "1.5M", 3 << 19 }, { "64kib", 65536 }, { "0", 0 },          { "10MB", 10 << 20 },
};

START_TEST(sizes_are_powers_of_1024)
{
	uint64_t bytes = 1;

	ck_assert(clock_parse_size(str_of(sizes[_i].text), &bytes));
	ck_assert_uint_eq(bytes, sizes[_i].bytes);
}
END_TEST

static const struct {
	int64_t ns;
	const char *text;
} shown[] = {
	{ 0, "0ns" },
	{ 999, "999ns" },
	{ 1500, "1.50us" },
	{ 12400000, "12.4ms" },
	{ 999600, "1.00ms" },
	{ 412 * 1000000, "412ms" },
	{ 12400000000, "12.4s" },
	{ 200 * SEC, "3m20s" },
	{ 7260 * SEC, "2h01m" },
	{ -1500, "-1.50us" },
};

START_TEST(durations_are_shown_with_three_digits)
{
	struct buf b = { 0 };

	clock_duration(&b, shown[_i].ns);
	ck_assert_msg(str_is(buf_slice(&b), shown[_i].text), "%.*s", STR_ARG(buf_slice(&b)));
	buf_free(&b);
}
END_TEST

START_TEST(sizes_are_shown_in_the_unit_that_fits)
{
	struct buf b = { 0 };

	clock_size(&b, 812);
	buf_ch(&b, ',');
	clock_size(&b, 65536);
	buf_ch(&b, ',');
	clock_size(&b, UINT64_MAX);
	ck_assert_msg(str_is(buf_slice(&b), "812 B,64.0 KiB,16.0 EiB"), "%.*s",
	              STR_ARG(buf_slice(&b)));
	buf_free(&b);
}
END_TEST

START_TEST(monotonic_plus_offset_is_wall_time)
{
	int64_t now = (int64_t)clock_ns() + clock_wall_offset();

	ck_assert_int_gt(now, 1700000000 * SEC);
}
END_TEST

#define ROWS(a) (int)(sizeof(a) / sizeof((a)[0]))

Suite *clock_suite(void)
{
	Suite *s = suite_create("clock");
	TCase *t = tcase_create("clock");

	tcase_add_loop_test(t, a_time_reads_back_as_it_was_written, 0, ROWS(times));
	tcase_add_test(t, times_of_others_are_read_too);
	tcase_add_loop_test(t, what_is_no_time_is_refused, 0, ROWS(no_times));
	tcase_add_loop_test(t, durations_are_read_with_their_unit, 0, ROWS(durations));
	tcase_add_loop_test(t, what_is_no_duration_is_refused, 0, ROWS(no_numbers));
	tcase_add_loop_test(t, sizes_are_powers_of_1024, 0, ROWS(sizes));
	tcase_add_loop_test(t, durations_are_shown_with_three_digits, 0, ROWS(shown));
	tcase_add_test(t, sizes_are_shown_in_the_unit_that_fits);
	tcase_add_test(t, monotonic_plus_offset_is_wall_time);
	suite_add_tcase(s, t);
	return s;
}
