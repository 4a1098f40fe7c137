// SPDX-License-Identifier: GPL-3.0-or-later
/* late - requests without an answer: asked again, answered by whom, given up. */
#include "span/late.h"

static bool same_peer(const struct conn *c, const struct req *r)
{
	return !r->peer.known || !c->peer.known || !memcmp(&r->peer, &c->peer, sizeof(r->peer));
}

struct req *late_by_id(const struct conn *c, const struct talk *k, uint64_t id)
{
	struct req *r = k->head;

	while (r && (r->id != id || (c->dgram && !same_peer(c, r))))
		r = r->next;
	return r;
}

bool late_again(const struct conn *c, const struct talk *k, const struct msg *m,
                const struct moment *at, uint64_t bytes)
{
	struct req *r = c->dgram && c->side == SIDE_CLIENT ? late_by_id(c, k, m->id) : NULL;

	if (!r || r->ttfb_ns)
		return false;
	r->again++;
	r->again_ns = at->ts_ns;
	r->req_bytes += bytes;
	return true;
}

void late_expire(void *ctx, struct conn *c, uint64_t now_ns, bool gone)
{
	uint64_t wait = c->proto ? c->proto->timeout_ms * 1000000ull : 0;
	struct talk *k = c->pairs;
	struct req *next;

	if (!wait || !k)
		return;
	for (struct req *r = k->head; r; r = next) {
		uint64_t asked = r->again ? r->again_ns : r->start_ns;

		next = r->next;
		if (r->ttfb_ns || (!gone && now_ns < asked + wait))
			continue;
		r->no_answer = true;
		r->end_ns = gone ? now_ns : asked + wait;
		r->error = true;
		r->error_type = req_text(r, STR("timeout"));
		queue_finish(ctx, c, r);
	}
}
