// SPDX-License-Identifier: GPL-3.0-or-later
/* hpack_test - the examples of RFC 7541, Appendix C, and what a late reader may know. */
#include "suites.h"

#include "proto/hpack.h"
#include "proto/hpack_huffman.h"
#include "tests/unit/guard.h"

/* One block as hex, and the fields that it has. */
struct example {
	const char *what, *hex, *fields;
};

/* Requests without and with Huffman codes, answers likewise: each run of four has one table. */
static const struct example examples[][3] = {
	{
		{ "C.3.1", "828684410f7777772e6578616d706c652e636f6d",
	          ":method: GET\n:scheme: http\n:path: /\n:authority: www.example.com\n" },
		{ "C.3.2", "828684be58086e6f2d6361636865",
	          ":method: GET\n:scheme: http\n:path: /\n:authority: www.example.com\n"
	          "cache-control: no-cache\n" },
		{ "C.3.3", "828785bf400a637573746f6d2d6b65790c637573746f6d2d76616c7565",
	          ":method: GET\n:scheme: https\n:path: /index.html\n:authority: www.example.com\n"
	          "custom-key: custom-value\n" },
	},
	{
		{ "C.4.1", "828684418cf1e3c2e5f23a6ba0ab90f4ff",
	          ":method: GET\n:scheme: http\n:path: /\n:authority: www.example.com\n" },
		{ "C.4.2", "828684be5886a8eb10649cbf",
	          ":method: GET\n:scheme: http\n:path: /\n:authority: www.example.com\n"
	          "cache-control: no-cache\n" },
		{ "C.4.3", "828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf",
	          ":method: GET\n:scheme: https\n:path: /index.html\n:authority: www.example.com\n"
	          "custom-key: custom-value\n" },
	},
	{
		{ "C.5.1",
	          "4803333032580770726976617465611d4d6f6e2c203231204f637420323031332032303a31333a"
	          "323120474d546e1768747470733a2f2f7777772e6578616d706c652e636f6d",
	          ":status: 302\ncache-control: private\ndate: Mon, 21 Oct 2013 20:13:21 GMT\n"
	          "location: https://www.example.com\n" },
		{ "C.5.2", "4803333037c1c0bf",
	          ":status: 307\ncache-control: private\ndate: Mon, 21 Oct 2013 20:13:21 GMT\n"
	          "location: https://www.example.com\n" },
		{ "C.5.3",
	          "88c1611d4d6f6e2c203231204f637420323031332032303a31333a323220474d54c05a04677a69"
	          "707738666f6f3d4153444a4b48514b425a584f5157454f50495541585157454f49553b206d6178"
	          "2d6167653d333630303b2076657273696f6e3d31",
	          ":status: 200\ncache-control: private\ndate: Mon, 21 Oct 2013 20:13:22 GMT\n"
	          "location: https://www.example.com\ncontent-encoding: gzip\n"
	          "set-cookie: foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1\n" },
	},
	{
		{ "C.6.1",
	          "488264025885aec3771a4b6196d07abe941054d444a8200595040b8166e082a62d1bff6e919d29"
	          "ad171863c78f0b97c8e9ae82ae43d3",
	          ":status: 302\ncache-control: private\ndate: Mon, 21 Oct 2013 20:13:21 GMT\n"
	          "location: https://www.example.com\n" },
		{ "C.6.2", "4883640effc1c0bf",
	          ":status: 307\ncache-control: private\ndate: Mon, 21 Oct 2013 20:13:21 GMT\n"
	          "location: https://www.example.com\n" },
		{ "C.6.3",
	          "88c16196d07abe941054d444a8200595040b8166e084a62d1bffc05a839bd9ab77ad94e7821dd7"
	          "f2e6c7b335dfdfcd5b3960d5af27087f3672c1ab270fb5291f9587316065c003ed4ee5b1063d50"
	          "07",
	          ":status: 200\ncache-control: private\ndate: Mon, 21 Oct 2013 20:13:22 GMT\n"
	          "location: https://www.example.com\ncontent-encoding: gzip\n"
	          "set-cookie: foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1\n" },
	},
	{
		{ "C.2.1", "400a637573746f6d2d6b65790d637573746f6d2d686561646572",
	          "custom-key: custom-header\n" },
		{ "C.2.2 and C.2.3",
	          "040c2f73616d706c652f70617468100870617373776f726406736563726574",
	          ":path: /sample/path\npassword: secret\n" },
		{ "C.2.4, and the table from C.2.1", "82be",
	          ":method: GET\ncustom-key: custom-header\n" },
	},
};

