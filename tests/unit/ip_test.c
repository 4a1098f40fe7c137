// SPDX-License-Identifier: GPL-3.0-or-later
/* ip_test - addresses as text, compared with inet_ntop(). */
#include <check.h>

#include "base/ip.h"
#include "suites.h"

START_TEST(every_octet_is_written_as_inet_ntop_writes_it)
{
	for (unsigned int i = 0; i < 256; i++) {
		uint8_t addr[16] = { [10] = 0xff, [11] = 0xff, [12] = (uint8_t)i,
			             7,           77,          (uint8_t)(255 - i) };
		char text[INET6_ADDRSTRLEN], want[INET6_ADDRSTRLEN];

		inet_ntop(AF_INET, addr + 12, want, sizeof(want));
		ck_assert(str_is(ip_text(AF_INET, addr + 12, text), want));
		ck_assert_str_eq(text, want);
		ck_assert(str_is(ip_text(AF_INET6, addr, text), want));
	}
}
END_TEST

START_TEST(ipv6_is_written_short_and_other_families_are_unknown)
{
	static const uint8_t addr[16] = { 0x20, 1, 0xd, 0xb8, [15] = 1 };
	char text[INET6_ADDRSTRLEN];

	ck_assert(str_is(ip_text(AF_INET6, addr, text), "2001:db8::1"));
	ck_assert_ptr_null(ip_text(AF_UNIX, addr, text).s);
}
END_TEST

Suite *ip_suite(void)
{
	Suite *s = suite_create("ip");
	TCase *t = tcase_create("text");

	tcase_add_test(t, every_octet_is_written_as_inet_ntop_writes_it);
	tcase_add_test(t, ipv6_is_written_short_and_other_families_are_unknown);
	suite_add_tcase(s, t);
	return s;
}
