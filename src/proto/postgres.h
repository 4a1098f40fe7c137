/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_PROTO_POSTGRES_H
#define OBI_PROTO_POSTGRES_H

/*
 * postgres - shared by the halves of the PostgreSQL parser; for postgres*.c only.
 *
 * Requests come in groups: a simple query, a function call and the start of a
 * session are one each, the messages of the extended protocol up to Sync
 * another. ReadyForQuery answers a group. The number of its group is the id of
 * each request, so that ReadyForQuery can tell which were thrown away.
 */

#include "proto/proto.h"
#include "proto/sql.h"

enum { PG_GROUPS = 128, PG_PORTALS = 5, PG_TRACEPARENT = 55 };

struct pg_portal {
	uint64_t portal, statement; /* hashes of their names; 0: free */
};

struct pg {
	uint64_t sent, answered;         /* groups; group `answered + 1` is the one under way */
	uint16_t reqs, done;             /* requests seen and answered, modulo 2^16 */
	uint16_t end[PG_GROUPS];         /* reqs at the end of group g, at g % PG_GROUPS */
	uint64_t simple[PG_GROUPS / 64]; /* bit per group: ends by ReadyForQuery alone */
	struct pg_portal portals[PG_PORTALS];
	uint64_t traced_group; /* in which `traceparent` came */
	uint32_t rows;         /* of the answer under way */
	uint8_t next_portal;
	bool asked_tls; /* one byte answers */
	bool held;      /* the last request of the group waits for ReadyForQuery only */
	bool pipelines; /* a group was sent before the last was answered */
	bool doubt;     /* answers were missed: the counts may lag */
	char traceparent[PG_TRACEPARENT];
};

_Static_assert(sizeof(struct pg) <= 512, "state is copied for each answer that is early");

/* A message as far as it can be seen. */
struct pg_frame {
	uint8_t type;
	uint32_t len;    /* of the body */
	struct cur body; /* at most PROTO_HEAD with the header */
	bool whole;      /* the body is all there */
	bool ready;      /* nothing more will come of it that counts */
};

enum { PG_HEADER = 5, PG_LARGE = 0x40000000 };

/* Reads the header of a typed message. PARSE_OK: f is filled; nothing is taken. */
enum parse pg_frame(const struct cur *in, enum dir dir, struct pg_frame *f);
/* Whether a message of `type` may have a body of len bytes; false for unknown types. */
bool pg_length_fits(enum dir dir, uint8_t type, uint32_t len);

/* Takes the header and `taken` bytes of the body, and leaves the rest to be skipped. */
static inline enum parse pg_take(struct cur *in, const struct pg_frame *f, size_t taken,
                                 struct msg *out)
{
	cur_take(in, PG_HEADER + taken);
	out->skip = f->len - taken;
	return PARSE_OK;
}

/* The head of the body that is read, and the rest skipped. */
static inline enum parse pg_take_head(struct cur *in, const struct pg_frame *f, struct msg *out)
{
	if (!f->whole)
		out->flags |= MSG_F_CUT;
	return pg_take(in, f, f->whole ? f->len : (size_t)(f->body.end - in->p) - PG_HEADER, out);
}

/* Takes as many messages of this kind as there are: rows, copied data. */
enum parse pg_take_run(struct cur *in, uint8_t type, uint32_t *count, struct msg *out);

enum parse pg_request(struct pg *s, struct cur *in, struct msg *out);
enum parse pg_response(struct pg *s, struct cur *in, struct msg *out);

#endif
