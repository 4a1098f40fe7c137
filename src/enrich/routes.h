/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef OBI_ENRICH_ROUTES_H
#define OBI_ENRICH_ROUTES_H

/*
 * routes - low-cardinality routes of HTTP requests: "/users/42?x=1" is "/users/{id}".
 *
 * Given patterns win. Else a part of the path that looks like an identifier
 * (number, UUID, hash, date, address) becomes {id}, and where a place in the path has
 * shown more than ROUTES_SIBLINGS different words, the rare ones become *. What
 * an answer says counts: paths that were not found teach nothing, so that a
 * scanner cannot wear the real routes out.
 *
 * The result depends on the requests in their order and on nothing else.
 */

#include "span/batch.h"

enum { ROUTES_SIBLINGS = 40, ROUTES_NODES = 32768 };

struct routes;
struct routes_opts {
	/* {name}, :name and * stand for a word, ** at the end for the rest */
	const char *const *given;
	size_t ngiven;
	const char *const *ignored; /* the same form */
	size_t nignored;
};

struct routes_stats {
	uint64_t named, ignored; /* spans that got a route; spans to leave out */
	uint64_t folded;         /* places where words became * */
	uint64_t refused;        /* words that found no room, shown as * */
};

/* Texts of `o` are borrowed. NULL with errno, on EINVAL with words in err. */
struct routes *routes_new(const struct routes_opts *o, char *err);
void routes_free(struct routes *r);
/*
 * Fills row->route and the part of row->name that follows from it. False: the
 * user does not want to see this span.
 */
bool routes_span(struct routes *r, struct span *row, struct batch *b);
void routes_stats(const struct routes *r, struct routes_stats *out);

/* ---- parts, for tests ---- */

/* The path of a request target, without scheme, host, query; STR_NULL: it has none. */
struct str routes_path(struct str target);
/* One word of a path with what looks like an identifier replaced. */
void routes_word(struct buf *out, struct str word);
/* Whether a path fits a given pattern. */
bool routes_fits(const char *pattern, struct str path);

#endif
