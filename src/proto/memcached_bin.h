/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_PROTO_MEMCACHED_BIN_H
#define OBI_PROTO_MEMCACHED_BIN_H

/*
 * memcached_bin - the binary protocol of Memcached, for memcached.c, which tells the
 * two apart by the first byte of a message: no command and no answer of the text
 * protocol begins with one of these.
 *
 * Quiet gets and the command that ends them are one request, as one get of several
 * keys is in the text protocol: what was not found is not answered, and an answer by
 * itself does not tell how many went before. Other quiet commands are one-way.
 */

#include "proto/proto.h"

enum {
	MEMCACHED_BIN_REQ = 0x80, /* first byte */
	MEMCACHED_BIN_RESP = 0x81,
	MEMCACHED_BIN_HEADER = 24,
	MEMCACHED_BIN_TEXT = 160,
};

struct memcached_bin {
	uint32_t keys; /* of the run of quiet gets that is being sent; 0: there is none */
	uint32_t last; /* of the run that ended last */
	uint32_t runs; /* ended by a no-op that has not been answered yet */
	char text[MEMCACHED_BIN_TEXT]; /* of the command, in the words of the text protocol */
};

/* Like parse(); c is at the first byte of a message. */
enum parse memcached_bin_request(struct memcached_bin *s, struct cur *c, struct msg *out);
enum parse memcached_bin_answer(struct memcached_bin *s, struct cur *c, struct msg *out);

/* Whether a message begins here that the server, or a client, could have sent. */
bool memcached_bin_asks(struct cur c);
bool memcached_bin_replies(struct cur c);

#endif
