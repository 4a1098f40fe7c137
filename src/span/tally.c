// SPDX-License-Identifier: GPL-3.0-or-later
/* tally - what a run has seen so far, in a few numbers. */
#include "span/tally.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

struct tally {
	pthread_mutex_t lock;
	struct tally_counts now;
};

struct tally *tally_new(void)
{
	struct tally *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	pthread_mutex_init(&t->lock, NULL);
	t->now.slowest_ns = -1;
	return t;
}

static struct tally_proto *proto_of(struct tally_counts *n, struct str name)
{
	struct tally_proto *p;

	for (unsigned int i = 0; i < n->nprotos; i++)
		if (str_is(name, n->protos[i].name))
			return &n->protos[i];
	if (n->nprotos == TALLY_PROTOS)
		return NULL;
	p = &n->protos[n->nprotos++];
	snprintf(p->name, sizeof(p->name), "%.*s", STR_ARG(name));
	return p;
}

/* What a span is called in one line: the statement, else operation and target. */
static void describe(const struct span *s, char *out, size_t cap)
{
	struct buf b = { 0 };

	if (s->query.s) {
		buf_escape(&b, str_head(s->query, cap - 1));
	} else {
		buf_escape(&b, s->op);
		buf_ch(&b, ' ');
		buf_escape(&b, str_head(s->target, cap - 1));
	}
	snprintf(out, cap, "%.*s", (int)b.len, b.p ? b.p : "");
	buf_free(&b);
}

static void group_add(struct tally_counts *n, const struct span *s)
{
	char what[TALLY_WHAT];
	struct tally_group *g;

	snprintf(what, sizeof(what), "%.*s", STR_ARG(s->name.s ? s->name : s->op));
	for (unsigned int i = 0; i < n->ngroups; i++) {
		g = &n->groups[i];
		if (str_is(s->proto, g->proto) && !strcmp(g->what, what))
			goto found;
	}
	if (n->ngroups == TALLY_GROUPS) {
		n->other++;
		return;
	}
	g = &n->groups[n->ngroups++];
	snprintf(g->proto, sizeof(g->proto), "%.*s", STR_ARG(s->proto));
	snprintf(g->what, sizeof(g->what), "%s", what);
found:
	g->count++;
	g->total_ns += s->dur_ns == COL_NULL ? 0 : (uint64_t)s->dur_ns;
}

static void matched(struct tally_counts *n, struct tally_proto *p, const struct span *s)
{
	n->errors += s->error == 1;
	if (p)
		p->errors += s->error == 1;
	group_add(n, s);
	if (s->dur_ns == COL_NULL)
		return;
	n->total_ns += (uint64_t)s->dur_ns;
	exphist_add(&n->dur, (uint64_t)s->dur_ns);
}

static void shown(struct tally_counts *n, struct tally_proto *p, const struct span *s)
{
	static const char digits[] = "0123456789abcdef";

	n->shown++;
	if (p)
		p->shown++;
	if (s->dur_ns == COL_NULL || s->dur_ns <= n->slowest_ns)
		return;
	n->slowest_ns = s->dur_ns;
	describe(s, n->slowest, TALLY_WHAT);
	if (s->error == 1 && s->status.s) {
		size_t len = strlen(n->slowest);

		snprintf(n->slowest + len, sizeof(n->slowest) - len, " %.*s",
		         STR_ARG(str_head(s->status, 16)));
	}
	for (int i = 0; i < 16; i++) {
		n->slowest_trace[2 * i] = digits[s->trace_id[i] >> 4];
		n->slowest_trace[2 * i + 1] = digits[s->trace_id[i] & 15];
	}
}

static void add_conn(struct tally_counts *n, const struct conn_row *c)
{
	struct tally_proto *p;

	if (!c->why.s || !str_is(c->state, "closed"))
		return;
	p = proto_of(n, c->proto);
	if (!p)
		return;
	p->undecoded++;
	snprintf(p->why, sizeof(p->why), "%.*s", STR_ARG(c->why));
}

static void add_span(struct tally_counts *n, const struct span *s, bool hidden, bool left_out)
{
	struct tally_proto *p = proto_of(n, s->proto);

	n->seen++;
	if (p)
		p->seen++;
	if (hidden)
		return;
	matched(n, p, s);
	if (left_out)
		n->sampled_out++;
	else
		shown(n, p, s);
}

void tally_add(struct tally *t, const struct batch *b, const bool *keep)
{
	pthread_mutex_lock(&t->lock);
	for (unsigned int i = 0; i < b->n + b->left_out; i++) {
		const struct item *it = &b->items[i];

		if (it->table == TABLE_CONNECTIONS)
			add_conn(&t->now, it->row);
		if (it->table == TABLE_SPANS)
			add_span(&t->now, it->row, i < b->n && keep && !keep[i], i >= b->n);
	}
	pthread_mutex_unlock(&t->lock);
}

void tally_get(struct tally *t, struct tally_counts *out)
{
	pthread_mutex_lock(&t->lock);
	*out = t->now;
	pthread_mutex_unlock(&t->lock);
}

void tally_free(struct tally *t)
{
	if (!t)
		return;
	pthread_mutex_destroy(&t->lock);
	free(t);
}
