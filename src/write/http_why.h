/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_WRITE_HTTP_WHY_H
#define OBI_WRITE_HTTP_WHY_H

/* http_why - why a request got no answer, in words. */

#include "write/http_conf.h"

struct evhttp_connection;

enum { HTTP_WHY = 256 }; /* bytes of such words */

/*
 * `error`: errno when libevent said so; `failure`: its enum evhttp_request_error,
 * -1: none. True where another try would end the same.
 */
bool http_why(struct evhttp_connection *c, const struct http_target *t, int error, int failure,
              char out[HTTP_WHY]);

#endif
