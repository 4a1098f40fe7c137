/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_SPAN_MAILBOX_H
#define OBI_SPAN_MAILBOX_H

/* mailbox - takes the names of people out of addresses of mail; the domain stays. */

#include "base/str.h"

/* Adds one address, or a name alone: "?@example.org", "?"; nothing where there is none. */
void mailbox_add(struct buf *b, struct str address);

/* Adds the text of JSON with `?` in front of each @ and for each <name>. */
void mailbox_add_json(struct buf *b, struct str s);

#endif
