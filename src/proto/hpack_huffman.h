/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_PROTO_HPACK_HUFFMAN_H
#define OBI_PROTO_HPACK_HUFFMAN_H

/* hpack_huffman - the Huffman code of RFC 7541, Appendix B. */

#include "base/cur.h"

/*
 * Decodes s into `to`, of which at most `room` bytes are written. Returns the
 * length of the whole, SIZE_MAX where it is malformed.
 */
size_t hpack_huffman(struct str s, char *to, size_t room);

#endif
