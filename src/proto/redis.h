/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_PROTO_REDIS_H
#define OBI_PROTO_REDIS_H

/*
 * redis - what the request side (redis_req.c), the text of commands
 * (redis_text.c) and the reply side (redis_resp.c) of RESP share.
 *
 * RESP: a type byte, a number or text, CR LF; then the bytes of a string with CR
 * LF, or the elements of an aggregate. Specification:
 * https://redis.io/docs/latest/develop/reference/protocol-spec/
 */

#include "proto/proto.h"

enum {
	REDIS_NAME = 24,    /* bytes of a known command's name, padded with zeroes */
	REDIS_TEXT = 240,   /* bytes of a command's text that are kept */
	REDIS_ARGS = 32,    /* arguments that can be in it */
	REDIS_WAITING = 16, /* SUBSCRIBE commands without all of their answers */
	REDIS_DEPTH = 4,    /* aggregates without a length inside each other */
};

/* Which arguments are shown; the others are ?. SUB_*: the first is part of the name. */
enum redis_shape {
	REDIS_ALL,
	REDIS_FIRST,  /* the first n */
	REDIS_BUT,    /* all but number n */
	REDIS_PAIRS,  /* the first n, then the first of each two */
	REDIS_SCRIPT, /* not the script; the number of keys and the keys */
	REDIS_SHA,    /* likewise, and what names the script */
	REDIS_SUB_ALL,
	REDIS_SUB_FIRST,
	REDIS_SUB_PAIRS,
};

/* What a command changes for the answers that follow. */
enum redis_act {
	REDIS_PLAIN,
	REDIS_CLIENT, /* CLIENT REPLY ON, OFF, SKIP */
	REDIS_DISCARD,
	REDIS_EXEC,
	REDIS_MONITOR,
	REDIS_MULTI,
	REDIS_PROCEDURE,
	REDIS_RESET,
	REDIS_SELECT,
	REDIS_SUBSCRIBE,
	REDIS_SYNC,
	REDIS_UNSUBSCRIBE,
};

struct redis_command {
	char name[REDIS_NAME];
	uint8_t shape, n, act;
};

/* Kinds of subscriptions: SUBSCRIBE, PSUBSCRIBE, SSUBSCRIBE. */
enum { REDIS_CHANNELS, REDIS_PATTERNS, REDIS_SHARDS, REDIS_KINDS };

enum { REDIS_ALL_OF_THEM = 0xffff }; /* UNSUBSCRIBE without arguments */

struct redis {
	uint64_t left; /* elements of the reply still to come; UINT64_MAX: until an end mark */
	uint64_t outer[REDIS_DEPTH]; /* the same of the aggregates around such a one */
	uint32_t args;               /* arguments of the command still to come, nobody reads them */
	uint32_t waiting;            /* commands without their answer */
	uint32_t queued;             /* commands since MULTI */
	uint32_t sync_in; /* the answer after so many turns the connection into a stream */
	uint32_t subscribed[REDIS_KINDS];
	uint8_t depth;
	bool multi, monitor, silent, skip_next;
	bool in_line; /* the rest of a long inline command comes */
	bool in_push; /* the elements still to come belong to a push */
	bool opaque;  /* a replication stream: nothing is read any more */
	uint8_t head, count;
	uint16_t answers[REDIS_WAITING]; /* still to come for each SUBSCRIBE and UNSUBSCRIBE */
	char text[REDIS_TEXT];           /* what the last command's target points to */
};

/* An argument as far as it is buffered. */
struct redis_arg {
	const char *s;
	size_t len;
	bool cut;
};

struct redis_words {
	uint64_t total; /* arguments, the name included */
	unsigned int n; /* of them here */
	struct redis_arg arg[REDIS_ARGS];
};

/*
 * A number and CR LF after a type byte; '?' (a length to be told later) is
 * REDIS_STREAMED. PARSE_OK, PARSE_MORE or PARSE_BAD.
 */
enum { REDIS_STREAMED = -2 };
enum parse redis_number(struct cur *c, int64_t *n);

/*
 * The command's name, upper case, and its text with ? for values, written to
 * s->text; out->op and out->target point there. What it is, or NULL.
 */
const struct redis_command *redis_text_of(struct redis *s, const struct redis_words *w,
                                          struct msg *out);
/* The command of this name, any case; NULL where there is none. */
const struct redis_command *redis_text_find(struct str name);

enum parse redis_req_command(struct redis *s, struct cur *c, struct msg *out);
enum parse redis_resp_reply(struct redis *s, struct cur *c, struct msg *out);

#endif
