// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * feed - bytes and holes into one direction of a connection.
 *
 * Most records begin and end on a message boundary; their bytes are parsed
 * where they lie and never copied. What is left over is kept until more comes.
 */
#include "conn/table.h"

static bool wanted(const struct conn *c)
{
	return c->why == WHY_NONE || c->why == WHY_WAITING;
}

/* Bytes that begin in the body of a message that is not parsed; p NULL: a hole. Returns how many passed. */
static uint64_t pass_skip(struct conns *t, struct conn *c, enum ev_dir d, const uint8_t *p,
                          uint64_t n, const struct moment *at)
{
	struct stream *s = &c->dir[d];
	uint64_t take = s->skip < n ? s->skip : n;
	bool done;

	if (!take)
		return 0;
	talk_body(t, c, d, p, take, s->next);
	if (s->skip != UINT64_MAX)
		s->skip -= take;
	done = !s->skip;
	if (done)
		s->in_skip = false;
	t->sink->passed(t->sink->ctx, c, conn_role(c, d), take, done, at);
	return take;
}

static void drop_pending(struct conns *t, struct conn *c, struct stream *s)
{
	c->unparsed_bytes += stream_len(s);
	t->stats.unparsed_bytes += stream_len(s);
	stream_drop(s, stream_len(s), &t->held);
	s->stalled = false;
}

/* What is kept of one direction goes: a gap. */
static void shed_stream(struct conns *t, struct conn *c, enum ev_dir d)
{
	struct stream *s = &c->dir[d];
	size_t n = stream_len(s);

	if (!n)
		return;
	t->stats.shed_bytes += n;
	drop_pending(t, c, s);
	c->flags |= CONN_F_GAP;
	if (!c->proto) {
		c->flags |= CONN_F_JOINED_MID;
		return;
	}
	s->synced = false;
	c->unpaired = true;
	t->sink->gap(t->sink->ctx, c, conn_role(c, d), n, true);
}

/*
 * All connections together hold too much: those unused for longest give way. An
 * eighth more than needed goes, so that the table is not walked for each record.
 */
static void shed(struct conns *t, const struct conn *but)
{
	size_t enough = t->opts.pending_max - t->opts.pending_max / 8;

	for (struct conn *c = t->oldest; c && t->held > enough; c = c->newer)
		for (int d = 0; d < 2 && c != but; d++)
			shed_stream(t, c, (enum ev_dir)d);
}

static void keep(struct conns *t, struct conn *c, enum ev_dir d, const uint8_t *p, size_t n,
                 const struct moment *at)
{
	struct stream *s = &c->dir[d];

	if (t->held > t->opts.pending_max)
		shed(t, c);
	if (stream_keep(s, p, n, at, &t->held))
		return;
	/* No parser asks for this much: what is here cannot be understood. */
	c->unparsed_bytes += stream_len(s) + n;
	t->stats.unparsed_bytes += stream_len(s) + n;
	stream_drop(s, stream_len(s), &t->held);
	s->synced = false;
	s->stalled = false;
	c->unpaired = true;
	if (!c->proto)
		talk_give_up(t, c, WHY_UNKNOWN);
}

/* Undecided connections collect bytes of both directions until a verdict. */
static void collect(struct conns *t, struct conn *c, enum ev_dir d, const uint8_t *p, size_t n,
                    const struct moment *at)
{
	struct stream *s = &c->dir[d];

	keep(t, c, d, p, n, at);
	s->next += n;
	if (wanted(c) && talk_detect(t, c))
		talk_pump(t, c);
}

void feed_bytes(struct conns *t, struct conn *c, enum ev_dir d, const uint8_t *p, size_t n,
                const struct moment *at)
{
	struct stream *s = &c->dir[d];
	const struct proto *was = c->proto;
	size_t done;

	if (!wanted(c)) {
		s->next += n;
		c->unparsed_bytes += n;
		t->stats.unparsed_bytes += n;
		return;
	}
	if (!c->proto) {
		collect(t, c, d, p, n, at);
		return;
	}
	if (stream_len(s)) {
		keep(t, c, d, p, n, at);
		s->next += n;
		talk_pump(t, c);
		return;
	}
	done = (size_t)pass_skip(t, c, d, p, n, at);
	if (done < n)
		done += talk_consume(t, c, d, cur_of(p + done, n - done), s->next + done, at);
	s->next += done;
	if (done < n) {
		keep(t, c, d, p + done, n - done, at);
		s->next += n - done;
	}
	/* A request may be what an answer waits for; a change of protocol what bytes wait for. */
	if (c->dir[!d].stalled || c->proto != was)
		talk_pump(t, c);
}

/* A hole begins: nothing will complete what is pending. Take what can be told from it. */
static void flush_cut(struct conns *t, struct conn *c, enum ev_dir d)
{
	struct stream *s = &c->dir[d];
	struct cur in;
	size_t done;

	if (!stream_len(s))
		return;
	if (!c->proto && !talk_detect(t, c))
		return;
	talk_pump(t, c);
	if (!stream_len(s) || !c->proto)
		return;
	in = cur_of(s->pend->bytes, s->pend->len);
	in.cut = true;
	done = talk_consume(t, c, d, in, s->next - s->pend->len, NULL);
	stream_drop(s, done, &t->held);
}

void feed_hole(struct conns *t, struct conn *c, enum ev_dir d, uint64_t n, bool lost,
               const struct moment *at)
{
	struct stream *s = &c->dir[d];
	uint64_t passed;
	bool left;

	if (!wanted(c)) {
		s->next += n;
		return;
	}
	flush_cut(t, c, d);
	left = stream_len(s) > 0;
	drop_pending(t, c, s);
	passed = c->proto && !left ? pass_skip(t, c, d, NULL, n, at) : 0;
	s->next += n;
	if (!c->proto) {
		/* What follows is not the start of the connection. */
		c->flags |= CONN_F_JOINED_MID;
		return;
	}
	if (passed == n && !left)
		return;
	s->synced = false;
	/* More than one answer may lie in it: whose is the next one? */
	if (conn_role(c, d) == DIR_REQ || passed || t->sink->open(t->sink->ctx, c) > 1)
		lost |= !c->proto->answers;
	if (lost || conn_role(c, d) == DIR_REQ)
		c->unpaired = true;
	t->sink->gap(t->sink->ctx, c, conn_role(c, d), n - passed, lost);
}

void feed_end(struct conns *t, struct conn *c, enum ev_dir d, const struct moment *at)
{
	struct stream *s = &c->dir[d];

	if (!wanted(c))
		return;
	/* The last chance of the heuristics: no more messages will come. */
	if (!c->proto)
		c->turns = UINT16_MAX;
	flush_cut(t, c, d);
	if (c->proto && s->in_skip) {
		s->in_skip = false;
		s->skip = 0;
		t->sink->passed(t->sink->ctx, c, conn_role(c, d), 0, true, at);
	}
	drop_pending(t, c, s);
}
