// SPDX-License-Identifier: GPL-3.0-or-later
/* mssql_test - TDS beyond its corpus: detection, UTF-16, lost bytes. */
#include <check.h>
#include <stdlib.h>

#include "proto/mssql.h"
#include "tests/unit/guard.h"
#include "tests/unit/suites.h"

static const struct proto *mssql(void)
{
	return proto_by_id(PROTO_MSSQL);
}

#define BYTES(lit) (lit), sizeof(lit) - 1
#define HEADERS    "\x16\0\0\0\x12\0\0\0\2\0\0\0\0\0\0\0\0\0\1\0\0\0"
#define ASK        "\1\1\0\x2e\0\0\1\0" HEADERS "S\0E\0L\0E\0C\0T\0 \0001\0"
#define OLD        "\1\1\0\x18\0\0\1\0S\0E\0L\0E\0C\0T\0 \0001\0"
#define DONE       "\4\1\0\x15\0\x33\1\0\xfd\0\0\0\0\0\0\0\0\0\0\0\0"
#define PRELOGIN   "\x12\1\0\x1a\0\0\1\0\0\0\x0b\0\6\1\0\x11\0\1\xff\x10\0\0\0\0\0\2"
/* clang-format off */
static const struct {
	const char *what; const char *req; size_t req_len; const char *resp; size_t resp_len;
	bool from_start; enum sure want;
} firsts[] = {
	{ "PRELOGIN", BYTES(PRELOGIN), BYTES(""), true, SURE_YES },
	{ "half of PRELOGIN", BYTES("\x12\1\0\x1a\0\0\1\0\0\0\x0b"), BYTES(""), true, SURE_MAYBE },
	{ "its first byte", BYTES("\x12"), BYTES(""), true, SURE_MAYBE },
	{ "PRELOGIN without a version", BYTES("\x12\1\0\x10\0\0\1\0\1\0\6\0\1\xff\0\0"), BYTES(""), true, SURE_NO },
	{ "a batch", BYTES(ASK), BYTES(""), false, SURE_YES },
	{ "a batch at the start", BYTES(ASK), BYTES(""), true, SURE_YES },
	{ "an old batch", BYTES(OLD), BYTES(""), false, SURE_MAYBE },
	{ "an old batch and its answer", BYTES(OLD), BYTES(DONE), false, SURE_YES },
	{ "an answer alone", BYTES(""), BYTES(DONE), false, SURE_YES },
	{ "what servers say", BYTES(DONE), BYTES(""), false, SURE_NO },
	{ "a batch, joined inside of a message", BYTES("e\0s\0t\0" ASK), BYTES(""), false, SURE_MAYBE },
	{ "text", BYTES("GET / HTTP/1.1\r\n"), BYTES(""), false, SURE_NO },
	{ "nothing", BYTES(""), BYTES(""), true, SURE_MAYBE },
};
/* clang-format on */

START_TEST(is_as_sure_as_the_bytes_allow)
{
	struct first f = { .messages = 4, .from_start = firsts[_i].from_start };

	f.req = cur_of(guarded(firsts[_i].req, firsts[_i].req_len), firsts[_i].req_len);
	ck_assert_int_ge(mssql()->detect(&f), SURE_NO);
	f.req = cur_of(firsts[_i].req, firsts[_i].req_len);
	f.resp = cur_of(guarded(firsts[_i].resp, firsts[_i].resp_len), firsts[_i].resp_len);
	ck_assert_msg(mssql()->detect(&f) == firsts[_i].want, "%s: %d", firsts[_i].what,
	              mssql()->detect(&f));
}
END_TEST

START_TEST(finds_the_next_packet_after_lost_bytes)
{
	static const char batch[] = "of it..." ASK, nothing[] = "nothing of the kind in here";
	struct mssql *state = calloc(1, mssql()->state_size);
	struct cur in = cur_of(guarded(BYTES(batch)), sizeof(batch) - 1);

	ck_assert_ptr_nonnull(state);
	ck_assert_ptr_eq(mssql()->resync(state, DIR_REQ, in), in.p + 8);
	in = cur_of(guarded(BYTES(nothing)), sizeof(nothing) - 1);
	ck_assert_ptr_null(mssql()->resync(state, DIR_RESP, in));
	ck_assert_ptr_null(mssql()->resync(state, DIR_REQ, in));
	free(state);
}
END_TEST

/* clang-format off */
static const struct {
	const char *in; size_t len; size_t cap; const char *want;
} texts[] = {
	{ BYTES("a\0b\0"), 8, "ab" },
	{ BYTES("a\0b"), 8, "a" },
	{ BYTES("\xe9\0\xac\x20"), 8, "\xc3\xa9\xe2\x82\xac" },
	{ BYTES("\x3d\xd8\x00\xde"), 8, "\xf0\x9f\x98\x80" },
	{ BYTES("\x3d\xd8"), 8, "\xef\xbf\xbd" },
	{ BYTES("\x00\xde" "a\0"), 8, "\xef\xbf\xbd" "a" },
	{ BYTES("a\0\xac\x20" "b\0"), 3, "a" },
	{ BYTES(""), 8, "" },
};
/* clang-format on */

START_TEST(turns_utf16_into_whole_characters)
{
	char out[8];
	size_t n =
		mssql_utf8(guarded(texts[_i].in, texts[_i].len), texts[_i].len, out, texts[_i].cap);

	ck_assert(str_is((struct str){ out, n }, texts[_i].want));
}
END_TEST

START_TEST(no_byte_of_a_password_is_told)
{
	/* a login of which the place of the user is that of the password */
	static const uint8_t offsets[] = { 94, 0, 0, 0, 94, 0, 4, 0, 94, 0, 4, 0 };
	uint8_t login[8 + 94 + 8] = { MSSQL_LOGIN, 1, 0, sizeof(login) };
	struct mssql *state = calloc(1, mssql()->state_size);
	struct cur in = cur_of(login, sizeof(login));
	struct msg m = MSG_INIT;

	login[8] = sizeof(login) - 8;
	login[15] = 0x74;
	memcpy(login + 8 + 36, offsets + 0, sizeof(offsets));
	login[8 + 36 + 6] = 0; /* no user, but a password */
	memcpy(login + 8 + 94, "s\0e\0c\0r\0", 8);
	ck_assert_int_eq(mssql()->parse(state, DIR_REQ, &in, &m), PARSE_OK);
	ck_assert(str_is(m.op, "LOGIN") && !m.nattrs && !m.target.s && !m.db.s);
	ck_assert_ptr_null(memmem(state, mssql()->state_size, "secr", 4));
	free(state);
}
END_TEST

Suite *mssql_suite(void)
{
	Suite *s = suite_create("mssql");
	TCase *t = tcase_create("mssql");

	tcase_add_loop_test(t, is_as_sure_as_the_bytes_allow, 0, sizeof(firsts) / sizeof(*firsts));
	tcase_add_test(t, finds_the_next_packet_after_lost_bytes);
	tcase_add_loop_test(t, turns_utf16_into_whole_characters, 0,
	                    sizeof(texts) / sizeof(*texts));
	tcase_add_test(t, no_byte_of_a_password_is_told);
	suite_add_tcase(s, t);
	return s;
}
