/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_WRITE_HTTP_ANSWER_H
#define OBI_WRITE_HTTP_ANSWER_H

/* http_answer - what an OTLP server says about a request. */

#include <stdint.h>
#include <time.h>

#include "base/str.h"

struct http_answer {
	uint64_t rejected; /* rows, by partial success */
	char message[200]; /* printable; empty: none */
};

/* Of a request that was taken; type is the Content-Type, may be NULL. */
void http_answer_parse(struct http_answer *a, const char *type, struct str body);
/* Of one that was not: only the message. */
void http_answer_error(struct http_answer *a, const char *type, struct str body);

/* Retry-After, seconds or a date, as milliseconds from now; -1: none. */
int http_retry_after_ms(const char *value, time_t now);
/* Random in [0, 1 s x 2^tries]: many clients of one server do not come back together. */
int http_backoff_ms(unsigned int tries, unsigned int *seed);

#endif
