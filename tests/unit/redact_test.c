// SPDX-License-Identifier: GPL-3.0-or-later
/* redact - what must not leave, and that doing it twice changes nothing. */
#include "span/redact.h"
#include "suites.h"

static const struct {
	const char *what, *proto, *target, *want;
} targets[] = {
	{ "a literal in a statement", "postgresql", "SELECT * FROM u WHERE mail = 'a@b'",
	  "SELECT * FROM u WHERE mail = ?" },
	{ "numbers in a statement", "mysql", "UPDATE t SET a = 5 WHERE id = 77",
	  "UPDATE t SET a = ? WHERE id = ?" },
	{ "a token in a query", "http", "/login?user=ann&token=abc123&x=1",
	  "/login?user=ann&token=REDACTED&x=1" },
	{ "a token for an application", "fastcgi", "/a.php?token=abc123", "/a.php?token=REDACTED" },
	{ "any case of its name", "http", "/a?API_KEY=k&Sig=s",
	  "/a?API_KEY=REDACTED&Sig=REDACTED" },
	{ "user and password of a URL", "http", "http://ann:pw@host/path",
	  "http://REDACTED:REDACTED@host/path" },
	{ "an address behind the path's start is none", "http", "/mail/a@b", "/mail/a@b" },
	{ "a card number in a path", "http", "/pay/4111111111111111/now", "/pay/[card]/now" },
	{ "a card number in groups", "redis", "SET card 4111-1111-1111-1111", "SET card [card]" },
	{ "a number that is no card", "http", "/order/4111111111111112",
	  "/order/4111111111111112" },
	{ "nothing to hide", "http", "/small?page=2", "/small?page=2" },
};

#define BODY(text) "{\"http.request.body.content\":\"" text "\"}"

static const struct {
	const char *what, *op, *target, *attrs, *want_target, *want_attrs;
} people[] = {
	{ "sender", "MAIL", "ann@example.org", NULL, "?@example.org", NULL },
	{ "no sender", "MAIL", "", NULL, "", NULL },
	{ "a name in quotes", "RCPT", "\"a@ b\"@example.org", NULL, "?@example.org", NULL },
	{ "a name alone", "VRFY", "ann", NULL, "?", NULL },
	{ "the client's name stays", "EHLO", "mx.example.org", NULL, "mx.example.org", NULL },
	{ "address in a message", "RCPT", "b@c",
	  "{\"error.message\":\"<ann.o@x.org>: unknown, ask boss@x.org\",\"a\":\"@b\"}", "?@c",
	  "{\"error.message\":\"<?@x.org>: unknown, ask ?@x.org\",\"a\":\"@b\"}" },
	{ "a name alone in a message", "VRFY", "ann", "{\"error.message\":\"<ann>: a < b\"}", "?",
	  "{\"error.message\":\"<?>: a < b\"}" },
	{ "a name of a directory", "bind", "uid=ann,ou=people+l=x,dc=example,dc=org", NULL,
	  "uid=?,ou=people+l=x,dc=example,dc=org", NULL },
	{ "a name with a comma", "delete", "cn=o\\,ann , OU = a\\=b", NULL, "cn=?, OU = a\\=b",
	  NULL },
	{ "a name of Active Directory", "bind", "ann@example.org", NULL, "?@example.org", NULL },
	{ "of an extension", "extended", "1.2.3", NULL, "1.2.3", NULL },
	{ "values of a filter", "search", "",
	  "{\"obi.ldap.filter\":\"(&(objectClass=*)(|(uid=an*n)(cn=*x)(!(age>=3)))(mail=*)(a:=\\\"x))\","
	  "\"a\":\"=b\"}",
	  "",
	  "{\"obi.ldap.filter\":\"(&(objectClass=*)(|(uid=?*?)(cn=*?)(!(age>=?)))(mail=*)(a:=?))\","
	  "\"a\":\"=b\"}" },
	{ "a filter that was cut", "search", "", "{\"obi.ldap.filter\":\"(&(uid=an...\"}", "",
	  "{\"obi.ldap.filter\":\"(&(uid=?\"}" },
	{ "a name in quotes in a message", "RCPT", "b@c",
	  "{\"error.message\":\"no \\\"ann o\\\"@x.org here\"}", "?@c",
	  "{\"error.message\":\"no ?@x.org here\"}" },
};

