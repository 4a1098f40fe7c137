// SPDX-License-Identifier: GPL-3.0-or-later
/* queue - the open requests of each connection, and what ends them. */
#include "span/queue.h"

#include <stdlib.h>

#include "span/body.h"

enum { MAX_DEFS = 4096, DEF_BYTES = 4096, DB_BYTES = 255 };

/* ---- requests ---- */

struct piece req_text(struct req *r, struct str s)
{
	struct piece p = { (uint32_t)r->text.len, (uint32_t)s.len, s.s != NULL };

	buf_str(&r->text, s);
	if (r->text.failed)
		p.known = false;
	return p;
}

struct req *queue_add(struct pairs *p)
{
	struct req *r = p->free;

	if (r) {
		struct buf text = r->text, attrs = r->attrs;

		p->free = r->next;
		*r = (struct req){ .text = text, .attrs = attrs };
		buf_clear(&r->text);
		buf_clear(&r->attrs);
	} else {
		r = calloc(1, sizeof(*r));
		if (!r)
			return NULL;
	}
	r->rows = -1;
	r->code = COL_NULL;
	return r;
}

void queue_recycle(struct pairs *p, struct req *r)
{
	body_drop(p, r);
	if (r->text.cap > 65536)
		buf_free(&r->text);
	r->next = p->free;
	p->free = r;
}

struct talk *queue_of(struct conn *c)
{
	if (!c->pairs)
		c->pairs = calloc(1, sizeof(struct talk));
	return c->pairs;
}

static void make_row(struct pairs *p, const struct conn *c, const struct req *r)
{
	struct batch *b;
	struct span *row = pair_row(p, TABLE_SPANS, &b);

	if (!row)
		return;
	req_build(r, c, &p->opts, row, b);
	if (p->opts.who)
		p->opts.who(p->opts.ctx, row, c->peer_pid, b);
}

/* ---- the queue ---- */

void queue_unlink(struct pairs *p, struct talk *k, struct req *r)
{
	struct req **at = &k->head, *before = NULL;

	while (*at != r) {
		before = *at;
		at = &before->next;
	}
	*at = r->next;
	if (k->tail == r)
		k->tail = before;
	if (k->body == r)
		k->body = NULL;
	for (int d = 0; d < 2; d++)
		if (k->part[d] == r)
			k->part[d] = NULL;
	k->n--;
	p->open--;
}

void queue_define(struct hash *defs, uint64_t id, struct str text)
{
	char *copy, *old;

	if (defs->n >= MAX_DEFS && !hash_get(defs, id))
		return;
	text = str_head(text, DEF_BYTES);
	copy = malloc(text.len + 1);
	if (!copy)
		return;
	memcpy(copy, text.s ? text.s : "", text.len);
	copy[text.len] = 0;
	old = hash_get(defs, id);
	if (hash_set(defs, id, copy)) {
		free(copy);
		return;
	}
	free(old);
}

void queue_forget(struct hash *defs, uint64_t id)
{
	char *old = hash_get(defs, id);

	if (!old)
		return;
	hash_del(defs, id);
	free(old);
}

void queue_db(struct talk *k, struct str db)
{
	free(k->db);
	k->db = db.len ? strndup(db.s, db.len < DB_BYTES ? db.len : DB_BYTES) : NULL;
}

void queue_finish(struct pairs *p, struct conn *c, struct req *r)
{
	struct talk *k = c->pairs;

	if (r->newdb_ok && !r->error)
		queue_db(k, req_get(r, r->newdb));
	queue_unlink(p, k, r);
	p->stats.ended++;
	c->requests++;
	c->errors += r->error;
	/* A statement that was prepared and run at once is one request to its user. */
	if (r->prepare && !r->error && k->head && k->head->id == r->id && !k->head->prepare) {
		p->stats.prepares++;
		k->head->start_ns = r->start_ns;
		k->head->flags &= ~(uint32_t)SPAN_F_BLOCKED;
		k->head->flags |= r->flags & SPAN_F_BLOCKED;
		k->head->req_bytes += r->req_bytes;
		k->head->resp_bytes += r->resp_bytes;
	} else {
		make_row(p, c, r);
	}
	queue_recycle(p, r);
}

/* Ends without an answer: open, or broken. */
void queue_give_up(struct pairs *p, struct conn *c, struct req *r, uint32_t flag)
{
	struct talk *k = c->pairs;

	queue_unlink(p, k, r);
	r->flags |= flag;
	*(flag == SPAN_F_OPEN ? &p->stats.open : &p->stats.broken) += 1;
	c->requests++;
	make_row(p, c, r);
	queue_recycle(p, r);
}

void queue_forget_all(struct hash *defs)
{
	uint64_t id;
	void *text;

	for (size_t i = 0; hash_next(defs, &i, &id, &text);)
		free(text);
	hash_free(defs);
}

void queue_fini(struct talk *k)
{
	free(k->db);
	queue_forget_all(&k->defs);
	if (k->kept)
		buf_free(&k->kept->attrs);
	free(k->kept);
}

void queue_free(struct pairs *p)
{
	while (p->free) {
		struct req *r = p->free;

		p->free = r->next;
		buf_free(&r->text);
		buf_free(&r->attrs);
		free(r);
	}
}
