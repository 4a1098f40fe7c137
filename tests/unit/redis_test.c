// SPDX-License-Identifier: GPL-3.0-or-later
/* redis_test - Redis beyond its corpus: the table of commands, texts, lost bytes, detection. */
#include <check.h>

#include "proto/redis.h"
#include "tests/unit/guard.h"
#include "tests/unit/suites.h"

extern const struct proto proto_redis;

static struct redis state;
static struct msg msg;

static enum parse give_cut(enum dir dir, const char *bytes, size_t len, bool cut, size_t *took)
{
	struct cur in = cur_of(guarded(bytes, len), len);
	const uint8_t *begin = in.p;
	enum parse r;

	in.cut = cut;
	r = proto_redis.parse(&state, dir, &in, &msg);
	*took = (size_t)(in.p - begin);
	return r;
}

static enum parse give(enum dir dir, const char *bytes, size_t len)
{
	size_t took;

	return give_cut(dir, bytes, len, false, &took);
}

static void fresh(void)
{
	memset(&state, 0, sizeof(state));
}

/* ----- commands by name ----- */

static const char *const names[] = {
#define REDIS_COMMAND(name, shape, n, act) name,
#include "proto/redis_commands.def"
#undef REDIS_COMMAND
};

START_TEST(finds_every_command_in_any_case)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		char lower[REDIS_NAME] = "";

		ck_assert(strlen(names[i]) < REDIS_NAME);
		ck_assert(!i || strcmp(names[i - 1], names[i]) < 0);
		for (size_t k = 0; names[i][k]; k++)
			lower[k] = (char)(names[i][k] | (names[i][k] >= 'A' && names[i][k] <= 'Z')
			                                        << 5);
		ck_assert_msg(redis_text_find(str_of(names[i])), "%s", names[i]);
		ck_assert_msg(redis_text_find(str_of(lower)), "%s", lower);
	}
	ck_assert_ptr_null(redis_text_find(STR("")));
	ck_assert_ptr_null(redis_text_find(STR("AAA")));
	ck_assert_ptr_null(redis_text_find(STR("ZZZ")));
	ck_assert_ptr_null(redis_text_find(STR("GEORADIUSBYMEMBER_RO_TOO")));
}
END_TEST

/* ----- texts ----- */

#define K50 "kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk"

/* clang-format off */
static const struct {
	const char *in, *op, *target;
} texts[] = {
	{ "auth joe hunter2\r\n", "AUTH", "AUTH ? ?" },
	{ "hello 3 auth joe hunter2\r\n", "HELLO", "HELLO 3 ? ? ?" },
	{ "config set requirepass hunter2 dir /x\r\n", "CONFIG SET", "CONFIG SET requirepass ? dir ?" },
	{ "acl setuser bob >hunter2\r\n", "ACL SETUSER", "ACL SETUSER bob ?" },
	{ "migrate h 6379 k 0 10 AUTH pw\r\n", "MIGRATE", "MIGRATE h 6379 k 0 10 ? ?" },
	{ "evalsha abc 1 k v\r\n", "EVALSHA", "EVALSHA abc 1 k ?" },
	{ "eval script 1 k v\r\n", "EVAL", "EVAL ? 1 k ?" },
	{ "eval script x k v\r\n", "EVAL", "EVAL ? x ? ?" },
	{ "config\r\n", "CONFIG", "CONFIG" },
	{ "json.set doc $.a 5\r\n", "JSON.SET", "JSON.SET doc ? ?" },
	{ "set k v px 5\r\n", "SET", "SET k ? px 5" },
	{ "mset a 1 b 2\r\n", "MSET", "MSET a ? b ?" },
	{ "hset h f 1\r\n", "HSET", "HSET h f ?" },
	{ "del " K50 K50 K50 " x\r\n", "DEL",
	  "DEL " K50 K50 "kkkkkkkkkkkkkkkkkkkkkkkkkkkk... x" },
	{ "del " K50 " " K50 " " K50 " " K50 " " K50 "\r\n", "DEL",
	  "DEL " K50 " " K50 " " K50 " " K50 "  ..." },
};
/* clang-format on */

START_TEST(keeps_keys_and_hides_values)
{
	fresh();
	ck_assert_int_eq(give(DIR_REQ, texts[_i].in, strlen(texts[_i].in)), PARSE_OK);
	ck_assert_msg(str_eq(msg.op, str_of(texts[_i].op)), "%.*s", STR_ARG(msg.op));
	ck_assert_msg(str_eq(msg.target, str_of(texts[_i].target)), "%.*s", STR_ARG(msg.target));
}
END_TEST

