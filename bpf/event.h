/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef OBI_BPF_EVENT_H
#define OBI_BPF_EVENT_H

/*
 * event.h - the wire format of the ring buffer, and of raw recordings.
 *
 * Includes nothing: the includer supplies __u8 .. __u64 (bpf/types.h in the
 * kernel, <linux/types.h> in user space). Fields are sorted by size, without
 * holes; numbers are append-only, because recordings outlive versions.
 */

enum ev_kind {
	EV_CONN = 1,   /* struct ev_conn: a socket was seen for the first time */
	EV_DATA = 2,   /* struct ev_data: bytes moved through a socket */
	EV_CLOSE = 3,  /* struct ev_close: a TCP socket reached its end */
	EV_FORK = 4,   /* struct ev_proc: a process was started by fork or clone */
	EV_EXEC = 5,   /* struct ev_proc: a process runs a new program */
	EV_EXIT = 6,   /* struct ev_proc: the last thread of a process is gone */
	EV_LISTEN = 7, /* struct ev_conn: a TCP socket began or was found to listen */
	EV_WHO = 8,    /* struct ev_who: made by user space, who a process is */
};

/* Every record starts with this. */
struct ev_head {
	__u64 ts_ns; /* CLOCK_MONOTONIC, at the end of what it reports */
	__u64 task;  /* logical task (goroutine, coroutine); 0: the thread itself */
	__u32 pid;   /* thread group id in the initial pid namespace; 0: unknown */
	__u32 tid;   /* thread id, likewise */
	__u32 size;  /* of the whole record, head and payload, in bytes */
	__u16 kind;  /* enum ev_kind */
	__u16 cpu;
};

enum ev_dir { EV_RECV = 0, EV_SEND = 1 }; /* as the traced process sees it */

/* ev_data.flags */
enum {
	EV_F_NOBUF = 1 << 0,   /* moved by the kernel (sendfile, splice): no bytes to copy */
	EV_F_IOURING = 1 << 1, /* sent or received through io_uring */
	EV_F_FAULT = 1 << 2,   /* some user memory could not be read */
	EV_F_EOF = 1 << 3,     /* a receive returned 0: the peer has shut down */
	EV_F_DGRAM = 1 << 4,   /* the payload is one datagram */
	EV_F_BLOCKED = 1 << 5, /* ts_enter_ns unknown and the call may have slept */
	EV_F_PEER = 1 << 6,    /* a struct ev_peer follows the payload */
};

/* How much of each call is copied; user space writes it, the kernel obeys. */
enum ev_level {
	EV_LEVEL_DEFAULT = 0, /* user space has not answered yet: the class decides */
	EV_LEVEL_MUTE = 1,    /* nothing; counters only */
	EV_LEVEL_HEAD = 2,    /* the head and the tail of each call */
	EV_LEVEL_FULL = 3,    /* everything, but of a long run in one direction head and tail */
	EV_LEVEL_ALL = 4,     /* everything */
};

/*
 * Bytes moved by one system call. The payload is head_len bytes from the start
 * of the call's data followed by tail_len bytes from its end; what lies between
 * was left out on purpose.
 */
struct ev_data {
	struct ev_head h;
	__u64 conn;        /* socket cookie, else sock address mixed with a generation */
	__u64 ts_enter_ns; /* 0: unknown */
	__u64 off;         /* of the first byte, see ev_conn.off */
	__u32 len;         /* bytes the call moved */
	__u32 head_len;    /* bytes of payload from the front */
	__u32 tail_len;    /* bytes of payload from the end */
	__u32 lost_bytes;  /* moved since the last record of this direction, but not reported */
	__u32 nr;          /* system call number, ~0: not from a system call */
	__u8 dir;          /* enum ev_dir */
	__u8 flags;        /* EV_F_* */
	__u8 class;        /* stage 1: protocol number by the rules of protos.def; 0: none */
	__u8 level;        /* enum ev_level that was applied */
	__u8 bytes[];
};

