// SPDX-License-Identifier: GPL-3.0-or-later
/* http_conf - where and how to export. */
#include "write/http_conf.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <event2/http.h>

#include "base/err.h"

static const struct {
	const char *name, *path;
} signals[OTLP_SIGNALS] = {
	[OTLP_TRACES] = { "TRACES", "v1/traces" },
	[OTLP_LOGS] = { "LOGS", "v1/logs" },
};

/* OTEL_EXPORTER_OTLP_TRACES_<what>, else OTEL_EXPORTER_OTLP_<what>; NULL where both are empty. */
static const char *variable(enum otlp_signal signal, const char *what)
{
	char name[80];
	const char *v;

	snprintf(name, sizeof(name), "OTEL_EXPORTER_OTLP_%s_%s", signals[signal].name, what);
	v = getenv(name);
	if (v && *v)
		return v;
	snprintf(name, sizeof(name), "OTEL_EXPORTER_OTLP_%s", what);
	v = getenv(name);
	return v && *v ? v : NULL;
}

/* ---- URL ---- */

/* The signal's URL under a base: "http://host:4318" -> "http://host:4318/v1/traces". */
static char *under_base(const char *base, enum otlp_signal signal)
{
	size_t len = strcspn(base, "?#");
	char *url;

	for (unsigned int i = 0; i < OTLP_SIGNALS; i++) { /* people paste the URL of one signal */
		size_t n = strlen(signals[i].path);

		if (len > n && !memcmp(base + len - n, signals[i].path, n))
			len -= n;
	}
	while (len && base[len - 1] == '/')
		len--;
	return asprintf(&url, "%.*s/%s", (int)len, base, signals[signal].path) < 0 ? NULL : url;
}

static char *signal_url(const char *given, enum otlp_signal signal)
{
	char name[80];
	const char *v;

	if (given && *given)
		return under_base(given, signal);
	snprintf(name, sizeof(name), "OTEL_EXPORTER_OTLP_%s_ENDPOINT", signals[signal].name);
	v = getenv(name);
	if (v && *v)
		return strdup(v);
	v = getenv("OTEL_EXPORTER_OTLP_ENDPOINT");
	return under_base(v && *v ? v : "http://localhost:4318", signal);
}

/* Host, port and path of an URL that has been parsed. */
static int take_parts(struct http_target *t, const struct evhttp_uri *u, bool tls)
{
	const char *host = evhttp_uri_get_host(u), *path = evhttp_uri_get_path(u);
	const char *query = evhttp_uri_get_query(u);
	int port = evhttp_uri_get_port(u);
	size_t len = strlen(host);
	bool v6 = *host == '[' && len > 2;

	t->port = (uint16_t)(port > 0 ? port : tls ? 443 : 80);
	t->host = v6 ? strndup(host + 1, len - 2) : strdup(host);
	if (asprintf(&t->authority, "%s:%u", host, t->port) < 0)
		t->authority = NULL;
	if (asprintf(&t->path, "%s%s%s", path && *path ? path : "/", query ? "?" : "",
	             query ? query : "") < 0)
		t->path = NULL;
	if (asprintf(&t->url, "http%s://%s%s", tls ? "s" : "", t->authority ? t->authority : "",
	             t->path ? t->path : "") < 0)
		t->url = NULL;
	return t->host && t->authority && t->path && t->url ? 0 : -ENOMEM;
}

static int parse_url(struct http_target *t, const char *url, bool *secure, char *err)
{
	struct evhttp_uri *u = evhttp_uri_parse(url);
	const char *scheme = u ? evhttp_uri_get_scheme(u) : NULL;
	const char *host = u ? evhttp_uri_get_host(u) : NULL;
	bool tls = scheme && !strcasecmp(scheme, "https");
	int e;

	if (!scheme || (!tls && strcasecmp(scheme, "http") != 0) || !host || !*host)
		e = err_set(err, EINVAL,
		            "\"%s\" is no URL to export to; e.g. http://localhost:4318", url);
	else
		e = take_parts(t, u, tls);
	if (u)
		evhttp_uri_free(u);
	if (e == -ENOMEM)
		return err_set(err, ENOMEM, "cannot export: out of memory");
	*secure = tls;
	if (!e && t->port == 4317)
		warn(LEVEL_WARN, "port 4317 is usually OTLP over gRPC; OTLP/HTTP has 4318");
	return e;
}

/* ---- headers ---- */

