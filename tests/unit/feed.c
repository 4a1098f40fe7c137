// SPDX-License-Identifier: GPL-3.0-or-later
/* feed - a small conn/ for tests: bytes to parsers, messages to text. */
#include "tests/unit/feed.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

#if defined(__SANITIZE_ADDRESS__)
#define FEED_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define FEED_ASAN 1
#endif
#endif
#ifdef FEED_ASAN
#include <sanitizer/asan_interface.h>
#endif

/* ----- what the parser sees ----- */

enum { FENCE = 4096 };

/*
 * The bytes stand before a dead page, so that a read past the end crashes even
 * without a sanitizer; with one, reads before the start are caught too.
 */
static const uint8_t *window(const uint8_t *p, size_t len)
{
	static uint8_t *base;

	if (!base) {
		base = mmap(NULL, FENCE + PROTO_HEAD + 4096, PROT_READ | PROT_WRITE,
		            MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (base == MAP_FAILED || mprotect(base + FENCE + PROTO_HEAD, 4096, PROT_NONE))
			abort();
	}
#ifdef FEED_ASAN
	static const uint8_t *fence;

	if (fence)
		ASAN_UNPOISON_MEMORY_REGION(fence, FENCE);
	fence = base + PROTO_HEAD - len;
	ASAN_POISON_MEMORY_REGION(fence, FENCE);
#endif
	if (len)
		memcpy(base + FENCE + PROTO_HEAD - len, p, len);
	return base + FENCE + PROTO_HEAD - len;
}

static void breach(struct feed *f, const char *what)
{
	if (!f->broken)
		f->broken = what;
}

static enum parse call(struct feed *f, enum dir dir, size_t *took)
{
	struct feed_side *s = &f->side[dir];
	size_t len = s->len < PROTO_HEAD ? s->len : PROTO_HEAD;
	struct cur in = { .cut = s->cut && len == s->len };
	struct cur was;
	enum parse r;

	in.p = window(s->p, len);
	in.end = in.p + len;
	was = in;
	memcpy(f->spare, f->state, f->proto->state_size);
	f->msg = MSG_INIT;
	r = f->proto->parse(f->state, dir, &in, &f->msg);
	if (in.end != was.end)
		breach(f, "moved the end of the input");
	if (r == PARSE_OK) {
		if (in.p <= was.p || in.p > was.end || in.over)
			breach(f, "OK without moving, or beyond the end");
		if (f->msg.body > f->msg.skip)
			breach(f, "more of a body than bytes follow");
		*took = (size_t)(in.p - was.p);
		if (!*took || *took > len)
			*took = 1;
		return r;
	}
	if (in.p != was.p || in.over != was.over || in.cut != was.cut)
		breach(f, "moved without OK");
	if (memcmp(f->spare, f->state, f->proto->state_size))
		breach(f, "changed the state without OK");
	if (r == PARSE_MORE && len == PROTO_HEAD)
		breach(f, "asks for more than PROTO_HEAD bytes");
	return r;
}

/* ----- messages to text ----- */

static void quote(struct buf *b, struct str s)
{
	buf_ch(b, '"');
	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.s[i];

		if (c == '"' || c == '\\')
			buf_fmt(b, "\\%c", c);
		else if (c == '\r')
			buf_z(b, "\\r");
		else if (c == '\n')
			buf_z(b, "\\n");
		else if (c == '\t')
			buf_z(b, "\\t");
		else if (c < 0x20 || c >= 0x7f)
			buf_fmt(b, "\\x%02x", c);
		else
			buf_ch(b, (char)c);
	}
	buf_ch(b, '"');
}

static void field(struct buf *b, const char *name, struct str s)
{
	if (!s.len)
		return;
	buf_fmt(b, " %s=", name);
	quote(b, s);
}

static void number(struct buf *b, const char *name, uint64_t v, uint64_t unset)
{
	if (v != unset)
		buf_fmt(b, " %s=%" PRIu64, name, v);
}

static void print_flags(struct buf *b, unsigned int flags)
{
	static const char *const names[] = {
		"cut",       "closes",  "define", "use",      "forget", "prepare",
		"body",      "byorder", "newdb",  "newdb_ok", "run",    "wide",
		"temporary", "leads",   "orphan", "nostatus", "above",  "giveup",
		"guessed",   "joins",   "mute",   "first",    "keep",   "dotted",
	};
	const char *sep = " flags=";

	for (unsigned int i = 0; i < 32; i++) {
		if (!(flags & 1u << i))
			continue;
		buf_z(b, sep);
		if (i < sizeof(names) / sizeof(*names))
			buf_z(b, names[i]);
		else
			buf_fmt(b, "bit%u", i);
		sep = ",";
	}
}

