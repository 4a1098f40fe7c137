// SPDX-License-Identifier: GPL-3.0-or-later
/* kafka_test - Kafka beyond its corpus: detection, lost bytes, errors, spans. */
#include "tests/unit/suites.h"
#include <check.h>
#include <stdlib.h>

#include "proto/kafka.h"
#include "tests/unit/guard.h"

static const struct proto *kafka(void)
{
	return proto_by_id(PROTO_KAFKA);
}

/* Heads: length, key, version, id, client id. */
#define VERSIONS(id) "\0\0\0\x0c\0\x12\0\0\0\0\0" id "\0\2me"
#define BEAT(id)     "\0\0\0\x16\0\x0c\0\0\0\0\0" id "\0\2me\0\1g\0\0\0\1\0\1m"
#define YES(id)      "\0\0\0\x0a\0\0\0" id "\0\0\0\0\0\0"
#define FINE(id)     "\0\0\0\6\0\0\0" id "\0\0"

struct text {
	const char *s;
	size_t len;
};
#define T(lit)                         \
	{                              \
		(lit), sizeof(lit) - 1 \
	}

/* clang-format off */
static const struct {
	const char *what; struct text req, resp; bool from_start; enum sure want;
} firsts[] = {
	{ "nothing", T(""), T(""), true, SURE_MAYBE },
	{ "half a head", T("\0\0\0\x0c\0\x12"), T(""), true, SURE_MAYBE },
	{ "a request alone", T(VERSIONS("\1")), T(""), true, SURE_MAYBE },
	{ "a request and its answer", T(VERSIONS("\1")), T(YES("\1")), true, SURE_YES },
	{ "the head of an answer", T(VERSIONS("\1")), T("\0\0\1\0\0\0\0\1"), true, SURE_YES },
	{ "half of one", T(VERSIONS("\1")), T("\0\0\1\0\0\0"), true, SURE_MAYBE },
	{ "another id", T(VERSIONS("\1")), T(YES("\2")), true, SURE_NO },
	{ "an answer alone", T(""), T(YES("\2")), true, SURE_NO },
	{ "three requests", T(BEAT("\1") BEAT("\2") BEAT("\3")), T(""), false, SURE_LIKELY },
	{ "ids in another order", T(BEAT("\2") BEAT("\1") BEAT("\3")), T(FINE("\1")), true, SURE_YES },
	{ "ids far apart", T("\0\0\0\x0c\0\x12\0\0\x30\0\0\0\0\2me" BEAT("\1")), T(""), true, SURE_NO },
	{ "an answer to one of before", T(BEAT("\x12")), T(FINE("\x11") FINE("\x12")), false, SURE_YES },
	{ "the inside of a long answer", T(BEAT("\1") BEAT("\2") BEAT("\3")),
	  T("\x7f" "ecords of a fetch"), false, SURE_LIKELY },
	{ "the inside of a request", T("rest of records" BEAT("\7")), T(FINE("\7")), false, SURE_YES },
	{ "the inside of one, answered by another", T("rest of records" BEAT("\7")), T(FINE("\6")),
	  false, SURE_NO },
	{ "the inside of one at the start", T("rest of records" BEAT("\7")), T(FINE("\7")), true, SURE_NO },
	{ "no such request", T("\0\0\0\x0c\1\x12\0\0\0\0\0\1\0\2me"), T(""), true, SURE_NO },
	{ "no such version", T("\0\0\0\x0c\0\x12\0\x40\0\0\0\1\0\2me"), T(""), true, SURE_NO },
	{ "a negative id", T("\0\0\0\x0c\0\x12\0\0\xff\0\0\1\0\2me"), T(""), true, SURE_NO },
	{ "a client id too long", T("\0\0\0\x0c\0\x12\0\0\0\0\0\1\0\3me"), T(""), true, SURE_NO },
	{ "postgresql", T("\0\0\0\x08\x04\xd2\x16\x2f"), T("N"), true, SURE_NO },
	{ "text", T("GET / HTTP/1.1\r\n\r\n"), T("HTTP/1.1 200 OK\r\n"), true, SURE_NO },
};
/* clang-format on */

static struct cur cur_guarded(struct text t)
{
	return cur_of(guarded(t.s, t.len), t.len);
}

