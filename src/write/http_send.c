// SPDX-License-Identifier: GPL-3.0-or-later
/* http_send - OTLP requests on their way. */
#include "write/http_send.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>

#include "base/err.h"
#include "write/http_answer.h"
#include "write/http_why.h"

enum { QUEUE_BYTES = 16 << 20, QUEUE_POSTS = 512, ANSWER_BYTES = 4 << 20 };
enum { TRIES = 5, TOTAL_MS = 60000 };
enum { DRAIN_MS = 30000, DRAIN_FAILING_MS = 5000 };

struct http_sender {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t room; /* the queue got shorter, or the server fails now */
	/* under lock */
	struct http_post *first, **last;
	size_t bytes;
	unsigned int posts;
	bool failing, closing;
	int64_t closing_ns;
	uint64_t lost;
	/* of the thread */
	struct event_base *base;
	struct event *woken, *timer;
	int wake_fd;
	struct http_post *now; /* on its way, or waiting to be tried again */
	struct evhttp_connection *conns[OTLP_SIGNALS]; /* kept: they connect anew by themselves */
	bool stale[OTLP_SIGNALS]; /* but for TLS: its state is that of one connection */
	int failure;              /* of the request that is on its way; -1: none */
	unsigned int seed;
	char why[HTTP_WHY]; /* the last one was not taken; "": it was */
	bool told_retry, told_drop, told_partial, told_full;
	char user_agent[64];
};

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ll + t.tv_nsec;
}

static void post_free(struct http_post *p)
{
	if (p)
		free(p->body);
	free(p);
}

static void send_now(struct http_sender *s);

/* ---- the queue ---- */

static struct http_post *queue_take(struct http_sender *s)
{
	struct http_post *p = s->first;

	if (!p)
		return NULL;
	s->first = p->next;
	if (!s->first)
		s->last = &s->first;
	s->bytes -= p->len;
	s->posts--;
	pthread_cond_broadcast(&s->room);
	return p;
}

static bool queue_is_full(const struct http_sender *s, size_t more)
{
	return s->posts && (s->bytes + more > QUEUE_BYTES || s->posts >= QUEUE_POSTS);
}

/* Waits for room while the server takes requests; then the oldest makes room. */
static void make_room(struct http_sender *s, size_t more)
{
	while (queue_is_full(s, more)) {
		struct http_post *p;

		if (!s->failing) {
			pthread_cond_wait(&s->room, &s->lock);
			continue;
		}
		p = queue_take(s);
		s->lost += p->rows;
		if (!s->told_full)
			warn(LEVEL_WARN,
			     "export to %s: it does not keep up; the oldest spans are dropped",
			     p->target->url);
		s->told_full = true;
		post_free(p);
	}
}

void http_sender_add(struct http_sender *s, struct http_post *p)
{
	const uint64_t one = 1;

	pthread_mutex_lock(&s->lock);
	make_room(s, p->len);
	p->next = NULL;
	*s->last = p;
	s->last = &p->next;
	s->bytes += p->len;
	s->posts++;
	pthread_mutex_unlock(&s->lock);
	if (write(s->wake_fd, &one, sizeof(one)) < 0)
		warn(LEVEL_DEBUG, "export: cannot wake the sender: %s", strerror(errno));
}

static void set_failing(struct http_sender *s, bool failing)
{
	pthread_mutex_lock(&s->lock);
	s->failing = failing;
	pthread_cond_broadcast(&s->room);
	pthread_mutex_unlock(&s->lock);
}

static void add_lost(struct http_sender *s, uint64_t rows)
{
	pthread_mutex_lock(&s->lock);
	s->lost += rows;
	pthread_mutex_unlock(&s->lock);
}

/* ---- what came back ---- */

/*
 * Goes on from the event loop: libevent may be about to fail everything that
 * stands on this connection.
 */
