/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_BASE_IP_H
#define OBI_BASE_IP_H

/* ip - addresses as text: two of them in every row. */

#include <arpa/inet.h>

#include "base/str.h"

/*
 * AF_INET (4 bytes) or AF_INET6 (16); an IPv4 address inside of IPv6 is written
 * as IPv4. The slice is in out; STR_NULL for another family.
 */
struct str ip_text(int family, const uint8_t *addr, char out[INET6_ADDRSTRLEN]);

#endif