/* Percent-decoded copy without blanks around; NULL where it cannot stand in a header. */
static char *decoded(const char *s, size_t len)
{
	struct str text = str_trim((struct str){ s, len });
	char *copy = strndup(text.s, text.len), *out = NULL;
	size_t n = 0;

	if (copy)
		out = evhttp_uridecode(copy, 0, &n);
	free(copy);
	for (size_t i = 0; out && i < n; i++) {
		if ((unsigned char)out[i] < 0x20 || out[i] == 0x7f) {
			free(out);
			return NULL;
		}
	}
	return out;
}

/* "api-key=abc,x=y%20z" */
static int parse_headers(struct http_target *t, const char *list, char *err)
{
	while (*list) {
		size_t len = strcspn(list, ","), name = strcspn(list, "=,");
		struct http_header *h = &t->headers[t->nheaders];

		if (name < len && t->nheaders < HTTP_HEADERS) {
			h->name = decoded(list, name);
			h->value = decoded(list + name + 1, len - name - 1);
			t->nheaders++; /* counted first, so that it is freed */
			if (!h->name || !*h->name || strpbrk(h->name, " :\t") || !h->value)
				return err_set(err, EINVAL,
				               "OTEL_EXPORTER_OTLP_HEADERS: header %u is none",
				               t->nheaders);
		} else if (str_trim((struct str){ list, len }).len) {
			return err_set(err, EINVAL,
			               "OTEL_EXPORTER_OTLP_HEADERS wants name=value,name=value");
		}
		list += len + (list[len] == ',');
	}
	return 0;
}

/* ---- the rest ---- */

static int parse_how(struct http_target *t, enum otlp_signal signal, char *err)
{
	const char *protocol = variable(signal, "PROTOCOL"),
		   *pack = variable(signal, "COMPRESSION");
	const char *timeout = variable(signal, "TIMEOUT");
	uint64_t ms = 10000;

	if (protocol && !strcmp(protocol, "grpc"))
		return err_set(err, EPROTONOSUPPORT,
		               "OTLP over gRPC is not supported; set "
		               "OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf and use port 4318");
	if (protocol && strcmp(protocol, "http/protobuf") != 0 &&
	    strcmp(protocol, "http/json") != 0)
		return err_set(
			err, EINVAL,
			"OTEL_EXPORTER_OTLP_PROTOCOL=%s is not known: http/protobuf, http/json",
			protocol);
	if (pack && strcmp(pack, "gzip") != 0 && strcmp(pack, "none") != 0)
		return err_set(err, EINVAL,
		               "OTEL_EXPORTER_OTLP_COMPRESSION=%s is not known: gzip, none", pack);
	if (timeout && (!str_u64(str_of(timeout), &ms) || !ms || ms > 3600000))
		return err_set(err, EINVAL,
		               "OTEL_EXPORTER_OTLP_TIMEOUT=%s is no number of milliseconds",
		               timeout);
	t->json = protocol && !strcmp(protocol, "http/json");
	t->gzip = pack && !strcmp(pack, "gzip");
	t->timeout_ms = (unsigned int)ms;
	return 0;
}

static int init_tls(struct http_target *t, enum otlp_signal signal, char *err)
{
	struct http_tls_files f = {
		.ca = variable(signal, "CERTIFICATE"),
		.cert = variable(signal, "CLIENT_CERTIFICATE"),
		.key = variable(signal, "CLIENT_KEY"),
	};
	int e;

	t->tls = http_tls_new(&f, &e, err);
	return t->tls ? 0 : e;
}

static int init_target(struct http_target *t, const char *given, enum otlp_signal signal, char *err)
{
	const char *headers = variable(signal, "HEADERS");
	char *url = signal_url(given, signal);
	bool secure = false;
	int e = url ? parse_url(t, url, &secure, err)
	            : err_set(err, ENOMEM, "cannot export: out of memory");

	free(url);
	if (!e && secure)
		e = init_tls(t, signal, err);
	if (!e)
		e = parse_how(t, signal, err);
	if (!e && headers)
		e = parse_headers(t, headers, err);
	return e;
}

int http_conf_init(struct http_conf *c, const char *url, char *err)
{
	int e = 0;

	memset(c, 0, sizeof(*c));
	for (unsigned int i = 0; i < OTLP_SIGNALS && !e; i++)
		e = init_target(&c->targets[i], url, (enum otlp_signal)i, err);
	if (e)
		http_conf_fini(c);
	return e;
}

void http_conf_fini(struct http_conf *c)
{
	for (unsigned int i = 0; i < OTLP_SIGNALS; i++) {
		struct http_target *t = &c->targets[i];

		for (unsigned int h = 0; h < t->nheaders; h++) {
			free(t->headers[h].name);
			free(t->headers[h].value);
		}
		http_tls_free(t->tls);
		free(t->url);
		free(t->host);
		free(t->authority);
		free(t->path);
	}
	memset(c, 0, sizeof(*c));
}