START_TEST(is_as_sure_as_the_bytes_allow)
{
	struct first f = { .messages = 4, .from_start = firsts[_i].from_start };

	f.req = cur_of(firsts[_i].req.s, firsts[_i].req.len);
	f.resp = cur_guarded(firsts[_i].resp);
	ck_assert_msg(kafka()->detect(&f) == firsts[_i].want, "%s: %d", firsts[_i].what,
	              kafka()->detect(&f));
}
END_TEST

/* clang-format off */
static const struct {
	const char *what; enum dir dir; struct text bytes; ptrdiff_t at;
} places[] = {
	{ "a request", DIR_REQ, T("xyz" BEAT("\2")), 3 },
	{ "one that goes on", DIR_REQ, T("xyz\0\0\1\0\0\x0c\0\0\0\0\0\1\0\2me\0"), 3 },
	{ "no client id and something else behind it", DIR_REQ,
	  T("xyz\0\0\0\x0a\0\x12\0\0\0\0\0\1\xff\xff" "zzzzzzzz"), -1 },
	{ "no request", DIR_REQ, T("xyzabcdefghijklmn"), -1 },
	{ "an answer", DIR_RESP, T("xyz" FINE("\5")), 3 },
	{ "two", DIR_RESP, T("xyz" FINE("\5") FINE("\6")), 3 },
	{ "an answer to none", DIR_RESP, T("xyz" FINE("\7")), -1 },
	{ "one that goes on, at the front", DIR_RESP, T("\0\0\1\0\0\0\0\5x"), 0 },
	{ "one that goes on, by chance", DIR_RESP, T("xyz\0\0\1\0\0\0\0\5x"), -1 },
};
/* clang-format on */

START_TEST(finds_the_next_message_after_lost_bytes)
{
	struct kafka s = { .runs = 1, .asked = { { 5, 2, 12, 0 } } };
	struct cur in = cur_guarded((struct text){ places[_i].bytes.s, places[_i].bytes.len });
	const uint8_t *p = kafka()->resync(&s, places[_i].dir, in);

	ck_assert_msg((p ? p - in.p : -1) == places[_i].at, "%s: at %td", places[_i].what,
	              p ? p - in.p : -1);
}
END_TEST

START_TEST(knows_errors_by_name)
{
	ck_assert(str_is(kafka_error(0), "NONE"));
	ck_assert(str_is(kafka_error(-1), "UNKNOWN_SERVER_ERROR"));
	ck_assert(str_is(kafka_error(36), "TOPIC_ALREADY_EXISTS"));
	ck_assert(str_is(kafka_error(4711), "_OTHER"));
}
END_TEST

/* In each version an element of an array has a field, or it would take no bytes. */
static void has_elements(const char *s, int max)
{
	for (int version = 0; version <= max; version++) {
		for (const char *p = strchr(s, '['); p; p = strchr(p + 1, '[')) {
			bool found = false;
			const char *q = p + 1;

			q += strspn(q, "0123456789-");
			for (; *q && *q != ']' && !found; q += *q != 0) {
				int from = 0, to = 999;
				char type = *q++;

				if (type == ' ' || (type == '(' && *q == ' '))
					continue;
				if (*q >= '0' && *q <= '9')
					from = to = (int)strtol(q, (char **)&q, 10);
				if (*q == '-')
					to = (int)strtol(q + 1, (char **)&q, 10);
				else if (from)
					to = 999;
				found = version >= from && version <= to;
			}
			ck_assert_msg(found || *q != ']', "%s: nothing in version %d of %s", s,
			              version, p);
		}
	}
}

START_TEST(no_element_is_empty)
{
	const struct kafka_api *api = kafka_api((unsigned int)_i);

	ck_assert_ptr_nonnull(api);
	ck_assert_int_le(api->flexible, api->max);
	has_elements(api->req, api->max);
	has_elements(api->resp, api->max);
}
END_TEST

Suite *kafka_suite(void)
{
	Suite *s = suite_create("kafka");
	TCase *t = tcase_create("kafka");

	tcase_add_loop_test(t, is_as_sure_as_the_bytes_allow, 0, sizeof(firsts) / sizeof(*firsts));
	tcase_add_loop_test(t, finds_the_next_message_after_lost_bytes, 0,
	                    sizeof(places) / sizeof(*places));
	tcase_add_test(t, knows_errors_by_name);
	tcase_add_loop_test(t, no_element_is_empty, 0, 93);
	suite_add_tcase(s, t);
	return s;
}
