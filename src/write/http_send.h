/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_WRITE_HTTP_SEND_H
#define OBI_WRITE_HTTP_SEND_H

/*
 * http_send - OTLP requests on their way: one after the other from a thread of
 * their own, with what the specification says about failures.
 *
 * 429, 502, 503, 504 and failed connections are tried again, by Retry-After or
 * after a random time that grows; any other failure drops the request. What a
 * server rejects of a request that it took (partial success) is never sent
 * again. All of it is counted.
 *
 * The queue is bounded. While the server takes requests, who adds waits; while
 * it fails, the oldest requests are dropped.
 */

#include "write/http_conf.h"
#include "write/http_why.h"

struct http_post {
	struct http_post *next;
	const struct http_target *target;
	enum otlp_signal signal;
	char *body;
	size_t len;
	unsigned int rows;
	unsigned int tries;
	int64_t first_ns; /* when it was tried first */
};

struct http_sender;

/* NULL with errno. The targets are borrowed. */
struct http_sender *http_sender_new(const char *version);
/* Owns p and its body (malloc) from here on. */
void http_sender_add(struct http_sender *s, struct http_post *p);
/* Sends what is left, for a bounded time; frees. Rows that were lost in all, and the last reason. */
uint64_t http_sender_free(struct http_sender *s, char why[HTTP_WHY]);
uint64_t http_sender_lost(struct http_sender *s);

#endif