static void go_on_later(struct http_sender *s, int wait_ms)
{
	struct timeval tv = { wait_ms / 1000, wait_ms % 1000 * 1000 };

	event_add(s->timer, &tv);
}

static void finish(struct http_sender *s)
{
	bool anew = s->stale[s->now->signal];

	post_free(s->now);
	s->now = NULL;
	if (anew)
		go_on_later(s, 0);
	else
		send_now(s);
}

static void drop(struct http_sender *s, const char *why)
{
	add_lost(s, s->now->rows);
	if (!s->told_drop)
		warn(LEVEL_ERROR, "export to %s failed: %s; %u rows dropped", s->now->target->url,
		     why, s->now->rows);
	s->told_drop = true;
	post_free(s->now);
	s->now = NULL;
	go_on_later(s, 0);
}

static void try_again(struct http_sender *s, int wait_ms, const char *why)
{
	int64_t spent_ms = (now_ns() - s->now->first_ns) / 1000000;

	set_failing(s, true);
	snprintf(s->why, sizeof(s->why), "%s", why);
	warn(s->told_retry ? LEVEL_DEBUG : LEVEL_WARN, "export to %s: %s; it is tried again",
	     s->now->target->url, why);
	s->told_retry = true;
	if (wait_ms < 0)
		wait_ms = http_backoff_ms(s->now->tries, &s->seed);
	if (s->now->tries >= TRIES || spent_ms + wait_ms > TOTAL_MS) {
		drop(s, why);
		return;
	}
	go_on_later(s, wait_ms);
}

static void took(struct http_sender *s, struct evhttp_request *req)
{
	struct evbuffer *in = evhttp_request_get_input_buffer(req);
	size_t len = evbuffer_get_length(in);
	const char *type =
		evhttp_find_header(evhttp_request_get_input_headers(req), "Content-Type");
	struct http_answer a;

	http_answer_parse(&a, type, (struct str){ (const char *)evbuffer_pullup(in, -1), len });
	set_failing(s, false);
	s->told_drop = s->told_full = s->told_retry = false;
	if (a.rejected > s->now->rows)
		a.rejected = s->now->rows;
	add_lost(s, a.rejected);
	if ((a.rejected || a.message[0]) && !s->told_partial) {
		warn(LEVEL_WARN, "export to %s: the server rejected %llu rows: %s",
		     s->now->target->url, (unsigned long long)a.rejected, a.message);
		s->told_partial = true;
	}
	finish(s);
}

static void refused(struct http_sender *s, struct evhttp_request *req, int code)
{
	struct evbuffer *in = evhttp_request_get_input_buffer(req);
	struct evkeyvalq *headers = evhttp_request_get_input_headers(req);
	struct http_answer a;
	char why[256];

	http_answer_error(
		&a, evhttp_find_header(headers, "Content-Type"),
		(struct str){ (const char *)evbuffer_pullup(in, -1), evbuffer_get_length(in) });
	snprintf(why, sizeof(why), "HTTP %d%s%.200s", code, a.message[0] ? ": " : "", a.message);
	if (code == 429 || code == 502 || code == 503 || code == 504)
		try_again(
			s,
			http_retry_after_ms(evhttp_find_header(headers, "Retry-After"), time(NULL)),
			why);
	else
		drop(s, why);
}

static void no_answer(struct http_sender *s, int error)
{
	unsigned int signal = s->now->signal;
	char why[HTTP_WHY];
	bool final = http_why(s->conns[signal], s->now->target, error, s->failure, why);

	s->stale[signal] = true;
	if (final)
		drop(s, why);
	else
		try_again(s, -1, why);
}

static void on_answer(struct evhttp_request *req, void *ctx)
{
	int error = errno; /* of the connection, where it failed */
	struct http_sender *s = ctx;
	int code = req ? evhttp_request_get_response_code(req) : 0;

	if (!s->now)
		return;
	if (!code)
		no_answer(s, error);
	else if (code >= 200 && code < 300)
		took(s, req);
	else
		refused(s, req, code);
}

