// SPDX-License-Identifier: GPL-3.0-or-later
/* row - columns as data, and cells. */
#include "span/span.h"

#include "tests/unit/suites.h"

static struct cell cell;

static const char *text_of(enum table t, const char *column, const void *row)
{
	static char z[200];
	int i = column_find(t, str_of(column));

	ck_assert_int_ge(i, 0);
	cell_get(t, (unsigned int)i, row, &cell);
	if (cell.kind == CELL_NULL)
		return "null";
	ck_assert(cell.kind == CELL_TEXT || cell.kind == CELL_JSON);
	memcpy(z, cell.text.s, cell.text.len);
	z[cell.text.len] = '\0';
	return z;
}

START_TEST(every_table_knows_its_columns_by_name)
{
	for (unsigned int t = 0; t < TABLE_MAX; t++)
		for (unsigned int i = 0; i < tables[t].ncolumns; i++) {
			const struct column *c = &tables[t].columns[i];

			ck_assert_int_eq(column_find(t, str_of(c->name)), (int)i);
			ck_assert_uint_lt(c->offset, tables[t].row_size);
			ck_assert_uint_gt(strlen(c->help), 0);
		}
	ck_assert_int_eq(column_find(TABLE_SPANS, STR("dur")), -1);
	ck_assert_int_ge(column_find(TABLE_SPANS, STR("dur_ms")), 0);
}
END_TEST

START_TEST(a_fresh_row_is_all_unknown)
{
	for (unsigned int t = 0; t < TABLE_MAX; t++) {
		char row[2048];

		memset(row, 0x55, sizeof(row));
		ck_assert_uint_le(tables[t].row_size, sizeof(row));
		row_init(t, row);
		for (unsigned int i = 0; i < tables[t].ncolumns; i++) {
			cell_get(t, i, row, &cell);
			if (tables[t].columns[i].type == COL_F)
				ck_assert_uint_eq(cell.text.len, 0);
			else
				ck_assert_int_eq(cell.kind, CELL_NULL);
		}
	}
}
END_TEST

static const struct {
	int64_t ns;
	const char *want;
} times[] = {
	{ 0, "1970-01-01T00:00:00.000000000Z" },
	{ 1709210096000000001, "2024-02-29T12:34:56.000000001Z" },
	{ -1, "1969-12-31T23:59:59.999999999Z" },
	{ INT64_MAX, "2262-04-11T23:47:16.854775807Z" },
	{ INT64_MIN + 1, "1677-09-21T00:12:43.145224193Z" },
};

START_TEST(time_is_the_start_with_nanoseconds)
{
	struct span s;

	row_init(TABLE_SPANS, &s);
	s.start_ns = times[_i].ns;
	ck_assert_str_eq(text_of(TABLE_SPANS, "time", &s), times[_i].want);
}
END_TEST

START_TEST(cells_show_units_ids_and_flags)
{
	struct span s;

	row_init(TABLE_SPANS, &s);
	s.dur_ns = 1234567;
	s.trace_id[0] = 0xab;
	s.span_id[7] = 1;
	s.flags = SPAN_F_CUT | SPAN_F_GUESSED_PARENT;
	s.attrs = STR("{}");
	cell_get(TABLE_SPANS, (unsigned int)column_find(TABLE_SPANS, STR("dur_ms")), &s, &cell);
	ck_assert_int_eq(cell.kind, CELL_REAL);
	ck_assert_double_eq(cell.d, 1.234567);
	cell_get(TABLE_SPANS, (unsigned int)column_find(TABLE_SPANS, STR("dur_ns")), &s, &cell);
	ck_assert_int_eq(cell.kind, CELL_INT);
	ck_assert_int_eq(cell.i, 1234567);
	ck_assert_str_eq(text_of(TABLE_SPANS, "trace_id", &s), "ab000000000000000000000000000000");
	ck_assert_str_eq(text_of(TABLE_SPANS, "span_id", &s), "0000000000000001");
	ck_assert_str_eq(text_of(TABLE_SPANS, "parent_span_id", &s), "null");
	ck_assert_str_eq(text_of(TABLE_SPANS, "flags", &s), "cut,guessed-parent");
	ck_assert_str_eq(text_of(TABLE_SPANS, "attrs", &s), "{}");
	ck_assert_int_eq(cell.kind, CELL_JSON);
}
END_TEST

START_TEST(all_flags_at_once_fit)
{
	struct span s;
	unsigned int bits = 0;

	row_init(TABLE_SPANS, &s);
	s.flags = ~0u;
	while (span_flag_name(bits))
		bits++;
	for (const char *p = text_of(TABLE_SPANS, "flags", &s); *p; p++)
		bits -= *p == ',';
	ck_assert_uint_eq(bits, 1);
}
END_TEST

Suite *row_suite(void)
{
	Suite *s = suite_create("row");
	TCase *t = tcase_create("row");

	tcase_add_test(t, every_table_knows_its_columns_by_name);
	tcase_add_test(t, a_fresh_row_is_all_unknown);
	tcase_add_loop_test(t, time_is_the_start_with_nanoseconds, 0,
	                    sizeof(times) / sizeof(times[0]));
	tcase_add_test(t, cells_show_units_ids_and_flags);
	tcase_add_test(t, all_flags_at_once_fit);
	suite_add_tcase(s, t);
	return s;
}
