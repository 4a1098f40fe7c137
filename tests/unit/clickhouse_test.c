// SPDX-License-Identifier: GPL-3.0-or-later
/* clickhouse_test - ClickHouse beyond its corpus: types, detection, lost bytes. */
#include <check.h>

#include "proto/clickhouse.h"
#include "tests/unit/guard.h"
#include "tests/unit/suites.h"

static const struct proto *clickhouse(void)
{
	return proto_by_id(PROTO_CLICKHOUSE);
}

/* ----- types ----- */

#define B(n) (CH_BYTES | (n) << 3)
#define H(n) (CH_HEAD | (n) << 3)
#define END  UINT32_MAX
/* clang-format off */
static const struct {
	const char *type;
	bool sparse;
	uint32_t want[CH_CODE];
} types[] = {
	{ "UInt8", false, { B(1), END } },
	{ "DateTime64(3, 'Europe/Berlin')", false, { B(8), END } },
	{ "Enum8('a)' = 1, 'b\\'' = 2)", false, { B(1), END } },
	{ "String", false, { CH_STRINGS, END } },
	{ "FixedString(300)", false, { B(300), END } },
	{ "Decimal(9, 2)", false, { B(4), END } },
	{ "Decimal(38, 10)", false, { B(16), END } },
	{ "Decimal(76, 10)", false, { B(32), END } },
	{ "IntervalDay", false, { B(8), END } },
	{ "Nullable(Int32)", false, { B(5), END } },
	{ "Nullable(String)", false, { B(1), CH_STRINGS, END } },
	{ "Array(UInt16)", false, { CH_OFFSETS, B(2), CH_POP, END } },
	{ "Array(Array(Nullable(String)))", false, { CH_OFFSETS, CH_OFFSETS, B(1), CH_STRINGS, CH_POP, CH_POP, END } },
	{ "Map(String, UInt64)", false, { CH_OFFSETS, CH_STRINGS, B(8), CH_POP, END } },
	{ "Tuple(UInt8, Float64)", false, { B(9), END } },
	{ "Tuple(a UInt8, `b c` String)", false, { B(1), CH_STRINGS, END } },
	{ "Nested(k String, v Array(UInt8))", false, { CH_OFFSETS, CH_STRINGS, CH_OFFSETS, B(1), CH_POP, CH_POP, END } },
	{ "LowCardinality(String)", false, { H(8), CH_KEYS, CH_STRINGS, CH_INDEX, END } },
	{ "Map(LowCardinality(Nullable(String)), LowCardinality(Date))", false,
	  { H(16), CH_OFFSETS, CH_KEYS, CH_STRINGS, CH_INDEX, CH_KEYS, B(2), CH_INDEX, CH_POP, END } },
	{ "SimpleAggregateFunction(anyLast, Nullable(UInt8))", false, { B(2), END } },
	{ "SimpleAggregateFunction(quantile(0.5), UInt8)", false, { B(1), END } },
	{ "Polygon", false, { CH_OFFSETS, CH_OFFSETS, B(16), CH_POP, CH_POP, END } },
	{ "UInt64", true, { CH_SPARSE, B(8), END } },
	/* what is not known, and what is none */
	{ "AggregateFunction(uniq, UInt64)", false, { END } },
	{ "Dynamic", false, { END } },
	{ "Variant(UInt8, String)", false, { END } },
	{ "JSON", false, { END } },
	{ "Tuple(UInt8)", true, { END } },
	{ "LowCardinality(String)", true, { END } },
	{ "Array(UInt8", false, { END } },
	{ "Array()", false, { END } },
	{ "FixedString()", false, { END } },
	{ "FixedString(99999999999)", false, { END } },
	{ "Array(Array(Array(Array(Array(Array(UInt8))))))", false, { END } },
	{ "Nullable(Nullable(Nullable(Nullable(Nullable(Nullable(Nullable(Nullable(Nullable(Nullable("
	  "Nullable(Nullable(UInt8))))))))))))", false, { END } },
	{ "Tuple(String, UInt8, String, UInt8, String, UInt8, String, UInt8, String, UInt8, String, UInt8,"
	  "String, UInt8, String, UInt8, String, UInt8, String, UInt8, String, UInt8, String, UInt8, String)",
	  false, { END } },
	{ "UInt8 ", false, { END } },
	{ "", false, { END } },
};
/* clang-format on */

START_TEST(types_become_instructions)
{
	struct str type = str_of(types[_i].type);
	const uint32_t *want = types[_i].want;
	struct ch_code code;
	size_t n = 0;

	while (want[n] != END)
		n++;
	type.s = guarded(type.s, type.len);
	ck_assert_msg(clickhouse_compile(type, types[_i].sparse, &code) == (n > 0), "%s",
	              types[_i].type);
	for (size_t i = 0; i < n; i++)
		ck_assert_msg(i < code.n && code.ins[i] == want[i], "%s, %zu: %u", types[_i].type,
		              i, code.ins[i]);
	if (n)
		ck_assert_uint_eq(code.n, n);
}
END_TEST

/* ----- detection ----- */

#define BYTES(lit) (lit), sizeof(lit) - 1
#define HELLO    \
	"\0\x11" \
	"ClickHouse client\x12\x10\x8c\xa9\3\7default\7default\0"
#define WELCOME  \
	"\0\x0a" \
	"ClickHouse\x12\x10\x8c\xa9\3\3UTC\1h\1"