static void print_next(struct buf *b, enum proto_id next)
{
	const struct proto *p;

	if (!next)
		return;
	p = next == PROTO_NEXT_DETECT ? NULL : proto_by_id(next);
	buf_fmt(b, " next=%s", p ? p->name : "detect");
}

/* How many of them there are, and how long, depends on how the bytes came in. */
static bool is_run(const struct msg *m)
{
	return m->flags & MSG_F_RUN;
}

void feed_print(struct buf *b, enum dir dir, const struct msg *m)
{
	static const char *const kinds[] = {
		"none", "req", "oneway", "interim", "resp", "push", "barrier",
	};
	static const char *const does[] = {
		[MESSAGING_CREATE] = "create",   [MESSAGING_SEND] = "send",
		[MESSAGING_RECEIVE] = "receive", [MESSAGING_PROCESS] = "process",
		[MESSAGING_SETTLE] = "settle",
	};

	buf_fmt(b, "%c %s", dir == DIR_REQ ? '>' : '<', kinds[m->kind]);
	print_flags(b, m->flags);
	if (m->proto)
		field(b, "proto", str_of(proto_by_id(m->proto)->name));
	print_next(b, m->next);
	field(b, "level", str_of(m->level));
	field(b, "op", m->op);
	field(b, "subject", m->subject);
	field(b, "target", m->target);
	field(b, "query", m->query);
	field(b, "status", m->status);
	if (m->code != MSG_NO_CODE)
		buf_fmt(b, " code=%d", m->code);
	buf_z(b, m->error ? " error" : "");
	buf_z(b, m->server_error ? " server_error" : "");
	field(b, "error_type", m->error_type);
	field(b, "db", m->db);
	field(b, "topic", m->topic);
	field(b, "does", str_of(does[m->does]));
	number(b, "id", m->id, 0);
	if (m->skip == UINT64_MAX)
		buf_z(b, " skip=rest");
	else if (!is_run(m))
		number(b, "skip", m->skip, 0);
	number(b, "def_id", m->def_id, 0);
	number(b, "use_id", m->use_id, 0);
	field(b, "def", m->def);
	if (m->rows != -1)
		buf_fmt(b, " rows=%" PRId64, m->rows);
	field(b, "traceparent", m->traceparent);
	field(b, "tracestate", m->tracestate);
	for (unsigned int i = 0; i < m->nattrs; i++) {
		const struct msg_attr *a = &m->attrs[i];

		buf_fmt(b, " %s=", attr_name(a->key));
		if (a->text.s)
			quote(b, a->text);
		else
			buf_fmt(b, "%" PRId64, a->num);
	}
}

/* One line of the result; a line like the one before only raises its count. */
static void line(struct feed *f, const struct buf *text, bool counted)
{
	bool same = f->repeats && f->last.len == text->len &&
	            !memcmp(f->out.p + f->last_at, text->p, text->len);

	if (same && !counted)
		return;
	if (same) {
		f->out.len = f->last_at + f->last.len;
		buf_fmt(&f->out, " (x%u)\n", ++f->repeats);
		return;
	}
	f->last_at = f->out.len;
	f->last.len = text->len;
	f->repeats = 1;
	buf_str(&f->out, buf_slice(text));
	buf_ch(&f->out, '\n');
}

static void note(struct feed *f, const char *fmt, enum dir dir, uint64_t n)
{
	struct buf b = { 0 };

	buf_fmt(&b, "%c %s=%" PRIu64, dir == DIR_REQ ? '>' : '<', fmt, n);
	line(f, &b, true);
	buf_free(&b);
}

/* ----- the stream ----- */

static void drop(struct feed_side *s, size_t n)
{
	if (!n)
		return;
	s->len -= n;
	s->at += n;
	memmove(s->p, s->p + n, s->len);
}

static void skip_some(struct feed_side *s)
{
	size_t n = s->skip < s->len ? (size_t)s->skip : s->len;

	if (s->skip != UINT64_MAX)
		s->skip -= n;
	drop(s, n);
}

/* The request that an answer belongs to is no longer open. */
static void answered(struct feed *f, uint64_t id)
{
	size_t i = 0;

	while (id && i < f->nopen && f->open[i] != id)
		i++;
	if (i < f->nopen)
		memmove(&f->open[i], &f->open[i + 1], (--f->nopen - i) * sizeof(*f->open));
}

static void barrier(struct feed *f, const struct msg *m)
{
	size_t n = 0;

	for (size_t i = 0; i < f->nopen; i++)
		if (m->flags & MSG_F_ABOVE ? f->open[i] <= m->id
		                           : !(m->flags & MSG_F_BYORDER) && f->open[i] > m->id)
			f->open[n++] = f->open[i];
	f->nopen = n;
}

