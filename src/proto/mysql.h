/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_PROTO_MYSQL_H
#define OBI_PROTO_MYSQL_H

/*
 * mysql - what the request side (mysql_req.c), the response side (mysql_resp.c)
 * and the login (mysql_login.c) of the MySQL protocol share.
 *
 * A packet is a length (3 bytes), a number that starts at 0 with each command,
 * and the payload; a payload of 2^24-1 bytes goes on in the next packet.
 * Specification: "Client/Server Protocol" in the MariaDB knowledge base,
 * "Client/Server Protocol" in MySQL's internals documentation.
 */

#include "proto/proto.h"

enum { MYSQL_HEADER = 4, MYSQL_FULL = 0xffffff, MYSQL_QUEUE = 56 };

/* Capabilities that change what is on the wire; from bit 32 on MariaDB's own. */
#define MYSQL_CAP_LONG_PASSWORD     (1ull << 0) /* clear: the peer knows MariaDB's */
#define MYSQL_CAP_CONNECT_WITH_DB   (1ull << 3)
#define MYSQL_CAP_COMPRESS          (1ull << 5)
#define MYSQL_CAP_PROTOCOL_41       (1ull << 9)
#define MYSQL_CAP_SSL               (1ull << 11)
#define MYSQL_CAP_SECURE            (1ull << 15)
#define MYSQL_CAP_AUTH_LENENC       (1ull << 21)
#define MYSQL_CAP_SESSION_TRACK     (1ull << 23)
#define MYSQL_CAP_DEPRECATE_EOF     (1ull << 24)
#define MYSQL_CAP_OPTIONAL_METADATA (1ull << 25)
#define MYSQL_CAP_ZSTD              (1ull << 26)
#define MYSQL_CAP_QUERY_ATTRIBUTES  (1ull << 27)
#define MYSQL_CAP_CACHE_METADATA    (1ull << 36)

/* X(number, NAME, fewest and most payload bytes, how much of it is understood) */
#define MYSQL_COMMANDS(X)                                                          \
	X(0x01, QUIT, 1, 1, OP_PARSED)                                             \
	X(0x02, INIT_DB, 1, 1024, OP_PARSED)                                       \
	X(0x03, QUERY, 2, UINT32_MAX, OP_PARSED)                                   \
	X(0x04, FIELD_LIST, 2, 4096, OP_PARSED)                                    \
	X(0x05, CREATE_DB, 2, 1024, OP_PARSED)                                     \
	X(0x06, DROP_DB, 2, 1024, OP_PARSED)                                       \
	X(0x07, REFRESH, 2, 2, OP_PARSED)                                          \
	X(0x08, SHUTDOWN, 1, 2, OP_PARSED)                                         \
	X(0x09, STATISTICS, 1, 1, OP_PARSED)                                       \
	X(0x0a, PROCESS_INFO, 1, 1, OP_PARSED)                                     \
	X(0x0b, CONNECT, 0, 0, OP_PARSED) /* the login; never sent as a command */ \
	X(0x0c, PROCESS_KILL, 5, 5, OP_PARSED)                                     \
	X(0x0d, DEBUG, 1, 1, OP_PARSED)                                            \
	X(0x0e, PING, 1, 1, OP_PARSED)                                             \
	X(0x11, CHANGE_USER, 3, 65536, OP_PARSED)                                  \
	X(0x12, BINLOG_DUMP, 11, 1024, OP_NAMED)                                   \
	X(0x13, TABLE_DUMP, 3, 1024, OP_NAMED)                                     \
	X(0x15, REGISTER_SLAVE, 18, 4096, OP_NAMED)                                \
	X(0x16, PREPARE, 2, UINT32_MAX, OP_PARSED)                                 \
	X(0x17, EXECUTE, 10, UINT32_MAX, OP_PARSED)                                \
	X(0x18, SEND_LONG_DATA, 7, UINT32_MAX, OP_PARSED)                          \
	X(0x19, STMT_CLOSE, 5, 5, OP_PARSED)                                       \
	X(0x1a, STMT_RESET, 5, 5, OP_PARSED)                                       \
	X(0x1b, SET_OPTION, 3, 3, OP_PARSED)                                       \
	X(0x1c, FETCH, 9, 9, OP_PARSED)                                            \
	X(0x1e, BINLOG_DUMP_GTID, 11, 65536, OP_NAMED)                             \
	X(0x1f, RESET_CONNECTION, 1, 1, OP_PARSED)                                 \
	X(0x20, CLONE, 1, 1, OP_NAMED)                                             \
	X(0xfa, BULK_EXECUTE, 7, UINT32_MAX, OP_PARSED)