#define ASK              \
	"\1\0\1\0\0\x09" \
	"0.0.0.0:0\1\1u\1h\6client\x12\x10\x8c\xa9\3\0\1\0\2\0\x08SELECT 1"
#define EMPTY "\2\0\1\0\2\xff\xff\xff\xff\0\0\0"
#define ROWS  "\1\0\1\0\2\xff\xff\xff\xff\0\1\0\1\x31\5UInt8"
#define OOPS              \
	"\2\x2f\0\0\0\xd" \
	"DB::Exception\4oops\0\0"
/* clang-format off */
static const struct {
	const char *what; const char *req; size_t req_len; const char *resp; size_t resp_len;
	bool from_start; enum sure want;
} firsts[] = {
	{ "hello", BYTES(HELLO), BYTES(""), true, SURE_YES },
	{ "half a hello", BYTES("\0\x11" "ClickHou"), BYTES(""), true, SURE_MAYBE },
	{ "hello and its answer", BYTES(HELLO), BYTES(WELCOME), true, SURE_YES },
	{ "what servers say", BYTES(WELCOME), BYTES(HELLO), true, SURE_NO },
	{ "a query first", BYTES(ASK EMPTY), BYTES(""), true, SURE_NO },
	{ "a query", BYTES(ASK EMPTY), BYTES(""), false, SURE_YES },
	{ "a query behind a ping", BYTES("\4" ASK EMPTY), BYTES("\4"), false, SURE_YES },
	{ "half a query", BYTES("\1\0\1\0\0\x09" "0.0.0"), BYTES(""), false, SURE_MAYBE },
	{ "a ping", BYTES("\4"), BYTES("\4"), false, SURE_MAYBE },
	{ "a byte that ends an answer", BYTES(""), BYTES("\5"), false, SURE_MAYBE },
	{ "small numbers", BYTES("\3\0\0\1"), BYTES("\3\1\2\3\4"), false, SURE_NO },
	{ "a query behind a cancel", BYTES("\3" ASK EMPTY), BYTES(""), false, SURE_YES },
	{ "a block", BYTES(EMPTY), BYTES(""), false, SURE_YES },
	{ "an error", BYTES("\4"), BYTES(OOPS), false, SURE_YES },
	{ "rows alone", BYTES(""), BYTES(ROWS), false, SURE_LIKELY },
	{ "text", BYTES("GET / HTTP/1.1\r\n"), BYTES(""), true, SURE_NO },
	{ "text later", BYTES("GET / HTTP/1.1\r\n"), BYTES(""), false, SURE_NO },
	{ "another revision", BYTES("\0\x11" "ClickHouse client\x12\x10\x01\0\0\0"), BYTES(""), true, SURE_NO },
	{ "nothing", BYTES(""), BYTES(""), true, SURE_MAYBE },
};
/* clang-format on */

START_TEST(is_as_sure_as_the_bytes_allow)
{
	struct first f = { .messages = 4, .from_start = firsts[_i].from_start };

	f.req = cur_of(guarded(firsts[_i].req, firsts[_i].req_len), firsts[_i].req_len);
	ck_assert_int_ge(clickhouse()->detect(&f), SURE_NO);
	f.req = cur_of(firsts[_i].req, firsts[_i].req_len);
	f.resp = cur_of(guarded(firsts[_i].resp, firsts[_i].resp_len), firsts[_i].resp_len);
	ck_assert_msg(clickhouse()->detect(&f) == firsts[_i].want, "%s: %d", firsts[_i].what,
	              clickhouse()->detect(&f));
}
END_TEST

START_TEST(finds_the_next_packet_after_lost_bytes)
{
	static const char query[] = "of it. " ASK EMPTY, rows[] = "and more" ROWS,
			  nothing[] = "nothing of the kind in here", late[] = "lost \5",
			  end[] = "\5";
	struct clickhouse state = { 0 };
	struct cur in = cur_of(guarded(BYTES(query)), sizeof(query) - 1);

	ck_assert_ptr_eq(clickhouse()->resync(&state, DIR_REQ, in), in.p + 7);
	in = cur_of(guarded(BYTES(rows)), sizeof(rows) - 1);
	ck_assert_ptr_eq(clickhouse()->resync(&state, DIR_RESP, in), in.p + 8);
	in = cur_of(guarded(BYTES(nothing)), sizeof(nothing) - 1);
	ck_assert_ptr_null(clickhouse()->resync(&state, DIR_RESP, in));
	in = cur_of(guarded(BYTES(late)), sizeof(late) - 1);
	ck_assert_ptr_eq(clickhouse()->resync(&state, DIR_RESP, in), in.p + 5);
	in = cur_of(guarded(BYTES(end)), 1);
	ck_assert_ptr_eq(clickhouse()->resync(&state, DIR_RESP, in), in.p);
	ck_assert(state.sum.unread && state.sum.unsent);
}
END_TEST

Suite *clickhouse_suite(void)
{
	Suite *s = suite_create("clickhouse");
	TCase *t = tcase_create("clickhouse");

	tcase_add_loop_test(t, types_become_instructions, 0, sizeof(types) / sizeof(*types));
	tcase_add_loop_test(t, is_as_sure_as_the_bytes_allow, 0, sizeof(firsts) / sizeof(*firsts));
	tcase_add_test(t, finds_the_next_packet_after_lost_bytes);
	suite_add_tcase(s, t);
	return s;
}