enum { EXAMPLES = sizeof(examples) / sizeof(*examples) };

static unsigned int digit(char c)
{
	return (unsigned int)(c <= '9' ? c - '0' : c - 'a' + 10);
}

static size_t unhex(const char *hex, uint8_t *to)
{
	size_t n = strlen(hex) / 2;

	for (size_t i = 0; i < n; i++)
		to[i] = (uint8_t)(digit(hex[2 * i]) << 4 | digit(hex[2 * i + 1]));
	return n;
}

static void add(struct buf *b, struct str s)
{
	buf_str(b, s.s ? s : STR("?"));
}

/* The fields of a block as text; "bad" where it is malformed. */
static struct buf fields(struct hpack *t, struct cur block)
{
	static struct hpack_room room;
	struct hpack_field f;
	struct buf out = { 0 };
	int r;

	while ((r = hpack_next(t, &block, &room, &f)) > 0) {
		add(&out, f.name);
		buf_z(&out, ": ");
		add(&out, f.value);
		buf_ch(&out, '\n');
	}
	if (r < 0)
		buf_z(&out, "bad");
	buf_ch(&out, 0);
	return out;
}

static void expect(struct hpack *t, const char *what, const char *hex, const char *want)
{
	uint8_t bytes[512];
	size_t n = unhex(hex, bytes);
	struct buf got = fields(t, cur_of(guarded(bytes, n), n));

	ck_assert_msg(!strcmp(got.p, want), "%s: got\n%s", what, got.p);
	buf_free(&got);
}

START_TEST(understands_the_examples_of_the_rfc)
{
	struct hpack t = { 0 };

	for (size_t i = 0; i < 3; i++)
		expect(&t, examples[_i][i].what, examples[_i][i].hex, examples[_i][i].fields);
}
END_TEST

START_TEST(never_takes_a_part_for_the_whole)
{
	uint8_t bytes[512];
	size_t n = unhex(examples[3][2].hex, bytes);

	for (size_t i = 0; i < n; i++) {
		struct hpack t = { 0 };
		struct buf got = fields(&t, cur_of(guarded(bytes, i), i));
		const char *bad = strstr(got.p, "bad");

		/* the table is empty here, so what it would say is not known */
		ck_assert(!bad || hpack_check(cur_of(bytes, i), false) == false);
		buf_free(&got);
	}
	ck_assert(hpack_check(cur_of(bytes, n), true));
	ck_assert(!hpack_check(cur_of(bytes, n - 1), false));
}
END_TEST

START_TEST(a_late_reader_knows_what_it_has_seen)
{
	struct hpack t = { 0 };

	/* the second block of C.3 first: the name of the site is not known */
	expect(&t, "late", "828684be58086e6f2d6361636865",
	       ":method: GET\n:scheme: http\n:path: /\n?: ?\ncache-control: no-cache\n");
	expect(&t, "learnt", "bebf", "cache-control: no-cache\n?: ?\n");
	/* a new value under an unknown name, then under a known one */
	expect(&t, "values", "7f000178bebf", "?: x\n?: x\ncache-control: no-cache\n");
	expect(&t, "names", "7f000179be", "cache-control: y\ncache-control: y\n");
	hpack_forget(&t);
	expect(&t, "after a gap", "bebf", "?: ?\n?: ?\n");
	expect(&t, "learnt again", "400161016280be", "a: b\nbad");
	expect(&t, "and used", "be", "a: b\n");
}
END_TEST

