/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_PROTO_PROTO_H
#define OBI_PROTO_PROTO_H

/*
 * proto - bytes to messages.
 *
 * One protocol is one file with one `const struct proto`, and one line in
 * protos.def. A parser is a pure function of (state, bytes): it allocates,
 * logs and blocks never, keeps no pointer into its input, and may be called
 * again with the same bytes plus more. conn/ feeds it, span/ pairs what it
 * yields.
 *
 * Roles. A parser is told whether the bytes come from the requester or the
 * responder. When the roles of a connection are not known, conn/ asks detect()
 * both ways and takes the better answer.
 *
 * Long messages. Only the head of a message is ever buffered (PROTO_HEAD
 * bytes). A parser must answer once it has seen PROTO_HEAD bytes of a message,
 * and sooner where it has all it wants; the rest it leaves by msg.skip, which
 * the stream drops unread, whether those bytes were captured or not. With
 * in->cut set no byte will follow in->end: the parser then answers with what
 * it has (msg.flags |= MSG_F_CUT) if it can place the end of the message, or
 * PARSE_BAD if it cannot even tell what the message is.
 */

#include "base/cur.h"

enum proto_id {
	PROTO_UNKNOWN = 0,
#define PROTO(NUM, NAME, file) PROTO_##NAME = NUM,
#include "proto/protos.def"
#undef PROTO
	PROTO_MAX = 64 /* above every number */
};

enum {
	PROTO_HEAD = 16384,  /* bytes of one message that are buffered at most */
	PROTO_STATE = 16384, /* longest state of a parser that conn/ tries on a copy */
	PROTO_ROOM = 32768,  /* see proto.room */
};

enum dir { DIR_REQ = 0, DIR_RESP = 1 };

enum parse {
	PARSE_OK,   /* one message taken: *in moved past it by at least a byte, *out filled */
	PARSE_MORE, /* not enough bytes yet: *in, *out and *state as they were */
	PARSE_BAD,  /* not this protocol: likewise */
};

enum msg_kind {
	MSG_NONE,    /* nothing to pair: consumed, state kept (greetings, parameters, parts) */
	MSG_REQ,     /* a request; an answer is expected */
	MSG_ONEWAY,  /* a request that is never answered */
	MSG_INTERIM, /* part of the answer to the oldest open request; more follows */
	MSG_RESP,    /* the last part of an answer: the request is complete */
	MSG_PUSH,    /* sent by the server of its own accord (pub/sub, notices) */
	MSG_BARRIER, /* every open request with id <= msg.id has been dealt with: the
	                unanswered ones were discarded by the server (PostgreSQL after
	                an error, up to ReadyForQuery) */
};

enum {
	MSG_F_CUT = 1 << 0,    /* not all of the head could be read */
	MSG_F_CLOSES = 1 << 1, /* the body ends when the connection ends */
	MSG_F_DEFINE = 1 << 2, /* remember under def_id what follows in ->def (or, in an
	                           answer with ->def.s == NULL, the target of its request) */
	MSG_F_USE = 1 << 3,    /* the target is what was remembered under use_id */
	MSG_F_FORGET = 1 << 4, /* forget def_id */
	MSG_F_PREPARE =
		1 << 5,      /* defines only; becomes a span only where nothing uses it at once */
	MSG_F_BODY = 1 << 6, /* answer goes on after this message's head: ->skip bytes, or
	                           MSG_INTERIM parts; sets the time of the first byte only */
	MSG_F_BYORDER = 1 << 7,    /* MSG_BARRIER without an id: discard every open request */
	MSG_F_NEWDB = 1 << 8,      /* ->db names the current database from here on */
	MSG_F_NEWDB_OK = 1 << 9,   /* likewise, once its answer is no error */
	MSG_F_RUN = 1 << 10,       /* parts of a body, as many as had come in: rows, copied data */
	MSG_F_WIDE = 1 << 11,      /* def_id, use_id mean the same on every connection (UUIDs) */
	MSG_F_TEMPORARY = 1 << 12, /* ->topic is a name of the moment: not in the span's name */
	MSG_F_LEADS = 1 << 13,     /* MSG_NONE of the requester: the next request begins with it */
	MSG_F_ORPHAN = 1 << 14,    /* the parser has not seen the request that this answers */
	MSG_F_NOSTATUS = 1 << 15,  /* whether the answer is an error could not be read */
	MSG_F_ABOVE = 1 << 16,     /* MSG_BARRIER: open requests with id > msg.id were refused */
	MSG_F_GIVEUP = 1 << 17,    /* MSG_RESP by the requester itself: it waits no longer */
	MSG_F_GUESSED = 1 << 18,   /* nothing said it, the bytes look like it: of a request its
	                              ->traceparent, of an answer its ->proto */
	MSG_F_JOINS = 1 << 19,     /* MSG_REQ: of the request that is open; one of its own where
	                              none is */
	MSG_F_MUTE = 1 << 20,   /* what follows in both directions is encrypted: nobody reads it */
	MSG_F_FIRST = 1 << 21,  /* MSG_NONE of the responder: the first event is in it */
	MSG_F_KEEP = 1 << 22,   /* MSG_NONE: its attributes are those of every later request */
	MSG_F_DOTTED = 1 << 23, /* with ->level: the span's name is ->subject "." ->op */
};

