/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_PROTO_CLICKHOUSE_H
#define OBI_PROTO_CLICKHOUSE_H

/*
 * clickhouse - what the files of the parser share.
 *
 *   clickhouse.c        packets to messages, detection, the place after lost bytes
 *   clickhouse_hello.c  how a connection begins
 *   clickhouse_req.c    queries and what else clients send
 *   clickhouse_resp.c   answers
 *   clickhouse_block.c  blocks of data: packed frames, columns
 *   clickhouse_type.c   names of types to instructions how to pass their values
 *
 * A packet is a number and what belongs to it; nothing says how long it is, so that
 * all of it has to be understood to find the next one. Specification: "Native
 * protocol" in ClickHouse's documentation, Core/ProtocolDefines.h of its sources.
 */

#include "proto/proto.h"

/* Revisions from which on something is on the wire. */
enum ch_revision {
	CH_REV_MIN = 54032, /* older ones are not known */
	CH_REV_TIMEZONE = 54058,
	CH_REV_QUOTA_KEY = 54060,
	CH_REV_DISPLAY_NAME = 54372,
	CH_REV_PATCH = 54401,
	CH_REV_WRITTEN = 54420,
	CH_REV_SETTINGS = 54429,
	CH_REV_SECRET = 54441,
	CH_REV_TRACE = 54442,
	CH_REV_FORWARDED = 54443,
	CH_REV_REFERER = 54447,
	CH_REV_DEPTH = 54448,
	CH_REV_START_TIME = 54449,
	CH_REV_REPLICAS = 54453,
	CH_REV_CUSTOM = 54454,
	CH_REV_ADDENDUM = 54458,
	CH_REV_PARAMETERS = 54459,
	CH_REV_ELAPSED = 54460,
	CH_REV_PASSWORD_RULES = 54461,
	CH_REV_NONCE = 54462,
	CH_REV_TOTAL_BYTES = 54463,
	CH_REV_READ_ONLY = 54467,
	CH_REV_AGGREGATION = 54469,
	CH_REV_CHUNKED = 54470,
	CH_REV_REPLICAS_VERSION = 54471,
	CH_REV_ROLES = 54472,
	CH_REV_SERVER_SETTINGS = 54474,
	CH_REV_LINES = 54475,
	CH_REV_JWT = 54476,
	CH_REV_PLAN = 54477,
	CH_REV_CLUSTER = 54479,
	CH_REV_MAX = 54484, /* newer ones are not known */
	CH_REV_LIMIT = 60000,
};

enum ch_client {
	CH_C_HELLO,
	CH_C_QUERY,
	CH_C_DATA,
	CH_C_CANCEL,
	CH_C_PING,
	CH_C_TABLES_STATUS,
	CH_C_SCALAR = 7,
};

enum ch_server {
	CH_S_HELLO,
	CH_S_DATA,
	CH_S_EXCEPTION,
	CH_S_PROGRESS,
	CH_S_PONG,
	CH_S_END_OF_STREAM,
	CH_S_PROFILE_INFO,
	CH_S_TOTALS,
	CH_S_EXTREMES,
	CH_S_TABLES_STATUS,
	CH_S_LOG,
	CH_S_TABLE_COLUMNS,
	CH_S_PART_UUIDS,
	CH_S_READ_TASK,
	CH_S_PROFILE_EVENTS,
	CH_S_TIMEZONE = 17,
};

enum {
	CH_CODE = 24,
	CH_NESTED = 6,
	CH_FRAME = 25,           /* checksum, method, sizes packed and plain */
	CH_ANCHOR = 10,          /* bytes of the beginning of a block that tell it from values */
	CH_NAME = 1024,          /* longest name of a table, a setting, a column */
	CH_TRACE = 55,           /* bytes of a traceparent */
	CH_LIMIT = 1 << 30,      /* bytes of one value, of one frame */
	CH_WHOLE_FRAME = 1 << 16 /* a frame of fewer plain bytes is the last of its block */
};

/* How the values of a column are passed: instructions, worked off one by one. */
enum ch_op {
	CH_BYTES,   /* so many bytes each */
	CH_HEAD,    /* so many bytes once */
	CH_STRINGS, /* a length and bytes each */
	CH_OFFSETS, /* of arrays: the last one is the number of values further in */
	CH_POP,     /* back to the number further out */
	CH_KEYS,    /* of LowCardinality: number of values in the dictionary */
	CH_INDEX,   /* likewise: back to the number further out, places in the dictionary */
	CH_SPARSE,  /* where values other than the default are */
};

