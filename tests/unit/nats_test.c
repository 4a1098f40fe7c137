// SPDX-License-Identifier: GPL-3.0-or-later
/* nats_test - NATS beyond its corpus: detection, lost bytes, long lines. */
#include <check.h>

#include "proto/proto.h"
#include "tests/unit/guard.h"
#include "tests/unit/suites.h"

static const struct proto *nats(void)
{
	return proto_by_id(PROTO_NATS);
}

/* clang-format off */
static const struct {
	const char *what, *req, *resp; enum sure want;
} firsts[] = {
	{ "the server greets", "", "INFO {\"server_id\":\"A\"}\r\n", SURE_YES },
	{ "another greeting", "", "INFO {\"version\":1}\r\n", SURE_MAYBE },
	{ "joined at a publication", "PUB a.b 5\r\nhello\r\n", "", SURE_YES },
	{ "joined at a message", "", "MSG a.b 1 5\r\nhello\r\n", SURE_YES },
	{ "alive", "PING\r\n", "PONG\r\n", SURE_MAYBE },
	{ "redis", "PING\r\n", "+PONG\r\n", SURE_NO },
	{ "half a verb", "PU", "", SURE_MAYBE },
	{ "nothing", "", "", SURE_MAYBE },
	{ "HTTP", "PUT / HTTP/1.1\r\n", "", SURE_NO },
	{ "memcached", "get k\r\n", "END\r\n", SURE_NO },
};
/* clang-format on */

START_TEST(is_as_sure_as_the_bytes_allow)
{
	struct first f = { .messages = 4, .from_start = true };

	f.req = cur_of(firsts[_i].req, strlen(firsts[_i].req));
	f.resp = cur_of(guarded(firsts[_i].resp, strlen(firsts[_i].resp)), strlen(firsts[_i].resp));
	ck_assert_msg(nats()->detect(&f) == firsts[_i].want, "%s: %d", firsts[_i].what,
	              nats()->detect(&f));
}
END_TEST

static ptrdiff_t found_at(enum dir dir, const char *text)
{
	uint64_t state[8] = { 0 };
	struct cur in = cur_of(guarded(text, strlen(text)), strlen(text));
	const uint8_t *p;

	ck_assert_uint_le(nats()->state_size, sizeof(state));
	p = nats()->resync(state, dir, in);
	return p ? p - in.p : -1;
}

START_TEST(finds_the_next_line_after_lost_bytes)
{
	ck_assert_int_eq(found_at(DIR_REQ, "data\r\nPUB a 1\r\nx\r\n"), 6);
	ck_assert_int_eq(found_at(DIR_REQ, "data\r\nPUB a\r\n"), -1);
	ck_assert_int_eq(found_at(DIR_RESP, "data\r\nMSG a 1 1\r\nx\r\n"), 6);
	ck_assert_int_eq(found_at(DIR_RESP, "data\r\n+OK\r\n"), -1);
}
END_TEST

START_TEST(gives_up_on_a_line_without_end)
{
	static char line[PROTO_HEAD];
	uint64_t state[8] = { 0 };
	struct msg m;

	memset(line, 'x', sizeof(line));
	for (size_t n = 4000; n <= sizeof(line); n += 4192) {
		struct cur in = cur_of(guarded(line, n), n);
		enum parse want = n < 4160 ? PARSE_MORE : PARSE_BAD;

		ck_assert_int_eq(nats()->parse(state, DIR_REQ, &in, &m), want);
	}
}
END_TEST

Suite *nats_suite(void)
{
	Suite *s = suite_create("nats");
	TCase *t = tcase_create("nats");

	tcase_add_loop_test(t, is_as_sure_as_the_bytes_allow, 0, sizeof(firsts) / sizeof(*firsts));
	tcase_add_test(t, finds_the_next_line_after_lost_bytes);
	tcase_add_test(t, gives_up_on_a_line_without_end);
	suite_add_tcase(s, t);
	return s;
}
