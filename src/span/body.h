/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_SPAN_BODY_H
#define OBI_SPAN_BODY_H

/*
 * body - the front of the bodies of requests and answers, for --body: at most
 * pair_opts.body bytes of each, up to the first byte that is missing, and
 * BODY_ALL bytes of all open requests together.
 *
 * They become http.request.body.content and http.response.body.content: text as
 * it is, other bytes escaped ("\x1f\x8b"). What is left out of one is counted:
 * obi.http.request.body.left_out, obi.http.response.body.left_out, in bytes.
 */

#include "span/queue.h"

/* For conn_sink.body: n bytes of the body under way; p NULL: they are missing. Returns how many more are wanted. */
uint64_t body_part(void *ctx, struct conn *c, enum dir d, const uint8_t *p, size_t n);

/* Members of the attributes, a comma before each. */
void body_attrs(const struct req *r, struct buf *a);

/* The request is over: its bytes go. */
void body_drop(struct pairs *p, struct req *r);

#endif