START_TEST(the_newest_entries_are_kept_and_older_ones_unknown)
{
	struct hpack t = { 0 };
	struct hpack_field f;
	static struct hpack_room room;
	static uint8_t block[4096 + 64];

	/* 200 entries of 33 bytes, then each of the newest 128 by its index */
	for (int i = 0; i < 200; i++) {
		uint8_t one[] = { 0x40, 1, 'k', 2, (uint8_t)i, '.' };
		struct cur c = cur_of(one, sizeof(one));

		ck_assert_int_eq(hpack_next(&t, &c, &room, &f), 1);
	}
	for (uint32_t i = 0; i < 140; i++) {
		uint32_t index = 62 + i;
		uint8_t one[] = { index < 127 ? (uint8_t)(0x80 | index) : 0xff,
			          (uint8_t)((index - 127) & 0x7f) };
		struct cur c = cur_of(one, index < 127 ? 1 : 2);

		ck_assert_int_eq(hpack_next(&t, &c, &room, &f), 1);
		ck_assert(i < HPACK_ENTRIES ? str_is(f.name, "k") : !f.name.s);
		ck_assert(i >= HPACK_ENTRIES || (uint8_t)f.value.s[0] == 199 - i);
	}
	/* long ones push out what was there, wherever the ring turns round */
	for (int i = 0; i < 7; i++) {
		struct cur c;
		size_t n = 1500;

		block[0] = 0x40, block[1] = 1, block[2] = (uint8_t)('a' + i), block[3] = 0x7f;
		block[4] = (uint8_t)(0x80 | ((n - 127) & 0x7f)),
		block[5] = (uint8_t)((n - 127) >> 7);
		memset(block + 6, 'A' + i, n);
		c = cur_of(block, n + 6);
		ck_assert_int_eq(hpack_next(&t, &c, &room, &f), 1);
		c = cur_of("\xbf\xc0", 2);
		ck_assert_int_eq(hpack_next(&t, &c, &room, &f), 1);
		if (i > 0) {
			ck_assert_int_eq(f.value.len, 1500);
			ck_assert_int_eq(f.value.s[0], 'A' + i - 1);
			ck_assert_int_eq(f.value.s[1499], 'A' + i - 1);
		}
		ck_assert_int_eq(hpack_next(&t, &c, &room, &f), 1);
		ck_assert(i < 2 || !f.value.s);
	}
}
END_TEST

static const struct {
	const char *what, *hex;
	size_t len; /* SIZE_MAX: malformed */
} codes[] = {
	{ "nothing", "", 0 },
	{ "one symbol", "07", 1 },
	{ "a byte of padding too many", "07ff", SIZE_MAX },
	{ "padding of zeroes", "00", SIZE_MAX },
	{ "the code for the end", "ffffffff", SIZE_MAX },
	{ "the longest code", "ffffffff", SIZE_MAX },
	{ "a line feed", "fffffff3", 1 },
};

START_TEST(huffman_codes_end_as_they_must)
{
	uint8_t bytes[16];
	char to[16];
	size_t n = unhex(codes[_i].hex, bytes);

	ck_assert_msg(hpack_huffman((struct str){ (const char *)guarded(bytes, n), n }, to, 16) ==
	                      codes[_i].len,
	              "%s", codes[_i].what);
}
END_TEST

Suite *hpack_suite(void)
{
	Suite *s = suite_create("hpack");
	TCase *t = tcase_create("hpack");

	tcase_add_loop_test(t, understands_the_examples_of_the_rfc, 0, EXAMPLES);
	tcase_add_test(t, never_takes_a_part_for_the_whole);
	tcase_add_test(t, a_late_reader_knows_what_it_has_seen);
	tcase_add_test(t, the_newest_entries_are_kept_and_older_ones_unknown);
	tcase_add_loop_test(t, huffman_codes_end_as_they_must, 0, sizeof(codes) / sizeof(*codes));
	suite_add_tcase(s, t);
	return s;
}
