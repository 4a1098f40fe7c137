// SPDX-License-Identifier: GPL-3.0-or-later
/* http1_start - start lines of HTTP/1, whole, cut, and only begun. */
#include "proto/http1_head.h"

enum { METHOD_MAX = 32, LENIENT_BLANKS = 64, SURE_LINE = 1024, LONGEST_KNOWN = 8 };

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* RFC 9110 5.6.2 */
static bool is_tchar(char c)
{
	char low = (char)(c | 0x20);

	return (low >= 'a' && low <= 'z') || is_digit(c) || (c && strchr("-_!#$%&'*+.^`|~", c));
}

static bool is_control(char c)
{
	return (unsigned char)c < 0x20 || c == 0x7f;
}

static struct str after(struct str s, size_t n)
{
	return (struct str){ s.s + n, s.len - n };
}

bool http1_known_method(struct str s)
{
	static const char *const known[] = {
		"GET",   "POST",    "PUT",   "HEAD",  "DELETE",
		"PATCH", "OPTIONS", "TRACE", "QUERY", "CONNECT",
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (str_is(s, known[i]))
			return true;
	return false;
}

static size_t method_len(struct str s)
{
	size_t n = 0;

	while (n < s.len && is_tchar(s.s[n]))
		n++;
	return n;
}

static bool printable(struct str s)
{
	for (size_t i = 0; i < s.len; i++)
		if (is_control(s.s[i]))
			return false;
	return true;
}

static bool request_begins(struct str s)
{
	size_t n = method_len(s);

	if (n > METHOD_MAX)
		return false;
	if (n == s.len)
		return true;
	if (!n || s.s[n] != ' ')
		return false;
	if (s.s[s.len - 1] == '\r')
		s.len--;
	return printable(after(s, n + 1));
}

/* " HTTP/1.1" at the end, one blank more than the version has. */
static bool ends_in_version(struct str s)
{
	enum { LEN = sizeof(" HTTP/1.1") - 1 };

	return s.len > LEN && !memcmp(s.s + s.len - LEN, " HTTP/1.", LEN - 1) &&
	       is_digit(s.s[s.len - 1]);
}

static bool request_line(struct http1_head *h, struct str line)
{
	size_t n = method_len(line);
	struct str target;

	if (!n || n > METHOD_MAX || n == line.len || line.s[n] != ' ' || !ends_in_version(line))
		return false;
	target = after(line, n + 1);
	if (target.len < sizeof("/ HTTP/1.1") - 1)
		return false;
	target.len -= sizeof(" HTTP/1.1") - 1;
	if (!printable(target))
		return false;
	h->method = (struct str){ line.s, n };
	h->target = target;
	h->version = after(line, line.len - 3);
	return true;
}

/* How a status line looks: d is a digit. */
static const char status_form[] = "HTTP/1.d ddd";

static bool status_begins(struct str s)
{
	for (size_t i = 0; i < s.len && status_form[i]; i++) {
		bool fits = status_form[i] == 'd' ? is_digit(s.s[i]) : s.s[i] == status_form[i];

		if (!fits)
			return false;
	}
	return s.len < sizeof(status_form) || s.s[sizeof(status_form) - 1] == ' ' ||
	       s.s[sizeof(status_form) - 1] == '\r';
}

static bool status_line(struct http1_head *h, struct str line)
{
	enum { LEN = sizeof(status_form) - 1 };
	const char *d;

	if (line.len < LEN || !status_begins(line))
		return false;
	d = line.s + LEN - 3;
	if (*d == '0')
		return false;
	h->version = (struct str){ line.s + 5, 3 };
	h->status = (struct str){ d, 3 };
	h->code = (d[0] - '0') * 100 + (d[1] - '0') * 10 + (d[2] - '0');
	return true;
}

bool http1_line(struct http1_head *d, enum dir dir, struct str line)
{
	return dir == DIR_REQ ? request_line(d, line) : status_line(d, line);
}

bool http1_begins(enum dir dir, struct str s)
{
	return dir == DIR_REQ ? request_begins(s) : status_begins(s);
}

bool http1_line_cut(struct http1_head *d, enum dir dir, struct str s)
{
	size_t n = 0;

	if (dir == DIR_RESP)
		return status_line(d, s);
	while (n < s.len && s.s[n] != ' ')
		n++;
	if (n + 1 >= s.len)
		return false;
	d->method = (struct str){ s.s, n };
	d->target = after(s, n + 1);
	return http1_known_method(d->method);
}

void http1_skip_blank_lines(struct cur *c)
{
	for (int i = 0; i < LENIENT_BLANKS && cur_left(c); i++) {
		if (*c->p != '\r' && *c->p != '\n')
			return;
		c->p++;
	}
}

enum sure http1_sure(enum dir dir, struct cur c)
{
	struct http1_head d = { .code = 0 };
	struct cur mark;
	struct str line;

	http1_skip_blank_lines(&c);
	mark = c;
	line = cur_line(&c);
	if (!c.over)
		return http1_line(&d, dir, line) ? SURE_YES : SURE_NO;
	line = cur_rest(&mark, PROTO_HEAD);
	if (!http1_begins(dir, line))
		return SURE_NO;
	/* a long request line, or a status line that has its code */
	if (dir == DIR_RESP ? status_line(&d, line) && line.len > sizeof("HTTP/1.1 200") - 1
	                    : line.len >= SURE_LINE && http1_line_cut(&d, dir, line))
		return SURE_YES;
	return SURE_MAYBE;
}

bool http1_starts(enum dir dir, struct cur c)
{
	struct http1_head d = { .code = 0 };
	struct cur rest = c;
	struct str line = cur_line(&c);
	size_t n;

	if (!c.over)
		return http1_line(&d, dir, line) &&
		       (dir == DIR_RESP || http1_known_method(d.method));
	line = cur_rest(&rest, PROTO_HEAD);
	if (!line.len || !http1_begins(dir, line))
		return false;
	if (dir == DIR_RESP)
		return true;
	n = method_len(line);
	return n < line.len ? http1_known_method(str_head(line, n))
	                    : n < LONGEST_KNOWN && line.s[0] >= 'A' && line.s[0] <= 'Z';
}