START_TEST(gives_names_that_are_none_one_name)
{
	fresh();
	ck_assert_int_eq(give(DIR_REQ, BYTES("*2\r\n$3\r\na b\r\n$1\r\nk\r\n")), PARSE_OK);
	ck_assert(str_eq(msg.op, STR("_OTHER")));
	ck_assert_int_eq(give(DIR_REQ, BYTES("*1\r\n$0\r\n\r\n")), PARSE_OK);
	ck_assert(str_eq(msg.op, STR("_OTHER")));
}
END_TEST

START_TEST(leaves_out_what_the_server_repeats_of_arguments)
{
	fresh();
	give(DIR_REQ, BYTES("hunter2 x\r\n"));
	give(DIR_RESP, BYTES("-ERR unknown command 'a', with args beginning with: 'hunter2'\r\n"));
	ck_assert_int_eq(msg.kind, MSG_RESP);
	ck_assert(msg.error && str_eq(msg.status, STR("ERR")));
	ck_assert_uint_eq(msg.nattrs, 1);
	ck_assert(str_eq(msg.attrs[0].text, STR("ERR unknown command 'a'")));
}
END_TEST

/* ----- subscriptions ----- */

START_TEST(tells_messages_from_replies_after_joining_in_the_middle)
{
	fresh();
	ck_assert_int_eq(give(DIR_RESP, BYTES("*3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$1\r\nx\r\n")),
	                 PARSE_OK);
	ck_assert_int_eq(msg.kind, MSG_PUSH);
	ck_assert(str_eq(msg.target, STR("c")));
	give(DIR_REQ, BYTES("LRANGE l 0 -1\r\n"));
	give(DIR_RESP, BYTES("*3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$1\r\nx\r\n"));
	ck_assert_int_eq(msg.kind, MSG_RESP);
	give(DIR_RESP, BYTES("*3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:1\r\n"));
	ck_assert_int_eq(msg.kind, MSG_PUSH);
}
END_TEST

START_TEST(survives_more_subscriptions_than_it_tracks)
{
	fresh();
	for (int i = 0; i < REDIS_WAITING * 2; i++)
		give(DIR_REQ, BYTES("SUBSCRIBE c\r\n"));
	for (int i = 0; i < REDIS_WAITING * 2; i++) {
		give(DIR_RESP, BYTES("*3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:1\r\n"));
		ck_assert_int_eq(msg.kind, MSG_RESP);
	}
}
END_TEST

/* ----- bytes left out ----- */

START_TEST(places_the_end_of_what_was_cut)
{
	size_t took;

	fresh();
	ck_assert_int_eq(give_cut(DIR_REQ, BYTES("*2\r\n$3\r\nGET\r\n$9\r\nabc"), true, &took),
	                 PARSE_OK);
	ck_assert(msg.flags & MSG_F_CUT);
	ck_assert(str_eq(msg.target, STR("GET abc...")));
	ck_assert_uint_eq(took + msg.skip, 28);
	ck_assert_int_eq(give_cut(DIR_REQ, BYTES("*2\r\n$9\r\nabc"), true, &took), PARSE_BAD);
	ck_assert_int_eq(give_cut(DIR_REQ, BYTES("*2\r\n$9"), true, &took), PARSE_BAD);
	ck_assert_int_eq(give_cut(DIR_RESP, BYTES("$9\r\nabc"), true, &took), PARSE_OK);
	ck_assert_uint_eq(took + msg.skip, 15);
	ck_assert_int_eq(give_cut(DIR_RESP, BYTES("+O"), true, &took), PARSE_BAD);
	ck_assert_int_eq(give_cut(DIR_RESP, "", 0, true, &took), PARSE_BAD);
	ck_assert_int_eq(give_cut(DIR_RESP, "", 0, false, &took), PARSE_MORE);
}
END_TEST

/* ----- after lost bytes ----- */

static ptrdiff_t found_at(enum dir dir, const char *bytes, size_t len)
{
	struct cur in = cur_of(guarded(bytes, len), len);
	const uint8_t *p = proto_redis.resync(&state, dir, in);

	return p ? p - in.p : -1;
}

