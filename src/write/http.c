// SPDX-License-Identifier: GPL-3.0-or-later
/* http - live export by OTLP over HTTP: rows become requests, http_send sends them. */
#include "write/writer.h"

#include <errno.h>
#include <stdlib.h>
#include <zlib.h>

#include "base/err.h"
#include "write/http_send.h"
#include "write/otlp.h"

struct http_out {
	struct http_conf conf;
	struct otlp_enc encs[OTLP_SIGNALS]; /* one a signal: the encoding may differ */
	struct http_sender *sender;
	uint64_t lost; /* before they became a request */
};

/* A gzip copy of s; NULL with errno. */
static char *gzipped(struct str s, size_t *len)
{
	z_stream z = { 0 };
	char *out;
	uLong most;

	if (deflateInit2(&z, Z_BEST_SPEED, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY))
		return NULL;
	most = deflateBound(&z, s.len);
	out = malloc(most);
	z.next_in = (Bytef *)(uintptr_t)s.s;
	z.avail_in = (uInt)s.len;
	z.next_out = (Bytef *)out;
	z.avail_out = (uInt)most;
	if (out && deflate(&z, Z_FINISH) != Z_STREAM_END) {
		free(out);
		out = NULL;
	}
	*len = z.total_out;
	deflateEnd(&z);
	return out;
}

static char *copied(struct str s, size_t *len)
{
	char *out = malloc(s.len);

	if (out)
		memcpy(out, s.s, s.len);
	*len = s.len;
	return out;
}

/* The two encoders share one face: which one speaks tells the signal. */
static int post(void *ctx, enum otlp_signal signal, struct str message, unsigned int rows)
{
	struct http_out *w = ctx;
	const struct http_target *t = &w->conf.targets[signal];
	struct http_post *p = calloc(1, sizeof(*p));

	if (p)
		p->body = t->gzip ? gzipped(message, &p->len) : copied(message, &p->len);
	if (!p || !p->body) {
		free(p);
		w->lost += rows;
		return -ENOMEM;
	}
	p->target = t;
	p->signal = signal;
	p->rows = rows;
	http_sender_add(w->sender, p);
	return 0;
}

static int http_close(void *state, char *err)
{
	struct http_out *w = state;
	char why[HTTP_WHY] = "";
	uint64_t before = w->sender ? http_sender_lost(w->sender) : 0;
	uint64_t late = w->sender ? http_sender_free(w->sender, why) - before : 0;
	int e = 0;

	if (late)
		e = err_set(err, EIO, "export to %s: %llu rows did not get there in time%s%s",
		            w->conf.targets[OTLP_TRACES].url, (unsigned long long)late,
		            *why ? ": " : "", why);
	for (unsigned int i = 0; i < OTLP_SIGNALS; i++)
		otlp_fini(&w->encs[i]);
	http_conf_fini(&w->conf);
	free(w);
	return e;
}

static int http_open(const struct writer_opts *o, void **state, char *err)
{
	struct http_out *w = calloc(1, sizeof(*w));
	int e;

	if (!w)
		return err_set(err, ENOMEM, "cannot export: out of memory");
	e = http_conf_init(&w->conf, o->path, err);
	for (unsigned int i = 0; i < OTLP_SIGNALS && !e; i++)
		otlp_init(&w->encs[i], w->conf.targets[i].json ? &otlp_json : &otlp_pb, o->run,
		          post, w);
	if (!e) {
		w->sender = http_sender_new(o->run ? o->run->version : NULL);
		if (!w->sender)
			e = err_set(err, errno, "cannot export: %s", strerror(errno));
	}
	if (e) {
		http_close(w, NULL);
		return e;
	}
	*state = w;
	return 0;
}

static int http_rows(void *state, const struct batch *b)
{
	struct http_out *w = state;
	int e = 0;

	for (unsigned int i = 0; i < OTLP_SIGNALS && !e; i++)
		e = otlp_signal_batch(&w->encs[i], (enum otlp_signal)i, b);
	return e;
}

static int http_flush(void *state)
{
	(void)state; /* requests leave at once */
	return 0;
}

static uint64_t http_lost(void *state)
{
	struct http_out *w = state;

	return w->lost + http_sender_lost(w->sender);
}

const struct writer writer_otlp_http = {
	.name = "otlp-http",
	.open = http_open,
	.rows = http_rows,
	.flush = http_flush,
	.close = http_close,
	.lost = http_lost,
};
