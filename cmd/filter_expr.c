// SPDX-License-Identifier: GPL-3.0-or-later
/* filter_expr - the filter flags as one SQL expression over the columns of spans. */
#include "cmd/filter_expr.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/str.h"
#include "cmd/suggest.h"
#include "proto/proto.h"

/* ---- pieces of SQL ---- */

static void literal(struct buf *b, struct str s)
{
	buf_ch(b, '\'');
	for (size_t i = 0; i < s.len; i++) {
		if (s.s[i] == '\'')
			buf_ch(b, '\'');
		buf_ch(b, s.s[i]);
	}
	buf_ch(b, '\'');
}

static void literal_in(struct buf *b, struct str s, int (*fold)(int))
{
	struct buf folded = { 0 };

	for (size_t i = 0; i < s.len; i++)
		buf_ch(&folded,
		       (char)((unsigned char)s.s[i] < 0x80 ? fold((unsigned char)s.s[i]) : s.s[i]));
	literal(b, buf_slice(&folded));
	buf_free(&folded);
}

/* "(a or b or c)", joined to what stands before by "and". */
struct group {
	struct buf *b;
	unsigned int n;
};

static void alternative(struct group *g)
{
	if (g->n++)
		buf_z(g->b, " or ");
	else
		buf_z(g->b, g->b->len ? " and (" : "(");
}

static void group_end(struct group *g)
{
	if (g->n)
		buf_ch(g->b, ')');
}

/* Calls each() for every comma-separated item of every word. */
typedef int (*item_fn)(struct group *g, struct str item, const char *flag, char *err);

static int each_item(struct buf *b, const struct words *w, const char *flag, bool split,
                     item_fn each, char *err)
{
	struct group g = { .b = b };

	for (size_t i = 0; i < w->n; i++) {
		const char *at = w->v[i];

		for (;; at++) {
			size_t len = split ? strcspn(at, ",") : strlen(at);
			int e = len ? each(&g, (struct str){ at, len }, flag, err)
			            : err_set(err, EINVAL, "%s: a value is empty.", flag);

			if (e)
				return e;
			at += len;
			if (!*at)
				break;
		}
	}
	group_end(&g);
	return 0;
}

/* ---- connections ---- */

static bool port_range(struct str s, uint64_t *from, uint64_t *to)
{
	const char *dash = memchr(s.s, '-', s.len);
	size_t n = dash ? (size_t)(dash - s.s) : s.len;

	if (!str_u64((struct str){ s.s, n }, from))
		return false;
	*to = *from;
	if (dash && !str_u64((struct str){ dash + 1, s.len - n - 1 }, to))
		return false;
	return *from <= *to && *to <= 65535;
}

static int port_at(struct group *g, struct str item, const char *flag, char *err,
                   const char *const *columns)
{
	uint64_t from, to;

	if (!port_range(item, &from, &to))
		return err_set(err, EINVAL, "%s wants ports like 80,443,8000-8099, not \"%.*s\".",
		               flag, STR_ARG(item));
	for (; *columns; columns++) {
		alternative(g);
		if (from == to)
			buf_fmt(g->b, "%s = %" PRIu64, *columns, from);
		else
			buf_fmt(g->b, "%s between %" PRIu64 " and %" PRIu64, *columns, from, to);
	}
	return 0;
}

static int any_port(struct group *g, struct str item, const char *flag, char *err)
{
	return port_at(g, item, flag, err, (const char *[]){ "local_port", "peer_port", NULL });
}

static int local_port(struct group *g, struct str item, const char *flag, char *err)
{
	return port_at(g, item, flag, err, (const char *[]){ "local_port", NULL });
}

static int remote_port(struct group *g, struct str item, const char *flag, char *err)
{
	return port_at(g, item, flag, err, (const char *[]){ "peer_port", NULL });
}

static bool is_network(struct str s)
{
	const char *slash = memchr(s.s, '/', s.len);
	size_t n = slash ? (size_t)(slash - s.s) : s.len;
	char text[INET6_ADDRSTRLEN];
	unsigned char addr[16];
	uint64_t bits = 0;
	bool v4;

	if (n >= sizeof(text) ||
	    (slash && !str_u64((struct str){ slash + 1, s.len - n - 1 }, &bits)))
		return false;
	memcpy(text, s.s, n);
	text[n] = '\0';
	v4 = inet_pton(AF_INET, text, addr) == 1;
	return (v4 || inet_pton(AF_INET6, text, addr) == 1) && bits <= (v4 ? 32 : 128);
}

static int network(struct group *g, struct str item, const char *flag, char *err)
{
	static const char *const columns[] = { "local_ip", "peer_ip" };

	if (!is_network(item))
		return err_set(err, EINVAL,
		               "%s wants an address or network like 10.0.0.0/8, not \"%.*s\".",
		               flag, STR_ARG(item));
	for (size_t i = 0; i < 2; i++) {
		alternative(g);
		buf_fmt(g->b, "cidr_match(%s, ", columns[i]);
		literal(g->b, item);
		buf_ch(g->b, ')');
	}
	return 0;
}

static int side(struct group *g, struct str item, const char *flag, char *err)
{
	(void)flag, (void)err;
	alternative(g);
	buf_fmt(g->b, "kind in (%s)",
	        str_is(item, "client") ? "'client', 'producer'" : "'server', 'consumer'");
	return 0;
}