/* Attributes beside the columns, by semantic convention; see attr_name(). */
enum attr {
#define ATTR(ID, key, type, help) ATTR_##ID,
#include "proto/attrs.def"
#undef ATTR
	ATTR_MAX
};
const char *attr_name(enum attr a); /* "http.request.method" */
bool attr_is_int(enum attr a);
bool attr_is_list(enum attr a);  /* its text is a list, a text a line */
bool attr_is_truth(enum attr a); /* a number: 0 is false */

/*
 * Messaging (FAMILY_MESSAGING): what a request does with messages. One that
 * touches several topics is one span with the first topic, and their number in
 * ATTR_MESSAGING_DESTINATIONS (likewise partitions). ->rows counts messages: a
 * request gives how many it carries, an answer how many it brings; parts add up.
 * A single message's ->traceparent makes its sender the parent, in an answer too;
 * of several the first one's goes to ATTR_MESSAGING_LINK.
 *
 * A broker that hands a message out by itself sends a MSG_ONEWAY, or a MSG_REQ
 * that the other side acknowledges with a MSG_RESP: such ids must differ from
 * those of the requester's.
 *
 *   kind of span   client side   broker's side
 *   CREATE, SEND   producer      server
 *   PROCESS        consumer      producer       (handed out: sent by the broker)
 *   others         client        server
 */
enum messaging {
	MESSAGING_NONE,    /* no messages: joining a group, asking for metadata */
	MESSAGING_CREATE,  /* makes a message, which a later request sends */
	MESSAGING_SEND,    /* gives messages to the broker */
	MESSAGING_RECEIVE, /* asks the broker for messages */
	MESSAGING_PROCESS, /* is handed a message by the broker */
	MESSAGING_SETTLE,  /* says what became of messages: acknowledges, commits, rejects */
};

enum { MSG_ATTRS = 24, MSG_NO_CODE = INT32_MIN };

struct msg_attr {
	enum attr key;
	struct str text; /* s == NULL: the number counts */
	int64_t num;
};

/* What every protocol tells the rest of the program about one message. Slices
 * point into the input or to constants and live until the stream moves on. */
