// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * routes - low-cardinality routes of HTTP requests.
 *
 * A tree of words for each service (server) and each peer (client). A place with
 * too many different words keeps those that are frequent; the others go, and from
 * then on what is not known there is *.
 */
#include "enrich/routes.h"

#include <errno.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/hash.h"

enum { DEPTH_MAX = 12, ROUTE_BYTES = 512, KEEP_MIN = 8 };

struct node {
	struct node *next; /* sibling */
	struct node *first;
	unsigned int nkids;
	bool folded; /* no new words */
	uint64_t count;
	size_t len;
	char word[];
};

struct routes {
	struct routes_opts opts;
	struct hash trees; /* by service or peer */
	struct node **roots;
	size_t nroots, nnodes;
	struct routes_stats stats;
};

static int check(const char *const *patterns, size_t n, const char *flag, char *err)
{
	for (size_t i = 0; i < n; i++)
		if (patterns[i][0] != '/')
			return err_set(err, EINVAL, "%s %s: a route begins with /", flag,
			               patterns[i]);
	return 0;
}

struct routes *routes_new(const struct routes_opts *o, char *err)
{
	struct routes *r = NULL;
	int e = check(o->given, o->ngiven, "--route", err);

	e = e ? e : check(o->ignored, o->nignored, "--ignore-route", err);
	if (!e) {
		r = calloc(1, sizeof(*r));
		e = r ? 0 : err_set(err, ENOMEM, "out of memory");
	}
	if (r)
		r->opts = *o;
	errno = -e;
	return r;
}

/* ---- the tree ---- */

static void free_nodes(struct routes *r, struct node *n)
{
	struct node *next;

	/* Not deeper than DEPTH_MAX. */
	for (; n; n = next) {
		next = n->next;
		free_nodes(r, n->first);
		r->nnodes--;
		free(n);
	}
}

void routes_free(struct routes *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->nroots; i++)
		free_nodes(r, r->roots[i]);
	free(r->roots);
	hash_free(&r->trees);
	free(r);
}

static struct node *node_new(struct routes *r, struct str word)
{
	struct node *n = r->nnodes < ROUTES_NODES ? calloc(1, sizeof(*n) + word.len + 1) : NULL;

	if (!n)
		return NULL;
	memcpy(n->word, word.s, word.len);
	n->len = word.len;
	r->nnodes++;
	return n;
}

/* NULL: there is no room for another. */
static struct node *root_of(struct routes *r, const struct span *row)
{
	bool server = str_is(row->kind, "server");
	struct str who = server ? row->service : row->peer;
	uint64_t key = str_hash(who.s ? who.s : "", who.len) ^ (server ? 0 : 0x9e3779b97f4a7c15);
	struct node *n = hash_get(&r->trees, key), **more;

	if (n)
		return n;
	more = reallocarray(r->roots, r->nroots + 1, sizeof(struct node *));
	if (!more)
		return NULL;
	r->roots = more;
	n = node_new(r, STR(""));
	if (!n)
		return NULL;
	r->roots[r->nroots++] = n;
	if (hash_set(&r->trees, key, n))
		return NULL;
	return n;
}

static struct node *find_kid(const struct node *n, struct str word)
{
	for (struct node *k = n->first; k; k = k->next)
		if (k->len == word.len && !memcmp(k->word, word.s, word.len))
			return k;
	return NULL;
}

/* A word is frequent when it is more than its share of what came by. */
static void fold(struct routes *r, struct node *n)
{
	struct node **at = &n->first, *k;
	uint64_t least = n->count / ROUTES_SIBLINGS;

	least = least > KEEP_MIN ? least : KEEP_MIN;
	while ((k = *at)) {
		if (k->count >= least || !strcmp(k->word, "{id}")) {
			at = &k->next;
			continue;
		}
		*at = k->next;
		k->next = NULL;
		n->nkids--;
		free_nodes(r, k);
	}
	n->folded = true;
	r->stats.folded++;
}

/* The node that a word leads to; NULL: it is * from here on. */
static struct node *step(struct routes *r, struct node *n, struct str word, bool learn)
{
	struct node *k = find_kid(n, word);

	n->count += learn;
	if (!k && learn && !n->folded && n->nkids == ROUTES_SIBLINGS)
		fold(r, n);
	if (!k && learn && !n->folded) {
		k = node_new(r, word);
		if (k) {
			k->next = n->first;
			n->first = k;
			n->nkids++;
		} else {
			r->stats.refused++;
		}
	}
	if (k)
		k->count += learn;
	return k;
}

