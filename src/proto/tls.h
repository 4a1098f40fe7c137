/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_PROTO_TLS_H
#define OBI_PROTO_TLS_H

/*
 * tls - what the files of TLS share: tls.c (records, detection), tls_hello.c
 * (messages of the handshake), tls_cert.c (X.509). Nobody else includes it.
 */

#include "proto/proto.h"

enum tls_record {
	TLS_CHANGE_CIPHER = 20,
	TLS_ALERTS = 21,
	TLS_HANDSHAKE = 22,
	TLS_DATA = 23,
};

enum tls_message {
	TLS_CLIENT_HELLO = 1,
	TLS_SERVER_HELLO = 2,
	TLS_CERTIFICATE = 11,
	TLS_SERVER_KEY = 12,
};

enum { TLS_VERSION_13 = 0x0304, TLS_HEAD = 5, TLS_RANDOM = 32, TLS_NAME = 128 };

struct tls {
	bool hello, answered; /* what each side chose is known */
	bool retried;         /* the server has asked for another hello */
	bool done;            /* the rest is encrypted, or means nothing */
	bool changed[2];      /* records of this side are encrypted, up to 1.2 */
	bool finished[2];     /* up to 1.2 */
	uint16_t version;     /* that the server chose */
	uint32_t left[2];     /* of a message that goes on in the next record; UINT32_MAX: lost */
	uint64_t session;     /* hash of the session id that the client offers; 0: none */
	char offered[64], cipher[8], curve[8];
	char subject[TLS_NAME], issuer[TLS_NAME], not_after[24];
};

/* Whether a ClientHello or ServerHello begins here, by all that `in` has of it. */
enum sure tls_is_hello(struct cur in, enum tls_message type);

/*
 * One message of the handshake, or as much of it as is there: what it says goes to
 * *s and *out. PARSE_BAD where it breaks the rules of TLS.
 */
enum parse tls_message(struct tls *s, enum dir dir, unsigned int type, struct cur in,
                       struct msg *out);

/* Subject, issuer and end of the first certificate of a list, as far as they can be read. */
void tls_certificate(struct tls *s, struct cur list, struct msg *out);

#endif