static void taken(struct feed *f, enum dir dir, const struct msg *m)
{
	struct buf b = { 0 };

	feed_print(&b, dir, m);
	line(f, &b, !is_run(m));
	buf_free(&b);
	if (m->kind == MSG_REQ && f->nopen < FEED_OPEN)
		f->open[f->nopen++] = m->id;
	else if (m->kind == MSG_RESP)
		answered(f, m->id);
	else if (m->kind == MSG_BARRIER)
		barrier(f, m);
	if (m->nattrs == MSG_ATTRS)
		breach(f, "as many attributes as fit: MSG_ATTRS is too small");
	f->over = m->next != PROTO_UNKNOWN;
}

/* On to what may be a message; false where there is none in these bytes. */
static bool resync(struct feed *f, enum dir dir)
{
	struct feed_side *s = &f->side[dir];
	size_t len = s->len < PROTO_HEAD ? s->len : PROTO_HEAD;
	struct cur in = cur_of(window(s->p, len), len);
	const uint8_t *p = f->proto->resync(f->state, dir, in);

	if (p && (p < in.p || p >= in.end))
		breach(f, "resync outside of the input");
	drop(s, p && !f->broken ? (size_t)(p - in.p) : len);
	s->lost = !p;
	return p || s->len;
}

/* Whether an answer begins here whose request has still to come. */
static bool overtakes(struct feed *f, enum dir dir)
{
	struct feed_side *s = &f->side[dir];
	uint64_t id;

	if (dir == DIR_REQ || !s->len || !f->proto->answers)
		return false;
	id = f->proto->answers(f->state, cur_of(s->p, s->len));
	for (size_t i = 0; id && i < f->nopen; i++)
		if (f->open[i] == id)
			return false;
	return id && f->nopen < FEED_OPEN;
}

/* Takes one message of this direction; false where there is none to take yet. */
static bool step(struct feed *f, enum dir dir)
{
	struct feed_side *s = &f->side[dir];
	bool early = dir == DIR_RESP && !f->proto->answers && !f->nopen;
	size_t took = 0;
	enum parse r;

	skip_some(s);
	if (f->over || s->bad || !s->len)
		return false;
	if (s->lost)
		return resync(f, dir);
	if (overtakes(f, dir))
		return false;
	r = call(f, dir, &took);
	if (r == PARSE_BAD && !early) {
		note(f, "bad at", dir, s->at);
		s->bad = !f->resyncs;
		f->nbad++;
		if (f->resyncs) {
			drop(s, 1);
			s->lost = true;
			return true;
		}
	}
	if (r != PARSE_OK)
		return false;
	if (early && (f->msg.kind == MSG_RESP || f->msg.kind == MSG_INTERIM)) {
		memcpy(f->state, f->spare, f->proto->state_size);
		return false;
	}
	taken(f, dir, &f->msg);
	s->skip = f->msg.skip;
	drop(s, took);
	return true;
}

static void pump(struct feed *f)
{
	while (step(f, DIR_REQ) || step(f, DIR_RESP))
		;
}

void feed_init(struct feed *f, const struct proto *p)
{
	memset(f, 0, sizeof(*f));
	f->proto = p;
	f->state = calloc(1, p->state_size + 1);
	f->spare = calloc(1, p->state_size + 1);
	if (!f->state || !f->spare)
		abort();
}

void feed_push(struct feed *f, enum dir dir, const void *bytes, size_t len)
{
	struct feed_side *s = &f->side[dir];

	if (s->len + len > s->cap) {
		s->cap = (s->len + len) * 2 + 4096;
		s->p = realloc(s->p, s->cap);
		if (!s->p)
			abort();
	}
	if (len)
		memcpy(s->p + s->len, bytes, len);
	s->len += len;
	pump(f);
}

void feed_lose(struct feed *f, enum dir dir, size_t len)
{
	struct feed_side *s = &f->side[dir];

	feed_cut(f, dir);
	s->cut = false;
	drop(s, s->len);
	s->lost = s->lost || s->skip < len;
	s->skip -= s->skip < len ? s->skip : s->skip == UINT64_MAX ? 0 : len;
	s->at += len;
}

void feed_cut(struct feed *f, enum dir dir)
{
	f->side[dir].cut = true;
	pump(f);
}

void feed_finish(struct feed *f)
{
	if (f->over) {
		f->repeats = 0;
		buf_z(&f->out, "= next\n");
		return;
	}
	for (int d = DIR_REQ; d <= DIR_RESP; d++) {
		bool held = d == DIR_RESP && (f->proto->answers ? overtakes(f, d) : !f->nopen);

		if (f->side[d].len && !f->side[d].bad)
			note(f, held ? "held" : "left", (enum dir)d, f->side[d].len);
	}
}

void feed_free(struct feed *f)
{
	free(f->state);
	free(f->spare);
	free(f->side[DIR_REQ].p);
	free(f->side[DIR_RESP].p);
	buf_free(&f->out);
}