enum mysql_command {
#define X(number, NAME, min, max, how) MYSQL_##NAME = number,
	MYSQL_COMMANDS(X)
#undef X
};

/* Where the conversation is. */
enum mysql_phase {
	MYSQL_START,   /* nothing seen yet, or joined in the middle */
	MYSQL_GREETED, /* the server has spoken, the login is next */
	MYSQL_LOGIN,   /* from the login's first packet to OK or ERR */
	MYSQL_READY,   /* commands */
	MYSQL_OPAQUE,  /* compressed, or a replication stream: nothing is read any more */
};

/* Where the answer to the oldest command is. */
enum mysql_step {
	MYSQL_FIRST,    /* its first packet, or the first of a further result */
	MYSQL_DEFS,     /* column definitions, ->left of them */
	MYSQL_DEFS_EOF, /* the EOF after them, if the peers still use it */
	MYSQL_ROWS,
	MYSQL_PREPARED, /* definitions of parameters and columns after PREPARE's OK */
};

/* Whether result sets still have the EOF packets that CLIENT_DEPRECATE_EOF drops. */
enum mysql_eof { MYSQL_EOF_UNKNOWN, MYSQL_EOF_KEPT, MYSQL_EOF_DROPPED };

struct mysql {
	uint64_t caps; /* until the login: the server's; then what both have */
	uint64_t rows; /* of the answer so far */
	uint64_t left; /* definitions still to come */
	uint32_t over; /* commands that found the queue full, younger than those in it */
	uint8_t phase, step, eof;
	uint8_t eofs;     /* MYSQL_PREPARED: EOF packets still to come */
	bool not_mariadb; /* the greeting said so */
	bool infile;      /* the client sends a file: packets up to an empty one */
	bool more[2];     /* the next packet of this direction goes on with the last one */
	uint8_t head, count;
	uint8_t queue[MYSQL_QUEUE]; /* commands without a whole answer, oldest at head */
	char text[12]; /* what the last message's status or statement number points to */
};

/* One packet, as far as it is buffered. */
struct mysql_packet {
	struct cur body;
	uint32_t len;    /* of the payload */
	uint64_t beyond; /* payload bytes after body: not buffered */
	uint8_t seq;
};

/*
 * Takes the packet at c, whose message began at `head`: whole where it ends
 * within PROTO_HEAD bytes of there or the bytes end for good (c->cut), else what
 * there is of it. PARSE_OK or PARSE_MORE.
 */
enum parse mysql_packet(struct cur *c, const uint8_t *head, struct mysql_packet *p);

/* A length-encoded number; NULL (0xfb) is 0. */
uint64_t mysql_lenenc(struct cur *c);
struct str mysql_lenstr(struct cur *c);

/* What the greeting and the login say; PARSE_BAD where the packet is neither. */
enum parse mysql_login_greeting(struct mysql *s, struct mysql_packet *p, struct msg *out);
enum parse mysql_login_request(struct mysql *s, struct mysql_packet *p, struct msg *out);
/* User and database of COM_CHANGE_USER; p->body is after the command byte. */
void mysql_login_change(const struct mysql *s, struct mysql_packet *p, struct msg *out);
bool mysql_login_is_greeting(struct cur body);
bool mysql_login_is_response(struct cur body);

/*
 * A command, or a part of one. These two change the state as they go; where they
 * do not return PARSE_OK the caller puts it back.
 */
enum parse mysql_req_packet(struct mysql *s, struct mysql_packet *p, struct msg *out);
/* Whether a packet with this payload can be a command. */
bool mysql_req_plausible(struct cur body, uint32_t len);

/* As many packets of one answer as are there. */
enum parse mysql_resp_answer(struct mysql *s, struct cur *c, struct msg *out);

void mysql_push(struct mysql *s, uint8_t command);
uint8_t mysql_oldest(const struct mysql *s); /* QUERY where none is known */
void mysql_pop(struct mysql *s);
/* A number as text that lives in the state. */
struct str mysql_number(struct mysql *s, uint32_t n);

#endif