START_TEST(finds_the_next_command_and_its_answer)
{
	fresh();
	state.args = 3;
	ck_assert_int_eq(found_at(DIR_REQ, BYTES("abc\r\n*1\r\n$4\r\nPING\r\n")), 5);
	ck_assert_uint_eq(state.args, 0);
	ck_assert_int_eq(found_at(DIR_REQ, BYTES("abc\r\n*1\r\n$4\r\n\1\2\3\4\r\n")), -1);
	state.left = 9;
	ck_assert_int_eq(found_at(DIR_RESP, BYTES("xyz\r\n:5\r\n")), 5);
	ck_assert_uint_eq(state.left, 0);
	ck_assert_int_eq(found_at(DIR_RESP, BYTES("xyz\r\n*2\r\n$1\r\n")), 5);
	ck_assert_int_eq(found_at(DIR_RESP, BYTES("xyz\r\n_\r\n")), 5);
	ck_assert_int_eq(found_at(DIR_RESP, BYTES("xyz\r\n*x\r\n@\n*3\r\nabc")), -1);
	state.opaque = true;
	ck_assert_int_eq(found_at(DIR_RESP, BYTES("anything")), 0);
	ck_assert_int_eq(found_at(DIR_RESP, "", 0), -1);
}
END_TEST

/* ----- detection ----- */

/* clang-format off */
static const struct {
	const char *what, *req, *resp; bool start; enum sure want;
} firsts[] = {
	{ "a known command", "*1\r\n$4\r\nPING\r\n", "", true, SURE_YES },
	{ "half a header", "*1\r\n$", "", true, SURE_MAYBE },
	{ "half a name", "*1\r\n$4\r\nPI", "", true, SURE_MAYBE },
	{ "half an argument", "*2\r\n$3\r\nGET\r\n$", "", true, SURE_YES },
	{ "a module's command", "*1\r\n$8\r\nJSON.GET\r\n", "", true, SURE_MAYBE },
	{ "a module's command and a reply", "*1\r\n$8\r\nJSON.GET\r\n", "$-1\r\n", true, SURE_YES },
	{ "no name", "*1\r\n$4\r\n\1\1\1\1\r\n", "+OK\r\n", true, SURE_NO },
	{ "no name but a digit", "*1\r\n$1\r\n5\r\n", "+OK\r\n", true, SURE_NO },
	{ "an answer to SUBSCRIBE", "*3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:1\r\n", "", true, SURE_NO },
	{ "commands on both sides", "*1\r\n$3\r\nGET\r\n", "*1\r\n$3\r\nset\r\n", true, SURE_LIKELY },
	{ "an inline command", "PING\r\n", "+PONG\r\n", true, SURE_LIKELY },
	{ "an inline command without a reply", "PING\r\n", "", true, SURE_NO },
	{ "a page", "GET / HTTP/1.1\r\n\r\n", "HTTP/1.1 200 OK\r\n", true, SURE_NO },
	{ "mail", "QUIT\r\n", "221 bye\r\n", true, SURE_NO },
	{ "replies alone", "", "*3\r\n$7\r\nmessage\r\n", false, SURE_MAYBE },
	{ "replies first", "", "*3\r\n$7\r\nmessage\r\n", true, SURE_NO },
	{ "a bare line", "PING\r\n", "+PO\nNG", true, SURE_NO },
	{ "control characters", "PING\r\n", "+\1\r\n", true, SURE_NO },
};
/* clang-format on */

START_TEST(is_as_sure_as_the_bytes_allow)
{
	struct first f = { .messages = 4, .from_start = firsts[_i].start };

	f.req = cur_of(firsts[_i].req, strlen(firsts[_i].req));
	f.resp = cur_of(guarded(firsts[_i].resp, strlen(firsts[_i].resp)), strlen(firsts[_i].resp));
	ck_assert_msg(proto_redis.detect(&f) == firsts[_i].want, "%s: %d", firsts[_i].what,
	              proto_redis.detect(&f));
}
END_TEST

Suite *redis_suite(void)
{
	Suite *s = suite_create("redis");
	TCase *t = tcase_create("redis");

	tcase_add_test(t, finds_every_command_in_any_case);
	tcase_add_loop_test(t, keeps_keys_and_hides_values, 0, sizeof(texts) / sizeof(*texts));
	tcase_add_test(t, gives_names_that_are_none_one_name);
	tcase_add_test(t, leaves_out_what_the_server_repeats_of_arguments);
	tcase_add_test(t, tells_messages_from_replies_after_joining_in_the_middle);
	tcase_add_test(t, survives_more_subscriptions_than_it_tracks);
	tcase_add_test(t, places_the_end_of_what_was_cut);
	tcase_add_test(t, finds_the_next_command_and_its_answer);
	tcase_add_loop_test(t, is_as_sure_as_the_bytes_allow, 0, sizeof(firsts) / sizeof(*firsts));
	suite_add_tcase(s, t);
	return s;
}
