/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_CONN_CONN_H
#define OBI_CONN_CONN_H

/*
 * conn - records to two ordered byte streams per connection, and those to
 * messages.
 *
 * A connection is its socket, never a descriptor. Each direction has a place in
 * TCP's own sequence: a record that begins later than expected leaves a hole,
 * whose cause is known (left out on purpose, lost in the ring, or moved where no
 * probe sees it). Bytes go to the detectors until a protocol is found, then to
 * its parser; the messages go to the sink in the order in which they became
 * complete. Datagrams are messages already. One thread owns the table and
 * everything in it.
 */

#include "capture/capture.h"
#include "proto/proto.h"

/* When and by whom bytes were moved. */
struct moment {
	uint64_t ts_ns;    /* end of the system call; CLOCK_MONOTONIC */
	uint64_t enter_ns; /* its beginning, 0: unknown */
	uint64_t task;
	uint32_t pid, tid;
};

enum side { SIDE_UNKNOWN, SIDE_CLIENT, SIDE_SERVER };

/* The other end of a datagram; IPv4 as IPv6 shows it. */
struct conn_peer {
	uint8_t addr[16];
	uint16_t port;
	bool known;
};

struct pending;
struct held;

/* One direction. */
struct stream {
	uint64_t next; /* offset of the next byte a record should bring */
	uint64_t skip; /* bytes of the current message that pass unread; UINT64_MAX: till the end */
	uint64_t body; /* of those, at the front: bytes of a body, for the sink */
	struct pending *pend; /* bytes not parsed yet; they end at `next`; NULL: none */
	uint64_t total;       /* bytes that moved, by the offsets */
	struct moment last;   /* of the newest bytes */
	bool started;         /* next is known */
	bool synced;          /* the next byte begins or continues a known message */
	bool in_skip;         /* a message's skip is under way: the sink waits for its end */
	bool stalled;         /* an answer waits for its request, see conn.c */
	bool unwanted;        /* the sink keeps no more of the body */
	bool in_turn;         /* no message is read that is younger than what the other side said */
};

/* Why a connection is not decoded. */
enum why { WHY_NONE, WHY_WAITING, WHY_ENCRYPTED, WHY_UNKNOWN, WHY_ERRORS, WHY_NO_BYTES };

enum {
	CONN_F_JOINED_MID = 1 << 0, /* bytes had moved before the first that was seen */
	CONN_F_GAP = 1 << 1,        /* bytes were lost on the way */
};

struct conn {
	uint64_t id;
	struct ev_conn info; /* zero where the record was lost */
	enum side side;
	const struct proto *proto; /* NULL: not known (yet) */
	void *state;               /* of the parser */
	enum sure sure;
	struct stream dir[2]; /* by enum ev_dir */
	void *pairs;          /* owned by the sink */
	uint64_t first_ns, end_ns;
	uint64_t seen_bytes, cut_bytes, lost_bytes, unseen_bytes; /* together: total of both */
	uint64_t unparsed_bytes;                                  /* of those seen */
	uint64_t requests, errors;                                /* kept by the sink */
	uint32_t pid;                                             /* that used it last */
	uint32_t peer_pid;      /* the same of the other end; 0: not on this host, or not seen */
	struct conn *other_end; /* its socket on this host; NULL: as above, or gone */
	uint32_t srtt_us, retransmits;
	uint32_t flags; /* CONN_F_* */
	uint16_t turns; /* changes of direction so far, at most 65535 */
	uint8_t last_dir, class, level;
	uint8_t bad, unlearned; /* parse errors in a row; verdicts taken back */
	enum why why;
	bool unpaired; /* answers before the next request belong to requests not seen */
	bool have_info, listed;
	bool dgram, many_peers; /* a socket for datagrams; it talks to several others */
	bool timed;             /* conns_time() looks at it */
	uint8_t datagrams;      /* that no protocol claimed */
	struct conn_peer peer;  /* of the datagram that is being read */
	struct conn_peer only;  /* of all so far, unless many_peers */
	struct held *held;      /* datagrams: answers that wait for their request */
	uint8_t nfirst;
	uint8_t first[48];          /* first bytes, for who wonders why it was not decoded */
	struct conn *older, *newer; /* by last use */
};

