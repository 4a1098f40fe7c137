// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * dns_text - records of DNS as text: the form of zone files (RFC 1035, 5; RFC
 * 9460 for SVCB and HTTPS).
 */
#include "proto/dns.h"

#include <arpa/inet.h>
#include <stdarg.h>
#include <stdio.h>

static const char *const types[] = {
#define DNS_TYPE(num, NAME) [num] = #NAME,
#include "proto/dns_types.def"
#undef DNS_TYPE
};

static const char *const rcodes[] = {
	"NOERROR",  "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP",   "REFUSED",
	"YXDOMAIN", "YXRRSET", "NXRRSET",  "NOTAUTH",  "NOTZONE",  "DSOTYPENI",
	NULL,       NULL,      NULL,       NULL,       "BADVERS",  "BADKEY",
	"BADTIME",  "BADMODE", "BADNAME",  "BADALG",   "BADTRUNC", "BADCOOKIE",
};

const char *dns_type_name(unsigned int type)
{
	return type < sizeof(types) / sizeof(*types) ? types[type] : NULL;
}

const char *dns_rcode_name(unsigned int rcode)
{
	return rcode < sizeof(rcodes) / sizeof(*rcodes) ? rcodes[rcode] : NULL;
}

void dns_put(struct dns_out *o, const char *fmt, ...)
{
	va_list ap;
	int n;

	if (o->full)
		return;
	va_start(ap, fmt);
	n = vsnprintf(o->p + o->len, o->cap - o->len, fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= o->cap - o->len)
		o->full = true;
	else
		o->len += (size_t)n;
}

/* ---- parts ---- */

static void put_address(struct cur *c, int family, struct dns_out *o)
{
	const uint8_t *p = cur_take(c, family == AF_INET ? 4 : 16);
	char text[INET6_ADDRSTRLEN];

	if (p && inet_ntop(family, p, text, sizeof(text)))
		dns_put(o, "%s", text);
}

/* A string of characters (RFC 1035, 3.3), in quotes. */
static void put_string(struct str s, struct dns_out *o)
{
	dns_put(o, "\"");
	for (size_t i = 0; i < s.len; i++) {
		uint8_t ch = (uint8_t)s.s[i];

		if (ch < ' ' || ch >= 0x7f)
			dns_put(o, "\\%03u", ch);
		else
			dns_put(o, "%s%c", ch == '"' || ch == '\\' ? "\\" : "", ch);
	}
	dns_put(o, "\"");
}

static void put_strings(struct cur *c, struct dns_out *o)
{
	const char *sep = "";

	while (cur_left(c) && !c->over) {
		uint8_t n = cur_u8(c);

		dns_put(o, "%s", sep);
		put_string(cur_rest(c, n), o);
		sep = " ";
	}
}

/* So many numbers of 16 bits, a blank after each. */
static void put_numbers(struct cur *c, int n, struct dns_out *o)
{
	while (n--)
		dns_put(o, "%u ", cur_be16(c));
}

static size_t offset(const struct cur *c, struct str msg)
{
	return (size_t)(c->p - (const uint8_t *)msg.s);
}

/* ---- records ---- */

/* Past a name that stands in the data, so that what follows it is found. */
static void put_name(struct cur *c, struct str msg, struct dns_out *o)
{
	uint8_t n;

	dns_name(msg, offset(c, msg), o);
	while ((n = cur_u8(c)) && !c->over) {
		if (n >= 0xc0) {
			cur_u8(c);
			return;
		}
		cur_take(c, n);
	}
}

static void put_soa(struct cur *c, struct str msg, struct dns_out *o)
{
	put_name(c, msg, o);
	dns_put(o, " ");
	put_name(c, msg, o);
	for (int i = 0; i < 5; i++)
		dns_put(o, " %u", cur_be32(c));
}