static const struct {
	const char *what, *attrs, *want;
} attrs[] = {
	{ "a header that carries credentials",
	  "{\"http.request.header.authorization\":\"Bearer x\"}",
	  "{\"http.request.header.authorization\":\"REDACTED\"}" },
	{ "members of baggage", "{\"obi.baggage\":\"user=7,session_id=abc; p=1,x=y\"}",
	  "{\"obi.baggage\":\"user=7,session_id=REDACTED,x=y\"}" },
	{ "a URL in a header",
	  "{\"http.response.header.location\":[\"https://a:b@h/p?token=t&x=1\"]}",
	  "{\"http.response.header.location\":"
	  "[\"https://REDACTED:REDACTED@h/p?token=REDACTED&x=1\"]}" },
	{ "metadata that carries credentials", "{\"rpc.request.metadata.x-api-key\":[\"k\"]}",
	  "{\"rpc.request.metadata.x-api-key\":[\"REDACTED\"]}" },
	{ "an author is no secret", "{\"author\":\"x\",\"oauth\":\"y\"}",
	  "{\"author\":\"x\",\"oauth\":\"REDACTED\"}" },
	{ "members of a body", BODY("{\\\"user\\\": \\\"ann\\\", \\\"password\\\": \\\"p\\\"}"),
	  BODY("{\\\"user\\\": \\\"ann\\\", \\\"password\\\": \\\"REDACTED\\\"}") },
	{ "numbers of a body", BODY("[{\\\"token\\\": -12.5e3, \\\"max_tokens\\\":7}]"),
	  BODY("[{\\\"token\\\": \\\"REDACTED\\\", \\\"max_tokens\\\":7}]") },
	{ "a body that was cut inside a secret", BODY("{\\\"a\\\":1,\\\"secret\\\":\\\"abc"),
	  BODY("{\\\"a\\\":1,\\\"secret\\\":\\\"REDACTED\\\"") },
	{ "a form", BODY("a=1&password=x&b=2"), BODY("a=1&password=REDACTED&b=2") },
	{ "a form of parts",
	  BODY("--x\\r\\nContent-Disposition: form-data; name=\\\"pwd\\\"\\r\\n\\r\\ns3\\r\\n"
	       "--x\\r\\nContent-Disposition: form-data; name=\\\"a\\\"\\r\\n\\r\\nb\\r\\n--x--"),
	  BODY("--x\\r\\nContent-Disposition: form-data; name=\\\"pwd\\\"\\r\\n\\r\\nREDACTED\\r\\n"
	       "--x\\r\\nContent-Disposition: form-data; name=\\\"a\\\"\\r\\n\\r\\nb\\r\\n--x--") },
	{ "a card in a body", BODY("pay 4111 1111 1111 1111 now"), BODY("pay [card] now") },
	{ "a query", "{\"url.query\":\"a=1&password=p\",\"url.path\":\"/a\"}",
	  "{\"url.query\":\"a=1&password=REDACTED\",\"url.path\":\"/a\"}" },
	{ "a value in a message", "{\"error.message\":\"Duplicate entry 'a@b' for key 'mail'\"}",
	  "{\"error.message\":\"Duplicate entry '?' for key '?'\"}" },
	{ "numbers stay", "{\"http.response.status_code\":200}",
	  "{\"http.response.status_code\":200}" },
	{ "a quote inside a value", "{\"user_agent.original\":\"a\\\"b\"}",
	  "{\"user_agent.original\":\"a\\\"b\"}" },
	{ "each value of a list",
	  "{\"http.request.header.cookie\":[\"a\",\"b\"],\"x\":[\"c\",1,\"d\"]}",
	  "{\"http.request.header.cookie\":[\"REDACTED\",\"REDACTED\"],\"x\":[\"c\",1,\"d\"]}" },
	{ "inside an event",
	  "{\"obi.events\":[{\"name\":\"n\",\"attributes\":{\"password\":\"p\",\"y\":\"z\"}}]}",
	  "{\"obi.events\":[{\"name\":\"n\",\"attributes\":{\"password\":\"REDACTED\",\"y\":\"z\"}}]}" },
	{ "all inside a secret", "{\"password\":{\"old\":[\"p\"],\"new\":\"q\"},\"y\":\"z\"}",
	  "{\"password\":{\"old\":[\"REDACTED\"],\"new\":\"REDACTED\"},\"y\":\"z\"}" },
	{ "a value that does not end", "{\"error.message\":\"it 's",
	  "{\"error.message\":\"it '?\"" },
};