/*
 * The other end of a datagram: where it went, or came from if the probe could
 * tell. A struct sockaddr_in6, or the first 8 bytes of a struct sockaddr_in.
 */
struct ev_peer {
	__u16 family;
	__u8 port[2]; /* big-endian */
	__u8 v4[4];   /* AF_INET: the address; AF_INET6: flow label */
	__u8 v6[16];
	__u8 scope[4];
};

/* ev_conn.flags */
enum {
	EV_C_FROM_START = 1 << 0,  /* no byte had moved in either direction before */
	EV_C_CONNECTED = 1 << 1,   /* this side called connect() under our eyes */
	EV_C_PREEXISTING = 1 << 2, /* found by an iterator when tracing began */
};

/*
 * A socket. Offsets are TCP's own sequence numbers, widened to 64 bits from the
 * first one seen: both ends of a connection agree on them modulo 2^32, and a
 * hole tells exactly how many bytes were not seen. Unix sockets and datagrams
 * count from 0. A socket for datagrams is told anew after it was quiet for
 * TELL_NS: nobody hears of its end, and who listens may have forgotten it.
 */
struct ev_conn {
	struct ev_head h;
	__u64 conn;
	__u64 sock;     /* kernel address, an identity only */
	__u64 peer;     /* Unix: identity of the other end's sock; else 0 */
	__u64 off[2];   /* by enum ev_dir: offset of the next byte */
	__u64 cgroup;   /* of the current task, cgroup v2; 0: unknown */
	__u32 netns;    /* inode of the network namespace */
	__u8 laddr[16]; /* IPv4 in the first four bytes */
	__u8 raddr[16];
	__u16 lport; /* host order */
	__u16 rport;
	__u16 family; /* AF_INET, AF_INET6, AF_UNIX */
	__u8 type;    /* SOCK_STREAM, SOCK_DGRAM */
	__u8 state;   /* TCP state number */
	__u8 flags;   /* EV_C_* */
	__u8 pad[3];
};

struct ev_close {
	struct ev_head h;
	__u64 conn;
	__u64 off[2];        /* final offsets; a FIN that was sent counts as one byte */
	__u32 lost_bytes[2]; /* not reported since the last record, by direction */
	__u32 srtt_us;       /* smoothed RTT, 0: never measured */
	__u32 retransmits;
	__u16 err; /* sk_err, 0: orderly */
	__u8 oldstate;
	__u8 pad[5];
};

struct ev_proc {
	struct ev_head h; /* pid, tid: the process this is about */
	__u32 ppid;
	__s32 exit_code; /* EV_EXIT: as wait(2) gives it */
	__u8 comm[16];
	__u8 file[128]; /* EV_EXEC: path of the program, cut, NUL-terminated */
};

/*
 * Who a process is, read from /proc when it was first seen. The payload is
 * texts, each ended by a NUL, in the order of enum ev_who_text; empty: unknown.
 */
enum ev_who_text {
	WHO_COMM = 0,
	WHO_EXE = 1,
	WHO_CMDLINE = 2,
	WHO_USER = 3,
	WHO_SERVICE = 4,
	WHO_CGROUP = 5,
	WHO_CONTAINER = 6,
	WHO_MAX = 7,
};
struct ev_who {
	struct ev_head h;
	__u64 start_ns; /* of the process, CLOCK_BOOTTIME; 0: unknown */
	__u32 ppid;
	__u32 bytes; /* of payload */
	__u8 texts[];
};

_Static_assert(sizeof(struct ev_head) == 32, "ring record layout");
_Static_assert(sizeof(struct ev_data) == 80, "ring record layout");
_Static_assert(sizeof(struct ev_peer) == 28, "ring record layout");
_Static_assert(sizeof(struct ev_conn) == 128, "ring record layout");
_Static_assert(sizeof(struct ev_close) == 80, "ring record layout");
_Static_assert(sizeof(struct ev_proc) == 184, "ring record layout");
_Static_assert(sizeof(struct ev_who) == 48, "ring record layout");

#endif
