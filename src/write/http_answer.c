// SPDX-License-Identifier: GPL-3.0-or-later
/* http_answer - what an OTLP server says about a request. */
#include "write/http_answer.h"

#include <stdlib.h>

#include "base/json.h"
#include "base/pb.h"

enum { BACKOFF_MS = 1000, BACKOFF_MAX_MS = 30000 };

static void set_message(struct http_answer *a, struct str s)
{
	struct buf b = { 0 };
	size_t n;

	buf_escape(&b, str_head(s, 150));
	n = b.len < sizeof(a->message) - 1 ? b.len : sizeof(a->message) - 1;
	if (n)
		memcpy(a->message, b.p, n);
	a->message[n] = '\0';
	buf_free(&b);
}

static bool is_json(const char *type)
{
	return type && !strncmp(type, "application/json", 16);
}

static void message_token(struct http_answer *a, const struct json *j)
{
	struct buf text = { 0 };

	if (j->tok != JSON_STR)
		return;
	json_decode(j->text, &text);
	set_message(a, buf_slice(&text));
	buf_free(&text);
}

/* {"partialSuccess": {"rejectedSpans": "1", "errorMessage": "..."}} or {"message": "..."} */
static void parse_json(struct http_answer *a, struct str body)
{
	struct json j = json_of(body);

	while (json_next(&j) > JSON_DONE) {
		struct str key = j.text;

		if (j.tok != JSON_KEY)
			continue;
		if (str_starts(key, "rejected") && json_next(&j) > JSON_DONE)
			str_u64(j.text, &a->rejected);
		else if ((str_is(key, "errorMessage") || str_is(key, "message")) &&
		         json_next(&j) > JSON_DONE)
			message_token(a, &j);
	}
}

void http_answer_parse(struct http_answer *a, const char *type, struct str body)
{
	struct cur c = cur_of(body.s, body.s ? body.len : 0), in;
	struct pb_field f;

	*a = (struct http_answer){ 0 };
	if (is_json(type)) {
		parse_json(a, body);
		return;
	}
	while (body.s && pb_next(&c, &f)) {
		if (f.num != 1 || f.type != PB_LEN)
			continue;
		for (in = pb_inside(&f); pb_next(&in, &f);) {
			if (f.num == 1 && f.type == PB_VARINT)
				a->rejected = f.u;
			else if (f.num == 2 && f.type == PB_LEN)
				set_message(a, f.s);
		}
	}
}

void http_answer_error(struct http_answer *a, const char *type, struct str body)
{
	struct cur c = cur_of(body.s, body.s ? body.len : 0);
	struct pb_field f;

	*a = (struct http_answer){ 0 };
	if (is_json(type)) {
		parse_json(a, body);
	} else if (type && !strncmp(type, "text/", 5)) {
		set_message(a, str_trim(str_head(body, 150)));
	} else {
		while (body.s && pb_next(&c, &f)) /* google.rpc.Status */
			if (f.num == 2 && f.type == PB_LEN)
				set_message(a, f.s);
	}
	a->rejected = 0;
}

int http_retry_after_ms(const char *value, time_t now)
{
	struct tm tm = { 0 };
	uint64_t seconds;
	double wait;

	if (!value)
		return -1;
	if (str_u64(str_trim(str_of(value)), &seconds))
		return seconds < 100000 ? (int)seconds * 1000 : 100000000;
	if (!strptime(value, "%a, %d %b %Y %H:%M:%S GMT", &tm))
		return -1;
	wait = difftime(timegm(&tm), now);
	return wait < 0 ? 0 : wait < 100000 ? (int)wait * 1000 : 100000000;
}

int http_backoff_ms(unsigned int tries, unsigned int *seed)
{
	unsigned int shift = tries - 1;
	int most = shift < 5 ? BACKOFF_MS << shift : BACKOFF_MAX_MS;

	if (most > BACKOFF_MAX_MS)
		most = BACKOFF_MAX_MS;
	return (int)((double)rand_r(seed) / RAND_MAX * most);
}
