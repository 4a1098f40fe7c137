/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_PROTO_CQL_H
#define OBI_PROTO_CQL_H

/*
 * cql - what the files of the parser share.
 *
 *   cql.c        frames to messages, detection, the place after lost bytes
 *   cql_frame.c  headers of frames and of segments
 *   cql_req.c    bodies of requests
 *   cql_resp.c   bodies of answers
 *
 * Specification: native_protocol_v3.spec, _v4.spec and _v5.spec of Apache Cassandra.
 */

#include "proto/proto.h"

#define CQL_OPCODES(X)                    \
	X(0x00, ERROR, DIR_RESP)          \
	X(0x01, STARTUP, DIR_REQ)         \
	X(0x02, READY, DIR_RESP)          \
	X(0x03, AUTHENTICATE, DIR_RESP)   \
	X(0x05, OPTIONS, DIR_REQ)         \
	X(0x06, SUPPORTED, DIR_RESP)      \
	X(0x07, QUERY, DIR_REQ)           \
	X(0x08, RESULT, DIR_RESP)         \
	X(0x09, PREPARE, DIR_REQ)         \
	X(0x0a, EXECUTE, DIR_REQ)         \
	X(0x0b, REGISTER, DIR_REQ)        \
	X(0x0c, EVENT, DIR_RESP)          \
	X(0x0d, BATCH, DIR_REQ)           \
	X(0x0e, AUTH_CHALLENGE, DIR_RESP) \
	X(0x0f, AUTH_RESPONSE, DIR_REQ)   \
	X(0x10, AUTH_SUCCESS, DIR_RESP)

enum cql_opcode {
#define X(number, NAME, dir) CQL_##NAME = number,
	CQL_OPCODES(X)
#undef X
};

enum {
	CQL_HEADER = 9,
	CQL_SEGMENT = 6, /* header: 17 bits of length, whether frames end inside, CRC of both */
	CQL_PACKED = 8,  /* likewise, with the length before compression */
	CQL_TRAILER = 4, /* CRC of the payload */
	CQL_LONGEST = 1 << 28,
};

/* Flags of a frame. */
enum { CQL_F_PACKED = 1, CQL_F_TRACING = 2, CQL_F_PAYLOAD = 4, CQL_F_WARNING = 8 };

struct cql_frame {
	uint8_t version, flags, opcode;
	int16_t stream;
	uint32_t len;
};

/* Reads a frame's header; false where none like it is sent in this direction. */
bool cql_frame(struct cur *c, enum dir dir, struct cql_frame *f);
/* Payload bytes of the segment that begins here, -1: none does. */
int32_t cql_segment(struct cur c);
bool cql_is_packed(struct cur c); /* likewise, with compression */
/* Whether what is there of a body looks like one of this frame. */
bool cql_plausible(const struct cql_frame *f, struct cur body);
const char *cql_name(unsigned int opcode);

/* [string], [long string], [short bytes], [bytes]; an absent one is empty. */
struct str cql_string(struct cur *c);
struct str cql_long_string(struct cur *c);
struct str cql_bytes(struct cur *c);

/* What a body says; as far as it is there. */
void cql_request(const struct cql_frame *f, struct cur body, struct msg *out);
/* `text`: 12 bytes that the message may point into. */
void cql_answer(const struct cql_frame *f, struct cur body, char *text, struct msg *out);

#endif
