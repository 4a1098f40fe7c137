// SPDX-License-Identifier: GPL-3.0-or-later
/* http_tls - export over https, the server always verified. */
#include "write/http_tls.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"

#if OBI_TLS

#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

struct http_tls {
	SSL_CTX *ctx;
};

/* What OpenSSL said last. */
static const char *reason(void)
{
	unsigned long e = ERR_peek_last_error();
	const char *text = e ? ERR_reason_error_string(e) : NULL;

	if (e && ERR_SYSTEM_ERROR(e))
		text = strerror(ERR_GET_REASON(e));
	ERR_clear_error();
	return text ? text : "not as it should be";
}

/* ---- whom to trust ---- */

/* Debian and Ubuntu, Fedora and RHEL, SUSE, Alpine, and what OpenSSL itself was built with. */
static const char *const bundles[] = {
	"/etc/ssl/certs/ca-certificates.crt",
	"/etc/pki/tls/certs/ca-bundle.crt",
	"/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
	"/etc/ssl/ca-bundle.pem",
	"/etc/ssl/cert.pem",
};

static int trust_system(SSL_CTX *ctx, char *err)
{
	const char *file = getenv(X509_get_default_cert_file_env());
	const char *dir = getenv(X509_get_default_cert_dir_env());

	if ((file && *file) || (dir && *dir))
		return SSL_CTX_set_default_verify_paths(ctx) ? 0 : -EIO;
	for (size_t i = 0; i < sizeof(bundles) / sizeof(bundles[0]); i++)
		if (!access(bundles[i], R_OK) &&
		    SSL_CTX_load_verify_locations(ctx, bundles[i], NULL))
			return 0;
	if (!access(X509_get_default_cert_dir(), R_OK))
		return SSL_CTX_set_default_verify_paths(ctx) ? 0 : -EIO;
	return err_set(err, ENOENT,
	               "cannot export over https: this system has no CA certificates where they "
	               "usually are; name a file by OTEL_EXPORTER_OTLP_CERTIFICATE");
}

static int trust(SSL_CTX *ctx, const char *file, char *err)
{
	if (!file)
		return trust_system(ctx, err);
	if (SSL_CTX_load_verify_locations(ctx, file, NULL))
		return 0;
	return err_set(err, EIO, "OTEL_EXPORTER_OTLP_CERTIFICATE: cannot read %s: %s", file,
	               access(file, R_OK) ? strerror(errno) : reason());
}

/* ---- who we are ---- */

static int identify(SSL_CTX *ctx, const struct http_tls_files *f, char *err)
{
	if (!f->cert && !f->key)
		return 0;
	if (!f->cert || !f->key)
		return err_set(err, EINVAL,
		               "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE and _CLIENT_KEY go together: "
		               "%s is not set",
		               f->cert ? "the key" : "the certificate");
	if (SSL_CTX_use_certificate_chain_file(ctx, f->cert) != 1)
		return err_set(err, EIO,
		               "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE: cannot read %s: %s", f->cert,
		               access(f->cert, R_OK) ? strerror(errno) : reason());
	if (SSL_CTX_use_PrivateKey_file(ctx, f->key, SSL_FILETYPE_PEM) != 1)
		return err_set(err, EIO, "OTEL_EXPORTER_OTLP_CLIENT_KEY: cannot read %s: %s",
		               f->key, access(f->key, R_OK) ? strerror(errno) : reason());
	return 0;
}

/* ---- life ---- */

/* No terminal may be asked for the password of a key. */
static int no_password(char *buf, int size, int rwflag, void *ctx)
{
	(void)buf, (void)size, (void)rwflag, (void)ctx;
	return 0;
}

struct http_tls *http_tls_new(const struct http_tls_files *f, int *error, char *err)
{
	struct http_tls *t = calloc(1, sizeof(*t));

