// SPDX-License-Identifier: GPL-3.0-or-later
/* ip - addresses as text. */
#include "base/ip.h"

static size_t put_number(char *out, unsigned int n)
{
	size_t len = n >= 100 ? 3 : n >= 10 ? 2 : 1;

	for (size_t i = len; i; n /= 10)
		out[--i] = (char)('0' + n % 10);
	return len;
}

struct str ip_text(int family, const uint8_t *addr, char out[INET6_ADDRSTRLEN])
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	size_t n = 0;

	if (family == AF_INET6 && memcmp(addr, mapped, sizeof(mapped)) != 0)
		return str_of(inet_ntop(family, addr, out, INET6_ADDRSTRLEN));
	if (family != AF_INET && family != AF_INET6)
		return STR_NULL;
	addr += family == AF_INET6 ? sizeof(mapped) : 0;
	for (unsigned int i = 0; i < 4; i++) {
		n += put_number(out + n, addr[i]);
		out[n++] = i < 3 ? '.' : 0;
	}
	return (struct str){ out, n - 1 };
}