struct msg {
	enum msg_kind kind;
	unsigned int flags;  /* MSG_F_* */
	enum proto_id proto; /* 0, or the protocol of this request where others share the
	                         connection: gRPC in HTTP/2 */
	enum proto_id next;  /* 0, or the protocol that both directions speak from here on:
	                         PROTO_NEXT_DETECT to detect anew */
	struct str op;       /* GET, SELECT, HGET; low cardinality */
	const char *level;   /* FAMILY_HTTP: what is spoken over it, a constant; NULL: unknown */
	struct str
		subject;   /* with ->level: what the span's name has behind ->op; low cardinality */
	struct str target; /* path with query, statement text, key; as it stood on the wire */
	struct str query;  /* what was asked in full, values masked (FAMILY_DOCUMENTS); with
	                      ->level a statement in SQL, in ->coding */
	enum { CODING_NONE, CODING_URL, CODING_JSON } coding;
	struct str status;     /* the protocol's own code as text; empty: none */
	int32_t code;          /* the same as a number; MSG_NO_CODE: none */
	bool error;            /* by the semantic convention of the client side */
	bool server_error;     /* likewise of the server side (HTTP 4xx is none) */
	struct str error_type; /* low cardinality; empty: none */
	struct str db;         /* database, schema, index: with MSG_F_NEWDB* */
	struct str topic;    /* topic, queue, subject (FAMILY_MESSAGING); NULL: none, or unknown */
	enum messaging does; /* of a request */
	uint64_t id;         /* pairs request and answer; 0: by order */
	uint64_t skip;      /* bytes after *in that belong to this message and are dropped unread */
	uint64_t body;      /* of those, at the front: bytes of the request's or answer's body */
	struct str content; /* likewise, of the body, but in the message itself; before them */
	uint64_t def_id, use_id;
	struct str def;
	int64_t rows;           /* rows returned or changed, messages; -1: unknown */
	struct str traceparent; /* W3C traceparent value carried by the message; empty: none */
	struct str tracestate;
	struct str lines; /* header fields as "Name: value", a line each (--header); empty: none */
	unsigned int nattrs;
	struct msg_attr attrs[MSG_ATTRS];
};

/* Stage 1: the kernel's rule. All bytes of value at off, under mask, make it this protocol. */
struct proto_rule {
	uint8_t off, len; /* off + len <= 32, len <= 8 */
	uint8_t value[8], mask[8];
};

enum { PROTO_RULES = 12 };

/* What detect() sees: the first bytes of both sides, as far as they are known. */
struct first {
	struct cur req, resp;  /* under the assumption that `req` is the requester */
	unsigned int messages; /* bytes seen so far came in about so many turns */
	uint16_t port;         /* of the assumed server; a hint that orders, never proof */
	bool roles_known;      /* which side is the requester is more than an assumption */
	bool from_start;       /* the first byte of the connection is the first byte here */
};

/* Confidence of detect(). */
enum sure {
	SURE_NO = 0,     /* cannot be this protocol */
	SURE_MAYBE = 1,  /* fits, but so would others, or too few bytes: ask again */
	SURE_LIKELY = 2, /* stage 3, heuristics: several messages fit */
	SURE_YES = 3,    /* stage 2, deterministic */
};

/* One operation for `obi protocols`: parsed, named only, or not understood. */
struct proto_op {
	const char *name;
	enum { OP_PARSED, OP_NAMED, OP_UNKNOWN } how;
};

/* How span/ names a request and what it fills in beside op and target. */
enum proto_family {
	FAMILY_OTHER, /* name: op */
	FAMILY_HTTP,  /* name: method, and route once it is known; with a level: op and subject */
	FAMILY_SQL,   /* name: summary of the statement; query: it, normalised */
	FAMILY_RPC,   /* op and name: the method by its full name, from target "/service/method" */
	FAMILY_KV,    /* name: op; query: target (values already masked); key: its second word */
	FAMILY_DOCUMENTS, /* name: op and target, a collection; query: ->query */
	FAMILY_NAMED,     /* name: the protocol and op ("DNS AAAA"); the target is no more */
	FAMILY_MESSAGING, /* name: op and topic; MSG_F_USE: the topic is what was remembered */
};

