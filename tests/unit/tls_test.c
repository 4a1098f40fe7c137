// SPDX-License-Identifier: GPL-3.0-or-later
/* tls_test - TLS beyond its corpus: detection, lost bytes, the end of the connection. */
#include <check.h>

#include "proto/proto.h"
#include "tests/unit/guard.h"
#include "tests/unit/suites.h"

#define RANDOM "0123456789abcdef0123456789abcdef"
#define CLIENT "\x16\3\1\0\x2f\1\0\0\x2b\3\3" RANDOM "\0\0\2\x13\1\1\0\0\0"
#define SERVER "\x16\3\3\0\x2c\2\0\0\x28\3\3" RANDOM "\0\x13\1\0\0\0"
#define TEXT16 "an encrypted one"
#define DATA   "\x17\3\3\0\x20" TEXT16 TEXT16
#define ALERT  "\x15\3\3\0\2\2\x28"

static const struct proto *tls(void)
{
	return proto_by_id(PROTO_TLS);
}

/* clang-format off */
static const struct {
	const char *what, *req; size_t req_len; const char *resp; size_t resp_len;
	bool from_start; enum sure want;
} firsts[] = {
	{ "nothing", BYTES(""), BYTES(""), true, SURE_MAYBE },
	{ "a client's hello", BYTES(CLIENT), BYTES(""), true, SURE_YES },
	{ "a client's hello and its answer", BYTES(CLIENT), BYTES(SERVER), true, SURE_YES },
	{ "a client's hello and an alert", BYTES(CLIENT), BYTES(ALERT), true, SURE_YES },
	{ "half a hello", BYTES("\x16\3\1\0\x2f\1\0\0\x2b"), BYTES(""), true, SURE_MAYBE },
	{ "one byte", BYTES("\x16"), BYTES(""), true, SURE_MAYBE },
	{ "the server's hello alone", BYTES(""), BYTES(SERVER), true, SURE_YES },
	{ "the server's hello of a client", BYTES(SERVER), BYTES(""), true, SURE_NO },
	{ "another version", BYTES("\x16\4\1\0\x2f\1\0\0\x2b"), BYTES(""), true, SURE_NO },
	{ "no message", BYTES("\x16\3\1\0\2\1\0\0\x2b\3\3"), BYTES(""), true, SURE_NO },
	{ "a message of another kind", BYTES("\x16\3\1\0\x2f\7\0\0\x2b\3\3"), BYTES(""), true, SURE_NO },
	{ "an odd list of cipher suites", BYTES("\x16\3\1\0\x2f\1\0\0\x2b\3\3" RANDOM "\0\0\3\x13\1\1"), BYTES(""), true, SURE_NO },
	{ "a session id that is too long", BYTES("\x16\3\1\0\x2f\1\0\0\x2b\3\3" RANDOM "\x21\0\2\x13\1\1"), BYTES(""), true, SURE_NO },
	{ "encrypted from the start", BYTES(DATA DATA), BYTES(DATA DATA), true, SURE_NO },
	{ "joined: records", BYTES(DATA DATA), BYTES(""), false, SURE_YES },
	{ "joined: records of the server", BYTES(""), BYTES(DATA DATA DATA), false, SURE_YES },
	{ "joined: the end of one first", BYTES("crypted" DATA DATA), BYTES(""), false, SURE_YES },
	{ "joined: many and a half", BYTES(DATA DATA DATA DATA "\x17\3"), BYTES(""), false, SURE_YES },
	{ "joined: one", BYTES(DATA), BYTES(""), false, SURE_MAYBE },
	{ "joined: two and something else", BYTES(DATA DATA "abcdef"), BYTES(""), false, SURE_MAYBE },
	{ "another protocol", BYTES("GET / HTTP/1.1\r\n\r\n"), BYTES(""), true, SURE_NO },
};
/* clang-format on */

START_TEST(is_as_sure_as_the_bytes_allow)
{
	struct first f = { .messages = 4, .from_start = firsts[_i].from_start };

	f.req = cur_of(firsts[_i].req, firsts[_i].req_len);
	f.resp = cur_of(guarded(firsts[_i].resp, firsts[_i].resp_len), firsts[_i].resp_len);
	ck_assert_msg(tls()->detect(&f) == firsts[_i].want, "%s: %d", firsts[_i].what,
	              tls()->detect(&f));
	if (firsts[_i].resp_len)
		return;
	f.req = cur_of(guarded(firsts[_i].req, firsts[_i].req_len), firsts[_i].req_len);
	ck_assert_int_eq(tls()->detect(&f), firsts[_i].want);
}
END_TEST

