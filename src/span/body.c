// SPDX-License-Identifier: GPL-3.0-or-later
/* body - the front of the bodies of requests and answers. */
#include "span/body.h"

#include "base/json.h"

enum { BODY_ALL = 16 << 20 };

/* Whose body it is; as pair_passed() has it. */
static struct req *owner(const struct conn *c, const struct talk *k, enum dir d)
{
	struct req *r = c->proto->answers ? k->part[d] : k->head;

	if (d == DIR_REQ)
		return c->proto->answers ? r : k->leads || k->alone ? NULL : k->tail;
	r = k->body ? k->body : r;
	return r && r->ttfb_ns ? r : NULL;
}

uint64_t body_part(void *ctx, struct conn *c, enum dir d, const uint8_t *p, size_t n)
{
	struct pairs *pairs = ctx;
	struct talk *k = c->pairs;
	struct req *r = k ? owner(c, k, d) : NULL;
	struct body *b = r ? &r->body[d] : NULL;
	size_t take = n;

	if (!b)
		return 0;
	b->bytes += n;
	if (!p || b->ended)
		take = 0;
	if (take > pairs->opts.body - b->kept.len)
		take = pairs->opts.body - b->kept.len;
	if (take > BODY_ALL - pairs->body_held)
		take = BODY_ALL - pairs->body_held;
	if (take)
		buf_add(&b->kept, p, take);
	if (b->kept.failed)
		take = 0;
	pairs->body_held += take;
	b->ended |= take < n;
	return b->ended ? 0 : pairs->opts.body - b->kept.len;
}

/* UTF-8 but for a character that was cut at the end. */
static bool is_text(struct str s)
{
	const uint8_t *p = (const uint8_t *)s.s;
	uint32_t cp;

	for (size_t i = 0, n; i < s.len; i += n) {
		n = str_utf8_len(p + i, s.len - i, &cp);
		if (!n)
			return i && s.len - i < 4 && p[i] >= 0xc0;
		if (n == 1 && cp < ' ' && cp != '\n' && cp != '\r' && cp != '\t')
			return false;
	}
	return true;
}

/* Without the character that was cut. */
static struct str whole(struct str s)
{
	size_t n = s.len;

	while (n && ((uint8_t)s.s[n - 1] & 0xc0) == 0x80)
		n--;
	return str_is_utf8(s) || !n ? s : str_head(s, n - 1);
}

static void content(struct buf *a, const char *key, struct str s)
{
	struct buf escaped = { 0 };

	buf_fmt(a, ",\"%s\":", key);
	if (is_text(s)) {
		json_str(a, whole(s));
		return;
	}
	buf_escape(&escaped, s);
	json_str(a, buf_slice(&escaped));
	a->failed |= escaped.failed;
	buf_free(&escaped);
}

void body_attrs(const struct req *r, struct buf *a)
{
	static const char *const keys[] = { "http.request.body.content",
		                            "http.response.body.content" };
	static const char *const rests[] = { "obi.http.request.body.left_out",
		                             "obi.http.response.body.left_out" };

	for (int d = 0; d < 2; d++) {
		const struct body *b = &r->body[d];

		if (b->kept.len)
			content(a, keys[d], buf_slice(&b->kept));
		if (b->bytes > b->kept.len)
			buf_fmt(a, ",\"%s\":%llu", rests[d],
			        (unsigned long long)(b->bytes - b->kept.len));
	}
}

void body_drop(struct pairs *p, struct req *r)
{
	for (int d = 0; d < 2; d++) {
		struct body *b = &r->body[d];

		p->stats.bodies += b->bytes > 0;
		p->stats.bodies_cut += b->bytes > b->kept.len;
		p->body_held -= b->kept.len;
		buf_free(&b->kept);
	}
}
