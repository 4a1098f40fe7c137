// SPDX-License-Identifier: GPL-3.0-or-later
/* capture - hands each call to the source behind it. */
#include "capture/capture.h"

#include <errno.h>

#include "capture/source.h"

int capture_poll(struct capture *c, int timeout_ms, capture_fn fn, void *ctx)
{
	return c->source->poll(c, timeout_ms, fn, ctx);
}

void capture_interest(struct capture *c, uint64_t conn, enum ev_level level)
{
	if (c->source->interest)
		c->source->interest(c, conn, level);
}

void capture_skip(struct capture *c, uint64_t conn, int dir, uint64_t until)
{
	if (c->source->skip)
		c->source->skip(c, conn, dir, until);
}

int capture_rules(struct capture *c, const struct capture_rule *rules, size_t n)
{
	return c->source->rules ? c->source->rules(c, rules, n) : 0;
}

int capture_add(struct capture *c, pid_t pid)
{
	return c->source->add ? c->source->add(c, pid) : -EOPNOTSUPP;
}

size_t capture_targets(const struct capture *c)
{
	return c->source->targets ? c->source->targets(c) : 0;
}

void capture_stats(struct capture *c, struct capture_stats *out)
{
	*out = (struct capture_stats){ 0 };
	c->source->stats(c, out);
}

const struct probe_state *capture_probes(struct capture *c, size_t *n)
{
	*n = 0;
	return c->source->probes ? c->source->probes(c, n) : NULL;
}

int64_t capture_wall_offset(const struct capture *c)
{
	return c->source->wall_offset(c);
}

void capture_close(struct capture *c)
{
	if (c)
		c->source->close(c);
}