struct ch_code {
	uint32_t ins[CH_CODE]; /* enum ch_op and << 3 bytes */
	uint8_t n;
};

/* False where the type is not known, or too much. */
bool clickhouse_compile(struct str type, bool sparse, struct ch_code *to);

struct ch_walk {
	struct ch_code code;
	uint64_t count[CH_NESTED]; /* values, by how deep arrays are nested */
	uint64_t left;             /* of the instruction */
	uint8_t at, depth, step, width;
};

enum ch_phase {
	CH_PACKET,
	CH_BLOCK, /* the block of a packet begins */
	CH_COLUMN,
	CH_VALUES,
	CH_FRAMES,     /* behind a packed frame that may go on in another */
	CH_ADDENDUM,   /* what clients send once the server has said hello */
	CH_PARAMETERS, /* behind the text of a query */
	CH_LOST,       /* a type that is not known: up to the next block */
	CH_OPAQUE,
};

struct ch_side {
	struct ch_walk walk;
	uint64_t rows, columns; /* of the block; columns still to come */
	uint8_t phase, packet;
	bool counts; /* rows of this block are those of the query */
};

/* What the packets of an answer have said so far. */
struct ch_totals {
	uint64_t rows, sent, written, read_rows, read_bytes, profile;
	bool blocks, profiled, inserts, progress;
	bool unread;    /* rows of the answer could not be counted */
	bool unsent;    /* likewise those of the insert */
	uint8_t method; /* of packed frames, 0: none */
};

struct clickhouse {
	struct ch_side side[2];
	struct ch_totals sum;
	uint64_t serial;         /* of the latest request: its id */
	uint32_t client, server; /* revisions, as they said hello; 0: not seen */
	uint32_t revision;       /* what both know; 0: not known */
	bool guessed;            /* not by hello, by what a query looks like */
	uint8_t fields;          /* of a Progress, where the revision is a guess; 0: not known */
	char text[12];           /* what the message's status points to */
	char trace[CH_TRACE];    /* likewise its traceparent */
	char type[24];           /* of the first column that could not be read past */
};

/* Bytes to read: what is there of a message, from its beginning. */
struct ch_in {
	struct cur c;
	bool full;     /* no more of this message will ever be seen at once */
	uint64_t skip; /* bytes behind them that are passed unread */
};

enum ch_step {
	CH_ON,    /* something was passed */
	CH_MORE,  /* not enough bytes */
	CH_DONE,  /* a message is complete */
	CH_WRONG, /* not this protocol */
};

/* Text behind its length; ->over where it is longer than `limit`. */
struct str clickhouse_str(struct cur *c, size_t limit);
/* Likewise, of characters that can be printed; *bad where it is not such a text, as far as it is there. */
struct str clickhouse_word(struct cur *c, size_t limit, bool *bad);

/* A block, step by step; CH_DONE at its end. */
enum ch_step clickhouse_block(struct clickhouse *s, enum dir dir, struct ch_in *in);
/* Whether a block begins here, plain or packed; SURE_MAYBE: too few bytes to tell. */
enum sure clickhouse_is_block(struct cur c);
/* The next place where a packet with a block begins; NULL: none. */
const uint8_t *clickhouse_next_block(enum dir dir, struct cur c);
/* Passes what cannot be read, up to there. */
enum ch_step clickhouse_pass_lost(struct ch_side *side, enum dir dir, struct ch_in *in);

/* A hello behind its number; false: it is none. c->over: not all there. */
bool clickhouse_client_hello(struct cur *c, uint32_t *revision, struct msg *out);
bool clickhouse_server_hello(struct clickhouse *s, struct cur *c, uint32_t *revision);
enum ch_step clickhouse_addendum(struct clickhouse *s, struct ch_in *in);

/* One packet of the client, or a part of one. */
enum ch_step clickhouse_request(struct clickhouse *s, struct ch_in *in, struct msg *out);
/* A query behind its number, in whatever revision it fits. */
enum sure clickhouse_is_query(struct cur c);

/* One step through an answer. */
enum ch_step clickhouse_answer(struct clickhouse *s, struct ch_in *in, struct msg *out);
/* Whether a packet of an answer begins here; SURE_MAYBE: too few bytes to tell. */
enum sure clickhouse_is_answer(struct cur c, unsigned int depth);

#endif