	*error = -ENOMEM;
	ERR_clear_error();
	if (t)
		t->ctx = SSL_CTX_new(TLS_client_method());
	if (!t || !t->ctx) {
		*error = err_set(err, ENOMEM, "cannot export over https: %s", reason());
		http_tls_free(t);
		return NULL;
	}
	SSL_CTX_set_min_proto_version(t->ctx, TLS1_2_VERSION);
	SSL_CTX_set_verify(t->ctx, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_default_passwd_cb(t->ctx, no_password);
	/* a server that closes without a word has still answered by Content-Length */
	SSL_CTX_set_options(t->ctx, SSL_OP_IGNORE_UNEXPECTED_EOF);
	*error = trust(t->ctx, f->ca, err);
	if (!*error)
		*error = identify(t->ctx, f, err);
	if (!*error)
		return t;
	http_tls_free(t);
	return NULL;
}

void http_tls_free(struct http_tls *t)
{
	if (t)
		SSL_CTX_free(t->ctx);
	free(t);
}

/* ---- connections ---- */

/* The name to find in the certificate; a name is said to the server too. */
static bool expect(SSL *ssl, const char *host)
{
	uint8_t addr[16];
	X509_VERIFY_PARAM *param = SSL_get0_param(ssl);

	if (inet_pton(AF_INET, host, addr) == 1 || inet_pton(AF_INET6, host, addr) == 1)
		return X509_VERIFY_PARAM_set1_ip_asc(param, host);
	X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	return SSL_set1_host(ssl, host) && SSL_set_tlsext_host_name(ssl, host);
}

struct bufferevent *http_tls_connection(struct http_tls *t, struct event_base *base,
                                        const char *host)
{
	SSL *ssl = SSL_new(t->ctx);
	struct bufferevent *b;

	if (!ssl || !expect(ssl, host)) {
		SSL_free(ssl);
		return NULL;
	}
	b = bufferevent_openssl_socket_new(base, -1, ssl, BUFFEREVENT_SSL_CONNECTING,
	                                   BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS);
	if (!b)
		SSL_free(ssl);
	else
		bufferevent_openssl_set_allow_dirty_shutdown(b, 1);
	return b;
}

bool http_tls_why(struct bufferevent *b, char *out, size_t cap, bool *final)
{
	SSL *ssl = bufferevent_openssl_get_ssl(b);
	long verified = ssl ? SSL_get_verify_result(ssl) : X509_V_OK;
	unsigned long e, first = 0;
	const char *text;

	*final = true;
	while ((e = bufferevent_get_openssl_error(b)))
		first = first ? first : e;
	if (verified == X509_V_ERR_HOSTNAME_MISMATCH ||
	    verified == X509_V_ERR_IP_ADDRESS_MISMATCH) {
		snprintf(out, cap, "its certificate is for another name (%s)",
		         X509_verify_cert_error_string(verified));
		return true;
	}
	if (verified != X509_V_OK) {
		snprintf(out, cap,
		         "its certificate is not trusted: %s; its CA can be named by "
		         "OTEL_EXPORTER_OTLP_CERTIFICATE",
		         X509_verify_cert_error_string(verified));
		return true;
	}
	text = first ? ERR_reason_error_string(first) : NULL;
	if (!text)
		return false;
	snprintf(out, cap, "TLS: %s%s", text,
	         ERR_GET_REASON(first) == SSL_R_WRONG_VERSION_NUMBER
	                 ? " (does it speak http:// only?)"
	                 : "");
	return true;
}

#else /* a static program: see TLS in the Makefile */

struct http_tls *http_tls_new(const struct http_tls_files *f, int *error, char *err)
{
	(void)f;
	*error = err_set(
		err, EPROTONOSUPPORT,
		"cannot export over https: this build is without TLS (make static TLS=1 "
		"has it); send to a Collector on this host over http:// and let it forward");
	return NULL;
}

void http_tls_free(struct http_tls *t)
{
	(void)t;
}

struct bufferevent *http_tls_connection(struct http_tls *t, struct event_base *base,
                                        const char *host)
{
	(void)t, (void)base, (void)host;
	return NULL;
}

bool http_tls_why(struct bufferevent *b, char *out, size_t cap, bool *final)
{
	(void)b, (void)out, (void)cap, (void) final;
	return false;
}

#endif
