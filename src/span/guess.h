/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_SPAN_GUESS_H
#define OBI_SPAN_GUESS_H

/* guess - what datagrams that no parser knows may be, by the first bytes of one. */

#include <stddef.h>
#include <stdint.h>

/* "quic?" and the like; NULL: no idea. */
const char *guess_datagram(const uint8_t *p, size_t n);

#endif
