/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_PROTO_AMQP_H
#define OBI_PROTO_AMQP_H

/*
 * amqp - shared by the parts of the AMQP 0-9-1 parser; for amqp*.c only.
 *
 * Frames: type, channel, length, so many bytes, a last byte that is always 0xce.
 * A method that carries a message is followed by a frame with its properties and
 * by frames with its body; together they are one message here, as far as the
 * first frame of the body: later ones are told apart as parts.
 */

#include "proto/proto.h"

enum amqp_type { AMQP_METHOD_FRAME = 1, AMQP_HEADER = 2, AMQP_BODY = 3, AMQP_HEARTBEAT = 8 };

enum { AMQP_HEAD = 7, AMQP_END = 0xce, AMQP_FRAME_MAX = 16 << 20, AMQP_NAME = 255 };

struct amqp {
	bool connecting;               /* the handshake is under way */
	char topic[2 * AMQP_NAME + 1]; /* "exchange:key" */
};

struct amqp_frame {
	uint8_t type;
	uint16_t channel;
	uint32_t size;      /* of the payload */
	struct cur payload; /* ->cut: its end is not here */
};

enum amqp_role {
	AMQP_WRONG,
	AMQP_REQUEST,
	AMQP_ANSWER,
	AMQP_ONEWAY,
	AMQP_PART,
	AMQP_PUSH,
};

struct amqp_method {
	const char *name;
	uint16_t class, method;
	uint16_t answers; /* the method that it answers */
	uint8_t role[2];  /* enum amqp_role by enum dir */
	const char *fields;
};

/* NULL where there is none. */
const struct amqp_method *amqp_method(uint16_t class, uint16_t method);

/*
 * The frame at c, which moves past it, or to the end of the bytes. False where it
 * is none; c->over where not even its head is here. Whether its last byte is right
 * is asked of methods and heartbeats only: others are not waited for.
 */
bool amqp_frame(struct cur *c, struct amqp_frame *f);
/* A text behind its length of one byte. */
static inline struct str amqp_text(struct cur *c)
{
	return cur_str(c, cur_u8(c));
}
/*
 * The frames behind a method that carries a message: its properties, and the head
 * of the first one of its body, as far as they are those of this channel. False
 * where they have still to come; `full`: no more will.
 */
bool amqp_content(uint16_t channel, struct cur *c, bool full, struct msg *out);
/* The method of a frame; NULL where it is none that `dir` says, or not here. */
const struct amqp_method *amqp_said(const struct amqp_frame *f, enum dir dir);

enum parse amqp_parse(void *state, enum dir dir, struct cur *in, struct msg *out);

#endif
