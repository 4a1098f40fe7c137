/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_WRITE_HTTP_TLS_H
#define OBI_WRITE_HTTP_TLS_H

/*
 * http_tls - export over https. The server's certificate and its name are always
 * verified: by the given file of CA certificates, else by SSL_CERT_FILE and
 * SSL_CERT_DIR, else by those of the system, which a static program looks for
 * where the common distributions have them. A build without TLS says so.
 */

#include <stdbool.h>
#include <stddef.h>

struct bufferevent;
struct event_base;
struct http_tls;

struct http_tls_files {
	const char *ca, *cert, *key; /* PEM; NULL: the system's CAs, no certificate of our own */
};

/* NULL with -errno in *error and words in err. */
struct http_tls *http_tls_new(const struct http_tls_files *f, int *error, char *err);
void http_tls_free(struct http_tls *t);

/* For one connection to `host`, a name or an address; NULL: out of memory. */
struct bufferevent *http_tls_connection(struct http_tls *t, struct event_base *base,
                                        const char *host);
/* Why it failed, where TLS is the reason. `final`: trying again gives the same. */
bool http_tls_why(struct bufferevent *b, char *out, size_t cap, bool *final);

#endif
