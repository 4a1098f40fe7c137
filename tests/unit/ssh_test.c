// SPDX-License-Identifier: GPL-3.0-or-later
/* ssh_test - SSH beyond its corpus: detection, lost bytes, the end of the connection. */
#include <check.h>

#include "proto/proto.h"
#include "tests/unit/guard.h"
#include "tests/unit/suites.h"

#define VERSION "SSH-2.0-OpenSSH_9.2\r\n"
#define NEWKEYS "\0\0\0\x0c\x0a\x15pppppppppp"

static const struct proto *ssh(void)
{
	return proto_by_id(PROTO_SSH);
}

/* clang-format off */
static const struct {
	const char *what, *req; size_t req_len; const char *resp; size_t resp_len; enum sure want;
} firsts[] = {
	{ "nothing", BYTES(""), BYTES(""), SURE_MAYBE },
	{ "the server first", BYTES(""), BYTES(VERSION), SURE_YES },
	{ "the client first", BYTES(VERSION), BYTES(""), SURE_YES },
	{ "both", BYTES(VERSION), BYTES(VERSION), SURE_YES },
	{ "half a version", BYTES("SSH-2."), BYTES(""), SURE_MAYBE },
	{ "a version without a name", BYTES("SSH-2.0-\r\n"), BYTES(""), SURE_NO },
	{ "version 1.99", BYTES("SSH-1.99-x"), BYTES(""), SURE_YES },
	{ "another version", BYTES("SSH-3.0-x"), BYTES(""), SURE_NO },
	{ "another answer", BYTES(VERSION), BYTES("HTTP/1.1 400\r\n"), SURE_NO },
};
/* clang-format on */

START_TEST(is_as_sure_as_the_bytes_allow)
{
	struct first f = { .messages = 4, .from_start = true };

	f.req = cur_of(firsts[_i].req, firsts[_i].req_len);
	f.resp = cur_of(guarded(firsts[_i].resp, firsts[_i].resp_len), firsts[_i].resp_len);
	ck_assert_msg(ssh()->detect(&f) == firsts[_i].want, "%s: %d", firsts[_i].what,
	              ssh()->detect(&f));
}
END_TEST

static void feed(void *state, enum dir dir, const char *bytes, size_t n)
{
	struct cur in = cur_of(guarded(bytes, n), n);
	struct msg m;

	while (cur_left(&in))
		ck_assert_int_eq(ssh()->parse(state, dir, &in, &m), PARSE_OK);
}

START_TEST(finds_a_version_or_a_last_packet_after_lost_bytes)
{
	uint64_t state[64] = { 0 };
	struct cur in = cur_of(guarded("lost" VERSION, 25), 25);

	ck_assert_uint_le(ssh()->state_size, sizeof(state));
	ck_assert_ptr_eq(ssh()->resync(state, DIR_REQ, in), in.p + 4);
	feed(state, DIR_REQ, VERSION, sizeof(VERSION) - 1);
	in = cur_of(guarded("lo" NEWKEYS, 18), 18);
	ck_assert_ptr_eq(ssh()->resync(state, DIR_REQ, in), in.p + 2);
	ck_assert_ptr_null(ssh()->resync(state, DIR_RESP, in));
}
END_TEST

START_TEST(a_connection_that_ends_in_its_handshake_has_failed)
{
	uint64_t state[64] = { 0 };
	struct msg m = MSG_INIT;

	ck_assert(!ssh()->finish(state, true, &m));
	feed(state, DIR_RESP, VERSION, sizeof(VERSION) - 1);
	feed(state, DIR_REQ, VERSION, sizeof(VERSION) - 1);
	feed(state, DIR_REQ, NEWKEYS, 16);
	ck_assert(!ssh()->finish(state, false, &m));
	ck_assert(ssh()->finish(state, true, &m));
	ck_assert(m.kind == MSG_RESP && m.error && str_is(m.error_type, "closed"));
	ck_assert(!ssh()->finish(state, true, &m));
}
END_TEST

Suite *ssh_suite(void)
{
	Suite *s = suite_create("ssh");
	TCase *t = tcase_create("ssh");

	tcase_add_loop_test(t, is_as_sure_as_the_bytes_allow, 0, sizeof(firsts) / sizeof(*firsts));
	tcase_add_test(t, finds_a_version_or_a_last_packet_after_lost_bytes);
	tcase_add_test(t, a_connection_that_ends_in_its_handshake_has_failed);
	suite_add_tcase(s, t);
	return s;
}
