// SPDX-License-Identifier: GPL-3.0-or-later
/* secret_test - names that mark a credential. */
#include <check.h>
#include <ctype.h>

#include "span/secret.h"
#include "suites.h"

START_TEST(a_credential_is_known_by_its_name_in_any_case_and_place)
{
	static const char *const names[] = {
		"password",    "passwd",      "pwd",     "secret",        "token",
		"api_key",     "apikey",      "api-key", "auth",          "session",
		"signature",   "sig",         "cookie",  "credential",    "access_key",
		"accesskeyid", "private_key", "jwt",     "authorization",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char text[64];

		ck_assert_msg(secret_name(str_of(names[i])), "%s", names[i]);
		snprintf(text, sizeof(text), "x.%s_of", names[i]);
		ck_assert_msg(secret_name(str_of(text)), "%s", text);
		for (char *p = text; *p; p++)
			*p = (char)toupper((unsigned char)*p);
		ck_assert_msg(secret_name(str_of(text)), "%s", text);
		text[strlen(text) - 4] = 0; /* "_OF" and the last letter of the word */
		if (i != 10 && i != 18)     /* "sig" and "auth" stay */
			ck_assert_msg(!secret_name(str_of(text)), "%s", text);
	}
}
END_TEST

START_TEST(other_names_are_no_credentials)
{
	static const char *const names[] = {
		"",
		"s",
		"si",
		"author",
		"http.response.header.content-type",
		"url.path",
		"server.address",
		"P!W!D",
		"network.protocol.version",
		"\xff\xfe\xfd",
		"db.query.text",
		"co-author",
		"se\0cret",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		ck_assert_msg(!secret_name(str_of(names[i])), "%s", names[i]);
	ck_assert(!secret_name(STR_NULL));
}
END_TEST

Suite *secret_suite(void)
{
	Suite *s = suite_create("secret");
	TCase *t = tcase_create("names");

	tcase_add_test(t, a_credential_is_known_by_its_name_in_any_case_and_place);
	tcase_add_test(t, other_names_are_no_credentials);
	suite_add_tcase(s, t);
	return s;
}
