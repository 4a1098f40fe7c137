/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_PROTO_MSSQL_H
#define OBI_PROTO_MSSQL_H

/*
 * mssql - what the files of the parser share.
 *
 *   mssql.c         detection, the place after lost bytes, the table
 *   mssql_packet.c  packets: a message is cut into them at any byte
 *   mssql_req.c     requests: login, batches, calls of procedures, transactions
 *   mssql_resp.c    answers: the packets, and the end of a message
 *   mssql_token.c   the tokens inside of an answer
 *   mssql_type.c    types of columns and parameters; UTF-16
 *
 * Specification: [MS-TDS], versions 7.0 to 7.4.
 */

#include "proto/proto.h"

enum mssql_type {
	MSSQL_BATCH = 0x01,
	MSSQL_RPC = 0x03,
	MSSQL_ANSWER = 0x04,
	MSSQL_ATTENTION = 0x06,
	MSSQL_BULK = 0x07,
	MSSQL_FEDAUTH = 0x08,
	MSSQL_TRANSACTION = 0x0e,
	MSSQL_LOGIN = 0x10,
	MSSQL_SSPI = 0x11,
	MSSQL_PRELOGIN = 0x12,
};

enum {
	MSSQL_HEADER = 8,
	MSSQL_PACKET = 32768, /* longest */
	MSSQL_EOM = 0x01,     /* status: the last packet of its message */
	MSSQL_RECORD = 5,     /* header of a TLS record */
	MSSQL_TEXT = 8192,
	MSSQL_COLUMNS = 512,
	MSSQL_NAME = 3 * 128, /* of a database, in UTF-8 */
	MSSQL_MESSAGE = 256,
	MSSQL_TAIL = 13,  /* of an answer: its last DONE */
	MSSQL_CURSOR = 8, /* in `awaits`: it is a cursor */
};

/* What TLS hides. */
enum mssql_hidden { MSSQL_CLEAR, MSSQL_HIDDEN_LOGIN, MSSQL_HIDDEN_ALL };

/* How the value of a column or parameter is laid out. */
enum mssql_kind {
	MSSQL_FIXED_0, /* up to MSSQL_FIXED_0 + 8: so many bytes */
	MSSQL_LEN_8 = 9,
	MSSQL_LEN_16, /* 0xffff: NULL */
	MSSQL_LEN_32, /* 0xffffffff: NULL */
	MSSQL_TEXTPTR,
	MSSQL_PLP, /* in chunks */
	MSSQL_UNKNOWN,
};

/* The packets of one direction. */
struct mssql_side {
	uint16_t left; /* payload of the packet still to come */
	bool last;     /* it is the last of its message */
	bool inside;   /* a message has begun and not ended */
};

struct mssql {
	struct mssql_side side[2];
	bool open;     /* a request has had no answer */
	bool old;      /* before 7.2: no headers in requests, shorter counts */
	bool modern;   /* 7.2 or later, for sure */
	bool stops;    /* the client has asked to stop, which is always confirmed */
	bool tried;    /* the hidden login has been sent */
	uint8_t asked; /* encryption, as the client asked for it in PRELOGIN */
	uint8_t hidden;
	uint8_t awaits; /* what the answer defines: a prepared statement or a cursor */

	/* the answer that is being read */
	bool blind;   /* only its end is looked at */
	bool failed;  /* there was an error */
	bool in_row;  /* values of a row come next */
	bool lone;    /* the value of a parameter comes next */
	bool chunks;  /* a chunk of a value comes next */
	bool new_db;  /* db was set by this answer */
	bool stopped; /* because the client asked for it */
	uint8_t kind; /* of the lone value */
	uint8_t class, state;
	uint16_t ncols, col;
	uint32_t pass; /* bytes nobody reads, before anything else */
	int32_t number;
	uint32_t handle;
	int64_t rows;
	uint8_t cols[MSSQL_COLUMNS];
	uint8_t nulls[MSSQL_COLUMNS / 8];

	/* what messages point to */
	uint16_t message_len, db_len;
	char digits[12];
	char message[MSSQL_MESSAGE];
	char db[MSSQL_NAME];
	char text[MSSQL_TEXT];
};

/* ---- mssql_packet.c ---- */

struct mssql_packet {
	uint8_t type, status, number;
	uint16_t len; /* with the header */
};

/* The header of a packet; false where it is none that `dir` sends. */
bool mssql_packet(struct cur *c, enum dir dir, struct mssql_packet *p);
/* Whether a TLS record begins at c, as far as its head is there. */
bool mssql_is_record(struct cur c);

/* The payload of one message, as far as it is in the window. */
struct mssql_load {
	size_t n;
	struct mssql_side side; /* behind what is here */
	const uint8_t *end;     /* of the bytes that it was read from */
	bool whole;             /* up to the end of the message */
	bool bad;               /* something else follows */
	uint8_t bytes[PROTO_HEAD];
};

/* Reads from c, which is where `side` says. */
void mssql_load(struct cur c, enum dir dir, struct mssql_side side, struct mssql_load *l);
/* Passes n bytes of payload and the headers between them. */
void mssql_pass(struct cur *c, struct mssql_side *side, size_t n);
/* A record of TLS. */
enum parse mssql_record(struct mssql *s, enum dir dir, struct cur *in, struct msg *out);

/* ---- requests and answers ---- */

enum parse mssql_request(struct mssql *s, struct cur *in, struct msg *out);
enum parse mssql_response(struct mssql *s, struct cur *in, struct msg *out);
/* Where the request's own text begins, behind ALL_HEADERS; NULL: there are none. */
const uint8_t *mssql_headers(struct cur c, struct str *activity);
/* The options of PRELOGIN; false: they are none. encryption: 0xff where it is not told. */
bool mssql_prelogin(struct cur c, uint8_t *encryption);

enum mssql_step { MSSQL_MORE, MSSQL_DONE, MSSQL_LOST };

/* One token, value or part of it; MSSQL_LOST: not understood. */
enum mssql_step mssql_token(struct mssql *s, struct cur *c);
bool mssql_is_token(uint8_t token);
/* What the DONE in n bytes says; false where it is none. */
bool mssql_done(struct mssql *s, const uint8_t *p, size_t n);

/* ---- types ---- */

/* TYPE_INFO; c->over where it is not all there. */
enum mssql_kind mssql_type(struct cur *c, bool parameter);
/* The value of a parameter; *n: bytes of it at the returned place, NULL: none, or in pieces. */
const uint8_t *mssql_value(struct cur *c, enum mssql_kind kind, size_t *n);
/* UTF-16 to UTF-8, whole characters only; returns the bytes written. */
size_t mssql_utf8(const uint8_t *p, size_t n, char *out, size_t cap);

#endif
