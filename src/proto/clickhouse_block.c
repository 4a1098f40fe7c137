// SPDX-License-Identifier: GPL-3.0-or-later
/*
 * clickhouse_block - blocks of data: packed frames, and columns passed by their types.
 *
 * Each block says by its first bytes whether it is packed. Of a packed one only the
 * sizes are read, and from what LZ4 leaves as it is at its beginning the number of
 * rows. A block may be several frames; no number says how many, but all except the
 * last one hold as much as the writer's buffer.
 */
#include "proto/clickhouse.h"

enum { INFO_OVERFLOWS = 1, INFO_BUCKET = 2, INFO_BUCKETS = 3 };
enum { M_NONE = 0x02, M_LZ4 = 0x82, M_ZSTD = 0x90, M_QPL = 0x99 };
enum { PEEK = 32, MAX_COLUMNS = 1 << 16 };

#define MAX_COUNT ((uint64_t)1 << 32)

/* ----- values ----- */

/* Passes n bytes, here or unread. */
static enum ch_step pass(struct ch_in *in, uint64_t n)
{
	uint64_t here = cur_left(&in->c);

	if (n > here && !in->full)
		return CH_MORE;
	in->skip = n > here ? n - here : 0;
	in->c.p += n > here ? here : n;
	return CH_ON;
}

static enum ch_step number(struct ch_in *in, uint64_t *n)
{
	struct cur c = in->c;

	*n = cur_le(&c, 8);
	if (c.over)
		return CH_MORE;
	in->c = c;
	return CH_ON;
}

static enum ch_step next(struct ch_walk *w)
{
	w->at++;
	w->step = 0;
	return CH_ON;
}

static enum ch_step push(struct ch_walk *w, uint64_t n)
{
	if (n > MAX_COUNT || w->depth + 1 == CH_NESTED)
		return CH_WRONG;
	w->count[++w->depth] = n;
	return next(w);
}

static enum ch_step bytes(struct ch_walk *w, struct ch_in *in, uint64_t each, uint64_t n)
{
	enum ch_step r;

	if (each * n > MAX_COUNT) /* neither is more than 2^32, each less than 2^29 */
		return CH_WRONG;
	r = pass(in, each * n);
	return r == CH_ON ? next(w) : r;
}

static enum ch_step strings(struct ch_walk *w, struct ch_in *in)
{
	if (!w->step) {
		w->left = w->count[w->depth];
		w->step = 1;
	}
	while (w->left && !in->skip) {
		struct ch_in at = *in;
		uint64_t len = cur_varint(&at.c);

		if (at.c.over)
			return CH_MORE;
		if (len > CH_LIMIT)
			return CH_WRONG;
		if (pass(&at, len) == CH_MORE)
			return CH_MORE;
		*in = at;
		w->left--;
	}
	return w->left ? CH_ON : next(w);
}

/* The last of n ends of arrays is how many values there are. */
static enum ch_step offsets(struct ch_walk *w, struct ch_in *in)
{
	uint64_t n = w->count[w->depth], last;
	enum ch_step r;

	if (!n)
		return push(w, 0);
	if (!w->step) {
		r = pass(in, 8 * (n - 1));
		w->step = r == CH_ON;
		return r;
	}
	r = number(in, &last);
	return r == CH_ON ? push(w, last) : r;
}

/* What the dictionary is: width of the places, whether it has values of its own; their number. */
static enum ch_step keys(struct ch_walk *w, struct ch_in *in)
{
	uint64_t n;
	enum ch_step r;

	if (!w->count[w->depth])
		return push(w, 0);
	r = number(in, &n);
	if (r != CH_ON)
		return r;
	if (!w->step) {
		if ((n & 0xff) > 3 || n >> 11)
			return CH_WRONG;
		w->width = (uint8_t)(1 << (n & 0xff));
		w->step = 1;
		return n & 0x200 ? CH_ON : push(w, 0);
	}
	return push(w, n);
}

static enum ch_step places(struct ch_walk *w, struct ch_in *in)
{
	uint64_t n;
	enum ch_step r;

	if (!w->step) {
		w->depth--;
		w->step = 1;
	}
	if (!w->count[w->depth])
		return next(w);
	if (w->step == 1) {
		r = number(in, &n);
		if (r != CH_ON)
			return r;
		w->step = 2;
		return n == w->count[w->depth] ? CH_ON : CH_WRONG;
	}
	return bytes(w, in, w->width, w->count[w->depth]);
}

/* How many defaults before each other value; the last one has a flag and no value. */
static enum ch_step sparse(struct ch_walk *w, struct ch_in *in)
{
	uint64_t n;

	if (!w->step) {
		w->left = 0;
		w->step = 1;
	}
	for (;;) {
		struct cur c = in->c;

		n = cur_varint(&c);
		if (c.over)
			return CH_MORE;
		in->c = c;
		if (n >> 62)
			break;
		if (++w->left > MAX_COUNT)
			return CH_WRONG;
	}
	return push(w, w->left);
}

