/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_SPAN_LATE_H
#define OBI_SPAN_LATE_H

/*
 * late - requests without an answer: asked again, answered by whom, given up.
 * Shared by pair.c and late.c.
 */

#include "span/queue.h"

/* The open request with this id; of datagrams, the one asked of who answers now. */
struct req *late_by_id(const struct conn *c, const struct talk *k, uint64_t id);
/* The client of a datagram asks again what is open: the same request, sent once more. */
bool late_again(const struct conn *c, const struct talk *k, const struct msg *m,
                const struct moment *at, uint64_t bytes);
/* conn_sink.expire: what has waited for its protocol's time-out has failed. */
void late_expire(void *ctx, struct conn *c, uint64_t now_ns, bool gone);

#endif