/* What is under a * is one place for all its words. */
static struct node *star(struct routes *r, struct node *n, bool learn)
{
	struct node *k = find_kid(n, STR("*"));

	if (k || !learn)
		return k;
	k = node_new(r, STR("*"));
	if (k) {
		k->next = n->first;
		n->first = k; /* not one of ->nkids */
	}
	return k;
}

/* ---- a path ---- */

static struct str next_word(struct str *path)
{
	const char *slash = memchr(path->s, '/', path->len);
	struct str word = { path->s, slash ? (size_t)(slash - path->s) : path->len };
	size_t used = word.len + (slash != NULL);

	*path = (struct str){ path->s + used, path->len - used };
	return word;
}

static void harvest(struct routes *r, struct node *n, struct str path, bool learn, struct buf *out)
{
	struct buf word = { 0 };
	unsigned int depth = 0;
	bool more = true;

	path = (struct str){ path.s + 1, path.len - 1 };
	for (; more && depth < DEPTH_MAX; depth++) {
		const char *slash = memchr(path.s, '/', path.len);
		struct str w;
		struct node *k;

		more = slash;
		buf_clear(&word);
		routes_word(&word, next_word(&path));
		w = buf_slice(&word);
		k = n ? step(r, n, w, learn) : NULL;
		buf_ch(out, '/');
		buf_str(out, k || !w.len ? w : STR("*"));
		n = k ? k : n ? star(r, n, learn) : NULL;
	}
	if (more)
		buf_z(out, "/*");
	buf_free(&word);
}

static bool http(const struct span *row)
{
	return str_is(row->proto, "http") || str_is(row->proto, "http2") ||
	       str_is(row->proto, "websocket");
}

/* An answer that says that the path exists. */
static bool found(const struct span *row)
{
	return row->code == COL_NULL ||
	       (row->code != 404 && row->code != 400 && row->code != 405 && row->code != 410);
}

static const char *given(const struct routes *r, struct str path)
{
	for (size_t i = 0; i < r->opts.ngiven; i++)
		if (routes_fits(r->opts.given[i], path))
			return r->opts.given[i];
	return NULL;
}

static bool ignored(const struct routes *r, const struct span *row, struct str path)
{
	for (size_t i = 0; i < r->opts.nignored; i++)
		if (routes_fits(r->opts.ignored[i], path) || str_is(row->route, r->opts.ignored[i]))
			return true;
	return false;
}

/* Whether the name says nothing beyond the operation and the route that it had. */
static bool plain_name(const struct span *row, struct str old_route)
{
	size_t n = row->op.len;

	if (!row->name.s || str_eq(row->name, row->op))
		return true;
	return old_route.s && row->name.len == n + 1 + old_route.len &&
	       !memcmp(row->name.s, row->op.s, n) &&
	       !memcmp(row->name.s + n + 1, old_route.s, old_route.len);
}

/* "GET" becomes "GET /users/{id}"; what is spoken over HTTP has names of its own. */
static void set_name(struct span *row, struct str old_route, struct batch *b)
{
	struct buf name = { 0 };

	if (!row->op.s || row->level.s || !plain_name(row, old_route))
		return;
	buf_fmt(&name, "%.*s ", STR_ARG(row->op));
	buf_str(&name, row->route);
	if (!name.failed)
		row->name = batch_text(b, buf_slice(&name));
	buf_free(&name);
}

static void set_route(struct routes *r, struct span *row, struct str path, struct batch *b)
{
	const char *pattern = given(r, path);
	struct str old = row->route;
	struct buf out = { 0 };

	if (pattern) {
		row->route = str_of(pattern);
	} else if (!old.s && !(row->flags & SPAN_F_FOREIGN)) {
		/* What has no end was cut: its last word may be any. */
		harvest(r, root_of(r, row), str_head(path, ROUTE_BYTES),
		        found(row) && path.len <= ROUTE_BYTES, &out);
		if (!out.failed)
			row->route = batch_text(b, buf_slice(&out));
		buf_free(&out);
	}
	if (!row->route.s)
		return;
	r->stats.named++;
	if (!old.s || pattern)
		set_name(row, old, b);
}

bool routes_span(struct routes *r, struct span *row, struct batch *b)
{
	struct str path = http(row) ? routes_path(row->target) : STR_NULL;

	if (!path.s)
		return true;
	set_route(r, row, path, b);
	if (!ignored(r, row, path))
		return true;
	r->stats.ignored++;
	return false;
}

void routes_stats(const struct routes *r, struct routes_stats *out)
{
	*out = r->stats;
}
