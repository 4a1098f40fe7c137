/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef OBI_BPF_CONFIG_H
#define OBI_BPF_CONFIG_H

/*
 * config.h - what user space and the probes agree on, beside the records.
 *
 * The includer supplies __u8 .. __u64, see event.h.
 */

enum {
	CALL_MAX = 65536, /* bytes that one record carries at most */
	PIECES_MAX = 64,  /* records of one call */
	UNKNOWN_MAX =
		1 << 20, /* copied of a connection for which no answer comes, before it is muted */
	RUN_BUSY = 1 << 20, /* of one direction: FULL becomes head and tail, ring busy */
	RUN_MAX = 16 << 20, /* and in any case */
	FIRST_MAX = 32,     /* bytes that stage 1 looks at */
	RULES_MAX = 64,
	COMMS_MAX = 16,
	BUCKETS = 32768, /* of two answers each */
	TARGETS_MAX = 8192,
	SLOTS = 16384,        /* a power of two */
	TELL_NS = 2000000000, /* datagrams: how long a socket in use goes without a record */
};

/* A pattern over a process name: literal, or literal followed by a star. */
struct comm_rule {
	__u64 value[2], mask[2];
};

/* Constant from load on; the same in every object. */
struct config {
	struct comm_rule comms[COMMS_MAX];
	__u32 ncomms;
	__u32 self;       /* thread group of the tracer */
	__u32 pidns;      /* PID namespace whose ids are used; 0: the host's */
	__u32 head_bytes; /* EV_LEVEL_HEAD */
	__u32 tail_bytes;
	__u32 full_bytes; /* EV_LEVEL_FULL: of each piece of a call */
	__u8 all;         /* every process but those in `never` */
	__u8 follow;      /* children of targets are targets */
	__u8 watch_exec;  /* tell of every new program: patterns that only user space can match */
	__u8 hash;        /* connection states live in a hash, not in the sockets */
	__u8 payload;     /* copy bytes at all */
	__u8 datagrams;   /* and not only streams */
	__u8 pad[2];
};

/* Values of the map `targets`. */
enum {
	TARGET_FOLLOW = 1 << 0, /* its children too */
	TARGET_LISTED = 1 << 1, /* what it had open has been listed: a new Unix socket is new */
};

/* One connection as the probes know it. */
struct state {
	__u64 id;
	__u64 next[2];  /* offset after the newest byte, by direction */
	__u64 moved;    /* in both directions, for UNKNOWN_MAX */
	__u64 run;      /* bytes moved since the direction changed */
	__u64 enter_ns; /* when the send under way began, 0: unknown */
	__u64 inode;    /* of the socket: tells two users of one address apart (hash only) */
	__u64 told_ns;  /* datagrams: when a record last told of it */
	__u32 lost[2];  /* bytes that no record told of, since the last one */
	__u16 err;
	__u8 flags; /* STATE_* */
	__u8 class;
	__u8 level;       /* the last answer of user space */
	__u8 oldstate;    /* before TCP_CLOSE */
	__u8 tried;       /* directions in which stage 1 has looked, bits */
	__u8 conn;        /* EV_C_* */
	__u8 class_level; /* what the rules say for class */
	__u8 last_dir;
	__u8 pad[6];
};

enum {
	STATE_KNOWN = 1 << 0,     /* id and offsets are set */
	STATE_ANNOUNCED = 1 << 1, /* EV_CONN is out */
	STATE_EOF = 1 << 2,       /* a receive has returned 0 */
};

/* Written by user space while tracing, read at each event; and the other way round. */
struct control {
	__u32 asleep; /* the reader waits to be woken */
	__u32 listed; /* with `all`: the iterator has been through */
};

/*
 * A first look at `targets`, exact where it can be, so that strangers cost next
 * to nothing: by the low bits of a thread group id, 0: nobody; the one that is
 * a target; SLOT_MANY, or another one: look there. A slot never becomes 0
 * again: whoever writes last, nobody is overlooked.
 */
struct slots {
	__u32 tgid[SLOTS];
};
enum { SLOT_MANY = 0xffffffff };

/* Answers, in one cache line. */
struct bucket {
	__u64 way[2];      /* tag << 32 | level, one word so that it changes at once */
	__u64 until[2][2]; /* by way and direction: bytes before this offset are not wanted */
	__u64 pad[2];
};

/* Where the answer for a connection lies. */
#define LEVEL_HASH(conn)   ((conn)*0x9e3779b97f4a7c15ULL)
#define LEVEL_BUCKET(hash) ((__u32)((hash) >> 49))
#define LEVEL_TAG(hash)    ((__u32)((hash) >> 17) | 1)

struct rule {
	__u64 value, mask; /* as loaded from memory */
	__u8 class, level, off, len;
	__u8 pad[4];
};

struct rules {
	__u32 n;
	__u32 pad;
	struct rule rule[RULES_MAX];
};

/* Per CPU; a set for each context that may interrupt another. */
struct counts {
	__u64 fired, records, lost, lost_bytes, muted, faults, storage_full;
	__u64 watched_lost; /* EV_WATCH records that did not fit */
};
enum { COUNTS_TASK, COUNTS_SOFTIRQ, COUNTS_ITER, COUNTS_SETS };

/* Between the probes and the reader only: struct ev_proc of a process that no target knows. */
enum { EV_WATCH = 0x8001 };

#endif