struct proto {
	const char *name;           /* "http": SQL, JSON, --proto */
	const char *title;          /* "HTTP/1.0 and 1.1 (RFC 9110, 9112)" */
	const char *system;         /* db.system.name, messaging.system ...; NULL: none */
	const char *limits;         /* what is not understood, for `obi protocols` */
	const char *untested;       /* what it has not been tried against, in words; or NULL */
	const struct proto_op *ops; /* ends with a NULL name */
	const char *over;           /* the protocol that finds and reads it; or NULL */
	struct proto_rule rules[PROTO_RULES]; /* for the kernel; len == 0 ends the list */
	enum proto_family family;
	uint16_t ports[4]; /* usual ports, hints only */
	size_t state_size; /* zeroed per connection; both directions share it */
	bool in_order;     /* answers come in the order of requests: pair by order */
	bool session; /* one request lasts as long as the connection, whatever bytes are lost */
	bool full_payload; /* wants EV_LEVEL_FULL: message boundaries lie inside payloads */
	enum sure (*detect)(const struct first *f);
	enum parse (*parse)(void *state, enum dir dir, struct cur *in, struct msg *out);
	/*
	 * After lost bytes: the next place in `in` where a message of `dir` starts,
	 * or NULL. May reset in *state what the gap made doubtful.
	 */
	const uint8_t *(*resync)(void *state, enum dir dir, struct cur in);
	/*
	 * Only where header fields are asked for; may be NULL: PROTO_ROOM bytes for the
	 * ->lines of heads that are not such text on the wire. Once, before any byte.
	 */
	void (*room)(void *state, char *text);
	/*
	 * Only without in_order; may be NULL: the id of the request that the answer
	 * beginning here is for, where that request has still to come. 0: none, or not
	 * enough bytes to tell.
	 */
	uint64_t (*answers)(const void *state, struct cur in);
	/*
	 * May be NULL. Nothing follows: `over`, the connection has ended, else the
	 * capture has. True where there is something left to say: MSG_RESP, or where
	 * it goes on unseen MSG_INTERIM.
	 */
	bool (*finish)(void *state, bool over, struct msg *out);
	/*
	 * Datagrams, NULL where it comes in none. Each is given whole; in->cut: its end
	 * is missing. datagram() is parse() without PARSE_MORE; is_datagram() says how
	 * sure it is, and who sent it.
	 */
	enum sure (*is_datagram)(struct cur in, enum dir *sender);
	enum parse (*datagram)(void *state, enum dir dir, struct cur *in, struct msg *out);
	unsigned int timeout_ms; /* a request without an answer for so long has failed; 0: never */
};

#define PROTO_NEXT_DETECT ((enum proto_id)PROTO_MAX) /* msg.next: detect anew */

/* The protocol with this number; NULL where there is none. */
const struct proto *proto_by_id(enum proto_id id);
enum proto_id proto_by_name(struct str name); /* PROTO_UNKNOWN where there is none */

/* The i-th of what is spoken over HTTP (level.h), NULL behind the last one: for words only. */
const struct proto *proto_level(unsigned int i);

/* A verdict of the waterfall. */
struct verdict {
	enum proto_id id; /* PROTO_UNKNOWN: none yet */
	enum sure sure;
	bool swapped; /* the bytes given as `a` are the responder's */
};

/*
 * Stages 2 and 3 over the first bytes of both ends of a connection. `a` and
 * `b` are what each side said; `a_is_client` is 1 (known), 0 (known not to be),
 * -1 (unknown: both ways are tried). `hint` is stage 1's answer, or 0.
 */
struct verdict proto_detect(struct cur a, struct cur b, int a_is_client, enum proto_id hint,
                            unsigned int messages, bool from_start, uint16_t a_port,
                            uint16_t b_port);

/* The same over one datagram; `swapped`: it comes from the responder. */
struct verdict proto_detect_datagram(struct cur in, uint16_t a_port, uint16_t b_port);

/* Adds an attribute; silently full is impossible: MSG_ATTRS covers every parser, asserted by tests. */
static inline void msg_attr(struct msg *m, enum attr key, struct str text)
{
	if (m->nattrs < MSG_ATTRS && text.s)
		m->attrs[m->nattrs++] = (struct msg_attr){ .key = key, .text = text };
}

static inline void msg_attr_num(struct msg *m, enum attr key, int64_t num)
{
	if (m->nattrs < MSG_ATTRS)
		m->attrs[m->nattrs++] = (struct msg_attr){ .key = key, .num = num };
}

/* W3C baggage, as a header of the message has it; the first one counts. */
static inline void msg_baggage(struct msg *m, struct str text)
{
	for (unsigned int i = 0; i < m->nattrs; i++)
		if (m->attrs[i].key == ATTR_BAGGAGE)
			return;
	if (text.len)
		msg_attr(m, ATTR_BAGGAGE, text);
}

/* An empty message: no code, rows unknown. */
#define MSG_INIT ((struct msg){ .code = MSG_NO_CODE, .rows = -1 })

#endif
