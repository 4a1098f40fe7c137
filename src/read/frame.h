/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_READ_FRAME_H
#define OBI_READ_FRAME_H

/*
 * frame - one message after the other out of an input.
 *
 * JSON: values one after the other, on lines of their own or not, also inside
 * an array; after a damaged one it goes on at the next line. Protobuf: each
 * behind its length, or one that is the whole input.
 */

#include "read/input.h"

enum { FRAME_MAX = 64 << 20 }; /* a message that is longer is left out */

enum frame {
	FRAME_END,   /* nothing follows */
	FRAME_WHOLE, /* a message */
	FRAME_CUT,   /* the input ends inside it: *out is what is there */
	FRAME_BAD,   /* damaged; *out may hold its sound beginning */
};

/* *out lives until the next call; *at is where it begins in the unpacked stream. */
enum frame frame_json(struct input *in, struct str *out, uint64_t *at);
enum frame frame_pb(struct input *in, struct str *out, uint64_t *at);
enum frame frame_all(struct input *in, struct str *out, uint64_t *at);

#endif