struct rig {
	struct batch_pool *pool;
	struct batch *b;
	struct span *s;
};

static struct rig rig_new(void)
{
	struct rig r = { .pool = batch_pool_new(2, 4) };

	r.b = batch_get(r.pool, 0);
	r.s = batch_add(r.b, TABLE_SPANS);
	ck_assert_ptr_nonnull(r.s);
	return r;
}

static void rig_free(struct rig *r)
{
	batch_put(r->b);
	batch_pool_free(r->pool);
}

START_TEST(a_target_loses_its_secrets_once_and_for_all)
{
	struct rig r = rig_new();

	r.s->proto = str_of(targets[_i].proto);
	r.s->target = str_of(targets[_i].target);
	for (int twice = 0; twice < 2; twice++) {
		redact_batch(r.b);
		ck_assert_msg(str_is(r.s->target, targets[_i].want), "%s: %.*s", targets[_i].what,
		              STR_ARG(r.s->target));
	}
	rig_free(&r);
}
END_TEST

START_TEST(a_person_loses_the_name)
{
	struct rig r = rig_new();

	r.s->proto = *people[_i].op < 'a' ? STR("smtp") : STR("ldap");
	r.s->op = str_of(people[_i].op);
	r.s->target = str_of(people[_i].target);
	r.s->attrs = str_of(people[_i].attrs);
	for (int twice = 0; twice < 2; twice++) {
		redact_batch(r.b);
		ck_assert_msg(str_is(r.s->target, people[_i].want_target), "%s: %.*s",
		              people[_i].what, STR_ARG(r.s->target));
		ck_assert_msg(!r.s->attrs.s || str_is(r.s->attrs, people[_i].want_attrs),
		              "%s: %.*s", people[_i].what, STR_ARG(r.s->attrs));
	}
	rig_free(&r);
}
END_TEST

START_TEST(an_attribute_loses_its_secrets)
{
	struct rig r = rig_new();

	r.s->proto = STR("http");
	r.s->attrs = str_of(attrs[_i].attrs);
	redact_batch(r.b);
	ck_assert_msg(str_is(r.s->attrs, attrs[_i].want), "%s: %.*s", attrs[_i].what,
	              STR_ARG(r.s->attrs));
	rig_free(&r);
}
END_TEST

START_TEST(unknown_stays_unknown)
{
	struct rig r = rig_new();

	r.s->proto = STR("http");
	redact_batch(r.b);
	ck_assert_ptr_null(r.s->target.s);
	ck_assert_ptr_null(r.s->attrs.s);
	rig_free(&r);
}
END_TEST

Suite *redact_suite(void)
{
	Suite *s = suite_create("redact");
	TCase *t = tcase_create("rows");

	tcase_add_loop_test(t, a_target_loses_its_secrets_once_and_for_all, 0,
	                    sizeof(targets) / sizeof(*targets));
	tcase_add_loop_test(t, a_person_loses_the_name, 0, sizeof(people) / sizeof(*people));
	tcase_add_loop_test(t, an_attribute_loses_its_secrets, 0, sizeof(attrs) / sizeof(*attrs));
	tcase_add_test(t, unknown_stays_unknown);
	suite_add_tcase(s, t);
	return s;
}
