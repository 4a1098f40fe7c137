// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * header - the header fields that --header asks for.
 *
 * A parser hands over a head as lines, "Name: value", as HTTP/1 has them on the
 * wire. Fields of one name are put together where the first of them stands, so
 * every match costs one more walk over the rest of the head: at most
 * HEADER_MOST of them, the others are counted.
 */
#include "span/header.h"

#include "base/json.h"

enum { HEADER_MOST = 128 };

/* With one place to go back to: the last star takes a character more. */
static bool fits(struct str glob, struct str s)
{
	size_t g = 0, i = 0, star = SIZE_MAX, from = 0;

	while (i < s.len) {
		if (g < glob.len && glob.s[g] == '*') {
			star = g++;
			from = i;
		} else if (g < glob.len &&
		           (glob.s[g] == '?' || str_lower(glob.s[g]) == str_lower(s.s[i]))) {
			g++;
			i++;
		} else if (star != SIZE_MAX) {
			g = star + 1;
			i = ++from;
		} else {
			return false;
		}
	}
	while (g < glob.len && glob.s[g] == '*')
		g++;
	return g == glob.len;
}

bool header_wanted(const struct header_names *names, struct str name)
{
	for (size_t i = 0; i < names->n; i++) {
		struct str rest = str_of(names->v[i]);

		while (rest.s) {
			const char *comma = memchr(rest.s, ',', rest.len);
			size_t n = comma ? (size_t)(comma - rest.s) : rest.len;

			if (n && fits(str_trim((struct str){ rest.s, n }), name))
				return true;
			rest = comma ? (struct str){ comma + 1, rest.len - n - 1 } : STR_NULL;
		}
	}
	return false;
}

struct field {
	struct str name, value;
};

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static struct str trim(struct str s)
{
	while (s.len && is_blank(s.s[0]))
		s = (struct str){ s.s + 1, s.len - 1 };
	while (s.len && is_blank(s.s[s.len - 1]))
		s.len--;
	return s;
}

/* Takes the next line with what continues it (it begins with a blank); false: none, or no field. */
static bool next(struct str *lines, struct field *f)
{
	const char *p = lines->s, *end = p + lines->len, *nl, *colon;

	do {
		nl = p < end ? memchr(p, '\n', (size_t)(end - p)) : NULL;
		p = nl ? nl + 1 : end;
	} while (p < end && (*p == ' ' || *p == '\t'));
	*f = (struct field){ .name = { lines->s, (size_t)(p - lines->s) } };
	*lines = (struct str){ p, (size_t)(end - p) };
	colon = f->name.len ? memchr(f->name.s, ':', f->name.len) : NULL;
	if (!colon)
		return f->name.len;
	f->value = trim((struct str){ colon + 1, f->name.len - 1 - (size_t)(colon - f->name.s) });
	f->name.len = (size_t)(colon - f->name.s);
	f->name = trim(f->name);
	return true;
}

/* `"http.request.header.name":` */
static void add_key(struct buf *b, const char *prefix, struct str name)
{
	struct buf key = { 0 };

	buf_z(&key, prefix);
	for (size_t i = 0; i < name.len; i++)
		buf_ch(&key, str_lower(name.s[i]));
	json_str(b, buf_slice(&key));
	buf_ch(b, ':');
	b->failed |= key.failed;
	buf_free(&key);
}

/* The values of all fields that are called like f, which is the first of them. */
static void add_values(struct buf *b, struct field f, struct str rest)
{
	struct str name = f.name;
	char sep = '[';

	do {
		if (!f.value.s || !str_ieq(f.name, name))
			continue;
		buf_ch(b, sep);
		json_str(b, f.value);
		sep = ',';
	} while (next(&rest, &f));
	buf_ch(b, ']');
}

static const char *prefix_of(const struct req *r, enum dir d)
{
	static const char *const prefixes[2][2] = {
		{ "http.request.header.", "http.response.header." },
		{ "rpc.request.metadata.", "rpc.response.metadata." },
	};

	return prefixes[r->proto == PROTO_GRPC][d];
}

void header_attrs(struct req *r, const struct header_names *names, enum dir d, struct str lines)
{
	const char *prefix = prefix_of(r, d);
	unsigned int most = HEADER_MOST;
	struct buf key = { 0 };
	struct field f;

	while (next(&lines, &f)) {
		bool known;

		if (!f.value.s || !f.name.len || !header_wanted(names, f.name))
			continue;
		if (!most) {
			r->headers_left_out++;
			continue;
		}
		buf_clear(&key);
		add_key(&key, prefix, f.name);
		known = r->attrs.len && memmem(r->attrs.p, r->attrs.len, key.p, key.len) != NULL;
		if (known || key.failed)
			continue;
		if (r->attrs.len)
			buf_ch(&r->attrs, ',');
		buf_str(&r->attrs, buf_slice(&key));
		add_values(&r->attrs, f, lines);
		most--;
	}
	buf_free(&key);
}