static void *state_after(const char *req, size_t req_len, const char *resp, size_t resp_len)
{
	static uint64_t state[256];
	struct cur in[2] = { cur_of(req, req_len), cur_of(resp, resp_len) };
	struct msg m;

	memset(state, 0, sizeof(state));
	ck_assert_uint_le(tls()->state_size, sizeof(state));
	for (int d = 0; d < 2; d++)
		while (cur_left(&in[d]))
			ck_assert_int_eq(tls()->parse(state, (enum dir)d, &in[d], &m), PARSE_OK);
	return state;
}

static ptrdiff_t found_at(void *state, enum dir dir, const char *bytes, size_t n)
{
	struct cur in = cur_of(guarded(bytes, n), n);
	const uint8_t *p = tls()->resync(state, dir, in);

	return p ? p - in.p : -1;
}

START_TEST(finds_a_hello_or_records_after_lost_bytes)
{
	void *none = state_after(BYTES(""), BYTES(""));

	ck_assert_int_eq(found_at(none, DIR_REQ, BYTES("lost" CLIENT)), 4);
	ck_assert_int_eq(found_at(none, DIR_RESP, BYTES("lost" SERVER)), 4);
	ck_assert_int_eq(found_at(none, DIR_RESP, BYTES("lost" CLIENT)), -1);
	ck_assert_int_eq(found_at(none, DIR_REQ, BYTES("lo" DATA DATA)), 2);
	ck_assert_int_eq(found_at(none, DIR_REQ, BYTES("lo" DATA)), -1);
}
END_TEST

START_TEST(takes_any_whole_record_within_a_handshake)
{
	void *begun = state_after(BYTES(CLIENT), BYTES(SERVER));

	ck_assert_int_eq(found_at(begun, DIR_RESP, BYTES("xy" DATA)), 2);
	ck_assert_int_eq(found_at(begun, DIR_RESP, BYTES("xy" ALERT)), 2);
	ck_assert_int_eq(found_at(begun, DIR_RESP, BYTES("xy\x17\3\3\0\x20 half")), -1);
}
END_TEST

START_TEST(a_connection_that_ends_in_its_handshake_has_failed)
{
	void *begun = state_after(BYTES(CLIENT), BYTES(SERVER));
	struct msg m = MSG_INIT;

	ck_assert(!tls()->finish(begun, false, &m));
	ck_assert(tls()->finish(begun, true, &m));
	ck_assert_int_eq(m.kind, MSG_RESP);
	ck_assert(m.error && m.server_error && str_is(m.error_type, "closed"));
	ck_assert(!tls()->finish(begun, true, &m));
}
END_TEST

START_TEST(what_is_encrypted_is_muted_and_left)
{
	void *done = state_after(BYTES(CLIENT), BYTES(SERVER));
	struct cur in = cur_of(guarded(DATA, sizeof(DATA) - 1), sizeof(DATA) - 1);
	struct msg m = MSG_INIT;

	ck_assert_int_eq(tls()->parse(done, DIR_REQ, &in, &m), PARSE_OK);
	ck_assert_int_eq(m.kind, MSG_RESP);
	ck_assert_uint_eq(m.flags, MSG_F_MUTE | MSG_F_GIVEUP);
	ck_assert(!m.error && !cur_left(&in));
	in = cur_of("anything", 8);
	ck_assert_int_eq(tls()->parse(done, DIR_RESP, &in, &m), PARSE_OK);
	ck_assert_int_eq(m.kind, MSG_NONE);
	ck_assert_uint_eq(m.skip, UINT64_MAX);
	ck_assert(!tls()->finish(done, true, &m));
	ck_assert_int_eq(found_at(done, DIR_REQ, BYTES("abc")), 0);
}
END_TEST

Suite *tls_suite(void)
{
	Suite *s = suite_create("tls");
	TCase *t = tcase_create("tls");

	tcase_add_loop_test(t, is_as_sure_as_the_bytes_allow, 0, sizeof(firsts) / sizeof(*firsts));
	tcase_add_test(t, finds_a_hello_or_records_after_lost_bytes);
	tcase_add_test(t, takes_any_whole_record_within_a_handshake);
	tcase_add_test(t, a_connection_that_ends_in_its_handshake_has_failed);
	tcase_add_test(t, what_is_encrypted_is_muted_and_left);
	suite_add_tcase(s, t);
	return s;
}
