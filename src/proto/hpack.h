/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_PROTO_HPACK_H
#define OBI_PROTO_HPACK_H

/*
 * hpack - header compression of HTTP/2 (RFC 7541), for a reader that may have
 * come late.
 *
 * The table of one direction keeps the newest entries, as many as fit; nothing
 * else about its size needs to be known: an index counts from the newest entry
 * (62), and an encoder refers to no entry that is gone. What was added before
 * the reader came, or is older than what is kept, is unknown, never guessed.
 * That also holds for the two odd cases: a size update only makes entries go,
 * and an entry larger than the table empties it, so that nothing older than the
 * next one is referred to again.
 */

#include "base/cur.h"

enum {
	HPACK_BYTES = 4096,  /* of names and values kept: all of a table of the default size */
	HPACK_ENTRIES = 128, /* likewise: an entry counts for 32 bytes at least */
	HPACK_TEXT = 4096,   /* longest text that is decoded */
};

struct hpack_entry {
	uint32_t at;          /* of its first byte, counted since the beginning */
	uint16_t name, value; /* lengths */
	uint8_t known;        /* HPACK_NAME | HPACK_VALUE */
};

enum { HPACK_NAME = 1, HPACK_VALUE = 2 };

/* The dynamic table of one direction; zero-initialised. */
struct hpack {
	uint32_t written; /* bytes so far, modulo 2^32 */
	uint32_t added;   /* entries so far, likewise */
	uint32_t known;   /* of those: seen without a break before the newest */
	struct hpack_entry entries[HPACK_ENTRIES];
	uint8_t bytes[HPACK_BYTES];
};

/* Where texts that do not stand in the input are put. */
struct hpack_room {
	char name[HPACK_TEXT], value[HPACK_TEXT];
};

struct hpack_field {
	struct str name, value; /* s == NULL: not known */
	bool cut;               /* the value was longer than HPACK_TEXT */
};

/*
 * Takes the next field of a header block. 1: *out is filled, its texts live until
 * the next call; 0: the block is at its end; -1: it is malformed or ends early,
 * and the table is as it was.
 */
int hpack_next(struct hpack *t, struct cur *block, struct hpack_room *room,
               struct hpack_field *out);

/* Whether a block is well-formed; with `texts`, its Huffman codes too. */
bool hpack_check(struct cur block, bool texts);

/* Whose block it is by its fields in the fixed table: 1 a request's, -1 an answer's, 0: unknown. */
int hpack_asks(struct cur block);

/* Blocks were missed: nothing is known of the entries so far. */
void hpack_forget(struct hpack *t);

#endif
