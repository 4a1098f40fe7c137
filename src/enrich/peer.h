/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_ENRICH_PEER_H
#define OBI_ENRICH_PEER_H

/* peer - the other side of a span as one text, for grouping. */

#include "span/batch.h"

/*
 * Fills row->peer where it is unknown: name or address, with the port where the
 * other side is the server ("db:3306", "[::1]:80"): a client's says nothing.
 * Fills row->caller, too: who sent the request or the message.
 */
void peer_fill(struct span *row, struct batch *b);

#endif
