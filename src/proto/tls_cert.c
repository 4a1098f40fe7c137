// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * tls_cert - subject, issuer and end of an X.509 certificate (RFC 5280); names as
 * text by RFC 4514, the most specific part first.
 */
#include "proto/tls.h"

enum {
	DER_OID = 0x06,
	DER_UTF8 = 0x0c,
	DER_PRINTABLE = 0x13,
	DER_T61 = 0x14,
	DER_IA5 = 0x16,
	DER_UTC_TIME = 0x17,
	DER_TIME = 0x18,
	DER_SEQUENCE = 0x30,
	DER_SET = 0x31,
	DER_VERSION = 0xa0,
	PARTS = 16, /* of a name */
};

/* The next element; its tag, and *body what is in it. -1: none, or not all of it is there. */
static int der_next(struct cur *c, struct cur *body)
{
	int tag = cur_u8(c);
	uint64_t len = cur_u8(c);
	const uint8_t *p;

	if (len & 0x80)
		len = (len & 0x7f) <= 4 ? cur_be(c, len & 0x7f) : UINT32_MAX;
	p = cur_take(c, (size_t)len);
	if (!p)
		return -1;
	*body = cur_of(p, (size_t)len);
	return tag;
}

static bool der_is(struct cur *c, int tag, struct cur *body)
{
	return der_next(c, body) == tag;
}

/* A text that grows; what does not fit is left out. */
struct text {
	char *p;
	size_t len, cap;
};

static void put(struct text *t, const char *s, size_t n)
{
	n = n < t->cap - t->len ? n : t->cap - t->len;
	memcpy(t->p + t->len, s, n);
	t->len += n;
}

static void put_number(struct text *t, uint64_t n)
{
	char digits[20];
	size_t from = sizeof(digits);

	do
		digits[--from] = (char)('0' + n % 10);
	while (n /= 10);
	put(t, digits + from, sizeof(digits) - from);
}

/* "2.5.4.45" */
static void put_oid(struct text *t, struct cur oid)
{
	uint64_t n = 0;
	bool first = true;

	while (cur_left(&oid)) {
		uint8_t byte = cur_u8(&oid);

		n = n << 7 | (byte & 0x7f);
		if (byte & 0x80)
			continue;
		if (first) {
			uint64_t root = n < 80 ? n / 40 : 2;

			put_number(t, root);
			n -= root * 40;
		}
		first = false;
		put(t, ".", 1);
		put_number(t, n);
		n = 0;
	}
}

static void put_type(struct text *t, struct cur oid)
{
	static const struct {
		const char *oid, *name;
	} known[] = {
		{ "\x55\x04\x03", "CN" },
		{ "\x55\x04\x05", "serialNumber" },
		{ "\x55\x04\x06", "C" },
		{ "\x55\x04\x07", "L" },
		{ "\x55\x04\x08", "ST" },
		{ "\x55\x04\x09", "STREET" },
		{ "\x55\x04\x0a", "O" },
		{ "\x55\x04\x0b", "OU" },
		{ "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x01", "emailAddress" },
		{ "\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x19", "DC" },
		{ "\x09\x92\x26\x89\x93\xf2\x2c\x64\x01\x01", "UID" },
	};
	struct str s = { (const char *)oid.p, cur_left(&oid) };

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
		if (str_is(s, known[i].oid)) {
			put(t, known[i].name, strlen(known[i].name));
			return;
		}
	}
	put_oid(t, oid);
}

static void put_value(struct text *t, int tag, struct cur value)
{
	if (tag != DER_UTF8 && tag != DER_PRINTABLE && tag != DER_T61 && tag != DER_IA5) {
		put(t, "?", 1); /* two or four bytes a character, or no text */
		return;
	}
	for (const uint8_t *p = value.p; p < value.end; p++) {
		if (*p && strchr(",+\"\\<>;", *p))
			put(t, "\\", 1);
		put(t, (const char *)p, 1);
	}
}

/* A relative name: one attribute, seldom several. */
static void put_part(struct text *t, struct cur set)
{
	struct cur pair, type, value;
	size_t begin = t->len;

	while (cur_left(&set) && der_is(&set, DER_SEQUENCE, &pair) &&
	       der_is(&pair, DER_OID, &type)) {
		int tag = der_next(&pair, &value);

		if (tag < 0)
			return;
		put(t, "+", t->len > begin);
		put_type(t, type);
		put(t, "=", 1);
		put_value(t, tag, value);
	}
}

/* Length of the text; a character that did not fit as a whole is left out. */
static size_t name_text(struct cur name, char *to, size_t cap)
{
	struct text t = { .p = to, .cap = cap };
	struct cur parts[PARTS];
	size_t n = 0;

	while (n < PARTS && cur_left(&name) && der_is(&name, DER_SET, &parts[n]))
		n++;
	while (n--) {
		put(&t, ",", t.len > 0);
		put_part(&t, parts[n]);
	}
	if (t.len == cap)
		while (t.len && ((uint8_t)to[t.len - 1] & 0xc0) == 0x80)
			t.len--;
	if (t.len && t.len < cap && (uint8_t)to[t.len - 1] >= 0xc0)
		t.len--;
	return t.len;
}

/* "260102030405Z" (up to 2049) or "20260102030405Z" to RFC 3339; 0 where it is neither. */
static size_t time_text(int tag, struct cur in, char to[24])
{
	static const char form[] = "YYYY-MM-DDTHH:MM:SSZ";
	const char *p = (const char *)in.p;
	size_t n = cur_left(&in), at = 0;

	if (tag == DER_UTC_TIME && n == 13) {
		memcpy(to, p[0] < '5' ? "20" : "19", 2);
		at = 2;
	} else if (tag != DER_TIME || n != 15) {
		return 0;
	}
	for (size_t i = at; form[i]; i++) {
		bool digit = form[i] >= 'A' && form[i] <= 'Y' && form[i] != 'T';

		if (digit && (*p < '0' || *p > '9'))
			return 0;
		to[i] = digit ? *p++ : form[i];
	}
	return *p == 'Z' ? sizeof(form) - 1 : 0;
}

static void add(struct msg *out, enum attr key, const char *text, size_t n)
{
	if (n)
		msg_attr(out, key, (struct str){ text, n });
}

void tls_certificate(struct tls *s, struct cur list, struct msg *out)
{
	struct cur cert, tbs, part, issuer, validity, time, subject;
	struct str der;
	int tag;

	cur_be(&list, 3);
	der = cur_str(&list, (size_t)cur_be(&list, 3));
	cert = cur_of(der.s, der.len);
	if (!der_is(&cert, DER_SEQUENCE, &part) || !der_is(&part, DER_SEQUENCE, &tbs))
		return;
	/* the version is missing in those of version 1 */
	if (der_next(&tbs, &part) == DER_VERSION)
		der_next(&tbs, &part);
	if (!der_is(&tbs, DER_SEQUENCE, &part) || !der_is(&tbs, DER_SEQUENCE, &issuer) ||
	    !der_is(&tbs, DER_SEQUENCE, &validity) || !der_is(&tbs, DER_SEQUENCE, &subject))
		return;
	add(out, ATTR_TLS_SUBJECT, s->subject, name_text(subject, s->subject, TLS_NAME));
	add(out, ATTR_TLS_ISSUER, s->issuer, name_text(issuer, s->issuer, TLS_NAME));
	if (der_next(&validity, &time) < 0)
		return;
	tag = der_next(&validity, &time);
	if (tag > 0)
		add(out, ATTR_TLS_NOT_AFTER, s->not_after, time_text(tag, time, s->not_after));
}