/* ---- what is said ---- */

static int protocol(struct group *g, struct str item, const char *flag, char *err)
{
	char name[32], text[SUGGEST_TEXT];
	struct suggest near = { .word = name };

	if (proto_by_name(item) != PROTO_UNKNOWN) {
		alternative(g);
		buf_z(g->b, "proto = ");
		literal(g->b, item);
		return 0;
	}
	snprintf(name, sizeof(name), "%.*s", STR_ARG(item));
	for (enum proto_id id = 1; id < PROTO_MAX; id++)
		if (proto_by_id(id))
			suggest_offer(&near, proto_by_id(id)->name);
	return err_set(err, EINVAL, "%s: no protocol \"%s\".%s  `obi protocols` lists them.", flag,
	               name, suggest_text(&near, "", text));
}

static int method(struct group *g, struct str item, const char *flag, char *err)
{
	(void)flag, (void)err;
	alternative(g);
	buf_z(g->b, "upper(op) = ");
	literal_in(g->b, item, toupper);
	return 0;
}

/* The target holds the query too: the pattern is for what stands before the "?". */
static int path(struct group *g, struct str item, const char *flag, char *err)
{
	struct buf with_query = { 0 };

	(void)flag, (void)err;
	buf_str(&with_query, item);
	buf_z(&with_query, "[?]*");
	alternative(g);
	buf_z(g->b, "proto in ('http', 'http2', 'websocket') and (target glob ");
	literal(g->b, item);
	buf_z(g->b, " or target glob ");
	literal(g->b, buf_slice(&with_query));
	buf_ch(g->b, ')');
	buf_free(&with_query);
	return 0;
}

/* 5xx: a class of HTTP; digits: also the text of codes that have no number (SQLSTATE 23505). */
static int status(struct group *g, struct str item, const char *flag, char *err)
{
	uint64_t code;

	(void)flag, (void)err;
	alternative(g);
	if (item.len == 3 && item.s[0] >= '1' && item.s[0] <= '5' &&
	    str_iis((struct str){ item.s + 1, 2 }, "xx")) {
		buf_fmt(g->b, "proto in ('http', 'http2') and code between %c00 and %c99",
		        item.s[0], item.s[0]);
		return 0;
	}
	if (str_u64(item, &code) && code <= INT32_MAX)
		buf_fmt(g->b, "code = %" PRIu64 " or ", code);
	buf_z(g->b, "status = ");
	literal(g->b, item);
	return 0;
}

static int query(struct group *g, struct str item, const char *flag, char *err)
{
	(void)flag, (void)err;
	alternative(g);
	buf_z(g->b, "lower(query) glob ");
	literal_in(g->b, item, tolower);
	return 0;
}

static int key(struct group *g, struct str item, const char *flag, char *err)
{
	(void)flag, (void)err;
	alternative(g);
	buf_z(g->b, "key glob ");
	literal(g->b, item);
	return 0;
}

/* Each -F is one condition of its own. The newline ends a "--" comment inside. */
static int expressions(struct buf *b, const struct words *w, char *err)
{
	for (size_t i = 0; i < w->n; i++) {
		if (!str_trim(str_of(w->v[i])).len)
			return err_set(err, EINVAL, "-F: the expression is empty.");
		buf_fmt(b, "%s(%s\n)", b->len ? " and " : "", w->v[i]);
	}
	return 0;
}

static void limits(struct buf *b, const struct options *o)
{
	if (o->slower)
		buf_fmt(b, "%sdur_ns > %" PRIu64, b->len ? " and " : "", o->slower_ns);
	if (o->bigger)
		buf_fmt(b, "%s(req_bytes > %" PRIu64 " or resp_bytes > %" PRIu64 ")",
		        b->len ? " and " : "", o->bigger_bytes, o->bigger_bytes);
	if (o->errors)
		buf_fmt(b, "%serror = 1", b->len ? " and " : "");
}

int filter_expr(const struct options *o, char **where, char *err)
{
	const struct {
		const struct words *words;
		const char *flag;
		bool split;
		item_fn each;
	} flags[] = {
		{ &o->port, "--port", true, any_port },
		{ &o->local_port, "--local-port", true, local_port },
		{ &o->remote_port, "--remote-port", true, remote_port },
		{ &o->ip, "--ip", true, network },
		{ &o->side, "--side", false, side },
		{ &o->proto, "--proto", true, protocol },
		{ &o->method, "--method", true, method },
		{ &o->path, "--path", false, path },
		{ &o->status, "--status", true, status },
		{ &o->query, "--query", false, query },
		{ &o->key, "--key", false, key },
	};
	struct buf b = { 0 };
	int e = 0;

	*where = NULL;
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]) && !e; i++)
		e = each_item(&b, flags[i].words, flags[i].flag, flags[i].split, flags[i].each,
		              err);
	limits(&b, o);
	e = e ? e : expressions(&b, &o->filter, err);
	if (!e && b.len) {
		buf_ch(&b, '\0');
		if (b.failed)
			e = err_set(err, ENOMEM, "out of memory");
		else
			*where = b.p;
	}
	if (!*where)
		buf_free(&b);
	return e;
}
