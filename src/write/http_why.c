// SPDX-License-Identifier: GPL-3.0-or-later
/* http_why - why a request got no answer, in words. */
#include "write/http_why.h"

#include <errno.h>
#include <stdio.h>

#include <event2/bufferevent.h>
#include <event2/http.h>

bool http_why(struct evhttp_connection *c, const struct http_target *t, int error, int failure,
              char out[HTTP_WHY])
{
	struct bufferevent *b = evhttp_connection_get_bufferevent(c);
	int dns = bufferevent_socket_get_dns_error(b);
	bool final = false;

	if (dns)
		snprintf(out, HTTP_WHY, "the name %s is not known (%s)", t->host,
		         evutil_gai_strerror(dns));
	else if (t->tls && http_tls_why(b, out, HTTP_WHY, &final))
		return final;
	else if (failure == EVREQ_HTTP_TIMEOUT)
		snprintf(out, HTTP_WHY, "no answer within %u ms", t->timeout_ms);
	else if (failure == EVREQ_HTTP_EOF)
		snprintf(out, HTTP_WHY, "the server closed the connection without an answer");
	else if (error == ENOTCONN || error == ECONNREFUSED)
		snprintf(out, HTTP_WHY, "cannot connect: nothing listens there");
	else if (error == EHOSTUNREACH || error == ENETUNREACH || error == ETIMEDOUT)
		snprintf(out, HTTP_WHY, "cannot connect: %s", strerror(error));
	else
		snprintf(out, HTTP_WHY, "no answer");
	return false;
}