/* ---- sending ---- */

static void on_closed(struct evhttp_connection *c, void *ctx)
{
	struct http_sender *s = ctx;

	for (unsigned int i = 0; i < OTLP_SIGNALS; i++)
		if (s->conns[i] == c)
			s->stale[i] = true;
}

static struct evhttp_connection *connection(struct http_sender *s, const struct http_post *p)
{
	const struct http_target *t = p->target;
	struct timeval tv = { t->timeout_ms / 1000, t->timeout_ms % 1000 * 1000 };
	struct evhttp_connection *c = s->conns[p->signal];
	struct bufferevent *b = NULL;

	if (c && !(t->tls && s->stale[p->signal]))
		return c;
	if (c)
		evhttp_connection_free(c);
	s->conns[p->signal] = NULL;
	s->stale[p->signal] = false;
	if (t->tls)
		b = http_tls_connection(t->tls, s->base, t->host);
	if (t->tls && !b)
		return NULL;
	c = evhttp_connection_base_bufferevent_new(s->base, NULL, b, t->host, t->port);
	if (!c)
		return NULL;
	evhttp_connection_set_closecb(c, on_closed, s);
	evhttp_connection_set_timeout_tv(c, &tv);
	evhttp_connection_set_max_body_size(c, ANSWER_BYTES);
	return s->conns[p->signal] = c;
}

static void on_failure(enum evhttp_request_error failure, void *ctx)
{
	((struct http_sender *)ctx)->failure = (int)failure;
}

static struct evhttp_request *new_request(struct http_sender *s)
{
	const struct http_target *t = s->now->target;
	struct evhttp_request *req = evhttp_request_new(on_answer, s);
	struct evkeyvalq *h;

	if (!req)
		return NULL;
	s->failure = -1;
	evhttp_request_set_error_cb(req, on_failure);
	h = evhttp_request_get_output_headers(req);
	evhttp_add_header(h, "Host", t->authority);
	evhttp_add_header(h, "User-Agent", s->user_agent);
	evhttp_add_header(h, "Content-Type",
	                  t->json ? otlp_json.content_type : otlp_pb.content_type);
	if (t->gzip)
		evhttp_add_header(h, "Content-Encoding", "gzip");
	for (unsigned int i = 0; i < t->nheaders; i++) {
		evhttp_remove_header(h, t->headers[i].name);
		evhttp_add_header(h, t->headers[i].name, t->headers[i].value);
	}
	/* copied: after an early answer libevent still sends what is left */
	evbuffer_add(evhttp_request_get_output_buffer(req), s->now->body, s->now->len);
	return req;
}

/* Sends s->now, or the next of the queue. */
static void send_now(struct http_sender *s)
{
	struct evhttp_connection *conn;
	struct evhttp_request *req;
	bool done;

	pthread_mutex_lock(&s->lock);
	if (!s->now)
		s->now = queue_take(s);
	done = !s->now && s->closing;
	pthread_mutex_unlock(&s->lock);
	if (done)
		event_base_loopbreak(s->base);
	if (!s->now)
		return;
	if (!s->now->tries++)
		s->now->first_ns = now_ns();
	conn = connection(s, s->now);
	req = conn ? new_request(s) : NULL;
	if (!req || evhttp_make_request(conn, req, EVHTTP_REQ_POST, s->now->target->path))
		try_again(s, -1, "cannot connect");
}

static void on_timer(evutil_socket_t fd, short what, void *ctx)
{
	(void)fd, (void)what;
	send_now(ctx);
}

/* Time that is left to send after close. */
static int64_t drain_left_ns(struct http_sender *s)
{
	int64_t ms = s->failing ? DRAIN_FAILING_MS : DRAIN_MS;

	return s->closing_ns + ms * 1000000 - now_ns();
}

