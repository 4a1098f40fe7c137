/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_WRITE_HTTP_CONF_H
#define OBI_WRITE_HTTP_CONF_H

/*
 * http_conf - where and how to export, by --otlp URL and the variables of the
 * OpenTelemetry specification. What is said for a signal wins over what is said
 * for all, the URL wins over both.
 *
 * https://opentelemetry.io/docs/specs/otel/protocol/exporter/
 */

#include "write/http_tls.h"
#include "write/otlp.h"

enum { HTTP_HEADERS = 32 };

struct http_header {
	char *name, *value;
};

/* Where one signal goes. */
struct http_target {
	char *url;       /* as messages show it: without user and password */
	char *host;      /* name or address, without brackets */
	char *authority; /* of the Host header */
	char *path;      /* with query */
	uint16_t port;
	struct http_tls *tls; /* NULL: http */
	struct http_header headers[HTTP_HEADERS];
	unsigned int nheaders;
	bool gzip, json;
	unsigned int timeout_ms;
};

struct http_conf {
	struct http_target targets[OTLP_SIGNALS];
};

/* url: of the command line; NULL or "": by the environment. 0 or -errno with words in err. */
int http_conf_init(struct http_conf *c, const char *url, char *err);
void http_conf_fini(struct http_conf *c);

#endif
