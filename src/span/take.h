/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_SPAN_TAKE_H
#define OBI_SPAN_TAKE_H

/* take - the texts that a request keeps of its messages; shared by pair.c and take.c. */

#include "span/queue.h"

/* Where the definitions are that a message makes and uses. */
struct hash *take_defs(struct pairs *p, struct talk *k, const struct msg *m);
/* The topic: as the message has it, or as it was called when its id was learnt. */
void take_topic(struct pairs *p, struct talk *k, struct req *r, const struct msg *m);
/* The trace context that a message brings; the first one counts. */
void take_trace(struct req *r, const struct msg *m);
/* Everything that a request says. */
void take_texts(struct pairs *p, const struct conn *c, struct talk *k, struct req *r,
                const struct msg *m);
/* The attributes of a message, and the header fields that are asked for. */
void take_attrs(const struct pairs *p, struct req *r, enum dir d, const struct msg *m);
/* How it went, by an answer or by a message that nobody answers. */
void take_status(const struct conn *c, struct req *r, const struct msg *m);

/* What HTTP carries, from the request or its body. */
void take_level(struct req *r, const struct msg *m);

/* What is so from here on: the database, attributes of every later request. */
void take_current(struct talk *k, const struct msg *m);

/* A part of an answer that ends at r->end_ns: where the first event is in it, its time. */
void take_first(struct req *r, const struct msg *part);

#endif
