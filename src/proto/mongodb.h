/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_PROTO_MONGODB_H
#define OBI_PROTO_MONGODB_H

/*
 * mongodb - shared by the parts of the MongoDB parser; for mongodb*.c only.
 *
 * Every message is a head of four numbers (length, its own id, the id of the
 * request that it answers, what it is) and mostly documents of BSON. Documents
 * are walked where they lie; what is cut off stays unknown.
 */

#include "proto/proto.h"

enum mongodb_opcode {
	MONGODB_REPLY = 1,
	MONGODB_UPDATE = 2001,
	MONGODB_INSERT = 2002,
	MONGODB_QUERY = 2004,
	MONGODB_GET_MORE = 2005,
	MONGODB_DELETE = 2006,
	MONGODB_KILL_CURSORS = 2007,
	MONGODB_COMPRESSED = 2012,
	MONGODB_MSG = 2013,
};

/* Flags of OP_MSG; of the low half all must be known to the reader. */
enum {
	MONGODB_CHECKSUM = 1 << 0,
	MONGODB_MORE_TO_COME = 1 << 1,
	MONGODB_EXHAUST_ALLOWED = 1 << 16,
};

enum { MONGODB_HEAD = 16, MONGODB_LENGTH_MAX = 48000000 + 16384, MONGODB_TEXT = 512 };

struct mongodb_head {
	uint32_t length; /* with the head */
	uint32_t id, to; /* its own; of the request that it answers */
	uint32_t opcode;
};

struct mongodb {
	/* A request that is answered more than once: each answer names the one before. */
	uint32_t last_answer; /* 0: none */
	uint64_t asked;       /* what the first one answered; 0: it has been told */
	char code[12];        /* error, as text */
	char text[MONGODB_TEXT];
};

_Static_assert(sizeof(struct mongodb) <= 640, "state is copied for each answer that is early");

/* ---- BSON (https://bsonspec.org/spec.html) ---- */

enum bson_type {
	BSON_DOUBLE = 0x01,
	BSON_STRING = 0x02,
	BSON_DOCUMENT = 0x03,
	BSON_ARRAY = 0x04,
	BSON_BOOL = 0x08,
	BSON_INT32 = 0x10,
	BSON_INT64 = 0x12,
};

struct bson {
	uint8_t type;
	struct str name;
	struct cur value; /* ->cut: it ends beyond the bytes that there are */
};

/*
 * The elements of the document at c, which moves past it. ->cut: its end is not
 * here. False where it is none; c->over where not even its length is here.
 */
bool bson_open(struct cur *c, struct cur *doc);
/* The next element. False at the end, whether it is the document's or that of the bytes; *bad: it is none. */
bool bson_next(struct cur *doc, struct bson *e, bool *bad);
/* Text of a string; NULL where it is none, or cut off. */
struct str bson_text(const struct bson *e);
/* A number of any type, of what lies between 0 and 1 that it is not 0; false where it is none. */
bool bson_number(const struct bson *e, int64_t *out);
/* The elements of a document or an array; false where it is none. */
bool bson_enter(const struct bson *e, struct cur *doc);
/* How many elements an array has; -1 where its end is not here. */
int64_t bson_count(struct cur doc);

/* ---- what was asked, without its values ---- */

struct mongodb_shape {
	char *p;
	size_t n, room;
	bool full;
};

/* A name or mark; what does not fit ends the text for good. */
void mongodb_shape_put(struct mongodb_shape *t, struct str s);
/*
 * {"filter": {"a": {"$gt": "?"}}}: names and structure. Of a command (`top`) the
 * first value stays, and what belongs to the session is left out.
 */
void mongodb_shape(struct mongodb_shape *t, struct cur doc, bool top);

/* ---- messages ---- */

struct mongodb_command;

/* What a message says, of a request. */
struct mongodb_asked {
	const struct mongodb_command *command; /* NULL: none that is known */
	struct str op, collection, db;
	struct str list;        /* a sequence of documents beside the command: its name */
	struct cur body, first; /* the command; the first of that sequence */
	int64_t batch;          /* documents of it, or of the like array; -1: unknown */
	bool has_body, has_first;
};

/* The sections of an OP_MSG; ->batch is -1 before. c->over where they are cut off. False: they are none. */
bool mongodb_sections(struct cur *c, uint32_t flags, struct mongodb_asked *a);
/* What is in an OP_COMPRESSED: by the name of its compressor. */
enum parse mongodb_packed(struct cur *c, struct msg *out);
enum parse mongodb_answer(struct mongodb *s, const struct mongodb_head *h, struct cur *c,
                          struct msg *out);

/* Whether the bytes begin with a message of `dir`: 1, or -1; 0: too few of them to tell. */
int mongodb_begins(struct cur c, enum dir dir);
enum parse mongodb_parse(void *state, enum dir dir, struct cur *in, struct msg *out);

#endif