static void on_wake(evutil_socket_t fd, short what, void *ctx)
{
	struct http_sender *s = ctx;
	uint64_t n;
	bool closing;

	(void)what;
	if (read((int)fd, &n, sizeof(n)) < 0 && errno != EAGAIN)
		warn(LEVEL_DEBUG, "export: %s", strerror(errno));
	if (!s->now && !evtimer_pending(s->timer, NULL))
		send_now(s);
	pthread_mutex_lock(&s->lock);
	closing = s->closing;
	if (closing && drain_left_ns(s) <= 0)
		event_base_loopbreak(s->base);
	pthread_mutex_unlock(&s->lock);
}

static void *run(void *ctx)
{
	struct http_sender *s = ctx;

	event_base_dispatch(s->base);
	return NULL;
}

/* ---- life ---- */

static void sender_free(struct http_sender *s)
{
	struct http_post *p;

	for (unsigned int i = 0; i < OTLP_SIGNALS; i++)
		if (s->conns[i])
			evhttp_connection_free(s->conns[i]);
	if (s->timer)
		event_free(s->timer);
	if (s->woken)
		event_free(s->woken);
	if (s->base)
		event_base_free(s->base);
	if (s->wake_fd >= 0)
		close(s->wake_fd);
	post_free(s->now);
	while ((p = queue_take(s)))
		post_free(p);
	pthread_cond_destroy(&s->room);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

static bool sender_events(struct http_sender *s)
{
	struct event_config *cfg = event_config_new();

	if (cfg)
		event_config_set_flag(cfg, EVENT_BASE_FLAG_NOLOCK);
	s->base = cfg ? event_base_new_with_config(cfg) : NULL;
	if (cfg)
		event_config_free(cfg);
	s->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (!s->base || s->wake_fd < 0)
		return false;
	s->woken = event_new(s->base, s->wake_fd, EV_READ | EV_PERSIST, on_wake, s);
	s->timer = event_new(s->base, -1, 0, on_timer, s);
	return s->woken && s->timer && !event_add(s->woken, NULL);
}

struct http_sender *http_sender_new(const char *version)
{
	struct http_sender *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->room, NULL);
	s->last = &s->first;
	s->wake_fd = -1;
	s->seed = (unsigned int)now_ns() ^ (unsigned int)getpid();
	snprintf(s->user_agent, sizeof(s->user_agent), "OTel-OTLP-Exporter-C-obi/%s",
	         version ? version : "0");
	if (sender_events(s) && !pthread_create(&s->thread, NULL, run, s))
		return s;
	sender_free(s);
	errno = ENOMEM;
	return NULL;
}

uint64_t http_sender_lost(struct http_sender *s)
{
	uint64_t lost;

	pthread_mutex_lock(&s->lock);
	lost = s->lost;
	pthread_mutex_unlock(&s->lock);
	return lost;
}

uint64_t http_sender_free(struct http_sender *s, char why[HTTP_WHY])
{
	const uint64_t one = 1;
	struct timespec wait = { 0, 100 * 1000000 }, until;
	uint64_t lost;

	pthread_mutex_lock(&s->lock);
	s->closing = true;
	s->closing_ns = now_ns();
	pthread_mutex_unlock(&s->lock);
	do { /* each wake-up lets the thread look at the time */
		if (write(s->wake_fd, &one, sizeof(one)) < 0)
			warn(LEVEL_DEBUG, "export: cannot wake the sender: %s", strerror(errno));
		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_nsec += wait.tv_nsec;
		until.tv_sec += until.tv_nsec / 1000000000;
		until.tv_nsec %= 1000000000;
	} while (pthread_timedjoin_np(s->thread, NULL, &until));
	lost = s->lost;
	lost += s->now ? s->now->rows : 0;
	for (const struct http_post *p = s->first; p; p = p->next)
		lost += p->rows;
	memcpy(why, s->why, HTTP_WHY);
	sender_free(s);
	return lost;
}
