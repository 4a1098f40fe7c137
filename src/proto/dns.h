/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_PROTO_DNS_H
#define OBI_PROTO_DNS_H

/*
 * dns - what the files of DNS share: the message as a walk over its parts, and
 * the records as text.
 */

#include "proto/proto.h"

enum {
	DNS_HEAD = 12,
	DNS_NAME_MAX = 256, /* of a name as text; longer ones (escapes) are cut */
	DNS_TEXT_MAX = 768, /* of all answers as text */
	DNS_RECENT = 16,
};

enum {
	DNS_QR = 0x8000,
	DNS_AA = 0x0400,
	DNS_TC = 0x0200,
	DNS_RD = 0x0100,
	DNS_RA = 0x0080,
	DNS_Z = 0x0040,
	DNS_AD = 0x0020,
	DNS_CD = 0x0010,
};

enum dns_opcode { DNS_QUERY = 0, DNS_STATUS = 2, DNS_NOTIFY = 4, DNS_UPDATE = 5 };
enum dns_class { DNS_IN = 1 };

enum dns_type {
#define DNS_TYPE(num, NAME) DNS_##NAME = num,
#include "proto/dns_types.def"
#undef DNS_TYPE
};

enum dns_section { DNS_QUESTION, DNS_ANSWER, DNS_AUTHORITY, DNS_ADDITIONAL, DNS_SECTIONS };

/* Of a connection, or of a socket for datagrams. */
struct dns {
	uint64_t recent[DNS_RECENT]; /* ids of the last questions: an answer may lack its own */
	uint32_t asked;              /* how many there were */
	char name[DNS_NAME_MAX];
	char text[DNS_TEXT_MAX];
	char type[16], class[8], rcode[16], flags[24];
};

struct dns_head {
	uint16_t id, flags;
	uint16_t count[DNS_SECTIONS];
};

/* A question, or the fixed part of a record. Offsets are from the start of the message. */
struct dns_record {
	size_t name, data;
	uint32_t ttl;
	uint16_t type, class, len;
};

/* What a walk over a whole message has found. */
struct dns_message {
	struct dns_head head;
	struct dns_record question; /* the first; name 0: none */
	size_t answers;             /* offset of the first answer */
	unsigned int nanswers;      /* that could be read */
	unsigned int rcode;         /* with the upper bits of EDNS */
	bool partial;               /* it ends before its records do */
};

/* text - what grows in a fixed place; what does not fit is left out and remembered. */
struct dns_out {
	char *p;
	size_t len, cap;
	bool full;
};
void dns_put(struct dns_out *o, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/*
 * Walks over all of msg without writing anything. False: no message of DNS.
 * partial: all that is here fits, but more was announced.
 */
bool dns_walk(struct str msg, struct dns_message *out);
/* The record at c, which moves past it; false where there is none. */
bool dns_record(struct cur *c, struct str msg, bool question, struct dns_record *out);
/* The name at offset `at`, without the last dot; where it is none, as far as it is one. */
void dns_name(struct str msg, size_t at, struct dns_out *o);
/* The data of a record, as a zone file has it; of types that are only named, the type. */
void dns_data(struct str msg, const struct dns_record *r, struct dns_out *o);
/* "AAAA"; NULL where the type has no name here. */
const char *dns_type_name(unsigned int type);
const char *dns_rcode_name(unsigned int rcode);

#endif
