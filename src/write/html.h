/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_WRITE_HTML_H
#define OBI_WRITE_HTML_H

/* html - captured text inside HTML, SVG and DOT: nothing in it is markup. */

#include "base/str.h"

/*
 * For elements and quoted attributes: & < > " ' as entities; control characters,
 * bidirectional marks and what is no UTF-8 as U+FFFD.
 */
void html_text(struct buf *b, struct str s);
/* At most `max` characters, with an ellipsis where it is longer. */
void html_short(struct buf *b, struct str s, size_t max);
/* A quoted string of DOT. */
void html_dot(struct buf *b, struct str s);

#endif
