// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * guess - what datagrams that no parser knows may be.
 *
 * QUIC: RFC 8999 (long header, version) and RFC 9000, 9369; DTLS: RFC 9147; STUN:
 * RFC 8489; NTP: RFC 5905; syslog: RFC 5424; StatsD: its own description.
 */
#include "span/guess.h"

#include <stdbool.h>
#include <string.h>

static bool is_quic(const uint8_t *p, size_t n)
{
	static const uint8_t versions[][4] = { { 0, 0, 0, 1 }, { 0x6b, 0x33, 0x43, 0xcf } };

	if (n < 5 || (p[0] & 0xc0) != 0xc0)
		return false;
	return !memcmp(p + 1, versions[0], 4) || !memcmp(p + 1, versions[1], 4);
}

static bool is_dtls(const uint8_t *p, size_t n)
{
	return n >= 13 && p[0] >= 20 && p[0] <= 25 && p[1] == 0xfe &&
	       (p[2] == 0xfd || p[2] == 0xff);
}

static bool is_stun(const uint8_t *p, size_t n)
{
	static const uint8_t cookie[] = { 0x21, 0x12, 0xa4, 0x42 };

	return n >= 20 && p[0] < 0x40 && !memcmp(p + 4, cookie, sizeof(cookie));
}

/* Version 3 or 4, a mode that is in use, and nothing but the 48 bytes. */
static bool is_ntp(const uint8_t *p, size_t n)
{
	unsigned int version = p[0] >> 3 & 7, mode = p[0] & 7;

	return n == 48 && (version == 3 || version == 4) && mode >= 1 && mode <= 5 && p[1] <= 16;
}

/* "<34>" */
static bool is_syslog(const uint8_t *p, size_t n)
{
	size_t i = 1;

	if (n < 4 || p[0] != '<')
		return false;
	while (i < n && i < 4 && p[i] >= '0' && p[i] <= '9')
		i++;
	return i > 1 && i < n && p[i] == '>';
}

/* "name:1|c", likewise ms, g, s, h, d */
static bool is_statsd(const uint8_t *p, size_t n)
{
	const uint8_t *colon = memchr(p, ':', n), *bar;

	bar = colon && colon > p ? memchr(colon, '|', (size_t)(p + n - colon)) : NULL;
	if (!bar || bar + 1 == p + n || !strchr("cgmshd", bar[1]))
		return false;
	for (const uint8_t *c = p; c < bar; c++)
		if (*c <= ' ' || *c >= 0x7f)
			return false;
	return true;
}

const char *guess_datagram(const uint8_t *p, size_t n)
{
	static const struct {
		bool (*is)(const uint8_t *p, size_t n);
		const char *name;
	} guesses[] = {
		{ is_quic, "quic?" }, { is_dtls, "dtls?" },     { is_stun, "stun?" },
		{ is_ntp, "ntp?" },   { is_syslog, "syslog?" }, { is_statsd, "statsd?" },
	};

	for (size_t i = 0; n && i < sizeof(guesses) / sizeof(*guesses); i++)
		if (guesses[i].is(p, n))
			return guesses[i].name;
	return NULL;
}
