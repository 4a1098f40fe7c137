/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_PROTO_LDAP_H
#define OBI_PROTO_LDAP_H

/* ldap - what the files of the parser of LDAP share: elements of BER, filters as text. */

#include "proto/proto.h"

enum ldap_tag {
	BER_BOOLEAN = 0x01,
	BER_INTEGER = 0x02,
	BER_OCTETS = 0x04,
	BER_ENUM = 0x0a,
	BER_SEQUENCE = 0x30,
	BER_SET = 0x31,
	BER_CONTEXT = 0x80,     /* [0], [1] ... */
	BER_CONSTRUCTED = 0xa0, /* the same, of elements */
};

/* One element: its bytes as far as they are here. */
struct ber {
	uint8_t tag;
	uint32_t len;
	struct cur in;
};

/*
 * Takes the head of an element: tag and length in the form that LDAP wants (definite,
 * up to 4 bytes; RFC 4511, 5.1). False: c->over is set, or it is no such head.
 */
bool ber_head(struct cur *c, uint8_t *tag, uint32_t *len);

/* Takes an element whose bytes may end before it does. */
bool ber_take(struct cur *c, struct ber *e);

/* Takes an element with this tag, whole. */
bool ber_want(struct cur *c, uint8_t tag, struct cur *in);
bool ber_text(struct cur *c, uint8_t tag, struct str *text);
bool ber_number(struct cur *c, uint8_t tag, uint32_t *n);

/*
 * The filter that begins here, as RFC 4515 writes it; at most `room` bytes, with "..."
 * where more would follow. 0: it is none.
 */
size_t ldap_filter(struct cur *c, char *to, size_t room);

enum { LDAP_FILTER_LEN = 1024, LDAP_TYPES_LEN = 256, LDAP_GONE = 8 };

enum ldap_op {
	LDAP_BIND = 0x60,
	LDAP_BIND_RESULT = 0x61,
	LDAP_UNBIND = 0x42,
	LDAP_SEARCH = 0x63,
	LDAP_ENTRY = 0x64,
	LDAP_SEARCH_RESULT = 0x65,
	LDAP_MODIFY = 0x66,
	LDAP_MODIFY_RESULT = 0x67,
	LDAP_ADD = 0x68,
	LDAP_ADD_RESULT = 0x69,
	LDAP_DELETE = 0x4a,
	LDAP_DELETE_RESULT = 0x6b,
	LDAP_RENAME = 0x6c,
	LDAP_RENAME_RESULT = 0x6d,
	LDAP_COMPARE = 0x6e,
	LDAP_COMPARE_RESULT = 0x6f,
	LDAP_ABANDON = 0x50,
	LDAP_REFERENCE = 0x73,
	LDAP_EXTENDED = 0x77,
	LDAP_EXTENDED_RESULT = 0x78,
	LDAP_INTERMEDIATE = 0x79,
};

struct ldap {
	uint32_t tls, sasl; /* ids of StartTLS, of a bind by SASL, without their answers; 0: none */
	bool wraps;         /* bound by SASL: bytes that are no message are wrapped ones */
	uint8_t ngone;
	uint32_t gone[LDAP_GONE]; /* abandoned, answers may still come */
	char filter[LDAP_FILTER_LEN];
	char types[LDAP_TYPES_LEN];
};

/* The head of a message. */
struct ldap_head {
	uint32_t id, rest; /* rest: bytes of the message behind the head of its operation */
	uint32_t len;      /* of these, the operation's */
	uint8_t op;
};

/* NULL: no operation that a client asks for. */
const char *ldap_request_name(uint8_t op);

/* What a request says, from the bytes of its operation. False: it is none. */
bool ldap_request(struct ldap *s, struct cur c, const struct ldap_head *h, struct msg *out);
bool ldap_search(struct ldap *s, struct cur c, struct msg *out);

#endif