/* Which ev_dir carries requests; only where side is known. */
static inline enum ev_dir conn_req_dir(const struct conn *c)
{
	return c->side == SIDE_CLIENT ? EV_SEND : EV_RECV;
}

static inline enum dir conn_role(const struct conn *c, enum ev_dir d)
{
	return d == conn_req_dir(c) ? DIR_REQ : DIR_RESP;
}

/* Who takes the messages: span/. */
struct conn_sink {
	void *ctx;
	/* A message; `first` and `last` are when its first and last parsed byte moved; bytes without skip. */
	void (*message)(void *ctx, struct conn *c, enum dir d, const struct msg *m,
	                const struct moment *first, const struct moment *last, uint64_t bytes);
	/* n bytes of the current message's skip moved; `done`: the message is over. */
	void (*passed)(void *ctx, struct conn *c, enum dir d, uint64_t n, bool done,
	               const struct moment *at);
	/*
	 * n bytes of the body of the message, before they are told to have passed; p NULL:
	 * they were not seen. How many more of it are wanted. NULL: bodies are not.
	 */
	uint64_t (*body)(void *ctx, struct conn *c, enum dir d, const uint8_t *p, size_t n);
	/* n bytes are missing between messages (lost: against our will; else cut on purpose). */
	void (*gap)(void *ctx, struct conn *c, enum dir d, uint64_t n, bool lost);
	/* How many requests are open: an answer is expected. */
	unsigned int (*open)(void *ctx, const struct conn *c);
	/* Whether the request with this id is. */
	bool (*awaits)(void *ctx, const struct conn *c, uint64_t id);
	/* Requests that have waited too long are given up; `gone`: all, nobody waits any more. */
	void (*expire)(void *ctx, struct conn *c, uint64_t now_ns, bool gone);
	/* A verdict came, or went (c->proto == NULL). */
	void (*verdict)(void *ctx, struct conn *c);
	/* The connection is over, or is forgotten; free c->pairs. */
	void (*closed)(void *ctx, struct conn *c, const struct moment *at);
};

struct conn_stats {
	uint64_t records, conns, evicted;
	uint64_t moved_bytes; /* by the offsets: seen, cut, lost and unseen ones */
	uint64_t seen_bytes, cut_bytes, lost_bytes, unseen_bytes, unparsed_bytes;
	uint64_t pending_bytes; /* memory of the unparsed bytes that are kept now */
	uint64_t shed_bytes; /* of those unparsed: gave way when all of them took too much memory */
	uint64_t parse_errors, resyncs, unlearned;
	uint64_t orphans;   /* answers to requests that were not seen */
	uint64_t late;      /* records that began before the expected offset */
	uint64_t undecoded; /* connections given up */
};

struct conns_opts {
	unsigned int max;   /* connections kept; 0: 65536 */
	bool headers;       /* parsers are to hand over header fields, see proto.room */
	size_t pending_max; /* memory of the unparsed bytes of all connections; 0: 16 MiB */
	/* The kernel's answer, see capture_interest(); may be NULL. */
	void (*interest)(void *ctx, uint64_t conn, enum ev_level level);
	/* Bytes before offset `until` need no copy, see capture_skip(); may be NULL. */
	void (*skip)(void *ctx, uint64_t conn, int dir, uint64_t until);
	void *interest_ctx; /* of both */
};

struct conns;
struct conns *conns_new(const struct conns_opts *o, const struct conn_sink *sink); /* NULL: errno */
/* EV_CONN, EV_DATA, EV_CLOSE, EV_LISTEN; others are ignored. `size` is that of the record. */
void conns_record(struct conns *t, const struct ev_head *rec, size_t size);
/* The process is gone: its connections that have no close of their own end here. */
void conns_exit(struct conns *t, uint32_t pid, uint64_t ts_ns);
/* It is now_ns, and no older record is on its way: what takes too long is over. */
void conns_time(struct conns *t, uint64_t now_ns);
/* Every connection is told to the sink as closed and forgotten; the end of the capture. */
void conns_finish(struct conns *t);
void conns_stats(const struct conns *t, struct conn_stats *out);
void conns_free(struct conns *t);

/* Words for c->why; NULL for WHY_NONE. */
const char *conn_why(const struct conn *c);

#endif
