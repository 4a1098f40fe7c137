/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_PROTO_KAFKA_H
#define OBI_PROTO_KAFKA_H

/*
 * kafka - shared by the parts of the Kafka parser; for kafka*.c only.
 *
 * Every message is a length and so many bytes. A request names its kind, its
 * version and a correlation id; the answer repeats only that id, so that the
 * kinds of the open requests are kept here. A broker answers in order.
 *
 * Only the head of a message is ever seen at once, but batches of records are
 * to be counted to the last, and each topic of a Metadata answer is one to
 * remember. Long messages therefore come as several: the head, and parts of
 * whole elements (a topic, a partition, a batch) as far as PROTO_HEAD bytes go.
 */

#include "proto/proto.h"

enum { KAFKA_DEPTH = 6, KAFKA_RUNS = 24, KAFKA_UUID = 16, KAFKA_UUID_TEXT = 22 };

struct kafka_api {
	const char *name; /* NULL: no such key */
	int max, flexible;
	const char *req, *resp; /* fields, see kafka_apis.def */
};

/* NULL where the key is unknown. */
const struct kafka_api *kafka_api(unsigned int key);
/* The name of an error code; "_OTHER" where it is none that is known. */
struct str kafka_error(int code);

/* ---- the fields of a message ---- */

/* A place in the fields of one message. */
struct kafka_walk {
	uint16_t at;                 /* in the text of the fields */
	uint16_t start[KAFKA_DEPTH]; /* of the arrays that are open: after their bracket */
	uint32_t left[KAFKA_DEPTH];  /* elements, with the one under way */
	uint32_t records;            /* bytes of the records under way */
	uint32_t partitions;         /* so far */
	uint8_t depth, key, version;
	bool resp;
	bool old; /* records of before 0.11, compressed: nobody knows how many they are */
};

/* What was found on the way. Slices of the input; s == NULL: not there. */
struct kafka_found {
	struct str topic, group, key, codec, context, baggage;
	const uint8_t *topic_id;
	uint32_t array, topics; /* elements of the innermost array, of that of the topics */
	int32_t partition;      /* -1: none */
	int64_t offset, base;   /* as the message says, of the first batch; -1: none */
	int64_t rows;           /* -1: no records */
	int16_t error, acks;
	int32_t epoch;
	uint8_t key_type;
	bool has_error;
};

enum kafka_end {
	KAFKA_DONE,  /* that was the last field */
	KAFKA_TOPIC, /* a topic and its id, to be remembered */
	KAFKA_SKIP,  /* a batch goes on beyond the bytes that are here */
	KAFKA_SHORT, /* the next element is not whole */
	KAFKA_WRONG, /* these are not the fields */
};

/*
 * Takes whole elements. *c moves past what was taken; with KAFKA_SKIP *skip
 * bytes after it belong to the last batch.
 */
enum kafka_end kafka_walk(struct kafka_walk *w, struct cur *c, struct kafka_found *f,
                          uint64_t *skip);
/* Whether no element follows. */
bool kafka_walk_over(const struct kafka_walk *w);
bool kafka_flexible(unsigned int key, unsigned int version);
/* Fields that later versions appended, in any order, each with its length. */
void kafka_tags(struct cur *c);

/* One batch; what belongs to it and is not in c goes to *skip. False: it is none. */
bool kafka_batch(struct kafka_walk *w, struct cur *c, struct kafka_found *f, uint64_t *skip);

/* ---- the connection ---- */

/* Requests of one kind whose ids follow each other. */
struct kafka_run {
	uint32_t first, n;
	uint8_t key, version;
};

/* A message that comes in parts. */
struct kafka_body {
	struct kafka_walk walk;
	uint64_t left; /* bytes; 0: none is under way */
	uint64_t id;
	bool coded;  /* has an error code */
	bool failed; /* and one that was no success, which has been told */
};

struct kafka {
	struct kafka_run asked[KAFKA_RUNS]; /* open requests, oldest first */
	uint32_t runs;
	struct kafka_body body[2];
	uint64_t fetching; /* use_id of the first topic of the fetch session; 0: none */
	bool fetching_wide;
	char uuid[KAFKA_UUID_TEXT]; /* of the topic, as text */
};

_Static_assert(sizeof(struct kafka) <= 640, "state is copied for each answer that is early");

enum { KAFKA_LENGTH_MAX = 1 << 30 };

struct kafka_head {
	uint32_t len; /* of the message, without itself */
	int16_t key, version;
	int32_t id;
	struct str client;
};

/*
 * Whether the bytes begin with the head of a request: PARSE_OK, PARSE_MORE where
 * there are too few, PARSE_BAD. `strict`: what clients really send.
 */
enum parse kafka_head(struct cur *c, struct kafka_head *h, bool strict);
/* The open requests that this one is of; NULL: none. */
struct kafka_run *kafka_asked(struct kafka *s, uint32_t id);
enum parse kafka_parse(void *state, enum dir dir, struct cur *in, struct msg *out);

#endif