static enum ch_step walk(struct ch_walk *w, struct ch_in *in)
{
	uint32_t ins = w->code.ins[w->at];
	uint64_t n = w->count[w->depth];

	switch ((enum ch_op)(ins & 7)) {
	case CH_BYTES:
		return bytes(w, in, ins >> 3, n);
	case CH_HEAD:
		return bytes(w, in, ins >> 3, 1);
	case CH_STRINGS:
		return strings(w, in);
	case CH_OFFSETS:
		return offsets(w, in);
	case CH_POP:
		w->depth--;
		return next(w);
	case CH_KEYS:
		return keys(w, in);
	case CH_INDEX:
		return places(w, in);
	case CH_SPARSE:
		return sparse(w, in);
	}
	return CH_WRONG;
}

/* ----- what a block begins with ----- */

/* Pairs of a number and a value up to a 0, columns, rows; false: no block. */
static bool head(struct cur *c, uint64_t *columns, uint64_t *rows)
{
	for (uint64_t field = cur_varint(c); field && !c->over; field = cur_varint(c)) {
		if (field == INFO_OVERFLOWS && cur_u8(c) > 1)
			return false;
		if (field == INFO_BUCKET)
			cur_take(c, 4);
		if (field == INFO_BUCKETS) {
			uint64_t n = cur_varint(c);

			if (n > MAX_COLUMNS)
				return false;
			cur_take(c, 4 * (size_t)n);
		}
		if (field > INFO_BUCKETS)
			return false;
	}
	*columns = cur_varint(c);
	*rows = cur_varint(c);
	return c->over || (*columns <= MAX_COLUMNS && *rows <= MAX_COUNT);
}

static bool is_plain(const struct cur *c)
{
	return cur_left(c) >= 3 && c->p[0] == INFO_OVERFLOWS && c->p[1] <= 1 &&
	       c->p[2] == INFO_BUCKET;
}

struct frame {
	uint8_t method;
	uint32_t packed, plain; /* packed: with the nine bytes before */
};

static bool frame(struct cur *c, struct frame *f)
{
	cur_take(c, 16);
	f->method = cur_u8(c);
	f->packed = (uint32_t)cur_le(c, 4);
	f->plain = (uint32_t)cur_le(c, 4);
	if (c->over || f->packed < 10 || f->packed > CH_LIMIT / 4 || !f->plain ||
	    f->plain > CH_LIMIT / 4 || f->packed > f->plain + f->plain / 128 + 64)
		return false;
	if (f->method == M_NONE)
		return f->packed == f->plain + 9;
	return f->method == M_LZ4 || f->method == M_ZSTD || f->method == M_QPL;
}

/* The beginning of what was packed, as far as it stands there as it was. */
static struct cur unpacked(const struct frame *f, struct cur c)
{
	size_t n = 0;

	if (cur_left(&c) > f->packed - 9)
		c.end = c.p + f->packed - 9;
	if (f->method == M_NONE)
		return c;
	if (f->method == M_LZ4) {
		n = cur_u8(&c) >> 4;
		if (n == 15)
			n += cur_u8(&c);
	}
	if (cur_left(&c) > n)
		c.end = c.p + n;
	return c;
}

enum sure clickhouse_is_block(struct cur c)
{
	uint64_t columns, rows;
	struct frame f;

	if (is_plain(&c)) {
		if (!head(&c, &columns, &rows))
			return SURE_NO;
		return c.over ? SURE_MAYBE : SURE_YES;
	}
	if (cur_left(&c) < CH_FRAME)
		return SURE_MAYBE;
	return frame(&c, &f) ? SURE_YES : SURE_NO;
}

/* ----- steps ----- */

static void count(struct clickhouse *s, enum dir dir, bool known)
{
	struct ch_side *side = &s->side[dir];
	struct ch_totals *sum = &s->sum;

	if (!side->counts)
		return;
	if (dir == DIR_REQ) {
		sum->unsent |= !known;
		sum->sent += side->rows;
	} else {
		sum->blocks = true;
		sum->unread |= !known;
		sum->rows += side->rows;
	}
}

static enum ch_step packed(struct clickhouse *s, enum dir dir, struct ch_in *in, bool first)
{
	struct ch_side *side = &s->side[dir];
	uint64_t columns, rows = 0;
	struct cur c = in->c, text;
	struct frame f;
	size_t wanted;

	if (!frame(&c, &f))
		return c.over ? CH_MORE : CH_WRONG;
	wanted = f.packed - 9 < PEEK ? f.packed - 9 : PEEK;
	if (cur_left(&c) < wanted && !in->c.cut)
		return CH_MORE;
	text = unpacked(&f, c);
	if (first) {
		bool known = head(&text, &columns, &rows) && !text.over;

		side->rows = known ? rows : 0;
		s->sum.method = f.method;
		count(s, dir, known);
	}
	in->c = c;
	if (pass(in, f.packed - 9) == CH_MORE)
		return CH_MORE;
	side->phase = f.plain < CH_WHOLE_FRAME ? CH_PACKET : CH_FRAMES;
	return side->phase == CH_PACKET ? CH_DONE : CH_ON;
}

