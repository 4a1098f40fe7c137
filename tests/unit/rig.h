/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_TESTS_RIG_H
#define OBI_TESTS_RIG_H

/*
 * rig - one socket through conn/ and span/: records of the kernel in, rows out.
 * The clock goes on by a millisecond with every call.
 */

#include "conn/conn.h"
#include "span/pair.h"

enum { RIG_ROWS = 64, MS = 1000000 };

struct rig {
	struct batch_pool *pool;
	struct pairs *pairs;
	struct conns *conns;
	struct batch *out[RIG_ROWS];
	unsigned int nout;
	uint64_t off[2], now;
	uint64_t began; /* of the next call, 0: unknown */
	enum ev_level
		level;    /* the last answer to the kernel, where opts.interest is rig_interest */
	uint64_t skipped; /* where the last skip ends, where opts.skip is rig_skip */
};

/*
 * A socket of IPv4, number 5, process 7; ports, type, flags and offsets are those of c.
 * What takes rows, and what the callbacks are called with, is filled in here.
 */
void rig_open(struct rig *r, struct pair_opts po, struct conns_opts co, struct ev_conn c);
void rig_fini(struct rig *r);

void rig_interest(void *ctx, uint64_t conn, enum ev_level level);
void rig_skip(void *ctx, uint64_t conn, int dir, uint64_t until);

/* One call: n bytes at the front and the text at the end are in the record, `len` moved. */
void rig_move(struct rig *r, enum ev_dir d, const void *front, size_t n, size_t len,
              const char *tail);
void rig_say(struct rig *r, enum ev_dir d, const char *text);
/* One datagram, to or from 10.0.0.HOST; host 0: nobody says. */
void rig_datagram(struct rig *r, enum ev_dir d, const void *bytes, size_t n, uint8_t host,
                  uint16_t port);

/* The i-th row of the table; NULL where there are fewer. */
const void *rig_row(struct rig *r, enum table t, unsigned int i);
/* The last row of the table; NULL: none. */
const void *rig_last(struct rig *r, enum table t);
static inline const struct span *span_at(struct rig *r, unsigned int i)
{
	return rig_row(r, TABLE_SPANS, i);
}

#define ASSERT_STR(s, z) ck_assert_msg(str_is((s), z), "%.*s is not %s", STR_ARG(s), z)

#endif