static void put_caa(struct cur *c, struct dns_out *o)
{
	uint8_t flags = cur_u8(c), n = cur_u8(c);
	struct str tag = cur_rest(c, n);

	dns_put(o, "%u ", flags);
	for (size_t i = 0; i < tag.len; i++)
		dns_put(o, "%c", tag.s[i] > ' ' && tag.s[i] < 0x7f ? tag.s[i] : '?');
	dns_put(o, " ");
	put_string(cur_rest(c, cur_left(c)), o);
}

static void put_alpn(struct cur value, struct dns_out *o)
{
	const char *sep = "";

	while (cur_left(&value) && !value.over) {
		struct str s = cur_rest(&value, cur_u8(&value));

		dns_put(o, "%s", sep);
		for (size_t i = 0; i < s.len; i++)
			dns_put(o, "%c", s.s[i] > ' ' && s.s[i] < 0x7f ? s.s[i] : '?');
		sep = ",";
	}
}

static void put_hints(struct cur value, int family, struct dns_out *o)
{
	size_t size = family == AF_INET ? 4 : 16;
	const char *sep = "";

	while (cur_left(&value) >= size) {
		dns_put(o, "%s", sep);
		put_address(&value, family, o);
		sep = ",";
	}
}

/* One parameter of a service (RFC 9460, 14.3.2); others are named by number. */
static void put_param(unsigned int key, struct cur value, struct dns_out *o)
{
	enum { ALPN = 1, NO_DEFAULT_ALPN = 2, PORT = 3, IPV4HINT = 4, ECH = 5, IPV6HINT = 6 };

	switch (key) {
	case ALPN:
		dns_put(o, " alpn=");
		put_alpn(value, o);
		break;
	case NO_DEFAULT_ALPN:
		dns_put(o, " no-default-alpn");
		break;
	case PORT:
		dns_put(o, " port=%u", cur_be16(&value));
		break;
	case IPV4HINT:
		dns_put(o, " ipv4hint=");
		put_hints(value, AF_INET, o);
		break;
	case IPV6HINT:
		dns_put(o, " ipv6hint=");
		put_hints(value, AF_INET6, o);
		break;
	case ECH:
		dns_put(o, " ech");
		break;
	default:
		dns_put(o, " key%u", key);
	}
}

static void put_service(struct cur *c, struct str msg, struct dns_out *o)
{
	put_numbers(c, 1, o);
	put_name(c, msg, o);
	while (cur_left(c) && !c->over) {
		unsigned int key = cur_be16(c), len = cur_be16(c);
		struct str value = cur_rest(c, len);

		if (!c->over)
			put_param(key, cur_of(value.s, value.len), o);
	}
}

static void put_type(unsigned int type, struct dns_out *o)
{
	const char *name = dns_type_name(type);

	if (name)
		dns_put(o, "%s", name);
	else
		dns_put(o, "TYPE%u", type);
}

void dns_data(struct str msg, const struct dns_record *r, struct dns_out *o)
{
	/* Compressed names lie elsewhere in the message, everything else in here. */
	struct cur c = cur_of(msg.s + r->data, r->len);

	switch (r->type) {
	case DNS_A:
		put_address(&c, AF_INET, o);
		break;
	case DNS_AAAA:
		put_address(&c, AF_INET6, o);
		break;
	case DNS_NS:
	case DNS_CNAME:
	case DNS_PTR:
	case DNS_DNAME:
		put_name(&c, msg, o);
		break;
	case DNS_MX:
		put_numbers(&c, 1, o);
		put_name(&c, msg, o);
		break;
	case DNS_SRV:
		put_numbers(&c, 3, o);
		put_name(&c, msg, o);
		break;
	case DNS_TXT:
	case DNS_SPF:
		put_strings(&c, o);
		break;
	case DNS_SOA:
		put_soa(&c, msg, o);
		break;
	case DNS_CAA:
		put_caa(&c, o);
		break;
	case DNS_SVCB:
	case DNS_HTTPS:
		put_service(&c, msg, o);
		break;
	default:
		put_type(r->type, o);
	}
}