static enum ch_step begin(struct clickhouse *s, enum dir dir, struct ch_in *in)
{
	struct ch_side *side = &s->side[dir];
	struct cur c = in->c;

	if (cur_left(&c) < 3)
		return CH_MORE;
	if (!is_plain(&c))
		return packed(s, dir, in, true);
	if (!head(&c, &side->columns, &side->rows))
		return CH_WRONG;
	if (c.over)
		return CH_MORE;
	in->c = c;
	count(s, dir, true);
	side->phase = side->columns ? CH_COLUMN : CH_PACKET;
	return side->columns ? CH_ON : CH_DONE;
}

/* Behind a full frame: another one, or the next packet. */
static enum ch_step frames(struct clickhouse *s, enum dir dir, struct ch_in *in)
{
	struct cur c = in->c;
	struct frame f;

	if (cur_left(&c) < CH_FRAME && !in->c.cut)
		return CH_MORE;
	if (frame(&c, &f))
		return packed(s, dir, in, false);
	s->side[dir].phase = CH_PACKET;
	return CH_DONE;
}

/* From here on bytes are passed unread, up to what looks like the next block. */
static void lose(struct clickhouse *s, struct ch_side *side, struct str type)
{
	const char *bracket = memchr(type.s, '(', type.len);
	size_t n = bracket ? (size_t)(bracket - type.s) : type.len;

	if (n > sizeof(s->type) - 1)
		n = sizeof(s->type) - 1;
	side->phase = CH_LOST;
	if (*s->type)
		return;
	memcpy(s->type, type.s, n);
	s->type[n] = 0;
}

static enum ch_step column(struct clickhouse *s, enum dir dir, struct ch_in *in)
{
	struct ch_side *side = &s->side[dir];
	struct ch_walk *w = &side->walk;
	struct cur c = in->c;
	struct str type;
	uint8_t custom = 0, kind = 0;
	bool bad = false;

	if (!side->columns) {
		side->phase = CH_PACKET;
		return CH_DONE;
	}
	clickhouse_str(&c, CH_NAME);
	type = clickhouse_word(&c, PROTO_HEAD / 2, &bad);
	if (s->revision >= CH_REV_CUSTOM) {
		custom = cur_u8(&c);
		kind = custom ? cur_u8(&c) : 0;
	}
	if (bad || custom > 1 || (!c.over && !type.len))
		return CH_WRONG;
	if (c.over)
		return CH_MORE;
	in->c = c;
	side->columns--;
	if (!s->revision || kind > 1 || (custom && str_starts(type, "Tuple("))) {
		lose(s, side, s->revision ? type : STR("revision"));
		return CH_ON;
	}
	if (!side->rows)
		return CH_ON;
	if (!clickhouse_compile(type, kind, &w->code)) {
		lose(s, side, type);
		return CH_ON;
	}
	w->at = w->depth = w->step = 0;
	w->count[0] = side->rows;
	side->phase = CH_VALUES;
	return CH_ON;
}

static enum ch_step values(struct ch_side *side, struct ch_in *in)
{
	if (side->walk.at < side->walk.code.n)
		return walk(&side->walk, in);
	side->phase = CH_COLUMN;
	return CH_ON;
}

enum ch_step clickhouse_block(struct clickhouse *s, enum dir dir, struct ch_in *in)
{
	switch (s->side[dir].phase) {
	case CH_BLOCK:
		return begin(s, dir, in);
	case CH_COLUMN:
		return column(s, dir, in);
	case CH_VALUES:
		return values(&s->side[dir], in);
	default:
		return frames(s, dir, in);
	}
}

/* ----- where nothing is known ----- */

static bool has_block(enum dir dir, uint8_t packet)
{
	if (dir == DIR_REQ)
		return packet == CH_C_DATA;
	return packet == CH_S_DATA || packet == CH_S_TOTALS || packet == CH_S_EXTREMES ||
	       packet == CH_S_LOG || packet == CH_S_PROFILE_EVENTS;
}

/* A packet for no table, with a block of no bucket: ten bytes that values hardly have. */
const uint8_t *clickhouse_next_block(enum dir dir, struct cur c)
{
	static const uint8_t rest[] = { INFO_BUCKET, 0xff, 0xff, 0xff, 0xff, 0 };

	for (; cur_left(&c) >= CH_ANCHOR; c.p++)
		if (has_block(dir, c.p[0]) && !c.p[1] && c.p[2] == INFO_OVERFLOWS && c.p[3] <= 1 &&
		    !memcmp(c.p + 4, rest, sizeof(rest)))
			return c.p;
	return NULL;
}

enum ch_step clickhouse_pass_lost(struct ch_side *side, enum dir dir, struct ch_in *in)
{
	const uint8_t *p = clickhouse_next_block(dir, in->c);

	if (p) {
		in->c.p = p;
		side->phase = CH_PACKET;
		return CH_ON;
	}
	if (!in->full || cur_left(&in->c) < CH_ANCHOR)
		return CH_MORE;
	in->c.p = in->c.end - (CH_ANCHOR - 1);
	return CH_MORE;
}
