// SPDX-License-Identifier: GPL-3.0-or-later
/* cachekey - low-cardinality patterns of the keys of caches. */
#include "enrich/cachekey.h"

#include "enrich/routes.h"

static struct str cut(struct str *rest, const char *separators)
{
	struct str part = { rest->s, 0 };

	while (part.len < rest->len && !memchr(separators, part.s[part.len], strlen(separators)))
		part.len++;
	rest->s += part.len;
	rest->len -= part.len;
	return part;
}

/* As it is the end of a part: what separates it from the next. */
static void separator(struct str *rest, struct buf *out)
{
	if (!rest->len)
		return;
	buf_ch(out, *rest->s++);
	rest->len--;
}

static bool is_id(struct str word, struct buf *scratch)
{
	buf_clear(scratch);
	if (word.len)
		routes_word(scratch, word);
	return str_is(buf_slice(scratch), "{id}");
}

static bool is_word(struct str part)
{
	bool plain = false; /* has a letter that no hexadecimal number has */

	for (size_t i = 0; i < part.len; i++) {
		char c = (char)(part.s[i] | 0x20);

		if (c < 'a' || c > 'z')
			return false;
		plain = plain || c > 'f';
	}
	return plain && part.len > 2;
}

/* "order-12345" says what it is an identifier of. */
static bool has_word(struct str w)
{
	bool has = false;

	if (memchr(w.s, '@', w.len))
		return false;
	while (w.len && !has) {
		has = is_word(cut(&w, "-_."));
		w.s += w.len > 0;
		w.len -= w.len > 0;
	}
	return has;
}

/* An identifier as a whole ("3f2a-..."), else by its own parts ("user-42"). */
static void word(struct str w, struct buf *out, struct buf *scratch)
{
	if (is_id(w, scratch) && !has_word(w)) {
		buf_z(out, "{id}");
		return;
	}
	while (w.len) {
		struct str part = cut(&w, "-_.");

		if (is_id(part, scratch))
			buf_z(out, "{id}");
		else
			buf_str(out, part);
		separator(&w, out);
	}
}

void cachekey_pattern(struct str key, struct buf *out)
{
	struct buf scratch = { 0 };

	while (key.len) {
		word(cut(&key, ":/|#,"), out, &scratch);
		separator(&key, out);
	}
	buf_free(&scratch);
}

struct said { /* the last word of a query */
	size_t at, len;
};

/* One more word of a command: a number is a value; what is repeated is said once. */
static void add_word(struct str w, struct buf *query, struct said *last)
{
	struct buf scratch = { 0 }, pattern = { 0 };

	if (is_id(w, &scratch) && !has_word(w))
		buf_ch(&pattern, '?');
	else
		cachekey_pattern(w, &pattern);
	if (!query->failed &&
	    !str_eq((struct str){ query->p + last->at, last->len }, buf_slice(&pattern))) {
		buf_ch(query, ' ');
		*last = (struct said){ query->len, pattern.len };
		buf_str(query, buf_slice(&pattern));
	}
	buf_free(&scratch), buf_free(&pattern);
}

static void command(const struct span *row, struct str pattern, struct buf *query)
{
	size_t skip = row->op.len + 1 + row->key.len;
	struct str rest = { row->query.s + skip, row->query.len - skip };
	struct said last = { row->op.len + 1, pattern.len };

	buf_str(query, row->op);
	buf_ch(query, ' ');
	buf_str(query, pattern);
	while (rest.len) {
		struct str w;

		rest.s++, rest.len--; /* the blank */
		w = cut(&rest, " ");
		if (w.len)
			add_word(w, query, &last);
	}
}

void cachekey_fill(struct span *row, struct batch *b)
{
	struct buf pattern = { 0 }, query = { 0 };

	if (!row->key.s || !row->key.len)
		return;
	cachekey_pattern(row->key, &pattern);
	if (row->query.len > row->op.len + row->key.len &&
	    !memcmp(row->query.s, row->op.s, row->op.len) &&
	    !memcmp(row->query.s + row->op.len + 1, row->key.s, row->key.len)) {
		command(row, buf_slice(&pattern), &query);
		if (!query.failed)
			row->query = batch_text(b, buf_slice(&query));
	}
	if (!pattern.failed)
		row->key = batch_text(b, buf_slice(&pattern));
	buf_free(&pattern), buf_free(&query);
}
